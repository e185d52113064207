/* code: the law of verification codes, pure: which digits a code has, what stands for them at rest, what a
 * resend sends. Digits are never kept: they come out of the keyring and the code's id whenever they are
 * needed. */
#ifndef RULES_CODE_H
#define RULES_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/keyring.h"
#include "base/result.h"
#include "base/secret.h"

#define CODE_MIN  6 /* digits of a code */
#define CODE_MAX  10
#define CODE_HOLE '\x1a' /* stands in a text at rest where the digits go; no text for a phone has it */
/* Nothing is good longer after the asking, resends and all: NIST 800-63B, 5.1.3.2. */
#define CODE_LIFE_MAX_MS (10 * 60 * 1000)

/* How a code ended; the first one stands. Stored: never renumber. */
enum code_verdict {
	CODE_OPEN = 0, /* never stored: a code without a verdict */
	CODE_APPROVED = 1,
	CODE_EXHAUSTED = 2, /* every try was wrong */
	CODE_CANCELLED = 3,
	CODE_SUPERSEDED = 4, /* by a newer one for the same phone and purpose */
	CODE_EXPIRED = 5,
};

/* "open", "approved", ...; "unknown" for a number that is none. */
const char *code_verdict_name(enum code_verdict v);

/* The digits of issue number `issue` of a code: each of 0..9 equally likely in each place, not to be told
 * without the keyring from any number of others. The caller wipes them. length 1..CODE_MAX. KZ_NOT_FOUND: no
 * such key. */
enum kz code_derive(const struct keyring *k, unsigned key, uint64_t id, unsigned issue, unsigned length,
    char digits[CODE_MAX + 1]) KZ_CHECK;

/* What a code holds for and nothing else: all of it goes into its MAC. */
struct code_bond {
	uint64_t id;
	unsigned issue;
	int64_t phone; /* keyed value */
	const char *purpose;
	const char *binding; /* "": none */
};

/* The MAC of digits, as they stand at rest. KZ_NOT_FOUND: no such key. */
enum kz code_mac(const struct keyring *k, unsigned key, const struct code_bond *b, const char *digits,
    uint8_t mac[SECRET_HASH]) KZ_CHECK;
/* Whether digits are what mac was made of; false also when the key is gone. The time depends on the lengths
 * of purpose and binding alone. */
bool code_matches(const struct keyring *k, unsigned key, const struct code_bond *b, const char *digits,
    const uint8_t mac[SECRET_HASH]);

/* Whether text has a hole to fill. */
bool code_has_hole(const char *text);
/* Appends text with the digits in each of its holes. */
void code_fill(const char *text, const char *digits, struct buf *out);

/* The digits of a resend: "same" while half of the life is left, or new ones each time. */
enum code_again { CODE_AGAIN_SAME, CODE_AGAIN_NEW };

/* Times are Unix milliseconds. */
struct code_past {
	int64_t created_ms; /* when it was asked for */
	int64_t expires_ms; /* when the digits sent last expire */
	int64_t life_ms;    /* of digits, by the purpose */
	enum code_again again;
	bool given; /* the portal made the digits: there are no others */
};

struct code_resend {
	bool same;          /* the digits that were sent last, else the next issue */
	int64_t expires_ms; /* of what is sent now */
};

/* What a resend at now_ms sends; the code is open and now_ms before expires_ms. The same digits keep their
 * end while half of their life is left. What is sent later, new digits or the portal's own, has a whole life
 * from now on, but nothing is good longer than CODE_LIFE_MAX_MS after the asking. */
struct code_resend code_resend_plan(const struct code_past *past, int64_t now_ms);

/* Waits after the first, second and every further code sent to a phone in a row without an approval. */
struct code_waits {
	int64_t first_ms, second_ms, later_ms;
};

/* The wait after the n-th send in a row, n from 1. */
int64_t code_wait_ms(const struct code_waits *w, unsigned n);

#endif

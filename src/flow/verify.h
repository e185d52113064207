/* verify: the journey of a verification code: sent to a phone, held against what a person typed, sent again,
 * cancelled. The digits are in memory only while they are on their way; whatever the answer to a try, it is
 * at rest before anybody is told. */
#ifndef FLOW_VERIFY_H
#define FLOW_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/keyring.h"
#include "flow/send.h"
#include "rules/purpose.h"
#include "store/codes.h"
#include "store/limits.h"
#include "text/template.h"

struct verify;

#define VERIFY_PHONES 2
#define VERIFY_OPEN   20000 /* questions at once */
#define VERIFY_MS     5000  /* an answer comes within this */

/* All outlive it. */
struct verify_base {
	struct loop *loop;
	struct pg *pg;
	struct send *send;
	struct codes *codes;
	struct limits *limits;
	const struct keyring *keyring;
};

/* The snapshot in force; lives until verify_set_files gives another. */
struct verify_files {
	const struct conf *conf;
	const struct purposes *purposes;
	const struct templates *templates;
};

struct verify *verify_new(const struct verify_base *base, const struct verify_files *files);
void verify_set_files(struct verify *v, const struct verify_files *files);
/* What the slot has sent is looked after: a code that does not arrive is sent once more, one whose time is
 * over gets its verdict. newest: as slots_events say, 0: now. */
void verify_take_slot(struct verify *v, uint8_t slot, uint64_t newest);
void verify_leave_slot(struct verify *v, uint8_t slot);
void verify_lose_slots(struct verify *v);
/* For send_on_lost. */
send_lost_fn verify_on_lost;
/* Nobody is looked after any more. */
void verify_stop(struct verify *v);
/* Questions that are open are answered VERIFY_LOST from inside. After codes_free and limits_free, which hold
 * parts of them. NULL is fine. */
void verify_free(struct verify *v);

/* What a question came to. */
enum verify_word {
	VERIFY_OK, /* sent, approved, cancelled */
	VERIFY_WRONG,
	VERIFY_OVER, /* it is not open: verdict */
	VERIFY_NOT_FOUND,
	VERIFY_PAIR,          /* the id of a pair, whose codes are asked one by one */
	VERIFY_NOT_A_CODE,    /* cannot be the code: no try was taken */
	VERIFY_OTHER_BINDING, /* the same */
	VERIFY_KEY_REUSED,
	VERIFY_LIMITED,    /* limit, after_ms */
	VERIFY_NO_RESENDS, /* that the code may have */
	VERIFY_RANGE,      /* codes are not sent to such a number */
	VERIFY_UNKNOWN_PURPOSE,
	VERIFY_NEEDS_BINDING,
	VERIFY_TAKES_NO_BINDING,
	VERIFY_LONG_CODE,    /* the portal's own: length is the most that the purpose has room for */
	VERIFY_UNSENDABLE,   /* sendable: what send_preview says */
	VERIFY_NOT_ADMITTED, /* what send_admits says, KZ_BUSY; after_ms */
	VERIFY_LOST,
};

/* What goes with a word. A value. */
struct verify_why {
	enum code_verdict verdict;
	enum limit limit;
	int64_t after_ms;
	enum kz sendable;
	unsigned parts; /* of the text, with VERIFY_UNSENDABLE */
	enum message_class class;
	unsigned length; /* of the code, with VERIFY_NOT_A_CODE and VERIFY_LONG_CODE */
};

/* The request that asks: what its tries and sendings are known by when it comes again. */
struct verify_request {
	const char *client; /* NULL: everybody's codes are seen */
	int32_t api_key;
	const uint8_t *key_hash, *body_hash;
};

/* What is to be sent. Texts live during the call. */
struct verify_wish {
	struct verify_request request;
	const char *purpose;
	struct msisdn to[VERIFY_PHONES];
	size_t to_n;
	struct msisdn second; /* digits 0: none; kept where the purpose may use it */
	enum language language;
	const char *binding, *client_ref; /* NULL: none */
	const char *digits;               /* the portal's own, CODE_MIN..CODE_MAX of them; NULL: ours */
	const uint8_t *address;           /* of the end user, 16 octets; NULL: not given */
};

struct verify_judged {
	enum verify_word word; /* VERIFY_OK: it may begin */
	struct verify_why why;
	struct send_preview previews[VERIFY_PHONES];
	struct buf text; /* with 0 for each digit; the caller's to free */
};

struct verify_sent {
	uint64_t id;
	struct msisdn to;
	int64_t expires_wall_ms, resend_ms; /* resend_ms: until the phone may be sent one again */
	unsigned tries, resends_left;
};

/* letters and codes are the receiver's, for send_keep, when word is VERIFY_OK. */
struct verify_begun {
	enum verify_word word;
	struct verify_why why;
	const char *purpose; /* lives during the callback */
	uint64_t pair;       /* 0: none */
	struct verify_sent sent[VERIFY_PHONES];
	size_t sent_n;
	struct letter **letters;
	struct code_row *codes;
};
typedef void verify_begun_fn(void *arg, struct verify_begun *b);

/* At once; nothing is counted or kept. */
void verify_judge(struct verify *v, const struct verify_wish *w, struct verify_judged *ret);
/* What was judged VERIFY_OK: counted against the limits, made into letters. done once, later. KZ_BUSY at
 * once, without done, when VERIFY_OPEN questions are open. */
enum kz verify_begin(
    struct verify *v, const struct verify_wish *w, verify_begun_fn *done, void *arg) KZ_CHECK;
/* One more sending of code id, as verify_begin. */
enum kz verify_resend(struct verify *v, uint64_t id, const struct verify_request *request,
    verify_begun_fn *done, void *arg) KZ_CHECK;

/* A try. Texts live during the call. */
struct verify_try {
	struct verify_request request;
	uint64_t id;
	const char *digits;  /* 1..CODE_MAX of them */
	const char *binding; /* NULL: none */
};

struct verify_tried {
	enum verify_word word;
	struct verify_why why;
	unsigned tries_left; /* with VERIFY_WRONG */
	bool repeated;       /* it was this very request's answer before */
};
typedef void verify_tried_fn(void *arg, const struct verify_tried *t);
/* As verify_begin. */
enum kz verify_check(struct verify *v, const struct verify_try *t, verify_tried_fn *done, void *arg) KZ_CHECK;

/* Cancels code id, or both codes of pair id: VERIFY_OK or VERIFY_OVER with what it is now, of a pair the
 * first that is approved. As verify_begin. */
enum kz verify_cancel(struct verify *v, uint64_t id, const struct verify_request *request,
    verify_tried_fn *done, void *arg) KZ_CHECK;

#endif

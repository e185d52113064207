/* code_rows: verification codes and their sendings as they are kept together with the messages that carry
 * them. */
#ifndef STORE_CODE_ROWS_H
#define STORE_CODE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keyring.h"
#include "base/metrics.h"
#include "rules/code.h"
#include "store/pg.h"
#include "store/pg_array.h"
#include "text/msisdn.h"

/* Why a code was sent. Stored: never renumber. */
enum code_why { CODE_ASKED = 0, CODE_RESENT = 1, CODE_RESCUED = 2 };
/* "asked", "resend", "rescue"; "unknown" for a number that is none. */
const char *code_why_name(enum code_why w);
/* Counts the codes that this daemon has ended so. */
struct metric *code_ended_metric(enum code_verdict v);

/* One sending of a code; the first one, n 1, brings the code itself. A value whose pointers belong to whoever
 * holds it. */
struct code_row {
	uint64_t id, message_id; /* of the code: that of its first message */
	int64_t phone;           /* of the code, keyed */
	/* of the code, read with n 1 alone */
	int32_t api_key;
	uint64_t pair; /* 0: none */
	uint32_t prefix;
	const char *purpose, *client_ref; /* client_ref NULL: none */
	int language;
	int64_t binding; /* keyed, 0: none */
	unsigned length, tries;
	bool given;
	const void *second; /* sealed, NULL: none */
	size_t second_n;
	const void *digits; /* the portal's own, sealed; NULL: ours */
	size_t digits_n;
	int64_t digits_until_us; /* they are needed no longer */
	/* of the sending */
	unsigned n, resends, issue; /* resends: up to this one */
	enum code_why why;
	int64_t to; /* keyed */
	int64_t at_us, expires_us;
	unsigned key; /* of the keyring */
	uint8_t mac[SECRET_HASH];
};

/* Frees the texts and sealed octets of a row whose owner allocated each of them. */
void code_row_fini(struct code_row *r);

/* The second phone of a code, sealed for it. */
void code_seal_second(const struct keyring *k, uint64_t code_id, struct msisdn m, struct buf *out);
/* KZ_NOT_FOUND: the keyring has not the key; KZ_INVALID: not what code_seal_second wrote for this code. */
enum kz code_open_second(
    const struct keyring *k, uint64_t code_id, const void *sealed, size_t n, struct msisdn *ret) KZ_CHECK;

struct code_rows;

struct code_rows *code_rows_new(void);
/* Empties it. */
void code_rows_start(struct code_rows *c);
/* feed: the number of the verdict on the code that this one may supersede, 0 unless n is 1. */
void code_rows_put(struct code_rows *c, const struct code_row *r, uint64_t feed);
/* Of a reply: how many of the codes with the n feed numbers from first on superseded another. statement: the
 * first that code_rows_add added; n is above 0 only when one of them was new. */
size_t code_rows_superseded(const struct pg_reply *reply, unsigned statement, uint64_t first, size_t n);
/* Adds the statements for what was put, if anything was, after the one that keeps the messages: what a
 * message does not stand for is passed over. A code that goes in supersedes the one of the same client, phone
 * and purpose that is open; one that stood already does not. A sending whose n another message has already,
 * or another than the first of a code that is over, breaks a constraint. */
void code_rows_add(struct code_rows *c, int64_t now_us, struct pg_job *job);
void code_rows_free(struct code_rows *c);

#endif

/* Sealed: the number in eight octets, the language, the text. The text as it will go and not its template:
 * the daemon that sends it may have other files, and what was true when it was done may not be so then. */
#include "store/owed.h"

#include <string.h>

#include "base/secret.h"
#include "store/pg_array.h"

#define DOMAIN "owed"
#define HEAD   9

void owed_seal(const struct keyring *k, int64_t token, struct msisdn to, enum language l, const char *text,
    struct owed *ret)
{
	struct buf clear = {.wiped = true};

	for (int shift = 56; shift >= 0; shift -= 8)
		buf_char(&clear, (char)(to.digits >> shift));
	buf_char(&clear, (char)l);
	buf_str(&clear, text);
	ret->token = token;
	keyring_seal(k, DOMAIN, (uint64_t)token, clear.data, clear.len, &ret->sealed);
	buf_wipe(&clear);
}

struct pg_value owed_token(const struct owed *o, uint8_t room[8])
{
	return o && o->sealed.len ? pg_int8(o->token, room) : (struct pg_value){0};
}

struct pg_value owed_sealed(const struct owed *o)
{
	return o ? (struct pg_value){o->sealed.data, o->sealed.len} : (struct pg_value){0};
}

void owed_fini(struct owed *o)
{
	buf_fini(&o->sealed);
}

static bool owed_read(const struct buf *clear, struct owed_due *ret)
{
	const uint8_t *at = (const uint8_t *)clear->data;
	uint64_t digits = 0;

	if (clear->len <= HEAD || at[HEAD - 1] >= LANGUAGES)
		return false;
	for (size_t i = 0; i < HEAD - 1; i++)
		digits = digits << 8 | at[i];
	ret->language = (enum language)at[HEAD - 1];
	ret->text = clear->data + HEAD;
	return msisdn_from_digits(digits, &ret->to) == KZ_OK;
}

struct owed_quest {
	const struct keyring *keyring;
	owed_each_fn *each;
	owed_done_fn *done;
	owed_added_fn *added;
	void *arg;
};

static const uint32_t add_types[] = {PG_INT8, PG_BYTEA};
static const struct pg_sql sql_add = {"owed_add", "select owed_put($1, $2)", 2, add_types};

static void owed_on_added(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct owed_quest *q = arg;

	(void)reply;
	q->added(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz owed_add(struct pg *pg, const struct owed *o, owed_added_fn *done, void *arg)
{
	const struct owed_quest q = {.added = done, .arg = arg};
	uint8_t token[8];
	const struct pg_value values[] = {owed_token(o, token), owed_sealed(o)};

	return pg_ask(pg, &sql_add, values, owed_on_added, &q, sizeof q);
}

static const uint32_t take_types[] = {PG_TIMESTAMPTZ, PG_INT4, PG_INT4};
static const struct pg_sql sql_take = {
    "owed_take", "select token, at, sealed from owed_take($1, $2, $3)", 3, take_types};

static void owed_show(const struct owed_quest *q, const struct pg_reply *reply, size_t row)
{
	struct owed_due o = {.token = pg_int(reply, 0, row, 0), .at_us = pg_wall_us(reply, 0, row, 1)};
	struct buf clear = {.wiped = true};
	size_t n;
	const char *sealed = pg_text(reply, 0, row, 2, &n);

	if (keyring_open(q->keyring, DOMAIN, (uint64_t)o.token, sealed, n, &clear) != KZ_OK ||
	    !owed_read(&clear, &o))
		o.text = NULL;
	q->each(q->arg, &o);
	buf_wipe(&clear);
}

static void owed_on_taken(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct owed_quest *q = arg;
	size_t n = r == KZ_OK ? pg_rows(reply, 0) : 0;

	for (size_t row = 0; row < n; row++)
		owed_show(q, reply, row);
	q->done(q->arg, r, n);
}

enum kz owed_take(
    struct pg *pg, const struct keyring *k, int64_t now_us, owed_each_fn *each, owed_done_fn *done, void *arg)
{
	const struct owed_quest q = {k, each, done, NULL, arg};
	uint8_t now[8], most[4], wait[4];
	const struct pg_value values[] = {
	    pg_timestamp(now_us, now), pg_int4(OWED_PAGE, most), pg_int4(OWED_WAIT_S, wait)};

	return pg_ask(pg, &sql_take, values, owed_on_taken, &q, sizeof q);
}

static const uint32_t end_types[] = {PG_INT8};
static const struct pg_sql sql_end = {"owed_end", "delete from owed where token = $1", 1, end_types};

static void owed_on_ended(void *arg, enum kz r, const struct pg_reply *reply)
{
	(void)arg;
	(void)r;
	(void)reply;
}

void owed_end(struct pg *pg, int64_t token)
{
	const struct owed_quest q = {0};
	uint8_t room[8];
	const struct pg_value value = pg_int8(token, room);

	/* KZ_BUSY is one of the ways to be lost */
	if (pg_ask(pg, &sql_end, &value, owed_on_ended, &q, sizeof q) != KZ_OK)
		return;
}

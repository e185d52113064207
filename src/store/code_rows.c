/* Sendings to one phone go in one after the other, behind a lock of their transaction: what a new code
 * supersedes is asked for after it, so two that come at once over two daemons do not miss each other, and a
 * code that is sent again meanwhile is not said to be expired. */
#include "store/code_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "rules/code.h"

#define SUPERSEDE_MS (30 * 60 * 1000) /* older codes are not open any more, whatever the clocks say */

/* One array each: a row's values stand at the same place of all. */
/* clang-format off */
#define CODE_ARRAYS(X) \
	X(CODE_ID, PG_INT8) X(CODE_MESSAGE, PG_INT8) X(CODE_KEY, PG_INT4) X(CODE_PAIR, PG_INT8) \
	X(CODE_PHONE, PG_INT8) X(CODE_PREFIX, PG_INT4) X(CODE_PURPOSE, PG_TEXT) \
	X(CODE_CLIENT_REF, PG_TEXT) X(CODE_LANGUAGE, PG_INT2) X(CODE_BINDING, PG_INT8) \
	X(CODE_LENGTH, PG_INT2) X(CODE_TRIES, PG_INT2) X(CODE_GIVEN, PG_BOOL) \
	X(CODE_SECOND, PG_BYTEA) X(CODE_DIGITS, PG_BYTEA) X(CODE_DIGITS_UNTIL, PG_TIMESTAMPTZ) \
	X(SEND_N, PG_INT2) X(SEND_WHY, PG_INT2) X(SEND_RESENDS, PG_INT2) X(SEND_ISSUE, PG_INT2) \
	X(SEND_TO, PG_INT8) X(SEND_AT, PG_TIMESTAMPTZ) X(SEND_EXPIRES, PG_TIMESTAMPTZ) \
	X(SEND_KEY, PG_INT2) X(SEND_MAC, PG_BYTEA)
/* clang-format on */

#define COLUMN(name, type)  name,
#define TYPE(name, type)    type##_ARRAY,
#define ELEMENT(name, type) type,
enum code_column { CODE_ARRAYS(COLUMN) CODE_COLUMNS };
static const uint32_t put_types[CODE_COLUMNS] = {CODE_ARRAYS(TYPE)};
static const enum pg_type put_elements[CODE_COLUMNS] = {CODE_ARRAYS(ELEMENT)};
#undef COLUMN
#undef TYPE
#undef ELEMENT

static const uint32_t begin_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_begin = {"codes_begin", "select codes_begin($1, $2)", 2, begin_types};

/* A request that is kept again because nobody knows whether it was finds its rows there. Another sending of a
 * code that is over has no n: a constraint breaks, and with it the message that would bring it. */
static const struct pg_sql sql_put = {"codes_put",
    "with r as materialized ("
    " select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
    "$19,"
    "  $20, $21, $22, $23, $24, $25) r(id, message_id, api_key, pair, phone, prefix, purpose, client_ref, "
    "language,"
    "  binding, length, tries, given, second, digits, digits_until, n, why, resends, issue, sent_to, at, "
    "expires_at,"
    "  key, mac)"
    " where exists (select from message m where m.id = r.message_id offset 0)"
    "  and not exists (select from code_send s where s.code_id = r.id and s.n = r.n"
    "   and s.message_id = r.message_id offset 0)"
    "), put_code as ("
    " insert into code (id, api_key, pair, phone, prefix, purpose, language, binding, length, tries, given, "
    "second,"
    "  client_ref, sends, resends, issue, sent_at, expires_at, key, mac)"
    " select id, api_key, pair, phone, prefix, purpose, language, binding, length, tries, given, second, "
    "client_ref,"
    "  n, resends, issue, at, expires_at, key, mac from r where n = 1"
    "), put_given as ("
    " insert into code_given (code_id, expires_at, sealed) select id, digits_until, digits from r where "
    "digits is not null"
    ") insert into code_send (code_id, n, why, message_id, phone, at)"
    " select id, case when n = 1 or not exists (select from code_verdict v where v.code_id = r.id offset 0) "
    "then n end,"
    "  why, message_id, sent_to, at from r",
    CODE_COLUMNS, put_types};

static const uint32_t renew_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT2_ARRAY, PG_INT2_ARRAY,
    PG_INT2_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT2_ARRAY, PG_BYTEA_ARRAY, PG_INT8,
    PG_INT8};
static const enum code_column renew_columns[] = {
    CODE_ID, CODE_MESSAGE, SEND_N, SEND_RESENDS, SEND_ISSUE, SEND_AT, SEND_EXPIRES, SEND_KEY, SEND_MAC};
#define RENEW_COLUMNS (sizeof renew_columns / sizeof *renew_columns)
/* What a code is by another sending of it that stands. The ids are said three times: so neither whole days
 * nor, whatever the planner thinks of the join, other codes are read. */
static const struct pg_sql sql_renew = {"codes_renew",
    "update code c set sends = r.n, resends = r.resends, issue = r.issue, sent_at = r.at,"
    "  expires_at = r.expires_at, key = r.key, mac = r.mac"
    " from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    "  r(id, message_id, n, resends, issue, at, expires_at, key, mac)"
    " where c.id between $10 and $11 and c.id = any($1) and c.id = r.id and c.sends < r.n"
    "  and exists (select from code_send s where s.code_id between $10 and $11 and s.code_id = r.id"
    "   and s.n = r.n and s.message_id = r.message_id offset 0)",
    RENEW_COLUMNS + 2, renew_types};

static const uint32_t supersede_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8};
/* What ends within 150 minutes of ids (37748736000000) is looked for, so that whole days are left out from
 * the start. Only what this transaction put in supersedes (xmin): a request that is kept again because its
 * answer was lost would end the code that came after it.
 * "offset 0": first those of the phone, by its index. Left to the planner, "order by id limit 1" walked all
 * codes of the last minutes backwards for each new one. */
static const struct pg_sql sql_supersede = {"codes_supersede",
    "with put as ("
    " insert into code_verdict (code_id, at, verdict, feed)"
    " select old.id, now(), 4, f.feed from unnest($1, $2) f(id, feed), lateral ("
    "  select phone, purpose, (select client from api_key k where k.id = code.api_key) as client from code"
    "  where id = f.id and id >= $3 and id < $3 + 37748736000000 and xmin = pg_current_xact_id()::xid offset "
    "0"
    " ) c, lateral ("
    "  select o.id from ("
    "   select id, purpose, api_key, expires_at from code"
    "   where phone = c.phone and id >= $3 and id < $3 + 37748736000000 offset 0) o"
    "  where o.purpose = c.purpose and (select client from api_key k where k.id = o.api_key) = c.client"
    "   and o.id <> f.id and (o.id < f.id or o.id <> all($1))"
    "   and not exists (select from code_verdict v where v.code_id >= $3"
    "    and v.code_id < $3 + 37748736000000 and v.code_id = o.id offset 0)"
    "   and (o.expires_at > now() or exists (select from code_send s where s.code_id >= $3"
    "    and s.code_id < $3 + 37748736000000 and s.code_id = o.id"
    "    and s.xmin = pg_current_xact_id()::xid offset 0))"
    "  order by o.id desc limit 1) old"
    " order by old.id on conflict do nothing returning code_id, feed"
    "), gone as ("
    " delete from code_given g using put where g.code_id = put.code_id"
    ") select feed from put",
    3, supersede_types};

void code_row_fini(struct code_row *r)
{
	const void *owned[] = {r->purpose, r->client_ref, r->second, r->digits};

	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
		free((void *)(uintptr_t)owned[i]);
}

void code_seal_second(const struct keyring *k, uint64_t code_id, struct msisdn m, struct buf *out)
{
	char text[MSISDN_TEXT];

	keyring_seal(k, "second", code_id, msisdn_text(m, text), MSISDN_TEXT - 1, out);
}

enum kz code_open_second(
    const struct keyring *k, uint64_t code_id, const void *sealed, size_t n, struct msisdn *ret)
{
	struct buf text = {.wiped = true};
	struct msisdn_refusal why;
	enum kz r = keyring_open(k, "second", code_id, sealed, n, &text);

	if (r == KZ_OK)
		r = msisdn_parse(buf_text(&text), ret, &why);
	buf_fini(&text);
	return r;
}

struct code_rows {
	struct pg_array columns[CODE_COLUMNS];
	struct pg_array phones;
	struct pg_array fresh, feeds;  /* of new codes */
	int64_t again_low, again_high; /* ids of those that are sent again; high 0: none is */
};

struct metric *code_ended_metric(enum code_verdict v)
{
	char labels[32];

	snprintf(labels, sizeof labels, "verdict=\"%s\"", code_verdict_name(v));
	return metric_counter("kezek_codes_ended_total", "Codes that this daemon has ended", labels);
}

const char *code_why_name(enum code_why w)
{
	static const char *const names[] = {"asked", "resend", "rescue"};

	return (unsigned)w < sizeof names / sizeof *names ? names[w] : "unknown";
}

struct code_rows *code_rows_new(void)
{
	return mem_new(sizeof(struct code_rows));
}

void code_rows_start(struct code_rows *c)
{
	for (int i = 0; i < CODE_COLUMNS; i++)
		pg_array_start(&c->columns[i], put_elements[i]);
	pg_array_start(&c->phones, PG_INT8);
	pg_array_start(&c->fresh, PG_INT8);
	pg_array_start(&c->feeds, PG_INT8);
	c->again_low = INT64_MAX;
	c->again_high = 0;
}

static void code_rows_int(struct pg_array *a, int64_t v)
{
	if (v)
		pg_array_int(a, v);
	else
		pg_array_null(a);
}

static void code_rows_bytes(struct pg_array *a, const void *bytes, size_t n)
{
	if (bytes)
		pg_array_bytes(a, bytes, n);
	else
		pg_array_null(a);
}

static void code_rows_put_code(struct pg_array *c, const struct code_row *r)
{
	pg_array_int(&c[CODE_ID], (int64_t)r->id);
	pg_array_int(&c[CODE_MESSAGE], (int64_t)r->message_id);
	pg_array_int(&c[CODE_KEY], r->api_key);
	code_rows_int(&c[CODE_PAIR], (int64_t)r->pair);
	pg_array_int(&c[CODE_PHONE], r->phone);
	pg_array_int(&c[CODE_PREFIX], r->prefix);
	pg_array_text(&c[CODE_PURPOSE], r->purpose);
	pg_array_text(&c[CODE_CLIENT_REF], r->client_ref);
	pg_array_int(&c[CODE_LANGUAGE], r->language);
	code_rows_int(&c[CODE_BINDING], r->binding);
	pg_array_int(&c[CODE_LENGTH], r->length);
	pg_array_int(&c[CODE_TRIES], r->tries);
	pg_array_int(&c[CODE_GIVEN], r->given);
	code_rows_bytes(&c[CODE_SECOND], r->second, r->second_n);
	code_rows_bytes(&c[CODE_DIGITS], r->digits, r->digits_n);
	pg_array_wall_us(&c[CODE_DIGITS_UNTIL], r->digits_until_us);
}

static void code_rows_put_send(struct pg_array *c, const struct code_row *r)
{
	pg_array_int(&c[SEND_N], r->n);
	pg_array_int(&c[SEND_WHY], r->why);
	pg_array_int(&c[SEND_RESENDS], r->resends);
	pg_array_int(&c[SEND_ISSUE], r->issue);
	pg_array_int(&c[SEND_TO], r->to);
	pg_array_wall_us(&c[SEND_AT], r->at_us);
	pg_array_wall_us(&c[SEND_EXPIRES], r->expires_us);
	pg_array_int(&c[SEND_KEY], r->key);
	pg_array_bytes(&c[SEND_MAC], r->mac, SECRET_HASH);
}

static void code_rows_widen(struct code_rows *c, int64_t id)
{
	c->again_low = id < c->again_low ? id : c->again_low;
	c->again_high = id > c->again_high ? id : c->again_high;
}

void code_rows_put(struct code_rows *c, const struct code_row *r, uint64_t feed)
{
	code_rows_put_code(c->columns, r);
	code_rows_put_send(c->columns, r);
	pg_array_int(&c->phones, r->phone);
	if (r->n > 1)
		code_rows_widen(c, (int64_t)r->id);
	if (!feed)
		return;
	pg_array_int(&c->fresh, (int64_t)r->id);
	pg_array_int(&c->feeds, (int64_t)feed);
}

static void code_rows_renew(const struct code_rows *c, const struct pg_value *values, struct pg_job *job)
{
	struct pg_value renewed[RENEW_COLUMNS + 2];
	uint8_t low[8], high[8];

	for (size_t i = 0; i < RENEW_COLUMNS; i++)
		renewed[i] = values[renew_columns[i]];
	renewed[RENEW_COLUMNS] = pg_int8(c->again_low, low);
	renewed[RENEW_COLUMNS + 1] = pg_int8(c->again_high, high);
	pg_job_add(job, &sql_renew, renewed);
}

void code_rows_add(struct code_rows *c, int64_t now_us, struct pg_job *job)
{
	struct pg_value values[CODE_COLUMNS];
	uint8_t low[8];

	if (!c->columns[CODE_ID].n)
		return;
	for (int i = 0; i < CODE_COLUMNS; i++)
		values[i] = pg_array_value(&c->columns[i]);
	const struct pg_value begin[] = {pg_array_value(&c->phones), pg_array_value(&c->feeds)};
	pg_job_add(job, &sql_begin, begin);
	pg_job_add(job, &sql_put, values);
	if (c->fresh.n) {
		const struct pg_value supersede[] = {pg_array_value(&c->fresh), pg_array_value(&c->feeds),
		    pg_int8((int64_t)ids_floor(now_us / 1000 - SUPERSEDE_MS), low)};

		pg_job_add(job, &sql_supersede, supersede);
	}
	/* last: codes_supersede tells by a code's row whether this transaction put it in */
	if (c->again_high)
		code_rows_renew(c, values, job);
}

/* Begun, put, superseded. */
size_t code_rows_superseded(const struct pg_reply *reply, unsigned statement, uint64_t first, size_t n)
{
	size_t superseded = 0;

	for (size_t row = 0; n && row < pg_rows(reply, statement + 2); row++)
		superseded += (uint64_t)pg_int(reply, statement + 2, row, 0) - first < n;
	return superseded;
}

void code_rows_free(struct code_rows *c)
{
	if (!c)
		return;
	for (int i = 0; i < CODE_COLUMNS; i++)
		pg_array_fini(&c->columns[i]);
	pg_array_fini(&c->phones);
	pg_array_fini(&c->fresh);
	pg_array_fini(&c->feeds);
	free(c);
}

#include "store/awaited.h"

#include "base/ids.h"
#include "rules/code.h"
#include "store/pg_array.h"

struct awaited_quest {
	awaited_fn *done;
	void *arg;
};

/* Ids of codes that may be good still lie from $3 to $4, so that two days are looked at and no more. */
static const uint32_t types[] = {PG_INT8, PG_TEXT, PG_INT8, PG_INT8};
static const struct pg_sql sql = {"awaited_ask",
    "select c.id, c.api_key, c.expires_at,"
    " exists (select from application where phone1 = $1 offset 0)"
    "  or exists (select from application where phone2 = $1 offset 0)"
    " from (select 1) one left join lateral ("
    "  select id, api_key, expires_at from code where phone = $1 and id between $3 and $4 and purpose = $2"
    "   and expires_at > now() and not exists (select from code_verdict v where v.code_id between $3 and $4"
    "    and v.code_id = code.id offset 0) order by id desc limit 1) c on true",
    4, types};

static void awaited_on_code(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct awaited_quest *q = arg;
	const struct awaited a = {.id = (uint64_t)pg_int(reply, 0, 0, 0),
	    .api_key = (int32_t)pg_int(reply, 0, 0, 1),
	    .expires_us = pg_wall_us(reply, 0, 0, 2),
	    .applicant = pg_int(reply, 0, 0, 3) != 0};

	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST, &a);
}

enum kz awaited_ask(
    struct pg *pg, int64_t phone, const char *purpose, int64_t now_us, awaited_fn *done, void *arg)
{
	const struct awaited_quest q = {done, arg};
	uint8_t room[8], from[8], to[8];
	int64_t now_ms = now_us / 1000;
	const struct pg_value values[] = {pg_int8(phone, room), pg_string(purpose),
	    pg_int8((int64_t)ids_floor(now_ms - 2 * CODE_LIFE_MAX_MS), from),
	    pg_int8((int64_t)ids_floor(now_ms + CODE_LIFE_MAX_MS), to)};

	return pg_ask(pg, &sql, values, awaited_on_code, &q, sizeof q);
}

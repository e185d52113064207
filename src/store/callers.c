#include "store/callers.h"

#include "store/pg_array.h"

struct callers_quest {
	callers_language_fn *done;
	callers_done_fn *changed;
	void *arg;
};

static const uint32_t phone_types[] = {PG_INT8};
static const struct pg_sql sql_language = {"caller_language",
    "select coalesce((select language from caller where phone = $1), (select language from ("
    " (select number, language from application where phone1 = $1 order by number desc limit 1)"
    " union all (select number, language from application where phone2 = $1 order by number desc limit 1)"
    " ) a order by number desc limit 1))",
    1, phone_types};

static void callers_on_language(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct callers_quest *q = arg;
	int64_t l = r == KZ_OK ? pg_int(reply, 0, 0, 0) : 0;
	bool known = r == KZ_OK && !pg_is_null(reply, 0, 0, 0) && l >= 0 && l < LANGUAGES;

	q->done(q->arg,
	    r != KZ_OK ? KZ_LOST
	    : known    ? KZ_OK
	               : KZ_NOT_FOUND,
	    known ? (enum language)l : LANGUAGE_KK);
}

enum kz callers_language(struct pg *pg, int64_t phone, callers_language_fn *done, void *arg)
{
	const struct callers_quest q = {.done = done, .arg = arg};
	uint8_t room[8];
	const struct pg_value value = pg_int8(phone, room);

	return pg_ask(pg, &sql_language, &value, callers_on_language, &q, sizeof q);
}

static const uint32_t speak_types[] = {PG_INT8, PG_INT4, PG_INT8, PG_BYTEA};
static const struct pg_sql sql_speak = {"caller_speak",
    "with put as (insert into caller (phone, language) values ($1, $2)"
    "  on conflict (phone) do update set language = excluded.language, at = now() returning phone)"
    " select owed_put($3, $4) from put",
    4, speak_types};

static void callers_on_changed(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct callers_quest *q = arg;

	(void)reply;
	q->changed(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz callers_set_language(
    struct pg *pg, int64_t phone, enum language l, const struct owed *owed, callers_done_fn *done, void *arg)
{
	const struct callers_quest q = {.changed = done, .arg = arg};
	uint8_t room[8], language[4], token[8];
	const struct pg_value values[] = {
	    pg_int8(phone, room), pg_int4((int32_t)l, language), owed_token(owed, token), owed_sealed(owed)};

	return pg_ask(pg, &sql_speak, values, callers_on_changed, &q, sizeof q);
}

static const uint32_t move_types[] = {PG_INT8, PG_INT8};
static const struct pg_sql sql_move = {"caller_move",
    "with gone as (delete from caller where phone = $1 returning language, district)"
    " insert into caller as own (phone, language, district) select $2, language, district from gone"
    " on conflict (phone) do update set language = coalesce(own.language, excluded.language),"
    "  district = coalesce(own.district, excluded.district)",
    2, move_types};

enum kz callers_move(struct pg *pg, int64_t phone, int64_t to, callers_done_fn *done, void *arg)
{
	const struct callers_quest q = {.changed = done, .arg = arg};
	uint8_t from_room[8], to_room[8];
	const struct pg_value values[] = {pg_int8(phone, from_room), pg_int8(to, to_room)};

	return pg_ask(pg, &sql_move, values, callers_on_changed, &q, sizeof q);
}

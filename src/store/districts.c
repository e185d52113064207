#include "store/districts.h"

#include "store/pg_array.h"

struct districts_quest {
	districts_each_fn *each;
	districts_done_fn *done;
	districts_name_fn *named;
	void *arg;
};

#define NAME "case $2 when 0 then d.name_kk when 1 then d.name_ru else d.name_en end"

static const uint32_t list_types[] = {PG_INT8, PG_INT4, PG_INT4};
static const struct pg_sql sql_list = {"districts_list",
    "with own as (select a.district from ("
    " (select number, district from application where phone1 = $1 order by number desc limit 1)"
    " union all (select number, district from application where phone2 = $1 order by number desc limit 1)"
    " ) a order by a.number desc limit 1),"
    " region as (select o.region from own, lateral ("
    "  select region from district where id = own.district offset 0) o)"
    " select d.id, " NAME " from district d"
    " where d.region = coalesce((select region from region), d.region) order by d.id limit $3",
    3, list_types};

static void districts_on_list(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct districts_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++)
		q->each(q->arg, (uint64_t)pg_int(reply, 0, row, 0), pg_text(reply, 0, row, 1, NULL));
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz districts_list(struct pg *pg, int64_t phone, enum language l, int most, districts_each_fn *each,
    districts_done_fn *done, void *arg)
{
	const struct districts_quest q = {.each = each, .done = done, .arg = arg};
	uint8_t room[8], language[4], count[4];
	const struct pg_value values[] = {
	    pg_int8(phone, room), pg_int4((int32_t)l, language), pg_int4(most, count)};

	return pg_ask(pg, &sql_list, values, districts_on_list, &q, sizeof q);
}

static const uint32_t name_types[] = {PG_INT8, PG_INT4};
static const struct pg_sql sql_name = {
    "districts_name", "select " NAME " from district d where d.id = $1", 2, name_types};

static void districts_on_name(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct districts_quest *q = arg;

	q->named(q->arg,
	    r != KZ_OK          ? KZ_LOST
	    : pg_rows(reply, 0) ? KZ_OK
	                        : KZ_NOT_FOUND,
	    pg_text(reply, 0, 0, 0, NULL));
}

enum kz districts_name(struct pg *pg, uint64_t id, enum language l, districts_name_fn *done, void *arg)
{
	const struct districts_quest q = {.named = done, .arg = arg};
	uint8_t district[8], language[4];
	const struct pg_value values[] = {pg_int8((int64_t)id, district), pg_int4((int32_t)l, language)};

	return pg_ask(pg, &sql_name, values, districts_on_name, &q, sizeof q);
}

static const uint32_t choose_types[] = {PG_INT8, PG_INT8, PG_INT8, PG_BYTEA};
static const struct pg_sql sql_choose = {"districts_choose",
    "with put as (insert into caller (phone, district) select $1, id from district where id = $2"
    "  on conflict (phone) do update set district = excluded.district, at = now() returning phone)"
    " select owed_put($3, $4) from put",
    4, choose_types};

static void districts_on_chosen(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct districts_quest *q = arg;

	q->done(q->arg, r != KZ_OK ? KZ_LOST : pg_rows(reply, 0) ? KZ_OK : KZ_NOT_FOUND);
}

enum kz districts_choose(
    struct pg *pg, int64_t phone, uint64_t id, const struct owed *owed, districts_done_fn *done, void *arg)
{
	const struct districts_quest q = {.done = done, .arg = arg};
	uint8_t room[8], district[8], token[8];
	const struct pg_value values[] = {
	    pg_int8(phone, room), pg_int8((int64_t)id, district), owed_token(owed, token), owed_sealed(owed)};

	return pg_ask(pg, &sql_choose, values, districts_on_chosen, &q, sizeof q);
}

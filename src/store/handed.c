#include "store/handed.h"

#include "store/pg_array.h"

struct handed_quest {
	handed_each_fn *each;
	handed_done_fn *done;
	void *arg;
};

#define HANDED_COLUMNS "select r.number, r.application, r.status, r.to_at, k.name_kk, k.name_ru, k.name_en"
#define HANDED_PLACE                                                                                         \
	" join lateral (select x.kindergarten from play_group x where x.id = r.play_group offset 0) g on "   \
	"true"                                                                                               \
	" join lateral (select * from kindergarten x where x.id = g.kindergarten offset 0) k on true"

static const uint32_t list_types[] = {PG_INT8, PG_INT8, PG_INT4};
static const struct pg_sql sql_list = {"handed_list",
    HANDED_COLUMNS ", 1 from (select number from application where phone1 = $1 and verified & 1 <> 0"
                   "  union select number from application where phone2 = $1 and verified & 2 <> 0) a"
                   " join lateral (select * from referral x where x.application = a.number order by x.number "
                   "desc limit $3) r"
                   "  on true" HANDED_PLACE " where $2 = 0 or a.number = $2 order by r.number desc limit $3",
    3, list_types};

#define HANDED_ONE                                                                                           \
	" from referral r join lateral (select * from application x where x.number = r.application offset "  \
	"0) a"                                                                                               \
	"  on true" HANDED_PLACE " where r.number = $2"
#define HANDED_OWN                                                                                           \
	"coalesce((a.phone1 = $1 and a.verified & 1 <> 0) or (a.phone2 = $1 and a.verified & 2 <> 0), "      \
	"false)"

static const uint32_t one_types[] = {PG_INT8, PG_INT8};
static const struct pg_sql sql_get = {
    "handed_get", HANDED_COLUMNS ", 1" HANDED_ONE " and " HANDED_OWN, 2, one_types};
static const struct pg_sql sql_look = {
    "handed_look", HANDED_COLUMNS ", " HANDED_OWN "::int" HANDED_ONE, 2, one_types};

static void handed_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct handed_quest *q = arg;
	size_t n = r == KZ_OK ? pg_rows(reply, 0) : 0;

	for (size_t i = 0; i < n; i++) {
		struct handed h = {.number = (uint64_t)pg_int(reply, 0, i, 0),
		    .application = (uint64_t)pg_int(reply, 0, i, 1),
		    .status = (enum referral_status)pg_int(reply, 0, i, 2),
		    .to_us = pg_wall_us(reply, 0, i, 3),
		    .own = pg_int(reply, 0, i, 4 + LANGUAGES) != 0};

		for (int l = 0; l < LANGUAGES; l++)
			h.names[l] = pg_text(reply, 0, i, 4 + l, NULL);
		q->each(q->arg, &h);
	}
	q->done(q->arg, r);
}

enum kz handed_list(struct pg *pg, int64_t phone, uint64_t application, int most, handed_each_fn *each,
    handed_done_fn *done, void *arg)
{
	const struct handed_quest q = {each, done, arg};
	uint8_t first[8], second[8], third[4];
	const struct pg_value values[] = {
	    pg_int8(phone, first), pg_int8((int64_t)application, second), pg_int4(most, third)};

	return pg_ask(pg, &sql_list, values, handed_on_done, &q, sizeof q);
}

static enum kz handed_ask(
    struct pg *pg, const struct pg_sql *sql, int64_t phone, uint64_t referral, const struct handed_quest *q)
{
	uint8_t first[8], second[8];
	const struct pg_value values[] = {pg_int8(phone, first), pg_int8((int64_t)referral, second)};

	return pg_ask(pg, sql, values, handed_on_done, q, sizeof *q);
}

enum kz handed_get(
    struct pg *pg, int64_t phone, uint64_t referral, handed_each_fn *each, handed_done_fn *done, void *arg)
{
	return handed_ask(pg, &sql_get, phone, referral, &(struct handed_quest){each, done, arg});
}

enum kz handed_look(
    struct pg *pg, int64_t phone, uint64_t referral, handed_each_fn *each, handed_done_fn *done, void *arg)
{
	return handed_ask(pg, &sql_look, phone, referral, &(struct handed_quest){each, done, arg});
}

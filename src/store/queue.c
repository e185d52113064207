/* One statement, so one snapshot: the counts and the application are of the same moment. It has a row for
 * each category of each application's queue. A position that is kept with each application instead would be
 * read in no time, but one that leaves from the front would change all that are behind it. */
#include "store/queue.h"

#include <string.h>

#include "rules/position.h"
#include "store/pg_array.h"

struct queue_quest {
	const struct regions *const *regions;
	enum queue_by by;
	queue_entry_fn *each;
	queue_done_fn *done;
	void *arg;
};

#define QUEUE_OF_APPLICATION                                                                                 \
	"select number, status, district, category, birth_year, registered_at,"                              \
	" groups, verified, phone1, phone2, sealed, queue_stretch(registered_at) as stretch from "           \
	"application where "
#define QUEUE_NEWEST " order by number desc limit 10"

/* Those of the same category that were registered before it. */
#define QUEUE_SAME "o.district = a.district and o.birth_year = a.birth_year and o.category = a.category"
#define QUEUE_BEFORE                                                                                         \
	"(select coalesce(sum(o.n), 0) from queue_count o where " QUEUE_SAME                                 \
	"  and o.span = 1 and o.at < a.stretch >> 7)"                                                        \
	" + (select coalesce(sum(o.n), 0) from queue_count o where " QUEUE_SAME                              \
	"  and o.span = 2 and o.at >= a.stretch >> 7 << 7 and o.at < a.stretch)"                             \
	" + (select count(*) from application o where " QUEUE_SAME                                           \
	"  and o.status = 0 and o.registered_at >= to_timestamp(a.stretch * 10800)"                          \
	"  and (o.registered_at, o.number) < (a.registered_at, a.number))"

/* A queue with more categories than a region may have has some that no configuration knows. */
#define QUEUE_FIND(found, chosen, placed)                                                                    \
	"select a.number, a.status, a.district, d.region, d.name_kk, d.name_ru, d.name_en, a.category,"      \
	" a.birth_year, a.registered_at, r.number, r.status, r.to_at, b.before::int8, c.category, c.n,"      \
	" c.served, k.name_kk, k.name_ru, k.name_en, a.groups,"                                              \
	" case when a.verified & 1 <> 0 then a.phone1 end, case when a.verified & 2 <> 0 then a.phone2 end," \
	" a.sealed, h.district from (" found ") a"                                                           \
	" join lateral (select * from district where id = a.district offset 0) d on true"                    \
	" left join lateral (" chosen " offset 0) h on true"                                                 \
	" left join lateral (select number, status, to_at, play_group from referral"                         \
	"  where application = a.number and status in (0, 1) offset 0) r on true"                            \
	" left join lateral (select x.kindergarten from play_group x where x.id = r.play_group offset 0) g"  \
	"  on true"                                                                                          \
	" left join lateral (select * from kindergarten x where x.id = g.kindergarten offset 0) k on true"   \
	" left join lateral (select " QUEUE_BEFORE " as before offset 0) b on " placed                       \
	" left join lateral (select o.category, o.n, s.served from queue_count o"                            \
	"  left join lateral (select q.served from queue_round q where q.district = o.district"              \
	"   and q.birth_year = o.birth_year and q.category = o.category offset 0) s on true"                 \
	"  where o.district = a.district and o.birth_year = a.birth_year and o.span = 0"                     \
	"  limit 256 offset 0) c on " placed " order by a.number desc"

#define QUEUE_EITHER(first, second)                                                                          \
	"select * from ((" QUEUE_OF_APPLICATION first " = $1" QUEUE_NEWEST ")"                               \
	" union (" QUEUE_OF_APPLICATION second " = $1" QUEUE_NEWEST ")) either" QUEUE_NEWEST

/* The district in which the phone looks for places: one of the application's region. */
#define QUEUE_CHOSEN                                                                                         \
	"select o.district from caller o where o.phone = $1"                                                 \
	" and exists (select from district x where x.id = o.district and x.region = d.region offset 0)"
#define QUEUE_NOT_CHOSEN "select null::bigint as district"

/* Who has a place; without one a question costs a third. */
#define QUEUE_WAITING_ONES "a.status = 0"
#define QUEUE_NOBODY       "false"

static const uint32_t queue_types[] = {PG_INT8};
static const struct pg_sql queue_sql[] = {
    {"queue_by_application",
        QUEUE_FIND(QUEUE_OF_APPLICATION "number = $1", QUEUE_NOT_CHOSEN, QUEUE_WAITING_ONES), 1, queue_types},
    {"queue_by_child",
        QUEUE_FIND(QUEUE_OF_APPLICATION "child_iin = $1" QUEUE_NEWEST, QUEUE_NOT_CHOSEN, QUEUE_WAITING_ONES),
        1, queue_types},
    {"queue_by_parent",
        QUEUE_FIND(QUEUE_EITHER("parent1_iin", "parent2_iin"), QUEUE_NOT_CHOSEN, QUEUE_WAITING_ONES), 1,
        queue_types},
    {"queue_by_phone", QUEUE_FIND(QUEUE_EITHER("phone1", "phone2"), QUEUE_CHOSEN, QUEUE_WAITING_ONES), 1,
        queue_types},
    {"queue_of_phone", QUEUE_FIND(QUEUE_EITHER("phone1", "phone2"), QUEUE_CHOSEN, QUEUE_NOBODY), 1,
        queue_types},
};

enum queue_column {
	QUEUE_NUMBER,
	QUEUE_STATUS,
	QUEUE_DISTRICT,
	QUEUE_REGION,
	QUEUE_NAMES,
	QUEUE_CATEGORY = QUEUE_NAMES + LANGUAGES,
	QUEUE_BIRTH_YEAR,
	QUEUE_REGISTERED,
	QUEUE_REFERRAL,
	QUEUE_REFERRAL_STATUS,
	QUEUE_REFERRAL_UNTIL,
	QUEUE_AHEAD,
	QUEUE_OF,
	QUEUE_WAITING,
	QUEUE_SERVED,
	QUEUE_KINDERGARTEN,
	QUEUE_GROUPS = QUEUE_KINDERGARTEN + LANGUAGES,
	QUEUE_CONFIRMED,
	QUEUE_SEALED = QUEUE_CONFIRMED + 2,
	QUEUE_CHOICE
};

static struct queue_entry queue_read(const struct pg_reply *reply, size_t row)
{
	struct queue_entry e = {.application = (uint64_t)pg_int(reply, 0, row, QUEUE_NUMBER),
	    .status = (enum application_status)pg_int(reply, 0, row, QUEUE_STATUS),
	    .district = pg_int(reply, 0, row, QUEUE_DISTRICT),
	    .chosen = pg_int(reply, 0, row, QUEUE_CHOICE),
	    .registered_us = pg_wall_us(reply, 0, row, QUEUE_REGISTERED),
	    .region = pg_text(reply, 0, row, QUEUE_REGION, NULL),
	    .category = pg_text(reply, 0, row, QUEUE_CATEGORY, NULL),
	    .birth_year = (int)pg_int(reply, 0, row, QUEUE_BIRTH_YEAR),
	    .referral = (uint64_t)pg_int(reply, 0, row, QUEUE_REFERRAL),
	    .referral_status = (enum referral_status)pg_int(reply, 0, row, QUEUE_REFERRAL_STATUS),
	    .referral_until_us = pg_wall_us(reply, 0, row, QUEUE_REFERRAL_UNTIL),
	    .languages = (unsigned)pg_int(reply, 0, row, QUEUE_GROUPS),
	    .confirmed = {
	        pg_int(reply, 0, row, QUEUE_CONFIRMED), pg_int(reply, 0, row, QUEUE_CONFIRMED + 1)}};

	e.sealed = pg_text(reply, 0, row, QUEUE_SEALED, &e.sealed_n);
	for (int l = 0; l < LANGUAGES; l++) {
		e.district_names[l] = pg_text(reply, 0, row, QUEUE_NAMES + l, NULL);
		e.kindergarten_names[l] = pg_text(reply, 0, row, QUEUE_KINDERGARTEN + l, NULL);
	}
	return e;
}

/* What the row says of one category; one that the region does not have is served by nobody. */
static void queue_read_category(
    const struct pg_reply *reply, size_t row, const struct region *r, struct position_category *categories)
{
	const struct region_category *found = region_category_find(r, pg_text(reply, 0, row, QUEUE_OF, NULL));

	if (!found)
		return;
	struct position_category *c = &categories[found - r->categories];
	uint32_t served = (uint32_t)pg_int(reply, 0, row, QUEUE_SERVED);
	c->waiting = (uint32_t)pg_int(reply, 0, row, QUEUE_WAITING);
	c->served = served < c->share ? served : c->share;
}

/* The rows from `row` to `end` are of one application. */
static uint64_t queue_position(const struct pg_reply *reply, size_t row, size_t end, const struct region *r,
    const struct region_category *own)
{
	struct position_category categories[REGION_CATEGORIES];
	uint32_t before = (uint32_t)pg_int(reply, 0, row, QUEUE_AHEAD);

	for (size_t i = 0; i < r->categories_n; i++)
		categories[i] = (struct position_category){
		    (uint32_t)r->categories[i].tier, (uint32_t)r->categories[i].share, 0, 0};
	for (; row < end; row++)
		queue_read_category(reply, row, r, categories);
	return position_count(categories, r->categories_n, (size_t)(own - r->categories), before);
}

static void queue_place(const struct pg_reply *reply, size_t row, size_t end, const struct regions *regions,
    struct queue_entry *e)
{
	const struct region *r = region_find(regions, e->region);
	const struct region_category *own = r ? region_category_find(r, e->category) : NULL;

	for (size_t i = row; i < end; i++)
		e->waiting += (uint64_t)pg_int(reply, 0, i, QUEUE_WAITING);
	if (own)
		e->position = queue_position(reply, row, end, r, own);
}

static void queue_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct queue_quest *q = arg;
	size_t rows = r == KZ_OK ? pg_rows(reply, 0) : 0;

	for (size_t row = 0, end; row < rows; row = end) {
		struct queue_entry e = queue_read(reply, row);

		for (end = row + 1; end < rows; end++)
			if ((uint64_t)pg_int(reply, 0, end, QUEUE_NUMBER) != e.application)
				break;
		if (e.status == APPLICATION_WAITING && q->by != QUEUE_OF_PHONE)
			queue_place(reply, row, end, *q->regions, &e);
		q->each(q->arg, &e);
	}
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz queue_find(struct pg *pg, const struct regions *const *regions, enum queue_by by, int64_t value,
    queue_entry_fn *each, queue_done_fn *done, void *arg)
{
	const struct queue_quest q = {regions, by, each, done, arg};
	uint8_t room[8];
	const struct pg_value values[] = {pg_int8(value, room)};

	return pg_ask(pg, &queue_sql[by], values, queue_on_done, &q, sizeof q);
}

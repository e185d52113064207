#include "store/holds.h"

#include <stdio.h>

#include "store/pg_array.h"

struct hold_quest {
	hold_each_fn *each;
	hold_done_fn *done;
	hold_lift_fn *lifted;
	void *arg;
};

const char *hold_kind_name(enum hold_kind kind)
{
	return kind == HOLD_PREFIX ? "prefix" : "phone";
}

static struct hold hold_read(const struct pg_reply *r, size_t row)
{
	struct hold h = {.kind = (enum hold_kind)pg_int(r, 0, row, 0),
	    .subject = pg_int(r, 0, row, 1),
	    .since_us = pg_wall_us(r, 0, row, 3),
	    .until_us = pg_wall_us(r, 0, row, 4)};

	snprintf(h.shown, sizeof h.shown, "%s", pg_text(r, 0, row, 2, NULL));
	return h;
}

static void hold_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct hold_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && q->each && row < pg_rows(reply, 0); row++) {
		const struct hold h = hold_read(reply, row);

		q->each(q->arg, &h);
	}
	q->done(q->arg, r);
}

static const uint32_t add_types[] = {PG_INT4, PG_INT8, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
static const struct pg_sql sql_add = {"hold_add",
    "insert into guard_hold (kind, subject, shown, since, until) values ($1, $2, $3, $4, $5)", 5, add_types};

enum kz hold_add(struct pg *pg, const struct hold *h, hold_done_fn *done, void *arg)
{
	uint8_t kind[4], subject[8], since[8], until[8];
	const struct pg_value values[] = {pg_int4((int32_t)h->kind, kind), pg_int8(h->subject, subject),
	    pg_string(h->shown), pg_timestamp(h->since_us, since), pg_timestamp(h->until_us, until)};
	const struct hold_quest q = {.done = done, .arg = arg};

	return pg_ask(pg, &sql_add, values, hold_on_done, &q, sizeof q);
}

static const uint32_t list_types[] = {PG_TIMESTAMPTZ, PG_INT4};
static const struct pg_sql sql_list = {"hold_list",
    "select kind, subject, shown, since, until from guard_hold where until > $1 and lifted_at is null"
    " order by since desc, id desc limit $2",
    2, list_types};

enum kz hold_list(struct pg *pg, int64_t now_us, hold_each_fn *each, hold_done_fn *done, void *arg)
{
	uint8_t now[8], most[4];
	const struct pg_value values[] = {pg_timestamp(now_us, now), pg_int4(HOLDS_SHOWN, most)};
	const struct hold_quest q = {.each = each, .done = done, .arg = arg};

	return pg_ask(pg, &sql_list, values, hold_on_done, &q, sizeof q);
}

static void hold_on_lifted(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct hold_quest *q = arg;
	struct hold h = {0};

	if (r == KZ_OK && !pg_rows(reply, 0))
		r = KZ_NOT_FOUND;
	if (r == KZ_OK)
		h = hold_read(reply, 0);
	q->lifted(q->arg, r, &h);
}

/* All that holds the subject, should two daemons have written it. */
static const uint32_t lift_types[] = {PG_TEXT, PG_INT4, PG_INT8, PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
static const struct pg_sql sql_lift = {"hold_lift",
    "with what as (select kind, subject from guard_hold where until > $5 and lifted_at is null"
    "  and case when $1::text is null then kind = $2 and subject = $3 else shown = $1 end order by since "
    "desc limit 1)"
    " update guard_hold h set lifted_at = $5, lifted_by = $4, free_until = $6 from what"
    " where h.kind = what.kind and h.subject = what.subject and h.until > $5 and h.lifted_at is null"
    " returning h.kind, h.subject, h.shown, h.since, h.until",
    6, lift_types};

enum kz hold_lift(struct pg *pg, const struct hold_lift *l, hold_lift_fn *done, void *arg)
{
	uint8_t kind[4], subject[8], now[8], until[8];
	const struct pg_value values[] = {pg_string(l->shown), pg_int4((int32_t)l->kind, kind),
	    pg_int8(l->subject, subject), pg_string(l->by), pg_timestamp(l->now_us, now),
	    pg_timestamp(l->free_until_us, until)};
	const struct hold_quest q = {.lifted = done, .arg = arg};

	return pg_ask(pg, &sql_lift, values, hold_on_lifted, &q, sizeof q);
}

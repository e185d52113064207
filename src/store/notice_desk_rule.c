/* What was decided of notices, and the alarm. */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/notice_desk.h"
#include "store/pg_array.h"

enum rule_column { RULE_ID, RULE_SENDS, RULE_WAS, RULE_BECOMES, RULE_LOOK, RULE_MAILS, RULE_COLUMNS };

static const enum pg_type rule_elements[RULE_COLUMNS] = {
    PG_INT8, PG_INT2, PG_INT2, PG_INT2, PG_TIMESTAMPTZ, PG_INT2};
static const uint32_t rule_types[RULE_COLUMNS] = {
    PG_INT8_ARRAY, PG_INT2_ARRAY, PG_INT2_ARRAY, PG_INT2_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT2_ARRAY};
static const struct pg_sql sql_rule = {
    "notice_desk_rule", "select notices_rule($1, $2, $3, $4, $5, $6)", RULE_COLUMNS, rule_types};

struct notice_desk {
	struct batch *rulings;
	struct pg_array columns[RULE_COLUMNS];
};

static void desk_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct notice_desk *d = arg;
	struct pg_array *c = d->columns;
	struct pg_value values[RULE_COLUMNS];

	for (int i = 0; i < RULE_COLUMNS; i++)
		pg_array_start(&c[i], rule_elements[i]);
	for (struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		const struct notice_ruling *r = list_entry(n, struct notice_ruling, item.node);

		pg_array_int(&c[RULE_ID], (int64_t)r->id);
		pg_array_int(&c[RULE_SENDS], r->sends);
		pg_array_int(&c[RULE_WAS], r->was);
		pg_array_int(&c[RULE_BECOMES], r->becomes);
		pg_array_wall_us(&c[RULE_LOOK], r->look_at_us);
		pg_array_int(&c[RULE_MAILS], r->mails);
	}
	for (int i = 0; i < RULE_COLUMNS; i++)
		values[i] = pg_array_value(&c[i]);
	pg_job_add(job, &sql_rule, values);
}

static void desk_on_ruled(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct notice_ruling *ruling = list_entry(&item->node, struct notice_ruling, item.node);

	(void)arg;
	(void)reply;
	(void)index;
	ruling->done(ruling, r);
}

static const struct batch_kind ruling_kind = {"notice_ruling", desk_build, desk_on_ruled};

struct notice_desk *notice_desk_new(struct loop *l, struct pg *pg, const struct batch_limits *limits)
{
	struct notice_desk *d = mem_new(sizeof *d);

	d->rulings = batch_new(l, pg, &ruling_kind, limits, d);
	return d;
}

void notice_desk_rule(struct notice_desk *d, struct notice_ruling *r)
{
	batch_add(d->rulings, &r->item);
}

void notice_desk_free(struct notice_desk *d)
{
	if (!d)
		return;
	batch_stop(d->rulings);
	while (batch_take_waiting(d->rulings))
		;
	batch_free(d->rulings);
	for (int i = 0; i < RULE_COLUMNS; i++)
		pg_array_fini(&d->columns[i]);
	free(d);
}

static const uint32_t alarm_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_alarm = {
    "notice_desk_alarm", "select id, application from notices_alarm($1, $2)", 2, alarm_types};

struct alarm_quest {
	struct feed *feed;
	struct feed_hold *hold;
	notice_desk_alarm_fn *done;
	void *arg;
};

enum alarm_statement { ALARM_FENCE, ALARM_ROWS };

static void desk_on_alarm(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct alarm_quest *q = arg;
	bool found = r == KZ_OK && pg_rows(reply, ALARM_ROWS) > 0;
	const char *sqlstate = r == KZ_REFUSED ? pg_sqlstate(reply) : "";

	feed_heard(q->feed, q->hold, r == KZ_OK && !found ? KZ_CONFLICT : r, reply);
	q->done(q->arg, strcmp(sqlstate, FEED_SHUT) ? r : KZ_LOST, found, sqlstate);
}

enum kz notice_desk_alarm(struct pg *pg, struct feed *feed, struct feed_hold *hold, uint64_t notice,
    notice_desk_alarm_fn *done, void *arg)
{
	const struct alarm_quest q = {feed, hold, done, arg};
	struct pg_job *job = pg_job_for(pg, desk_on_alarm, &q, sizeof q);
	struct pg_array ids = {0}, feeds = {0};
	struct lease_slots slots = {0};
	uint64_t number = feed_number(feed, hold, 1);

	slots.in[ids_slot(number)] = slots.in[ids_slot(notice)] = true;
	pg_array_start(&ids, PG_INT8);
	pg_array_int(&ids, (int64_t)notice);
	pg_array_start(&feeds, PG_INT8);
	pg_array_int(&feeds, (int64_t)number);
	const struct pg_value values[] = {pg_array_value(&ids), pg_array_value(&feeds)};
	lease_fence(feed_lease(feed), &slots, job);
	pg_job_add(job, &sql_alarm, values);
	enum kz r = pg_job_run(job, NULL);
	pg_array_fini(&ids);
	pg_array_fini(&feeds);
	return r;
}

static const uint32_t late_types[] = {PG_INT4};
static const struct pg_sql sql_late = {"notice_desk_late",
    "select id, application, coalesce(message, 0), kind, state, at, late_at, sends, mails"
    " from notice where late_at is not null and state <> 2 order by late_at desc limit $1",
    1, late_types};

struct late_quest {
	notice_late_fn *each;
	notice_desk_done_fn *done;
	void *arg;
};

static void desk_on_late(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct late_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct notice_late l = {(uint64_t)pg_int(reply, 0, row, 0),
		    (uint64_t)pg_int(reply, 0, row, 1), (uint64_t)pg_int(reply, 0, row, 2),
		    (enum notice_kind)pg_int(reply, 0, row, 3), (enum notice_state)pg_int(reply, 0, row, 4),
		    pg_wall_us(reply, 0, row, 5), pg_wall_us(reply, 0, row, 6),
		    (unsigned)pg_int(reply, 0, row, 7), (int)pg_int(reply, 0, row, 8)};

		q->each(q->arg, &l);
	}
	q->done(q->arg, r);
}

enum kz notice_desk_late(struct pg *pg, notice_late_fn *each, notice_desk_done_fn *done, void *arg)
{
	const struct late_quest q = {each, done, arg};
	uint8_t room[4];
	const struct pg_value value = pg_int4(NOTICE_DESK_LATE, room);

	return pg_ask(pg, &sql_late, &value, desk_on_late, &q, sizeof q);
}

#include "store/dues.h"

#include "rules/notice.h"
#include "store/pg_array.h"

struct due_quest {
	due_each_fn *each;
	due_done_fn *done;
	due_told_fn *told;
	void *arg;
};

enum due_column { DUE_AT, DUE_NUMBER, DUE_TO, DUE_SEQ, DUE_REGION };

static const uint32_t page_types[] = {PG_TIMESTAMPTZ, PG_INT8, PG_TIMESTAMPTZ, PG_INT4};

static const struct pg_sql sql_ends = {"due_ends",
    "select to_at, number, null, null, null from referral"
    " where status in (0, 1) and to_at <= $3 and (to_at, number) > ($1, $2) order by to_at, number limit $4",
    4, page_types};

static const struct pg_sql sql_reminders = {"due_reminders",
    "select r.remind_at, r.number, r.to_at, r.seq, d.region from ("
    " select * from referral where remind_at <= $3 and (remind_at, number) > ($1, $2)"
    " order by remind_at, number limit $4) r,"
    " lateral (select district from application where number = r.application offset 0) a,"
    " lateral (select region from district where id = a.district offset 0) d"
    " order by 1, 2",
    4, page_types};

static void due_on_page(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct due_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct due_referral d = {
		    .due = {pg_wall_us(reply, 0, row, DUE_AT), (uint64_t)pg_int(reply, 0, row, DUE_NUMBER)},
		    .to_us = pg_wall_us(reply, 0, row, DUE_TO),
		    .seq = pg_int(reply, 0, row, DUE_SEQ),
		    .region = pg_text(reply, 0, row, DUE_REGION, NULL)};

		q->each(q->arg, &d);
	}
	q->done(q->arg, r);
}

static enum kz due_ask(struct pg *pg, const struct pg_sql *sql, const struct due_page *p,
    const struct due_quest *q, uint64_t *ret_ticket)
{
	struct pg_job *job = pg_job_for(pg, due_on_page, q, sizeof *q);
	uint8_t at[8], number[8], now[8], most[4];
	const struct pg_value values[] = {pg_timestamp(p->after.at_us ? p->after.at_us : 1, at),
	    pg_int8((int64_t)p->after.number, number), pg_timestamp(p->now_us, now), pg_int4(p->most, most)};

	pg_job_add(job, sql, values);
	return pg_job_run(job, ret_ticket);
}

enum kz due_ends(struct pg *pg, const struct due_page *p, due_each_fn *each, due_done_fn *done, void *arg,
    uint64_t *ret_ticket)
{
	return due_ask(pg, &sql_ends, p, &(struct due_quest){each, done, NULL, arg}, ret_ticket);
}

enum kz due_reminders(struct pg *pg, const struct due_page *p, due_each_fn *each, due_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	return due_ask(pg, &sql_reminders, p, &(struct due_quest){each, done, NULL, arg}, ret_ticket);
}

static const struct pg_sql sql_lock = {"due_lock", "select places_lock()", 0, NULL};

void due_lock(struct pg_job *job, const struct lease *lease, const struct lease_slots *slots)
{
	lease_fence(lease, slots, job);
	pg_job_add(job, &sql_lock, NULL);
}

/* The reminder of an earlier end of the same referral was told, or has nothing to tell any more: it makes
 * room.
 */
static const uint32_t old_types[] = {PG_INT8_ARRAY, PG_INT4};
static const struct pg_sql sql_old = {"due_old",
    "delete from notice n using referral r where r.number = any($1) and n.application = r.application"
    " and n.kind = $2 and n.subject = r.number and n.until_at < r.to_at",
    2, old_types};

static const uint32_t remind_types[] = {
    PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_TIMESTAMPTZ, PG_INT4};
static const struct pg_sql sql_remind = {"due_remind",
    "with r as materialized ("
    " select unnest($1) as number, unnest($2) as seq, unnest($3) as id, unnest($4) as look_at"
    "), done as ("
    " update referral f set remind_at = null, seq = f.seq + 1 from r"
    " where f.number = any($1) and f.number = r.number and f.seq = r.seq and f.remind_at is not null"
    " returning f.number, f.application, f.status, f.to_at, r.id, r.look_at"
    ") select count(notice_put(d.id, d.application, $6, d.number, d.look_at, d.to_at, null, null, null,"
    "  a.api_key) is null)" /* a void is null, which count alone passes over */
    " from done d, lateral (select api_key from application where number = d.application offset 0) a"
    " where d.status in (0, 1) and d.to_at > $5",
    6, remind_types};

static void due_on_reminded(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct due_quest *q = arg;

	q->told(q->arg, r, (size_t)pg_int(reply, DUE_LOCK_STATEMENTS + 1, 0, 0));
}

enum remind_column { REMIND_NUMBER, REMIND_SEQ, REMIND_ID, REMIND_LOOK, REMIND_COLUMNS };

enum kz due_remind(struct pg *pg, const struct lease *lease, const struct due_notice *notices, size_t n,
    int64_t now_us, due_told_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct due_quest q = {NULL, NULL, done, arg};
	struct pg_job *job = pg_job_for(pg, due_on_reminded, &q, sizeof q);
	struct pg_array c[REMIND_COLUMNS] = {0};
	struct lease_slots slots = {0};
	uint8_t now[8], kind[4];

	for (int i = 0; i < REMIND_COLUMNS; i++)
		pg_array_start(&c[i], i == REMIND_LOOK ? PG_TIMESTAMPTZ : PG_INT8);
	for (size_t i = 0; i < n; i++) {
		pg_array_int(&c[REMIND_NUMBER], (int64_t)notices[i].number);
		pg_array_int(&c[REMIND_SEQ], notices[i].seq);
		pg_array_int(&c[REMIND_ID], (int64_t)notices[i].id);
		pg_array_wall_us(&c[REMIND_LOOK], notices[i].look_us);
		slots.in[ids_slot(notices[i].id)] = true;
	}
	const struct pg_value values[] = {pg_array_value(&c[REMIND_NUMBER]), pg_array_value(&c[REMIND_SEQ]),
	    pg_array_value(&c[REMIND_ID]), pg_array_value(&c[REMIND_LOOK]), pg_timestamp(now_us, now),
	    pg_int4(NOTICE_REMIND, kind)};
	const struct pg_value old[] = {values[REMIND_NUMBER], values[5]};
	due_lock(job, lease, &slots);
	pg_job_add(job, &sql_old, old);
	pg_job_add(job, &sql_remind, values);
	for (int i = 0; i < REMIND_COLUMNS; i++)
		pg_array_fini(&c[i]);
	return pg_job_run(job, ret_ticket);
}

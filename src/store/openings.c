/* A watcher's row is what of several daemons one alone marks with the notice that it makes. The row goes when
 * that notice does: until then she was told nothing, and if the place is taken meanwhile she still watches.
 */
#include "store/openings.h"

#include "rules/notice.h"
#include "store/pg_array.h"

struct opening_quest {
	opening_each_fn *each;
	opening_watcher_fn *watcher;
	due_done_fn *done;
	due_told_fn *told;
	void *arg;
};

static enum kz opening_ask(struct pg *pg, const struct pg_sql *sql, const struct pg_value *values,
    pg_done_fn *on_done, const struct opening_quest *q, uint64_t *ret_ticket)
{
	struct pg_job *job = pg_job_for(pg, on_done, q, sizeof *q);

	pg_job_add(job, sql, values);
	return pg_job_run(job, ret_ticket);
}

enum opening_column {
	OPENING_AT,
	OPENING_GROUP,
	OPENING_KINDERGARTEN,
	OPENING_TERMS,
	OPENING_FREE,
	OPENING_AGE_FROM,
	OPENING_AGE_TO,
	OPENING_LANGUAGE,
	OPENING_RELEASED,
	OPENING_PRIORITY,
	OPENING_DISTRICT,
	OPENING_REGION
};

static const uint32_t page_types[] = {PG_TIMESTAMPTZ, PG_INT8, PG_TIMESTAMPTZ, PG_INT4};
static const struct pg_sql sql_page = {"opening_page",
    "select v.watch_at, v.play_group, g.kindergarten, v.terms, v.free, g.age_from, g.age_to, g.language,"
    "  v.released_at, v.priority_until, k.district, d.region"
    " from (select * from vacancy where watch_at <= $3 and (watch_at, play_group) > ($1, $2)"
    "  order by watch_at, play_group limit $4) v,"
    " lateral (select * from play_group where id = v.play_group offset 0) g,"
    " lateral (select * from kindergarten where id = g.kindergarten offset 0) k,"
    " lateral (select * from district where id = k.district offset 0) d"
    " order by 1, 2",
    4, page_types};

static struct opening opening_row(const struct pg_reply *reply, size_t row)
{
	return (struct opening){
	    .due = {pg_wall_us(reply, 0, row, OPENING_AT), (uint64_t)pg_int(reply, 0, row, OPENING_GROUP)},
	    .kindergarten = (uint64_t)pg_int(reply, 0, row, OPENING_KINDERGARTEN),
	    .terms = pg_int(reply, 0, row, OPENING_TERMS),
	    .place = {.free = (uint32_t)pg_int(reply, 0, row, OPENING_FREE),
	        .age_from = (int)pg_int(reply, 0, row, OPENING_AGE_FROM),
	        .age_to = (int)pg_int(reply, 0, row, OPENING_AGE_TO),
	        .district = pg_int(reply, 0, row, OPENING_DISTRICT),
	        .language = (enum language)pg_int(reply, 0, row, OPENING_LANGUAGE),
	        .released_us = pg_wall_us(reply, 0, row, OPENING_RELEASED),
	        .priority_until_us = pg_wall_us(reply, 0, row, OPENING_PRIORITY)},
	    .region = pg_text(reply, 0, row, OPENING_REGION, NULL)};
}

static void opening_on_page(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct opening_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct opening o = opening_row(reply, row);

		q->each(q->arg, &o);
	}
	q->done(q->arg, r);
}

enum kz opening_page(struct pg *pg, const struct due_page *p, opening_each_fn *each, due_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	const struct opening_quest q = {.each = each, .done = done, .arg = arg};
	uint8_t at[8], number[8], now[8], most[4];
	const struct pg_value values[] = {pg_timestamp(p->after.at_us ? p->after.at_us : 1, at),
	    pg_int8((int64_t)p->after.number, number), pg_timestamp(p->now_us, now), pg_int4(p->most, most)};

	return opening_ask(pg, &sql_page, values, opening_on_page, &q, ret_ticket);
}

enum watcher_column {
	WATCHER_APPLICATION,
	WATCHER_SEQ,
	WATCHER_STATUS,
	WATCHER_REFERRED,
	WATCHER_DISTRICT,
	WATCHER_GROUPS,
	WATCHER_STOP_LIST,
	WATCHER_TOLD,
	WATCHER_CATEGORY,
	WATCHER_SEALED
};

static const uint32_t watchers_types[] = {PG_INT8, PG_INT8, PG_INT4};
static const struct pg_sql sql_watchers = {"opening_watchers",
    "select a.number, a.seq, a.status, f.number is not null, a.district, a.groups, a.stop_list_until,"
    "  n.id is not null, a.category, a.sealed"
    " from (select application, notice from watcher where kindergarten = $1 and application > $2"
    "  order by application limit $3) w"
    " join lateral (select * from application where number = w.application offset 0) a on true"
    " left join lateral (select number from referral"
    "  where application = w.application and status in (0, 1) offset 0) f on true"
    " left join lateral (select id from notice where id = w.notice and state = 0 offset 0) n on true"
    " order by 1",
    3, watchers_types};

static struct opening_watcher opening_watcher_row(const struct pg_reply *reply, size_t row)
{
	struct opening_watcher w = {.application = (uint64_t)pg_int(reply, 0, row, WATCHER_APPLICATION),
	    .seq = pg_int(reply, 0, row, WATCHER_SEQ),
	    .asks = {.status = (enum application_status)pg_int(reply, 0, row, WATCHER_STATUS),
	        .referred = pg_int(reply, 0, row, WATCHER_REFERRED) != 0,
	        .district = pg_int(reply, 0, row, WATCHER_DISTRICT),
	        .languages = (unsigned)pg_int(reply, 0, row, WATCHER_GROUPS),
	        .stop_list_until_us = pg_wall_us(reply, 0, row, WATCHER_STOP_LIST)},
	    .told = pg_int(reply, 0, row, WATCHER_TOLD) != 0,
	    .category = pg_text(reply, 0, row, WATCHER_CATEGORY, NULL)};

	w.sealed = pg_text(reply, 0, row, WATCHER_SEALED, &w.sealed_n);
	return w;
}

static void opening_on_watchers(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct opening_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct opening_watcher w = opening_watcher_row(reply, row);

		q->watcher(q->arg, &w);
	}
	q->done(q->arg, r);
}

enum kz opening_watchers(struct pg *pg, uint64_t kindergarten, uint64_t after, int most,
    opening_watcher_fn *each, due_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct opening_quest q = {.watcher = each, .done = done, .arg = arg};
	uint8_t first[8], second[8], third[4];
	const struct pg_value values[] = {
	    pg_int8((int64_t)kindergarten, first), pg_int8((int64_t)after, second), pg_int4(most, third)};

	return opening_ask(pg, &sql_watchers, values, opening_on_watchers, &q, ret_ticket);
}

static const uint32_t tell_types[] = {
    PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT8, PG_INT8, PG_INT8, PG_INT4};
static const struct pg_sql sql_tell = {"opening_tell",
    "with r as materialized ("
    " select unnest($1) as application, unnest($2) as seq, unnest($3) as id, unnest($4) as look_at"
    "), marked as ("
    " update watcher w set notice = coalesce((select id from notice where application = r.application"
    "   and kind = $8 and subject = $5 and state = 0 offset 0), r.id)" /* of a watch before this one */
    "  from r where w.application = any($1) and w.application = r.application and w.kindergarten = $6"
    "  and not exists (select from notice where id = w.notice and state = 0 offset 0)"
    "  and exists (select from application where number = r.application and seq = r.seq offset 0)"
    "  and exists (select from vacancy where play_group = $5 and terms = $7 and free > 0 offset 0)"
    " returning r.application, r.id, r.look_at"
    ") select count(notice_put(g.id, g.application, $8, $5, g.look_at, null, null, null, null, a.api_key)"
    "  is null)" /* as in due_remind */
    " from marked g, lateral (select api_key from application where number = g.application offset 0) a",
    8, tell_types};

static void opening_on_told(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct opening_quest *q = arg;

	q->told(q->arg, r, (size_t)pg_int(reply, DUE_LOCK_STATEMENTS, 0, 0));
}

enum tell_column { TELL_APPLICATION, TELL_SEQ, TELL_ID, TELL_LOOK, TELL_COLUMNS };

static void opening_put(struct pg_array c[TELL_COLUMNS], const struct opening_notice *notices, size_t n)
{
	for (int i = 0; i < TELL_COLUMNS; i++)
		pg_array_start(&c[i], i == TELL_LOOK ? PG_TIMESTAMPTZ : PG_INT8);
	for (size_t i = 0; i < n; i++) {
		pg_array_int(&c[TELL_APPLICATION], (int64_t)notices[i].application);
		pg_array_int(&c[TELL_SEQ], notices[i].seq);
		pg_array_int(&c[TELL_ID], (int64_t)notices[i].id);
		pg_array_wall_us(&c[TELL_LOOK], notices[i].look_us);
	}
}

enum kz opening_tell(struct pg *pg, const struct lease *lease, const struct opening *o,
    const struct opening_notice *notices, size_t n, due_told_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct opening_quest q = {.told = done, .arg = arg};
	struct pg_job *job = pg_job_for(pg, opening_on_told, &q, sizeof q);
	struct pg_array c[TELL_COLUMNS] = {0};
	struct lease_slots slots = {0};
	uint8_t group[8], kindergarten[8], terms[8], kind[4];

	opening_put(c, notices, n);
	const struct pg_value values[] = {pg_array_value(&c[TELL_APPLICATION]), pg_array_value(&c[TELL_SEQ]),
	    pg_array_value(&c[TELL_ID]), pg_array_value(&c[TELL_LOOK]),
	    pg_int8((int64_t)o->due.number, group), pg_int8((int64_t)o->kindergarten, kindergarten),
	    pg_int8(o->terms, terms), pg_int4(NOTICE_PLACE, kind)};
	for (size_t i = 0; i < n; i++)
		slots.in[ids_slot(notices[i].id)] = true;
	due_lock(job, lease, &slots);
	pg_job_add(job, &sql_tell, values);
	for (int i = 0; i < TELL_COLUMNS; i++)
		pg_array_fini(&c[i]);
	return pg_job_run(job, ret_ticket);
}

static const uint32_t rest_types[] = {PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
static const struct pg_sql sql_rest = {"opening_rest",
    "update vacancy set watch_at = $4 where play_group = $1 and terms = $2 and watch_at = $3", 4, rest_types};

static void opening_on_rested(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct opening_quest *q = arg;

	(void)reply;
	q->done(q->arg, r);
}

enum kz opening_rest(struct pg *pg, const struct lease *lease, uint8_t slot, const struct opening *o,
    int64_t next_us, due_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct opening_quest q = {.done = done, .arg = arg};
	uint8_t group[8], terms[8], seen[8], next[8];
	const struct pg_value values[] = {pg_int8((int64_t)o->due.number, group), pg_int8(o->terms, terms),
	    pg_timestamp(o->due.at_us, seen), pg_timestamp(next_us, next)};

	struct pg_job *job = pg_job_for(pg, opening_on_rested, &q, sizeof q);
	struct lease_slots slots = {0};

	slots.in[slot] = true;
	due_lock(job, lease, &slots);
	pg_job_add(job, &sql_rest, values);
	return pg_job_run(job, ret_ticket);
}

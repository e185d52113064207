/* A page is counted in sendings of any slot, so that no question walks more of them than that. Partitions are
 * chosen by the codes' age: none was sent an hour after it was asked for, whatever the clocks say. */
#include "store/rescues.h"

#include "base/ids.h"
#include "store/pg_array.h"

#define REACH_MS INT64_C(3600000)

struct rescues_quest {
	rescues_each_fn *each;
	rescues_done_fn *done;
	void *arg;
};

enum due_column {
	DUE_CODE,
	DUE_OVER,
	DUE_PURPOSE,
	DUE_N,
	DUE_MESSAGE,
	DUE_SENT,
	DUE_SUBMITTED,
	DUE_STATE,
	DUE_CARRIER,
	DUE_LINK,
	DUE_SECOND,
	DUE_LOOKED
};

/* Of the sendings "mine": the codes that are over by whichever was the newest, and those that the newest did
 * not bring. The last row says how far the page went. "offset 0" and "limit": each row asks the indices. */
#define DUE_ROWS                                                                                             \
	" select c.id, c.expires_at <= $1 as over, c.purpose, s.n, s.message_id, s.at, u.at as submitted,"   \
	"  coalesce(f.state, case when u.at is null then 0 else 1 end) as state, u.carrier, u.link,"         \
	"  c.second is not null and s.phone = c.phone as second, null::int8 as looked"                       \
	" from (select distinct code_id from mine) m"                                                        \
	" join lateral (select * from code where id = m.code_id offset 0) c on true"                         \
	" join lateral (select * from code_send where code_id = c.id and n = c.sends offset 0) s on true"    \
	" left join lateral (select e.state from message_event e where e.message_id = s.message_id and "     \
	"e.final"                                                                                            \
	"  order by e.at, e.kind, e.feed limit 1) f on true"                                                 \
	" left join lateral (select e.at, e.carrier, e.link from message_event e where e.message_id = "      \
	"s.message_id"                                                                                       \
	"  and e.kind = 1 order by e.at desc limit 1) u on true"                                             \
	" where not exists (select from code_verdict v where v.code_id = m.code_id offset 0)"                \
	"  and (c.expires_at <= $1 or coalesce(f.state, 0) <> 6"                                             \
	"   and s.message_id in (select message_id from mine)"                                               \
	"   and not exists (select from code_send r where r.code_id = m.code_id and r.why = 2 offset 0))"    \
	" union all select max(message_id), null, null, null, null, null, null, null, null, null, null, "    \
	"count(*)"                                                                                           \
	" from page"

static const uint32_t read_types[] = {PG_TIMESTAMPTZ, PG_INT8, PG_INT8, PG_INT8, PG_INT4, PG_INT4_ARRAY};
static const struct pg_sql sql_read = {"rescues_read",
    "with page as materialized ("
    " select code_id, message_id from code_send where message_id > $2 and message_id <= $3 and code_id >= $4"
    " order by message_id limit $5"
    "), mine as materialized (select * from page where (message_id >> 14) & 255 = any($6))" DUE_ROWS,
    6, read_types};

static const uint32_t of_types[] = {PG_TIMESTAMPTZ, PG_INT8_ARRAY, PG_INT8};
static const struct pg_sql sql_of = {"rescues_of",
    "with page as materialized ("
    " select s.code_id, s.message_id from unnest($2) m(id),"
    "  lateral (select * from code_send where message_id = m.id and code_id >= $3 limit 1) s"
    "), mine as (select * from page)" DUE_ROWS,
    3, of_types};

static struct rescue_due rescues_row(const struct pg_reply *reply, size_t row)
{
	return (struct rescue_due){.code = (uint64_t)pg_int(reply, 0, row, DUE_CODE),
	    .over = pg_int(reply, 0, row, DUE_OVER) != 0,
	    .purpose = pg_text(reply, 0, row, DUE_PURPOSE, NULL),
	    .n = (unsigned)pg_int(reply, 0, row, DUE_N),
	    .message_id = (uint64_t)pg_int(reply, 0, row, DUE_MESSAGE),
	    .sent_us = pg_wall_us(reply, 0, row, DUE_SENT),
	    .submitted_us = pg_wall_us(reply, 0, row, DUE_SUBMITTED),
	    .state = (enum message_state)pg_int(reply, 0, row, DUE_STATE),
	    .carrier = pg_text(reply, 0, row, DUE_CARRIER, NULL),
	    .link = pg_text(reply, 0, row, DUE_LINK, NULL),
	    .second = pg_int(reply, 0, row, DUE_SECOND) != 0};
}

static void rescues_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct rescues_quest *q = arg;
	size_t looked = 0;
	uint64_t last = 0;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct rescue_due d = rescues_row(reply, row);

		if (pg_is_null(reply, 0, row, DUE_LOOKED)) {
			q->each(q->arg, &d);
		} else {
			looked = (size_t)pg_int(reply, 0, row, DUE_LOOKED);
			last = d.code;
		}
	}
	q->done(q->arg, r, looked, last);
}

static enum kz rescues_ask(struct pg *pg, const struct pg_sql *sql, const struct pg_value *values,
    const struct rescues_quest *q, uint64_t *ret_ticket)
{
	struct pg_job *job = pg_job_for(pg, rescues_on_done, q, sizeof *q);

	pg_job_add(job, sql, values);
	return pg_job_run(job, ret_ticket);
}

static struct pg_value rescues_low(int64_t wall_ms, uint8_t room[8])
{
	return pg_int8((int64_t)ids_floor(wall_ms - REACH_MS), room);
}

enum kz rescues_read(struct pg *pg, const struct rescues_page *p, rescues_each_fn *each,
    rescues_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct rescues_quest q = {each, done, arg};
	struct pg_array slots = {0};
	uint8_t now[8], after[8], upto[8], low[8], most[4];

	pg_array_start(&slots, PG_INT4);
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (p->held[slot])
			pg_array_int(&slots, slot);
	const struct pg_value values[] = {pg_timestamp(p->now_us, now), pg_int8((int64_t)p->after, after),
	    pg_int8((int64_t)p->upto, upto), rescues_low(ids_wall_ms(p->after), low), pg_int4(p->most, most),
	    pg_array_value(&slots)};
	enum kz r = rescues_ask(pg, &sql_read, values, &q, ret_ticket);
	pg_array_fini(&slots);
	return r;
}

enum kz rescues_of(struct pg *pg, const uint64_t *messages, size_t n, int64_t now_us, rescues_each_fn *each,
    rescues_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct rescues_quest q = {each, done, arg};
	struct pg_array ids = {0};
	uint8_t now[8], low[8];

	pg_array_start(&ids, PG_INT8);
	for (size_t i = 0; i < n; i++)
		pg_array_int(&ids, (int64_t)messages[i]);
	const struct pg_value values[] = {
	    pg_timestamp(now_us, now), pg_array_value(&ids), rescues_low(now_us / 1000, low)};
	enum kz r = rescues_ask(pg, &sql_of, values, &q, ret_ticket);
	pg_array_fini(&ids);
	return r;
}

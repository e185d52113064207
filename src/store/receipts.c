#include "store/receipts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/pg_array.h"

struct receipts {
	struct loop *loop;
	struct batch *quests, *waits;
	struct pg_array n, rank, carrier, id; /* of questions */
	struct pg_array at, ids, phone, reference, final, state, mode, status,
	    detail; /* of waiting ones, with carrier */
	/* The answer that homes[] was read from: quests of one batch ask one after the other. */
	const struct pg_reply *read;
	struct receipt_home homes[4096];
};

static const uint32_t find_types[] = {PG_INT4_ARRAY, PG_INT4_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_INT8};
/* "offset 0": each id asks the index; joined, the planner may read all events of the days instead. */
static const struct pg_sql sql_find = {"receipts_find",
    "select distinct on (q.n) q.n, s.message_id, s.part, s.parts, s.phone"
    " from unnest($1, $2, $3, $4) as q(n, rank, carrier, id), lateral ("
    "  select e.message_id, e.part, e.parts,"
    "   (select p.phone from message_person p where p.id = e.message_id) as phone"
    "  from message_event e where e.operator_id = q.id and e.carrier = q.carrier and e.kind = 1"
    "   and e.message_id >= $5 offset 0) s"
    " order by q.n, q.rank, s.message_id desc",
    5, find_types};

static void receipts_build_find(void *arg, const struct list *items, struct pg_job *job)
{
	struct receipts *rs = arg;
	int64_t low_ms = clock_wall_ms(loop_clock(rs->loop)) - RECEIPTS_REACH_MS;
	uint8_t low[8];
	int n = 0;

	pg_array_start(&rs->n, PG_INT4);
	pg_array_start(&rs->rank, PG_INT4);
	pg_array_start(&rs->carrier, PG_TEXT);
	pg_array_start(&rs->id, PG_TEXT);
	for (const struct list_node *at = list_first(items); at; at = list_next(items, at), n++) {
		const struct receipt_quest *q = list_entry(at, struct receipt_quest, item.node);

		for (unsigned i = 0; i < q->ids_n; i++) {
			pg_array_int(&rs->n, n);
			pg_array_int(&rs->rank, (int)i);
			pg_array_text(&rs->carrier, q->carrier);
			pg_array_text(&rs->id, q->ids[i]);
		}
	}
	const struct pg_value values[] = {pg_array_value(&rs->n), pg_array_value(&rs->rank),
	    pg_array_value(&rs->carrier), pg_array_value(&rs->id), pg_int8((int64_t)ids_floor(low_ms), low)};
	pg_job_add(job, &sql_find, values);
}

static void receipts_read_homes(struct receipts *rs, const struct pg_reply *reply)
{
	memset(rs->homes, 0, sizeof rs->homes);
	for (size_t row = 0; row < pg_rows(reply, 0); row++) {
		int64_t n = pg_int(reply, 0, row, 0);

		if (n >= 0 && n < (int64_t)(sizeof rs->homes / sizeof *rs->homes))
			rs->homes[n] = (struct receipt_home){.message_id = (uint64_t)pg_int(reply, 0, row, 1),
			    .part = (unsigned)pg_int(reply, 0, row, 2),
			    .parts = (unsigned)pg_int(reply, 0, row, 3),
			    .phone = pg_int(reply, 0, row, 4)};
	}
	rs->read = reply;
}

static void receipts_on_found(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct receipts *rs = arg;
	struct receipt_quest *q = list_entry(&item->node, struct receipt_quest, item.node);

	if (r != KZ_OK) {
		q->done(q, KZ_LOST, NULL);
		return;
	}
	if (rs->read != reply || index == 0)
		receipts_read_homes(rs, reply);
	const struct receipt_home home = rs->homes[index];
	q->done(q, home.message_id ? KZ_OK : KZ_NOT_FOUND, &home);
}

static const struct batch_kind quest_kind = {"receipt_find", receipts_build_find, receipts_on_found};

/* One that waits already says nothing new. Candidate ids travel as one text with spaces between: an id has
 * none, and arrays of arrays must be of equal length. */
static const uint32_t wait_types[] = {PG_TIMESTAMPTZ_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY,
    PG_INT4_ARRAY, PG_BOOL_ARRAY, PG_INT2_ARRAY, PG_INT2_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY};
static const struct pg_sql sql_wait = {"receipts_wait",
    "insert into receipt_waiting (at, carrier, operator_ids, phone, reference, final, state, parts_mode, "
    "status, detail)"
    " select distinct on (carrier, ids, status, final)"
    "  at, carrier, string_to_array(ids, ' '), nullif(phone, 0), nullif(reference, -1), final, state, mode,"
    "  status, detail"
    " from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    " as w(at, carrier, ids, phone, reference, final, state, mode, status, detail)"
    " where not exists (select from receipt_waiting r where r.operator_ids = string_to_array(w.ids, ' ')"
    "  and r.carrier = w.carrier and r.status = w.status and r.final = w.final)"
    " order by carrier, ids, status, final, at",
    10, wait_types};

static void receipts_put_wait(struct receipts *rs, const struct receipt_wait *w)
{
	struct buf ids = {0};

	for (unsigned i = 0; i < w->ids_n; i++)
		buf_printf(&ids, "%s%s", i ? " " : "", w->ids[i]);
	pg_array_wall_us(&rs->at, w->at_us);
	pg_array_text(&rs->carrier, w->carrier);
	pg_array_text(&rs->ids, buf_text(&ids));
	pg_array_int(&rs->phone, w->phone);
	pg_array_int(&rs->reference, w->reference);
	pg_array_int(&rs->final, w->final);
	pg_array_int(&rs->state, w->state);
	pg_array_int(&rs->mode, w->mode);
	pg_array_text(&rs->status, w->status);
	pg_array_text(&rs->detail, w->detail);
	buf_fini(&ids);
}

static void receipts_build_wait(void *arg, const struct list *items, struct pg_job *job)
{
	struct receipts *rs = arg;

	pg_array_start(&rs->at, PG_TIMESTAMPTZ);
	pg_array_start(&rs->carrier, PG_TEXT);
	pg_array_start(&rs->ids, PG_TEXT);
	pg_array_start(&rs->phone, PG_INT8);
	pg_array_start(&rs->reference, PG_INT4);
	pg_array_start(&rs->final, PG_BOOL);
	pg_array_start(&rs->state, PG_INT2);
	pg_array_start(&rs->mode, PG_INT2);
	pg_array_start(&rs->status, PG_TEXT);
	pg_array_start(&rs->detail, PG_TEXT);
	for (const struct list_node *at = list_first(items); at; at = list_next(items, at))
		receipts_put_wait(rs, list_entry(at, struct receipt_wait, item.node));
	const struct pg_value values[] = {pg_array_value(&rs->at), pg_array_value(&rs->carrier),
	    pg_array_value(&rs->ids), pg_array_value(&rs->phone), pg_array_value(&rs->reference),
	    pg_array_value(&rs->final), pg_array_value(&rs->state), pg_array_value(&rs->mode),
	    pg_array_value(&rs->status), pg_array_value(&rs->detail)};
	pg_job_add(job, &sql_wait, values);
}

static void receipts_on_waiting(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct receipt_wait *w = list_entry(&item->node, struct receipt_wait, item.node);

	(void)arg;
	(void)reply;
	(void)index;
	w->done(w, r);
}

static const struct batch_kind wait_kind = {"receipt_wait", receipts_build_wait, receipts_on_waiting};

struct receipts *receipts_new(struct loop *l, struct pg *pg, const struct batch_limits *limits)
{
	struct receipts *rs = mem_new(sizeof *rs);

	assert(limits->rows <= sizeof rs->homes / sizeof *rs->homes);
	rs->loop = l;
	rs->quests = batch_new(l, pg, &quest_kind, limits, rs);
	rs->waits = batch_new(l, pg, &wait_kind, limits, rs);
	return rs;
}

void receipts_set_limits(struct receipts *rs, const struct batch_limits *limits)
{
	assert(limits->rows <= sizeof rs->homes / sizeof *rs->homes);
	batch_set_limits(rs->quests, limits);
	batch_set_limits(rs->waits, limits);
}

void receipts_find(struct receipts *rs, struct receipt_quest *q)
{
	batch_add(rs->quests, &q->item);
}

void receipts_wait(struct receipts *rs, struct receipt_wait *w)
{
	batch_add(rs->waits, &w->item);
}

void receipts_free(struct receipts *rs)
{
	if (!rs)
		return;
	struct pg_array *arrays[] = {&rs->n, &rs->rank, &rs->carrier, &rs->id, &rs->at, &rs->ids, &rs->phone,
	    &rs->reference, &rs->final, &rs->state, &rs->mode, &rs->status, &rs->detail};
	batch_free(rs->quests);
	batch_free(rs->waits);
	for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
		pg_array_fini(arrays[i]);
	free(rs);
}

static const uint32_t named_types[] = {PG_INT8, PG_INT4_ARRAY};
static const struct pg_sql sql_named = {"receipts_named",
    "select reference, carrier, operator_ids[1] from receipt_waiting where phone = $1 and reference = "
    "any($2)"
    " order by at",
    2, named_types};

static void named_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct receipts_named *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++)
		q->each(q->arg, q->message_id, (uint16_t)pg_int(reply, 0, row, 0),
		    pg_text(reply, 0, row, 1, NULL), pg_text(reply, 0, row, 2, NULL));
	q->done(q->arg, q->message_id, r);
}

enum kz receipts_named(
    struct pg *pg, int64_t phone, const uint16_t *references, size_t n, const struct receipts_named *quest)
{
	struct pg_array wanted = {.n = 0};
	uint8_t room[8];

	pg_array_start(&wanted, PG_INT4);
	for (size_t i = 0; i < n; i++)
		pg_array_int(&wanted, references[i]);
	const struct pg_value values[] = {pg_int8(phone, room), pg_array_value(&wanted)};
	enum kz r = pg_ask(pg, &sql_named, values, named_on_done, quest, sizeof *quest);
	pg_array_fini(&wanted);
	return r;
}

struct join_quest {
	struct feed *feed;
	struct feed_hold hold; /* a number for each receipt that is looked at */
	receipts_join_fn *done;
	void *arg;
};

static const uint32_t join_types[] = {PG_INT4, PG_INT8, PG_INT8};
static const struct pg_sql sql_join = {
    "receipts_join", "select looked, joined from receipts_join($1, $2, $3)", 3, join_types};

static void join_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct join_quest *q = arg;

	feed_heard(q->feed, &q->hold, r, reply);
	feed_release(q->feed, &q->hold);
	q->done(q->arg, r, (size_t)pg_int(reply, 1, 0, 0), (size_t)pg_int(reply, 1, 0, 1));
	free(q);
}

enum kz receipts_join(struct pg *pg, struct feed *feed, uint64_t low, receipts_join_fn *done, void *arg)
{
	struct join_quest *q;
	uint8_t most_room[4], low_room[8], first_room[8];

	if (!feed_is_sure(feed))
		return KZ_BUSY;
	q = mem_new(sizeof *q);
	*q = (struct join_quest){.feed = feed, .done = done, .arg = arg};
	const struct pg_value values[] = {pg_int4(RECEIPTS_JOIN_MOST, most_room),
	    pg_int8((int64_t)low, low_room),
	    pg_int8((int64_t)feed_number(feed, &q->hold, RECEIPTS_JOIN_MOST), first_room)};
	struct pg_job *job = pg_job_new(pg, join_on_done, q);
	struct lease_slots slots = {0};
	slots.in[ids_slot(q->hold.first)] = true;
	lease_fence(feed_lease(feed), &slots, job);
	pg_job_add(job, &sql_join, values);
	if (pg_job_run(job, NULL) == KZ_OK)
		return KZ_OK;
	feed_release(feed, &q->hold);
	free(q);
	return KZ_BUSY;
}

struct forget_quest {
	receipts_forget_fn *done;
	void *arg;
};

static const uint32_t forget_types[] = {PG_INT4, PG_TIMESTAMPTZ};
static const struct pg_sql sql_forget = {
    "receipts_forget", "select old, over, waiting from receipts_forget($1, $2)", 2, forget_types};

static void forget_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct forget_quest *q = arg;
	const struct receipts_forgotten f = {
	    (size_t)pg_int(reply, 0, 0, 0), (size_t)pg_int(reply, 0, 0, 1), (size_t)pg_int(reply, 0, 0, 2)};

	q->done(q->arg, r, &f);
}

enum kz receipts_forget(struct pg *pg, int64_t now_us, int most, receipts_forget_fn *done, void *arg)
{
	const struct forget_quest q = {done, arg};
	uint8_t most_room[4], since_room[8];
	const struct pg_value values[] = {
	    pg_int4(most, most_room), pg_timestamp(now_us - RECEIPTS_REACH_MS * 1000, since_room)};

	return pg_ask(pg, &sql_forget, values, forget_on_done, &q, sizeof q);
}

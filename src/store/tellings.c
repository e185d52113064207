/* Reading walks the index of message_event.feed, so it costs what it looks at; nothing is written for an
 * event that was told at the first try. Of the ends of one message only the first counts, by the order in
 * which its timeline shows them, whichever daemon recorded them. */
#include "store/tellings.h"

#include <string.h>

#include "base/ids.h"
#include "store/pg_array.h"

/* What ends later than so long after it was accepted is not looked for. The last end there is: a message
 * lives 7 days, is submitted at its last moment, waits for a receipt 7 days at most (message.receipt_wait),
 * and what ends it may come round, or be begun again after a crash, a day later; one more for clocks. */
#define FEED_LIFE_DAYS    7
#define FEED_RECEIPT_DAYS 7
#define FEED_REACH_MS     ((FEED_LIFE_DAYS + FEED_RECEIPT_DAYS + 2) * INT64_C(86400000))

struct tellings_quest {
	union {
		tellings_endpoint_fn *endpoint;
		tellings_event_fn *event;
		tellings_due_fn *due;
	} each;
	union {
		tellings_done_fn *all;
		tellings_page_fn *page;
		tellings_next_fn *next;
	} done;
	void *arg;
};

static enum kz tellings_ask(struct pg *pg, const struct pg_sql *sql, unsigned n,
    const struct pg_value *values, pg_done_fn *on_done, struct tellings_quest quest, uint64_t *ret_ticket)
{
	struct pg_job *job = pg_job_for(pg, on_done, &quest, sizeof quest);

	for (unsigned i = 0; i < n; i++)
		pg_job_add(job, &sql[i], values);
	return pg_job_run(job, ret_ticket);
}

static void tellings_put_slots(struct pg_array *a, const bool held[])
{
	pg_array_start(a, PG_INT4);
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (held[slot])
			pg_array_int(a, slot);
}

static const uint32_t load_types[] = {PG_INT4_ARRAY};
static const struct pg_sql sql_load = {"tellings_load",
    "select id, w.round, since, client, url, secret, slot, feed from webhook w"
    " left join webhook_cursor c on c.webhook = w.id and c.round = w.round and c.slot = any($1)"
    " where disabled_at is null order by id",
    1, load_types};

static void tellings_on_loaded(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		struct tellings_endpoint e = {.id = (int32_t)pg_int(reply, 0, row, 0),
		    .round = (int32_t)pg_int(reply, 0, row, 1),
		    .since = (uint64_t)pg_int(reply, 0, row, 2),
		    .client = pg_text(reply, 0, row, 3, NULL),
		    .url = pg_text(reply, 0, row, 4, NULL),
		    .slot = pg_is_null(reply, 0, row, 6) ? -1 : (int)pg_int(reply, 0, row, 6),
		    .cursor = (uint64_t)pg_int(reply, 0, row, 7)};

		e.secret = (const uint8_t *)pg_text(reply, 0, row, 5, &e.secret_n);
		q->each.endpoint(q->arg, &e);
	}
	q->done.all(q->arg, r);
}

enum kz tellings_load(struct pg *pg, const bool held[], tellings_endpoint_fn *each, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	struct pg_array slots = {0};

	tellings_put_slots(&slots, held);
	const struct pg_value value = pg_array_value(&slots);
	enum kz r = tellings_ask(pg, &sql_load, 1, &value, tellings_on_loaded,
	    (struct tellings_quest){.each.endpoint = each, .done.all = done, .arg = arg}, ret_ticket);
	pg_array_fini(&slots);
	return r;
}

/* Of the end p of message m. An end of all parts says itself nothing of the operator's words: those of the
 * part that it is the state of. */
#define EVENT_COLUMNS                                                                                        \
	" p.feed, p.message_id, p.at, p.state, m.class, m.parts, m.client_ref, coalesce(p.status, "          \
	"said.status) as "                                                                                   \
	"status,"                                                                                            \
	" coalesce(p.detail, said.detail) as detail,"                                                        \
	" exists (select from message_event a where a.message_id = m.id and a.kind = 8) as resent"
#define EVENT_SAID                                                                                           \
	" left join lateral (select s.status, s.detail from message_event s where s.message_id = m.id"       \
	"  and p.kind = 7 and s.kind = 4 and s.state = p.state order by s.at limit 1) said on true"

static struct hook_event tellings_read_event(const struct pg_reply *reply, size_t row, int column)
{
	return (struct hook_event){.feed = (uint64_t)pg_int(reply, 0, row, column),
	    .message_id = (uint64_t)pg_int(reply, 0, row, column + 1),
	    .at_us = pg_wall_us(reply, 0, row, column + 2),
	    .state = (enum message_state)pg_int(reply, 0, row, column + 3),
	    .class = (enum message_class)pg_int(reply, 0, row, column + 4),
	    .parts = (unsigned)pg_int(reply, 0, row, column + 5),
	    .client_ref = pg_text(reply, 0, row, column + 6, NULL),
	    .status = pg_text(reply, 0, row, column + 7, NULL),
	    .detail = pg_text(reply, 0, row, column + 8, NULL),
	    .resent = pg_int(reply, 0, row, column + 9) != 0};
}

static const uint32_t read_types[] = {PG_INT4, PG_INT8, PG_INT8, PG_INT4, PG_TEXT_ARRAY, PG_INT8};
/* Rows may stand twice, hence "distinct". "offset 0": each row asks the indices; joined, the planner may
 * read all messages or events instead. The last row says how far the page went. */
static const struct pg_sql sql_read = {"tellings_read",
    "with page as materialized ("
    " select feed, message_id, at, kind, state, status, detail from message_event"
    " where (feed >> 14) & 255 = $1 and feed > $2 and feed < $3 and message_id >= $6 order by feed limit $4"
    "), told as ("
    " select distinct on (p.feed, p.message_id)" EVENT_COLUMNS ", m.client, null::int8 as looked"
    " from page p join lateral (select x.*, k.client from message x join api_key k on k.id = x.api_key"
    "  where x.id = p.message_id and k.client = any($5) offset 0) m on true" EVENT_SAID
    " where not exists (select from message_event o where o.message_id = p.message_id and o.final"
    "   and (o.at, o.kind, o.feed) < (p.at, p.kind, p.feed) offset 0)"
    " order by p.feed, p.message_id"
    ") select * from told"
    " union all select max(feed), null, null, null, null, null, null, null, null, null, null, count(*)"
    " from page",
    6, read_types};

static void tellings_on_page(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;
	size_t looked = 0;
	uint64_t last = 0;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct hook_event e = tellings_read_event(reply, row, 0);

		if (pg_is_null(reply, 0, row, 11)) {
			q->each.event(q->arg, pg_text(reply, 0, row, 10, NULL), &e);
		} else {
			looked = (size_t)pg_int(reply, 0, row, 11);
			last = e.feed;
		}
	}
	q->done.page(q->arg, r, looked, last);
}

enum kz tellings_read(struct pg *pg, const struct tellings_page *p, tellings_event_fn *each,
    tellings_page_fn *done, void *arg, uint64_t *ret_ticket)
{
	struct pg_array clients = {0};
	uint8_t slot[4], after[8], before[8], most[4], low[8];

	pg_array_start(&clients, PG_TEXT);
	for (size_t i = 0; i < p->clients_n; i++)
		pg_array_text(&clients, p->clients[i]);
	const struct pg_value values[] = {pg_int4(p->slot, slot), pg_int8((int64_t)p->after, after),
	    pg_int8((int64_t)p->before, before), pg_int4(p->most, most), pg_array_value(&clients),
	    pg_int8((int64_t)ids_floor(ids_wall_ms(p->after) - FEED_REACH_MS), low)};
	enum kz r = tellings_ask(pg, &sql_read, 1, values, tellings_on_page,
	    (struct tellings_quest){.each.event = each, .done.page = done, .arg = arg}, ret_ticket);
	pg_array_fini(&clients);
	return r;
}

/* Wrong data and broken constraints, as of an endpoint that is removed at the same time, stay so; what the
 * database refuses for other reasons it may take the next time. */
static enum kz tellings_verdict(enum kz r, const struct pg_reply *reply)
{
	bool stays = !strncmp(pg_sqlstate(reply), "22", 2) || !strncmp(pg_sqlstate(reply), "23", 2);

	return r == KZ_REFUSED && !stays ? KZ_LOST : r;
}

static void tellings_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	q->done.all(q->arg, tellings_verdict(r, reply));
}

static enum kz tellings_do(struct pg *pg, const struct pg_sql *sql, const struct pg_value *values,
    tellings_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	return tellings_ask(pg, sql, 1, values, tellings_on_done,
	    (struct tellings_quest){.done.all = done, .arg = arg}, ret_ticket);
}

static const uint32_t save_types[] = {PG_INT4_ARRAY, PG_INT4_ARRAY, PG_INT4_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_save = {"tellings_save",
    "insert into webhook_cursor as c (webhook, slot, round, feed)"
    " select m.* from unnest($1, $2, $3, $4) as m(webhook, slot, round, feed) join webhook w on w.id = "
    "m.webhook"
    " on conflict (webhook, slot) do update set round = excluded.round, feed = excluded.feed"
    " where (c.round, c.feed) < (excluded.round, excluded.feed)",
    4, save_types};

enum kz tellings_save(struct pg *pg, const struct tellings_mark *marks, size_t n, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	struct pg_array a[4] = {0};
	struct pg_value values[4];

	for (int i = 0; i < 4; i++)
		pg_array_start(&a[i], i < 3 ? PG_INT4 : PG_INT8);
	for (size_t i = 0; i < n; i++) {
		pg_array_int(&a[0], marks[i].id);
		pg_array_int(&a[1], marks[i].slot);
		pg_array_int(&a[2], marks[i].round);
		pg_array_int(&a[3], (int64_t)marks[i].cursor);
	}
	for (int i = 0; i < 4; i++)
		values[i] = pg_array_value(&a[i]);
	enum kz r = tellings_do(pg, &sql_save, values, done, arg, ret_ticket);
	for (int i = 0; i < 4; i++)
		pg_array_fini(&a[i]);
	return r;
}

static const uint32_t put_off_types[] = {
    PG_INT4, PG_INT8, PG_INT4, PG_INT4, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_INT4};
/* One row more than the bound for each that is put off at the same time, at most. */
static const struct pg_sql sql_put_off = {"tellings_put_off",
    "with put as ("
    " insert into webhook_retry (webhook, message_id, slot, attempts, due, at, status)"
    " select id, $2, $3, $4, $5, $6, $7 from webhook where id = $1"
    "  and (exists (select from webhook_retry where webhook = $1 and message_id = $2)"
    "   or (select count(*) from webhook_retry where webhook = $1 and due is not null) < $8)"
    " on conflict (webhook, message_id) do update"
    " set attempts = excluded.attempts, due = excluded.due, status = excluded.status returning 1"
    ") select exists (select from put) or not exists (select from webhook where id = $1)",
    8, put_off_types};

static void tellings_on_put_off(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;
	bool full = r == KZ_OK && !pg_int(reply, 0, 0, 0);

	q->done.all(q->arg, full ? KZ_TOO_LONG : tellings_verdict(r, reply));
}

enum kz tellings_put_off(
    struct pg *pg, const struct tellings_retry *r, tellings_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	uint8_t id[4], message[8], slot[4], attempts[4], due[8], now[8], most[4];
	const struct pg_value values[] = {pg_int4(r->id, id), pg_int8((int64_t)r->message_id, message),
	    pg_int4(r->slot, slot), pg_int4((int32_t)r->attempts, attempts), pg_timestamp(r->due_us, due),
	    pg_timestamp(r->now_us, now), pg_string(r->status), pg_int4(TELLINGS_RETRIES, most)};

	return tellings_ask(pg, &sql_put_off, 1, values, tellings_on_put_off,
	    (struct tellings_quest){.done.all = done, .arg = arg}, ret_ticket);
}

static const uint32_t settle_types[] = {PG_INT4, PG_INT8};
static const struct pg_sql sql_settle = {
    "tellings_settle", "delete from webhook_retry where webhook = $1 and message_id = $2", 2, settle_types};

enum kz tellings_settle(
    struct pg *pg, int32_t id, uint64_t message_id, tellings_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	uint8_t room[4], message[8];
	const struct pg_value values[] = {pg_int4(id, room), pg_int8((int64_t)message_id, message)};

	return tellings_do(pg, &sql_settle, values, done, arg, ret_ticket);
}

static const uint32_t due_types[] = {PG_INT4_ARRAY, PG_INT4_ARRAY, PG_TIMESTAMPTZ, PG_INT4};
static const struct pg_sql sql_due[] = {
    {"tellings_due",
        "select r.webhook, r.attempts," EVENT_COLUMNS
        " from webhook_retry r join message m on m.id = r.message_id"
        " join lateral (select * from message_event e where e.message_id = m.id and e.final"
        "  order by e.at, e.kind, e.feed limit 1) p on true" EVENT_SAID
        " where r.slot = any($1) and r.webhook = any($2) and r.due <= $3 order by r.due limit $4",
        4, due_types},
    {"tellings_next",
        "select min(due) from webhook_retry where slot = any($1) and webhook = any($2) and due > $3 and $4 > "
        "0",
        4, due_types}};

static void tellings_on_due(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct hook_event e = tellings_read_event(reply, row, 2);

		q->each.due(
		    q->arg, (int32_t)pg_int(reply, 0, row, 0), (unsigned)pg_int(reply, 0, row, 1), &e);
	}
	q->done.next(q->arg, r, r == KZ_OK ? pg_wall_us(reply, 1, 0, 0) : 0);
}

enum kz tellings_due(struct pg *pg, const bool held[], const int32_t *ids, size_t n, int64_t now_us, int most,
    tellings_due_fn *each, tellings_next_fn *done, void *arg, uint64_t *ret_ticket)
{
	struct pg_array slots = {0}, hooks = {0};
	uint8_t now[8], limit[4];

	tellings_put_slots(&slots, held);
	pg_array_start(&hooks, PG_INT4);
	for (size_t i = 0; i < n; i++)
		pg_array_int(&hooks, ids[i]);
	const struct pg_value values[] = {
	    pg_array_value(&slots), pg_array_value(&hooks), pg_timestamp(now_us, now), pg_int4(most, limit)};
	enum kz r = tellings_ask(pg, sql_due, 2, values, tellings_on_due,
	    (struct tellings_quest){.each.due = each, .done.next = done, .arg = arg}, ret_ticket);
	pg_array_fini(&slots);
	pg_array_fini(&hooks);
	return r;
}

/* What is told. Reading walks the indices of message_event.feed, code_verdict.feed and news.feed, so it costs
 * what it looks at. Of the ends of one message only the first counts, by the order in which its timeline
 * shows them, whichever daemon recorded them; a code has one verdict. */
#include "store/tellings_body.h"

/* What ends later than so long after it was accepted is not looked for. The last end there is: a message
 * lives 7 days, is submitted at its last moment, waits for a receipt 7 days at most (message.receipt_wait),
 * and what ends it may come round, or be begun again after a crash, a day later; one more for clocks. */
#define FEED_LIFE_DAYS    7
#define FEED_RECEIPT_DAYS 7
#define FEED_REACH_MS     ((FEED_LIFE_DAYS + FEED_RECEIPT_DAYS + 2) * INT64_C(86400000))

/* Of the end p of message m. An end of all parts says itself nothing of the operator's words: those of the
 * part that it is the state of. The code that the message brought, c, is hardly older than it: a bound for
 * the partitions to be asked. */
#define CODE_HOUR "3600000::int8 << 22"
#define NO_NEWS                                                                                              \
	", null::int8 as application, null::int8 as seq, null::int8 as play_group,"                          \
	" null::timestamptz as until_at, null::int8 as kindergarten"
#define MESSAGE_COLUMNS                                                                                      \
	" 0 as about, p.feed, m.id, p.at, p.state, m.client_ref, c.purpose, m.class, m.parts,"               \
	" coalesce(p.status, said.status) as status, coalesce(p.detail, said.detail) as detail,"             \
	" exists (select from message_event a where a.message_id = m.id and a.kind = 8) as resent, c.id as " \
	"other" NO_NEWS
#define MESSAGE_SAID                                                                                         \
	" left join lateral (select s.status, s.detail from message_event s where s.message_id = m.id"       \
	"  and p.kind = 7 and s.kind = 4 and s.state = p.state order by s.at limit 1) said on true"          \
	" left join lateral (select d.id, d.purpose from code_send s join code d on d.id = s.code_id"        \
	"  where s.message_id = m.id and s.code_id between m.id - (" CODE_HOUR ") and m.id + (" CODE_HOUR    \
	")"                                                                                                  \
	"  limit 1) c on true"
/* Of the verdict p on code c. */
#define CODE_COLUMNS                                                                                         \
	" 1 as about, p.feed, c.id, p.at, p.state, c.client_ref, c.purpose, null::int2 as class,"            \
	" null::int2 as parts, null as status, null as detail, false as resent, c.pair as other" NO_NEWS
static struct hook_news tellings_read_news(
    const struct pg_reply *reply, unsigned statement, size_t row, int from)
{
	return (struct hook_news){.kind = (enum news_kind)pg_int(reply, statement, row, from + TOLD_STATE),
	    .via = (enum news_via)pg_int(reply, statement, row, from + TOLD_CLASS),
	    .application = (uint64_t)pg_int(reply, statement, row, from + TOLD_APPLICATION),
	    .seq = (uint64_t)pg_int(reply, statement, row, from + TOLD_SEQ),
	    .referral = (uint64_t)pg_int(reply, statement, row, from + TOLD_OTHER),
	    .play_group = (uint64_t)pg_int(reply, statement, row, from + TOLD_GROUP),
	    .kindergarten = (uint64_t)pg_int(reply, statement, row, from + TOLD_KINDERGARTEN),
	    .until_us = pg_wall_us(reply, statement, row, from + TOLD_UNTIL)};
}

struct hook_event tellings_read_event(const struct pg_reply *reply, unsigned statement, size_t row, int from)
{
	struct hook_event e = {.about = (enum hook_about)pg_int(reply, statement, row, from + TOLD_ABOUT),
	    .feed = (uint64_t)pg_int(reply, statement, row, from + TOLD_FEED),
	    .id = (uint64_t)pg_int(reply, statement, row, from + TOLD_ID),
	    .at_us = pg_wall_us(reply, statement, row, from + TOLD_AT),
	    .client_ref = pg_text(reply, statement, row, from + TOLD_CLIENT_REF, NULL),
	    .purpose = pg_text(reply, statement, row, from + TOLD_PURPOSE, NULL),
	    .class = (enum message_class)pg_int(reply, statement, row, from + TOLD_CLASS),
	    .parts = (unsigned)pg_int(reply, statement, row, from + TOLD_PARTS),
	    .status = pg_text(reply, statement, row, from + TOLD_STATUS, NULL),
	    .detail = pg_text(reply, statement, row, from + TOLD_DETAIL, NULL),
	    .resent = pg_int(reply, statement, row, from + TOLD_RESENT) != 0};
	int64_t state = pg_int(reply, statement, row, from + TOLD_STATE);
	uint64_t other = (uint64_t)pg_int(reply, statement, row, from + TOLD_OTHER);

	if (e.about == HOOK_NEWS) {
		e.news = tellings_read_news(reply, statement, row, from);
	} else if (e.about == HOOK_CODE) {
		e.verdict = (enum code_verdict)state;
		e.pair = other;
	} else {
		e.state = (enum message_state)state;
		e.code = other;
	}
	return e;
}

static const uint32_t read_types[] = {PG_INT4, PG_INT8, PG_INT8, PG_INT4, PG_TEXT_ARRAY, PG_INT8};
/* Rows of messages may stand twice, hence "distinct". "offset 0": each row asks the indices; joined, the
 * planner may read all messages or events instead. The last row says how far the page went. */
#define READ_BOUNDS " where (feed >> 14) & 255 = $1 and feed > $2 and feed < $3 "
static const struct pg_sql sql_read = {"tellings_read",
    "with page as materialized ("
    " (select 0 as about, feed, message_id as id, at, kind, state, status, detail from "
    "message_event" READ_BOUNDS " and message_id >= $6 order by feed limit $4)"
    " union all"
    " (select 1, feed, code_id, at, 0, verdict, null, null from code_verdict" READ_BOUNDS
    " and code_id >= $6 order by feed limit $4)"
    " union all"
    " (select 2, feed, application, at, kind, via, null, null from news" READ_BOUNDS " order by feed limit "
    "$4)"
    " order by feed limit $4"
    "), messages as ("
    " select distinct on (p.feed, p.id)" MESSAGE_COLUMNS ", m.client"
    " from page p join lateral (select x.*, k.client from message x join api_key k on k.id = x.api_key"
    "  where p.about = 0 and x.id = p.id and k.client = any($5) offset 0) m on true" MESSAGE_SAID
    " where not exists (select from message_event o where o.message_id = p.id and o.final"
    "   and (o.at, o.kind, o.feed) < (p.at, p.kind, p.feed) offset 0)"
    " order by p.feed, p.id"
    "), codes as ("
    " select" CODE_COLUMNS ", c.client"
    " from page p join lateral (select x.*, k.client from code x join api_key k on k.id = x.api_key"
    "  where p.about = 1 and x.id = p.id and k.client = any($5) offset 0) c on true"
    "), hearers as ("
    " select distinct client from api_key"
    " where client = any($5) and revoked_at is null and 'records' = any(scopes)"
    "), told as ("
    " select" NEWS_COLUMNS ", h.client from page p"
    " join lateral (select * from news n where p.about = 2 and n.feed = p.feed offset 0) x on true, hearers h"
    ") select *, null::int8 as looked from messages union all select *, null from codes"
    " union all select *, null from told"
    " union all select null, max(feed), null, null, null, null, null, null, null, null, null, null, null, "
    "null, null, null, null, null, null,"
    " count(*) from page order by looked nulls first, feed",
    6, read_types};

static void tellings_on_page(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;
	size_t looked = 0;
	uint64_t last = 0;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct hook_event e = tellings_read_event(reply, 0, row, 0);

		if (pg_is_null(reply, 0, row, TOLD_COLUMNS + 1)) {
			q->each.event(q->arg, pg_text(reply, 0, row, TOLD_COLUMNS, NULL), &e);
		} else {
			looked = (size_t)pg_int(reply, 0, row, TOLD_COLUMNS + 1);
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

static const uint32_t due_types[] = {PG_INT4_ARRAY, PG_INT4_ARRAY, PG_TIMESTAMPTZ, PG_INT4};
#define DUE_NOW   " where r.slot = any($1) and r.webhook = any($2) and r.due <= $3"
#define DUE_ORDER " order by r.due limit $4"
static const struct pg_sql sql_due[] = {
    {"tellings_due",
        "select r.webhook, r.attempts," MESSAGE_COLUMNS
        " from webhook_retry r join message m on r.about = 0 and m.id = r.id"
        " join lateral (select * from message_event e where e.message_id = m.id and e.final"
        "  order by e.at, e.kind, e.feed limit 1) p on true" MESSAGE_SAID DUE_NOW DUE_ORDER,
        4, due_types},
    {"tellings_due_codes",
        "select r.webhook, r.attempts," CODE_COLUMNS
        " from webhook_retry r join code c on r.about = 1 and c.id = r.id"
        " join (select code_id, at, feed, verdict as state from code_verdict) p on p.code_id = c.id" DUE_NOW
            DUE_ORDER,
        4, due_types},
    {"tellings_due_news",
        "select r.webhook, r.attempts," NEWS_COLUMNS
        " from webhook_retry r join webhook w on w.id = r.webhook"
        " join news x on r.about = 2 and x.feed = r.id" DUE_NOW
        " and (r.behind is null or not " NEWS_UNTOLD("r.behind") ")" DUE_ORDER,
        4, due_types},
    {"tellings_next",
        "select min(due) from webhook_retry where slot = any($1) and webhook = any($2) and due > $3 and $4 > "
        "0",
        4, due_types}};

static void tellings_on_due(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	for (unsigned s = 0; s < HOOK_ABOUTS; s++)
		for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, s); row++) {
			const struct hook_event e = tellings_read_event(reply, s, row, 2);

			q->each.due(q->arg, (int32_t)pg_int(reply, s, row, 0),
			    (unsigned)pg_int(reply, s, row, 1), &e);
		}
	q->done.next(q->arg, r, r == KZ_OK ? pg_wall_us(reply, HOOK_ABOUTS, 0, 0) : 0);
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
	enum kz r = tellings_ask(pg, sql_due, sizeof sql_due / sizeof *sql_due, values, tellings_on_due,
	    (struct tellings_quest){.each.due = each, .done.next = done, .arg = arg}, ret_ticket);
	pg_array_fini(&slots);
	pg_array_fini(&hooks);
	return r;
}

/* News of one application are told in their order: each waits until the one before it is told, which alone is
 * asked for, as that one waited itself. It may be of another slot, so the database is asked, not memory. */
#include "store/tellings_body.h"

static const uint32_t ahead_types[] = {PG_INT4, PG_INT8};
static const struct pg_sql sql_ahead = {"tellings_ahead",
    "select p.feed from webhook w, news x, lateral (select o.feed from news o"
    "  where o.application = x.application and (o.seq, o.feed) < (x.seq, x.feed)"
    "  order by o.seq desc, o.feed desc limit 1) p"
    " where w.id = $1 and x.feed = $2 and " NEWS_UNTOLD("p.feed"),
    2, ahead_types};

static void tellings_on_ahead(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	q->done.ahead(q->arg, r, r == KZ_OK && pg_rows(reply, 0) ? (uint64_t)pg_int(reply, 0, 0, 0) : 0);
}

enum kz tellings_ahead(
    struct pg *pg, int32_t id, uint64_t feed, tellings_ahead_fn *done, void *arg, uint64_t *ret_ticket)
{
	uint8_t room[4], number[8];
	const struct pg_value values[] = {pg_int4(id, room), pg_int8((int64_t)feed, number)};

	return tellings_ask(pg, &sql_ahead, 1, values, tellings_on_ahead,
	    (struct tellings_quest){.done.ahead = done, .arg = arg}, ret_ticket);
}

/* Endpoints w that are told news. */
#define NEWS_HEARERS                                                                                         \
	"exists (select from api_key k where k.client = w.client and k.revoked_at is null"                   \
	" and 'records' = any(k.scopes))"

static const uint32_t of_types[] = {PG_INT8, PG_INT4};
static const struct pg_sql sql_of = {"tellings_of",
    "select" NEWS_COLUMNS ", (select string_agg(w.id::text, ',' order by w.id) from webhook w"
    "  where w.disabled_at is null and " NEWS_HEARERS " and " NEWS_UNTOLD(
        "x.feed") ")"
                  " from news x where x.application = $1 order by x.seq desc, x.feed desc limit $2",
    2, of_types};

static void tellings_on_of(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct hook_event e = tellings_read_event(reply, 0, row, 0);

		q->each.news(q->arg, &e, pg_text(reply, 0, row, TOLD_COLUMNS, NULL));
	}
	q->done.all(q->arg, r);
}

enum kz tellings_of(struct pg *pg, uint64_t application, tellings_news_fn *each, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	uint8_t number[8], most[4];
	const struct pg_value values[] = {
	    pg_int8((int64_t)application, number), pg_int4(TELLINGS_NEWS, most)};

	return tellings_ask(pg, &sql_of, 1, values, tellings_on_of,
	    (struct tellings_quest){.each.news = each, .done.all = done, .arg = arg}, ret_ticket);
}

static const uint32_t again_types[] = {PG_INT8, PG_INT4, PG_TIMESTAMPTZ};
static const struct pg_sql sql_again = {"tellings_again",
    "with told as (select feed, lag(feed) over (order by seq, feed) as behind from (select seq, feed from "
    "news"
    "  where application = $1 order by seq desc, feed desc limit $2) n)"
    " insert into webhook_retry (webhook, about, id, slot, attempts, due, at, status, behind)"
    " select w.id, 2, feed, (feed >> 14) & 255, 0, $3, $3, 'replay', behind from told, webhook w"
    " where " NEWS_HEARERS " order by w.id, feed on conflict (webhook, about, id) do update"
    " set attempts = 0, due = excluded.due, status = excluded.status, behind = excluded.behind"
    " returning webhook",
    3, again_types};

static void tellings_on_again(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	q->done.all(q->arg, r == KZ_OK && !pg_rows(reply, 0) ? KZ_NOT_FOUND : r);
}

enum kz tellings_again(struct pg *pg, uint64_t application, int64_t now_us, tellings_done_fn *done, void *arg,
    uint64_t *ret_ticket)
{
	uint8_t number[8], most[4], now[8];
	const struct pg_value values[] = {
	    pg_int8((int64_t)application, number), pg_int4(TELLINGS_NEWS, most), pg_timestamp(now_us, now)};

	return tellings_ask(pg, &sql_again, 1, values, tellings_on_again,
	    (struct tellings_quest){.done.all = done, .arg = arg}, ret_ticket);
}

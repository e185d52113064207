#include "store/watchers.h"

#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/pg_array.h"

struct watcher_quest {
	struct feed *feed;
	struct feed_hold hold;
	watcher_add_fn *done;
	void *arg;
};

static const uint32_t add_types[] = {
    PG_INT8, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_INT4, PG_INT4, PG_INT4, PG_INT8, PG_BYTEA};
static const struct pg_sql sql_add = {
    "watcher_add", "select watcher_add($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9, add_types};

static void watcher_on_added(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct watcher_quest *q = arg;

	feed_heard(q->feed, &q->hold, r, reply);
	feed_release(q->feed, &q->hold);
	q->done(q->arg, r, (enum watcher_verdict)pg_int(reply, 1, 0, 0));
	free(q);
}

static struct pg_job *watcher_job(struct pg *pg, struct watcher_quest *q, const struct watcher_wish *w)
{
	struct pg_job *job = pg_job_new(pg, watcher_on_added, q);
	struct lease_slots slots = {0};
	uint8_t feed[8], application[8], kindergarten[8], now[8], most[4], kind[4], via[4], token[8];
	uint64_t number = feed_number(q->feed, &q->hold, 1);
	const struct pg_value values[] = {pg_int8((int64_t)number, feed),
	    pg_int8((int64_t)w->application, application), pg_int8((int64_t)w->kindergarten, kindergarten),
	    pg_timestamp(w->now_us, now), pg_int4(WATCHERS_MOST, most), pg_int4(NEWS_WATCHED, kind),
	    pg_int4((int32_t)w->via, via), owed_token(w->owed, token), owed_sealed(w->owed)};

	slots.in[ids_slot(number)] = true;
	lease_fence(feed_lease(q->feed), &slots, job);
	pg_job_add(job, &sql_add, values);
	return job;
}

enum kz watcher_add(
    struct pg *pg, struct feed *feed, const struct watcher_wish *w, watcher_add_fn *done, void *arg)
{
	struct watcher_quest *q;

	if (!feed_is_sure(feed))
		return KZ_BUSY;
	q = mem_new(sizeof *q);
	*q = (struct watcher_quest){.feed = feed, .done = done, .arg = arg};
	if (pg_job_run(watcher_job(pg, q, w), NULL) == KZ_OK)
		return KZ_OK;
	feed_release(feed, &q->hold);
	free(q);
	return KZ_BUSY;
}

/* A question of one application. */
struct watcher_ask {
	watcher_each_fn *each;
	watcher_done_fn *done;
	void *arg;
};

static const uint32_t remove_types[] = {PG_INT8, PG_INT8};
/* The notice first, as who sends it ends the watch behind it. */
static const struct pg_sql sql_remove = {"watcher_remove",
    "with dropped as (update notice set state = 4, look_at = null where state = 0 and id = any(array("
    "  select notice from watcher where application = $1 and kindergarten = $2)) returning 1"
    "), gone as (delete from watcher where application = $1 and kindergarten = $2"
    "  and (select count(*) from dropped) >= 0)"
    " select number from application where number = $1",
    2, remove_types};

static void watcher_on_removed(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct watcher_ask *q = arg;

	q->done(q->arg, r == KZ_OK && !pg_rows(reply, 0) ? KZ_NOT_FOUND : r);
}

enum kz watcher_remove(
    struct pg *pg, uint64_t application, uint64_t kindergarten, watcher_done_fn *done, void *arg)
{
	const struct watcher_ask q = {NULL, done, arg};
	uint8_t first[8], second[8];
	const struct pg_value values[] = {
	    pg_int8((int64_t)application, first), pg_int8((int64_t)kindergarten, second)};

	return pg_ask(pg, &sql_remove, values, watcher_on_removed, &q, sizeof q);
}

static const uint32_t list_types[] = {PG_INT8};
static const struct pg_sql sql_list = {"watcher_list",
    "select w.kindergarten, w.at from application a left join watcher w on w.application = a.number"
    " where a.number = $1 order by w.kindergarten",
    1, list_types};

static void watcher_on_listed(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct watcher_ask *q = arg;
	size_t n = pg_rows(reply, 0);

	for (size_t row = 0; r == KZ_OK && row < n; row++)
		if (!pg_is_null(reply, 0, row, 0))
			q->each(q->arg, (uint64_t)pg_int(reply, 0, row, 0), pg_wall_us(reply, 0, row, 1));
	q->done(q->arg, r == KZ_OK && !n ? KZ_NOT_FOUND : r);
}

enum kz watcher_list(
    struct pg *pg, uint64_t application, watcher_each_fn *each, watcher_done_fn *done, void *arg)
{
	const struct watcher_ask q = {each, done, arg};
	uint8_t number[8];
	const struct pg_value value = pg_int8((int64_t)application, number);

	return pg_ask(pg, &sql_list, &value, watcher_on_listed, &q, sizeof q);
}

/* Making is one job; dropping another with a short lock_timeout, because it waits for every reader of the
 * parent and would make all writers queue behind it: what is not dropped this hour is dropped the next.
 * Sweeping is a third: in one transaction with dropping it would be undone with it, and personal data would
 * outlive its time for as long as someone reads messages. */
#include "store/partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/pg_array.h"

#define DAY_MS      86400000LL
#define DAYS_BEHIND 1
#define DAYS_AHEAD  3
#define EVERY_MS    3600000
#define RETRY_MS    1000

struct partitions {
	struct loop *loop;
	struct pg *pg;
	struct partitions_keep keep;
	void (*on_ready)(void *arg, enum kz r, const char *why);
	void *arg;
	struct timer *timer;
	uint64_t making, dropping, sweeping;
	bool ready;
};

static const uint32_t make_types[] = {PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY};
static const struct pg_sql sql_make = {"partitions_make",
    "select partition_make(parent, (day at time zone 'UTC')::date, low, high)"
    " from unnest($1, $2, $3, $4) as p(parent, day, low, high)",
    4, make_types};
static const struct pg_sql sql_lock = {
    "partitions_lock", "select set_config('lock_timeout', '200ms', true)", 0, NULL};
/* Tables without partitions: notices, of which a phone that was sealed into one goes before the notice, and
 * rare ones: receipts of submissions that were never recorded, and unreadable ones,
 * which may hold a number; webhooks of what is gone. */
static const uint32_t sweep_types[] = {PG_TIMESTAMPTZ, PG_INT8, PG_TIMESTAMPTZ};
static const struct pg_sql sql_sweep = {"partitions_sweep",
    "with waiting as (delete from receipt_waiting where at < $1), aside as (delete from receipt_aside where "
    "at < $1), told as (delete from notice where at < $3),"
    " phones as (update notice set sealed = '' where at < $1 and at >= $3 and sealed <> '')"
    " delete from webhook_retry where id < $2",
    3, sweep_types};
static const uint32_t drop_types[] = {PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
static const struct pg_sql sql_drop = {"partitions_drop",
    "select partition_drop('message', ($1 at time zone 'UTC')::date)"
    " + partition_drop('message_event', ($1 at time zone 'UTC')::date)"
    " + partition_drop('news', ($1 at time zone 'UTC')::date)"
    " + partition_drop('message_person', ($2 at time zone 'UTC')::date)"
    " + partition_drop('code', ($2 at time zone 'UTC')::date)"
    " + partition_drop('code_send', ($2 at time zone 'UTC')::date)"
    " + partition_drop('code_wrong', ($2 at time zone 'UTC')::date)"
    " + partition_drop('code_verdict', ($2 at time zone 'UTC')::date)"
    " + partition_drop('idempotency', ($3 at time zone 'UTC')::date)",
    3, drop_types};

static void partitions_drop(struct partitions *p);
static void partitions_sweep(struct partitions *p);

static void partitions_on_refused(struct partitions *p, const struct pg_reply *reply)
{
	/* No permission, no such function: only people change that. A time-out, a deadlock or a lock that is
	 * held passes. */
	bool stays = strncmp(pg_sqlstate(reply), "42", 2) == 0;

	log_error("partitions", "cannot be made: %s (SQLSTATE %s)", pg_message(reply), pg_sqlstate(reply));
	if (stays && !p->ready)
		p->on_ready(p->arg, KZ_REFUSED, pg_message(reply));
	else
		timer_start(p->timer, RETRY_MS);
}

static void partitions_on_made(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct partitions *p = arg;

	p->making = 0;
	if (r == KZ_REFUSED) {
		partitions_on_refused(p, reply);
		return;
	}
	if (r != KZ_OK) {
		timer_start(p->timer, RETRY_MS);
		return;
	}
	timer_start(p->timer, EVERY_MS);
	if (!p->ready)
		p->on_ready(p->arg, KZ_OK, "");
	p->ready = true;
	partitions_drop(p);
	partitions_sweep(p);
}

struct partition_columns {
	struct pg_array parent, day, low, high;
};

static void partitions_put_day(struct partition_columns *c, int64_t day_ms)
{
	static const char *const by_id[] = {"message", "message_person", "message_event", "code", "code_send",
	    "code_wrong", "code_verdict", "news"};
	char low[32], high[32];

	snprintf(low, sizeof low, "%llu", (unsigned long long)ids_floor(day_ms));
	snprintf(high, sizeof high, "%llu", (unsigned long long)ids_floor(day_ms + DAY_MS));
	for (size_t i = 0; i < sizeof by_id / sizeof *by_id; i++) {
		pg_array_text(&c->parent, by_id[i]);
		pg_array_wall_us(&c->day, day_ms * 1000);
		pg_array_text(&c->low, low);
		pg_array_text(&c->high, high);
	}
	clock_rfc3339(day_ms * 1000, low)[10] = '\0';
	clock_rfc3339((day_ms + DAY_MS) * 1000, high)[10] = '\0';
	pg_array_text(&c->parent, "idempotency");
	pg_array_wall_us(&c->day, day_ms * 1000);
	pg_array_text(&c->low, low);
	pg_array_text(&c->high, high);
}

static void partitions_make(void *arg)
{
	struct partitions *p = arg;
	struct partition_columns c = {0};
	int64_t today_ms = clock_wall_ms(loop_clock(p->loop)) / DAY_MS * DAY_MS;
	struct pg_job *job = pg_job_new(p->pg, partitions_on_made, p);

	pg_array_start(&c.parent, PG_TEXT);
	pg_array_start(&c.day, PG_TIMESTAMPTZ);
	pg_array_start(&c.low, PG_TEXT);
	pg_array_start(&c.high, PG_TEXT);
	for (int64_t i = -DAYS_BEHIND; i <= DAYS_AHEAD; i++)
		partitions_put_day(&c, today_ms + i * DAY_MS);
	const struct pg_value values[] = {pg_array_value(&c.parent), pg_array_value(&c.day),
	    pg_array_value(&c.low), pg_array_value(&c.high)};
	pg_job_add(job, &sql_make, values);
	if (pg_job_run(job, &p->making) != KZ_OK)
		timer_start(p->timer, RETRY_MS);
	pg_array_fini(&c.parent);
	pg_array_fini(&c.day);
	pg_array_fini(&c.low);
	pg_array_fini(&c.high);
}

static void partitions_on_dropped(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct partitions *p = arg;

	p->dropping = 0;
	if (r == KZ_OK && pg_rows(reply, 1) && pg_int(reply, 1, 0, 0))
		log_info(
		    "partitions", "dropped=%lld past their retention", (long long)pg_int(reply, 1, 0, 0));
	else if (r != KZ_OK)
		log_info("partitions", "dropping put off for an hour: %s", kz_name(r));
}

static void partitions_drop(struct partitions *p)
{
	int64_t now_us = loop_clock(p->loop)->wall_us();
	uint8_t a[8], b[8], c[8];
	const struct pg_value values[] = {pg_timestamp(now_us - p->keep.messages_ms * 1000, a),
	    pg_timestamp(now_us - p->keep.personal_ms * 1000, b),
	    pg_timestamp(now_us - 2 * DAY_MS * 1000, c)};
	struct pg_job *job = pg_job_new(p->pg, partitions_on_dropped, p);

	pg_job_add(job, &sql_lock, NULL);
	pg_job_add(job, &sql_drop, values);
	if (pg_job_run(job, &p->dropping) != KZ_OK)
		p->dropping = 0;
}

static void partitions_on_swept(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct partitions *p = arg;

	(void)reply;
	p->sweeping = 0;
	if (r != KZ_OK)
		log_warn("partitions", "sweeping put off for an hour: %s", kz_name(r));
}

static void partitions_sweep(struct partitions *p)
{
	uint8_t before[8], low[8], told[8];
	int64_t now_us = loop_clock(p->loop)->wall_us();
	const struct pg_value values[] = {pg_timestamp(now_us - p->keep.personal_ms * 1000, before),
	    pg_int8((int64_t)ids_floor(now_us / 1000 - p->keep.messages_ms), low),
	    pg_timestamp(now_us - p->keep.messages_ms * 1000, told)};
	struct pg_job *job = pg_job_new(p->pg, partitions_on_swept, p);

	pg_job_add(job, &sql_sweep, values);
	if (pg_job_run(job, &p->sweeping) != KZ_OK)
		p->sweeping = 0;
}

struct partitions *partitions_new(struct loop *l, struct pg *pg, const struct partitions_keep *keep,
    void (*on_ready)(void *arg, enum kz r, const char *why), void *arg)
{
	struct partitions *p = mem_new(sizeof *p);

	*p = (struct partitions){.loop = l, .pg = pg, .keep = *keep, .on_ready = on_ready, .arg = arg};
	p->timer = timer_new(l, partitions_make, p);
	timer_start(p->timer, 0);
	return p;
}

void partitions_set_keep(struct partitions *p, const struct partitions_keep *keep)
{
	p->keep = *keep;
}

void partitions_free(struct partitions *p)
{
	if (!p)
		return;
	if (p->making)
		pg_job_cancel(p->pg, p->making);
	if (p->dropping)
		pg_job_cancel(p->pg, p->dropping);
	if (p->sweeping)
		pg_job_cancel(p->pg, p->sweeping);
	timer_free(p->timer);
	free(p);
}

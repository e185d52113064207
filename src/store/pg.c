/* The pool: jobs wait in one line and go, at the end of the loop's round, to the ready connection with the
 * fewest out. A connection takes at most PG_DEPTH jobs, so that what is lost with it stays small and the rest
 * can be refused with KZ_BUSY in time. Sending at once from pg_job_run was not taken: a broken pipe would
 * then call back before the return.
 *
 * Every open job stands in the map by its ticket. Answering, cancelling and passing the deadline take it out
 * and empty it; a sent job keeps its turn on the connection until the server's answer came. */
#include "store/pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/pg_conn.h"
#include "store/pg_job.h"

#define PG_CONNECTIONS 16
#define PG_DEPTH       64

struct pg {
	struct loop *loop;
	struct pg_options options;
	char *conninfo;
	struct pg_conn conns[PG_CONNECTIONS];
	unsigned ready;
	struct list waiting;
	struct map open;
	uint64_t last_ticket;
	struct defer pump;
	struct timer *deadline; /* of the oldest open job, or earlier */
	void (*on_up)(void *arg, bool up);
	void *arg;
	bool stopped;
	bool told; /* the current outage stands in the log */
	char why[256];
	struct metric *jobs_ok, *jobs_refused, *jobs_lost, *jobs_busy, *seconds, *connections, *lost;
};

static void pg_end(struct pg *p, struct pg_job *j, enum kz r, bool never_sent)
{
	if (!j->done)
		return;
	map_remove(&p->open, &j->by_ticket);
	metric_add(r == KZ_OK ? p->jobs_ok : r == KZ_REFUSED ? p->jobs_refused : p->jobs_lost, 1);
	metric_observe_us(p->seconds, loop_clock(p->loop)->mono_us() - j->began_us);
	pg_job_answer(j, r, never_sent);
}

static struct pg_conn *pg_pick(struct pg *p)
{
	struct pg_conn *best = NULL;

	for (unsigned i = 0; i < p->options.connections; i++) {
		struct pg_conn *c = &p->conns[i];

		if (c->state == PG_CONN_READY && !c->broken && c->sent.count < PG_DEPTH &&
		    (!best || c->sent.count < best->sent.count))
			best = c;
	}
	return best;
}

static void pg_on_pump(void *arg)
{
	struct pg *p = arg;
	struct pg_conn *c;

	while (p->waiting.count && (c = pg_pick(p)))
		pg_conn_send(c, list_entry(list_take_first(&p->waiting), struct pg_job, in_line));
	for (unsigned i = 0; i < p->options.connections; i++)
		if (p->conns[i].state == PG_CONN_READY)
			pg_conn_flush(&p->conns[i]);
}

static void pg_pump(struct pg *p)
{
	if (p->waiting.count && p->ready)
		loop_defer(p->loop, &p->pump, pg_on_pump, p);
}

static int64_t pg_left_ms(const struct pg *p, const struct pg_job *j)
{
	int64_t due_us = j->began_us + p->options.job_ms * 1000;

	return (due_us - loop_clock(p->loop)->mono_us() + 999) / 1000;
}

/* The first open job of a line after the expired ones were answered, or NULL. Callbacks may cancel any
 * waiting job, so the line is read from its head each time; sent jobs leave theirs only by the connection. */
static const struct pg_job *pg_expire_waiting(struct pg *p)
{
	struct list_node *n;

	while ((n = list_first(&p->waiting))) {
		struct pg_job *j = list_entry(n, struct pg_job, in_line);

		if (pg_left_ms(p, j) > 0)
			return j;
		list_remove(&p->waiting, n);
		pg_end(p, j, KZ_LOST, true);
		pg_job_free(j);
	}
	return NULL;
}

static const struct pg_job *pg_expire_sent(struct pg *p, struct pg_conn *c)
{
	list_each(&c->sent, n, next)
	{
		struct pg_job *j = list_entry(n, struct pg_job, in_line);

		if (!j->done || c->state != PG_CONN_READY)
			continue;
		if (pg_left_ms(p, j) > 0)
			return j;
		pg_end(p, j, KZ_LOST, false);
	}
	return NULL;
}

static void pg_on_deadline(void *arg)
{
	struct pg *p = arg;
	const struct pg_job *oldest = pg_expire_waiting(p);
	int64_t left = oldest ? pg_left_ms(p, oldest) : p->options.job_ms;

	for (unsigned i = 0; i < p->options.connections; i++) {
		const struct pg_job *j = pg_expire_sent(p, &p->conns[i]);

		if (j && pg_left_ms(p, j) < left)
			left = pg_left_ms(p, j);
	}
	if (p->open.count)
		timer_start(p->deadline, left > 0 ? left : 0);
}

static void pg_on_ready(void *arg, struct pg_conn *c)
{
	struct pg *p = arg;

	(void)c;
	metric_set(p->connections, ++p->ready);
	pg_pump(p);
	if (p->ready > 1)
		return;
	p->told = false;
	p->why[0] = '\0';
	log_info("pg", "connected");
	if (p->on_up)
		p->on_up(p->arg, true);
}

static void pg_on_job(void *arg, struct pg_job *j, enum kz r)
{
	struct pg *p = arg;

	pg_end(p, j, r, false);
	pg_job_free(j);
	pg_pump(p);
}

static void pg_on_lost(void *arg, struct pg_conn *c, bool was_ready)
{
	struct pg *p = arg;

	if (was_ready) {
		metric_add(p->lost, 1);
		metric_set(p->connections, --p->ready);
	}
	log_debug("pg", "connection down why=\"%s\"", c->why);
	if (p->ready)
		return;
	memcpy(p->why, c->why, sizeof p->why);
	if (!p->told)
		log_warn("pg", "no connection to the database why=\"%s\"", p->why);
	p->told = true;
	if (was_ready && p->on_up)
		p->on_up(p->arg, false);
}

static bool pg_has_ticket(const struct map_node *n, const void *key)
{
	return map_entry(n, struct pg_job, by_ticket)->ticket == *(const uint64_t *)key;
}

static void pg_find_metrics(struct pg *p)
{
	static const char jobs[] = "kezek_pg_jobs_total", help[] = "Transactions by their outcome.";

	p->jobs_ok = metric_counter(jobs, help, "result=\"ok\"");
	p->jobs_refused = metric_counter(jobs, help, "result=\"refused\"");
	p->jobs_lost = metric_counter(jobs, help, "result=\"lost\"");
	p->jobs_busy = metric_counter(jobs, help, "result=\"busy\"");
	p->seconds = metric_seconds("kezek_pg_job_seconds", "From a transaction's start to its answer.", "");
	p->connections = metric_gauge("kezek_pg_connections", "Database connections that are ready.", "");
	p->lost = metric_counter("kezek_pg_lost_total", "Ready database connections that broke.", "");
}

struct pg *pg_new(struct loop *l, const struct pg_options *o, void (*on_up)(void *arg, bool up), void *arg)
{
	static const struct pg_conn_events events = {pg_on_ready, pg_on_job, pg_on_lost};
	struct pg *p = mem_new(sizeof *p);

	assert(o->connections >= 1 && o->connections <= PG_CONNECTIONS);
	p->loop = l;
	p->options = *o;
	p->options.conninfo = p->conninfo = mem_str(o->conninfo);
	p->on_up = on_up;
	p->arg = arg;
	list_init(&p->waiting);
	map_init(&p->open, pg_has_ticket);
	p->deadline = timer_new(l, pg_on_deadline, p);
	pg_find_metrics(p);
	for (unsigned i = 0; i < o->connections; i++)
		pg_conn_init(&p->conns[i], l, &p->options, &events, p);
	memcpy(p->why, p->conns[0].why, sizeof p->why);
	return p;
}

void pg_stop(struct pg *p)
{
	struct map_node *n;

	p->stopped = true;
	while ((n = map_any(&p->open)) != NULL) {
		struct pg_job *j = map_entry(n, struct pg_job, by_ticket);

		pg_end(p, j, KZ_LOST, !j->sent);
	}
}

void pg_free(struct pg *p)
{
	struct map_node *open;
	struct list_node *n;

	if (!p)
		return;
	while ((open = map_any(&p->open)))
		map_remove(&p->open, open);
	for (unsigned i = 0; i < p->options.connections; i++)
		pg_conn_fini(&p->conns[i]);
	while ((n = list_take_first(&p->waiting)))
		pg_job_free(list_entry(n, struct pg_job, in_line));
	metric_set(p->connections, 0);
	defer_cancel(&p->pump);
	timer_free(p->deadline);
	map_fini(&p->open);
	free(p->conninfo);
	free(p);
}

bool pg_is_up(const struct pg *p)
{
	return p->ready > 0;
}

const char *pg_why_down(const struct pg *p)
{
	return p->why;
}

size_t pg_jobs(const struct pg *p)
{
	return p->open.count;
}

struct pg_job *pg_job_new(struct pg *p, pg_done_fn *done, void *arg)
{
	struct pg_job *j = pg_job_make(done, arg);

	j->pool = p;
	return j;
}

struct pg_job *pg_job_for(struct pg *p, pg_done_fn *done, const void *quest, size_t size)
{
	struct pg_job *j = pg_job_new(p, done, mem_new(size));

	j->owned = memcpy(j->arg, quest, size);
	return j;
}

/* What may wait: max_jobs, and those that the end of this round will take off the line. */
static size_t pg_room(const struct pg *p)
{
	size_t room = p->options.max_jobs;

	for (unsigned i = 0; i < p->options.connections; i++)
		if (p->conns[i].state == PG_CONN_READY && p->conns[i].sent.count < PG_DEPTH)
			room += PG_DEPTH - p->conns[i].sent.count;
	return room;
}

enum kz pg_job_run(struct pg_job *j, uint64_t *ret_ticket)
{
	struct pg *p = j->pool;

	if (p->stopped || p->waiting.count >= pg_room(p)) {
		metric_add(p->jobs_busy, 1);
		pg_job_free(j);
		return KZ_BUSY;
	}
	j->ticket = ++p->last_ticket;
	j->began_us = loop_clock(p->loop)->mono_us();
	map_put(&p->open, &j->by_ticket, map_hash_u64(j->ticket));
	list_append(&p->waiting, &j->in_line);
	if (!timer_is_armed(p->deadline))
		timer_start(p->deadline, p->options.job_ms);
	pg_pump(p);
	if (ret_ticket)
		*ret_ticket = j->ticket;
	return KZ_OK;
}

enum kz pg_ask(struct pg *p, const struct pg_sql *sql, const struct pg_value *values, pg_done_fn *done,
    const void *quest, size_t size)
{
	struct pg_job *j = pg_job_for(p, done, quest, size);

	pg_job_add(j, sql, values);
	return pg_job_run(j, NULL);
}

void pg_job_cancel(struct pg *p, uint64_t ticket)
{
	struct map_node *n = map_get(&p->open, map_hash_u64(ticket), &ticket);
	struct pg_job *j;

	if (!n)
		return;
	map_remove(&p->open, n);
	j = map_entry(n, struct pg_job, by_ticket);
	j->done = NULL;
	if (j->sent)
		return;
	list_remove(&p->waiting, &j->in_line);
	pg_job_free(j);
}

/* Each age has a cursor over all sendings in the order of their messages, which is that of time: once a
 * second what has come to that age since is read, a page at a time, one question after the other. So nothing
 * is kept in memory of a code that is under way, and a restart loses nothing; a list of all of them would be
 * 300,000 entries at 1,000 a second, and would have to be read back. What is kept are those few whose wait is
 * not over when their turn comes, because an operator took them late. */
#include "flow/rescue.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/ids.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "rules/code.h"

#define TICK_MS    1000
#define PAGE       1000
#define WATCH_MOST 10000 /* messages that are looked at by themselves */
#define WATCH_PAGE 500
#define WATCH_MS   20 /* ends gather for so long */
/* Of a slot that is taken what may still be open is looked at: longer than any code lives, and a commit
 * takes. */
#define BACK_MS (CODE_LIFE_MAX_MS + 60000)

/* What has come to an age. */
struct rung {
	int64_t age_ms;
	uint64_t cursor; /* all up to it was looked at */
};

struct rescue {
	struct loop *loop;
	struct pg *pg;
	const struct rescue_events *events;
	void *arg;
	bool held[IDS_SLOTS], stopped;
	struct rung *rungs;
	size_t rungs_n, rung;     /* rung: whose turn it is */
	uint64_t upto;            /* of the page that is out */
	uint64_t reading, asking; /* tickets, 0: none is out */
	struct timer *tick, *watch_timer;
	struct heap watched;        /* struct watch, by when they are looked at */
	uint64_t asked[WATCH_PAGE]; /* by the question that is out */
	size_t asked_n;
	struct metric *watched_gauge, *unwatched;
};

/* A message that is looked at by itself. */
struct watch {
	struct heap_node due;
	uint64_t message_id;
};

static void rescue_read(void *arg);
static void rescue_ask(void *arg);

struct rescue *rescue_new(struct loop *l, struct pg *pg, const struct rescue_events *events, void *arg)
{
	struct rescue *r = mem_new(sizeof *r);

	*r = (struct rescue){.loop = l, .pg = pg, .events = events, .arg = arg};
	r->tick = timer_new(l, rescue_read, r);
	r->watch_timer = timer_new(l, rescue_ask, r);
	r->watched_gauge = metric_gauge("kezek_codes_watched",
	    "Messages that may have failed to bring a code and are looked at in a moment", "");
	r->unwatched = metric_counter("kezek_codes_unwatched_total",
	    "Messages that ended badly and were not looked at by themselves, since too many were", "");
	return r;
}

static bool rescue_holds(const struct rescue *r)
{
	return memchr(r->held, true, sizeof r->held) != NULL;
}

static void rescue_go_back(struct rescue *r, uint64_t to)
{
	for (size_t i = 0; i < r->rungs_n; i++)
		if (r->rungs[i].cursor > to)
			r->rungs[i].cursor = to;
}

static int64_t rescue_now_ms(const struct rescue *r)
{
	return clock_wall_ms(loop_clock(r->loop));
}

static const struct rung *rung_find(const struct rung *rungs, size_t n, int64_t age_ms)
{
	for (size_t i = 0; i < n; i++)
		if (rungs[i].age_ms == age_ms)
			return &rungs[i];
	return NULL;
}

/* had: those before, whose cursors are taken over. */
static void rescue_add_age(struct rescue *r, int64_t age_ms, const struct rung *had, size_t had_n)
{
	const struct rung *before = rung_find(had, had_n, age_ms);

	if (!rung_find(r->rungs, r->rungs_n, age_ms))
		r->rungs[r->rungs_n++] =
		    (struct rung){age_ms, before ? before->cursor : ids_floor(rescue_now_ms(r) - BACK_MS)};
}

/* Its cursor stays: it is read again, of the slots that are held then. */
static void rescue_drop_page(struct rescue *r)
{
	if (r->reading)
		pg_job_cancel(r->pg, r->reading);
	r->reading = 0;
}

static void rescue_begin(struct rescue *r)
{
	if (rescue_holds(r) && !r->stopped)
		timer_start(r->tick, 0);
}

/* After the longest life comes the last look: a code that was sent again with an end of its own. */
void rescue_set_ages(struct rescue *r, const int64_t *ages_ms, size_t n)
{
	struct rung *had = r->rungs;
	size_t had_n = r->rungs_n;

	rescue_drop_page(r);
	r->rungs = mem_array(n + 1, sizeof *r->rungs);
	r->rungs_n = r->rung = 0;
	for (size_t i = 0; i < n; i++)
		rescue_add_age(r, ages_ms[i], had, had_n);
	rescue_add_age(r, CODE_LIFE_MAX_MS, had, had_n);
	free(had);
	rescue_begin(r);
}

void rescue_take_slot(struct rescue *r, uint8_t slot, uint64_t newest)
{
	int64_t newest_ms = ids_wall_ms(newest), now_ms = rescue_now_ms(r);

	r->held[slot] = true;
	rescue_drop_page(r);
	rescue_go_back(r, ids_floor((newest && newest_ms < now_ms ? newest_ms : now_ms) - BACK_MS));
	rescue_begin(r);
}

void rescue_leave_slot(struct rescue *r, uint8_t slot)
{
	r->held[slot] = false;
}

void rescue_lose_slots(struct rescue *r)
{
	memset(r->held, 0, sizeof r->held);
	rescue_drop_page(r);
}

static void rescue_watch(struct rescue *r, uint64_t message_id, int64_t wait_ms)
{
	struct watch *w;

	if (r->stopped)
		return;
	if (r->watched.count >= WATCH_MOST) {
		metric_add(r->unwatched, 1);
		return;
	}
	w = mem_new(sizeof *w);
	w->message_id = message_id;
	heap_set(&r->watched, &w->due, loop_now_ms(r->loop) + wait_ms);
	metric_set(r->watched_gauge, (double)r->watched.count);
	if (!r->asking && heap_first(&r->watched) == &w->due)
		timer_start(r->watch_timer, wait_ms);
}

void rescue_hear(struct rescue *r, uint64_t message_id)
{
	rescue_watch(r, message_id, WATCH_MS);
}

void rescue_again(struct rescue *r, uint64_t message_id)
{
	rescue_watch(r, message_id, TICK_MS);
}

/* Whether another way is there its owner sees, who knows the number. */
static void rescue_on_due(void *arg, const struct rescue_due *d)
{
	struct rescue *r = arg;
	struct remedy_rule rule;
	const struct remedy_past past = {
	    d->state, d->sent_us / 1000, d->submitted_us / 1000, d->second, .elsewhere = true};

	if (d->over) {
		r->events->on_over(r->arg, d->code);
	} else if (r->events->rule(r->arg, d->purpose, &rule)) {
		const struct remedy_plan plan = remedy_plan(&rule, &past, rescue_now_ms(r));

		if (plan.remedy != REMEDY_NONE)
			r->events->on_lost(r->arg, d, &rule);
		else if (plan.wait_ms > 0)
			rescue_watch(r, d->message_id, plan.wait_ms);
	}
}

static void rescue_on_page(void *arg, enum kz kz, size_t looked, uint64_t last)
{
	struct rescue *r = arg;
	struct rung *rung = &r->rungs[r->rung];
	bool whole = looked < PAGE;

	r->reading = 0;
	if (kz == KZ_OK) {
		rung->cursor = whole ? r->upto : last;
		r->rung += whole;
	}
	timer_start(r->tick, kz == KZ_OK ? 0 : TICK_MS);
}

/* The next page of whose turn it is; when all have had theirs, in a second. */
static void rescue_read(void *arg)
{
	struct rescue *r = arg;
	int64_t now_us = loop_clock(r->loop)->wall_us();

	if (r->reading || r->stopped || !rescue_holds(r))
		return;
	for (; r->rung < r->rungs_n; r->rung++) {
		const struct rung *rung = &r->rungs[r->rung];

		r->upto = ids_floor(now_us / 1000 - rung->age_ms);
		if (r->upto > rung->cursor)
			break;
	}
	const struct rescues_page page = {
	    r->held, r->rung < r->rungs_n ? r->rungs[r->rung].cursor : 0, r->upto, PAGE, now_us};
	if (r->rung == r->rungs_n)
		r->rung = 0;
	else if (rescues_read(r->pg, &page, rescue_on_due, rescue_on_page, r, &r->reading) == KZ_OK)
		return;
	timer_start(r->tick, TICK_MS);
}

static void rescue_arm_watch(struct rescue *r)
{
	const struct heap_node *first = heap_first(&r->watched);
	int64_t wait_ms = first ? first->key - loop_now_ms(r->loop) : 0;

	metric_set(r->watched_gauge, (double)r->watched.count);
	if (first && !r->stopped)
		timer_start(r->watch_timer, wait_ms > 0 ? wait_ms : 0);
}

/* What could not be asked about now is asked about in a second. */
static void rescue_on_asked(void *arg, enum kz kz, size_t looked, uint64_t last)
{
	struct rescue *r = arg;

	for (size_t i = 0; i < r->asked_n && kz != KZ_OK; i++)
		rescue_watch(r, r->asked[i], TICK_MS);
	(void)looked;
	(void)last;
	r->asking = 0;
	rescue_arm_watch(r);
}

static void rescue_ask(void *arg)
{
	struct rescue *r = arg;
	int64_t now_ms = loop_now_ms(r->loop);
	struct heap_node *first;

	if (r->asking)
		return;
	r->asked_n = 0;
	while (r->asked_n < WATCH_PAGE && (first = heap_first(&r->watched)) != NULL && first->key <= now_ms) {
		struct watch *w = heap_entry(first, struct watch, due);

		heap_remove(&r->watched, first);
		r->asked[r->asked_n++] = w->message_id;
		free(w);
	}
	if (!r->asked_n)
		rescue_arm_watch(r);
	else if (rescues_of(r->pg, r->asked, r->asked_n, loop_clock(r->loop)->wall_us(), rescue_on_due,
	             rescue_on_asked, r, &r->asking) != KZ_OK)
		rescue_on_asked(r, KZ_BUSY, 0, 0);
}

void rescue_stop(struct rescue *r)
{
	r->stopped = true;
	timer_stop(r->tick);
	timer_stop(r->watch_timer);
}

void rescue_free(struct rescue *r)
{
	struct heap_node *first;

	if (!r)
		return;
	if (r->reading)
		pg_job_cancel(r->pg, r->reading);
	if (r->asking)
		pg_job_cancel(r->pg, r->asking);
	while ((first = heap_first(&r->watched)) != NULL) {
		heap_remove(&r->watched, first);
		free(heap_entry(first, struct watch, due));
	}
	heap_fini(&r->watched);
	timer_free(r->tick);
	timer_free(r->watch_timer);
	free(r->rungs);
	free(r);
}

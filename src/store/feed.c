/* Numbers only rise, so the holds stand in their order and the first is the lowest. A row keeps its number
 * when it is written again: the first try may have been committed unheard, and a second number would be a
 * second end.
 *
 * What was abandoned may commit at any later time: it may not have begun, or hang until a standby comes back.
 * So the server is asked, by feed_shut, until it is over there and, if it has not begun, never will. No time
 * of our own would be long enough. */
#include "store/feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/pg_array.h"

#define DOUBT_MS 1000

struct feed {
	struct loop *loop;
	struct pg *pg;
	const struct lease *lease;
	struct ids ids;
	int slot;
	unsigned term;       /* counts losses of the slot */
	struct list held;    /* struct feed_hold, by their numbers */
	struct list doubted; /* struct feed_doubt; the first is asked about */
	struct metric *doubts;
	uint64_t asking;     /* ticket, 0: no question is out */
	struct timer *timer; /* the next question */
	struct defer soon;
	loop_fn *on_change;
	void *arg;
};

/* A hold whose owner has gone. */
struct feed_doubt {
	struct feed_hold hold;
	struct list_node node;
};

static void feed_tell(void *arg)
{
	struct feed *f = arg;

	f->on_change(f->arg);
}

static void feed_changed(struct feed *f)
{
	if (f->on_change)
		loop_defer(f->loop, &f->soon, feed_tell, f);
}

static struct feed_doubt *feed_first_doubt(const struct feed *f)
{
	struct list_node *n = list_first(&f->doubted);

	return n ? list_entry(n, struct feed_doubt, node) : NULL;
}

/* They are committed, or never will be. */
static void feed_drop(struct feed *f, struct feed_hold *h)
{
	bool was_low = list_first(&f->held) == &h->node;

	list_remove(&f->held, &h->node);
	h->first = 0;
	h->lost = false;
	if (was_low)
		feed_changed(f);
}

static void feed_settle(struct feed *f, struct feed_doubt *d)
{
	list_remove(&f->doubted, &d->node);
	metric_set(f->doubts, (double)f->doubted.count);
	feed_drop(f, &d->hold);
	free(d);
}

static const struct pg_sql sql_shut = {"feed_shut", "select feed_shut($1)", 1, (const uint32_t[]){PG_INT8}};

/* Refused: another has the slot, and waited for all that was written under our epoch. */
static void feed_on_shut(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct feed *f = arg;
	bool over = r == KZ_OK ? pg_int(reply, 1, 0, 0) != 0 : !strcmp(pg_sqlstate(reply), LEASE_REFUSED);

	f->asking = 0;
	if (over)
		feed_settle(f, feed_first_doubt(f));
	if (f->doubted.count)
		timer_start(f->timer, over ? 0 : DOUBT_MS);
}

static void feed_ask(void *arg)
{
	struct feed *f = arg;
	uint8_t room[8];
	uint64_t first = feed_first_doubt(f)->hold.first;
	const struct pg_value value = pg_int8((int64_t)first, room);
	struct pg_job *job = pg_job_new(f->pg, feed_on_shut, f);
	struct lease_slots slots = {0};

	slots.in[ids_slot(first)] = true;
	lease_fence(f->lease, &slots, job);
	pg_job_add(job, &sql_shut, &value);
	if (pg_job_run(job, &f->asking) != KZ_OK)
		timer_start(f->timer, DOUBT_MS);
}

struct feed *feed_new(struct loop *l, struct pg *pg, const struct lease *lease)
{
	struct feed *f = mem_new(sizeof *f);

	*f = (struct feed){.loop = l, .pg = pg, .lease = lease, .slot = -1};
	list_init(&f->held);
	list_init(&f->doubted);
	f->timer = timer_new(l, feed_ask, f);
	f->doubts = metric_gauge("kezek_webhooks_feed_doubts",
	    "Writes of ends that were given up and may still be committed; webhooks wait for them", "");
	return f;
}

void feed_on_change(struct feed *f, loop_fn *on_change, void *arg)
{
	f->on_change = on_change;
	f->arg = arg;
}

/* Whoever takes the slot waits for all that was written under the old epoch: slot_raise. */
static void feed_lose_slot(struct feed *f)
{
	f->term++;
	if (f->asking)
		pg_job_cancel(f->pg, f->asking);
	f->asking = 0;
	timer_stop(f->timer);
	while (f->doubted.count)
		feed_settle(f, feed_first_doubt(f));
}

void feed_set_slot(struct feed *f, int slot, uint64_t newest)
{
	if (slot < 0 && f->slot >= 0)
		feed_lose_slot(f);
	f->slot = slot;
	if (slot >= 0)
		f->ids.slot = (uint8_t)slot;
	/* from the next millisecond on: within one, another slot's number says nothing of ours */
	ids_after(&f->ids, newest ? ids_floor(ids_wall_ms(newest) + 1) : 0);
	feed_changed(f);
}

int feed_slot(const struct feed *f)
{
	return f->slot;
}

bool feed_is_sure(const struct feed *f)
{
	return f->slot >= 0 && !f->doubted.count;
}

const struct lease *feed_lease(const struct feed *f)
{
	return f->lease;
}

uint64_t feed_number(struct feed *f, struct feed_hold *h, unsigned n)
{
	if (h->first && (f->slot < 0 || h->term == f->term))
		return h->first;
	assert(f->slot >= 0);
	if (h->first)
		list_remove(&f->held, &h->node);
	h->first = ids_reserve(&f->ids, clock_wall_ms(loop_clock(f->loop)), n);
	h->n = n;
	h->term = f->term;
	h->lost = false;
	list_append(&f->held, &h->node);
	return h->first;
}

/* From now on they are held by the feed itself. */
static void feed_doubt(struct feed *f, struct feed_hold *h)
{
	struct feed_doubt *d = mem_new(sizeof *d);

	d->hold = (struct feed_hold){.first = h->first, .n = h->n, .term = h->term};
	list_insert_after(&f->held, &h->node, &d->hold.node);
	list_remove(&f->held, &h->node);
	h->first = 0;
	h->lost = false;
	list_append(&f->doubted, &d->node);
	metric_set(f->doubts, (double)f->doubted.count);
	if (!f->asking && !timer_is_armed(f->timer))
		timer_start(f->timer, 0);
}

void feed_heard(struct feed *f, struct feed_hold *h, enum kz r, const struct pg_reply *reply)
{
	if (!h->first)
		return;
	if (r == KZ_LOST && !pg_reply_undone(reply))
		h->lost = true;
	else if (r == KZ_OK)
		feed_drop(f, h);
	else
		feed_release(f, h);
}

/* Of a slot that was lost nothing is in doubt. */
void feed_release(struct feed *f, struct feed_hold *h)
{
	if (h->first && h->lost && h->term == f->term)
		feed_doubt(f, h);
	else if (h->first)
		feed_drop(f, h);
}

void feed_abandon(struct feed *f, struct feed_hold *h)
{
	h->lost = true;
	feed_release(f, h);
}

uint64_t feed_low(const struct feed *f)
{
	const struct list_node *n = list_first(&f->held);

	return n ? list_entry(n, const struct feed_hold, node)->first : ids_bound(&f->ids);
}

void feed_free(struct feed *f)
{
	struct feed_doubt *d;

	if (!f)
		return;
	while ((d = feed_first_doubt(f)) != NULL) {
		list_remove(&f->doubted, &d->node);
		free(d);
	}
	if (f->asking)
		pg_job_cancel(f->pg, f->asking);
	timer_free(f->timer);
	defer_cancel(&f->soon);
	free(f);
}

/* Numbers only rise, so the holds stand in their order and the first is the lowest. A row keeps its number
 * when it is written again: the first try may have been committed unheard, and a second number would be a
 * second end. */
#include "store/feed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"

struct feed {
	struct loop *loop;
	const struct lease *lease;
	struct ids ids;
	int slot;
	unsigned term; /* counts losses of the slot */
	int64_t doubt_ms;
	struct list held;    /* struct feed_hold, by their numbers */
	struct list doubted; /* struct feed_doubt, by their ends */
	struct timer *timer;
	struct defer soon;
	loop_fn *on_change;
	void *arg;
};

/* A hold whose owner has gone. */
struct feed_doubt {
	struct feed_hold hold;
	struct list_node node;
	int64_t end_ms;
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

static void feed_on_timer(void *arg)
{
	struct feed *f = arg;
	struct feed_doubt *d;

	while ((d = feed_first_doubt(f)) != NULL && d->end_ms <= loop_now_ms(f->loop)) {
		list_remove(&f->doubted, &d->node);
		feed_release(f, &d->hold);
		free(d);
	}
	if (d)
		timer_start(f->timer, d->end_ms - loop_now_ms(f->loop));
}

struct feed *feed_new(struct loop *l, const struct lease *lease, int64_t doubt_ms)
{
	struct feed *f = mem_new(sizeof *f);

	*f = (struct feed){.loop = l, .lease = lease, .slot = -1, .doubt_ms = doubt_ms};
	list_init(&f->held);
	list_init(&f->doubted);
	f->timer = timer_new(l, feed_on_timer, f);
	return f;
}

void feed_on_change(struct feed *f, loop_fn *on_change, void *arg)
{
	f->on_change = on_change;
	f->arg = arg;
}

void feed_set_slot(struct feed *f, int slot, uint64_t newest)
{
	if (slot < 0 && f->slot >= 0)
		f->term++;
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
	list_append(&f->held, &h->node);
	return h->first;
}

void feed_release(struct feed *f, struct feed_hold *h)
{
	if (!h->first)
		return;
	bool was_low = list_first(&f->held) == &h->node;
	list_remove(&f->held, &h->node);
	h->first = 0;
	if (was_low)
		feed_changed(f);
}

void feed_abandon(struct feed *f, struct feed_hold *h)
{
	struct feed_doubt *d;

	if (!h->first)
		return;
	d = mem_new(sizeof *d);
	d->hold = (struct feed_hold){.first = h->first, .n = h->n, .term = h->term};
	d->end_ms = loop_now_ms(f->loop) + f->doubt_ms;
	list_insert_after(&f->held, &h->node, &d->hold.node);
	list_remove(&f->held, &h->node);
	h->first = 0;
	list_append(&f->doubted, &d->node);
	if (!timer_is_armed(f->timer))
		timer_start(f->timer, f->doubt_ms);
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
	timer_free(f->timer);
	defer_cancel(&f->soon);
	free(f);
}

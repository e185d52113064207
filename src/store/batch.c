#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"

#define PAUSE_MS 100 /* after a loss: its items often come back at once */

struct batch {
	struct loop *loop;
	struct pg *pg;
	const struct batch_kind *kind;
	struct batch_limits limits;
	void *arg;
	struct list waiting, flights;
	size_t items_in_flight;
	int64_t pause_until_ms;
	struct timer *timer;
	struct defer soon;
	struct metric *items_total, *flights_total, *waiting_gauge;
};

/* One job and the items that it carries. */
struct flight {
	struct list_node node;
	struct batch *batch;
	struct list items;
	uint64_t ticket;
};

static void batch_pump(void *arg);

struct batch *batch_new(struct loop *l, struct pg *pg, const struct batch_kind *kind,
    const struct batch_limits *limits, void *arg)
{
	struct batch *b = mem_new(sizeof *b);
	char *labels = mem_printf("kind=\"%s\"", kind->name);

	*b = (struct batch){.loop = l, .pg = pg, .kind = kind, .limits = *limits, .arg = arg};
	list_init(&b->waiting);
	list_init(&b->flights);
	b->timer = timer_new(l, batch_pump, b);
	b->items_total = metric_counter("kezek_batch_items_total", "Rows committed in groups", labels);
	b->flights_total = metric_counter("kezek_batch_flights_total", "Group commits sent", labels);
	b->waiting_gauge = metric_gauge("kezek_batch_waiting", "Rows that wait for a group commit", labels);
	free(labels);
	return b;
}

void batch_set_limits(struct batch *b, const struct batch_limits *limits)
{
	b->limits = *limits;
}

static void flight_free(struct flight *f)
{
	list_remove(&f->batch->flights, &f->node);
	f->batch->items_in_flight -= f->items.count;
	free(f);
}

static void flight_on_done(void *arg, enum kz r, const struct pg_reply *reply);

/* false: the database takes no more jobs now; the items stay with the flight's list. */
static bool flight_send(struct flight *f)
{
	struct pg_job *job = pg_job_new(f->batch->pg, flight_on_done, f);

	f->batch->kind->build(f->batch->arg, &f->items, job);
	metric_add(f->batch->flights_total, 1);
	return pg_job_run(job, &f->ticket) == KZ_OK;
}

static struct flight *flight_new(struct batch *b)
{
	struct flight *f = mem_new(sizeof *f);

	f->batch = b;
	list_init(&f->items);
	list_append(&b->flights, &f->node);
	return f;
}

static void flight_fill(struct flight *f, struct list *from, size_t n)
{
	while (f->items.count < n && from->count)
		list_append(&f->items, list_take_first(from));
	f->batch->items_in_flight += f->items.count;
}

/* Back to the head of the queue, in their order. */
static void flight_give_back(struct flight *f)
{
	struct batch *b = f->batch;

	b->items_in_flight -= f->items.count;
	while (f->items.count) {
		struct list_node *last = f->items.head.prev;

		list_remove(&f->items, last);
		list_prepend(&b->waiting, last);
	}
	flight_free(f);
}

static bool batch_launch(struct batch *b, struct list *from, size_t n)
{
	struct flight *f = flight_new(b);

	flight_fill(f, from, n);
	if (flight_send(f))
		return true;
	flight_give_back(f);
	return false;
}

static bool batch_is_ripe(const struct batch *b, int64_t now_ms)
{
	const struct batch_item *first = list_entry(list_first(&b->waiting), struct batch_item, node);

	return !b->flights.count || b->waiting.count >= b->limits.rows ||
	       now_ms - first->added_ms >= b->limits.wait_ms;
}

static void batch_pump(void *arg)
{
	struct batch *b = arg;
	int64_t now_ms = loop_now_ms(b->loop);
	bool sent = now_ms >= b->pause_until_ms;

	while (sent && b->waiting.count && b->flights.count < b->limits.in_flight && batch_is_ripe(b, now_ms))
		sent = batch_launch(b, &b->waiting, b->limits.rows);
	metric_set(b->waiting_gauge, (double)b->waiting.count);
	/* With all flights out the next to return pumps; a refused launch is tried again soon. */
	if (b->waiting.count && (!sent || b->flights.count < b->limits.in_flight) &&
	    !timer_is_armed(b->timer))
		timer_start(b->timer, sent ? b->limits.wait_ms : PAUSE_MS / 2);
}

/* The poisoned one is in one of the halves; the other half commits. */
static void flight_halve(struct flight *f)
{
	struct batch *b = f->batch;
	struct list items;
	size_t half = f->items.count / 2, rest = f->items.count - half;

	list_init(&items);
	b->items_in_flight -= f->items.count;
	while (f->items.count)
		list_append(&items, list_take_first(&f->items));
	flight_free(f);
	if (batch_launch(b, &items, half) && batch_launch(b, &items, rest))
		return;
	while (items.count) {
		struct list_node *last = items.head.prev;

		list_remove(&items, last);
		list_prepend(&b->waiting, last);
	}
}

/* Only wrong data (class 22) and broken constraints (23) are an item's own fault. A deadlock, a time-out, a
 * missing right are the database's: nothing happened, and the same items may pass later. */
static bool batch_is_poison(const struct pg_reply *reply)
{
	return !strncmp(pg_sqlstate(reply), "22", 2) || !strncmp(pg_sqlstate(reply), "23", 2);
}

static void flight_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct flight *f = arg;
	struct batch *b = f->batch;
	size_t index = 0;

	if (r == KZ_REFUSED && !batch_is_poison(reply))
		r = KZ_LOST;
	if (r == KZ_LOST)
		b->pause_until_ms = loop_now_ms(b->loop) + PAUSE_MS;
	if (r == KZ_REFUSED && f->items.count > 1) {
		flight_halve(f);
		batch_pump(b);
		return;
	}
	if (r == KZ_OK)
		metric_add(b->items_total, f->items.count);
	b->items_in_flight -= f->items.count;
	while (f->items.count) {
		struct list_node *n = list_take_first(&f->items);

		b->kind->done(b->arg, list_entry(n, struct batch_item, node), r, reply, index++);
	}
	flight_free(f);
	batch_pump(b);
}

void batch_add(struct batch *b, struct batch_item *item)
{
	item->added_ms = loop_now_ms(b->loop);
	list_append(&b->waiting, &item->node);
	if (b->flights.count < b->limits.in_flight &&
	    (!b->flights.count || b->waiting.count >= b->limits.rows))
		loop_defer(b->loop, &b->soon, batch_pump, b);
	else if (!timer_is_armed(b->timer))
		timer_start(b->timer, b->limits.wait_ms);
}

size_t batch_waiting(const struct batch *b)
{
	return b->waiting.count;
}

size_t batch_in_flight(const struct batch *b)
{
	return b->items_in_flight;
}

struct batch_item *batch_take_waiting(struct batch *b)
{
	struct list_node *n = list_take_first(&b->waiting);

	return n ? list_entry(n, struct batch_item, node) : NULL;
}

void batch_stop(struct batch *b)
{
	struct list_node *n;

	b->limits.in_flight = 0;
	while ((n = list_first(&b->flights)) != NULL) {
		struct flight *f = list_entry(n, struct flight, node);

		pg_job_cancel(b->pg, f->ticket);
		flight_give_back(f);
	}
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	batch_stop(b);
	timer_free(b->timer);
	defer_cancel(&b->soon);
	free(b);
}

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
	size_t waiting_weight, items_in_flight;
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

static size_t item_weight(const struct list_node *n)
{
	size_t weight = list_entry(n, const struct batch_item, node)->weight;

	return weight ? weight : 1;
}

static struct list_node *waiting_take_first(struct batch *b)
{
	struct list_node *n = list_take_first(&b->waiting);

	if (n)
		b->waiting_weight -= item_weight(n);
	return n;
}

/* Back to the head of the queue, in their order. */
static void waiting_take_back(struct batch *b, struct list *items)
{
	while (items->count) {
		struct list_node *last = items->head.prev;

		list_remove(items, last);
		list_prepend(&b->waiting, last);
		b->waiting_weight += item_weight(last);
	}
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

/* Of those that wait as many as may go together, one at least. */
static void flight_board(struct flight *f)
{
	struct batch *b = f->batch;
	struct list_node *n;
	size_t weight = 0;

	while ((n = list_first(&b->waiting)) != NULL) {
		weight += item_weight(n);
		if (f->items.count && weight > b->limits.rows)
			break;
		list_append(&f->items, waiting_take_first(b));
	}
	b->items_in_flight += f->items.count;
}

static void flight_give_back(struct flight *f)
{
	struct batch *b = f->batch;

	b->items_in_flight -= f->items.count;
	waiting_take_back(b, &f->items);
	flight_free(f);
}

static bool batch_launch(struct batch *b)
{
	struct flight *f = flight_new(b);

	flight_board(f);
	if (flight_send(f))
		return true;
	flight_give_back(f);
	return false;
}

static bool batch_is_ripe(const struct batch *b, int64_t now_ms)
{
	const struct batch_item *first = list_entry(list_first(&b->waiting), struct batch_item, node);

	return !b->flights.count || b->waiting_weight >= b->limits.rows ||
	       now_ms - first->added_ms >= b->limits.wait_ms;
}

static void batch_pump(void *arg)
{
	struct batch *b = arg;
	int64_t now_ms = loop_now_ms(b->loop);
	bool sent = now_ms >= b->pause_until_ms;

	while (sent && b->waiting.count && b->flights.count < b->limits.in_flight && batch_is_ripe(b, now_ms))
		sent = batch_launch(b);
	metric_set(b->waiting_gauge, (double)b->waiting.count);
	/* With all flights out the next to return pumps; a refused launch is tried again soon. */
	if (b->waiting.count && (!sent || b->flights.count < b->limits.in_flight) &&
	    !timer_is_armed(b->timer))
		timer_start(b->timer, sent ? b->limits.wait_ms : PAUSE_MS / 2);
}

/* The poisoned one is in one of the halves; the other half commits. */
static void flight_halve(struct flight *f)
{
	struct flight *tail = flight_new(f->batch);
	size_t half = f->items.count / 2;
	bool sent;

	while (f->items.count > half) {
		struct list_node *last = f->items.head.prev;

		list_remove(&f->items, last);
		list_prepend(&tail->items, last);
	}
	sent = flight_send(f);
	if (!sent || !flight_send(tail))
		flight_give_back(tail);
	if (!sent)
		flight_give_back(f);
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
	b->waiting_weight += item_weight(&item->node);
	if (b->flights.count < b->limits.in_flight &&
	    (!b->flights.count || b->waiting_weight >= b->limits.rows))
		loop_defer(b->loop, &b->soon, batch_pump, b);
	else if (!timer_is_armed(b->timer))
		timer_start(b->timer, b->limits.wait_ms);
}

/* Rows come in the order of the items, most likely. */
size_t batch_row(const struct pg_reply *reply, unsigned statement, size_t index)
{
	size_t n = pg_rows(reply, statement);

	for (size_t i = 0; i < n; i++) {
		size_t row = (index + i) % n;

		if (pg_int(reply, statement, row, 0) == (int64_t)index)
			return row;
	}
	return n;
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
	struct list_node *n = waiting_take_first(b);

	return n ? list_entry(n, struct batch_item, node) : NULL;
}

void batch_stop(struct batch *b)
{
	b->limits.in_flight = 0;
	while (b->flights.count) { /* the last first, so that their items stand in order again */
		struct flight *f = list_entry(b->flights.head.prev, struct flight, node);

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

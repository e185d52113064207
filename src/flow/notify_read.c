/* notify_read: what is to be told: the feed of each slot, a page at a time and as far as memory has room, and
 * what is due to be told again; and how far all came, noted once a second.
 *
 * All who are at the same place of a slot read one page together. Whoever has read up to the bound is at that
 * bound, and these wait for one moment: so the endpoints with nothing to tell cost one question, not one
 * each. Who lags behind reads alone, at once, until it is there too. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/notify_body.h"

#define READ_PAGE     200
#define READ_MS       20 /* ends gather for so long, to be read together */
#define READ_RETRY_MS 500
#define LOOK_MS       5000 /* other daemons replay too */
#define LOOK_MOST     100

static struct teller *teller_find(const struct endpoint *e, uint8_t slot)
{
	for (struct list_node *at = list_first(&e->tellers); at; at = list_next(&e->tellers, at)) {
		struct teller *t = list_entry(at, struct teller, node);

		if (t->slot == slot)
			return t;
	}
	return NULL;
}

static struct teller *teller_new(struct endpoint *e, uint8_t slot)
{
	struct teller *t = mem_new(sizeof *t);

	t->endpoint = e;
	t->slot = slot;
	list_init(&t->notes);
	list_append(&e->tellers, &t->node);
	return t;
}

void teller_begin(struct endpoint *e, uint8_t slot, uint64_t cursor)
{
	struct teller *t = teller_find(e, slot);

	if (!t)
		t = teller_new(e, slot);
	if (t->held)
		return;
	t->held = true;
	t->saved = cursor;
	if (t->cursor < cursor)
		t->cursor = cursor;
	t->read_to = t->seen = t->cursor;
	t->bare_before = 0;
	t->behind = true;
}

static void reading_free(struct reading *r)
{
	if (r->ticket)
		pg_job_cancel(r->notify->pg, r->ticket);
	list_remove(&r->notify->readings, &r->node);
	free(r);
}

static void reading_leave(struct teller *t)
{
	struct reading *r = t->reading;

	if (!r)
		return;
	t->reading = NULL;
	list_remove(&r->tellers, &t->in_reading);
	if (!r->tellers.count)
		reading_free(r);
}

void teller_leave(struct teller *t)
{
	reading_leave(t);
	t->leaving = t->held;
	t->held = false;
	list_each(&t->notes, at, next) note_leave(list_entry(at, struct note, node));
}

void teller_stop(struct teller *t)
{
	reading_leave(t);
	while (t->notes.count)
		note_free(list_entry(list_first(&t->notes), struct note, node));
	t->held = t->leaving = false;
}

void teller_free(struct teller *t)
{
	teller_stop(t);
	list_remove(&t->endpoint->tellers, &t->node);
	free(t);
}

void teller_advance(struct teller *t)
{
	struct list_node *first;

	while ((first = list_first(&t->notes)) != NULL) {
		struct note *note = list_entry(first, struct note, node);

		if (note->phase != NOTE_DONE)
			return;
		t->cursor = note->event.feed;
		note_free(note);
	}
	t->cursor = t->seen;
}

/* Into a slot that was taken over nobody writes any more. */
static uint64_t notify_bound(const struct notify *n, uint8_t slot)
{
	return slot == feed_slot(n->feed) ? feed_low(n->feed) : INT64_MAX;
}

/* A page that is not full went up to its bound: all who read it stand there then. What was told does not
 * follow: of the numbers up to the bound some never come, and whoever has the slot next may begin below it.
 */
static void teller_on_page(struct teller *t, uint64_t last, uint64_t bare_before)
{
	t->behind = last && !bare_before;
	t->bare_before = bare_before ? bare_before : t->bare_before;
	if (last > t->seen)
		t->seen = last;
	if (bare_before && bare_before != INT64_MAX)
		last = bare_before - 1;
	if (last > t->read_to)
		t->read_to = last;
	teller_advance(t);
}

static void reading_on_event(void *arg, const char *client, const struct hook_event *e)
{
	struct reading *r = arg;

	list_each(&r->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, in_reading);

		if (!strcmp(t->endpoint->client, client))
			note_new(t->endpoint, t, e, 0);
	}
}

static void reading_on_page(void *arg, enum kz kz, size_t looked, uint64_t last)
{
	struct reading *r = arg;
	struct notify *n = r->notify;
	bool bare = kz == KZ_OK && looked < READ_PAGE;

	r->ticket = 0;
	if (kz != KZ_OK || bare)
		n->read_ms[r->slot] = loop_now_ms(n->loop) + (bare ? READ_MS : READ_RETRY_MS);
	for (size_t left = r->tellers.count; left > 0; left--) {
		struct teller *t = list_entry(list_first(&r->tellers), struct teller, in_reading);
		uint64_t before = r->before;

		reading_leave(t);
		teller_on_page(t, last, bare ? before : 0);
	}
	notify_pump(n);
}

static void reading_ask(struct reading *r)
{
	struct notify *n = r->notify;
	const char **clients = mem_array(r->tellers.count, sizeof *clients);
	struct tellings_page page = {clients, 0, r->slot, r->after, r->before, READ_PAGE};

	list_each(&r->tellers, at, next) clients[page.clients_n++] =
	    list_entry(at, struct teller, in_reading)->endpoint->client;
	if (tellings_read(n->pg, &page, reading_on_event, reading_on_page, r, &r->ticket) != KZ_OK)
		reading_on_page(r, KZ_BUSY, 0, 0);
	free(clients);
}

/* Reads with those who read from the same place now. */
static void teller_read(struct teller *t)
{
	struct notify *n = t->endpoint->notify;
	struct reading *r = NULL;

	for (struct list_node *at = list_first(&n->readings); at && !r; at = list_next(&n->readings, at)) {
		r = list_entry(at, struct reading, node);
		if (r->ticket || r->slot != t->slot || r->after != t->read_to)
			r = NULL;
	}
	if (!r) {
		r = mem_new(sizeof *r);
		*r = (struct reading){
		    .notify = n, .slot = t->slot, .after = t->read_to, .before = notify_bound(n, t->slot)};
		list_init(&r->tellers);
		list_append(&n->readings, &r->node);
	}
	t->reading = r;
	list_append(&r->tellers, &t->in_reading);
}

static bool teller_has_more(const struct teller *t)
{
	return t->held && !t->reading && t->notes.count < NOTIFY_LOW &&
	       notify_bound(t->endpoint->notify, t->slot) > t->bare_before;
}

/* Lets those read whose time has come; how long the others wait, 0: nobody does. */
static int64_t endpoint_read(struct endpoint *e)
{
	int64_t least_ms = 0;

	list_each(&e->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, node);
		int64_t wait_ms = e->notify->read_ms[t->slot] - loop_now_ms(e->notify->loop);

		if (!teller_has_more(t))
			continue;
		if (t->behind || wait_ms <= 0)
			teller_read(t);
		else if (!least_ms || wait_ms < least_ms)
			least_ms = wait_ms;
	}
	return least_ms;
}

void notify_read(void *arg)
{
	struct notify *n = arg;
	int64_t least_ms = 0;

	if (n->draining)
		return;
	list_each(&n->endpoints, at, next)
	{
		int64_t wait_ms = endpoint_read(list_entry(at, struct endpoint, node));

		if (wait_ms && (!least_ms || wait_ms < least_ms))
			least_ms = wait_ms;
	}
	list_each(&n->readings, r, next_reading)
	{
		struct reading *reading = list_entry(r, struct reading, node);

		if (!reading->ticket)
			reading_ask(reading);
	}
	if (least_ms)
		timer_start(n->read_timer, least_ms);
}

/* What is not saved now is saved the next second. */
static void notify_on_saved(void *arg, enum kz r)
{
	struct notify *n = arg;

	n->saving = 0;
	if (r == KZ_OK && n->holding)
		notify_look_in(n, 0); /* perhaps for what is saved now */
	list_each(&n->endpoints, at, next)
	{
		struct endpoint *e = list_entry(at, struct endpoint, node);

		list_each(&e->tellers, a, next_teller)
		{
			struct teller *t = list_entry(a, struct teller, node);

			if (r == KZ_OK && t->saving)
				t->saved = t->saving;
			t->saving = 0;
		}
	}
	notify_look_drained(n);
}

bool teller_is_ahead(const struct teller *t)
{
	return (t->held || t->leaving) && t->cursor != t->saved;
}

static size_t endpoint_mark(const struct endpoint *e, struct tellings_mark *marks)
{
	size_t n = 0;

	list_each(&e->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, node);

		if (!teller_is_ahead(t))
			continue;
		t->saving = t->cursor;
		marks[n++] = (struct tellings_mark){e->id, e->round, t->slot, t->cursor};
	}
	return n;
}

bool notify_save(struct notify *n)
{
	struct tellings_mark *marks;
	size_t most = 0, count = 0;

	if (n->saving)
		return true;
	list_each(&n->endpoints, at, next) most += list_entry(at, struct endpoint, node)->tellers.count;
	marks = mem_array(most + 1, sizeof *marks);
	list_each(&n->endpoints, b, next_endpoint) count +=
	    endpoint_mark(list_entry(b, struct endpoint, node), marks + count);
	bool asked = count && tellings_save(n->pg, marks, count, notify_on_saved, n, &n->saving) == KZ_OK;
	free(marks);
	return asked;
}

void notify_look_in(struct notify *n, int64_t wait_ms)
{
	int64_t at_ms = loop_now_ms(n->loop) + wait_ms;

	if (timer_is_armed(n->look_timer) && n->look_at_ms <= at_ms)
		return;
	n->look_at_ms = at_ms;
	timer_start(n->look_timer, wait_ms);
}

static void look_on_due(void *arg, int32_t id, unsigned attempts, const struct hook_event *event)
{
	struct endpoint *e = notify_find(arg, id);

	if (e)
		note_new(e, NULL, event, attempts);
}

static void look_on_done(void *arg, enum kz r, int64_t next_us)
{
	struct notify *n = arg;
	int64_t wait_ms = LOOK_MS;

	(void)r;
	n->looking = 0;
	if (next_us)
		wait_ms = next_us / 1000 + 1 - clock_wall_ms(loop_clock(n->loop));
	notify_look_in(n, wait_ms < 0 ? 0 : wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
	notify_pump(n);
}

/* Of the endpoints that are up and have told what was found the last time. */
void notify_look(void *arg)
{
	struct notify *n = arg;
	int32_t *ids;
	size_t count = 0;

	if (n->looking || n->draining || !n->endpoints.count)
		return;
	n->holding = false;
	ids = mem_array(n->endpoints.count, sizeof *ids);
	list_each(&n->endpoints, at, next)
	{
		const struct endpoint *e = list_entry(at, struct endpoint, node);

		if (!e->probes && !e->again.count)
			ids[count++] = e->id;
	}
	if (!count || tellings_due(n->pg, n->held, ids, count, loop_clock(n->loop)->wall_us(), LOOK_MOST,
	                  look_on_due, look_on_done, n, &n->looking) != KZ_OK)
		notify_look_in(n, LOOK_MS);
	free(ids);
}

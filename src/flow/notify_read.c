/* notify_read: what is to be told: the feed of each slot, a page at a time and as far as memory has room, and
 * what is due to be told again; and how far all came, noted once a second. */
#include <assert.h>
#include <stdlib.h>

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
	t->read_to = t->cursor;
	t->bare_before = 0;
}

void teller_stop(struct teller *t)
{
	if (t->reading)
		pg_job_cancel(t->endpoint->notify->pg, t->reading);
	t->reading = 0;
	while (t->notes.count)
		note_free(list_entry(list_first(&t->notes), struct note, node));
	t->held = false;
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
	t->cursor = t->read_to;
}

static void teller_on_event(void *arg, const struct hook_event *e)
{
	struct teller *t = arg;

	note_new(t->endpoint, t, e, 0);
}

static void teller_on_page(void *arg, enum kz r, size_t looked, uint64_t last)
{
	struct teller *t = arg;
	struct notify *n = t->endpoint->notify;

	t->reading = 0;
	t->read_ms = loop_now_ms(n->loop) + (r != KZ_OK ? READ_RETRY_MS : looked < READ_PAGE ? READ_MS : 0);
	if (last)
		t->read_to = last;
	if (r == KZ_OK && looked < READ_PAGE)
		t->bare_before = t->asked_before;
	teller_advance(t);
	notify_pump(n);
}

static void teller_read(struct teller *t)
{
	struct notify *n = t->endpoint->notify;
	int64_t wait_ms = t->read_ms - loop_now_ms(n->loop);
	/* into a slot that was taken over nobody writes any more */
	uint64_t before = t->slot == feed_slot(n->feed) ? feed_low(n->feed) : INT64_MAX;
	const struct tellings_page page = {t->endpoint->client, t->slot, t->read_to, before, READ_PAGE};

	if (!t->held || t->reading || t->notes.count >= NOTIFY_LOW || page.before <= t->bare_before)
		return;
	if (wait_ms > 0) {
		if (!timer_is_armed(n->read_timer))
			timer_start(n->read_timer, wait_ms);
		return;
	}
	t->asked_before = page.before;
	if (tellings_read(n->pg, &page, teller_on_event, teller_on_page, t, &t->reading) != KZ_OK)
		teller_on_page(t, KZ_BUSY, 0, 0);
}

void notify_read(void *arg)
{
	struct notify *n = arg;

	if (n->draining)
		return;
	list_each(&n->endpoints, at, next)
	{
		struct endpoint *e = list_entry(at, struct endpoint, node);

		list_each(&e->tellers, t, next_teller) teller_read(list_entry(t, struct teller, node));
	}
}

/* What is not saved now is saved the next second. */
static void notify_on_saved(void *arg, enum kz r)
{
	struct notify *n = arg;

	n->saving = 0;
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

static size_t endpoint_mark(const struct endpoint *e, struct tellings_mark *marks)
{
	size_t n = 0;

	list_each(&e->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, node);

		if (!t->held || t->cursor == t->saved)
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

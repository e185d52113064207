/* The line of what one phone says: one turn is under way, the others are behind it. Two answers to one page
 * are one answer: whoever is behind an answer gets its page. What is dialled anew has a turn of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "flow/dial_turn.h"

void turn_enter(struct turn *t, enum turn_place next)
{
	static const uint8_t moves[TURN_PLACES] = {
	    [TURN_BEHIND] = 1 << TURN_READING | 1 << TURN_SPEAKING | 1 << TURN_TOLD,
	    [TURN_READING] = 1 << TURN_SEEKING | 1 << TURN_SPEAKING | 1 << TURN_NOTING | 1 << TURN_ASKING |
	                     1 << TURN_KEEPING | 1 << TURN_TOLD,
	    [TURN_SEEKING] =
	        1 << TURN_SPEAKING | 1 << TURN_NOTING | 1 << TURN_ASKING | 1 << TURN_KEEPING | 1 << TURN_TOLD,
	    [TURN_SPEAKING] = 1 << TURN_ASKING | 1 << TURN_KEEPING | 1 << TURN_TOLD,
	    [TURN_NOTING] = 1 << TURN_ASKING | 1 << TURN_KEEPING | 1 << TURN_TOLD,
	    [TURN_ASKING] = 1 << TURN_ASKING | 1 << TURN_KEEPING | 1 << TURN_TOLD,
	    [TURN_KEEPING] = 1 << TURN_READING | 1 << TURN_TOLD,
	};

	assert(moves[t->place] & 1 << next);
	t->place = next;
}

static void turn_join(struct turn *t, struct list *l)
{
	t->owner = l;
	list_append(l, &t->node);
}

/* A turn is 15 KiB once it walks, asks the database twice and Redis twice: all of a storm at once would be
 * more than any of them takes, and turn parents away who can wait a second. */
static void turn_leave(struct turn *t)
{
	struct dial *d = t->dial;

	if (list_is_linked(&t->waits))
		list_remove(&d->waiting, &t->waits);
	if (t->walked_us)
		d->walk_us = loop_clock(d->base.loop)->mono_us() - t->walked_us;
	t->walked_us = 0;
	d->walking_n -= t->walks;
	t->walks = false;
}

void turn_free(struct turn *t)
{
	struct dial *d = t->dial;

	turn_leave(t);
	d->turns_n--;
	if (t->ask)
		dial_ask_part(t->ask);
	dial_menu_leave(d, t->menu);
	if (t->by_phone.linked)
		map_remove(&d->running, &t->by_phone);
	while (list_first(&t->behind))
		turn_free(list_entry(list_first(&t->behind), struct turn, node));
	if (list_is_linked(&t->node))
		list_remove(t->owner, &t->node);
	defer_cancel(&t->begins);
	timer_free(t->timer);
	if (t->record)
		session_wipe(&t->record->session);
	free(t->record);
	secret_wipe(t->in.text, sizeof t->in.text);
	free(t);
}

/* Its page would come too late, by how long the last one walked: whatever is asked for it is asked for
 * nothing and makes those behind it late too, until all of a storm are. A quarter of the deadline is always
 * enough to try. */
static bool turn_is_too_late(const struct turn *t, int64_t now_us)
{
	int64_t deadline_us = t->way.deadline_ms * 1000, needs_us = 2 * t->dial->walk_us;

	if (needs_us > deadline_us / 4)
		needs_us = deadline_us / 4;
	return t->in.said != USSD_CANCELLED && t->began_us + deadline_us - now_us < needs_us;
}

static void turn_on_turn(void *arg)
{
	struct turn *t = arg;
	int64_t now_us = loop_clock(t->dial->base.loop)->mono_us();

	if (turn_is_too_late(t, now_us)) {
		turn_close(t);
		return;
	}
	t->walked_us = now_us;
	turn_begin(t);
}

/* From the loop, also when nothing has to be waited for. */
static void turns_walk(struct dial *d)
{
	while (d->walking_n < DIAL_ABREAST && list_first(&d->waiting)) {
		struct turn *t = list_entry(list_first(&d->waiting), struct turn, waits);

		list_remove(&d->waiting, &t->waits);
		t->walks = true;
		d->walking_n++;
		loop_defer(d->base.loop, &t->begins, turn_on_turn, t);
	}
}

/* Freed now, or by the answer that is still out. */
void turn_end(struct turn *t)
{
	struct dial *d = t->dial;

	turn_enter(t, TURN_TOLD);
	turn_leave(t);
	if (t->ask)
		dial_ask_part(t->ask);
	metric_observe_us(d->time, loop_clock(d->base.loop)->mono_us() - t->began_us);
	if (t->busy)
		timer_stop(t->timer);
	else
		turn_free(t);
	turns_walk(d);
	metric_set(d->open_gauge, (double)d->turns_n);
}

void turn_hush(struct turn *t)
{
	if (!*t->carrier)
		dial_say(t, "", true);
	turn_serve_behind(t, NULL, true);
	turn_end(t);
}

static void turn_run(struct turn *t)
{
	map_put(&t->dial->running, &t->by_phone, map_hash_u64((uint64_t)t->phone_key));
	list_append(&t->dial->waiting, &t->waits);
	turns_walk(t->dial);
}

static bool turn_is_same_call(const struct turn *a, const struct turn *b)
{
	const struct ussd_peer *x = &a->in.peer, *y = &b->in.peer;

	return strcmp(a->carrier, b->carrier) == 0 && x->key_n == y->key_n &&
	       memcmp(x->key, y->key, x->key_n) == 0;
}

/* Both were typed at one page. */
static bool turn_is_same_answer(const struct turn *a, const struct turn *b)
{
	return a->in.said == USSD_TYPED && b->in.said == USSD_TYPED && turn_is_same_call(a, b);
}

/* Those behind: what was typed at the same page gets the same answer, anything else has its turn. */
void turn_serve_behind(struct turn *t, const char *page, bool last)
{
	struct turn *next = NULL;

	if (t->by_phone.linked)
		map_remove(&t->dial->running, &t->by_phone);
	list_each(&t->behind, n, after)
	{
		struct turn *b = list_entry(n, struct turn, node);

		list_remove(&t->behind, &b->node);
		turn_join(b, next ? &next->behind : &t->dial->turns);
		if (next)
			continue;
		if (page && turn_is_same_answer(t, b)) {
			b->in.peer.code = t->in.peer.code; /* b has read no session */
			dial_say(b, page, last);
			turn_end(b);
		} else {
			next = b;
		}
	}
	if (next)
		turn_run(next);
}

void turn_say(struct turn *t, const char *page, bool last)
{
	dial_say(t, page, last);
	turn_serve_behind(t, page, last);
	turn_end(t);
}

static bool turn_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct turn, by_phone)->phone_key == *(const int64_t *)key;
}

void turns_init(struct dial *d)
{
	map_init(&d->running, turn_equal);
	list_init(&d->turns);
	list_init(&d->waiting);
}

/* A keyed value of all that is the same when the network repeats itself. */
static int64_t turn_said(const struct dial *d, const struct ussd_in *in)
{
	struct buf b = {.wiped = true};

	buf_printf(&b, "%d %u %u ", (int)in->said, (unsigned)in->peer.op, (unsigned)in->peer.reference);
	for (size_t i = 0; i < in->peer.echo_n; i++)
		buf_add(&b, in->peer.echo[i].value, in->peer.echo[i].len);
	buf_str(&b, in->text);
	int64_t said = keyring_lookup(d->base.keyring, "ussd said", b.data, b.len);
	buf_wipe(&b);
	return said;
}

struct turn *turn_new(
    struct dial *d, const struct ussd_in *in, const char *carrier, dial_page_fn *done, void *arg)
{
	struct turn *t = mem_new(sizeof *t);

	t->dial = d;
	d->turns_n++;
	t->in = *in;
	t->done = done;
	t->arg = arg;
	t->menu = d->menu;
	dial_menu_enter(t->menu);
	snprintf(t->carrier, sizeof t->carrier, "%s", carrier);
	t->way = dial_way(d, carrier);
	t->phone_key = person_phone(d->base.keyring, in->phone);
	t->said = turn_said(d, in);
	t->read = dial_page_was_read(t);
	t->began_us = loop_clock(d->base.loop)->mono_us();
	t->timer = timer_new(d->base.loop, turn_on_late, t);
	timer_start(t->timer, t->way.deadline_ms);
	list_init(&t->behind);
	return t;
}

/* What she said in the call that she hung up has no page any more. */
static void turns_are_gone(struct turn *first, const struct turn *cancel)
{
	first->gone = first->gone || turn_is_same_call(first, cancel);
	list_each(&first->behind, n, next)
	{
		struct turn *b = list_entry(n, struct turn, node);

		b->gone = b->gone || turn_is_same_call(b, cancel);
	}
}

void turn_start(struct turn *t)
{
	struct dial *d = t->dial;
	struct map_node *n = map_get(&d->running, map_hash_u64((uint64_t)t->phone_key), &t->phone_key);
	struct turn *first = n ? map_entry(n, struct turn, by_phone) : NULL;

	if (d->turns_n > DIAL_TURNS || (first && first->behind.count >= DIAL_BEHIND)) {
		turn_join(t, &d->turns);
		turn_close(t);
		return;
	}
	turn_join(t, first ? &first->behind : &d->turns);
	if (!first)
		turn_run(t);
	else if (t->in.said == USSD_CANCELLED)
		turns_are_gone(first, t);
	metric_set(d->open_gauge, (double)d->turns_n);
}

/* Those behind first: nobody is left then whom the end of a turn would have to begin. */
static void turn_stop(struct turn *t)
{
	struct list_node *n;

	while ((n = list_take_first(&t->behind)) != NULL) {
		struct turn *b = list_entry(n, struct turn, node);

		turn_join(b, &t->dial->turns);
		turn_close(b);
	}
	if (t->place != TURN_TOLD)
		turn_close(t);
}

void turns_stop(struct dial *d)
{
	list_each(&d->turns, n, next) turn_stop(list_entry(n, struct turn, node));
}

void turns_free(struct dial *d)
{
	while (list_first(&d->turns))
		turn_free(list_entry(list_first(&d->turns), struct turn, node));
	map_fini(&d->running);
}

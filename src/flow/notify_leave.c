/* notify_leave: a slot is given to another daemon, which goes on from the cursors that are kept: nothing more
 * of it is asked, what was asked is answered and kept, and how far all came is saved before it goes. What was
 * told behind something that was not is told again, under the same webhook-id. */
#include "flow/notify_body.h"

static void endpoint_leave(struct endpoint *e, uint8_t slot)
{
	list_each(&e->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, node);

		if (t->slot == slot)
			teller_leave(t);
	}
	list_each(&e->again, at, next_again)
	{
		struct note *note = list_entry(at, struct note, node);

		if (ids_slot(note->event.feed) == slot)
			note_leave(note);
	}
}

static size_t notes_under_way(const struct list *notes)
{
	size_t n = 0;

	for (struct list_node *at = list_first(notes); at; at = list_next(notes, at)) {
		const struct note *note = list_entry(at, struct note, node);

		n += note->left && (note->phase == NOTE_ASKING || note->phase == NOTE_KEEPING);
	}
	return n;
}

/* Of the slot alone that is being left: its notes are. */
static size_t endpoint_under_way(const struct endpoint *e)
{
	size_t n = notes_under_way(&e->again);

	for (struct list_node *at = list_first(&e->tellers); at; at = list_next(&e->tellers, at)) {
		const struct teller *t = list_entry(at, struct teller, node);

		if (t->leaving)
			n += notes_under_way(&t->notes) + teller_is_ahead(t);
	}
	return n;
}

static void endpoint_left(struct endpoint *e)
{
	list_each(&e->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, node);

		if (t->leaving)
			teller_stop(t);
	}
	list_each(&e->again, at, next_again)
	{
		struct note *note = list_entry(at, struct note, node);

		if (note->left)
			note_free(note);
	}
}

static void notify_begin_leaving(struct notify *n, uint8_t slot)
{
	n->held[slot] = n->asked[slot] = false;
	if (n->looking)
		pg_job_cancel(n->pg, n->looking);
	n->looking = 0;
	notify_look_in(n, 0);
	list_each(&n->endpoints, at, next) endpoint_leave(list_entry(at, struct endpoint, node), slot);
}

size_t notify_leave_slot(struct notify *n, uint8_t slot)
{
	size_t under_way = 0;

	if (n->held[slot])
		notify_begin_leaving(n, slot);
	list_each(&n->endpoints, at, next) under_way +=
	    endpoint_under_way(list_entry(at, struct endpoint, node));
	if (under_way) {
		notify_save(n);
		return under_way;
	}
	list_each(&n->endpoints, e, next_endpoint) endpoint_left(list_entry(e, struct endpoint, node));
	return 0;
}

static void endpoint_stay(struct endpoint *e)
{
	list_each(&e->tellers, at, next)
	{
		struct teller *t = list_entry(at, struct teller, node);

		if (!t->leaving)
			continue;
		t->leaving = false;
		t->held = true;
		list_each(&t->notes, in_notes, next_note) note_stay(list_entry(in_notes, struct note, node));
	}
	list_each(&e->again, at, next_again)
	{
		struct note *note = list_entry(at, struct note, node);

		if (note->left)
			note_stay(note);
	}
}

/* Tellers that stood still go on where they were; those that were stopped, since all else was over, or that
 * came meanwhile begin with what is saved. */
void notify_stay_slot(struct notify *n, uint8_t slot)
{
	list_each(&n->endpoints, at, next) endpoint_stay(list_entry(at, struct endpoint, node));
	notify_take_slot(n, slot);
	notify_pump(n);
}

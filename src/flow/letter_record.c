/* What is recorded of a letter, and what waits for it: it is written when its mark is kept, and it leaves
 * memory when all that happened to it is. */
#include <assert.h>

#include "base/log.h"
#include "flow/send_body.h"

/* Over: freed, unless a page that was asked for before may still bring its row as it was. */
static void letter_part(struct letter *l)
{
	heap_remove(&l->send->due, &l->due);
	if (l->send->scanning)
		l->lingering = true;
	else
		letter_free(l);
}

/* Part by part when others were written: what became of those may be recorded after this, or never. */
static void letter_hold_back(struct letter *l, uint32_t parts)
{
	bool whole = !(l->shipment.sent_mask | l->shipment.done_mask | l->doubt_mask);

	if (whole)
		letter_record(l, letter_event(l, EVENT_HELD_BACK, 0, NULL, NULL, NULL, NULL));
	for (unsigned part = 0; !whole && part < l->parts; part++)
		if (parts & 1u << part)
			letter_record(l, letter_event(l, EVENT_HELD_BACK, part + 1, NULL, NULL, NULL, NULL));
}

void letter_unclear(struct letter *l)
{
	uint32_t all = (uint32_t)((1ULL << l->parts) - 1);
	uint32_t unsent = all & ~(l->shipment.done_mask | l->shipment.sent_mask | l->doubt_mask);
	/* in a drain nothing that is being cleared comes to be written any more */
	bool cleared = l->shipment.cleared || (l->clearing && l->send->draining);

	if (l->phase != LETTER_WAITING && l->phase != LETTER_PAUSED && l->phase != LETTER_LEAVING)
		return; /* not kept yet, or all of it has an outcome */
	if (cleared && unsent)
		letter_hold_back(l, unsent);
	l->shipment.cleared = false;
}

/* Its slot is not ours any more, or was lost and taken again: the row is read by whoever holds it. It stays
 * until its events are recorded: one with the same id must not be made from the row while they are counted.
 */
void letter_give_up(struct letter *l)
{
	struct send *s = l->send;
	uint64_t id = l->shipment.id;
	uint8_t slot = (uint8_t)(id >> 14);

	if (l->phase != LETTER_LEAVING)
		letter_enter(l, LETTER_LEAVING);
	heap_remove(&s->due, &l->due);
	letter_unclear(l);
	if (l->recording)
		return;
	letter_part(l);
	if (s->held[slot] && !s->draining)
		resume_again(s, slot, id);
}

/* That it may be written is kept. */
static void letter_on_cleared(struct letter *l)
{
	l->clearing = false;
	if (l->shipment.carrier)
		carrier_clear(l->shipment.carrier, &l->shipment);
	else
		l->shipment.cleared = true;
}

static void letter_note_sending(struct letter *l)
{
	letter_record(l, letter_event(l, EVENT_SENDING, 0, NULL, NULL, NULL, NULL));
}

void letter_mark(struct letter *l, const struct carrier *c, uint32_t parts)
{
	for (unsigned part = 0; part < SEGMENT_MAX_PARTS; part++) {
		if (!(l->doubt_mask & parts & 1u << part))
			continue;
		l->doubt_mask &= ~(1u << part);
		l->marking++;
		letter_record(l, letter_event(l, EVENT_RESENT, part + 1, carrier_name(c), NULL, NULL,
		                     "possible duplicate: it was written before and not answered"));
	}
}

/* A crash must not find it written and its mark not kept, so the one waits for the other. */
void letter_clear(struct letter *l, uint32_t parts)
{
	if (l->clearing)
		return;
	l->clearing = true;
	letter_mark(l, l->shipment.carrier, parts);
	if (!l->marking)
		letter_note_sending(l);
}

static void letter_on_marked(struct letter *l)
{
	if (--l->marking || !l->clearing)
		return;
	if (l->phase == LETTER_WAITING)
		letter_note_sending(l);
	else
		l->clearing = false; /* it was taken back meanwhile */
}

static void letter_on_recorded(void *arg, const struct message_event *e, enum kz r)
{
	struct letter *l = letter_find(arg, e->message_id);

	(void)r; /* a refused event was logged; the message cannot wait for it */
	if (!l)
		return;
	assert(l->recording > 0);
	if (e->kind == EVENT_RESENT)
		letter_on_marked(l);
	if (e->kind == EVENT_SENDING)
		letter_on_cleared(l);
	if (--l->recording)
		return;
	if (l->phase == LETTER_ENDING && !letter_is_plain(l))
		send_lost(arg, e->message_id);
	if (l->phase == LETTER_SENT || l->phase == LETTER_ENDING) {
		letter_part(l);
		resume_pump(arg);
	} else if (l->phase == LETTER_LEAVING) {
		letter_give_up(l);
	}
}

void letter_record(struct letter *l, struct message_event *e)
{
	e->done = letter_on_recorded;
	e->arg = l->send;
	l->recording++;
	events_add(l->send->base.events, e);
}

int64_t letter_stamp_us(struct letter *l, int64_t at_us)
{
	l->last_us = at_us > l->last_us ? at_us : l->last_us + 1;
	return l->last_us;
}

struct message_event *letter_event(struct letter *l, enum event_kind kind, unsigned part, const char *carrier,
    const struct part_result *r, const char *status, const char *detail)
{
	int64_t at_us = letter_stamp_us(l, loop_clock(l->send->base.loop)->wall_us());
	char id[RECEIPT_ID] = "";

	if (r && r->outcome == PART_SUBMITTED)
		receipt_id_canonical(r->operator_id, id);
	return message_event_new(
	    l->shipment.id, at_us, kind, part, carrier, r ? r->link : NULL, id, status, detail);
}

void letter_end(struct letter *l, enum event_kind kind, enum message_state state, const char *detail)
{
	struct message_event *e = letter_event(l, kind, 0, NULL, NULL, NULL, detail);
	char id[IDS_TEXT];

	e->final = true;
	e->state = state;
	letter_enter(l, LETTER_ENDING);
	heap_remove(&l->send->due, &l->due);
	metric_add(l->send->ended[state], 1);
	log_info(ids_text(l->shipment.id, id), "%s: %s", message_state_name(state), detail);
	letter_record(l, e);
}

void letter_expire(struct letter *l)
{
	if (l->doubt_mask || l->doubted)
		letter_end(l, EVENT_EXPIRED, MESSAGE_UNCONFIRMED,
		    "its time was over while it was in doubt: it may have arrived");
	else
		letter_end(l, EVENT_EXPIRED, MESSAGE_EXPIRED, "its time was over before it was sent");
}

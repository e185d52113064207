/* letter: one message between its commit and its end. It is with a carrier (its turn comes), paused (its time
 * comes), or being recorded. Everything that happens to it becomes an event; it leaves memory only when those
 * are committed, so that reading back the unfinished ones never finds one that memory has just finished. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "flow/send_body.h"

#define NO_WAY_MS 5000 /* until the next look for a carrier */

static const uint8_t letter_moves[LETTER_PHASES] = {
    [LETTER_KEEPING] = 1 << LETTER_WAITING | 1 << LETTER_PAUSED | 1 << LETTER_ENDING,
    [LETTER_WAITING] = 1 << LETTER_PAUSED | 1 << LETTER_SENT | 1 << LETTER_ENDING | 1 << LETTER_WAITING |
                       1 << LETTER_LEAVING,
    [LETTER_PAUSED] = 1 << LETTER_WAITING | 1 << LETTER_SENT | 1 << LETTER_ENDING | 1 << LETTER_PAUSED |
                      1 << LETTER_LEAVING,
    [LETTER_SENT] = 0,
    [LETTER_ENDING] = 0,
    [LETTER_LEAVING] = 0,
};

/* No longer one of those that are being kept and will be written at once. */
static void letter_come(struct letter *l)
{
	if (l->phase == LETTER_KEEPING && l->shipment.cleared)
		l->send->coming[l->shipment.lane]--;
}

void letter_enter(struct letter *l, enum letter_phase next)
{
	assert(letter_moves[l->phase] & 1 << next);
	letter_come(l);
	l->phase = (uint8_t)next;
}

int64_t letter_left_ms(const struct letter *l)
{
	return l->expires_wall_ms - clock_wall_ms(loop_clock(l->send->base.loop));
}

/* Arms the timer for the earliest letter. */
static void letters_arm(struct send *s)
{
	struct heap_node *first = heap_first(&s->due);
	int64_t now_ms = loop_now_ms(s->base.loop);

	if (first)
		timer_start(s->due_timer, first->key > now_ms ? first->key - now_ms : 0);
	else
		timer_stop(s->due_timer);
}

static void letter_due_in(struct letter *l, int64_t wait_ms)
{
	struct send *s = l->send;
	struct heap_node *first = heap_first(&s->due);
	int64_t at_ms = loop_now_ms(s->base.loop) + (wait_ms > 0 ? wait_ms : 0);

	heap_set(&s->due, &l->due, at_ms);
	if (heap_first(&s->due) != first || first == &l->due)
		letters_arm(s);
}

struct letter *letter_find(const struct send *s, uint64_t id)
{
	struct map_node *n = map_get(&s->letters, map_hash_u64(id), &id);

	return n ? map_entry(n, struct letter, by_id) : NULL;
}

bool letter_is_plain(const struct letter *l)
{
	return !l->code.id && l->class != MESSAGE_NOTICE;
}

static struct letter *letter_make(struct send *s, const struct message *m)
{
	struct letter *l = mem_new(sizeof *l);

	*l = (struct letter){.send = s,
	    .expires_wall_ms = m->expires_wall_ms,
	    .to = m->to,
	    .phone = m->phone,
	    .text = mem_str(m->text ? m->text : ""),
	    .code = m->code,
	    .sender = m->sender ? mem_str(m->sender) : NULL,
	    .client_ref = m->client_ref ? mem_str(m->client_ref) : NULL,
	    .api_key = m->api_key,
	    .reference = m->reference,
	    .parts = m->parts,
	    .alphabet = (uint8_t)m->alphabet,
	    .class = (uint8_t)m->class,
	    .language = (int8_t)m->language};
	l->shipment.id = m->id;
	l->shipment.lane = (enum lane)m->class;
	l->shipment.queued_ms = loop_now_ms(s->base.loop);
	map_put(&s->letters, &l->by_id, map_hash_u64(m->id));
	list_append(&s->all, &l->all);
	s->letters_of[ids_slot(m->id)]++;
	metric_set(s->letters_gauge, (double)s->all.count);
	return l;
}

/* References run per number: none comes again until 256 (or 65,536) long messages later. Numbers that share a
 * place in the table only skip values. */
static uint16_t letter_reference(struct send *s, struct msisdn to)
{
	return ++s->references[map_hash_u64(to.digits) & 0xffff];
}

/* Those that are being kept and go before a new one of that class, or just before. */
static size_t letters_coming(const struct send *s, enum message_class class)
{
	size_t n = 0;

	for (enum message_class c = 0; c <= class; c++)
		n += s->coming[c];
	return n;
}

struct letter *letter_new(
    struct send *s, const struct send_wish *w, const struct send_preview *p, int32_t api_key)
{
	const struct message m = {.id = w->id ? w->id : send_id(s),
	    .api_key = api_key,
	    .class = w->class,
	    .to = w->to,
	    .phone = person_phone(s->base.keyring, w->to),
	    .parts = (uint8_t)p->cost.parts,
	    .alphabet = p->cost.alphabet,
	    .reference = p->cost.parts > 1 ? letter_reference(s, w->to) : 0,
	    .language = w->language,
	    .expires_wall_ms = p->expires_wall_ms,
	    .at_once = p->best && carrier_has_room(p->best, (enum lane)w->class, letters_coming(s, w->class)),
	    .text = w->text,
	    .sender = w->sender,
	    .client_ref = w->client_ref,
	    .code = w->code};
	struct letter *l = letter_make(s, &m);

	l->at_rest = w->at_rest ? mem_str(w->at_rest) : NULL;
	l->shipment.cleared = m.at_once;
	l->avoid_link = w->avoid ? mem_str(w->avoid) : NULL;
	s->coming[w->class] += m.at_once;
	queue_move(s->queues, carrier_name(p->best), w->class, &l->queue);
	return l;
}

static void letter_set_shut(struct letter *l, bool shut)
{
	struct send *s = l->send;

	if (l->shut == shut)
		return;
	l->shut = shut;
	s->shut_n = shut ? s->shut_n + 1 : s->shut_n - 1;
	metric_set(s->shut_gauge, (double)s->shut_n);
}

struct letter *letter_from_row(struct send *s, const struct message_open *o)
{
	struct letter *l = letter_make(s, &o->message);
	int64_t age_ms = clock_wall_ms(loop_clock(s->base.loop)) - ids_wall_ms(o->message.id);

	letter_set_shut(l, !o->message.text);
	l->shipment.queued_ms -= age_ms > 0 ? age_ms : 0;
	l->shipment.done_mask = o->done_mask;
	l->attempts = (uint8_t)(o->attempts < 255 ? o->attempts : 255);
	l->doubt_mask = o->doubt_mask;
	l->doubted = o->doubts > 0;
	l->last_us = o->newest_us;
	if (o->done_mask)
		l->taken_by = mem_str(o->carrier);
	return l;
}

uint64_t letter_id(const struct letter *l)
{
	return l->shipment.id;
}

struct message letter_row(const struct letter *l)
{
	return (struct message){.id = l->shipment.id,
	    .api_key = l->api_key,
	    .class = (enum message_class)l->class,
	    .to = l->to,
	    .phone = l->phone,
	    .parts = l->parts,
	    .alphabet = (enum alphabet)l->alphabet,
	    .reference = l->reference,
	    .language = l->language,
	    .expires_wall_ms = l->expires_wall_ms,
	    .at_once = l->shipment.cleared,
	    .text = l->at_rest ? l->at_rest : l->text,
	    .sender = l->sender,
	    .client_ref = l->client_ref,
	    .code = l->code};
}

void letter_wipe(struct letter *l)
{
	struct send *s = l->send;

	secret_wipe(l->text, strlen(l->text));
	if (s->cut_id != l->shipment.id)
		return;
	buf_clear(&s->cut_room);
	s->cut_id = 0;
}

void letter_free(struct letter *l)
{
	struct send *s = l->send;

	letter_come(l);
	letter_set_shut(l, false);
	heap_remove(&s->due, &l->due);
	map_remove(&s->letters, &l->by_id);
	list_remove(&s->all, &l->all);
	s->letters_of[ids_slot(l->shipment.id)]--;
	queue_leave(s->queues, (enum message_class)l->class, &l->queue);
	metric_set(s->letters_gauge, (double)s->all.count);
	letter_wipe(l);
	free(l->text);
	free(l->at_rest);
	free(l->sender);
	free(l->client_ref);
	free(l->taken_by);
	free(l->avoid_link);
	free(l);
}

void letter_drop(struct send *s, struct letter *l)
{
	assert(l->send == s && l->phase == LETTER_KEEPING);
	letter_free(l);
}

void letter_drop_unsent(struct letter *l)
{
	if (l->shipment.cleared)
		letter_record(l, letter_event(l, EVENT_HELD_BACK, 0, NULL, NULL, NULL, NULL));
	letter_drop(l->send, l);
}

void letter_pause(struct letter *l, int64_t wait_ms)
{
	int64_t left_ms = letter_left_ms(l);

	letter_enter(l, LETTER_PAUSED);
	letter_due_in(l, wait_ms < left_ms ? wait_ms : left_ms);
}

/* All parts go anew: what a carrier has of them may come to the phone twice. */
void letter_begin_anew(struct letter *l)
{
	l->doubt_mask |= l->shipment.done_mask;
	l->shipment.done_mask = 0;
	l->patient = false;
	free(l->taken_by);
	l->taken_by = NULL;
}

void letter_go(struct letter *l)
{
	struct carrier *route[ROUTE_MAX], *to = NULL;
	size_t n = ways_route(l->send->ways, l->to, route);
	int64_t left_ms = letter_left_ms(l);
	bool wait = false;

	if (l->forgotten) {
		letter_give_up(l);
		return;
	}
	if (left_ms <= 0 && l->phase != LETTER_KEEPING) {
		letter_expire(l);
		return;
	}
	if (l->shut) {
		letter_pause(l, left_ms);
		return;
	}
	if (n && l->taken_by && !(to = letter_taker(l, route, n, &wait)) && !wait)
		letter_begin_anew(l);
	if (!n || wait) {
		l->patient = wait;
		letter_pause(l, NO_WAY_MS);
		return;
	}
	if (to)
		l->patient = false;
	else
		to = letter_choose(l, route, n);
	queue_move(l->send->queues, carrier_name(to), (enum message_class)l->class, &l->queue);
	letter_enter(l, LETTER_WAITING);
	letter_due_in(l, left_ms);
	l->shipment.avoid = carrier_link(to, l->avoid_link ? l->avoid_link : "");
	carrier_submit(to, &l->shipment);
}

static void letter_on_due(struct letter *l)
{
	int64_t left_ms = letter_left_ms(l);

	if (l->phase == LETTER_PAUSED && letter_asks(l))
		return; /* comes back, or goes */
	if (l->phase == LETTER_PAUSED)
		letter_go(l);
	else if (l->phase == LETTER_WAITING && left_ms > 0)
		letter_due_in(l, left_ms);
	else if (l->phase == LETTER_WAITING && carrier_withdraw(l->shipment.carrier, &l->shipment))
		letter_go(l); /* expires, or is given up */
	                      /* else parts are on the wire: their answers decide */
}

void letters_on_due(void *arg)
{
	struct send *s = arg;
	int64_t now_ms = loop_now_ms(s->base.loop);
	struct heap_node *n;

	for (int i = 0; i < 1000 && (n = heap_first(&s->due)) != NULL && n->key <= now_ms; i++) {
		heap_remove(&s->due, n);
		letter_on_due(heap_entry(n, struct letter, due));
	}
	letters_arm(s);
}

void letter_forget(struct letter *l)
{
	if (l->phase == LETTER_WAITING && !carrier_withdraw(l->shipment.carrier, &l->shipment))
		l->forgotten = true;
	else if (l->phase == LETTER_WAITING || l->phase == LETTER_PAUSED)
		letter_give_up(l);
	/* KEEPING and what is being recorded end by themselves */
}

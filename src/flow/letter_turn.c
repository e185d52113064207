/* letter_turn: a letter with a carrier: its parts as their turn comes, what became of each, what follows. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/send_body.h"

#define MOVE_MS 1000

static enum kz letter_cut(struct letter *l, const struct carrier *c, const struct profile *p)
{
	struct send *s = l->send;
	const struct text_wire wire = {(enum concat)p->concat, (enum gsm_wire)p->gsm};

	if (s->cut_id == l->shipment.id && s->cut_carrier == c)
		return KZ_OK;
	enum kz r =
	    segment_split(l->text, strlen(l->text), &wire, l->reference, &s->cut_room, s->cut, &s->cut_n);
	s->cut_id = r == KZ_OK ? l->shipment.id : 0;
	s->cut_carrier = c;
	return r;
}

static void letter_address(struct msisdn to, const struct profile *p, struct pdu_address *ret)
{
	char text[MSISDN_TEXT];

	*ret = (struct pdu_address){.ton = (uint8_t)p->dest_ton, .npi = (uint8_t)p->dest_npi};
	snprintf(ret->text, sizeof ret->text, "%s", msisdn_text(to, text) + 1);
}

/* The profile was changed between its parts: those that were taken belong to another cut. */
static bool letter_is_cut_otherwise(const struct letter *l)
{
	return l->shipment.done_mask && l->parts != l->send->cut_n;
}

/* Why the turn cannot be taken, dealt with; what is on the wire decides first. false: it can. */
static bool letter_lets_pass(struct letter *l, const struct carrier *c, bool alone)
{
	if (!lease_runs(l->send->base.lease))
		l->forgotten = true; /* the loss of its slot will be told presently */
	if (l->forgotten) {
		if (alone)
			letter_give_up(l);
	} else if (letter_left_ms(l) <= 0) {
		if (alone)
			letter_expire(l);
	} else if (letter_cut(l, c, carrier_profile(c)) != KZ_OK) {
		if (alone)
			letter_end(l, EVENT_FAILED, MESSAGE_FAILED,
			    "its text cannot be cut into parts for this operator");
	} else if (letter_is_cut_otherwise(l)) {
		if (alone) {
			letter_begin_anew(l);
			letter_conclude(l);
		}
	} else {
		return false;
	}
	return true;
}

static void letter_on_near(void *arg, struct shipment *sh)
{
	struct letter *l = list_entry(sh, struct letter, shipment);
	const struct carrier *c = sh->carrier;
	uint32_t parts = 0;

	(void)arg;
	if (l->doubt_mask && letter_cut(l, c, carrier_profile(c)) == KZ_OK)
		parts = (uint32_t)((1ULL << l->send->cut_n) - 1);
	letter_clear(l, parts);
}

static unsigned letter_on_turn(
    void *arg, struct carrier *c, struct shipment *sh, unsigned part, struct shipment_part *ret)
{
	struct letter *l = list_entry(sh, struct letter, shipment);

	(void)arg;
	if (letter_lets_pass(l, c, sh->outstanding == 0))
		return 0;
	assert(part < l->send->cut_n);
	l->parts = (uint8_t)l->send->cut_n;
	l->last = c;
	*ret = (struct shipment_part){.sender = l->sender,
	    .expires_wall_ms = l->expires_wall_ms,
	    .receipt = true,
	    .segment = l->send->cut[part]};
	letter_address(l->to, carrier_profile(c), &ret->destination);
	letter_mark(l, c, 1u << part); /* what came to be in doubt since it was cleared */
	return l->parts;
}

static void letter_on_submitted(struct letter *l, unsigned part, const struct part_result *r)
{
	struct send *s = l->send;
	const char *carrier = carrier_name(l->shipment.carrier);
	struct message_event *e = letter_event(l, EVENT_SUBMITTED, part + 1, carrier, r, NULL, NULL);
	const struct receipt_home home = {l->shipment.id, part + 1, l->parts, l->phone, letter_is_plain(l)};

	e->state = MESSAGE_SUBMITTED;
	e->parts = l->parts;
	e->may_close = l->parts > 1;
	letter_record(l, e);
	if (l->parts > 1 && !l->taken_by)
		l->taken_by = mem_str(carrier);
	settle_remember(s->settle, carrier, r->operator_id, &home);
	if (!*r->operator_id) /* only what its receipt echoes can name it */
		letter_doubt(l, l->shipment.carrier, 1u << part);
}

enum attempt letter_attempt(const struct part_result *r)
{
	if (r->outcome == PART_IN_DOUBT)
		return ATTEMPT_IN_DOUBT;
	return r->class == STATUS_TEMPORARY ? ATTEMPT_TEMPORARY
	       : r->class == STATUS_REROUTE ? ATTEMPT_REROUTE
	                                    : ATTEMPT_FINAL;
}

static void letter_on_part(void *arg, struct shipment *sh, unsigned part, const struct part_result *r)
{
	struct letter *l = list_entry(sh, struct letter, shipment);
	enum attempt a = letter_attempt(r);
	char room[12];

	(void)arg;
	if (r->outcome == PART_SUBMITTED) {
		letter_on_submitted(l, part, r);
		return;
	}
	if (a > l->worst)
		l->worst = (uint8_t)a;
	letter_record(
	    l, letter_event(l, r->outcome == PART_REFUSED ? EVENT_REFUSED : EVENT_IN_DOUBT, part + 1,
	           carrier_name(sh->carrier), r,
	           r->outcome == PART_REFUSED ? status_name(r->status, room) : NULL,
	           r->outcome == PART_REFUSED ? status_class_name(r->class) : "written and not answered"));
	if (a != ATTEMPT_IN_DOUBT)
		return;
	l->doubt_mask |= 1u << part;
	letter_doubt(l, sh->carrier, 1u << part);
}

static bool letter_has_other(const struct letter *l, const struct carrier *now)
{
	struct carrier *route[ROUTE_MAX];
	size_t n = ways_route(l->send->ways, l->to, route);

	for (size_t i = 0; i < n; i++)
		if (route[i] != now && route[i] != l->not_ours && carrier_is_up(route[i]))
			return true;
	return false;
}

static void letter_fail(struct letter *l)
{
	if (l->worst == ATTEMPT_FINAL)
		letter_end(l, EVENT_FAILED, MESSAGE_REJECTED, "refused for good by the operator");
	else if (l->worst == ATTEMPT_IN_DOUBT)
		letter_end(l, EVENT_FAILED, MESSAGE_FAILED, "in doubt again: it may have arrived");
	else
		letter_end(l, EVENT_FAILED, MESSAGE_FAILED, "no attempt is left");
}

static void letter_follow(struct letter *l, const struct message_plan *plan, const struct carrier *now)
{
	switch (plan->step) {
	case NEXT_AWAIT_RECEIPT:
		break;
	case NEXT_OTHER_CARRIER:
		if (l->worst == ATTEMPT_REROUTE)
			l->not_ours = now;
		l->avoid = now;
		letter_unclear(l);
		letter_pause(l, plan->wait_ms);
		break;
	case NEXT_AGAIN:
		l->avoid = NULL;
		letter_unclear(l);
		letter_pause(l, plan->wait_ms);
		break;
	case NEXT_FAIL:
		letter_fail(l);
		break;
	}
}

static void letter_on_whole(struct letter *l)
{
	struct send *s = l->send;

	letter_enter(l, LETTER_SENT);
	letter_wipe(l);
	heap_remove(&s->due, &l->due);
	metric_add(s->submitted[l->class], 1);
	metric_observe_us(
	    s->submit_time[l->class], (loop_now_ms(s->base.loop) - l->shipment.queued_ms) * 1000);
}

void letter_conclude(struct letter *l)
{
	struct send *s = l->send;
	uint32_t done_mask = l->shipment.done_mask;

	if (done_mask && done_mask == (uint32_t)((1ULL << l->parts) - 1)) {
		letter_on_whole(l);
		return;
	}
	if (l->forgotten) {
		letter_give_up(l);
		return;
	}
	if (l->worst == ATTEMPT_DONE) {
		letter_pause(l, 0); /* let go between two parts: the rest goes on, or expires */
		return;
	}
	if (l->attempts < UINT8_MAX)
		l->attempts++;
	const struct message_past past = {.class = (enum message_class)l->class,
	    .attempts = l->attempts,
	    .doubted = l->doubted,
	    .rerouted = l->not_ours != NULL,
	    .part_taken = done_mask != 0,
	    .other_carrier = letter_has_other(l, l->last)};
	const struct message_plan plan = message_next((enum attempt)l->worst, &past, &s->law);
	l->doubted = l->doubted || l->worst == ATTEMPT_IN_DOUBT;
	letter_follow(l, &plan, l->last);
	l->worst = ATTEMPT_DONE;
}

void letter_begin_interrupted(struct letter *l, uint32_t wire_mask)
{
	for (unsigned part = 0; part < l->parts; part++)
		if (wire_mask & 1u << part)
			letter_record(l, letter_event(l, EVENT_INTERRUPTED, part + 1, NULL, NULL, NULL,
			                     "its daemon ended: it may have been written"));
	l->doubt_mask |= wire_mask;
	l->worst = ATTEMPT_INTERRUPTED;
	letter_conclude(l);
}

static void letter_on_done(void *arg, struct shipment *sh)
{
	(void)arg;
	letter_conclude(list_entry(sh, struct letter, shipment));
}

static void letter_on_receipt(
    void *arg, struct carrier *c, uint32_t way, const struct receipt *r, struct deliver_ticket ticket)
{
	struct send *s = arg;

	settle_begin(s->settle, s->ways, c, way, r, ticket);
}

static void letter_on_unreadable(
    void *arg, struct carrier *c, uint32_t way, const struct pdu_sm *m, struct deliver_ticket ticket)
{
	struct send *s = arg;
	const struct aside_answer to = {s->ways, way, ticket};

	aside_keep(s->aside, carrier_name(c), "unreadable receipt", m->text, m->text_len, &to);
}

static void letter_on_other(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what)
{
	struct send *s = arg;

	aside_keep(s->aside, carrier_name(c), what, m->text, m->text_len, NULL);
}

static void letters_take(struct carrier *c, struct shipment *(*take)(struct carrier *), struct list *moving)
{
	struct shipment *sh;

	while ((sh = take(c)) != NULL)
		list_append(moving, &sh->node);
}

/* Takes from a carrier that is down what may want another: all of it when there is one, else, when it has
 * just gone down, what was begun, as a part of it may be lost with the link. A whole queue moves once a
 * second at most: links that come and go beside a long one would otherwise take all the time there is. */
static void letters_leave(
    struct send *s, struct carrier *c, const struct carrier *changed, bool table, struct list *moving)
{
	int64_t now_ms = loop_now_ms(s->base.loop), wait_ms = s->moved_ms + MOVE_MS - now_ms;

	if (!table && !ways_has_refuge(s->ways, c)) {
		if (changed == c)
			letters_take(c, carrier_take_near, moving);
	} else if (!table && s->moved_ms < now_ms && wait_ms > 0) {
		timer_start(s->move_timer, wait_ms);
	} else {
		s->moved_ms = now_ms;
		letters_take(c, carrier_take_waiting, moving);
	}
}

static void letters_move(struct send *s, const struct carrier *changed, bool table)
{
	struct carrier *c;
	struct list moving;

	list_init(&moving);
	for (size_t i = 0; (c = ways_at(s->ways, i)) != NULL; i++)
		if (!carrier_is_up(c))
			letters_leave(s, c, changed, table, &moving);
	metric_add(s->moved, moving.count);
	while (moving.count) {
		struct letter *l = list_entry(list_take_first(&moving), struct letter, shipment.node);

		if (l->worst == ATTEMPT_DONE)
			letter_go(l);
		else
			letter_conclude(l); /* a part was lost with the link */
	}
}

static void letter_on_change(void *arg, const struct carrier *changed)
{
	letters_move(arg, changed, changed == NULL);
}

void letters_on_move(void *arg)
{
	letters_move(arg, NULL, false);
}

static void letter_on_homeless(void *arg, struct shipment *sh)
{
	struct letter *l = list_entry(sh, struct letter, shipment);

	(void)arg;
	if (l->send->draining) {
		letter_unclear(l);
		letter_free(l); /* its row says that it is unfinished */
	} else {
		letter_conclude(l);
	}
}

const struct ways_events letter_ways_events = {
    .on_near = letter_on_near,
    .on_turn = letter_on_turn,
    .on_part = letter_on_part,
    .on_done = letter_on_done,
    .on_late = letter_on_late,
    .on_receipt = letter_on_receipt,
    .on_unreadable = letter_on_unreadable,
    .on_ussd = send_hear,
    .on_other = letter_on_other,
    .on_change = letter_on_change,
    .on_homeless = letter_on_homeless,
};

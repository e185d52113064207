/* letter_late: what became of a part in doubt after all: an answer came after its response timer, or a
 * receipt names the part. What that tells is recorded in any case, so that receipts find their message. When
 * the part has not gone again yet the doubt is over: taken, it does not go again; refused, what follows is
 * what follows a refusal. When it has gone again, both are with the operator and the later copy goes its own
 * way. */
#include <string.h>

#include "base/mem.h"
#include "flow/send_body.h"
#include "smpp/submission.h"

/* One late answer. */
struct late_answer {
	struct send *send;
	const char *carrier;
	uint64_t id;
	unsigned part, parts; /* part: 0-based */
	const struct part_result *result;
	int64_t doubt_us; /* since when it was in doubt */
	int64_t at_us;    /* when it was told */
	const char *how;
};

/* Whether the letter has nothing else in place of what is answered: neither its end nor another cut, and no
 * other carrier that has or will have parts to be joined with this one. */
static bool late_concerns(const struct late_answer *a, const struct letter *l)
{
	const struct carrier *now = l->shipment.carrier;

	if ((l->phase != LETTER_WAITING && l->phase != LETTER_PAUSED) || l->parts != a->parts)
		return false;
	return l->parts == 1 || ((!l->taken_by || !strcmp(l->taken_by, a->carrier)) &&
	                            (!now || !strcmp(carrier_name(now), a->carrier)));
}

/* The newest submission says who has a message now: one that says nothing of that is dated back. l: NULL, or
 * the letter that it concerns. */
static struct message_event *late_event(const struct late_answer *a, struct letter *l)
{
	const struct part_result *r = a->result;
	bool taken = r->outcome == PART_SUBMITTED;
	char operator_id[RECEIPT_ID] = "", room[12];

	if (taken)
		receipt_id_canonical(r->operator_id, operator_id);
	struct message_event *e = message_event_new(a->id, l ? letter_stamp_us(l, a->at_us) : a->doubt_us,
	    taken ? EVENT_SUBMITTED : EVENT_REFUSED, a->part + 1, a->carrier, r->link, operator_id,
	    taken ? NULL : status_name(r->status, room), taken ? a->how : status_class_name(r->class));
	if (taken) {
		e->state = MESSAGE_SUBMITTED;
		e->parts = a->parts;
		e->may_close = a->parts > 1;
	}
	return e;
}

/* Nothing of it is on the wire, and it is with no carrier. */
static bool late_can_conclude(struct letter *l)
{
	return l->phase == LETTER_PAUSED || carrier_withdraw(l->shipment.carrier, &l->shipment);
}

static void late_taken(const struct late_answer *a, struct letter *l)
{
	uint32_t all = (uint32_t)((1ULL << l->parts) - 1);

	l->doubt_mask &= ~(1u << a->part);
	l->shipment.done_mask |= 1u << a->part;
	if (a->parts > 1 && !l->taken_by)
		l->taken_by = mem_str(a->carrier);
	if (l->shipment.done_mask == all && late_can_conclude(l))
		letter_conclude(l);
}

/* The attempt that was in doubt was a refused one. */
static void late_refused(const struct late_answer *a, struct letter *l)
{
	enum attempt was = letter_attempt(a->result);

	if (!(l->doubt_mask & 1u << a->part))
		return; /* it has gone again */
	l->doubt_mask &= ~(1u << a->part);
	if (l->doubt_mask)
		return;
	if (l->worst == ATTEMPT_DONE) { /* that attempt was concluded */
		l->doubted = false;
		if (l->attempts)
			l->attempts--;
	}
	if (l->worst == ATTEMPT_IN_DOUBT || was > (enum attempt)l->worst)
		l->worst = (uint8_t)was;
	if (late_can_conclude(l))
		letter_conclude(l);
}

static void late_tell(const struct late_answer *a, struct letter *l)
{
	bool concerns = l && late_concerns(a, l);
	const struct receipt_home home = {
	    a->id, a->part + 1, a->parts, l ? l->phone : 0, l && letter_is_plain(l)};

	if (a->result->outcome == PART_SUBMITTED)
		settle_remember(a->send->settle, a->carrier, a->result->operator_id, &home);
	if (l)
		letter_record(l, late_event(a, concerns ? l : NULL));
	else
		events_add(a->send->base.events, late_event(a, NULL));
	if (!concerns)
		return;
	if (a->result->outcome == PART_SUBMITTED)
		late_taken(a, l);
	else
		late_refused(a, l);
}

void letter_on_late(void *arg, struct carrier *c, uint64_t id, unsigned part, unsigned parts,
    int64_t doubt_us, const struct part_result *r)
{
	struct send *s = arg;
	const struct late_answer a = {.send = s,
	    .carrier = carrier_name(c),
	    .id = id,
	    .part = part,
	    .parts = parts,
	    .result = r,
	    .doubt_us = doubt_us,
	    .at_us = loop_clock(s->base.loop)->wall_us(),
	    .how = "answered late"};

	/* Without an id only what its receipt echoes can name it, as before. */
	if (r->outcome != PART_SUBMITTED || *r->operator_id)
		settle_doubt_over(s->settle, a.carrier, id, part + 1, doubt_us);
	late_tell(&a, letter_find(s, id));
}

void letter_on_doubt_over(void *arg, const struct doubt *d, const char *id, int64_t at_us)
{
	struct send *s = arg;
	const struct part_result taken = {PART_SUBMITTED, STATUS_OK, 0, id, NULL};
	const struct late_answer a = {.send = s,
	    .carrier = d->carrier,
	    .id = d->home.message_id,
	    .part = d->home.part - 1,
	    .parts = d->home.parts,
	    .result = &taken,
	    .doubt_us = d->since_us,
	    .at_us = at_us,
	    .how = "never answered; its receipt names it"};

	late_tell(&a, letter_find(s, a.id));
}

/* Whether any operator that may have it brings references back. */
static bool late_may_be_named(const struct letter *l)
{
	struct carrier *route[ROUTE_MAX];
	size_t n = ways_route(l->send->ways, l->to, route);

	while (n > 0)
		if (carrier_profile(route[--n])->user_message_reference)
			return true;
	return false;
}

void letter_doubt(struct letter *l, const struct carrier *c, uint32_t mask)
{
	struct send *s = l->send;

	if (c ? !carrier_profile(c)->user_message_reference : !late_may_be_named(l))
		return;
	for (unsigned part = 0; part < l->parts; part++) {
		const struct doubt d = {c ? carrier_name(c) : "",
		    {l->shipment.id, part + 1, l->parts, l->phone, letter_is_plain(l)},
		    loop_clock(s->base.loop)->wall_us()};

		if (mask & 1u << part)
			settle_doubt(s->settle, d);
	}
}

/* Another daemon, or this one before its last start, may have had its receipt. */
static void late_on_named(
    void *arg, uint64_t message_id, uint16_t reference, const char *carrier, const char *id)
{
	struct send *s = arg;
	struct letter *l = letter_find(s, message_id);

	for (unsigned part = 0; l && part < l->parts; part++) {
		const struct doubt d = {carrier,
		    {message_id, part + 1, l->parts, l->phone, letter_is_plain(l)},
		    loop_clock(s->base.loop)->wall_us()};

		if ((l->doubt_mask & 1u << part) && submission_reference(message_id, part) == reference) {
			letter_on_doubt_over(s, &d, id, d.since_us);
			return;
		}
	}
}

static void late_on_asked(void *arg, uint64_t message_id, enum kz r)
{
	struct send *s = arg;
	struct letter *l = letter_find(s, message_id);

	(void)r; /* not known: it goes again, and is marked */
	if (l && l->phase == LETTER_PAUSED && !s->draining)
		letter_go(l);
}

bool letter_asks(struct letter *l)
{
	const struct receipts_named quest = {l->shipment.id, late_on_named, late_on_asked, l->send};
	uint16_t references[SEGMENT_MAX_PARTS];
	size_t n = 0;

	if (!l->doubt_mask || l->forgotten || !late_may_be_named(l))
		return false;
	for (unsigned part = 0; part < l->parts; part++)
		if (l->doubt_mask & 1u << part)
			references[n++] = submission_reference(l->shipment.id, part);
	return receipts_named(l->send->base.pg, l->phone, references, n, &quest) == KZ_OK;
}

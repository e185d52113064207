/* carrier_turn: who is sent next, and what became of it. The pump runs at the end of a round of the loop,
 * whenever something changed: pages of USSD, then link by link in rotation, one part each, the highest lane
 * first and in it what the link has already begun. When all that remains is a token that is not there yet, a
 * timer waits for it.
 */
#include "smpp/carrier_body.h"

#include <assert.h>

#include "base/ids.h"
#include "base/log.h"
#include "smpp/submission.h"

#define BUSY_MS     20   /* a link that would not take what it said it would: its socket is full */
#define PUMP_BUDGET 1000 /* turns in one go */

#define BIT(part) (UINT32_C(1) << (part))

void carrier_wake(struct carrier *c)
{
	loop_defer(c->loop, &c->pump, carrier_pump, c);
}

/* Fills up with those that are next. */
static void carrier_bring_near(struct carrier *c, enum lane lane)
{
	struct list_node *n;

	while (c->near[lane].count < c->ahead && (n = list_first(&c->waiting[lane])) != NULL) {
		struct shipment *s = list_entry(n, struct shipment, node);

		carrier_put_last(s, &c->near[lane]);
		if (!s->cleared)
			c->events->on_near(c->arg, s);
	}
}

/* 0-based; SEGMENT_MAX_PARTS when none is left. */
static unsigned carrier_next_part(const struct shipment *s)
{
	uint32_t rest = ~(s->done_mask | s->sent_mask);

	return rest ? (unsigned)__builtin_ctz(rest) : SEGMENT_MAX_PARTS;
}

/* A carrier that goes sends nothing more: what it has not written is its owner's again. */
static bool carrier_has_more(const struct carrier *c, const struct shipment *s)
{
	unsigned parts = s->parts ? s->parts : SEGMENT_MAX_PARTS;

	return !c->draining && !s->stopped && carrier_next_part(s) < parts;
}

/* Lets s go when nothing of it is left. */
static void carrier_settle(struct carrier *c, struct shipment *s)
{
	if (s->outstanding > 0 || carrier_has_more(c, s))
		return;
	carrier_pull(s);
	s->carrier = NULL;
	c->events->on_done(c->arg, s);
}

/* s counts as outstanding meanwhile, so that its owner cannot take it back from inside. */
static void carrier_tell_part(
    struct carrier *c, struct shipment *s, unsigned part, const struct part_result *r)
{
	if (r->outcome == PART_SUBMITTED) {
		s->done_mask |= BIT(part);
		s->full = 0;
	}
	if (r->outcome == PART_REFUSED) {
		s->stopped = true;
		carrier_pull(s);
	}
	c->events->on_part(c->arg, s, part, r);
	s->outstanding--;
	carrier_settle(c, s);
}

static enum kz carrier_write(
    struct carrier *c, struct line *line, struct shipment *s, unsigned part, const struct shipment_part *p)
{
	const struct submission what = {s->id, part, s->lane, clock_wall_ms(loop_clock(c->loop))};
	struct pdu_sm m;
	enum kz r = submission_fill(c->profile, &what, p, &c->tlvs, &m);

	return r == KZ_OK ? link_submit(line->session, &m, submission_weight(p), s, part) : r;
}

/* Our own bytes are wrong: the same would be refused for ever. */
static void carrier_unwritable(
    struct carrier *c, struct line *line, struct shipment *s, unsigned part, enum kz r)
{
	const struct part_result result = {PART_REFUSED, STATUS_BUG, 0, "", link_name(line->session)};
	char id[IDS_TEXT];

	log_error(ids_text(s->id, id), "no submit_sm can be made of part %u for %s: %s", part + 1,
	    link_name(line->session), kz_name(r));
	s->outstanding++;
	carrier_tell_part(c, s, part, &result);
}

static bool carrier_send(
    struct carrier *c, struct line *line, struct shipment *s, unsigned part, const struct shipment_part *p)
{
	enum kz r = carrier_write(c, line, s, part, p);

	if (r == KZ_BUSY || r == KZ_LOST) {
		carrier_put_first(s, s->line ? &line->pinned[s->lane] : &c->near[s->lane]);
		return false;
	}
	if (r != KZ_OK) {
		carrier_unwritable(c, line, s, part, r);
		return true;
	}
	s->line = line;
	s->sent_mask |= BIT(part);
	s->outstanding++;
	if (carrier_has_more(c, s))
		carrier_put_first(s, &line->pinned[s->lane]);
	return true;
}

/* Asks the owner for the next part of s and sends it. With nothing outstanding the owner may free s when it
 * is asked, or give it to another carrier: then s is not looked at again. false: the link is busy. */
static bool carrier_give_turn(struct carrier *c, struct line *line, struct shipment *s)
{
	unsigned part = carrier_next_part(s), total;
	bool alone = s->outstanding == 0;
	struct shipment_part p = {0};

	carrier_pull(s);
	if (!carrier_has_more(c, s)) {
		carrier_settle(c, s);
		return true;
	}
	if (alone)
		s->carrier = NULL;
	link_decide(line->session);
	total = c->events->on_turn(c->arg, s, part, &p);
	if (total == 0 && alone)
		return true;
	assert(total <= SEGMENT_MAX_PARTS);
	s->carrier = c;
	s->stopped = total == 0;
	s->parts = (uint8_t)total;
	if (total > part)
		return carrier_send(c, line, s, part, &p);
	carrier_settle(c, s);
	return true;
}

/* One part over each link that can, beginning behind the one that sent last; how many. *ret_busy: a link
 * would not take its part. */
static unsigned carrier_round(struct carrier *c, bool *ret_busy)
{
	unsigned n = 0;

	for (size_t i = 0, first = c->first; i < c->lines_n; i++) {
		size_t at = (first + i) % c->lines_n;
		struct line *line = &c->lines[at];
		struct shipment *s = NULL;

		/* The next token is a page's: somebody holds the phone and looks at it. */
		if (!line->pages.count && link_wait_ms(line->session) == 0)
			s = carrier_pick(c, line);
		if (!s)
			continue;
		if (!carrier_give_turn(c, line, s))
			*ret_busy = true;
		c->first = (at + 1) % c->lines_n;
		n++;
	}
	return *ret_busy ? 0 : n;
}

static void carrier_sooner(int64_t *at, int64_t ms)
{
	if (ms >= 0 && (*at < 0 || ms < *at))
		*at = ms;
}

/* Until the next token that somebody waits for, or the end of the first hold; -1: until something happens. */
static int64_t carrier_rest_ms(const struct carrier *c)
{
	int64_t now = loop_now_ms(c->loop), rest = carrier_pages_rest_ms(c);

	for (size_t i = 0; i < c->lines_n; i++)
		if (!c->lines[i].pages.count && carrier_pick(c, &c->lines[i]))
			carrier_sooner(&rest, link_wait_ms(c->lines[i].session));
	for (enum lane lane = 0; lane < LANES; lane++) {
		struct list_node *n = list_first(&c->held[lane]);

		if (n) {
			int64_t hold = list_entry(n, struct shipment, node)->hold_ms - now;
			carrier_sooner(&rest, hold > 0 ? hold : 0);
		}
	}
	return rest;
}

static void carrier_tell_up(struct carrier *c)
{
	bool up = carrier_is_up(c);

	if (c->up == up)
		return;
	c->up = up;
	c->events->on_up(c->arg, c, up);
}

static void carrier_check_drained(struct carrier *c)
{
	loop_fn *told = c->on_drained;

	for (size_t i = 0; i < c->lines_n; i++)
		if (!link_is_closed(c->lines[i].session))
			return;
	c->on_drained = NULL;
	if (told)
		told(c->drained_arg); /* which may free c */
}

void carrier_pump(void *arg)
{
	struct carrier *c = arg;
	unsigned sent = 0, n;

	carrier_tell_up(c);
	if (c->draining) {
		carrier_drop_pages(c);
		return carrier_check_drained(c);
	}
	bool busy = carrier_send_pages(c);
	for (enum lane lane = 0; lane < LANES; lane++) {
		carrier_release(c, lane, loop_now_ms(c->loop));
		if (c->up)
			carrier_bring_near(c, lane);
	}
	do {
		n = carrier_round(c, &busy);
		sent += n;
	} while (n > 0 && sent < PUMP_BUDGET);
	int64_t rest = busy ? BUSY_MS : carrier_rest_ms(c);
	timer_stop(c->pump_timer);
	if (rest >= 0)
		timer_start(c->pump_timer, rest);
}

/* What the link had begun and not finished goes to whoever is up. */
static void carrier_unpin(struct carrier *c, struct line *line)
{
	for (enum lane lane = 0; lane < LANES; lane++) {
		struct list *pinned = &line->pinned[lane];

		while (pinned->count > 0) {
			struct shipment *s = list_entry(pinned->head.prev, struct shipment, node);

			s->line = NULL;
			carrier_put_first(s, &c->near[lane]);
		}
	}
}

void carrier_on_change(void *arg, struct link *l)
{
	struct line *line = arg;

	if (!link_can_submit(l)) {
		carrier_unpin(line->carrier, line);
		carrier_move_pages(line->carrier, line);
	}
	carrier_wake(line->carrier);
}

static struct part_result carrier_result(const struct link *l, const struct link_answer *a)
{
	struct part_result r = {PART_REFUSED, a->class, a->status, a->id, link_name(l)};

	if (!a->answered)
		r.outcome = PART_IN_DOUBT;
	else if (a->class == STATUS_OK)
		r.outcome = PART_SUBMITTED;
	else if (a->class == STATUS_LINK || a->class == STATUS_SLOW)
		r.class = STATUS_TEMPORARY; /* slowed, but the rest of the message is given up */
	return r;
}

void carrier_on_answer(void *arg, struct link *l, void *owner, unsigned part, const struct link_answer *a)
{
	struct line *line = arg;
	struct carrier *c = line->carrier;
	struct shipment *s = owner;

	if (part == LINK_PAGE) {
		carrier_on_page_answer(c, owner, a);
		return carrier_wake(c);
	}
	if (a->sequence) {
		const struct late_part p = {
		    s->id, loop_clock(c->loop)->wall_us(), a->sequence, (uint8_t)part, s->parts};

		late_note(&line->late, &p);
	}
	if (a->answered && a->class == STATUS_SLOW && !s->stopped && !c->draining) {
		s->outstanding--;
		s->sent_mask &= ~BIT(part);
		carrier_slow(c, s, a->status);
	} else {
		struct part_result r = carrier_result(l, a);

		carrier_tell_part(c, s, part, &r);
	}
	carrier_wake(c);
}

bool carrier_on_late(void *arg, struct link *l, uint32_t sequence, const struct link_answer *a)
{
	struct line *line = arg;
	struct carrier *c = line->carrier;
	struct late_part p;

	if (!late_take(&line->late, sequence, &p))
		return false;
	struct part_result r = carrier_result(l, a);
	c->events->on_late(c->arg, c, p.id, p.part, p.parts, p.doubt_us, &r);
	return true;
}

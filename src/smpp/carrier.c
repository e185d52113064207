/* carrier: life and questions. A shipment stands in exactly one list or in none: waiting (behind the near
 * ones), near (any link may begin with it once it is cleared), pinned to the link that has its first parts,
 * held because it was slowed, or none while all its parts are on the wire. Lanes are strict: while a code is
 * ready, no notice is begun. Within a lane what was begun goes before what was not, also when it comes back
 * from another carrier: behind a queue, its parts would come to the phone minutes apart, and its reference
 * might be another message's by then. Only a few are near, twice the windows and some that are being cleared,
 * so that what has to be taken for written after a crash stays little. */
#include "smpp/carrier_body.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define AHEAD_LEAST 128

static const struct link_events link_events = {
    carrier_on_change, carrier_on_answer, carrier_on_late, carrier_on_deliver, carrier_on_broken};

struct carrier *carrier_new(
    struct loop *l, const struct profile *p, const struct carrier_events *events, void *arg)
{
	struct carrier *c = mem_new(sizeof *c);

	*c = (struct carrier){.loop = l, .profile = p, .events = events, .arg = arg, .lines_n = p->links_n};
	c->pump_timer = timer_new(l, carrier_pump, c);
	c->lines = mem_array(p->links_n, sizeof *c->lines);
	c->ahead = AHEAD_LEAST;
	carrier_start_pages(c);
	for (enum lane lane = 0; lane < LANES; lane++) {
		list_init(&c->waiting[lane]);
		list_init(&c->near[lane]);
		list_init(&c->held[lane]);
	}
	for (size_t i = 0; i < c->lines_n; i++) {
		struct line *line = &c->lines[i];

		c->ahead += 2 * (size_t)p->links[i].window;
		line->carrier = c;
		for (enum lane lane = 0; lane < LANES; lane++)
			list_init(&line->pinned[lane]);
		list_init(&line->pages);
		line->session = link_new(l, p, &p->links[i], (uint32_t)i, &link_events, line);
	}
	return c;
}

void carrier_rest(struct carrier *c, const char *why)
{
	for (size_t i = 0; i < c->lines_n; i++)
		link_rest(c->lines[i].session, why);
}

void carrier_dial(struct carrier *c)
{
	assert(!c->draining);
	for (size_t i = 0; i < c->lines_n; i++)
		link_dial(c->lines[i].session);
}

void carrier_redial(struct carrier *c)
{
	for (size_t i = 0; i < c->lines_n; i++)
		link_redial(c->lines[i].session);
}

const char *carrier_name(const struct carrier *c)
{
	return c->profile->name;
}

const struct profile *carrier_profile(const struct carrier *c)
{
	return c->profile;
}

bool carrier_is_up(const struct carrier *c)
{
	return carrier_is_up_beside(c, 0);
}

bool carrier_is_up_beside(const struct carrier *c, uint8_t avoid)
{
	for (size_t i = 0; i < c->lines_n; i++)
		if (i + 1 != avoid && link_can_submit(c->lines[i].session))
			return true;
	return false;
}

double carrier_pace(const struct carrier *c)
{
	double pace = 0;

	for (size_t i = 0; i < c->lines_n; i++)
		pace += link_pace(c->lines[i].session);
	return pace;
}

uint8_t carrier_link(const struct carrier *c, const char *name)
{
	for (size_t i = 0; i < c->lines_n; i++)
		if (!strcmp(link_name(c->lines[i].session), name))
			return (uint8_t)(i + 1);
	return 0;
}

void carrier_pull(struct shipment *s)
{
	if (s->list)
		list_remove(s->list, &s->node);
	s->list = NULL;
}

void carrier_put_first(struct shipment *s, struct list *list)
{
	carrier_pull(s);
	s->list = list;
	list_prepend(list, &s->node);
}

void carrier_put_last(struct shipment *s, struct list *list)
{
	carrier_pull(s);
	s->list = list;
	list_append(list, &s->node);
}

/* What is cleared goes at once when nobody stands before it, however many are near: its owner counted it in.
 * The phone already has the beginning of a long message: it waits for nobody's first part. */
void carrier_queue(struct carrier *c, struct shipment *s)
{
	bool at_once = s->cleared && (s->done_mask || !c->waiting[s->lane].count);
	struct list *list = at_once ? &c->near[s->lane] : &c->waiting[s->lane];

	if (s->done_mask)
		carrier_put_first(s, list);
	else
		carrier_put_last(s, list);
}

void carrier_submit(struct carrier *c, struct shipment *s)
{
	assert(!s->carrier && s->lane < LANES);
	s->carrier = c;
	s->line = NULL;
	s->sent_mask = 0;
	s->parts = s->outstanding = s->full = 0;
	s->stopped = false;
	s->list = NULL;
	carrier_queue(c, s);
	if (c->up)
		carrier_wake(c);
}

void carrier_clear(struct carrier *c, struct shipment *s)
{
	if (s->carrier != c)
		return;
	s->cleared = true;
	if (s->done_mask && s->list == &c->near[s->lane])
		carrier_put_first(s, s->list);
	carrier_wake(c);
}

bool carrier_has_room(const struct carrier *c, enum lane lane, size_t more)
{
	for (enum lane before = 0; before <= lane; before++) {
		if (c->waiting[before].count)
			return false;
		more += c->near[before].count;
	}
	return c->up && !c->draining && more < c->ahead;
}

bool carrier_withdraw(struct carrier *c, struct shipment *s)
{
	if (s->carrier != c || s->outstanding > 0)
		return false;
	carrier_pull(s);
	s->carrier = NULL;
	return true;
}

static struct shipment *carrier_take_from(struct carrier *c, struct list *list)
{
	list_each(list, n, next)
	{
		struct shipment *s = list_entry(n, struct shipment, node);

		if (carrier_withdraw(c, s))
			return s;
	}
	return NULL;
}

struct shipment *carrier_take_near(struct carrier *c)
{
	struct shipment *s = NULL;

	for (enum lane lane = 0; lane < LANES && !s; lane++) {
		for (size_t i = 0; i < c->lines_n && !s; i++)
			s = carrier_take_from(c, &c->lines[i].pinned[lane]);
		if (!s)
			s = carrier_take_from(c, &c->held[lane]);
		if (!s)
			s = carrier_take_from(c, &c->near[lane]);
	}
	return s;
}

struct shipment *carrier_take_waiting(struct carrier *c)
{
	struct shipment *s = carrier_take_near(c);

	for (enum lane lane = 0; lane < LANES && !s; lane++)
		s = carrier_take_from(c, &c->waiting[lane]);
	return s;
}

size_t carrier_waiting(const struct carrier *c, enum lane lane)
{
	size_t n = c->waiting[lane].count + c->near[lane].count + c->held[lane].count;

	for (size_t i = 0; i < c->lines_n; i++)
		n += c->lines[i].pinned[lane].count;
	return n;
}

static int64_t carrier_older(const struct list *list, int64_t than)
{
	struct list_node *n = list_first(list);
	const struct shipment *s = n ? list_entry(n, struct shipment, node) : NULL;

	return s && s->queued_ms < than ? s->queued_ms : than;
}

int64_t carrier_oldest_ms(const struct carrier *c, enum lane lane)
{
	int64_t now = loop_now_ms(c->loop);
	int64_t oldest = carrier_older(&c->held[lane], carrier_older(&c->waiting[lane], now));

	oldest = carrier_older(&c->near[lane], oldest);
	for (size_t i = 0; i < c->lines_n; i++)
		oldest = carrier_older(&c->lines[i].pinned[lane], oldest);
	return now - oldest;
}

void carrier_answer(struct carrier *c, struct deliver_ticket t, uint32_t status)
{
	if (t.link < c->lines_n)
		link_answer(c->lines[t.link].session, t, status);
}

size_t carrier_report(const struct carrier *c, struct link_report *rows, size_t room)
{
	for (size_t i = 0; i < c->lines_n && i < room; i++)
		link_report(c->lines[i].session, &rows[i]);
	return c->lines_n;
}

void carrier_drain(struct carrier *c, loop_fn *on_drained, void *arg)
{
	assert(!c->draining);
	c->draining = true;
	c->on_drained = on_drained;
	c->drained_arg = arg;
	for (size_t i = 0; i < c->lines_n; i++)
		link_drain(c->lines[i].session);
	carrier_wake(c);
}

void carrier_free(struct carrier *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->lines_n; i++)
		link_free(c->lines[i].session);
	carrier_free_pages(c);
	defer_cancel(&c->pump);
	timer_free(c->pump_timer);
	buf_fini(&c->tlvs);
	free(c->lines);
	free(c);
}

/* carrier_slow: where a part stands that was answered with a slowing status. A throttled one (0x58) stands in
 * front of its link again at once, ahead of what was not begun: the bucket of the link, which was slowed, is
 * all its delay, so that the next token is a code's and not a notice's. One for which the operator's queue is
 * full (0x14) is held for a second and longer, since that may be the queue of one phone while all others go
 * on. */
#include "smpp/carrier_body.h"

#define HOLD_MS  1000
#define FULL_MAX 5 /* doublings of the hold: 32 s */

void carrier_release(struct carrier *c, enum lane lane, int64_t now)
{
	struct list_node *n;

	while ((n = list_first(&c->held[lane])) != NULL) {
		struct shipment *s = list_entry(n, struct shipment, node);
		struct line *line = s->line;

		if (s->hold_ms > now)
			return;
		if (line && link_can_submit(line->session))
			carrier_put_last(s, &line->pinned[lane]);
		else
			carrier_put_first(s, &c->near[lane]);
	}
}

/* In order of hold_ms; nearly always at the end. */
static void carrier_hold(struct carrier *c, struct shipment *s)
{
	struct list *held = &c->held[s->lane];
	struct list_node *at;

	s->hold_ms = loop_now_ms(c->loop) + ((int64_t)HOLD_MS << s->full);
	if (s->full < FULL_MAX)
		s->full++;
	carrier_pull(s);
	for (at = held->head.prev; at != &held->head; at = at->prev)
		if (list_entry(at, struct shipment, node)->hold_ms <= s->hold_ms)
			break;
	s->list = held;
	list_insert_after(held, at, &s->node);
}

/* Behind those that were accepted before it: a window of throttled ones keeps its order. */
static void carrier_put_by_age(struct shipment *s, struct list *list)
{
	struct list_node *at;

	carrier_pull(s);
	for (at = list->head.next; at != &list->head; at = at->next)
		if (list_entry(at, struct shipment, node)->queued_ms > s->queued_ms)
			break;
	s->list = list;
	list_insert_after(list, at->prev, &s->node);
}

/* With the next token; one whose link went meanwhile, over any. */
static void carrier_again(struct carrier *c, struct shipment *s)
{
	struct line *line = s->line;

	/* Another part of it met a full queue: that wait is not cut short. */
	if (s->list == &c->held[s->lane])
		return;
	if (line && link_can_submit(line->session)) {
		carrier_put_by_age(s, &line->pinned[s->lane]);
	} else {
		s->line = NULL;
		carrier_put_first(s, &c->near[s->lane]);
	}
}

void carrier_slow(struct carrier *c, struct shipment *s, uint32_t status)
{
	if (status == ESME_RMSGQFUL)
		carrier_hold(c, s);
	else
		carrier_again(c, s);
}

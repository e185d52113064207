/* carrier_pick: what a link sends next: the highest lane first, and in it what the link has already begun.
 * Those that leave it to another link are passed by, and wait for that one's window: a few codes in all. */
#include "smpp/carrier_body.h"

/* Whether s leaves the link to others: what went over it before did not arrive, and another can submit. */
static bool carrier_spares(const struct carrier *c, const struct line *line, const struct shipment *s)
{
	return s->avoid && (size_t)(line - c->lines) + 1 == s->avoid && carrier_is_up_beside(c, s->avoid);
}

/* The first of those that any link may begin with; NULL when none is for this one. */
static struct shipment *carrier_first_near(const struct carrier *c, const struct line *line, enum lane lane)
{
	for (struct list_node *n = list_first(&c->near[lane]); n; n = list_next(&c->near[lane], n)) {
		struct shipment *s = list_entry(n, struct shipment, node);

		if (!carrier_spares(c, line, s))
			return s;
	}
	return NULL;
}

struct shipment *carrier_pick(const struct carrier *c, const struct line *line)
{
	for (enum lane lane = 0; lane < LANES; lane++) {
		struct list_node *n = list_first(&line->pinned[lane]);
		struct shipment *s =
		    n ? list_entry(n, struct shipment, node) : carrier_first_near(c, line, lane);

		if (s && s->cleared)
			return s;
	}
	return NULL;
}

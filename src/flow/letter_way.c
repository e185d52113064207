/* letter_way: by which carrier a letter goes. What is sent again because a link lost it goes by another link
 * or another carrier, as long as one is up. */
#include <string.h>

#include "flow/send_body.h"

static uint8_t way_avoid(const struct carrier *c, const char *link)
{
	return link ? carrier_link(c, link) : 0;
}

struct carrier *letter_taker(const struct letter *l, struct carrier *const *route, size_t n, bool *ret_wait)
{
	*ret_wait = false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(carrier_name(route[i]), l->taken_by) != 0)
			continue;
		if (carrier_is_up(route[i]) || !carrier_is_up(route[0]))
			return route[i];
		*ret_wait = !l->patient;
		return NULL;
	}
	return NULL;
}

struct carrier *letter_choose(const struct letter *l, struct carrier *const *route, size_t n)
{
	struct carrier *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (route[i] == l->not_ours)
			continue;
		if (!best)
			best = route[i];
		if (route[i] != l->avoid &&
		    carrier_is_up_beside(route[i], way_avoid(route[i], l->avoid_link)))
			return route[i];
	}
	return best ? best : route[0];
}

enum send_beside send_beside(const struct send *s, struct msisdn to, const char *link)
{
	struct carrier *route[ROUTE_MAX];
	size_t n = ways_route(s->ways, to, route);

	for (size_t i = 0; i < n; i++) {
		uint8_t avoid = way_avoid(route[i], link);

		if (carrier_is_up_beside(route[i], avoid))
			return avoid ? SEND_OTHER_LINK : SEND_OTHER_CARRIER;
	}
	return SEND_SAME;
}

/* route: which carriers may take a message, best first; pure. The prefix is only a guess of the operator
 * (numbers are portable), so every carrier that serves the prefix, and every one that serves any, stays a
 * fail-over. */
#ifndef RULES_ROUTE_H
#define RULES_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "text/msisdn.h"

#define ROUTE_MAX 32

/* One carrier as the route sees it. */
struct route_way {
	const char *const *prefixes; /* digits, "7701"; none: serves any number */
	size_t prefixes_n;
	long preference; /* lower first among equal prefixes */
	bool up;
};

/* Writes the indexes of the ways that serve m, in order: longest prefix, preference, place in the table;
 * those that are down after those that are up. Returns how many (0..ROUTE_MAX). */
size_t route_order(const struct route_way *ways, size_t n, struct msisdn m, size_t ret[ROUTE_MAX]);

/* Whether there are numbers that both serve. */
bool route_meets(const struct route_way *a, const struct route_way *b);

#endif

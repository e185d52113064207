/* position: how many applications are served before one of a queue, plus one; pure. A queue is one district
 * and birth year. Its categories are served by tiers, and those of one tier in rounds of their shares. Counts
 * are all that is needed, so the cost is that of the categories, whatever the length of the queue. */
#ifndef RULES_POSITION_H
#define RULES_POSITION_H

#include <stddef.h>
#include <stdint.h>

/* One category of a queue. Where it stands in the table is its turn within a round. Whoever serves the queue
 * counts what it served: else each position would begin a round anew, and those who come late in one would
 * never be served while others of an earlier turn keep coming. */
struct position_category {
	uint32_t tier;    /* everybody of a lower tier is served first */
	uint32_t share;   /* 1 and more: of it in each round of its tier, as long as anybody waits in it */
	uint32_t waiting; /* applications of it in the queue */
	uint32_t served;  /* of it in the round that its tier is in; share once its turn is over, then 0 */
};

/* The position, 1 and up, of an application of category `own` with `before` others of that category ahead of
 * it. How many wait in its own category does not matter. own < n. */
uint64_t position_count(const struct position_category *categories, size_t n, size_t own, uint32_t before);

#endif

/* Round r of a tier serves share_1 of its first category, then share_2 of its second, and so on; a category
 * that has run out is passed over, which changes nothing for the others. So the round of an application
 * follows from its own category alone, and before it another category has had its share as often as its turn
 * came up, or all that it had. To walk the rounds instead would give the same at the cost of the queue's
 * length: the test does that. */
#include "rules/position.h"

#include <assert.h>

/* How many of a category are yet served when its turn came up `turns` times since the round began that is
 * under way, 2^32 at most: nothing overflows. */
static uint64_t category_ahead(const struct position_category *c, uint64_t turns)
{
	uint64_t most = turns * c->share, left = most > c->served ? most - c->served : 0;

	return left < c->waiting ? left : c->waiting;
}

uint64_t position_count(const struct position_category *categories, size_t n, size_t own, uint32_t before)
{
	uint64_t position = (uint64_t)before + 1, rounds_before;

	assert(own < n && categories[own].share > 0);
	rounds_before = ((uint64_t)before + categories[own].served) / categories[own].share;
	for (size_t i = 0; i < n; i++) {
		const struct position_category *c = &categories[i];

		if (c->tier < categories[own].tier)
			position += c->waiting;
		else if (c->tier == categories[own].tier && i != own)
			position += category_ahead(c, rounds_before + (i < own));
	}
	return position;
}

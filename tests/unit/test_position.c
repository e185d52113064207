/* The position against a simulation that serves the queue one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/position.h"

#define CATEGORIES_MAX 6
#define TIERS          3

static bool anybody_waits(const struct position_category *c, size_t n, uint32_t tier, const uint32_t *served)
{
	for (size_t i = 0; i < n; i++)
		if (c[i].tier == tier && served[i] < c[i].waiting)
			return true;
	return false;
}

/* Serves everybody in order, and holds each one's position against the place in which it was served. Returns
 * how many there were. */
static uint64_t assert_all_served(const struct position_category *c, size_t n)
{
	uint32_t served[CATEGORIES_MAX] = {0};
	uint64_t place = 0;

	for (uint32_t tier = 0; tier <= TIERS; tier++)
		while (anybody_waits(c, n, tier, served))
			for (size_t i = 0; i < n; i++)
				for (uint32_t k = 0;
				     c[i].tier == tier && k < c[i].share && served[i] < c[i].waiting;
				     k++, served[i]++)
					assert_int_equal(position_count(c, n, i, served[i]), ++place);
	return place;
}

static void position_count__nobody_ahead__first(void **state)
{
	const struct position_category one = {1, 3, 1, 0};

	(void)state;
	assert_int_equal(position_count(&one, 1, 0, 0), 1);
}

static void position_count__one_category__registration_alone(void **state)
{
	const struct position_category one = {1, 3, 100, 0};

	(void)state;
	for (uint32_t before = 0; before < 100; before++)
		assert_int_equal(position_count(&one, 1, 0, before), before + 1);
}

/* One of the privileged, then three of the others: 1 P, 2-4 G, 5 P, 6-8 G. */
static void position_count__one_to_three__interleaved(void **state)
{
	static const struct position_category both[] = {{1, 1, 2, 0}, {1, 3, 7, 0}};

	(void)state;
	assert_int_equal(position_count(both, 2, 0, 0), 1);
	assert_int_equal(position_count(both, 2, 1, 0), 2);
	assert_int_equal(position_count(both, 2, 1, 2), 4);
	assert_int_equal(position_count(both, 2, 0, 1), 5);
	assert_int_equal(position_count(both, 2, 1, 3), 6);
	assert_int_equal(position_count(both, 2, 1, 6), 9); /* the privileged have run out */
	assert_int_equal(assert_all_served(both, 2), 9);
}

/* The general ones first in a round, as a region may say. */
static void position_count__three_to_one__the_order_of_the_table_counts(void **state)
{
	static const struct position_category both[] = {{1, 3, 7, 0}, {1, 1, 2, 0}};

	(void)state;
	assert_int_equal(position_count(both, 2, 0, 2), 3);
	assert_int_equal(position_count(both, 2, 1, 0), 4);
	assert_int_equal(position_count(both, 2, 0, 3), 5);
	assert_int_equal(assert_all_served(both, 2), 9);
}

static void position_count__lower_tier__all_of_it_goes_first(void **state)
{
	static const struct position_category three[] = {{2, 3, 10, 0}, {1, 1, 5, 0}, {3, 1, 4, 0}};

	(void)state;
	assert_int_equal(position_count(three, 3, 1, 4), 5);
	assert_int_equal(position_count(three, 3, 0, 0), 6);
	assert_int_equal(position_count(three, 3, 2, 0), 16);
	assert_int_equal(assert_all_served(three, 3), 19);
}

/* One waits since the round's first turn was served; the next of the privileged goes behind three of the
 * others. */
static void position_count__in_the_middle_of_a_round__it_goes_on(void **state)
{
	static const struct position_category both[] = {{1, 1, 1, 1}, {1, 3, 7, 0}},
	                                      later[] = {{1, 1, 1, 1}, {1, 3, 5, 2}};

	(void)state;
	assert_int_equal(position_count(both, 2, 0, 0), 4);
	assert_int_equal(position_count(both, 2, 1, 0), 1);
	assert_int_equal(position_count(both, 2, 1, 3), 5);
	assert_int_equal(position_count(later, 2, 0, 0), 2);
	assert_int_equal(position_count(later, 2, 1, 1), 3);
}

/* Serves one of the category whose turn it is; those before it in the round have had theirs. */
static void serve(struct position_category *c, size_t n, size_t at)
{
	c[at].waiting--;
	c[at].served++;
	for (size_t i = 0; i < at; i++)
		if (c[i].tier == c[at].tier)
			c[i].served = c[i].share;
	for (size_t i = 0; i < n; i++)
		if (c[i].tier == c[at].tier && c[i].served < c[i].share && c[i].waiting)
			return;
	for (size_t i = 0; i < n; i++)
		if (c[i].tier == c[at].tier)
			c[i].served = 0;
}

/* While a queue is served each position falls by one, whoever it is. */
static void assert_each_falls_by_one(struct position_category *c, size_t n)
{
	uint64_t had[CATEGORIES_MAX][40];
	size_t first;

	for (uint64_t gone = 0;; gone++) {
		first = n;
		for (size_t i = 0; i < n; i++)
			for (uint32_t k = 0; k < c[i].waiting; k++) {
				uint64_t now = position_count(c, n, i, k);
				uint64_t *was = &had[i][40 - c[i].waiting + k];

				assert_true(!gone || *was == now + 1);
				*was = now;
				first = now == 1 ? i : first;
			}
		if (first == n)
			return;
		serve(c, n, first);
	}
}

static void position_count__queues_that_are_served__each_falls_by_one(void **state)
{
	unsigned short seed[3] = {1, 2, 3};

	(void)state;
	for (unsigned queue = 0; queue < 300; queue++) {
		struct position_category c[CATEGORIES_MAX];
		size_t n = 1 + (size_t)nrand48(seed) % CATEGORIES_MAX;

		for (size_t i = 0; i < n; i++)
			c[i] = (struct position_category){(uint32_t)(1 + nrand48(seed) % TIERS),
			    (uint32_t)(1 + nrand48(seed) % 5), (uint32_t)(nrand48(seed) % 40), 0};
		assert_each_falls_by_one(c, n);
	}
}

/* The counts and the application may be of two moments. */
static void position_count__more_ahead_than_are_counted__what_is_ahead_counts(void **state)
{
	static const struct position_category both[] = {{1, 1, 2, 0}, {1, 3, 0, 0}};

	(void)state;
	assert_int_equal(position_count(both, 2, 1, 5), 5 + 2 + 1);
}

static void position_count__greatest_values__no_overflow(void **state)
{
	static const struct position_category three[] = {
	    {1, UINT32_MAX, UINT32_MAX, 0}, {1, 1, UINT32_MAX, 0}, {0, 1, UINT32_MAX, 0}};

	(void)state;
	assert_int_equal(position_count(three, 3, 1, UINT32_MAX), 3 * (uint64_t)UINT32_MAX + 1);
	assert_int_equal(position_count(three, 3, 0, UINT32_MAX), 2 * (uint64_t)UINT32_MAX + 1 + 1);
}

static void position_count__random_queues__as_the_simulation_serves_them(void **state)
{
	unsigned short seed[3] = {7, 5, 20};

	(void)state;
	for (unsigned queue = 0; queue < 3000; queue++) {
		struct position_category c[CATEGORIES_MAX];
		size_t n = 1 + (size_t)nrand48(seed) % CATEGORIES_MAX;
		uint64_t all = 0;

		for (size_t i = 0; i < n; i++) {
			c[i] = (struct position_category){(uint32_t)(1 + nrand48(seed) % TIERS),
			    (uint32_t)(1 + nrand48(seed) % 5), (uint32_t)(nrand48(seed) % 40), 0};
			all += c[i].waiting;
		}
		assert_int_equal(assert_all_served(c, n), all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(position_count__nobody_ahead__first),
	    cmocka_unit_test(position_count__one_category__registration_alone),
	    cmocka_unit_test(position_count__one_to_three__interleaved),
	    cmocka_unit_test(position_count__three_to_one__the_order_of_the_table_counts),
	    cmocka_unit_test(position_count__lower_tier__all_of_it_goes_first),
	    cmocka_unit_test(position_count__in_the_middle_of_a_round__it_goes_on),
	    cmocka_unit_test(position_count__queues_that_are_served__each_falls_by_one),
	    cmocka_unit_test(position_count__more_ahead_than_are_counted__what_is_ahead_counts),
	    cmocka_unit_test(position_count__greatest_values__no_overflow),
	    cmocka_unit_test(position_count__random_queues__as_the_simulation_serves_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

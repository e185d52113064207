#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/route.h"

static const struct msisdn phone = {77011234567};

static const char *const p7701[] = {"7701"};
static const char *const p77011[] = {"77011"};
static const char *const p7702[] = {"7702", "7775"};
static const char *const several[] = {"7", "77", "7701123", "7702"};
static const char *const whole[] = {"77011234567"};
static const char *const longer[] = {"770112345678"};
static const char *const wide[] = {""};

static void assert_route(const struct route_way *ways, size_t n, const size_t *want, size_t want_n)
{
	size_t got[ROUTE_MAX], got_n = route_order(ways, n, phone, got);

	assert_int_equal(got_n, want_n);
	for (size_t i = 0; i < want_n; i++)
		assert_int_equal(got[i], want[i]);
}

static void route_order__no_ways_or_none_that_serves__empty(void **state)
{
	const struct route_way ways[] = {{p7702, 2, 0, true}, {longer, 1, 0, true}};

	(void)state;
	assert_route(ways, 0, NULL, 0);
	assert_route(ways, 2, NULL, 0);
}

static void route_meets__prefixes__when_one_begins_with_the_other(void **state)
{
	const struct route_way a = {p7701, 1, 0, true}, longer_one = {p77011, 1, 0, true},
	                       b = {p7702, 2, 0, true}, any = {NULL, 0, 0, true}, all = {wide, 1, 0, true},
	                       many = {several, 4, 0, true};

	(void)state;
	assert_true(route_meets(&a, &longer_one));
	assert_true(route_meets(&longer_one, &a));
	assert_false(route_meets(&a, &b));
	assert_false(route_meets(&b, &longer_one));
	assert_true(route_meets(&b, &any));
	assert_true(route_meets(&any, &b));
	assert_true(route_meets(&all, &b));
	assert_true(route_meets(&b, &many));
}

static void route_order__prefixes__longest_first_any_last(void **state)
{
	const struct route_way ways[] = {
	    {NULL, 0, 1, true}, {p7701, 1, 100, true}, {p77011, 1, 200, true}, {p7702, 2, 0, true}};

	(void)state;
	assert_route(ways, 4, (const size_t[]){2, 1, 0}, 3);
}

static void route_order__several_prefixes__its_longest_that_fits_counts(void **state)
{
	const struct route_way ways[] = {
	    {p77011, 1, 0, true}, {several, 4, 9, true}, {whole, 1, 10, true}, {wide, 1, 0, true}};

	(void)state;
	assert_route(ways, 4, (const size_t[]){2, 1, 0, 3}, 4);
}

static void route_order__empty_prefix__like_one_that_serves_any(void **state)
{
	const struct route_way ways[] = {{NULL, 0, 2, true}, {wide, 1, 1, true}, {NULL, 0, 0, true}};

	(void)state;
	assert_route(ways, 3, (const size_t[]){2, 1, 0}, 3);
}

static void route_order__equal_prefixes__preference_then_place(void **state)
{
	const struct route_way ways[] = {{p7701, 1, 5, true}, {p7701, 1, -3, true}, {p7701, 1, 5, true},
	    {p7701, 1, 0, true}, {p7701, 1, -3, true}};

	(void)state;
	assert_route(ways, 5, (const size_t[]){1, 4, 3, 0, 2}, 5);
}

static void route_order__down__after_every_one_that_is_up(void **state)
{
	const struct route_way ways[] = {{p77011, 1, 0, false}, {p7701, 1, 0, false}, {NULL, 0, 9, true},
	    {p7701, 1, 7, true}, {NULL, 0, 1, false}};

	(void)state;
	assert_route(ways, 5, (const size_t[]){3, 2, 0, 1, 4}, 5);
}

static void route_order__all_down__still_all_of_them(void **state)
{
	const struct route_way ways[] = {{NULL, 0, 0, false}, {p7701, 1, 0, false}};

	(void)state;
	assert_route(ways, 2, (const size_t[]){1, 0}, 2);
}

static void route_order__more_than_the_route_holds__first_in_the_table(void **state)
{
	struct route_way ways[ROUTE_MAX + 5];
	size_t want[ROUTE_MAX];

	(void)state;
	for (size_t i = 0; i < ROUTE_MAX + 5; i++)
		ways[i] = (struct route_way){NULL, 0, 0, true};
	for (size_t i = 0; i < ROUTE_MAX; i++)
		want[i] = i;
	assert_route(ways, ROUTE_MAX, want, ROUTE_MAX);
	assert_route(ways, ROUTE_MAX + 5, want, ROUTE_MAX);
}

/* The best of many is found wherever it stands. */
static void route_order__best_behind_a_full_table__is_first(void **state)
{
	struct route_way ways[ROUTE_MAX + 1];
	size_t got[ROUTE_MAX];

	(void)state;
	for (size_t i = 0; i < ROUTE_MAX; i++)
		ways[i] = (struct route_way){NULL, 0, (long)i, i % 2 == 0};
	ways[ROUTE_MAX] = (struct route_way){p7701, 1, 0, true};
	assert_int_equal(route_order(ways, ROUTE_MAX + 1, phone, got), ROUTE_MAX);
	assert_int_equal(got[0], ROUTE_MAX);
	assert_int_equal(got[1], 0);
	assert_int_equal(got[ROUTE_MAX - 1], ROUTE_MAX - 3); /* the worst gave its place up */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(route_order__no_ways_or_none_that_serves__empty),
	    cmocka_unit_test(route_order__prefixes__longest_first_any_last),
	    cmocka_unit_test(route_meets__prefixes__when_one_begins_with_the_other),
	    cmocka_unit_test(route_order__several_prefixes__its_longest_that_fits_counts),
	    cmocka_unit_test(route_order__empty_prefix__like_one_that_serves_any),
	    cmocka_unit_test(route_order__equal_prefixes__preference_then_place),
	    cmocka_unit_test(route_order__down__after_every_one_that_is_up),
	    cmocka_unit_test(route_order__all_down__still_all_of_them),
	    cmocka_unit_test(route_order__more_than_the_route_holds__first_in_the_table),
	    cmocka_unit_test(route_order__best_behind_a_full_table__is_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

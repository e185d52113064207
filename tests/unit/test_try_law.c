/* The law of tries and the minutes that are said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/tries.h"

#define NOW    INT64_C(1000000000000000)
#define MINUTE INT64_C(60000000)

static void try_law__pins__five_and_an_hour(void **state)
{
	const struct try_law *l = try_law(TRY_PIN);

	(void)state;
	assert_true(l->most == 5 && l->within_s == 3600 && l->locks);
}

static void try_law__look_ups__five_an_hour_and_ten_a_day(void **state)
{
	(void)state;
	for (enum try_kind k = TRY_LOOKUP; k <= TRY_ENROL; k++) {
		const struct try_law *l = try_law(k);

		assert_true(l->most == 5 && l->within_s == 3600 && l->most_day == 10 && !l->locks);
	}
}

static void try_minutes__begun_ones__count(void **state)
{
	(void)state;
	assert_int_equal(try_minutes(NOW + MINUTE, NOW), 1);
	assert_int_equal(try_minutes(NOW + MINUTE + 1, NOW), 2);
	assert_int_equal(try_minutes(NOW + 60 * MINUTE, NOW), 60);
}

static void try_minutes__past_or_far__within_a_day(void **state)
{
	(void)state;
	assert_int_equal(try_minutes(NOW, NOW), 1);
	assert_int_equal(try_minutes(NOW - 1, NOW), 1);
	assert_int_equal(try_minutes(INT64_MAX, NOW), 1440);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(try_law__pins__five_and_an_hour),
	    cmocka_unit_test(try_law__look_ups__five_an_hour_and_ten_a_day),
	    cmocka_unit_test(try_minutes__begun_ones__count),
	    cmocka_unit_test(try_minutes__past_or_far__within_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define SECOND 1000000LL

static void clock_rfc3339__known_moments__utc_with_milliseconds(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(clock_rfc3339(0, text), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_rfc3339(1795371786123456, text), "2026-11-22T18:23:06.123Z");
	assert_string_equal(clock_rfc3339(1709164800000000, text), "2024-02-29T00:00:00.000Z");
	assert_string_equal(clock_rfc3339(253402300799999999, text), "9999-12-31T23:59:59.999Z");
}

static void clock_parse__what_was_written__same_millisecond(void **state)
{
	char text[32];

	(void)state;
	for (int64_t us = 0; us < 253402300799999999; us += 1234567890123456)
		assert_int_equal(clock_parse_rfc3339(clock_rfc3339(us, text)), us / 1000 * 1000);
}

static void clock_parse__every_way_of_writing__one_moment(void **state)
{
	static const char *const texts[] = {
	    "2026-11-22T18:23:06Z",
	    "2026-11-22t18:23:06z",
	    "2026-11-22 18:23:06Z",
	    "2026-11-22T18:23:06.0Z",
	    "2026-11-22T18:23:06+00:00",
	    "2026-11-22T18:23:06-00:00",
	    "2026-11-22T23:23:06+05:00",
	    "2026-11-23T00:08:06.000+05:45",
	    "2026-11-22T08:53:06-09:30",
	    "2026-11-22T18:23:06.0000009999Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(clock_parse_rfc3339(texts[i]), 1795371786 * SECOND);
}

static void clock_parse__fractions__cut_to_the_millisecond_that_is_shown(void **state)
{
	(void)state;
	assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:01.5Z"), 1500000);
	assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:01.000999Z"), 1000000);
	assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:01.1234567890123456789012Z"), 1123000);
}

static void clock_parse__leap_second__the_next_second(void **state)
{
	(void)state;
	assert_int_equal(clock_parse_rfc3339("2016-12-31T23:59:60Z"), 1483228800 * SECOND);
	assert_int_equal(clock_parse_rfc3339("2017-01-01T04:59:60+05:00"), 1483228800 * SECOND);
}

static void clock_parse__calendar__only_days_that_exist(void **state)
{
	static const char *const bad[] = {
	    "2026-02-29T00:00:00Z",
	    "2100-02-29T00:00:00Z",
	    "2026-02-31T00:00:00Z",
	    "2026-04-31T00:00:00Z",
	    "2026-01-00T00:00:00Z",
	    "2026-01-32T00:00:00Z",
	    "2026-01-99T00:00:00Z",
	    "2026-00-01T00:00:00Z",
	    "2026-13-01T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(clock_parse_rfc3339(bad[i]), -1);
	assert_int_equal(clock_parse_rfc3339("2024-02-29T00:00:00Z"), 1709164800 * SECOND);
	assert_int_equal(clock_parse_rfc3339("2000-02-29T00:00:00Z"), 951782400 * SECOND);
}

static void clock_parse__before_1970__refused(void **state)
{
	(void)state;
	assert_int_equal(clock_parse_rfc3339("1969-12-31T23:59:59Z"), -1);
	assert_int_equal(clock_parse_rfc3339("0000-01-01T00:00:00Z"), -1);
	assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:00+00:01"), -1);
	assert_int_equal(clock_parse_rfc3339("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(clock_parse_rfc3339("1969-12-31T23:59:00-00:01"), 0);
}

static void clock_parse__malformed__refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "now",
	    "2026",
	    "2026-11-22",
	    "2026-11-22T18:23Z",
	    "2026-11-22T18:23:06",
	    "2026-11-22T18:23:06 Z",
	    "2026-11-22T18:23:06ZZ",
	    "2026-11-22T18:23:06Z ",
	    " 2026-11-22T18:23:06Z",
	    "2026-11-22_18:23:06Z",
	    "2026-11-22T18:23:06.Z",
	    "2026-11-22T18:23:06,5Z",
	    "2026-11-22T24:00:00Z",
	    "2026-11-22T18:60:00Z",
	    "2026-11-22T18:23:61Z",
	    "2026-11-22T18:23:06+05",
	    "2026-11-22T18:23:06+0500",
	    "2026-11-22T18:23:06+5:00",
	    "2026-11-22T18:23:06+24:00",
	    "2026-11-22T18:23:06+05:60",
	    "2026-11-22T18:23:06+05:00Z",
	    "2026-1-22T18:23:06Z",
	    "2026-11-22T8:23:06Z",
	    "+2026-11-22T18:23:06Z",
	    "-026-11-22T18:23:06Z",
	    "20261-11-22T18:23:06Z",
	    "2026/11/22T18:23:06Z",
	    "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-11-22T18:23:06Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (clock_parse_rfc3339(bad[i]) != -1)
			fail_msg("read: %s", bad[i]);
}

static void clock_parse__each_prefix_of_a_time__refused(void **state)
{
	const char whole[] = "2026-11-22T18:23:06.123+05:00";

	(void)state;
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		char cut[sizeof whole] = "";

		for (size_t i = 0; i < n; i++)
			cut[i] = whole[i];
		assert_int_equal(clock_parse_rfc3339(cut), -1);
	}
}

static int64_t fixed_us(void)
{
	return 1999;
}

static void clock_mono_ms__of_a_given_clock__whole_milliseconds(void **state)
{
	const struct clock c = {fixed_us, fixed_us};

	(void)state;
	assert_int_equal(clock_mono_ms(&c), 1);
	assert_int_equal(clock_wall_ms(&c), 1);
}

static void clock_real__read_twice__does_not_fall(void **state)
{
	int64_t first = clock_real.mono_us();

	(void)state;
	assert_true(clock_real.mono_us() >= first);
	assert_true(clock_real.wall_us() > clock_parse_rfc3339("2024-01-01T00:00:00Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clock_rfc3339__known_moments__utc_with_milliseconds),
	    cmocka_unit_test(clock_parse__what_was_written__same_millisecond),
	    cmocka_unit_test(clock_parse__every_way_of_writing__one_moment),
	    cmocka_unit_test(clock_parse__fractions__cut_to_the_millisecond_that_is_shown),
	    cmocka_unit_test(clock_parse__leap_second__the_next_second),
	    cmocka_unit_test(clock_parse__calendar__only_days_that_exist),
	    cmocka_unit_test(clock_parse__before_1970__refused),
	    cmocka_unit_test(clock_parse__malformed__refused),
	    cmocka_unit_test(clock_parse__each_prefix_of_a_time__refused),
	    cmocka_unit_test(clock_mono_ms__of_a_given_clock__whole_milliseconds),
	    cmocka_unit_test(clock_real__read_twice__does_not_fall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

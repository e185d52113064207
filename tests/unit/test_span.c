/* span: what is one, what is none, and the bounds of each unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/span.h"

static void assert_span(const char *text, int64_t n, enum span_unit unit)
{
	struct span s = {-1, SPAN_MINUTES};

	assert_int_equal(span_parse(text, &s), KZ_OK);
	assert_int_equal(s.n, n);
	assert_int_equal(s.unit, unit);
}

static void span_parse__each_unit__number_and_unit(void **state)
{
	(void)state;
	assert_span("30m", 30, SPAN_MINUTES);
	assert_span("48h", 48, SPAN_HOURS);
	assert_span("7d", 7, SPAN_DAYS);
	assert_span("3wd", 3, SPAN_WORKING_DAYS);
	assert_span("0d", 0, SPAN_DAYS);
	assert_span("007d", 7, SPAN_DAYS);
}

static void assert_no_span(const char *text, enum kz want)
{
	struct span s = {42, SPAN_HOURS};

	assert_int_equal(span_parse(text, &s), want);
	assert_int_equal(s.n, 42); /* nothing is written without success */
	assert_int_equal(s.unit, SPAN_HOURS);
}

static void span_parse__bounds__greatest_and_one_more(void **state)
{
	(void)state;
	assert_span("527040m", 527040, SPAN_MINUTES);
	assert_span("8784h", 8784, SPAN_HOURS);
	assert_span("366d", 366, SPAN_DAYS);
	assert_span("366wd", 366, SPAN_WORKING_DAYS);
	assert_no_span("527041m", KZ_TOO_LONG);
	assert_no_span("8785h", KZ_TOO_LONG);
	assert_no_span("367d", KZ_TOO_LONG);
	assert_no_span("367wd", KZ_TOO_LONG);
	assert_no_span("0000001d", KZ_TOO_LONG);
	assert_no_span("99999999999999999999999999d", KZ_TOO_LONG);
}

static void span_parse__anything_else__invalid(void **state)
{
	static const char *const texts[] = {"", "7", "d", "wd", "-1d", "+1d", " 7d", "7d ", "7 d", "7D",
	    "7dd", "1.5h", "1s", "7w", "7d3h", "0x7d"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_no_span(texts[i], KZ_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(span_parse__each_unit__number_and_unit),
	    cmocka_unit_test(span_parse__bounds__greatest_and_one_more),
	    cmocka_unit_test(span_parse__anything_else__invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* log_bound: what of a flood of lines is admitted, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/log_bound.h"

static struct log_bound b;

static int setup(void **state)
{
	(void)state;
	b = (struct log_bound){.crowded_out = 0};
	return 0;
}

/* How many of n lines are admitted. */
static unsigned say(unsigned n, const char *kind, const char *about, int64_t now_us)
{
	unsigned admitted = 0;

	for (unsigned i = 0; i < n; i++)
		admitted += log_bound_admits(&b, kind, about, NULL, now_us);
	return admitted;
}

static void log_bound__one_kind_about_one_subject__twenty_a_period_and_the_rest_told(void **state)
{
	static const char odd[] = "odd";
	char about[48];

	(void)state;
	assert_int_equal(say(1000, odd, "kcell.1", 0), LOG_BOUND_LINE);
	assert_int_equal(log_bound_take(&b, LOG_BOUND_US - 1, about), 0);
	assert_int_equal(log_bound_take(&b, LOG_BOUND_US, about), 980);
	assert_string_equal(about, "kcell.1");
	assert_int_equal(log_bound_take(&b, LOG_BOUND_US, about), 0);
	assert_int_equal(say(30, odd, "kcell.1", LOG_BOUND_US), LOG_BOUND_LINE);
}

static void log_bound__other_kind_or_subject__not_touched(void **state)
{
	static const char odd[] = "odd", bound[] = "bound";

	(void)state;
	say(1000, odd, "kcell.1", 0);
	assert_int_equal(say(1, bound, "kcell.1", 0), 1);
	assert_int_equal(say(1, odd, "kcell.2", 0), 1);
}

static void log_bound__one_kind_about_thousands__bounded_too(void **state)
{
	static const char ended[] = "ended", other[] = "other";
	unsigned admitted = 0, left_out = 0, n;
	char about[48];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char id[16];

		snprintf(id, sizeof id, "m%d", i);
		admitted += say(1, ended, id, 0);
	}
	assert_int_equal(admitted, LOG_BOUND_KIND);
	assert_int_equal(say(1, other, "x", 0), 1);
	while ((n = log_bound_take(&b, LOG_BOUND_US, about)) > 0)
		left_out += n;
	assert_int_equal(left_out, 5000 - LOG_BOUND_KIND);
	assert_string_equal(about, "");
}

static void log_bound__error_with_other_words__never_left_out(void **state)
{
	static const char fault[] = "fault";

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char words[16];

		snprintf(words, sizeof words, "line %d", i);
		assert_true(log_bound_admits(&b, fault, "config", words, 0));
	}
	for (int i = 0; i < LOG_BOUND_LINE; i++)
		assert_true(log_bound_admits(&b, fault, "config", "again", 0));
	assert_false(log_bound_admits(&b, fault, "config", "again", 0));
}

/* As when the database refuses the event of each message. */
static void log_bound__one_error_about_thousands__bounded_too(void **state)
{
	static const char refused[] = "refused";
	unsigned admitted = 0, left_out = 0, n;
	char about[48];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char id[16];

		snprintf(id, sizeof id, "m%d", i);
		admitted += log_bound_admits(&b, refused, id, "the database refused it", 0);
	}
	assert_int_equal(admitted, LOG_BOUND_KIND);
	assert_true(log_bound_admits(&b, refused, "m0", "it refused another", 0));
	while ((n = log_bound_take(&b, LOG_BOUND_US, about)) > 0)
		left_out += n;
	assert_int_equal(left_out, 5000 - LOG_BOUND_KIND);
}

static void log_bound__errors_each_of_its_own_words__bounded_in_all(void **state)
{
	static const char fault[] = "fault";
	unsigned admitted = 0;

	(void)state;
	for (int i = 0; i < 3 * LOG_BOUND_ERRORS; i++) {
		char words[24];

		snprintf(words, sizeof words, "fault %d", i);
		admitted += log_bound_admits(&b, fault, "x", words, 0);
	}
	assert_int_equal(admitted, LOG_BOUND_ERRORS);
	assert_true(log_bound_admits(&b, fault, "x", "later", LOG_BOUND_US));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(
	        log_bound__one_kind_about_one_subject__twenty_a_period_and_the_rest_told, setup),
	    cmocka_unit_test_setup(log_bound__other_kind_or_subject__not_touched, setup),
	    cmocka_unit_test_setup(log_bound__one_kind_about_thousands__bounded_too, setup),
	    cmocka_unit_test_setup(log_bound__error_with_other_words__never_left_out, setup),
	    cmocka_unit_test_setup(log_bound__one_error_about_thousands__bounded_too, setup),
	    cmocka_unit_test_setup(log_bound__errors_each_of_its_own_words__bounded_in_all, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

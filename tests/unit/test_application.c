/* The words for where an application stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/application.h"

static const char *const words[APPLICATION_STATUSES] = {
    "waiting", "referred", "enrolling", "enrolled", "withdrawn", "annulled", "archived"};

static void application_status__each__its_word_and_back(void **state)
{
	enum application_status got;

	(void)state;
	for (enum application_status s = 0; s < APPLICATION_STATUSES; s++) {
		assert_string_equal(application_status_name(s), words[s]);
		assert_int_equal(application_status_parse(words[s], &got), KZ_OK);
		assert_int_equal(got, s);
	}
}

static void application_is_over__in_the_queue_or_with_a_place__not(void **state)
{
	(void)state;
	for (enum application_status s = 0; s < APPLICATION_STATUSES; s++)
		assert_int_equal(application_is_over(s), s > APPLICATION_ENROLLING);
}

static void application_status_name__no_status__unknown(void **state)
{
	(void)state;
	assert_string_equal(application_status_name(APPLICATION_STATUSES), "unknown");
	assert_string_equal(application_status_name((enum application_status) - 1), "unknown");
}

static void application_status_parse__other_words__invalid_and_nothing_written(void **state)
{
	static const char *const others[] = {"", "Waiting", "waitin", "waiting ", "unknown", "0"};
	enum application_status got = APPLICATION_ARCHIVED;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(application_status_parse(others[i], &got), KZ_INVALID);
	assert_int_equal(got, APPLICATION_ARCHIVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(application_status__each__its_word_and_back),
	    cmocka_unit_test(application_is_over__in_the_queue_or_with_a_place__not),
	    cmocka_unit_test(application_status_name__no_status__unknown),
	    cmocka_unit_test(application_status_parse__other_words__invalid_and_nothing_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

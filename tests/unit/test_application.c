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

static void application_told__no_open_referral__the_portals_word_counts(void **state)
{
	static const enum application_status words_of_the_portal[] = {
	    APPLICATION_WAITING, APPLICATION_ENROLLED, APPLICATION_WITHDRAWN, APPLICATION_ARCHIVED};
	enum application_status next;

	(void)state;
	for (enum application_status now = 0; now < APPLICATION_STATUSES; now++)
		for (size_t i = 0; i < sizeof words_of_the_portal / sizeof *words_of_the_portal; i++) {
			assert_int_equal(application_told(now, false, words_of_the_portal[i], &next), KZ_OK);
			assert_int_equal(next, words_of_the_portal[i]);
		}
}

static void application_told__an_open_referral__waiting_changes_nothing_and_others_conflict(void **state)
{
	static const enum application_status ends[] = {
	    APPLICATION_ENROLLED, APPLICATION_WITHDRAWN, APPLICATION_ARCHIVED};
	enum application_status next = APPLICATION_STATUSES;

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		assert_int_equal(application_told(APPLICATION_REFERRED, true, ends[i], &next), KZ_CONFLICT);
	assert_int_equal(next, APPLICATION_STATUSES);
	assert_int_equal(application_told(APPLICATION_REFERRED, true, APPLICATION_WAITING, &next), KZ_OK);
	assert_int_equal(next, APPLICATION_REFERRED);
	assert_int_equal(application_told(APPLICATION_ENROLLING, true, APPLICATION_WAITING, &next), KZ_OK);
	assert_int_equal(next, APPLICATION_ENROLLING);
}

static void application_told__what_kezek_alone_says__invalid(void **state)
{
	static const enum application_status ours[] = {
	    APPLICATION_REFERRED, APPLICATION_ENROLLING, APPLICATION_ANNULLED};
	enum application_status next = APPLICATION_STATUSES;

	(void)state;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		for (int referred = 0; referred < 2; referred++)
			assert_int_equal(
			    application_told(APPLICATION_WAITING, referred, ours[i], &next), KZ_INVALID);
	assert_int_equal(next, APPLICATION_STATUSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(application_status__each__its_word_and_back),
	    cmocka_unit_test(application_is_over__in_the_queue_or_with_a_place__not),
	    cmocka_unit_test(application_status_name__no_status__unknown),
	    cmocka_unit_test(application_status_parse__other_words__invalid_and_nothing_written),
	    cmocka_unit_test(application_told__no_open_referral__the_portals_word_counts),
	    cmocka_unit_test(application_told__an_open_referral__waiting_changes_nothing_and_others_conflict),
	    cmocka_unit_test(application_told__what_kezek_alone_says__invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

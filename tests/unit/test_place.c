/* The law of taking a place, reason by reason and all reasons together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/place.h"

#define NOW 1000000000000000
#define KK  (1u << LANGUAGE_KK)
#define RU  (1u << LANGUAGE_RU)

/* An application and a vacancy that fit each other. */
static const struct place_application fits = {
    .status = APPLICATION_WAITING, .age = 3, .district = 7, .languages = KK};
static const struct place_vacancy vacancy = {
    .free = 1, .age_from = 3, .age_to = 5, .district = 7, .language = LANGUAGE_KK, .released_us = NOW};

static void assert_judged(const struct place_application *a, const struct place_vacancy *v, int64_t now_us,
    enum place_verdict verdict, int64_t until_us)
{
	struct place_answer got = place_judge(a, v, now_us);

	assert_string_equal(place_verdict_name(got.verdict), place_verdict_name(verdict));
	assert_int_equal(got.until_us, until_us);
}

static void place_judge__everything_fits__ok(void **state)
{
	(void)state;
	assert_judged(&fits, &vacancy, NOW, PLACE_OK, 0);
}

static void place_judge__status__waiting_alone_may(void **state)
{
	static const enum place_verdict want[APPLICATION_STATUSES] = {[APPLICATION_WAITING] = PLACE_OK,
	    [APPLICATION_REFERRED] = PLACE_ALREADY,
	    [APPLICATION_ENROLLING] = PLACE_ALREADY,
	    [APPLICATION_ENROLLED] = PLACE_CLOSED,
	    [APPLICATION_WITHDRAWN] = PLACE_CLOSED,
	    [APPLICATION_ANNULLED] = PLACE_CLOSED,
	    [APPLICATION_ARCHIVED] = PLACE_CLOSED};

	(void)state;
	for (enum application_status s = 0; s < APPLICATION_STATUSES; s++) {
		struct place_application a = fits;

		a.status = s;
		assert_judged(&a, &vacancy, NOW, want[s], 0);
	}
}

/* The portal's status and the referral may be of two moments. */
static void place_judge__open_referral_of_one_that_waits__already(void **state)
{
	struct place_application a = fits;

	(void)state;
	a.referred = true;
	assert_judged(&a, &vacancy, NOW, PLACE_ALREADY, 0);
}

static void place_judge__age__from_the_first_year_and_below_the_last(void **state)
{
	(void)state;
	for (int age = -1; age < 9; age++) {
		struct place_application a = fits;

		a.age = age;
		assert_judged(&a, &vacancy, NOW, age == 3 || age == 4 ? PLACE_OK : PLACE_NOT_AGE, 0);
	}
}

static void place_judge__languages__any_of_those_wished(void **state)
{
	static const unsigned wishes[] = {0, KK, RU, KK | RU};
	static const enum place_verdict kk[] = {PLACE_OK, PLACE_OK, PLACE_NOT_LANGUAGE, PLACE_OK};
	static const enum place_verdict ru[] = {PLACE_OK, PLACE_NOT_LANGUAGE, PLACE_OK, PLACE_OK};
	struct place_vacancy russian = vacancy;

	(void)state;
	russian.language = LANGUAGE_RU;
	for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
		struct place_application a = fits;

		a.languages = wishes[i];
		assert_judged(&a, &vacancy, NOW, kk[i], 0);
		assert_judged(&a, &russian, NOW, ru[i], 0);
	}
}

static void place_judge__released_later__nobody_before(void **state)
{
	struct place_application a = fits;
	struct place_vacancy v = vacancy;

	(void)state;
	v.released_us = NOW + 1;
	assert_judged(&a, &v, NOW, PLACE_NOT_TURN, NOW + 1);
	assert_judged(&a, &v, NOW + 1, PLACE_OK, 0);
	a.privileged = true;
	assert_judged(&a, &v, NOW, PLACE_NOT_TURN, NOW + 1);
	assert_judged(&a, &v, NOW + 1, PLACE_OK, 0);
}

static void place_judge__priority_runs__the_privileged_alone_until_its_end(void **state)
{
	struct place_application a = fits;
	struct place_vacancy v = vacancy;

	(void)state;
	v.priority_until_us = NOW + 60;
	assert_judged(&a, &v, NOW, PLACE_NOT_TURN, NOW + 60);
	assert_judged(&a, &v, NOW + 59, PLACE_NOT_TURN, NOW + 60);
	assert_judged(&a, &v, NOW + 60, PLACE_OK, 0);
	a.privileged = true;
	assert_judged(&a, &v, NOW, PLACE_OK, 0);
}

static void place_judge__priority_over_before_the_release__the_release_counts(void **state)
{
	struct place_vacancy v = vacancy;

	(void)state;
	v.priority_until_us = NOW + 10;
	v.released_us = NOW + 20;
	assert_judged(&fits, &v, NOW, PLACE_NOT_TURN, NOW + 20);
	assert_judged(&fits, &v, NOW + 20, PLACE_OK, 0);
}

static void place_judge__stop_list__until_its_end(void **state)
{
	struct place_application a = fits;

	(void)state;
	a.stop_list_until_us = NOW + 1;
	assert_judged(&a, &vacancy, NOW, PLACE_STOP_LIST, NOW + 1);
	assert_judged(&a, &vacancy, NOW + 1, PLACE_OK, 0);
	a.privileged = true;
	assert_judged(&a, &vacancy, NOW, PLACE_STOP_LIST, NOW + 1);
}

static void place_judge__stop_list_and_not_her_turn__the_later_is_said(void **state)
{
	struct place_application a = fits;
	struct place_vacancy v = vacancy;

	(void)state;
	a.stop_list_until_us = NOW + 50;
	v.priority_until_us = NOW + 51;
	assert_judged(&a, &v, NOW, PLACE_NOT_TURN, NOW + 51);
	v.priority_until_us = NOW + 50;
	assert_judged(&a, &v, NOW, PLACE_STOP_LIST, NOW + 50);
	v.priority_until_us = NOW + 49;
	assert_judged(&a, &v, NOW, PLACE_STOP_LIST, NOW + 50);
}

/* Reasons by bits, in the order in which they are said. */
static void spoil(unsigned bits, struct place_application *a, struct place_vacancy *v)
{
	a->status = bits & 1 ? APPLICATION_WITHDRAWN : APPLICATION_WAITING;
	a->referred = bits & 2;
	v->district = bits & 4 ? 8 : 7;
	v->age_to = bits & 8 ? 3 : 5;
	v->language = bits & 16 ? LANGUAGE_RU : LANGUAGE_KK;
	v->free = bits & 32 ? 0 : 1;
	a->stop_list_until_us = bits & 64 ? NOW + 9 : 0;
	v->priority_until_us = bits & 128 ? NOW + 5 : 0;
}

static void place_judge__every_set_of_reasons__the_first_is_said(void **state)
{
	static const enum place_verdict order[] = {PLACE_CLOSED, PLACE_ALREADY, PLACE_NOT_DISTRICT,
	    PLACE_NOT_AGE, PLACE_NOT_LANGUAGE, PLACE_GONE, PLACE_STOP_LIST, PLACE_NOT_TURN, PLACE_OK};

	(void)state;
	for (unsigned bits = 0; bits < 256; bits++) {
		struct place_application a = fits;
		struct place_vacancy v = vacancy;
		unsigned first = 0;

		while (first < 8 && !(bits & 1u << first))
			first++;
		spoil(bits, &a, &v);
		assert_judged(&a, &v, NOW, order[first], first == 6 ? NOW + 9 : first == 7 ? NOW + 5 : 0);
	}
}

static void place_verdict_name__each__its_word(void **state)
{
	static const char *const words[PLACE_VERDICTS] = {[PLACE_OK] = "ok",
	    [PLACE_CLOSED] = "closed",
	    [PLACE_ALREADY] = "already",
	    [PLACE_NOT_DISTRICT] = "not_district",
	    [PLACE_NOT_AGE] = "not_age",
	    [PLACE_NOT_LANGUAGE] = "not_language",
	    [PLACE_GONE] = "gone",
	    [PLACE_STOP_LIST] = "stop_list",
	    [PLACE_NOT_TURN] = "not_turn"};

	(void)state;
	for (enum place_verdict v = 0; v < PLACE_VERDICTS; v++)
		assert_string_equal(place_verdict_name(v), words[v]);
	assert_string_equal(place_verdict_name(PLACE_VERDICTS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(place_judge__everything_fits__ok),
	    cmocka_unit_test(place_judge__status__waiting_alone_may),
	    cmocka_unit_test(place_judge__open_referral_of_one_that_waits__already),
	    cmocka_unit_test(place_judge__age__from_the_first_year_and_below_the_last),
	    cmocka_unit_test(place_judge__languages__any_of_those_wished),
	    cmocka_unit_test(place_judge__released_later__nobody_before),
	    cmocka_unit_test(place_judge__priority_runs__the_privileged_alone_until_its_end),
	    cmocka_unit_test(place_judge__priority_over_before_the_release__the_release_counts),
	    cmocka_unit_test(place_judge__stop_list__until_its_end),
	    cmocka_unit_test(place_judge__stop_list_and_not_her_turn__the_later_is_said),
	    cmocka_unit_test(place_judge__every_set_of_reasons__the_first_is_said),
	    cmocka_unit_test(place_verdict_name__each__its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

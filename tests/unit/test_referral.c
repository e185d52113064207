/* The life of a referral: every status and event, before, at and after its start and its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/referral.h"

#define FROM      1000
#define TO        2000
#define DOCUMENTS 2500
#define EXTENSION 3000
#define STOP_LIST 9000

static const struct referral_law law = {
    .documents_end_us = DOCUMENTS, .extension_end_us = EXTENSION, .stop_list_end_us = STOP_LIST};
static const struct referral_life offered = {REFERRAL_OFFERED, false, FROM, TO};
static const struct referral_life accepted = {REFERRAL_ACCEPTED, false, FROM, TO};

/* What must be left alone by a refusal. */
static const struct referral_plan untouched = {
    {REFERRAL_ENROLLED, true, -1, -2}, true, APPLICATION_ARCHIVED, -3};

static void assert_refused(const struct referral_life *r, enum referral_event e, const struct referral_law *l,
    int64_t now_us, enum referral_verdict verdict)
{
	struct referral_plan plan = untouched;

	assert_string_equal(
	    referral_verdict_name(referral_hear(r, e, l, now_us, &plan)), referral_verdict_name(verdict));
	assert_int_equal(plan.next.status, untouched.next.status);
	assert_int_equal(plan.next.extended, untouched.next.extended);
	assert_int_equal(plan.next.from_us, untouched.next.from_us);
	assert_int_equal(plan.next.to_us, untouched.next.to_us);
	assert_int_equal(plan.place_freed, untouched.place_freed);
	assert_int_equal(plan.application, untouched.application);
	assert_int_equal(plan.stop_list_until_us, untouched.stop_list_until_us);
}

static void assert_becomes(const struct referral_life *r, enum referral_event e, const struct referral_law *l,
    int64_t now_us, struct referral_plan want)
{
	struct referral_plan got = untouched;

	assert_int_equal(referral_hear(r, e, l, now_us, &got), REFERRAL_OK);
	assert_string_equal(referral_status_name(got.next.status), referral_status_name(want.next.status));
	assert_int_equal(got.next.extended, want.next.extended);
	assert_int_equal(got.next.from_us, want.next.from_us);
	assert_int_equal(got.next.to_us, want.next.to_us);
	assert_int_equal(got.place_freed, want.place_freed);
	assert_string_equal(
	    application_status_name(got.application), application_status_name(want.application));
	assert_int_equal(got.stop_list_until_us, want.stop_list_until_us);
}

static void offered__accept__enrolling_until_the_documents_end(void **state)
{
	(void)state;
	assert_becomes(&offered, REFERRAL_ACCEPT, &law, FROM,
	    (struct referral_plan){
	        {REFERRAL_ACCEPTED, false, FROM, DOCUMENTS}, false, APPLICATION_ENROLLING, 0});
}

static void offered__accept_without_a_clock_of_documents__its_end_stays(void **state)
{
	struct referral_law none = law;

	(void)state;
	none.documents_end_us = 0;
	assert_becomes(&offered, REFERRAL_ACCEPT, &none, TO - 1,
	    (struct referral_plan){{REFERRAL_ACCEPTED, false, FROM, TO}, false, APPLICATION_ENROLLING, 0});
}

static void offered__accept_when_it_ends_later_than_the_documents__its_end_stays(void **state)
{
	const struct referral_life extended = {REFERRAL_OFFERED, true, FROM, EXTENSION};

	(void)state;
	assert_becomes(&extended, REFERRAL_ACCEPT, &law, TO,
	    (struct referral_plan){
	        {REFERRAL_ACCEPTED, true, FROM, EXTENSION}, false, APPLICATION_ENROLLING, 0});
}

static void offered__decline_that_keeps__waits_and_is_on_no_stop_list(void **state)
{
	(void)state;
	assert_becomes(&offered, REFERRAL_DECLINE, &law, FROM,
	    (struct referral_plan){{REFERRAL_DECLINED, false, FROM, TO}, true, APPLICATION_WAITING, 0});
}

static void offered__decline_that_annuls__the_application_is_over(void **state)
{
	struct referral_law annuls = law;

	(void)state;
	annuls.decline_annuls = true;
	assert_becomes(&offered, REFERRAL_DECLINE, &annuls, FROM,
	    (struct referral_plan){{REFERRAL_DECLINED, false, FROM, TO}, true, APPLICATION_ANNULLED, 0});
}

static void offered__extend__still_offered_and_longer(void **state)
{
	(void)state;
	assert_becomes(&offered, REFERRAL_EXTEND, &law, TO - 1,
	    (struct referral_plan){
	        {REFERRAL_OFFERED, true, FROM, EXTENSION}, false, APPLICATION_REFERRED, 0});
}

static void accepted__extend__still_accepted_and_longer(void **state)
{
	(void)state;
	assert_becomes(&accepted, REFERRAL_EXTEND, &law, TO - 1,
	    (struct referral_plan){
	        {REFERRAL_ACCEPTED, true, FROM, EXTENSION}, false, APPLICATION_ENROLLING, 0});
}

/* Where a decline annuls, letting one pass does not. */
static void open__expire__place_freed_and_waits_behind_the_stop_list(void **state)
{
	const struct referral_plan want = {
	    {REFERRAL_EXPIRED, false, FROM, TO}, true, APPLICATION_WAITING, STOP_LIST};
	struct referral_law annuls = law;

	(void)state;
	annuls.decline_annuls = true;
	assert_becomes(&offered, REFERRAL_EXPIRE, &annuls, TO, want);
	assert_becomes(&accepted, REFERRAL_EXPIRE, &law, TO, want);
	assert_becomes(&accepted, REFERRAL_EXPIRE, &law, TO + 100000, want); /* the daemon was down */
}

static void open__cancel__place_freed_and_no_stop_list(void **state)
{
	const struct referral_plan want = {
	    {REFERRAL_CANCELLED, false, FROM, TO}, true, APPLICATION_WAITING, 0};

	(void)state;
	assert_becomes(&offered, REFERRAL_CANCEL, &law, FROM, want);
	assert_becomes(&offered, REFERRAL_CANCEL, &law, FROM - 1, want); /* also before it begins */
	assert_becomes(&accepted, REFERRAL_CANCEL, &law, TO - 1, want);
	assert_becomes(&offered, REFERRAL_CANCEL, &law, TO, want); /* told late */
}

static void accepted__enrol__the_place_is_filled(void **state)
{
	const struct referral_plan want = {
	    {REFERRAL_ENROLLED, false, FROM, TO}, false, APPLICATION_ENROLLED, 0};

	(void)state;
	assert_becomes(&accepted, REFERRAL_ENROL, &law, TO - 1, want);
	assert_becomes(
	    &accepted, REFERRAL_ENROL, &law, TO + 100000, want); /* told late, and not yet expired */
}

static void open__extend_again__already_extended(void **state)
{
	struct referral_life r = {REFERRAL_OFFERED, true, FROM, TO};

	(void)state;
	assert_refused(&r, REFERRAL_EXTEND, &law, FROM, REFERRAL_ALREADY_EXTENDED);
	r.status = REFERRAL_ACCEPTED;
	assert_refused(&r, REFERRAL_EXTEND, &law, FROM, REFERRAL_ALREADY_EXTENDED);
}

static void open__extend_that_would_not_end_later__no_extension(void **state)
{
	static const int64_t ends[] = {0, TO - 1, TO};
	struct referral_law l = law;

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		l.extension_end_us = ends[i];
		assert_refused(&offered, REFERRAL_EXTEND, &l, FROM, REFERRAL_NO_EXTENSION);
		assert_refused(&accepted, REFERRAL_EXTEND, &l, FROM, REFERRAL_NO_EXTENSION);
	}
}

/* Rows: statuses; columns: accept, decline, extend, expire, cancel, enrol. */
#define ALL(v)                                                                                               \
	{                                                                                                    \
		v, v, v, v, v, v                                                                             \
	}
static const enum referral_verdict in_time[REFERRAL_STATUSES][REFERRAL_EVENTS] = {
    [REFERRAL_OFFERED] = {REFERRAL_OK, REFERRAL_OK, REFERRAL_OK, REFERRAL_NOT_DUE, REFERRAL_OK,
        REFERRAL_NOT_ACCEPTED},
    [REFERRAL_ACCEPTED] = {REFERRAL_ALREADY_ACCEPTED, REFERRAL_ALREADY_ACCEPTED, REFERRAL_OK,
        REFERRAL_NOT_DUE, REFERRAL_OK, REFERRAL_OK},
    [REFERRAL_DECLINED] = ALL(REFERRAL_ALREADY_DECLINED),
    [REFERRAL_EXPIRED] = ALL(REFERRAL_PAST_END),
    [REFERRAL_CANCELLED] = ALL(REFERRAL_ALREADY_CANCELLED),
    [REFERRAL_ENROLLED] = ALL(REFERRAL_ALREADY_ENROLLED),
};
static const bool parents[REFERRAL_EVENTS] = {true, true, true, false, false, false};
static const enum referral_verdict too_early[REFERRAL_EVENTS] = {
    REFERRAL_NOT_BEGUN, REFERRAL_NOT_BEGUN, REFERRAL_NOT_BEGUN, REFERRAL_NOT_DUE, REFERRAL_OK, REFERRAL_OK};

static enum referral_verdict expected(enum referral_status s, enum referral_event e, int64_t now_us)
{
	bool open = s == REFERRAL_OFFERED || s == REFERRAL_ACCEPTED;

	if (open && now_us >= TO && parents[e])
		return REFERRAL_PAST_END;
	if (open && now_us >= TO && e == REFERRAL_EXPIRE)
		return REFERRAL_OK;
	if (open && now_us < FROM && too_early[e] != REFERRAL_OK)
		return too_early[e];
	return in_time[s][e];
}

static void referral_hear__every_status_event_and_time__its_verdict(void **state)
{
	static const int64_t times[] = {INT64_MIN, FROM - 1, FROM, TO - 1, TO, TO + 1, INT64_MAX};
	struct referral_plan plan;

	(void)state;
	for (enum referral_status s = 0; s < REFERRAL_STATUSES; s++)
		for (enum referral_event e = 0; e < REFERRAL_EVENTS; e++)
			for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
				const struct referral_life r = {s, false, FROM, TO};
				enum referral_verdict want = expected(s, e, times[i]);

				if (want == REFERRAL_OK)
					assert_int_equal(referral_hear(&r, e, &law, times[i], &plan), want);
				else
					assert_refused(&r, e, &law, times[i], want);
			}
}

/* So that no parent sees whether the clock's work is done yet. */
static void referral_hear__end_has_come__as_when_expired_is_written(void **state)
{
	const struct referral_life expired = {REFERRAL_EXPIRED, false, FROM, TO};

	(void)state;
	for (enum referral_event e = 0; e < REFERRAL_EVENTS; e++) {
		assert_refused(&expired, e, &law, TO, REFERRAL_PAST_END);
		if (!parents[e])
			continue;
		assert_refused(&offered, e, &law, TO, REFERRAL_PAST_END);
		assert_refused(&accepted, e, &law, TO, REFERRAL_PAST_END);
	}
}

static void referral_names__each__its_word(void **state)
{
	static const char *const statuses[] = {
	    "offered", "accepted", "declined", "expired", "cancelled", "enrolled"};
	static const char *const events[] = {"accept", "decline", "extend", "expire", "cancel", "enrol"};
	static const char *const verdicts[] = {"ok", "not_begun", "past_end", "not_due", "not_accepted",
	    "no_extension", "already_extended", "already_accepted", "already_declined", "already_cancelled",
	    "already_enrolled"};

	(void)state;
	for (enum referral_status s = 0; s < REFERRAL_STATUSES; s++)
		assert_string_equal(referral_status_name(s), statuses[s]);
	for (enum referral_event e = 0; e < REFERRAL_EVENTS; e++)
		assert_string_equal(referral_event_name(e), events[e]);
	for (enum referral_verdict v = 0; v < REFERRAL_VERDICTS; v++)
		assert_string_equal(referral_verdict_name(v), verdicts[v]);
	assert_string_equal(referral_status_name(REFERRAL_STATUSES), "unknown");
	assert_string_equal(referral_event_name(REFERRAL_EVENTS), "unknown");
	assert_string_equal(referral_verdict_name(REFERRAL_VERDICTS), "unknown");
}

static void referral_status_parse__words__their_status_and_no_other(void **state)
{
	static const char *const others[] = {"", "Offered", "offere", "offered ", "unknown", "1"};
	enum referral_status got;

	(void)state;
	for (enum referral_status s = 0; s < REFERRAL_STATUSES; s++) {
		assert_int_equal(referral_status_parse(referral_status_name(s), &got), KZ_OK);
		assert_int_equal(got, s);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(referral_status_parse(others[i], &got), KZ_INVALID);
	assert_int_equal(got, REFERRAL_ENROLLED);
}

static void referral_stands__from_its_end_on__an_open_one_has_expired(void **state)
{
	(void)state;
	assert_int_equal(referral_stands(REFERRAL_OFFERED, 100, 99), REFERRAL_OFFERED);
	assert_int_equal(referral_stands(REFERRAL_OFFERED, 100, 100), REFERRAL_EXPIRED);
	assert_int_equal(referral_stands(REFERRAL_ACCEPTED, 100, 99), REFERRAL_ACCEPTED);
	assert_int_equal(referral_stands(REFERRAL_ACCEPTED, 100, 100), REFERRAL_EXPIRED);
	assert_int_equal(referral_stands(REFERRAL_ENROLLED, 100, 200), REFERRAL_ENROLLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(referral_stands__from_its_end_on__an_open_one_has_expired),
	    cmocka_unit_test(offered__accept__enrolling_until_the_documents_end),
	    cmocka_unit_test(offered__accept_without_a_clock_of_documents__its_end_stays),
	    cmocka_unit_test(offered__accept_when_it_ends_later_than_the_documents__its_end_stays),
	    cmocka_unit_test(offered__decline_that_keeps__waits_and_is_on_no_stop_list),
	    cmocka_unit_test(offered__decline_that_annuls__the_application_is_over),
	    cmocka_unit_test(offered__extend__still_offered_and_longer),
	    cmocka_unit_test(accepted__extend__still_accepted_and_longer),
	    cmocka_unit_test(open__expire__place_freed_and_waits_behind_the_stop_list),
	    cmocka_unit_test(open__cancel__place_freed_and_no_stop_list),
	    cmocka_unit_test(accepted__enrol__the_place_is_filled),
	    cmocka_unit_test(open__extend_again__already_extended),
	    cmocka_unit_test(open__extend_that_would_not_end_later__no_extension),
	    cmocka_unit_test(referral_hear__every_status_event_and_time__its_verdict),
	    cmocka_unit_test(referral_hear__end_has_come__as_when_expired_is_written),
	    cmocka_unit_test(referral_names__each__its_word),
	    cmocka_unit_test(referral_status_parse__words__their_status_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

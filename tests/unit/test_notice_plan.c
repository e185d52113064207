/* The law of a notice's way to a parent: quiet from 22:00 to 08:00, five hours before UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/notice_plan.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)
#define NOON      (20000 * DAY_US + 7 * HOUR_US) /* local */
#define NIGHT     (NOON + 11 * HOUR_US)
#define MORNING   (NOON + 20 * HOUR_US)

static const struct region region = {.offset_min = 300, .quiet_from = 22 * 60, .quiet_until = 8 * 60};
static const struct notice_waits waits = {180000, 6 * 3600000};

static struct notice_plan plan(const struct notice_past *p, int64_t now_us)
{
	return notice_plan(p, &region, &waits, now_us);
}

/* Sent at noon, and taken by an operator at once. */
static struct notice_past sent(enum notice_kind k)
{
	return (struct notice_past){.kind = k,
	    .state = NOTICE_SENT,
	    .sends = 1,
	    .message = {MESSAGE_SUBMITTED, NOON / 1000, NOON / 1000, true, true}};
}

static void plan__waiting__sent_outside_the_quiet_hours(void **state)
{
	struct notice_past p = {.kind = NOTICE_EXPIRED};

	(void)state;
	assert_int_equal(plan(&p, NOON).step, NOTICE_STEP_SEND);
	assert_int_equal(plan(&p, NOON).remedy, REMEDY_NONE);
	assert_int_equal(plan(&p, NIGHT).step, NOTICE_STEP_WAIT);
	assert_true(plan(&p, NIGHT).at_us == MORNING);
	p.kind = NOTICE_NUMBER;
	assert_int_equal(plan(&p, NIGHT).step, NOTICE_STEP_SEND);
}

static void plan__awaited_by_who_called__at_night_too_but_not_to_the_other_phone(void **state)
{
	struct notice_past p = {.kind = NOTICE_TAKEN, .awaited = true}, second = sent(NOTICE_TAKEN);

	(void)state;
	assert_int_equal(plan(&p, NIGHT).step, NOTICE_STEP_SEND);
	assert_int_equal(plan(&p, NIGHT).remedy, REMEDY_NONE);
	second.awaited = true;
	second.message.state = MESSAGE_REJECTED;
	assert_int_equal(plan(&second, NIGHT).step, NOTICE_STEP_SEND);
	assert_int_equal(plan(&second, NIGHT).remedy, REMEDY_LINK);
	second.sends = 2;
	assert_int_equal(plan(&second, NIGHT).step, NOTICE_STEP_WAIT);
	assert_true(plan(&second, NIGHT).at_us == MORNING);
}

static void plan__nothing_to_tell_any_more__dropped(void **state)
{
	struct notice_past p = {.kind = NOTICE_OFFERED, .stale = true}, over = {.kind = NOTICE_DOCUMENTS};

	(void)state;
	assert_int_equal(plan(&p, NOON).step, NOTICE_STEP_END);
	assert_int_equal(plan(&p, NOON).state, NOTICE_DROPPED);
	over.until_us = NOON;
	assert_int_equal(plan(&over, NOON).state, NOTICE_DROPPED);
	assert_int_equal(plan(&over, NOON - 1).step, NOTICE_STEP_SEND);
	over.kind = NOTICE_EXPIRED; /* that it is over is what it tells */
	assert_int_equal(plan(&over, NOON).step, NOTICE_STEP_SEND);
}

static void plan__silent_operator__other_link_then_second_phone_then_waits(void **state)
{
	struct notice_past p = sent(NOTICE_NUMBER);

	(void)state;
	assert_int_equal(plan(&p, NOON + MINUTE_US).step, NOTICE_STEP_WAIT);
	assert_true(plan(&p, NOON + MINUTE_US).at_us == NOON + 3 * MINUTE_US);
	assert_int_equal(plan(&p, NOON + 3 * MINUTE_US).step, NOTICE_STEP_SEND);
	assert_int_equal(plan(&p, NOON + 3 * MINUTE_US).remedy, REMEDY_LINK);
	p.sends = 2;
	assert_int_equal(plan(&p, NOON + 3 * MINUTE_US).remedy, REMEDY_PHONE);
	p.sends = 3;
	p.to_second = true;
	assert_int_equal(plan(&p, NOON + 3 * MINUTE_US).step, NOTICE_STEP_WAIT);
	assert_true(plan(&p, NOON + 3 * MINUTE_US).at_us == NOON + 6 * MINUTE_US);
	p = sent(NOTICE_TAKEN);
	assert_true(plan(&p, NOON + 3 * MINUTE_US).at_us == NOON + 6 * HOUR_US);
}

static void plan__no_other_link__second_phone_at_once(void **state)
{
	struct notice_past p = sent(NOTICE_NUMBER);

	(void)state;
	p.message.elsewhere = false;
	assert_int_equal(plan(&p, NOON + 3 * MINUTE_US).remedy, REMEDY_PHONE);
	p.message.second = false;
	assert_int_equal(plan(&p, NOON + 3 * MINUTE_US).step, NOTICE_STEP_WAIT);
}

static void plan__ended_badly__again_at_once_but_not_by_night(void **state)
{
	struct notice_past p = sent(NOTICE_TAKEN);

	(void)state;
	p.message.state = MESSAGE_UNDELIVERABLE;
	assert_int_equal(plan(&p, NOON + 1).remedy, REMEDY_LINK);
	assert_int_equal(plan(&p, NIGHT).step, NOTICE_STEP_WAIT);
	assert_true(plan(&p, NIGHT).at_us == MORNING);
	p.until_us = NIGHT + HOUR_US; /* it ends the same day */
	assert_int_equal(plan(&p, NIGHT).remedy, REMEDY_LINK);
	p.sends = 3;
	assert_int_equal(plan(&p, NOON + 1).step, NOTICE_STEP_END);
	assert_int_equal(plan(&p, NOON + 1).state, NOTICE_FAILED);
}

static void plan__arrived__over_whatever_else(void **state)
{
	struct notice_past p = sent(NOTICE_NUMBER);

	(void)state;
	p.arrived = p.stale = true;
	p.alarm_us = NOON;
	assert_int_equal(plan(&p, NOON + HOUR_US).step, NOTICE_STEP_END);
	assert_int_equal(plan(&p, NOON + HOUR_US).state, NOTICE_DELIVERED);
}

static void plan__alarm_due__before_all_else(void **state)
{
	static const enum notice_state states[] = {NOTICE_WAITING, NOTICE_SENT, NOTICE_FAILED};
	struct notice_past p = sent(NOTICE_NUMBER);

	(void)state;
	p.alarm_us = NOON + 12 * MINUTE_US;
	for (size_t i = 0; i < 3; i++) {
		p.state = states[i];
		assert_int_not_equal(plan(&p, p.alarm_us - 1).step, NOTICE_STEP_ALARM);
		assert_int_equal(plan(&p, p.alarm_us).step, NOTICE_STEP_ALARM);
	}
	p.state = NOTICE_FAILED;
	assert_int_equal(plan(&p, p.alarm_us - 1).step, NOTICE_STEP_WAIT);
	assert_true(plan(&p, p.alarm_us - 1).at_us == 0);
}

static void plan__unconfirmed_and_no_way_left__not_again(void **state)
{
	struct notice_past p = sent(NOTICE_TAKEN);

	(void)state;
	p.sends = 3;
	p.message.state = MESSAGE_UNCONFIRMED;
	assert_int_equal(plan(&p, NOON + DAY_US).step, NOTICE_STEP_WAIT);
	assert_true(plan(&p, NOON + DAY_US).at_us == 0);
	p.until_us = NOON;
	p.message.state = MESSAGE_EXPIRED;
	assert_int_equal(plan(&p, NOON + DAY_US).state, NOTICE_FAILED);
}

static void stale__by_what_became_of_it(void **state)
{
	(void)state;
	assert_false(notice_is_stale(NOTICE_OFFERED, REFERRAL_OFFERED, APPLICATION_REFERRED, false));
	assert_true(notice_is_stale(NOTICE_OFFERED, REFERRAL_ACCEPTED, APPLICATION_ENROLLING, false));
	assert_false(notice_is_stale(NOTICE_REMIND, REFERRAL_ACCEPTED, APPLICATION_ENROLLING, false));
	assert_true(notice_is_stale(NOTICE_REMIND, REFERRAL_EXPIRED, APPLICATION_WAITING, false));
	assert_true(notice_is_stale(NOTICE_ACCEPTED, REFERRAL_CANCELLED, APPLICATION_WAITING, false));
	assert_false(notice_is_stale(NOTICE_CANCELLED, REFERRAL_CANCELLED, APPLICATION_WAITING, false));
	assert_false(notice_is_stale(NOTICE_PLACE, REFERRAL_OFFERED, APPLICATION_WAITING, true));
	assert_true(notice_is_stale(NOTICE_PLACE, REFERRAL_OFFERED, APPLICATION_WAITING, false));
	assert_true(notice_is_stale(NOTICE_PLACE, REFERRAL_OFFERED, APPLICATION_REFERRED, true));
	assert_false(notice_is_stale(NOTICE_NUMBER, REFERRAL_OFFERED, APPLICATION_ARCHIVED, false));
}

static void mail__again__longer_each_time_then_by_sms(void **state)
{
	(void)state;
	assert_int_equal(notice_mail_wait_ms(NOTICE_NUMBER, 1), 60000);
	assert_int_equal(notice_mail_wait_ms(NOTICE_NUMBER, 2), 60000);
	assert_int_equal(notice_mail_wait_ms(NOTICE_NUMBER, 3), -1);
	assert_int_equal(notice_mail_wait_ms(NOTICE_TAKEN, 3), 240000);
	assert_int_equal(notice_mail_wait_ms(NOTICE_TAKEN, 7), 3600000);
	assert_int_equal(notice_mail_wait_ms(NOTICE_TAKEN, 8), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plan__waiting__sent_outside_the_quiet_hours),
	    cmocka_unit_test(plan__awaited_by_who_called__at_night_too_but_not_to_the_other_phone),
	    cmocka_unit_test(plan__nothing_to_tell_any_more__dropped),
	    cmocka_unit_test(plan__silent_operator__other_link_then_second_phone_then_waits),
	    cmocka_unit_test(plan__no_other_link__second_phone_at_once),
	    cmocka_unit_test(plan__ended_badly__again_at_once_but_not_by_night),
	    cmocka_unit_test(plan__arrived__over_whatever_else),
	    cmocka_unit_test(plan__alarm_due__before_all_else),
	    cmocka_unit_test(plan__unconfirmed_and_no_way_left__not_again),
	    cmocka_unit_test(stale__by_what_became_of_it),
	    cmocka_unit_test(mail__again__longer_each_time_then_by_sms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

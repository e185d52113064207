/* The words of notices, and when they may go out: quiet from 22:00 to 08:00, five hours before UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/notice.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)
#define MIDNIGHT  (20000 * DAY_US - 5 * HOUR_US) /* local */

static const struct region region = {.offset_min = 300, .quiet_from = 22 * 60, .quiet_until = 8 * 60};

static void notice_due__by_day__at_once(void **state)
{
	(void)state;
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++)
		assert_true(notice_due_us(k, &region, MIDNIGHT + 9 * HOUR_US, 0) == MIDNIGHT + 9 * HOUR_US);
}

static void notice_due__quiet_hours__at_their_end_but_for_the_number(void **state)
{
	const int64_t late = MIDNIGHT + 23 * HOUR_US, early = MIDNIGHT + 3 * HOUR_US;

	(void)state;
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++) {
		int64_t late_due = k == NOTICE_NUMBER ? late : MIDNIGHT + 32 * HOUR_US;
		int64_t early_due = k == NOTICE_NUMBER ? early : MIDNIGHT + 8 * HOUR_US;

		assert_true(notice_due_us(k, &region, late, 0) == late_due);
		assert_true(notice_due_us(k, &region, early, MIDNIGHT + 3 * DAY_US) == early_due);
	}
}

static void notice_due__ends_the_same_day_or_before_the_quiet_hours_do__at_once(void **state)
{
	const int64_t late = MIDNIGHT + 23 * HOUR_US, early = MIDNIGHT + 3 * HOUR_US;

	(void)state;
	assert_true(notice_due_us(NOTICE_REMIND, &region, early, MIDNIGHT + DAY_US - 1) == early);
	assert_true(notice_due_us(NOTICE_REMIND, &region, early, MIDNIGHT + DAY_US) != early);
	assert_true(notice_due_us(NOTICE_REMIND, &region, late, MIDNIGHT + 32 * HOUR_US) == late);
	assert_true(notice_due_us(NOTICE_REMIND, &region, late, MIDNIGHT + 32 * HOUR_US + 1) != late);
}

static void notice_names__each__its_word(void **state)
{
	static const char *const kinds[] = {"number", "offered", "taken", "remind", "accepted", "declined",
	    "extended", "expired", "cancelled", "place", "documents", "phone", "unknown"};
	static const char *const states[] = {"waiting", "sent", "delivered", "failed", "dropped", "unknown"};
	enum notice_channel c = NOTICE_CHANNELS;

	(void)state;
	for (unsigned k = 0; k <= NOTICE_KINDS; k++)
		assert_string_equal(notice_kind_name((enum notice_kind)k), kinds[k]);
	for (unsigned s = 0; s <= NOTICE_STATES; s++)
		assert_string_equal(notice_state_name((enum notice_state)s), states[s]);
	assert_int_equal(notice_channel_parse("email", &c), KZ_OK);
	assert_int_equal(c, NOTICE_EMAIL);
	assert_int_equal(notice_channel_parse("sms", &c), KZ_OK);
	assert_int_equal(c, NOTICE_SMS);
	assert_int_equal(notice_channel_parse("SMS", &c), KZ_INVALID);
	assert_string_equal(notice_channel_name(NOTICE_EMAIL), "email");
	assert_string_equal(notice_channel_name(NOTICE_CHANNELS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notice_due__by_day__at_once),
	    cmocka_unit_test(notice_due__quiet_hours__at_their_end_but_for_the_number),
	    cmocka_unit_test(notice_due__ends_the_same_day_or_before_the_quiet_hours_do__at_once),
	    cmocka_unit_test(notice_names__each__its_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

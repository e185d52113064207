#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/remedy.h"

static const struct remedy_rule none = {.wait_ms = 20000};
static const struct remedy_rule link_only = {{REMEDY_LINK}, 1, 20000};
static const struct remedy_rule phone_only = {{REMEDY_PHONE}, 1, 20000};
static const struct remedy_rule link_first = {{REMEDY_LINK, REMEDY_PHONE}, 2, 20000};
static const struct remedy_rule phone_first = {{REMEDY_PHONE, REMEDY_LINK}, 2, 20000};

/* Sent at 1,000,000, submitted two seconds later. */
static const struct remedy_past taken = {MESSAGE_SUBMITTED, 1000000, 1002000, true, true};

static struct remedy_past ended(enum message_state state)
{
	struct remedy_past p = taken;

	p.state = state;
	return p;
}

static void plan__ended_without_delivery__at_once(void **state)
{
	static const enum message_state bad[] = {
	    MESSAGE_FAILED, MESSAGE_REJECTED, MESSAGE_UNDELIVERABLE, MESSAGE_EXPIRED, MESSAGE_UNCONFIRMED};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct remedy_past p = ended(bad[i]);

		assert_int_equal(remedy_plan(&link_only, &p, 1002001).remedy, REMEDY_LINK);
	}
}

static void plan__delivered_or_not_allowed__never(void **state)
{
	const struct remedy_past delivered = ended(MESSAGE_DELIVERED), lost = ended(MESSAGE_UNDELIVERABLE);

	(void)state;
	assert_int_equal(remedy_plan(&link_first, &delivered, 9000000).remedy, REMEDY_NONE);
	assert_int_equal(remedy_plan(&link_first, &delivered, 9000000).wait_ms, -1);
	assert_int_equal(remedy_plan(&none, &lost, 9000000).remedy, REMEDY_NONE);
	assert_int_equal(remedy_plan(&none, &taken, 1002000).wait_ms, -1);
}

static void plan__silent_operator__when_the_wait_since_its_answer_is_over(void **state)
{
	struct remedy_plan p;

	(void)state;
	p = remedy_plan(&link_only, &taken, 1021999);
	assert_int_equal(p.remedy, REMEDY_NONE);
	assert_int_equal(p.wait_ms, 1);
	assert_int_equal(remedy_plan(&link_only, &taken, 1022000).remedy, REMEDY_LINK);
}

static void plan__no_operator_took_it__for_the_second_phone_alone(void **state)
{
	struct remedy_past p = taken;

	(void)state;
	p.state = MESSAGE_ACCEPTED;
	p.submitted_ms = 0;
	assert_int_equal(remedy_plan(&link_first, &p, 1019999).wait_ms, 1);
	assert_int_equal(remedy_plan(&link_first, &p, 1020000).remedy, REMEDY_PHONE);
	assert_int_equal(remedy_plan(&link_only, &p, 1020000).remedy, REMEDY_NONE);
	assert_int_equal(
	    remedy_plan(&link_only, &p, 1020000).wait_ms, 20000); /* some operator may take it by then */
	p.second = false;
	assert_int_equal(remedy_plan(&link_first, &p, 1020000).remedy, REMEDY_NONE);
}

static void plan__several_ways__the_best_that_is_there(void **state)
{
	struct remedy_past p = ended(MESSAGE_UNDELIVERABLE);

	(void)state;
	assert_int_equal(remedy_plan(&link_first, &p, 1).remedy, REMEDY_LINK);
	assert_int_equal(remedy_plan(&phone_first, &p, 1).remedy, REMEDY_PHONE);
	p.elsewhere = false;
	assert_int_equal(remedy_plan(&link_first, &p, 1).remedy, REMEDY_PHONE);
	assert_int_equal(remedy_plan(&link_only, &p, 1).remedy, REMEDY_LINK);
	p.second = false;
	assert_int_equal(remedy_plan(&link_first, &p, 1).remedy, REMEDY_LINK);
	assert_int_equal(remedy_plan(&phone_first, &p, 1).remedy, REMEDY_LINK);
	assert_int_equal(remedy_plan(&phone_only, &p, 1).remedy, REMEDY_NONE);
}

/* It may have arrived: where no receipts come, every code would go twice. */
static void plan__silent_operator_and_no_other_way__never(void **state)
{
	struct remedy_past p = taken;

	(void)state;
	p.elsewhere = false;
	assert_int_equal(remedy_plan(&link_only, &p, 1022000).remedy, REMEDY_NONE);
	assert_int_equal(remedy_plan(&link_only, &p, 1022000).wait_ms, -1);
	assert_int_equal(remedy_plan(&link_first, &p, 1022000).remedy, REMEDY_PHONE);
	p.state = MESSAGE_UNCONFIRMED;
	assert_int_equal(remedy_plan(&link_only, &p, 1022000).remedy, REMEDY_NONE);
	p.state = MESSAGE_EXPIRED;
	assert_int_equal(remedy_plan(&link_only, &p, 1022000).remedy, REMEDY_LINK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plan__ended_without_delivery__at_once),
	    cmocka_unit_test(plan__delivered_or_not_allowed__never),
	    cmocka_unit_test(plan__silent_operator__when_the_wait_since_its_answer_is_over),
	    cmocka_unit_test(plan__no_operator_took_it__for_the_second_phone_alone),
	    cmocka_unit_test(plan__silent_operator_and_no_other_way__never),
	    cmocka_unit_test(plan__several_ways__the_best_that_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The law of a message's life, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/message.h"

static const struct message_limits limits = {
    .attempts = 5, .retry_min_ms = 100, .retry_max_ms = 1000, .in_doubt_ms = 60000};

static void assert_next(enum attempt a, struct message_past past, enum next_step step, int64_t wait_ms)
{
	struct message_plan plan = message_next(a, &past, &limits);

	assert_int_equal(plan.step, step);
	if (step != NEXT_FAIL && step != NEXT_AWAIT_RECEIPT)
		assert_int_equal(plan.wait_ms, wait_ms);
}

/* Bit by bit every past there is, with so many attempts. */
static struct message_past past_of(unsigned bits, uint32_t attempts)
{
	return (struct message_past){.class = (enum message_class)(bits >> 3),
	    .attempts = attempts,
	    .rerouted = bits & 1,
	    .part_taken = bits & 2,
	    .other_carrier = bits & 4};
}
#define PASTS (MESSAGE_CLASSES << 3)

static void message_next__done__awaits_its_receipt_whatever_was(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++)
		for (uint32_t attempts = 1; attempts < 8; attempts++)
			assert_next(ATTEMPT_DONE, past_of(bits, attempts), NEXT_AWAIT_RECEIPT, 0);
}

static void message_next__refused_for_good__fails_whatever_was(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++)
		for (uint32_t attempts = 1; attempts < 8; attempts++)
			assert_next(ATTEMPT_FINAL, past_of(bits, attempts), NEXT_FAIL, 0);
}

static void message_next__temporary__doubled_wait_up_to_the_longest(void **state)
{
	static const int64_t waits[] = {100, 200, 400, 800, 1000, 1000, 1000};
	struct message_limits many = limits;

	(void)state;
	many.attempts = 100;
	for (uint32_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		struct message_past past = {.class = MESSAGE_NOTICE, .attempts = i + 1};
		struct message_plan plan = message_next(ATTEMPT_TEMPORARY, &past, &many);

		assert_int_equal(plan.step, NEXT_AGAIN);
		assert_int_equal(plan.wait_ms, waits[i]);
	}
}

/* The widest range that the configuration allows, at its last attempt. */
static void message_next__temporary_many_times__wait_does_not_overflow(void **state)
{
	const struct message_limits widest = {100, 10, 86400000, 3600000};

	(void)state;
	for (uint32_t attempts = 1; attempts < 100; attempts++) {
		struct message_past past = {.class = MESSAGE_BULK, .attempts = attempts};
		struct message_plan plan = message_next(ATTEMPT_TEMPORARY, &past, &widest);

		assert_int_equal(plan.step, NEXT_AGAIN);
		assert_in_range(plan.wait_ms, 10, 86400000);
	}
}

static void message_next__temporary_with_one_wait__always_that(void **state)
{
	const struct message_limits flat = {10, 500, 500, 0};
	struct message_past past = {.class = MESSAGE_CODE};

	(void)state;
	for (past.attempts = 1; past.attempts < 10; past.attempts++)
		assert_int_equal(message_next(ATTEMPT_TEMPORARY, &past, &flat).wait_ms, 500);
}

static void message_next__temporary__every_second_by_another_carrier(void **state)
{
	struct message_past past = {.class = MESSAGE_NOTICE, .other_carrier = true};

	(void)state;
	for (int rerouted = 0; rerouted < 2; rerouted++) {
		past.rerouted = rerouted;
		past.attempts = 1;
		assert_next(ATTEMPT_TEMPORARY, past, NEXT_AGAIN, 100);
		past.attempts = 2;
		assert_next(ATTEMPT_TEMPORARY, past, NEXT_OTHER_CARRIER, 200);
		past.attempts = 3;
		assert_next(ATTEMPT_TEMPORARY, past, NEXT_AGAIN, 400);
		past.attempts = 4;
		assert_next(ATTEMPT_TEMPORARY, past, NEXT_OTHER_CARRIER, 800);
	}
}

static void message_next__temporary_without_a_choice__same_way(void **state)
{
	struct message_past past = {.class = MESSAGE_NOTICE, .attempts = 2};

	(void)state;
	assert_next(ATTEMPT_TEMPORARY, past, NEXT_AGAIN, 200);
	past.other_carrier = past.part_taken = true;
	assert_next(ATTEMPT_TEMPORARY, past, NEXT_AGAIN, 200);
}

static void message_next__temporary_at_the_last_attempt__fails(void **state)
{
	(void)state;
	assert_next(ATTEMPT_TEMPORARY, past_of(0, 4), NEXT_AGAIN, 800);
	for (unsigned bits = 0; bits < PASTS; bits++) {
		assert_next(ATTEMPT_TEMPORARY, past_of(bits, 5), NEXT_FAIL, 0);
		assert_next(ATTEMPT_TEMPORARY, past_of(bits, 6), NEXT_FAIL, 0);
	}
}

static void message_next__not_this_carriers__once_to_another_at_once(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++)
		for (uint32_t attempts = 1; attempts < 8; attempts++) {
			struct message_past past = past_of(bits, attempts);
			bool can = past.other_carrier && !past.rerouted && !past.part_taken;

			assert_next(ATTEMPT_REROUTE, past, can ? NEXT_OTHER_CARRIER : NEXT_FAIL, 0);
		}
}

static void message_next__in_doubt__code_at_once_others_later(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++)
		for (uint32_t attempts = 1; attempts < 5; attempts++) {
			struct message_past past = past_of(bits, attempts);

			assert_next(ATTEMPT_IN_DOUBT, past, NEXT_AGAIN,
			    past.class == MESSAGE_CODE ? 0 : limits.in_doubt_ms);
		}
}

static void message_next__in_doubt_again__fails_whatever_was(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++) {
		struct message_past past = past_of(bits, 1);

		past.doubted = true;
		assert_next(ATTEMPT_IN_DOUBT, past, NEXT_FAIL, 0);
	}
}

static void message_next__in_doubt_at_the_last_attempt__fails(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++)
		for (uint32_t attempts = 5; attempts < 8; attempts++)
			assert_next(ATTEMPT_IN_DOUBT, past_of(bits, attempts), NEXT_FAIL, 0);
}

/* Far more messages may have been written than were: none is given up while it has attempts. */
static void message_next__interrupted__again_as_long_as_there_are_attempts(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < PASTS; bits++)
		for (uint32_t attempts = 1; attempts < 8; attempts++) {
			struct message_past past = past_of(bits, attempts);
			bool code = past.class == MESSAGE_CODE;

			for (int doubted = 0; doubted < 2; doubted++) {
				past.doubted = doubted;
				if (attempts < 5)
					assert_next(ATTEMPT_INTERRUPTED, past, NEXT_AGAIN,
					    code ? 0 : limits.in_doubt_ms);
				else
					assert_next(ATTEMPT_INTERRUPTED, past, NEXT_FAIL, 0);
			}
		}
}

static void message_next__one_attempt_allowed__first_refusal_fails(void **state)
{
	const struct message_limits one = {1, 100, 1000, 60000};
	const struct message_past past = {.class = MESSAGE_CODE, .attempts = 1, .other_carrier = true};

	(void)state;
	assert_int_equal(message_next(ATTEMPT_TEMPORARY, &past, &one).step, NEXT_FAIL);
	assert_int_equal(message_next(ATTEMPT_IN_DOUBT, &past, &one).step, NEXT_FAIL);
	assert_int_equal(message_next(ATTEMPT_REROUTE, &past, &one).step, NEXT_OTHER_CARRIER);
}

static void receipt_effect__single_part__ends_the_message_in_every_mode(void **state)
{
	(void)state;
	for (enum parts_mode m = PARTS_ALL; m <= PARTS_ANY; m++)
		assert_int_equal(message_receipt_effect(m, 1, 1), RECEIPT_ENDS_MESSAGE);
}

static void receipt_effect__several_parts__by_the_operators_mode(void **state)
{
	(void)state;
	for (unsigned parts = 2; parts <= 255; parts++)
		for (unsigned part = 1; part <= parts; part++) {
			assert_int_equal(message_receipt_effect(PARTS_ALL, part, parts), RECEIPT_ENDS_PART);
			assert_int_equal(
			    message_receipt_effect(PARTS_ANY, part, parts), RECEIPT_ENDS_MESSAGE);
			assert_int_equal(message_receipt_effect(PARTS_FIRST, part, parts),
			    part == 1 ? RECEIPT_ENDS_MESSAGE : RECEIPT_ENDS_NOTHING);
			assert_int_equal(message_receipt_effect(PARTS_LAST, part, parts),
			    part == parts ? RECEIPT_ENDS_MESSAGE : RECEIPT_ENDS_NOTHING);
		}
}

static void message_state__each__name_and_whether_final(void **state)
{
	static const struct {
		const char *name;
		bool final;
	} want[] = {{"accepted", false}, {"submitted", false}, {"failed", true}, {"rejected", true},
	    {"undeliverable", true}, {"expired", true}, {"delivered", true}, {"unconfirmed", true}};

	(void)state;
	for (int s = 0; s <= MESSAGE_UNCONFIRMED; s++) {
		assert_string_equal(message_state_name((enum message_state)s), want[s].name);
		assert_int_equal(message_state_is_final((enum message_state)s), want[s].final);
	}
	assert_string_equal(message_state_name((enum message_state)(MESSAGE_UNCONFIRMED + 1)), "unknown");
}

/* The numbers are stored. */
static void event_kind__each__stored_number_and_name(void **state)
{
	static const char *const names[] = {
	    [0] = "accepted",
	    [1] = "submitted",
	    [2] = "refused",
	    [3] = "in_doubt",
	    [4] = "receipt",
	    [5] = "expired",
	    [6] = "failed",
	    [7] = "ended",
	    [8] = "resent",
	    [9] = "sending",
	    [10] = "interrupted",
	    [11] = "held_back",
	};

	(void)state;
	for (int k = 0; k <= 11; k++)
		assert_string_equal(event_kind_name((enum event_kind)k), names[k]);
	assert_string_equal(event_kind_name((enum event_kind)12), "unknown");
}

static void message_class_parse__names__exact_ones_only(void **state)
{
	static const char *const bad[] = {"", "Code", "code ", "codes", "notic", "unknown", "0"};
	enum message_class c;

	(void)state;
	for (enum message_class each = 0; each < MESSAGE_CLASSES; each++) {
		assert_int_equal(message_class_parse(message_class_name(each), &c), KZ_OK);
		assert_int_equal(c, each);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		c = MESSAGE_BULK;
		assert_int_equal(message_class_parse(bad[i], &c), KZ_INVALID);
		assert_int_equal(c, MESSAGE_BULK);
	}
	assert_string_equal(message_class_name(MESSAGE_CLASSES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(message_next__done__awaits_its_receipt_whatever_was),
	    cmocka_unit_test(message_next__refused_for_good__fails_whatever_was),
	    cmocka_unit_test(message_next__temporary__doubled_wait_up_to_the_longest),
	    cmocka_unit_test(message_next__temporary_many_times__wait_does_not_overflow),
	    cmocka_unit_test(message_next__temporary_with_one_wait__always_that),
	    cmocka_unit_test(message_next__temporary__every_second_by_another_carrier),
	    cmocka_unit_test(message_next__temporary_without_a_choice__same_way),
	    cmocka_unit_test(message_next__temporary_at_the_last_attempt__fails),
	    cmocka_unit_test(message_next__not_this_carriers__once_to_another_at_once),
	    cmocka_unit_test(message_next__in_doubt__code_at_once_others_later),
	    cmocka_unit_test(message_next__in_doubt_again__fails_whatever_was),
	    cmocka_unit_test(message_next__in_doubt_at_the_last_attempt__fails),
	    cmocka_unit_test(message_next__interrupted__again_as_long_as_there_are_attempts),
	    cmocka_unit_test(message_next__one_attempt_allowed__first_refusal_fails),
	    cmocka_unit_test(receipt_effect__single_part__ends_the_message_in_every_mode),
	    cmocka_unit_test(receipt_effect__several_parts__by_the_operators_mode),
	    cmocka_unit_test(message_state__each__name_and_whether_final),
	    cmocka_unit_test(event_kind__each__stored_number_and_name),
	    cmocka_unit_test(message_class_parse__names__exact_ones_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

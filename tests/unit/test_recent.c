/* recent: submissions by the operator's id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "flow/recent.h"

#define ROOM 65536

static uint64_t find(const struct recent *r, const char *carrier, const char *id)
{
	const struct receipt_home *home = recent_find(r, carrier, id);

	return home ? home->message_id : 0;
}

static void recent_find__two_carriers_and_an_id_used_again__the_newest_of_its_carrier(void **state)
{
	struct recent *r = recent_new();

	(void)state;
	recent_put(r, "a", "7", &(struct receipt_home){.message_id = 1});
	recent_put(r, "b", "7", &(struct receipt_home){.message_id = 2});
	recent_put(r, "a", "7", &(struct receipt_home){.message_id = 3});
	assert_int_equal(find(r, "a", "7"), 3);
	assert_int_equal(find(r, "b", "7"), 2);
	assert_int_equal(find(r, "a", "8"), 0);
	recent_free(r);
}

static void recent_put__over_its_room__the_oldest_is_forgotten(void **state)
{
	struct recent *r = recent_new();
	char id[16];

	(void)state;
	for (unsigned i = 1; i <= ROOM + 1; i++) {
		snprintf(id, sizeof id, "%u", i);
		recent_put(r, "a", id, &(struct receipt_home){.message_id = i});
	}
	assert_int_equal(find(r, "a", "1"), 0);
	assert_int_equal(find(r, "a", "2"), 2);
	assert_int_equal(find(r, "a", "65537"), 65537);
	recent_free(r);
}

/* An operator that calls every message the same: 200,000 of them in a chain would take minutes. */
static void recent_put__always_the_same_id__one_entry(void **state)
{
	struct recent *r = recent_new();

	(void)state;
	for (unsigned i = 1; i <= 3 * ROOM; i++)
		recent_put(r, "a", "0", &(struct receipt_home){.message_id = i});
	assert_int_equal(find(r, "a", "0"), 3 * ROOM);
	recent_free(r);
}

static void recent_heard__each_state_of_each_submission__until_the_id_is_given_anew(void **state)
{
	struct recent *r = recent_new();

	(void)state;
	recent_hear(r, "a", "7", RECEIPT_DELIVERED, true); /* of nobody known */
	recent_put(r, "a", "7", &(struct receipt_home){.message_id = 1});
	recent_hear(r, "a", "7", RECEIPT_ENROUTE, false);
	recent_hear(r, "a", "7", RECEIPT_DELIVERED, false); /* of a try */
	assert_false(recent_is_over(r, "a", "7"));
	assert_false(recent_heard(r, "a", "7", RECEIPT_DELIVERED, true));
	recent_hear(r, "a", "7", RECEIPT_DELIVERED, true);
	assert_true(recent_heard(r, "a", "7", RECEIPT_DELIVERED, true));
	assert_true(recent_is_over(r, "a", "7"));
	assert_false(recent_heard(r, "a", "7", RECEIPT_REJECTED, true));
	assert_false(recent_heard(r, "b", "7", RECEIPT_DELIVERED, true));
	recent_put(r, "a", "7", &(struct receipt_home){.message_id = 2});
	assert_false(recent_heard(r, "a", "7", RECEIPT_DELIVERED, true));
	assert_false(recent_is_over(r, "a", "7"));
	recent_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recent_find__two_carriers_and_an_id_used_again__the_newest_of_its_carrier),
	    cmocka_unit_test(recent_put__over_its_room__the_oldest_is_forgotten),
	    cmocka_unit_test(recent_put__always_the_same_id__one_entry),
	    cmocka_unit_test(recent_heard__each_state_of_each_submission__until_the_id_is_given_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

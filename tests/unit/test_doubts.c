/* doubts: parts in doubt and the receipts that name them, whichever comes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "flow/doubts.h"
#include "smpp/submission.h"

#define PHONE 77011234567u
#define OTHER 77021234567u

static struct doubt doubt_of(const char *carrier, uint64_t id, unsigned part)
{
	return (struct doubt){carrier, {id, part, 3, PHONE, false}, 42};
}

static bool note(struct doubts *d, struct doubt doubt)
{
	char id[RECEIPT_ID];

	return doubts_note(d, &doubt, id);
}

static void doubts_settle__reference_carrier_and_phone_agree__its_part_once(void **state)
{
	struct doubts *d = doubts_new();
	uint16_t reference = submission_reference(1000, 1);
	struct doubt found;

	(void)state;
	assert_false(note(d, doubt_of("kcell", 1000, 1)));
	assert_false(note(d, doubt_of("kcell", 1000, 2)));
	assert_false(note(d, doubt_of("kcell", 1000, 3)));
	assert_false(doubts_settle(d, "beeline", PHONE, reference, "7", &found));
	assert_false(doubts_settle(d, "kcell", OTHER, reference, "7", &found));
	assert_false(doubts_settle(d, "kcell", PHONE, (uint16_t)(reference + 1), "7", &found));
	assert_true(doubts_settle(d, "kcell", PHONE, reference, "7", &found));
	assert_string_equal(found.carrier, "kcell");
	assert_true(found.home.message_id == 1000 && found.home.part == 2 && found.home.parts == 3);
	assert_int_equal(found.since_us, 42);
	assert_false(doubts_settle(d, "kcell", PHONE, reference, "7", &found));
	doubts_free(d);
}

static void doubts_settle__carrier_not_known__any_of_them(void **state)
{
	struct doubts *d = doubts_new();
	struct doubt found;

	(void)state;
	assert_false(note(d, doubt_of("", 1000, 1)));
	assert_true(doubts_settle(d, "kcell", PHONE, submission_reference(1000, 0), "7", &found));
	assert_string_equal(found.carrier, "kcell");
	doubts_free(d);
}

static void doubts_note__receipt_was_faster__its_id_and_carrier(void **state)
{
	struct doubts *d = doubts_new();
	struct doubt doubt = doubt_of("", 1000, 1), found;
	char id[RECEIPT_ID];

	(void)state;
	assert_false(doubts_settle(d, "kcell", PHONE, submission_reference(1000, 0), "7", &found));
	assert_true(doubts_note(d, &doubt, id));
	assert_string_equal(id, "7");
	assert_string_equal(doubt.carrier, "kcell");
	assert_false(note(d, doubt_of("kcell", 1000, 1)));
	doubts_free(d);
}

static void doubts_note__over_its_room__the_oldest_are_forgotten_and_counted(void **state)
{
	struct doubts *d = doubts_new();
	struct doubt found;
	double before = metrics_total("kezek_doubts_forgotten_total");

	(void)state;
	for (uint64_t id = 1; id <= 4097; id++)
		note(d, (struct doubt){"kcell", {id, 1, 1, (int64_t)id, false}, 0});
	assert_true(metrics_total("kezek_doubts_forgotten_total") == before + 1);
	assert_true(metrics_total("kezek_doubts") == 4096);
	assert_false(doubts_settle(d, "kcell", 1, submission_reference(1, 0), "7", &found));
	assert_true(doubts_settle(d, "kcell", 2, submission_reference(2, 0), "7", &found));
	assert_true(doubts_settle(d, "kcell", 4097, submission_reference(4097, 0), "7", &found));
	doubts_free(d);
}

static void doubts_settle__strays_over_their_room__the_oldest_is_forgotten(void **state)
{
	struct doubts *d = doubts_new();
	struct doubt found;

	(void)state;
	for (uint64_t id = 1; id <= 1025; id++)
		assert_false(
		    doubts_settle(d, "kcell", (int64_t)id, submission_reference(id, 0), "7", &found));
	assert_false(note(d, (struct doubt){"kcell", {1, 1, 1, 1, false}, 0}));
	assert_true(note(d, (struct doubt){"kcell", {2, 1, 1, 2, false}, 0}));
	assert_true(note(d, (struct doubt){"kcell", {1025, 1, 1, 1025, false}, 0}));
	doubts_free(d);
}

static void doubts_forget__part_noted_more_than_once__just_that_submission(void **state)
{
	struct doubts *d = doubts_new();
	struct doubt found;
	uint16_t reference = submission_reference(1000, 0);

	(void)state;
	note(d, (struct doubt){"kcell", {1000, 1, 2, PHONE, false}, 10});
	note(d, (struct doubt){"tele2", {1000, 1, 2, PHONE, false}, 20});
	note(d, (struct doubt){"kcell", {1000, 1, 2, PHONE, false}, 30});
	note(d, (struct doubt){"kcell", {1000, 2, 2, PHONE, false}, 30});
	doubts_forget(d, "kcell", 1000, 1, 29);
	doubts_forget(d, "kcell", 1000, 1, 31);
	doubts_forget(d, "kcell", 2000, 1, 0);
	assert_true(metrics_total("kezek_doubts") == 3);
	assert_true(doubts_settle(d, "kcell", PHONE, reference, "7", &found));
	assert_int_equal(found.since_us, 10);
	assert_false(doubts_settle(d, "kcell", PHONE, reference, "7", &found));
	assert_true(doubts_settle(d, "tele2", PHONE, reference, "7", &found));
	assert_true(doubts_settle(d, "kcell", PHONE, submission_reference(1000, 1), "7", &found));
	doubts_free(d);
}

/* As with an operator that gives no id and sends its receipts soon. */
static void doubts_note__many_noted_and_settled__an_old_one_stays(void **state)
{
	struct doubts *d = doubts_new();
	struct doubt found;
	double before = metrics_total("kezek_doubts_forgotten_total");

	(void)state;
	note(d, doubt_of("kcell", 1000, 1));
	for (uint64_t id = 1; id <= 10000; id++) {
		note(d, (struct doubt){"tele2", {id, 1, 1, (int64_t)id, false}, 0});
		assert_true(doubts_settle(d, "tele2", (int64_t)id, submission_reference(id, 0), "7", &found));
	}
	assert_true(metrics_total("kezek_doubts_forgotten_total") == before);
	assert_true(doubts_settle(d, "kcell", PHONE, submission_reference(1000, 0), "7", &found));
	assert_true(metrics_total("kezek_doubts") == 0);
	doubts_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(doubts_settle__reference_carrier_and_phone_agree__its_part_once),
	    cmocka_unit_test(doubts_settle__carrier_not_known__any_of_them),
	    cmocka_unit_test(doubts_note__receipt_was_faster__its_id_and_carrier),
	    cmocka_unit_test(doubts_note__over_its_room__the_oldest_are_forgotten_and_counted),
	    cmocka_unit_test(doubts_settle__strays_over_their_room__the_oldest_is_forgotten),
	    cmocka_unit_test(doubts_forget__part_noted_more_than_once__just_that_submission),
	    cmocka_unit_test(doubts_note__many_noted_and_settled__an_old_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

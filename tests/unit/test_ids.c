#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ids.h"

#define EPOCH_MS 1704067200000LL /* 2024-01-01T00:00:00Z */
#define NOW_MS   1795371786123LL
#define PER_MS   (1 << 14)

static void ids_next__one_millisecond__first_has_sequence_zero(void **state)
{
	struct ids g = {.slot = 0xa5};
	uint64_t id = ids_next(&g, NOW_MS);

	(void)state;
	assert_true(id == ((uint64_t)(NOW_MS - EPOCH_MS) << 22 | 0xa5 << 14));
	assert_true(ids_next(&g, NOW_MS) == id + 1);
	assert_true(ids_next(&g, NOW_MS + 1) == id + (1 << 22));
}

static void ids_next__a_full_millisecond__borrows_from_the_next(void **state)
{
	struct ids g = {.slot = 7};
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 3 * PER_MS; i++) {
		uint64_t id = ids_next(&g, NOW_MS);

		assert_true(id > last);
		assert_int_equal(ids_wall_ms(id), NOW_MS + i / PER_MS);
		assert_int_equal(id >> 14 & 255, 7);
		last = id;
	}
	/* The clock arrives in the borrowed millisecond: still above all that were given. */
	assert_true(ids_next(&g, NOW_MS + 1) > last);
	assert_int_equal(ids_wall_ms(ids_next(&g, NOW_MS + 9)), NOW_MS + 9);
}

static void ids_next__clock_falls__order_is_kept(void **state)
{
	struct ids g = {.slot = 1};
	uint64_t last = ids_next(&g, NOW_MS);
	static const int64_t clocks[] = {NOW_MS - 1, NOW_MS - 86400000, 0, -5, EPOCH_MS, NOW_MS - 1, NOW_MS};

	(void)state;
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		uint64_t id = ids_next(&g, clocks[i]);

		assert_true(id == last + 1);
		last = id;
	}
}

static void ids_next__clock_before_the_epoch__still_rises(void **state)
{
	struct ids g = {0};
	uint64_t a = ids_next(&g, 0), b = ids_next(&g, EPOCH_MS), c = ids_next(&g, -1);

	(void)state;
	assert_true(a > 0 && a < b && b < c);
	assert_int_equal(ids_wall_ms(c), EPOCH_MS);
}

static void ids_next__each_slot__its_own_eight_bits(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (int slot = 0; slot < IDS_SLOTS; slot++) {
		struct ids g = {.slot = (uint8_t)slot};
		uint64_t id = ids_next(&g, NOW_MS);

		assert_int_equal(id >> 14 & 255, slot);
		assert_int_equal(ids_wall_ms(id), NOW_MS);
		assert_true(id > last);
		last = id;
	}
}

static void ids_next__far_future__sixty_three_bits(void **state)
{
	struct ids g = {.slot = 255};
	uint64_t id = ids_next(&g, EPOCH_MS + (1LL << 41) - 1);

	(void)state;
	assert_true(id <= INT64_MAX);
	assert_int_equal(ids_wall_ms(id), EPOCH_MS + (1LL << 41) - 1);
}

static void ids_reserve__a_run__in_one_millisecond_and_none_comes_again(void **state)
{
	struct ids g = {.slot = 9};
	uint64_t first = ids_reserve(&g, NOW_MS, 500), next = ids_next(&g, NOW_MS);

	(void)state;
	assert_true(first == ((uint64_t)(NOW_MS - EPOCH_MS) << 22 | 9 << 14));
	assert_true(next == first + 500);
	for (int i = 0; i < PER_MS / 500 - 1; i++)
		first = ids_reserve(&g, NOW_MS, 500);
	assert_int_equal(ids_wall_ms(first), NOW_MS);
	first = ids_reserve(&g, NOW_MS, 500); /* does not fit any more */
	assert_true(first == ((uint64_t)(NOW_MS + 1 - EPOCH_MS) << 22 | 9 << 14));
	assert_true(ids_next(&g, NOW_MS) == first + 500);
}

static void ids_bound__between_what_was_given_and_what_comes(void **state)
{
	struct ids g = {.slot = 9};
	uint64_t id, bound;

	(void)state;
	for (int i = 0; i < PER_MS + 2; i++) {
		id = ids_next(&g, NOW_MS);
		bound = ids_bound(&g);
		assert_true(id < bound);
	}
	assert_true(ids_next(&g, NOW_MS) >= bound);
	bound = ids_bound(&g);
	assert_true(ids_reserve(&g, NOW_MS + 1000, 500) >= bound);
}

static void ids_floor__of_a_millisecond__parts_before_from_within(void **state)
{
	struct ids g = {.slot = 255}, h = {.slot = 0};
	uint64_t floor = ids_floor(NOW_MS);

	(void)state;
	for (int i = 0; i < PER_MS; i++)
		assert_true(ids_next(&g, NOW_MS - 1) < floor);
	assert_true(ids_next(&h, NOW_MS) == floor);
	assert_int_equal(ids_wall_ms(floor), NOW_MS);
	assert_true(ids_floor(EPOCH_MS) == 0);
	assert_true(ids_floor(0) == 0);
	assert_true(ids_floor(EPOCH_MS + 1) == 1 << 22);
}

static void ids_text__known_values__thirteen_characters(void **state)
{
	char text[IDS_TEXT];

	(void)state;
	assert_string_equal(ids_text(0, text), "0000000000000");
	assert_string_equal(ids_text(31, text), "000000000000z");
	assert_string_equal(ids_text(32, text), "0000000000010");
	assert_string_equal(ids_text(INT64_MAX, text), "7zzzzzzzzzzzz");
}

static void ids_text__of_rising_ids__sorts_like_them(void **state)
{
	char text[IDS_TEXT], last[IDS_TEXT] = "";
	struct ids g = {.slot = 3};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		ids_text(ids_next(&g, NOW_MS + i / 100), text);
		assert_true(strcmp(text, last) > 0);
		memcpy(last, text, sizeof last);
	}
}

static void ids_parse__what_was_written__same_id_in_either_case(void **state)
{
	char text[IDS_TEXT];
	uint64_t id = 1, back;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		id = (id * 6364136223846793005ULL + 1442695040888963407ULL) & INT64_MAX;
		assert_int_equal(ids_parse(ids_text(id, text), &back), KZ_OK);
		assert_true(back == id);
		for (char *c = text; *c; c++)
			if (*c >= 'a')
				*c = (char)(*c - 'a' + 'A');
		assert_int_equal(ids_parse(text, &back), KZ_OK);
		assert_true(back == id);
	}
}

static void ids_parse__anything_else__invalid_and_untouched(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0",
	    "000000000000",
	    "00000000000000",
	    "8000000000000",
	    "zzzzzzzzzzzzz",
	    "000000000000i",
	    "000000000000L",
	    "000000000000o",
	    "000000000000U",
	    "000000000000 ",
	    "-000000000001",
	    "+000000000001",
	    "00000000000\xd1\x8f",
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	    "000000\n000000",
	    "a000000000000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		uint64_t id = 42;

		if (ids_parse(bad[i], &id) != KZ_INVALID || id != 42)
			fail_msg("read: %s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ids_next__one_millisecond__first_has_sequence_zero),
	    cmocka_unit_test(ids_next__a_full_millisecond__borrows_from_the_next),
	    cmocka_unit_test(ids_next__clock_falls__order_is_kept),
	    cmocka_unit_test(ids_next__clock_before_the_epoch__still_rises),
	    cmocka_unit_test(ids_next__each_slot__its_own_eight_bits),
	    cmocka_unit_test(ids_next__far_future__sixty_three_bits),
	    cmocka_unit_test(ids_reserve__a_run__in_one_millisecond_and_none_comes_again),
	    cmocka_unit_test(ids_bound__between_what_was_given_and_what_comes),
	    cmocka_unit_test(ids_floor__of_a_millisecond__parts_before_from_within),
	    cmocka_unit_test(ids_text__known_values__thirteen_characters),
	    cmocka_unit_test(ids_text__of_rising_ids__sorts_like_them),
	    cmocka_unit_test(ids_parse__what_was_written__same_id_in_either_case),
	    cmocka_unit_test(ids_parse__anything_else__invalid_and_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

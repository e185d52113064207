#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void buf_text__nothing_added__empty_string(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(buf_text(&b), "");
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
	buf_fini(&b);
}

static void buf_add__octets_with_nul__kept_and_terminated(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_char(&b, '\0');
	buf_str(&b, "cd");
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.data, "a\0b\0cd", 7);
	buf_fini(&b);
}

/* Around every doubling of the room the octet behind len is NUL. */
static void buf_char__a_thousand_times__terminated_after_each(void **state)
{
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		buf_char(&b, (char)('a' + i % 26));
		assert_int_equal(b.len, i + 1);
		assert_int_equal(b.data[i], 'a' + i % 26);
		assert_int_equal(b.data[i + 1], 0);
		assert_true(b.room > b.len);
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_fini(&b);
}

static void buf_printf__longer_than_the_room__whole(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_str(&b, "x=");
	buf_printf(&b, "%d %s %0500d", -7, "seven", 0);
	assert_int_equal(b.len, 2 + 2 + 1 + 5 + 1 + 500);
	assert_memory_equal(b.data, "x=-7 seven 000", 14);
	assert_int_equal(strlen(b.data), b.len);
	buf_printf(&b, "%s", "");
	assert_int_equal(b.len, 511);
	buf_fini(&b);
}

/* 63 characters fill the first 64 octets of room with their NUL; the 64th makes it grow. */
static void buf_printf__exactly_the_room__no_octet_lost(void **state)
{
	(void)state;
	for (int n = 60; n < 70; n++) {
		struct buf b = {0};

		buf_printf(&b, "%0*d", n, 1);
		assert_int_equal(b.len, n);
		assert_int_equal(b.data[n - 1], '1');
		assert_int_equal(b.data[n], 0);
		buf_fini(&b);
	}
}

static void buf_drop__some_all_and_none__rest_moves_to_front(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_drop(&b, 0);
	buf_str(&b, "0123456789");
	buf_drop(&b, 0);
	assert_string_equal(b.data, "0123456789");
	buf_drop(&b, 4);
	assert_string_equal(b.data, "456789");
	assert_int_equal(b.len, 6);
	buf_drop(&b, 6);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_fini(&b);
}

static void buf_wiped__dropped_and_cleared__nothing_is_left_behind_its_end(void **state)
{
	struct buf b = {.wiped = true};

	(void)state;
	buf_str(&b, "284106 284106");
	buf_drop(&b, 7);
	assert_string_equal(b.data, "284106");
	for (size_t i = b.len; i < 14; i++)
		assert_int_equal(b.data[i], 0);
	buf_clear(&b);
	for (size_t i = 0; i < 14; i++)
		assert_int_equal(b.data[i], 0);
	while (b.room < 1000)
		buf_str(&b, "284106");
	assert_int_equal(b.len % 6, 0);
	buf_fini(&b);
	assert_true(b.wiped);
}

static void buf_space__written_in_place__counts_what_was_written(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_str(&b, "ab");
	memset(buf_space(&b, 200), 'c', 200);
	assert_int_equal(b.len, 2);
	buf_wrote(&b, 3);
	assert_string_equal(b.data, "abccc");
	buf_wrote(&b, 0);
	assert_int_equal(b.len, 5);
	buf_fini(&b);
}

static void buf_clear__after_growth__keeps_the_room(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	buf_printf(&b, "%0300d", 0);
	size_t room = b.room;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.room, room);
	assert_string_equal(b.data, "");
	buf_fini(&b);
}

static void buf_take__empty_or_not__owned_text_and_empty_buf(void **state)
{
	struct buf b = {0};
	char *s = buf_take(&b);

	(void)state;
	assert_string_equal(s, "");
	free(s);
	buf_str(&b, "left");
	s = buf_take(&b);
	assert_string_equal(s, "left");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.room, 0);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buf_text__nothing_added__empty_string),
	    cmocka_unit_test(buf_add__octets_with_nul__kept_and_terminated),
	    cmocka_unit_test(buf_char__a_thousand_times__terminated_after_each),
	    cmocka_unit_test(buf_printf__longer_than_the_room__whole),
	    cmocka_unit_test(buf_printf__exactly_the_room__no_octet_lost),
	    cmocka_unit_test(buf_drop__some_all_and_none__rest_moves_to_front),
	    cmocka_unit_test(buf_wiped__dropped_and_cleared__nothing_is_left_behind_its_end),
	    cmocka_unit_test(buf_space__written_in_place__counts_what_was_written),
	    cmocka_unit_test(buf_clear__after_growth__keeps_the_room),
	    cmocka_unit_test(buf_take__empty_or_not__owned_text_and_empty_buf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* window: numbers, room, deadlines. The source is included, so that a test can stand just before the wrap of
 * the numbers without sending 2^31 requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smpp/window.c"

static uint32_t add(struct window *w, void *arg, int64_t deadline_ms)
{
	uint32_t sequence = 0;

	assert_int_equal(window_add(w, 4, arg, 2, 1000, deadline_ms, &sequence), KZ_OK);
	return sequence;
}

static void window_add__room__numbered_until_full(void **state)
{
	struct window *w = window_new(3);
	struct window_entry e;
	uint32_t sequence = 77;

	(void)state;
	assert_int_equal(window_free_room(w), 3);
	assert_int_equal(add(w, NULL, 1), 1);
	assert_int_equal(add(w, NULL, 1), 2);
	assert_int_equal(add(w, NULL, 1), 3);
	assert_int_equal(window_count(w), 3);
	assert_int_equal(window_free_room(w), 0);
	assert_int_equal(window_add(w, 4, NULL, 0, 0, 0, &sequence), KZ_BUSY);
	assert_int_equal(sequence, 77);
	assert_int_equal(window_take(w, 2, &e), KZ_OK);
	assert_int_equal(add(w, NULL, 1), 4); /* the refused one used no number */
	while (window_take_overdue(w, INT64_MAX, &e))
		;
	window_free(w);
}

static void window_take__any_order__entry_once(void **state)
{
	struct window *w = window_new(10);
	struct window_entry e = {0};
	int mine[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		add(w, &mine[i], 5000 + i);
	assert_int_equal(window_take(w, 3, &e), KZ_OK);
	assert_ptr_equal(e.arg, &mine[2]);
	assert_int_equal(e.sequence, 3);
	assert_int_equal(e.command, 4);
	assert_int_equal(e.part, 2);
	assert_int_equal(e.sent_ms, 1000);
	assert_int_equal(e.deadline_ms, 5002);
	assert_int_equal(window_take(w, 3, &e), KZ_NOT_FOUND);
	assert_int_equal(window_take(w, 0, &e), KZ_NOT_FOUND);
	assert_int_equal(window_take(w, 0xffffffffu, &e), KZ_NOT_FOUND);
	assert_int_equal(window_take(w, 1, &e), KZ_OK);
	assert_int_equal(window_take(w, 2, &e), KZ_OK);
	assert_int_equal(window_count(w), 0);
	window_free(w);
}

static void window_add__wrap__skips_outstanding_numbers(void **state)
{
	struct window *w = window_new(10);
	struct window_entry e;

	(void)state;
	assert_int_equal(add(w, NULL, 1), 1);
	assert_int_equal(add(w, NULL, 1), 2);
	assert_int_equal(add(w, NULL, 1), 3);
	assert_int_equal(window_take(w, 2, &e), KZ_OK);
	w->next = 0x7ffffffe;
	assert_int_equal(add(w, NULL, 1), 0x7ffffffe);
	assert_int_equal(add(w, NULL, 1), 0x7fffffff);
	assert_int_equal(add(w, NULL, 1), 2);
	assert_int_equal(add(w, NULL, 1), 4);
	while (window_take_overdue(w, INT64_MAX, &e))
		;
	window_free(w);
}

static void window_deadline__mixed__earliest_first(void **state)
{
	struct window *w = window_new(10);
	struct window_entry e;

	(void)state;
	assert_int_equal(window_deadline(w), -1);
	assert_false(window_take_overdue(w, INT64_MAX, &e));
	add(w, NULL, 300);
	add(w, NULL, 100);
	add(w, NULL, 200);
	assert_int_equal(window_deadline(w), 100);
	assert_false(window_take_overdue(w, 99, &e));
	assert_true(window_take_overdue(w, 100, &e));
	assert_int_equal(e.sequence, 2);
	assert_int_equal(window_deadline(w), 200);
	assert_int_equal(window_take(w, 3, &e), KZ_OK);
	assert_int_equal(window_deadline(w), 300);
	assert_false(window_take_overdue(w, 299, &e));
	assert_true(window_take_overdue(w, INT64_MAX, &e));
	assert_int_equal(e.sequence, 1);
	assert_int_equal(window_deadline(w), -1);
	window_free(w);
}

static void window__full_of_ten_thousand__all_answered_backwards(void **state)
{
	struct window *w = window_new(10000);
	struct window_entry e;

	(void)state;
	for (uint32_t i = 1; i <= 10000; i++)
		assert_int_equal(add(w, NULL, i), i);
	for (uint32_t i = 10000; i >= 1; i--)
		assert_int_equal(window_take(w, i, &e), KZ_OK);
	assert_int_equal(window_free_room(w), 10000);
	window_free(w);
	window_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(window_add__room__numbered_until_full),
	    cmocka_unit_test(window_take__any_order__entry_once),
	    cmocka_unit_test(window_add__wrap__skips_outstanding_numbers),
	    cmocka_unit_test(window_deadline__mixed__earliest_first),
	    cmocka_unit_test(window__full_of_ten_thousand__all_answered_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct bead {
	int number;
	struct list_node node;
};

static int bead_number(struct list_node *n)
{
	return list_entry(n, struct bead, node)->number;
}

/* Forwards and backwards the list holds exactly these numbers. */
static void assert_list(const struct list *l, const int *numbers, size_t n)
{
	const struct list_node *at = &l->head;

	assert_int_equal(l->count, n);
	for (size_t i = 0; i < n; i++) {
		at = i ? list_next(l, at) : list_first(l);
		assert_non_null(at);
		assert_int_equal(bead_number((struct list_node *)(uintptr_t)at), numbers[i]);
	}
	if (n)
		assert_null(list_next(l, at));
	else
		assert_null(list_first(l));
	at = &l->head;
	for (size_t i = n; i-- > 0;) {
		at = at->prev;
		assert_int_equal(bead_number((struct list_node *)(uintptr_t)at), numbers[i]);
	}
	assert_ptr_equal(at->prev, &l->head);
}

static void list_append_and_prepend__mixed__order_kept_both_ways(void **state)
{
	struct bead a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct list l;

	(void)state;
	list_init(&l);
	assert_list(&l, NULL, 0);
	list_append(&l, &b.node);
	list_prepend(&l, &a.node);
	list_append(&l, &c.node);
	assert_list(&l, (const int[]){1, 2, 3}, 3);
}

static void list_insert_after__in_the_middle__stands_behind_it(void **state)
{
	struct bead a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct list l;

	(void)state;
	list_init(&l);
	list_append(&l, &a.node);
	list_append(&l, &c.node);
	list_insert_after(&l, &a.node, &b.node);
	assert_list(&l, (const int[]){1, 2, 3}, 3);
}

static void list_remove__each_place__node_knows_it_is_out(void **state)
{
	struct list l;

	(void)state;
	for (int out = 0; out < 3; out++) {
		struct bead beads[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
		int left[2];

		list_init(&l);
		for (int i = 0; i < 3; i++)
			list_append(&l, &beads[i].node);
		list_remove(&l, &beads[out].node);
		assert_false(list_is_linked(&beads[out].node));
		for (int i = 0, n = 0; i < 3; i++)
			if (i != out)
				left[n++] = i;
		assert_list(&l, left, 2);
		list_append(&l, &beads[out].node);
		assert_true(list_is_linked(&beads[out].node));
		assert_list(&l, (const int[]){left[0], left[1], out}, 3);
	}
}

static void list_take_first__until_empty__first_in_first_out(void **state)
{
	struct bead beads[5];
	struct list l;

	(void)state;
	list_init(&l);
	for (int i = 0; i < 5; i++) {
		beads[i] = (struct bead){.number = i};
		assert_false(list_is_linked(&beads[i].node));
		list_append(&l, &beads[i].node);
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(bead_number(list_take_first(&l)), i);
	assert_null(list_take_first(&l));
	assert_list(&l, NULL, 0);
}

static void list_each__body_removes_its_node__walk_goes_on(void **state)
{
	struct bead beads[6];
	struct list l;
	int seen = 0;

	(void)state;
	list_init(&l);
	for (int i = 0; i < 6; i++) {
		beads[i] = (struct bead){.number = i};
		list_append(&l, &beads[i].node);
	}
	list_each(&l, n, next)
	{
		assert_int_equal(bead_number(n), seen++);
		if (bead_number(n) % 2 == 0)
			list_remove(&l, n);
	}
	assert_int_equal(seen, 6);
	assert_list(&l, (const int[]){1, 3, 5}, 3);
}

static void list_each__empty__body_never_runs(void **state)
{
	struct list l;
	int seen = 0;

	(void)state;
	list_init(&l);
	list_each(&l, n, next) seen++;
	assert_int_equal(seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(list_append_and_prepend__mixed__order_kept_both_ways),
	    cmocka_unit_test(list_insert_after__in_the_middle__stands_behind_it),
	    cmocka_unit_test(list_remove__each_place__node_knows_it_is_out),
	    cmocka_unit_test(list_take_first__until_empty__first_in_first_out),
	    cmocka_unit_test(list_each__body_removes_its_node__walk_goes_on),
	    cmocka_unit_test(list_each__empty__body_never_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"

#define NODES 200
#define MOVES 10000

static void heap_first__empty__none(void **state)
{
	struct heap h = {0};
	struct heap_node n = {0};

	(void)state;
	assert_null(heap_first(&h));
	assert_false(heap_is_in(&n));
	heap_remove(&h, &n);
	assert_null(heap_first(&h));
	heap_fini(&h);
}

static void heap_first__extreme_keys__least_first(void **state)
{
	struct heap h = {0};
	struct heap_node low = {0}, zero = {0}, high = {0};

	(void)state;
	heap_set(&h, &high, INT64_MAX);
	heap_set(&h, &zero, 0);
	heap_set(&h, &low, INT64_MIN);
	assert_ptr_equal(heap_first(&h), &low);
	heap_remove(&h, &low);
	assert_ptr_equal(heap_first(&h), &zero);
	heap_set(&h, &high, -1);
	assert_ptr_equal(heap_first(&h), &high);
	assert_int_equal(h.count, 2);
	heap_fini(&h);
}

static void heap_remove__each_place_of_a_full_tree__rest_in_order(void **state)
{
	(void)state;
	for (size_t out = 0; out < 31; out++) {
		struct heap_node nodes[31] = {0};
		struct heap h = {0};
		int64_t last = -1;

		for (size_t i = 0; i < 31; i++)
			heap_set(&h, &nodes[i], (int64_t)(i * 13 % 31));
		heap_remove(&h, h.nodes[out]);
		assert_int_equal(h.count, 30);
		for (struct heap_node *n; (n = heap_first(&h)); heap_remove(&h, n)) {
			assert_true(n->key > last);
			last = n->key;
		}
		for (size_t i = 0; i < 31; i++)
			assert_false(heap_is_in(&nodes[i]));
		heap_fini(&h);
	}
}

static void heap_first__equal_keys__each_comes_once(void **state)
{
	struct heap_node nodes[50] = {0};
	struct heap h = {0};
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < 50; i++)
		heap_set(&h, &nodes[i], 7);
	for (struct heap_node *n; (n = heap_first(&h)); heap_remove(&h, n))
		seen++;
	assert_int_equal(seen, 50);
	heap_fini(&h);
}

struct model {
	bool in[NODES];
	int64_t keys[NODES];
};

static int key_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static size_t model_sort(const struct model *m, int64_t sorted[NODES])
{
	size_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		if (m->in[i])
			sorted[n++] = m->keys[i];
	qsort(sorted, n, sizeof *sorted, key_compare);
	return n;
}

static void assert_same(const struct heap *h, const struct heap_node *nodes, const struct model *m)
{
	int64_t sorted[NODES];
	size_t n = model_sort(m, sorted);

	assert_int_equal(h->count, n);
	if (n)
		assert_int_equal(heap_first(h)->key, sorted[0]);
	else
		assert_null(heap_first(h));
	for (size_t i = 0; i < NODES; i++)
		assert_int_equal(heap_is_in(&nodes[i]), m->in[i]);
}

/* Insertions, moves up and down and removals, each followed by a comparison with the sorted keys. */
static void heap_set_and_remove__ten_thousand_random_moves__like_a_sorted_array(void **state)
{
	static struct heap_node nodes[NODES];
	static struct model model;
	struct heap h = {0};
	int64_t sorted[NODES];
	uint32_t seed = 20261122;

	(void)state;
	for (int i = 0; i < MOVES; i++) {
		seed = seed * 1664525 + 1013904223;
		size_t at = (seed >> 8) % NODES;

		model.in[at] = seed >> 30 != 0;
		model.keys[at] = (int64_t)(seed >> 16 & 511) - 256;
		if (model.in[at])
			heap_set(&h, &nodes[at], model.keys[at]);
		else
			heap_remove(&h, &nodes[at]);
		assert_same(&h, nodes, &model);
	}
	size_t n = model_sort(&model, sorted);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(heap_first(&h)->key, sorted[i]);
		heap_remove(&h, heap_first(&h));
	}
	assert_null(heap_first(&h));
	heap_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heap_first__empty__none),
	    cmocka_unit_test(heap_first__extreme_keys__least_first),
	    cmocka_unit_test(heap_remove__each_place_of_a_full_tree__rest_in_order),
	    cmocka_unit_test(heap_first__equal_keys__each_comes_once),
	    cmocka_unit_test(heap_set_and_remove__ten_thousand_random_moves__like_a_sorted_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

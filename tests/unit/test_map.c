#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

#define MANY 100000

struct card {
	uint64_t number;
	struct map_node node;
};

static bool card_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct card, node)->number == *(const uint64_t *)key;
}

static struct card *card_get(const struct map *m, uint64_t number)
{
	struct map_node *n = map_get(m, map_hash_u64(number), &number);

	return n ? map_entry(n, struct card, node) : NULL;
}

static struct card *cards_put(struct map *m, size_t n)
{
	struct card *cards = mem_array(n, sizeof *cards);

	map_init(m, card_equal);
	for (size_t i = 0; i < n; i++) {
		cards[i].number = i * 16384; /* like ids: the low bits say nothing */
		map_put(m, &cards[i].node, map_hash_u64(cards[i].number));
	}
	return cards;
}

static void map_get__empty__absent(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, card_equal);
	assert_null(card_get(&m, 0));
	assert_null(map_any(&m));
	assert_int_equal(m.count, 0);
	map_fini(&m);
}

static void map_get__hundred_thousand__each_found_and_no_other(void **state)
{
	struct map m;
	struct card *cards = cards_put(&m, MANY);

	(void)state;
	assert_int_equal(m.count, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_ptr_equal(card_get(&m, cards[i].number), &cards[i]);
		assert_null(card_get(&m, cards[i].number + 1));
	}
	map_fini(&m);
	free(cards);
}

static void map_put__hundred_thousand__chains_stay_short(void **state)
{
	struct map m;
	struct card *cards = cards_put(&m, MANY);
	size_t longest = 0;

	(void)state;
	assert_int_equal(m.room & (m.room - 1), 0);
	assert_true(m.room >= m.count);
	for (size_t i = 0; i < m.room; i++) {
		size_t length = 0;

		for (const struct map_node *n = m.slots[i]; n; n = n->next)
			length++;
		longest = length > longest ? length : longest;
	}
	assert_true(longest <= 16); /* at one entry a bucket, 17 in one is a chance below 1e-9 */
	map_fini(&m);
	free(cards);
}

static void map_remove__every_second__the_others_stay(void **state)
{
	struct map m;
	struct card *cards = cards_put(&m, MANY);

	(void)state;
	for (size_t i = 0; i < MANY; i += 2)
		map_remove(&m, &cards[i].node);
	assert_int_equal(m.count, MANY / 2);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(cards[i].node.linked, i % 2 == 1);
		assert_ptr_equal(card_get(&m, cards[i].number), i % 2 ? &cards[i] : NULL);
	}
	map_put(&m, &cards[0].node, map_hash_u64(0));
	assert_ptr_equal(card_get(&m, 0), &cards[0]);
	map_fini(&m);
	free(cards);
}

/* Equal hashes are told apart by the comparison alone. */
static void map_get__one_hash_for_all__found_by_key(void **state)
{
	struct card cards[40] = {0};
	struct map m;

	(void)state;
	map_init(&m, card_equal);
	for (uint64_t i = 0; i < 40; i++) {
		cards[i].number = i;
		map_put(&m, &cards[i].node, 7);
	}
	map_remove(&m, &cards[39].node); /* the first of its chain */
	map_remove(&m, &cards[0].node);  /* the last */
	map_remove(&m, &cards[20].node);
	for (uint64_t i = 0; i < 40; i++) {
		bool gone = i == 39 || i == 0 || i == 20;
		struct map_node *n = map_get(&m, 7, &i);

		assert_ptr_equal(n, gone ? NULL : &cards[i].node);
	}
	assert_int_equal(m.count, 37);
	map_fini(&m);
}

static void map_any__until_empty__each_once(void **state)
{
	struct map m;
	struct card *cards = cards_put(&m, 100);
	struct map_node *n;
	size_t seen = 0;

	(void)state;
	while ((n = map_any(&m))) {
		map_remove(&m, n);
		seen++;
	}
	assert_int_equal(seen, 100);
	assert_int_equal(m.count, 0);
	for (size_t i = 0; i < 100; i++)
		assert_false(cards[i].node.linked);
	map_fini(&m);
	free(cards);
}

static void map_hash_bytes__one_octet_more_or_other__another_hash(void **state)
{
	char bytes[40] = "kezek";
	uint64_t seen[41];

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		seen[n] = map_hash_bytes(bytes, n);
		assert_true(seen[n] == map_hash_bytes(bytes, n));
		for (size_t o = 0; o < n; o++)
			assert_true(seen[o] != seen[n]);
	}
	for (size_t i = 0; i < 40; i++) {
		bytes[i] ^= 1;
		assert_true(map_hash_bytes(bytes, 40) != seen[40]);
		bytes[i] ^= 1;
	}
	assert_true(map_hash_bytes("\0\0", 1) != map_hash_bytes("\0\0", 2));
}

static void map_hash_bytes__unaligned__same_hash(void **state)
{
	char bytes[64];

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		memcpy(bytes + at, "0123456789abcdefghij", 20);
		assert_true(map_hash_bytes(bytes + at, 20) == map_hash_bytes("0123456789abcdefghij", 20));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(map_get__empty__absent),
	    cmocka_unit_test(map_get__hundred_thousand__each_found_and_no_other),
	    cmocka_unit_test(map_put__hundred_thousand__chains_stay_short),
	    cmocka_unit_test(map_remove__every_second__the_others_stay),
	    cmocka_unit_test(map_get__one_hash_for_all__found_by_key),
	    cmocka_unit_test(map_any__until_empty__each_once),
	    cmocka_unit_test(map_hash_bytes__one_octet_more_or_other__another_hash),
	    cmocka_unit_test(map_hash_bytes__unaligned__same_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* limits in memory: its bounds, and clocks that fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/limits_body.h"

#define NOW_MS 1795000000000LL

static const struct conf conf = {.codes_failures = 10,
    .codes_wait_later_ms = 300000,
    .guard_prefix_hour = 1000000,
    .guard_key_minute = 1000000,
    .guard_address_hour = 40,
    .guard_day = 100000000};

static enum kz guess(struct limits_memory *m, int64_t phone, int64_t now_ms, enum limit *ret)
{
	const struct limits_op o = {
	    .kind = LIMITS_TRY, .try = {.code = (uint64_t)phone + 1, .phone = phone, .tries = 5}};
	struct limits_verdict v;
	enum kz r = limits_memory_try(m, &conf, &o, now_ms, &v);

	*ret = v.limit;
	return r;
}

static enum kz send(struct limits_memory *m, int64_t phone, int64_t address, int64_t now_ms, enum limit *ret)
{
	const struct limits_op o = {.kind = LIMITS_SEND,
	    .send = {.phone = phone, .prefix = 7701123, .api_key = 1, .address = address}};
	struct limits_verdict v;
	enum kz r = limits_memory_send(m, &conf, &o, now_ms, &v);

	*ret = v.limit;
	return r;
}

static void phones__no_room_for_more__those_who_are_there_are_judged_and_new_ones_do_not_pass(void **state)
{
	struct limits_memory *m = limits_memory_new();
	enum limit limit;

	(void)state;
	for (int64_t i = 0; i < LIMITS_MEMORY_PHONES; i++)
		assert_int_equal(guess(m, i, NOW_MS, &limit), KZ_OK);
	assert_int_equal(guess(m, LIMITS_MEMORY_PHONES, NOW_MS, &limit), KZ_LOST);
	assert_int_equal(send(m, LIMITS_MEMORY_PHONES, 0, NOW_MS, &limit), KZ_LOST);
	for (int i = 0; i < 2; i++)
		assert_int_equal(guess(m, 7, NOW_MS + 1, &limit), KZ_OK);
	assert_int_equal(guess(m, 7, NOW_MS + 2, &limit), KZ_REFUSED);
	assert_int_equal(limit, LIMIT_LOCKED);
	assert_int_equal(limits_memory_count(m), LIMITS_MEMORY_PHONES);
	assert_int_equal(guess(m, LIMITS_MEMORY_PHONES, NOW_MS + LIMITS_HOUR_MS, &limit), KZ_OK);
	assert_int_equal(limits_memory_count(m), 2);
	limits_memory_free(m);
}

static void counts__no_room_for_more__new_ones_do_not_pass(void **state)
{
	struct limits_memory *m = limits_memory_new();
	enum limit limit;
	int64_t passed = 0;

	(void)state;
	/* the prefix and the key stand there once, and room for three must be left */
	while (send(m, passed, passed + 1, NOW_MS, &limit) == KZ_OK)
		passed++;
	assert_int_equal(limit, LIMIT_NONE);
	assert_int_equal(passed, LIMITS_MEMORY_COUNTS - 4);
	limits_memory_free(m);
}

static void refused__nothing_is_remembered(void **state)
{
	struct limits_memory *m = limits_memory_new();
	struct limits_op o = {
	    .kind = LIMITS_SEND, .send = {.phone = 1, .prefix = 7701123, .api_key = 1, .address = 5}};
	struct limits_verdict v;

	(void)state;
	o.known.sent = LIMITS_ALONE_SENDS;
	assert_int_equal(limits_memory_send(m, &conf, &o, NOW_MS, &v), KZ_REFUSED);
	assert_int_equal(v.limit, LIMIT_PHONE_HOUR);
	assert_int_equal(limits_memory_count(m), 0);
	limits_memory_free(m);
}

static void look__nothing_is_remembered(void **state)
{
	struct limits_memory *m = limits_memory_new();
	struct limits_op o = {
	    .kind = LIMITS_SEND, .send = {.phone = 1, .prefix = 7701123, .api_key = 1, .look = true}};
	struct limits_verdict v;

	(void)state;
	for (int i = 0; i < 2 * LIMITS_ALONE_SENDS; i++)
		assert_int_equal(limits_memory_send(m, &conf, &o, NOW_MS, &v), KZ_OK);
	assert_int_equal(limits_memory_count(m), 0);
	limits_memory_free(m);
}

static void clock__that_falls_back__renews_nothing(void **state)
{
	struct limits_memory *m = limits_memory_new();
	enum limit limit;

	(void)state;
	for (int i = 0; i < LIMITS_ALONE_TRIES; i++)
		assert_int_equal(guess(m, 1, NOW_MS, &limit), KZ_OK);
	assert_int_equal(guess(m, 1, NOW_MS - 2 * LIMITS_HOUR_MS, &limit), KZ_REFUSED);
	assert_int_equal(guess(m, 1, NOW_MS - 1, &limit), KZ_REFUSED);
	limits_memory_free(m);
}

static void known__fewer_wrong_tries_than_here__those_of_here_are_told(void **state)
{
	struct limits_memory *m = limits_memory_new();
	struct limits_known k = {.has = UNKNOWN_PHONE, .wrong = 1};
	const struct limits_try t = {.code = 9, .phone = 1};

	(void)state;
	limits_memory_note(m, &t, NOW_MS - LIMITS_HOUR_MS + 5);
	limits_memory_note(m, &t, NOW_MS);
	limits_memory_note(m, &t, NOW_MS);
	limits_memory_add(m, 1, NOW_MS + 6, &k);
	assert_string_equal(k.text[KNOWN_PHONE + 2], "1795000000000,1795000000000");
	limits_known_fini(&k);
	k = (struct limits_known){.has = UNKNOWN_PHONE, .wrong = 3};
	limits_memory_add(m, 1, NOW_MS, &k);
	assert_null(k.text[KNOWN_PHONE + 2]);
	limits_memory_forgive(m, 1, NOW_MS + LIMITS_HOUR_MS);
	k.wrong = 0;
	limits_memory_add(m, 1, NOW_MS, &k);
	assert_null(k.text[KNOWN_PHONE + 2]);
	limits_memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
	        phones__no_room_for_more__those_who_are_there_are_judged_and_new_ones_do_not_pass),
	    cmocka_unit_test(counts__no_room_for_more__new_ones_do_not_pass),
	    cmocka_unit_test(refused__nothing_is_remembered),
	    cmocka_unit_test(look__nothing_is_remembered),
	    cmocka_unit_test(clock__that_falls_back__renews_nothing),
	    cmocka_unit_test(known__fewer_wrong_tries_than_here__those_of_here_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* guesses: how many pass, over two daemons, with a Redis that forgets. */
#include "limits_rig.h"

#define PHONE 42

/* Asks, and writes the row of a wrong one. */
static struct limits_said guess(struct limits_rig *g, int i, uint64_t code, int64_t phone)
{
	const struct limits_try t = limits_guess(code, phone);
	const struct limits_said s = limits_ask_try(g, i, &t);

	if (s.r == KZ_OK)
		limits_put_wrong(g, ids_floor(store_wall_us() / 1000) + ++g->codes, phone);
	return s;
}

static int guess_until_refused(struct limits_rig *g, int64_t phone, enum limit expected)
{
	int passed = 0;

	for (;;) {
		const struct limits_said s = guess(g, passed % 2, 1000 + (uint64_t)passed / 4, phone);

		if (s.r != KZ_OK) {
			assert_int_equal(s.r, KZ_REFUSED);
			assert_int_equal(s.v.limit, expected);
			assert_true(s.v.after_ms > 0);
			return passed;
		}
		passed++;
	}
}

static void guesses__new_codes_two_daemons_and_a_restart__ten_an_hour(void **state)
{
	struct limits_rig *g = *state;

	for (int i = 0; i < 7; i++)
		assert_int_equal(guess(g, i % 2, 1 + (uint64_t)i / 4, PHONE).r, KZ_OK);
	int downs = g->downs, ups = g->ups;
	servers_do("restart-redis");
	servers_await(g->store->loop, &g->downs, downs + 2);
	servers_await(g->store->loop, &g->ups, ups + 2);
	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 3);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 0);
	assert_int_equal(guess_until_refused(g, PHONE + 1, LIMIT_LOCKED), 10);
}

static void guesses__hundred_at_once_over_two_daemons__ten_pass(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said[100] = {{0}};
	int passed = 0;

	for (int i = 0; i < 100; i++) {
		const struct limits_try t = limits_guess(1 + (uint64_t)i / 3, PHONE);

		assert_int_equal(limits_try(g->limits[i % 2], &t, limits_on_said, &said[i]), KZ_OK);
	}
	for (int i = 0; i < 100; i++) {
		servers_await(g->store->loop, &said[i].count, 1);
		passed += said[i].r == KZ_OK;
	}
	assert_int_equal(passed, 10);
}

/* Those of a daemon that is cut from Redis stand in the database alone. */
static void guesses__many_at_once_that_know_of_three_more__seven_pass(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said[40] = {{0}};
	int passed = 0;

	for (int i = 0; i < 40; i++) {
		struct limits_try t = limits_guess(1 + (uint64_t)i, PHONE);

		t.phone_wrong = 3;
		t.phone_wrong_ms = store_wall_us() / 1000 - LIMITS_MINUTE_MS;
		assert_int_equal(limits_try(g->limits[i % 2], &t, limits_on_said, &said[i]), KZ_OK);
	}
	for (int i = 0; i < 40; i++) {
		servers_await(g->store->loop, &said[i].count, 1);
		passed += said[i].r == KZ_OK;
	}
	assert_int_equal(passed, 7);
}

static void looks__of_many_phones_at_once__go_together(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said[600] = {{0}};
	struct limits_try t = limits_guess(7, PHONE);
	double before;

	limits_put_wrong(g, ids_floor(store_wall_us() / 1000), 1000);
	before = metrics_total("kezek_pg_jobs_total");
	for (int i = 0; i < 600; i++) {
		t.code++;
		t.phone = 1000 + i;
		assert_int_equal(limits_try(g->limits[0], &t, limits_on_said, &said[i]), KZ_OK);
	}
	for (int i = 0; i < 600; i++) {
		servers_await(g->store->loop, &said[i].count, 1);
		assert_int_equal(said[i].r, KZ_OK);
	}
	assert_in_range((int)(metrics_total("kezek_pg_jobs_total") - before), 6, 60);
	for (int i = 0; i < 10; i++) { /* that each heard of its own phone */
		t.code++;
		t.phone = 1000 + i % 2;
		assert_int_equal(limits_ask_try(g, 0, &t).r, KZ_OK);
	}
	for (int i = 0; i < 4; i++) {
		t.code++;
		t.phone = 1000;
		assert_int_equal(limits_ask_try(g, 0, &t).r, i < 3 ? KZ_OK : KZ_REFUSED);
		t.phone = 1001;
		assert_int_equal(limits_ask_try(g, 0, &t).r, KZ_OK);
	}
}

static void tries__of_one_code__as_many_as_it_has_and_the_right_one_counts_nothing(void **state)
{
	struct limits_rig *g = *state;
	struct limits_try t = limits_guess(7, PHONE);
	struct limits_said s;

	for (unsigned left = 4; left >= 1; left--) {
		s = limits_ask_try(g, 0, &t);
		assert_int_equal(s.r, KZ_OK);
		assert_int_equal(s.v.left, left);
	}
	t.right = true;
	for (int i = 0; i < 3; i++) {
		s = limits_ask_try(g, 1, &t);
		assert_int_equal(s.r, KZ_OK);
		assert_int_equal(s.v.left, 1);
	}
	t.right = false;
	assert_int_equal(limits_ask_try(g, 1, &t).v.left, 0);
	t.right = true;
	s = limits_ask_try(g, 0, &t);
	assert_int_equal(s.r, KZ_REFUSED);
	assert_int_equal(s.v.limit, LIMIT_TRIES);
}

static void tries__more_wrong_ones_in_the_database_than_in_redis__those_count(void **state)
{
	struct limits_rig *g = *state;
	struct limits_try t = limits_guess(7, PHONE);

	t.wrong = 4;
	assert_int_equal(limits_ask_try(g, 0, &t).v.left, 0);
	t.wrong = 0;
	assert_int_equal(limits_ask_try(g, 0, &t).v.limit, LIMIT_TRIES);
	t.code = 8;
	t.phone_wrong = 10;
	t.phone_wrong_ms = store_wall_us() / 1000;
	assert_int_equal(limits_ask_try(g, 0, &t).v.limit, LIMIT_LOCKED);
}

static void try__same_token_again__not_counted_twice(void **state)
{
	struct limits_rig *g = *state;
	struct limits_try t = limits_guess(7, PHONE);
	struct limits_said s;

	t.token = -77;
	assert_false(limits_ask_try(g, 0, &t).v.repeated);
	for (int i = 0; i < 20; i++) {
		s = limits_ask_try(g, i % 2, &t);
		assert_int_equal(s.r, KZ_OK);
		assert_true(s.v.repeated);
		assert_int_equal(s.v.left, 4);
	}
	t.token = 77;
	s = limits_ask_try(g, 0, &t);
	assert_false(s.v.repeated);
	assert_int_equal(s.v.left, 3);
}

static void try__of_nobody__passes_and_counts_nothing(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_try t = {.tries = 5};

	for (int i = 0; i < 30; i++)
		assert_int_equal(limits_ask_try(g, 0, &t).r, KZ_OK);
}

static void lock__again_within_a_day__twice_as_long_and_a_day_at_most(void **state)
{
	struct limits_rig *g = *state;
	static const int hours[] = {1, 2, 4, 8, 16, 24, 24};

	for (size_t i = 0; i < sizeof hours / sizeof *hours; i++) {
		const struct limits_try t = limits_guess(1, PHONE);

		for (int k = 0; k < 10; k++)
			assert_int_equal(guess(g, k % 2, 100 * (i + 1) + (uint64_t)k, PHONE).r, KZ_OK);
		const struct limits_said s = limits_ask_try(g, 0, &t);
		assert_int_equal(s.v.limit, LIMIT_LOCKED);
		assert_in_range(s.v.after_ms, hours[i] * LIMITS_HOUR_MS - 30000, hours[i] * LIMITS_HOUR_MS);
		limits_forward(g, s.v.after_ms - 1000);
		assert_int_equal(limits_ask_try(g, 1, &t).v.limit, LIMIT_LOCKED);
		limits_forward(g, 1001);
	}
	store_await_sql(g->store, "select count(*) from guard_hold where kind = 2 and subject = 42", 7);
	limits_forward(g, 25 * LIMITS_HOUR_MS);
	const struct limits_try t = limits_guess(1, PHONE);
	for (int k = 0; k < 10; k++) { /* beyond the partitions, so without rows */
		const struct limits_try wrong = limits_guess(5000 + (uint64_t)k, PHONE);

		assert_int_equal(limits_ask_try(g, k % 2, &wrong).r, KZ_OK);
	}
	assert_in_range(limits_ask_try(g, 0, &t).v.after_ms, LIMITS_HOUR_MS - 30000, LIMITS_HOUR_MS);
}

static void lock__redis_emptied__still_locked_and_the_next_is_twice_as_long(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_try t = limits_guess(1, PHONE);

	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 10);
	store_await_sql(g->store, "select count(*) from guard_hold where shown like 'code:%'", 1);
	limits_forward(g, LIMITS_HOUR_MS / 2);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(limits_ask_try(g, 1, &t).v.limit, LIMIT_LOCKED);
	limits_forward(g, LIMITS_HOUR_MS / 2 + 1000);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 10);
	assert_in_range(limits_ask_try(g, 0, &t).v.after_ms, 2 * LIMITS_HOUR_MS - 30000, 2 * LIMITS_HOUR_MS);
}

static void guesses__spread_over_the_hour__never_more_than_ten_in_any(void **state)
{
	struct limits_rig *g = *state;
	int64_t at_ms[200];
	int n = 0;

	g->conf.codes_lock_ms = LIMITS_HOUR_MS;
	for (int minute = 0; minute < 200; minute++) {
		if (guess(g, minute % 2, (uint64_t)minute + 1, PHONE).r == KZ_OK)
			at_ms[n++] = store_wall_us() / 1000;
		limits_forward(g, 3 * LIMITS_MINUTE_MS);
	}
	assert_true(n > 15);
	for (int i = 10; i < n; i++)
		assert_true(at_ms[i] - at_ms[i - 10] >=
		            LIMITS_HOUR_MS - 1000); /* asked somewhat before it is noted */
}

static void clock__that_falls_back__renews_nothing(void **state)
{
	struct limits_rig *g = *state;

	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 10);
	limits_forward(g, -2 * LIMITS_HOUR_MS);
	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 0);
	limits_forward(g, -48 * LIMITS_HOUR_MS);
	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 0);
}

static void lift__of_a_phone__ten_more_also_when_redis_forgets(void **state)
{
	struct limits_rig *g = *state;

	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 10);
	store_await_sql(g->store, "select count(*) from guard_hold", 1);
	store_sql(g->store, "update guard_hold set lifted_at = to_timestamp(%lld / 1e6), lifted_by = 'aigul'",
	    (long long)store_wall_us());
	limits_lift(g->limits[0], HOLD_PHONE, PHONE, 0);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 10);
}

static void lift__while_a_try_is_asked_that_was_read_before__does_not_lock_again(void **state)
{
	struct limits_rig *g = *state;
	struct limits_try t = limits_guess(1, PHONE);

	t.phone_wrong = 10;
	t.phone_wrong_ms = store_wall_us() / 1000;
	assert_int_equal(limits_ask_try(g, 0, &t).v.limit, LIMIT_LOCKED);
	limits_forward(g, 1000);
	limits_lift(g->limits[0], HOLD_PHONE, PHONE, 0);
	t.right = true;
	for (int i = 0; i < 2; i++)
		assert_int_equal(limits_ask_try(g, i, &t).r, KZ_OK);
}

static void lift__of_a_phone__the_other_daemon_forgets_too(void **state)
{
	struct limits_rig *g = *state;

	assert_int_equal(guess_until_refused(g, PHONE, LIMIT_LOCKED), 10);
	store_await_sql(g->store, "select count(*) from guard_hold", 1);
	limits_forward(g, 1000);
	store_sql(g->store, "update guard_hold set lifted_at = to_timestamp(%lld / 1e6), lifted_by = 'aigul'",
	    (long long)store_wall_us());
	limits_lift(g->limits[0], HOLD_PHONE, PHONE, 0);
	limits_forward(g, 1000);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	const struct limits_try t = limits_guess(900, PHONE);
	for (int i = 0; i < 10; i++) {
		const struct limits_try wrong = limits_guess(900 + (uint64_t)i, PHONE);

		assert_int_equal(limits_ask_try(g, 1, &wrong).r, KZ_OK);
	}
	assert_int_equal(limits_ask_try(g, 1, &t).v.limit, LIMIT_LOCKED);
}

static void keys__after_tries__all_have_an_end(void **state)
{
	struct limits_rig *g = *state;

	guess_until_refused(g, PHONE, LIMIT_LOCKED);
	assert_int_equal(limits_redis(g, LIMITS_WITHOUT_TTL), 0);
	assert_true(limits_redis(g, "return #redis.call('KEYS', '*')") >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LIMITS_CASE(guesses__new_codes_two_daemons_and_a_restart__ten_an_hour),
	    LIMITS_CASE(guesses__hundred_at_once_over_two_daemons__ten_pass),
	    LIMITS_CASE(guesses__many_at_once_that_know_of_three_more__seven_pass),
	    LIMITS_CASE(looks__of_many_phones_at_once__go_together),
	    LIMITS_CASE(tries__of_one_code__as_many_as_it_has_and_the_right_one_counts_nothing),
	    LIMITS_CASE(tries__more_wrong_ones_in_the_database_than_in_redis__those_count),
	    LIMITS_CASE(try__same_token_again__not_counted_twice),
	    LIMITS_CASE(try__of_nobody__passes_and_counts_nothing),
	    LIMITS_CASE(lock__again_within_a_day__twice_as_long_and_a_day_at_most),
	    LIMITS_CASE(lock__redis_emptied__still_locked_and_the_next_is_twice_as_long),
	    LIMITS_CASE(guesses__spread_over_the_hour__never_more_than_ten_in_any),
	    LIMITS_CASE(clock__that_falls_back__renews_nothing),
	    LIMITS_CASE(lift__of_a_phone__ten_more_also_when_redis_forgets),
	    LIMITS_CASE(lift__while_a_try_is_asked_that_was_read_before__does_not_lock_again),
	    LIMITS_CASE(lift__of_a_phone__the_other_daemon_forgets_too),
	    LIMITS_CASE(keys__after_tries__all_have_an_end),
	};

	return store_main("limits try", tests, sizeof tests / sizeof *tests);
}

/* limits while Redis is away, slow, or back; and while nothing can be known. */
#include "limits_rig.h"

#include "base/mem.h"

#define PHONE 42

static int alone_setup(void **state)
{
	struct limits_rig *g;

	if (limits_setup(state))
		return -1;
	g = *state;
	servers_do("kill-redis");
	servers_await(g->store->loop, &g->downs, 2);
	return 0;
}

static int alone_teardown(void **state)
{
	servers_do("restart-redis");
	return limits_teardown(state);
}

static void redis_comes_back(struct limits_rig *g)
{
	int ups = g->ups;

	servers_do("restart-redis");
	servers_await(g->store->loop, &g->ups, ups + 2);
}

/* Guesses by daemons in turn until one does not pass, each with its row. */
static int guess_all(struct limits_rig *g, int daemons, struct limits_said *ret)
{
	for (int passed = 0;; passed++) {
		const struct limits_try t = limits_guess(1 + (uint64_t)passed, PHONE);

		*ret = limits_ask_try(g, passed % daemons, &t);
		if (ret->r != KZ_OK)
			return passed;
		limits_put_wrong(g, ids_floor(store_wall_us() / 1000) + ++g->codes, PHONE);
	}
}

static int send_all(struct limits_rig *g, struct limits_said *ret)
{
	const struct limits_send s = limits_to(PHONE);

	for (int passed = 0;; passed++) {
		*ret = limits_ask_send(g, passed % 2, &s);
		if (ret->r != KZ_OK)
			return passed;
		limits_put_sent(g, PHONE, 0, 1);
		limits_forward(g, ret->v.wait_ms);
	}
}

static void away__guesses_and_sends__three_and_two_over_both_daemons(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said s;

	assert_int_equal(guess_all(g, 2, &s), 3);
	assert_int_equal(s.v.limit, LIMIT_LOCKED);
	assert_in_range(s.v.after_ms, LIMITS_HOUR_MS - 60000, LIMITS_HOUR_MS);
	assert_int_equal(send_all(g, &s), 2);
	assert_int_equal(s.v.limit, LIMIT_PHONE_HOUR);
	assert_int_equal(metrics_total("kezek_limits_degraded"), 1);
	limits_forward(g, LIMITS_HOUR_MS + 60000);
	assert_int_equal(guess_all(g, 1, &s), 3);
}

static void away__many_guesses_at_once__three_pass(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said[50] = {{0}};
	int passed = 0;

	for (int i = 0; i < 50; i++) {
		const struct limits_try t = limits_guess((uint64_t)i + 1, PHONE);

		assert_int_equal(limits_try(g->limits[0], &t, limits_on_said, &said[i]), KZ_OK);
	}
	for (int i = 0; i < 50; i++) {
		servers_await(g->store->loop, &said[i].count, 1);
		passed += said[i].r == KZ_OK;
	}
	assert_int_equal(passed, 3);
}

static void away__prefix_and_address__a_quarter(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(10000);
	int passed;

	g->conf.guard_prefix_hour = 20;
	for (passed = 0; limits_ask_send(g, 0, &s).r == KZ_OK; passed++)
		s.phone++;
	assert_int_equal(passed, 5);
	s = limits_to(1000000);
	s.address = 9;
	for (passed = 0; limits_ask_send(g, 0, &s).r == KZ_OK; passed++) {
		s.phone += 10000;
		s.prefix++;
	}
	assert_int_equal(passed, 8);
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_ADDRESS_HOUR);
}

static void away__sends_and_resends_of_the_day__as_many_as_configured(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(PHONE);
	struct limits_said said;

	g->conf.codes_resends_day = 3;
	uint64_t code = limits_put_sent(g, PHONE, 0, 1);
	for (int n = 2; n <= 4; n++)
		limits_put_sent(g, PHONE, code, n);
	store_sql(g->store, "update code_send set at = at - interval '3 hours'");
	s.resend = true;
	said = limits_ask_send(g, 0, &s);
	assert_int_equal(said.v.limit, LIMIT_RESENDS_DAY);
	assert_in_range(said.v.after_ms, 21 * LIMITS_HOUR_MS - 60000, 21 * LIMITS_HOUR_MS);
	g->conf.guard_phone_day = 4;
	s.resend = false;
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_PHONE_DAY);
	g->conf.guard_phone_day = 5;
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
}

static void away__locked_by_tries_of_others__told_to_come_in_an_hour(void **state)
{
	struct limits_rig *g = *state;
	struct limits_try t = limits_guess(1, PHONE);

	t.phone_wrong = 3;
	const struct limits_said s = limits_ask_try(g, 0, &t);
	assert_int_equal(s.v.limit, LIMIT_LOCKED);
	assert_in_range(s.v.after_ms, LIMITS_HOUR_MS - 60000, LIMITS_HOUR_MS);
}

static void away__what_was_held_and_locked__stays_so(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_try t = limits_guess(1, PHONE);
	const struct limits_send s = limits_to(20000);

	store_sql(g->store, "insert into guard_hold (kind, subject, shown, since, until) values"
	                    " (2, 42, 'x', now(), now() + interval '1 hour'),"
	                    " (1, 7701002, 'y', now(), now() + interval '1 hour')");
	assert_int_equal(limits_ask_try(g, 0, &t).v.limit, LIMIT_LOCKED);
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_HELD);
}

static void away__same_token_again__passes_and_is_counted_once(void **state)
{
	struct limits_rig *g = *state;
	struct limits_try t = limits_guess(1, PHONE);
	struct limits_send s = limits_to(PHONE);

	t.token = s.token = 4;
	for (int i = 0; i < 9; i++) {
		assert_int_equal(limits_ask_try(g, 0, &t).r, KZ_OK);
		assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	}
	assert_true(limits_ask_try(g, 0, &t).v.repeated);
	assert_true(limits_ask_send(g, 0, &s).v.repeated);
}

static void back__after_an_outage__nothing_is_renewed(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said s;

	assert_int_equal(guess_all(g, 2, &s), 3);
	assert_int_equal(send_all(g, &s), 2);
	redis_comes_back(g);
	assert_int_equal(guess_all(g, 2, &s), 7);
	assert_int_equal(s.v.limit, LIMIT_LOCKED);
	assert_int_equal(metrics_total("kezek_limits_degraded"), 0);
}

static void back__with_all_that_it_knew__what_passed_meanwhile_counts_too(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said s;
	const char *pause[] = {"CLIENT", "PAUSE", "2000", "ALL"};

	for (int i = 0; i < 2; i++) {
		const struct limits_try t = limits_guess(90 + (uint64_t)i, PHONE);

		assert_int_equal(limits_ask_try(g, i, &t).r, KZ_OK);
		limits_put_wrong(g, ids_floor(store_wall_us() / 1000) + ++g->codes, PHONE);
	}
	int answers = g->redis_answers;
	assert_int_equal(redis_ask(g->redis[0], 4, pause, NULL, limits_on_number, g, NULL), KZ_OK);
	servers_await(g->store->loop, &g->redis_answers, answers + 1);
	int64_t begun_us = clock_real.mono_us();
	assert_int_equal(guess_all(g, 2, &s), 1);
	assert_true(clock_real.mono_us() - begun_us < 1900000);
	answers = g->redis_answers;
	limits_redis(g, "return 1");
	assert_in_range(guess_all(g, 2, &s), 6, 7); /* one that was refused meanwhile may count in Redis */
}

static void back__a_send_without_redis_asked_again__passes(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(PHONE);

	s.token = 8;
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	redis_comes_back(g);
	assert_true(limits_ask_send(g, 0, &s).v.repeated);
	s.token = 9;
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_WAIT);
}

static void back__with_data_of_long_ago__not_trusted(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said s;
	char script[512];
	long long epoch = limits_redis(g, "return tonumber(redis.call('HGET', 'kezek:born', 'e'))");

	assert_int_equal(guess_all(g, 2, &s), 10);
	store_await_sql(g->store, "select count(*) from guard_hold", 1);
	redis_comes_back(g);
	snprintf(script, sizeof script,
	    "redis.call('HSET', 'kezek:born', 'e', '%lld', 'at', '1000', 'born', '1000')"
	    " redis.call('HSET', 'kezek:p:%016x', 'e', '%lld', 'now', '1000') return 1",
	    epoch, PHONE, epoch);
	limits_redis(g, script);
	assert_int_equal(guess_all(g, 2, &s), 0);
	assert_int_equal(s.v.limit, LIMIT_LOCKED);
}

/* What hangs on its way to the database stands in Redis alone, and in the memory of the daemon that asked. */
static void back__with_more_than_the_database_has__that_counts(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(10000);
	struct limits_said said;

	g->conf.guard_prefix_hour = 6;
	for (int i = 0; i < 6; i++) {
		const struct limits_try t = limits_guess(60 + (uint64_t)i, PHONE);

		assert_int_equal(limits_ask_try(g, i % 2, &t).r, KZ_OK);
		assert_int_equal(limits_ask_send(g, i % 2, &s).r, KZ_OK);
		s.phone++;
	}
	limits_on_redis(g->limits[0], true);
	assert_int_equal(guess_all(g, 2, &said), 4);
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_PREFIX_HOUR);
	s.phone--;
	s.prefix = 7701999;
	assert_int_equal(limits_ask_send(g, 1, &s).v.limit, LIMIT_WAIT);
	store_await_sql(g->store, "select count(*) from guard_hold", 1);
	store_sql(g->store, "delete from guard_hold; delete from code_wrong");
	limits_on_redis(g->limits[0], true);
	limits_forward(g, LIMITS_HOUR_MS - LIMITS_MINUTE_MS);
	assert_int_equal(guess_all(g, 2, &said), 0);
	assert_int_equal(said.v.limit, LIMIT_LOCKED);
}

/* The notice to Redis was lost. */
static void back__after_a_lift_that_it_does_not_know__lifted(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said s;

	assert_int_equal(guess_all(g, 2, &s), 10);
	store_await_sql(g->store, "select count(*) from guard_hold", 1);
	limits_forward(g, 1000);
	store_sql(g->store, "update guard_hold set lifted_at = to_timestamp(%lld / 1e6), lifted_by = 'aigul'",
	    (long long)store_wall_us());
	limits_forward(g, 1000);
	limits_on_redis(g->limits[0], true);
	assert_int_equal(guess_all(g, 2, &s), 10);
}

/* What Redis is told after this stands behind it. */
static void approve(struct limits_rig *g, int64_t phone)
{
	limits_approved(g->limits[0], phone, limits_to(phone).prefix);
	loop_turn(g->store->loop, 0);
}

static void approval__that_redis_does_not_take__known_all_the_same(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_send s = limits_to(PHONE);

	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	limits_put_approved(g, limits_put_sent(g, PHONE, 0, 1));
	long long epoch = limits_epoch(g);
	limits_redis_follow(g, "127.0.0.1", "1");
	approve(g, PHONE);
	limits_redis_follow(g, "NO", "ONE");
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	assert_true(limits_epoch(g) != epoch);
}

static void approval__scripts_flushed_meanwhile__known_all_the_same(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_send s = limits_to(PHONE);

	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	limits_put_approved(g, limits_put_sent(g, PHONE, 0, 1));
	approve(g, PHONE + 1); /* from now on its hash is known */
	long long epoch = limits_epoch(g);
	limits_redis_flush_scripts(g);
	approve(g, PHONE);
	assert_int_equal(limits_epoch(g), epoch); /* answered behind it */
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	assert_true(limits_epoch(g) != epoch);
}

/* Of the scripts this process knows some and not others: a new epoch begins all the same before the question
 * behind it. */
static void epoch__scripts_flushed_meanwhile__what_is_asked_behind_it_is_asked_in_it(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_try t = limits_guess(1, PHONE);
	struct limits_send other = limits_to(PHONE + 1), s = limits_to(PHONE);

	limits_on_redis(g->limits[0], true);
	assert_int_equal(limits_ask_try(g, 0, &t).r, KZ_OK);
	assert_int_equal(limits_ask_send(g, 1, &other).r, KZ_OK);
	limits_put_sent(g, PHONE, 0, 1); /* by somebody who had no Redis */
	limits_redis_flush_scripts(g);
	limits_on_redis(g->limits[0], true);
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_WAIT);
}

static void nothing_known__redis_and_database_away__lost(void **state)
{
	struct limits_rig *g = *state;
	struct pg_options o = g->store->options;
	const struct limits_try t = limits_guess(1, PHONE);
	struct limits_said said = {0};

	o.conninfo = "host=/nonexistent";
	struct pg *pg = pg_new(g->store->loop, &o, NULL, NULL);
	struct limits *l = limits_new(g->store->loop, pg, NULL, &g->conf);
	assert_int_equal(limits_try(l, &t, limits_on_said, &said), KZ_OK);
	servers_await(g->store->loop, &said.count, 1);
	assert_int_equal(said.r, KZ_LOST);
	limits_free(l);
	pg_free(pg);
}

static void stop__with_open_questions__each_is_told_and_new_ones_are_not_taken(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_try t = limits_guess(1, PHONE);
	const struct limits_send s = limits_to(PHONE);
	struct limits_said said[4] = {{0}};

	for (int i = 0; i < 4; i++)
		assert_int_equal(i % 2 ? limits_try(g->limits[0], &t, limits_on_said, &said[i])
		                       : limits_send(g->limits[0], &s, limits_on_said, &said[i]),
		    KZ_OK);
	limits_stop(g->limits[0]);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(said[i].count, 1);
		assert_int_equal(said[i].r, KZ_LOST);
	}
	assert_int_equal(limits_try(g->limits[0], &t, limits_on_said, &said[0]), KZ_BUSY);
	store_drain(g->store);
	assert_int_equal(said[0].count, 1);
}

static void open__as_many_as_may_be__the_next_is_busy(void **state)
{
	struct limits_rig *g = *state;
	const struct limits_try t = {.tries = 5};
	struct limits_said *said = mem_new(sizeof *said);

	for (int i = 0; i < LIMITS_OPEN; i++)
		assert_int_equal(limits_try(g->limits[0], &t, limits_on_said, said), KZ_OK);
	assert_int_equal(limits_try(g->limits[0], &t, limits_on_said, said), KZ_BUSY);
	servers_await(g->store->loop, &said->count, LIMITS_OPEN);
	assert_int_equal(limits_try(g->limits[0], &t, limits_on_said, said), KZ_OK);
	servers_await(g->store->loop, &said->count, LIMITS_OPEN + 1);
	free(said);
}

#define ALONE_CASE(name) cmocka_unit_test_setup_teardown(name, alone_setup, alone_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE_CASE(away__guesses_and_sends__three_and_two_over_both_daemons),
	    ALONE_CASE(away__many_guesses_at_once__three_pass),
	    ALONE_CASE(away__prefix_and_address__a_quarter),
	    ALONE_CASE(away__sends_and_resends_of_the_day__as_many_as_configured),
	    ALONE_CASE(away__locked_by_tries_of_others__told_to_come_in_an_hour),
	    ALONE_CASE(away__what_was_held_and_locked__stays_so),
	    ALONE_CASE(away__same_token_again__passes_and_is_counted_once),
	    ALONE_CASE(back__after_an_outage__nothing_is_renewed),
	    LIMITS_CASE(back__with_all_that_it_knew__what_passed_meanwhile_counts_too),
	    ALONE_CASE(back__a_send_without_redis_asked_again__passes),
	    LIMITS_CASE(back__with_data_of_long_ago__not_trusted),
	    LIMITS_CASE(back__with_more_than_the_database_has__that_counts),
	    LIMITS_CASE(back__after_a_lift_that_it_does_not_know__lifted),
	    LIMITS_CASE(approval__that_redis_does_not_take__known_all_the_same),
	    LIMITS_CASE(approval__scripts_flushed_meanwhile__known_all_the_same),
	    LIMITS_CASE(epoch__scripts_flushed_meanwhile__what_is_asked_behind_it_is_asked_in_it),
	    LIMITS_CASE(nothing_known__redis_and_database_away__lost),
	    LIMITS_CASE(stop__with_open_questions__each_is_told_and_new_ones_are_not_taken),
	    LIMITS_CASE(open__as_many_as_may_be__the_next_is_busy),
	};

	return store_main("limits alone", tests, sizeof tests / sizeof *tests);
}

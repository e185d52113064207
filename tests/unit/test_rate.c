/* rate and backoff: pure, with numbers for time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smpp/backoff.h"
#include "smpp/rate.h"

/* How many segments go between from and to when one is always waiting. */
static int rate_run(struct rate *r, int64_t from, int64_t to)
{
	int n = 0;

	for (int64_t now = from; now < to;) {
		int64_t wait = rate_wait_ms(r, now);

		if (wait == 0) {
			rate_take(r, 1, now);
			n++;
		} else
			now += wait;
	}
	return n;
}

static void rate_wait__ten_a_second__one_each_100_ms(void **state)
{
	struct rate r;

	(void)state;
	rate_init(&r, 10, 1000);
	assert_int_equal(rate_wait_ms(&r, 1000), 0);
	rate_take(&r, 1, 1000);
	assert_int_equal(rate_wait_ms(&r, 1000), 100);
	assert_int_equal(rate_wait_ms(&r, 1099), 1);
	assert_int_equal(rate_wait_ms(&r, 1100), 0);
}

static void rate_run__a_minute__the_limit_is_kept(void **state)
{
	struct rate r;

	(void)state;
	rate_init(&r, 10, 0);
	assert_in_range(rate_run(&r, 0, 60000), 595, 601);
	rate_init(&r, 3000, 0);
	assert_in_range(rate_run(&r, 0, 10000), 29900, 30400);
}

static void rate_wait__long_silence__no_burst(void **state)
{
	struct rate r;

	(void)state;
	rate_init(&r, 100, 0);
	rate_run(&r, 0, 1000);
	/* A tenth of a second's worth is saved, not ten minutes' worth. */
	assert_in_range(rate_run(&r, 600000, 600001), 10, 10);
}

static void rate_take__several_at_once__debt_is_waited_for(void **state)
{
	struct rate r;

	(void)state;
	rate_init(&r, 10, 0);
	rate_take(&r, 5, 0);
	assert_int_equal(rate_wait_ms(&r, 0), 500);
}

static void rate_slow__one_window_of_refusals__one_cut(void **state)
{
	struct rate r;

	(void)state;
	rate_init(&r, 90, 0);
	for (int i = 0; i < 10; i++)
		rate_slow(&r, 100, 150 + i);
	assert_in_range((int)r.now, 59, 60);
	rate_slow(&r, 200, 250);
	assert_in_range((int)r.now, 39, 40);
}

static void rate_slow__for_ever__a_floor_remains(void **state)
{
	struct rate r;

	(void)state;
	rate_init(&r, 1000, 0);
	for (int i = 1; i < 100; i++)
		rate_slow(&r, i * 10, i * 10);
	assert_int_equal((int)r.now, 10);
	rate_init(&r, 5, 0);
	for (int i = 1; i < 100; i++)
		rate_slow(&r, i * 10, i * 10);
	assert_int_equal((int)(r.now * 10), 5);
}

static void rate_clean__after_a_cut__back_in_seconds(void **state)
{
	struct rate r;
	int64_t now = 1000;

	(void)state;
	rate_init(&r, 100, 0);
	for (int i = 0; i < 5; i++, now += 10)
		rate_slow(&r, now, now);
	assert_true(r.now < 14);
	rate_clean(&r, now - 10); /* sent before the cut: says nothing */
	assert_true(r.now < 14);
	for (int64_t end = now + 40000; now < end;) {
		int64_t wait = rate_wait_ms(&r, now);

		now += wait;
		rate_take(&r, 1, now);
		rate_clean(&r, now);
	}
	assert_true(r.now > 99.9 && r.now <= 100);
}

/* An operator that bears 10/s of 100/s configured: in the long run few of the requests are refused. */
static void rate_slow__limit_ten_times_too_high__settles_near_what_is_borne(void **state)
{
	struct rate r;
	int sent = 0, refused = 0, second = 0;

	(void)state;
	rate_init(&r, 100, 0);
	for (int64_t now = 1; now < 120000;) {
		int64_t wait = rate_wait_ms(&r, now), before = now / 1000;

		now += wait;
		if (now / 1000 != before)
			second = 0;
		rate_take(&r, 1, now);
		if (now < 20000)
			sent = refused = 0;
		sent++;
		if (++second > 10) {
			refused++;
			rate_slow(&r, now, now);
		} else
			rate_clean(&r, now);
	}
	assert_in_range(sent - refused, 800, 1000);
	assert_in_range(refused, 1, sent / 10);
}

static void backoff_next__failures__doubled_with_jitter_up_to_max(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct backoff b = {.min_ms = 1000, .max_ms = 5000};

		assert_in_range(backoff_next_ms(&b, 0), 750, 1250);
		assert_in_range(backoff_next_ms(&b, 0), 1500, 2500);
		assert_in_range(backoff_next_ms(&b, 0), 3000, 5000);
		assert_in_range(backoff_next_ms(&b, 0), 3750, 6250);
		assert_in_range(backoff_next_ms(&b, 0), 3750, 6250);
	}
}

static void backoff_next__floor__never_below(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct backoff b = {.min_ms = 1000, .max_ms = 5000};

		assert_in_range(backoff_next_ms(&b, 120000), 120000, 180000);
	}
}

static void backoff_lived__long_session__from_min_again(void **state)
{
	struct backoff b = {.min_ms = 1000, .max_ms = 60000};

	(void)state;
	backoff_next_ms(&b, 0);
	backoff_next_ms(&b, 0);
	backoff_lived(&b, 1500);
	assert_int_equal(b.last_ms, 2000);
	backoff_lived(&b, 2001);
	assert_in_range(backoff_next_ms(&b, 0), 750, 1250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rate_wait__ten_a_second__one_each_100_ms),
	    cmocka_unit_test(rate_run__a_minute__the_limit_is_kept),
	    cmocka_unit_test(rate_wait__long_silence__no_burst),
	    cmocka_unit_test(rate_take__several_at_once__debt_is_waited_for),
	    cmocka_unit_test(rate_slow__one_window_of_refusals__one_cut),
	    cmocka_unit_test(rate_slow__for_ever__a_floor_remains),
	    cmocka_unit_test(rate_clean__after_a_cut__back_in_seconds),
	    cmocka_unit_test(rate_slow__limit_ten_times_too_high__settles_near_what_is_borne),
	    cmocka_unit_test(backoff_next__failures__doubled_with_jitter_up_to_max),
	    cmocka_unit_test(backoff_next__floor__never_below),
	    cmocka_unit_test(backoff_lived__long_session__from_min_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

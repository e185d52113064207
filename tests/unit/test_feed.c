#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ids.h"
#include "base/metrics.h"
#include "store/feed.h"

static int64_t now_us = INT64_C(1795371786123000);

static int64_t fake_now(void)
{
	return now_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

struct rig {
	struct loop *loop;
	struct lease *lease;
	struct feed *feed;
	int changes;
};

static void on_change(void *arg)
{
	struct rig *g = arg;

	g->changes++;
}

static int rig_setup(void **state)
{
	static struct rig g;

	g = (struct rig){.loop = loop_new(&fake_clock)};
	g.lease = lease_new(g.loop);
	g.feed = feed_new(g.loop, NULL, g.lease);
	feed_on_change(g.feed, on_change, &g);
	*state = &g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	feed_free(g->feed);
	lease_free(g->lease);
	loop_free(g->loop);
	return 0;
}

/* How often it was told of a change since the last look. */
static int changes(struct rig *g)
{
	int n;

	loop_turn(g->loop, 0);
	n = g->changes;
	g->changes = 0;
	return n;
}

static void number__of_the_slot__rises_and_stays(void **state)
{
	struct rig *g = *state;
	struct feed_hold a = {0}, b = {0};

	assert_int_equal(feed_slot(g->feed), -1);
	feed_set_slot(g->feed, 7, 0);
	uint64_t first = feed_number(g->feed, &a, 1), run = feed_number(g->feed, &b, 500);
	assert_int_equal(ids_slot(first), 7);
	assert_true(run > first);
	assert_true(feed_number(g->feed, &a, 1) == first);
	assert_true(feed_low(g->feed) == first);
	feed_release(g->feed, &a);
	feed_release(g->feed, &b);
	assert_true(feed_low(g->feed) >= run + 500);
	feed_release(g->feed, &a); /* without numbers */
}

static void release__out_of_order__low_rises_with_the_lowest_alone(void **state)
{
	struct rig *g = *state;
	struct feed_hold h[3] = {0};
	uint64_t n[3];

	feed_set_slot(g->feed, 0, 0);
	for (int i = 0; i < 3; i++)
		n[i] = feed_number(g->feed, &h[i], 1);
	changes(g);
	feed_release(g->feed, &h[1]);
	assert_int_equal(changes(g), 0);
	assert_true(feed_low(g->feed) == n[0]);
	feed_release(g->feed, &h[0]);
	assert_int_equal(changes(g), 1);
	assert_true(feed_low(g->feed) == n[2]);
	feed_release(g->feed, &h[2]);
	assert_true(feed_low(g->feed) > n[2]);
}

static void abandon__until_the_slot_is_lost__keeps_its_place(void **state)
{
	struct rig *g = *state;
	struct feed_hold a = {0}, b = {0}, c = {0};
	uint64_t second;

	feed_set_slot(g->feed, 0, 0);
	feed_number(g->feed, &a, 1);
	second = feed_number(g->feed, &b, 5);
	feed_number(g->feed, &c, 1);
	assert_true(feed_is_sure(g->feed));
	feed_abandon(g->feed, &b);
	feed_release(g->feed, &a);
	feed_release(g->feed, &c);
	assert_true(feed_low(g->feed) == second);
	assert_false(feed_is_sure(g->feed));
	assert_float_equal(metrics_total("kezek_webhooks_feed_doubts"), 1, 0);
	feed_set_slot(g->feed, -1, 0);
	assert_float_equal(metrics_total("kezek_webhooks_feed_doubts"), 0, 0);
	assert_true(feed_low(g->feed) > second);
	assert_false(feed_is_sure(g->feed));
	feed_set_slot(g->feed, 0, 0);
	assert_true(feed_is_sure(g->feed));
	assert_int_equal(changes(g), 1);
}

static void slot__lost_and_another_taken__numbered_anew_by_that(void **state)
{
	struct rig *g = *state;
	struct feed_hold h = {0}, other = {0};
	uint64_t old;

	feed_set_slot(g->feed, 3, 0);
	old = feed_number(g->feed, &h, 1);
	feed_set_slot(g->feed, -1, 0);
	assert_true(feed_number(g->feed, &h, 1) == old); /* what is on its way goes as it is */
	feed_set_slot(g->feed, 5, 0);
	feed_number(g->feed, &other, 1);
	assert_true(feed_low(g->feed) == old);
	uint64_t again = feed_number(g->feed, &h, 1);
	assert_int_equal(ids_slot(again), 5);
	assert_true(again > old);
	assert_true(feed_low(g->feed) == other.first);
	feed_set_slot(g->feed, 5, 0); /* another slot was taken over, this one stays */
	assert_true(feed_number(g->feed, &h, 1) == again);
	feed_release(g->feed, &h);
	feed_release(g->feed, &other);
}

static void slot__whose_owner_had_a_clock_ahead__no_number_up_to_the_newest(void **state)
{
	struct rig *g = *state;
	struct feed_hold h = {0};
	struct ids ahead = {.slot = 9};
	uint64_t newest = ids_next(&ahead, now_us / 1000 + 3600000);

	feed_set_slot(g->feed, 2, newest);
	assert_true(feed_low(g->feed) > newest);
	assert_true(feed_number(g->feed, &h, 1) > newest);
	feed_release(g->feed, &h);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(number__of_the_slot__rises_and_stays),
	    CASE(release__out_of_order__low_rises_with_the_lowest_alone),
	    CASE(abandon__until_the_slot_is_lost__keeps_its_place),
	    CASE(slot__lost_and_another_taken__numbered_anew_by_that),
	    CASE(slot__whose_owner_had_a_clock_ahead__no_number_up_to_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

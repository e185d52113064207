/* Numbers whose owner has gone, as a real PostgreSQL says what became of them. */
#include "store_rig.h"

#include "base/metrics.h"

/* Of a run that nobody will write: its first number. */
static uint64_t run_abandoned(struct store_rig *g)
{
	struct feed_hold h = {0};
	uint64_t first = feed_number(g->feed, &h, 500);

	feed_abandon(g->feed, &h);
	return first;
}

static void settle(struct store_rig *g)
{
	int64_t give_up = clock_real.mono_us() + 10000000;

	while (metrics_total("kezek_webhooks_feed_doubts") > 0) {
		assert_true(clock_real.mono_us() < give_up);
		loop_turn(g->loop, 20);
	}
}

static void shut__by_the_owner__written_and_over(void **state)
{
	struct store_rig *g = *state;

	store_hold_feed_slot(g);
	uint64_t first = run_abandoned(g);
	settle(g);
	assert_true(feed_is_sure(g->feed));
	assert_true((uint64_t)store_int(g, "select shut from slot") == first);
}

/* It has not heard of it. The next owner's clock may be behind. */
static void shut__by_a_former_owner__over_and_not_written(void **state)
{
	struct store_rig *g = *state;

	store_hold_feed_slot(g);
	run_abandoned(g);
	store_sql(g, "select slot_raise('{0}')");
	settle(g);
	assert_true(feed_is_sure(g->feed));
	assert_int_equal(store_int(g, "select shut from slot"), 0);
}

static void free__while_the_server_is_asked__nothing_hears_the_answer(void **state)
{
	struct store_rig *g = *state;

	store_hold_feed_slot(g);
	run_abandoned(g);
	while (!pg_jobs(g->pg))
		loop_turn(g->loop, 20);
	feed_free(g->feed);
	g->feed = NULL;
	store_drain(g);
	assert_int_equal(store_int(g, "select count(*) from slot where shut > 0"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(shut__by_the_owner__written_and_over),
	    STORE_CASE(shut__by_a_former_owner__over_and_not_written),
	    STORE_CASE(free__while_the_server_is_asked__nothing_hears_the_answer),
	};

	return store_main("feed_shut", tests, sizeof tests / sizeof *tests);
}

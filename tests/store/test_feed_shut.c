/* Numbers whose owner has gone, as a real PostgreSQL says what became of them. */
#include "store_rig.h"

#include "store/pg_array.h"

/* Of a run that nobody will write: its first number. */
static uint64_t run_abandoned(struct store_rig *g)
{
	struct feed_hold h = {0};
	uint64_t first = feed_number(g->feed, &h, 500);

	feed_abandon(g->feed, &h);
	return first;
}

/* Runs after feed_open with the hold's number; what it came to. */
struct attempt {
	struct store_rig *g;
	struct feed_hold *hold;
	int count;
	enum kz r;
};

static void attempt_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct attempt *t = arg;

	feed_heard(t->g->feed, t->hold, r, reply);
	t->r = r;
	t->count++;
}

static const struct pg_sql sql_open = {
    "attempt_open", "select feed_open($1)", 1, (const uint32_t[]){PG_INT8}};
static const struct pg_sql sql_write = {"attempt_write", "update slot set unheard = 1", 0, NULL};
static const struct pg_sql sql_refused = {"attempt_refused", "select 1 / 0", 0, NULL};

static enum kz attempt_run(struct store_rig *g, struct feed_hold *h, const struct pg_sql *sql)
{
	struct attempt t = {.g = g, .hold = h};
	struct pg_job *job = pg_job_new(g->pg, attempt_on_done, &t);
	uint8_t room[8];
	const struct pg_value first = pg_int8((int64_t)feed_number(g->feed, h, 1), room);

	pg_job_add(job, &sql_open, &first);
	pg_job_add(job, sql, NULL);
	assert_int_equal(pg_job_run(job, NULL), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t.r;
}

static void release__refused_after_a_try_that_hangs__held_until_that_is_over(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold h = {0};

	store_hasten(g);
	store_hold_feed_slot(g);
	uint64_t first = feed_number(g->feed, &h, 1);
	servers_set_standby("nobody");
	assert_int_equal(attempt_run(g, &h, &sql_write), KZ_LOST);
	assert_true(feed_number(g->feed, &h, 1) == first);
	assert_int_equal(attempt_run(g, &h, &sql_refused), KZ_REFUSED);
	assert_true(h.first == 0);
	for (int asked = 0; asked < 2; asked++) {
		store_skip_us += 1000000;
		while (!pg_jobs(g->pg))
			loop_turn(g->loop, 20);
		while (pg_jobs(g->pg))
			loop_turn(g->loop, 20);
		assert_true(feed_low(g->feed) == first);
	}
	servers_set_standby("");
	store_await_sure(g);
	assert_int_equal(store_int(g, "select unheard from slot"), 1);
	assert_true(feed_low(g->feed) > first);
}

static void release__committed_or_never_lost__free_at_once(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold h = {0};

	store_hold_feed_slot(g);
	uint64_t first = feed_number(g->feed, &h, 1);
	assert_int_equal(attempt_run(g, &h, &sql_refused), KZ_REFUSED);
	assert_true(feed_low(g->feed) > first);
	uint64_t next = feed_number(g->feed, &h, 1);
	assert_int_equal(attempt_run(g, &h, &sql_write), KZ_OK);
	assert_true(h.first == 0 && feed_low(g->feed) > next);
	assert_true(feed_is_sure(g->feed));
}

static void shut__by_the_owner__written_and_over(void **state)
{
	struct store_rig *g = *state;

	store_hold_feed_slot(g);
	uint64_t first = run_abandoned(g);
	store_await_sure(g);
	assert_true((uint64_t)store_int(g, "select shut from slot") == first);
}

/* It has not heard of it. The next owner's clock may be behind. */
static void shut__by_a_former_owner__over_and_not_written(void **state)
{
	struct store_rig *g = *state;

	store_hold_feed_slot(g);
	run_abandoned(g);
	store_sql(g, "select slot_raise('{0}')");
	store_await_sure(g);
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
	    STORE_CASE(release__refused_after_a_try_that_hangs__held_until_that_is_over),
	    STORE_CASE(release__committed_or_never_lost__free_at_once),
	    STORE_CASE(shut__by_the_owner__written_and_over),
	    STORE_CASE(shut__by_a_former_owner__over_and_not_written),
	    STORE_CASE(free__while_the_server_is_asked__nothing_hears_the_answer),
	};

	return store_main("feed_shut", tests, sizeof tests / sizeof *tests);
}

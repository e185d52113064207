/* A run of feed numbers whose commit hangs when the server dies and its standby becomes the primary. */
#include "store_rig.h"

#include <signal.h>

#include "store/receipts.h"

#define WALSENDER "select pid from pg_stat_replication"
#define HANGS     "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
#define STREAMED  "select count(*) from pg_stat_replication where flush_lsn >= pg_current_wal_lsn()"
#define ENDS      "select count(*) from message_event where feed is not null"

struct joined {
	int count;
	enum kz r;
	size_t n;
};

static void join_on_done(void *arg, enum kz r, size_t looked, size_t n)
{
	struct joined *j = arg;

	(void)looked;
	j->count++;
	j->r = r;
	j->n = n;
}

/* What is known to the standby before anything hangs: a submission, and its receipt that waits. */
static void failover_put(struct store_rig *g)
{
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	store_put_event(g, id, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 1, "beeline", "7");
	store_sql(g, "insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode)"
	             " values (now(), 'beeline', '{7}', true, 6, 0)");
	store_hold_feed_slot(g);
}

/* Every commit waits for nobody, and a standby that streams has it all the same. */
static int failover_setup(void **state)
{
	static const char folder[] = "/tmp/kezek-test.XXXXXX";

	memcpy(servers_dir, folder, sizeof folder);
	servers_hang = false;
	if (store_group_setup(state))
		return -1;
	servers_do("standby");
	struct store_rig *g = store_rig_make();
	snprintf(g->conninfo, sizeof g->conninfo,
	    "host=%s/s,%s/s port=5432,5433 user=kezek dbname=kezek target_session_attrs=read-write",
	    servers_dir, servers_dir);
	g->options.job_ms = 2000;
	store_up(g);
	failover_put(g);
	*state = g;
	return 0;
}

static int failover_teardown(void **state)
{
	store_rig_free(*state);
	return servers_teardown(state);
}

/* The run's commit hangs until it is given up; answers its first number. */
static uint64_t failover_begin(struct store_rig *g)
{
	struct joined j = {0};
	uint64_t first;

	servers_set_standby("nobody");
	assert_int_equal(receipts_join(g->pg, g->feed, 0, join_on_done, &j), KZ_OK);
	first = feed_low(g->feed);
	while (servers_ask(HANGS) != 1)
		loop_turn(g->loop, 20);
	servers_await(g->loop, &j.count, 1);
	assert_int_equal(j.r, KZ_LOST);
	assert_true(feed_low(g->feed) == first);
	return first;
}

/* The number is not passed before the new primary says what became of it. */
static void failover_promote(struct store_rig *g, uint64_t first)
{
	store_kill_pg(g);
	servers_await(g->loop, &g->downs, 1);
	store_skip_us += 60000000;
	store_settle(g);
	assert_true(feed_low(g->feed) == first);
	assert_false(feed_is_sure(g->feed));
	servers_do("promote");
	for (int64_t end = clock_real.mono_us() + 30000000; !feed_is_sure(g->feed);) {
		assert_true(clock_real.mono_us() < end);
		loop_turn(g->loop, 20);
	}
	assert_true(feed_low(g->feed) > first);
}

static void failover_is_shut(struct store_rig *g, uint64_t first)
{
	PGresult *r;
	char sql[64];

	snprintf(sql, sizeof sql, "select feed_open(%llu)", (unsigned long long)first);
	store_sql(g, "select 1");
	r = PQexec(g->sql, sql);
	assert_int_equal(PQresultStatus(r), PGRES_FATAL_ERROR);
	assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "KZ002");
	PQclear(r);
}

static size_t failover_join(struct store_rig *g)
{
	struct joined j = {0};

	assert_int_equal(receipts_join(g->pg, g->feed, 0, join_on_done, &j), KZ_OK);
	servers_await(g->loop, &j.count, 1);
	assert_int_equal(j.r, KZ_OK);
	return j.n;
}

static void run__the_standby_has_it__its_end_stands_below_the_bound_and_once(void **state)
{
	struct store_rig *g = *state;
	uint64_t first = failover_begin(g);

	while (servers_ask(STREAMED) != 1)
		;
	assert_int_equal(store_int(g, ENDS), 0);
	failover_promote(g, first);
	assert_true((uint64_t)store_int(g, "select feed from message_event where feed is not null") == first);
	assert_int_equal(failover_join(g), 0);
	assert_int_equal(store_int(g, ENDS), 1);
	failover_is_shut(g, first);
}

static void run__the_standby_never_had_it__joined_again_above_the_bound(void **state)
{
	struct store_rig *g = *state;
	uint64_t first, low;

	kill((pid_t)servers_ask(WALSENDER), SIGSTOP);
	first = failover_begin(g);
	failover_promote(g, first);
	assert_int_equal(store_int(g, ENDS), 0);
	failover_is_shut(g, first);
	low = feed_low(g->feed);
	assert_int_equal(failover_join(g), 1);
	assert_true((uint64_t)store_int(g, "select feed from message_event where feed is not null") >= low);
}

/* As when the session that holds the slots ends too: who takes the slot on the new primary reads on from
 * there. */
static void run__slot_lost_with_the_server__the_next_owner_numbers_above_what_the_standby_had(void **state)
{
	struct store_rig *g = *state;
	uint64_t first = failover_begin(g), newest;

	while (servers_ask(STREAMED) != 1)
		;
	store_kill_pg(g);
	servers_await(g->loop, &g->downs, 1);
	feed_set_slot(g->feed, -1, 0);
	lease_lose(g->lease);
	servers_do("promote");
	newest = (uint64_t)store_int(g, "select newest from slot_raise('{0}')");
	assert_true(newest >= first);
	assert_true(store_int(g, "select epoch from slot") >= INT64_C(1) << 32);
	lease_take(g->lease, 0, store_int(g, "select epoch from slot"));
	feed_set_slot(g->feed, 0, newest);
	assert_true(feed_low(g->feed) > newest);
	assert_int_equal(failover_join(g), 0);
	assert_int_equal(store_int(g, ENDS), 1);
}

#define FAILOVER_CASE(name) cmocka_unit_test_setup_teardown(name, failover_setup, failover_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    FAILOVER_CASE(run__the_standby_has_it__its_end_stands_below_the_bound_and_once),
	    FAILOVER_CASE(run__the_standby_never_had_it__joined_again_above_the_bound),
	    FAILOVER_CASE(run__slot_lost_with_the_server__the_next_owner_numbers_above_what_the_standby_had),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

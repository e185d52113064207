/* the schema in a real PostgreSQL: from nothing, again, by several at once, refused. */
#include "store_rig.h"

/* Every test begins with an empty database. */
static int empty_setup(void **state)
{
	struct store_rig *g = store_rig_make();

	store_sql(g, "set client_min_messages = warning; drop schema public cascade; create schema public");
	store_up(g);
	*state = g;
	return 0;
}

static struct store_told check(struct store_rig *g)
{
	struct store_told t = {0};

	assert_int_equal(migrate_check(g->pg, store_on_migrated, &t), KZ_OK);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.count, 1);
	return t;
}

static void check__empty_database__version_0(void **state)
{
	struct store_told t = check(*state);

	assert_int_equal(t.r, KZ_OK);
	assert_int_equal(t.version, 0);
}

static void check__newer_database__its_version(void **state)
{
	struct store_rig *g = *state;
	struct store_told t;

	store_migrate(g);
	store_sql(g, "insert into kezek_schema (version) values (99)");
	t = check(g);
	assert_int_equal(t.r, KZ_OK);
	assert_int_equal(t.version, 99);
	assert_true(t.version > migrate_wanted());
}

static void check__no_right_to_look__refused_with_the_reason(void **state)
{
	struct store_rig *g = *state;
	struct store_told t;

	store_migrate(g);
	store_sql(g, "revoke select on kezek_schema from kezek");
	t = check(g);
	assert_int_equal(t.r, KZ_REFUSED);
	assert_non_null(strstr(t.why, "42501"));
}

static void run__from_nothing__the_wanted_version(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};

	assert_int_equal(migrate_run(g->pg, store_on_migrated, &t), KZ_OK);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	assert_int_equal(t.version, migrate_wanted());
	assert_string_equal(t.why, "");
	assert_int_equal(check(g).version, migrate_wanted());
	assert_int_equal(store_int(g, "select count(*) from kezek_schema"), migrate_wanted());
	assert_int_equal(store_int(g, "select count(*) from pg_partitioned_table"), 9);
	store_make_partitions(g);
}

static void run__twice__nothing_changes(void **state)
{
	struct store_rig *g = *state;
	long long before;

	store_migrate(g);
	before =
	    store_int(g, "select hashtext(string_agg(concat(version, applied_at), ' ')) from kezek_schema");
	store_migrate(g);
	assert_int_equal(
	    store_int(g, "select hashtext(string_agg(concat(version, applied_at), ' ')) from kezek_schema"),
	    before);
}

static void run__four_at_once__all_reach_the_version(void **state)
{
	struct store_rig *g = *state;
	struct store_told t[4] = {0};
	struct pg *pools[4];

	g->options.connections = 1;
	for (int i = 0; i < 4; i++) {
		pools[i] = pg_new(g->loop, &g->options, store_on_up, g);
		while (!pg_is_up(pools[i]))
			loop_turn(g->loop, 50);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(migrate_run(pools[i], store_on_migrated, &t[i]), KZ_OK);
	for (int i = 0; i < 4; i++) {
		servers_await(g->loop, &t[i].count, 1);
		assert_string_equal(t[i].why, "");
		assert_int_equal(t[i].r, KZ_OK);
		assert_int_equal(t[i].version, migrate_wanted());
	}
	assert_int_equal(store_int(g, "select count(*) from kezek_schema"), migrate_wanted());
	for (int i = 0; i < 4; i++)
		pg_free(pools[i]);
}

static void run__another_holds_the_lock__waits_for_it(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};

	store_sql(g, "begin; select pg_advisory_xact_lock(x'6b7a6b'::int, 0)");
	assert_int_equal(migrate_run(g->pg, store_on_migrated, &t), KZ_OK);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	assert_int_equal(t.count, 0);
	store_sql(g, "commit");
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
}

static void run__in_somebody_elses_database__refused_and_nothing_of_it_stays(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};

	store_sql(g, "create table message_event (theirs int)");
	assert_int_equal(migrate_run(g->pg, store_on_migrated, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_REFUSED);
	assert_int_equal(t.version, 0);
	assert_non_null(strstr(t.why, "message_event"));
	assert_non_null(strstr(t.why, "42P07"));
	assert_int_equal(
	    store_int(g, "select count(*) from pg_class where relnamespace = 'public'::regnamespace"), 1);
	assert_int_equal(check(g).version, 0);
}

static void run__database_lost_meanwhile__said(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};

	store_sql(g, "begin; select pg_advisory_xact_lock(x'6b7a6b'::int, 0)");
	assert_int_equal(migrate_run(g->pg, store_on_migrated, &t), KZ_OK);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "select pg_terminate_backend(pid) from pg_locks where not granted");
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_LOST);
	assert_string_equal(t.why, "the database was lost meanwhile");
}

#define EMPTY_CASE(name) cmocka_unit_test_setup_teardown(name, empty_setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EMPTY_CASE(check__empty_database__version_0),
	    EMPTY_CASE(check__newer_database__its_version),
	    EMPTY_CASE(check__no_right_to_look__refused_with_the_reason),
	    EMPTY_CASE(run__from_nothing__the_wanted_version),
	    EMPTY_CASE(run__twice__nothing_changes),
	    EMPTY_CASE(run__four_at_once__all_reach_the_version),
	    EMPTY_CASE(run__another_holds_the_lock__waits_for_it),
	    EMPTY_CASE(run__in_somebody_elses_database__refused_and_nothing_of_it_stays),
	    EMPTY_CASE(run__database_lost_meanwhile__said),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}

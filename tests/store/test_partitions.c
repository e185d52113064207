/* partitions in a real PostgreSQL, by a clock that is put forward. */
#include "records_rig.h"

#define DAY_MS  INT64_C(86400000)
#define HOUR_US INT64_C(3600000000)

/* Every test begins with a schema without partitions. */
static int bare_setup(void **state)
{
	struct store_rig *g = store_rig_make();

	store_sql(g, "set client_min_messages = warning; drop schema public cascade; create schema public");
	store_up(g);
	store_migrate(g);
	*state = g;
	return 0;
}

static const struct partitions_keep keep_long = {30 * DAY_MS, 30 * DAY_MS};

static struct partitions *partitions_up(
    struct store_rig *g, const struct partitions_keep *keep, struct store_told *t)
{
	struct partitions *p = partitions_new(g->loop, g->pg, keep, store_on_partitions, t);

	assert_int_equal(t->count, 0);
	servers_await(g->loop, &t->count, 1);
	assert_string_equal(t->why, "");
	assert_int_equal(t->r, KZ_OK);
	return p;
}

static void jobs_end(struct store_rig *g)
{
	loop_turn(g->loop, 0);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
}

/* The next hourly round, when so many days have gone by. */
static void days_pass(struct store_rig *g, int days)
{
	jobs_end(g);
	store_skip_us += days * STORE_DAY_US + HOUR_US;
	jobs_end(g);
}

static const char *day_name(int64_t from_now, char name[16])
{
	char text[32];

	clock_rfc3339(store_wall_us() + from_now * STORE_DAY_US, text);
	snprintf(name, 16, "%.4s%.2s%.2s", text, text + 5, text + 8);
	return name;
}

static bool has_day(struct store_rig *g, const char *parent, int64_t from_now)
{
	char name[16];

	return store_int(g,
	           "select count(*) from pg_inherits where inhparent = '%s'::regclass"
	           " and inhrelid = to_regclass('%s_%s')",
	           parent, parent, day_name(from_now, name)) == 1;
}

static const char *const parents[] = {"message", "message_person", "message_event", "idempotency"};

static long long partitions_count(struct store_rig *g)
{
	return store_int(
	    g, "select count(*) from pg_inherits i join pg_partitioned_table t on partrelid = inhparent");
}

static void make__empty_schema__yesterday_to_three_days_ahead(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &keep_long, &t);

	for (size_t i = 0; i < 4; i++) {
		for (int day = -1; day <= 3; day++)
			assert_true(has_day(g, parents[i], day));
		assert_false(has_day(g, parents[i], -2));
		assert_false(has_day(g, parents[i], 4));
	}
	partitions_free(p);
}

/* Between the first and the last id of a day, for each table that ids divide. */
static void make__ids_at_the_ends_of_a_day__lie_in_that_day(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &keep_long, &t);
	int64_t today_ms = store_wall_us() / 1000 / DAY_MS * DAY_MS;
	const uint64_t ids[] = {ids_floor(today_ms) - 1, ids_floor(today_ms),
	    ids_floor(today_ms + DAY_MS) - 1, ids_floor(today_ms + DAY_MS)};

	for (int i = 0; i < 4; i++) {
		char name[16], expected[64];

		store_sql(
		    g, "insert into message_person values (%llu, 1, null, '')", (unsigned long long)ids[i]);
		snprintf(expected, sizeof expected, "message_person_%s",
		    day_name(i == 0   ? -1
		             : i == 3 ? 1
		                      : 0,
		        name));
		assert_string_equal(
		    store_sql(g, "select tableoid::regclass from message_person where id = %llu",
		        (unsigned long long)ids[i]),
		    expected);
	}
	partitions_free(p);
}

static void make__indexes_of_the_parent__are_the_partitions(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &keep_long, &t);

	assert_int_equal(store_int(g, "select count(*) from pg_index where not indisvalid"), 0);
	assert_int_equal(store_int(g, "select count(distinct n) from (select count(*) as n from pg_inherits i"
	                              " join pg_index x on indrelid = inhrelid"
	                              " where inhparent = 'message_event'::regclass group by inhrelid) per"),
	    1);
	assert_int_equal(store_int(g, "select min(n) from (select count(*) as n from pg_inherits i"
	                              " join pg_index x on indrelid = inhrelid"
	                              " where inhparent = 'message_event'::regclass group by inhrelid) per"),
	    3);
	partitions_free(p);
}

static void make__twice__harmless(void **state)
{
	struct store_rig *g = *state;
	struct store_told first = {0}, second = {0};
	struct partitions *p = partitions_up(g, &keep_long, &first);
	long long before = partitions_count(g);
	struct partitions *q = partitions_up(g, &keep_long, &second);

	jobs_end(g);
	assert_int_equal(partitions_count(g), before);
	partitions_free(p);
	partitions_free(q);
}

static void make__another_daemon_makes_them_just_now__waits_and_is_ready(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	int64_t today_ms = store_wall_us() / 1000 / DAY_MS * DAY_MS;
	char name[16];

	/* the first that both make */
	store_sql(g, "begin; select partition_make('message', to_date('%s', 'YYYYMMDD'), '%llu', '%llu')",
	    day_name(-1, name), (unsigned long long)ids_floor(today_ms - DAY_MS),
	    (unsigned long long)ids_floor(today_ms));
	struct partitions *p = partitions_new(g->loop, g->pg, &keep_long, store_on_partitions, &t);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "commit");
	servers_await(g->loop, &t.count, 1);
	assert_string_equal(t.why, "");
	assert_int_equal(t.r, KZ_OK);
	partitions_free(p);
}

static void make__reader_in_an_open_transaction__not_blocked(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &keep_long, &t);

	store_sql(g, "begin; select count(*) from message, message_person,"
	             " message_event, idempotency");
	days_pass(g, 2);
	assert_true(has_day(g, "message", 2));
	assert_int_equal(t.count, 1); /* on_ready comes once */
	store_sql(g, "commit");
	partitions_free(p);
}

/* The function as the schema has it, to be put back by store_sql. */
static char *maker(struct store_rig *g)
{
	return strdup(store_sql(g, "select pg_get_functiondef('partition_make'::regproc)"));
}

static double refusals(void)
{
	return metric_value(
	    metric_counter("kezek_pg_jobs_total", "Transactions by their outcome.", "result=\"refused\""));
}

static void make__refused_for_what_passes__tried_again_until_ready(void **state)
{
	static const char *const passing[] = {"57014", "40P01", "40001", "55P03"};
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_new(g->loop, g->pg, &keep_long, store_on_partitions, &t);
	char *make = maker(g);

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
		double before = refusals();

		store_sql(g,
		    "create or replace function partition_make(parent text, day date, low text, high text)"
		    " returns void language plpgsql as"
		    " $$ begin raise exception using errcode = '%s'; end $$",
		    passing[i]);
		store_skip_us += 1000000;
		jobs_end(g);
		assert_true(refusals() > before);
		assert_int_equal(t.count, 0);
	}
	store_sql(g, "%s", make);
	free(make);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	assert_true(has_day(g, "message", 0));
	partitions_free(p);
}

static void make__refused_for_good__said_once_with_the_reason(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	char *make = maker(g);

	store_sql(g, "drop function partition_make");
	struct partitions *p = partitions_new(g->loop, g->pg, &keep_long, store_on_partitions, &t);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_REFUSED);
	assert_non_null(strstr(t.why, "partition_make"));
	store_sql(g, "%s", make);
	free(make);
	days_pass(g, 0);
	assert_int_equal(t.count, 1);
	partitions_free(p);
}

static void drop__past_its_keep__personal_fields_first(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &(struct partitions_keep){5 * DAY_MS, 2 * DAY_MS}, &t);

	days_pass(g, 3); /* the first day's are three days old */
	assert_true(has_day(g, "message", -3));
	assert_true(has_day(g, "message_event", -3));
	assert_false(has_day(g, "message_person", -3));
	assert_true(has_day(g, "message_person", -2));
	assert_false(has_day(g, "idempotency", -3));
	assert_true(has_day(g, "idempotency", -2));
	days_pass(g, 3);
	assert_false(has_day(g, "message", -6));
	assert_false(has_day(g, "message_event", -6));
	assert_true(has_day(g, "message", -5));
	assert_true(has_day(g, "message_event", -5));
	partitions_free(p);
}

static void drop__keep_was_changed__the_next_round_follows(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &keep_long, &t);

	days_pass(g, 3);
	assert_true(has_day(g, "message_person", -3));
	partitions_set_keep(p, &(struct partitions_keep){30 * DAY_MS, DAY_MS});
	days_pass(g, 0);
	assert_false(has_day(g, "message_person", -3));
	assert_true(has_day(g, "message", -3));
	partitions_free(p);
}

static void drop__reader_holds_them__put_off_and_writers_go_on(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &(struct partitions_keep){DAY_MS, DAY_MS}, &t);

	store_sql(g, "begin; select count(*) from message");
	days_pass(g, 3);
	assert_true(has_day(g, "message", -3));
	assert_true(has_day(g, "message", 2)); /* making is not put off */
	store_put_message(g, &(struct ids){0}, 1, 77011234567);
	store_sql(g, "commit");
	days_pass(g, 0);
	assert_false(has_day(g, "message", -3));
	assert_false(has_day(g, "message_person", -3));
	partitions_free(p);
}

static void sweep__rare_tables__kept_as_long_as_personal_fields(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	uint64_t kept = ids_floor(store_wall_us() / 1000 - 8 * DAY_MS);

	store_sql(g,
	    "insert into receipt_aside (at, carrier, what, sealed) select now() - n * interval '1 day',"
	    " 'beeline', n, '' from (values (1), (3)) v(n);"
	    "insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode)"
	    " select now() - n * interval '1 day', n, '{}', true, 6, 0 from (values (1), (3)) v(n);"
	    "insert into webhook (client, url, secret, since) values ('portal', '', '', 0);"
	    "insert into webhook_retry select id, 0, n, 0, 1, null, now(), '500' from webhook, (values "
	    "(%llu), "
	    "(%llu)) v(n)",
	    (unsigned long long)kept, (unsigned long long)ids_floor(store_wall_us() / 1000 - 10 * DAY_MS));
	struct partitions *p = partitions_up(g, &(struct partitions_keep){9 * DAY_MS, 2 * DAY_MS}, &t);
	jobs_end(g);
	assert_string_equal(store_sql(g, "select string_agg(what, ',') from receipt_aside"), "1");
	assert_string_equal(store_sql(g, "select string_agg(carrier, ',') from receipt_waiting"), "1");
	assert_true(
	    (uint64_t)store_int(g, "select sum(id) from webhook_retry") == kept); /* with its message */
	partitions_free(p);
}

static void sweep__notices__the_phone_in_one_goes_as_personal_fields_do(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};

	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 7});
	store_sql(g, "insert into notice (id, application, kind, subject, at, sealed, api_key, state)"
	             " select n, 7, 11, n, now() - n * interval '1 day', 'x', 1, 2"
	             " from (values (1), (3), (10)) v(n)");
	struct partitions *p = partitions_up(g, &(struct partitions_keep){9 * DAY_MS, 2 * DAY_MS}, &t);
	jobs_end(g);
	assert_string_equal(
	    store_sql(
	        g, "select string_agg(id || ':' || encode(sealed, 'escape'), ' ' order by id) from notice"),
	    "1:x 3:");
	partitions_free(p);
}

static void sweep__dropping_is_put_off__done_all_the_same(void **state)
{
	struct store_rig *g = *state;
	struct store_told t = {0};
	struct partitions *p = partitions_up(g, &(struct partitions_keep){DAY_MS, DAY_MS}, &t);

	store_sql(g,
	    "insert into receipt_aside (at, carrier, what, sealed) values (now(), 'beeline', 'x', '');"
	    "insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode)"
	    " values (now(), 'beeline', '{}', true, 6, 0)");
	store_sql(g, "begin; select count(*) from message");
	days_pass(g, 3);
	assert_true(has_day(g, "message", -3));
	assert_int_equal(store_int(g, "select count(*) from receipt_aside"), 0);
	assert_int_equal(store_int(g, "select count(*) from receipt_waiting"), 0);
	store_sql(g, "commit");
	partitions_free(p);
}

#define BARE_CASE(name) cmocka_unit_test_setup_teardown(name, bare_setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BARE_CASE(make__empty_schema__yesterday_to_three_days_ahead),
	    BARE_CASE(make__ids_at_the_ends_of_a_day__lie_in_that_day),
	    BARE_CASE(make__indexes_of_the_parent__are_the_partitions),
	    BARE_CASE(make__twice__harmless),
	    BARE_CASE(make__another_daemon_makes_them_just_now__waits_and_is_ready),
	    BARE_CASE(make__reader_in_an_open_transaction__not_blocked),
	    BARE_CASE(make__refused_for_what_passes__tried_again_until_ready),
	    BARE_CASE(make__refused_for_good__said_once_with_the_reason),
	    BARE_CASE(drop__past_its_keep__personal_fields_first),
	    BARE_CASE(drop__keep_was_changed__the_next_round_follows),
	    BARE_CASE(drop__reader_holds_them__put_off_and_writers_go_on),
	    BARE_CASE(sweep__rare_tables__kept_as_long_as_personal_fields),
	    BARE_CASE(sweep__notices__the_phone_in_one_goes_as_personal_fields_do),
	    BARE_CASE(sweep__dropping_is_put_off__done_all_the_same),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}

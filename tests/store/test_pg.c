/* pg against a real PostgreSQL: order, refusals, cancelling, bounds. */
#include "pg_rig.h"

static const struct pg_sql sql_echo_text = {"echo_text", "select $1, $1 is null", 1, TYPES(PG_TEXT)};

static void jobs__many_in_one_pipeline__answered_once_in_order_after_the_return(void **state)
{
	struct rig *g = *state;
	static struct answer a[600];

	memset(a, 0, sizeof a);
	rig_up(g);
	for (int i = 0; i < 600; i++)
		rig_ask_int(g, &a[i], INT64_MIN + i);
	assert_int_equal(answers, 0);
	assert_int_equal(pg_jobs(g->pg), 600);
	servers_await(g->loop, &answers, 600);
	for (int i = 0; i < 600; i++) {
		assert_int_equal(a[i].r, KZ_OK);
		assert_int_equal(a[i].turn, i);
		assert_true(a[i].number == INT64_MIN + i);
		assert_int_equal(a[i].count, 1);
	}
	assert_int_equal(pg_jobs(g->pg), 0);
}

static void jobs__several_connections__share_the_work(void **state)
{
	struct rig *g = *state;
	struct answer slow[3] = {0}, quick = {0};
	static const struct pg_sql nap = {"nap", "select pg_sleep(2)", 0, NULL};

	g->options.connections = 4;
	rig_up(g);
	servers_await_pool(g->loop, 4);
	for (int i = 0; i < 3; i++)
		rig_run(g, &slow[i], &nap, NULL);
	rig_ask_int(g, &quick, 7);
	servers_await(g->loop, &quick.count, 1);
	assert_int_equal(quick.turn, 0);
	servers_await(g->loop, &answers, 4);
}

static void jobs__megabytes_both_ways__neither_side_stalls(void **state)
{
	struct rig *g = *state;
	static struct answer a[64];
	size_t n = 1 << 20;
	char *text = malloc(n + 1);

	memset(a, 0, sizeof a);
	memset(text, 'x', n);
	text[n] = '\0';
	rig_up(g);
	for (int i = 0; i < 64; i++) {
		struct pg_value value = pg_string(text);

		rig_run(g, &a[i], &sql_echo_text, &value);
	}
	free(text);
	servers_await(g->loop, &answers, 64);
	for (int i = 0; i < 64; i++)
		assert_int_equal(a[i].r, KZ_OK);
}

static void job__poisoned__fails_alone(void **state)
{
	struct rig *g = *state;
	struct answer a[5] = {0};

	rig_up(g);
	for (int i = 0; i < 5; i++)
		rig_divide(g, &a[i], i - 2);
	servers_await(g->loop, &answers, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(a[i].r, i == 2 ? KZ_REFUSED : KZ_OK);
	assert_string_equal(a[2].sqlstate, "22012");
	assert_int_equal(a[2].rows, 0);
	assert_int_equal(a[4].number, 0);
	assert_int_equal(a[3].number, 1);
}

static void job__last_statement_refused__nothing_of_it_is_kept(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, after = {0};
	struct pg_job *j;
	uint8_t eight[8], four[4];
	struct pg_value one = pg_int8(1, eight), zero = pg_int4(0, four);

	rig_up(g);
	rig_make_table(g);
	j = pg_job_new(g->pg, rig_on_answer, &a);
	pg_job_add(j, &sql_add, &one);
	pg_job_add(j, &sql_divide, &zero);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	rig_run(g, &after, &sql_kept, NULL);
	servers_await(g->loop, &after.count, 1);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_string_equal(a.sqlstate, "22012");
	assert_int_equal(after.r, KZ_OK);
	assert_int_equal(after.rows, 0);
}

static void job__refused_at_the_commit__is_refused(void **state)
{
	struct rig *g = *state;
	struct answer a[3] = {0};
	uint8_t room[8];
	struct pg_value value = pg_int8(5, room);

	rig_up(g);
	rig_make_table(g);
	rig_run(g, &a[0], &sql_add, &value);
	rig_run(g, &a[1], &sql_add, &value); /* the unique constraint speaks at the commit only */
	rig_ask_int(g, &a[2], 9);
	servers_await(g->loop, &answers, 3);
	assert_int_equal(a[0].r, KZ_OK);
	assert_int_equal(a[1].r, KZ_REFUSED);
	assert_string_equal(a[1].sqlstate, "23505");
	assert_int_equal(a[2].r, KZ_OK);
	assert_int_equal(a[2].number, 9);
}

static void statement__cannot_be_prepared__each_user_is_refused_until_it_can(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql later = {"later", "select count(*) from later", 0, NULL};
	struct answer a[4] = {0};

	rig_up(g);
	rig_do(g, "drop table if exists later");
	rig_run(g, &a[0], &later, NULL);
	rig_run(g, &a[1], &later, NULL); /* relies on the preparation that fails */
	rig_ask_int(g, &a[2], 3);
	servers_await(g->loop, &answers, 3);
	assert_int_equal(a[0].r, KZ_REFUSED);
	assert_string_equal(a[0].sqlstate, "42P01");
	assert_int_equal(a[1].r, KZ_REFUSED);
	assert_string_equal(a[1].sqlstate, "42P01");
	assert_int_equal(a[2].number, 3);
	rig_do(g, "create table later ()");
	rig_run(g, &a[3], &later, NULL);
	servers_await(g->loop, &a[3].count, 1);
	assert_int_equal(a[3].r, KZ_OK);
}

static void statement__gone_from_the_server__prepared_again_unseen(void **state)
{
	struct rig *g = *state;
	struct answer a[2] = {0};

	rig_up(g);
	rig_ask_int(g, &a[0], 1);
	servers_await(g->loop, &a[0].count, 1);
	rig_do(g, "deallocate all");
	rig_ask_int(g, &a[1], 2);
	servers_await(g->loop, &a[1].count, 1);
	assert_int_equal(a[1].r, KZ_OK);
	assert_int_equal(a[1].number, 2);
}

static void on_quest(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct answer *const *quest = arg;

	rig_on_answer(*quest, r, reply);
}

/* The sanitizer tells what nobody freed. */
static void job_for__cancelled_or_answered__the_quest_goes_with_the_job(void **state)
{
	static const struct pg_sql one = {"one", "select 1::int8", 0, NULL};
	struct rig *g = *state;
	struct answer never = {0}, last = {0}, *quest = &never;
	uint64_t ticket;

	rig_up(g);
	struct pg_job *j = pg_job_for(g->pg, on_quest, &quest, sizeof quest);
	pg_job_add(j, &one, NULL);
	assert_int_equal(pg_job_run(j, &ticket), KZ_OK);
	loop_turn(g->loop, 0);
	pg_job_cancel(g->pg, ticket);
	quest = &last;
	assert_int_equal(pg_ask(g->pg, &one, NULL, on_quest, &quest, sizeof quest), KZ_OK);
	quest = NULL;
	servers_await(g->loop, &last.count, 1);
	assert_int_equal(last.number, 1);
	assert_int_equal(never.count, 0);
}

static void cancel__waiting_and_sent__silent_and_the_order_holds(void **state)
{
	struct rig *g = *state;
	struct answer waiting = {0}, sent = {0}, last = {0};
	uint8_t room[8];
	struct pg_value value = pg_int8(1, room);
	uint64_t ticket;

	rig_up(g);
	rig_make_table(g);
	pg_job_cancel(g->pg, rig_run(g, &waiting, &sql_add, &value));
	value = pg_int8(2, room);
	ticket = rig_run(g, &sent, &sql_add, &value);
	loop_turn(g->loop, 0);
	pg_job_cancel(g->pg, ticket);
	pg_job_cancel(g->pg, ticket); /* of something gone: nothing */
	rig_run(g, &last, &sql_kept, NULL);
	servers_await(g->loop, &last.count, 1);
	assert_int_equal(waiting.count + sent.count, 0);
	assert_int_equal(last.rows, 1); /* the one that was on its way */
	assert_int_equal(last.number, 2);
}

static void run__line_full__busy_and_not_called(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, over = {0};
	struct pg_job *j;

	g->options.max_jobs = 2;
	g->options.conninfo = "host=/nonexistent";
	rig_dial(g);
	rig_ask_int(g, &a, 1);
	rig_ask_int(g, &a, 2);
	j = pg_job_new(g->pg, rig_on_answer, &over);
	double busy = metric_value(metric_counter("kezek_pg_jobs_total", "", "result=\"busy\""));
	assert_int_equal(pg_job_run(j, NULL), KZ_BUSY);
	assert_int_equal(
	    metric_value(metric_counter("kezek_pg_jobs_total", "", "result=\"busy\"")), busy + 1);
	assert_int_equal(pg_jobs(g->pg), 2);
	loop_turn(g->loop, 0);
	assert_int_equal(over.count, 0);
}

static void statement__over_its_timeout__is_refused(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, b = {0};

	g->options.statement_ms = 200;
	rig_up(g);
	rig_run(g, &a, &sql_sleep, NULL);
	rig_ask_int(g, &b, 4);
	servers_await(g->loop, &answers, 2);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_string_equal(a.sqlstate, "57014");
	assert_int_equal(b.number, 4);
}

static void job__leaves_a_transaction_open__lost_and_rolled_back(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql begin = {"begin", "begin", 0, NULL};
	struct answer a = {0}, b = {0};

	rig_up(g);
	rig_run(g, &a, &begin, NULL);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	rig_ask_int(g, &b, 1);
	servers_await(g->loop, &b.count, 1);
	assert_int_equal(b.r, KZ_OK);
	assert_int_equal(g->ups, 2);
}

static void free__jobs_open__forgotten_without_a_callback(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	rig_up(g);
	rig_run(g, &a, &sql_sleep, NULL);
	loop_turn(g->loop, 0);
	rig_run(g, &a, &sql_sleep, NULL);
	pg_free(g->pg);
	g->pg = NULL;
	assert_int_equal(a.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PG_CASE(jobs__many_in_one_pipeline__answered_once_in_order_after_the_return),
	    PG_CASE(jobs__several_connections__share_the_work),
	    PG_CASE(jobs__megabytes_both_ways__neither_side_stalls),
	    PG_CASE(job__poisoned__fails_alone),
	    PG_CASE(job__last_statement_refused__nothing_of_it_is_kept),
	    PG_CASE(job__refused_at_the_commit__is_refused),
	    PG_CASE(statement__cannot_be_prepared__each_user_is_refused_until_it_can),
	    PG_CASE(statement__gone_from_the_server__prepared_again_unseen),
	    PG_CASE(job_for__cancelled_or_answered__the_quest_goes_with_the_job),
	    PG_CASE(cancel__waiting_and_sent__silent_and_the_order_holds),
	    PG_CASE(run__line_full__busy_and_not_called),
	    PG_CASE(statement__over_its_timeout__is_refused),
	    PG_CASE(job__leaves_a_transaction_open__lost_and_rolled_back),
	    PG_CASE(free__jobs_open__forgotten_without_a_callback),
	};

	return rig_main(tests, sizeof tests / sizeof *tests);
}

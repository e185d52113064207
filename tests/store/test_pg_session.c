/* pg_session against a real PostgreSQL: locks, losses. */
#include "pg_rig.h"

static const struct pg_sql sql_end = {"end", "select pg_terminate_backend($1)", 1, TYPES(PG_INT4)};

struct watch_session {
	struct pg_session *session;
	int ready, lost;
};

static void session_on_ready(void *arg)
{
	struct watch_session *w = arg;

	w->ready++;
}

static void session_on_lost(void *arg)
{
	struct watch_session *w = arg;

	w->lost++;
}

static const struct pg_sql sql_lock = {"lock", "select pg_try_advisory_lock(77)", 0, NULL};
static const struct pg_sql sql_pid = {"pid", "select pg_backend_pid()", 0, NULL};

static void watch_session_up(struct rig *g, struct watch_session *w)
{
	w->session = pg_session_new(g->loop, &g->options, session_on_ready, session_on_lost, w);
	servers_await(g->loop, &w->ready, 1);
}

static int64_t watch_session_ask(struct rig *g, struct watch_session *w, const struct pg_sql *sql)
{
	struct answer a = {0};

	assert_int_equal(pg_session_ask(w->session, sql, NULL, rig_on_answer, &a), KZ_OK);
	assert_int_equal(a.count, 0);
	assert_int_equal(pg_session_ask(w->session, sql, NULL, rig_on_answer, &a), KZ_BUSY);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	return a.number;
}

static void session__backend_terminated__lock_free_and_owner_told(void **state)
{
	struct rig *g = *state;
	struct watch_session a = {0}, b = {0};
	struct answer ended = {0};
	uint8_t room[4];
	struct pg_value pid;

	rig_up(g);
	watch_session_up(g, &a);
	watch_session_up(g, &b);
	assert_int_equal(watch_session_ask(g, &a, &sql_lock), 1);
	assert_int_equal(watch_session_ask(g, &b, &sql_lock), 0);
	pid = pg_int4((int32_t)watch_session_ask(g, &a, &sql_pid), room);
	rig_run(g, &ended, &sql_end, &pid);
	servers_await(g->loop, &a.lost, 1);
	servers_await(g->loop, &a.ready, 2);
	assert_int_equal(b.lost, 0);
	assert_int_equal(watch_session_ask(g, &b, &sql_lock), 1);
	assert_int_equal(watch_session_ask(g, &a, &sql_lock), 0);
	pg_session_free(a.session);
	pg_session_free(b.session);
}

static void session__lost_under_a_question__answered_before_the_owner_is_told(void **state)
{
	struct rig *g = *state;
	struct watch_session w = {0};
	struct answer a = {0};

	watch_session_up(g, &w);
	assert_int_equal(pg_session_ask(w.session, &sql_sleep, NULL, rig_on_answer, &a), KZ_OK);
	loop_turn(g->loop, 0);
	servers_do("restart-pg");
	servers_await(g->loop, &a.count, 1);
	servers_await(g->loop, &w.lost, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_int_equal(pg_session_ask(w.session, &sql_lock, NULL, rig_on_answer, &a), KZ_BUSY);
	servers_await(g->loop, &w.ready, 2);
	pg_session_free(w.session);
}

/* A unix socket has no time-outs of TCP: the server shows 0 for them, and where the value came from. */
static void session__ready__server_has_its_settings(void **state)
{
	struct rig *g = *state;
	struct watch_session w = {0};
	static const struct pg_sql of_tcp = {"of_tcp",
	    "select count(*) from pg_settings where source = 'session' and name in ('tcp_keepalives_idle',"
	    " 'tcp_keepalives_interval', 'tcp_keepalives_count', 'tcp_user_timeout')",
	    0, NULL};
	static const struct pg_sql others = {"others",
	    "select count(*) from pg_settings where (name, setting) in (('statement_timeout', '15000'),"
	    " ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'), ('jit', 'off'))",
	    0, NULL};

	watch_session_up(g, &w);
	assert_int_equal(watch_session_ask(g, &w, &of_tcp), 4);
	assert_int_equal(watch_session_ask(g, &w, &others), 4);
	pg_session_free(w.session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PG_CASE(session__ready__server_has_its_settings),
	    PG_CASE(session__backend_terminated__lock_free_and_owner_told),
	    PG_CASE(session__lost_under_a_question__answered_before_the_owner_is_told),
	};

	return rig_main(tests, sizeof tests / sizeof *tests);
}

/* pg_rig: a pool on a real loop against the real server, for the programs that test pg. */
#ifndef TESTS_STORE_PG_RIG_H
#define TESTS_STORE_PG_RIG_H

#include "servers.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/pg.h"
#include "store/pg_array.h"

#define TYPES(...) ((const uint32_t[]){__VA_ARGS__})

static const struct pg_sql sql_echo_int = {"echo_int", "select $1", 1, TYPES(PG_INT8)};
static const struct pg_sql sql_sleep = {"sleep", "select pg_sleep(30)", 0, NULL};
static const struct pg_sql sql_divide = {"divide", "select 1 / $1", 1, TYPES(PG_INT4)};
static const struct pg_sql sql_add = {"add", "insert into kept values ($1)", 1, TYPES(PG_INT8)};
static const struct pg_sql sql_kept = {"kept", "select n from kept order by n", 0, NULL};

struct rig {
	struct loop *loop;
	struct pg *pg;
	int ups, downs;
	char conninfo[256];
	struct pg_options options;
};

/* One answer, as far as the tests look at it. */
struct answer {
	int count;
	enum kz r;
	bool never_sent;
	size_t rows;
	int64_t number;
	char sqlstate[6];
	int turn; /* which answer of all */
};

static int answers; /* in this test, those of rig_do left out */

static inline void rig_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct answer *a = arg;

	a->count++;
	a->r = r;
	a->never_sent = pg_reply_never_sent(reply);
	a->rows = pg_rows(reply, 0);
	a->number = pg_int(reply, 0, 0, 0);
	snprintf(a->sqlstate, sizeof a->sqlstate, "%s", pg_sqlstate(reply));
	a->turn = answers++;
}

static inline void rig_on_up(void *arg, bool up)
{
	struct rig *g = arg;

	if (up)
		g->ups++;
	else
		g->downs++;
}

static inline int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);

	g->loop = loop_new(&clock_real);
	snprintf(g->conninfo, sizeof g->conninfo, "host=%s/s user=kezek dbname=kezek", servers_dir);
	g->options = (struct pg_options){.conninfo = g->conninfo,
	    .connections = 1,
	    .connect_ms = 5000,
	    .job_ms = 20000,
	    .statement_ms = 15000,
	    .max_jobs = 2000};
	answers = 0;
	*state = g;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *g = *state;

	pg_free(g->pg);
	loop_free(g->loop);
	free(g);
	return 0;
}

static inline void rig_dial(struct rig *g)
{
	g->pg = pg_new(g->loop, &g->options, rig_on_up, g);
}

static inline void rig_up(struct rig *g)
{
	rig_dial(g);
	servers_await(g->loop, &g->ups, 1);
}

static inline uint64_t rig_run(
    struct rig *g, struct answer *a, const struct pg_sql *sql, const struct pg_value *values)
{
	struct pg_job *j = pg_job_new(g->pg, rig_on_answer, a);
	uint64_t ticket = 0;

	pg_job_add(j, sql, values);
	assert_int_equal(pg_job_run(j, &ticket), KZ_OK);
	return ticket;
}

static inline void rig_ask_int(struct rig *g, struct answer *a, int64_t v)
{
	uint8_t room[8];
	struct pg_value value = pg_int8(v, room);

	rig_run(g, a, &sql_echo_int, &value);
}

static inline void rig_divide(struct rig *g, struct answer *a, int32_t v)
{
	uint8_t room[4];
	struct pg_value value = pg_int4(v, room);

	rig_run(g, a, &sql_divide, &value);
}

/* Statements of this one moment, each under a name of its own. */
static inline void rig_do(struct rig *g, const char *text)
{
	static char names[64][16];
	static struct pg_sql made[64];
	static unsigned n;
	struct answer a = {0};

	assert_true(n < 64);
	snprintf(names[n], sizeof names[n], "once_%u", n);
	made[n] = (struct pg_sql){names[n], text, 0, NULL};
	rig_run(g, &a, &made[n++], NULL);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	answers = 0;
}

static inline void rig_make_table(struct rig *g)
{
	rig_do(g, "drop table if exists kept");
	rig_do(g, "create table kept (n bigint unique deferrable initially deferred)");
}

/* The main of each program. */
#define PG_CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
static inline int rig_main(const struct CMUnitTest *tests, size_t n)
{
	log_set_level(LOG_LEVEL_ERROR);
	return _cmocka_run_group_tests("pg", tests, n, servers_setup, servers_teardown);
}

#endif

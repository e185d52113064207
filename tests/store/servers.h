/* servers: a private PostgreSQL and Redis for one test program: group setup and teardown for cmocka, and
 * their deaths. They end when the program does, also by a signal that nobody can hear. */
#ifndef TESTS_STORE_SERVERS_H
#define TESTS_STORE_SERVERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libpq-fe.h>

#include "base/metrics.h"
#include "net/loop.h"

static char servers_dir[] = "/tmp/kezek-test.XXXXXX";
static FILE *servers_guard; /* open as long as the servers are to live */

static inline FILE *servers_open(const char *how, const char *verb, const char *mode)
{
	char command[512];

	snprintf(command, sizeof command, "exec %s '%s/tests/lib/servers.sh' %s '%s' >/dev/null", how,
	    KEZEK_SOURCE_DIR, verb, servers_dir);
	return popen(command, mode);
}

/* Begins it; the test goes on meanwhile. */
static inline FILE *servers_begin(const char *verb)
{
	return servers_open("", verb, "re");
}

static inline void servers_end(FILE *begun)
{
	if (!begun || pclose(begun) != 0)
		fail_msg("servers.sh failed");
}

static inline void servers_do(const char *verb)
{
	servers_end(servers_begin(verb));
}

/* Their folder and its guard. */
static inline int servers_make(void)
{
	if (!mkdtemp(servers_dir))
		return -1;
	/* nobody's child and in a session of its own: who kills this program with all its children, or all
	 * that hangs on a terminal, does not meet it */
	servers_guard = servers_open("setsid -f", "guard", "we");
	return servers_guard ? 0 : -1;
}

static inline int servers_setup(void **state)
{
	(void)state;
	if (servers_make())
		return -1;
	servers_do("start");
	return 0;
}

static inline int servers_teardown(void **state)
{
	(void)state;
	servers_do("end");
	return pclose(servers_guard);
}

/* Turns the loop until the number is reached, 30 s at most. */
static inline void servers_await(struct loop *l, const volatile int *number, int reached)
{
	int64_t give_up = loop_now_ms(l) + 30000;

	while (*number < reached && loop_now_ms(l) < give_up)
		loop_turn(l, 50);
	if (*number < reached)
		fail_msg("waited in vain: %d of %d", *number, reached);
}

/* Turns the loop until so many connections of the pool are ready. */
static inline void servers_await_pool(struct loop *l, unsigned connections)
{
	struct metric *ready =
	    metric_gauge("kezek_pg_connections", "Database connections that are ready.", "");

	while (metric_value(ready) < connections)
		loop_turn(l, 50);
}

/* Asked by the superuser, beside the code under test: the first value of the answer. */
static inline long long servers_ask(const char *sql)
{
	char conninfo[256];

	snprintf(conninfo, sizeof conninfo, "host=%s/s user=postgres dbname=kezek", servers_dir);
	PGconn *pq = PQconnectdb(conninfo);
	PGresult *r = PQexec(pq, sql);
	long long n = PQntuples(r) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
	assert_true(PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK);
	PQclear(r);
	PQfinish(pq);
	return n;
}

static bool servers_hang; /* commits wait for a standby */

/* Whose word every commit waits for; "" for nobody's. */
static inline void servers_set_standby(const char *name)
{
	char sql[128];

	servers_hang = *name != '\0';
	snprintf(sql, sizeof sql, "alter system set synchronous_standby_names = '%s'", name);
	servers_ask(sql);
	servers_ask("select pg_reload_conf()");
	snprintf(sql, sizeof sql, "select (current_setting('synchronous_standby_names') = '%s')::int", name);
	while (servers_ask(sql) != 1)
		;
}

#define SERVERS_END_OURS                                                                                     \
	"select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'kezek'"

/* Between two tests: one that failed leaves nothing behind for the next to hang on. */
static inline void servers_clear(void)
{
	if (servers_hang)
		servers_set_standby("");
	for (int tries = 0; tries < 100 && servers_ask(SERVERS_END_OURS); tries++)
		;
}

#endif

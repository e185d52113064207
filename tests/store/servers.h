/* servers: a private PostgreSQL and Redis for one test program: group setup and teardown for cmocka, and
 * their deaths. */
#ifndef TESTS_STORE_SERVERS_H
#define TESTS_STORE_SERVERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "net/loop.h"

static char servers_dir[] = "/tmp/kezek-test.XXXXXX";

/* Begins it; the test goes on meanwhile. */
static inline FILE *servers_begin(const char *verb)
{
	char command[512];

	snprintf(command, sizeof command, "'%s/tests/lib/servers.sh' %s '%s' >/dev/null", KEZEK_SOURCE_DIR,
	    verb, servers_dir);
	return popen(command, "r");
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

static inline int servers_setup(void **state)
{
	(void)state;
	if (!mkdtemp(servers_dir))
		return -1;
	servers_do("start");
	return 0;
}

static inline int servers_teardown(void **state)
{
	char command[128];

	(void)state;
	servers_do("stop");
	snprintf(command, sizeof command, "rm -rf '%s'", servers_dir);
	return system(command);
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

#endif

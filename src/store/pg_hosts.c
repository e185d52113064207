/* Parameters of a new connection: what the operator wrote, our defaults below it, our needs above it.
 * libpq resolves names in PQconnectStart by a blocking getaddrinfo: `hostaddr`, a unix socket or a local
 * resolver keep the loop free. A resolver thread was not taken: it would need the list of hosts split by hand
 * in all its forms. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/pg_conn.h"

static size_t hosts_count(const char *hosts)
{
	size_t n = 1;

	for (; *hosts; hosts++)
		n += *hosts == ',';
	return n;
}

/* "a,b,c" begun at its second element: "b,c,a". Free it. */
static char *hosts_turned(const char *hosts, size_t turn)
{
	const char *at = hosts;
	struct buf b = {0};

	for (turn %= hosts_count(hosts); turn > 0; turn--)
		at = strchr(at, ',') + 1;
	buf_str(&b, at);
	if (at > hosts) {
		buf_char(&b, ',');
		buf_add(&b, hosts, (size_t)(at - hosts) - 1);
	}
	return buf_take(&b);
}

/* What the string says of hosts, hostaddrs and ports, each turned; the rest stays in the string. */
static void hosts_read(const char *conninfo, unsigned turn, char *ret_lists[3])
{
	static const char *const keys[] = {"host", "hostaddr", "port"};
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	for (PQconninfoOption *o = options; o && o->keyword; o++)
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			if (o->val && strcmp(o->keyword, keys[i]) == 0)
				ret_lists[i] = hosts_turned(o->val, turn);
	PQconninfoFree(options);
}

PGconn *pg_hosts_dial(const char *conninfo, unsigned turn)
{
	char *lists[3] = {NULL, NULL, NULL};
	/* The last word on a key wins, and a NULL value says nothing. */
	const char *keys[] = {"fallback_application_name", "keepalives_idle", "keepalives_interval",
	    "keepalives_count", "dbname", "client_encoding", "host", "hostaddr", "port", NULL};
	const char *values[] = {"kezekd", "30", "10", "3", conninfo, "UTF8", NULL, NULL, NULL, NULL};
	PGconn *pq;

	hosts_read(conninfo, turn, lists);
	for (size_t i = 0; i < 3; i++)
		values[6 + i] = lists[i];
	pq = PQconnectStartParams(keys, values, 1);
	for (size_t i = 0; i < 3; i++)
		free(lists[i]);
	return pq;
}

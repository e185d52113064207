/* What the octets of all requests take together. Only what has come counts, not what a Content-Length
 * promises: a client could otherwise take everybody's share with one line. A connection with little is never
 * refused, so a crowd of large requests costs the small ones nothing. */
#include <event2/buffer.h>

#include "base/metrics.h"
#include "net/http_conn.h"

#define HOLD_FREE 8192 /* octets that each connection may hold, whatever the others do */

void conn_weigh(struct conn *c)
{
	struct http_server *s = c->server;
	size_t now = evbuffer_get_length(bufferevent_get_input(c->bev));

	if (c->ahead)
		now += evbuffer_get_length(c->ahead);
	if (c->call)
		now += c->call->body_len;
	s->held += now - c->weight;
	c->weight = now;
	metric_set(s->held_gauge, (double)s->held);
}

void conn_weigh_nothing(struct conn *c)
{
	c->server->held -= c->weight;
	c->weight = 0;
	metric_set(c->server->held_gauge, (double)c->server->held);
}

bool conn_may_hold(struct conn *c)
{
	conn_weigh(c);
	return c->weight <= HOLD_FREE || c->server->held <= c->server->limits.held_bytes;
}

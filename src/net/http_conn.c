/* evhttp 2.1.12 reads a request, formats an answer and keeps the connection; everything around that is done
 * here, because it has no limit on time or connections, reads folded lines and bodies in pieces, takes the
 * body of a HEAD for the next request, ends the process on states that it does not expect, and lets a
 * request outlive its connection.
 *
 * The fence: evhttp accepts, and before any octet is read its three callbacks on the bufferevent are replaced
 * by ours (conn_hook). Octets wait in the bufferevent until http_head has judged a whole request; only then
 * evhttp's own read callback is called, with exactly that request in the buffer. evhttp hears of no error, no
 * end and no second request: a connection that ends is closed from here by evhttp_connection_free, outside
 * evhttp's frames. So a request lives as long as its connection, and a connection as long as its call is
 * open: an answer to a client that left is written to a dead socket, and the error closes the connection.
 *
 * Not taken: a filter bufferevent. Enabling it does not push what evhttp wrote while it was disabled, and
 * evhttp takes "handed to the lower buffer" for "written" and closes too early.
 *
 * Here is a connection's life, and what is written to it; what is read of it is in http_conn_read.c. */
#include "net/http_conn.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/metrics.h"

/* A refused client has so long to take the answer before the connection is cut. */
#define CONN_LINGER_MS 2000
/* Connections over the limit that still get a 503; more are closed without a word. */
#define CONN_OVER 64

static void conn_on_write(struct bufferevent *bev, void *arg);
static void conn_on_event(struct bufferevent *bev, short what, void *arg);

static void conn_free(struct conn *c)
{
	struct http_server *s = c->server;

	assert(!c->busy && !c->evcon && !c->call);
	if (list_is_linked(&c->turn))
		list_remove(c->state == CONN_LATE ? &s->late : &c->door->fresh, &c->turn);
	list_remove(&s->conns, &c->node);
	metric_set(s->open, (double)s->conns.count);
	conn_weigh_nothing(c);
	peer_leave(&s->peers, c->peer);
	timer_free(c->timer);
	defer_cancel(&c->replied);
	if (c->ahead)
		evbuffer_free(c->ahead);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_decref(c->bev);
	free(c);
}

void conn_close(struct conn *c)
{
	if (c->busy) {
		c->dead = true;
		return;
	}
	if (c->call)
		call_orphan(c->call);
	c->call = NULL;
	if (c->evcon) {
		evhttp_connection_set_closecb(c->evcon, NULL, NULL);
		evhttp_connection_free(c->evcon);
		c->evcon = NULL;
	}
	conn_free(c);
}

static void conn_on_evhttp_close(struct evhttp_connection *evcon, void *arg)
{
	struct conn *c = arg;

	(void)evcon;
	c->evcon = NULL;
}

void conn_enter(struct conn *c)
{
	c->busy++;
}

bool conn_leave(struct conn *c)
{
	if (--c->busy)
		return true;
	if (c->evcon && !c->dead)
		return true;
	conn_close(c);
	return false;
}

void conn_take_over(struct conn *c)
{
	bufferevent_setcb(c->bev, conn_on_read, conn_on_write, conn_on_event, c);
}

/* Most answers fit into the socket: then nothing need be watched for writing. The rest is the bufferevent's,
 * and so is all of TLS. */
static bool conn_write_at_once(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (c->door->tls)
		return false;
	evbuffer_unfreeze(out, 1);
	int n = evbuffer_write(out, bufferevent_getfd(c->bev));
	evbuffer_freeze(out, 1);
	if (n < 0 || evbuffer_get_length(out))
		return false;
	bufferevent_disable(c->bev, EV_WRITE);
	return true;
}

/* Our answer is out. The client's end is waited for: closed at once, what it still says would take the answer
 * from it. */
static void conn_on_refused(struct conn *c)
{
	if (!c->door->tls)
		shutdown(bufferevent_getfd(c->bev), SHUT_WR);
}

void conn_refuse(struct conn *c, enum http_refusal r, const char *detail)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct buf out = {0};

	metric_add(c->server->refused[r], 1);
	c->state = CONN_REFUSED;
	/* What lies unread when the connection is cut takes the answer from some clients. Who was too slow
	 * sends little, and each octet of such a crowd would wake us. */
	if (r != HTTP_TIMEOUT)
		conn_wake_at(c, 1);
	timer_start(c->timer, CONN_LINGER_MS);
	evbuffer_drain(in, evbuffer_get_length(in));
	conn_weigh_nothing(c);
	http_refusal_write(r, detail, &out);
	conn_enter(c);
	evbuffer_add(bufferevent_get_output(c->bev), out.data, out.len);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	buf_fini(&out);
	if (conn_write_at_once(c))
		conn_on_refused(c);
	(void)conn_leave(c);
}

static void conn_be_late(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct http_server *s = c->server;

	c->state = CONN_LATE;
	evbuffer_drain(in, evbuffer_get_length(in));
	conn_weigh_nothing(c);
	list_append(&s->late, &c->turn);
	if (!timer_is_armed(s->next_late))
		timer_start(s->next_late, 0);
}

void conn_on_next_late(void *server)
{
	struct http_server *s = server;
	struct list_node *n = list_take_first(&s->late);

	if (list_first(&s->late))
		timer_start(s->next_late, 0);
	if (n)
		conn_refuse(list_entry(n, struct conn, turn), HTTP_TIMEOUT, NULL);
}

static void conn_on_timer(void *arg)
{
	struct conn *c = arg;
	size_t unwritten = evbuffer_get_length(bufferevent_get_output(c->bev));

	if (c->state == CONN_REQUEST) {
		conn_be_late(c);
	} else if (c->state == CONN_REPLY && unwritten < c->unwritten) {
		c->unwritten = unwritten;
		timer_start(c->timer, c->server->limits.write_ms);
	} else {
		conn_close(c);
	}
}

/* Replies */

/* The answer is out: evhttp closes the connection or makes it ready for the next request. */
static void conn_on_replied(void *arg)
{
	struct conn *c = arg;

	defer_cancel(&c->replied);
	conn_set_aside(c);
	conn_enter(c);
	c->evhttp_write(c->bev, c->evcon);
	if (!conn_leave(c))
		return;
	if (c->left || c->server->draining) {
		conn_close(c);
		return;
	}
	conn_take_over(c);
	c->state = CONN_IDLE;
	c->head = (struct http_head){0};
	conn_weigh(c);
	timer_start(c->timer, c->server->limits.idle_ms);
	if (c->ahead)
		conn_bring_back(c, evbuffer_get_length(c->ahead));
	conn_take(c);
}

/* What evhttp does not know it calls "Client Error". */
static const char *conn_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
	    {202, "Accepted"},
	    {409, "Conflict"},
	    {415, "Unsupported Media Type"},
	    {422, "Unprocessable Content"},
	    {429, "Too Many Requests"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return NULL;
}

void conn_answer(struct conn *c, int status)
{
	struct evhttp_request *request = c->call->request;

	assert(c->state == CONN_CALL);
	if (c->server->draining || c->left)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
	c->call = NULL;
	c->state = CONN_REPLY;
	conn_enter(c);
	evhttp_send_reply(request, status, conn_reason(status), NULL);
	conn_take_over(c);
	conn_bound_ahead(c);
	if (conn_write_at_once(c))
		loop_defer(c->server->loop, &c->replied, conn_on_replied, c);
	c->unwritten = evbuffer_get_length(bufferevent_get_output(c->bev));
	timer_start(c->timer, c->server->limits.write_ms);
	(void)conn_leave(c);
}

static void conn_on_write(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (evbuffer_get_length(bufferevent_get_output(bev)))
		return;
	if (c->state == CONN_REPLY)
		conn_on_replied(c);
	else if (c->state == CONN_REFUSED)
		conn_on_refused(c);
}

static void conn_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	bool plain_end = (what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING) && !c->door->tls;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED)
		return;
	/* A client may close its side and still wait for the answer. With the call open nobody is freed: the
	 * answer finds out. */
	c->left = true;
	if (c->state == CONN_CALL || (c->state == CONN_REPLY && plain_end))
		return;
	conn_close(c);
}

/* Beginning */

struct conn *conn_new(struct door *d)
{
	struct event_base *base = loop_base(d->server->loop);
	struct conn *c = mem_new(sizeof *c);

	c->server = d->server;
	c->door = d;
	c->wake_at = 1;
	c->bev = d->tls ? bufferevent_openssl_socket_new(base, -1, tls_session(d->tls, NULL),
	                      BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
	                : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	assert(c->bev);
	bufferevent_incref(c->bev);
	c->timer = timer_new(d->server->loop, conn_on_timer, c);
	list_append(&d->server->conns, &c->node);
	list_append(&d->fresh, &c->turn);
	metric_set(d->server->open, (double)d->server->conns.count);
	return c;
}

/* Before any octet is read: libevent runs what became active in a round before it looks at descriptors again.
 */
static bool conn_hook(struct conn *c)
{
	bufferevent_event_cb evhttp_event;
	void *evcon;

	bufferevent_getcb(c->bev, &c->evhttp_read, &c->evhttp_write, &evhttp_event, &evcon);
	if (!c->evhttp_read)
		return false; /* evhttp could not take it */
	c->evcon = evcon;
	c->state = CONN_IDLE;
	evhttp_connection_set_closecb(c->evcon, conn_on_evhttp_close, c);
	conn_take_over(c);
	return true;
}

static void conn_admit(struct conn *c)
{
	struct http_server *s = c->server;
	char *address;
	uint16_t port;

	if (!c->door->is_unix) {
		evhttp_connection_get_peer(c->evcon, &address, &port);
		c->peer = peer_join(&s->peers, strncmp(address, "::ffff:", 7) ? address : address + 7);
	}
	bool full = s->conns.count > s->limits.connections ||
	            (c->peer && c->peer->connections > s->limits.connections_per_peer);
	if (s->draining || (full && (c->door->tls || s->conns.count > s->limits.connections + CONN_OVER)))
		conn_close(c);
	else if (full)
		conn_refuse(c, HTTP_FULL, NULL);
	else
		timer_start(c->timer, s->limits.idle_ms);
}

void conn_begin(struct conn *c)
{
	if (conn_hook(c))
		conn_admit(c);
	else
		conn_free(c);
}

/* evhttp 2.1.12 reads a request, formats an answer and keeps the connection; everything around that is done
 * here, because it has no limit on time or connections, reads folded lines and bodies in pieces, takes the
 * body of a DELETE for the next request, ends the process on states that it does not expect, and lets a
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
 * Known rest: evhttp aborts on a unix peer whose own socket is bound to a path over 25 octets. The socket has
 * mode 0600, so only our own user could do that. */
#include "net/http_server.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/address.h"
#include "net/http_head.h"
#include "net/http_refusal.h"
#include "net/http_target.h"

/* Without a free descriptor the listening socket stays readable: look away instead of spinning. */
#define DOOR_PAUSE_MS 100
/* A refused client has so long to take the answer before the connection is cut. */
#define CONN_LINGER_MS 2000
/* Connections over the limit that still get a 503; more are closed without a word. */
#define CONN_OVER 64
/* Pipelined octets read while an answer is on its way. */
#define CONN_AHEAD 65536

enum conn_state {
	CONN_FRESH,   /* evhttp is still making it */
	CONN_IDLE,    /* between requests */
	CONN_REQUEST, /* a request has begun */
	CONN_CALL,    /* the handler has it */
	CONN_REPLY,   /* the answer is being written */
	CONN_REFUSED, /* our own answer is being written, what comes is thrown away */
};

struct peer {
	struct map_node node;
	size_t connections;
	char text[ADDRESS_TEXT];
};

struct door {
	struct list_node node, all;
	struct http_server *server;
	struct evhttp *http;
	struct evhttp_bound_socket *bound; /* NULL: drained */
	struct event *accepted;
	struct timer *pause;
	struct list fresh;
	struct tls *tls;
	int tag;
	bool is_unix;
};

struct http_server {
	struct loop *loop;
	struct http_limits limits;
	http_handler_fn *handler;
	void *arg;
	struct list doors;
	struct list conns;
	struct map peers;
	struct conn *reading; /* whose request evhttp is reading now */
	bool draining;
	struct metric *open, *refused[HTTP_REFUSALS];
};

struct conn {
	struct list_node node, fresh;
	struct http_server *server;
	struct door *door;
	struct peer *peer;               /* NULL for a unix socket */
	struct bufferevent *bev;         /* a reference of our own */
	struct evhttp_connection *evcon; /* NULL: evhttp has let go of it */
	bufferevent_data_cb evhttp_read, evhttp_write;
	enum conn_state state;
	struct http_head head;
	struct evbuffer *ahead; /* octets behind the request that evhttp has; NULL until needed */
	struct timer *timer;
	size_t unwritten; /* when the write timer started */
	struct defer replied;
	struct call *call;
	int busy;  /* evhttp is on the stack: nothing may be freed */
	bool dead; /* and it should be */
	bool left; /* the client has closed its side */
};

struct call {
	struct conn *conn;              /* NULL: the server is gone, and the request with it */
	struct evhttp_request *request; /* owned by evhttp's connection */
	char *path;
	struct parameter *query;
	const char *body;
	size_t body_len;
};

/* libevent tells an accept error to evhttp's argument, not to ours: the door is found by its listener. */
static struct list all_doors = {{&all_doors.head, &all_doors.head}, 0};

static void conn_on_read(struct bufferevent *bev, void *arg);
static void conn_on_write(struct bufferevent *bev, void *arg);
static void conn_on_event(struct bufferevent *bev, short what, void *arg);

/* Calls */

static void call_read_body(struct call *c)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(c->request);

	c->body_len = evbuffer_get_length(in);
	c->body = "";
	if (!c->body_len)
		return;
	evbuffer_add(in, "", 1);
	c->body = (const char *)evbuffer_pullup(in, -1);
}

static struct call *call_new(struct conn *conn, struct evhttp_request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
	struct call *c = mem_new(sizeof *c);

	c->conn = conn;
	c->request = request;
	c->path = path_decode(path && path[0] ? path : "/");
	c->query = query ? query_read(query) : NULL;
	call_read_body(c);
	return c;
}

static void call_free(struct call *c)
{
	query_free(c->query);
	free(c->path);
	free(c);
}

/* Its connection goes before its holder has answered. */
static void call_orphan(struct call *c)
{
	c->conn = NULL;
	c->request = NULL;
	c->body = "";
	c->body_len = 0;
}

const char *call_method(const struct call *c)
{
	switch (c->request ? evhttp_request_get_command(c->request) : EVHTTP_REQ_GET) {
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	default:
		return "GET";
	}
}

const char *call_path(const struct call *c)
{
	return c->path;
}

const char *call_query(const struct call *c, const char *name)
{
	return query_find(c->query, name);
}

const char *call_header(const struct call *c, const char *name)
{
	const char *value =
	    c->request ? evhttp_find_header(evhttp_request_get_input_headers(c->request), name) : NULL;

	/* evhttp strips spaces before a value, but no tabs. */
	return value ? value + strspn(value, " \t") : NULL;
}

const char *call_body(const struct call *c, size_t *ret_len)
{
	*ret_len = c->body_len;
	return c->body;
}

const char *call_peer(const struct call *c)
{
	if (!c->conn)
		return "";
	return c->conn->peer ? c->conn->peer->text : "unix";
}

int call_tag(const struct call *c)
{
	return c->conn ? c->conn->door->tag : 0;
}

void call_header_add(struct call *c, const char *name, const char *value)
{
	/* evhttp refuses a value that would break out of its line. */
	if (c->request && evhttp_add_header(evhttp_request_get_output_headers(c->request), name, value))
		log_warn("http", "header %s dropped from a reply: its value is not one line", name);
}

/* The life of a connection */

static bool peer_equal(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, const struct peer, node)->text, key);
}

static struct peer *peer_join(struct http_server *s, const char *text)
{
	uint64_t hash = map_hash_bytes(text, strlen(text));
	struct map_node *n = map_get(&s->peers, hash, text);
	struct peer *p = n ? map_entry(n, struct peer, node) : mem_new(sizeof *p);

	if (!n) {
		snprintf(p->text, sizeof p->text, "%s", text);
		map_put(&s->peers, &p->node, hash);
	}
	p->connections++;
	return p;
}

static void peer_leave(struct http_server *s, struct peer *p)
{
	if (!p || --p->connections)
		return;
	map_remove(&s->peers, &p->node);
	free(p);
}

static void conn_free(struct conn *c)
{
	struct http_server *s = c->server;

	assert(!c->busy && !c->evcon && !c->call);
	if (list_is_linked(&c->fresh))
		list_remove(&c->door->fresh, &c->fresh);
	list_remove(&s->conns, &c->node);
	metric_set(s->open, (double)s->conns.count);
	peer_leave(s, c->peer);
	timer_free(c->timer);
	defer_cancel(&c->replied);
	if (c->ahead)
		evbuffer_free(c->ahead);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_decref(c->bev);
	free(c);
}

/* The one way a connection ends from here; the last thing done with c. */
static void conn_close(struct conn *c)
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

/* evhttp is entered and left. False when c had to go meanwhile, and is gone unless it was entered twice. */
static void conn_enter(struct conn *c)
{
	c->busy++;
}

static bool conn_leave(struct conn *c)
{
	if (--c->busy)
		return true;
	if (c->evcon && !c->dead)
		return true;
	conn_close(c);
	return false;
}

static void conn_take_over(struct conn *c)
{
	bufferevent_setcb(c->bev, conn_on_read, conn_on_write, conn_on_event, c);
}

static void conn_refuse(struct conn *c, enum http_refusal r, const char *detail)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct buf out = {0};

	metric_add(c->server->refused[r], 1);
	c->state = CONN_REFUSED;
	timer_start(c->timer, CONN_LINGER_MS);
	evbuffer_drain(in, evbuffer_get_length(in));
	http_refusal_write(r, detail, &out);
	conn_enter(c);
	evbuffer_add(bufferevent_get_output(c->bev), out.data, out.len);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	buf_fini(&out);
	(void)conn_leave(c);
}

static void conn_on_timer(void *arg)
{
	struct conn *c = arg;
	size_t unwritten = evbuffer_get_length(bufferevent_get_output(c->bev));

	if (c->state == CONN_REQUEST) {
		conn_refuse(c, HTTP_TIMEOUT, NULL);
	} else if (c->state == CONN_REPLY && unwritten < c->unwritten) {
		c->unwritten = unwritten;
		timer_start(c->timer, c->server->limits.write_ms);
	} else {
		conn_close(c);
	}
}

/* Requests */

static void conn_set_aside(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (!evbuffer_get_length(in))
		return;
	if (!c->ahead)
		c->ahead = evbuffer_new();
	evbuffer_add_buffer(c->ahead, in);
}

/* n octets of what was set aside come back before evhttp. */
static void conn_bring_back(struct conn *c, size_t n)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (!c->ahead)
		return;
	/* A plain bufferevent keeps strangers from adding to its input, one of TLS must never be frozen. */
	evbuffer_unfreeze(in, 0);
	if (n == evbuffer_get_length(c->ahead))
		evbuffer_add_buffer(in, c->ahead);
	else
		evbuffer_remove_buffer(c->ahead, in, n);
	if (!c->door->tls)
		evbuffer_freeze(in, 0);
}

/* A whole request is in the input. evhttp gets just that; a body that it would not read it must not see. */
static void conn_dispatch(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t body_len = (size_t)c->head.body_len, given = c->head.len + (c->head.is_head ? 0 : body_len);

	timer_stop(c->timer);
	evbuffer_drain(in, c->head.skip);
	if (evbuffer_get_length(in) > given) {
		conn_set_aside(c);
		conn_bring_back(c, given);
		evbuffer_drain(c->ahead, c->head.len + body_len - given);
	}
	c->state = CONN_REQUEST;
	c->server->reading = c;
	conn_enter(c);
	c->evhttp_read(c->bev, c->evcon);
	c->server->reading = NULL;
	if (conn_leave(c) && c->state == CONN_REQUEST) {
		log_warn("http", "evhttp refused a request that passed the fence");
		conn_close(c);
	}
}

static void door_on_request(struct evhttp_request *request, void *arg)
{
	struct door *d = arg;
	struct conn *c = d->server->reading;

	assert(c && c->state == CONN_REQUEST);
	c->state = CONN_CALL;
	c->call = call_new(c, request);
	/* evhttp has just turned it off, but a client that leaves should be heard. */
	bufferevent_enable(c->bev, EV_READ);
	d->server->handler(d->server->arg, c->call);
}

/* The request is not whole yet. */
static void conn_wait(struct conn *c)
{
	if (c->state == CONN_REQUEST)
		return;
	c->state = CONN_REQUEST;
	timer_start(c->timer, c->server->limits.request_ms);
}

static enum http_refusal conn_read_head(struct conn *c, size_t len)
{
	const struct http_limits *limits = &c->server->limits;
	size_t n = len > limits->header_bytes ? limits->header_bytes + 1 : len;
	const char *bytes = (const char *)evbuffer_pullup(bufferevent_get_input(c->bev), (ssize_t)n);
	enum http_refusal r = http_head_read(&c->head, bytes, n, limits->header_bytes);

	if (r != HTTP_FINE || !c->head.whole)
		return r;
	return c->head.body_len > limits->body_bytes ? HTTP_BODY_TOO_LARGE : HTTP_FINE;
}

static void conn_send_continue(struct conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	c->head.expects_continue = false;
	evbuffer_add(bufferevent_get_output(c->bev), go_on, sizeof go_on - 1);
	bufferevent_enable(c->bev, EV_WRITE);
}

/* Looks at what has come for the request at the front. */
static void conn_take(struct conn *c)
{
	size_t len = evbuffer_get_length(bufferevent_get_input(c->bev));
	enum http_refusal r = HTTP_FINE;

	if (!len)
		return;
	if (!c->head.whole)
		r = conn_read_head(c, len);
	if (r != HTTP_FINE) {
		conn_refuse(c, r, c->head.detail);
		return;
	}
	if (c->head.whole && len - c->head.skip - c->head.len >= c->head.body_len) {
		conn_dispatch(c);
		return;
	}
	conn_wait(c);
	if (c->head.whole && c->head.expects_continue) {
		conn_enter(c);
		conn_send_continue(c);
		(void)conn_leave(c);
	}
}

static void conn_on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (c->state == CONN_IDLE || c->state == CONN_REQUEST)
		conn_take(c);
	else if (c->state == CONN_REFUSED)
		evbuffer_drain(in, evbuffer_get_length(in));
	else if (evbuffer_get_length(in) > CONN_AHEAD)
		bufferevent_disable(bev, EV_READ);
}

/* Replies */

static void conn_reply(struct conn *c, struct evhttp_request *request, const void *body, size_t len)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	char text[24];

	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
		/* evhttp would send the body. */
		snprintf(text, sizeof text, "%zu", len);
		evhttp_add_header(headers, "Content-Length", text);
	} else if (len) {
		evbuffer_add(evhttp_request_get_output_buffer(request), body, len);
	}
	if (c->server->draining || c->left)
		evhttp_add_header(headers, "Connection", "close");
}

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
	timer_start(c->timer, c->server->limits.idle_ms);
	if (c->ahead)
		conn_bring_back(c, evbuffer_get_length(c->ahead));
	conn_take(c);
}

/* Most answers fit into the socket: then nothing need be watched for writing. The rest is the bufferevent's.
 */
static void conn_write_at_once(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_unfreeze(out, 1);
	int n = evbuffer_write(out, bufferevent_getfd(c->bev));
	evbuffer_freeze(out, 1);
	if (n < 0 || evbuffer_get_length(out))
		return;
	bufferevent_disable(c->bev, EV_WRITE);
	loop_defer(c->server->loop, &c->replied, conn_on_replied, c);
}

void call_reply(struct call *call, int status, const char *content_type, const void *body, size_t len)
{
	struct conn *c = call->conn;
	struct evhttp_request *request = call->request;

	if (!c) {
		call_free(call);
		return;
	}
	assert(c->state == CONN_CALL && c->call == call);
	if (content_type)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", content_type);
	conn_reply(c, request, body, content_type ? len : 0);
	call_free(call);
	c->call = NULL;
	c->state = CONN_REPLY;
	conn_enter(c);
	evhttp_send_reply(request, status, NULL, NULL);
	conn_take_over(c);
	if (!c->door->tls)
		conn_write_at_once(c);
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
	else if (c->state == CONN_REFUSED && !c->door->tls)
		shutdown(bufferevent_getfd(bev), SHUT_WR);
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

/* Doors */

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
	int on = 1;

	if (!c->door->is_unix) {
		evhttp_connection_get_peer(c->evcon, &address, &port);
		c->peer = peer_join(s, strncmp(address, "::ffff:", 7) ? address : address + 7);
		setsockopt(bufferevent_getfd(c->bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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

static void door_on_accepted(evutil_socket_t fd, short what, void *arg)
{
	struct door *d = arg;
	struct list_node *n;

	(void)fd;
	(void)what;
	while ((n = list_take_first(&d->fresh))) {
		struct conn *c = list_entry(n, struct conn, fresh);

		if (conn_hook(c))
			conn_admit(c);
		else
			conn_free(c);
	}
}

/* evhttp has accepted and asks for a bufferevent to put the socket in. */
static struct bufferevent *door_on_accept(struct event_base *base, void *arg)
{
	struct door *d = arg;
	struct conn *c = mem_new(sizeof *c);

	c->server = d->server;
	c->door = d;
	c->bev = d->tls ? bufferevent_openssl_socket_new(base, -1, tls_session(d->tls, NULL),
	                      BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
	                : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	assert(c->bev);
	bufferevent_incref(c->bev);
	c->timer = timer_new(d->server->loop, conn_on_timer, c);
	list_append(&d->server->conns, &c->node);
	list_append(&d->fresh, &c->fresh);
	metric_set(d->server->open, (double)d->server->conns.count);
	event_active(d->accepted, 0, 0);
	return c->bev;
}

static void door_on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	list_each(&all_doors, n, next)
	{
		struct door *d = list_entry(n, struct door, all);

		if (!d->bound || evhttp_bound_socket_get_listener(d->bound) != listener)
			continue;
		log_warn(
		    "http", "no descriptor for a new connection; the listener waits %d ms", DOOR_PAUSE_MS);
		evconnlistener_disable(listener);
		timer_start(d->pause, DOOR_PAUSE_MS);
	}
}

static void door_resume(void *arg)
{
	struct door *d = arg;

	evconnlistener_enable(evhttp_bound_socket_get_listener(d->bound));
}

static void door_stop(struct door *d)
{
	timer_stop(d->pause);
	if (d->bound)
		evhttp_del_accept_socket(d->http, d->bound);
	d->bound = NULL;
}

static void door_bind(struct door *d, int fd)
{
	struct evconnlistener *listener = evconnlistener_new(
	    loop_base(d->server->loop), NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	assert(listener);
	evconnlistener_set_error_cb(listener, door_on_accept_error);
	d->bound = evhttp_bind_listener(d->http, listener);
	assert(d->bound);
}

enum kz http_server_listen(
    struct http_server *s, const char *address, struct tls *tls, int tag, char why[256], uint16_t *ret_port)
{
	int fd = address_listen(address, why);

	if (fd < 0)
		return KZ_LOST;
	struct door *d = mem_new(sizeof *d);
	d->server = s;
	d->tls = tls;
	d->tag = tag;
	d->is_unix = !strncmp(address, "unix:", 5);
	list_init(&d->fresh);
	d->pause = timer_new(s->loop, door_resume, d);
	d->accepted = event_new(loop_base(s->loop), -1, 0, door_on_accepted, d);
	d->http = evhttp_new(loop_base(s->loop));
	assert(d->accepted && d->http);
	/* Sizes and times are the fence's; methods that it lets through evhttp must not refuse. */
	evhttp_set_allowed_methods(d->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
	                                        EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
	                                        EVHTTP_REQ_PATCH);
	evhttp_set_default_content_type(d->http, NULL);
	evhttp_set_bevcb(d->http, door_on_accept, d);
	evhttp_set_gencb(d->http, door_on_request, d);
	door_bind(d, fd);
	list_append(&s->doors, &d->node);
	list_append(&all_doors, &d->all);
	if (ret_port)
		*ret_port = address_bound_port(fd);
	return KZ_OK;
}

static void door_free(struct door *d)
{
	door_stop(d);
	list_remove(&d->server->doors, &d->node);
	list_remove(&all_doors, &d->all);
	evhttp_free(d->http);
	event_free(d->accepted);
	timer_free(d->pause);
	free(d);
}

/* The server */

struct http_server *http_server_new(
    struct loop *l, const struct http_limits *limits, http_handler_fn *handler, void *arg)
{
	struct http_server *s = mem_new(sizeof *s);
	char label[64];

	s->loop = l;
	s->limits = *limits;
	s->handler = handler;
	s->arg = arg;
	list_init(&s->doors);
	list_init(&s->conns);
	map_init(&s->peers, peer_equal);
	s->open = metric_gauge("kezek_http_connections", "Open HTTP connections.", "");
	for (enum http_refusal r = HTTP_MALFORMED; r < HTTP_REFUSALS; r++) {
		snprintf(label, sizeof label, "code=\"%s\"", http_refusal_code(r));
		s->refused[r] = metric_counter(
		    "kezek_http_refused_total", "Requests refused before a handler saw them.", label);
	}
	return s;
}

void http_server_set_limits(struct http_server *s, const struct http_limits *limits)
{
	s->limits = *limits;
}

size_t http_server_connections(const struct http_server *s)
{
	return s->conns.count;
}

void http_server_drain(struct http_server *s)
{
	s->draining = true;
	list_each(&s->doors, n, next) door_stop(list_entry(n, struct door, node));
	list_each(&s->conns, n, next)
	{
		struct conn *c = list_entry(n, struct conn, node);

		if (c->state == CONN_IDLE)
			conn_close(c);
	}
}

void http_server_free(struct http_server *s)
{
	struct list_node *n;

	if (!s)
		return;
	assert(!s->reading);
	list_each(&s->doors, door, next) door_on_accepted(-1, 0, list_entry(door, struct door, node));
	while ((n = list_first(&s->conns)))
		conn_close(list_entry(n, struct conn, node));
	while ((n = list_first(&s->doors)))
		door_free(list_entry(n, struct door, node));
	map_fini(&s->peers);
	free(s);
}

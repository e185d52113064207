/* What a client sends: octets wait until they are a whole request, then evhttp gets just that one; those of
 * later requests are set aside, up to a bound. */
#include <assert.h>
#include <event2/buffer.h>
#include <sys/socket.h>

#include "net/http_conn.h"

/* Octets of later requests kept while one is answered. */
#define CONN_AHEAD 65536
/* A client that sends a request bit by bit wakes us when it may be whole, and for each so many octets. */
#define CONN_WAKE_AT_MOST 4096

void conn_wake_at(struct conn *c, uint64_t octets)
{
	int n = octets < CONN_WAKE_AT_MOST ? (int)octets : CONN_WAKE_AT_MOST;

	if (c->door->tls || c->wake_at == n)
		return;
	c->wake_at = n;
	setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_RCVLOWAT, &n, sizeof n);
}

void conn_set_aside(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (!evbuffer_get_length(in))
		return;
	if (!c->ahead)
		c->ahead = evbuffer_new();
	evbuffer_add_buffer(c->ahead, in);
}

void conn_bring_back(struct conn *c, size_t n)
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

void conn_bound_ahead(struct conn *c)
{
	size_t ahead = c->ahead ? evbuffer_get_length(c->ahead) : 0;
	size_t most = conn_may_hold(c) ? CONN_AHEAD : 0;

	if (ahead + evbuffer_get_length(bufferevent_get_input(c->bev)) > most)
		bufferevent_disable(c->bev, EV_READ);
	else
		bufferevent_enable(c->bev, EV_READ);
}

/* evhttp did not like the request and has begun to say so in its own way. */
static void conn_take_back(struct conn *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_unfreeze(out, 1);
	evbuffer_drain(out, evbuffer_get_length(out));
	if (!c->door->tls)
		evbuffer_freeze(out, 1);
	conn_take_over(c);
}

/* A whole request is in the input. evhttp gets just that; a body that it would not read it must not see. */
static void conn_dispatch(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t body_len = (size_t)c->head.body_len, given = c->head.len + (c->head.is_head ? 0 : body_len);

	timer_stop(c->timer);
	conn_wake_at(c, 1);
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
		conn_take_back(c);
		conn_refuse(c, HTTP_MALFORMED, "The address in the request line cannot be read.");
	}
}

void conn_on_request(struct evhttp_request *request, void *arg)
{
	struct door *d = arg;
	struct conn *c = d->server->reading;

	assert(c && c->state == CONN_REQUEST);
	c->state = CONN_CALL;
	c->call = call_new(c, request);
	conn_bound_ahead(c);
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

void conn_take(struct conn *c)
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
	if (!conn_may_hold(c)) {
		conn_refuse(c, HTTP_CROWDED, NULL);
		return;
	}
	conn_wait(c);
	conn_wake_at(
	    c, c->head.whole ? c->head.skip + c->head.len + c->head.body_len - len : c->head.missing);
	if (c->head.whole && c->head.expects_continue) {
		conn_enter(c);
		conn_send_continue(c);
		(void)conn_leave(c);
	}
}

void conn_on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	if (c->state == CONN_IDLE || c->state == CONN_REQUEST)
		conn_take(c);
	else if (c->state == CONN_REFUSED || c->state == CONN_LATE)
		evbuffer_drain(in, evbuffer_get_length(in));
	else
		conn_bound_ahead(c);
}

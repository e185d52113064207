/* The doors: one evhttp and one listening socket each, and the server that owns them. What happens on a
 * connection is in http_conn.c.
 *
 * Known rest: evhttp 2.1.12 aborts on a unix peer whose own socket is bound to a path over 25 octets. The
 * socket has mode 0660, so only our own user and group could do that. */
#include "net/http_server.h"

#include <assert.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/http_conn.h"

/* Taken in one round, so that a flood of callers does not keep those waiting who are connected. */
#define DOOR_BATCH 8
/* Without a free descriptor the listening socket stays readable: look away instead of spinning. */
#define DOOR_PAUSE_MS 100

/* libevent tells an accept error to evhttp's argument, not to ours: the door is found by its listener. */
static struct list all_doors = {{&all_doors.head, &all_doors.head}, 0};

static void door_on_accepted(evutil_socket_t fd, short what, void *arg)
{
	struct door *d = arg;
	struct list_node *n;

	(void)fd;
	(void)what;
	while ((n = list_take_first(&d->fresh))) {
		struct conn *c = list_entry(n, struct conn, turn);

		conn_begin(c);
	}
}

static void door_pause(struct door *d, int64_t ms)
{
	evconnlistener_disable(evhttp_bound_socket_get_listener(d->bound));
	timer_start(d->pause, ms);
}

static void door_resume(void *arg)
{
	struct door *d = arg;

	evconnlistener_enable(evhttp_bound_socket_get_listener(d->bound));
}

/* evhttp has accepted and asks for a bufferevent to put the socket in. */
static struct bufferevent *door_on_accept(struct event_base *base, void *arg)
{
	struct door *d = arg;

	(void)base;
	event_active(d->accepted, 0, 0);
	if (d->fresh.count + 1 == DOOR_BATCH)
		door_pause(d, 0);
	return conn_new(d)->bev;
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
		door_pause(d, DOOR_PAUSE_MS);
	}
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
	evhttp_set_gencb(d->http, conn_on_request, d);
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
	list_init(&s->late);
	s->next_late = timer_new(l, conn_on_next_late, s);
	peers_init(&s->peers);
	s->open = metric_gauge("kezek_http_connections", "Open HTTP connections.", "");
	s->held_gauge =
	    metric_gauge("kezek_http_held_octets", "Octets of requests that connections hold.", "");
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
	timer_free(s->next_late);
	map_fini(&s->peers);
	free(s);
}

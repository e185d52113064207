/* http_conn: one connection of http_server and the call it carries; for the http_* files only, which together
 * are the home of evhttp. */
#ifndef NET_HTTP_CONN_H
#define NET_HTTP_CONN_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/map.h"
#include "net/http_head.h"
#include "net/http_peer.h"
#include "net/http_refusal.h"
#include "net/http_server.h"
#include "net/http_target.h"

enum conn_state {
	CONN_FRESH,   /* evhttp is still making it */
	CONN_IDLE,    /* between requests */
	CONN_REQUEST, /* a request has begun */
	CONN_LATE,    /* its time is over, it is to be refused when it is its turn */
	CONN_CALL,    /* the handler has it */
	CONN_REPLY,   /* the answer is being written */
	CONN_REFUSED, /* our own answer is being written, what comes is thrown away */
};

struct door {
	struct list_node node, all;
	struct http_server *server;
	struct evhttp *http;
	struct evhttp_bound_socket *bound; /* NULL: drained */
	struct event *accepted;
	struct timer *pause;
	struct list fresh; /* accepted in this round */
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
	/* Many may be late at once: one is refused in a round, the answers of others come before the next. */
	struct list late;
	struct timer *next_late;
	struct map peers;
	struct conn *reading; /* whose request evhttp is reading now */
	bool draining;
	size_t held; /* octets of requests, of all connections */
	struct metric *open, *held_gauge, *refused[HTTP_REFUSALS];
};

struct conn {
	struct list_node node;
	struct list_node turn; /* of the door's fresh ones, or of the late ones */
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
	int wake_at;      /* octets that make the socket readable */
	size_t weight;    /* octets that it holds, as last weighed */
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

/* evhttp has accepted: the bufferevent for it to put the socket in. */
struct conn *conn_new(struct door *d);
/* As soon as evhttp has it set up, and before anything is read: puts the fence around it and admits it or
 * not. */
void conn_begin(struct conn *c);
/* Refuses one who was too slow with a request; server: struct http_server. */
void conn_on_next_late(void *server);
/* The call's answer is in its request; writes it. */
void conn_answer(struct conn *c, int status);
/* The last thing done with c. Its open call becomes an orphan. */
void conn_close(struct conn *c);

/* http_conn.c for http_conn_read.c */
/* Around each call into evhttp: nothing is freed under its feet. */
void conn_enter(struct conn *c);
/* False when c had to go meanwhile, and now is gone. */
bool conn_leave(struct conn *c);
/* The callbacks on the bufferevent are ours. */
void conn_take_over(struct conn *c);
/* Our own answer, and then the end. */
void conn_refuse(struct conn *c, enum http_refusal r, const char *detail);

/* http_conn_read.c */
/* evhttp's callback for a request that it has read; door: the struct door. */
void conn_on_request(struct evhttp_request *request, void *door);
void conn_on_read(struct bufferevent *bev, void *arg);
/* Looks at what has come for the request at the front. */
void conn_take(struct conn *c);
/* The kernel keeps still until so many octets are there, or the end. TLS has octets of its own. */
void conn_wake_at(struct conn *c, uint64_t octets);
/* What has come is of later requests: it is kept from evhttp. */
void conn_set_aside(struct conn *c);
/* n octets of what was set aside come back before evhttp. */
void conn_bring_back(struct conn *c, size_t n);
/* Reads on, to hear of the client's end, but not without a bound. evhttp turns reading on with each answer,
 * so this comes after it. */
void conn_bound_ahead(struct conn *c);

/* http_hold.c */
/* Counts what c holds now / that it holds nothing more. */
void conn_weigh(struct conn *c);
void conn_weigh_nothing(struct conn *c);
/* Weighs it, and whether it may hold that much. */
bool conn_may_hold(struct conn *c);

struct call *call_new(struct conn *conn, struct evhttp_request *request);
/* Its connection goes before its holder has answered. */
void call_orphan(struct call *c);

#endif

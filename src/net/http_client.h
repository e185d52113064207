/* http_client: POSTs of bounded time and size, by libcurl on the loop; what comes back is a status, the body
 * is thrown away. TLS is verified, no redirect is followed, no proxy, cookie or .netrc is used, connections
 * are used again. Each address is judged after its name was resolved, by the socket that would connect to it.
 * The only home of libcurl in the daemon. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "net/loop.h"

struct http_client;

struct http_client_options {
	size_t asks;         /* at once at most */
	bool allow_private;  /* addresses that are not public, and plain http */
	const char *ca_path; /* PEM bundle instead of the system's, "" for those; copied */
};

/* Copied by http_client_post. */
struct http_ask {
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated */
	const char *body;
	size_t body_len;
	int64_t timeout_ms; /* for all of it: name, connection, TLS, answer */
};

enum http_outcome {
	HTTP_ANSWERED,
	HTTP_UNREACHABLE, /* no such name, no connection */
	HTTP_TIMEOUT,
	HTTP_TLS,       /* its certificate or the handshake */
	HTTP_FORBIDDEN, /* only addresses that may not be asked, or plain http */
	HTTP_BROKEN,    /* what came is no answer, or too long a head */
	HTTP_OUTCOMES
};

/* A value. */
struct http_answer {
	enum http_outcome outcome;
	int status;            /* 200..599 when answered */
	int64_t retry_after_s; /* 0: not told */
};

/* "answered", "unreachable", ... for metrics and people. */
const char *http_outcome_name(enum http_outcome o);

struct http_client *http_client_new(struct loop *l, const struct http_client_options *o);
/* done once, later. KZ_BUSY at once, without done, when too many are open. *ret_ticket can cancel it. */
typedef void http_answer_fn(void *arg, const struct http_answer *a);
enum kz http_client_post(struct http_client *c, const struct http_ask *ask, http_answer_fn *done, void *arg,
    uint64_t *ret_ticket) KZ_CHECK;
/* done will not be called; what was sent was sent. A ticket that was answered is none any more. */
void http_client_cancel(struct http_client *c, uint64_t ticket);
size_t http_client_open(const struct http_client *c);
/* What is open is forgotten without a callback. Not from one of its callbacks. NULL is fine. */
void http_client_free(struct http_client *c);

#endif

/* http_server: the fence around evhttp. Whole requests up, one reply down; late replies to clients that left
 * are no-ops. Before a handler sees a request these are refused with problem+json (RFC 9457) and the
 * connection closed: Transfer-Encoding (411 length_required), doubled or odd Content-Length, folded or
 * malformed header lines (400 malformed_request), header over its limit (431 header_too_large), body over its
 * limit (413 body_too_large), an unfinished request after its time (408 request_timeout, or a silent close),
 * too many connections (503 too_many_connections + Retry-After, or a silent close), over 8 KiB of a request
 * while all requests together hold too much (503 too_many_octets + Retry-After), a method not named at
 * call_method (501 method_unknown), an Expect other than 100-continue (417 expectation_failed).
 * HTTP/1.0 and 1.1, keep-alive, pipelining. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "net/loop.h"
#include "net/tls.h"

struct http_server;
struct call;

struct http_limits {
	size_t header_bytes;
	size_t body_bytes;
	size_t connections;          /* open at once over all listeners */
	size_t connections_per_peer; /* per address; unix sockets do not count */
	int64_t request_ms;          /* from the first octet of a request to its last, however it dribbles */
	int64_t idle_ms;             /* keep-alive without a request, and a connection that never sends one */
	int64_t write_ms;            /* a client that does not read its answer */
	size_t held_bytes;           /* octets of requests held at once, over all connections */
};

/* Called once per good request, from the loop. The handler, or somebody it hands c to, calls call_reply
 * exactly once. */
typedef void http_handler_fn(void *arg, struct call *c);

struct http_server *http_server_new(
    struct loop *l, const struct http_limits *limits, http_handler_fn *handler, void *arg);
/* For the reloadable limits; applies to requests that begin later. */
void http_server_set_limits(struct http_server *s, const struct http_limits *limits);
/* address: "127.0.0.1:8080", "[::1]:8080", "*:8080", "unix:/path" (mode 0660, a stale socket file is
 * replaced), port 0 for any. tls: NULL for plain. tag: given back by call_tag, tells listeners apart. KZ_LOST
 * and the reason. */
enum kz http_server_listen(struct http_server *s, const char *address, struct tls *tls, int tag,
    char why[256], uint16_t *ret_port) KZ_CHECK;
/* Stops accepting and closes idle connections; those with a request get their answer with Connection: close.
 */
void http_server_drain(struct http_server *s);
size_t http_server_connections(const struct http_server *s);
/* Calls that are still open become no-ops for their holders. NULL is fine. */
void http_server_free(struct http_server *s);

/* Valid until call_reply; empty after http_server_free, but for path and query. */
const char *call_method(
    const struct call *c);                   /* "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS" */
const char *call_path(const struct call *c); /* percent-decoded, without the query; "/" at least */
const char *call_query(const struct call *c, const char *name); /* decoded value or NULL */
/* A parameter's decoded name that is none of the n known; NULL: there is none. */
const char *call_query_stranger(const struct call *c, const char *const *known, size_t n);
const char *call_header(const struct call *c, const char *name); /* NULL when absent; case-insensitive */
const char *call_body(const struct call *c, size_t *ret_len);    /* NUL-terminated */
const char *call_peer(const struct call *c); /* address without the port, "unix" for a unix socket */
/* The user of the process at the other end of a unix socket; -1 for all others. */
int64_t call_uid(const struct call *c);
int call_tag(const struct call *c);
/* Hint that a header goes with the reply; copied. */
void call_header_add(struct call *c, const char *name, const char *value);
/* Copies body. content_type NULL: no body. c is gone after it. */
void call_reply(struct call *c, int status, const char *content_type, const void *body, size_t len);

#endif

/* http_head: reads the head of one request from raw octets, line by line as they come, and says what must not
 * go on to the server behind it. Stricter than RFC 9112 where parsers are known to disagree: a line ends in
 * CRLF and nothing else, nothing is folded, one Content-Length of digits, no Transfer-Encoding. Pure. */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http_refusal.h"

/* A value: zero-initialise for each request. */
struct http_head {
	/* Valid when whole. */
	size_t skip;       /* octets of empty lines before the request */
	size_t len;        /* octets of the head after them, its empty line included */
	uint64_t body_len; /* by Content-Length, 0 without */
	bool is_head;
	bool expects_continue; /* and may be told so: not with HTTP/1.0 */
	bool whole;
	/* Valid when not whole. */
	size_t missing; /* octets that a well-formed head still lacks, at least; >= 1 */
	/* How far the reading came. */
	size_t at, seen;
	unsigned int lines;
	bool has_length, has_host, is_old;
	const char *detail; /* static; what is wrong, for the client */
};

/* Goes on with the first len octets of the request, the same as before and more. HTTP_FINE with h->whole set,
 * or not yet; else why it is refused. limit: octets of the head at most. */
enum http_refusal http_head_read(struct http_head *h, const char *bytes, size_t len, size_t limit);

#endif

/* http_refusal: what the server answers by itself, before a handler sees anything. */
#ifndef NET_HTTP_REFUSAL_H
#define NET_HTTP_REFUSAL_H

#include "base/buf.h"

enum http_refusal {
	HTTP_FINE,
	HTTP_MALFORMED,
	HTTP_LENGTH_REQUIRED,
	HTTP_HEADER_TOO_LARGE,
	HTTP_BODY_TOO_LARGE,
	HTTP_TIMEOUT,
	HTTP_FULL,
	HTTP_CROWDED,
	HTTP_METHOD_UNKNOWN,
	HTTP_EXPECTATION,
};
#define HTTP_REFUSALS (HTTP_EXPECTATION + 1)

/* "malformed_request", for metrics. */
const char *http_refusal_code(enum http_refusal r);
/* The whole response: problem+json (RFC 9457) with Connection: close. detail: plain ASCII without quotes,
 * NULL for the usual one. */
void http_refusal_write(enum http_refusal r, const char *detail, struct buf *out);

#endif

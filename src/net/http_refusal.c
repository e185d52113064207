#include "net/http_refusal.h"

#include <stdbool.h>
#include <stddef.h>

#define RETRY_AFTER_S 5

static const struct {
	int status;
	const char *code, *title, *detail;
	bool retryable;
} refusals[HTTP_REFUSALS] = {
    [HTTP_FINE] = {200, "", "", "", false},
    [HTTP_MALFORMED] = {400, "malformed_request", "Bad Request", "The request is not well-formed HTTP/1.1.",
        false},
    [HTTP_LENGTH_REQUIRED] = {411, "length_required", "Length Required",
        "Send the body as a whole with Content-Length, not in chunks.", false},
    [HTTP_HEADER_TOO_LARGE] = {431, "header_too_large", "Request Header Fields Too Large",
        "The header is larger than this server takes.", false},
    [HTTP_BODY_TOO_LARGE] = {413, "body_too_large", "Content Too Large",
        "The body is larger than this server takes; send less at a time.", false},
    [HTTP_TIMEOUT] = {408, "request_timeout", "Request Timeout", "The request did not come whole in time.",
        true},
    [HTTP_FULL] = {503, "too_many_connections", "Service Unavailable",
        "Too many connections; keep fewer open and come again later.", true},
    [HTTP_CROWDED] = {503, "too_many_octets", "Service Unavailable",
        "All requests together hold too much; send less at a time, or come again later.", true},
    [HTTP_METHOD_UNKNOWN] = {501, "method_unknown", "Not Implemented",
        "Use GET, POST, PUT, DELETE, PATCH, HEAD or OPTIONS.", false},
    [HTTP_EXPECTATION] = {417, "expectation_failed", "Expectation Failed",
        "Only Expect: 100-continue is understood.", false},
};

const char *http_refusal_code(enum http_refusal r)
{
	return refusals[r].code;
}

void http_refusal_write(enum http_refusal r, const char *detail, struct buf *out)
{
	struct buf body = {0};

	buf_printf(&body,
	    "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%d,\"code\":\"%s\",\"detail\":\"%s\","
	    "\"retryable\":%s}",
	    refusals[r].code, refusals[r].title, refusals[r].status, refusals[r].code,
	    detail ? detail : refusals[r].detail, refusals[r].retryable ? "true" : "false");
	buf_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n",
	    refusals[r].status, refusals[r].title, body.len);
	if (r == HTTP_FULL || r == HTTP_CROWDED)
		buf_printf(out, "Retry-After: %d\r\n", RETRY_AFTER_S);
	buf_str(out, "\r\n");
	buf_add(out, body.data, body.len);
	buf_fini(&body);
}

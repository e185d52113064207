#include "net/http_head.h"

#include <string.h>
#include <strings.h>

static enum http_refusal http_head_fail(struct http_head *h, enum http_refusal r, const char *detail)
{
	h->detail = detail;
	return r;
}

/* RFC 9110, 5.6.2. */
static bool http_is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool http_word_is(const char *word, size_t len, const char *what)
{
	return len == strlen(what) && !memcmp(word, what, len);
}

static bool http_name_is(const char *name, size_t len, const char *what)
{
	return len == strlen(what) && !strncasecmp(name, what, len);
}

static bool http_read_method(struct http_head *h, const char *word, size_t len)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"};

	h->is_head = http_word_is(word, len, "HEAD");
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (http_word_is(word, len, methods[i]))
			return true;
	return false;
}

/* Origin form, or absolute form with http(s). "//x" is a path to some and a host to others; "#" belongs to
 * the client's side; a NUL would cut the text for those who read it as a string. */
static bool http_target_is_good(const char *t, size_t len)
{
	bool absolute =
	    (len > 7 && !strncasecmp(t, "http://", 7)) || (len > 8 && !strncasecmp(t, "https://", 8));

	if (!absolute && (!len || t[0] != '/' || (len > 1 && t[1] == '/')))
		return false;
	for (size_t i = 0; i < len; i++)
		if (t[i] <= ' ' || t[i] > '~' || t[i] == '#')
			return false;
	return !memmem(t, len, "%00", 3);
}

static enum http_refusal http_read_request_line(struct http_head *h, const char *line, size_t len)
{
	const char *end = line + len, *target = memchr(line, ' ', len);
	const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;

	if (!version)
		return http_head_fail(h, HTTP_MALFORMED, "The request line must be: method, path, HTTP/1.1.");
	for (const char *c = line; c < target; c++)
		if (!http_is_token(*c))
			return http_head_fail(h, HTTP_MALFORMED, "The method is not a word.");
	if (!http_target_is_good(target + 1, (size_t)(version - target - 1)))
		return http_head_fail(
		    h, HTTP_MALFORMED, "The path must begin with one / and hold no raw or zero octets.");
	version++;
	if (!http_word_is(version, (size_t)(end - version), "HTTP/1.1") &&
	    !http_word_is(version, (size_t)(end - version), "HTTP/1.0"))
		return http_head_fail(h, HTTP_MALFORMED, "The version must be HTTP/1.1 or HTTP/1.0.");
	h->is_old = end[-1] == '0';
	if (!http_read_method(h, line, (size_t)(target - line)))
		return http_head_fail(
		    h, HTTP_METHOD_UNKNOWN, "Use GET, POST, PUT, DELETE, PATCH, HEAD or OPTIONS.");
	return HTTP_FINE;
}

static enum http_refusal http_read_length(struct http_head *h, const char *value, size_t len)
{
	if (h->has_length)
		return http_head_fail(h, HTTP_MALFORMED, "Content-Length is given twice.");
	h->has_length = true;
	if (!len || len > 18)
		return http_head_fail(h, HTTP_MALFORMED, "Content-Length must be a number of octets.");
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return http_head_fail(
			    h, HTTP_MALFORMED, "Content-Length must be a number of octets.");
		h->body_len = h->body_len * 10 + (uint64_t)(value[i] - '0');
	}
	return HTTP_FINE;
}

static enum http_refusal http_read_field(
    struct http_head *h, const char *name, size_t name_len, const char *value, size_t len)
{
	if (http_name_is(name, name_len, "Content-Length"))
		return http_read_length(h, value, len);
	if (http_name_is(name, name_len, "Transfer-Encoding"))
		return http_head_fail(
		    h, HTTP_LENGTH_REQUIRED, "Send the body as a whole with Content-Length, not in chunks.");
	if (http_name_is(name, name_len, "Host")) {
		if (h->has_host)
			return http_head_fail(h, HTTP_MALFORMED, "Host is given twice.");
		h->has_host = true;
	}
	if (http_name_is(name, name_len, "Expect")) {
		if (!http_name_is(value, len, "100-continue"))
			return http_head_fail(
			    h, HTTP_EXPECTATION, "Only Expect: 100-continue is understood.");
		h->expects_continue = !h->is_old;
	}
	return HTTP_FINE;
}

static bool http_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum http_refusal http_read_header_line(struct http_head *h, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *end = line + len;

	if (http_is_blank(line[0]))
		return http_head_fail(h, HTTP_MALFORMED, "A header goes on in the next line (folding).");
	if (!colon || colon == line)
		return http_head_fail(h, HTTP_MALFORMED, "A header line must be: name, colon, value.");
	for (const char *c = line; c < colon; c++)
		if (!http_is_token(*c))
			return http_head_fail(
			    h, HTTP_MALFORMED, "A header's name has a character that names cannot have.");
	for (const char *c = colon + 1; c < end; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return http_head_fail(h, HTTP_MALFORMED, "A header's value has a control character.");
	const char *value = colon + 1;
	while (value < end && http_is_blank(*value))
		value++;
	while (end > value && http_is_blank(end[-1]))
		end--;
	return http_read_field(h, line, (size_t)(colon - line), value, (size_t)(end - value));
}

static enum http_refusal http_read_line(struct http_head *h, const char *line, size_t len)
{
	if (!len && !h->lines) {
		h->skip = h->at;
		return HTTP_FINE;
	}
	if (!len) {
		h->whole = true;
		h->len = h->at - h->skip;
		return HTTP_FINE;
	}
	return h->lines++ ? http_read_header_line(h, line, len) : http_read_request_line(h, line, len);
}

/* The shortest first line, its end being LF alone. */
#define HTTP_LINE_LEAST (sizeof "GET / HTTP/1.1\n" - 1)

/* The head ends in CR LF CR LF; bytes end within a line. Clients that end their lines in LF show it in the
 * first one and are told so at once when it is whole: a line that is too short waits for its time. */
static size_t http_least_missing(const struct http_head *h, const char *bytes, size_t len)
{
	size_t said = len - h->at;

	if (!h->lines)
		return said < HTTP_LINE_LEAST ? HTTP_LINE_LEAST - said : 1;
	if (!said)
		return 2;
	if (bytes[len - 1] == '\r')
		return said == 1 ? 1 : 3;
	return 4;
}

enum http_refusal http_head_read(struct http_head *h, const char *bytes, size_t len, size_t limit)
{
	while (!h->whole) {
		const char *line = bytes + h->at;
		const char *end = h->seen < len ? memchr(bytes + h->seen, '\n', len - h->seen) : NULL;
		size_t line_end = end ? (size_t)(end - bytes) + 1 : len;
		enum http_refusal r;

		h->seen = line_end;
		if (line_end > limit)
			return http_head_fail(
			    h, HTTP_HEADER_TOO_LARGE, "The header is larger than this server takes.");
		if (!end) {
			h->missing = http_least_missing(h, bytes, len);
			return HTTP_FINE;
		}
		if (end == line || end[-1] != '\r' || memchr(line, '\r', (size_t)(end - line - 1)))
			return http_head_fail(h, HTTP_MALFORMED, "Each line must end in CR LF.");
		h->at = line_end;
		r = http_read_line(h, line, (size_t)(end - line - 1));
		if (r != HTTP_FINE)
			return r;
	}
	return HTTP_FINE;
}

#include <assert.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/http_conn.h"

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

struct call *call_new(struct conn *conn, struct evhttp_request *request)
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

void call_orphan(struct call *c)
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

const char *call_query_stranger(const struct call *c, const char *const *known, size_t n)
{
	return query_stranger(c->query, known, n);
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

int64_t call_uid(const struct call *c)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (!c->conn || c->conn->peer ||
	    getsockopt(bufferevent_getfd(c->conn->bev), SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return -1;
	return peer.uid;
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

static void call_put_body(struct evhttp_request *request, const void *body, size_t len)
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
}

void call_reply(struct call *c, int status, const char *content_type, const void *body, size_t len)
{
	struct conn *conn = c->conn;

	if (conn) {
		assert(conn->call == c);
		if (content_type)
			call_header_add(c, "Content-Type", content_type);
		call_put_body(c->request, body, content_type ? len : 0);
		conn_answer(conn, status);
	}
	call_free(c);
}

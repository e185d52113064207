/* The real server on loopback in this process; clients are plain sockets that this test drives octet by
 * octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "net/http_server.h"
#include "net/loop.h"

static int64_t fake_us = 1000000;

static int64_t fake_now(void)
{
	return fake_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

#define HELD 8

struct stage {
	struct loop *loop;
	struct http_server *server;
	uint16_t port;
	bool hold; /* keep calls in held instead of answering */
	struct call *held[HELD];
	size_t held_count;
	int requests;
	struct buf log; /* "METHOD path body;" of each request */
};

static const struct http_limits limits = {1024, 4096, 20, 10, 5000, 60000, 3000, 1 << 20};

static void answer(struct call *c)
{
	struct buf b = {0};
	size_t len;
	const char *body = call_body(c, &len);

	buf_printf(&b, "%s %s ", call_method(c), call_path(c));
	buf_add(&b, body, len);
	call_header_add(c, "X-Test", "yes");
	call_reply(c, 200, "text/plain", b.data, b.len);
	buf_fini(&b);
}

static void on_call(void *arg, struct call *c)
{
	struct stage *t = arg;
	size_t len;
	const char *body = call_body(c, &len);

	assert_int_equal(strlen(body), len);
	t->requests++;
	buf_printf(&t->log, "%s %s %s;", call_method(c), call_path(c), body);
	if (!t->hold) {
		answer(c);
		return;
	}
	assert_true(t->held_count < HELD);
	t->held[t->held_count++] = c;
}

static void stage_open(struct stage *t)
{
	char why[256];

	*t = (struct stage){.loop = loop_new(&fake_clock)};
	t->server = http_server_new(t->loop, &limits, on_call, t);
	assert_int_equal(http_server_listen(t->server, "127.0.0.1:0", NULL, 7, why, &t->port), KZ_OK);
}

static void stage_close(struct stage *t)
{
	http_server_free(t->server);
	loop_free(t->loop);
	buf_fini(&t->log);
}

static int client_open(const struct stage *t)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_port = htons(t->port);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void client_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What is there now, added to got. False at the end of the connection. */
static bool client_read(int fd, struct buf *got)
{
	ssize_t n = recv(fd, buf_space(got, 65536), 65536, 0);

	if (n > 0)
		buf_wrote(got, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void turn(struct stage *t)
{
	loop_turn(t->loop, 5);
}

#define TURN_UNTIL(t, cond)                                                                                  \
	do {                                                                                                 \
		int turns_ = 0;                                                                              \
		while (!(cond)) {                                                                            \
			assert_true(turns_++ < 2000);                                                        \
			turn(t);                                                                             \
		}                                                                                            \
	} while (0)

static void settle(struct stage *t)
{
	for (int i = 0; i < 4; i++)
		turn(t);
}

/* Everything until the server closes. */
static const char *client_read_all(struct stage *t, int fd, struct buf *got)
{
	buf_clear(got);
	TURN_UNTIL(t, !client_read(fd, got));
	return buf_text(got);
}

static bool client_sees(int fd, struct buf *got, const char *text)
{
	client_read(fd, got);
	return strstr(buf_text(got), text);
}

/* One request on a connection of its own; the reply up to the close. */
static const char *ask(struct stage *t, const char *request, struct buf *got)
{
	int fd = client_open(t);

	client_send(fd, request);
	client_read_all(t, fd, got);
	close(fd);
	TURN_UNTIL(t, !http_server_connections(t->server));
	return buf_text(got);
}

static void assert_begins(const char *text, const char *with)
{
	if (strncmp(text, with, strlen(with)))
		fail_msg("\"%s\" does not begin with \"%s\"", text, with);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not hold \"%s\"", text, part);
}

static void assert_refused(struct stage *t, const char *request, const char *status, const char *code)
{
	struct buf got = {0};
	int requests = t->requests;
	const char *reply = ask(t, request, &got);

	assert_begins(reply, "HTTP/1.1 ");
	assert_begins(reply + 9, status);
	assert_has(reply, "Content-Type: application/problem+json\r\n");
	assert_has(reply, "Connection: close\r\n");
	assert_has(reply, code);
	assert_int_equal(t->requests, requests);
	buf_fini(&got);
}

static void request__good__is_answered_and_the_connection_kept(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, "POST /v1/messages?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	TURN_UNTIL(&t, client_sees(fd, &got, "POST /v1/messages hello"));
	assert_begins(buf_text(&got), "HTTP/1.1 200 OK\r\n");
	assert_has(buf_text(&got), "X-Test: yes\r\n");
	assert_has(buf_text(&got), "Content-Type: text/plain\r\n");
	assert_has(buf_text(&got), "Content-Length: 23\r\n");
	buf_clear(&got);
	client_send(fd, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
	TURN_UNTIL(&t, client_sees(fd, &got, "GET /livez "));
	assert_int_equal(http_server_connections(t.server), 1);
	close(fd);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	buf_fini(&got);
	stage_close(&t);
}

static void request__octet_by_octet__is_the_same(void **state)
{
	struct stage t;
	struct buf got = {0};
	const char *request =
	    "\r\nPUT /a%20b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	for (const char *c = request; *c; c++) {
		char one[2] = {*c, '\0'};

		client_send(fd, one);
		loop_turn(t.loop, 1);
	}
	assert_has(client_read_all(&t, fd, &got), "\r\n\r\nPUT /a b abc");
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

static void requests__pipelined__are_answered_in_order(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	ask(&t,
	    "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
	    "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
	    "DELETE /3 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nthree"
	    "HEAD /h HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET "
	    "POST /4 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfour",
	    &got);
	assert_string_equal(buf_text(&t.log), "POST /1 one;GET /2 ;DELETE /3 three;HEAD /h ;POST /4 four;");
	const char *at = buf_text(&got);
	for (int i = 0; i < 4; i++) {
		static const char *const bodies[] = {
		    "POST /1 one", "GET /2 ", "DELETE /3 three", "POST /4 four"};

		at = strstr(at, bodies[i]);
		assert_non_null(at);
	}
	buf_fini(&got);
	stage_close(&t);
}

static void requests__pipelined_behind_a_held_one__wait_for_it(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	t.hold = true;
	int fd = client_open(&t);
	client_send(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	TURN_UNTIL(&t, t.held_count == 1);
	client_send(fd, "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
	settle(&t);
	assert_int_equal(t.requests, 1);
	for (size_t i = 0; i < 3; i++) {
		TURN_UNTIL(&t, t.held_count == i + 1);
		answer(t.held[i]);
	}
	TURN_UNTIL(&t, client_sees(fd, &got, "GET /3"));
	assert_string_equal(buf_text(&t.log), "GET /1 ;GET /2 ;GET /3 ;");
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

/* Sends whole requests until neither side moves any more; returns how many octets went. */
static size_t client_flood(struct stage *t, int fd)
{
	static const char request[] = "GET /flood HTTP/1.1\r\n\r\n";
	static char many[(sizeof request - 1) * 1000];
	static size_t at; /* where the next send goes on */
	size_t sent = 0;

	for (size_t i = 0; i < sizeof many; i++)
		many[i] = request[i % (sizeof request - 1)];
	for (int still = 0; still < 8; turn(t)) {
		ssize_t n = send(fd, many + at, sizeof many - at, MSG_NOSIGNAL);

		still = n > 0 ? 0 : still + 1;
		sent += n > 0 ? (size_t)n : 0;
		at = n > 0 ? (at + (size_t)n) % sizeof many : at;
	}
	return sent;
}

/* Of this process: sizes that do not grow, else the kernel takes more while the flood is on. Connections
 * inherit the listener's. */
static void sockets_fix(void)
{
	const int size = 32768;

	for (int fd = 3; fd < 256; fd++) { /* not a socket: refused, and fine */
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	}
}

static void requests__pipelined_without_end__are_not_taken_ahead(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	t.hold = true;
	sockets_fix();
	int fd = client_open(&t);
	sockets_fix();
	client_flood(&t, fd);
	size_t more = 0;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(t.held_count, 1);
		t.held_count = 0;
		answer(t.held[0]);
		TURN_UNTIL(&t, t.held_count == 1);
		more += client_flood(&t, fd);
		client_read(fd, &got);
	}
	assert_int_equal(t.requests, 21);
	/* The kernel's buffers may give way once; each answer must not. */
	assert_true(more < 150000);
	close(fd);
	buf_fini(&got);
	answer(t.held[0]);
	stage_close(&t);
}

static void request__http_1_0__is_answered_and_closed_unless_kept(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	assert_begins(ask(&t, "GET / HTTP/1.0\r\n\r\n", &got), "HTTP/1.0 200 OK\r\n");
	assert_has(buf_text(&got), "\r\n\r\nGET / ");
	buf_clear(&got);
	int fd = client_open(&t);
	client_send(fd, "GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	TURN_UNTIL(&t, client_sees(fd, &got, "GET /k "));
	assert_has(buf_text(&got), "Content-Length: 7\r\n");
	settle(&t);
	assert_true(client_read(fd, &got));
	assert_int_equal(http_server_connections(t.server), 1);
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

static void request__head__has_the_length_and_no_body(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	ask(&t, "HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &got);
	assert_has(buf_text(&got), "Content-Length: 8\r\n");
	assert_string_equal(strstr(buf_text(&got), "\r\n\r\n"), "\r\n\r\n");
	buf_fini(&got);
	stage_close(&t);
}

static void request__expecting_100__is_told_to_go_on(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, "POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	TURN_UNTIL(&t, client_sees(fd, &got, "\r\n\r\n"));
	assert_string_equal(buf_text(&got), "HTTP/1.1 100 Continue\r\n\r\n");
	client_send(fd, "ok");
	TURN_UNTIL(&t, client_sees(fd, &got, "POST /e ok"));
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

static void on_inspect(void *arg, struct call *c)
{
	(void)arg;
	assert_string_equal(call_method(c), "PATCH");
	assert_string_equal(call_path(c), "/v1/\xd0\xb0/b c");
	assert_string_equal(call_query(c, "to"), "+7 701");
	assert_string_equal(call_query(c, "flag"), "");
	assert_string_equal(call_query(c, "odd"), "%zz%4");
	assert_null(call_query(c, "none"));
	static const char *const known[] = {"to", "flag", "odd"};
	assert_null(call_query_stranger(c, known, 3));
	assert_string_equal(call_query_stranger(c, known, 2), "odd");
	assert_string_equal(call_query_stranger(c, NULL, 0), "to");
	assert_string_equal(call_header(c, "x-one"), "a b");
	assert_null(call_header(c, "X-Two"));
	assert_string_equal(call_peer(c), "127.0.0.1");
	assert_int_equal(call_tag(c), 7);
	call_reply(c, 204, NULL, NULL, 0);
}

static void call__its_parts__are_decoded(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	char why[256];
	struct http_server *s = http_server_new(t.loop, &limits, on_inspect, NULL);
	uint16_t plain = t.port;
	assert_int_equal(http_server_listen(s, "*:0", NULL, 7, why, &t.port), KZ_OK);
	int fd = client_open(&t);
	client_send(fd,
	    "PATCH /v1/%D0%b0/b%20c?&to=%2B7+701&&flag&odd=%zz%4& HTTP/1.1\r\nHost: x\r\nX-One: \t a b \r\n"
	    "Connection: close\r\n\r\n");
	client_read_all(&t, fd, &got);
	assert_begins(buf_text(&got), "HTTP/1.1 204 No Content\r\n");
	close(fd);
	http_server_free(s);
	t.port = plain;
	buf_fini(&got);
	stage_close(&t);
}

static void request__malformed__is_400(void **state)
{
	static const char *const bad[] = {
	    "GET\r\n\r\n",
	    "GET /\r\n\r\n",
	    "GET / HTTP/2.0\r\n\r\n",
	    "GET / HTTP/1.1 \r\n\r\n",
	    "GET  / HTTP/1.1\r\n\r\n",
	    "G(T / HTTP/1.1\r\n\r\n",
	    "GET x HTTP/1.1\r\n\r\n",
	    "GET //evil:x/ HTTP/1.1\r\n\r\n",
	    "GET /a\x01 HTTP/1.1\r\n\r\n",
	    "GET /a%00b HTTP/1.1\r\n\r\n",
	    "GET /a#b HTTP/1.1\r\n\r\n",
	    "GET http://a>b/ HTTP/1.1\r\n\r\n",
	    "GET / HTTP/1.1\n\r\n",
	    "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
	    "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
	    "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
	    "GET / HTTP/1.1\r\n A: b\r\n\r\n",
	    "GET / HTTP/1.1\r\nA : b\r\n\r\n",
	    "GET / HTTP/1.1\r\nA\r\n\r\n",
	    "GET / HTTP/1.1\r\n: b\r\n\r\n",
	    "GET / HTTP/1.1\r\nA: \x02\r\n\r\n",
	    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	    "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
	    "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx",
	    "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
	    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nx",
	    "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\nx",
	    "POST / HTTP/1.1\r\nContent-Length:\r\n\r\nx",
	    "POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\nx",
	};
	struct stage t;

	(void)state;
	stage_open(&t);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused(&t, bad[i], "400 Bad Request\r\n", "\"code\":\"malformed_request\"");
	stage_close(&t);
}

static void request__chunked__is_411(void **state)
{
	struct stage t;

	(void)state;
	stage_open(&t);
	assert_refused(&t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "411 ", "\"code\":\"length_required\"");
	assert_refused(&t,
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n",
	    "411 ", "\"type\":\"/problems/length_required\"");
	stage_close(&t);
}

/* A client that has sent n octets of a body of 60,000. */
static int client_with_half(struct stage *t, size_t n)
{
	int fd = client_open(t);
	char *part = mem_new(n + 1);

	client_send(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
	memset(part, 'x', n);
	client_send(fd, part);
	free(part);
	return fd;
}

static double held(void)
{
	return metric_value(
	    metric_gauge("kezek_http_held_octets", "Octets of requests that connections hold.", ""));
}

static void requests__hold_too_much_together__large_ones_are_503_and_small_ones_pass(void **state)
{
	static const struct http_limits narrow = {1024, 65536, 20, 20, 5000, 60000, 3000, 100000};
	struct stage t;
	struct buf got = {0};
	int large[3], small;

	(void)state;
	stage_open(&t);
	http_server_set_limits(t.server, &narrow);
	for (int i = 0; i < 2; i++) {
		large[i] = client_with_half(&t, 40000);
		TURN_UNTIL(&t, held() > (i + 1) * (40000 - 4096));
	}
	large[2] = client_with_half(&t, 40000);
	assert_begins(client_read_all(&t, large[2], &got), "HTTP/1.1 503 ");
	assert_has(buf_text(&got), "\"code\":\"too_many_octets\"");
	assert_has(buf_text(&got), "Retry-After: 5\r\n");
	small = client_open(&t);
	buf_clear(&got);
	client_send(small, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nxxxx");
	TURN_UNTIL(&t, client_sees(small, &got, "POST /small xxxx"));
	close(large[0]);
	TURN_UNTIL(&t, held() < 50000);
	close(large[1]);
	close(large[2]);
	close(small);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	assert_int_equal(held(), 0);
	buf_fini(&got);
	stage_close(&t);
}

static void request__too_large__is_431_or_413(void **state)
{
	struct stage t;
	struct buf request = {0};

	(void)state;
	stage_open(&t);
	buf_str(&request, "GET / HTTP/1.1\r\nHost: x\r\nA: ");
	while (request.len <= limits.header_bytes)
		buf_char(&request, 'a');
	assert_refused(&t, buf_text(&request), "431 ", "\"code\":\"header_too_large\"");
	assert_refused(&t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n", "413 ",
	    "\"code\":\"body_too_large\"");
	assert_refused(&t,
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\nExpect: 100-continue\r\n\r\n", "413 ",
	    "\"retryable\":false");
	assert_refused(&t, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "501 ", "\"code\":\"method_unknown\"");
	assert_refused(&t, "POST / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "417 ",
	    "\"code\":\"expectation_failed\"");
	buf_fini(&request);
	stage_close(&t);
}

static void request__as_large_as_allowed__is_good(void **state)
{
	struct stage t;
	struct buf request = {0}, got = {0};

	(void)state;
	stage_open(&t);
	buf_str(&request, "POST /big HTTP/1.1\r\nContent-Length: 4096\r\nConnection: close\r\nA: ");
	while (request.len < limits.header_bytes - 4)
		buf_char(&request, 'a');
	buf_str(&request, "\r\n\r\n");
	assert_int_equal(request.len, limits.header_bytes);
	for (int i = 0; i < 4096; i++)
		buf_char(&request, (char)('a' + i % 26));
	ask(&t, buf_text(&request), &got);
	assert_begins(buf_text(&got), "HTTP/1.1 200 ");
	assert_memory_equal(got.data + got.len - 4096, request.data + request.len - 4096, 4096);
	buf_fini(&request);
	buf_fini(&got);
	stage_close(&t);
}

static void request__cut_anywhere__is_answered(void **state)
{
	static const char *const requests[] = {
	    "GET / HTTP/1.0\r\n\r\n", "\r\nPOST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"};
	struct stage t;
	struct buf got = {0}, piece = {0};

	(void)state;
	stage_open(&t);
	for (size_t r = 0; r < 2; r++) {
		size_t len = strlen(requests[r]), cuts = 0;

		for (size_t i = 1; i < len - 1; i++)
			for (size_t j = i + 1; j < len; j++, cuts++) {
				size_t ends[] = {i, j, len}, from = 0;
				int fd = client_open(&t);

				for (size_t k = 0; k < 3; from = ends[k++]) {
					buf_clear(&piece);
					buf_add(&piece, requests[r] + from, ends[k] - from);
					client_send(fd, buf_text(&piece));
					loop_turn(t.loop, 0);
					loop_turn(t.loop, 0);
				}
				assert_begins(client_read_all(&t, fd, &got), "HTTP/1.0 200 ");
				close(fd);
			}
		assert_int_equal(cuts, (len - 1) * (len - 2) / 2);
	}
	buf_fini(&got);
	buf_fini(&piece);
	stage_close(&t);
}

static void request__with_lf_alone__is_400_at_once_in_pieces_too(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, "GET / HTTP/1.0");
	settle(&t);
	client_send(fd, "\n");
	assert_begins(client_read_all(&t, fd, &got), "HTTP/1.1 400 ");
	assert_has(buf_text(&got), "Each line must end in CR LF.");
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

/* How many octets are read when so many single ones were sent. */
static double read_of(struct stage *t, int fd, int sent)
{
	double before = held();

	for (int i = 0; i < sent; i++) {
		client_send(fd, "x");
		loop_turn(t->loop, 0);
	}
	return held() - before;
}

static void request__dribbled__wakes_us_when_it_may_be_whole(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nContent-Length: 100\r\nX: ";
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, head);
	TURN_UNTIL(&t, held() == sizeof head - 1);
	assert_true(read_of(&t, fd, 3) == 0);
	assert_true(read_of(&t, fd, 1) == 4);
	assert_true(read_of(&t, fd, 3) == 0);
	client_send(fd, "\r\n\r\n");
	TURN_UNTIL(&t, held() == sizeof head - 1 + 7 + 4);
	assert_true(read_of(&t, fd, 99) == 0);
	client_send(fd, "y");
	TURN_UNTIL(&t, client_sees(fd, &got, "xxxy"));
	/* The next one is read from its first octet on. */
	assert_true(held() == 0);
	client_send(fd, "G");
	TURN_UNTIL(&t, held() == 1);
	assert_true(read_of(&t, fd, 13) == 0);
	client_send(fd, "x");
	TURN_UNTIL(&t, held() == 15);
	/* Who leaves is noticed. */
	client_send(fd, "xx");
	close(fd);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	buf_fini(&got);
	stage_close(&t);
}

static void request__dribbled__is_408_after_its_whole_time(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, "G");
	settle(&t);
	for (int i = 0; i < 49; i++) {
		fake_us += 100000;
		client_send(fd, i ? "/" : "ET /");
		loop_turn(t.loop, 1);
	}
	assert_true(client_read(fd, &got));
	assert_int_equal(got.len, 0);
	fake_us += 100000;
	TURN_UNTIL(&t, client_sees(fd, &got, "}"));
	assert_begins(buf_text(&got), "HTTP/1.1 408 ");
	assert_has(buf_text(&got), "\"code\":\"request_timeout\"");
	close(fd);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	buf_fini(&got);
	stage_close(&t);
}

static void clients_open(const struct stage *t, int *fds, int n)
{
	for (int i = 0; i < n; i++)
		fds[i] = client_open(t);
}

static void clients_close(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

static int answered(const int *fds, int n)
{
	char octet;
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += recv(fds[i], &octet, 1, MSG_PEEK) > 0;
	return sum;
}

static void request__many_are_late_at_once__others_are_answered_between(void **state)
{
	struct stage t;
	int late[6], other, rounds = 0;

	(void)state;
	stage_open(&t);
	other = client_open(&t);
	clients_open(&t, late, 6);
	for (int i = 0; i < 6; i++)
		client_send(late[i], "G");
	settle(&t);
	fake_us += 5000000;
	client_send(other, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
	for (; !answered(&other, 1); rounds++)
		loop_turn(t.loop, 0);
	assert_in_range(rounds, 1, 2);
	assert_in_range(answered(late, 6), 0, 1);
	for (int before = answered(late, 6); before < 6; rounds++) {
		assert_in_range(rounds, 1, 20);
		loop_turn(t.loop, 0);
		int now = answered(late, 6);
		assert_in_range(now - before, 0, 1);
		before = now;
	}
	/* Who leaves before it is its turn has none. */
	double refused = metrics_total("kezek_http_refused_total");
	int gone[2];
	clients_open(&t, gone, 2);
	for (int i = 0; i < 2; i++)
		client_send(gone[i], "G");
	settle(&t);
	fake_us += 5000000;
	loop_turn(t.loop, 0);
	clients_close(gone, 2);
	clients_close(late, 6);
	TURN_UNTIL(&t, http_server_connections(t.server) == 1);
	assert_true(metrics_total("kezek_http_refused_total") <= refused + 1);
	close(other);
	stage_close(&t);
}

static void request__is_late_when_the_server_goes__goes_with_it(void **state)
{
	struct stage t;
	int fds[3];

	(void)state;
	stage_open(&t);
	clients_open(&t, fds, 3);
	for (int i = 0; i < 3; i++)
		client_send(fds[i], "G");
	settle(&t);
	fake_us += 5000000;
	loop_turn(t.loop, 0);
	assert_int_equal(http_server_connections(t.server), 3);
	stage_close(&t);
	clients_close(fds, 3);
}

/* The descriptor of this process at the other end of a client's. */
static int peer_of(int client)
{
	struct sockaddr_in mine, peer;
	socklen_t len = sizeof mine;

	assert_int_equal(getsockname(client, (struct sockaddr *)&mine, &len), 0);
	for (int fd = 3; fd < 256; fd++) {
		len = sizeof peer;
		if (!getpeername(fd, (struct sockaddr *)&peer, &len) && peer.sin_family == AF_INET &&
		    peer.sin_port == mine.sin_port)
			return fd;
	}
	fail_msg("nobody has accepted it");
	return -1;
}

static void connection__is_taken__has_tcp_nodelay(void **state)
{
	struct stage t;
	int on = 0;
	socklen_t len = sizeof on;

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	TURN_UNTIL(&t, http_server_connections(t.server) == 1);
	assert_int_equal(getsockopt(peer_of(fd), IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_true(on);
	close(fd);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	stage_close(&t);
}

static void door__goes_while_more_wait_than_it_takes_in_a_round__nothing_is_left(void **state)
{
	struct stage t;
	int fds[10];

	(void)state;
	stage_open(&t);
	clients_open(&t, fds, 10);
	loop_turn(t.loop, 0);
	http_server_drain(t.server);
	loop_turn(t.loop, 0);
	assert_int_equal(http_server_connections(t.server), 0);
	stage_close(&t);
	clients_close(fds, 10);
}

static void connection__many_at_once__are_taken_a_few_a_round(void **state)
{
	struct stage t;
	int fds[10];

	(void)state;
	stage_open(&t);
	clients_open(&t, fds, 10);
	loop_turn(t.loop, 0);
	assert_int_equal(http_server_connections(t.server), 8);
	loop_turn(t.loop, 0);
	assert_int_equal(http_server_connections(t.server), 10);
	clients_close(fds, 10);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	stage_close(&t);
}

static void refused__client_keeps_sending__is_cut_after_a_while(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, "POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n");
	TURN_UNTIL(&t, client_sees(fd, &got, "}"));
	client_send(fd, "xxxx");
	settle(&t);
	assert_int_equal(http_server_connections(t.server), 1);
	fake_us += 2000000;
	settle(&t);
	assert_int_equal(http_server_connections(t.server), 0);
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

static void connection__idle__is_closed_silently(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	int never = client_open(&t), once = client_open(&t);
	TURN_UNTIL(&t, http_server_connections(t.server) == 2);
	fake_us += 30000000;
	client_send(once, "GET / HTTP/1.1\r\n\r\n");
	TURN_UNTIL(&t, client_sees(once, &got, "GET / "));
	settle(&t);
	fake_us += 30000000;
	settle(&t);
	assert_int_equal(http_server_connections(t.server), 1);
	fake_us += 30000000;
	settle(&t);
	assert_int_equal(http_server_connections(t.server), 0);
	buf_clear(&got);
	assert_false(client_read(never, &got));
	assert_false(client_read(once, &got));
	assert_int_equal(got.len, 0);
	close(never);
	close(once);
	buf_fini(&got);
	stage_close(&t);
}

static void client__does_not_read_its_answer__is_closed(void **state)
{
	struct stage t;
	static char big[20000000];
	int room = 4096;

	(void)state;
	stage_open(&t);
	t.hold = true;
	int fd = client_open(&t);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	client_send(fd, "GET / HTTP/1.1\r\n\r\n");
	TURN_UNTIL(&t, t.held_count);
	call_reply(t.held[0], 200, "text/plain", big, sizeof big);
	settle(&t);
	for (int i = 0; i < 3; i++) {
		fake_us += 3000000;
		settle(&t);
	}
	assert_int_equal(http_server_connections(t.server), 0);
	close(fd);
	stage_close(&t);
}

static void client__leaves_before_the_answer__the_answer_goes_nowhere(void **state)
{
	struct stage t;

	(void)state;
	stage_open(&t);
	t.hold = true;
	for (size_t i = 0; i < 3; i++) {
		struct linger cut = {1, 0};
		int fd = client_open(&t);

		client_send(fd, "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
		TURN_UNTIL(&t, t.held_count == i + 1);
		if (i == 1)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof cut);
		close(fd);
		settle(&t);
	}
	for (size_t i = 0; i < 3; i++)
		answer(t.held[i]);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	stage_close(&t);
}

static void client__closes_only_its_side__gets_the_answer(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	t.hold = true;
	int fd = client_open(&t);
	client_send(fd, "GET /half HTTP/1.1\r\n\r\n");
	shutdown(fd, SHUT_WR);
	TURN_UNTIL(&t, t.held_count);
	answer(t.held[0]);
	assert_has(client_read_all(&t, fd, &got), "GET /half ");
	close(fd);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	buf_fini(&got);
	stage_close(&t);
}

static void server__freed_with_open_calls__they_become_no_ops(void **state)
{
	struct stage t;
	size_t len;

	(void)state;
	stage_open(&t);
	t.hold = true;
	int fd = client_open(&t), fresh = client_open(&t);
	client_send(fd, "POST /p HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
	TURN_UNTIL(&t, t.held_count);
	http_server_free(t.server);
	t.server = NULL;
	assert_string_equal(call_path(t.held[0]), "/p");
	assert_string_equal(call_body(t.held[0], &len), "");
	assert_null(call_header(t.held[0], "Host"));
	call_header_add(t.held[0], "A", "b");
	call_reply(t.held[0], 200, "text/plain", "late", 4);
	close(fd);
	close(fresh);
	stage_close(&t);
}

static void connections__over_the_cap_of_a_peer__get_503(void **state)
{
	struct stage t;
	struct buf got = {0};
	int fds[11];

	(void)state;
	stage_open(&t);
	for (int i = 0; i < 10; i++)
		fds[i] = client_open(&t);
	TURN_UNTIL(&t, http_server_connections(t.server) == 10);
	fds[10] = client_open(&t);
	client_read_all(&t, fds[10], &got);
	assert_begins(buf_text(&got), "HTTP/1.1 503 Service Unavailable\r\n");
	assert_has(buf_text(&got), "Retry-After: ");
	assert_has(buf_text(&got), "\"code\":\"too_many_connections\"");
	assert_has(buf_text(&got), "\"retryable\":true");
	close(fds[10]);
	TURN_UNTIL(&t, http_server_connections(t.server) == 10);
	close(fds[0]);
	TURN_UNTIL(&t, http_server_connections(t.server) == 9);
	fds[0] = client_open(&t);
	client_send(fds[0], "GET /again HTTP/1.1\r\n\r\n");
	buf_clear(&got);
	TURN_UNTIL(&t, client_sees(fds[0], &got, "GET /again"));
	for (int i = 0; i < 10; i++)
		close(fds[i]);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	buf_fini(&got);
	stage_close(&t);
}

static void accept__without_a_descriptor__waits_instead_of_spinning(void **state)
{
	struct stage t;
	struct buf got = {0};
	struct rlimit all, few;

	(void)state;
	stage_open(&t);
	int fd = client_open(&t);
	client_send(fd, "GET /patient HTTP/1.1\r\n\r\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = (rlim_t)fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	settle(&t);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	settle(&t);
	assert_int_equal(http_server_connections(t.server), 0);
	fake_us += 100000;
	TURN_UNTIL(&t, client_sees(fd, &got, "GET /patient"));
	close(fd);
	buf_fini(&got);
	stage_close(&t);
}

static void drain__idle_waiting_and_running__end_each_in_its_way(void **state)
{
	struct stage t;
	struct buf got = {0};

	(void)state;
	stage_open(&t);
	t.hold = true;
	int idle = client_open(&t), running = client_open(&t), begun = client_open(&t);
	client_send(running, "GET /running HTTP/1.1\r\n\r\n");
	client_send(begun, "GET /begun HTTP");
	TURN_UNTIL(&t, t.held_count == 1 && http_server_connections(t.server) == 3);
	settle(&t);
	http_server_drain(t.server);
	client_read_all(&t, idle, &got);
	assert_int_equal(got.len, 0);
	client_send(begun, "/1.1\r\n\r\n");
	TURN_UNTIL(&t, t.held_count == 2);
	answer(t.held[0]);
	answer(t.held[1]);
	assert_has(client_read_all(&t, running, &got), "Connection: close\r\n");
	assert_has(buf_text(&got), "GET /running");
	assert_has(client_read_all(&t, begun, &got), "GET /begun");
	assert_int_equal(http_server_connections(t.server), 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int late = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_port = htons(t.port);
	assert_int_equal(connect(late, (struct sockaddr *)&a, sizeof a), -1);
	close(late);
	close(idle);
	close(running);
	close(begun);
	buf_fini(&got);
	stage_close(&t);
}

static char folder[] = "/tmp/kezek-http-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][108];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static int unix_client(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void on_unix_call(void *arg, struct call *c)
{
	(void)arg;
	assert_string_equal(call_peer(c), "unix");
	assert_int_equal(call_tag(c), 9);
	call_reply(c, 200, "text/plain", "by unix", 7);
}

static void unix_socket__stale_file__is_replaced_and_answers(void **state)
{
	struct stage t;
	struct buf got = {0};
	struct stat st;
	char why[256], address[128];
	int clients[12];

	(void)state;
	stage_open(&t);
	snprintf(address, sizeof address, "unix:%s", in_folder("socket"));
	struct http_server *s = http_server_new(t.loop, &limits, on_unix_call, NULL);
	assert_int_equal(http_server_listen(s, address, NULL, 9, why, NULL), KZ_OK);
	/* Taken: another server must not steal it. */
	assert_int_equal(http_server_listen(s, address, NULL, 9, why, NULL), KZ_LOST);
	assert_non_null(strstr(why, "in use"));
	http_server_free(s);
	s = http_server_new(t.loop, &limits, on_unix_call, NULL);
	assert_int_equal(http_server_listen(s, address, NULL, 9, why, NULL), KZ_OK);
	assert_int_equal(stat(in_folder("socket"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	for (int i = 0; i < 12; i++) { /* over the cap per peer, which does not count here */
		buf_clear(&got);
		clients[i] = unix_client(in_folder("socket"));
		client_send(clients[i], "GET / HTTP/1.1\r\n\r\n");
		TURN_UNTIL(&t, client_sees(clients[i], &got, "by unix"));
	}
	assert_int_equal(http_server_connections(s), 12);
	for (int i = 0; i < 12; i++)
		close(clients[i]);
	TURN_UNTIL(&t, !http_server_connections(s));
	http_server_free(s);
	unlink(in_folder("socket"));
	buf_fini(&got);
	stage_close(&t);
}

/* TLS: the client runs on memory buffers, its octets are carried by hand. */

static void make_certificate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	FILE *f = fopen(in_folder("crt"), "w");
	assert_non_null(f);
	PEM_write_X509(f, x);
	fclose(f);
	f = fopen(in_folder("key"), "w");
	assert_non_null(f);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* Reads what the server said over ssl. False at the end. */
static bool tls_client_read(SSL *ssl, struct buf *got)
{
	size_t n;

	if (SSL_read_ex(ssl, buf_space(got, 16384), 16384, &n) == 1) {
		buf_wrote(got, n);
		return true;
	}
	int error = SSL_get_error(ssl, 0);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void tls_listener__requests_and_refusals__work_alike(void **state)
{
	struct stage t;
	struct buf got = {0};
	char why[256];
	size_t n;

	(void)state;
	stage_open(&t);
	uint16_t plain = t.port;
	struct tls *tls = tls_server_new(in_folder("crt"), in_folder("key"), why);
	assert_non_null(tls);
	assert_int_equal(http_server_listen(t.server, "127.0.0.1:0", tls, 8, why, &t.port), KZ_OK);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	for (int i = 0; i < 2; i++) {
		SSL *ssl = SSL_new(ctx);
		int fd = client_open(&t);

		SSL_set_fd(ssl, fd);
		SSL_set_connect_state(ssl);
		TURN_UNTIL(&t, SSL_do_handshake(ssl) == 1);
		const char *good = "POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\noneGET /2 HTTP/1.1\r\n\r\n";
		assert_int_equal(SSL_write_ex(ssl, good, strlen(good), &n), 1);
		buf_clear(&got);
		TURN_UNTIL(&t, (tls_client_read(ssl, &got), strstr(buf_text(&got), "GET /2 ")));
		assert_has(buf_text(&got), "POST /1 one");
		const char *bad =
		    i ? "GET / HTTP/1.1\r\nConnection: close\r\n\r\n" : "POST / HTTP/1.1\r\nA : b\r\n\r\n";
		assert_int_equal(SSL_write_ex(ssl, bad, strlen(bad), &n), 1);
		buf_clear(&got);
		TURN_UNTIL(
		    &t, (tls_client_read(ssl, &got), strstr(buf_text(&got), i ? "\r\n\r\nGET / " : "}")));
		assert_begins(buf_text(&got), i ? "HTTP/1.1 200" : "HTTP/1.1 400");
		close(fd);
		SSL_free(ssl);
		TURN_UNTIL(&t, !http_server_connections(t.server));
	}
	/* Plain text to the TLS port, and one that leaves in its handshake. */
	int fd = client_open(&t), gone = client_open(&t);
	client_send(fd, "GET / HTTP/1.1\r\n\r\n");
	close(gone);
	buf_clear(&got);
	client_read_all(&t, fd, &got);
	close(fd);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	SSL_CTX_free(ctx);
	tls_free(tls);
	t.port = plain;
	buf_fini(&got);
	stage_close(&t);
}

static void tls_client__leaves_before_the_answer__the_answer_goes_nowhere(void **state)
{
	struct stage t;
	char why[256];
	size_t n;

	(void)state;
	stage_open(&t);
	t.hold = true;
	struct tls *tls = tls_server_new(in_folder("crt"), in_folder("key"), why);
	assert_int_equal(http_server_listen(t.server, "127.0.0.1:0", tls, 8, why, &t.port), KZ_OK);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	struct linger cut = {1, 0};
	int fd = client_open(&t);
	SSL_set_fd(ssl, fd);
	SSL_set_connect_state(ssl);
	TURN_UNTIL(&t, SSL_do_handshake(ssl) == 1);
	assert_int_equal(SSL_write_ex(ssl, "GET / HTTP/1.1\r\n\r\n", 18, &n), 1);
	TURN_UNTIL(&t, t.held_count == 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof cut);
	close(fd);
	SSL_free(ssl);
	settle(&t);
	answer(t.held[0]);
	TURN_UNTIL(&t, !http_server_connections(t.server));
	SSL_CTX_free(ctx);
	tls_free(tls);
	stage_close(&t);
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	make_certificate();
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(in_folder("crt"));
	unlink(in_folder("key"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request__good__is_answered_and_the_connection_kept),
	    cmocka_unit_test(request__octet_by_octet__is_the_same),
	    cmocka_unit_test(requests__pipelined__are_answered_in_order),
	    cmocka_unit_test(requests__pipelined_behind_a_held_one__wait_for_it),
	    cmocka_unit_test(requests__pipelined_without_end__are_not_taken_ahead),
	    cmocka_unit_test(request__http_1_0__is_answered_and_closed_unless_kept),
	    cmocka_unit_test(request__head__has_the_length_and_no_body),
	    cmocka_unit_test(request__expecting_100__is_told_to_go_on),
	    cmocka_unit_test(call__its_parts__are_decoded),
	    cmocka_unit_test(request__malformed__is_400),
	    cmocka_unit_test(request__chunked__is_411),
	    cmocka_unit_test(requests__hold_too_much_together__large_ones_are_503_and_small_ones_pass),
	    cmocka_unit_test(request__too_large__is_431_or_413),
	    cmocka_unit_test(request__as_large_as_allowed__is_good),
	    cmocka_unit_test(request__cut_anywhere__is_answered),
	    cmocka_unit_test(request__with_lf_alone__is_400_at_once_in_pieces_too),
	    cmocka_unit_test(request__dribbled__wakes_us_when_it_may_be_whole),
	    cmocka_unit_test(request__many_are_late_at_once__others_are_answered_between),
	    cmocka_unit_test(request__is_late_when_the_server_goes__goes_with_it),
	    cmocka_unit_test(connection__is_taken__has_tcp_nodelay),
	    cmocka_unit_test(door__goes_while_more_wait_than_it_takes_in_a_round__nothing_is_left),
	    cmocka_unit_test(connection__many_at_once__are_taken_a_few_a_round),
	    cmocka_unit_test(request__dribbled__is_408_after_its_whole_time),
	    cmocka_unit_test(refused__client_keeps_sending__is_cut_after_a_while),
	    cmocka_unit_test(connection__idle__is_closed_silently),
	    cmocka_unit_test(client__does_not_read_its_answer__is_closed),
	    cmocka_unit_test(client__leaves_before_the_answer__the_answer_goes_nowhere),
	    cmocka_unit_test(client__closes_only_its_side__gets_the_answer),
	    cmocka_unit_test(server__freed_with_open_calls__they_become_no_ops),
	    cmocka_unit_test(connections__over_the_cap_of_a_peer__get_503),
	    cmocka_unit_test(accept__without_a_descriptor__waits_instead_of_spinning),
	    cmocka_unit_test(drain__idle_waiting_and_running__end_each_in_its_way),
	    cmocka_unit_test(unix_socket__stale_file__is_replaced_and_answers),
	    cmocka_unit_test(tls_listener__requests_and_refusals__work_alike),
	    cmocka_unit_test(tls_client__leaves_before_the_answer__the_answer_goes_nowhere),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

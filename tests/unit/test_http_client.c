/* The client and a server of the test's own in one loop, by the machine's clock, since libcurl has its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/http_client.h"
#include "net/stream.h"

#define PEERS 16

/* libcurl and OpenSSL find these before the C library's: a name that has a private address and a public one
 * where nobody is, and who looks for authorities that the system trusts. */
#define AWAY "8.8.8.8"
static atomic_int away_asked, authorities_looked_for;

#pragma GCC visibility push(default)
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
	    (__typeof__(real))dlsym(RTLD_NEXT, "getaddrinfo");
	int r;

	if (!name || strcmp(name, "two-addresses.example") != 0)
		return real(name, service, hints, ret);
	r = real("127.0.0.1", service, hints, ret);
	return r ? r : real(AWAY, service, hints, &(*ret)->ai_next);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	const struct sockaddr_in *in = (const void *)to;

	if (to->sa_family == AF_INET && in->sin_addr.s_addr == inet_addr(AWAY)) {
		away_asked++;
		errno = ENETUNREACH;
		return -1;
	}
	return (int)syscall(SYS_connect, fd, to, len);
}

int stat(const char *path, struct stat *ret)
{
	authorities_looked_for += strncmp(path, "/etc/ssl/certs/", 15) == 0;
	return fstatat(AT_FDCWD, path, ret, 0);
}
#pragma GCC visibility pop

struct peer {
	struct stream *stream;
	struct server *server;
	struct buf got;
};

/* Says the same to every whole request. */
struct server {
	struct loop *loop;
	struct listener *listener;
	struct tls *tls;
	struct peer peers[PEERS];
	int accepted, requests;
	const char *answer; /* NULL: silence */
	bool closes;        /* after the answer */
	char last[4096];    /* request */
};

struct heard {
	int count;
	struct http_answer answer;
	struct http_client *client; /* cancels there what other says */
	uint64_t other;
};

struct rig {
	struct server server;
	struct http_client *client;
	struct heard heard;
	char url[64];
};

static void peer_on_open(void *arg)
{
	(void)arg;
}

static size_t peer_on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	struct peer *p = arg;
	struct server *s = p->server;
	const char *end;
	size_t body;

	buf_add(&p->got, bytes, len);
	end = strstr(buf_text(&p->got), "\r\n\r\n");
	const char *length = strcasestr(buf_text(&p->got), "content-length:");
	if (!end || !length)
		return len;
	body = strtoul(length + 15, NULL, 10);
	if (p->got.len < (size_t)(end - p->got.data) + 4 + body)
		return len;
	snprintf(s->last, sizeof s->last, "%s", buf_text(&p->got));
	buf_clear(&p->got);
	s->requests++;
	if (s->answer)
		assert_int_equal(stream_write(p->stream, s->answer, strlen(s->answer)), KZ_OK);
	if (s->closes)
		stream_finish(p->stream);
	return len;
}

static void peer_on_close(void *arg, enum kz r, const char *reason)
{
	struct peer *p = arg;

	(void)r;
	(void)reason;
	stream_free(p->stream);
	p->stream = NULL;
}

static const struct stream_events peer_events = {peer_on_open, peer_on_bytes, peer_on_close};

static void server_on_accept(void *arg, int fd)
{
	struct server *s = arg;
	const struct stream_options o = {5000, 5000, 2000000, 1000000, NULL, s->tls, NULL};
	struct peer *p = &s->peers[s->accepted++];

	assert_true(s->accepted <= PEERS);
	p->server = s;
	p->stream = stream_accept(s->loop, fd, &o, &peer_events, p);
}

static void rig_client(struct rig *g, bool allow_private, const char *ca_path)
{
	const struct http_client_options o = {.asks = 4, .allow_private = allow_private, .ca_path = ca_path};

	http_client_free(g->client);
	g->client = http_client_new(g->server.loop, &o);
}

static int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);
	char why[256];

	g->server.loop = loop_new(&clock_real);
	g->server.listener = listener_new(g->server.loop, "127.0.0.1:0", server_on_accept, &g->server, why);
	assert_non_null(g->server.listener);
	snprintf(g->url, sizeof g->url, "http://127.0.0.1:%u/hook?a=1", listener_port(g->server.listener));
	rig_client(g, true, "");
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	http_client_free(g->client);
	for (int i = 0; i < PEERS; i++) {
		stream_free(g->server.peers[i].stream);
		buf_fini(&g->server.peers[i].got);
	}
	listener_free(g->server.listener);
	loop_free(g->server.loop);
	tls_free(g->server.tls);
	free(g);
	return 0;
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct heard *h = arg;

	h->count++;
	h->answer = *a;
	if (h->client)
		http_client_cancel(h->client, h->other);
}

static enum kz post_to(struct rig *g, const char *url, struct heard *h, int64_t timeout_ms, uint64_t *ret)
{
	static const char *const headers[] = {"Content-Type: application/json", "webhook-id: end_1", NULL};
	const struct http_ask ask = {url, headers, "{\"a\":1}", 7, timeout_ms};

	return http_client_post(g->client, &ask, on_answer, h, ret);
}

static uint64_t post(struct rig *g, struct heard *h)
{
	uint64_t ticket = 0;

	assert_int_equal(post_to(g, g->url, h, 10000, &ticket), KZ_OK);
	assert_int_equal(h->count, 0);
	return ticket;
}

static void await(struct rig *g, const int *number, int reached)
{
	int64_t give_up = clock_real.mono_us() + 20000000;

	while (*number < reached && clock_real.mono_us() < give_up)
		loop_turn(g->server.loop, 20);
	assert_int_equal(*number, reached);
}

/* What one POST comes to when the server says so. */
static struct http_answer ask(struct rig *g, const char *answer)
{
	struct heard h = {0};

	g->server.answer = answer;
	post(g, &h);
	await(g, &h.count, 1);
	return h.answer;
}

#define OK_ANSWER "HTTP/1.1 204 No Content\r\n\r\n"

static void post__answered__the_status_and_what_the_server_saw(void **state)
{
	struct rig *g = *state;
	const struct http_answer a = ask(g, OK_ANSWER);

	assert_int_equal(a.outcome, HTTP_ANSWERED);
	assert_int_equal(a.status, 204);
	assert_int_equal(a.retry_after_s, 0);
	assert_int_equal(strncmp(g->server.last, "POST /hook?a=1 HTTP/1.1\r\n", 25), 0);
	assert_non_null(strstr(g->server.last, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(g->server.last, "\r\nwebhook-id: end_1\r\n"));
	assert_non_null(strstr(g->server.last, "\r\nUser-Agent: kezek/"));
	assert_null(strcasestr(g->server.last, "\r\nexpect:"));
	assert_null(strcasestr(g->server.last, "\r\ncookie:"));
	assert_string_equal(strstr(g->server.last, "\r\n\r\n"), "\r\n\r\n{\"a\":1}");
}

static void post__one_after_the_other__over_one_connection(void **state)
{
	struct rig *g = *state;

	ask(g, OK_ANSWER);
	ask(g, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	ask(g, OK_ANSWER);
	assert_int_equal(g->server.requests, 3);
	assert_int_equal(g->server.accepted, 1);
}

static void post__redirected__the_status_and_nobody_follows(void **state)
{
	struct rig *g = *state;
	char answer[256];
	struct http_answer a;

	snprintf(
	    answer, sizeof answer, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", g->url);
	a = ask(g, answer);
	assert_int_equal(a.outcome, HTTP_ANSWERED);
	assert_int_equal(a.status, 302);
	assert_int_equal(g->server.requests, 1);
}

static void post__gone_or_told_to_wait__status_and_seconds(void **state)
{
	struct rig *g = *state;
	struct http_answer a = ask(g, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");

	assert_int_equal(a.status, 410);
	a = ask(g, "HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(a.outcome, HTTP_ANSWERED);
	assert_int_equal(a.status, 503);
	assert_int_equal(a.retry_after_s, 17);
}

static void post__endless_body__an_answer_all_the_same(void **state)
{
	struct rig *g = *state;
	struct buf b = {0};
	struct http_answer a;

	buf_str(&b, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	for (int i = 0; i < 70000; i++)
		buf_char(&b, 'x');
	a = ask(g, buf_text(&b)); /* the rest never comes */
	assert_int_equal(a.outcome, HTTP_ANSWERED);
	assert_int_equal(a.status, 200);
	buf_fini(&b);
}

static void post__what_comes_is_no_answer__broken(void **state)
{
	struct rig *g = *state;
	struct buf b = {0};

	assert_int_equal(ask(g, "SSH-2.0-OpenSSH_9.2\r\n\r\n").outcome, HTTP_BROKEN);
	buf_str(&b, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 2000; i++)
		buf_printf(&b, "X-%d: 0123456789012345678901234567890123456789\r\n", i);
	buf_str(&b, "Content-Length: 0\r\n\r\n");
	assert_int_equal(ask(g, buf_text(&b)).outcome, HTTP_BROKEN);
	g->server.closes = true;
	assert_int_equal(ask(g, NULL).outcome, HTTP_BROKEN);
	assert_int_equal(ask(g, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").outcome, HTTP_BROKEN);
	buf_fini(&b);
}

static void post__nobody_answers_or_listens__timeout_or_unreachable(void **state)
{
	struct rig *g = *state;
	struct heard h = {0};
	uint64_t ticket;

	assert_int_equal(post_to(g, g->url, &h, 100, &ticket), KZ_OK);
	await(g, &h.count, 1);
	assert_int_equal(h.answer.outcome, HTTP_TIMEOUT);
	assert_int_equal(g->server.requests, 1);
	h = (struct heard){0};
	assert_int_equal(post_to(g, "http://127.0.0.1:1/", &h, 10000, &ticket), KZ_OK);
	await(g, &h.count, 1);
	assert_int_equal(h.answer.outcome, HTTP_UNREACHABLE);
}

static void post__private_address_or_plain_http__forbidden_and_nobody_was_called(void **state)
{
	struct rig *g = *state;
	static const char *const hosts[] = {"https://127.0.0.1:%u/", "https://localhost:%u/",
	    "https://[::1]:%u/", "https://[::ffff:127.0.0.1]:%u/", "https://2130706433:%u/", "https://0:%u/",
	    "http://127.0.0.1:%u/"};

	rig_client(g, false, "");
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct heard h = {0};
		uint64_t ticket;
		char url[64];

		snprintf(url, sizeof url, hosts[i], listener_port(g->server.listener));
		assert_int_equal(post_to(g, url, &h, 10000, &ticket), KZ_OK);
		await(g, &h.count, 1);
		if (h.answer.outcome != HTTP_FORBIDDEN)
			fail_msg("%s: %s", url, http_outcome_name(h.answer.outcome));
	}
	assert_int_equal(g->server.accepted, 0);
}

static void post__private_address_and_a_public_one_that_is_away__unreachable(void **state)
{
	struct rig *g = *state;
	struct heard h = {0};
	uint64_t ticket;

	rig_client(g, false, "");
	assert_int_equal(post_to(g, "https://two-addresses.example/", &h, 10000, &ticket), KZ_OK);
	await(g, &h.count, 1);
	assert_int_equal(h.answer.outcome, HTTP_UNREACHABLE);
	assert_int_equal(away_asked, 1);
}

static void post__proxy_in_the_environment__not_asked(void **state)
{
	struct rig *g = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_int_equal(ask(g, OK_ANSWER).status, 204);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void post__too_many_open__busy_until_one_is_answered(void **state)
{
	struct rig *g = *state;
	struct heard h = {0};
	uint64_t tickets[5];

	for (int i = 0; i < 4; i++)
		tickets[i] = post(g, &h);
	assert_int_equal(post_to(g, g->url, &h, 10000, &tickets[4]), KZ_BUSY);
	assert_int_equal(http_client_open(g->client), 4);
	http_client_cancel(g->client, tickets[1]);
	assert_int_equal(post_to(g, g->url, &h, 10000, &tickets[4]), KZ_OK);
	await(g, &g->server.requests, 4);
	assert_int_equal(h.count, 0);
}

static void cancel__from_the_callback_of_another__that_one_is_never_heard_of(void **state)
{
	struct rig *g = *state;
	struct heard first = {0}, second = {0};

	g->server.answer = OK_ANSWER;
	post(g, &first);
	first.client = g->client;
	first.other = post(g, &second);
	second.client = g->client;
	second.other = first.other - 1;
	while (first.count + second.count == 0)
		loop_turn(g->server.loop, 20);
	for (int i = 0; i < 20; i++)
		loop_turn(g->server.loop, 1);
	assert_int_equal(first.count + second.count, 1);
	assert_int_equal(http_client_open(g->client), 0);
}

static void free__with_open_ones__no_callback(void **state)
{
	struct rig *g = *state;
	struct heard h = {0};

	post(g, &h);
	await(g, &g->server.requests, 1);
	post(g, &h);
	http_client_free(g->client);
	g->client = NULL;
	for (int i = 0; i < 5; i++)
		loop_turn(g->server.loop, 1);
	assert_int_equal(h.count, 0);
}

static char folder[] = "/tmp/kezek-client.XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[2][96];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

/* For 127.0.0.1, signed by itself. */
static void make_certificate(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *f;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	X509_sign(x, key, EVP_sha256());
	f = fopen(in_folder("crt"), "w");
	PEM_write_X509(f, x);
	fclose(f);
	f = fopen(in_folder("key"), "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static int group_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	make_certificate("portal");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(in_folder("crt"));
	unlink(in_folder("key"));
	return rmdir(folder);
}

static void tls__certificate_known_or_not__answered_or_refused(void **state)
{
	struct rig *g = *state;
	char why[256];

	g->server.tls = tls_server_new(in_folder("crt"), in_folder("key"), why);
	assert_non_null(g->server.tls);
	snprintf(g->url, sizeof g->url, "https://127.0.0.1:%u/", listener_port(g->server.listener));
	assert_int_equal(ask(g, OK_ANSWER).outcome, HTTP_TLS);
	assert_int_equal(g->server.requests, 0);
	rig_client(g, true, in_folder("crt"));
	assert_int_equal(ask(g, OK_ANSWER).status, 204);
	snprintf(g->url, sizeof g->url, "https://localhost:%u/", listener_port(g->server.listener));
	assert_int_equal(ask(g, OK_ANSWER).outcome, HTTP_TLS); /* it is not for that name */
	assert_int_equal(g->server.requests, 1);
}

static void tls__authorities_configured__those_of_the_system_are_not_looked_at(void **state)
{
	struct rig *g = *state;
	char why[256];

	g->server.tls = tls_server_new(in_folder("crt"), in_folder("key"), why);
	snprintf(g->url, sizeof g->url, "https://127.0.0.1:%u/", listener_port(g->server.listener));
	authorities_looked_for = 0;
	assert_int_equal(ask(g, OK_ANSWER).outcome, HTTP_TLS);
	assert_true(authorities_looked_for > 0);
	make_certificate("another"); /* the server keeps the first */
	rig_client(g, true, in_folder("crt"));
	authorities_looked_for = 0;
	assert_int_equal(ask(g, OK_ANSWER).outcome, HTTP_TLS);
	assert_int_equal(authorities_looked_for, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(post__answered__the_status_and_what_the_server_saw),
	    CASE(post__one_after_the_other__over_one_connection),
	    CASE(post__redirected__the_status_and_nobody_follows),
	    CASE(post__gone_or_told_to_wait__status_and_seconds),
	    CASE(post__endless_body__an_answer_all_the_same),
	    CASE(post__what_comes_is_no_answer__broken),
	    CASE(post__nobody_answers_or_listens__timeout_or_unreachable),
	    CASE(post__private_address_or_plain_http__forbidden_and_nobody_was_called),
	    CASE(post__private_address_and_a_public_one_that_is_away__unreachable),
	    CASE(post__proxy_in_the_environment__not_asked),
	    CASE(post__too_many_open__busy_until_one_is_answered),
	    CASE(cancel__from_the_callback_of_another__that_one_is_never_heard_of),
	    CASE(free__with_open_ones__no_callback),
	    CASE(tls__certificate_known_or_not__answered_or_refused),
	    CASE(tls__authorities_configured__those_of_the_system_are_not_looked_at),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

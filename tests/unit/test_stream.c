/* Two streams on loopback in one loop, each with a record of what it heard. Certificates are made by OpenSSL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/stream_body.h"

static int64_t fake_us = 1000000;

static int64_t fake_now(void)
{
	return fake_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

struct end {
	struct stream *stream;
	int opens, closes;
	enum kz how;
	char reason[256];
	struct buf got;
	size_t unit; /* consumes whole units only; 0 everything */
	bool free_on_bytes, free_on_open, echo;
};

struct pair {
	struct loop *loop;
	struct listener *listener;
	struct end near, far; /* near dialled */
	struct stream_options options, far_options;
};

static void on_open(void *arg)
{
	struct end *e = arg;

	e->opens++;
	if (e->free_on_open) {
		stream_free(e->stream);
		e->stream = NULL;
	}
}

static size_t on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	struct end *e = arg;
	size_t used = e->unit ? len / e->unit * e->unit : len;

	assert_int_equal(e->closes, 0);
	buf_add(&e->got, bytes, used);
	if (e->echo)
		assert_int_equal(stream_write(e->stream, bytes, used), KZ_OK);
	if (e->free_on_bytes) {
		stream_free(e->stream);
		e->stream = NULL;
	}
	return used;
}

static void on_close(void *arg, enum kz r, const char *reason)
{
	struct end *e = arg;

	e->closes++;
	e->how = r;
	snprintf(e->reason, sizeof e->reason, "%s", reason);
	stream_free(e->stream);
	e->stream = NULL;
}

static const struct stream_events end_events = {on_open, on_bytes, on_close};

static void on_accept(void *arg, int fd)
{
	struct pair *p = arg;

	p->far.stream = stream_accept(p->loop, fd, &p->far_options, &end_events, &p->far);
	assert_int_equal(p->far.opens, 0);
}

static void pair_init(struct pair *p)
{
	char why[256];

	*p = (struct pair){.options = {5000, 3000, 1000000, 100000, NULL, NULL, NULL}};
	p->far_options = p->options;
	p->loop = loop_new(&fake_clock);
	p->listener = listener_new(p->loop, "127.0.0.1:0", on_accept, p, why);
	assert_non_null(p->listener);
}

static void pair_dial(struct pair *p, const char *host)
{
	p->near.stream =
	    stream_connect(p->loop, host, listener_port(p->listener), &p->options, &end_events, &p->near);
	assert_int_equal(p->near.opens, 0);
}

static void pair_fini(struct pair *p)
{
	stream_free(p->near.stream);
	stream_free(p->far.stream);
	listener_free(p->listener);
	buf_fini(&p->near.got);
	buf_fini(&p->far.got);
	loop_free(p->loop);
}

/* Turns the loop until cond holds. */
#define TURN_UNTIL(p, cond)                                                                                  \
	do {                                                                                                 \
		int turns_ = 0;                                                                              \
		while (!(cond)) {                                                                            \
			assert_true(turns_++ < 2000);                                                        \
			loop_turn((p)->loop, 10);                                                            \
		}                                                                                            \
	} while (0)

static void pair_open(struct pair *p)
{
	pair_init(p);
	pair_dial(p, "127.0.0.1");
	TURN_UNTIL(p, p->near.opens && p->far.opens);
}

static void write__both_ways__arrives_in_order(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.far.echo = true;
	assert_int_equal(stream_write(p.near.stream, "hello ", 6), KZ_OK);
	assert_int_equal(stream_write(p.near.stream, "world", 5), KZ_OK);
	assert_int_equal(stream_queued(p.near.stream), 11);
	TURN_UNTIL(&p, p.near.got.len >= 11);
	assert_string_equal(buf_text(&p.near.got), "hello world");
	assert_int_equal(stream_queued(p.near.stream), 0);
	assert_memory_equal(stream_peer(p.far.stream), "127.0.0.1:", 10);
	pair_fini(&p);
}

static void bytes__consumed_in_part__come_again_with_the_next(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.far.unit = 4;
	assert_int_equal(stream_write(p.near.stream, "abcdef", 6), KZ_OK);
	TURN_UNTIL(&p, p.far.got.len == 4);
	assert_int_equal(stream_write(p.near.stream, "gh", 2), KZ_OK);
	TURN_UNTIL(&p, p.far.got.len == 8);
	assert_string_equal(buf_text(&p.far.got), "abcdefgh");
	pair_fini(&p);
}

static void bytes__unconsumed_over_max_in__close_the_stream(void **state)
{
	struct pair p;
	char junk[2000] = {0};

	(void)state;
	pair_init(&p);
	p.far_options.max_in = 1000;
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	p.far.unit = 100000;
	assert_int_equal(stream_write(p.near.stream, junk, sizeof junk), KZ_OK);
	TURN_UNTIL(&p, p.far.closes);
	assert_int_equal(p.far.how, KZ_LOST);
	assert_string_equal(p.far.reason, "peer sent more than 1000 octets without an end");
	TURN_UNTIL(&p, p.near.closes);
	pair_fini(&p);
}

static void write__over_max_out__is_busy_and_queues_nothing(void **state)
{
	struct pair p;
	char junk[600] = {0};

	(void)state;
	pair_init(&p);
	p.options.max_out = 1000;
	pair_dial(&p, "127.0.0.1");
	assert_int_equal(stream_write(p.near.stream, junk, 1), KZ_LOST);
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	assert_int_equal(stream_write(p.near.stream, junk, 600), KZ_OK);
	assert_int_equal(stream_write(p.near.stream, junk, 600), KZ_BUSY);
	assert_int_equal(stream_queued(p.near.stream), 600);
	TURN_UNTIL(&p, p.far.got.len == 600);
	assert_int_equal(stream_write(p.near.stream, junk, 600), KZ_OK);
	pair_fini(&p);
}

static void finish__much_queued__all_arrives_before_the_end(void **state)
{
	struct pair p;
	static char junk[900000];

	(void)state;
	pair_open(&p);
	for (size_t i = 0; i < sizeof junk; i++)
		junk[i] = (char)(i * 31 >> 3);
	assert_int_equal(stream_write(p.near.stream, junk, sizeof junk), KZ_OK);
	stream_finish(p.near.stream);
	assert_int_equal(stream_write(p.near.stream, junk, 1), KZ_LOST);
	TURN_UNTIL(&p, p.far.closes);
	assert_int_equal(p.near.closes, 1);
	assert_int_equal(p.near.how, KZ_OK);
	assert_int_equal(p.far.how, KZ_OK);
	assert_string_equal(p.far.reason, "peer closed");
	assert_int_equal(p.far.got.len, sizeof junk);
	assert_memory_equal(p.far.got.data, junk, sizeof junk);
	pair_fini(&p);
}

static void hold__octets_come__wait_until_it_is_let_go(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	stream_hold(p.far.stream, true);
	assert_int_equal(stream_write(p.near.stream, "abc", 3), KZ_OK);
	TURN_UNTIL(&p, stream_queued(p.near.stream) == 0);
	/* what is written while held leaves: a fence behind the octets that are not read */
	assert_int_equal(stream_write(p.far.stream, "fence", 5), KZ_OK);
	TURN_UNTIL(&p, p.near.got.len == 5);
	assert_int_equal(p.far.got.len, 0);
	stream_hold(p.far.stream, false);
	TURN_UNTIL(&p, p.far.got.len == 3);
	pair_fini(&p);
}

static void write__peer_does_not_read_on__what_it_took_is_not_in_memory(void **state)
{
	struct pair p;
	static char codes[20000000];

	(void)state;
	memset(codes, '8', sizeof codes);
	pair_init(&p);
	p.options.max_out = sizeof codes;
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	stream_hold(p.far.stream, true);
	assert_int_equal(stream_write(p.near.stream, codes, sizeof codes), KZ_OK);
	TURN_UNTIL(&p, stream_queued(p.near.stream) < sizeof codes);
	const struct stream *s = p.near.stream;
	assert_true(s->out_at > 0);
	for (size_t i = 0; i < s->out_at; i++)
		assert_int_equal(s->out.data[i], 0);
	assert_int_equal(s->out.data[s->out_at], '8');
	pair_fini(&p);
}

static void connect__nobody_listens__is_lost_with_the_reason(void **state)
{
	struct pair p;
	uint16_t port;

	(void)state;
	pair_init(&p);
	port = listener_port(p.listener);
	listener_free(p.listener);
	p.listener = NULL;
	p.near.stream = stream_connect(p.loop, "127.0.0.1", port, &p.options, &end_events, &p.near);
	assert_int_equal(p.near.closes, 0);
	TURN_UNTIL(&p, p.near.closes);
	assert_int_equal(p.near.how, KZ_LOST);
	assert_string_equal(p.near.reason, "Connection refused");
	assert_int_equal(p.near.opens, 0);
	pair_fini(&p);
}

static void connect__by_a_name_of_the_hosts_file__tries_its_addresses(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_dial(&p, "localhost");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	pair_fini(&p);
}

static void connect__freed_while_the_name_is_asked__hears_nothing(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_dial(&p, "no-such-name.invalid");
	loop_turn(p.loop, 0);
	stream_free(p.near.stream);
	p.near.stream = NULL;
	for (int i = 0; i < 5; i++)
		loop_turn(p.loop, 1);
	assert_int_equal(p.near.opens + p.near.closes, 0);
	pair_fini(&p);
}

static void connect__from_a_source__is_seen_by_the_peer(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.options.source = "127.0.0.77";
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	assert_memory_equal(stream_peer(p.far.stream), "127.0.0.77:", 11);
	pair_fini(&p);
}

static void connect__source_of_another_family__is_lost(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.options.source = "::1";
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.closes);
	assert_string_equal(p.near.reason, "source ::1 does not fit the peer's address");
	pair_fini(&p);
}

static void open__handshake_never_answered__ends_after_open_ms(void **state)
{
	struct pair p;
	char why[256];

	(void)state;
	pair_init(&p);
	p.options.tls = tls_client_new("", "", "", why);
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.far.opens);
	fake_us += 4999000;
	loop_turn(p.loop, 0);
	assert_int_equal(p.near.closes, 0);
	fake_us += 1000;
	loop_turn(p.loop, 0);
	assert_int_equal(p.near.closes, 1);
	assert_string_equal(p.near.reason, "TLS handshake not done within 5 s");
	tls_free(p.options.tls);
	pair_fini(&p);
}

static void peer__does_not_read__is_closed_after_stall_ms(void **state)
{
	struct pair p;
	static char junk[20000000];
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	pair_init(&p);
	p.far_options.max_out = sizeof junk;
	a.sin_port = htons(listener_port(p.listener));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	TURN_UNTIL(&p, p.far.opens);
	assert_int_equal(stream_write(p.far.stream, junk, sizeof junk), KZ_OK);
	for (size_t before = 0; before != stream_queued(p.far.stream);) {
		before = stream_queued(p.far.stream);
		for (int i = 0; i < 5; i++)
			loop_turn(p.loop, 5);
	}
	assert_true(stream_queued(p.far.stream) > 0);
	fake_us += 2999000;
	loop_turn(p.loop, 0);
	assert_int_equal(p.far.closes, 0);
	fake_us += 1000;
	loop_turn(p.loop, 0);
	assert_int_equal(p.far.closes, 1);
	assert_string_equal(p.far.reason, "peer does not read for 3 s");
	close(fd);
	pair_fini(&p);
}

static void free__inside_callbacks__is_allowed(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.far.free_on_bytes = true;
	assert_int_equal(stream_write(p.near.stream, "x", 1), KZ_OK);
	TURN_UNTIL(&p, p.near.closes);
	assert_int_equal(p.far.closes, 0);
	assert_null(p.far.stream);
	pair_fini(&p);

	pair_init(&p);
	p.near.free_on_open = true;
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.far.closes);
	assert_int_equal(p.near.opens, 1);
	assert_int_equal(p.near.closes, 0);
	pair_fini(&p);
}

static void listen__bad_addresses__say_why(void **state)
{
	static const char *const bad[] = {"", "8080", "localhost:80", "127.0.0.1:", "127.0.0.1:70000",
	    "::1:80", "127.0.0.1:8080x", "[::1]", "unix:"};
	struct loop *l = loop_new(&fake_clock);
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		why[0] = '\0';
		assert_null(listener_new(l, bad[i], on_accept, NULL, why));
		assert_non_null(strstr(why, "cannot listen on"));
	}
	loop_free(l);
}

/* TLS */

static char folder[] = "/tmp/kezek-stream-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][128];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* A self-signed certificate for names, e.g. "DNS:localhost,IP:127.0.0.1". */
static void make_certificate(const char *name, const char *names)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	char file[64];

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	X509_sign(x, key, EVP_sha256());
	snprintf(file, sizeof file, "%s.crt", name);
	FILE *f = fopen(in_folder(file), "w");
	assert_non_null(f);
	PEM_write_X509(f, x);
	fclose(f);
	snprintf(file, sizeof file, "%s.key", name);
	f = fopen(in_folder(file), "w");
	assert_non_null(f);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static int make_certificates(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	make_certificate("good", "DNS:localhost,IP:127.0.0.1");
	make_certificate("other", "DNS:elsewhere.example");
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	unlink(in_folder("good.crt"));
	unlink(in_folder("good.key"));
	unlink(in_folder("other.crt"));
	unlink(in_folder("other.key"));
	return rmdir(folder);
}

/* The client trusts ca, the server shows name. */
static void tls_pair_init(struct pair *p, const char *ca, const char *cert, const char *key)
{
	char why[256];

	pair_init(p);
	p->far_options.tls = tls_server_new(in_folder(cert), in_folder(key), why);
	assert_non_null(p->far_options.tls);
	p->options.tls = tls_client_new(in_folder(ca), "", "", why);
	assert_non_null(p->options.tls);
}

static void tls_pair_fini(struct pair *p)
{
	tls_free(p->options.tls);
	tls_free(p->far_options.tls);
	pair_fini(p);
}

static void tls__trusted_peer__carries_much_both_ways(void **state)
{
	struct pair p;
	static char junk[900000];

	(void)state;
	tls_pair_init(&p, "good.crt", "good.crt", "good.key");
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	for (size_t i = 0; i < sizeof junk; i++)
		junk[i] = (char)(i * 17 >> 2);
	p.far.echo = true;
	assert_int_equal(stream_write(p.near.stream, junk, sizeof junk), KZ_OK);
	TURN_UNTIL(&p, p.near.got.len == sizeof junk);
	assert_memory_equal(p.near.got.data, junk, sizeof junk);
	stream_finish(p.near.stream);
	TURN_UNTIL(&p, p.near.closes && p.far.closes);
	assert_int_equal(p.far.how, KZ_OK);
	tls_pair_fini(&p);
}

static void tls__name_given__is_what_is_verified(void **state)
{
	struct pair p;

	(void)state;
	tls_pair_init(&p, "other.crt", "other.crt", "other.key");
	p.options.server_name = "elsewhere.example";
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	tls_pair_fini(&p);
}

static void tls__unknown_authority__is_refused(void **state)
{
	struct pair p;

	(void)state;
	tls_pair_init(&p, "other.crt", "good.crt", "good.key");
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.closes && p.far.closes);
	assert_int_equal(p.near.opens, 0);
	assert_int_equal(p.near.how, KZ_LOST);
	assert_memory_equal(p.near.reason, "certificate verify failed: ", 27);
	tls_pair_fini(&p);
}

static void tls__wrong_name__is_refused(void **state)
{
	struct pair p;

	(void)state;
	tls_pair_init(&p, "other.crt", "other.crt", "other.key");
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.closes && p.far.closes);
	assert_string_equal(p.near.reason, "certificate verify failed: IP address mismatch");
	tls_pair_fini(&p);
}

static void tls__client_speaks_plain__is_lost(void **state)
{
	struct pair p;

	(void)state;
	tls_pair_init(&p, "good.crt", "good.crt", "good.key");
	tls_free(p.options.tls);
	p.options.tls = NULL;
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens);
	assert_int_equal(stream_write(p.near.stream, "GET / HTTP/1.1\r\n\r\n", 18), KZ_OK);
	TURN_UNTIL(&p, p.far.closes);
	assert_int_equal(p.far.how, KZ_LOST);
	assert_int_equal(p.far.opens, 0);
	tls_pair_fini(&p);
}

static void tls__bad_files__say_which_and_why(void **state)
{
	char why[256];

	(void)state;
	assert_null(tls_server_new(in_folder("none.crt"), in_folder("good.key"), why));
	assert_non_null(strstr(why, "none.crt: No such file or directory"));
	assert_null(tls_server_new(in_folder("good.crt"), in_folder("other.key"), why));
	assert_non_null(strstr(why, "other.key: key values mismatch"));
	assert_null(tls_server_new(in_folder("good.key"), in_folder("good.key"), why));
	assert_non_null(strstr(why, "good.key: no start line"));
	assert_null(tls_client_new(in_folder("none.crt"), "", "", why));
	assert_non_null(strstr(why, "none.crt"));
}

static void write__process_stopped_before_the_round_ends__never_leaves(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	assert_int_equal(stream_write(p.near.stream, "in time", 7), KZ_OK);
	fake_us += (STREAM_STILL_MS - 1) * 1000;
	TURN_UNTIL(&p, p.far.got.len == 7);
	assert_int_equal(stream_write(p.near.stream, "too late", 8), KZ_OK);
	fake_us += STREAM_STILL_MS * 1000;
	TURN_UNTIL(&p, p.near.closes && p.far.closes);
	assert_int_equal(p.near.how, KZ_LOST);
	assert_int_equal(p.far.got.len, 7);
	pair_fini(&p);
}

static void write__process_stopped_between_decision_and_write__never_leaves(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_dial(&p, "127.0.0.1");
	TURN_UNTIL(&p, p.near.opens && p.far.opens);
	stream_decide(p.near.stream);
	fake_us += STREAM_STILL_MS * 1000;
	assert_int_equal(stream_write(p.near.stream, "too late", 8), KZ_OK);
	TURN_UNTIL(&p, p.near.closes && p.far.closes);
	assert_int_equal(p.near.how, KZ_LOST);
	assert_int_equal(p.far.got.len, 0);
	pair_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(write__both_ways__arrives_in_order),
	    cmocka_unit_test(bytes__consumed_in_part__come_again_with_the_next),
	    cmocka_unit_test(bytes__unconsumed_over_max_in__close_the_stream),
	    cmocka_unit_test(write__over_max_out__is_busy_and_queues_nothing),
	    cmocka_unit_test(finish__much_queued__all_arrives_before_the_end),
	    cmocka_unit_test(hold__octets_come__wait_until_it_is_let_go),
	    cmocka_unit_test(write__peer_does_not_read_on__what_it_took_is_not_in_memory),
	    cmocka_unit_test(connect__nobody_listens__is_lost_with_the_reason),
	    cmocka_unit_test(connect__by_a_name_of_the_hosts_file__tries_its_addresses),
	    cmocka_unit_test(connect__freed_while_the_name_is_asked__hears_nothing),
	    cmocka_unit_test(connect__from_a_source__is_seen_by_the_peer),
	    cmocka_unit_test(connect__source_of_another_family__is_lost),
	    cmocka_unit_test(open__handshake_never_answered__ends_after_open_ms),
	    cmocka_unit_test(peer__does_not_read__is_closed_after_stall_ms),
	    cmocka_unit_test(free__inside_callbacks__is_allowed),
	    cmocka_unit_test(listen__bad_addresses__say_why),
	    cmocka_unit_test(tls__trusted_peer__carries_much_both_ways),
	    cmocka_unit_test(tls__name_given__is_what_is_verified),
	    cmocka_unit_test(tls__unknown_authority__is_refused),
	    cmocka_unit_test(tls__wrong_name__is_refused),
	    cmocka_unit_test(tls__client_speaks_plain__is_lost),
	    cmocka_unit_test(tls__bad_files__say_which_and_why),
	    cmocka_unit_test(write__process_stopped_before_the_round_ends__never_leaves),
	    cmocka_unit_test(write__process_stopped_between_decision_and_write__never_leaves),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}

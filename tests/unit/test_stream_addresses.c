/* stream: a name with several addresses, as a resolver of the test's own says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/resolve.h"
#include "net/stream.h"

#define SILENT 3 /* addresses 127.0.0.2 to 127.0.0.4 */

static int64_t fake_us = 1000000;

static int64_t fake_now(void)
{
	return fake_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

struct resolve {
	resolve_fn *done;
	void *arg;
	uint16_t port;
	struct defer defer;
};

static size_t silent; /* how many of those stand before 127.0.0.1 */

static void resolve_tell(void *arg)
{
	struct resolve *r = arg;
	struct address all[SILENT + 1];
	char text[32];

	for (size_t i = 0; i <= silent; i++) {
		snprintf(text, sizeof text, "127.0.0.%zu", i < silent ? i + 2 : 1);
		assert_true(address_parse(text, r->port, &all[i]));
	}
	r->done(r->arg, all, silent + 1, "");
}

struct resolve *resolve_ask(struct loop *l, const char *host, uint16_t port, resolve_fn *done, void *arg)
{
	struct resolve *r = mem_new(sizeof *r);

	(void)host;
	*r = (struct resolve){.done = done, .arg = arg, .port = port};
	loop_defer(l, &r->defer, resolve_tell, r);
	return r;
}

void resolve_free(struct resolve *r)
{
	if (!r)
		return;
	defer_cancel(&r->defer);
	free(r);
}

/* A listener whose queue is full: further connections are not even refused. */
struct mute {
	int listener, filler;
};

static int socket_at(const char *ip, uint16_t port, struct sockaddr_in *at)
{
	*at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET, ip, &at->sin_addr), 1);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void mute_init(struct mute *m, size_t i, uint16_t port)
{
	struct sockaddr_in at;
	char ip[16];

	snprintf(ip, sizeof ip, "127.0.0.%zu", i + 2);
	m->listener = socket_at(ip, port, &at);
	assert_int_equal(bind(m->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(m->listener, 0), 0);
	m->filler = socket_at(ip, port, &at);
	assert_int_equal(connect(m->filler, (struct sockaddr *)&at, sizeof at), 0);
}

struct fixture {
	struct loop *loop;
	struct listener *listener;
	struct mute mutes[SILENT];
	struct stream *near;
	int opens, closes, accepted;
	char reason[256];
};

static void on_open(void *arg)
{
	((struct fixture *)arg)->opens++;
}

static size_t on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	(void)bytes;
	return len;
}

static void on_close(void *arg, enum kz r, const char *reason)
{
	struct fixture *f = arg;

	assert_int_equal(r, KZ_LOST);
	f->closes++;
	snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static const struct stream_events near_events = {on_open, on_bytes, on_close};

static void on_accept(void *arg, int fd)
{
	((struct fixture *)arg)->accepted = fd;
}

static void begin(struct fixture *f, size_t mutes)
{
	static const struct stream_options o = {
	    .open_ms = 8000, .stall_ms = 3000, .max_out = 1000, .max_in = 1000};
	char why[256];

	*f = (struct fixture){.loop = loop_new(&fake_clock)};
	f->listener = listener_new(f->loop, "127.0.0.1:0", on_accept, f, why);
	assert_non_null(f->listener);
	uint16_t port = listener_port(f->listener);
	silent = mutes;
	for (size_t i = 0; i < mutes; i++)
		mute_init(&f->mutes[i], i, port);
	f->near = stream_connect(f->loop, "several.example", port, &o, &near_events, f);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 1);
}

static void end(struct fixture *f)
{
	stream_free(f->near);
	if (f->accepted)
		close(f->accepted);
	listener_free(f->listener);
	for (size_t i = 0; i < silent; i++) {
		close(f->mutes[i].listener);
		close(f->mutes[i].filler);
	}
	loop_free(f->loop);
}

static void pass(struct fixture *f, int64_t ms)
{
	fake_us += ms * 1000;
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 1);
}

static void connect__first_address_is_silent__the_second_has_its_share(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	pass(&f, 3999);
	assert_int_equal(f.opens, 0);
	pass(&f, 1);
	for (int i = 0; i < 400 && !(f.opens && f.accepted); i++)
		loop_turn(f.loop, 10);
	assert_int_equal(f.opens, 1);
	assert_int_equal(f.closes, 0);
	end(&f);
}

static void connect__all_but_the_last_are_silent__each_has_its_share(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 3);
	pass(&f, 2000);
	pass(&f, 2000);
	pass(&f, 1999);
	assert_int_equal(f.opens, 0);
	pass(&f, 1);
	for (int i = 0; i < 400 && !(f.opens && f.accepted); i++)
		loop_turn(f.loop, 10);
	assert_int_equal(f.opens, 1);
	end(&f);
}

static void connect__last_address_refuses__lost_with_its_reason(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	listener_free(f.listener);
	f.listener = NULL;
	pass(&f, 4000);
	for (int i = 0; i < 400 && !f.closes; i++)
		loop_turn(f.loop, 10);
	assert_int_equal(f.closes, 1);
	assert_string_equal(f.reason, "Connection refused");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(connect__first_address_is_silent__the_second_has_its_share),
	    cmocka_unit_test(connect__all_but_the_last_are_silent__each_has_its_share),
	    cmocka_unit_test(connect__last_address_refuses__lost_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

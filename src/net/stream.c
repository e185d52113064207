/* Octets out are queued and leave at the end of the round by one write; only when the socket does not take
 * them all is it watched for writing. libevent's bufferevents were not taken for this: they write one round
 * later and change what is watched for each burst. Everything the owner hears is said from stream_work
 * (deferred), from the watch or from a timer, never from inside a call of the owner. */
#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/resolve.h"
#include "net/wire.h"

#define STREAM_CHUNK 65536
/* Chunks read in one round before others have their turn. */
#define STREAM_BATCH 4

enum stream_state {
	STREAM_NEW,
	STREAM_RESOLVING,
	STREAM_CONNECTING,
	STREAM_SHAKING,
	STREAM_OPEN,
	STREAM_CLOSED
};

struct stream {
	struct loop *loop;
	const struct stream_events *events;
	void *arg;
	struct stream_options options;
	char *host, *source, *server_name;
	uint16_t port;
	enum stream_state state;
	bool finishing; /* nothing more is queued, close when all is out */
	bool held;      /* nothing is read */
	struct resolve *resolve;
	struct address addresses[RESOLVE_MAX];
	size_t address, addresses_count;
	struct wire wire;
	struct watch *watch;
	struct timer *open, *stall;
	int64_t open_until_ms;
	struct defer work;
	struct buf in, out;
	size_t out_at;     /* octets of out already taken */
	int64_t queued_ms; /* since when some of out were never tried; 0: none */
	char peer[300];
	char why[256]; /* why the last address failed */
	bool *freed;   /* set while a callback runs */
};

static void stream_work(void *arg);
static void stream_on_ready(void *arg, bool readable, bool writable);
static void stream_connect_next(struct stream *s);

/* Lets go of the descriptor and of all that could still call. */
static void stream_drop(struct stream *s)
{
	resolve_free(s->resolve);
	s->resolve = NULL;
	watch_free(s->watch);
	s->watch = NULL;
	wire_close(&s->wire);
	timer_stop(s->open);
	timer_stop(s->stall);
	defer_cancel(&s->work);
}

/* The last thing a caller does with s: the owner may free it. */
static void stream_close(struct stream *s, enum kz r, const char *reason)
{
	char text[256];

	assert(s->state != STREAM_CLOSED);
	snprintf(text, sizeof text, "%s", reason);
	s->state = STREAM_CLOSED;
	stream_drop(s);
	s->events->on_close(s->arg, r, text);
}

static void stream_on_open_late(void *arg)
{
	static const char *const doing[] = {
	    "not begun", "name not resolved", "not connected", "TLS handshake not done", "", ""};
	struct stream *s = arg;
	char reason[256];

	if (s->state >= STREAM_CONNECTING && s->address < s->addresses_count) {
		stream_connect_next(s);
		return;
	}
	snprintf(reason, sizeof reason, "%s within %g s", doing[s->state], (double)s->options.open_ms / 1000);
	stream_close(s, KZ_LOST, reason);
}

static void stream_on_stall(void *arg)
{
	struct stream *s = arg;
	char reason[64];

	snprintf(reason, sizeof reason, "peer does not read for %g s", (double)s->options.stall_ms / 1000);
	stream_close(s, KZ_LOST, reason);
}

static struct stream *stream_new(
    struct loop *l, const struct stream_options *o, const struct stream_events *events, void *arg)
{
	struct stream *s = mem_new(sizeof *s);

	s->loop = l;
	s->events = events;
	s->arg = arg;
	s->options = *o;
	s->source = mem_str(o->source ? o->source : "");
	s->wire.fd = -1;
	s->open = timer_new(l, stream_on_open_late, s);
	s->stall = timer_new(l, stream_on_stall, s);
	s->open_until_ms = loop_now_ms(l) + o->open_ms;
	timer_start(s->open, o->open_ms);
	loop_defer(l, &s->work, stream_work, s);
	return s;
}

struct stream *stream_connect(struct loop *l, const char *host, uint16_t port, const struct stream_options *o,
    const struct stream_events *events, void *arg)
{
	struct stream *s = stream_new(l, o, events, arg);

	s->host = mem_str(host);
	s->port = port;
	s->server_name = mem_str(o->server_name && o->server_name[0] ? o->server_name : host);
	snprintf(s->peer, sizeof s->peer, strchr(host, ':') ? "[%.255s]:%u" : "%.255s:%u", host, port);
	return s;
}

static void stream_tune(const struct stream *s, int fd)
{
	int on = 1;
	unsigned int stall_ms = s->options.stall_ms > 0 ? (unsigned int)s->options.stall_ms : 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms, sizeof stall_ms);
}

struct stream *stream_accept(
    struct loop *l, int fd, const struct stream_options *o, const struct stream_events *events, void *arg)
{
	struct stream *s = stream_new(l, o, events, arg);
	struct address a = {.len = sizeof a.room};

	if (!getpeername(fd, &a.sa, &a.len))
		address_text(&a, s->peer);
	stream_tune(s, fd);
	wire_open(&s->wire, fd, o->tls, NULL);
	s->watch = watch_new(l, fd, stream_on_ready, s);
	s->state = STREAM_SHAKING;
	return s;
}

static void stream_watch(struct stream *s)
{
	bool out = s->out.len > s->out_at;

	switch (s->state) {
	case STREAM_CONNECTING:
		watch_set(s->watch, false, true);
		break;
	case STREAM_SHAKING:
		watch_set(s->watch, !s->wire.wants_write, s->wire.wants_write);
		break;
	default:
		watch_set(s->watch, !s->held, out || s->wire.wants_write);
	}
}

/* True while s lives. */
static bool stream_tell_open(struct stream *s)
{
	bool freed = false;

	s->freed = &freed;
	s->events->on_open(s->arg);
	if (!freed)
		s->freed = NULL;
	return !freed;
}

/* Hands over what is there. True while s is open; false also when it was closed for its excess. */
static bool stream_tell_bytes(struct stream *s)
{
	bool freed = false;

	if (s->finishing) {
		buf_clear(&s->in);
		return true;
	}
	s->freed = &freed;
	size_t used = s->events->on_bytes(s->arg, (const uint8_t *)s->in.data, s->in.len);
	if (freed)
		return false;
	s->freed = NULL;
	assert(used <= s->in.len);
	buf_drop(&s->in, used);
	if (s->in.len <= s->options.max_in)
		return true;
	char reason[96];
	snprintf(reason, sizeof reason, "peer sent more than %zu octets without an end", s->options.max_in);
	stream_close(s, KZ_LOST, reason);
	return false;
}

/* True while s is open. */
static bool stream_read(struct stream *s)
{
	char why[256];

	for (int i = 0; i < STREAM_BATCH && !s->held; i++) {
		size_t n = 0;
		char *to = buf_space(&s->in, STREAM_CHUNK);
		enum wire_result r = wire_read(&s->wire, to, STREAM_CHUNK, &n, why);

		if (r == WIRE_WAIT)
			return true;
		if (r != WIRE_DONE) {
			stream_close(s, r == WIRE_END ? KZ_OK : KZ_LOST, r == WIRE_END ? "peer closed" : why);
			return false;
		}
		buf_wrote(&s->in, n);
		if (!stream_tell_bytes(s))
			return false;
		if (n < STREAM_CHUNK && !s->wire.ssl)
			return true;
	}
	/* TLS may hold octets for which the socket does not become readable. */
	if (!s->held && wire_has_more(&s->wire))
		loop_defer(s->loop, &s->work, stream_work, s);
	return true;
}

static void stream_out_taken(struct stream *s, size_t n)
{
	s->out_at += n;
	if (s->out_at == s->out.len) {
		buf_clear(&s->out);
		s->out_at = 0;
	} else if (s->out_at >= STREAM_CHUNK && s->out_at >= s->out.len / 2) {
		buf_drop(&s->out, s->out_at);
		s->out_at = 0;
	}
}

/* What is queued is tried at the end of the same round. So much later the process was stopped in between, and
 * what it was allowed to say then may not be true any more. */
static bool stream_stood_still(struct stream *s)
{
	bool still = s->queued_ms && loop_now_ms(s->loop) - s->queued_ms >= STREAM_STILL_MS;

	s->queued_ms = 0;
	if (still)
		stream_close(s, KZ_LOST, "this process stood still before its octets left");
	return still;
}

/* True while s is open. */
static bool stream_write_out(struct stream *s)
{
	char why[256];
	bool any = false;

	if (stream_stood_still(s))
		return false;
	while (s->out.len > s->out_at) {
		size_t n = 0;
		enum wire_result r =
		    wire_write(&s->wire, s->out.data + s->out_at, s->out.len - s->out_at, &n, why);

		if (r == WIRE_WAIT)
			break;
		if (r != WIRE_DONE) {
			stream_close(s, KZ_LOST, r == WIRE_END ? "peer closed" : why);
			return false;
		}
		stream_out_taken(s, n);
		any = true;
	}
	if (s->out.len == s->out_at)
		timer_stop(s->stall);
	else if (any || !timer_is_armed(s->stall))
		timer_start(s->stall, s->options.stall_ms);
	return true;
}

/* All that an open stream does in one go. */
static void stream_pump(struct stream *s, bool readable)
{
	if (readable && !stream_read(s))
		return;
	if (!stream_write_out(s))
		return;
	if (s->finishing && s->out.len == s->out_at) {
		wire_shutdown(&s->wire);
		stream_close(s, KZ_OK, "finished");
		return;
	}
	stream_watch(s);
}

static void stream_shake(struct stream *s)
{
	char why[256];
	enum wire_result r = wire_handshake(&s->wire, why);

	if (r == WIRE_WAIT) {
		stream_watch(s);
		return;
	}
	if (r != WIRE_DONE) {
		stream_close(s, KZ_LOST, why);
		return;
	}
	timer_stop(s->open);
	s->state = STREAM_OPEN;
	if (stream_tell_open(s))
		stream_pump(s, true);
}

/* Binds to the wanted source address. */
static bool stream_bind_source(struct stream *s, int fd, int family)
{
	struct address from;

	if (!s->source[0])
		return true;
	if (!address_parse(s->source, 0, &from) || from.sa.sa_family != family) {
		snprintf(s->why, sizeof s->why, "source %.64s does not fit the peer's address", s->source);
		return false;
	}
	if (!bind(fd, &from.sa, from.len))
		return true;
	snprintf(s->why, sizeof s->why, "source %.64s: %s", s->source, strerror(errno));
	return false;
}

/* The descriptor of a connection under way; -1 with the reason in s->why. */
static int stream_dial(struct stream *s, const struct address *a)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		snprintf(s->why, sizeof s->why, "%s", strerror(errno));
		return -1;
	}
	stream_tune(s, fd);
	if (!stream_bind_source(s, fd, a->sa.sa_family)) {
		close(fd);
		return -1;
	}
	if (!connect(fd, &a->sa, a->len) || errno == EINPROGRESS)
		return fd;
	snprintf(s->why, sizeof s->why, "%s", strerror(errno));
	close(fd);
	return -1;
}

/* What is left of the time is shared by the address that is dialled and those behind it: one that says
 * nothing must not hide the next. */
static void stream_share_time(struct stream *s)
{
	int64_t left_ms = s->open_until_ms - loop_now_ms(s->loop);
	size_t behind = s->addresses_count - s->address;

	timer_start(s->open, left_ms > 0 ? left_ms / (int64_t)(1 + behind) : 0);
}

static void stream_connect_next(struct stream *s)
{
	watch_free(s->watch);
	s->watch = NULL;
	wire_close(&s->wire);
	while (s->address < s->addresses_count) {
		const struct address *a = &s->addresses[s->address++];
		int fd = stream_dial(s, a);

		if (fd < 0)
			continue;
		address_text(a, s->peer);
		stream_share_time(s);
		wire_open(&s->wire, fd, s->options.tls, s->server_name);
		s->watch = watch_new(s->loop, fd, stream_on_ready, s);
		s->state = STREAM_CONNECTING;
		stream_watch(s);
		return;
	}
	stream_close(s, KZ_LOST, s->why);
}

static void stream_on_connected(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(s->wire.fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (error) {
		snprintf(s->why, sizeof s->why, "%s", strerror(error));
		stream_connect_next(s);
		return;
	}
	s->state = STREAM_SHAKING;
	stream_shake(s);
}

static void stream_on_addresses(void *arg, const struct address *addresses, size_t n, const char *why)
{
	struct stream *s = arg;

	if (!n) {
		stream_close(s, KZ_LOST, why);
		return;
	}
	memcpy(s->addresses, addresses, n * sizeof *addresses);
	s->addresses_count = n;
	resolve_free(s->resolve);
	s->resolve = NULL;
	stream_connect_next(s);
}

static void stream_begin(struct stream *s)
{
	if (address_parse(s->host, s->port, &s->addresses[0])) {
		s->addresses_count = 1;
		stream_connect_next(s);
		return;
	}
	s->state = STREAM_RESOLVING;
	s->resolve = resolve_ask(s->loop, s->host, s->port, stream_on_addresses, s);
}

static void stream_work(void *arg)
{
	struct stream *s = arg;

	if (s->state == STREAM_NEW)
		stream_begin(s);
	else if (s->state == STREAM_SHAKING)
		stream_shake(s);
	else if (s->state == STREAM_OPEN)
		stream_pump(s, wire_has_more(&s->wire));
}

static void stream_on_ready(void *arg, bool readable, bool writable)
{
	struct stream *s = arg;

	(void)writable;
	if (s->state == STREAM_CONNECTING)
		stream_on_connected(s);
	else if (s->state == STREAM_SHAKING)
		stream_shake(s);
	else
		stream_pump(s, readable || s->wire.ssl);
}

enum kz stream_write(struct stream *s, const void *bytes, size_t n)
{
	if (s->state != STREAM_OPEN || s->finishing)
		return KZ_LOST;
	if (n > s->options.max_out || stream_queued(s) > s->options.max_out - n)
		return KZ_BUSY;
	buf_add(&s->out, bytes, n);
	if (!s->queued_ms)
		s->queued_ms = loop_now_ms(s->loop);
	loop_defer(s->loop, &s->work, stream_work, s);
	return KZ_OK;
}

size_t stream_queued(const struct stream *s)
{
	return s->out.len - s->out_at;
}

void stream_hold(struct stream *s, bool held)
{
	s->held = held;
	if (s->state == STREAM_OPEN)
		loop_defer(s->loop, &s->work, stream_work, s);
}

const char *stream_peer(const struct stream *s)
{
	return s->peer;
}

void stream_finish(struct stream *s)
{
	if (s->state == STREAM_CLOSED)
		return;
	s->finishing = true;
	if (s->state == STREAM_OPEN)
		loop_defer(s->loop, &s->work, stream_work, s);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	if (s->freed)
		*s->freed = true;
	if (s->state != STREAM_CLOSED)
		stream_drop(s);
	timer_free(s->open);
	timer_free(s->stall);
	buf_fini(&s->in);
	buf_fini(&s->out);
	free(s->host);
	free(s->source);
	free(s->server_name);
	free(s);
}

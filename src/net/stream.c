/* stream: its life, what comes and what goes; how it is connected is in stream_dial.c.
 *
 * Octets out are queued and leave at the end of the round by one write; only when the socket does not take
 * them all is it watched for writing. libevent's bufferevents were not taken for this: they write one round
 * later and change what is watched for each burst. Everything the owner hears is said from stream_work
 * (deferred), from the watch or from a timer, never from inside a call of the owner. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "net/stream_body.h"

#define STREAM_CHUNK 65536
/* Chunks read in one round before others have their turn. */
#define STREAM_BATCH 4

static void stream_work(void *arg);

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

void stream_close(struct stream *s, enum kz r, const char *reason)
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

	s->in.wiped = s->out.wiped = true; /* codes go by here */
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

void stream_watch(struct stream *s)
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
	/* now: what stands behind it may wait long for a peer that does not read */
	secret_wipe(s->out.data + s->out_at, n);
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

void stream_shake(struct stream *s)
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

void stream_on_ready(void *arg, bool readable, bool writable)
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

void stream_decide(struct stream *s)
{
	if (s->state != STREAM_OPEN)
		return;
	if (!s->queued_ms)
		s->queued_ms = loop_now_ms(s->loop);
	loop_defer(s->loop, &s->work, stream_work, s);
}

enum kz stream_write(struct stream *s, const void *bytes, size_t n)
{
	if (s->state != STREAM_OPEN || s->finishing)
		return KZ_LOST;
	if (n > s->options.max_out || stream_queued(s) > s->options.max_out - n)
		return KZ_BUSY;
	stream_decide(s);
	buf_add(&s->out, bytes, n);
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

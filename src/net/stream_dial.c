/* The part of a stream that is ours to begin: the name is resolved, then its addresses are dialled one after
 * the other, each with its share of the time, until one answers; the handshake is as for a stream that was
 * accepted. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/stream_body.h"

void stream_tune(const struct stream *s, int fd)
{
	int on = 1;
	unsigned int stall_ms = s->options.stall_ms > 0 ? (unsigned int)s->options.stall_ms : 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms, sizeof stall_ms);
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

void stream_connect_next(struct stream *s)
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

void stream_on_connected(struct stream *s)
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

void stream_begin(struct stream *s)
{
	if (address_parse(s->host, s->port, &s->addresses[0])) {
		s->addresses_count = 1;
		stream_connect_next(s);
		return;
	}
	s->state = STREAM_RESOLVING;
	s->resolve = resolve_ask(s->loop, s->host, s->port, stream_on_addresses, s);
}

/* stream: one TCP or TLS connection: octets up as they come, a bounded queue down, closed exactly once. Only
 * stream touches sockets of peers. Never blocks; names are resolved asynchronously. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "net/loop.h"
#include "net/tls.h"

struct stream;
struct listener;

/* Called from the loop only, never before stream_connect or stream_accept returned, never after stream_free.
 */
struct stream_events {
	/* Connected, and with TLS the handshake is done. */
	void (*on_open)(void *arg);
	/* All unconsumed octets so far. Returns how many were consumed (0..len); the rest comes again with
	 * the next. The callback may stream_free. */
	size_t (*on_bytes)(void *arg, const uint8_t *bytes, size_t len);
	/* The end, once: KZ_OK the peer closed, KZ_LOST anything else; reason in words ("connection refused",
	 * "peer does not read for 20 s", "certificate verify failed: ..."). The owner calls stream_free, here
	 * or later. */
	void (*on_close)(void *arg, enum kz r, const char *reason);
};

struct stream_options {
	int64_t open_ms;    /* from the call to on_open, resolution, connection and handshake together; shared
	                       by the addresses of a name */
	int64_t stall_ms;   /* queued octets and none taken by the peer for so long: closed */
	size_t max_out;     /* octets queued at most */
	size_t max_in;      /* unconsumed octets at most; more closes the stream */
	const char *source; /* local address to connect from, NULL or "" for any */
	struct tls *tls;    /* NULL: plain TCP */
	const char *server_name; /* SNI and the name verified; NULL: host */
};

/* host: name or address (IPv4, IPv6); port 1..65535. TCP_NODELAY, keepalive and TCP_USER_TIMEOUT are set.
 * events must live as long as the stream; options are copied except tls. */
struct stream *stream_connect(struct loop *l, const char *host, uint16_t port, const struct stream_options *o,
    const struct stream_events *events, void *arg);
/* Takes fd, which a listener accepted. on_open follows at once without TLS, after the handshake with it. */
struct stream *stream_accept(
    struct loop *l, int fd, const struct stream_options *o, const struct stream_events *events, void *arg);
/* What is written later in this round of the loop is decided from now on: whoever may say a thing only until
 * some moment calls this before it looks at the clock. */
void stream_decide(struct stream *s);
/* Copies and queues; what is queued in one round of the loop leaves in as few writes as possible.
 * When the process is stopped for STREAM_STILL_MS between the round's first stream_decide or stream_write and
 * the write, all of it never leaves and the stream is closed.
 * KZ_BUSY (nothing queued) over max_out; KZ_LOST when closed or not open. */
#define STREAM_STILL_MS 2000
enum kz stream_write(struct stream *s, const void *bytes, size_t n) KZ_CHECK;
size_t stream_queued(const struct stream *s);
/* While held nothing is read: what the peer sends waits in the sockets, and its end is not noticed. */
void stream_hold(struct stream *s, bool held);
/* Peer's address "127.0.0.1:2775" or "[::1]:2775". */
const char *stream_peer(const struct stream *s);
/* Writes out what is queued, then closes; on_close follows with KZ_OK. */
void stream_finish(struct stream *s);
void stream_free(struct stream *s); /* drops the rest; NULL is fine; allowed inside every callback */

typedef void listener_fn(void *arg, int fd);

/* address: "127.0.0.1:2775", "[::1]:2775", "*:2775" (both families), port 0 for any. fn owns the fd it is
 * given. NULL with the reason in why. */
struct listener *listener_new(struct loop *l, const char *address, listener_fn *fn, void *arg, char why[256]);
uint16_t listener_port(const struct listener *li);
void listener_free(struct listener *li);

#endif

/* stream_body: the inside of a stream, shared by its files only: stream.c (its life, what comes and goes) and
 * stream_dial.c (how it is connected). */
#ifndef NET_STREAM_BODY_H
#define NET_STREAM_BODY_H

#include "base/buf.h"
#include "net/address.h"
#include "net/resolve.h"
#include "net/stream.h"
#include "net/wire.h"

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
	int64_t queued_ms; /* since when this round decides what it writes; 0: it wrote nothing yet */
	char peer[300];
	char why[256]; /* why the last address failed */
	bool *freed;   /* set while a callback runs */
};

/* stream.c */
/* The last thing a caller does with s: the owner may free it. */
void stream_close(struct stream *s, enum kz r, const char *reason);
/* Watches for what its state waits for. */
void stream_watch(struct stream *s);
void stream_on_ready(void *arg, bool readable, bool writable);
/* TLS handshake, if any, then it is open. */
void stream_shake(struct stream *s);

/* stream_dial.c */
/* The options of a socket, dialled or accepted. */
void stream_tune(const struct stream *s, int fd);
void stream_begin(struct stream *s);
/* The next address; closes s when there is none. */
void stream_connect_next(struct stream *s);
/* The socket has an answer. */
void stream_on_connected(struct stream *s);

#endif

/* wire: a connected socket with or without TLS, as plain non-blocking reads and writes. Not a stream: no
 * queue, no time-outs, no callbacks. */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/tls.h"

/* A value of its owner; zero-initialise, then wire_open. */
struct wire {
	int fd;
	struct ssl_st *ssl;
	bool wants_write; /* what TLS waits for before it can go on; else it waits for reading */
};

enum wire_result { WIRE_DONE, WIRE_WAIT, WIRE_END, WIRE_FAILED };

/* Takes fd. tls NULL: plain. server_name: see tls_session. */
void wire_open(struct wire *w, int fd, struct tls *tls, const char *server_name);
void wire_close(struct wire *w);
/* Without TLS done at once. */
enum wire_result wire_handshake(struct wire *w, char why[256]);
/* 1..room octets on WIRE_DONE. WIRE_END: the peer closed. */
enum wire_result wire_read(struct wire *w, void *to, size_t room, size_t *ret_n, char why[256]);
/* 1..n octets taken on WIRE_DONE. */
enum wire_result wire_write(struct wire *w, const void *from, size_t n, size_t *ret_n, char why[256]);
/* Octets that TLS has already read from the socket, so that it will not become readable for them. */
bool wire_has_more(const struct wire *w);
/* Says that nothing more will be written. */
void wire_shutdown(struct wire *w);

#endif

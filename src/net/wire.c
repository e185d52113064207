#include "net/wire.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void wire_open(struct wire *w, int fd, struct tls *tls, const char *server_name)
{
	*w = (struct wire){.fd = fd};
	if (!tls)
		return;
	w->ssl = tls_session(tls, server_name);
	if (SSL_set_fd(w->ssl, fd) != 1)
		abort(); /* out of memory */
}

void wire_close(struct wire *w)
{
	SSL_free(w->ssl);
	if (w->fd >= 0)
		close(w->fd);
	*w = (struct wire){.fd = -1};
}

/* Reads what an OpenSSL call that did not succeed says. */
static enum wire_result wire_judge(struct wire *w, int result, char why[256])
{
	int error = SSL_get_error(w->ssl, result);

	w->wants_write = error == SSL_ERROR_WANT_WRITE;
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return WIRE_WAIT;
	if (error == SSL_ERROR_ZERO_RETURN)
		return WIRE_END;
	tls_reason(w->ssl, error, why);
	return WIRE_FAILED;
}

static enum wire_result wire_judge_errno(char why[256])
{
	if (errno == EAGAIN || errno == EINTR)
		return WIRE_WAIT;
	snprintf(why, 256, "%s", strerror(errno));
	return WIRE_FAILED;
}

enum wire_result wire_handshake(struct wire *w, char why[256])
{
	if (!w->ssl)
		return WIRE_DONE;
	ERR_clear_error();
	int result = SSL_do_handshake(w->ssl);
	if (result == 1) {
		w->wants_write = false;
		return WIRE_DONE;
	}
	enum wire_result r = wire_judge(w, result, why);
	if (r == WIRE_END)
		snprintf(why, 256, "TLS: the peer ended the connection in the handshake");
	return r == WIRE_END ? WIRE_FAILED : r;
}

enum wire_result wire_read(struct wire *w, void *to, size_t room, size_t *ret_n, char why[256])
{
	if (w->ssl) {
		ERR_clear_error();
		int result = SSL_read_ex(w->ssl, to, room, ret_n);
		if (result == 1)
			return WIRE_DONE;
		return wire_judge(w, result, why);
	}
	ssize_t n = recv(w->fd, to, room, 0);
	if (n < 0)
		return wire_judge_errno(why);
	*ret_n = (size_t)n;
	return n ? WIRE_DONE : WIRE_END;
}

enum wire_result wire_write(struct wire *w, const void *from, size_t n, size_t *ret_n, char why[256])
{
	if (w->ssl) {
		ERR_clear_error();
		int result = SSL_write_ex(w->ssl, from, n, ret_n);
		if (result == 1)
			return WIRE_DONE;
		return wire_judge(w, result, why);
	}
	ssize_t sent = send(w->fd, from, n, MSG_NOSIGNAL);
	if (sent < 0)
		return wire_judge_errno(why);
	*ret_n = (size_t)sent;
	return WIRE_DONE;
}

bool wire_has_more(const struct wire *w)
{
	return w->ssl && SSL_pending(w->ssl) > 0;
}

void wire_shutdown(struct wire *w)
{
	if (w->ssl) {
		ERR_clear_error();
		SSL_shutdown(w->ssl);
		ERR_clear_error();
	}
	shutdown(w->fd, SHUT_WR);
}

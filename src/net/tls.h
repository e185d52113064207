/* tls: contexts for listeners and outgoing connections, TLS 1.2 and later. The home of libssl beside stream
 * and http_server. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/result.h"

struct tls;

/* PEM files. On failure NULL and the reason, with the file's name and the remedy, in why. */
struct tls *tls_server_new(const char *cert_path, const char *key_path, char why[256]);
/* ca_path: PEM bundle, "" for the system's; cert_path and key_path: "" for no client certificate.
 * The peer's certificate and name are always verified. */
struct tls *tls_client_new(const char *ca_path, const char *cert_path, const char *key_path, char why[256]);
void tls_free(struct tls *t); /* NULL is fine; connections already made go on */

/* For the other files of net/ only. */
struct ssl_st;
/* One connection's session, not yet bound to a descriptor. server_name: what a client verifies, a name or an
 * address. The caller frees it by SSL_free. */
struct ssl_st *tls_session(struct tls *t, const char *server_name);
/* Why the last call on ssl failed with error (SSL_get_error), in words; empties OpenSSL's queue. */
void tls_reason(struct ssl_st *ssl, int error, char why[256]);

#endif

/* tls: contexts for listeners and outgoing connections, TLS 1.2 and later. The home of libssl beside stream and
 * http_server. */
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

#endif

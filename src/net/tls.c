/* Contexts are made once from files; sessions share them by OpenSSL's own count, so a reload frees the old
 * context while its connections go on. An end without close_notify is taken as an ordinary end: both
 * protocols that run on top know from their own lengths whether something is missing. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct tls {
	SSL_CTX *ctx;
	bool server;
};

static bool tls_fail(char why[256], const char *what, const char *path, const char *remedy)
{
	unsigned long code = ERR_peek_error();
	const char *reason =
	    ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);

	snprintf(why, 256, "%s %s: %s; %s", what, path, reason ? reason : "not usable", remedy);
	ERR_clear_error();
	return false;
}

static bool tls_load_identity(struct tls *t, const char *cert_path, const char *key_path, char why[256])
{
	if (SSL_CTX_use_certificate_chain_file(t->ctx, cert_path) != 1)
		return tls_fail(why, "certificate", cert_path, "give a readable PEM file, the leaf first");
	if (SSL_CTX_use_PrivateKey_file(t->ctx, key_path, SSL_FILETYPE_PEM) != 1)
		return tls_fail(why, "private key", key_path,
		    "give a readable PEM file without a passphrase that belongs to the certificate");
	return true;
}

static bool tls_load_authorities(struct tls *t, const char *ca_path, char why[256])
{
	if (!ca_path[0])
		return SSL_CTX_set_default_verify_paths(t->ctx) == 1 ||
		       tls_fail(why, "authorities", "of the system", "install ca-certificates");
	if (SSL_CTX_load_verify_file(t->ctx, ca_path) != 1)
		return tls_fail(why, "authorities", ca_path, "give a readable PEM bundle");
	return true;
}

/* No passphrase is ever asked for on a terminal. */
static int tls_no_passphrase(char *text, int room, int writing, void *arg)
{
	(void)text;
	(void)room;
	(void)writing;
	(void)arg;
	return -1;
}

static struct tls *tls_new(const SSL_METHOD *method, bool server)
{
	struct tls *t = mem_new(sizeof *t);

	ERR_clear_error();
	t->server = server;
	t->ctx = SSL_CTX_new(method);
	if (!t->ctx)
		abort(); /* out of memory */
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
	                                SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_set_mode(t->ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(t->ctx, tls_no_passphrase);
	return t;
}

struct tls *tls_server_new(const char *cert_path, const char *key_path, char why[256])
{
	struct tls *t = tls_new(TLS_server_method(), true);

	if (tls_load_identity(t, cert_path, key_path, why))
		return t;
	tls_free(t);
	return NULL;
}

struct tls *tls_client_new(const char *ca_path, const char *cert_path, const char *key_path, char why[256])
{
	struct tls *t = tls_new(TLS_client_method(), false);

	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	if (tls_load_authorities(t, ca_path, why) &&
	    (!cert_path[0] || tls_load_identity(t, cert_path, key_path, why)))
		return t;
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

static bool tls_is_address(const char *name)
{
	unsigned char octets[16];

	return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

struct ssl_st *tls_session(struct tls *t, const char *server_name)
{
	SSL *ssl = SSL_new(t->ctx);

	if (!ssl)
		abort(); /* out of memory */
	if (t->server) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	if (tls_is_address(server_name)) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name);
	} else {
		SSL_set_tlsext_host_name(ssl, server_name);
		SSL_set1_host(ssl, server_name);
	}
	return ssl;
}

void tls_reason(struct ssl_st *ssl, int error, char why[256])
{
	long verdict = SSL_get_verify_result(ssl);
	unsigned long code = ERR_peek_error();

	if (verdict != X509_V_OK)
		snprintf(why, 256, "certificate verify failed: %s", X509_verify_cert_error_string(verdict));
	else if (code && ERR_reason_error_string(code))
		snprintf(why, 256, "TLS: %s", ERR_reason_error_string(code));
	else if (error == SSL_ERROR_SYSCALL && errno)
		snprintf(why, 256, "TLS: %s", strerror(errno));
	else
		snprintf(why, 256, "TLS: the peer ended the connection");
	ERR_clear_error();
}

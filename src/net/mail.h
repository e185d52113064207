/* mail: letters to one SMTP server (RFC 5321), which takes them further: bounded in number, size and time, a
 * connection each, TLS verified. libcurl tells them in threads of its owner's number, answers come on the
 * loop. What comes back is a verdict and codes, never the server's words, in which the address may stand. */
#ifndef NET_MAIL_H
#define NET_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "net/loop.h"

#define MAIL_ADDRESS     254 /* octets at most (RFC 5321, 4.5.3.1) */
#define MAIL_ID          64
#define MAIL_SUBJECT     200
#define MAIL_TEXT        65536
#define MAIL_UNSUBSCRIBE 500
#define MAIL_THREADS     8
#define MAIL_ENHANCED    12 /* room for "5.100.100" with the NUL */

struct mail_client;

enum mail_starttls {
	MAIL_STARTTLS_REQUIRED, /* in clear until the server agrees to TLS; a server that does not is left */
	MAIL_STARTTLS_OFF       /* never TLS: for a server on the same machine */
};

/* Copied. */
struct mail_client_options {
	const char *url;             /* smtp://host:port or smtps://host:port, TLS from the first octet */
	enum mail_starttls starttls; /* with smtp:// */
	const char *ca_path;         /* PEM bundle, "" for the system's */
	const char *user, *password; /* "" for none; only over TLS */
	const char *from;            /* address; its domain is the name that we greet by */
	const char *from_name;       /* as a subject is, "" for none */
	size_t threads;              /* 1..MAIL_THREADS letters are told at once */
	size_t waiting;              /* and so many wait for a thread at most */
	int64_t timeout_ms;          /* for all of one: its wait, name, connection, TLS, every answer */
};

/* One letter. Its texts are UTF-8 and are encoded whole, so that none of their octets can be taken for a
 * header or for SMTP. */
struct mail {
	const char *id; /* 1..MAIL_ID of A-Z a-z 0-9 . _ -: a letter sent again has the same Message-ID */
	const char *to; /* address */
	const char *subject;     /* 1..MAIL_SUBJECT octets, no control characters */
	const char *text;        /* 1..MAIL_TEXT octets; lines end by LF or CR LF */
	const char *language;    /* "kk", "ru", "en": a tag of 2..16 letters and hyphens */
	const char *unsubscribe; /* https: or mailto: URI of 1..MAIL_UNSUBSCRIBE octets; NULL or "" for none
	                          */
};

enum mail_outcome {
	MAIL_ACCEPTED,
	MAIL_TEMPORARY, /* the network, 4xx, or the server refuses us and not the letter: again may work */
	MAIL_PERMANENT  /* 5xx to the recipient or to the letter: again would be refused again */
};

enum mail_reason {
	MAIL_TAKEN,
	MAIL_UNREACHABLE, /* no such name, no connection */
	MAIL_TIMEOUT,
	MAIL_NO_TLS,    /* not offered, or the certificate or the handshake */
	MAIL_SERVER,    /* it has no service for us */
	MAIL_LOGIN,     /* user and password, or no way of login that we know */
	MAIL_SENDER,    /* our address */
	MAIL_RECIPIENT, /* the letter's address */
	MAIL_CONTENT,   /* the letter */
	MAIL_BROKEN,    /* what came is no SMTP, or the server hung up */
	MAIL_REASONS
};

/* A value. */
struct mail_answer {
	enum mail_outcome outcome;
	enum mail_reason reason;
	bool in_doubt; /* temporary, but the whole letter was said: the server may have taken it */
	int code;      /* the answer to what was said last: 200..599, 0 when there was none */
	char enhanced[MAIL_ENHANCED]; /* "5.1.1" (RFC 3463), "" when the server gave none */
};

/* "taken", "unreachable", ... for metrics and people. */
const char *mail_reason_name(enum mail_reason r);
/* Whether it is an ASCII address: a dot-atom, "@", a domain of two labels or more, MAIL_ADDRESS at most. */
bool mail_address_fits(const char *address);
/* Whether it can be a letter's unsubscribe. */
bool mail_unsubscribe_fits(const char *uri);
/* What is wrong with the letter and what is needed, without repeating anything of it; NULL: it can be sent.
 */
const char *mail_fault(const struct mail *m);
/* What is wrong with the options and what is needed, *ret_option: the name of which; NULL: mail_client_new
 * takes them. */
const char *mail_client_fault(const struct mail_client_options *o, const char **ret_option);

/* Starts its threads. NULL with why when the system gives none; the options have no fault. */
struct mail_client *mail_client_new(struct loop *l, const struct mail_client_options *o, char why[256]);
/* done once, later, from the loop, soon after the timeout at the latest. At once, without done: KZ_BUSY, too
 * many are open; KZ_INVALID, mail_fault knows why. */
typedef void mail_answer_fn(void *arg, const struct mail_answer *a);
enum kz mail_client_send(
    struct mail_client *c, const struct mail *m, mail_answer_fn *done, void *arg) KZ_CHECK;
/* Letters that are not answered yet. */
size_t mail_client_open(const struct mail_client *c);
/* What is open is forgotten without a callback; what was said was said. Waits for the threads, which look up
 * once a second at least. Not from one of its callbacks. NULL is fine. */
void mail_client_free(struct mail_client *c);

#endif

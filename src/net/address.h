/* address: text to listening sockets and socket addresses to text. Never asks a name server. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for the longest text: "[" + IPv6 + "]:65535" + NUL. */
#define ADDRESS_TEXT 64

/* A value: an IPv4 or IPv6 address with its port. */
struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	};
	socklen_t len;
};

/* host: a numeric IPv4 or IPv6 address without brackets. False when it is none. */
bool address_parse(const char *host, uint16_t port, struct address *ret);
/* "127.0.0.1:2775", "[::1]:2775"; returns text. IPv4 inside IPv6 is written as IPv4. */
char *address_text(const struct address *a, char text[ADDRESS_TEXT]);
/* The same without port and brackets; "unix" for a unix socket. */
char *address_host_text(const struct address *a, char text[ADDRESS_TEXT]);
/* Numeric "host:port", as the texts above. Nothing is parsed after the port. */
bool address_parse_pair(const char *text, struct address *ret);

/* An address of the public Internet: not private, loopback, link-local, shared, documentation, multicast,
 * reserved or another family's, nor an IPv6 form of such an IPv4 address. */
bool address_is_public(const struct sockaddr *sa);

/* A non-blocking listening socket for "127.0.0.1:2775", "[::1]:2775", "*:2775" (both families; IPv4 alone
 * where the machine has no IPv6), "unix:/path" (mode 0660; a stale socket file is replaced). What
 * is accepted from it over TCP has TCP_NODELAY. -1 with the reason in why. */
int address_listen(const char *text, char why[256]);
/* The port a socket is bound to; 0 for a unix socket. */
uint16_t address_bound_port(int fd);

#endif

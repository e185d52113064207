#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ADDRESS_BACKLOG 4096

bool address_parse(const char *host, uint16_t port, struct address *ret)
{
	struct address a = {0};

	if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		a.len = sizeof a.in;
	} else if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
		a.len = sizeof a.in6;
	} else {
		return false;
	}
	*ret = a;
	return true;
}

static bool address_is_mapped(const struct address *a)
{
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
}

char *address_host_text(const struct address *a, char text[ADDRESS_TEXT])
{
	if (address_is_mapped(a))
		inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], text, ADDRESS_TEXT);
	else if (a->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, ADDRESS_TEXT);
	else if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, text, ADDRESS_TEXT);
	else
		snprintf(text, ADDRESS_TEXT, "unix");
	return text;
}

char *address_text(const struct address *a, char text[ADDRESS_TEXT])
{
	char host[ADDRESS_TEXT];
	bool v6 = a->sa.sa_family == AF_INET6;

	address_host_text(a, host);
	if (!v6 && a->sa.sa_family != AF_INET)
		snprintf(text, ADDRESS_TEXT, "unix");
	else if (v6 && !address_is_mapped(a))
		snprintf(text, ADDRESS_TEXT, "[%.45s]:%u", host, ntohs(a->in6.sin6_port));
	else
		snprintf(text, ADDRESS_TEXT, "%.45s:%u", host, ntohs(v6 ? a->in6.sin6_port : a->in.sin_port));
	return text;
}

/* "host:port" with host in brackets when it has colons; host has room for 64. */
static bool address_split(const char *text, char host[64], uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	unsigned long port = strtoul(colon + 1, &end, 10);
	size_t len = (size_t)(colon - text);
	bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (brackets) {
		text++;
		len -= 2;
	}
	if (*end || end - colon > 6 || port > 65535 || len >= 64 || (!brackets && memchr(text, ':', len)))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*ret_port = (uint16_t)port;
	return true;
}

bool address_parse_pair(const char *text, struct address *ret)
{
	char host[64];
	uint16_t port;

	return address_split(text, host, &port) && address_parse(host, port, ret);
}

static int address_fail(int fd, const char *text, const char *what, char why[256])
{
	snprintf(why, 256, "cannot listen on %.150s: %s", text, what);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int address_listen_on(const char *text, const struct address *a, char why[256])
{
	int on = 1, off = 0;
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return address_fail(fd, text, strerror(errno), why);
	if (a->sa.sa_family != AF_UNIX) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		/* What is accepted has it from here: a call less for each. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, &a->sa, a->len))
		return address_fail(fd, text, strerror(errno), why);
	if (a->sa.sa_family == AF_UNIX && chmod(((const struct sockaddr_un *)&a->room)->sun_path, 0660))
		return address_fail(fd, text, strerror(errno), why);
	if (listen(fd, ADDRESS_BACKLOG))
		return address_fail(fd, text, strerror(errno), why);
	return fd;
}

/* Removes a socket file that nobody listens on. */
static bool address_clear_stale(const char *path, const struct address *a)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool stale = connect(fd, &a->sa, a->len) && errno == ECONNREFUSED;
	close(fd);
	return stale && !unlink(path);
}

static int address_listen_unix(const char *text, const char *path, char why[256])
{
	struct address a = {0};
	struct sockaddr_un *un = (struct sockaddr_un *)&a.room;

	if (!path[0] || strlen(path) >= sizeof un->sun_path)
		return address_fail(-1, text, "the path must have 1 to 107 octets", why);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path) + 1);
	a.len = sizeof *un;
	if (!address_clear_stale(path, &a))
		return address_fail(
		    -1, text, "the file is in use or no socket; remove it or choose another", why);
	mode_t mask = umask(0117);
	int fd = address_listen_on(text, &a, why);
	umask(mask);
	return fd;
}

int address_listen(const char *text, char why[256])
{
	struct address a;
	char host[64];
	uint16_t port;

	if (!strncmp(text, "unix:", 5))
		return address_listen_unix(text, text + 5, why);
	if (!address_split(text, host, &port))
		return address_fail(
		    -1, text, "write it as 127.0.0.1:8080, [::1]:8080, *:8080 or unix:/path", why);
	if (!strcmp(host, "*")) {
		address_parse("::", port, &a);
		int fd = address_listen_on(text, &a, why);

		if (fd >= 0)
			return fd;
		address_parse("0.0.0.0", port, &a);
		return address_listen_on(text, &a, why);
	}
	if (!address_parse(host, port, &a))
		return address_fail(-1, text, "the host must be an address in digits, or *", why);
	return address_listen_on(text, &a, why);
}

uint16_t address_bound_port(int fd)
{
	struct address a = {.len = sizeof a.room};

	if (getsockname(fd, &a.sa, &a.len))
		return 0;
	if (a.sa.sa_family == AF_INET)
		return ntohs(a.in.sin_port);
	return a.sa.sa_family == AF_INET6 ? ntohs(a.in6.sin6_port) : 0;
}

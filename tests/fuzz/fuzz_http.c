/* The raw octets of one connection through the real HTTP server. The first octet says where the rest is cut
 * into two sends. Odd paths are answered at once, the others one round later. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/http_server.h"
#include "net/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define HELD 4096

static int64_t fake_us = 1000000;
static struct loop *loop;
static struct http_server *server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char folder[] = "/tmp/kezek-fuzz-http-XXXXXX";
static struct call *held[HELD];
static size_t held_count;
static struct defer later;

static int64_t fake_now(void)
{
	return fake_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

static void answer(struct call *c)
{
	size_t len;
	const char *body = call_body(c, &len);

	call_reply(c, len & 1 ? 400 : 202, "application/json", body, len);
}

static void answer_held(void *arg)
{
	size_t n = held_count;

	(void)arg;
	held_count = 0;
	for (size_t i = 0; i < n; i++)
		answer(held[i]);
}

static void on_call(void *arg, struct call *c)
{
	size_t len;

	(void)arg;
	assert(call_path(c)[0]);
	assert(call_method(c)[0] >= 'D' && call_method(c)[0] <= 'P');
	assert(call_body(c, &len)[len] == '\0' && len <= 4096);
	assert(!call_header(c, "Transfer-Encoding"));
	call_query(c, "a");
	if (strlen(call_path(c)) % 2 || held_count == HELD) {
		answer(c);
		return;
	}
	held[held_count++] = c;
	loop_defer(loop, &later, answer_held, NULL);
}

static void leave(void)
{
	unlink(address.sun_path);
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct http_limits limits = {1024, 4096, 8, 8, 5000, 60000, 3000, 10000};
	char text[sizeof address.sun_path + 8], why[256];

	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	if (!mkdtemp(folder))
		abort();
	atexit(leave);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
	snprintf(text, sizeof text, "unix:%s", address.sun_path);
	loop = loop_new(&fake_clock);
	server = http_server_new(loop, &limits, on_call, NULL);
	if (http_server_listen(server, text, NULL, 0, why, NULL) != KZ_OK)
		abort();
	return 0;
}

static void client_send(int fd, const uint8_t *data, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return;
		data += sent > 0 ? (size_t)sent : 0;
		n -= sent > 0 ? (size_t)sent : 0;
		loop_turn(loop, 0);
	}
}

/* What the server says must be responses, whatever it was asked. */
static void client_read(int fd, char first[9])
{
	char bytes[65536];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		if (!first[0] && n >= 8)
			memcpy(first, bytes, 8);
	assert(!first[0] || !memcmp(first, "HTTP/1.1", 8) || !memcmp(first, "HTTP/1.0", 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char first[9] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!size)
		return 0;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
		abort();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	size_t cut = data[0] < size ? data[0] : size;
	client_send(fd, data + 1, cut ? cut - 1 : 0);
	loop_turn(loop, 0);
	client_send(fd, data + (cut ? cut : 1), size - (cut ? cut : 1));
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 20000 && (!i || http_server_connections(server)); i++) {
		loop_turn(loop, 0);
		client_read(fd, first);
	}
	assert(!http_server_connections(server));
	close(fd);
	return 0;
}

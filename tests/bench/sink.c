/* sink: where Kannel tells of its receipts. Answers every request 200 and counts; GET /count says how many
 * came. One thread, epoll, keep-alive, so that it takes as little as can be from what is measured. A request
 * without a body is taken to end with its head, and each comes alone: Kannel's client sends no other. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX 4096

struct guest {
	int fd;
	size_t len;
	char head[HEAD_MAX];
};

static unsigned long long count;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int sink_listen(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1024) < 0)
		fail("listen");
	return fd;
}

static void guest_come(int epoll, int listener)
{
	struct guest *g = calloc(1, sizeof *g);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = g};
	int on = 1;

	if (!g || (g->fd = accept(listener, NULL, NULL)) < 0)
		fail("accept");
	setsockopt(g->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, g->fd, &e) < 0)
		fail("epoll_ctl");
}

static void guest_answer(struct guest *g)
{
	char answer[128], number[24] = "";

	if (!strncmp(g->head, "GET /count ", 11))
		snprintf(number, sizeof number, "%llu", count);
	else
		count++;
	int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(number), number);
	if (send(g->fd, answer, (size_t)n, MSG_NOSIGNAL) != n)
		shutdown(g->fd, SHUT_RDWR);
}

static void guest_read(struct guest *g)
{
	ssize_t n = recv(g->fd, g->head + g->len, HEAD_MAX - 1 - g->len, 0);

	if (n <= 0 || g->len + (size_t)n == HEAD_MAX - 1) {
		close(g->fd);
		free(g);
		return;
	}
	g->len += (size_t)n;
	g->head[g->len] = '\0';
	if (!strstr(g->head, "\r\n\r\n"))
		return;
	guest_answer(g);
	g->len = 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: sink PORT\n");
		return 2;
	}
	struct epoll_event e = {.events = EPOLLIN}, events[64];
	int epoll = epoll_create1(0), listener = sink_listen((unsigned)strtoul(argv[1], NULL, 10));

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e) < 0)
		fail("epoll");
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				guest_read(events[i].data.ptr);
			else
				guest_come(epoll, listener);
		}
	}
}

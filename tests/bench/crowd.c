/* crowd: clients who take places at a door and ask for nothing: some keep silent, the others say an octet of
 * a request every so often and never end it. Who is sent away comes again. Says "ready" when all stand there,
 * stays until SIGTERM, and says what became of them. Each 10,000 come from an address of their own, as
 * one address has no more ports. One thread, epoll. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PER_ADDRESS 10000

static const char request[] =
    "POST /v1/messages HTTP/1.1\r\nHost: kezek\r\nContent-Type: application/json\r\n"
    "Content-Length: 200\r\n\r\n{\"to\": \"+77011234567\", \"text\": \"";

struct client {
	int fd; /* -1: not there */
	bool dribbles, stands;
	size_t said; /* octets of the request */
};

static struct {
	unsigned port, idle, dribble, every_ms, dial; /* dial: at most in a tick */
	struct client *clients;
	unsigned n, here, standing, next, turn; /* here: that have a socket */
	unsigned due;                           /* thousandths of a turn */
	int epoll, timer;
	unsigned long long dialled, sent_away, octets;
	bool ready;
} crowd = {.every_ms = 1000, .dial = 4};

static volatile sig_atomic_t over;

static void on_term(int signo)
{
	(void)signo;
	over = 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void client_dial(unsigned i)
{
	struct client *c = &crowd.clients[i];
	struct sockaddr_in from = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i / PER_ADDRESS)};
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)crowd.port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = i};
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		fail("socket");
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (bind(c->fd, (struct sockaddr *)&from, sizeof from) ||
	    (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS))
		fail("connect");
	if (epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, c->fd, &e))
		fail("epoll_ctl");
	c->said = 0;
	crowd.dialled++;
	crowd.here++;
}

static void client_leave(struct client *c)
{
	crowd.sent_away++;
	crowd.standing -= c->stands;
	c->stands = false;
	close(c->fd);
	c->fd = -1;
	crowd.here--;
}

static void client_on_event(struct client *c, uint32_t events)
{
	char answer[4096];

	if (c->fd < 0)
		return;
	if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
		client_leave(c);
		return;
	}
	if ((events & EPOLLOUT) && !c->stands) {
		c->stands = true;
		crowd.standing++;
	}
	while ((events & EPOLLIN) && recv(c->fd, answer, sizeof answer, 0) > 0)
		; /* the door says why; its end follows */
}

static void client_say(struct client *c)
{
	if (!c->dribbles || !c->stands || c->said == sizeof request - 1)
		return;
	if (send(c->fd, request + c->said, 1, MSG_NOSIGNAL) != 1)
		return;
	c->said++;
	crowd.octets++;
}

/* A thousandth of the crowd has its turn; each client once in every_ms. Who left is dialled again. */
static void crowd_tick(void)
{
	unsigned dialled = 0;

	crowd.due += crowd.n;
	for (; crowd.due >= 1000; crowd.due -= 1000, crowd.turn = (crowd.turn + 1) % crowd.n)
		if (crowd.clients[crowd.turn].fd >= 0)
			client_say(&crowd.clients[crowd.turn]);
	for (; crowd.here < crowd.n && dialled < crowd.dial; crowd.next = (crowd.next + 1) % crowd.n)
		if (crowd.clients[crowd.next].fd < 0) {
			client_dial(crowd.next);
			dialled++;
		}
	if (!crowd.ready && crowd.standing == crowd.n) {
		crowd.ready = true;
		puts("ready");
		fflush(stdout);
	}
}

static void crowd_open(void)
{
	struct itimerspec every = {.it_interval.tv_nsec = (long)crowd.every_ms * 1000};
	struct epoll_event e = {.events = EPOLLIN};
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	crowd.n = crowd.idle + crowd.dribble;
	crowd.clients = calloc(crowd.n, sizeof *crowd.clients);
	crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
	crowd.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	every.it_value = every.it_interval;
	if (!crowd.clients || crowd.epoll < 0 || crowd.timer < 0 ||
	    timerfd_settime(crowd.timer, 0, &every, NULL))
		fail("start");
	for (unsigned i = 0; i < crowd.n; i++)
		crowd.clients[i] = (struct client){
		    .fd = -1, .dribbles = (i + 1) * crowd.dribble / crowd.n > i * crowd.dribble / crowd.n};
	e.data.u32 = crowd.n; /* the timer */
	epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, crowd.timer, &e);
	signal(SIGTERM, on_term);
}

static void crowd_run(void)
{
	struct epoll_event events[512];
	uint64_t ticks;

	while (!over) {
		int n = epoll_wait(crowd.epoll, events, 512, -1);

		for (int i = 0; i < n; i++) {
			uint32_t at = events[i].data.u32;

			if (at < crowd.n)
				client_on_event(&crowd.clients[at], events[i].events);
			else if (read(crowd.timer, &ticks, sizeof ticks) > 0)
				crowd_tick();
		}
	}
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > 60000) {
		fprintf(stderr, "usage: crowd --port N [--idle N] [--dribble N] [--every MS] [--dial N]\n");
		exit(2);
	}
	return (unsigned)n;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {{"port", 1, NULL, 'p'}, {"idle", 1, NULL, 'i'},
	    {"dribble", 1, NULL, 'd'}, {"every", 1, NULL, 'e'}, {"dial", 1, NULL, 'n'}, {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned *to = opt == 'p'   ? &crowd.port
		               : opt == 'i' ? &crowd.idle
		               : opt == 'd' ? &crowd.dribble
		               : opt == 'n' ? &crowd.dial
		                            : &crowd.every_ms;
		*to = number(opt == '?' ? "" : optarg);
	}
	if (!crowd.port || !(crowd.idle + crowd.dribble) || !crowd.every_ms || !crowd.dial ||
	    crowd.every_ms > 60000)
		number("");
	crowd_open();
	crowd_run();
	printf("{\"standing\":%u,\"dialled\":%llu,\"sent_away\":%llu,\"octets\":%llu}\n", crowd.standing,
	    crowd.dialled, crowd.sent_away, crowd.octets);
	return 0;
}

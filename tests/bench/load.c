/* load: HTTP requests over many keep-alive connections, as fast as they are answered or at a steady rate, and
 * how long each took. One thread, epoll, so that it leaves the second core to what is measured. With a rate
 * the clock of a request starts when it was due, not when a connection was free for it: a server that stalls
 * does not slow its own measure. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX   4096
#define IN_MAX    16384
#define BUCKET_US 10
#define BUCKETS   1000000 /* up to 10 s; the last has all beyond */
#define GRACE_US  30000000

struct options {
	unsigned port, connections, seconds, rate, ok;
	uint64_t count; /* 0: as many as the seconds allow */
	uint64_t first; /* number of the first request */
	const char *method, *path, *key, *body, *type, *lines, *journal;
};

/* Of the answer to one request, for the journal. */
struct answer {
	int64_t began_us; /* monotonic: when it was due */
	uint16_t status;
	char id[14];
};

struct conn {
	int fd;
	bool open;
	int64_t began_us; /* 0: idle */
	uint64_t number;  /* of its request */
	char out[OUT_MAX], in[IN_MAX];
	size_t out_len, out_at, in_len;
};

struct load {
	struct options o;
	int epoll;
	struct conn *conns;
	unsigned *idle; /* a stack of indexes */
	unsigned idle_n, open_n;
	uint64_t run, started, answered, ok, failed;
	int64_t begin_us, end_us, last_us, began_wall_us, wall_is_ahead_us;
	uint32_t *buckets;
	int32_t *took_us; /* with a rate: of each request, by its number, so by when it was due */
	int64_t max_us;
	unsigned other_status;
	struct answer *answers; /* with a journal */
	char **lines;           /* with a file of them: path, tabulator, body */
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Appends text with each {n} as 7 digits of n, each {s} as 7 digits that are n's alone too, neighbours far
 * from each other. */
static size_t fill(char *out, size_t at, const char *text, uint64_t n)
{
	while (*text && at + 8 < OUT_MAX) {
		if (!strncmp(text, "{n}", 3) || !strncmp(text, "{s}", 3)) {
			uint64_t value = text[1] == 'n' ? n : n * 7654321;

			at += (size_t)snprintf(
			    out + at, OUT_MAX - at, "%07llu", (unsigned long long)(value % 10000000));
			text += 3;
		} else
			out[at++] = *text++;
	}
	out[at] = '\0';
	return at;
}

static size_t request_make(const struct load *l, uint64_t n, char out[OUT_MAX])
{
	const struct options *o = &l->o;
	const char *line = l->lines ? l->lines[n] : NULL;
	char body[OUT_MAX / 2];
	char path[OUT_MAX];
	size_t body_len = fill(path, 0, line ? line + strlen(line) + 1 : o->body, n + o->first);

	if (body_len >= sizeof body) {
		errno = EMSGSIZE;
		fail("body");
	}
	memcpy(body, path, body_len + 1);
	fill(path, 0, line ? line : o->path, n + o->first);
	int len =
	    snprintf(out, OUT_MAX, "%s %.1500s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", o->method, path, o->port);
	if (*o->key)
		len += snprintf(out + len, OUT_MAX - (size_t)len, "Authorization: Bearer %.200s\r\n", o->key);
	if (*body)
		len += snprintf(out + len, OUT_MAX - (size_t)len,
		    "Content-Type: %.80s\r\nContent-Length: %zu\r\nIdempotency-Key: %016llx-%llu\r\n\r\n%s",
		    o->type, body_len, (unsigned long long)l->run, (unsigned long long)n, body);
	else
		len += snprintf(out + len, OUT_MAX - (size_t)len, "\r\n");
	if (len >= OUT_MAX) {
		errno = EMSGSIZE;
		fail("request");
	}
	return (size_t)len;
}

static void conn_open(struct load *l, struct conn *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->o.port)};
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
	int one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) < 0)
		fail("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		fail("epoll_ctl");
	c->open = true;
	l->open_n++;
	l->idle[l->idle_n++] = (unsigned)(c - l->conns);
}

static void conn_close(struct load *l, struct conn *c)
{
	if (!c->open)
		return;
	close(c->fd);
	c->open = false;
	l->open_n--;
	for (unsigned i = 0; i < l->idle_n; i++)
		if (l->idle[i] == (unsigned)(c - l->conns))
			l->idle[i--] = l->idle[--l->idle_n];
	if (c->began_us)
		l->failed++;
	c->began_us = 0;
}

/* A request is small and its connection idle, so the socket takes it whole; what it does not take goes with
 * EPOLLOUT. */
static void conn_write(struct load *l, struct conn *c)
{
	ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_close(l, c);
		return;
	}
	c->out_at += n > 0 ? (size_t)n : 0;
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
	if (c->out_at < c->out_len)
		e.events |= EPOLLOUT;
	else if (n == (ssize_t)c->out_len)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

static void conn_ask(struct load *l, struct conn *c, int64_t due_us)
{
	c->number = l->started++;
	c->out_len = request_make(l, c->number, c->out);
	c->out_at = 0;
	c->in_len = 0;
	c->began_us = due_us;
	conn_write(l, c);
}

/* The length of the whole answer, 0 while it is not there yet. */
static size_t answer_len(const struct conn *c)
{
	const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
	const char *line = c->in;
	size_t body = 0;

	if (!end)
		return 0;
	while (line < end && (line = memchr(line, '\n', (size_t)(end - line))) != NULL)
		if (!strncasecmp(++line, "Content-Length:", 15))
			body = strtoul(line + 15, NULL, 10);
	size_t whole = (size_t)(end - c->in) + 4 + body;
	return whole <= c->in_len ? whole : 0;
}

/* The first id of an answer is that of what it is about. */
static void answer_note(struct answer *a, const struct conn *c, unsigned status)
{
	const char *id = strstr(c->in, "\"id\":\"");

	a->began_us = c->began_us;
	a->status = (uint16_t)status;
	if (id)
		snprintf(a->id, sizeof a->id, "%.13s", id + 6);
}

static void answer_count(struct load *l, const struct conn *c)
{
	int64_t now = now_us(), took = now - c->began_us;
	int64_t bucket = took / BUCKET_US;
	unsigned status = c->in_len > 12 ? (unsigned)strtoul(c->in + 9, NULL, 10) : 0;

	l->last_us = now;
	l->answered++;
	if (status == l->o.ok)
		l->ok++;
	else
		l->other_status = status;
	l->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	if (l->answers)
		answer_note(&l->answers[c->number], c, status);
	if (l->took_us)
		l->took_us[c->number] = (int32_t)took;
	if (took > l->max_us)
		l->max_us = took;
}

static void conn_read(struct load *l, struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, IN_MAX - 1 - c->in_len, MSG_DONTWAIT);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			conn_close(l, c);
		return;
	}
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	if (!answer_len(c) || !c->began_us) {
		if (c->in_len == IN_MAX - 1)
			conn_close(l, c);
		return;
	}
	answer_count(l, c);
	c->began_us = 0;
	l->idle[l->idle_n++] = (unsigned)(c - l->conns);
}

/* With a rate all of them are due, also those that a stall has put off beyond the end. */
static bool load_wants_more(const struct load *l, int64_t now)
{
	return (now < l->end_us || l->o.rate) && (l->o.count == 0 || l->started < l->o.count);
}

/* Starts what is due; returns the microseconds until something else may be. */
static int64_t load_start_due(struct load *l)
{
	int64_t now = now_us();

	while (l->idle_n > 0 && load_wants_more(l, now)) {
		int64_t due = now;

		if (l->o.rate)
			due = l->begin_us + (int64_t)(l->started * 1000000 / l->o.rate);
		if (due > now)
			return due - now;
		conn_ask(l, &l->conns[l->idle[--l->idle_n]], due);
	}
	return 100000;
}

static void load_turn(struct load *l)
{
	struct epoll_event events[256];
	struct timespec wait = {.tv_nsec = load_start_due(l) * 1000};
	int n = epoll_pwait2(l->epoll, events, 256, &wait, NULL);

	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;

		if (c->open && (events[i].events & EPOLLOUT))
			conn_write(l, c);
		if (c->open && (events[i].events & ~(unsigned)EPOLLOUT))
			conn_read(l, c);
	}
}

/* One request a line, each once. */
static void load_read_lines(struct load *l)
{
	FILE *f = fopen(l->o.lines, "r");
	uint64_t room = 0, n = 0;
	char *line = NULL;
	size_t size = 0;

	if (!f)
		fail(l->o.lines);
	for (ssize_t len; (len = getline(&line, &size, f)) > 0; n++) {
		char *tab = strchr(line, '\t');

		if (n == room)
			l->lines = realloc(l->lines, (room = room ? room * 2 : 1024) * sizeof *l->lines);
		if (!l->lines || !tab || line[len - 1] != '\n' || !(l->lines[n] = malloc((size_t)len + 1)))
			fail("a line");
		line[len - 1] = *tab = '\0';
		memcpy(l->lines[n], line, (size_t)len + 1);
	}
	free(line);
	fclose(f);
	if (l->o.count == 0 || l->o.count > n)
		l->o.count = n;
}

/* Number, when it was due by this machine's clock in microseconds, status, id. */
static void load_write_journal(const struct load *l)
{
	FILE *f = fopen(l->o.journal, "w");

	if (!f)
		fail(l->o.journal);
	for (uint64_t i = 0; i < l->started; i++) {
		const struct answer *a = &l->answers[i];

		if (a->status)
			fprintf(f, "%llu %lld %u %s\n", (unsigned long long)(i + l->o.first),
			    (long long)(a->began_us + l->wall_is_ahead_us), a->status, a->id);
	}
	if (fclose(f))
		fail(l->o.journal);
}

static void load_run(struct load *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->conns = calloc(l->o.connections, sizeof *l->conns);
	l->idle = calloc(l->o.connections, sizeof *l->idle);
	l->buckets = calloc(BUCKETS, sizeof *l->buckets);
	if (l->o.rate) {
		uint64_t due = (uint64_t)l->o.rate * l->o.seconds;

		l->o.count = l->o.count && l->o.count < due ? l->o.count : due;
		l->took_us = calloc(l->o.count, sizeof *l->took_us);
	}
	if (l->o.journal)
		l->answers = calloc(l->o.count, sizeof *l->answers);
	if (l->epoll < 0 || !l->conns || !l->idle || !l->buckets || (l->o.rate && !l->took_us) ||
	    (l->o.journal && !l->answers))
		fail("start");
	for (unsigned i = 0; i < l->o.connections; i++) {
		conn_open(l, &l->conns[i]);
		/* A listener with a short backlog (Kannel's is 10) drops what comes faster than it accepts,
		 * and TCP tries again after seconds. Nothing tells us when it has accepted: dialling with
		 * each answer instead left Kannel a sixteenth of its speed. */
		if (i % 8 == 7)
			usleep(1000);
	}
	l->began_wall_us = wall_us();
	l->wall_is_ahead_us = l->began_wall_us - now_us();
	l->run = (uint64_t)now_us() << 16 ^ (uint64_t)getpid();
	l->begin_us = now_us();
	l->end_us = l->begin_us + (int64_t)l->o.seconds * 1000000;
	while (l->open_n > 0 && (load_wants_more(l, now_us()) || l->idle_n < l->open_n) &&
	       now_us() < l->end_us + GRACE_US)
		load_turn(l);
	if (l->o.rate)
		l->failed += l->o.count - l->started;
}

static int64_t load_percentile(const struct load *l, double share)
{
	uint64_t wanted = (uint64_t)((double)l->answered * share), seen = 0;

	for (int64_t i = 0; i < BUCKETS; i++)
		if ((seen += l->buckets[i]) > wanted)
			return (i + 1) * BUCKET_US;
	return l->max_us;
}

static int by_time(const void *a, const void *b)
{
	return *(const int32_t *)a - *(const int32_t *)b;
}

/* The 99th percentile of what was due in each second. An answer that never came took no time: it is counted
 * as failed. */
static void load_print_seconds(const struct load *l)
{
	for (uint64_t from = 0; l->took_us && from + l->o.rate <= l->o.count; from += l->o.rate) {
		qsort(l->took_us + from, l->o.rate, sizeof *l->took_us, by_time);
		printf("%s%d", from ? "," : "", l->took_us[from + (uint64_t)l->o.rate * 99 / 100]);
	}
}

static void load_print(const struct load *l)
{
	double seconds = (double)(l->last_us - l->begin_us) / 1e6;

	printf("{\"answered\":%llu,\"ok\":%llu,\"failed\":%llu,\"other_status\":%u,\"began_ms\":%lld,"
	       "\"seconds\":%.6f,\"per_second\":%.1f,"
	       "\"p50_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld,\"p99_us_of_seconds\":[",
	    (unsigned long long)l->answered, (unsigned long long)l->ok, (unsigned long long)l->failed,
	    l->other_status, (long long)l->began_wall_us / 1000, seconds,
	    seconds > 0 ? (double)l->ok / seconds : 0.0, (long long)load_percentile(l, 0.5),
	    (long long)load_percentile(l, 0.99), (long long)l->max_us);
	load_print_seconds(l);
	puts("]}");
}

static unsigned number(const char *text, const char *name, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > max) {
		fprintf(stderr, "load: --%s wants a number up to %lu\n", name, max);
		exit(2);
	}
	return (unsigned)n;
}

static void options_parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {{"port", 1, NULL, 'p'}, {"connections", 1, NULL, 'c'},
	    {"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'}, {"count", 1, NULL, 'n'}, {"ok", 1, NULL, 'o'},
	    {"method", 1, NULL, 'm'}, {"path", 1, NULL, 'u'}, {"key", 1, NULL, 'k'}, {"body", 1, NULL, 'b'},
	    {"type", 1, NULL, 't'}, {"first", 1, NULL, 'f'}, {"lines", 1, NULL, 'l'},
	    {"journal", 1, NULL, 'j'}, {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (opt) {
		case 'p':
			o->port = number(optarg, "port", 65535);
			break;
		case 'c':
			o->connections = number(optarg, "connections", 20000);
			break;
		case 's':
			o->seconds = number(optarg, "seconds", 3600);
			break;
		case 'r':
			o->rate = number(optarg, "rate", 1000000);
			break;
		case 'n':
			o->count = number(optarg, "count", 1000000000);
			break;
		case 'o':
			o->ok = number(optarg, "ok", 599);
			break;
		case 'm':
			o->method = optarg;
			break;
		case 'u':
			o->path = optarg;
			break;
		case 'k':
			o->key = optarg;
			break;
		case 'b':
			o->body = optarg;
			break;
		case 't':
			o->type = optarg;
			break;
		case 'f':
			o->first = number(optarg, "first", 1000000000);
			break;
		case 'l':
			o->lines = optarg;
			break;
		case 'j':
			o->journal = optarg;
			break;
		default:
			fprintf(stderr,
			    "usage: load --port N [--connections N] [--seconds N] [--rate N] [--count N] "
			    "[--ok STATUS]\n"
			    "            [--method M] [--path P] [--key KEY] [--body TEXT] [--type TYPE] "
			    "[--first N]\n"
			    "            [--lines FILE] [--journal FILE]\n"
			    "{n} in path and body becomes the number of the request, 7 digits; {s} too, "
			    "spread "
			    "out.\n"
			    "--lines: of path, tabulator, body; each goes once. --journal (with --rate or "
			    "--lines):\n"
			    "number, when it was due in microseconds, status and id of each answer.\n");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct load l = {.o = {.connections = 64,
	                     .seconds = 10,
	                     .ok = 202,
	                     .method = "POST",
	                     .path = "/v1/messages",
	                     .key = "",
	                     .body = "",
	                     .type = "application/json"}};

	options_parse(&l.o, argc, argv);
	if (!l.o.port || !l.o.connections) {
		fprintf(stderr, "load: --port and at least one connection are wanted\n");
		return 2;
	}
	if (l.o.lines)
		load_read_lines(&l);
	if (l.o.journal && !l.o.rate && !l.o.lines) {
		fprintf(stderr, "load: --journal wants --rate or --lines\n");
		return 2;
	}
	load_run(&l);
	load_print(&l);
	if (l.o.journal)
		load_write_journal(&l);
	return l.answered > 0 ? 0 : 1;
}

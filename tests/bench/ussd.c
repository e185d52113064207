/* ussd: a message centre with many phones that dial, for the bench. Waits for one bind on 127.0.0.1, then
 * does what lines of standard input say, each answered by a line of JSON: busy PHONES SECONDS    so many
 * phones at once, each presses the next key as soon as it has its page rate TURNS SECONDS     so many turns
 * begin each second open PHONES TURNS      so many phones dial, TURNS a second, and leave their page open A
 * phone dials and presses 00 seven times, so that each turn asks who calls; then it dials again. One thread,
 * epoll: as little as can be is taken from what is measured. Turns that have no page after 10 s are lost. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PHONES_MAX 200000
#define TIMES_MAX  4000000
#define KEYS       8 /* of a dialogue: the code, then home seven times */
#define LOST_US    10000000
#define OUT_MAX    (1 << 22)

static struct phone {
	int64_t asked_us; /* 0: none is asked */
	uint32_t dialogue;
	uint8_t step;
	bool ended; /* its page was the last one */
} phones[PHONES_MAX];

static uint8_t in[1 << 20], out[OUT_MAX];
static size_t in_n, out_n;
static int fd;
static uint32_t sequence = 1, dialogues;
static unsigned phones_n;      /* of the phase */
static bool again, keeps_open; /* a page is answered at once; or never */
static uint32_t *times;        /* us of each turn */
static size_t times_n, lost, ended, unasked;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static uint32_t take32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> (24 - 8 * i));
}

static void put(const void *bytes, size_t n)
{
	if (out_n + n > OUT_MAX) {
		fputs("ussd: the gateway does not read\n", stderr);
		exit(1);
	}
	memcpy(out + out_n, bytes, n);
	out_n += n;
}

static void put_header(uint32_t length, uint32_t command, uint32_t of)
{
	uint8_t h[16];

	put32(h, length);
	put32(h + 4, command);
	put32(h + 8, 0);
	put32(h + 12, of);
	put(h, sizeof h);
}

/* deliver_sm with ussd_service_op and its_session_info: SMPP 3.4, 4.6.1, 5.3.2.44, 5.3.2.43. */
static void deliver(unsigned i, uint8_t op, const char *text)
{
	char source[16];
	size_t source_n = (size_t)snprintf(source, sizeof source, "%llu", 77010000000ULL + i) + 1,
	       n = strlen(text);
	const uint16_t its = (uint16_t)(phones[i].dialogue << 1);
	const uint8_t head[] = {'U', 'S', 'S', 'D', 0, 1, 1}, between[] = {0, 1, '1', '2', '3', 0},
	              middle[] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
	const uint8_t tlvs[] = {0x05, 0x01, 0, 1, op, 0x13, 0x83, 0, 2, (uint8_t)(its >> 8), (uint8_t)its};
	const uint8_t length = (uint8_t)n;

	put_header(
	    (uint32_t)(16 + sizeof head + source_n + sizeof between + sizeof middle + 1 + n + sizeof tlvs), 5,
	    sequence++);
	put(head, sizeof head);
	put(source, source_n);
	put(between, sizeof between);
	put(middle, sizeof middle);
	put(&length, 1);
	put(text, n);
	put(tlvs, sizeof tlvs);
	phones[i].asked_us = now_us();
}

static void press(unsigned i)
{
	struct phone *p = &phones[i];

	if (p->step == 0 || p->step == KEYS || p->ended) {
		p->dialogue = ++dialogues;
		p->step = 0;
		p->ended = false;
		deliver(i, 1, "*123#");
	} else {
		deliver(i, 18, "00");
	}
	p->step++;
}

static void on_page(unsigned long long number, uint8_t op)
{
	unsigned i = (unsigned)(number - 77010000000ULL);

	if (number < 77010000000ULL || i >= PHONES_MAX || !phones[i].asked_us) {
		unasked++;
		return;
	}
	if (times_n < TIMES_MAX)
		times[times_n++] = (uint32_t)(now_us() - phones[i].asked_us);
	phones[i].asked_us = 0;
	if (op == 17) {
		phones[i].ended = true;
		ended++;
	}
	if (again && i < phones_n)
		press(i);
}

static const uint8_t *past_text(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *nul = memchr(p, 0, (size_t)(end - p));

	return nul ? nul + 1 : end;
}

/* submit_sm, 4.4.1: whose page it is, and its ussd_service_op. */
static void on_submit(const uint8_t *frame, uint32_t length)
{
	const uint8_t *end = frame + length, *p = past_text(frame + 16, end), *to;
	uint8_t op = 0;

	p = past_text(p + 2, end);
	to = p + 2;
	p = past_text(to, end) + 3;
	p = past_text(past_text(p, end), end) + 4; /* schedule, validity; registered .. default id */
	p += 1 + *p;                               /* short_message */
	while (p + 4 <= end) {
		if (p[0] == 0x05 && p[1] == 0x01)
			op = p[4];
		p += 4 + (p[2] << 8 | p[3]);
	}
	put_header(18, 0x80000004, take32(frame + 12));
	put("1", 2);
	on_page(strtoull((const char *)to, NULL, 10), op);
}

static void on_pdu(const uint8_t *frame, uint32_t length)
{
	uint32_t command = take32(frame + 4), of = take32(frame + 12);

	if (command == 4) {
		on_submit(frame, length);
	} else if (command == 9 || command == 2 || command == 1) {
		put_header(21, command | 0x80000000, of);
		put("ussd", 5);
	} else if (!(command & 0x80000000)) {
		put_header(16, command | 0x80000000, of);
	}
}

static void flush(void)
{
	size_t at = 0;

	while (at < out_n) {
		ssize_t n = write(fd, out + at, out_n - at);

		if (n < 0 && errno != EAGAIN)
			fail("write");
		if (n < 0)
			break;
		at += (size_t)n;
	}
	memmove(out, out + at, out_n - at);
	out_n -= at;
}

static void wait_for(int64_t until_us)
{
	int64_t left = until_us - now_us();
	struct timespec t = {left / 1000000, left % 1000000 * 1000};
	struct pollfd p = {fd, (short)(POLLIN | (out_n ? POLLOUT : 0)), 0};
	ssize_t n;

	flush();
	if (ppoll(&p, 1, left > 0 ? &t : &(struct timespec){0}, NULL) < 0)
		fail("poll");
	if ((n = read(fd, in + in_n, sizeof in - in_n)) == 0)
		exit(1); /* the gateway hung up: whoever waits for a line hears that there is none */
	if (n < 0 && errno != EAGAIN)
		fail("read");
	in_n += n > 0 ? (size_t)n : 0;
	size_t at = 0;
	for (uint32_t length; in_n - at >= 16 && (length = take32(in + at)) <= in_n - at; at += length)
		on_pdu(in + at, length);
	memmove(in, in + at, in_n - at);
	in_n -= at;
	flush();
}

static int by_time(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t waiting(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < PHONES_MAX; i++)
		n += phones[i].asked_us != 0;
	return n;
}

static void begin(void)
{
	times_n = lost = ended = unasked = 0;
}

static void tell(double seconds)
{
	again = false;
	for (int64_t end = now_us() + LOST_US; waiting() && now_us() < end;)
		wait_for(now_us() + 100000);
	lost = waiting();
	for (unsigned i = 0; i < PHONES_MAX; i++)
		phones[i].asked_us = 0;
	qsort(times, times_n, sizeof *times, by_time);
	printf("{\"turns\":%zu,\"per_second\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"lost\":%zu,"
	       "\"ended\":%zu,"
	       "\"unasked\":%zu}\n",
	    times_n, (double)times_n / seconds, times_n ? times[times_n / 2] : 0,
	    times_n ? times[times_n * 99 / 100] : 0, times_n ? times[times_n - 1] : 0, lost, ended, unasked);
	fflush(stdout);
}

static void busy(unsigned n, double seconds)
{
	int64_t from = now_us(), end = from + (int64_t)(seconds * 1e6);

	begin();
	phones_n = n;
	again = true;
	for (unsigned i = 0; i < n; i++)
		press(i);
	while (now_us() < end)
		wait_for(end);
	seconds = (double)(now_us() - from) / 1e6;
	again = false;
	tell(seconds);
}

/* Phones take turns; one that still waits is passed over. */
static void paced(unsigned most, double rate, double seconds)
{
	int64_t from = now_us(), end = from + (int64_t)(seconds * 1e6);
	size_t begun = 0;

	begin();
	for (unsigned i = 0; now_us() < end && (!keeps_open || i < most);) {
		size_t due = (size_t)((double)(now_us() - from) * rate / 1e6);

		for (; begun < due && (!keeps_open || i < most); begun++, i++)
			if (!phones[i % most].asked_us)
				press(i % most);
		wait_for(from + (int64_t)((double)(begun + 1) * 1e6 / rate));
	}
	tell((double)(now_us() - from) / 1e6);
}

static void listen_once(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (l < 0 || setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(l, (struct sockaddr *)&a, sizeof a) < 0 || listen(l, 1) < 0 ||
	    (fd = accept(l, NULL, NULL)) < 0)
		fail("listen");
	close(l);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

int main(int argc, char **argv)
{
	char line[128];
	unsigned a;
	double b;

	if (argc != 2 || !(times = calloc(TIMES_MAX, sizeof *times)))
		return 2;
	listen_once((unsigned)atoi(argv[1]));
	fcntl(0, F_SETFL, O_NONBLOCK);
	for (;;) {
		ssize_t n = read(0, line, sizeof line - 1);

		if (n == 0)
			return 0;
		line[n > 0 ? n : 0] = '\0';
		keeps_open = false;
		if (n > 0 && sscanf(line, "busy %u %lf", &a, &b) == 2 && a <= PHONES_MAX)
			busy(a, b);
		else if (n > 0 && sscanf(line, "rate %u %lf", &a, &b) == 2)
			paced(4000, a, b);
		else if (n > 0 && sscanf(line, "open %u %lf", &a, &b) == 2 && a <= PHONES_MAX) {
			keeps_open = true;
			paced(a, b, 1e6);
		} else {
			wait_for(now_us() + 50000);
		}
	}
}

/* centre: the SMPP side of a message centre whose phones dial, for the bench: waits for its binds on
 * 127.0.0.1, brings what phones say and answers every PDU at once. One thread, poll: as little as can be is
 * taken from what is measured. Who includes it defines centre_on_page. */
#ifndef TESTS_BENCH_CENTRE_H
#define TESTS_BENCH_CENTRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CENTRE_LINKS 4
#define CENTRE_OUT   (1 << 23)

/* ussd_service_op: 17 is a dialogue's last page. */
#define OP_DIALLED 1
#define OP_TYPED   18
#define OP_LAST    17

static struct centre_link {
	int fd;
	uint8_t in[1 << 20], out[CENTRE_OUT];
	size_t in_n, out_n;
} centre_links[CENTRE_LINKS];
static unsigned centre_links_n;
static uint32_t centre_sequence = 1;

/* A page for that number, and its ussd_service_op. */
static void centre_on_page(uint64_t number, uint8_t op);

static void centre_fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t centre_now_us(void)
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

static void centre_put(struct centre_link *l, const void *bytes, size_t n)
{
	if (l->out_n + n > CENTRE_OUT) {
		fputs("centre: the gateway does not read\n", stderr);
		exit(1);
	}
	memcpy(l->out + l->out_n, bytes, n);
	l->out_n += n;
}

static void centre_put_header(struct centre_link *l, uint32_t length, uint32_t command, uint32_t of)
{
	uint8_t h[16];

	put32(h, length);
	put32(h + 4, command);
	put32(h + 8, 0);
	put32(h + 12, of);
	centre_put(l, h, sizeof h);
}

/* deliver_sm with ussd_service_op and its_session_info: SMPP 3.4, 4.6.1, 5.3.2.44, 5.3.2.43. A dialogue stays
 * on its link. */
static void centre_deliver(uint64_t number, uint32_t dialogue, uint8_t op, const char *text, size_t n)
{
	struct centre_link *l = &centre_links[dialogue % centre_links_n];
	char source[24];
	size_t source_n = (size_t)snprintf(source, sizeof source, "%llu", (unsigned long long)number) + 1;
	const uint16_t its = (uint16_t)(dialogue << 1);
	const uint8_t head[] = {'U', 'S', 'S', 'D', 0, 1, 1}, between[] = {0, 1, '1', '2', '3', 0},
	              middle[] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
	const uint8_t tlvs[] = {0x05, 0x01, 0, 1, op, 0x13, 0x83, 0, 2, (uint8_t)(its >> 8), (uint8_t)its};
	const uint8_t length = (uint8_t)n;

	centre_put_header(l,
	    (uint32_t)(16 + sizeof head + source_n + sizeof between + sizeof middle + 1 + n + sizeof tlvs), 5,
	    centre_sequence++);
	centre_put(l, head, sizeof head);
	centre_put(l, source, source_n);
	centre_put(l, between, sizeof between);
	centre_put(l, middle, sizeof middle);
	centre_put(l, &length, 1);
	centre_put(l, text, n);
	centre_put(l, tlvs, sizeof tlvs);
}

static const uint8_t *past_text(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *nul = memchr(p, 0, (size_t)(end - p));

	return nul ? nul + 1 : end;
}

/* submit_sm, 4.4.1: whose page it is, and its ussd_service_op; an SMS has none. */
static void centre_on_submit(struct centre_link *l, const uint8_t *frame, uint32_t length)
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
	centre_put_header(l, 18, 0x80000004, take32(frame + 12));
	centre_put(l, "1", 2);
	if (op)
		centre_on_page(strtoull((const char *)to, NULL, 10), op);
}

static void centre_on_pdu(struct centre_link *l, const uint8_t *frame, uint32_t length)
{
	uint32_t command = take32(frame + 4), of = take32(frame + 12);

	if (command == 4) {
		centre_on_submit(l, frame, length);
	} else if (command == 9 || command == 2 || command == 1) {
		centre_put_header(l, 21, command | 0x80000000, of);
		centre_put(l, "ussd", 5);
	} else if (!(command & 0x80000000)) {
		centre_put_header(l, 16, command | 0x80000000, of);
	}
}

static void centre_flush(struct centre_link *l)
{
	size_t at = 0;

	while (at < l->out_n) {
		ssize_t n = write(l->fd, l->out + at, l->out_n - at);

		if (n < 0 && errno != EAGAIN)
			centre_fail("write");
		if (n < 0)
			break;
		at += (size_t)n;
	}
	memmove(l->out, l->out + at, l->out_n - at);
	l->out_n -= at;
}

static void centre_read(struct centre_link *l)
{
	ssize_t n = read(l->fd, l->in + l->in_n, sizeof l->in - l->in_n);
	size_t at = 0;

	if (n == 0)
		exit(1); /* the gateway hung up: whoever waits for a line hears that there is none */
	if (n < 0 && errno != EAGAIN)
		centre_fail("read");
	l->in_n += n > 0 ? (size_t)n : 0;
	for (uint32_t length; l->in_n - at >= 16 && (length = take32(l->in + at)) <= l->in_n - at;
	     at += length)
		centre_on_pdu(l, l->in + at, length);
	memmove(l->in, l->in + at, l->in_n - at);
	l->in_n -= at;
}

/* Returns by then at the latest. */
static void centre_wait(int64_t until_us)
{
	struct pollfd p[CENTRE_LINKS];

	for (unsigned i = 0; i < centre_links_n; i++) {
		centre_flush(&centre_links[i]);
		p[i] = (struct pollfd){
		    centre_links[i].fd, (short)(POLLIN | (centre_links[i].out_n ? POLLOUT : 0)), 0};
	}
	const int64_t left = until_us - centre_now_us();
	const struct timespec t = {left / 1000000, left % 1000000 * 1000}, none = {0};
	if (ppoll(p, centre_links_n, left > 0 ? &t : &none, NULL) < 0)
		centre_fail("poll");
	for (unsigned i = 0; i < centre_links_n; i++)
		if (p[i].revents)
			centre_read(&centre_links[i]);
	for (unsigned i = 0; i < centre_links_n; i++)
		centre_flush(&centre_links[i]);
}

static void centre_listen(unsigned port, unsigned links)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (l < 0 || setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(l, (struct sockaddr *)&a, sizeof a) < 0 || listen(l, CENTRE_LINKS) < 0)
		centre_fail("listen");
	for (; centre_links_n < links; centre_links_n++) {
		int fd = accept(l, NULL, NULL);

		if (fd < 0)
			centre_fail("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		centre_links[centre_links_n].fd = fd;
	}
	close(l);
}

#endif

/* fake_centre: a scripted message centre for unit tests: listens on loopback in the test's own loop, keeps
 * what each connection sent, and says what the test tells it to. Time is the test's. Waiting is for the
 * event, never for a time: that something was NOT sent is known by a fence, an enquire_link whose answer must
 * be the next PDU. Include after cmocka.h. */
#ifndef TESTS_FAKE_CENTRE_H
#define TESTS_FAKE_CENTRE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"
#include "smpp/pdu.h"
#include "smpp/profile.h"

#define SEATS     16
#define FENCE     0x00ABCDEFu
#define TURNS_MAX 400

static int64_t fake_us = 5000000;
#define FAKE_WALL_MS 1795000000000LL /* 2026-11-18T17:46:40Z at the monotonic zero */

static inline int64_t fake_mono(void)
{
	return fake_us;
}

static inline int64_t fake_wall(void)
{
	return FAKE_WALL_MS * 1000 + fake_us;
}

static const struct clock fake_clock = {fake_mono, fake_wall};

/* One connection. */
struct seat {
	struct stream *stream;
	bool open, closed;
	struct buf got;
};

struct centre {
	struct loop *loop;
	struct listener *listener;
	struct seat seats[SEATS];
	size_t count;
	struct buf frame; /* the PDU last taken */
};

static inline void seat_on_open(void *arg)
{
	((struct seat *)arg)->open = true;
}

static inline size_t seat_on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	buf_add(&((struct seat *)arg)->got, bytes, len);
	return len;
}

static inline void seat_on_close(void *arg, enum kz r, const char *reason)
{
	struct seat *s = arg;

	(void)r;
	(void)reason;
	s->closed = true;
	stream_free(s->stream);
	s->stream = NULL;
}

static const struct stream_events seat_events = {seat_on_open, seat_on_bytes, seat_on_close};

static inline void centre_on_accept(void *arg, int fd)
{
	const struct stream_options o = {
	    .open_ms = 1000000, .stall_ms = 1000000, .max_out = 16 << 20, .max_in = 1 << 20};
	struct centre *c = arg;
	struct seat *s = &c->seats[c->count++];

	assert_true(c->count <= SEATS);
	s->stream = stream_accept(c->loop, fd, &o, &seat_events, s);
}

static inline void centre_init(struct centre *c)
{
	char why[256];

	*c = (struct centre){.loop = loop_new(&fake_clock)};
	c->listener = listener_new(c->loop, "127.0.0.1:0", centre_on_accept, c, why);
	assert_non_null(c->listener);
}

/* After everything else that uses the loop. */
static inline void centre_fini(struct centre *c)
{
	for (size_t i = 0; i < c->count; i++) {
		stream_free(c->seats[i].stream);
		buf_fini(&c->seats[i].got);
	}
	listener_free(c->listener);
	buf_fini(&c->frame);
	loop_free(c->loop);
}

static inline void centre_advance(struct centre *c, int64_t ms)
{
	fake_us += ms * 1000;
	loop_turn(c->loop, 0);
}

/* Turns the loop until the condition holds; the test fails when it never does. */
#define centre_until(c, condition)                                                                           \
	do {                                                                                                 \
		for (int turn_ = 0; turn_ < TURNS_MAX && !(condition); turn_++)                              \
			loop_turn((c)->loop, 10);                                                            \
		assert_true(condition);                                                                      \
	} while (0)

static inline bool seat_has_pdu(const struct seat *s)
{
	size_t size;

	return pdu_frame_size((const uint8_t *)s->got.data, s->got.len, PDU_MAX_DEFAULT, &size) == KZ_OK;
}

/* Waits for the next PDU of connection i; its octets are in c->frame until the next call. */
static inline struct pdu_header centre_take(struct centre *c, size_t i)
{
	struct seat *s = &c->seats[i];
	size_t size = 0;

	centre_until(c, seat_has_pdu(s));
	assert_int_equal(
	    pdu_frame_size((const uint8_t *)s->got.data, s->got.len, PDU_MAX_DEFAULT, &size), KZ_OK);
	buf_clear(&c->frame);
	buf_add(&c->frame, s->got.data, size);
	buf_drop(&s->got, size);
	return pdu_take_header((const uint8_t *)c->frame.data);
}

static inline void centre_raw(struct centre *c, size_t i, const void *bytes, size_t n)
{
	assert_non_null(c->seats[i].stream);
	assert_int_equal(stream_write(c->seats[i].stream, bytes, n), KZ_OK);
}

/* A header alone: requests and their responses without a body, generic_nack. */
static inline void centre_header(
    struct centre *c, size_t i, uint32_t command, uint32_t status, uint32_t sequence)
{
	struct buf out = {0};

	pdu_put_header(&out, command, status, sequence);
	centre_raw(c, i, out.data, out.len);
	buf_fini(&out);
}

/* The response to request with an id (NULL: no body). */
static inline void centre_answer(
    struct centre *c, size_t i, struct pdu_header request, uint32_t status, const char *id)
{
	struct buf out = {0};

	pdu_put_resp(&out, request.command, status, request.sequence, id);
	centre_raw(c, i, out.data, out.len);
	buf_fini(&out);
}

static inline struct pdu_header centre_expect(struct centre *c, size_t i, uint32_t command)
{
	struct pdu_header h = centre_take(c, i);

	assert_int_equal(h.command, command);
	return h;
}

/* Nothing but what was taken has been sent by connection i. */
static inline void centre_fence(struct centre *c, size_t i)
{
	centre_header(c, i, PDU_ENQUIRE_LINK, 0, FENCE);
	struct pdu_header h = centre_expect(c, i, PDU_ENQUIRE_LINK | PDU_RESP);
	assert_int_equal(h.sequence, FENCE);
}

/* Accepts connection i and its bind. */
static inline void centre_bind(struct centre *c, size_t i)
{
	centre_until(c, c->count > i);
	struct pdu_header h = centre_take(c, i);
	assert_true(h.command == PDU_BIND_TRANSCEIVER || h.command == PDU_BIND_TRANSMITTER ||
	            h.command == PDU_BIND_RECEIVER);
	centre_answer(c, i, h, 0, "centre");
}

/* A deliver_sm or data_sm with this text. */
static inline void centre_deliver(
    struct centre *c, size_t i, uint32_t sequence, uint32_t command, uint8_t esm_class, const char *text)
{
	struct buf out = {0};
	struct pdu_sm m = {
	    .command = command,
	    .source = {1, 1, "77011234567"},
	    .destination = {5, 0, "kezek"},
	    .esm_class = esm_class,
	    .text = (const uint8_t *)text,
	    .text_len = strlen(text),
	};

	assert_int_equal(pdu_put_sm(&out, sequence, &m), KZ_OK);
	centre_raw(c, i, out.data, out.len);
	buf_fini(&out);
}

/* A profile called "test" with these YAML lines; %d in them is the centre's port. */
static inline struct profile *centre_profile(struct centre *c, const char *yaml)
{
	char folder[] = "/tmp/kezek-test-XXXXXX", *path, *text;
	struct faults faults = {0};
	const char *at = yaml, *mark;
	struct buf b = {0};

	for (; (mark = strstr(at, "%d")) != NULL; at = mark + 2) {
		buf_add(&b, at, (size_t)(mark - at));
		buf_printf(&b, "%d", listener_port(c->listener));
	}
	buf_str(&b, at);
	text = buf_take(&b);
	assert_non_null(mkdtemp(folder));
	path = mem_printf("%s/test.yaml", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	struct profile *p = profile_load(path, &faults);
	if (!p)
		print_error("%s", buf_text(&faults.text));
	assert_non_null(p);
	unlink(path);
	rmdir(folder);
	faults_fini(&faults);
	free(path);
	free(text);
	return p;
}

#endif

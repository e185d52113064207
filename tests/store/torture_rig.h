/* torture_rig: what stands around the tortured daemon: the operator that it is bound to, which answers, sends
 * receipts and sends them again until they are acknowledged; and the turns in which it does so while the
 * portal waits. */
#ifndef TESTS_STORE_TORTURE_RIG_H
#define TESTS_STORE_TORTURE_RIG_H

#include "store_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/torture_calls.h"
#include "base/buf.h"
#include "base/mem.h"
#include "smpp/pdu.h"

#define SEATS     32
#define SMS_MOST  65536
#define TEXT_ROOM 192

/* One connection of the operator's. */
struct seat {
	int fd; /* -1: free */
	bool bound;
	struct buf in;
};

/* One submission that was answered ESME_ROK. */
struct sms {
	char text[TEXT_ROOM];
	struct pdu_address from, to;
	bool acknowledged;
};

static struct rig {
	PGconn *sql;
	char folder[64], conf[128], profile[128], control[100], err[128];
	int listener;
	unsigned port;
	struct seat seats[SEATS];
	struct sms *sms;
	size_t sms_n;
	uint32_t sequence;
	pid_t child;
	unsigned spare; /* descriptors it may have beside those that it begins with; 0: as many as it likes */
	bool over;      /* the child has ended */
	int status;
	bool ready; /* it was seen to listen */
	int64_t give_up_us;
	unsigned keys; /* used so far */
	const char *doing;
} rig;

static void rig_fail(const char *what) __attribute__((noreturn));

/* The operator. */

static void seat_write(struct seat *s, const struct buf *out)
{
	if (s->fd >= 0 && out->len)
		(void)!send(s->fd, out->data, out->len, MSG_NOSIGNAL);
}

static void seat_deliver(struct seat *s, size_t i)
{
	char text[160];
	struct buf out = {0};
	struct pdu_sm m = {.command = PDU_DELIVER_SM,
	    .source = rig.sms[i].to,
	    .destination = rig.sms[i].from,
	    .esm_class = 4,
	    .text = (const uint8_t *)text};

	m.text_len = (size_t)snprintf(text, sizeof text, "id:%zu stat:DELIVRD err:000", 100000 + i);
	/* the sequence says which receipt is acknowledged */
	if (pdu_put_sm(&out, (uint32_t)i + 1, &m) == KZ_OK)
		seat_write(s, &out);
	buf_fini(&out);
}

static void seat_on_submit(struct seat *s, const uint8_t *frame, const struct pdu_header *h)
{
	struct pdu_sm m;
	struct buf out = {0};
	char id[32];

	if (pdu_take_sm(frame, &m) != KZ_OK || rig.sms_n == SMS_MOST)
		rig_fail("a submission that cannot be read, or too many");
	struct sms *sms = &rig.sms[rig.sms_n];
	*sms = (struct sms){.from = m.source, .to = m.destination};
	size_t skip = m.esm_class & 0x40 ? (size_t)m.text[0] + 1 : 0;
	snprintf(sms->text, sizeof sms->text, "%.*s", (int)(m.text_len - skip), (const char *)m.text + skip);
	snprintf(id, sizeof id, "%zu", 100000 + rig.sms_n);
	pdu_put_resp(&out, h->command, 0, h->sequence, id);
	seat_write(s, &out);
	buf_fini(&out);
	seat_deliver(s, rig.sms_n++);
}

static void seat_on_bind(struct seat *s, const struct pdu_header *h)
{
	struct buf out = {0};

	pdu_put_resp(&out, h->command, 0, h->sequence, "torture");
	seat_write(s, &out);
	buf_fini(&out);
	s->bound = true;
	for (size_t i = 0; i < rig.sms_n; i++)
		if (!rig.sms[i].acknowledged)
			seat_deliver(s, i);
}

static void seat_on_receipt_resp(struct seat *s, const struct pdu_header *h)
{
	if (!h->sequence || h->sequence > rig.sms_n)
		return;
	if (h->status)
		seat_deliver(s, h->sequence - 1); /* busy: again */
	else
		rig.sms[h->sequence - 1].acknowledged = true;
}

static void seat_on_pdu(struct seat *s, const uint8_t *frame)
{
	struct pdu_header h = pdu_take_header(frame);
	struct buf out = {0};

	switch (h.command) {
	case PDU_BIND_TRANSCEIVER:
		seat_on_bind(s, &h);
		break;
	case PDU_SUBMIT_SM:
		seat_on_submit(s, frame, &h);
		break;
	case PDU_DELIVER_SM | PDU_RESP:
		seat_on_receipt_resp(s, &h);
		break;
	case PDU_ENQUIRE_LINK:
	case PDU_UNBIND:
		pdu_put_header(&out, h.command | PDU_RESP, 0, h.sequence);
		seat_write(s, &out);
		break;
	default:
		break;
	}
	buf_fini(&out);
}

static void seat_close(struct seat *s)
{
	close(s->fd);
	buf_fini(&s->in);
	*s = (struct seat){.fd = -1};
}

static void seat_read(struct seat *s)
{
	ssize_t n = recv(s->fd, buf_space(&s->in, 65536), 65536, MSG_DONTWAIT);
	size_t size;

	if (n <= 0) {
		seat_close(s);
		return;
	}
	buf_wrote(&s->in, (size_t)n);
	while (pdu_frame_size((const uint8_t *)s->in.data, s->in.len, PDU_MAX_DEFAULT, &size) == KZ_OK) {
		seat_on_pdu(s, (const uint8_t *)s->in.data);
		buf_drop(&s->in, size);
	}
}

static void seat_take(void)
{
	int fd = accept(rig.listener, NULL, NULL);

	for (size_t i = 0; i < SEATS; i++)
		if (rig.seats[i].fd < 0) {
			rig.seats[i].fd = fd;
			return;
		}
	rig_fail("too many connections to the operator");
}

/* The stage. */

static void rig_fail(const char *what)
{
	char line[512];
	FILE *f = fopen(rig.err, "r");

	while (f && fgets(line, sizeof line, f))
		print_error("%s", line);
	if (f)
		fclose(f);
	if (!rig.over) {
		kill(rig.child, SIGKILL);
		waitpid(rig.child, NULL, 0);
	}
	print_error("%s, while %s; step %u (%s), way %d, of %u\n", what, rig.doing, torture->at,
	    *torture->hit ? torture->hit : "not reached", torture->way, torture->steps);
	_exit(1);
}

/* The operator works for at most wait_ms, or until fd (-1: none) can be read; true then. */
static bool rig_turn(int fd, int wait_ms)
{
	struct pollfd list[SEATS + 2] = {
	    {.fd = rig.listener, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	for (size_t i = 0; i < SEATS; i++)
		list[i + 2] = (struct pollfd){.fd = rig.seats[i].fd, .events = POLLIN};
	if (clock_real.mono_us() > rig.give_up_us)
		rig_fail("it takes too long");
	if (!rig.over && waitpid(rig.child, &rig.status, WNOHANG) == rig.child)
		rig.over = true;
	if (poll(list, SEATS + 2, wait_ms) <= 0)
		return false;
	for (size_t i = 0; i < SEATS; i++)
		if (list[i + 2].revents && rig.seats[i].fd >= 0)
			seat_read(&rig.seats[i]);
	if (list[0].revents)
		seat_take();
	return list[1].revents != 0;
}

static void rig_write(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void rig_write(const char *path, const char *fmt, ...)
{
	FILE *f = fopen(path, "w");
	va_list args;

	if (!f)
		rig_fail(path);
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	fclose(f);
}

#endif

#include "smsc_session_body.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "smsc_odd.h"

/* Responses are gathered in out and written once per run of PDUs. Ending is in two steps, GONE at once and
 * free from the loop, because a session may end in the middle of another's PDU: its receipts are written
 * there. */

#define BIND_MS          30000
#define UNBIND_MS        2000
#define FINISH_MS        5000
#define OUT_MAX          (4 * 1024 * 1024)
#define OUT_FOR_MORE     (256 * 1024) /* receipts wait while more than this is queued */
#define STATUS_LENGTH    0x02
#define STATUS_THROTTLED 0x58

/* A response that is late by option. */
struct answer {
	struct list_node node;
	int64_t due_ms;
	uint32_t command, sequence;
	struct smsc_taken taken;
};

static const int64_t state_ms[] = {[SESSION_OPEN] = BIND_MS,
    [SESSION_UNBINDING] = UNBIND_MS,
    [SESSION_FINISHING] = FINISH_MS,
    [SESSION_GONE] = 0};

static void session_on_freed(void *arg)
{
	struct smsc_session *s = arg;
	smsc_session_fn *on_end = s->on_end;
	void *end_arg = s->arg;

	smsc_session_free(s);
	on_end(end_arg);
}

static void session_enter(struct smsc_session *s, enum session_state next)
{
	static const unsigned allowed[] = {
	    [SESSION_OPEN] = 1 << SESSION_BOUND | 1 << SESSION_FINISHING | 1 << SESSION_GONE,
	    [SESSION_BOUND] = 1 << SESSION_UNBINDING | 1 << SESSION_FINISHING | 1 << SESSION_GONE,
	    [SESSION_UNBINDING] = 1 << SESSION_FINISHING | 1 << SESSION_GONE,
	    [SESSION_FINISHING] = 1 << SESSION_GONE,
	    [SESSION_GONE] = 0,
	};

	assert(allowed[s->state] & 1u << next);
	s->state = next;
	timer_stop(s->state_timer);
	if (next != SESSION_BOUND && next != SESSION_GONE)
		timer_start(s->state_timer, state_ms[next]);
	if (next == SESSION_GONE)
		loop_defer(s->desk->loop, &s->ending, session_on_freed, s);
}

bool smsc_session_is_bound(const struct smsc_session *s)
{
	return s->state == SESSION_BOUND || s->state == SESSION_UNBINDING;
}

bool smsc_session_listens(const struct smsc_session *s)
{
	return s->state == SESSION_OPEN || smsc_session_is_bound(s);
}

void smsc_session_bound(struct smsc_session *s)
{
	session_enter(s, SESSION_BOUND);
	smsc_handsets_join(s->desk->handsets, &s->receiver);
}

static void session_leave(struct smsc_session *s, const char *why)
{
	if (smsc_session_is_bound(s))
		smsc_report_unbind(s->desk->report, smsc_account_system_id(s->receiver.account),
		    stream_peer(s->stream), why);
}

/* What it carried is for others now. */
static void session_leave_others(struct smsc_session *s)
{
	smsc_handsets_leave(s->desk->handsets, &s->receiver);
	smsc_post_leave(s->desk->post, &s->receiver);
}

static void session_end(struct smsc_session *s, const char *why)
{
	if (s->state == SESSION_GONE)
		return;
	session_leave(s, why);
	session_enter(s, SESSION_GONE);
	session_leave_others(s);
}

static void session_write(struct smsc_session *s, const struct buf *pdus)
{
	if (s->state == SESSION_GONE || s->frozen || !pdus->len)
		return;
	if (stream_write(s->stream, pdus->data, pdus->len) != KZ_OK)
		session_end(s, "does not read what it is sent");
}

void smsc_session_flush(struct smsc_session *s)
{
	session_write(s, &s->out);
	buf_clear(&s->out);
}

/* What was said goes out, then the connection closes. */
void smsc_session_finish(struct smsc_session *s, const char *why)
{
	smsc_session_flush(s);
	if (!smsc_session_listens(s))
		return;
	session_leave(s, why);
	session_enter(s, SESSION_FINISHING);
	session_leave_others(s);
	stream_finish(s->stream);
}

void smsc_session_freeze(struct smsc_session *s)
{
	smsc_session_flush(s);
	s->frozen = true;
	stream_hold(s->stream, true);
}

void smsc_session_unbind(struct smsc_session *s)
{
	if (s->state == SESSION_OPEN || s->frozen)
		session_end(s, "");
	if (s->state != SESSION_BOUND)
		return;
	pdu_put_header(&s->out, PDU_UNBIND, 0, smsc_receiver_sequence(&s->receiver));
	session_enter(s, SESSION_UNBINDING);
	smsc_session_flush(s);
}

static void answer_put(
    struct smsc_session *s, uint32_t command, uint32_t sequence, const struct smsc_taken *t)
{
	if (t->nack)
		pdu_put_header(&s->out, PDU_GENERIC_NACK, t->status, sequence);
	else
		pdu_put_resp(&s->out, command, t->status, sequence, t->status ? NULL : t->id);
	if (t->garbage)
		smsc_odd_garbage(&s->out, s->desk->fault.garbage++, smsc_receiver_sequence(&s->receiver));
}

/* Those that are due by now_ms. */
void smsc_session_answer_due(struct smsc_session *s, int64_t now_ms)
{
	struct list_node *n;

	while ((n = list_first(&s->answers)) && list_entry(n, struct answer, node)->due_ms <= now_ms) {
		struct answer *a = list_entry(n, struct answer, node);

		list_remove(&s->answers, n);
		answer_put(s, a->command, a->sequence, &a->taken);
		free(a);
	}
}

static void answers_follow(struct smsc_session *s)
{
	struct list_node *n = list_first(&s->answers);

	if (!n || timer_is_armed(s->answer_timer))
		return;
	int64_t wait_ms = list_entry(n, struct answer, node)->due_ms - loop_now_ms(s->desk->loop);
	timer_start(s->answer_timer, wait_ms > 0 ? wait_ms : 0);
}

static void session_on_answers_due(void *arg)
{
	struct smsc_session *s = arg;

	if (!smsc_session_listens(s) || s->frozen)
		return;
	smsc_session_answer_due(s, loop_now_ms(s->desk->loop));
	answers_follow(s);
	smsc_session_flush(s);
}

/* With a window even prompt responses wait for the end of the read, so that what came together counts
 * together. */
void smsc_session_answer(
    struct smsc_session *s, uint32_t command, uint32_t sequence, const struct smsc_taken *t)
{
	const struct smsc_options *o = s->desk->options;

	if (!t->answer)
		return;
	if ((!o->response_delay_ms && !o->window) || (t->status == STATUS_THROTTLED && o->window)) {
		answer_put(s, command, sequence, t);
		return;
	}
	struct answer *a = mem_new(sizeof *a);
	a->due_ms = loop_now_ms(s->desk->loop) + o->response_delay_ms;
	a->command = command;
	a->sequence = sequence;
	a->taken = *t;
	list_append(&s->answers, &a->node);
	answers_follow(s);
}

static void session_read_on(void *arg)
{
	struct smsc_session *s = arg;

	if (!s->frozen)
		stream_hold(s->stream, false);
}

/* What was read is paid for with time. */
static void session_slow_down(struct smsc_session *s, size_t octets)
{
	int64_t rate = s->desk->options->read_rate;

	if (!rate || s->frozen)
		return;
	stream_hold(s->stream, true);
	timer_start(s->read_timer, (int64_t)octets * 1000 / rate);
}

static size_t session_on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	struct smsc_session *s = arg;
	size_t used = 0, size;

	if (s->wrong_length)
		return len;
	while (smsc_session_listens(s) && !s->frozen && !s->wrong_length) {
		enum kz r = pdu_frame_size(bytes + used, len - used, PDU_MAX_DEFAULT, &size);

		if (r == KZ_BUSY)
			break;
		if (r != KZ_OK) {
			smsc_report_odd(s->desk->report, stream_peer(s->stream), "command_length is absurd");
			pdu_put_header(&s->out, PDU_GENERIC_NACK, STATUS_LENGTH, 0);
			smsc_session_finish(s, "command_length is absurd");
			break;
		}
		smsc_serve(s, bytes + used);
		used += size;
	}
	smsc_session_flush(s);
	if (smsc_session_listens(s))
		session_slow_down(s, used);
	if (s->state == SESSION_BOUND)
		smsc_post_pump(s->desk->post, &s->receiver);
	return smsc_session_listens(s) ? used : len;
}

static void session_on_open(void *arg)
{
	(void)arg; /* nothing to say before the bind */
}

static void session_on_close(void *arg, enum kz r, const char *reason)
{
	session_end(arg, r == KZ_OK ? "connection closed" : reason);
}

static const struct stream_events session_events = {
    .on_open = session_on_open, .on_bytes = session_on_bytes, .on_close = session_on_close};

static void session_on_state_timer(void *arg)
{
	struct smsc_session *s = arg;

	session_end(s, s->state == SESSION_UNBINDING ? "did not answer unbind" : "too slow");
}

static bool session_receiver_ready(void *arg)
{
	struct smsc_session *s = arg;

	return s->state == SESSION_BOUND && !s->frozen && !s->wrong_length &&
	       stream_queued(s->stream) < OUT_FOR_MORE;
}

static void session_receiver_write(void *arg, const struct buf *pdu)
{
	session_write(arg, pdu);
}

struct smsc_session *smsc_session_new(
    struct smsc_desk *d, int fd, struct list *list, smsc_session_fn *on_end, void *arg)
{
	struct smsc_session *s = mem_new(sizeof *s);
	struct stream_options o = {
	    .open_ms = BIND_MS, .stall_ms = BIND_MS, .max_out = OUT_MAX, .max_in = OUT_MAX};

	s->desk = d;
	s->list = list;
	s->on_end = on_end;
	s->arg = arg;
	s->receiver.ready = session_receiver_ready;
	s->receiver.write = session_receiver_write;
	s->receiver.arg = s;
	list_init(&s->answers);
	s->answer_timer = timer_new(d->loop, session_on_answers_due, s);
	s->read_timer = timer_new(d->loop, session_read_on, s);
	s->state_timer = timer_new(d->loop, session_on_state_timer, s);
	timer_start(s->state_timer, BIND_MS);
	s->stream = stream_accept(d->loop, fd, &o, &session_events, s);
	list_append(list, &s->node);
	return s;
}

void smsc_session_free(struct smsc_session *s)
{
	struct list_node *n;

	if (!s)
		return;
	s->state = SESSION_GONE;
	defer_cancel(&s->ending);
	session_leave_others(s);
	list_remove(s->list, &s->node);
	while ((n = list_take_first(&s->answers)))
		free(list_entry(n, struct answer, node));
	timer_free(s->answer_timer);
	timer_free(s->read_timer);
	timer_free(s->state_timer);
	stream_free(s->stream);
	buf_fini(&s->out);
	free(s);
}

struct smsc_session *smsc_session_at(struct list_node *n)
{
	return list_entry(n, struct smsc_session, node);
}

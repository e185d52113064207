/* link_read: what the peer sends. The whole PDUs of one read are walked twice, responses first: a read that
 * brings many receipts and, behind them, the answer to a submit_sm must not let that answer come too late.
 * One read is bounded by the stream, so one link cannot starve the others; a PDU that is not whole yet stays
 * in the stream. */
#include "smpp/link_body.h"

#include <string.h>

#define HELD_MAX     4096 /* receipts not yet recorded, per link: beyond it the operator keeps them */
#define NACKS_REBIND 3    /* generic_nack with sequence 0 in one session */
#define FULL_SLOW    3    /* ESME_RMSGQFUL in a row: it is not one phone's queue */

#define ALERT_NOTIFICATION 0x00000102u /* 4.12: has no response */

static void link_respond(struct link *l, const struct pdu_header *h, uint32_t status, const char *id)
{
	buf_clear(&l->out);
	pdu_put_resp(&l->out, h->command, status, h->sequence, id);
	link_write(l);
}

static void link_nack(struct link *l, uint32_t status, uint32_t sequence)
{
	buf_clear(&l->out);
	pdu_put_header(&l->out, PDU_GENERIC_NACK, status, sequence);
	link_write(l);
}

/* A generic_nack means that our octets were not understood, but some operators throttle with it. */
static enum status_class link_class(const struct link *l, const struct pdu_header *h)
{
	enum status_class c =
	    h->status ? status_class(h->status, l->profile->statuses, l->profile->statuses_n) : STATUS_OK;

	return h->command == PDU_GENERIC_NACK && c != STATUS_SLOW ? STATUS_BUG : c;
}

/* A phone that is off has a full queue of its own: a few of those among good answers are no reason to slow
 * all others. */
static void link_learn(struct link *l, const struct window_entry *e, uint32_t status, enum status_class c)
{
	int64_t now = loop_now_ms(l->loop);

	metric_observe_us(l->meter.rtt, (now - e->sent_ms) * 1000);
	metric_add(c == STATUS_OK ? l->meter.submitted : l->meter.refused[c], 1);
	l->full = status == ESME_RMSGQFUL ? l->full + 1 : 0;
	if (c == STATUS_SLOW && (status != ESME_RMSGQFUL || l->full >= FULL_SLOW))
		rate_slow(&l->rate, e->sent_ms, now);
	else if (c == STATUS_OK)
		rate_clean(&l->rate, e->sent_ms);
	metric_set(l->meter.rate, l->rate.now);
}

/* What a response to a submit_sm says; its id stands in room. Of a page nobody needs one. */
static struct link_answer link_take_answer(
    struct link *l, const struct pdu_header *h, const uint8_t *frame, bool page, struct pdu_resp *room)
{
	struct link_answer a = {.answered = true, .class = link_class(l, h), .status = h->status, .id = ""};

	if (a.class == STATUS_OK) {
		if (pdu_take_resp(frame, room) == KZ_OK && *room->id)
			a.id = room->id;
		else if (!page)
			meter_odd(&l->meter, "no_message_id");
	}
	return a;
}

static void link_on_submit_resp(
    struct link *l, const struct window_entry *e, const struct pdu_header *h, const uint8_t *frame)
{
	struct pdu_resp room;
	struct link_answer a = link_take_answer(l, h, frame, e->part == LINK_PAGE, &room);

	l->overdue = 0;
	link_learn(l, e, a.status, a.class);
	link_answered(l, e, &a);
	if (a.class == STATUS_LINK && l->state == LINK_BOUND) {
		log_error(l->name, "submit_sm refused as not bound: binds again");
		link_rebind(l);
	}
	link_check_drained(l);
}

/* Nobody waits for that number any more, or nobody ever did. */
static void link_on_stray(struct link *l, const struct pdu_header *h, const uint8_t *frame)
{
	struct pdu_resp room;

	if (h->command == (PDU_SUBMIT_SM | PDU_RESP) || h->command == PDU_GENERIC_NACK) {
		struct link_answer a = link_take_answer(l, h, frame, false, &room);

		if (l->events->on_late(l->arg, l, h->sequence, &a)) {
			l->overdue = 0;
			metric_add(a.class == STATUS_OK ? l->meter.submitted : l->meter.refused[a.class], 1);
			return meter_odd(&l->meter, "late_response");
		}
	}
	meter_odd(&l->meter, "unknown_response");
}

static void link_on_garbage_nack(struct link *l)
{
	meter_odd(&l->meter, "generic_nack");
	log_error(l->name, "the operator says that it could not read what we sent: generic_nack, sequence 0");
	if (++l->nacks >= NACKS_REBIND)
		link_rebind(l);
}

/* Another response than the request wants: nothing is known but that the peer lives. */
static void link_on_mismatch(struct link *l, const struct window_entry *e)
{
	static const struct link_answer in_doubt = {.class = STATUS_TEMPORARY, .id = ""};

	meter_odd(&l->meter, "mismatched_response");
	if (link_is_owned(e)) {
		link_answered(l, e, &in_doubt);
		link_check_drained(l);
	} else if (l->state == LINK_BINDING)
		link_lose(l, LOG_LEVEL_WARN, 0, "the bind was answered with another response");
	else if (e->command == PDU_UNBIND)
		link_finish(l, "unbind was answered with another response");
}

static void link_on_response(struct link *l, const struct pdu_header *h, const uint8_t *frame)
{
	struct window_entry e;
	bool nack = h->command == PDU_GENERIC_NACK;

	if (nack && h->sequence == 0)
		return link_on_garbage_nack(l);
	if (window_take(l->window, h->sequence, &e) != KZ_OK)
		return link_on_stray(l, h, frame);
	if (e.command == PDU_ENQUIRE_LINK)
		l->asking = false;
	if (!nack && h->command != (e.command | PDU_RESP))
		return link_on_mismatch(l, &e);
	switch (e.command) {
	case PDU_SUBMIT_SM:
	case PDU_DATA_SM:
		return link_on_submit_resp(l, &e, h, frame);
	case PDU_ENQUIRE_LINK:
		return;
	case PDU_UNBIND:
		l->unbound = true; /* a receipt may stand before it, or behind it */
		return;
	default:
		if (h->status == ESME_ROK && !nack)
			link_bound(l);
		else
			link_refused(l, h->status);
	}
}

static void link_on_unbind(struct link *l, const struct pdu_header *h)
{
	link_respond(l, h, ESME_ROK, NULL);
	l->peer_left = true;
	if (l->state == LINK_BINDING)
		link_finish(l, "the operator sent unbind before the bind was answered");
	else
		link_rebind(l);
}

static void link_on_deliver(struct link *l, const struct pdu_header *h, const uint8_t *frame)
{
	const struct deliver_ticket t = {l->index, l->epoch, h->command, h->sequence};
	struct pdu_sm m;

	/* Before the bind is answered too: a final error would make the operator drop a receipt. */
	if (l->state < LINK_BOUND || l->held >= HELD_MAX) {
		metric_add(l->meter.put_off, 1);
		return link_respond(l, h, (uint32_t)l->profile->receipt_busy_status, "");
	}
	l->held++;
	if (pdu_take_sm(frame, &m) == KZ_OK)
		return l->events->on_deliver(l->arg, l, &m, t);
	meter_odd(&l->meter, "broken");
	log_warn(l->name, "a %s of %u octets cannot be read",
	    h->command == PDU_DELIVER_SM ? "deliver_sm" : "data_sm", h->length);
	l->events->on_broken(l->arg, l, frame, h->length, t);
}

static void link_on_request(struct link *l, const struct pdu_header *h, const uint8_t *frame)
{
	switch (h->command) {
	case PDU_ENQUIRE_LINK:
		return link_respond(l, h, ESME_ROK, NULL);
	case PDU_DELIVER_SM:
	case PDU_DATA_SM:
		return link_on_deliver(l, h, frame);
	case PDU_UNBIND:
		return link_on_unbind(l, h);
	case PDU_OUTBIND:
		return meter_odd(&l->meter, "outbind");
	case ALERT_NOTIFICATION:
		return meter_odd(&l->meter, "alert_notification");
	default:
		meter_odd(&l->meter, "unknown_request");
		link_nack(l, ESME_RINVCMDID, h->sequence);
	}
}

/* How many octets are whole PDUs; *ret_bad: what follows them never will be one. */
static size_t link_whole(const uint8_t *bytes, size_t len, bool *ret_bad)
{
	size_t at = 0, size = 0;
	enum kz r;

	while ((r = pdu_frame_size(bytes + at, len - at, PDU_MAX_DEFAULT, &size)) == KZ_OK)
		at += size;
	*ret_bad = r == KZ_INVALID;
	return at;
}

/* false: the socket is gone or going. */
static bool link_pass(struct link *l, const uint8_t *bytes, size_t len, bool responses)
{
	uint32_t epoch = l->epoch;

	for (size_t at = 0; at < len;) {
		struct pdu_header h = pdu_take_header(bytes + at);

		if (((h.command & PDU_RESP) != 0) == responses) {
			if (responses)
				link_on_response(l, &h, bytes + at);
			else
				link_on_request(l, &h, bytes + at);
		}
		if (l->epoch != epoch || l->state == LINK_CLOSING)
			return false;
		at += h.length;
	}
	return true;
}

static void link_on_bad_length(struct link *l)
{
	meter_odd(&l->meter, "command_length");
	link_nack(l, ESME_RINVCMDLEN, 0);
	link_finish(l, "the operator sent an impossible command_length");
}

/* A PDU that began must end: the timer runs from its first octet, however slowly the others come. */
static void link_watch_body(struct link *l, size_t whole, size_t len)
{
	if (whole == len)
		timer_stop(l->body_timer);
	else if (whole > 0 || !timer_is_armed(l->body_timer))
		timer_start(l->body_timer, l->profile->stall_ms);
}

size_t link_on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	struct link *l = arg;
	bool bad;
	size_t whole = link_whole(bytes, len, &bad);

	if (l->state == LINK_CLOSING)
		return len;
	if (whole > 0) {
		l->heard_ms = loop_now_ms(l->loop);
		l->missed = 0;
	}
	if (!link_pass(l, bytes, whole, true) || !link_pass(l, bytes, whole, false))
		return l->stream ? len : 0;
	if (l->unbound) {
		link_finish(l, "unbound");
		return len;
	}
	if (bad) {
		link_on_bad_length(l);
		return len;
	}
	link_watch_body(l, whole, len);
	return whole;
}

/* link_ask: what we send and how long we wait for its answer. Every request stands in the window with a
 * deadline; one timer runs to the earliest of them, and is moved only when it fires or when an earlier
 * deadline comes, so that a submit costs no timer. bind, enquire_link and unbind have places of their own
 * behind the configured window. */
#include "smpp/link_body.h"

#include <stdio.h>
#include <string.h>

#define MISSED_DEAD 2 /* enquire_links unanswered in a row */
#define MUTE_LEAST  3 /* submit_sm not answered in time, in a row */

void link_write(struct link *l)
{
	if (stream_write(l->stream, l->out.data, l->out.len) != KZ_OK)
		meter_odd(&l->meter, "not_written");
}

/* Numbers a request and has its answer waited for. */
static enum kz link_expect(
    struct link *l, uint32_t command, void *owner, unsigned part, int64_t wait_ms, uint32_t *ret_sequence)
{
	int64_t now = loop_now_ms(l->loop), at = now + wait_ms;
	enum kz r = window_add(l->window, command, owner, part, now, at, ret_sequence);

	if (r == KZ_OK && (!timer_is_armed(l->answer_timer) || at < l->answer_at_ms)) {
		l->answer_at_ms = at;
		timer_start(l->answer_timer, wait_ms);
	}
	return r;
}

static void link_ask_header(struct link *l, uint32_t command, int64_t wait_ms)
{
	uint32_t sequence;

	if (link_expect(l, command, NULL, 0, wait_ms, &sequence) != KZ_OK)
		return;
	buf_clear(&l->out);
	pdu_put_header(&l->out, command, ESME_ROK, sequence);
	link_write(l);
}

void link_ask_unbind(struct link *l)
{
	link_ask_header(l, PDU_UNBIND, l->profile->unbind_ms);
}

static void link_fill_bind(const struct link *l, struct pdu_bind *b)
{
	static const uint32_t commands[] = {PDU_BIND_TRANSCEIVER, PDU_BIND_TRANSMITTER, PDU_BIND_RECEIVER};
	const struct profile_link *s = l->spec;
	int v = (int)s->interface_version; /* 34 is 0x34 */

	*b = (struct pdu_bind){
	    .command = commands[s->bind], .interface_version = (uint8_t)(v / 10 * 16 + v % 10)};
	snprintf(b->system_id, sizeof b->system_id, "%s", s->system_id);
	snprintf(b->password, sizeof b->password, "%s", s->password);
	snprintf(b->system_type, sizeof b->system_type, "%s", s->system_type);
	snprintf(b->address_range, sizeof b->address_range, "%s", s->address_range);
}

void link_ask_bind(struct link *l)
{
	struct pdu_bind b;
	uint32_t sequence;
	enum kz r;

	link_fill_bind(l, &b);
	buf_clear(&l->out);
	r = link_expect(l, b.command, NULL, 0, l->profile->bind_ms, &sequence);
	if (r == KZ_OK)
		r = pdu_put_bind(&l->out, sequence, &b);
	explicit_bzero(b.password, sizeof b.password);
	if (r == KZ_OK)
		link_write(l);
	buf_clear(&l->out);
	if (r != KZ_OK)
		link_lose(l, LOG_LEVEL_ERROR, l->profile->refused_ms, "no bind can be made of %s: %s",
		    l->profile->path, kz_name(r));
}

/* Any PDU is a sign of life; where the operator wants it, it is asked for although there was one. */
static int64_t link_quiet_until(const struct link *l)
{
	int64_t due = l->heard_ms + l->profile->enquire_ms, least = l->profile->enquire_at_least_ms;

	return least && l->asked_ms + least < due ? l->asked_ms + least : due;
}

void link_start_quiet(struct link *l)
{
	int64_t now = loop_now_ms(l->loop);

	l->heard_ms = l->asked_ms = now;
	timer_start(l->quiet_timer, link_quiet_until(l) - now);
}

static void link_enquire(struct link *l)
{
	int64_t wait = l->profile->response_ms;

	l->asking = true;
	l->asked_ms = loop_now_ms(l->loop);
	link_ask_header(l, PDU_ENQUIRE_LINK, wait < l->profile->enquire_ms ? wait : l->profile->enquire_ms);
}

void link_on_quiet_timer(void *arg)
{
	struct link *l = arg;
	int64_t now = loop_now_ms(l->loop);

	if (link_quiet_until(l) <= now && !l->asking)
		link_enquire(l);
	int64_t rest = link_quiet_until(l) - now;
	timer_start(l->quiet_timer, rest > 0 ? rest : l->profile->enquire_ms);
}

static void link_on_unanswered_enquire(struct link *l, const struct window_entry *e)
{
	l->asking = false;
	if (l->heard_ms >= e->sent_ms)
		return;
	if (++l->missed >= MISSED_DEAD)
		link_lose(l, LOG_LEVEL_WARN, 0, "%d enquire_link unanswered", MISSED_DEAD);
	else
		link_enquire(l);
}

bool link_is_owned(const struct window_entry *e)
{
	return e->command == PDU_SUBMIT_SM || e->command == PDU_DATA_SM;
}

void link_answered(struct link *l, const struct window_entry *e, const struct link_answer *a)
{
	l->submits--;
	metric_set(l->meter.window, (double)l->submits);
	l->events->on_answer(l->arg, l, e->arg, e->part, a);
}

/* Seen at message centres whose front still answers enquire_link when what is behind it is gone. A single
 * answer lost is no sign of it, nor is a window that is answered late once: a whole window in a row is, or,
 * where little is sent, a few over twice the response timer. */
static bool link_is_mute(const struct link *l)
{
	return l->overdue >= MUTE_LEAST &&
	       (l->overdue >= (unsigned)l->spec->window ||
	           loop_now_ms(l->loop) - l->overdue_from_ms >= 2 * l->profile->response_ms);
}

static void link_on_overdue_submit(struct link *l, const struct window_entry *e)
{
	const struct link_answer in_doubt = {.class = STATUS_TEMPORARY, .id = "", .sequence = e->sequence};

	if (!l->overdue++)
		l->overdue_from_ms = e->sent_ms;
	link_answered(l, e, &in_doubt);
	if (l->state == LINK_BOUND && link_is_mute(l)) {
		metric_add(l->meter.mute, 1);
		log_error(
		    l->name, "%u submit_sm in a row were not answered in time: binds again", l->overdue);
		link_rebind(l);
	}
	link_check_drained(l);
}

static void link_on_overdue(struct link *l, const struct window_entry *e)
{
	switch (e->command) {
	case PDU_SUBMIT_SM:
	case PDU_DATA_SM:
		return link_on_overdue_submit(l, e);
	case PDU_ENQUIRE_LINK:
		return link_on_unanswered_enquire(l, e);
	case PDU_UNBIND:
		return link_lose(l, LOG_LEVEL_WARN, 0, "no unbind_resp within %.1f s",
		    (double)l->profile->unbind_ms / 1000);
	default:
		link_lose(l, LOG_LEVEL_WARN, 0, "no answer to the bind within %.1f s",
		    (double)l->profile->bind_ms / 1000);
	}
}

void link_on_answer_timer(void *arg)
{
	struct link *l = arg;
	int64_t now = loop_now_ms(l->loop);
	struct window_entry e;

	/* A lost link empties its window, so the walk ends with it. */
	while (window_take_overdue(l->window, now, &e))
		link_on_overdue(l, &e);
	int64_t at = window_deadline(l->window);
	if (at < 0)
		return;
	l->answer_at_ms = at;
	timer_start(l->answer_timer, at > now ? at - now : 0);
}

void link_settle(struct link *l)
{
	static const struct link_answer in_doubt = {.class = STATUS_TEMPORARY, .id = ""};
	struct window_entry e;

	while (window_take_overdue(l->window, INT64_MAX, &e))
		if (link_is_owned(&e))
			link_answered(l, &e, &in_doubt);
}

static int64_t link_wait_within(struct link *l, int64_t window)
{
	if (!link_can_submit(l) || l->submits >= (size_t)window)
		return -1;
	return rate_wait_ms(&l->rate, loop_now_ms(l->loop));
}

int64_t link_wait_ms(struct link *l)
{
	int64_t kept = l->profile->ussd.detect != USSD_BY_NOTHING ? l->profile->ussd.kept : 0;

	return link_wait_within(l, l->spec->window > kept ? l->spec->window - kept : 1);
}

int64_t link_page_wait_ms(struct link *l)
{
	return link_wait_within(l, l->spec->window);
}

void link_decide(struct link *l)
{
	if (link_can_submit(l))
		stream_decide(l->stream);
}

static enum kz link_send(struct link *l, const struct pdu_sm *m, uint32_t sequence)
{
	buf_clear(&l->out);
	enum kz r = pdu_put_sm(&l->out, sequence, m);
	if (r == KZ_OK)
		r = stream_write(l->stream, l->out.data, l->out.len);
	buf_clear(&l->out); /* it may have a code in it */
	return r;
}

static enum kz link_submit_now(
    struct link *l, const struct pdu_sm *m, unsigned weight, void *owner, unsigned part)
{
	struct window_entry e;
	uint32_t sequence;
	enum kz r;

	if ((r = link_expect(l, m->command, owner, part, l->profile->response_ms, &sequence)) != KZ_OK)
		return r;
	if ((r = link_send(l, m, sequence)) != KZ_OK)
		return window_take(l->window, sequence, &e) == KZ_OK ? r : KZ_LOST;
	l->submits++;
	rate_take(&l->rate, weight, loop_now_ms(l->loop));
	metric_set(l->meter.window, (double)l->submits);
	return KZ_OK;
}

enum kz link_submit(struct link *l, const struct pdu_sm *m, unsigned weight, void *owner, unsigned part)
{
	if (!link_can_submit(l))
		return KZ_LOST;
	return link_wait_ms(l) == 0 ? link_submit_now(l, m, weight, owner, part) : KZ_BUSY;
}

enum kz link_submit_page(struct link *l, const struct pdu_sm *m, void *owner)
{
	if (!link_can_submit(l))
		return KZ_LOST;
	return link_page_wait_ms(l) == 0 ? link_submit_now(l, m, 1, owner, LINK_PAGE) : KZ_BUSY;
}

bool link_stands(const struct link *l, uint32_t epoch)
{
	return epoch == l->epoch && l->state >= LINK_BOUND && l->state < LINK_CLOSING;
}

void link_answer(struct link *l, struct deliver_ticket t, uint32_t status)
{
	if (!link_stands(l, t.epoch))
		return;
	if (l->held)
		l->held--;
	buf_clear(&l->out);
	pdu_put_resp(&l->out, t.command, status, t.sequence, "");
	link_write(l);
}

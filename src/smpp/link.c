/* link: life and states. One socket at a time: it is closed before the next is opened, since an operator that
 * still sees the old session refuses the new one (ESME_RALYBND). Waiting, draining and the last flush have
 * the state's timer; bind and unbind are requests like others and have the window's deadline. Leaving for
 * good and binding again go one way: stop, empty the window, unbind, close; `leaving` decides what follows.
 */
#include "smpp/link_body.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CONTROLS 8 /* places of the window for bind, enquire_link and unbind */
#define MAX_OUT  (8 << 20)
#define MAX_IN   (256 << 10)
#define FLUSH_MS 2000

#define TO(state) (1u << (state))

/* From each state the allowed ones. */
static const struct {
	const char *name;
	unsigned next;
} states[] = {
    [LINK_WAITING] = {"waiting", TO(LINK_CONNECTING) | TO(LINK_CLOSED)},
    [LINK_CONNECTING] = {"connecting", TO(LINK_BINDING) | TO(LINK_WAITING) | TO(LINK_CLOSED)},
    [LINK_BINDING] = {"binding", TO(LINK_BOUND) | TO(LINK_CLOSING) | TO(LINK_WAITING) | TO(LINK_CLOSED)},
    [LINK_BOUND] = {"bound", TO(LINK_DRAINING) | TO(LINK_CLOSING) | TO(LINK_WAITING) | TO(LINK_CLOSED)},
    [LINK_DRAINING] = {"draining",
        TO(LINK_UNBINDING) | TO(LINK_CLOSING) | TO(LINK_WAITING) | TO(LINK_CLOSED)},
    [LINK_UNBINDING] = {"draining", TO(LINK_CLOSING) | TO(LINK_WAITING) | TO(LINK_CLOSED)},
    [LINK_CLOSING] = {"draining", TO(LINK_WAITING) | TO(LINK_CLOSED)},
    [LINK_CLOSED] = {"closed", 0},
};

static int64_t link_state_ms(const struct link *l)
{
	switch (l->state) {
	case LINK_WAITING:
		return l->redial_ms;
	case LINK_DRAINING:
		return l->profile->unbind_ms;
	case LINK_CLOSING:
		return FLUSH_MS;
	default:
		return -1;
	}
}

void link_enter(struct link *l, enum link_state next)
{
	assert(states[l->state].next & TO(next));
	log_debug(l->name, "state=%s after=%s", states[next].name, states[l->state].name);
	l->state = next;
	l->entered_ms = loop_now_ms(l->loop);
	timer_stop(l->state_timer);
	if (link_state_ms(l) >= 0)
		timer_start(l->state_timer, link_state_ms(l));
	metric_set(l->meter.bound, next == LINK_BOUND);
	l->events->on_change(l->arg, l);
}

static void link_close_socket(struct link *l)
{
	timer_stop(l->answer_timer);
	timer_stop(l->quiet_timer);
	timer_stop(l->body_timer);
	stream_free(l->stream);
	l->stream = NULL;
	l->epoch++;
	l->held = 0;
	l->peer_left = l->unbound = false;
	l->asking = false;
}

/* How loud: a failure that repeats itself word for word is news only once. */
static enum log_level link_loudness(const struct link *l, enum log_level level, const char *reason)
{
	if (l->leaving)
		return LOG_LEVEL_INFO;
	return level == LOG_LEVEL_WARN && !strcmp(reason, l->reason) && l->state <= LINK_BINDING
	           ? LOG_LEVEL_DEBUG
	           : level;
}

void link_lose(struct link *l, enum log_level level, int64_t floor_ms, const char *fmt, ...)
{
	char reason[sizeof l->reason];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof reason, fmt, ap);
	va_end(ap);
	l->faulty = level == LOG_LEVEL_ERROR;
	level = link_loudness(l, level, reason);
	snprintf(l->reason, sizeof l->reason, "%s", reason);
	link_close_socket(l);
	if (l->bound_ms)
		backoff_lived(&l->backoff, loop_now_ms(l->loop) - l->bound_ms);
	l->bound_ms = 0;
	if (l->leaving) {
		log_line(level, l->name, "closed, outstanding=%zu: %s", l->submits, reason);
		link_enter(l, LINK_CLOSED);
	} else {
		l->redial_ms = backoff_next_ms(&l->backoff, floor_ms);
		log_line(level, l->name, "%s; outstanding=%zu, next try in %.1f s", reason, l->submits,
		    (double)l->redial_ms / 1000);
		link_enter(l, LINK_WAITING);
	}
	link_settle(l);
}

void link_finish(struct link *l, const char *reason)
{
	snprintf(l->reason, sizeof l->reason, "%s", reason);
	timer_stop(l->answer_timer);
	timer_stop(l->quiet_timer);
	timer_stop(l->body_timer);
	link_enter(l, LINK_CLOSING);
	stream_finish(l->stream);
}

static void link_on_open(void *arg)
{
	struct link *l = arg;

	link_enter(l, LINK_BINDING);
	link_ask_bind(l);
}

static void link_on_close(void *arg, enum kz r, const char *reason)
{
	struct link *l = arg;

	if (l->state == LINK_CLOSING) /* the reason was known before */
		link_lose(l, LOG_LEVEL_WARN, 0, "%s", l->reason);
	else
		link_lose(
		    l, LOG_LEVEL_WARN, 0, "%s", r == KZ_OK ? "the operator closed the connection" : reason);
}

static const struct stream_events stream_events = {link_on_open, link_on_bytes, link_on_close};

static bool link_make_tls(struct link *l)
{
	char why[256];

	if (!l->spec->tls || l->tls)
		return true;
	l->tls = tls_client_new(l->spec->tls_ca, l->spec->tls_cert, l->spec->tls_key, why);
	if (!l->tls)
		link_lose(l, LOG_LEVEL_ERROR, l->profile->refused_ms, "TLS: %s", why);
	return l->tls != NULL;
}

static void link_connect(struct link *l)
{
	const struct stream_options o = {
	    .open_ms = l->profile->open_ms,
	    .stall_ms = l->profile->stall_ms,
	    .max_out = MAX_OUT,
	    .max_in = MAX_IN,
	    .source = l->spec->source,
	    .tls = l->tls,
	    .server_name = *l->spec->tls_name ? l->spec->tls_name : NULL,
	};

	l->stream = stream_connect(l->loop, l->spec->host, (uint16_t)l->spec->port, &o, &stream_events, l);
}

static void link_leave(struct link *l)
{
	if (l->peer_left)
		return link_finish(l, "the operator sent unbind");
	link_enter(l, LINK_UNBINDING);
	link_ask_unbind(l);
}

static void link_on_state_timer(void *arg)
{
	struct link *l = arg;

	if (l->state == LINK_WAITING) {
		link_enter(l, LINK_CONNECTING);
		if (link_make_tls(l))
			link_connect(l);
	} else if (l->state == LINK_DRAINING)
		link_leave(l);
	else if (l->state == LINK_CLOSING)
		link_on_close(l, KZ_OK, "");
}

static void link_on_body_timer(void *arg)
{
	struct link *l = arg;

	meter_odd(&l->meter, "unfinished");
	link_lose(l, LOG_LEVEL_WARN, 0, "a PDU began and did not end within %.1f s",
	    (double)l->profile->stall_ms / 1000);
}

static const char *link_bind_name(const struct link *l)
{
	static const char *const names[] = {"transceiver", "transmitter", "receiver"};

	return names[l->spec->bind];
}

void link_bound(struct link *l)
{
	l->bound_ms = loop_now_ms(l->loop);
	l->missed = l->nacks = l->overdue = 0;
	*l->reason = '\0';
	log_info(l->name, "bound as %s to %s", link_bind_name(l), stream_peer(l->stream));
	link_start_quiet(l);
	link_enter(l, LINK_BOUND);
}

void link_refused(struct link *l, uint32_t status)
{
	char room[12];
	const char *name = status_name(status, room);

	/* Accounts get locked when a wrong password is repeated. */
	if (status == ESME_RINVPASWD || status == ESME_RINVSYSID || status == ESME_RINVSYSTYP)
		link_lose(l, LOG_LEVEL_ERROR, l->profile->refused_ms,
		    "bind refused with %s: check system_id, password_file and system_type in %s", name,
		    l->profile->path);
	else if (status == ESME_RALYBND)
		link_lose(l, LOG_LEVEL_WARN, l->profile->already_bound_ms,
		    "bind refused with %s: the operator still sees the session before", name);
	else
		link_lose(l, LOG_LEVEL_WARN, 0, "bind refused with %s", name);
}

void link_check_drained(struct link *l)
{
	if (l->state == LINK_DRAINING && l->submits == 0)
		link_leave(l);
}

void link_rebind(struct link *l)
{
	if (l->state != LINK_BOUND)
		return;
	link_enter(l, LINK_DRAINING);
	link_check_drained(l);
}

struct link *link_new(struct loop *loop, const struct profile *p, const struct profile_link *spec,
    uint32_t index, const struct link_events *events, void *arg)
{
	struct link *l = mem_new(sizeof *l);
	int64_t now = loop_now_ms(loop);

	*l = (struct link){
	    .loop = loop, .profile = p, .spec = spec, .events = events, .arg = arg, .index = index};
	l->out.wiped = true; /* codes go by here */
	snprintf(l->name, sizeof l->name, "%s.%s", p->name, spec->name);
	l->window = window_new((size_t)spec->window + CONTROLS);
	l->backoff = (struct backoff){.min_ms = p->reconnect_min_ms, .max_ms = p->reconnect_max_ms};
	rate_init(&l->rate, (double)spec->rate, now);
	meter_init(&l->meter, p->name, spec->name);
	metric_set(l->meter.rate, l->rate.now);
	l->state_timer = timer_new(loop, link_on_state_timer, l);
	l->answer_timer = timer_new(loop, link_on_answer_timer, l);
	l->quiet_timer = timer_new(loop, link_on_quiet_timer, l);
	l->body_timer = timer_new(loop, link_on_body_timer, l);
	l->entered_ms = now;
	timer_start(l->state_timer, 0);
	return l;
}

void link_rest(struct link *l, const char *why)
{
	assert(l->state == LINK_WAITING);
	snprintf(l->reason, sizeof l->reason, "%s", why);
	timer_stop(l->state_timer);
}

void link_dial(struct link *l)
{
	assert(l->state == LINK_WAITING);
	*l->reason = '\0';
	timer_start(l->state_timer, 0);
}

void link_redial(struct link *l)
{
	if (l->state != LINK_WAITING || !l->faulty)
		return;
	l->faulty = false;
	l->backoff.last_ms = 0;
	timer_start(l->state_timer, 0);
	log_info(l->name, "tries again now: the configuration was read again");
}

const char *link_name(const struct link *l)
{
	return l->name;
}

bool link_can_submit(const struct link *l)
{
	return l->state == LINK_BOUND && l->spec->bind != BIND_RECEIVER;
}

double link_pace(const struct link *l)
{
	return link_can_submit(l) ? l->rate.now : 0;
}

bool link_is_closed(const struct link *l)
{
	return l->state == LINK_CLOSED;
}

void link_drain(struct link *l)
{
	l->leaving = true;
	if (l->state == LINK_BOUND)
		link_rebind(l);
	else if (l->state <= LINK_BINDING)
		link_lose(l, LOG_LEVEL_INFO, 0, "drained before it was bound");
}

void link_count_receipt(struct link *l)
{
	metric_add(l->meter.receipts, 1);
}

void link_count_odd(struct link *l, const char *what)
{
	meter_odd(&l->meter, what);
}

void link_report(const struct link *l, struct link_report *ret)
{
	*ret = (struct link_report){
	    .state = states[l->state].name,
	    .bind = link_bind_name(l),
	    .window_used = l->submits,
	    .window_room = (size_t)l->spec->window,
	    .rate = l->rate.limit,
	    .rate_now = l->rate.now,
	    .submitted = (uint64_t)metric_value(l->meter.submitted),
	    .refused = (uint64_t)meter_refused(&l->meter),
	    .receipts = (uint64_t)metric_value(l->meter.receipts),
	    .state_ms = loop_now_ms(l->loop) - l->entered_ms,
	};
	snprintf(ret->name, sizeof ret->name, "%s", l->name);
	snprintf(ret->reason, sizeof ret->reason, "%s", l->reason);
	if (l->stream)
		snprintf(ret->peer, sizeof ret->peer, "%s", stream_peer(l->stream));
	else
		snprintf(ret->peer, sizeof ret->peer, "%.60s:%d", l->spec->host, (int)l->spec->port);
}

void link_free(struct link *l)
{
	struct window_entry e;

	if (!l)
		return;
	link_close_socket(l);
	while (window_take_overdue(l->window, INT64_MAX, &e))
		;
	window_free(l->window);
	timer_free(l->state_timer);
	timer_free(l->answer_timer);
	timer_free(l->quiet_timer);
	timer_free(l->body_timer);
	tls_free(l->tls);
	buf_fini(&l->out);
	metric_set(l->meter.bound, 0);
	free(l);
}

/* notify_tell: one request and what follows from its answer. A single event that fails is kept to be told
 * again (notify_keep.c) and the rest goes on; an endpoint that fails again and again is down: then nothing
 * more is kept of single events unless memory is full, their cursor stays, and one request at a time is made
 * after growing waits until it answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/notify_body.h"
#include "store/hooks.h"

#define RETRY_AFTER_MAX_MS 3600000

static const char *note_copy(char **at, const char *text)
{
	const char *copy = *at;

	*at = stpcpy(*at, text) + 1;
	return copy;
}

void note_line_up(struct note *note, bool first)
{
	struct list *line = &note->endpoint->waiting;

	note->phase = note->left ? NOTE_LEFT : NOTE_WAITING;
	if (note->left)
		return;
	if (first)
		list_prepend(line, &note->in_line);
	else
		list_append(line, &note->in_line);
}

static void note_wait(struct note *note)
{
	note_line_up(note, false);
}

void note_leave(struct note *note)
{
	note->left = true;
	if (note->phase != NOTE_WAITING)
		return;
	list_remove(&note->endpoint->waiting, &note->in_line);
	note->phase = NOTE_LEFT;
}

void note_stay(struct note *note)
{
	note->left = false;
	if (note->phase == NOTE_LEFT)
		note_wait(note);
}

struct note *note_new(struct endpoint *e, struct teller *t, const struct hook_event *event, unsigned attempts)
{
	size_t room = strlen(event->client_ref) + strlen(event->purpose) + strlen(event->status) +
	              strlen(event->detail) + 4;
	struct note *note = mem_new(sizeof *note + room);
	char *at = (char *)(note + 1);

	note->endpoint = e;
	note->teller = t;
	note->attempts = attempts;
	note->event = *event;
	note->event.client_ref = note_copy(&at, event->client_ref);
	note->event.purpose = note_copy(&at, event->purpose);
	note->event.status = note_copy(&at, event->status);
	note->event.detail = note_copy(&at, event->detail);
	list_append(t ? &t->notes : &e->again, &note->node);
	note_wait(note);
	return note;
}

void note_free(struct note *note)
{
	struct endpoint *e = note->endpoint;

	if (note->ask) {
		http_client_cancel(e->notify->client, note->ask);
		e->open--;
	}
	if (note->job)
		pg_job_cancel(e->notify->pg, note->job);
	if (note->phase == NOTE_LOOKING)
		e->open--;
	if (note->phase == NOTE_WAITING)
		list_remove(&e->waiting, &note->in_line);
	list_remove(note->teller ? &note->teller->notes : &e->again, &note->node);
	free(note);
}

/* After another probe, or the last failure that an endpoint was up for. */
static void endpoint_probe_later(struct endpoint *e, const char *why, int64_t retry_after_ms)
{
	int64_t wait_ms = hook_probe_ms(++e->probes, e->notify->conf->webhook_retry_min_ms);

	if (e->probes == 1)
		log_warn(e->name, "is down: %u failures in a row, the last: %s", e->streak, why);
	timer_start(e->pause, wait_ms > retry_after_ms ? wait_ms : retry_after_ms);
}

static int64_t answer_retry_after_ms(const struct http_answer *a)
{
	int64_t wait_ms =
	    a->retry_after_s < RETRY_AFTER_MAX_MS / 1000 ? a->retry_after_s * 1000 : RETRY_AFTER_MAX_MS;

	return a->outcome == HTTP_ANSWERED && (a->status == 429 || a->status == 503) && wait_ms > 0 ? wait_ms
	                                                                                            : 0;
}

static void note_failed(struct note *note, const struct http_answer *a)
{
	struct endpoint *e = note->endpoint;
	int64_t retry_after_ms = answer_retry_after_ms(a);
	bool was_down = e->probes > 0;
	char why[16];

	metric_add(e->notify->failed[a->outcome], 1);
	if (a->outcome == HTTP_ANSWERED)
		snprintf(why, sizeof why, "%d", a->status);
	else
		snprintf(why, sizeof why, "%s", http_outcome_name(a->outcome));
	log_debug(e->name, "a webhook failed: %s", why);
	e->streak += note->teller != NULL; /* one that fails again and again says nothing of the others */
	if (!was_down && e->streak < HOOK_DOWN_AFTER) {
		if (retry_after_ms)
			timer_start(e->pause, retry_after_ms);
		note_put_off(note, why, retry_after_ms);
		return;
	}
	if (!was_down || note->probe)
		endpoint_probe_later(e, why, retry_after_ms);
	if (note->probe && note->teller && note->teller->notes.count >= NOTIFY_LOW)
		note_put_off(
		    note, why, retry_after_ms); /* perhaps none in memory is taken: others are read */
	else
		note_wait(note); /* behind the others: it may be the only one that fails */
}

struct gone {
	struct notify *notify;
	int32_t id;
};

static void gone_on_disabled(void *arg, enum kz r)
{
	struct gone *g = arg;
	struct endpoint *e = notify_find(g->notify, g->id);

	if (e && r == KZ_OK) {
		log_warn(e->name, "is disabled: it answered 410 Gone");
		metric_add(g->notify->disabled, 1);
		endpoint_free(e);
		notify_look_drained(g->notify);
	}
	free(g);
}

/* As long as that is not noted it is only down, and says so again. */
static void endpoint_gone(struct endpoint *e)
{
	struct gone *g = mem_new(sizeof *g);

	*g = (struct gone){e->notify, e->id};
	if (hook_disable(e->notify->pg, e->id, "it answered 410 Gone", gone_on_disabled, g) != KZ_OK)
		free(g);
}

static void note_on_answer(void *arg, const struct http_answer *a)
{
	struct note *note = arg;
	struct endpoint *e = note->endpoint;
	struct notify *n = e->notify;

	note->ask = 0;
	e->open--;
	if (a->outcome == HTTP_ANSWERED && a->status / 100 == 2) {
		note_told(note);
	} else if (a->outcome == HTTP_ANSWERED && a->status == 410) {
		e->streak = HOOK_DOWN_AFTER;
		note_failed(note, a);
		endpoint_gone(e);
	} else {
		note_failed(note, a);
	}
	notify_pump(n);
	notify_look_drained(n);
}

static enum kz note_ask(struct note *note)
{
	struct endpoint *e = note->endpoint;
	struct notify *n = e->notify;
	int64_t now_s = clock_wall_ms(loop_clock(n->loop)) / 1000;
	char id[HOOK_ID], signature[HOOK_SIGNATURE], headers[3][96];
	const char *const lines[] = {
	    "Content-Type: application/json", headers[0], headers[1], headers[2], NULL};
	struct buf body = {0};

	hook_body(&note->event, &body);
	hook_id(&note->event, id);
	hook_sign(e->secret, sizeof e->secret, id, now_s, body.data, body.len, signature);
	snprintf(headers[0], sizeof headers[0], "webhook-id: %s", id);
	snprintf(headers[1], sizeof headers[1], "webhook-timestamp: %lld", (long long)now_s);
	snprintf(headers[2], sizeof headers[2], "webhook-signature: %s", signature);
	const struct http_ask ask = {e->url, lines, body.data, body.len, n->conf->webhook_timeout_ms};
	enum kz r = http_client_post(n->client, &ask, note_on_answer, note, &note->ask);
	buf_fini(&body);
	return r;
}

/* The first in line; of an endpoint that is down the first that was no probe yet. */
static struct note *endpoint_next(const struct endpoint *e)
{
	for (struct list_node *at = list_first(&e->waiting); at && e->probes;
	     at = list_next(&e->waiting, at)) {
		struct note *note = list_entry(at, struct note, in_line);

		if (!note->probe)
			return note;
	}
	return list_entry(list_first(&e->waiting), struct note, in_line);
}

void endpoint_pump(struct endpoint *e)
{
	struct notify *n = e->notify;
	size_t most = e->probes ? 1 : (size_t)n->conf->webhook_in_flight;

	while (!n->draining && !timer_is_armed(e->pause) && e->open < most && e->waiting.count) {
		struct note *note = endpoint_next(e);

		bool looks = note_must_look(note);

		if ((looks ? note_look(note) : note_ask(note)) != KZ_OK)
			return; /* when another is answered */
		list_remove(&e->waiting, &note->in_line);
		note->phase = looks ? NOTE_LOOKING : NOTE_ASKING;
		note->probe = !looks && e->probes > 0;
		e->open++;
	}
}

#include "api/timeline.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "base/ids.h"
#include "base/mem.h"
#include "store/trace.h"
#include "text/utf8.h"

#define TIMELINE_MOST 100

/* One question; the answers gather until the database is done. */
struct timeline {
	struct call *call;
	json_t *found;
	bool one; /* the answer is the message itself, or not found */
};

static void timeline_put(json_t *o, const char *name, const char *value)
{
	if (value && *value)
		json_object_set_new(o, name, json_string(value));
}

static void timeline_put_time(json_t *o, const char *name, int64_t wall_us)
{
	char text[32];

	json_object_set_new(o, name, json_string(clock_rfc3339(wall_us, text)));
}

static json_t *timeline_event(const struct trace_event *e)
{
	json_t *o = json_object();

	timeline_put_time(o, "at", e->at_us);
	timeline_put(o, "event", event_kind_name(e->kind));
	if (e->part)
		json_object_set_new(o, "part", json_integer(e->part));
	timeline_put(o, "carrier", e->carrier);
	timeline_put(o, "link", e->link);
	timeline_put(o, "operator_id", e->operator_id);
	timeline_put(o, "status", e->status);
	timeline_put(o, "detail", e->detail);
	return o;
}

static json_t *timeline_events(const struct trace *t)
{
	const struct trace_event accepted = {
	    .at_us = ids_wall_ms(t->message.id) * 1000, .kind = EVENT_ACCEPTED};
	json_t *events = json_array();

	json_array_append_new(events, timeline_event(&accepted));
	for (size_t i = 0; i < t->events_n; i++)
		json_array_append_new(events, timeline_event(&t->events[i]));
	return events;
}

static json_t *timeline_message(const struct trace *t)
{
	const struct message *m = &t->message;
	char id[IDS_TEXT], to[MSISDN_TEXT] = "";
	json_t *o = json_object();

	timeline_put(o, "id", ids_text(m->id, id));
	timeline_put(o, "state", message_state_name(t->state));
	timeline_put(o, "class", message_class_name(m->class));
	if (m->to.digits)
		timeline_put(o, "to", msisdn_masked(m->to, to));
	json_object_set_new(o, "segments", json_integer(m->parts));
	timeline_put(o, "encoding", m->alphabet == ALPHABET_GSM7 ? "gsm7" : "ucs2");
	timeline_put(o, "client_ref", m->client_ref);
	if (t->code) {
		timeline_put(o, "code", ids_text(t->code, id));
		timeline_put(o, "code_why", code_why_name(t->why));
	}
	timeline_put_time(o, "accepted_at", ids_wall_ms(m->id) * 1000);
	timeline_put_time(o, "expires_at", m->expires_wall_ms * 1000);
	json_object_set_new(o, "timeline", timeline_events(t));
	return o;
}

static void timeline_on_trace(void *arg, const struct trace *t)
{
	struct timeline *q = arg;

	json_array_append_new(q->found, timeline_message(t));
}

static void timeline_refuse(struct call *c, enum problem_code code, const char *field, const char *detail)
{
	struct problem p = problem_make(code, field, "%s", detail);

	p.after_s = code == PROBLEM_UNAVAILABLE ? 2 : 0;
	problem_reply(c, &p);
}

static void timeline_on_done(void *arg, enum kz r)
{
	struct timeline *q = arg;
	char *text = NULL;

	if (r == KZ_OK && (!q->one || json_array_size(q->found))) {
		json_t *answer = q->one ? json_incref(json_array_get(q->found, 0))
		                        : json_pack("{s:O}", "messages", q->found);

		text = json_dumps(answer, JSON_COMPACT);
		json_decref(answer);
	}
	if (text)
		door_reply_json(q->call, 200, text);
	else if (r == KZ_OK)
		timeline_refuse(q->call, PROBLEM_NOT_FOUND, NULL, "no such message");
	else
		timeline_refuse(q->call, PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");
	free(text);
	json_decref(q->found);
	free(q);
}

static struct timeline *timeline_new(struct call *c, bool one)
{
	struct timeline *q = mem_new(sizeof *q);

	*q = (struct timeline){c, json_array(), one};
	return q;
}

static void timeline_begun(struct timeline *q, enum kz r)
{
	if (r != KZ_OK)
		timeline_on_done(q, KZ_LOST);
}

void timeline_get(struct door *d, struct call *c, const struct door_caller *who, const char *text)
{
	uint64_t id;

	if (ids_parse(text, &id) != KZ_OK) {
		timeline_refuse(c, PROBLEM_NOT_FOUND, NULL, "no such message: an id has 13 characters");
		return;
	}
	struct timeline *q = timeline_new(c, true);
	timeline_begun(
	    q, trace_by_id(d->pg, d->keyring, id, who->client, timeline_on_trace, timeline_on_done, q));
}

void timeline_find(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	const char *ref = call_query(c, "client_ref");

	(void)id;
	if (!ref || !*ref) {
		timeline_refuse(c, PROBLEM_MISSING_FIELD, "client_ref", "ask with ?client_ref=...");
		return;
	}
	if (strlen(ref) > 256 || utf8_check(ref, strlen(ref)) != KZ_OK) {
		timeline_refuse(c, PROBLEM_INVALID_VALUE, "client_ref", "1 to 64 characters");
		return;
	}
	struct timeline *q = timeline_new(c, false);
	timeline_begun(q, trace_by_ref(d->pg, d->keyring, ref, who->client, TIMELINE_MOST, timeline_on_trace,
	                      timeline_on_done, q));
}

#include "api/control.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/health.h"
#include "api/problem.h"
#include "base/mem.h"
#include "text/utf8.h"

#define LINKS_MAX 64

static void control_answer(struct call *c, int status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(c, status, text ? text : "{}");
	free(text);
	json_decref(o);
}

static json_t *control_lanes(const struct send *s)
{
	struct send_report r;
	json_t *lanes = json_object();

	send_report(s, &r);
	for (enum lane lane = 0; lane < LANES; lane++)
		json_object_set_new(lanes, message_class_name((enum message_class)lane),
		    json_pack("{s:I, s:I}", "waiting", (json_int_t)r.waiting[lane], "oldest_ms",
		        (json_int_t)r.oldest_ms[lane]));
	return json_pack("{s:I, s:o}", "waiting", (json_int_t)r.letters, "lanes", lanes);
}

static json_t *control_link(const struct link_report *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I}", "name", r->name,
	    "state", r->state, "bind", r->bind, "peer", r->peer, "reason", r->reason, "window_used",
	    (json_int_t)r->window_used, "window_room", (json_int_t)r->window_room, "rate", r->rate,
	    "rate_now", r->rate_now, "submitted", (json_int_t)r->submitted, "refused", (json_int_t)r->refused,
	    "receipts", (json_int_t)r->receipts, "state_ms", (json_int_t)r->state_ms);
}

static json_t *control_carrier(const struct carrier *c)
{
	struct link_report rows[LINKS_MAX];
	size_t n = carrier_report(c, rows, LINKS_MAX);
	json_t *links = json_array(), *waiting = json_object();

	for (size_t i = 0; i < n && i < LINKS_MAX; i++)
		json_array_append_new(links, control_link(&rows[i]));
	for (enum lane lane = 0; lane < LANES; lane++)
		json_object_set_new(waiting, message_class_name((enum message_class)lane),
		    json_integer((json_int_t)carrier_waiting(c, lane)));
	return json_pack("{s:s, s:b, s:o, s:o}", "name", carrier_name(c), "up", carrier_is_up(c), "waiting",
	    waiting, "links", links);
}

static json_t *control_carriers(const struct door *d)
{
	json_t *carriers = json_array();
	struct carrier *c;

	for (size_t i = 0; (c = ways_at(send_ways(d->send), i)) != NULL; i++)
		json_array_append_new(carriers, control_carrier(c));
	return carriers;
}

static json_t *control_webhooks(const struct notify *n)
{
	const struct notify_sum sum = notify_sum(n);

	return json_pack("{s:I, s:I, s:I}", "up", (json_int_t)sum.up, "down", (json_int_t)sum.down,
	    "oldest_ms", (json_int_t)sum.oldest_ms);
}

static json_t *control_state(bool configured, bool up, const char *why)
{
	return json_pack("{s:s, s:s}", "state", !configured ? "none" : up ? "up" : "down", "why", why);
}

void control_status(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	json_t *reasons = health_reasons(d);
	json_t *rates = json_pack("{s:f, s:f, s:f}", "accepted_per_s", rates_of(d->rates, RATES_ACCEPTED),
	    "submitted_per_s", rates_of(d->rates, RATES_SUBMITTED), "receipts_per_s",
	    rates_of(d->rates, RATES_RECEIPTS));
	json_t *redis = control_state(
	    d->redis != NULL, d->redis && redis_is_up(d->redis), d->redis ? redis_why_down(d->redis) : "");

	(void)who;
	(void)id;
	control_answer(c, 200,
	    json_pack("{s:s, s:i, s:I, s:b, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "version",
	        KEZEK_VERSION, "pid", (int)getpid(), "uptime_s",
	        (json_int_t)((loop_now_ms(d->loop) - d->started_ms) / 1000), "ready",
	        json_array_size(reasons) == 0, "reasons", reasons, "database",
	        control_state(true, pg_is_up(d->pg), pg_why_down(d->pg)), "redis", redis, "slot",
	        slots_own(d->slots), "queue", control_lanes(d->send), "rates", rates, "webhooks",
	        control_webhooks(d->notify), "carriers", control_carriers(d)));
}

/* One question about keys. */
struct key_quest {
	struct door *door;
	struct call *call;
	json_t *found;
	int32_t id; /* of the new key */
	char client[CLIENT_NAME + 1];
	unsigned scopes;
	char key[CLIENT_KEY];
};

static json_t *control_scopes(unsigned scopes)
{
	json_t *names = json_array();

	for (unsigned s = 1; s < SCOPES_ALL; s <<= 1)
		if (scopes & s)
			json_array_append_new(names, json_string(scope_name(s)));
	return names;
}

static void key_finish(struct key_quest *q)
{
	secret_wipe(q->key, sizeof q->key);
	json_decref(q->found);
	free(q);
}

static void key_refuse(struct key_quest *q, enum kz r)
{
	struct problem p =
	    r == KZ_NOT_FOUND ? problem_make(PROBLEM_NOT_FOUND, NULL, "no living key has this number")
	    : r == KZ_REFUSED ? problem_make(PROBLEM_INVALID_VALUE, "client",
	                            "it has two living keys already; revoke one first")
	                      : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");

	p.after_s = p.status == 503 ? 2 : 0;
	problem_reply(q->call, &p);
	key_finish(q);
}

static void key_on_each(void *arg, const struct client *k)
{
	struct key_quest *q = arg;
	char at[32];
	json_t *o = json_pack("{s:i, s:s, s:o, s:s}", "id", (int)k->id, "client", k->name, "scopes",
	    control_scopes(k->scopes), "created_at", clock_rfc3339(k->created_us, at));

	if (k->revoked_us)
		json_object_set_new(o, "revoked_at", json_string(clock_rfc3339(k->revoked_us, at)));
	json_array_append_new(q->found, o);
}

static void key_on_listed(void *arg, enum kz r)
{
	struct key_quest *q = arg;

	if (r != KZ_OK) {
		key_refuse(q, r);
		return;
	}
	control_answer(q->call, 200, json_pack("{s:O}", "keys", q->found));
	key_finish(q);
}

static struct key_quest *key_new(struct door *d, struct call *c)
{
	struct key_quest *q = mem_new(sizeof *q);

	*q = (struct key_quest){.door = d, .call = c, .found = json_array()};
	return q;
}

void control_keys(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct key_quest *q = key_new(d, c);

	(void)who;
	(void)id;
	enum kz r = client_list(d->pg, key_on_each, key_on_listed, q);
	if (r != KZ_OK)
		key_refuse(q, r);
}

/* A key that was made or revoked works or ends from the answer on, here; elsewhere within seconds. */
static void key_when_seen(struct key_quest *q, void (*answer)(void *arg))
{
	if (!q->door->clients || clients_see(q->door->clients, answer, q) != KZ_OK)
		answer(q);
}

static void key_answer_added(void *arg)
{
	struct key_quest *q = arg;

	control_answer(q->call, 201,
	    json_pack("{s:i, s:s, s:o, s:s}", "id", (int)q->id, "client", q->client, "scopes",
	        control_scopes(q->scopes), "key", q->key));
	key_finish(q);
}

static void key_on_added(void *arg, enum kz r, int32_t id)
{
	struct key_quest *q = arg;

	if (r != KZ_OK) {
		key_refuse(q, r);
		return;
	}
	q->id = id;
	key_when_seen(q, key_answer_added);
}

static bool key_read(const json_t *o, struct key_quest *q, struct problem *ret)
{
	const char *client = json_string_value(json_object_get(o, "client"));
	const json_t *scopes = json_object_get(o, "scopes");
	size_t n = client ? strlen(client) : 0;

	if (n < 1 || n > CLIENT_NAME || strspn(client, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != n) {
		*ret =
		    problem_make(PROBLEM_INVALID_VALUE, "client", "1 to %d of a-z, 0-9, - _ .", CLIENT_NAME);
		return false;
	}
	snprintf(q->client, sizeof q->client, "%s", client);
	for (size_t i = 0; i < json_array_size(scopes); i++) {
		const char *name = json_string_value(json_array_get(scopes, i));
		unsigned s = name ? scope_parse(name) : 0;

		q->scopes = s && (q->scopes || i == 0) ? q->scopes | s : 0;
	}
	if (!q->scopes)
		*ret = problem_make(PROBLEM_INVALID_VALUE, "scopes",
		    "at least one; known are messages:write, messages:read, metrics, codes, records, queue, "
		    "places, open, names");
	return q->scopes != 0;
}

void control_key_add(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct key_quest *q = key_new(d, c);
	struct problem problem =
	    problem_make(PROBLEM_MALFORMED_JSON, NULL, "send {\"client\": ..., \"scopes\": [...]}");
	uint8_t hash[SECRET_HASH];
	size_t len;
	const char *body = call_body(c, &len);
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	bool good = o && key_read(o, q, &problem);

	(void)who;
	(void)id;
	json_decref(o);
	if (!good) {
		problem_reply(c, &problem);
		key_finish(q);
		return;
	}
	client_key_make(q->key, hash);
	enum kz r = client_add(d->pg, q->client, q->scopes, hash, key_on_added, q);
	if (r != KZ_OK)
		key_refuse(q, r);
}

static void key_answer_revoked(void *arg)
{
	struct key_quest *q = arg;

	call_reply(q->call, 204, NULL, NULL, 0);
	key_finish(q);
}

static void key_on_revoked(void *arg, enum kz r)
{
	struct key_quest *q = arg;

	if (r != KZ_OK) {
		key_refuse(q, r);
		return;
	}
	key_when_seen(q, key_answer_revoked);
}

void control_key_revoke(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct key_quest *q = key_new(d, c);
	char *end;
	long n = strtol(id, &end, 10);

	(void)who;
	enum kz r = *end || n < 1 || n > INT32_MAX ? KZ_NOT_FOUND
	                                           : client_revoke(d->pg, (int32_t)n, key_on_revoked, q);
	if (r != KZ_OK)
		key_refuse(q, r);
}

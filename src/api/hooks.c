#include "api/hooks.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "base/ids.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/address.h"
#include "rules/hook_url.h"
#include "store/hooks.h"
#include "store/tellings.h"

/* One question about endpoints. */
struct hooks_quest {
	struct door *door;
	struct call *call;
	json_t *found;
	const char *missing; /* what a KZ_NOT_FOUND means */
	int32_t enabled;     /* asked at once when it was done; 0: none */
	char client[CLIENT_NAME + 1];
	char *url;
	uint8_t secret[HOOK_SECRET];
};

static struct hooks_quest *hooks_new(struct door *d, struct call *c, const char *missing)
{
	struct hooks_quest *q = mem_new(sizeof *q);

	*q = (struct hooks_quest){.door = d, .call = c, .found = json_array(), .missing = missing};
	return q;
}

static void hooks_finish(struct hooks_quest *q)
{
	secret_wipe(q->secret, sizeof q->secret);
	json_decref(q->found);
	free(q->url);
	free(q);
}

/* Lets go of o. */
static void hooks_answer(struct hooks_quest *q, int status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(q->call, status, text ? text : "{}");
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(o);
	hooks_finish(q);
}

static void hooks_refuse(struct hooks_quest *q, const struct problem *p)
{
	problem_reply(q->call, p);
	hooks_finish(q);
}

static void hooks_fail(struct hooks_quest *q, enum kz r)
{
	struct problem p = r == KZ_NOT_FOUND ? problem_make(PROBLEM_NOT_FOUND, NULL, "%s", q->missing)
	                   : r == KZ_REFUSED
	                       ? problem_make(PROBLEM_INVALID_VALUE, "client",
	                             "it has %d endpoints, or all clients have %d; remove one first",
	                             HOOKS_OF_CLIENT, HOOKS_MOST)
	                       : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");

	p.after_s = p.status == 503 ? 2 : 0;
	hooks_refuse(q, &p);
}

/* Asked, or never will be. */
static void hooks_begun(struct hooks_quest *q, enum kz r)
{
	if (r != KZ_OK)
		hooks_fail(q, r);
}

static const char *hooks_state(const struct hook *h, bool told, const struct notify_report *r)
{
	return h->disabled_us ? "disabled" : r->locked ? "locked" : told && r->down ? "down" : "up";
}

static void hooks_on_each(void *arg, const struct hook *h)
{
	struct hooks_quest *q = arg;
	struct notify_report report = {0};
	bool told = notify_report(q->door->notify, h->id, &report);
	char at[32];
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "id", (int)h->id, "client",
	    h->client, "url", h->url, "state", hooks_state(h, told, &report), "created_at",
	    clock_rfc3339(h->created_us, at), "retries", (json_int_t)h->retries, "given_up",
	    (json_int_t)h->given_up, "oldest_ms", (json_int_t)report.oldest_ms);

	if (h->disabled_us)
		json_object_set_new(o, "disabled_at", json_string(clock_rfc3339(h->disabled_us, at)));
	if (*h->why)
		json_object_set_new(o, "why", json_string(h->why));
	json_array_append_new(q->found, o);
}

static void hooks_on_shown(void *arg, enum kz r)
{
	struct hooks_quest *q = arg;

	if (r != KZ_OK)
		hooks_fail(q, r);
	else
		hooks_answer(q, 200, json_pack("{s:O}", "webhooks", q->found));
}

void hooks_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct hooks_quest *q = hooks_new(d, c, "");

	(void)who;
	(void)id;
	hooks_begun(q, hook_list(d->pg, hooks_on_each, hooks_on_shown, q));
}

static void hooks_on_added(void *arg, enum kz r, int32_t id)
{
	struct hooks_quest *q = arg;
	char secret[HOOK_SECRET_TEXT];

	if (r != KZ_OK) {
		hooks_fail(q, r);
		return;
	}
	notify_refresh(q->door->notify);
	hook_secret_text(q->secret, secret);
	hooks_answer(q, 201,
	    json_pack(
	        "{s:i, s:s, s:s, s:s}", "id", (int)id, "client", q->client, "url", q->url, "secret", secret));
	secret_wipe(secret, sizeof secret);
}

/* An address that may never be asked is refused at once; a name is judged each time that it is asked. */
static bool hooks_read_url(struct hooks_quest *q, const char *url, struct problem *ret)
{
	bool allow_private = q->door->conf->webhook_allow_private;
	struct hook_url u;
	struct address a;
	const char *why;

	if (!url || hook_url_parse(url, allow_private, &u, &why) != KZ_OK) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "url", "%s", url ? why : "a text is expected");
		return false;
	}
	if (!allow_private && address_parse(u.host, 0, &a) && !address_is_public(&a.sa)) {
		*ret = problem_make(
		    PROBLEM_INVALID_VALUE, "url", "its address is not public: webhook.allow_private");
		return false;
	}
	q->url = mem_str(url);
	return true;
}

static bool hooks_read_client(struct hooks_quest *q, const char *client, struct problem *ret)
{
	size_t n = client ? strlen(client) : 0;

	if (n < 1 || n > CLIENT_NAME) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "client", "1 to %d characters", CLIENT_NAME);
		return false;
	}
	snprintf(q->client, sizeof q->client, "%s", client);
	return true;
}

/* NULL after answering when the body is no JSON object. */
static json_t *hooks_body(struct hooks_quest *q, const char *wanted)
{
	size_t len;
	const char *body = call_body(q->call, &len);
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(o))
		return o;
	const struct problem p = problem_make(PROBLEM_MALFORMED_JSON, NULL, "send %s", wanted);
	json_decref(o);
	hooks_refuse(q, &p);
	return NULL;
}

static const char *hooks_field(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

void hooks_add(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct hooks_quest *q = hooks_new(d, c, "no key was ever made for this client: kezekctl key list");
	json_t *o = hooks_body(q, "{\"client\": ..., \"url\": ...}");
	struct problem p;

	(void)who;
	(void)id;
	if (!o)
		return;
	bool good = hooks_read_client(q, hooks_field(o, "client"), &p) &&
	            hooks_read_url(q, hooks_field(o, "url"), &p);
	json_decref(o);
	if (!good) {
		hooks_refuse(q, &p);
		return;
	}
	secret_random(q->secret, sizeof q->secret);
	hooks_begun(q, hook_add(d->pg, d->keyring, q->client, q->url, q->secret,
	                   clock_wall_ms(loop_clock(d->loop)), hooks_on_added, q));
}

static void hooks_on_done(void *arg, enum kz r)
{
	struct hooks_quest *q = arg;

	if (r != KZ_OK) {
		hooks_fail(q, r);
		return;
	}
	notify_refresh(q->door->notify);
	notify_ask_now(q->door->notify, q->enabled);
	call_reply(q->call, 204, NULL, NULL, 0);
	hooks_finish(q);
}

static const char no_webhook[] = "no webhook has this number: kezekctl webhook list";

/* 0: none. */
static int32_t hooks_number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > INT32_MAX ? 0 : (int32_t)n;
}

void hooks_remove(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct hooks_quest *q = hooks_new(d, c, no_webhook);

	(void)who;
	hooks_begun(q, hook_remove(d->pg, hooks_number(id), hooks_on_done, q));
}

void hooks_enable(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct hooks_quest *q = hooks_new(d, c, no_webhook);

	(void)who;
	q->enabled = hooks_number(id);
	hooks_begun(q, hook_enable(d->pg, q->enabled, hooks_on_done, q));
}

static void hooks_replay_message(struct hooks_quest *q, const char *message)
{
	uint64_t id;

	q->missing = "no such message, it has not ended, or its client has no webhook";
	hooks_begun(q, ids_parse(message, &id) != KZ_OK
	                   ? KZ_NOT_FOUND
	                   : hook_replay_message(
	                         q->door->pg, id, loop_clock(q->door->loop)->wall_us(), hooks_on_done, q));
}

static void hooks_replay_news(struct hooks_quest *q, const json_t *application)
{
	json_int_t number = json_integer_value(application);
	uint64_t ticket;

	q->missing = "it has no news, or no client with a key for records has a webhook";
	hooks_begun(q, number < 1 || number > DOOR_NUMBER_MAX
	                   ? KZ_NOT_FOUND
	                   : tellings_again(q->door->pg, (uint64_t)number,
	                         loop_clock(q->door->loop)->wall_us(), hooks_on_done, q, &ticket));
}

static void hooks_replay_since(struct hooks_quest *q, const json_t *o)
{
	json_int_t number = json_integer_value(json_object_get(o, "webhook"));
	const char *since = hooks_field(o, "since");
	int64_t since_us = since ? clock_parse_rfc3339(since) : -1;

	if (since_us < 0) {
		const struct problem p = problem_make(
		    PROBLEM_INVALID_VALUE, "since", "a time like 2026-11-22T18:23:06Z is expected");

		hooks_refuse(q, &p);
		return;
	}
	if (since_us > loop_clock(q->door->loop)->wall_us()) {
		const struct problem p = problem_make(PROBLEM_INVALID_VALUE, "since", "it is yet to come");

		hooks_refuse(q, &p);
		return;
	}
	hooks_begun(q, hook_replay(q->door->pg, number < 1 || number > INT32_MAX ? 0 : (int32_t)number,
	                   since_us / 1000, hooks_on_done, q));
}

void hooks_replay(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct hooks_quest *q = hooks_new(d, c, no_webhook);
	json_t *o =
	    hooks_body(q, "{\"message\": ...}, {\"application\": ...} or {\"webhook\": ..., \"since\": ...}");

	(void)who;
	(void)id;
	if (!o)
		return;
	if (json_object_get(o, "message"))
		hooks_replay_message(
		    q, json_is_string(json_object_get(o, "message")) ? hooks_field(o, "message") : "");
	else if (json_object_get(o, "application"))
		hooks_replay_news(q, json_object_get(o, "application"));
	else
		hooks_replay_since(q, o);
	json_decref(o);
}

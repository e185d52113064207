#include "api/guard.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/holds.h"
#include "store/person.h"
#include "text/msisdn.h"

#define BY_MAX  32
#define FOR_MAX (7 * 86400)

/* One question about holds. */
struct guard_quest {
	struct door *door;
	struct call *call;
	json_t *found;
	int64_t free_ms;      /* 0: it may be held again at once */
	char by[BY_MAX + 32]; /* "aigul (uid 1000)" */
	char shown[HOLD_SHOWN];
	struct hold_lift lift;
};

static struct guard_quest *guard_new(struct door *d, struct call *c)
{
	struct guard_quest *q = mem_new(sizeof *q);

	*q = (struct guard_quest){.door = d, .call = c, .found = json_array()};
	return q;
}

static void guard_finish(struct guard_quest *q)
{
	json_decref(q->found);
	free(q);
}

/* Lets go of o. */
static void guard_answer(struct guard_quest *q, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(q->call, 200, text ? text : "{}");
	free(text);
	json_decref(o);
	guard_finish(q);
}

static void guard_refuse(struct guard_quest *q, const struct problem *p)
{
	problem_reply(q->call, p);
	guard_finish(q);
}

static void guard_fail(struct guard_quest *q, enum kz r)
{
	struct problem p =
	    r == KZ_NOT_FOUND
	        ? problem_make(PROBLEM_NOT_FOUND, NULL, "nothing like this is held now: kezekctl guard")
	        : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");

	p.after_s = p.status == 503 ? 2 : 0;
	guard_refuse(q, &p);
}

static json_t *guard_hold(const struct hold *h)
{
	char since[32], until[32];

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", hold_kind_name(h->kind), "shown", h->shown,
	    "since", clock_rfc3339(h->since_us, since), "until", clock_rfc3339(h->until_us, until), "why",
	    h->kind == HOLD_PREFIX ? "too few of its codes are approved"
	                           : "too many wrong tries within an hour");
}

static void guard_on_each(void *arg, const struct hold *h)
{
	struct guard_quest *q = arg;

	json_array_append_new(q->found, guard_hold(h));
}

static void guard_on_shown(void *arg, enum kz r)
{
	struct guard_quest *q = arg;

	if (r != KZ_OK)
		guard_fail(q, r);
	else
		guard_answer(q, json_pack("{s:O}", "held", q->found));
}

void guard_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct guard_quest *q = guard_new(d, c);

	(void)who;
	(void)id;
	enum kz r = hold_list(d->pg, loop_clock(d->loop)->wall_us(), guard_on_each, guard_on_shown, q);
	if (r != KZ_OK)
		guard_fail(q, r);
}

static void guard_on_lifted(void *arg, enum kz r, const struct hold *lifted)
{
	struct guard_quest *q = arg;

	if (r != KZ_OK) {
		guard_fail(q, r);
		return;
	}
	limits_lift(q->door->limits, lifted->kind, lifted->subject, q->free_ms);
	log_info("guard", "%s is lifted by=\"%s\"", lifted->shown, q->by);
	guard_answer(q, guard_hold(lifted));
}

/* "+7701123xxxx" or "7701123": 0 when it is none. */
static int64_t guard_prefix(const char *text)
{
	size_t plus = text[0] == '+', n = strspn(text + plus, "0123456789");

	if (n != 7 || (text[plus + n] && strcmp(text + plus + n, "xxxx") != 0))
		return 0;
	return strtoll(text + plus, NULL, 10);
}

static bool guard_read_subject(struct guard_quest *q, const char *text, struct problem *ret)
{
	struct msisdn_refusal why;
	struct msisdn m;

	if (text && !strncmp(text, "code:", 5) && strlen(text) < HOLD_SHOWN) {
		snprintf(q->shown, sizeof q->shown, "%s", text);
		q->lift.shown = q->shown;
		q->lift.kind = HOLD_PHONE;
	} else if (text && guard_prefix(text)) {
		q->lift.kind = HOLD_PREFIX;
		q->lift.subject = guard_prefix(text);
	} else if (text && msisdn_parse(text, &m, &why) == KZ_OK) {
		q->lift.kind = HOLD_PHONE;
		q->lift.subject = person_phone(q->door->keyring, m);
	} else {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "subject",
		    "a prefix or a phone as kezekctl guard shows it, or a phone's number");
		return false;
	}
	return true;
}

static bool guard_read_by(struct guard_quest *q, const char *text, struct problem *ret)
{
	size_t n =
	    text ? strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") : 0;
	int64_t uid = call_uid(q->call);

	if (n < 1 || n > BY_MAX || text[n]) {
		*ret = problem_make(
		    PROBLEM_INVALID_VALUE, "by", "who does it: 1 to %d of a-z, A-Z, 0-9, . _ -", BY_MAX);
		return false;
	}
	if (uid < 0)
		snprintf(q->by, sizeof q->by, "%s", text);
	else
		snprintf(q->by, sizeof q->by, "%s (uid %" PRId64 ")", text, uid);
	q->lift.by = q->by;
	return true;
}

static bool guard_read_for(struct guard_quest *q, const json_t *o, struct problem *ret)
{
	const json_t *given = json_object_get(o, "for_s");
	json_int_t for_s = json_integer_value(given);

	q->lift.now_us = loop_clock(q->door->loop)->wall_us();
	if (!given)
		return true;
	if (for_s < 60 || for_s > FOR_MAX || q->lift.kind != HOLD_PREFIX) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "for_s",
		    "60 to %d seconds, and for a prefix alone: a phone always has its tries of an hour",
		    FOR_MAX);
		return false;
	}
	q->lift.free_until_us = q->lift.now_us + for_s * 1000000;
	q->free_ms = q->lift.free_until_us / 1000;
	return true;
}

void guard_lift(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct guard_quest *q = guard_new(d, c);
	struct problem p = problem_make(PROBLEM_MALFORMED_JSON, NULL, "send {\"subject\": ..., \"by\": ...}");
	size_t len;
	const char *body = call_body(c, &len);
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);

	(void)who;
	(void)id;
	bool good = json_is_object(o) &&
	            guard_read_subject(q, json_string_value(json_object_get(o, "subject")), &p) &&
	            guard_read_by(q, json_string_value(json_object_get(o, "by")), &p) &&
	            guard_read_for(q, o, &p);
	json_decref(o);
	if (!good) {
		guard_refuse(q, &p);
		return;
	}
	enum kz r = hold_lift(d->pg, &q->lift, guard_on_lifted, q);
	if (r != KZ_OK)
		guard_fail(q, r);
}

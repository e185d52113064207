/* What was done is known by the request's Idempotency-Key, whichever daemon it comes to again: no answer is
 * kept, the referral as it stands is. */
#include "api/grants.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/grant_problem.h"
#include "api/grant_wish.h"
#include "api/post.h"
#include "base/mem.h"

/* One question; the call may be gone at any time: its reply is then a no-op. */
struct grant {
	struct call *call;
	struct problem (*problem)(enum kz r, const struct places_answer *a);
};

static struct grant *grant_new(
    struct call *c, struct problem (*problem)(enum kz r, const struct places_answer *a))
{
	struct grant *g = mem_new(sizeof *g);

	*g = (struct grant){c, problem};
	return g;
}

static void grant_put_time(json_t *o, const char *name, int64_t wall_us)
{
	char text[32];

	json_object_set_new(o, name, json_string(clock_rfc3339(wall_us, text)));
}

static void grant_reply(struct call *c, const struct places_answer *a)
{
	const struct places_referral *r = &a->referral;
	json_t *o = json_pack("{s:I, s:I, s:I, s:s, s:b}", "number", (json_int_t)r->number, "application",
	    (json_int_t)r->application, "group", (json_int_t)r->play_group, "status",
	    referral_status_name(r->status), "extended", r->extended);

	grant_put_time(o, "from", r->from_us);
	grant_put_time(o, "to", r->to_us);
	char *text = json_dumps(o, JSON_COMPACT);
	if (a->repeated)
		call_header_add(c, "Idempotent-Replayed", "true");
	door_reply_json(c, a->created ? 201 : 200, text);
	free(text);
	json_decref(o);
}

static void grant_on_done(void *arg, enum kz r, const struct places_answer *a)
{
	struct grant *g = arg;

	if (r == KZ_OK) {
		grant_reply(g->call, a);
	} else {
		const struct problem p = g->problem(r, a);

		problem_reply(g->call, &p);
	}
	free(g);
}

/* Asked, or never will be. */
static void grant_begun(struct grant *g, enum kz r)
{
	if (r != KZ_OK)
		grant_on_done(g, KZ_LOST, &(struct places_answer){0});
}

static void grant_refuse(struct call *c, enum problem_code code, const char *detail)
{
	const struct problem p = problem_make(code, NULL, "%s", detail);

	problem_reply(c, &p);
}

/* What the request is known by: whose it is, and its key. */
static int64_t grant_token(const struct door *d, const struct door_caller *who, const struct post *p)
{
	struct buf both = {0};

	buf_add(&both, p->key_hash, SECRET_HASH);
	buf_str(&both, who->client ? who->client : "");
	int64_t token = keyring_lookup(d->keyring, "place request", both.data, both.len);
	buf_fini(&both);
	return token;
}

/* The body as JSON, an empty one as {}; NULL after the refusal. */
static json_t *grant_body(struct call *c)
{
	struct problem problem;
	size_t len;
	const char *body = call_body(c, &len);
	json_t *o = len ? post_json(body, len, &problem) : json_object();

	if (!o)
		problem_reply(c, &problem);
	return o;
}

void grants_take(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct places_take t = {.via = NEWS_BY_PORTAL};
	struct problem problem;
	json_t *o;

	if (!p)
		return;
	t.token = grant_token(d, who, p);
	post_free(p);
	if (grant_number(id, GRANT_ID_MAX, &t.application) != KZ_OK) {
		grant_refuse(c, PROBLEM_NOT_FOUND, "no such application");
		return;
	}
	if (!(o = grant_body(c)))
		return;
	enum kz r = grant_wish_group(o, &t.play_group, &problem);
	json_decref(o);
	if (r != KZ_OK) {
		problem_reply(c, &problem);
		return;
	}
	struct grant *g = grant_new(c, grant_problem_take);
	grant_begun(g, places_take(d->places, &t, grant_on_done, g));
}

static void grants_hear(
    struct door *d, struct call *c, const struct door_caller *who, const char *id, enum referral_event event)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct places_hear h = {.event = event, .via = NEWS_BY_PORTAL};
	struct problem problem;
	json_t *o;

	if (!p)
		return;
	h.token = grant_token(d, who, p);
	post_free(p);
	if (grant_number(id, GRANT_REFERRAL_MAX, &h.referral) != KZ_OK) {
		grant_refuse(c, PROBLEM_NOT_FOUND, "no such referral");
		return;
	}
	if (!(o = grant_body(c)))
		return;
	enum kz r = grant_wish_none(o, &problem);
	json_decref(o);
	if (r != KZ_OK) {
		problem_reply(c, &problem);
		return;
	}
	struct grant *g = grant_new(c, grant_problem_hear);
	grant_begun(g, places_hear(d->places, &h, grant_on_done, g));
}

void grants_accept(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	grants_hear(d, c, who, id, REFERRAL_ACCEPT);
}

void grants_decline(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	grants_hear(d, c, who, id, REFERRAL_DECLINE);
}

void grants_extend(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	grants_hear(d, c, who, id, REFERRAL_EXTEND);
}

void grants_put(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct places_put wish = {0};
	struct problem problem;
	json_t *o;

	(void)who;
	if (!post_is_type(c, "application/json")) {
		grant_refuse(c, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "send application/json");
		return;
	}
	if (grant_number(id, GRANT_REFERRAL_MAX, &wish.referral) != KZ_OK) {
		problem = problem_make(
		    PROBLEM_INVALID_VALUE, "number", "a referral's is 1 to %d", GRANT_REFERRAL_MAX);
		problem_reply(c, &problem);
		return;
	}
	if (!(o = grant_body(c)))
		return;
	enum kz r = grant_wish_read(o, &wish, &problem);
	json_decref(o);
	if (r != KZ_OK) {
		problem_reply(c, &problem);
		return;
	}
	struct grant *g = grant_new(c, grant_problem_put);
	grant_begun(g, places_put(d->places, &wish, grant_on_done, g));
}

void grants_get(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	uint64_t number;

	(void)who;
	if (grant_number(id, GRANT_REFERRAL_MAX, &number) != KZ_OK) {
		grant_refuse(c, PROBLEM_NOT_FOUND, "no such referral");
		return;
	}
	struct grant *g = grant_new(c, grant_problem_hear);
	grant_begun(g, places_show(d->places, number, grant_on_done, g));
}

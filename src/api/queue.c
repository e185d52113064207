#include "api/queue.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/post.h"
#include "api/problem.h"
#include "base/mem.h"
#include "store/applicant.h"
#include "store/person.h"
#include "store/queue.h"

#define QUEUE_NUMBER_MAX 999999999

/* One question; the applications gather until the database is done. */
struct queue_quest {
	const struct door *door;
	struct call *call;
	json_t *found;
	int64_t asked_us;
	enum queue_by by;
};

/* Members of the body, and of the query but for the last. */
static const char *const queue_fields[QUEUE_WAYS] = {"application", "child_iin", "parent_iin", "phone"};

static void queue_put_time(json_t *o, const char *name, int64_t wall_us)
{
	char text[32];

	json_object_set_new(o, name, json_string(clock_rfc3339(wall_us, text)));
}

static json_t *queue_referral(const struct queue_entry *e)
{
	json_t *o = json_pack("{s:I, s:s}", "number", (json_int_t)e->referral, "status",
	    referral_status_name(e->referral_status));

	queue_put_time(o, "until", e->referral_until_us);
	return o;
}

static json_t *queue_district(const struct queue_entry *e)
{
	json_t *names = json_object();

	for (enum language l = 0; l < LANGUAGES; l++)
		json_object_set_new(names, language_name(l), json_string(e->district_names[l]));
	return json_pack("{s:I, s:o}", "id", (json_int_t)e->district, "names", names);
}

static json_t *queue_application(const struct queue_entry *e)
{
	json_t *o = json_pack("{s:I, s:s, s:o, s:s, s:i}", "application", (json_int_t)e->application,
	    "status", application_status_name(e->status), "district", queue_district(e), "category",
	    e->category, "birth_year", e->birth_year);

	queue_put_time(o, "registered_at", e->registered_us);
	if (e->position)
		json_object_set_new(o, "position", json_integer((json_int_t)e->position));
	if (e->waiting)
		json_object_set_new(o, "waiting", json_integer((json_int_t)e->waiting));
	if (e->referral)
		json_object_set_new(o, "referral", queue_referral(e));
	return o;
}

static void queue_on_entry(void *arg, const struct queue_entry *e)
{
	struct queue_quest *q = arg;

	json_array_append_new(q->found, queue_application(e));
}

static void queue_reply(const struct queue_quest *q)
{
	json_t *o = json_pack("{s:O}", "applications", q->found);

	queue_put_time(o, "as_of", q->asked_us);
	char *text = json_dumps(o, JSON_COMPACT);
	door_reply_json(q->call, 200, text ? text : "{}");
	free(text);
	json_decref(o);
}

static void queue_on_done(void *arg, enum kz r)
{
	struct queue_quest *q = arg;
	struct problem p;

	if (r == KZ_OK && (q->by != QUEUE_BY_APPLICATION || json_array_size(q->found))) {
		queue_reply(q);
	} else {
		p = r == KZ_OK ? problem_make(PROBLEM_NOT_FOUND, queue_fields[q->by], "no such application")
		               : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");
		p.after_s = r == KZ_OK ? 0 : 2;
		problem_reply(q->call, &p);
	}
	json_decref(q->found);
	free(q);
}

static void queue_begin(struct door *d, struct call *c, enum queue_by by, int64_t value)
{
	struct queue_quest *q = mem_new(sizeof *q);

	*q = (struct queue_quest){d, c, json_array(), loop_clock(d->loop)->wall_us(), by};
	if (queue_find(d->pg, &d->regions, by, value, queue_on_entry, queue_on_done, q) != KZ_OK)
		queue_on_done(q, KZ_LOST);
}

static bool queue_read_number(const char *text, int64_t *ret, struct problem *ret_problem)
{
	size_t n = strspn(text, "0123456789");

	*ret = 0;
	for (size_t i = 0; i < n && *ret <= QUEUE_NUMBER_MAX; i++)
		*ret = *ret * 10 + text[i] - '0';
	if (n && !text[n] && *ret >= 1 && *ret <= QUEUE_NUMBER_MAX)
		return true;
	*ret_problem = problem_make(
	    PROBLEM_INVALID_VALUE, queue_fields[QUEUE_BY_APPLICATION], "1 to %d", QUEUE_NUMBER_MAX);
	return false;
}

static bool queue_read_phone(
    const struct door *d, const char *text, int64_t *ret, struct problem *ret_problem)
{
	struct msisdn m;
	struct msisdn_refusal why;

	if (msisdn_parse(text, &m, &why) == KZ_OK) {
		*ret = person_phone(d->keyring, m);
		return true;
	}
	*ret_problem = problem_make(
	    PROBLEM_INVALID_NUMBER, queue_fields[QUEUE_BY_PHONE], "%s: %s", why.code, why.remedy);
	return false;
}

static bool queue_read_iin(
    const struct door *d, enum queue_by by, const char *text, int64_t *ret, struct problem *ret_problem)
{
	struct iin i;
	struct iin_refusal why;
	bool good = iin_parse(text, strlen(text), &i, &why) == KZ_OK;

	if (good)
		*ret = applicant_iin(d->keyring, &i);
	else
		*ret_problem =
		    problem_make(PROBLEM_INVALID_IIN, queue_fields[by], "%s: %s", why.code, why.remedy);
	secret_wipe(&i, sizeof i);
	return good;
}

static bool queue_read(
    const struct door *d, enum queue_by by, const char *text, int64_t *ret, struct problem *ret_problem)
{
	switch (by) {
	case QUEUE_BY_APPLICATION:
		return queue_read_number(text, ret, ret_problem);
	case QUEUE_BY_PHONE:
		return queue_read_phone(d, text, ret, ret_problem);
	default:
		return queue_read_iin(d, by, text, ret, ret_problem);
	}
}

static void queue_answer(struct door *d, struct call *c, enum queue_by by, const char *text)
{
	struct problem problem;
	int64_t value;

	if (queue_read(d, by, text, &value, &problem))
		queue_begin(d, c, by, value);
	else
		problem_reply(c, &problem);
}

void queue_get(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	const char *text = NULL;
	enum queue_by by = QUEUE_BY_APPLICATION;
	unsigned given = 0;

	(void)who;
	(void)id;
	for (enum queue_by i = 0; i < QUEUE_BY_PHONE; i++)
		if (call_query(c, queue_fields[i])) {
			text = call_query(c, queue_fields[i]);
			by = i;
			given++;
		}
	if (given == 1) {
		queue_answer(d, c, by, text);
		return;
	}
	const struct problem p =
	    given ? problem_make(PROBLEM_INVALID_VALUE, queue_fields[by], "ask by one of them")
	          : problem_make(PROBLEM_MISSING_FIELD, queue_fields[by],
	                "ask with ?application=, ?child_iin= or ?parent_iin=; by a phone with POST");
	problem_reply(c, &p);
}

static bool queue_member_is_good(
    const json_t *o, const char *key, enum queue_by by, struct problem *ret_problem)
{
	const json_t *value = json_object_get(o, key);
	bool number = by == QUEUE_BY_APPLICATION;

	if (by == QUEUE_WAYS)
		*ret_problem = problem_make(
		    PROBLEM_UNKNOWN_FIELD, key, "one of application, child_iin, parent_iin, phone");
	else if (json_object_size(o) > 1)
		*ret_problem = problem_make(PROBLEM_INVALID_VALUE, key, "ask by one of them");
	else if (number ? !json_is_integer(value) : !json_is_string(value))
		*ret_problem =
		    problem_make(PROBLEM_WRONG_TYPE, key, "must be %s", number ? "a number" : "a string");
	else
		return true;
	return false;
}

/* What the only member of the body says; NULL with *ret_problem. An application's number is written to room.
 */
static const char *queue_member(
    const json_t *o, enum queue_by *ret_by, char room[24], struct problem *ret_problem)
{
	const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)o));
	enum queue_by by = 0;

	if (!key) {
		*ret_problem = problem_make(json_is_object(o) ? PROBLEM_MISSING_FIELD : PROBLEM_WRONG_TYPE,
		    NULL, "send an object with one of application, child_iin, parent_iin, phone");
		return NULL;
	}
	while (by < QUEUE_WAYS && strcmp(key, queue_fields[by]) != 0)
		by++;
	if (!queue_member_is_good(o, key, by, ret_problem))
		return NULL;
	*ret_by = by;
	if (by != QUEUE_BY_APPLICATION)
		return json_string_value(json_object_get(o, key));
	snprintf(room, 24, "%lld", (long long)json_integer_value(json_object_get(o, key)));
	return room;
}

void queue_ask(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct problem problem;
	enum queue_by by = 0;
	char room[24];
	size_t len;
	const char *body = call_body(c, &len), *text = NULL;
	json_t *o = NULL;

	(void)who;
	(void)id;
	if (!post_is_type(c, "application/json"))
		problem =
		    problem_make(PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type", "send application/json");
	else if ((o = post_json(body, len, &problem)))
		text = queue_member(o, &by, room, &problem);
	if (text)
		queue_answer(d, c, by, text);
	else
		problem_reply(c, &problem);
	json_decref(o);
}

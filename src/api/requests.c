#include "api/requests.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/problem.h"
#include "base/ids.h"
#include "base/mem.h"
#include "store/enrolments.h"

struct requests_look {
	struct call *call;
	uint64_t id;
};

static void requests_refuse(struct call *c, enum kz r)
{
	struct problem p =
	    r == KZ_NOT_FOUND ? problem_make(PROBLEM_NOT_FOUND, NULL, "no such request is open")
	    : r == KZ_INVALID ? problem_make(PROBLEM_INTERNAL_ERROR, NULL, "its key is not in the keyring")
	                      : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");

	p.after_s = p.status == 503 ? 2 : 0;
	problem_reply(c, &p);
}

/* Lets go of o. */
static void requests_answer(struct call *c, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(c, 200, text);
	free(text);
	json_decref(o);
}

static json_t *requests_json(uint64_t id, const struct enrolment *e, int64_t at_us)
{
	char text[IDS_TEXT], at[32], phone[2][MSISDN_TEXT];

	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s], s:s}", "id", ids_text(id, text), "at",
	    clock_rfc3339(at_us, at), "child", e->child.digits, "parent", e->parent.digits, "phones",
	    msisdn_text(e->phones[0], phone[0]), msisdn_text(e->phones[1], phone[1]), "language",
	    language_name(e->language));
}

static void requests_on_shown(void *arg, enum kz r, const struct enrolment *e, int64_t at_us)
{
	struct requests_look *l = arg;

	if (r == KZ_OK)
		requests_answer(l->call, requests_json(l->id, e, at_us));
	else
		requests_refuse(l->call, r);
	free(l);
}

static void requests_on_ended(void *arg, enum kz r)
{
	struct requests_look *l = arg;
	char text[IDS_TEXT];

	if (r == KZ_OK)
		requests_answer(l->call, json_pack("{s:s}", "id", ids_text(l->id, text)));
	else
		requests_refuse(l->call, r);
	free(l);
}

static struct requests_look *requests_look_new(struct call *c, const char *id)
{
	struct requests_look *l = mem_new(sizeof *l);

	l->call = c;
	if (ids_parse(id, &l->id) == KZ_OK)
		return l;
	requests_refuse(c, KZ_NOT_FOUND);
	free(l);
	return NULL;
}

void requests_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct requests_look *l = requests_look_new(c, id);

	(void)who;
	if (l && enrolment_show(d->pg, d->keyring, l->id, requests_on_shown, l) != KZ_OK)
		requests_on_shown(l, KZ_LOST, NULL, 0);
}

void requests_end(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct requests_look *l = requests_look_new(c, id);

	(void)who;
	if (l && enrolment_end(d->pg, l->id, requests_on_ended, l) != KZ_OK)
		requests_on_ended(l, KZ_LOST);
}

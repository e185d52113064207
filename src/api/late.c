#include "api/late.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/problem.h"
#include "base/ids.h"
#include "base/mem.h"
#include "store/notice_desk.h"

struct late_ask {
	struct call *call;
	json_t *found;
};

static void late_on_each(void *arg, const struct notice_late *l)
{
	struct late_ask *q = arg;
	char id[IDS_TEXT], message[IDS_TEXT], at[32], since[32];
	json_t *o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:i}", "id", ids_text(l->id, id), "application",
	    (json_int_t)l->application, "kind", notice_kind_name(l->kind), "state",
	    notice_state_name(l->state), "at", clock_rfc3339(l->at_us, at), "late_at",
	    clock_rfc3339(l->late_us, since), "messages", (int)l->sends);

	if (l->mails)
		json_object_set_new(o, "email", json_string(l->mails < 0 ? "given_up" : "tried"));
	if (l->message)
		json_object_set_new(o, "message", json_string(ids_text(l->message, message)));
	json_array_append_new(q->found, o);
}

static void late_on_done(void *arg, enum kz r)
{
	struct late_ask *q = arg;
	struct problem p = problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");
	json_t *o = json_pack("{s:o}", "late", q->found);
	char *text = json_dumps(o, JSON_COMPACT);

	p.after_s = 2;
	if (r == KZ_OK)
		door_reply_json(q->call, 200, text ? text : "{}");
	else
		problem_reply(q->call, &p);
	free(text);
	json_decref(o);
	free(q);
}

void late_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct late_ask *q = mem_new(sizeof *q);

	(void)who;
	(void)id;
	*q = (struct late_ask){c, json_array()};
	if (notice_desk_late(d->pg, late_on_each, late_on_done, q) != KZ_OK)
		late_on_done(q, KZ_BUSY);
}

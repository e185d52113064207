/* What kezekctl news asks: news of one application as they are told, and whom they are still to be told. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/hooks.h"
#include "api/problem.h"
#include "base/buf.h"
#include "base/mem.h"
#include "store/tellings.h"

/* One question. */
struct hooks_news {
	struct call *call;
	json_t *found;
};

static json_t *hooks_untold(const char *ids)
{
	json_t *a = json_array();
	char *end;

	for (; *ids; ids = *end ? end + 1 : end)
		json_array_append_new(a, json_integer(strtoll(ids, &end, 10)));
	return a;
}

static void hooks_on_news(void *arg, const struct hook_event *e, const char *untold)
{
	struct hooks_news *q = arg;
	struct buf body = {0};
	char id[HOOK_ID];

	hook_body(e, &body);
	json_t *o = json_loadb(body.data, body.len, 0, NULL);
	json_object_set_new(o, "id", json_string(hook_id(e, id)));
	json_object_set_new(o, "untold", hooks_untold(untold));
	json_array_insert_new(q->found, 0, o);
	buf_fini(&body);
}

static void hooks_on_all_news(void *arg, enum kz r)
{
	struct hooks_news *q = arg;

	if (r == KZ_OK) {
		json_t *o = json_pack("{s:O}", "news", q->found);
		char *text = json_dumps(o, JSON_COMPACT);

		door_reply_json(q->call, 200, text ? text : "{}");
		free(text);
		json_decref(o);
	} else {
		struct problem p = problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");

		p.after_s = 2;
		problem_reply(q->call, &p);
	}
	json_decref(q->found);
	free(q);
}

void hooks_news(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	uint64_t number, ticket;
	struct hooks_news *q;

	(void)who;
	if (door_numbers(id, 1, &number) != KZ_OK) {
		const struct problem p = problem_make(PROBLEM_NOT_FOUND, NULL, "no such application");

		problem_reply(c, &p);
		return;
	}
	q = mem_new(sizeof *q);
	*q = (struct hooks_news){c, json_array()};
	if (tellings_of(d->pg, number, hooks_on_news, hooks_on_all_news, q, &ticket) != KZ_OK)
		hooks_on_all_news(q, KZ_LOST);
}

/* What was asked is known by the request's Idempotency-Key: the same again makes no second notice. */
#include "api/document_door.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/post.h"
#include "api/record_wish.h"
#include "base/mem.h"
#include "store/documents.h"

/* One request. The call may be gone at any time: its reply is then a no-op. */
struct document {
	struct post *post;
	struct documents_wish wish;
};

static void document_refuse(struct document *a, struct problem problem)
{
	post_finish(a->post, &problem);
	free(a);
}

static void document_answer(struct document *a)
{
	char at[32];
	json_t *o = json_pack("{s:I, s:s}", "application", (json_int_t)a->wish.application, "until",
	    clock_rfc3339(a->wish.until_us, at));
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(a->post->call, 202, text ? text : "{}");
	free(text);
	json_decref(o);
	post_free(a->post);
	free(a);
}

static void document_on_done(void *arg, enum kz r)
{
	struct document *a = arg;

	switch (r) {
	case KZ_OK:
		document_answer(a);
		return;
	case KZ_NOT_FOUND:
		document_refuse(a, problem_make(PROBLEM_NOT_FOUND, NULL, "no such application"));
		return;
	case KZ_EXPIRED:
		document_refuse(a, problem_make(PROBLEM_CLOSED, NULL, "the application is over"));
		return;
	case KZ_CONFLICT:
		document_refuse(a, problem_make(PROBLEM_KEY_REUSED, "Idempotency-Key",
		                       "it came with another body; use a new key"));
		return;
	default:
		document_refuse(a, post_unavailable(2));
		return;
	}
}

/* Of one client the same key is the same request, by whichever of its API keys it comes. */
static int64_t document_request(const struct post *p, const struct door_caller *who)
{
	struct buf both = {0};

	buf_add(&both, p->key_hash, SECRET_HASH);
	buf_str(&both, who->client ? who->client : "");
	int64_t request = keyring_lookup(p->door->keyring, "documents", both.data, both.len);
	buf_fini(&both);
	return request;
}

static void document_begin(struct post *p, const struct door_caller *who, uint64_t number,
    const struct record_documents *d, int64_t now_us)
{
	const struct records_base base = door_records_base(p->door);
	struct document *a = mem_new(sizeof *a);

	*a = (struct document){p, {.application = number,
	                              .api_key = who->key,
	                              .request = document_request(p, who),
	                              .place = d->place,
	                              .until_us = d->until_us,
	                              .now_us = now_us}};
	if (documents_ask(&base, p->door->regions, &a->wish, document_on_done, a) != KZ_OK)
		document_on_done(a, KZ_BUSY);
}

void document_door_ask(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct record_documents wish;
	struct problem problem;
	uint64_t number;
	size_t len;

	if (!p)
		return;
	const char *body = call_body(c, &len);
	int64_t now_us = loop_clock(d->loop)->wall_us();
	json_t *o = post_json(body, len, &problem);
	if (!o || record_wish_documents(o, now_us, &wish, &problem) != KZ_OK) {
		post_finish(p, &problem);
	} else if (door_numbers(id, 1, &number) != KZ_OK) {
		problem = problem_make(PROBLEM_NOT_FOUND, NULL, "no such application");
		post_finish(p, &problem);
	} else {
		document_begin(p, who, number, &wish, now_us);
	}
	json_decref(o);
}

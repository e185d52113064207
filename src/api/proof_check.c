/* Checking and cancelling. A check is not kept under its Idempotency-Key as other requests are: what it came
 * to stands with the code, and is found there. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/post.h"
#include "api/proof.h"
#include "api/proof_problem.h"
#include "api/proof_wish.h"
#include "base/ids.h"
#include "base/mem.h"

/* One check. */
struct proof_op {
	struct post *post;
	uint64_t id;
};

static const char *proof_word(const struct verify_tried *t)
{
	if (t->word == VERIFY_OK)
		return "approved";
	if (t->word == VERIFY_WRONG)
		return "wrong";
	return t->why.verdict == CODE_APPROVED ? "used" : code_verdict_name(t->why.verdict);
}

static void proof_answer(struct post *p, uint64_t id, const struct verify_tried *t)
{
	char text[IDS_TEXT], answer[128];
	int n = snprintf(
	    answer, sizeof answer, "{\"id\":\"%s\",\"result\":\"%s\"", ids_text(id, text), proof_word(t));

	if (t->word == VERIFY_WRONG)
		n += snprintf(answer + n, sizeof answer - (size_t)n, ",\"tries_left\":%u", t->tries_left);
	snprintf(answer + n, sizeof answer - (size_t)n, "}");
	if (t->repeated)
		call_header_add(p->call, "Idempotent-Replayed", "true");
	door_reply_json(p->call, 200, answer);
	post_free(p);
}

static void proof_on_tried(void *arg, const struct verify_tried *t)
{
	struct proof_op *o = arg;
	struct problem problem;

	if (t->word == VERIFY_OK || t->word == VERIFY_WRONG || t->word == VERIFY_OVER) {
		proof_answer(o->post, o->id, t);
	} else {
		problem = proof_problem(t->word, &t->why);
		post_finish(o->post, &problem);
	}
	free(o);
}

static void proof_try(struct post *p, const struct door_caller *who, uint64_t id, const struct proof_try *t)
{
	struct proof_op *o = mem_new(sizeof *o);
	const struct verify_try attempt = {.request = {who->client, who->key, p->key_hash, p->body_hash},
	    .id = id,
	    .digits = t->digits,
	    .binding = t->binding};
	struct problem problem;

	*o = (struct proof_op){p, id};
	if (verify_check(p->door->verify, &attempt, proof_on_tried, o) == KZ_OK)
		return;
	free(o);
	problem = post_unavailable(2);
	post_finish(p, &problem);
}

void proof_check(struct door *d, struct call *c, const struct door_caller *who, const char *text)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct problem problem;
	struct proof_try t = {.binding = NULL};
	uint64_t id;
	size_t len;

	if (!p)
		return;
	const char *body = call_body(c, &len);
	json_t *o = post_json(body, len, &problem);
	bool good = o != NULL;
	if (good && ids_parse(text, &id) != KZ_OK) {
		problem = proof_problem(VERIFY_NOT_FOUND, NULL);
		good = false;
	}
	if (!good || proof_try_read(o, &t, &problem) != KZ_OK)
		post_finish(p, &problem);
	else
		proof_try(p, who, id, &t);
	secret_wipe(t.digits, sizeof t.digits);
	json_decref(o);
}

/* One DELETE. */
struct proof_cancelling {
	struct call *call;
	uint64_t id;
};

static void proof_on_cancelled(void *arg, const struct verify_tried *t)
{
	struct proof_cancelling *o = arg;
	char id[IDS_TEXT], answer[96];

	if (t->word == VERIFY_OK) {
		snprintf(answer, sizeof answer, "{\"id\":\"%s\",\"state\":\"%s\"}", ids_text(o->id, id),
		    code_verdict_name(t->why.verdict));
		door_reply_json(o->call, 200, answer);
	} else {
		const struct problem problem = proof_problem(t->word, &t->why);

		problem_reply(o->call, &problem);
	}
	free(o);
}

void proof_cancel(struct door *d, struct call *c, const struct door_caller *who, const char *text)
{
	struct proof_cancelling *o = mem_new(sizeof *o);
	const struct verify_request request = {.client = who->client, .api_key = who->key};
	struct verify_tried t = {.word = VERIFY_NOT_FOUND};

	o->call = c;
	if (ids_parse(text, &o->id) == KZ_OK) {
		if (verify_cancel(d->verify, o->id, &request, proof_on_cancelled, o) == KZ_OK)
			return;
		t.word = VERIFY_LOST;
	}
	proof_on_cancelled(o, &t);
}

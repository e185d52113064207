/* Sending and sending again: judged, counted against the limits, then kept under the request's
 * Idempotency-Key as messages are. */
#include "api/proof.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/post.h"
#include "api/preview.h"
#include "api/proof_problem.h"
#include "api/proof_wish.h"
#include "base/ids.h"
#include "base/mem.h"

static void proof_put_time(json_t *o, const char *name, int64_t wall_ms)
{
	char text[32];

	json_object_set_new(o, name, json_string(clock_rfc3339(wall_ms * 1000, text)));
}

static json_t *proof_sent(const struct verify_sent *s, const char *purpose)
{
	char id[IDS_TEXT], to[MSISDN_TEXT];
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "id", ids_text(s->id, id), "state", "open", "to",
	    msisdn_masked(s->to, to), "purpose", purpose);

	proof_put_time(o, "expires_at", s->expires_wall_ms);
	json_object_set_new(o, "resend_after", json_integer((s->resend_ms + 999) / 1000));
	json_object_set_new(o, "tries_left", json_integer(s->tries));
	return o;
}

static json_t *proof_pair(const struct verify_begun *b)
{
	char id[IDS_TEXT];
	json_t *codes = json_array();

	for (size_t i = 0; i < b->sent_n; i++)
		json_array_append_new(codes, proof_sent(&b->sent[i], b->purpose));
	return json_pack("{s:s, s:s, s:o}", "id", ids_text(b->pair, id), "state", "open", "codes", codes);
}

static json_t *proof_resent(const struct verify_sent *s)
{
	char id[IDS_TEXT];
	json_t *o = json_pack("{s:s}", "id", ids_text(s->id, id));

	proof_put_time(o, "expires_at", s->expires_wall_ms);
	json_object_set_new(o, "resend_after", json_integer((s->resend_ms + 999) / 1000));
	json_object_set_new(o, "resends_left", json_integer(s->resends_left));
	json_object_set_new(o, "tries_left", json_integer(s->tries));
	return o;
}

static void proof_refuse(struct post *p, struct problem problem)
{
	if (problem.retryable)
		post_put_off(p, problem);
	else
		post_refuse(p, problem);
}

/* Owns answer. */
static void proof_keep(struct post *p, struct verify_begun *b, json_t *answer)
{
	p->letters = b->letters;
	p->letters_n = b->sent_n;
	p->codes = b->codes;
	b->letters = NULL;
	b->codes = NULL;
	char *text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	post_keep(p, text);
}

static void proof_on_begun(void *arg, struct verify_begun *b)
{
	struct post *p = arg;

	if (b->word != VERIFY_OK)
		proof_refuse(p, proof_problem(b->word, &b->why));
	else
		proof_keep(p, b, b->pair ? proof_pair(b) : proof_sent(&b->sent[0], b->purpose));
}

static void proof_on_resent(void *arg, struct verify_begun *b)
{
	struct post *p = arg;

	p->races = true; /* of two resends at once one is refused */
	if (b->word != VERIFY_OK)
		proof_refuse(p, proof_problem(b->word, &b->why));
	else
		proof_keep(p, b, proof_resent(&b->sent[0]));
}

static void proof_dry_run(struct post *p, const struct proof_wish *w, const struct verify_judged *j)
{
	const struct verify_wish *v = &w->verify;
	json_t *o = preview_json(v->to[0], buf_text(&j->text), &j->previews[0], j->why.class);

	if (v->to_n > 1)
		o = json_pack("{s:b, s:[o, o]}", "dry_run", 1, "codes", o,
		    preview_json(v->to[1], buf_text(&j->text), &j->previews[1], j->why.class));
	char *text = json_dumps(o, JSON_COMPACT);
	door_reply_json(p->call, 200, text);
	free(text);
	json_decref(o);
	post_free(p);
}

static void proof_begin(struct post *p, const struct proof_wish *w)
{
	struct verify *v = p->door->verify;
	struct verify_judged j;

	verify_judge(v, &w->verify, &j);
	if (w->dry_run && (j.word == VERIFY_OK || j.word == VERIFY_NOT_ADMITTED || j.word == VERIFY_LOST))
		proof_dry_run(p, w, &j);
	else if (j.word != VERIFY_OK)
		proof_refuse(p, proof_problem(j.word, &j.why));
	else if (verify_begin(v, &w->verify, proof_on_begun, p) != KZ_OK)
		proof_refuse(p, post_unavailable(2));
	buf_fini(&j.text);
}

static struct verify_request proof_request(const struct post *p, const struct door_caller *who)
{
	return (struct verify_request){who->client, who->key, p->key_hash, p->body_hash};
}

void proof_send(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct problem problem;
	struct proof_wish w;
	size_t len;

	(void)id;
	if (!p)
		return;
	const char *body = call_body(c, &len);
	json_t *o = post_json(body, len, &problem);
	if (!o) {
		post_finish(p, &problem);
		return;
	}
	enum kz r = proof_wish_read(o, &w, &problem);
	w.verify.request = proof_request(p, who);
	if (r == KZ_OK)
		proof_begin(p, &w);
	else
		post_finish(p, &problem);
	proof_wish_fini(&w);
	json_decref(o);
}

/* An empty body, or an empty object. */
static bool proof_resend_is_good(struct call *c, struct problem *ret)
{
	size_t len;
	const char *body = call_body(c, &len), *key;
	json_t *o = len ? post_json(body, len, ret) : json_object();
	json_t *value;

	if (!o)
		return false;
	bool good = json_is_object(o) && !json_object_size(o);
	*ret = problem_make(PROBLEM_WRONG_TYPE, NULL, "the body must be empty or {}");
	json_object_foreach(o, key, value)
	{
		*ret = problem_make(PROBLEM_UNKNOWN_FIELD, key, "none is known here");
		break;
	}
	json_decref(o);
	return good;
}

void proof_resend(struct door *d, struct call *c, const struct door_caller *who, const char *text)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct problem problem;
	uint64_t id;

	if (!p)
		return;
	if (!proof_resend_is_good(c, &problem)) {
		post_finish(p, &problem);
		return;
	}
	if (ids_parse(text, &id) != KZ_OK) {
		problem = proof_problem(VERIFY_NOT_FOUND, NULL);
		post_finish(p, &problem);
		return;
	}
	const struct verify_request request = proof_request(p, who);
	if (verify_resend(d->verify, id, &request, proof_on_resent, p) != KZ_OK)
		proof_refuse(p, post_unavailable(2));
}

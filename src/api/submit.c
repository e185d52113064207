/* What is asked for, one message or a line for each. A request is judged as a whole before anything is kept.
 */
#include "api/submit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/post.h"
#include "api/preview.h"
#include "api/wish.h"
#include "base/buf.h"
#include "base/ids.h"
#include "base/mem.h"

#define BATCH_LINES 1000

static void submit_dry_run(struct post *p, const struct wish *w, const struct send_preview *v)
{
	json_t *o = preview_json(w->send.to, w->send.text, v, w->send.class);
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(p->call, 200, text ? text : "{}");
	mem_wiped_give(text);
	json_decref(o);
	post_free(p);
}

static void submit_wish(struct post *p, const struct wish *w)
{
	struct send_preview v;
	char id[IDS_TEXT], expires[32];
	unsigned after_s = 0;
	enum kz r = send_preview(p->door->send, &w->send, &v);

	if (r != KZ_OK) {
		post_refuse(p, wish_problem(r, &v, p->door->conf->message_max_parts));
		return;
	}
	if (w->dry_run) {
		submit_dry_run(p, w, &v);
		return;
	}
	r = send_admits(p->door->send, w->send.class, &v, &after_s);
	if (r != KZ_OK) {
		post_put_off(p, preview_not_admitted(r, w->send.class, after_s));
		return;
	}
	post_own_letters(p, 1);
	p->letters[p->letters_n++] = letter_new(p->door->send, &w->send, &v, p->key);
	post_keep(p, mem_printf("{\"id\":\"%s\",\"state\":\"accepted\",\"segments\":%u,\"encoding\":\"%s\","
	                        "\"expires_at\":\"%s\"}",
	                 ids_text(letter_id(p->letters[0]), id), v.cost.parts, wish_encoding(v.cost.alphabet),
	                 clock_rfc3339(v.expires_wall_ms * 1000, expires)));
}

void submit_one(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct post *p = post_new(d, c, who, "application/json");
	struct problem problem;
	struct wish w;
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
	if (wish_read(o, d->templates, false, &w, &problem) == KZ_OK)
		submit_wish(p, &w);
	else
		post_finish(p, &problem);
	wish_fini(&w);
	json_decref(o);
}

static void batch_put_refusal(struct buf *out, int line, const struct problem *p)
{
	json_t *o = json_pack(
	    "{s:i, s:i, s:s, s:s}", "line", line, "status", p->status, "code", p->code, "detail", p->detail);

	if (o && *p->field)
		json_object_set_new(o, "field", json_string(p->field));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	buf_printf(out, "%s\n", text ? text : "{}");
	free(text);
	json_decref(o);
}

/* One line of a batch: a letter or a refusal, which is in *ret. KZ_LOST ends the whole batch. */
static enum kz batch_line(
    struct post *p, const char *text, size_t len, int line, struct buf *out, struct problem *ret)
{
	struct send_preview v;
	struct wish w = {0};
	char id[IDS_TEXT];
	unsigned after_s = 0;
	json_t *o = post_json(text, len, ret);
	enum kz r = o ? wish_read(o, p->door->templates, true, &w, ret) : KZ_INVALID;

	if (r == KZ_OK && (r = send_preview(p->door->send, &w.send, &v)) != KZ_OK)
		*ret = wish_problem(r, &v, p->door->conf->message_max_parts), r = KZ_INVALID;
	if (r == KZ_OK && (r = send_admits(p->door->send, w.send.class, &v, &after_s)) != KZ_OK)
		*ret = preview_not_admitted(r, w.send.class, after_s);
	if (r == KZ_OK) {
		struct letter *l = letter_new(p->door->send, &w.send, &v, p->key);

		p->letters[p->letters_n++] = l;
		buf_printf(out,
		    "{\"line\":%d,\"status\":202,\"id\":\"%s\",\"segments\":%u,\"encoding\":\"%s\"}\n", line,
		    ids_text(letter_id(l), id), v.cost.parts, wish_encoding(v.cost.alphabet));
	} else if (r != KZ_LOST) {
		batch_put_refusal(out, line, ret);
	}
	wish_fini(&w);
	json_decref(o);
	return r;
}

static size_t batch_count(const char *body)
{
	size_t n = 0;

	for (; *(body += strspn(body, "\r\n")); n++)
		body += strcspn(body, "\n");
	return n;
}

/* Reads every line; false when the batch as a whole was refused and answered: nothing can be kept, or no line
 * was good and one at least may be later. */
static bool batch_read(struct post *p, const char *body, struct buf *out)
{
	struct problem problem, busy;
	bool any_busy = false;
	int line = 0;

	while (*(body += strspn(body, "\r\n"))) {
		size_t len = strcspn(body, "\n");
		enum kz r = batch_line(p, body, len, ++line, out, &problem);

		if (r == KZ_LOST) {
			post_put_off(p, problem);
			return false;
		}
		if (r == KZ_BUSY && !any_busy)
			busy = problem;
		any_busy = any_busy || r == KZ_BUSY;
		body += len;
	}
	if (any_busy && !p->letters_n)
		post_put_off(p, busy);
	return !any_busy || p->letters_n;
}

void submit_batch(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct post *p = post_new(d, c, who, "application/x-ndjson");
	struct buf out = {0};
	size_t len;

	(void)id;
	if (!p)
		return;
	const char *body = call_body(c, &len);
	size_t lines = batch_count(body);
	if (strlen(body) != len || !lines || lines > BATCH_LINES) {
		const struct problem problem =
		    strlen(body) != len
		        ? problem_make(PROBLEM_MALFORMED_JSON, NULL, "a NUL character in the body")
		        : problem_make(PROBLEM_INVALID_VALUE, NULL,
		              "1 to %d lines, one JSON object each; here are %zu", BATCH_LINES, lines);
		post_finish(p, &problem);
		return;
	}
	post_own_letters(p, lines);
	if (!batch_read(p, body, &out)) {
		buf_fini(&out);
		return;
	}
	if (p->letters_n) {
		post_keep(p, buf_take(&out));
		return;
	}
	call_reply(c, 422, p->type, buf_text(&out), out.len);
	buf_fini(&out);
	post_free(p);
}

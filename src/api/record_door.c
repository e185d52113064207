/* A PUT needs no Idempotency-Key: the same again finds that it stands. */
#include "api/record_door.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/post.h"
#include "api/problem.h"
#include "api/record_show.h"
#include "api/record_wish.h"
#include "base/mem.h"
#include "store/records_show.h"

#define PAGE_DEFAULT 50

static const char *const paths[RECORD_KINDS] = {
    "districts", "kindergartens", "groups", "vacancies", "applications"};

/* The route has let nothing else through. */
static enum record_kind records_kind(const struct call *c)
{
	const char *at = call_path(c) + strlen("/v1/");
	enum record_kind k = 0;

	while (k < RECORD_KINDS - 1 && strncmp(at, paths[k], strlen(paths[k])) != 0)
		k++;
	return k;
}

static struct problem records_unavailable(const char *detail)
{
	struct problem p = problem_make(PROBLEM_UNAVAILABLE, NULL, "%s", detail);

	p.after_s = 2;
	return p;
}

static struct problem records_none(enum record_kind k)
{
	return problem_make(PROBLEM_NOT_FOUND, NULL, "no such %s", record_kind_name(k));
}

/* Owns o. */
static void records_reply(struct call *c, int status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(c, status, text ? text : "{}");
	free(text);
	json_decref(o);
}

/* One PUT. The call may be gone at any time: its reply is then a no-op. */
struct records_putting {
	struct call *call;
	bool names;
};

static void putting_answer(
    const struct records_putting *p, const struct record *r, enum record_verdict v, int64_t seq)
{
	if (record_verdict_is_good(v)) {
		records_reply(p->call, v == RECORD_CREATED ? 201 : 200, record_show(r, seq, true, p->names));
	} else {
		const struct problem problem = record_wish_problem(r, v);

		problem_reply(p->call, &problem);
	}
}

static void putting_on_done(
    void *arg, enum kz result, const struct record *r, enum record_verdict v, int64_t seq)
{
	struct records_putting *p = arg;

	if (result == KZ_OK) {
		putting_answer(p, r, v, seq);
	} else {
		const struct problem problem =
		    result == KZ_REFUSED
		        ? problem_make(PROBLEM_INTERNAL_ERROR, NULL,
		              "the database refuses this request; nothing was kept")
		        : records_unavailable("it is not known to be kept: send the same request again");

		problem_reply(p->call, &problem);
	}
	free(p);
}

static void records_put_begin(
    struct door *d, struct call *c, const struct door_caller *who, const struct record *r)
{
	struct records_putting *p = mem_new(sizeof *p);

	*p = (struct records_putting){c, who->scopes & SCOPE_NAMES};
	if (puts_add(d->puts, r, who->key, putting_on_done, p) != KZ_OK)
		putting_on_done(p, KZ_BUSY, NULL, RECORD_VERDICTS, 0);
}

static bool records_read(
    struct door *d, struct call *c, const char *id, struct record *ret, struct problem *problem)
{
	enum record_kind kind = records_kind(c);
	uint64_t n;
	size_t len;
	const char *body = call_body(c, &len);
	json_t *o = NULL;

	if (door_numbers(id, 1, &n) != KZ_OK)
		*problem = records_none(kind);
	else if (!post_is_type(c, "application/json"))
		*problem =
		    problem_make(PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type", "send application/json");
	else if (!pg_is_up(d->pg))
		*problem = records_unavailable("nothing was kept: send the same request again");
	else
		o = post_json(body, len, problem);
	bool good = o && record_wish_read(o, kind, n, loop_clock(d->loop)->wall_us(), ret, problem) == KZ_OK;
	json_decref(o);
	return good;
}

void record_door_put(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct record r;
	struct problem problem;

	if (records_read(d, c, id, &r, &problem))
		records_put_begin(d, c, who, &r);
	else
		problem_reply(c, &problem);
	record_wipe(&r);
}

/* One question for what stands. */
struct records_looking {
	struct call *call;
	enum record_kind kind;
	bool one, names;
	json_t *found;
	uint64_t last;
	int most;
};

static void looking_on_each(void *arg, const struct record *r, int64_t seq, bool opened)
{
	struct records_looking *l = arg;

	l->last = r->id;
	json_array_append_new(l->found, record_show(r, seq, opened, l->names));
}

static void looking_reply(struct records_looking *l)
{
	json_t *o;

	if (l->one) {
		records_reply(l->call, 200, json_incref(json_array_get(l->found, 0)));
		return;
	}
	o = json_pack("{s:O}", paths[l->kind], l->found);
	if (json_array_size(l->found) == (size_t)l->most)
		json_object_set_new(o, "next", json_integer((json_int_t)l->last));
	records_reply(l->call, 200, o);
}

static void looking_on_done(void *arg, enum kz r)
{
	struct records_looking *l = arg;
	struct problem problem;

	if (r == KZ_OK && (!l->one || json_array_size(l->found))) {
		looking_reply(l);
	} else {
		problem = r == KZ_OK ? records_none(l->kind)
		                     : records_unavailable("the database is away; ask again");
		problem_reply(l->call, &problem);
	}
	json_decref(l->found);
	free(l);
}

static void records_look(
    struct door *d, struct call *c, const struct door_caller *who, const struct records_page *page, bool one)
{
	struct records_looking *l = mem_new(sizeof *l);

	*l = (struct records_looking){
	    c, page->kind, one, who->scopes & SCOPE_NAMES, json_array(), 0, page->most};
	if (records_show(d->pg, d->keyring, page, looking_on_each, looking_on_done, l) != KZ_OK)
		looking_on_done(l, KZ_LOST);
}

void record_door_get(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	enum record_kind kind = records_kind(c);
	uint64_t n;

	if (door_numbers(id, 1, &n) == KZ_OK) {
		records_look(d, c, who, &(struct records_page){kind, n, n, 1}, true);
		return;
	}
	const struct problem problem = records_none(kind);
	problem_reply(c, &problem);
}

/* false with the problem: it is there, and no number of 0 or 1 to most. */
static bool records_query(
    const struct call *c, const char *name, uint64_t most, uint64_t *ret, struct problem *problem)
{
	const char *text = call_query(c, name);
	uint64_t n;

	if (!text)
		return true;
	*problem =
	    problem_make(PROBLEM_INVALID_VALUE, name, "a number of 1 to %llu", (unsigned long long)most);
	if (door_numbers(text, 1, &n) != KZ_OK || n > most)
		return false;
	*ret = n;
	return true;
}

void record_door_page(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	uint64_t after = 0, most = PAGE_DEFAULT;
	struct problem problem;

	(void)id;
	if (!records_query(c, "after", RECORD_ID_MAX, &after, &problem) ||
	    !records_query(c, "limit", RECORDS_PAGE, &most, &problem)) {
		problem_reply(c, &problem);
		return;
	}
	const struct records_page page = {records_kind(c), after + 1, RECORD_ID_MAX, (int)most};
	records_look(d, c, who, &page, false);
}

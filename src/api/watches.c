#include "api/watches.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/problem.h"
#include "base/mem.h"
#include "store/watchers.h"

/* One question; what is watched gathers until the database is done. */
struct watches {
	struct call *call;
	uint64_t numbers[2]; /* of the application and the kindergarten */
	json_t *found;
};

static struct watches *watches_new(struct call *c, const char *id, size_t numbers_n)
{
	const struct problem no_number =
	    problem_make(PROBLEM_NOT_FOUND, NULL, "nothing is here: numbers are 1 to %d", DOOR_NUMBER_MAX);
	struct watches *w = mem_new(sizeof *w);

	*w = (struct watches){.call = c};
	if (door_numbers(id, numbers_n, w->numbers) == KZ_OK)
		return w;
	problem_reply(c, &no_number);
	free(w);
	return NULL;
}

static void watches_free(struct watches *w)
{
	json_decref(w->found);
	free(w);
}

static void watches_refuse(struct watches *w, struct problem p)
{
	p.after_s = p.status == 503 ? 2 : 0;
	problem_reply(w->call, &p);
	watches_free(w);
}

static struct problem watches_away(void)
{
	return problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");
}

static struct problem watches_unknown(const char *what)
{
	return problem_make(PROBLEM_NOT_FOUND, what, "no such %s", what);
}

/* Lets go of o. */
static void watches_answer(struct watches *w, int status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(w->call, status, text);
	free(text);
	json_decref(o);
	watches_free(w);
}

static json_t *watches_one(const struct watches *w)
{
	return json_pack("{s:I, s:I}", "application", (json_int_t)w->numbers[0], "kindergarten",
	    (json_int_t)w->numbers[1]);
}

/* Asked, or never will be. */
static void watches_begun(struct watches *w, enum kz r)
{
	if (r != KZ_OK)
		watches_refuse(w, watches_away());
}

static void watches_on_each(void *arg, uint64_t kindergarten, int64_t since_us)
{
	struct watches *w = arg;
	char since[32];

	json_array_append_new(w->found, json_pack("{s:I, s:s}", "kindergarten", (json_int_t)kindergarten,
	                                    "since", clock_rfc3339(since_us, since)));
}

static void watches_on_listed(void *arg, enum kz r)
{
	struct watches *w = arg;

	if (r == KZ_NOT_FOUND)
		watches_refuse(w, watches_unknown("application"));
	else if (r != KZ_OK)
		watches_refuse(w, watches_away());
	else
		watches_answer(w, 200,
		    json_pack("{s:I, s:O}", "application", (json_int_t)w->numbers[0], "watches", w->found));
}

void watches_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct watches *w = watches_new(c, id, 1);

	(void)who;
	if (!w)
		return;
	w->found = json_array();
	watches_begun(w, watcher_list(d->pg, w->numbers[0], watches_on_each, watches_on_listed, w));
}

static void watches_on_added(void *arg, enum kz r, enum watcher_verdict v)
{
	struct watches *w = arg;

	if (r != KZ_OK) {
		watches_refuse(w, watches_away());
		return;
	}
	switch (v) {
	case WATCHER_ADDED:
	case WATCHER_SAME:
		watches_answer(w, v == WATCHER_ADDED ? 201 : 200, watches_one(w));
		return;
	case WATCHER_NO_APPLICATION:
		watches_refuse(w, watches_unknown("application"));
		return;
	case WATCHER_NO_KINDERGARTEN:
		watches_refuse(w, watches_unknown("kindergarten"));
		return;
	case WATCHER_OVER:
		watches_refuse(w, problem_make(PROBLEM_CLOSED, NULL, "it waits for no place any more"));
		return;
	case WATCHER_NOT_DISTRICT:
		watches_refuse(w, problem_make(PROBLEM_NOT_DISTRICT, NULL,
		                      "the application is in the queue of another district"));
		return;
	case WATCHER_FULL:
		break;
	}
	watches_refuse(w, problem_make(PROBLEM_TOO_MANY_WATCHES, NULL,
	                      "it watches %d; take one of them back first", WATCHERS_MOST));
}

void watches_add(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct watches *w = watches_new(c, id, 2);
	size_t len;

	(void)who;
	if (!w)
		return;
	call_body(c, &len);
	if (len) {
		watches_refuse(w, problem_make(PROBLEM_WRONG_TYPE, NULL, "the body must be empty"));
		return;
	}
	const struct watcher_wish wish = {
	    w->numbers[0], w->numbers[1], NEWS_BY_PORTAL, loop_clock(d->loop)->wall_us(), NULL};
	watches_begun(w, watcher_add(d->pg, d->feed, &wish, watches_on_added, w));
}

static void watches_on_removed(void *arg, enum kz r)
{
	struct watches *w = arg;

	if (r == KZ_NOT_FOUND)
		watches_refuse(w, watches_unknown("application"));
	else if (r != KZ_OK)
		watches_refuse(w, watches_away());
	else
		watches_answer(w, 200, watches_one(w));
}

void watches_remove(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct watches *w = watches_new(c, id, 2);

	(void)who;
	if (w)
		watches_begun(w, watcher_remove(d->pg, w->numbers[0], w->numbers[1], watches_on_removed, w));
}

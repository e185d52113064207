/* Free places for a child, and kindergartens to be told of. What is listed comes from a cache and says as of
 * when; a place that is looked at alone is read anew. Whether she may take it is places' to judge: a list
 * says it so far as it is the same for all who ask. She may look into another district, but nothing there is
 * offered to her, to take or to wait for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/dial_find.h"
#include "store/vacancies.h"
#include "store/watchers.h"

/* Between the two questions of a list: nothing of a name stays. */
struct vacancy_room {
	int age;
	bool privileged;
};

static bool vacancy_is_turn(bool privileged, const struct place_vacancy *p, int64_t now_us)
{
	return p->released_us <= now_us && (privileged || p->priority_until_us <= now_us);
}

static void vacancy_ages(struct answer *a, int from, int to)
{
	char text[16];

	snprintf(text, sizeof text, "%d-%d", from, to);
	answer_set(a, "grp", text);
}

static void vacancy_add(struct dial_call *c, const struct vacancy_row *r)
{
	char id[24], room[16];

	snprintf(id, sizeof id, "%llu", (unsigned long long)r->group);
	snprintf(room, sizeof room, "%u", r->place.free < 999 ? r->place.free : 999);
	answer_add(&c->answer, (const char *const[]){id, r->names[c->session.language], room}, 3);
}

/* Those that she may take now come first, also when they became hers since the list was read. */
static void vacancy_add_all(
    struct dial_call *c, const struct vacancy_room *room, const struct vacancy_list *l)
{
	for (int turn = 1; turn >= 0; turn--)
		for (size_t i = 0; i < l->n; i++)
			if (vacancy_is_turn(room->privileged, &l->rows[i].place, c->now_us) == turn)
				vacancy_add(c, &l->rows[i]);
}

static void vacancy_on_list(void *arg, enum kz r, const struct vacancy_list *l)
{
	struct dial_call *c = arg;
	struct vacancy_room *room = c->room;
	char child[SESSION_VALUE], at[SESSION_VALUE];

	snprintf(child, sizeof child, "%s", c->answer.fields[0].text);
	if (r == KZ_OK) {
		answer_start(&c->answer, "ok");
		vacancy_add_all(c, room, l);
		c->answer.result = c->answer.items_n ? "ok" : "none";
		answer_set(&c->answer, "child", child);
		if (c->answer.items_n) {
			dial_moment(l->at_us, at);
			answer_set(&c->answer, "at", strchr(at, ' ') ? strchr(at, ' ') + 1 : at);
			vacancy_ages(&c->answer, room->age, room->age + 1);
		}
	} else {
		answer_start(&c->answer, "down");
	}
	free(room);
	c->room = NULL;
	dial_answer(c);
}

static void vacancy_ask(struct dial_call *c, const struct dial_entry *e)
{
	struct vacancy_room *room = mem_new(sizeof *room);
	const struct vacancy_kind kind = {e->looks_in, e->age, e->languages, e->privileged};

	*room = (struct vacancy_room){e->age, e->privileged};
	c->room = room;
	answer_set_number(&c->answer, "child", e->application);
	if (vacancies_ask(dial_vacancies_of(c->dial), &kind, vacancy_on_list, c) != KZ_OK)
		vacancy_on_list(c, KZ_LOST, NULL);
}

static void vacancy_on_found(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	const struct dial_entry *own[QUEUE_FOUND], *one = NULL;
	size_t own_n = dial_find_own(e, n, own);
	uint64_t child = dial_number(c, "child");

	for (size_t i = 0; i < own_n; i++)
		if (own[i]->application == child || own_n == 1)
			one = own[i];
	if (one && !application_is_over(one->status) && one->age >= 0) {
		vacancy_ask(c, one);
		return;
	}
	if (own_n && application_is_over(own[0]->status)) { /* then all are */
		answer_start(&c->answer, "over");
		answer_set(&c->answer, "appstatus", application_status_name((one ? one : own[0])->status));
	} else if (!one) {
		answer_start(&c->answer, own_n ? "many" : "unknown");
	}
	dial_answer(c); /* "down": how old the child is nobody can say here */
}

void dial_vacancy_list(struct dial_call *c)
{
	dial_find(c, QUEUE_OF_PHONE, c->phone_key, vacancy_on_found);
}

static bool vacancy_privileged(const struct dial_call *c, const struct vacancy_facts *f)
{
	const struct region *r = region_find(dial_files_of(c->dial)->regions, f->region);
	const struct region_category *category = r ? region_category_find(r, f->category) : NULL;

	return category && category->privileged;
}

static void vacancy_show_priority(struct answer *a, const struct place_vacancy *p)
{
	char until[SESSION_VALUE];

	dial_moment(p->priority_until_us > p->released_us ? p->priority_until_us : p->released_us, until);
	answer_set(a, "prio", until);
}

static void vacancy_show(struct dial_call *c, const struct vacancy_facts *f)
{
	bool turn = vacancy_is_turn(vacancy_privileged(c, f), &f->place, c->now_us);
	bool priority = f->place.priority_until_us > c->now_us;

	answer_start(&c->answer, !turn ? "not_turn" : priority ? "priority" : "ok");
	answer_set(&c->answer, "kg", f->names[c->session.language]);
	if (!turn || priority)
		vacancy_show_priority(&c->answer, &f->place);
	if (!turn)
		return;
	vacancy_ages(&c->answer, f->place.age_from, f->place.age_to);
	answer_set(&c->answer, "glang", language_name(f->place.language));
	answer_set_number(&c->answer, "free", f->place.free < 999 ? f->place.free : 999);
}

static void vacancy_on_get(void *arg, enum kz r, const struct vacancy_facts *f)
{
	struct dial_call *c = arg;

	if (r == KZ_NOT_FOUND || (r == KZ_OK && !f->place.free))
		answer_start(&c->answer, "gone");
	else if (r == KZ_OK && !f->own)
		answer_start(&c->answer, "not_fit");
	else if (r == KZ_OK)
		vacancy_show(c, f);
	dial_answer(c);
}

static void vacancy_read(struct dial_call *c, vacancy_fn *done)
{
	if (vacancy_get(dial_base_of(c->dial)->pg, dial_number(c, "child"), dial_number(c, "item"),
	        c->phone_key, done, c) != KZ_OK)
		dial_answer(c);
}

void dial_vacancy_get(struct dial_call *c)
{
	vacancy_read(c, vacancy_on_get);
}

static void garden_on_each(void *arg, uint64_t kindergarten, const char *const names[LANGUAGES])
{
	struct dial_call *c = arg;
	char id[24];

	snprintf(id, sizeof id, "%llu", (unsigned long long)kindergarten);
	answer_add(&c->answer, (const char *const[]){id, names[c->session.language]}, 2);
}

static void garden_on_done(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r == KZ_OK || r == KZ_NOT_FOUND)
		c->answer.result = c->answer.items_n ? "ok" : "none";
	dial_answer(c);
}

/* Its age is known by who opens it: without its key nobody knows. */
static void garden_on_found(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	const struct garden_wish w = {n ? e[0].application : 0, c->phone_key, n ? e[0].age : -1};

	if (!n || !e[0].own)
		garden_on_done(c, KZ_NOT_FOUND);
	else if (w.age < 0 || garden_list(dial_base_of(c->dial)->pg, &w, SESSION_ITEMS + 1, garden_on_each,
	                          garden_on_done, c) != KZ_OK)
		dial_answer(c);
}

void dial_garden_list(struct dial_call *c)
{
	dial_find(c, QUEUE_BY_APPLICATION, (int64_t)dial_number(c, "child"), garden_on_found);
}

static void watch_on_added(void *arg, enum kz r, enum watcher_verdict v)
{
	struct dial_call *c = arg;

	if (r == KZ_OK && (v == WATCHER_ADDED || v == WATCHER_SAME)) {
		dial_debts_speak(c->dial);
		answer_start(&c->answer, "ok");
	} else if (r == KZ_OK) {
		answer_start(&c->answer, v == WATCHER_FULL ? "full" : "over");
	}
	dial_answer(c);
}

static void watch_add(struct dial_call *c, uint64_t kindergarten)
{
	const struct dial_base *b = dial_base_of(c->dial);
	struct owed owed = {0};
	const struct watcher_wish w = {dial_number(c, "child"), kindergarten, NEWS_BY_USSD, c->now_us, &owed};

	dial_owe(c, "ussd_watch", NULL, 0, &owed);
	if (watcher_add(b->pg, b->feed, &w, watch_on_added, c) != KZ_OK)
		dial_answer(c);
	owed_fini(&owed);
}

static void watch_on_own(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	if (n && e[0].own) {
		watch_add(c, dial_number(c, "garden"));
		return;
	}
	answer_start(&c->answer, "over");
	dial_answer(c);
}

void dial_watch_garden(struct dial_call *c)
{
	dial_find(c, QUEUE_BY_APPLICATION, (int64_t)dial_number(c, "child"), watch_on_own);
}

static void watch_on_group(void *arg, enum kz r, const struct vacancy_facts *f)
{
	struct dial_call *c = arg;

	if (r == KZ_OK && f->confirmed) {
		watch_add(c, f->kindergarten);
		return;
	}
	if (r == KZ_OK || r == KZ_NOT_FOUND)
		answer_start(&c->answer, "over");
	dial_answer(c);
}

void dial_watch_group(struct dial_call *c)
{
	vacancy_read(c, watch_on_group);
}

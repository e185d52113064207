/* Where a child stands, by its number, its parent's or its application's. Of what is not the caller's own no
 * name is said, and so many looks are free: each that did not find her own is counted, also one that found
 * nobody. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "flow/dial_find.h"

static void queue_show(struct answer *a, const struct dial_entry *e)
{
	answer_start(a, !e->position ? "over" : e->own ? "ok" : "other");
	answer_set_number(a, "shown", e->application);
	if (!e->position) {
		answer_set(a, "appstatus", application_status_name(e->status));
		return;
	}
	if (e->own)
		answer_set(a, "name", e->name);
	answer_set_number(a, "pos", e->position);
	answer_set(a, "cat", e->category);
}

/* The one that waits, else the newest. */
static void queue_on_one(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	size_t i = 0;

	while (i < n && !e[i].position)
		i++;
	if (n)
		queue_show(&c->answer, &e[i < n ? i : 0]);
	else
		answer_start(&c->answer, "none");
	dial_find_give(c, n && e[i < n ? i : 0].own);
}

static void queue_on_parent(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	char id[24], year[12], position[24];
	bool own = n > 0;
	size_t waiting = 0;

	for (size_t i = 0; i < n; i++)
		waiting += e[i].position > 0;
	answer_start(&c->answer, waiting ? "ok" : "none");
	for (size_t i = 0; i < n; i++) {
		own = own && e[i].own;
		if (!e[i].position)
			continue;
		snprintf(id, sizeof id, "%llu", (unsigned long long)e[i].application);
		snprintf(year, sizeof year, "%d", e[i].birth_year);
		snprintf(position, sizeof position, "%llu", (unsigned long long)e[i].position);
		answer_add(&c->answer, (const char *const[]){id, year, position}, 3);
	}
	dial_find_give(c, own);
}

static void queue_by_person(struct dial_call *c, enum queue_by by, dial_found_fn *done)
{
	const char *typed = dial_value(c, "iin");
	struct iin_refusal why;
	struct iin iin;
	int64_t value = 0;

	if (iin_parse(typed, strlen(typed), &iin, &why) == KZ_OK)
		value = applicant_iin(dial_base_of(c->dial)->keyring, &iin);
	secret_wipe(&iin, sizeof iin);
	dial_find(c, by, value, done);
}

void dial_queue_by_child(struct dial_call *c)
{
	queue_by_person(c, QUEUE_BY_CHILD, queue_on_one);
}

void dial_queue_by_parent(struct dial_call *c)
{
	queue_by_person(c, QUEUE_BY_PARENT, queue_on_parent);
}

void dial_queue_by_app(struct dial_call *c)
{
	dial_find(c, QUEUE_BY_APPLICATION, (int64_t)dial_number(c, "app"), queue_on_one);
}

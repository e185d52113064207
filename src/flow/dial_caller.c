/* Who calls: the first page, and which of her children she means. */
#include <stdio.h>

#include "flow/dial_find.h"
#include "store/callers.h"

static void caller_show_child(struct answer *a, const struct dial_entry *e, const char *result)
{
	answer_start(a, result);
	answer_set_number(a, "child", e->application);
	answer_set(a, "name", e->name);
}

static void caller_show_until(struct answer *a, const struct dial_entry *e)
{
	char until[SESSION_VALUE];

	dial_moment(e->referral_until_us, until);
	answer_set_number(a, "ref", e->referral);
	answer_set(a, "until", until);
}

static void caller_show_offer(struct answer *a, const struct dial_entry *e)
{
	answer_start(a, "offer");
	answer_set_number(a, "child", e->application);
	answer_set(a, "kg", e->kindergarten);
	caller_show_until(a, e);
}

/* The most pressing first: what waits for her answer, what is to be done by a day, where she stands. */
static void caller_show(struct answer *a, const struct dial_entry *e)
{
	if (e->referral && e->referral_status == REFERRAL_OFFERED) {
		caller_show_offer(a, e);
	} else if (e->referral) {
		caller_show_child(a, e, "referral");
		caller_show_until(a, e);
	} else if (e->position) {
		caller_show_child(a, e, "known");
		answer_set_number(a, "pos", e->position);
	} else {
		caller_show_child(a, e, "over");
		answer_set(a, "appstatus", application_status_name(e->status));
	}
}

/* Who never chose a language is asked for it. */
static void caller_on_language(void *arg, enum kz r, enum language l)
{
	struct dial_call *c = arg;

	(void)l;
	if (r != KZ_LOST)
		answer_start(&c->answer, r == KZ_OK ? "unknown" : "new");
	dial_answer(c);
}

static void caller_on_nobody(struct dial_call *c)
{
	if (callers_language(dial_base_of(c->dial)->pg, c->phone_key, caller_on_language, c) != KZ_OK)
		dial_answer(c);
}

/* The child that was picked, unless it is hers no more. */
static const struct dial_entry *caller_pick(
    const struct dial_call *c, const struct dial_entry *const *own, size_t n)
{
	uint64_t child = dial_number(c, "child");

	for (size_t i = 0; i < n; i++)
		if (own[i]->application == child)
			return own[i];
	return n == 1 || application_is_over(own[0]->status) ? own[0] : NULL;
}

static void caller_on_open(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	const struct dial_entry *own[QUEUE_FOUND];
	size_t own_n = dial_find_own(e, n, own);
	const struct dial_entry *one = own_n ? caller_pick(c, own, own_n) : NULL;

	if (!own_n) {
		caller_on_nobody(c);
		return;
	}
	if (one)
		caller_show(&c->answer, one);
	else
		answer_start(&c->answer, "many");
	dial_answer(c);
}

void dial_caller_open(struct dial_call *c)
{
	dial_find(c, QUEUE_BY_PHONE, c->phone_key, caller_on_open);
}

static void caller_on_children(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	const struct dial_entry *own[QUEUE_FOUND];
	size_t own_n = dial_find_own(e, n, own);
	char id[24], year[12];

	answer_start(&c->answer, own_n ? "ok" : "unknown");
	for (size_t i = 0; i < own_n; i++) {
		snprintf(id, sizeof id, "%llu", (unsigned long long)own[i]->application);
		snprintf(year, sizeof year, "%d", own[i]->birth_year);
		answer_add(&c->answer, (const char *const[]){id, own[i]->name, year}, 3);
	}
	dial_answer(c);
}

void dial_caller_children(struct dial_call *c)
{
	dial_find(c, QUEUE_OF_PHONE, c->phone_key, caller_on_children);
}

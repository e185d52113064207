#include "flow/dial_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "store/tries.h"
#include "text/utf8.h"

struct find {
	struct dial_call *call;
	dial_found_fn *done;
	struct dial_entry entries[QUEUE_FOUND];
	size_t n;
};

static void find_open(
    const struct find *f, const struct queue_entry *q, const struct region *r, struct dial_entry *e)
{
	const struct dial_call *c = f->call;
	struct applicant a;

	if (applicant_open(dial_base_of(c->dial)->keyring, q->application, q->sealed, q->sealed_n, &a) !=
	    KZ_OK)
		return;
	snprintf(e->name, sizeof e->name, "%s", a.first_name);
	if (r)
		e->age = region_child_age(r, &a.child, c->now_us);
	applicant_wipe(&a);
}

static void find_on_entry(void *arg, const struct queue_entry *q)
{
	struct find *f = arg;
	struct dial_entry *e = &f->entries[f->n++];
	const struct dial_call *c = f->call;
	const struct region *r = region_find(dial_files_of(c->dial)->regions, q->region);
	const struct region_category *category = r ? region_category_find(r, q->category) : NULL;

	*e = (struct dial_entry){.application = q->application,
	    .position = q->position,
	    .referral = q->referral,
	    .status = q->status,
	    .referral_status = referral_stands(q->referral_status, q->referral_until_us, c->now_us),
	    .referral_until_us = q->referral_until_us,
	    .looks_in = q->chosen ? q->chosen : q->district,
	    .birth_year = q->birth_year,
	    .own = q->confirmed[0] == c->phone_key || q->confirmed[1] == c->phone_key,
	    .languages = q->languages,
	    .age = -1,
	    .privileged = category && category->privileged};
	utf8_cut(
	    e->category, sizeof e->category, category ? category->names[c->session.language] : q->category);
	utf8_cut(e->kindergarten, sizeof e->kindergarten, q->kindergarten_names[c->session.language]);
	if (e->own)
		find_open(f, q, r, e);
}

static void find_on_done(void *arg, enum kz r)
{
	struct find *f = arg;

	f->call->room = NULL;
	if (r == KZ_OK)
		f->done(f->call, f->entries, f->n);
	else
		dial_answer(f->call);
	secret_wipe(f, sizeof *f);
	free(f);
}

void dial_find(struct dial_call *c, enum queue_by by, int64_t value, dial_found_fn *done)
{
	const struct dial_base *b = dial_base_of(c->dial);
	struct find *f = mem_new(sizeof *f);

	f->call = c;
	f->done = done;
	if (queue_find(b->pg, &dial_files_of(c->dial)->regions, by, value, find_on_entry, find_on_done, f) !=
	    KZ_OK)
		find_on_done(f, KZ_LOST);
}

size_t dial_find_own(const struct dial_entry *e, size_t n, const struct dial_entry *ret[QUEUE_FOUND])
{
	size_t live = 0, own = 0;

	for (size_t i = 0; i < n; i++)
		live += e[i].own && !application_is_over(e[i].status);
	for (size_t i = 0; i < n; i++)
		if (e[i].own && (!live || !application_is_over(e[i].status)))
			ret[own++] = &e[i];
	return own;
}

/* The answer is ready, and is given when the look may be. */
static void find_on_counted(void *arg, enum kz r, struct try_state s)
{
	struct dial_call *c = arg;

	if (r != KZ_OK) {
		answer_start(&c->answer, "down");
	} else if (s.again_us) {
		answer_start(&c->answer, "too_often");
		answer_set_number(&c->answer, "num", try_minutes(s.again_us, c->now_us));
	}
	dial_answer(c);
}

void dial_find_give(struct dial_call *c, bool own)
{
	if (own)
		dial_answer(c);
	else if (tries_take(dial_base_of(c->dial)->pg, c->phone_key, TRY_LOOKUP, c->token, find_on_counted,
	             c) != KZ_OK)
		find_on_counted(c, KZ_LOST, (struct try_state){0});
}

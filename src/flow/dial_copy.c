/* Copies by SMS of what a page showed. Of what is not the caller's own no name goes out. */
#include <stdio.h>
#include <string.h>

#include "flow/dial_find.h"
#include "store/handed.h"
#include "ussd/screen.h"

/* ret: text as a parameter of the template has room for; one that says nothing is a dash. */
static const char *copy_cut(const struct dial_call *c, const char *template, const char *param,
    const char *text, char ret[SESSION_VALUE])
{
	const struct template *t = template_find(dial_files_of(c->dial)->templates, template);
	struct param_type type;
	const char *name;

	snprintf(ret, SESSION_VALUE, "-");
	for (size_t i = 0; t && *text && (name = template_param(t, i, &type)) != NULL; i++)
		if (!strcmp(name, param))
			screen_cut(text, type.max, ret);
	return ret;
}

static void copy_queue(struct dial_call *c, const struct dial_entry *e)
{
	char app[24], position[24], at[SESSION_VALUE];
	const struct template_param params[] = {{"app", app}, {"pos", position}, {"at", at}};

	snprintf(app, sizeof app, "%llu", (unsigned long long)e->application);
	snprintf(position, sizeof position, "%llu", (unsigned long long)e->position);
	dial_moment(c->now_us, at);
	dial_owe_only(c, "ussd_queue", params, sizeof params / sizeof *params);
}

static void copy_own(struct dial_call *c, const struct dial_entry *e)
{
	char name[SESSION_VALUE], position[24], category[SESSION_VALUE], at[SESSION_VALUE];
	const struct template_param params[] = {{"name", copy_cut(c, "late", "name", e->name, name)},
	    {"pos", position}, {"cat", copy_cut(c, "late", "cat", e->category, category)}, {"at", at}};

	snprintf(position, sizeof position, "%llu", (unsigned long long)e->position);
	dial_moment(c->now_us, at);
	dial_owe_only(c, "late", params, sizeof params / sizeof *params);
}

static void copy_on_queue(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	if (n && e[0].position && e[0].own) {
		copy_own(c, e);
	} else if (n && e[0].position) {
		copy_queue(c, e);
	} else {
		answer_start(&c->answer, "none");
		dial_answer(c);
	}
}

void dial_sms_queue(struct dial_call *c)
{
	dial_find(c, QUEUE_BY_APPLICATION, (int64_t)dial_number(c, "shown"), copy_on_queue);
}

/* The word of a status as the menu has it. */
static const char *copy_status(const struct dial_call *c, enum referral_status s)
{
	int value = contract_value(c->dialog->contracts, "refstatus", strlen("refstatus"));
	const char *name = referral_status_name(s);

	return value < 0 ? name
	                 : contract_show(c->dialog->contracts->values[value].type, name, c->session.language);
}

/* What it answers comes behind the rows: the room says until then that there is one, and owns nothing. */
static void copy_on_handed(void *arg, const struct handed *h)
{
	struct dial_call *c = arg;
	char ref[24], until[SESSION_VALUE], kg[SESSION_VALUE], status[SESSION_VALUE];
	const struct template_param params[] = {{"ref", ref},
	    {"kg", copy_cut(c, "ussd_referral", "kg", h->names[c->session.language], kg)},
	    {"status", copy_cut(c, "ussd_referral", "status",
	                   copy_status(c, referral_stands(h->status, h->to_us, c->now_us)), status)},
	    {"until", until}};

	snprintf(ref, sizeof ref, "%llu", (unsigned long long)h->number);
	dial_moment(h->to_us, until);
	c->room = c;
	dial_owe_only(c, "ussd_referral", params, sizeof params / sizeof *params);
}

static void copy_on_looked(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (c->room) {
		c->room = NULL;
		return;
	}
	if (r == KZ_OK)
		answer_start(&c->answer, "gone");
	dial_answer(c);
}

void dial_sms_referral(struct dial_call *c)
{
	if (handed_get(dial_base_of(c->dial)->pg, c->phone_key, dial_number(c, "ref"), copy_on_handed,
	        copy_on_looked, c) != KZ_OK)
		dial_answer(c);
}

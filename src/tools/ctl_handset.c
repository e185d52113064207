#include "ctl_handset.h"

#include <string.h>

#include "base/mem.h"

#define SAMPLE_ITEMS 4

/* Services are answered until there is a page. */
static bool handset_settle(struct handset *h, struct engine_step step)
{
	for (int i = 0; step.does == ENGINE_ASK; i++) {
		int screen = h->session.screen;

		if (i == HANDSET_ASKS || !h->answer(h->arg, step.service, &h->given))
			return false;
		if (h->answered)
			h->answered(h->arg, screen, h->given.result);
		step = engine_give(h->dialog, &h->session, &h->given);
	}
	return true;
}

bool handset_dial(struct handset *h, const char *code, enum language language)
{
	char path[DIALOG_PATH];

	engine_path(code, path);
	session_start(&h->session, h->dialog, 1);
	if (language != LANGUAGES)
		h->session.language = language;
	return handset_settle(h, engine_dial(h->dialog, &h->session, path));
}

bool handset_redial(struct handset *h)
{
	return handset_settle(h, engine_resume(h->dialog, &h->session));
}

bool handset_type(struct handset *h, const char *typed, struct engine_step *ret)
{
	struct engine_step step = engine_type(h->dialog, &h->session, typed, strlen(typed));

	if (ret)
		*ret = step;
	return handset_settle(h, step);
}

static const char *handset_value(const struct contract_type *t)
{
	if (t->kind == VALUE_WORD)
		return t->words[0].name;
	return t->kind == VALUE_ID ? "1" : t->sample;
}

/* The samples of the values whose names stand in the list; how many. */
static size_t handset_values(
    const struct dialog *d, const char *names, const char *ret_names[], const char *ret_texts[], size_t most)
{
	const char *name;
	size_t n = 0, len;

	while (n < most && (name = service_next_name(&names, &len)) != NULL) {
		int v = contract_value(d->contracts, name, len);

		if (v >= 0) {
			ret_names[n] = d->contracts->values[v].name;
			ret_texts[n++] = handset_value(d->contracts->values[v].type);
		}
	}
	return n;
}

bool handset_sample(const struct dialog *d, enum service service, const char *result, struct answer *a)
{
	const struct service_result *r = service_shape(service)->results;
	const char *names[ANSWER_FIELDS], *texts[ANSWER_FIELDS];
	size_t n;

	while (r->name && result && strcmp(r->name, result) != 0)
		r++;
	if (!r->name)
		return false;
	answer_start(a, r->name);
	n = handset_values(d, r->fields, names, texts, ANSWER_FIELDS);
	for (size_t i = 0; i < n; i++)
		answer_set(a, names[i], texts[i]);
	n = r->items ? handset_values(d, r->items, names, texts, SESSION_ITEM) : 0;
	for (int i = 0; n > 0 && i < SAMPLE_ITEMS; i++) {
		char id[2] = {(char)('1' + i), '\0'};

		texts[0] = id;
		(void)answer_add(a, texts, n);
	}
	return true;
}

/* engine_give: what a service says becomes values of the session, and its named result the next screen. */
#include <string.h>

#include "base/secret.h"
#include "ussd/engine_body.h"

static void engine_keep(const struct dialog *d, struct session *s, int v, const char *text)
{
	const struct contract_type *t = d->contracts->values[v].type;
	char cut[SESSION_VALUE];

	if (t->kind == VALUE_TEXT) {
		screen_cut(text, t->max, cut);
		text = cut;
	}
	engine_set_value(d, s, v, text);
}

/* All that the result has: what an answer leaves out is empty, and not what stood there before. */
static void engine_keep_fields(
    const struct dialog *d, struct session *s, const struct service_result *r, const struct answer *a)
{
	const char *names = r->fields, *name;
	size_t n;

	while ((name = service_next_name(&names, &n)) != NULL) {
		int v = contract_value(d->contracts, name, n);

		if (v >= 0)
			engine_keep(d, s, v, answer_field(a, name, n));
	}
}

/* Each field cut to what its name's type shows. */
static void engine_keep_items(
    const struct dialog *d, struct session *s, const struct service_result *r, const struct answer *a)
{
	const char *names = r->items, *name;
	size_t n;

	memcpy(s->items, a->items, a->items_n * sizeof *a->items);
	s->items_n = a->items_n;
	s->rest = a->rest;
	for (size_t f = 0; f < SESSION_ITEM && (name = service_next_name(&names, &n)) != NULL; f++) {
		int v = contract_value(d->contracts, name, n);

		for (size_t i = 0; v >= 0 && i < s->items_n; i++)
			if (d->contracts->values[v].type->kind == VALUE_TEXT)
				screen_cut(a->items[i].fields[f], d->contracts->values[v].type->max,
				    s->items[i].fields[f]);
	}
}

/* What was typed to confirm is used up, right or wrong; IINs are, when the session goes home or ends. */
static void engine_forget(const struct dialog *d, struct session *s, enum service service)
{
	const char *names = service_shape(service)->in, *name;
	size_t n;

	while ((name = service_next_name(&names, &n)) != NULL) {
		int v = contract_value(d->contracts, name, n);

		if (v >= 0 && d->contracts->values[v].type->secret &&
		    d->contracts->values[v].type->kind == VALUE_DIGITS)
			secret_wipe(s->values[v], SESSION_VALUE);
	}
}

static struct engine_step engine_give_items(const struct dialog *d, struct session *s)
{
	if (d->screens[s->screen].alone && s->items_n == 1)
		return engine_pick(d, s, 0, ENGINE_ANSWERED);
	return engine_show(d, s, SCREEN_FIRST, 0, ENGINE_ANSWERED, s->screen);
}

struct engine_step engine_give(const struct dialog *d, struct session *s, const struct answer *a)
{
	const struct dialog_screen *c = &d->screens[s->screen];
	const struct service_result *shape = service_shape(c->service)->results;
	int r = service_result_find(c->service, a->result);

	s->asks = false;
	engine_forget(d, s, c->service);
	if (r >= 0 && shape[r].items && a->items_n == 0)
		r = service_result_find(c->service, "none");
	if (r >= 0)
		engine_keep_fields(d, s, &shape[r], a);
	if (r >= 0 && shape[r].items && c->kind == SCREEN_LIST) {
		engine_keep_items(d, s, &shape[r], a);
		return engine_give_items(d, s);
	}
	if (r < 0 || c->branches[r] < 0)
		r = service_result_find(c->service, "down");
	if (c->branches[r] < 0)
		return engine_end(d, s, &d->down, ENGINE_ANSWERED, s->screen);
	return engine_go(d, s, c->branches[r], ENGINE_ANSWERED, s->screen);
}

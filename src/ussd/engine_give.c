/* engine_give: what a service says becomes values of the session, and its named result the next screen. */
#include <string.h>

#include "base/secret.h"
#include "ussd/engine_body.h"

/* Index in the shape's results, -1: it has none of the name. */
static int engine_result(enum service service, const char *name)
{
	const struct service_result *r = service_shape(service)->results;

	for (int i = 0; r[i].name; i++)
		if (strcmp(r[i].name, name) == 0)
			return i;
	return -1;
}

/* Whether name is among those separated by spaces; *ret_at: which of them. */
static bool engine_among(const char *name, const char *among, size_t *ret_at)
{
	size_t len = strlen(name);

	for (*ret_at = 0; *among; ++*ret_at) {
		size_t n = strcspn(among, " ");

		if (n == len && memcmp(among, name, n) == 0)
			return true;
		among += n + strspn(among + n, " ");
	}
	return false;
}

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

static void engine_keep_fields(
    const struct dialog *d, struct session *s, const struct service_result *r, const struct answer *a)
{
	size_t at;

	for (size_t i = 0; i < a->fields_n; i++) {
		int v = contract_value(d->contracts, a->fields[i].name, strlen(a->fields[i].name));

		if (v >= 0 && engine_among(a->fields[i].name, r->fields, &at))
			engine_keep(d, s, v, a->fields[i].text);
	}
}

/* Each field cut to what its name's type shows. */
static void engine_keep_items(
    const struct dialog *d, struct session *s, const struct service_result *r, const struct answer *a)
{
	const char *name = r->items;

	memcpy(s->items, a->items, a->items_n * sizeof *a->items);
	s->items_n = a->items_n;
	for (size_t f = 0; *name && f < SESSION_ITEM; f++) {
		size_t n = strcspn(name, " ");
		int v = contract_value(d->contracts, name, n);

		for (size_t i = 0; v >= 0 && i < s->items_n; i++)
			if (d->contracts->values[v].type->kind == VALUE_TEXT)
				screen_cut(a->items[i].fields[f], d->contracts->values[v].type->max,
				    s->items[i].fields[f]);
		name += n + strspn(name + n, " ");
	}
}

/* What was typed to confirm is used up, right or wrong; IINs are, when the session goes home or ends. */
static void engine_forget(const struct dialog *d, struct session *s, enum service service)
{
	const char *name = service_shape(service)->in;

	while (*name) {
		size_t n = strcspn(name, " ");
		int v = contract_value(d->contracts, name, n);

		if (v >= 0 && d->contracts->values[v].type->secret &&
		    d->contracts->values[v].type->kind == VALUE_DIGITS)
			secret_wipe(s->values[v], SESSION_VALUE);
		name += n + strspn(name + n, " ");
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
	int r = engine_result(c->service, a->result);

	s->asks = false;
	engine_forget(d, s, c->service);
	if (r >= 0 && shape[r].items && a->items_n == 0)
		r = engine_result(c->service, "none");
	if (r >= 0)
		engine_keep_fields(d, s, &shape[r], a);
	if (r >= 0 && shape[r].items && c->kind == SCREEN_LIST) {
		engine_keep_items(d, s, &shape[r], a);
		return engine_give_items(d, s);
	}
	if (r < 0 || c->branches[r] < 0)
		r = engine_result(c->service, "down");
	if (c->branches[r] < 0)
		return engine_end(d, s, &d->down, ENGINE_ANSWERED, s->screen);
	return engine_go(d, s, c->branches[r], ENGINE_ANSWERED, s->screen);
}

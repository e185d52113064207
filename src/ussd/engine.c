/* engine: what is shown is a screen; between two screens that are shown stand services, one after the other.
 * Each function moves the session to its next screen and says what is to be done there. Whatever does not
 * fit, a branch that is missing, a value that was never typed, ends in a page and not in an assertion:
 * sessions come from Redis and may be of a dialog that was not proved. */
#include "ussd/engine.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "text/digits.h"
#include "ussd/engine_body.h"
#include "ussd/input.h"
#include "ussd/screen_body.h"

const char *engine_event_name(enum engine_event e)
{
	static const char *const names[ENGINE_EVENTS] = {[ENGINE_OPENED] = "opened",
	    [ENGINE_OPTION] = "option",
	    [ENGINE_TYPED] = "typed",
	    [ENGINE_PICKED] = "picked",
	    [ENGINE_NEXT] = "next",
	    [ENGINE_BACK] = "back",
	    [ENGINE_HOME] = "home",
	    [ENGINE_WRONG_KEY] = "wrong_key",
	    [ENGINE_WRONG_INPUT] = "wrong_input",
	    [ENGINE_ANSWERED] = "answered",
	    [ENGINE_RESUMED] = "resumed"};

	assert((unsigned)e < ENGINE_EVENTS);
	return names[e];
}

static struct engine_step engine_say(enum engine_event e, int from)
{
	return (struct engine_step){.does = ENGINE_SAY, .event = e, .from = from};
}

/* Nothing secret is left, and nothing that would be lost. */
static void engine_forget_typed(const struct dialog *d, struct session *s)
{
	for (size_t i = 0; i < d->contracts->values_n; i++)
		if (d->contracts->values[i].type->secret)
			secret_wipe(s->values[i], SESSION_VALUE);
	s->typed = false;
}

/* The engine's own last page. */
struct engine_step engine_end(
    const struct dialog *d, struct session *s, const struct dialog_text *text, enum engine_event e, int from)
{
	const char *t = text->in[s->language];
	size_t n = strlen(t);

	assert(n < SESSION_PAGE);
	memcpy(s->page, t, n + 1);
	s->ended = true;
	engine_forget_typed(d, s);
	return engine_say(e, from);
}

struct engine_step engine_show(const struct dialog *d, struct session *s, enum screen_form form, int error,
    enum engine_event e, int from)
{
	/* What does not fit is cut: the proof has seen to it that nothing is. */
	(void)screen_render(d, s, form, error, NULL);
	if (d->screens[s->screen].kind == SCREEN_END) {
		s->ended = true;
		engine_forget_typed(d, s);
	}
	return engine_say(e, from);
}

/* Every value that the service must be told. */
static bool engine_knows(const struct dialog *d, const struct session *s, enum service service)
{
	const char *names = service_shape(service)->in, *name;
	size_t n;

	while ((name = service_next_name(&names, &n)) != NULL) {
		int v = contract_value(d->contracts, name, n);

		if (v < 0 || !*s->values[v])
			return false;
	}
	return true;
}

static bool engine_asks(const struct dialog_screen *c)
{
	return c->kind == SCREEN_DO || c->kind == SCREEN_LIST;
}

struct engine_step engine_go(
    const struct dialog *d, struct session *s, int screen, enum engine_event e, int from)
{
	const struct dialog_screen *c = &d->screens[screen];

	s->screen = screen;
	s->items_n = s->item_first = 0;
	s->rest = false;
	if (!engine_asks(c))
		return engine_show(d, s, SCREEN_FIRST, 0, e, from);
	if (!engine_knows(d, s, c->service))
		return engine_end(d, s, &d->down, e, from);
	s->asks = true;
	return (struct engine_step){ENGINE_ASK, c->service, e, from};
}

/* From the beginning: what was typed is forgotten, which child was chosen is not. */
static struct engine_step engine_home(const struct dialog *d, struct session *s, enum engine_event e)
{
	int from = s->screen;

	engine_forget_typed(d, s);
	s->back_n = s->undo_n = 0;
	return engine_go(d, s, d->entry, e, from);
}

static struct engine_step engine_back(const struct dialog *d, struct session *s)
{
	int from = s->screen;

	while (s->back_n > 0) {
		int screen = engine_return(s);
		const struct dialog_screen *c = &d->screens[screen];

		if (screen != from && (!engine_asks(c) || engine_knows(d, s, c->service)))
			return engine_go(d, s, screen, ENGINE_BACK, from);
	}
	return engine_home(d, s, ENGINE_BACK);
}

void engine_path(const char *code, char ret[DIALOG_PATH])
{
	const char *star = *code ? strchr(code + 1, '*') : NULL;
	size_t n = star ? strcspn(star + 1, "#*") : 0;

	n = n < DIALOG_PATH ? n : 0;
	if (n > 0)
		memcpy(ret, star + 1, n);
	ret[n] = '\0';
}

struct engine_step engine_dial(const struct dialog *d, struct session *s, const char *path)
{
	for (size_t i = 0; i < d->shortcuts_n; i++)
		if (strcmp(d->shortcuts[i].digits, path) == 0)
			return engine_go(d, s, d->shortcuts[i].screen, ENGINE_OPENED, -1);
	return engine_go(d, s, d->entry, ENGINE_OPENED, -1);
}

struct engine_step engine_resume(const struct dialog *d, struct session *s)
{
	if (d->resume < 0)
		return engine_home(d, s, ENGINE_OPENED);
	if (s->screen != d->resume)
		s->dropped_screen = s->screen;
	s->screen = d->resume;
	s->turn++;
	return engine_show(d, s, SCREEN_FIRST, 0, ENGINE_OPENED, -1);
}

/* Where the call was dropped; a list has its items still. */
static struct engine_step engine_continue(const struct dialog *d, struct session *s)
{
	s->screen = s->dropped_screen;
	return engine_show(d, s, SCREEN_FIRST, 0, ENGINE_RESUMED, d->resume);
}

/* Items on the page that is shown. */
static size_t engine_shown(const struct dialog *d, struct session *s)
{
	char kept[SESSION_PAGE];
	size_t n;

	memcpy(kept, s->page, sizeof kept);
	(void)screen_render(d, s, SCREEN_FIRST, 0, &n);
	memcpy(s->page, kept, sizeof kept);
	return n;
}

static struct engine_step engine_next(const struct dialog *d, struct session *s, size_t shown)
{
	s->item_first += shown;
	return engine_show(d, s, SCREEN_FIRST, 0, ENGINE_NEXT, s->screen);
}

/* The page before: pages are counted from the first, since their items depend on their width. */
static struct engine_step engine_previous(const struct dialog *d, struct session *s)
{
	size_t here = s->item_first, n;

	for (s->item_first = 0; s->item_first + (n = engine_shown(d, s)) < here && n > 0;)
		s->item_first += n;
	return engine_show(d, s, SCREEN_FIRST, 0, ENGINE_BACK, s->screen);
}

struct engine_step engine_pick(const struct dialog *d, struct session *s, size_t item, enum engine_event e)
{
	const struct dialog_screen *c = &d->screens[s->screen];

	if (!(c->alone && s->items_n == 1))
		engine_remember(s);
	engine_set_value(d, s, c->picks, s->items[item].fields[0]);
	s->typed = true;
	return engine_go(d, s, c->go, e, s->screen);
}

/* keys: digits that were pressed, "" when it was something else. */
static struct engine_step engine_type_list(const struct dialog *d, struct session *s, const char *keys)
{
	size_t shown = engine_shown(d, s);

	if (strcmp(keys, "9") == 0 && s->item_first + shown < s->items_n)
		return engine_next(d, s, shown);
	if (strcmp(keys, "0") == 0 && s->item_first > 0)
		return engine_previous(d, s);
	for (size_t i = 0; i < s->items_n; i++) {
		unsigned n = screen_item_number(i);
		char number[3] = {(char)('0' + n / 10), (char)('0' + n % 10)};

		/* An item of another page that a parent has seen is hers to pick too. */
		if (i < s->item_first + shown && strcmp(keys, n < 10 ? number + 1 : number) == 0)
			return engine_pick(d, s, i, ENGINE_PICKED);
	}
	return engine_show(d, s, SCREEN_WRONG_KEY, 0, ENGINE_WRONG_KEY, s->screen);
}

static void engine_set(const struct dialog *d, struct session *s, const struct dialog_set *set)
{
	enum language l;

	if (set->value < 0) {
		if (language_parse(set->to, &l) == KZ_OK)
			s->language = l;
	} else {
		engine_set_value(d, s, set->value, set->to);
	}
}

static struct engine_step engine_type_page(const struct dialog *d, struct session *s, const char *keys)
{
	const struct dialog_screen *c = &d->screens[s->screen];

	for (size_t i = 0; i < c->options_n; i++) {
		const struct dialog_option *o = &c->options[i];

		if (strcmp(o->key, keys) != 0)
			continue;
		if (o->go >= 0 && !c->resume)
			engine_remember(s);
		for (size_t n = 0; n < o->sets_n; n++)
			engine_set(d, s, &o->sets[n]);
		if (o->go < 0)
			return engine_continue(d, s);
		if (c->resume)
			return engine_home(d, s, ENGINE_OPTION);
		return engine_go(d, s, o->go, ENGINE_OPTION, s->screen);
	}
	return engine_show(d, s, SCREEN_WRONG_KEY, 0, ENGINE_WRONG_KEY, s->screen);
}

static struct engine_step engine_type_input(
    const struct dialog *d, struct session *s, const char *typed, size_t n)
{
	const struct dialog_screen *c = &d->screens[s->screen];
	int n2 = contract_value(d->contracts, "n2", 2);
	char value[SESSION_VALUE];
	unsigned digits;
	enum input_error e = input_read(d->contracts->values[c->value].type, typed, n, value, &digits);

	if (e != INPUT_OK) {
		if (n2 >= 0)
			snprintf(s->values[n2], SESSION_VALUE, "%u", digits);
		return engine_show(d, s, SCREEN_WRONG_INPUT, (int)e, ENGINE_WRONG_INPUT, s->screen);
	}
	engine_remember(s);
	engine_set_value(d, s, c->value, value);
	secret_wipe(value, sizeof value);
	s->typed = true;
	return engine_go(d, s, c->go, ENGINE_TYPED, s->screen);
}

struct engine_step engine_type(const struct dialog *d, struct session *s, const char *typed, size_t n)
{
	const struct dialog_screen *c = &d->screens[s->screen];
	char keys[8];

	s->turn++;
	if (digits_parse(typed, n, sizeof keys - 1, keys) != KZ_OK)
		keys[0] = '\0';
	if (strcmp(keys, "00") == 0 && !(c->kind == SCREEN_INPUT && n != 2))
		return engine_home(d, s, ENGINE_HOME);
	if (strcmp(keys, "0") == 0 && c->back && !(c->kind == SCREEN_LIST && s->item_first > 0))
		return engine_back(d, s);
	switch (c->kind) {
	case SCREEN_LIST:
		return engine_type_list(d, s, keys);
	case SCREEN_INPUT:
		return engine_type_input(d, s, typed, n);
	case SCREEN_PAGE:
		return engine_type_page(d, s, keys);
	case SCREEN_DO:
	case SCREEN_END:
		break;
	}
	return engine_end(d, s, &d->over, ENGINE_WRONG_KEY, s->screen);
}

bool engine_is_pushed(const struct dialog *d, const struct session *s)
{
	return d->screens[s->screen].told.in[0] != NULL;
}

void engine_tell(const struct dialog *d, struct session *s)
{
	(void)screen_render(d, s, SCREEN_TOLD, 0, NULL);
	s->ended = true;
	engine_forget_typed(d, s);
}

static bool engine_is_shown(const struct dialog *d, int screen)
{
	return (size_t)screen < d->screens_n && d->screens[screen].kind != SCREEN_DO;
}

bool engine_fits(const struct dialog *d, const struct session *s)
{
	bool fits = memcmp(s->dialog, d->hash, DIALOG_HASH) == 0 && !s->asks && engine_is_shown(d, s->screen);
	int shown = s->screen;

	if (fits && shown == d->resume) {
		shown = s->dropped_screen;
		fits = shown != d->resume && engine_is_shown(d, shown);
	}
	if (fits && d->screens[shown].kind == SCREEN_LIST)
		fits = s->item_first < s->items_n;
	for (size_t i = 0; fits && i < s->back_n; i++)
		fits = s->back[i] < d->screens_n && d->screens[s->back[i]].kind != SCREEN_DO;
	return fits;
}

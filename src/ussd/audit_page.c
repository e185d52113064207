/* Pages, drawn by the engine's own screen.c with the widest values. Which values are widest depends on the
 * alphabet: one letter outside GSM 7-bit makes a page UCS-2, of 80 units instead of 160 septets, and in GSM
 * 7-bit a bracket is two. So each value that can be either is tried as either, in all combinations, and the
 * page that comes nearest to its room (or goes farthest beyond) stands for all of them. A list is drawn where
 * its numbers have two digits, with both keys of navigation, and its last item where the list has more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"
#include "ussd/audit_body.h"
#include "ussd/input.h"
#include "ussd/screen.h"

#define CHOICES 6    /* values of a page that are tried as either: more have no room on one */
#define ENDLESS 5000 /* units: room enough to see how far a page goes beyond */
#define FIRST   8    /* item of a list whose number is 10 */

struct drawing {
	const struct dialog *d;
	struct dialog wide; /* without limits */
	struct session *s;
	int choices[CHOICES];
	size_t choices_n;
	size_t first; /* item of a list on its page */
	char worst[SESSION_PAGE];
};

static bool word_is_wider(const struct contract_word *a, const struct contract_word *b, enum language l)
{
	return !b || screen_measure(a->text[l]).units > screen_measure(b->text[l]).units;
}

/* The widest word; of those outside GSM 7-bit when there are such and they are asked for. */
static const char *widest_word(const struct contract_type *t, enum language l, bool gsm7)
{
	const struct contract_word *any = NULL, *ucs2 = NULL;

	for (size_t i = 0; i < t->words_n; i++) {
		const struct contract_word *w = &t->words[i];

		if (word_is_wider(w, any, l))
			any = w;
		if (!screen_measure(w->text[l]).gsm7 && word_is_wider(w, ucs2, l))
			ucs2 = w;
	}
	if (ucs2 && !gsm7)
		any = ucs2;
	return any ? any->name : "";
}

/* text, then one letter until there are max units. */
static void pad(char ret[SESSION_VALUE], const char *text, const char *letter, unsigned max)
{
	size_t n = strlen(text), more = strlen(letter);

	if (n >= SESSION_VALUE)
		n = 0;
	memcpy(ret, text, n);
	ret[n] = '\0';
	for (unsigned units = screen_measure(ret).units; units < max && n + more < SESSION_VALUE; units++) {
		memcpy(ret + n, letter, more + 1);
		n += more;
	}
}

static void widest_value(const struct contract_type *t, enum language l, bool gsm7, char ret[SESSION_VALUE])
{
	if (t->kind == VALUE_WORD)
		snprintf(ret, SESSION_VALUE, "%s", widest_word(t, l, gsm7));
	else if (t->kind != VALUE_TEXT)
		pad(ret, "", "8", t->max);
	else if (!t->cyrillic)
		pad(ret, t->sample, "8", t->max);
	else if (gsm7)
		pad(ret, "", "[", t->max);
	else
		pad(ret, screen_measure(t->sample).gsm7 ? "" : t->sample, "Ұ", t->max);
}

static bool value_is_either(const struct contract_type *t, enum language l)
{
	if (t->kind == VALUE_WORD)
		return strcmp(widest_word(t, l, true), widest_word(t, l, false)) != 0;
	return t->kind == VALUE_TEXT && t->cyrillic;
}

/* arg: the drawing. Notes which values of the text can be of either alphabet. */
static void choices_note(struct audit *p, const struct dialog_screen *s, const struct dialog_text *t,
    enum audit_text_kind kind, void *arg)
{
	struct drawing *w = arg;
	enum language l = w->s->language;
	const char *at = t->in[l], *name;
	bool known;
	size_t n;

	(void)p;
	(void)s;
	(void)kind;
	while ((name = audit_next_param(&at, &n)) != NULL) {
		int v = contract_value(w->d->contracts, name, n);

		known = v < 0 || !value_is_either(w->d->contracts->values[v].type, l);
		for (size_t i = 0; i < w->choices_n; i++)
			known |= w->choices[i] == v;
		if (!known && w->choices_n < CHOICES)
			w->choices[w->choices_n++] = v;
	}
}

static void items_fill(struct drawing *w, const struct dialog_screen *s)
{
	int result = audit_items_result(s);
	const char *names = result < 0 ? "" : service_shape(s->service)->results[result].items, *name;
	size_t n, f = 0;

	w->s->items_n = result < 0 ? 0 : SESSION_ITEMS;
	w->s->item_first = result < 0 ? 0 : w->first;
	w->s->rest = result >= 0;
	for (; f < SESSION_ITEM && (name = service_next_name(&names, &n)) != NULL; f++) {
		int v = contract_value(w->d->contracts, name, n);

		for (size_t i = 0; v >= 0 && i < SESSION_ITEMS; i++)
			memcpy(w->s->items[i].fields[f], w->s->values[v], SESSION_VALUE);
	}
}

/* gsm7: a bit for each of choices. */
static void values_fill(struct drawing *w, const struct dialog_screen *s, unsigned gsm7)
{
	for (size_t i = 0; i < w->d->contracts->values_n; i++) {
		bool plain = false;

		for (size_t c = 0; c < w->choices_n; c++)
			plain |= w->choices[c] == (int)i && (gsm7 >> c & 1);
		widest_value(w->d->contracts->values[i].type, w->s->language, plain, w->s->values[i]);
	}
	items_fill(w, s);
}

static unsigned page_room(const struct dialog *d, bool gsm7)
{
	return gsm7 ? d->limits.gsm7 : d->limits.ucs2;
}

static bool page_is_worse(const struct audit_page *a, const struct audit_page *b)
{
	if (a->items != b->items || !b->room)
		return !b->room || a->items < b->items;
	return (size_t)a->units * b->room > (size_t)b->units * a->room;
}

/* The page in one form and language; false: the screen has no such form. */
static void page_draw(struct drawing *w, const struct dialog_screen *s, enum screen_form form, int error,
    struct audit_page *ret)
{
	bool list = s->kind == SCREEN_LIST;

	for (unsigned gsm7 = 0; gsm7 < 1u << w->choices_n; gsm7++) {
		struct audit_page one = *ret;

		values_fill(w, s, gsm7);
		bool fits = screen_render(list ? w->d : &w->wide, w->s, form, error, &one.items);
		const struct screen_width width = screen_measure(w->s->page);
		one.gsm7 = width.gsm7;
		one.units = width.units;
		one.room = page_room(w->d, width.gsm7);
		one.items = list && fits ? one.items : 0; /* cut, so that its width says nothing */
		if (!page_is_worse(&one, ret))
			continue;
		memcpy(w->worst, w->s->page, sizeof w->worst);
		*ret = one;
	}
	ret->text = w->worst;
}

static void form_draw(struct drawing *w, const struct dialog_screen *s, enum screen_form form, int error,
    audit_page_fn *each, void *arg)
{
	static const char *const names[] = {
	    [SCREEN_FIRST] = "first", [SCREEN_WRONG_KEY] = "wrong key", [SCREEN_TOLD] = "told"};
	const struct dialog_text *t = form == SCREEN_TOLD ? &s->told : &s->text;
	struct audit_page page = {.screen = s->name,
	    .form = form == SCREEN_WRONG_INPUT ? input_error_name((enum input_error)error) : names[form],
	    .language = w->s->language,
	    .line = t->line,
	    .column = t->column};

	if (s->kind == SCREEN_LIST)
		page.min_items = form == SCREEN_FIRST && w->first == FIRST ? s->min_items : 1;
	if (w->first != FIRST)
		page.form = form == SCREEN_WRONG_KEY ? "last, wrong key" : "last";
	page_draw(w, s, form, error, &page);
	each(arg, &page);
}

static void screen_draw(struct drawing *w, const struct dialog_screen *s, audit_page_fn *each, void *arg)
{
	w->s->screen = (int)(s - w->d->screens);
	w->choices_n = 0;
	audit_screen_texts(NULL, s, choices_note, w);
	w->first = FIRST;
	form_draw(w, s, SCREEN_FIRST, 0, each, arg);
	if (s->kind == SCREEN_PAGE || s->kind == SCREEN_LIST)
		form_draw(w, s, SCREEN_WRONG_KEY, 0, each, arg);
	if (s->told.in[0])
		form_draw(w, s, SCREEN_TOLD, 0, each, arg);
	for (int e = 0; e < INPUT_ERRORS; e++)
		if (s->errors[e].in[0])
			form_draw(w, s, SCREEN_WRONG_INPUT, e, each, arg);
	w->first = SESSION_ITEMS - 1;
	if (s->kind == SCREEN_LIST) {
		form_draw(w, s, SCREEN_FIRST, 0, each, arg);
		form_draw(w, s, SCREEN_WRONG_KEY, 0, each, arg);
	}
}

static void own_draw(const struct dialog *d, const char *name, const struct dialog_text *t, enum language l,
    audit_page_fn *each, void *arg)
{
	const struct screen_width width = screen_measure(t->in[l]);
	const struct audit_page page = {.screen = name,
	    .form = "first",
	    .language = l,
	    .text = t->in[l],
	    .gsm7 = width.gsm7,
	    .units = width.units,
	    .room = page_room(d, width.gsm7),
	    .line = t->line,
	    .column = t->column};

	each(arg, &page);
}

void audit_pages(const struct dialog *d, audit_page_fn *each, void *arg)
{
	struct drawing *w = mem_new(sizeof *w);

	w->d = d;
	w->wide = *d;
	w->wide.limits.ucs2 = w->wide.limits.gsm7 = ENDLESS;
	w->s = mem_new(sizeof *w->s);
	session_start(w->s, d, 1);
	for (size_t i = 0; i < d->screens_n; i++)
		for (enum language l = 0; l < LANGUAGES && d->screens[i].kind != SCREEN_DO; l++) {
			w->s->language = l;
			screen_draw(w, &d->screens[i], each, arg);
		}
	for (enum language l = 0; l < LANGUAGES; l++) {
		own_draw(d, "down", &d->down, l, each, arg);
		own_draw(d, "over", &d->over, l, each, arg);
		own_draw(d, "hidden", &d->hidden, l, each, arg);
	}
	free(w->s);
	free(w);
}

static void check_page(void *arg, const struct audit_page *p)
{
	struct audit *a = arg;

	if (p->units > p->room || strlen(p->text) >= SESSION_PAGE - 8)
		audit_fault(a, p->line, p->column,
		    "%s: %s in %s is %u characters, and %u of %s fit a page: shorten it by %u", p->screen,
		    p->form, language_name(p->language), p->units, p->room, p->gsm7 ? "GSM 7-bit" : "UCS-2",
		    p->units > p->room ? p->units - p->room : 1);
	else if (p->items < p->min_items)
		audit_fault(a, p->line, p->column,
		    "%s: %s in %s has room for %zu of %zu items: shorten its text or its item", p->screen,
		    p->form, language_name(p->language), p->items, p->min_items);
}

void audit_check_pages(struct audit *p)
{
	audit_pages(p->d, check_page, p);
}

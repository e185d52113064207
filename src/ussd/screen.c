/* screen: a page is lines: the text, the options or items with their keys, then the navigation. The alphabet
 * is known only when everything stands in it: one letter outside GSM 7-bit makes all of it UCS-2. A page of a
 * list takes as many items as fit, which is tried from the most downwards. */
#include "ussd/screen.h"

#include <stdio.h>
#include <string.h>

#include "text/gsm7.h"
#include "text/utf8.h"
#include "ussd/input.h"
#include "ussd/screen_body.h"

struct screen_width screen_measure(const char *text)
{
	unsigned septets = 0, units = 0;
	bool gsm7 = true;
	uint8_t room[2];
	uint32_t cp;
	size_t n = strlen(text), size;

	for (size_t at = 0; at < n; at += size) {
		if (!(size = utf8_next(text + at, n - at, &cp))) {
			size = 1;
			cp = 0xfffd;
		}
		size_t one = gsm7_encode(cp, room);

		gsm7 = gsm7 && one > 0;
		septets += (unsigned)one;
		units += cp > 0xffff ? 2 : 1;
	}
	return (struct screen_width){gsm7, gsm7 ? septets : units};
}

bool screen_fits(const struct dialog_limits *l, struct screen_width w)
{
	return w.units <= (w.gsm7 ? l->gsm7 : l->ucs2);
}

/* Octets of text that take at most max units. */
static size_t screen_octets(const char *text, unsigned max)
{
	size_t n = strlen(text), at = 0, size;
	unsigned units = 0;
	uint32_t cp;

	while (at < n && (size = utf8_next(text + at, n - at, &cp)) > 0) {
		units += cp > 0xffff ? 2 : 1;
		if (units > max)
			break;
		at += size;
	}
	return at;
}

void screen_cut(const char *text, unsigned max, char ret[SESSION_VALUE])
{
	size_t n = screen_octets(text, max);
	bool cut = text[n] != '\0';

	if (cut && max > 0)
		n = screen_octets(text, max - 1);
	if (n > SESSION_VALUE - 2)
		n = 0; /* no letter is so long: what answer_set and the engine keep is shorter */
	memmove(ret, text, n);
	if (cut && max > 0)
		ret[n++] = '.';
	ret[n] = '\0';
}

static void screen_fill_value(const struct dialog *d, const struct session *s, int v, struct buf *out)
{
	const struct contract_type *t = d->contracts->values[v].type;

	if (!t->secret && t->kind != VALUE_ID)
		buf_str(out, contract_show(t, s->values[v], s->language));
}

void screen_fill(const struct dialog *d, const struct session *s, const char *text, struct buf *out)
{
	const char *brace, *end;

	while ((brace = strchr(text, '{')) && (end = strchr(brace, '}'))) {
		int v = contract_value(d->contracts, brace + 1, (size_t)(end - brace - 1));

		buf_add(out, text, (size_t)(brace - text));
		if (v >= 0)
			screen_fill_value(d, s, v, out);
		text = end + 1;
	}
	buf_str(out, text);
}

unsigned screen_item_number(size_t i)
{
	unsigned n = 1;

	for (; i > 0; i--)
		n += n % 10 == 8 ? 2 : 1;
	return n;
}

/* The names of an item's fields: those of the result that brought it. */
static const char *screen_item_names(const struct dialog_screen *c)
{
	const struct service_result *r = service_shape(c->service)->results;

	while (r->name && !r->items)
		r++;
	return r->name ? r->items : "";
}

/* The item's fields stand in the session's values while its line is filled. */
static void screen_put_item(
    const struct dialog *d, struct session *s, const struct dialog_screen *c, size_t i, struct buf *out)
{
	const char *names = screen_item_names(c), *name;
	int values[SESSION_ITEM];
	char kept[SESSION_ITEM][SESSION_VALUE];
	size_t n = 0, len;

	for (; n < SESSION_ITEM && (name = service_next_name(&names, &len)) != NULL; n++)
		if ((values[n] = contract_value(d->contracts, name, len)) >= 0) {
			memcpy(kept[n], s->values[values[n]], SESSION_VALUE);
			memcpy(s->values[values[n]], s->items[i].fields[n], SESSION_VALUE);
		}
	buf_printf(out, "\n%u ", screen_item_number(i));
	screen_fill(d, s, c->item.in[s->language], out);
	while (n-- > 0)
		if (values[n] >= 0)
			memcpy(s->values[values[n]], kept[n], SESSION_VALUE);
}

static void screen_put_keys(const char *first, const char *last, struct buf *out)
{
	buf_str(out, first);
	if (strcmp(first, last) != 0)
		buf_printf(out, "%s%s", strlen(first) == 1 && last[0] == first[0] + 1 ? "," : "-", last);
}

/* A list's further pages lead back to the one before. The offer to continue has the place in a list beside
 * it. */
static bool screen_has_back(const struct session *s, const struct dialog_screen *c)
{
	return c->back || (c->kind == SCREEN_LIST && s->item_first > 0);
}

/* "1-3,9,0": what may be pressed, of a list with n items on its page. */
static void screen_put_all_keys(
    const struct session *s, const struct dialog_screen *c, size_t n, struct buf *out)
{
	char first[12], last[12];

	if (c->kind == SCREEN_LIST && n > 0) {
		snprintf(first, sizeof first, "%u", screen_item_number(s->item_first));
		snprintf(last, sizeof last, "%u", screen_item_number(s->item_first + n - 1));
		screen_put_keys(first, last, out);
		if (s->item_first + n < s->items_n)
			buf_str(out, ",9");
	} else if (c->options_n > 0) {
		screen_put_keys(c->options[0].key, c->options[c->options_n - 1].key, out);
	}
	if (screen_has_back(s, c))
		buf_str(out, ",0");
}

static void screen_put_wrong_key(
    const struct dialog *d, const struct session *s, const struct dialog_screen *c, size_t n, struct buf *out)
{
	const char *text = d->invalid.in[s->language], *keys = strstr(text, "{keys}");

	buf_add(out, text, keys ? (size_t)(keys - text) : strlen(text));
	if (keys) {
		screen_put_all_keys(s, c, n, out);
		buf_str(out, keys + strlen("{keys}"));
	}
}

/* n: items of a list on the page. */
static void screen_put(
    const struct dialog *d, struct session *s, enum screen_form form, int error, size_t n, struct buf *out)
{
	const struct dialog_screen *c = &d->screens[s->screen];

	if (form == SCREEN_TOLD)
		return screen_fill(d, s, c->told.in[s->language], out);
	if (form == SCREEN_WRONG_KEY)
		screen_put_wrong_key(d, s, c, n, out);
	else
		screen_fill(
		    d, s, (form == SCREEN_WRONG_INPUT ? &c->errors[error] : &c->text)->in[s->language], out);
	for (size_t i = 0; i < c->options_n; i++) {
		buf_printf(out, "\n%s ", c->options[i].key);
		screen_fill(d, s, c->options[i].text.in[s->language], out);
	}
	for (size_t i = 0; i < n; i++)
		screen_put_item(d, s, c, s->item_first + i, out);
	if (n > 0 && s->item_first + n < s->items_n)
		buf_printf(out, "\n%s", d->next.in[s->language]);
	else if (n > 0 && s->rest && d->rest.in[s->language])
		buf_printf(out, "\n%s", d->rest.in[s->language]);
	if (c->kind != SCREEN_END && screen_has_back(s, c))
		buf_printf(out, "\n%s", d->back.in[s->language]);
}

/* The page is what was put, cut to what a page may be. */
static bool screen_keep(const struct dialog *d, struct session *s, const struct buf *page)
{
	struct screen_width w = screen_measure(buf_text(page));
	bool fits = screen_fits(&d->limits, w) && page->len < SESSION_PAGE;
	size_t n = page->len;

	if (!fits) {
		n = screen_octets(buf_text(page), w.gsm7 ? d->limits.gsm7 : d->limits.ucs2);
		while (n >= SESSION_PAGE)
			n = screen_octets(buf_text(page), (unsigned)(n / 2));
	}
	memcpy(s->page, buf_text(page), n);
	s->page[n] = '\0';
	return fits;
}

bool screen_render(
    const struct dialog *d, struct session *s, enum screen_form form, int error, size_t *ret_items)
{
	bool list = d->screens[s->screen].kind == SCREEN_LIST;
	size_t n = list ? s->items_n - s->item_first : 0;
	struct buf page = {.wiped = true};
	bool fits;

	for (n = n < SCREEN_ITEMS ? n : SCREEN_ITEMS;; n--) {
		buf_clear(&page);
		screen_put(d, s, form, error, n, &page);
		fits = screen_fits(&d->limits, screen_measure(buf_text(&page)));
		if (fits || n <= 1)
			break;
	}
	fits = screen_keep(d, s, &page) && (!list || n > 0);
	buf_fini(&page);
	if (ret_items)
		*ret_items = n;
	return fits;
}

/* The kinds. Spots of a kind are looked for in the text anew each time: it is small, and nothing is kept that
 * could be wrong. */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spot.h"
#include "ussd/audit.h"

/* 1: the way to a screen is misspelt, or leads to one that was renamed. */
static void make_unknown_screen(struct bench *b, struct fault *f)
{
	static struct spots s;
	char *word;

	s.n = 0;
	spots_behind(b->file[0], "goto: ", &s);
	spots_behind(b->file[0], "then: ", &s);
	struct spot at = spot_any(b, &s);
	word = spot_text(b, 0, at);
	word[random_below(b, at.n)] = (char)('a' + random_below(b, 26));
	fault_put(b, f, 0, at, word);
	free(word);
}

/* 2: a result that a service gives has no branch. */
static void make_no_branch(struct bench *b, struct fault *f)
{
	static struct spots s;

	s.n = 0;
	spots_branches(b->file[0], &s);
	fault_put(b, f, 0, spot_any(b, &s), "");
}

/* 3: nothing leads to a screen: all its ways lead elsewhere, to one and the same other screen. */
static void make_orphan(struct bench *b, struct fault *f)
{
	const struct dialog *d = b->dialog;
	const char *from = d->screens[random_below(b, d->screens_n)].name,
	           *to = d->screens[random_below(b, d->screens_n)].name;
	static const char *const before[] = {"goto: ", "then: ", ": "};
	size_t n = strlen(from);

	f->file = 0;
	buf_clear(&f->text);
	for (const char *at = b->file[0]; *at; at++) {
		bool way = false;

		for (size_t i = 0; i < 3 && !way; i++) {
			size_t head = strlen(before[i]);

			way = (size_t)(at - b->file[0]) >= head && !memcmp(at - head, before[i], head) &&
			      !strncmp(at, from, n) && strchr(",}\n", at[n]);
		}
		if (way) {
			buf_str(&f->text, to);
			at += n - 1;
		} else {
			buf_char(&f->text, *at);
		}
	}
	snprintf(f->what, sizeof f->what, "all ways to %s lead to %s", from, to);
}

struct spare {
	int line;
	enum language language;
	unsigned spare;
};

static void spare_take(void *arg, const struct audit_page *p)
{
	struct spare *s = arg;
	unsigned room = p->gsm7 ? 80 : p->room; /* the letters that are put in are Cyrillic */

	if (p->line != s->line || p->language != s->language || strcmp(p->form, "first") != 0)
		return;
	s->spare = p->units < room ? room - p->units : 0;
}

/* 4: a screen's text is longer than its page, by 1 to 20 letters. Its room is measured by drawing; of lists,
 * whose items give way, two items more than fit are asked for. */
static void make_too_wide(struct bench *b, struct fault *f)
{
	static const char *const keys[] = {"kk: \"", "ru: \"", "en: \""};
	const struct dialog_screen *s;
	struct spare spare;
	struct buf text = {0};
	const char *line = b->file[0], *at;

	do
		s = &b->dialog->screens[random_below(b, b->dialog->screens_n)];
	while (s->kind == SCREEN_DO || s->kind == SCREEN_LIST || s->resume ||
	       !strcmp(s->text.in[0], s->text.in[1]));
	spare = (struct spare){s->text.line, (enum language)random_below(b, LANGUAGES), 0};
	audit_pages(b->dialog, spare_take, &spare);
	for (int i = 1; i < s->text.line; i++)
		line = strchr(line, '\n') + 1;
	at = strstr(line, keys[spare.language]) + strlen(keys[spare.language]);
	for (size_t i = 0, n = spare.spare + 1 + random_below(b, 20); i < n; i++)
		buf_str(&text, i % 7 == 6 ? " " : "о");
	fault_put(b, f, 0, (struct spot){(size_t)(at - b->file[0]), 0}, buf_text(&text));
	snprintf(f->what, sizeof f->what, "%s: %s longer by %zu octets", s->name,
	    language_name(spare.language), text.len);
	buf_fini(&text);
}

/* 5: a text lacks in one language, or is empty there. */
static void make_no_language(struct bench *b, struct fault *f)
{
	static struct spots s;
	int file = random_below(b, 4) == 0;
	struct spot at;

	s.n = 0;
	spots_texts(b->file[file], &s);
	at = spot_any(b, &s);
	if (random_below(b, 2) || b->file[file][at.at + at.n + 1] != ',') {
		fault_put(b, f, file, at, "");
		return;
	}
	at.at -= strlen("kk: \"");
	at.n += strlen("kk: \"\",");
	fault_put(b, f, file, at, "");
}

/* 6: a key stands twice on a page, is another's, or is one of the navigation's. */
static void make_bad_key(struct bench *b, struct fault *f)
{
	static const char *const keys[] = {"0", "9", "00", "1", "2", "3", "4", "5", "6", "#", "11", ""};
	static struct spots s;
	struct spot at;
	const char *to;

	s.n = 0;
	spots_behind(b->file[0], "key: \"", &s);
	at = spot_any(b, &s);
	do
		to = keys[random_below(b, sizeof keys / sizeof *keys)];
	while (strlen(to) == at.n && !memcmp(to, b->file[0] + at.at, at.n));
	fault_put(b, f, 0, at, to);
	snprintf(f->what, sizeof f->what, "key %.*s -> %s", (int)at.n, b->file[0] + at.at, to);
}

/* Values that are typed in secret or only handed on, and one that there is not. */
static const char *const never[] = {
    "iin", "kid", "parent", "pin", "code", "child", "item", "shown", "verify", "garden", "refitem", "nmae"};

/* 7: a text shows what must not be shown, is not there, or was typed by nobody. */
static void make_bad_value(struct bench *b, struct fault *f)
{
	static struct spots s;
	struct spot at;
	char *text, *to;

	s.n = 0;
	spots_texts(b->file[0], &s);
	at = spot_any(b, &s);
	text = spot_text(b, 0, at);
	to = mem_printf("%s {%s}", text, never[random_below(b, sizeof never / sizeof *never)]);
	fault_put(b, f, 0, at, to);
	free(text);
	free(to);
}

/* 8: the confirmation of a danger is gone round: what led to its page leads to the deed. */
static void make_unconfirmed(struct bench *b, struct fault *f)
{
	static const char *const deeds[] = {"take", "acc", "dec"};
	static struct spots s;
	struct spot at;
	const char *to = deeds[random_below(b, 3)];

	s.n = 0;
	spots_behind(b->file[0], "goto: ", &s);
	at = spot_any(b, &s);
	fault_put(b, f, 0, at, to);
}

/* 9: a letter is of the other alphabet. */
static void make_twin(struct bench *b, struct fault *f)
{
	static struct spots texts, s;
	struct spot at;
	size_t n;

	texts.n = s.n = 0;
	spots_texts(b->file[0], &texts);
	spots_twins(b->file[0], &texts, &s);
	at = spot_any(b, &s);
	fault_put(b, f, 0, at, twin_of(b->file[0] + at.at, &n));
	snprintf(f->what, sizeof f->what, "%.*s in \"%.80s\"", (int)at.n, b->file[0] + at.at,
	    b->file[0] + at.at - 20);
}

/* 10: an ending is glued to a value. */
static void make_glued(struct bench *b, struct fault *f)
{
	static const char *const endings[] = {
	    "де", "дан", "-ге", "нің", "-ші", "-й", "ах", "th", "'s", "s", "7"};
	static struct spots s;
	struct spot at;
	const char *brace;

	s.n = 0;
	spots_texts(b->file[0], &s);
	do {
		at = spot_any(b, &s);
		brace = memchr(b->file[0] + at.at, '}', at.n);
	} while (!brace || !strncmp(brace - 9, "{helpline", 9)); /* which is always the same, and no value */
	fault_put(b, f, 0, (struct spot){(size_t)(brace + 1 - b->file[0]), 0},
	    endings[random_below(b, sizeof endings / sizeof *endings)]);
	snprintf(f->what + strlen(f->what), sizeof f->what - strlen(f->what), " behind %.20s", brace - 6);
}

/* 11: the contract says something else than the service gives or takes. */
static void make_contract(struct bench *b, struct fault *f)
{
	static const char *const before[] = {"{", ", ", "results: {", "in: {", "with: {"};
	static struct spots s;
	const char *services = strstr(b->file[1], "\nservices:");
	struct spot at;
	char *word;

	s.n = 0;
	spots_behind(b->file[1], before[random_below(b, sizeof before / sizeof *before)], &s);
	do
		at = spot_any(b, &s);
	while (b->file[1] + at.at < services);
	word = spot_text(b, 1, at);
	word[random_below(b, at.n)] = (char)('a' + random_below(b, 26));
	fault_put(b, f, 1, at, word);
	free(word);
}

/* 12: what a service needs is typed into another value, or the next one is asked before it was typed. */
static void make_untyped(struct bench *b, struct fault *f)
{
	static const char *const values[] = {"iin", "app", "kid", "parent", "phone", "phone2", "pin", "code"};
	static struct spots s;
	struct spot at;
	const char *to;

	s.n = 0;
	spots_behind(b->file[0], "input: {name: ", &s);
	at = spot_any(b, &s);
	do
		to = values[random_below(b, sizeof values / sizeof *values)];
	while (strlen(to) == at.n && !memcmp(to, b->file[0] + at.at, at.n));
	fault_put(b, f, 0, at, to);
}

static const struct {
	const char *name;
	void (*make)(struct bench *b, struct fault *f);
} kinds[FAULT_KINDS] = {{"a way to a screen that is not there", make_unknown_screen},
    {"a result without a branch", make_no_branch}, {"a screen that nothing leads to", make_orphan},
    {"a page too wide by 1 to 20 letters", make_too_wide}, {"a text without a language", make_no_language},
    {"a key that is another's or the navigation's", make_bad_key},
    {"a secret, an id or no value shown", make_bad_value},
    {"a danger without its confirmation", make_unconfirmed}, {"a letter of the other alphabet", make_twin},
    {"an ending glued to a value", make_glued}, {"a contract that is not the service's", make_contract},
    {"a value that nobody typed", make_untyped}};

const char *fault_name(size_t kind)
{
	return kinds[kind].name;
}

void fault_make(struct bench *b, size_t kind, struct fault *f)
{
	do
		kinds[kind].make(b, f);
	while (f->text.len == b->len[f->file] && !memcmp(f->text.data, b->file[f->file], f->text.len));
}

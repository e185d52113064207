/* Texts, looked at letter by letter: what a linter of words would need a dictionary for is left to people. A
 * letter of another alphabet that only looks right turns a page of 160 characters into one of 80, and a
 * screen reader spells it; so words are of one alphabet, and a language has its own letters. */
#include <string.h>

#include "text/utf8.h"
#include "ussd/audit_body.h"

enum script { SCRIPT_NONE, SCRIPT_LATIN, SCRIPT_RUSSIAN, SCRIPT_KAZAKH, SCRIPT_OTHER };

/* Kazakh's own letters beside the Russian ones. */
static bool cp_is_kazakh(uint32_t cp)
{
	static const uint16_t own[] = {0x4d8, 0x4d9, 0x492, 0x493, 0x49a, 0x49b, 0x4a2, 0x4a3, 0x4e8, 0x4e9,
	    0x4b0, 0x4b1, 0x4ae, 0x4af, 0x4ba, 0x4bb, 0x406, 0x456};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (own[i] == cp)
			return true;
	return false;
}

static enum script cp_script(uint32_t cp)
{
	if (!utf8_is_letter(cp))
		return SCRIPT_NONE;
	if (cp < 0x250)
		return SCRIPT_LATIN;
	if ((cp >= 0x410 && cp <= 0x44f) || cp == 0x401 || cp == 0x451)
		return SCRIPT_RUSSIAN;
	return cp_is_kazakh(cp) ? SCRIPT_KAZAKH : SCRIPT_OTHER;
}

/* The next word from *text on: its letters, and of which scripts they are, as bits. False at the end. Names
 * in braces are no words. */
struct word {
	const char *at;
	size_t n, letters;
	unsigned scripts;
};

static bool word_next(const char **text, struct word *w)
{
	const char *at = *text;
	bool name = false;
	size_t len;
	uint32_t cp;

	*w = (struct word){0};
	for (; *at && (len = utf8_next(at, strlen(at), &cp)) > 0; at += len) {
		enum script s = name ? SCRIPT_NONE : cp_script(cp);

		name = cp == '{' || (name && cp != '}');
		if (s == SCRIPT_NONE && w->letters)
			break;
		if (s == SCRIPT_NONE)
			continue;
		w->at = w->letters ? w->at : at;
		w->letters++;
		w->scripts |= 1u << s;
	}
	*text = at;
	w->n = w->letters ? (size_t)(at - w->at) : 0;
	return w->letters > 0;
}

static const char *word_fault(const struct word *w, enum language l, bool all)
{
	bool latin = w->scripts & (1u << SCRIPT_LATIN), kazakh = w->scripts & (1u << SCRIPT_KAZAKH),
	     cyrillic = kazakh || w->scripts & (1u << SCRIPT_RUSSIAN);

	if (latin && cyrillic)
		return "has letters of two alphabets, of which some only look right: type it anew";
	if (w->scripts & (1u << SCRIPT_OTHER))
		return "has letters that are neither Kazakh nor Russian nor Latin";
	if (all)
		return NULL;
	if (l == LANGUAGE_EN && cyrillic)
		return "is of Cyrillic letters in an English text";
	if (l == LANGUAGE_RU && kazakh)
		return "has Kazakh letters in a Russian text";
	if (l != LANGUAGE_EN && latin && w->letters == 1)
		return "is one Latin letter: type it anew";
	return NULL;
}

static bool text_is_for_all(const struct dialog_text *t)
{
	return !strcmp(t->in[LANGUAGE_KK], t->in[LANGUAGE_RU]) &&
	       !strcmp(t->in[LANGUAGE_KK], t->in[LANGUAGE_EN]);
}

static const char *screen_name(const struct dialog_screen *s)
{
	return s ? s->name : "the dialog's own text";
}

static void check_words(
    struct audit *p, const struct dialog_screen *s, const struct dialog_text *t, enum language l)
{
	const char *at = t->in[l], *why;
	struct word w;

	while (word_next(&at, &w))
		if ((why = word_fault(&w, l, text_is_for_all(t))) != NULL)
			audit_fault(p, t->line, t->column, "%s: %s: \"%.*s\" %s", screen_name(s),
			    language_name(l), (int)w.n, w.at, why);
}

/* Whether what stands right before or behind a value makes one word with it. */
static bool cp_joins(uint32_t cp)
{
	return utf8_is_letter(cp) || utf8_digit(cp) >= 0 || cp == '{';
}

/* Behind a value: letters, also behind a hyphen, an apostrophe or a closing quote. */
static bool tail_joins(const char *at)
{
	static const uint32_t links[] = {'-', 0x2010, 0x2011, '\'', 0x2019, 0xbb, '"', 0x201d};
	size_t n = strlen(at), len;
	uint32_t cp;

	for (bool linked = true; linked && (len = utf8_next(at, n, &cp)) > 0; at += len, n -= len) {
		if (cp_joins(cp))
			return true;
		linked = false;
		for (size_t i = 0; i < sizeof links / sizeof *links; i++)
			linked |= links[i] == cp;
	}
	return false;
}

static bool head_joins(const char *text, const char *brace)
{
	uint32_t cp = 0;
	size_t len;

	for (const char *at = text; at < brace; at += len)
		if (!(len = utf8_next(at, (size_t)(brace - at), &cp)))
			return false;
	return cp_joins(cp) || cp == '}';
}

static void check_glue(
    struct audit *p, const struct dialog_screen *s, const struct dialog_text *t, enum language l)
{
	const char *at = t->in[l], *name;
	size_t n;

	while ((name = audit_next_param(&at, &n)) != NULL)
		if (tail_joins(at) || head_joins(t->in[l], name - 1))
			audit_fault(p, t->line, t->column,
			    "%s: %s: something is glued to {%.*s}, which is wrong for some of its values: "
			    "use a label, as in \"{%.*s}. SMS\"",
			    screen_name(s), language_name(l), (int)n, name, (int)n, name);
}

/* A text says the same in each language. */
static void check_params(
    struct audit *p, const struct dialog_screen *s, const struct dialog_text *t, enum language l)
{
	const char *name;
	size_t n;

	for (enum language other = 0; other < LANGUAGES; other++)
		for (const char *at = t->in[other]; (name = audit_next_param(&at, &n)) != NULL;)
			if (!audit_has_param(t->in[l], name, n))
				audit_fault(p, t->line, t->column, "%s: %s lacks {%.*s}, which %s has",
				    screen_name(s), language_name(l), (int)n, name, language_name(other));
}

/* Navigation begins with its key; what is said of a wrong key says which there are; items of a list differ
 * by their values. */
static const char *text_lacks(const char *text, enum audit_text_kind kind)
{
	if (kind == AUDIT_NEXT && strncmp(text, "9 ", 2) != 0)
		return "begins with its key and a blank, \"9 \"";
	if (kind == AUDIT_BACK && strncmp(text, "0 ", 2) != 0)
		return "begins with its key and a blank, \"0 \"";
	if (kind == AUDIT_ITEM && !strchr(text, '{'))
		return "shows a value of the item: else all items look the same";
	return NULL;
}

static void check_text(struct audit *p, const struct dialog_screen *s, const struct dialog_text *t,
    enum audit_text_kind kind, void *arg)
{
	(void)arg;
	for (enum language l = 0; l < LANGUAGES; l++) {
		const char *lacks = text_lacks(t->in[l], kind);

		if (lacks)
			audit_fault(p, t->line, t->column, "%s: %s: expected is a text that %s",
			    screen_name(s), language_name(l), lacks);
		check_words(p, s, t, l);
		check_glue(p, s, t, l);
		check_params(p, s, t, l);
	}
}

/* A wrong key is told "1-3", so keys are that: from 1 upwards, in order. 0, 9 and 00 lead back, on and
 * home. */
static void check_keys(struct audit *p, const struct dialog_screen *s)
{
	for (size_t i = 0; i < s->options_n; i++) {
		const struct dialog_option *o = &s->options[i];
		bool reserved = *o->key == '0' || *o->key == '9';

		if (reserved)
			audit_fault(p, o->line, o->column,
			    "%s: key %s: 0, 9 and 00 are back, next and home everywhere", s->name, o->key);
		else if (o->key[0] != (char)('1' + i) || o->key[1])
			audit_fault(p, o->line, o->column,
			    "%s: key %s: keys are 1, 2, 3 in their order, each once; this is %zu", s->name,
			    o->key, i + 1);
	}
}

static void check_invalid(struct audit *p)
{
	const struct dialog_text *t = &p->d->invalid;

	for (enum language l = 0; l < LANGUAGES; l++)
		if (!audit_has_param(t->in[l], "keys", 4))
			audit_fault(p, t->line, t->column, "invalid: %s: lacks {keys}", language_name(l));
}

void audit_check_texts(struct audit *p)
{
	const struct dialog *d = p->d;

	for (size_t i = 0; i < d->screens_n; i++) {
		audit_screen_texts(p, &d->screens[i], check_text, NULL);
		check_keys(p, &d->screens[i]);
	}
	check_text(p, NULL, &d->next, AUDIT_NEXT, NULL);
	check_text(p, NULL, &d->back, AUDIT_BACK, NULL);
	if (d->rest.in[0])
		check_text(p, NULL, &d->rest, AUDIT_OWN, NULL);
	check_text(p, NULL, &d->down, AUDIT_OWN, NULL);
	check_text(p, NULL, &d->over, AUDIT_OWN, NULL);
	check_text(p, NULL, &d->hidden, AUDIT_OWN, NULL);
	for (enum language l = 0; l < LANGUAGES; l++) {
		check_words(p, NULL, &d->invalid, l);
		check_glue(p, NULL, &d->invalid, l);
	}
	check_invalid(p);
}

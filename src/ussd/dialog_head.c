/* The head of a dialog: its name, languages, limits, shortcuts, tasks, and the texts of the engine itself. */
#include <stdio.h>
#include <string.h>

#include "base/keys.h"
#include "ussd/dialog_body.h"

struct limits_written {
	int64_t ucs2, gsm7, turns, seconds, seconds_of_page, seconds_of_digit;
};

#define AT(field) offsetof(struct limits_written, field)

static const struct key table[] = {
    {"ucs2", KEY_INT, AT(ucs2), "80", 20, 91, NULL, true, "", ""},
    {"gsm7", KEY_INT, AT(gsm7), "160", 20, 182, NULL, true, "", ""},
    {"turns", KEY_INT, AT(turns), "8", 1, 50, NULL, true, "", ""},
    {"seconds", KEY_INT, AT(seconds), "100", 10, 600, NULL, true, "", ""},
    {"seconds_of_page", KEY_INT, AT(seconds_of_page), "8", 1, 60, NULL, true, "", ""},
    {"seconds_of_digit", KEY_INT, AT(seconds_of_digit), "1", 0, 10, NULL, true, "", ""},
};
#define KEYS (sizeof table / sizeof *table)

static void limits_read(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "limits");
	struct limits_written w = {0};

	if (!dialog_is(r, root, node, YAML_MAP, "limits"))
		return;
	keys_read(table, KEYS, NULL, node, &w, r->faults);
	r->d->limits = (struct dialog_limits){.ucs2 = (unsigned)w.ucs2,
	    .gsm7 = (unsigned)w.gsm7,
	    .turns = (unsigned)w.turns,
	    .seconds = (unsigned)w.seconds,
	    .seconds_of_page = (unsigned)w.seconds_of_page,
	    .seconds_of_digit = (unsigned)w.seconds_of_digit};
}

/* Keys that every parent has learned once; written down so that an author sees them. */
static void nav_check(const struct dialog_reading *r, const struct yaml_node *root)
{
	static const char *const keys[][2] = {{"back", "0"}, {"next", "9"}, {"home", "00"}};
	const struct yaml_node *nav = yaml_get(root, "nav");

	if (!dialog_is(r, root, nav, YAML_MAP, "nav"))
		return;
	dialog_check_keys(r, nav, "back next home");
	for (size_t i = 0; i < 3; i++) {
		const struct yaml_node *node = yaml_get(nav, keys[i][0]);

		if (!node || node->kind != YAML_TEXT || strcmp(node->text, keys[i][1]) != 0)
			faults_at(r->faults, node ? node : nav,
			    "nav: the keys are fixed: {back: \"0\", next: \"9\", home: \"00\"}");
	}
}

static void languages_check(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "languages");
	bool good = dialog_is(r, root, node, YAML_LIST, "languages");

	if (good && node->count != LANGUAGES)
		good = false;
	for (size_t i = 0; good && i < LANGUAGES; i++)
		good = node->children[i].kind == YAML_TEXT &&
		       !strcmp(node->children[i].text, language_name((enum language)i));
	if (node && !good)
		faults_at(r->faults, node, "languages: [kk, ru, en] is expected: kezek has these");
}

/* A short text of ASCII, at most room - 1 octets. */
static void word_read(
    const struct dialog_reading *r, const struct yaml_node *root, const char *key, char *ret, size_t room)
{
	const struct yaml_node *node = yaml_get(root, key);

	if (!dialog_is(r, root, node, YAML_TEXT, key))
		return;
	if (!*node->text || strlen(node->text) >= room ||
	    strspn(node->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
	        strlen(node->text))
		faults_at(r->faults, node, "%s: 1 to %zu letters, digits, dots and dashes are expected", key,
		    room - 1);
	else
		snprintf(ret, room, "%s", node->text);
}

static void first_read(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *first = yaml_get(root, "first"), *entry = yaml_get(root, "entry");

	if (dialog_is(r, root, first, YAML_TEXT, "first") &&
	    language_parse(first->text, &r->d->first) != KZ_OK)
		faults_at(r->faults, first, "first: kk, ru or en is expected");
	if (dialog_is(r, root, entry, YAML_TEXT, "entry"))
		r->d->entry = dialog_read_screen(r, entry);
}

static void shortcut_read(const struct dialog_reading *r, const struct yaml_node *node)
{
	struct dialog_shortcut *s = &r->d->shortcuts[r->d->shortcuts_n];
	size_t n = strspn(node->key, "0123456789");

	if (n < 1 || n >= sizeof s->digits || node->key[n])
		faults_at(r->faults, node, "\"%.40s\": a shortcut is 1 to %zu digits, as in *123*2#",
		    node->key, sizeof s->digits - 1);
	else {
		snprintf(s->digits, sizeof s->digits, "%s", node->key);
		s->screen = dialog_read_screen(r, node);
		r->d->shortcuts_n++;
	}
}

static void shortcuts_read(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *all = yaml_get(root, "shortcuts");

	if (!all || !dialog_is(r, root, all, YAML_MAP, "shortcuts"))
		return;
	if (all->count > DIALOG_SHORTCUTS)
		faults_at(r->faults, all, "more than %d shortcuts", DIALOG_SHORTCUTS);
	for (size_t i = 0; i < all->count && i < DIALOG_SHORTCUTS; i++)
		shortcut_read(r, &all->children[i]);
}

static void task_read(const struct dialog_reading *r, const struct yaml_node *node)
{
	struct dialog_task *t = &r->d->tasks[r->d->tasks_n++];
	const struct yaml_node *screen, *turns;

	*t = (struct dialog_task){.screen = -1, .line = node->line, .column = node->column};
	dialog_read_name(r, node, node->key, t->name);
	if (!dialog_is(r, node, node, YAML_MAP, "a task, {screen: .., turns: 2},"))
		return;
	dialog_check_keys(r, node, "screen turns");
	screen = yaml_get(node, "screen");
	turns = yaml_get(node, "turns");
	if (dialog_is(r, node, screen, YAML_TEXT, "screen"))
		t->screen = dialog_read_screen(r, screen);
	if (dialog_is(r, node, turns, YAML_TEXT, "turns"))
		t->turns = dialog_read_number(r, turns, 0, 20);
}

static void tasks_read(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *all = yaml_get(root, "tasks");

	if (!all || !dialog_is(r, root, all, YAML_MAP, "tasks"))
		return;
	if (all->count > DIALOG_TASKS)
		faults_at(r->faults, all, "more than %d tasks", DIALOG_TASKS);
	for (size_t i = 0; i < all->count && i < DIALOG_TASKS; i++)
		task_read(r, &all->children[i]);
}

static void texts_read(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *nav = yaml_get(root, "navtext"), *pages = yaml_get(root, "pages");

	dialog_read_text(r, root, "invalid", "keys", &r->d->invalid);
	if (dialog_is(r, root, nav, YAML_MAP, "navtext")) {
		dialog_check_keys(r, nav, "next back rest");
		dialog_read_text(r, nav, "next", "", &r->d->next);
		dialog_read_text(r, nav, "back", "", &r->d->back);
		if (yaml_get(nav, "rest"))
			dialog_read_text(r, nav, "rest", "", &r->d->rest);
	}
	if (dialog_is(r, root, pages, YAML_MAP, "pages")) {
		dialog_check_keys(r, pages, "down over hidden");
		dialog_read_text(r, pages, "down", "", &r->d->down);
		dialog_read_text(r, pages, "over", "", &r->d->over);
		dialog_read_text(r, pages, "hidden", "", &r->d->hidden);
	}
}

void dialog_read_head(const struct dialog_reading *r, const struct yaml_node *root)
{
	dialog_check_keys(r, root,
	    "dialog version languages first entry nav limits shortcuts tasks navtext invalid pages screens");
	word_read(r, root, "dialog", r->d->name, sizeof r->d->name);
	word_read(r, root, "version", r->d->version, sizeof r->d->version);
	languages_check(r, root);
	first_read(r, root);
	nav_check(r, root);
	limits_read(r, root);
	shortcuts_read(r, root);
	tasks_read(r, root);
	texts_read(r, root);
}

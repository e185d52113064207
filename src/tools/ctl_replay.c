/* ctl_replay: a file is a map of transcripts by name. Each says which code is dialled, what the services
 * answer, in their order and the last one again and again, and steps: what is typed (drop: yes for a call
 * that is dropped and dialled again; push: yes alone, for what is told to who did not dial) and the page that
 * the phone shows then, every letter of it. */
#include "ctl_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl_cover.h"
#include "ctl_handset.h"

struct replay {
	struct handset handset;
	struct cover *cover;
	const struct yaml_node *answers; /* of the transcript, NULL: none */
	size_t taken[SERVICES];          /* of its answers */
	const struct yaml_node *now;     /* the step, for faults */
	struct faults *faults;
};

/* The next answer that the transcript has for the service: a map of one result. */
static const struct yaml_node *replay_next(struct replay *r, enum service service)
{
	const struct yaml_node *list = r->answers ? yaml_get(r->answers, service_shape(service)->name) : NULL;
	size_t n;

	if (!list || list->kind != YAML_LIST || list->count == 0)
		return NULL;
	n = r->taken[service] < list->count ? r->taken[service]++ : list->count - 1;
	list = &list->children[n];
	return list->kind == YAML_MAP && list->count == 1 ? &list->children[0] : NULL;
}

static bool replay_add_items(struct replay *r, const struct yaml_node *items, struct answer *a)
{
	for (size_t i = 0; items->kind == YAML_LIST && i < items->count; i++) {
		const struct yaml_node *item = &items->children[i];
		const char *texts[SESSION_ITEM];
		size_t n = 0;

		for (; item->kind == YAML_LIST && n < item->count && n < SESSION_ITEM; n++)
			texts[n] = item->children[n].text ? item->children[n].text : "";
		if (n == 0 || n < item->count) {
			faults_at(r->faults, item, "an item is a list of at most %d texts", SESSION_ITEM);
			return false;
		}
		answer_add(a, texts, n);
	}
	return true;
}

static bool replay_add_fields(struct replay *r, const struct yaml_node *fields, struct answer *a)
{
	const struct contracts *c = r->handset.dialog->contracts;

	for (size_t i = 0; fields->kind == YAML_MAP && i < fields->count; i++) {
		const struct yaml_node *f = &fields->children[i];
		int v = contract_value(c, f->key, strlen(f->key));

		if (strcmp(f->key, "items") == 0) {
			if (!replay_add_items(r, f, a))
				return false;
		} else if (v < 0 || f->kind != YAML_TEXT || a->fields_n == ANSWER_FIELDS) {
			faults_at(r->faults, f, "\"%s\" is no value of the contracts", f->key);
			return false;
		} else {
			answer_set(a, c->values[v].name, f->text);
		}
	}
	return true;
}

static bool replay_answer(void *arg, enum service service, struct answer *a)
{
	struct replay *r = arg;
	const struct service_result *shape = service_shape(service)->results;
	const struct yaml_node *answer = replay_next(r, service);

	while (answer && shape->name && strcmp(shape->name, answer->key) != 0)
		shape++;
	if (!answer || !shape->name) {
		faults_at(r->faults, answer ? answer : r->now,
		    "%s was asked and has no answer here: say it as answers: {%s: [{result: {value: text}}]}",
		    service_shape(service)->name, service_shape(service)->name);
		return false;
	}
	answer_start(a, shape->name);
	return replay_add_fields(r, answer, a);
}

static void replay_answered(void *arg, int screen, const char *result)
{
	struct replay *r = arg;

	cover_result(r->cover, screen, result);
}

struct replay *replay_new(const struct dialog *d)
{
	struct replay *r = mem_new(sizeof *r);

	r->handset =
	    (struct handset){.dialog = d, .answer = replay_answer, .answered = replay_answered, .arg = r};
	r->cover = cover_new(d);
	return r;
}

void replay_free(struct replay *r)
{
	cover_free(r->cover);
	session_wipe(&r->handset.session);
	free(r);
}

static void replay_put_page(struct buf *out, const char *page)
{
	buf_str(out, "      shows: |\n        ");
	for (; *page; page++) {
		buf_char(out, *page);
		if (*page == '\n')
			buf_str(out, "        ");
	}
	buf_char(out, '\n');
}

/* Without the line end that a block of YAML brings. */
static bool replay_same(const char *expected, const char *page)
{
	size_t n = strlen(expected);

	n -= n > 0 && expected[n - 1] == '\n';
	return strlen(page) == n && memcmp(expected, page, n) == 0;
}

static void replay_judge(struct replay *r, const struct yaml_node *step, struct buf *out)
{
	const struct session *s = &r->handset.session;
	const struct yaml_node *shows = yaml_get(step, "shows");

	cover_screen(r->cover, s->screen);
	if (out)
		replay_put_page(out, s->page);
	else if (!shows || shows->kind != YAML_TEXT || !replay_same(shows->text, s->page))
		faults_at(r->faults, shows ? shows : step, "screen %s shows:\n%s\n",
		    r->handset.dialog->screens[s->screen].name, s->page);
}

static bool replay_push(struct replay *r, const char *code, enum language l)
{
	struct session *s = &r->handset.session;

	if (!handset_dial(&r->handset, code, l))
		return false;
	if (!engine_is_pushed(r->handset.dialog, s)) {
		faults_at(r->faults, r->now, "screen %s has no text told, so it is not pushed",
		    r->handset.dialog->screens[s->screen].name);
		return false;
	}
	engine_tell(r->handset.dialog, s);
	cover_told(r->cover, s->screen);
	return true;
}

/* The key of the step, of those that have no text. */
static const char *replay_word(const struct yaml_node *step)
{
	return yaml_get(step, "push") ? "push" : yaml_get(step, "dial") ? "dial" : "drop";
}

static bool replay_step(struct replay *r, const struct yaml_node *step, const char *code, enum language l)
{
	const struct yaml_node *type = yaml_get(step, "type");
	struct engine_step did;

	if (yaml_get(step, "push"))
		return replay_push(r, code, l);
	if (yaml_get(step, "dial"))
		return handset_dial(&r->handset, code, l);
	if (yaml_get(step, "drop"))
		return handset_redial(&r->handset);
	if (!type || type->kind != YAML_TEXT || r->handset.session.ended) {
		faults_at(
		    r->faults, step, "a step has type: TEXT or drop: yes, and none follows the last page");
		return false;
	}
	bool done = handset_type(&r->handset, type->text, &did);
	cover_typed(r->cover, &did, type->text);
	return done;
}

static void replay_put_step(struct buf *out, const struct yaml_node *step)
{
	const struct yaml_node *type = yaml_get(step, "type");

	if (type && type->kind == YAML_TEXT) {
		buf_str(out, "    - type: \"");
		for (const char *t = type->text; *t; t++)
			buf_printf(out, "%s%c", *t == '"' || *t == '\\' ? "\\" : "", *t);
		buf_str(out, "\"\n");
	} else
		buf_printf(out, "    - %s: yes\n", replay_word(step));
}

static void replay_transcript(struct replay *r, const struct yaml_node *t, struct buf *out)
{
	const struct yaml_node *code = yaml_get(t, "code"), *steps = yaml_get(t, "steps"),
	                       *language = yaml_get(t, "language");
	enum language l = LANGUAGES;

	r->answers = yaml_get(t, "answers");
	memset(r->taken, 0, sizeof r->taken);
	if (!code || code->kind != YAML_TEXT || !steps || steps->kind != YAML_LIST || steps->count == 0 ||
	    strcmp(replay_word(&steps->children[0]), "drop") == 0 ||
	    (language && (language->kind != YAML_TEXT || language_parse(language->text, &l) != KZ_OK))) {
		faults_at(r->faults, t,
		    "a transcript has code: \"*123#\", perhaps language: kk, answers, and steps of which the "
		    "first is dial: yes or push: yes");
		return;
	}
	for (size_t i = 0; i < steps->count; i++) {
		r->now = &steps->children[i];
		if (!replay_step(r, r->now, code->text, l))
			return;
		if (out)
			replay_put_step(out, r->now);
		replay_judge(r, r->now, out);
	}
}

/* The lines of a transcript up to its steps, with the comments above it, as they are in the file. */
static void replay_copy_head(const struct yaml_node *t, const struct yaml_node *before, char *const *lines,
    size_t lines_n, struct buf *out)
{
	const struct yaml_node *steps = yaml_get(t, "steps");
	size_t from = before ? (size_t)t->key_line - 1 : 0, to = steps ? (size_t)steps->key_line : from;

	while (before && from > 0 && (lines[from - 1][0] == '#' || lines[from - 1][0] == '\0'))
		from--;
	for (size_t i = from; i < to && i < lines_n; i++)
		buf_printf(out, "%s\n", lines[i]);
}

static size_t replay_split(char *text, char ***ret)
{
	size_t n = 0;
	char **lines = NULL;

	for (char *line; (line = strsep(&text, "\n"));) {
		lines = mem_grow(lines, n + 1, sizeof *lines);
		lines[n++] = line;
	}
	*ret = lines;
	return n;
}

/* What yaml_load read, as lines; it has seen to their bound. */
static size_t replay_lines(const char *path, struct buf *text, char ***ret)
{
	FILE *f = fopen(path, "re");
	size_t n;

	while (f && (n = fread(buf_space(text, 4096), 1, 4096, f)) > 0)
		buf_wrote(text, n);
	if (f)
		fclose(f);
	buf_str(text, "");
	return text->len ? replay_split(text->data, ret) : 0;
}

size_t replay_file(struct replay *r, const char *path, struct buf *out, struct faults *faults)
{
	struct yaml *y = yaml_load(path, faults);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;
	struct buf text = {0};
	char **lines = NULL;
	size_t lines_n = out && y ? replay_lines(path, &text, &lines) : 0, n = 0;

	r->faults = faults;
	if (root && root->kind != YAML_MAP)
		faults_at(faults, root, "a map of transcripts by name is expected");
	for (; root && root->kind == YAML_MAP && n < root->count; n++) {
		const struct yaml_node *t = &root->children[n];

		if (out)
			replay_copy_head(t, n ? &root->children[n - 1] : NULL, lines, lines_n, out);
		replay_transcript(r, t, out);
	}
	free(lines);
	buf_fini(&text);
	yaml_tree_free(y);
	return n;
}

void replay_uncovered(const struct replay *r, struct faults *faults)
{
	cover_missing(r->cover, faults);
}

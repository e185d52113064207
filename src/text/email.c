/* An email is two templates of one name, which share the parameters: the text has all of them, the subject
 * those that it likes. Neither is measured in SMS. */
#include "text/email.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/template_body.h"

struct emails {
	struct templates *subjects, *texts;
};

/* The longest value of a parameter. */
static size_t param_octets(struct param_type t)
{
	switch (t.kind) {
	case PARAM_TEXT:
	case PARAM_NAME:
		return (size_t)t.max * 3;
	case PARAM_TIME:
	case PARAM_DAY:
	case PARAM_DATE:
	case PARAM_MOMENT:
		return strlen("19.09 17:02");
	default:
		return t.max;
	}
}

static void subject_prove(
    const struct template *t, enum language l, const struct yaml_node *node, struct faults *faults)
{
	const struct template_text *x = &t->texts[l];
	size_t octets = 0;

	for (size_t i = 0; i < x->count; i++)
		octets +=
		    x->pieces[i].is_param ? param_octets(t->types[x->pieces[i].param]) : x->pieces[i].len;
	if (octets > EMAIL_SUBJECT)
		faults_at(faults, node, "with the longest values the subject takes %zu octets, over %d",
		    octets, EMAIL_SUBJECT);
	if (x->text && strchr(x->text, '\n'))
		faults_at(faults, node, "a subject is one line");
}

/* One language's map of subject and text. */
static void email_load_language(struct template *subject, struct template *text, enum language l,
    const struct yaml_node *node, struct faults *faults)
{
	const struct yaml_node *s = yaml_get(node, "subject"), *t = yaml_get(node, "text");

	if (node->kind != YAML_MAP || !s || !t || node->count != 2) {
		faults_at(faults, node, "%s: a map of subject and text is expected", language_name(l));
		return;
	}
	int before = faults->count;
	template_load_text(subject, &subject->texts[l], s, faults);
	template_load_text(text, &text->texts[l], t, faults);
	if (faults->count != before)
		return;
	subject_prove(subject, l, s, faults);
	template_prove_params(text, l, t, faults);
}

static void email_load_languages(
    struct template *subject, struct template *text, const struct yaml_node *node, struct faults *faults)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *child = &node->children[i];
		enum language l;

		if (language_parse(child->key, &l) == KZ_OK)
			email_load_language(subject, text, l, child, faults);
		else if (strcmp(child->key, "params") != 0)
			faults_at(faults, child,
			    "\"%s\" is not a language; known are kk, ru and en, beside params", child->key);
	}
	for (enum language l = 0; l < LANGUAGES; l++)
		if (!yaml_get(node, language_name(l)))
			faults_at(
			    faults, node, "email \"%s\" lacks the language %s", node->key, language_name(l));
}

static void email_load(struct emails *e, const struct yaml_node *node, struct faults *faults)
{
	int before = faults->count;
	struct faults said = {0};
	struct template *text = template_add(e->texts, node, faults);
	struct template *subject = template_add(e->subjects, node, &said);

	if (node->kind != YAML_MAP) {
		faults_at(faults, node, "email \"%s\" must be a map of params, kk, ru and en", node->key);
	} else {
		template_load_params(text, yaml_get(node, "params"), faults);
		template_load_params(subject, yaml_get(node, "params"), &said);
		if (faults->count == before) /* else every use of a parameter would be a fault too */
			email_load_languages(subject, text, node, faults);
	}
	faults_fini(&said);
}

struct emails *emails_load(const char *path, const struct words *w, struct faults *faults)
{
	struct emails *e = mem_new(sizeof *e);
	struct yaml *y = yaml_load(path, faults);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;

	if (y)
		words_put(y, w);
	e->subjects = templates_new();
	e->texts = templates_new();
	if (root && root->kind != YAML_MAP)
		faults_at(faults, root, "a map of names to emails is expected");
	for (size_t i = 0; root && root->kind == YAML_MAP && i < root->count; i++)
		email_load(e, &root->children[i], faults);
	yaml_tree_free(y);
	return e;
}

void emails_free(struct emails *e)
{
	if (!e)
		return;
	templates_free(e->subjects);
	templates_free(e->texts);
	free(e);
}

const struct template *email_subject(const struct emails *e, const char *name)
{
	return template_find(e->subjects, name);
}

const struct template *email_text(const struct emails *e, const char *name)
{
	return template_find(e->texts, name);
}

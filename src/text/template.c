/* A text is cut into pieces once, when it is loaded: literal runs and the numbers of parameters. Filling then
 * neither parses nor can fail on the text, and what a parameter brings is never read for braces. */
#include "text/template.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "text/utf8.h"

#define TEMPLATE_MAX_NAME   32
#define TEMPLATE_MAX_TEXT   2000
#define TEMPLATE_MAX_PARAMS 16
#define TEMPLATE_MAX_PIECES 64
#define TEMPLATE_MAX_VALUE  200

/* A literal of len octets at from in the text, or the value of a parameter. */
struct template_piece {
	bool is_param;
	uint8_t param;
	uint16_t from, len;
};

struct template_text {
	char *text;
	struct template_piece pieces[TEMPLATE_MAX_PIECES];
	size_t count;
	uint32_t used; /* a bit for each parameter it has */
};

struct template
{
	struct map_node node;
	char *name;
	char *params[TEMPLATE_MAX_PARAMS];
	size_t count;
	struct template_text texts[LANGUAGES];
};

struct templates {
	struct map by_name; /* owns them */
};

static bool template_equal(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, struct template, node)->name, key);
}

static struct template *template_get(const struct templates *t, const char *name)
{
	struct map_node *n = map_get(&t->by_name, map_hash_bytes(name, strlen(name)), name);

	return n ? map_entry(n, struct template, node) : NULL;
}

static void template_free(struct template *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->params[i]);
	for (size_t i = 0; i < LANGUAGES; i++)
		free(t->texts[i].text);
	free(t->name);
	free(t);
}

/* Octets of s that make a name: a-z, then a-z, 0-9 and _. */
static size_t name_span(const char *s)
{
	if (*s < 'a' || *s > 'z')
		return 0;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

static bool name_is_good(const char *s)
{
	size_t n = name_span(s);

	return n && n <= TEMPLATE_MAX_NAME && !s[n];
}

/* The number of the parameter, which is new with its first mention; TEMPLATE_MAX_PARAMS when there are too
 * many. */
static size_t param_number(struct template *t, const char *name, size_t len)
{
	size_t i = 0;

	while (i < t->count && (strlen(t->params[i]) != len || memcmp(t->params[i], name, len) != 0))
		i++;
	if (i == t->count && i < TEMPLATE_MAX_PARAMS)
		t->params[t->count++] = mem_strn(name, len);
	return i;
}

/* One piece that starts at from; its length with braces, or 0 with *ret_fault set. */
static size_t piece_take(struct template *t, struct template_text *x, size_t from, const char **ret_fault)
{
	const char *s = x->text + from;
	struct template_piece piece = {.from = (uint16_t)from};
	size_t len = strcspn(s, "{}");

	if (x->count == TEMPLATE_MAX_PIECES) {
		*ret_fault = "too many parameters in one text";
		return 0;
	}
	if (!len) {
		size_t name = *s == '{' ? name_span(s + 1) : 0;
		if (!name || name > TEMPLATE_MAX_NAME || s[1 + name] != '}') {
			*ret_fault = "a brace that is not around a parameter's name, like {code}";
			return 0;
		}
		size_t number = param_number(t, s + 1, name);
		if (number == TEMPLATE_MAX_PARAMS) {
			*ret_fault = "more than 16 parameters in one template";
			return 0;
		}
		piece.is_param = true;
		piece.param = (uint8_t)number;
		x->used |= 1u << number;
		len = name + 2;
	}
	piece.len = (uint16_t)len;
	x->pieces[x->count++] = piece;
	return len;
}

static void text_load(
    struct template *t, struct template_text *x, const struct yaml_node *node, struct faults *faults)
{
	const char *fault = NULL;
	struct buf text = {0};

	if (node->kind != YAML_TEXT || !*node->text)
		fault = "a text is expected, like \"Code {code}\"";
	else if (strlen(node->text) > TEMPLATE_MAX_TEXT)
		fault = "a text of at most 2,000 octets is expected";
	else if (utf8_for_phone(node->text, strlen(node->text), &text) != KZ_OK)
		fault = "the text holds a control character that a phone cannot show";
	x->text = buf_take(&text);
	for (size_t at = 0, len = 0; !fault && x->text[at]; at += len)
		len = piece_take(t, x, at, &fault);
	if (fault)
		faults_at(faults, node, "%s", fault);
}

/* Every language has the parameters that any language has. */
static void template_compare(const struct template *t, const struct yaml_node *node, struct faults *faults)
{
	for (size_t l = 0; l < LANGUAGES; l++)
		for (size_t i = 0; i < t->count; i++)
			if (!(t->texts[l].used >> i & 1))
				faults_at(faults, yaml_get(node, language_name((enum language)l)),
				    "the text lacks {%s}, which another language of this template has",
				    t->params[i]);
}

static void template_load_texts(struct template *t, const struct yaml_node *node, struct faults *faults)
{
	int before = faults->count;

	for (size_t i = 0; i < node->count; i++) {
		enum language l;

		if (language_parse(node->children[i].key, &l) == KZ_OK)
			text_load(t, &t->texts[l], &node->children[i], faults);
		else
			faults_at(faults, &node->children[i],
			    "\"%s\" is not a language; known are kk, ru and en", node->children[i].key);
	}
	for (enum language l = 0; l < LANGUAGES; l++)
		if (!yaml_get(node, language_name(l)))
			faults_at(faults, node, "template \"%s\" lacks the language %s", node->key,
			    language_name(l));
	if (faults->count == before)
		template_compare(t, node, faults);
}

static void template_load(struct templates *all, const struct yaml_node *node, struct faults *faults)
{
	struct template *t = mem_new(sizeof *t);

	t->name = mem_str(node->key);
	map_put(&all->by_name, &t->node, map_hash_bytes(t->name, strlen(t->name)));
	if (!name_is_good(t->name))
		faults_at(faults, node, "a template's name is at most 32 of a-z, 0-9 and _, a letter first");
	if (node->kind == YAML_MAP)
		template_load_texts(t, node, faults);
	else
		faults_at(faults, node, "template \"%s\" must be a map of kk, ru and en to texts", t->name);
}

struct templates *templates_load(const char *path, struct faults *faults)
{
	struct templates *t = mem_new(sizeof *t);
	struct yaml *y = yaml_load(path, faults);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;

	map_init(&t->by_name, template_equal);
	if (root && root->kind != YAML_MAP)
		faults_at(faults, root, "a map of names to templates is expected");
	for (size_t i = 0; root && root->kind == YAML_MAP && i < root->count; i++)
		template_load(t, &root->children[i], faults);
	yaml_tree_free(y);
	return t;
}

void templates_free(struct templates *t)
{
	struct map_node *n;

	if (!t)
		return;
	while ((n = map_any(&t->by_name))) {
		map_remove(&t->by_name, n);
		template_free(map_entry(n, struct template, node));
	}
	map_fini(&t->by_name);
	free(t);
}

size_t templates_count(const struct templates *t)
{
	return t->by_name.count;
}

/* Finds a value for each parameter of the template, and a parameter for each value. */
static enum kz params_match(const struct template *t, const struct template_param *params, size_t n,
    const char *values[TEMPLATE_MAX_PARAMS], char why[TEMPLATE_WHY])
{
	for (size_t i = 0; i < n; i++) {
		size_t p = 0;

		while (p < t->count && strcmp(t->params[p], params[i].name) != 0)
			p++;
		if (p == t->count) {
			snprintf(why, TEMPLATE_WHY, "template \"%s\" has no parameter \"%s\"", t->name,
			    name_is_good(params[i].name) ? params[i].name : "?");
			return KZ_INVALID;
		}
		if (strlen(params[i].value) > TEMPLATE_MAX_VALUE) {
			snprintf(why, TEMPLATE_WHY, "parameter \"%s\" is over %d octets", t->params[p],
			    TEMPLATE_MAX_VALUE);
			return KZ_TOO_LONG;
		}
		values[p] = params[i].value;
	}
	for (size_t p = 0; p < t->count; p++)
		if (!values[p]) {
			snprintf(why, TEMPLATE_WHY, "parameter \"%s\" of template \"%s\" is missing",
			    t->params[p], t->name);
			return KZ_INVALID;
		}
	return KZ_OK;
}

enum kz template_fill(const struct templates *t, const char *name, enum language language,
    const struct template_param *params, size_t n, struct buf *out, char why[TEMPLATE_WHY])
{
	const char *values[TEMPLATE_MAX_PARAMS] = {0};
	const struct template *found = template_get(t, name);

	if (!found) {
		snprintf(why, TEMPLATE_WHY, "no template \"%s\"", name_is_good(name) ? name : "?");
		return KZ_NOT_FOUND;
	}
	enum kz r = params_match(found, params, n, values, why);
	if (r != KZ_OK)
		return r;
	const struct template_text *x = &found->texts[language];
	for (size_t i = 0; i < x->count; i++) {
		const struct template_piece *p = &x->pieces[i];

		if (p->is_param)
			buf_str(out, values[p->param]);
		else
			buf_add(out, x->text + p->from, p->len);
	}
	return KZ_OK;
}

/* Reading and proving. Each text is filled with the widest value of each parameter (param.c says why one is
 * enough), made fit for the phone as a message is, and measured on the wire with least room: what loads never
 * costs more than it declares, whoever fills it and whichever operator carries it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/template_body.h"
#include "text/utf8.h"

static bool template_equal(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, struct template, node)->name, key);
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

static void param_load(struct template *t, const struct yaml_node *node, struct faults *faults)
{
	const char *why = "a type is expected, like digits(6)";
	struct param_type type;

	if (!template_name_is_good(node->key))
		faults_at(faults, node, "a parameter's name is at most 32 of a-z, 0-9 and _, a letter first");
	else if (t->count == TEMPLATE_MAX_PARAMS)
		faults_at(faults, node, "more than 16 parameters in one template");
	else if (node->kind != YAML_TEXT || param_parse(node->text, &type, &why) != KZ_OK)
		faults_at(faults, node, "%s: %.40s: %s", node->key,
		    node->kind == YAML_TEXT ? node->text : "no type", why);
	else {
		t->types[t->count] = type;
		t->params[t->count++] = mem_str(node->key);
	}
}

void template_load_params(struct template *t, const struct yaml_node *node, struct faults *faults)
{
	if (node && node->kind != YAML_MAP && (node->kind != YAML_TEXT || *node->text))
		faults_at(
		    faults, node, "a map of parameters to their types is expected, like {code: digits(6)}");
	for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++)
		param_load(t, &node->children[i], faults);
}

/* A number, 1..SEGMENT_MAX_PARTS; 0 with a fault else. */
static unsigned segments_read(const struct yaml_node *node, struct faults *faults)
{
	unsigned long n = 0;

	if (node->kind == YAML_TEXT && strspn(node->text, "0123456789") == strlen(node->text) &&
	    strlen(node->text) <= 2)
		n = strtoul(node->text, NULL, 10);
	if (n >= 1 && n <= SEGMENT_MAX_PARTS)
		return (unsigned)n;
	faults_at(faults, node,
	    "segments: a number of SMS is expected, 1 to %d, or a map of kk, ru and en to them",
	    SEGMENT_MAX_PARTS);
	return 0;
}

static void segments_load(struct template *t, const struct yaml_node *node, struct faults *faults)
{
	unsigned all = node && node->kind != YAML_MAP ? segments_read(node, faults) : 1;

	for (enum language l = 0; l < LANGUAGES; l++)
		t->texts[l].segments = all;
	for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++) {
		enum language l;

		if (language_parse(node->children[i].key, &l) == KZ_OK)
			t->texts[l].segments = segments_read(&node->children[i], faults);
		else
			faults_at(faults, &node->children[i],
			    "\"%s\" is not a language; known are kk, ru and en", node->children[i].key);
	}
}

/* A parameter in braces, at most a name's length of it shown; its octets, or 0 with a fault. */
static size_t param_take(struct template *t, struct template_piece *piece, const char *s,
    const struct yaml_node *node, struct faults *faults)
{
	size_t len = *s == '{' ? template_name_span(s + 1) : 0;

	if (!len || len > TEMPLATE_MAX_NAME || s[1 + len] != '}') {
		faults_at(faults, node, "a brace that is not around a parameter's name, like {code}");
		return 0;
	}
	size_t number = template_param_number(t, s + 1, len);
	if (number == t->count) {
		faults_at(faults, node, "{%.*s} has no type: name it under params, like %.*s: digits(6)",
		    (int)len, s + 1, (int)len, s + 1);
		return 0;
	}
	piece->is_param = true;
	piece->param = (uint8_t)number;
	return len + 2;
}

/* One piece that starts at from; its length with braces, or 0 with a fault. */
static size_t piece_take(struct template *t, struct template_text *x, size_t from,
    const struct yaml_node *node, struct faults *faults)
{
	struct template_piece piece = {.from = (uint16_t)from};
	size_t len = strcspn(x->text + from, "{}");

	if (x->count == TEMPLATE_MAX_PIECES) {
		faults_at(faults, node, "too many parameters in one text");
		return 0;
	}
	if (!len)
		len = param_take(t, &piece, x->text + from, node, faults);
	if (!len)
		return 0;
	if (piece.is_param)
		x->used |= 1u << piece.param;
	piece.len = (uint16_t)len;
	x->pieces[x->count++] = piece;
	return len;
}

void template_load_text(
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
	if (fault)
		faults_at(faults, node, "%s", fault);
	for (size_t at = 0, len = 1; !fault && len && x->text[at]; at += len)
		len = piece_take(t, x, at, node, faults);
}

static void template_load_texts(struct template *t, const struct yaml_node *node, struct faults *faults)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *child = &node->children[i];
		enum language l;

		if (language_parse(child->key, &l) == KZ_OK)
			template_load_text(t, &t->texts[l], child, faults);
		else if (strcmp(child->key, "params") != 0 && strcmp(child->key, "segments") != 0)
			faults_at(faults, child,
			    "\"%s\" is not a language; known are kk, ru and en, beside params and segments",
			    child->key);
	}
	for (enum language l = 0; l < LANGUAGES; l++)
		if (!yaml_get(node, language_name(l)))
			faults_at(faults, node, "template \"%s\" lacks the language %s", node->key,
			    language_name(l));
}

static void text_fit(const struct template_text *x, const struct buf *text, const struct yaml_node *node,
    struct faults *faults)
{
	struct text_cost cost;

	if (template_cost(buf_text(text), text->len, &cost) != KZ_OK)
		faults_at(faults, node, "with the longest values it takes over %d SMS, %u declared",
		    SEGMENT_MAX_PARTS, x->segments);
	else if (cost.parts > x->segments)
		faults_at(faults, node,
		    "with the longest values it takes %u %s and so %u SMS, %u declared: shorten it, or say "
		    "segments: %u",
		    cost.units, cost.alphabet == ALPHABET_GSM7 ? "septets" : "characters of UCS-2",
		    cost.parts, x->segments, cost.parts);
}

void template_prove_params(
    const struct template *t, enum language l, const struct yaml_node *node, struct faults *faults)
{
	for (size_t i = 0; i < t->count; i++)
		if (!(t->texts[l].used >> i & 1))
			faults_at(faults, node, "the text lacks {%s}, which the template's params have",
			    t->params[i]);
}

/* Every language has every parameter, and the longest values fit. */
static void text_prove(
    const struct template *t, enum language l, const struct yaml_node *node, struct faults *faults)
{
	struct buf widest[TEMPLATE_MAX_PARAMS] = {0}, filled = {0}, text = {0};
	const char *values[TEMPLATE_MAX_PARAMS] = {0};

	template_prove_params(t, l, node, faults);
	for (size_t i = 0; i < t->count; i++) {
		param_widest(t->types[i], &widest[i]);
		values[i] = buf_text(&widest[i]);
	}
	template_put(t, l, values, &filled);
	if (utf8_for_phone(buf_text(&filled), filled.len, &text) == KZ_OK)
		text_fit(&t->texts[l], &text, node, faults);
	for (size_t i = 0; i < t->count; i++)
		buf_fini(&widest[i]);
	buf_fini(&filled);
	buf_fini(&text);
}

static void template_load_map(struct template *t, const struct yaml_node *node, struct faults *faults)
{
	int before = faults->count;

	template_load_params(t, yaml_get(node, "params"), faults);
	segments_load(t, yaml_get(node, "segments"), faults);
	if (faults->count == before) /* else every use of a parameter would be a fault too */
		template_load_texts(t, node, faults);
	for (enum language l = 0; l < LANGUAGES && faults->count == before; l++)
		text_prove(t, l, yaml_get(node, language_name(l)), faults);
}

struct template *template_add(struct templates *all, const struct yaml_node *node, struct faults *faults)
{
	struct template *t = mem_new(sizeof *t);

	t->name = mem_str(node->key);
	map_put(&all->by_name, &t->node, map_hash_bytes(t->name, strlen(t->name)));
	if (!template_name_is_good(t->name))
		faults_at(faults, node, "a template's name is at most 32 of a-z, 0-9 and _, a letter first");
	return t;
}

static void template_load(struct templates *all, const struct yaml_node *node, struct faults *faults)
{
	struct template *t = template_add(all, node, faults);

	if (node->kind == YAML_MAP)
		template_load_map(t, node, faults);
	else
		faults_at(faults, node, "template \"%s\" must be a map of params, segments, kk, ru and en",
		    t->name);
}

struct templates *templates_new(void)
{
	struct templates *t = mem_new(sizeof *t);

	map_init(&t->by_name, template_equal);
	return t;
}

struct templates *templates_load(const char *path, const struct words *w, struct faults *faults)
{
	struct templates *t = templates_new();
	struct yaml *y = yaml_load(path, faults);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;

	if (y)
		words_put(y, w);
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

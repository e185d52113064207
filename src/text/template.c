/* A text is cut into pieces once, when it is loaded: literal runs and the numbers of parameters. Filling then
 * neither parses nor can fail on the text, and what a parameter brings is never read for braces. */
#include "text/template.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/template_body.h"

const struct template *template_find(const struct templates *t, const char *name)
{
	struct map_node *n = map_get(&t->by_name, map_hash_bytes(name, strlen(name)), name);

	return n ? map_entry(n, struct template, node) : NULL;
}

unsigned template_segments(const struct template *t, enum language l)
{
	return t->texts[l].segments;
}

bool template_has(const struct template *t, const char *param)
{
	return template_param_number(t, param, strlen(param)) < t->count;
}

const char *template_param(const struct template *t, size_t i, struct param_type *ret)
{
	if (i >= t->count)
		return NULL;
	*ret = t->types[i];
	return t->params[i];
}

size_t template_name_span(const char *s)
{
	if (*s < 'a' || *s > 'z')
		return 0;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

bool template_name_is_good(const char *s)
{
	size_t n = template_name_span(s);

	return n && n <= TEMPLATE_MAX_NAME && !s[n];
}

size_t template_param_number(const struct template *t, const char *name, size_t len)
{
	size_t i = 0;

	while (i < t->count && (strlen(t->params[i]) != len || memcmp(t->params[i], name, len) != 0))
		i++;
	return i;
}

static enum kz value_check(const struct template *t, size_t p, const char *value, char why[TEMPLATE_WHY])
{
	enum kz r = param_check(t->types[p], value);
	char type[PARAM_TYPE];

	if (r != KZ_OK)
		snprintf(why, TEMPLATE_WHY, "parameter \"%s\" of template \"%s\" is %s%s", t->params[p],
		    t->name, r == KZ_TOO_LONG ? "longer than " : "not ", param_name(t->types[p], type));
	return r;
}

/* Finds a value for each parameter of the template, and a parameter for each value. */
static enum kz params_match(const struct template *t, const struct template_param *params, size_t n,
    const char *values[TEMPLATE_MAX_PARAMS], char why[TEMPLATE_WHY])
{
	for (size_t i = 0; i < n; i++) {
		size_t p = template_param_number(t, params[i].name, strlen(params[i].name));

		if (p == t->count) {
			snprintf(why, TEMPLATE_WHY, "template \"%s\" has no parameter \"%s\"", t->name,
			    template_name_is_good(params[i].name) ? params[i].name : "?");
			return KZ_INVALID;
		}
		enum kz r = value_check(t, p, params[i].value, why);
		if (r != KZ_OK)
			return r;
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

void template_put(
    const struct template *t, enum language l, const char *const values[TEMPLATE_MAX_PARAMS], struct buf *out)
{
	const struct template_text *x = &t->texts[l];

	for (size_t i = 0; i < x->count; i++) {
		const struct template_piece *p = &x->pieces[i];

		if (p->is_param)
			buf_str(out, values[p->param]);
		else
			buf_add(out, x->text + p->from, p->len);
	}
}

enum kz template_fill(const struct templates *t, const char *name, enum language language,
    const struct template_param *params, size_t n, struct buf *out, char why[TEMPLATE_WHY])
{
	const char *values[TEMPLATE_MAX_PARAMS] = {0};
	const struct template *found = template_find(t, name);

	if (!found) {
		snprintf(why, TEMPLATE_WHY, "no template \"%s\"", template_name_is_good(name) ? name : "?");
		return KZ_NOT_FOUND;
	}
	enum kz r = params_match(found, params, n, values, why);
	if (r == KZ_OK)
		template_put(found, language, values, out);
	return r;
}

void template_fill_trusted(const struct template *t, enum language language,
    const struct template_param *params, size_t n, struct buf *out)
{
	const char *values[TEMPLATE_MAX_PARAMS] = {0};

	for (size_t i = 0; i < n; i++) {
		size_t p = template_param_number(t, params[i].name, strlen(params[i].name));

		if (p < t->count)
			values[p] = params[i].value;
	}
	for (size_t p = 0; p < t->count; p++)
		assert(values[p]);
	template_put(t, language, values, out);
}

enum kz template_cost(const char *text, size_t n, struct text_cost *ret)
{
	struct text_wire wire = {
	    CONCAT_UDH16, GSM_WIRE_UNPACKED}; /* of the ways to tie parts the one with least room */
	struct text_cost most = {0}, cost;

	for (; wire.gsm <= GSM_WIRE_ASCII; wire.gsm++) {
		enum kz r = segment_cost(text, n, &wire, &cost);

		if (r != KZ_OK)
			return r;
		if (cost.parts > most.parts)
			most = cost;
	}
	*ret = most;
	return KZ_OK;
}

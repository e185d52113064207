/* A text of a dialog: in three languages, as a phone can show it, with names of values in braces. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"
#include "ussd/dialog_body.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_"

unsigned dialog_text_units(const char *text)
{
	size_t n = strlen(text), len;
	unsigned units = 0;
	uint32_t cp;

	for (size_t i = 0; i < n && (len = utf8_next(text + i, n - i, &cp)) > 0; i += len)
		units += cp > 0xffff ? 2 : 1;
	return units;
}

static void text_check_name(
    const struct dialog_reading *r, const struct yaml_node *node, const char *name, const char *names)
{
	if (!names)
		dialog_read_value(r, node, name);
	else if (!service_has_name(names, name, strlen(name)))
		faults_at(r->faults, node, "{%.40s} cannot stand in this text%s%s", name,
		    *names ? ": known are " : ", which holds no values", names);
}

/* Braces are around names alone. */
static void text_check(
    const struct dialog_reading *r, const struct yaml_node *node, const char *text, const char *names)
{
	for (const char *at = text + strcspn(text, "{}"); *at; at += strcspn(at, "{}")) {
		size_t n = *at == '{' ? strspn(at + 1, NAME_CHARS) : 0;
		char *name;

		if (!n || at[1 + n] != '}') {
			faults_at(
			    r->faults, node, "a brace that is not around the name of a value, like {kg}");
			return;
		}
		name = mem_strn(at + 1, n);
		text_check_name(r, node, name, names);
		free(name);
		at += n + 2;
	}
}

static char *text_read(const struct dialog_reading *r, const struct yaml_node *node, const char *names)
{
	struct buf text = {0};

	if (node->kind != YAML_TEXT || !*node->text)
		faults_at(r->faults, node, "a text is expected");
	else if (strlen(node->text) > DIALOG_TEXT)
		faults_at(r->faults, node, "a text of at most %d octets is expected", DIALOG_TEXT);
	else if (utf8_for_phone(node->text, strlen(node->text), &text) != KZ_OK)
		faults_at(r->faults, node, "the text holds a control character that a phone cannot show");
	else
		text_check(r, node, buf_text(&text), names);
	return buf_take(&text);
}

static void text_read_languages(
    const struct dialog_reading *r, const struct yaml_node *node, const char *names, struct dialog_text *ret)
{
	for (enum language l = 0; l < LANGUAGES; l++) {
		const struct yaml_node *one = yaml_get(node, language_name(l));

		if (!one)
			faults_at(r->faults, node, "%s lacks the language %s",
			    node->key ? node->key : "the text", language_name(l));
		ret->in[l] = one ? text_read(r, one, names) : mem_str("");
	}
}

void dialog_read_text(const struct dialog_reading *r, const struct yaml_node *of, const char *name,
    const char *names, struct dialog_text *ret)
{
	const struct yaml_node *node = yaml_get(of, name), *all = node ? yaml_get(node, "all") : NULL;
	bool map = dialog_is(r, of, node, YAML_MAP, name);

	dialog_text_fini(ret);
	*ret = (struct dialog_text){.line = (node ? node : of)->line, .column = (node ? node : of)->column};
	if (map)
		dialog_check_keys(r, node, all ? "all" : "kk ru en all");
	if (map && !all)
		text_read_languages(r, node, names, ret);
	for (enum language l = 0; l < LANGUAGES && (!map || all); l++)
		ret->in[l] = l == 0 && all ? text_read(r, all, names) : mem_str(l && all ? ret->in[0] : "");
}

void dialog_text_fini(struct dialog_text *t)
{
	for (enum language l = 0; l < LANGUAGES; l++)
		free(t->in[l]);
	*t = (struct dialog_text){0};
}

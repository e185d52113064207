/* The small parts that every file of a dialog is made of. A fault names the place, what is wrong, and where a
 * word is nearly one that there is, that one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keys.h"
#include "ussd/dialog_body.h"

#define HINTS 64

static const char *const kinds[] = {
    [YAML_TEXT] = "a text", [YAML_MAP] = "a map, like {kk: .., ru: .., en: ..},", [YAML_LIST] = "a list"};

bool dialog_is(const struct dialog_reading *r, const struct yaml_node *of, const struct yaml_node *node,
    enum yaml_kind kind, const char *name)
{
	if (node && node->kind == kind)
		return true;
	if (node)
		faults_at(r->faults, node, "%s: %s is expected", name, kinds[kind]);
	else
		faults_at(r->faults, of, "lacks %s: %s is expected", name, kinds[kind]);
	return false;
}

const char *dialog_hint(char room[80], const char *name, const char *among)
{
	char words[HINTS][DIALOG_NAME];
	const char *candidates[HINTS], *at, *near;
	size_t n = 0, len;

	while (n < HINTS && (at = service_next_name(&among, &len)) != NULL) {
		snprintf(words[n], sizeof words[n], "%.*s", (int)len, at);
		candidates[n] = words[n];
		n++;
	}
	near = strlen(name) < DIALOG_NAME * 2 ? keys_nearest(name, candidates, n) : NULL;
	*room = 0;
	if (near)
		snprintf(room, 80, "; did you mean %s?", near);
	return room;
}

void dialog_check_keys(const struct dialog_reading *r, const struct yaml_node *map, const char *known)
{
	char hint[80];

	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
		const struct yaml_node *child = &map->children[i];
		const struct yaml_node at = {
		    .file = child->file, .line = child->key_line, .column = child->key_column};

		if (service_has_name(known, child->key, strlen(child->key)))
			continue;
		dialog_hint(hint, child->key, known);
		faults_at(r->faults, &at, "%.40s: no such key%s%s", child->key, *hint ? hint : "; known are ",
		    *hint ? "" : known);
	}
}

void dialog_read_name(
    const struct dialog_reading *r, const struct yaml_node *node, const char *text, char ret[DIALOG_NAME])
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	*ret = 0;
	if (!n || n >= DIALOG_NAME || text[n] || *text < 'a')
		faults_at(r->faults, node,
		    "\"%.40s\": a name is at most %d of a-z, 0-9 and _, a letter first", text,
		    DIALOG_NAME - 1);
	else
		memcpy(ret, text, n + 1);
}

bool dialog_read_flag(const struct dialog_reading *r, const struct yaml_node *node)
{
	const char *text = node && node->kind == YAML_TEXT ? node->text : "";
	bool yes = !strcmp(text, "yes") || !strcmp(text, "true"),
	     no = !strcmp(text, "no") || !strcmp(text, "false");

	if (node && !yes && !no)
		faults_at(r->faults, node, "%s: yes or no is expected", node->key ? node->key : "here");
	return yes;
}

unsigned dialog_read_number(
    const struct dialog_reading *r, const struct yaml_node *node, unsigned min, unsigned max)
{
	const char *text = node->kind == YAML_TEXT ? node->text : "";
	size_t n = strspn(text, "0123456789");
	unsigned long v = n >= 1 && n <= 6 && !text[n] ? strtoul(text, NULL, 10) : (unsigned long)max + 1;

	if (v >= min && v <= max)
		return (unsigned)v;
	faults_at(r->faults, node, "%s: a number from %u to %u is expected", node->key ? node->key : "here",
	    min, max);
	return min;
}

int dialog_read_screen(const struct dialog_reading *r, const struct yaml_node *node)
{
	const char *near;
	int found;

	if (node->kind != YAML_TEXT) {
		faults_at(r->faults, node, "the name of a screen is expected");
		return -1;
	}
	found = dialog_screen(r->d, node->text);
	if (found >= 0)
		return found;
	near = strlen(node->text) < DIALOG_NAME * 2 ? keys_nearest(node->text, r->screens, r->d->screens_n)
	                                            : NULL;
	faults_at(r->faults, node, "\"%.40s\": there is no such screen%s%s%s", node->text,
	    near ? "; did you mean " : ": name one of screens, or add it", near ? near : "", near ? "?" : "");
	return -1;
}

int dialog_read_value(const struct dialog_reading *r, const struct yaml_node *node, const char *name)
{
	const char *names[CONTRACT_VALUES], *near;
	int found = contract_value(r->c, name, strlen(name));

	if (found >= 0)
		return found;
	for (size_t i = 0; i < r->c->values_n; i++)
		names[i] = r->c->values[i].name;
	near = strlen(name) < DIALOG_NAME * 2 ? keys_nearest(name, names, r->c->values_n) : NULL;
	faults_at(r->faults, node, "\"%.40s\": no service takes or gives such a value%s%s%s", name,
	    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return -1;
}

/* The services of the file against the table in C, both ways: what only one of them has is a fault, so that
 * neither a dialog waits for a result that never comes nor a handler gives one that has no screen. */
#include <stdio.h>
#include <string.h>

#include "base/keys.h"
#include "ussd/dialog_body.h"

void contract_add_value(const struct dialog_reading *r, const struct yaml_node *node, const char *type)
{
	const struct contract_type *t = contract_type_find(r->c, type);
	int known = contract_value(r->c, node->key, strlen(node->key));
	struct contract_value *v = &r->c->values[r->c->values_n];

	if (!t)
		faults_at(r->faults, node, "%.40s: \"%.40s\" is no type: add it to types or enums", node->key,
		    type);
	else if (known >= 0 && r->c->values[known].type != t)
		faults_at(r->faults, node, "%s: is of type %s elsewhere: a name has one type", node->key,
		    r->c->values[known].type->name);
	else if (known < 0 && r->c->values_n == CONTRACT_VALUES)
		faults_at(r->faults, node, "more than %d names of values", CONTRACT_VALUES);
	else if (known < 0) {
		dialog_read_name(r, node, node->key, v->name);
		v->type = t;
		r->c->values_n += *v->name != 0;
	}
}

/* A map of names to types, which are to be these. `but`: a key that is no name. */
static void names_read(const struct dialog_reading *r, const struct yaml_node *map, const char *names,
    const char *but, const char *what)
{
	const char *rest = names, *name;
	char hint[80];
	size_t n;

	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *child = &map->children[i];

		if (!strcmp(child->key, but))
			continue;
		if (!service_has_name(names, child->key, strlen(child->key)))
			faults_at(r->faults, child, "%s: kezek's service has no \"%.40s\"%s", what,
			    child->key, dialog_hint(hint, child->key, names));
		else if (dialog_is(r, map, child, YAML_TEXT, child->key))
			contract_add_value(r, child, child->text);
	}
	while ((name = service_next_name(&rest, &n)) != NULL) {
		char one[DIALOG_NAME];

		snprintf(one, sizeof one, "%.*s", (int)n, name);
		if (!yaml_get(map, one))
			faults_at(r->faults, map, "%s: lacks \"%s\", which kezek's service has", what, one);
	}
}

/* The map called key, which may be absent when there are no names. */
static void map_read(const struct dialog_reading *r, const struct yaml_node *of, const char *key,
    const char *names, const char *what)
{
	const struct yaml_node *map = yaml_get(of, key);
	char place[80];

	snprintf(place, sizeof place, "%s: %s", what, key);
	if (!map && !*names)
		return;
	if (dialog_is(r, of, map, YAML_MAP, place))
		names_read(r, map, names, "", place);
}

static void result_read(const struct dialog_reading *r, const struct yaml_node *results,
    const struct service_result *shape, const char *what)
{
	const struct yaml_node *node = yaml_get(results, shape->name), *items;
	char place[80];

	snprintf(place, sizeof place, "%s: %s", what, shape->name);
	if (!dialog_is(r, results, node, YAML_MAP, place))
		return;
	names_read(r, node, shape->fields, "items", place);
	items = yaml_get(node, "items");
	if (items && !shape->items)
		faults_at(r->faults, items, "%s: kezek's service gives no list here", place);
	if (shape->items && dialog_is(r, node, items, YAML_MAP, "items"))
		names_read(r, items, shape->items, "", place);
}

/* Names of a shape's results, separated by spaces. */
static void result_names(const struct service_shape *shape, char ret[256])
{
	size_t at = 0;

	*ret = 0;
	for (const struct service_result *s = shape->results; s->name; s++)
		at += (size_t)snprintf(ret + at, 256 - at, "%s%s", at ? " " : "", s->name);
}

static void results_read(
    const struct dialog_reading *r, const struct yaml_node *of, const struct service_shape *shape)
{
	const struct yaml_node *results = yaml_get(of, "results");
	char known[256];

	if (!dialog_is(r, of, results, YAML_MAP, "results"))
		return;
	result_names(shape, known);
	dialog_check_keys(r, results, known);
	for (const struct service_result *s = shape->results; s->name; s++)
		result_read(r, results, s, shape->name);
}

static void late_read(const struct dialog_reading *r, const struct yaml_node *of, enum service s)
{
	const struct service_shape *shape = service_shape(s);
	const struct yaml_node *late = yaml_get(of, "late");
	char known[256];

	if (!late || !dialog_is(r, of, late, YAML_MAP, "late"))
		return;
	result_names(shape, known);
	dialog_check_keys(r, late, known);
	for (size_t i = 0; shape->results[i].name; i++) {
		const struct yaml_node *node = yaml_get(late, shape->results[i].name);

		if (!node || !dialog_is(r, late, node, YAML_TEXT, "late"))
			continue;
		dialog_read_name(r, node, node->text, r->c->late[s][i]);
		r->c->late_line[s][i] = node->line;
		r->c->late_column[s][i] = node->column;
	}
}

static void flag_check(const struct dialog_reading *r, const struct yaml_node *of, const char *key, bool is)
{
	const struct yaml_node *node = yaml_get(of, key);

	if (dialog_read_flag(r, node) != is)
		faults_at(r->faults, node ? node : of, "%s: kezek's service says %s", key, is ? "yes" : "no");
}

static void service_read(const struct dialog_reading *r, const struct yaml_node *node, enum service s)
{
	const struct service_shape *shape = service_shape(s);

	if (!dialog_is(r, node, node, YAML_MAP, shape->name))
		return;
	dialog_check_keys(r, node, "in with results changes danger late");
	map_read(r, node, "in", shape->in, shape->name);
	map_read(r, node, "with", shape->with, shape->name);
	flag_check(r, node, "changes", shape->changes);
	flag_check(r, node, "danger", shape->danger);
	results_read(r, node, shape);
	late_read(r, node, s);
}

static void service_unknown(const struct dialog_reading *r, const struct yaml_node *node)
{
	const char *names[SERVICES], *near;

	for (enum service s = 0; s < SERVICES; s++)
		names[s] = service_shape(s)->name;
	near = strlen(node->key) < DIALOG_NAME * 2 ? keys_nearest(node->key, names, SERVICES) : NULL;
	faults_at(r->faults, node, "\"%.40s\": kezek has no such service%s%s%s", node->key,
	    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

void contract_read_services(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *all = yaml_get(root, "services");

	if (!dialog_is(r, root, all, YAML_MAP, "services"))
		return;
	for (size_t i = 0; i < all->count; i++)
		if (service_find(all->children[i].key, strlen(all->children[i].key)) == SERVICES)
			service_unknown(r, &all->children[i]);
	for (enum service s = 0; s < SERVICES; s++) {
		const struct yaml_node *node = yaml_get(all, service_shape(s)->name);

		if (node)
			service_read(r, node, s);
		else
			faults_at(
			    r->faults, all, "services lacks \"%s\", which kezek has", service_shape(s)->name);
	}
}

/* One screen: what it is follows from the one key that it has of options, input, list, do and end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ussd/dialog_body.h"
#include "ussd/input.h"

#define RESUME     "@resume" /* back to where the call was dropped */
#define CONSTANT   40        /* octets of what an option sets */
#define ITEMS_PAGE 20

/* The constant as a value of that type; why not, else NULL. */
static const char *constant_fault(const struct contract_type *t, const char *text)
{
	if (t->kind == VALUE_WORD) {
		for (size_t i = 0; i < t->words_n; i++)
			if (!strcmp(t->words[i].name, text))
				return NULL;
		return "is no word of its enum";
	}
	if (t->kind != VALUE_TEXT && t->kind != VALUE_ID)
		return "is of what is typed";
	return !*text || dialog_text_units(text) > (t->kind == VALUE_ID ? 18 : t->max)
	           ? "is empty or too long"
	           : NULL;
}

static void set_read(const struct dialog_reading *r, const struct yaml_node *node, struct dialog_option *o)
{
	struct dialog_set *set = &o->sets[o->sets_n];
	bool language = !strcmp(node->key, "lang");
	const char *why = NULL;
	enum language l;

	if (!dialog_is(r, node, node, YAML_TEXT, node->key))
		return;
	set->value = language ? -1 : dialog_read_value(r, node, node->key);
	if (language && language_parse(node->text, &l) != KZ_OK)
		why = "is not a language; known are kk, ru and en";
	else if (!language && set->value >= 0)
		why = strlen(node->text) > CONSTANT
		          ? "is too long"
		          : constant_fault(r->c->values[set->value].type, node->text);
	if (why)
		faults_at(r->faults, node, "%s: \"%.40s\" %s", node->key, node->text, why);
	if (why || (!language && set->value < 0))
		return;
	set->to = mem_str(node->text);
	o->sets_n++;
}

static void sets_read(const struct dialog_reading *r, const struct yaml_node *node, struct dialog_option *o)
{
	if (!node || !dialog_is(r, node, node, YAML_MAP, "set"))
		return;
	if (node->count > DIALOG_SETS)
		faults_at(r->faults, node, "an option sets at most %d values", DIALOG_SETS);
	for (size_t i = 0; i < node->count && i < DIALOG_SETS; i++)
		set_read(r, &node->children[i], o);
}

static void option_read(const struct dialog_reading *r, const struct yaml_node *node,
    const struct dialog_screen *s, struct dialog_option *o)
{
	const struct yaml_node *key, *go;

	*o = (struct dialog_option){.go = -1, .line = node->line, .column = node->column};
	if (!dialog_is(r, node, node, YAML_MAP, "an option, {key: \"1\", text: .., goto: ..},"))
		return;
	dialog_check_keys(r, node, "key text set goto");
	key = yaml_get(node, "key");
	if (dialog_is(r, node, key, YAML_TEXT, "key")) {
		size_t n = strspn(key->text, "0123456789");

		if (n < 1 || n > 2 || key->text[n])
			faults_at(r->faults, key, "key: one or two digits are expected");
		else
			snprintf(o->key, sizeof o->key, "%s", key->text);
	}
	dialog_read_text(r, node, "text", NULL, &o->text);
	sets_read(r, yaml_get(node, "set"), o);
	go = yaml_get(node, "goto");
	if (!dialog_is(r, node, go, YAML_TEXT, "goto") || (s->resume && !strcmp(go->text, RESUME)))
		return;
	o->go = dialog_read_screen(r, go);
}

static void page_read(
    const struct dialog_reading *r, const struct yaml_node *options, struct dialog_screen *s)
{
	if (!dialog_is(r, options, options, YAML_LIST, "options"))
		return;
	if (options->count < 1 || options->count > DIALOG_OPTIONS)
		faults_at(r->faults, options, "a page has 1 to %d options: split it", DIALOG_OPTIONS);
	for (size_t i = 0; i < options->count && i < DIALOG_OPTIONS; i++)
		option_read(r, &options->children[i], s, &s->options[s->options_n++]);
}

/* A text for each way in which what is typed can be wrong, and no other. */
static void errors_read(const struct dialog_reading *r, const struct yaml_node *node,
    const struct contract_type *type, struct dialog_screen *s)
{
	const struct yaml_node *errors = yaml_get(node, "errors");
	char known[40] = "";

	if (!dialog_is(r, node, errors, YAML_MAP, "errors"))
		return;
	for (enum input_error e = 0; e < INPUT_ERRORS; e++)
		if (input_may(type, e)) {
			dialog_read_text(r, errors, input_error_name(e), NULL, &s->errors[e]);
			strcat(strcat(known, *known ? " " : ""), input_error_name(e));
		}
	dialog_check_keys(r, errors, known);
}

static void input_read_screen(const struct dialog_reading *r, const struct yaml_node *node,
    const struct yaml_node *input, struct dialog_screen *s)
{
	const struct yaml_node *name, *then;

	if (!dialog_is(r, node, input, YAML_MAP, "input"))
		return;
	dialog_check_keys(r, input, "name then");
	name = yaml_get(input, "name");
	then = yaml_get(input, "then");
	if (dialog_is(r, input, name, YAML_TEXT, "name"))
		s->value = dialog_read_value(r, name, name->text);
	if (dialog_is(r, input, then, YAML_TEXT, "then"))
		s->go = dialog_read_screen(r, then);
	if (s->value < 0)
		return;
	const struct contract_type *type = r->c->values[s->value].type;
	if (input_may(type, INPUT_LENGTH))
		errors_read(r, node, type, s);
	else
		faults_at(r->faults, name, "%s: its type %s is none that is typed: {input: ..}", name->text,
		    type->name);
}

static void branch_read(const struct dialog_reading *r, const struct yaml_node *node, struct dialog_screen *s)
{
	const struct service_shape *shape = service_shape(s->service);
	char known[200] = "", hint[80];
	size_t at = 0;

	for (size_t i = 0; shape->results[i].name; i++) {
		const struct service_result *result = &shape->results[i];

		if (strcmp(result->name, node->key) != 0) {
			at += (size_t)snprintf(known + at, sizeof known - at, " %s", result->name);
			continue;
		}
		if (!result->items)
			s->branches[i] = dialog_read_screen(r, node);
		else
			faults_at(r->faults, node,
			    "%s: that result of %s is the list itself: it has no branch", node->key,
			    shape->name);
		return;
	}
	faults_at(r->faults, node, "%s: %s gives no such result%s", node->key, shape->name,
	    dialog_hint(hint, node->key, known));
}

/* The service and its branches; where a result is missing the proof says so. */
static bool service_read_screen(const struct dialog_reading *r, const struct yaml_node *of,
    const struct yaml_node *name, struct dialog_screen *s)
{
	const struct yaml_node *results = yaml_get(of, "results");
	char all[SERVICES * DIALOG_NAME] = "", hint[80];

	if (!dialog_is(r, of, name, YAML_TEXT, "do"))
		return false;
	s->service = service_find(name->text, strlen(name->text));
	if (s->service == SERVICES) {
		for (enum service i = 0; i < SERVICES; i++)
			strcat(strcat(all, " "), service_shape(i)->name);
		faults_at(r->faults, name, "\"%.40s\": there is no such service%s", name->text,
		    dialog_hint(hint, name->text, all));
		return false;
	}
	if (dialog_is(r, of, results, YAML_MAP, "results"))
		for (size_t i = 0; i < results->count; i++)
			branch_read(r, &results->children[i], s);
	return true;
}

/* What its list's items have; NULL: it gives none. */
static const char *service_items(enum service s)
{
	for (const struct service_result *result = service_shape(s)->results; result->name; result++)
		if (result->items)
			return result->items;
	return NULL;
}

static void do_read(const struct dialog_reading *r, const struct yaml_node *node,
    const struct yaml_node *name, struct dialog_screen *s)
{
	if (service_read_screen(r, node, name, s) && service_items(s->service))
		faults_at(r->faults, name, "%s gives a list: say list: {do: %s, ..}", name->text, name->text);
}

/* The picked item's first field goes into a value of its type. */
static void pick_read(
    const struct dialog_reading *r, const struct yaml_node *list, const char *items, struct dialog_screen *s)
{
	const struct yaml_node *pick = yaml_get(list, "pick"), *set, *go;
	size_t n;
	const char *first = service_next_name(&items, &n);
	int from = first ? contract_value(r->c, first, n) : -1;

	if (!dialog_is(r, list, pick, YAML_MAP, "pick"))
		return;
	dialog_check_keys(r, pick, "set goto");
	set = yaml_get(pick, "set");
	go = yaml_get(pick, "goto");
	if (dialog_is(r, pick, go, YAML_TEXT, "goto"))
		s->go = dialog_read_screen(r, go);
	if (!dialog_is(r, pick, set, YAML_TEXT, "set"))
		return;
	s->picks = dialog_read_value(r, set, set->text);
	if (s->picks >= 0 && from >= 0 && r->c->values[s->picks].type != r->c->values[from].type)
		faults_at(r->faults, set, "%s: is of type %s, what is picked is of type %s", set->text,
		    r->c->values[s->picks].type->name, r->c->values[from].type->name);
}

static void list_read(const struct dialog_reading *r, const struct yaml_node *node,
    const struct yaml_node *list, struct dialog_screen *s)
{
	const struct yaml_node *alone, *min_items = yaml_get(node, "min_items");
	const char *items;

	s->min_items = min_items ? dialog_read_number(r, min_items, 1, ITEMS_PAGE) : 1;
	if (!dialog_is(r, node, list, YAML_MAP, "list"))
		return;
	dialog_check_keys(r, list, "do item results pick alone");
	alone = yaml_get(list, "alone");
	if (alone && (alone->kind != YAML_TEXT || strcmp(alone->text, "pick") != 0))
		faults_at(
		    r->faults, alone, "alone: pick is expected: a single item is picked without a page");
	s->alone = alone != NULL;
	if (!service_read_screen(r, list, yaml_get(list, "do"), s))
		return;
	items = service_items(s->service);
	if (!items) {
		faults_at(r->faults, list, "%s gives no list: say do: %s", service_shape(s->service)->name,
		    service_shape(s->service)->name);
		return;
	}
	dialog_read_text(r, list, "item", items, &s->item);
	pick_read(r, list, items, s);
}

static const struct {
	const char *key, *beside;
} kinds[] = {
    [SCREEN_PAGE] = {"options", "options text told back engine"},
    [SCREEN_INPUT] = {"input", "input text errors back"},
    [SCREEN_LIST] = {"list", "list text min_items back"},
    [SCREEN_DO] = {"do", "do results"},
    [SCREEN_END] = {"end", "end text"},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* KINDS with a fault when it is none or several. */
static size_t kind_read(const struct dialog_reading *r, const struct yaml_node *node)
{
	size_t found = KINDS, n = 0;

	for (size_t i = 0; i < KINDS; i++)
		if (yaml_get(node, kinds[i].key)) {
			found = i;
			n++;
		}
	if (n == 1)
		return found;
	faults_at(r->faults, node, "%s: a screen has one of options, input, list, do and end, this has %zu",
	    node->key, n);
	return KINDS;
}

static void kind_take(const struct dialog_reading *r, const struct yaml_node *node, struct dialog_screen *s)
{
	const struct yaml_node *own = yaml_get(node, kinds[s->kind].key);

	switch (s->kind) {
	case SCREEN_PAGE:
		page_read(r, own, s);
		break;
	case SCREEN_INPUT:
		input_read_screen(r, node, own, s);
		break;
	case SCREEN_LIST:
		list_read(r, node, own, s);
		break;
	case SCREEN_DO:
		do_read(r, node, own, s);
		break;
	case SCREEN_END:
		if (!dialog_read_flag(r, own))
			faults_at(r->faults, own, "end: yes is expected");
		break;
	}
}

void dialog_read_one_screen(
    const struct dialog_reading *r, const struct yaml_node *node, struct dialog_screen *s)
{
	size_t kind;

	s->go = s->picks = s->value = -1;
	for (size_t i = 0; i < SERVICE_RESULTS; i++)
		s->branches[i] = -1;
	if (!dialog_is(r, node, node, YAML_MAP, node->key) || (kind = kind_read(r, node)) == KINDS)
		return;
	s->kind = (enum screen_kind)kind;
	dialog_check_keys(r, node, kinds[kind].beside);
	s->back = dialog_read_flag(r, yaml_get(node, "back"));
	s->resume = dialog_read_flag(r, yaml_get(node, "engine"));
	if (s->kind != SCREEN_DO)
		dialog_read_text(r, node, "text", NULL, &s->text);
	if (s->kind == SCREEN_PAGE && yaml_get(node, "told"))
		dialog_read_text(r, node, "told", NULL, &s->told);
	kind_take(r, node, s);
}

void dialog_screen_fini(struct dialog_screen *s)
{
	dialog_text_fini(&s->text);
	dialog_text_fini(&s->told);
	dialog_text_fini(&s->item);
	for (size_t i = 0; i < DIALOG_ERRORS; i++)
		dialog_text_fini(&s->errors[i]);
	for (size_t i = 0; i < s->options_n; i++) {
		dialog_text_fini(&s->options[i].text);
		for (size_t k = 0; k < s->options[i].sets_n; k++)
			free(s->options[i].sets[k].to);
	}
}

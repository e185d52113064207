/* Types of values. What a person types is an input, what is shown has a widest form, what is neither is an
 * id. An IIN is a secret whatever the file says. */
#include <stdlib.h>
#include <string.h>

#include "base/keys.h"
#include "base/mem.h"
#include "text/gsm7.h"
#include "text/utf8.h"
#include "ussd/dialog_body.h"

#define TEXT_MAX   40 /* UTF-16 units of a value that is shown */
#define DIGITS_MAX 18

struct type_written {
	int64_t min, max;
	char *sample;
	bool cyrillic, secret, id;
	int input;
};

enum input_kind { INPUT_NONE, INPUT_IIN, INPUT_DIGITS, INPUT_PHONE };
static const char *const inputs[] = {"none", "iin", "digits", "phone", NULL};

#define AT(field) offsetof(struct type_written, field)

static const struct key table[] = {
    {"max", KEY_INT, AT(max), "0", 0, TEXT_MAX, NULL, true, "", ""},
    {"min", KEY_INT, AT(min), "0", 0, DIGITS_MAX, NULL, true, "", ""},
    {"sample", KEY_TEXT, AT(sample), "", 0, 80, NULL, true, "", ""},
    {"cyrillic", KEY_BOOL, AT(cyrillic), "no", 0, 0, NULL, true, "", ""},
    {"secret", KEY_BOOL, AT(secret), "no", 0, 0, NULL, true, "", ""},
    {"id", KEY_BOOL, AT(id), "no", 0, 0, NULL, true, "", ""},
    {"input", KEY_CHOICE, AT(input), "none", 0, 0, inputs, true, "", ""},
};
#define KEYS (sizeof table / sizeof *table)

/* Whether all of it is in the phone's own alphabet. */
static bool text_is_gsm7(const char *text)
{
	size_t n = strlen(text), len;
	uint8_t septets[2];
	uint32_t cp;

	for (size_t i = 0; i < n; i += len) {
		len = utf8_next(text + i, n - i, &cp);
		if (!len || !gsm7_encode(cp, septets))
			return false;
	}
	return true;
}

const struct contract_type *contract_type_find(const struct contracts *c, const char *name)
{
	for (size_t i = 0; i < c->types_n; i++)
		if (!strcmp(c->types[i].name, name))
			return &c->types[i];
	return NULL;
}

void contract_type_fini(struct contract_type *t)
{
	for (size_t i = 0; i < t->words_n; i++)
		for (enum language l = 0; l < LANGUAGES; l++)
			free(t->words[i].text[l]);
	free(t->words);
	free(t->sample);
}

/* NULL with a fault when there is no room or the name is taken. */
static struct contract_type *type_add(const struct dialog_reading *r, const struct yaml_node *node)
{
	struct contracts *c = r->c;
	struct contract_type *t = &c->types[c->types_n];

	if (c->types_n == CONTRACT_TYPES) {
		faults_at(r->faults, node, "more than %d types and enums", CONTRACT_TYPES);
		return NULL;
	}
	if (contract_type_find(c, node->key)) {
		faults_at(r->faults, node, "%.40s: a type and an enum of the same name", node->key);
		return NULL;
	}
	dialog_read_name(r, node, node->key, t->name);
	if (!*t->name)
		return NULL;
	t->line = node->line;
	t->column = node->column;
	t->sample = mem_str("");
	c->types_n++;
	return t;
}

static void type_take_text(const struct dialog_reading *r, const struct yaml_node *node,
    const struct type_written *w, struct contract_type *t)
{
	struct buf sample = {0};

	if (!w->max || !*w->sample)
		faults_at(r->faults, node,
		    "%s: what is shown needs its longest form: {max: 6, sample: \"108344\"}; else say input: "
		    "or id: yes",
		    t->name);
	else if (utf8_for_phone(w->sample, strlen(w->sample), &sample) != KZ_OK)
		faults_at(r->faults, node, "%s: the sample is not what a phone can show", t->name);
	else if (dialog_text_units(buf_text(&sample)) > t->max)
		faults_at(r->faults, node, "%s: the sample is longer than max: %u", t->name, t->max);
	else if (!t->cyrillic && !text_is_gsm7(buf_text(&sample)))
		faults_at(r->faults, node, "%s: the sample has letters outside GSM 7-bit: say cyrillic: yes",
		    t->name);
	if (w->min || w->secret)
		faults_at(r->faults, node, "%s: min and secret are of what is typed", t->name);
	free(t->sample);
	t->sample = buf_take(&sample);
}

static void type_take_input(const struct dialog_reading *r, const struct yaml_node *node,
    const struct type_written *w, struct contract_type *t)
{
	if (w->input == INPUT_DIGITS && (t->min < 1 || t->max < t->min || t->max > DIGITS_MAX))
		faults_at(r->faults, node,
		    "%s: digits need how many: {input: digits, min: 4, max: 4}, 1 to %d", t->name,
		    DIGITS_MAX);
	if (w->input != INPUT_DIGITS && (w->min || w->max))
		faults_at(r->faults, node, "%s: min and max are of digits alone", t->name);
	if (w->input == INPUT_IIN) {
		t->kind = VALUE_IIN;
		t->min = t->max = 12;
		t->secret = true;
	} else if (w->input == INPUT_PHONE) {
		t->kind = VALUE_PHONE;
		t->min = 10;
		t->max = 11;
	} else {
		t->kind = VALUE_DIGITS;
	}
	if (w->cyrillic || *w->sample)
		faults_at(r->faults, node, "%s: cyrillic and sample are of what is shown", t->name);
}

static void type_read(const struct dialog_reading *r, const struct yaml_node *node)
{
	struct contract_type *t = type_add(r, node);
	struct type_written w = {0};

	if (!t || !dialog_is(r, node, node, YAML_MAP, node->key))
		return;
	keys_read(table, KEYS, NULL, node, &w, r->faults);
	t->min = (unsigned)w.min;
	t->max = (unsigned)w.max;
	t->cyrillic = w.cyrillic;
	t->secret = w.secret;
	if (w.id && (w.input != INPUT_NONE || w.max || w.min || *w.sample || w.secret || w.cyrillic))
		faults_at(r->faults, node, "%s: an id has nothing beside id: yes", t->name);
	if (w.id)
		t->kind = VALUE_ID;
	else if (w.input != INPUT_NONE)
		type_take_input(r, node, &w, t);
	else
		type_take_text(r, node, &w, t);
	keys_fini(table, KEYS, &w);
}

static void word_read(
    const struct dialog_reading *r, const struct yaml_node *of, const char *name, struct contract_type *t)
{
	struct contract_word *w = &t->words[t->words_n++];
	struct dialog_text text = {0};

	dialog_read_name(r, of, name, w->name);
	dialog_read_text(r, of, name, "", &text);
	for (enum language l = 0; l < LANGUAGES; l++) {
		unsigned units = dialog_text_units(text.in[l]);

		w->text[l] = text.in[l];
		t->max = units > t->max ? units : t->max;
		t->cyrillic |= !text_is_gsm7(text.in[l]);
	}
	if (t->max > TEXT_MAX)
		faults_at(r->faults, of, "%s: a word longer than %d characters", t->name, TEXT_MAX);
}

static void enum_read(const struct dialog_reading *r, const struct yaml_node *node)
{
	struct contract_type *t = type_add(r, node);

	if (!t || !dialog_is(r, node, node, YAML_MAP, node->key))
		return;
	t->kind = VALUE_WORD;
	if (node->count < 1 || node->count > CONTRACT_WORDS) {
		faults_at(r->faults, node, "%s: 1 to %d words are expected", t->name, CONTRACT_WORDS);
		return;
	}
	t->words = mem_array(node->count, sizeof *t->words);
	for (size_t i = 0; i < node->count; i++)
		word_read(r, node, node->children[i].key, t);
}

void contract_read_types(const struct dialog_reading *r, const struct yaml_node *root)
{
	const struct yaml_node *types = yaml_get(root, "types"), *enums = yaml_get(root, "enums");

	if (dialog_is(r, root, types, YAML_MAP, "types"))
		for (size_t i = 0; i < types->count; i++)
			type_read(r, &types->children[i]);
	if (enums && dialog_is(r, root, enums, YAML_MAP, "enums"))
		for (size_t i = 0; i < enums->count; i++)
			enum_read(r, &enums->children[i]);
}

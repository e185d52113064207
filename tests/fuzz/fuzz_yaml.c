/* A file of the configuration from anybody's hand: read as YAML and then by a small table with a key of each
 * type. Whatever it holds, every field has a value, and every fault is one line with its place. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/keys.h"

#define FUZZ_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fields {
	bool flag;
	int64_t number, time_ms, size;
	char *text;
	int choice;
	struct key_list list;
};

static const char *const choices[] = {"one", "two", NULL};
static const char *const others[] = {"rest", NULL};

#define AT(field) offsetof(struct fields, field)

static const struct key table[] = {
    {"flag", KEY_BOOL, AT(flag), "no", 0, 0, NULL, true, "", "A flag."},
    {"a.number", KEY_INT, AT(number), "5", -10, 10, NULL, true, "", "A number."},
    {"a.time", KEY_MS, AT(time_ms), "5s", 0, INT64_MAX, NULL, true, "", "A time."},
    {"a.b.size", KEY_BYTES, AT(size), "64k", 0, INT64_MAX, NULL, false, "octets", "A size."},
    {"text", KEY_TEXT, AT(text), NULL, 0, 20, NULL, false, "", "A text."},
    {"choice", KEY_CHOICE, AT(choice), "two", 0, 0, choices, true, "", "A choice."},
    {"list", KEY_LIST, AT(list), "x", 0, 10, NULL, true, "", "A list."},
};
#define KEYS (sizeof table / sizeof *table)

/* Each kept line is "f:line:column: what", with counts from 1 and no control octet. */
static void check_faults(const struct faults *f)
{
	const char *at = buf_text(&f->text);
	int lines = 0;

	for (; *at; lines++) {
		char *end;

		assert(!strncmp(at, "f:", 2));
		assert(strtol(at + 2, &end, 10) >= 1 && *end == ':');
		assert(strtol(end + 1, &end, 10) >= 1 && *end == ':');
		for (at = end; *at != '\n'; at++)
			assert((unsigned char)*at >= 0x20 && *at != 0x7f);
		at++;
	}
	assert(lines == (f->count < 50 ? f->count : 50));
}

static void check_node(const struct yaml_node *n, int depth)
{
	assert(depth <= 12 && n->line >= 1 && n->column >= 1);
	assert((n->kind == YAML_TEXT) == (n->text != NULL));
	for (size_t i = 0; i < n->count; i++) {
		const struct yaml_node *child = &n->children[i];

		assert(n->kind == YAML_MAP ? child->key && yaml_get(n, child->key) == child : !child->key);
		check_node(child, depth + 1);
	}
}

static void check_fields(const struct fields *f)
{
	assert(f->number >= -10 && f->number <= 10 && f->time_ms >= 0 && f->size >= 0);
	assert(f->text && strlen(f->text) <= 20 && f->choice >= 0 && f->choice <= 1);
	for (size_t i = 0; i < f->list.count; i++)
		assert(strlen(f->list.items[i]) <= 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = {0};
	struct fields fields = {0};

	if (size > FUZZ_MAX)
		return 0;
	struct yaml *y = yaml_parse("f", (const char *)data, size, &faults);
	assert(y ? !faults.count : faults.count == 1);
	if (y) {
		check_node(yaml_root(y), 1);
		keys_read(table, KEYS, others, yaml_root(y), &fields, &faults);
		check_fields(&fields);
		assert(keys_equal(table, KEYS, &fields, &fields));
	}
	check_faults(&faults);
	keys_fini(table, KEYS, &fields);
	yaml_tree_free(y);
	faults_fini(&faults);
	return 0;
}

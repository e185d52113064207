/* config/kezek.yaml and the man page name every key of the table with its default, and no other; only the
 * menu that is shipped is no default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/conf.h"
#include "base/mem.h"

#define SHIPPED KEZEK_SOURCE_DIR "/config/kezek.yaml"
#define MANUAL  KEZEK_SOURCE_DIR "/docs/kezek.yaml.5"

typedef void entry_fn(void *arg, const char *name, const char *fallback, const char *facts);

/* Every entry of --help-config: the name, the help, then "type; default VALUE; range; reload". */
static void entries_each(entry_fn *fn, void *arg)
{
	struct buf help = {0};
	char *rest, *name;

	conf_help(&help);
	rest = help.data;
	while ((name = strsep(&rest, "\n")) && *name) {
		strsep(&rest, "\n");
		char *facts = strsep(&rest, "\n") + 4;
		char *value = strstr(facts, "; default ") + strlen("; default ");
		char *fallback = mem_strn(value, (size_t)(strstr(value, "; ") - value));

		fn(arg, name, strcmp(fallback, "empty") ? fallback : "", facts);
		free(fallback);
	}
	buf_fini(&help);
}

static const struct yaml_node *node_at(const struct yaml_node *map, const char *name)
{
	char *path = mem_str(name), *rest = path, *step;

	while (map && (step = strsep(&rest, ".")))
		map = yaml_get(map, step);
	free(path);
	return map;
}

static size_t leaves(const struct yaml_node *n)
{
	size_t sum = 0;

	for (size_t i = 0; n->kind == YAML_MAP && i < n->count; i++)
		sum += leaves(&n->children[i]);
	return n->kind == YAML_MAP ? sum : 1;
}

struct file_check {
	const struct yaml_node *root;
	size_t keys;
};

static void entry_is_in_file(void *arg, const char *name, const char *fallback, const char *facts)
{
	struct file_check *c = arg;
	const struct yaml_node *n = node_at(c->root, name);

	(void)facts;
	if (!strcmp(name, "ussd.dialog"))
		fallback = "../dialogs/kindergarten.yaml";
	if (!n)
		fail_msg("%s lacks %s", SHIPPED, name);
	if (strcmp(n->text, fallback))
		fail_msg("%s:%d: %s is %s, its default is %s", SHIPPED, n->line, name, n->text, fallback);
	c->keys++;
}

static void shipped_file__against_the_table__every_key_at_its_default(void **state)
{
	struct faults faults = {0};
	struct yaml *y = yaml_load(SHIPPED, &faults);
	struct file_check c = {0};

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	c.root = yaml_root(y);
	entries_each(entry_is_in_file, &c);
	assert_int_equal(leaves(c.root), c.keys);
	yaml_tree_free(y);
	faults_fini(&faults);
}

static void shipped_file__loaded__has_no_fault(void **state)
{
	struct faults faults = {0};
	struct conf *c = conf_load(SHIPPED, &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_non_null(c);
	conf_free(c);
	faults_fini(&faults);
}

static void text_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_space(out, 4096), 1, 4096, f)) > 0)
		buf_wrote(out, n);
	fclose(f);
}

static void entry_is_in_manual(void *arg, const char *name, const char *fallback, const char *facts)
{
	const struct buf *manual = arg;
	char *head = mem_printf("\n.B %s\n", name), *body = mem_printf("\n.br\n%s.\n", facts);
	const char *at = strstr(buf_text(manual), head);

	(void)fallback;
	if (!at)
		fail_msg("%s lacks %s", MANUAL, name);
	const char *end = strstr(at, "\n.TP\n");
	const char *found = strstr(at, body);
	if (!found || (end && found > end))
		fail_msg("%s: %s is not described by: %s", MANUAL, name, facts);
	free(head);
	free(body);
}

static void manual__against_the_table__every_key_with_its_facts(void **state)
{
	struct buf manual = {0};

	(void)state;
	text_read(MANUAL, &manual);
	entries_each(entry_is_in_manual, &manual);
	buf_fini(&manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shipped_file__against_the_table__every_key_at_its_default),
	    cmocka_unit_test(shipped_file__loaded__has_no_fault),
	    cmocka_unit_test(manual__against_the_table__every_key_with_its_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

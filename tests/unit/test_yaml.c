/* The subset of YAML: what is read with its places, and each thing that is refused with the place of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/yaml.h"

#define MIB (1024 * 1024)

static struct faults faults;

static int faults_reset(void **state)
{
	(void)state;
	faults_fini(&faults);
	return 0;
}

static struct yaml *parse(const char *text)
{
	return yaml_parse("f", text, strlen(text), &faults);
}

static void assert_refused_n(const char *text, size_t n, const char *line)
{
	struct yaml *y = yaml_parse("f", text, n, &faults);

	assert_null(y);
	assert_int_equal(faults.count, 1);
	if (strncmp(buf_text(&faults.text), line, strlen(line)) != 0)
		fail_msg("%s\nsays: %swant: %s", text, buf_text(&faults.text), line);
	faults_fini(&faults);
}

static void assert_refused(const char *text, const char *line)
{
	assert_refused_n(text, strlen(text), line);
}

static void assert_text(const struct yaml_node *n, const char *text, int line, int column)
{
	assert_non_null(n);
	assert_int_equal(n->kind, YAML_TEXT);
	assert_string_equal(n->text, text);
	assert_int_equal(n->line, line);
	assert_int_equal(n->column, column);
	assert_string_equal(n->file, "f");
}

static void yaml_parse__map_of_maps_and_lists__tree_with_places(void **state)
{
	struct yaml *y = parse("# head\na: 1\nb:\n  c: x y\n  d:\n    - p\n    - q: {r: s}\n");
	const struct yaml_node *root = yaml_root(y), *b = yaml_get(root, "b"), *d = yaml_get(b, "d");

	(void)state;
	assert_int_equal(faults.count, 0);
	assert_int_equal(root->count, 2);
	assert_text(yaml_get(root, "a"), "1", 2, 4);
	assert_int_equal(b->key_line, 3);
	assert_int_equal(b->key_column, 1);
	assert_text(yaml_get(b, "c"), "x y", 4, 6);
	assert_int_equal(d->kind, YAML_LIST);
	assert_int_equal(d->count, 2);
	assert_null(d->children[0].key);
	assert_text(&d->children[0], "p", 6, 7);
	assert_text(yaml_get(yaml_get(&d->children[1], "q"), "r"), "s", 7, 14);
	assert_null(yaml_get(root, "e"));
	assert_null(yaml_get(d, "p"));
	assert_null(yaml_get(yaml_get(root, "a"), "1"));
	yaml_tree_free(y);
}

static void yaml_parse__scalar_styles__text_and_whether_quoted(void **state)
{
	struct yaml *y =
	    parse("a:\nb: \"\"\nc: ''\nd: yes\ne: \"1\\n\\u04d9\"\nf: |\n  l1\n  l2\ng: >-\n  m\n  n\n");
	const struct yaml_node *r = yaml_root(y);

	(void)state;
	assert_string_equal(yaml_get(r, "a")->text, "");
	assert_false(yaml_get(r, "a")->quoted);
	assert_string_equal(yaml_get(r, "b")->text, "");
	assert_true(yaml_get(r, "b")->quoted);
	assert_true(yaml_get(r, "c")->quoted);
	assert_string_equal(yaml_get(r, "d")->text, "yes");
	assert_false(yaml_get(r, "d")->quoted);
	assert_string_equal(yaml_get(r, "e")->text, "1\n\xd3\x99");
	assert_string_equal(yaml_get(r, "f")->text, "l1\nl2\n");
	assert_true(yaml_get(r, "f")->quoted);
	assert_string_equal(yaml_get(r, "g")->text, "m n");
	yaml_tree_free(y);
}

static void yaml_parse__nothing_in_the_file__empty_map(void **state)
{
	static const char *const texts[] = {
	    "", "\n", "# only words\n", "\xef\xbb\xbf", "---\n", "---\n...\n"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct yaml *y = parse(texts[i]);

		assert_non_null(y);
		assert_int_equal(yaml_root(y)->kind, YAML_MAP);
		assert_int_equal(yaml_root(y)->count, 0);
		assert_null(yaml_root(y)->text);
		yaml_tree_free(y);
	}
	assert_int_equal(faults.count, 0);
}

static void yaml_parse__scalar_or_list_alone__root_of_that_kind(void **state)
{
	struct yaml *y = parse("word\n");

	(void)state;
	assert_text(yaml_root(y), "word", 1, 1);
	yaml_tree_free(y);
	y = parse("- a\n- b\n");
	assert_int_equal(yaml_root(y)->kind, YAML_LIST);
	assert_int_equal(yaml_root(y)->count, 2);
	yaml_tree_free(y);
}

static void yaml_parse__byte_order_mark__is_no_part_of_the_key(void **state)
{
	struct yaml *y = parse("\xef\xbb\xbf"
	                       "a: 1\n");

	(void)state;
	assert_string_equal(yaml_get(yaml_root(y), "a")->text, "1");
	yaml_tree_free(y);
}

static void yaml_parse__carriage_returns__lines_counted_once(void **state)
{
	struct yaml *y = parse("a: 1\r\nb: 2\r\n");

	(void)state;
	assert_text(yaml_get(yaml_root(y), "b"), "2", 2, 4);
	yaml_tree_free(y);
}

static void yaml_parse__anchors_aliases_tags__refused_at_their_place(void **state)
{
	static const char said[] = "tags, anchors and aliases are not allowed here\n";
	static const char *const texts[][2] = {
	    {"a: &x 1\n", "f:1:4: "},
	    {"a: 1\nb: &x [1]\n", "f:2:4: "},
	    {"a: &x {b: 1}\n", "f:1:4: "},
	    {"a: *x\n", "f:1:4: "},
	    {"a: [1, *x]\n", "f:1:8: "},
	    {"a: !!int 1\n", "f:1:4: "},
	    {"a: !mine 1\n", "f:1:4: "},
	    {"a: !!seq [1]\n", "f:1:4: "},
	    {"a: !!map {}\n", "f:1:4: "},
	    {"--- !!map\na: 1\n", "f:1:5: "},
	    {"&k a: 1\n", "f:1:1: "},
	    {"!!str a: 1\n", "f:1:1: "},
	    {"*k : 1\n", "f:1:1: "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char line[100];

		snprintf(line, sizeof line, "%s%s", texts[i][1], said);
		assert_refused(texts[i][0], line);
	}
}

static void yaml_parse__merge_of_an_alias__refused(void **state)
{
	(void)state;
	assert_refused("a: {<<: *b}\n", "f:1:9: tags, anchors and aliases");
}

static void yaml_parse__same_key_twice__refused_at_the_second(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: 2\na: 3\n", "f:3:1: the same key twice in one map\n");
	assert_refused("a: {b: 1, \"b\": 2}\n", "f:1:11: the same key twice in one map\n");
	struct yaml *y = parse("a: {b: 1}\nc: {b: 1}\n");
	assert_non_null(y);
	yaml_tree_free(y);
}

static void yaml_parse__second_document__refused(void **state)
{
	(void)state;
	assert_refused("a: 1\n---\nb: 2\n", "f:2:1: a second document in one file\n");
	assert_refused("a: 1\n...\n---\nb: 2\n", "f:3:1: a second document in one file\n");
	struct yaml *y = parse("---\na: 1\n...\n");
	assert_non_null(y);
	yaml_tree_free(y);
}

static void yaml_parse__key_that_is_not_text__refused(void **state)
{
	static const char said[] = ": a key must be plain text\n";
	static const char *const texts[][2] = {
	    {"? [a]\n: 1\n", "f:1:3"},
	    {"? {a: b}\n: 1\n", "f:1:3"},
	    {"\"\": 1\n", "f:1:1"},
	    {"\"a\\0b\": 1\n", "f:1:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char line[100];

		snprintf(line, sizeof line, "%s%s", texts[i][1], said);
		assert_refused(texts[i][0], line);
	}
}

static void yaml_parse__nul__refused_raw_and_escaped(void **state)
{
	(void)state;
	assert_refused("a: 1\nb: \"x\\0y\"\n", "f:2:4: a NUL character in a text\n");
	assert_refused_n("a: 1\nb: x\0y\n", 12, "f:2:5: control characters are not allowed\n");
}

static void yaml_parse__octets_that_are_not_utf8__refused_where_they_are(void **state)
{
	(void)state;
	assert_refused("\xff: 1\n", "f:1:1: invalid leading UTF-8 octet\n");
	assert_refused("a: 1\nb: x\xffy\n", "f:2:5: invalid leading UTF-8 octet\n");
	assert_refused("a: \xd3\x99\xc0\xaf\n", "f:1:5: invalid length of a UTF-8 sequence\n");
	assert_refused("a: 1\n\n# \xd0\n", "f:3:4: invalid trailing UTF-8 octet\n");
	assert_refused("a: \xed\xa0\x80\n", "f:1:4: invalid Unicode character\n");
	assert_refused("a: 1\nb: \xd3", "f:2:4: incomplete UTF-8 octet sequence\n");
	assert_refused("a: \x1b[1m\n", "f:1:4: control characters are not allowed\n");
	assert_refused_n("\xff\xfe"
	                 "a\0",
	    4, "f:1:1: invalid leading UTF-8 octet\n");
}

static void yaml_parse__broken_syntax__one_line_with_its_place(void **state)
{
	(void)state;
	assert_refused("a: [1, 2\n", "f:2:1: did not find expected");
	assert_refused("a: 1\n b: 2\n", "f:2:3: mapping values are not allowed");
	assert_refused("a: \"x\n", "f:2:1: found unexpected end of stream");
	assert_refused("a:\n\tb: 1\n", "f:2:1: found character that cannot start any token");
	assert_refused("a: }\n", "f:1:4: ");
	assert_refused("%YAML 9.9\n---\na: 1\n", "f:1:1: found incompatible YAML document");
}

/* levels maps within each other, then a text as deep again as one more. */
static char *nested(const char *open, const char *close, int levels)
{
	struct buf b = {0};

	for (int i = 0; i < levels; i++)
		buf_str(&b, open);
	buf_str(&b, "x");
	for (int i = 0; i < levels; i++)
		buf_str(&b, close);
	return buf_take(&b);
}

static void yaml_parse__twelve_levels__last_that_is_read(void **state)
{
	static const char *const pairs[][2] = {{"{a: ", "}"}, {"[", "]"}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *deep = nested(pairs[i][0], pairs[i][1], 11),
		     *deeper = nested(pairs[i][0], pairs[i][1], 12);
		struct yaml *y = parse(deep);
		char line[80];

		assert_non_null(y);
		yaml_tree_free(y);
		snprintf(line, sizeof line, "f:1:%zu: nested deeper than 12 levels\n",
		    12 * strlen(pairs[i][0]) + 1);
		assert_refused(deeper, line);
		free(deep);
		free(deeper);
	}
}

static void yaml_parse__hundred_thousand_brackets__refused_at_the_thirteenth(void **state)
{
	char *text = nested("[", "", 100000);

	(void)state;
	assert_refused(text, "f:1:13: nested deeper than 12 levels\n");
	free(text);
}

static void yaml_parse__twenty_thousand_values__last_that_is_read(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_str(&b, "- x\n");
	struct yaml *y = parse(b.data);
	assert_int_equal(yaml_root(y)->count, 20000);
	assert_string_equal(yaml_root(y)->children[19999].text, "x");
	yaml_tree_free(y);
	buf_str(&b, "- y\n");
	assert_refused(b.data, "f:20001:3: more than 20,000 values in one file\n");
	buf_fini(&b);
}

static void file_write(char path[32], const char *head, size_t n)
{
	char block[4096];

	strcpy(path, "/tmp/kezek-yaml-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, strlen(head)), strlen(head));
	memset(block, '#', sizeof block);
	for (size_t left = n - strlen(head), some; left > 0; left -= some) {
		some = left < sizeof block ? left : sizeof block;
		assert_int_equal(write(fd, block, some), some);
	}
	close(fd);
}

static void yaml_load__one_mebibyte__last_size_that_is_read(void **state)
{
	char path[32], line[80];

	(void)state;
	file_write(path, "a: 1\n", MIB);
	struct yaml *y = yaml_load(path, &faults);
	assert_int_equal(faults.count, 0);
	assert_string_equal(yaml_get(yaml_root(y), "a")->text, "1");
	yaml_tree_free(y);
	unlink(path);
	file_write(path, "a: 1\n", MIB + 1);
	assert_null(yaml_load(path, &faults));
	snprintf(line, sizeof line, "%s: larger than 1 MiB\n", path);
	assert_string_equal(buf_text(&faults.text), line);
	unlink(path);
}

static void yaml_load__no_file_or_a_folder__said_with_the_reason(void **state)
{
	(void)state;
	assert_null(yaml_load("/nowhere/at all.yaml", &faults));
	assert_string_equal(
	    buf_text(&faults.text), "/nowhere/at all.yaml: cannot be read: No such file or directory\n");
	faults_fini(&faults);
	assert_null(yaml_load("/tmp", &faults));
	assert_string_equal(buf_text(&faults.text), "/tmp: cannot be read: Is a directory\n");
}

static void faults_add__more_than_fifty__counted_and_not_kept(void **state)
{
	size_t lines = 0;

	(void)state;
	for (int i = 1; i <= 60; i++)
		faults_add(&faults, "fault %d", i);
	assert_int_equal(faults.count, 60);
	for (const char *c = buf_text(&faults.text); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 50);
	assert_non_null(strstr(buf_text(&faults.text), "fault 50\n"));
	assert_null(strstr(buf_text(&faults.text), "fault 51"));
}

static void faults_add__control_characters__stay_one_line(void **state)
{
	(void)state;
	faults_add(&faults, "key \"%s\" \xd3\x99", "a\nb\x1b[1m\x7f");
	assert_string_equal(buf_text(&faults.text), "key \"a?b?[1m?\" \xd3\x99\n");
}

static void faults_at__of_a_node__place_before_the_words(void **state)
{
	struct yaml *y = parse("a:\n  b: 1\n");

	(void)state;
	faults_at(&faults, yaml_get(yaml_get(yaml_root(y), "a"), "b"), "%d is odd", 1);
	assert_string_equal(buf_text(&faults.text), "f:2:6: 1 is odd\n");
	yaml_tree_free(y);
	yaml_tree_free(NULL);
}

#define TEST(f) cmocka_unit_test_teardown(f, faults_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(yaml_parse__map_of_maps_and_lists__tree_with_places),
	    TEST(yaml_parse__scalar_styles__text_and_whether_quoted),
	    TEST(yaml_parse__nothing_in_the_file__empty_map),
	    TEST(yaml_parse__scalar_or_list_alone__root_of_that_kind),
	    TEST(yaml_parse__byte_order_mark__is_no_part_of_the_key),
	    TEST(yaml_parse__carriage_returns__lines_counted_once),
	    TEST(yaml_parse__anchors_aliases_tags__refused_at_their_place),
	    TEST(yaml_parse__merge_of_an_alias__refused),
	    TEST(yaml_parse__same_key_twice__refused_at_the_second),
	    TEST(yaml_parse__second_document__refused),
	    TEST(yaml_parse__key_that_is_not_text__refused),
	    TEST(yaml_parse__nul__refused_raw_and_escaped),
	    TEST(yaml_parse__octets_that_are_not_utf8__refused_where_they_are),
	    TEST(yaml_parse__broken_syntax__one_line_with_its_place),
	    TEST(yaml_parse__twelve_levels__last_that_is_read),
	    TEST(yaml_parse__hundred_thousand_brackets__refused_at_the_thirteenth),
	    TEST(yaml_parse__twenty_thousand_values__last_that_is_read),
	    TEST(yaml_load__one_mebibyte__last_size_that_is_read),
	    TEST(yaml_load__no_file_or_a_folder__said_with_the_reason),
	    TEST(faults_add__more_than_fifty__counted_and_not_kept),
	    TEST(faults_add__control_characters__stay_one_line),
	    TEST(faults_at__of_a_node__place_before_the_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

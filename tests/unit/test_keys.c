/* Tables of keys: every type at its bounds, what is refused and how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/keys.h"
#include "base/mem.h"

#define SECOND 1000
#define DAY    (24LL * 3600 * SECOND)

struct room {
	bool open;
	int64_t doors, offset, wait_ms, size;
	char *name, *motto;
	int colour;
	struct key_list people;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

#define AT(field) offsetof(struct room, field)

static const struct key table[] = {
    {"open", KEY_BOOL, AT(open), "yes", 0, 0, NULL, true, "", "Whether it is open."},
    {"doors.count", KEY_INT, AT(doors), "2", 1, 100, NULL, true, "doors", "How many doors."},
    {"doors.offset", KEY_INT, AT(offset), "-1", INT64_MIN, INT64_MAX, NULL, true, "", "Any number."},
    {"doors.wait", KEY_MS, AT(wait_ms), "5s", 250, 7 * DAY, NULL, false, "", "How long they wait."},
    {"size", KEY_BYTES, AT(size), "64k", 0, INT64_MAX, NULL, true, "octets", "How large."},
    {"name", KEY_TEXT, AT(name), "hall", 0, 5, NULL, false, "", "What it is called."},
    {"motto", KEY_TEXT, AT(motto), "", 0, 0, NULL, true, "", "What stands over it."},
    {"colour", KEY_CHOICE, AT(colour), "green", 0, 0, colours, true, "", "Of the walls."},
    {"people", KEY_LIST, AT(people), "", 0, 6, NULL, true, "", "Who is in it."},
};
#define KEYS (sizeof table / sizeof *table)

static struct faults faults;
static struct room room;

static int room_reset(void **state)
{
	(void)state;
	keys_fini(table, KEYS, &room);
	room = (struct room){0};
	faults_fini(&faults);
	return 0;
}

static void room_read(const char *text)
{
	static const char *const others[] = {"guests", NULL};
	struct yaml *y;

	keys_fini(table, KEYS, &room);
	faults_fini(&faults);
	y = yaml_parse("f", text, strlen(text), &faults);
	assert_non_null(y);
	keys_read(table, KEYS, others, yaml_root(y), &room, &faults);
	yaml_tree_free(y);
}

static void assert_says(const char *text, const char *lines)
{
	room_read(text);
	if (strcmp(buf_text(&faults.text), lines) != 0)
		fail_msg("%s\nsays: %s\nwant: %s", text, buf_text(&faults.text), lines);
}

static void assert_defaults(void)
{
	assert_true(room.open);
	assert_int_equal(room.doors, 2);
	assert_int_equal(room.offset, -1);
	assert_int_equal(room.wait_ms, 5000);
	assert_int_equal(room.size, 65536);
	assert_string_equal(room.name, "hall");
	assert_string_equal(room.motto, "");
	assert_int_equal(room.colour, 1);
	assert_int_equal(room.people.count, 0);
}

static void keys_read__empty_map__every_default(void **state)
{
	(void)state;
	room_read("");
	assert_int_equal(faults.count, 0);
	assert_defaults();
}

static void keys_read__every_key__every_value(void **state)
{
	(void)state;
	room_read("open: no\ndoors:\n  count: 100\n  offset: -7\n  wait: 250ms\nsize: 3m\nname: attic\n"
	          "motto: \"a: b # c\"\ncolour: blue\npeople: [ann, \"\", bob]\nguests: {any: thing}\n");
	assert_string_equal(buf_text(&faults.text), "");
	assert_false(room.open);
	assert_int_equal(room.doors, 100);
	assert_int_equal(room.offset, -7);
	assert_int_equal(room.wait_ms, 250);
	assert_int_equal(room.size, 3 << 20);
	assert_string_equal(room.name, "attic");
	assert_string_equal(room.motto, "a: b # c");
	assert_int_equal(room.colour, 2);
	assert_int_equal(room.people.count, 3);
	assert_string_equal(room.people.items[0], "ann");
	assert_string_equal(room.people.items[1], "");
	assert_string_equal(room.people.items[2], "bob");
}

static void keys_read__every_key_wrong__a_line_each_and_the_defaults(void **state)
{
	(void)state;
	assert_says("open: perhaps\n"
	            "doors:\n"
	            "  count: 101\n"
	            "  offset: 1.5\n"
	            "  wait: 249ms\n"
	            "size: -1\n"
	            "name: cellar\n"
	            "motto: {a: b}\n"
	            "colour: Red\n"
	            "people: [ann, [bob], 1234567]\n",
	    "f:1:7: open: \"perhaps\" is not yes or no\n"
	    "f:3:10: doors.count: 101 is out of range: 1 to 100\n"
	    "f:4:11: doors.offset: \"1.5\" is not a whole number\n"
	    "f:5:9: doors.wait: 249ms is out of range: 250ms to 7d\n"
	    "f:6:7: size: -1 is out of range: 0 to 9223372036854775807\n"
	    "f:7:7: name: longer than 5 characters\n"
	    "f:8:8: motto: a single value is wanted here, not a map\n"
	    "f:9:9: colour: \"Red\" is not one of red, green, blue\n"
	    "f:10:15: people: each item is a plain text\n"
	    "f:10:22: people: an item is longer than 6 characters\n");
	assert_true(room.open);
	assert_int_equal(room.doors, 2);
	assert_int_equal(room.offset, -1);
	assert_int_equal(room.wait_ms, 5000);
	assert_int_equal(room.size, 65536);
	assert_string_equal(room.name, "hall");
	assert_string_equal(room.motto, "");
	assert_int_equal(room.colour, 1);
}

static void keys_read__not_a_map__one_line_and_the_defaults(void **state)
{
	(void)state;
	assert_says("word\n", "f:1:1: a map of keys is wanted here\n");
	assert_defaults();
	assert_says("- open: no\n", "f:1:1: a map of keys is wanted here\n");
	assert_defaults();
}

static void keys_read__unknown_names__place_of_the_key_and_the_nearest(void **state)
{
	(void)state;
	assert_says("nane: x\n", "f:1:1: nane: no such key; did you mean name?\n");
	assert_says("doors:\n  cuont: 5\n", "f:2:3: doors.cuont: no such key; did you mean doors.count?\n");
	assert_says("guest: {}\n", "f:1:1: guest: no such key; did you mean guests?\n");
	assert_says("Name: x\n", "f:1:1: Name: no such key; did you mean name?\n");
	assert_says("windows: 5\n", "f:1:1: windows: no such key\n");
	assert_says("x: 5\n", "f:1:1: x: no such key\n");
	assert_says(
	    "doors: {count: {of: 5}}\n", "f:1:16: doors.count: a single value is wanted here, not a map\n");
	assert_says("\"a\\nb\\e[1m\": 5\n", "f:1:1: a?b?[1m: no such key\n");
}

/* A section that is misspelt is told as the section, whatever is in it. */
static void keys_read__unknown_section__nearest_section(void **state)
{
	(void)state;
	assert_says("dors: {count: 5}\n", "f:1:1: dors: no such key; did you mean doors?\n");
	assert_says("dorrs:\n  count: 5\n  wait: 9s\n", "f:1:1: dorrs: no such key; did you mean doors?\n");
}

/* The help names keys with dots; a file steps into maps. One that is written with dots must not go unheard.
 */
static void keys_read__dots_in_a_name__told_how_to_write_it(void **state)
{
	(void)state;
	assert_says("doors.count: 5\n",
	    "f:1:1: doors.count: a dot steps into a map: write \"count:\" under \"doors:\"\n");
	assert_int_equal(room.doors, 2);
	assert_says("doors.cuont: 5\n", "f:1:1: doors.cuont: no such key; did you mean doors.count?\n");
}

static void keys_read__section_that_is_no_map__said(void **state)
{
	(void)state;
	assert_says("doors: 5\n", "f:1:8: doors: a map of keys is wanted here\n");
	assert_says("doors: [1]\n", "f:1:8: doors: a map of keys is wanted here\n");
	assert_says("doors:\n", "");
	assert_int_equal(room.doors, 2);
}

struct value {
	const char *text;
	int64_t value;
};

static void assert_values(const struct key *k, const int64_t *field, const struct value *values, size_t n)
{
	char why[160];

	for (size_t i = 0; i < n; i++) {
		if (!keys_set(k, values[i].text, &room, why))
			fail_msg("%s: %s", values[i].text, why);
		assert_int_equal(*field, values[i].value);
	}
}

static void assert_refused(const struct key *k, const char *const *texts, const char *said)
{
	for (; *texts; texts++) {
		char why[160] = "";

		if (keys_set(k, *texts, &room, why))
			fail_msg("taken: %s", *texts);
		if (!strstr(why, said))
			fail_msg("%s: %s", *texts, why);
	}
}

static const struct key any_ms = {"t", KEY_MS, AT(wait_ms), NULL, INT64_MIN, INT64_MAX, NULL, true, "", ""};
static const struct key any_size = {"s", KEY_BYTES, AT(size), NULL, INT64_MIN, INT64_MAX, NULL, true, "", ""};
static const struct key any_int = {"i", KEY_INT, AT(doors), NULL, INT64_MIN, INT64_MAX, NULL, true, "", ""};

static void keys_set__times__every_unit_to_the_last_that_fits(void **state)
{
	static const struct value good[] = {
	    {"0ms", 0},
	    {"250ms", 250},
	    {"30s", 30000},
	    {"5m", 300000},
	    {"12h", 43200000},
	    {"7d", 604800000},
	    {"007d", 604800000},
	    {"-1s", -1000},
	    {"9223372036854775807ms", INT64_MAX},
	    {"9223372036854775s", 9223372036854775000},
	    {"106751991167d", 106751991167 * 86400000},
	};
	static const char *const bad[] = {"", "5", "s", "ms", "5 s", " 5s", "5s ", "5S", "5sec", "1.5s",
	    "1,5s", "+5s", "--5s", "- 5s", "0x5s", "1e3s", "5ms5", "5m30s", "1w", "9223372036854775808ms",
	    "9223372036854776s", "106751991168d", "99999999999999999999999d", "\xd9\xa5s", NULL};

	(void)state;
	assert_values(&any_ms, &room.wait_ms, good, sizeof good / sizeof *good);
	assert_refused(&any_ms, bad, "is not a time: write 250ms, 30s, 5m, 12h or 7d");
}

static void keys_set__sizes__every_unit_to_the_last_that_fits(void **state)
{
	static const struct value good[] = {
	    {"0", 0},
	    {"65536", 65536},
	    {"64k", 65536},
	    {"16m", 16 << 20},
	    {"2g", 2LL << 30},
	    {"9223372036854775807", INT64_MAX},
	    {"9007199254740991k", 9007199254740991 * 1024},
	    {"8589934591g", 8589934591LL << 30},
	};
	static const char *const bad[] = {"", "k", "64 k", "64K", "64kb", "64kib", "1.5m", "64b", "1t",
	    "9223372036854775808", "9007199254740992k", "8589934592g", NULL};

	(void)state;
	assert_values(&any_size, &room.size, good, sizeof good / sizeof *good);
	assert_refused(&any_size, bad, "is not a size: write 65536, 64k or 16m");
}

static void keys_set__numbers__whole_and_in_64_bits(void **state)
{
	static const struct value good[] = {
	    {"0", 0},
	    {"-0", 0},
	    {"08", 8},
	    {"9223372036854775807", INT64_MAX},
	    {"-9223372036854775808", INT64_MIN},
	};
	static const char *const bad[] = {"", "-", "+1", "1 ", " 1", "1.0", "1e3", "0x10", "1_000", "1k", "~",
	    "null", "9223372036854775808", "-9223372036854775809", NULL};

	(void)state;
	assert_values(&any_int, &room.doors, good, sizeof good / sizeof *good);
	assert_refused(&any_int, bad, "is not a whole number");
}

static void keys_set__ends_of_a_range__in_and_just_out(void **state)
{
	static const struct value doors[] = {{"1", 1}, {"100", 100}};
	static const struct value waits[] = {{"250ms", 250}, {"7d", 7 * DAY}, {"168h", 7 * DAY}};
	static const char *const bad_doors[] = {"0", "101", "-1", "9223372036854775807", NULL};
	static const char *const bad_waits[] = {"0ms", "249ms", "604800001ms", "8d", "-1s", NULL};

	(void)state;
	assert_values(&table[1], &room.doors, doors, 2);
	assert_refused(&table[1], bad_doors, "is out of range: 1 to 100");
	assert_int_equal(room.doors, 100);
	assert_values(&table[3], &room.wait_ms, waits, 3);
	assert_refused(&table[3], bad_waits, "is out of range: 250ms to 7d");
}

static void keys_set__booleans__four_words_only(void **state)
{
	static const char *const bad[] = {"", "Yes", "YES", "on", "off", "1", "0", "y", "yes ", "null", NULL};
	char why[160];

	(void)state;
	assert_true(keys_set(&table[0], "yes", &room, why) && room.open);
	assert_true(keys_set(&table[0], "no", &room, why) && !room.open);
	assert_true(keys_set(&table[0], "true", &room, why) && room.open);
	assert_true(keys_set(&table[0], "false", &room, why) && !room.open);
	assert_refused(&table[0], bad, "is not yes or no");
}

static void keys_set__texts__to_their_longest(void **state)
{
	static const char *const bad[] = {"123456", NULL};
	char *longest = mem_new(1026), why[160];

	(void)state;
	assert_true(keys_set(&table[5], "12345", &room, why));
	assert_string_equal(room.name, "12345");
	assert_refused(&table[5], bad, "longer than 5 characters");
	assert_string_equal(room.name, "12345");
	assert_true(keys_set(&table[5], "", &room, why));
	assert_string_equal(room.name, "");
	memset(longest, 'x', 1024);
	assert_true(keys_set(&table[6], longest, &room, why));
	assert_int_equal(strlen(room.motto), 1024);
	longest[1024] = 'x';
	assert_false(keys_set(&table[6], longest, &room, why));
	assert_string_equal(why, "longer than 1024 characters");
	free(longest);
}

static void keys_set__choice__exact_names_only(void **state)
{
	static const char *const bad[] = {"", "Blue", "blue ", "re", "reds", "0", NULL};
	char why[160];

	(void)state;
	assert_true(keys_set(&table[7], "red", &room, why) && room.colour == 0);
	assert_true(keys_set(&table[7], "blue", &room, why) && room.colour == 2);
	assert_refused(&table[7], bad, "is not one of red, green, blue");
	assert_int_equal(room.colour, 2);
}

/* The reason is at most 159 characters, whatever was written. */
static void keys_set__endless_words__reason_fits(void **state)
{
	static const char *const many[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccccccccccccccccccc",
	    "dddddddddddddddddddddddddddddddddddddddd", NULL};
	static const struct key k = {"k", KEY_CHOICE, AT(colour), NULL, 0, 0, many, true, "", ""};
	char *word = mem_new(100001), why[160];

	(void)state;
	memset(word, 'x', 100000);
	assert_false(keys_set(&k, word, &room, why));
	assert_true(strlen(why) < 160);
	memset(word, '9', 100000);
	assert_false(keys_set(&any_ms, word, &room, why));
	assert_true(strlen(why) < 160);
	free(word);
}

static void keys_read__one_text_for_a_list__a_list_of_it(void **state)
{
	(void)state;
	assert_says("people: ann\n", "");
	assert_int_equal(room.people.count, 1);
	assert_string_equal(room.people.items[0], "ann");
	assert_says("people: 123456\n", "");
	assert_says("people: 1234567\n", "f:1:9: people: an item is longer than 6 characters\n");
	assert_says("people: []\n", "");
	assert_int_equal(room.people.count, 0);
	assert_says("people: {ann: bob}\n", "f:1:9: people: a single value is wanted here, not a map\n");
}

static void keys_read__required_key_absent__said_with_its_help(void **state)
{
	static const struct key required[] = {
	    {"name", KEY_TEXT, AT(name), NULL, 0, 5, NULL, false, "", "What it is called."},
	    {"doors.count", KEY_INT, AT(doors), NULL, 1, 100, NULL, true, "", "How many doors."},
	};
	struct yaml *y = yaml_parse("f", "doors: {}\n", 10, &faults);

	(void)state;
	keys_read(required, 2, NULL, yaml_root(y), &room, &faults);
	assert_string_equal(buf_text(&faults.text),
	    "f:1:1: name: this key is required: What it is called.\n"
	    "f:1:1: doors.count: this key is required: How many doors.\n");
	assert_string_equal(room.name, "");
	yaml_tree_free(y);
}

static void keys_nearest__three_edits_at_most__least_wins(void **state)
{
	static const char *const names[] = {"http.listen", "http.idle_timeout", "queue.max_age", "log.level"};

	(void)state;
	assert_string_equal(keys_nearest("http.listen", names, 4), "http.listen");
	assert_string_equal(keys_nearest("htp.lisen", names, 4), "http.listen");
	assert_string_equal(keys_nearest("http.listener", names, 4), "http.listen");
	assert_string_equal(keys_nearest("htp.lisenr", names, 4), "http.listen");
	assert_null(keys_nearest("htp.isenr", names, 4));
	assert_string_equal(keys_nearest("log.levle", names, 4), "log.level");
	assert_null(keys_nearest("", names, 4));
	assert_null(keys_nearest("abc", (const char *const[]){"xyz"}, 1));
	assert_null(keys_nearest("http.listen", names, 0));
}

static void keys_nearest__endless_word__none(void **state)
{
	char word[200];
	const char *const names[] = {"a", word};

	(void)state;
	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_null(keys_nearest(word, names, 2));
	word[62] = '\0';
	assert_string_equal(keys_nearest(word, names, 2), word);
}

static void keys_difference__between_two__first_that_needs_a_restart(void **state)
{
	struct room other = {0};
	struct yaml *y = yaml_parse("f", "people: [a]\nsize: 1\n", 20, &faults);

	(void)state;
	room_read("");
	keys_read(table, KEYS, NULL, yaml_root(y), &other, &faults);
	assert_null(keys_fixed_difference(table, KEYS, &room, &other));
	assert_false(keys_equal(table, KEYS, &room, &other));
	assert_true(keys_equal(table, KEYS, &room, &room));
	room_read("people: [b]\nsize: 1\n");
	assert_false(keys_equal(table, KEYS, &room, &other));
	room_read("people: [a]\nsize: 1\n");
	assert_true(keys_equal(table, KEYS, &room, &other));
	room_read("people: [a]\nsize: 1\nname: den\ndoors: {wait: 1s}\n");
	assert_string_equal(keys_fixed_difference(table, KEYS, &room, &other), "doors.wait");
	room_read("people: [a]\nsize: 1\nname: den\n");
	assert_string_equal(keys_fixed_difference(table, KEYS, &room, &other), "name");
	yaml_tree_free(y);
	keys_fini(table, KEYS, &other);
}

static void keys_help__of_the_table__three_lines_a_key(void **state)
{
	struct buf out = {0};

	(void)state;
	keys_help(table, KEYS, &out);
	assert_string_equal(out.data,
	    "open\n    Whether it is open.\n"
	    "    yes or no; default yes; yes | no; changes on reload\n"
	    "doors.count\n    How many doors.\n"
	    "    number, doors; default 2; 1 to 100; changes on reload\n"
	    "doors.offset\n    Any number.\n"
	    "    number; default -1; -9223372036854775808 to 9223372036854775807; changes on reload\n"
	    "doors.wait\n    How long they wait.\n"
	    "    time; default 5s; 250ms to 7d; needs a restart\n"
	    "size\n    How large.\n"
	    "    size, octets; default 64k; 0 to 9223372036854775807; changes on reload\n"
	    "name\n    What it is called.\n"
	    "    text; default hall; up to 5 characters; needs a restart\n"
	    "motto\n    What stands over it.\n"
	    "    text; default empty; up to 1024 characters; changes on reload\n"
	    "colour\n    Of the walls.\n"
	    "    choice; default green; red | green | blue; changes on reload\n"
	    "people\n    Who is in it.\n"
	    "    list; default empty; up to 6 characters each; changes on reload\n");
	buf_fini(&out);
}

#define TEST(f) cmocka_unit_test_teardown(f, room_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(keys_read__empty_map__every_default),
	    TEST(keys_read__every_key__every_value),
	    TEST(keys_read__every_key_wrong__a_line_each_and_the_defaults),
	    TEST(keys_read__not_a_map__one_line_and_the_defaults),
	    TEST(keys_read__unknown_names__place_of_the_key_and_the_nearest),
	    TEST(keys_read__unknown_section__nearest_section),
	    TEST(keys_read__dots_in_a_name__told_how_to_write_it),
	    TEST(keys_read__section_that_is_no_map__said),
	    TEST(keys_set__times__every_unit_to_the_last_that_fits),
	    TEST(keys_set__sizes__every_unit_to_the_last_that_fits),
	    TEST(keys_set__numbers__whole_and_in_64_bits),
	    TEST(keys_set__ends_of_a_range__in_and_just_out),
	    TEST(keys_set__booleans__four_words_only),
	    TEST(keys_set__texts__to_their_longest),
	    TEST(keys_set__choice__exact_names_only),
	    TEST(keys_set__endless_words__reason_fits),
	    TEST(keys_read__one_text_for_a_list__a_list_of_it),
	    TEST(keys_read__required_key_absent__said_with_its_help),
	    TEST(keys_nearest__three_edits_at_most__least_wins),
	    TEST(keys_nearest__endless_word__none),
	    TEST(keys_difference__between_two__first_that_needs_a_restart),
	    TEST(keys_help__of_the_table__three_lines_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

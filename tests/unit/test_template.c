/* template: the shipped texts with their longest values, and what a broken file is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/mem.h"
#include "text/segment.h"
#include "text/template.h"
#include "text/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SHIPPED  KEZEK_SOURCE_DIR "/dialogs/sms.yaml"

/* Templates from a text, through a file of their own. */
static struct templates *load(const char *yaml, struct faults *faults)
{
	char path[] = "/tmp/kezek-template-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	struct templates *t = templates_load(path, faults);
	unlink(path);
	assert_non_null(t);
	return t;
}

static struct templates *load_good(const char *yaml)
{
	struct faults faults = {0};
	struct templates *t = load(yaml, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	faults_fini(&faults);
	return t;
}

/* A file with one fault, at ":line:column: " with the words in it. */
static void load_bad(const char *yaml, const char *place, const char *words)
{
	struct faults faults = {0};
	struct templates *t = load(yaml, &faults);

	if (faults.count != 1 || !strstr(buf_text(&faults.text), place) ||
	    !strstr(buf_text(&faults.text), words))
		fail_msg("want one fault at %s with \"%s\", have %d:\n%s", place, words, faults.count,
		    buf_text(&faults.text));
	templates_free(t);
	faults_fini(&faults);
}

static const char pair[] = "hello:\n"
                           "  kk: \"Сәлем {name}, {n}!\"\n"
                           "  ru: \"{n}: привет {name}\"\n"
                           "  en: \"{name}{n}{name}\"\n";

static void template_fill__each_language__has_its_own_order(void **state)
{
	static const struct template_param params[] = {{"n", "5"}, {"name", "Айерке"}};
	static const char *const want[] = {"Сәлем Айерке, 5!", "5: привет Айерке", "Айерке5Айерке"};
	struct templates *t = load_good(pair);
	char why[TEMPLATE_WHY] = "";

	(void)state;
	assert_int_equal(templates_count(t), 1);
	for (unsigned l = 0; l < LANGUAGES; l++) {
		struct buf out = {0};

		assert_int_equal(template_fill(t, "hello", (enum language)l, params, 2, &out, why), KZ_OK);
		assert_string_equal(buf_text(&out), want[l]);
		buf_fini(&out);
	}
	assert_string_equal(why, "");
	templates_free(t);
}

static void template_fill__braces_in_a_value__are_not_read(void **state)
{
	static const struct template_param params[] = {{"n", "{name}"}, {"name", "}{n}{"}};
	struct templates *t = load_good(pair);
	struct buf out = {0};
	char why[TEMPLATE_WHY];

	(void)state;
	assert_int_equal(template_fill(t, "hello", LANGUAGE_RU, params, 2, &out, why), KZ_OK);
	assert_string_equal(buf_text(&out), "{name}: привет }{n}{");
	buf_fini(&out);
	templates_free(t);
}

static void refuses(
    const char *name, const struct template_param *params, size_t n, enum kz want, const char *words)
{
	struct templates *t = load_good(pair);
	struct buf out = {0};
	char why[TEMPLATE_WHY] = "";

	assert_int_equal(template_fill(t, name, LANGUAGE_KK, params, n, &out, why), want);
	if (!strstr(why, words))
		fail_msg("\"%s\" lacks \"%s\"", why, words);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
	templates_free(t);
}

static void template_fill__wrong_parameters__say_which(void **state)
{
	char value[202];
	struct template_param long_value[] = {{"name", value}, {"n", "1"}};
	char name[1000];

	(void)state;
	memset(value, 'x', 201);
	value[201] = '\0';
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	refuses("hello", (struct template_param[]){{"name", "a"}}, 1, KZ_INVALID,
	    "\"n\" of template \"hello\" is missing");
	refuses("hello", NULL, 0, KZ_INVALID, "is missing");
	refuses("hello", (struct template_param[]){{"name", "a"}, {"n", "1"}, {"code", "2"}}, 3, KZ_INVALID,
	    "\"code\"");
	refuses("hello", (struct template_param[]){{"name", "a"}, {"n", "1"}, {"\xd0\xb6\n", "2"}}, 3,
	    KZ_INVALID, "\"?\"");
	refuses("hello", (struct template_param[]){{name, "a"}}, 1, KZ_INVALID, "\"?\"");
	refuses("hello", long_value, 2, KZ_TOO_LONG, "\"name\" is over 200 octets");
	refuses("hallo", (struct template_param[]){{"name", "a"}}, 1, KZ_NOT_FOUND, "\"hallo\"");
	refuses(name, NULL, 0, KZ_NOT_FOUND, "\"?\"");
	refuses("", NULL, 0, KZ_NOT_FOUND, "\"?\"");
}

static void template_fill__value_of_200_octets__is_taken(void **state)
{
	struct templates *t = load_good("v: {kk: \"{a}\", ru: \"{a}\", en: \"{a}\"}\n");
	struct buf out = {0};
	char why[TEMPLATE_WHY];
	char value[201];

	(void)state;
	memset(value, 'x', 200);
	value[200] = '\0';
	assert_int_equal(
	    template_fill(t, "v", LANGUAGE_EN, &(struct template_param){"a", value}, 1, &out, why), KZ_OK);
	assert_string_equal(buf_text(&out), value);
	buf_clear(&out);
	assert_int_equal(
	    template_fill(t, "v", LANGUAGE_EN, &(struct template_param){"a", ""}, 1, &out, why), KZ_OK);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
	templates_free(t);
}

static void templates_load__decomposed_text__is_composed(void **state)
{
	struct templates *t = load_good("v: {kk: \"и\xcc\x86\", ru: \"a\xcc\x86\", en: \"“a”\"}\n");
	struct buf out = {0};
	char why[TEMPLATE_WHY];

	(void)state;
	assert_int_equal(template_fill(t, "v", LANGUAGE_KK, NULL, 0, &out, why), KZ_OK);
	assert_int_equal(template_fill(t, "v", LANGUAGE_EN, NULL, 0, &out, why), KZ_OK);
	assert_string_equal(buf_text(&out), "й\"a\"");
	buf_fini(&out);
	templates_free(t);
}

static void templates_load__broken_templates__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad("a: {kk: x, ru: x}\n", ":1:4: ", "lacks the language en");
	load_bad("a:\n  kk: x\n  ru: x\n  en: x\n  uz: x\n", ":5:7: ", "\"uz\" is not a language");
	load_bad("a: {kk: \"{n}\", ru: \"{n}\", en: x}\n", ":1:31: ", "lacks {n}");
	load_bad("a: {kk: x, ru: \"{n}\", en: \"{n}\"}\n", ":1:9: ", "lacks {n}");
	load_bad("a: {kk: x, ru: \"\", en: x}\n", ":1:16: ", "a text is expected");
	load_bad("a: {kk: x, ru: [x], en: x}\n", ":1:16: ", "a text is expected");
	load_bad("a: text\n", ":1:4: ", "must be a map");
	load_bad("- a\n", ":1:1: ", "a map of names");
	load_bad("A b: {kk: x, ru: x, en: x}\n", ":1:6: ", "name");
	load_bad("a: {kk: \"a\\tb\", ru: x, en: x}\n", ":1:9: ", "control character");
}

static void templates_load__broken_braces__one_fault_with_its_place(void **state)
{
	static const char *const wrong[] = {"{", "}", "{}", "{ a}", "{a", "{a b}", "{A}", "{1}", "{a{b}}",
	    "x } y", "{ә}", "{abcdefghijabcdefghijabcdefghijabc}"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *yaml = mem_printf("a: {kk: x, ru: \"%s\", en: x}\n", wrong[i]);

		load_bad(yaml, ":1:16: ", "brace");
		free(yaml);
	}
}

static void templates_load__too_much__is_refused(void **state)
{
	struct buf text = {0};
	char *yaml;

	(void)state;
	for (int i = 0; i < 17; i++)
		buf_printf(&text, "{p%d}", i);
	yaml = mem_printf("a: {kk: \"%s\", ru: x, en: x}\n", buf_text(&text));
	load_bad(yaml, ":1:9: ", "more than 16 parameters");
	free(yaml);
	buf_clear(&text);
	for (int i = 0; i < 65; i++)
		buf_str(&text, "{p}");
	yaml = mem_printf("a: {kk: \"%s\", ru: \"{p}\", en: \"{p}\"}\n", buf_text(&text));
	load_bad(yaml, ":1:9: ", "too many");
	free(yaml);
	buf_clear(&text);
	for (int i = 0; i < 1001; i++)
		buf_str(&text, "ж");
	yaml = mem_printf("a: {kk: \"%s\", ru: x, en: x}\n", buf_text(&text));
	load_bad(yaml, ":1:9: ", "2,000 octets");
	free(yaml);
	buf_fini(&text);
}

static void templates_load__no_such_file__is_a_fault(void **state)
{
	struct faults faults = {0};
	struct templates *t = templates_load("/nonexistent/sms.yaml", &faults);

	(void)state;
	assert_int_equal(faults.count, 1);
	assert_int_equal(templates_count(t), 0);
	templates_free(t);
	templates_free(NULL);
	faults_fini(&faults);
}

/* The widest value of each parameter, in a Cyrillic and, where it can be so, a Latin spelling. */
static const struct template_param longest[] = {
    {"app", "123456789"},
    {"at", "19.09 17:02"},
    {"cat", "Бірінші кезектегі"},
    {"code", "482915"},
    {"dm", "19.09"},
    {"kg", "№20 Нұршуақ-2"},
    {"minutes", "15"},
    {"name", "Айгерімжан"},
    {"place", "Алматы ауданы"},
    {"pos", "108344"},
    {"ref", "179729"},
    {"until", "19.09 17:02"},
};

static const struct {
	const char *name, *params[5];
} shipped[] = {
    {"code", {"code", "minutes"}},
    {"appno", {"app", "pos"}},
    {"referral", {"ref", "kg", "until"}},
    {"remind", {"ref", "until"}},
    {"offer", {"kg", "until"}},
    {"resume", {NULL}},
    {"docs", {"place", "dm"}},
    {"late", {"name", "pos", "cat", "at"}},
};

static struct template_param longest_value(const char *name)
{
	for (size_t i = 0; i < COUNT(longest); i++)
		if (!strcmp(longest[i].name, name))
			return longest[i];
	fail_msg("no value for %s", name);
	return longest[0];
}

/* Fills as the parent would get it, and counts. */
static void fits_one_sms(const struct templates *t, size_t row, enum language l)
{
	static const struct text_wire wire = {CONCAT_UDH16, GSM_WIRE_UNPACKED};
	struct template_param params[5];
	struct buf filled = {0};
	struct buf text = {0};
	char why[TEMPLATE_WHY] = "";
	struct text_cost cost;
	size_t n = 0;

	for (; shipped[row].params[n]; n++)
		params[n] = longest_value(shipped[row].params[n]);
	if (template_fill(t, shipped[row].name, l, params, n, &filled, why) != KZ_OK)
		fail_msg("%s in %s: %s", shipped[row].name, language_name(l), why);
	assert_int_equal(utf8_for_phone(filled.data, filled.len, &text), KZ_OK);
	assert_int_equal(segment_cost(text.data, text.len, &wire, &cost), KZ_OK);
	if (cost.parts != 1)
		fail_msg("%s in %s takes %u units: %s", shipped[row].name, language_name(l), cost.units,
		    text.data);
	buf_fini(&filled);
	buf_fini(&text);
}

static void shipped_templates__longest_values__fit_one_sms(void **state)
{
	struct faults faults = {0};
	struct templates *t = templates_load(SHIPPED, &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_int_equal(templates_count(t), COUNT(shipped));
	for (size_t i = 0; i < COUNT(shipped); i++)
		for (unsigned l = 0; l < LANGUAGES; l++)
			fits_one_sms(t, i, (enum language)l);
	templates_free(t);
	faults_fini(&faults);
}

static void language_parse__only_the_three_names__are_known(void **state)
{
	static const char *const wrong[] = {"", "k", "KK", "kz", "ru ", "rus", "english"};
	enum language l;

	(void)state;
	for (unsigned i = 0; i < LANGUAGES; i++) {
		assert_int_equal(language_parse(language_name((enum language)i), &l), KZ_OK);
		assert_int_equal(l, i);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(language_parse(wrong[i], &l), KZ_INVALID);
	assert_string_equal(language_name(LANGUAGE_KK), "kk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(template_fill__each_language__has_its_own_order),
	    cmocka_unit_test(template_fill__braces_in_a_value__are_not_read),
	    cmocka_unit_test(template_fill__wrong_parameters__say_which),
	    cmocka_unit_test(template_fill__value_of_200_octets__is_taken),
	    cmocka_unit_test(templates_load__decomposed_text__is_composed),
	    cmocka_unit_test(templates_load__broken_templates__one_fault_with_its_place),
	    cmocka_unit_test(templates_load__broken_braces__one_fault_with_its_place),
	    cmocka_unit_test(templates_load__too_much__is_refused),
	    cmocka_unit_test(templates_load__no_such_file__is_a_fault),
	    cmocka_unit_test(shipped_templates__longest_values__fit_one_sms),
	    cmocka_unit_test(language_parse__only_the_three_names__are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

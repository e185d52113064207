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
	struct templates *t = templates_load(path, &words_usual, faults);
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
                           "  params: {n: number(1), name: text(20)}\n"
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
	static const struct template_param params[] = {{"n", "5"}, {"name", "}{n}{"}};
	struct templates *t = load_good(pair);
	struct buf out = {0};
	char why[TEMPLATE_WHY];

	(void)state;
	assert_int_equal(template_fill(t, "hello", LANGUAGE_RU, params, 2, &out, why), KZ_OK);
	assert_string_equal(buf_text(&out), "5: привет }{n}{");
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
	static const char *const wide = "ЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖ";
	char name[1000];

	(void)state;
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
	refuses("hello", (struct template_param[]){{"name", wide}, {"n", "1"}}, 2, KZ_TOO_LONG,
	    "parameter \"name\" of template \"hello\" is longer than text(20)");
	refuses("hello", (struct template_param[]){{"name", "a"}, {"n", "x"}}, 2, KZ_INVALID,
	    "parameter \"n\" of template \"hello\" is not number(1)");
	refuses("hallo", (struct template_param[]){{"name", "a"}}, 1, KZ_NOT_FOUND, "\"hallo\"");
	refuses(name, NULL, 0, KZ_NOT_FOUND, "\"?\"");
	refuses("", NULL, 0, KZ_NOT_FOUND, "\"?\"");
}

/* What no caller may give, as the place of digits that are not there yet. */
static void template_fill_trusted__any_value__as_it_is(void **state)
{
	static const struct template_param params[] = {{"n", "\x1a"}, {"other", "x"}, {"name", ""}};
	struct templates *t = load_good(pair);
	struct buf out = {0};

	(void)state;
	assert_null(template_find(t, "hallo"));
	assert_true(template_has(template_find(t, "hello"), "n"));
	assert_false(template_has(template_find(t, "hello"), "nam"));
	template_fill_trusted(template_find(t, "hello"), LANGUAGE_EN, params, 3, &out);
	assert_string_equal(buf_text(&out), "\x1a");
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
	load_bad("a: {params: {n: time}, kk: \"{n}\", ru: \"{n}\", en: x}\n", ":1:50: ", "lacks {n}");
	load_bad("a: {kk: x, ru: \"{n}\", en: \"{n}\", params: {n: time}}\n", ":1:9: ", "lacks {n}");
	load_bad("a: {kk: x, ru: x, en: \"{n}\"}\n", ":1:23: ", "{n} has no type");
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

static void templates_load__broken_params__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad(
	    "a:\n  params: {n: time, m: digit(6)}\n  kk: x\n", ":2:24: ", "m: digit(6): known are digits(n)");
	load_bad("a:\n  params: {n: digits}\n", ":2:15: ", "1 to 32");
	load_bad("a:\n  params: {n: digits(33)}\n", ":2:15: ", "1 to 32");
	load_bad("a:\n  params: {n: number(0)}\n", ":2:15: ", "1 to 18");
	load_bad("a:\n  params: {n: text(161)}\n", ":2:15: ", "1 to 160");
	load_bad("a:\n  params: {n: time(5)}\n", ":2:15: ", "nothing follows");
	load_bad("a:\n  params: {n: {}}\n", ":2:15: ", "n: no type: a type is expected");
	load_bad("a:\n  params: {N: time}\n", ":2:15: ", "a parameter's name");
	load_bad("a:\n  params: [n]\n", ":2:11: ", "a map of parameters");
	load_bad("a:\n  params: n\n", ":2:11: ", "a map of parameters");
}

static void templates_load__broken_segments__one_fault_with_its_place(void **state)
{
	static const char *const wrong[] = {"0", "33", "x", "-1", "1.5", "[1]", "''", "100"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *yaml = mem_printf("a:\n  segments: %s\n", wrong[i]);

		load_bad(yaml, ":2:13: ", "segments: a number of SMS");
		free(yaml);
	}
	load_bad("a:\n  segments: {kk: 1, ru: 0}\n", ":2:25: ", "segments: a number of SMS");
	load_bad("a:\n  segments: {uz: 1}\n", ":2:18: ", "\"uz\" is not a language");
}

static void templates_load__too_much__is_refused(void **state)
{
	struct buf text = {0};
	char *yaml;

	(void)state;
	for (int i = 0; i < 17; i++)
		buf_printf(&text, "%sp%d: time", i ? ", " : "", i);
	yaml = mem_printf("a: {params: {%s}}\n", buf_text(&text));
	load_bad(yaml, ":1:185: ", "more than 16 parameters");
	free(yaml);
	buf_clear(&text);
	for (int i = 0; i < 65; i++)
		buf_str(&text, "{p}");
	yaml = mem_printf(
	    "a: {kk: \"%s\", ru: \"{p}\", en: \"{p}\", params: {p: digits(1)}}\n", buf_text(&text));
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

/* Kazakh of n letters with a parameter of the type, in so many SMS. */
static char *with_length(size_t n, const char *type, const char *segments)
{
	struct buf text = {0};

	for (size_t i = 0; i < n; i++)
		buf_str(&text, "ж");
	char *yaml =
	    mem_printf("a: {kk: \"%s{p}\", ru: \"{p}\", en: \"{p}\", params: {p: %s}, segments: %s}\n",
	        buf_text(&text), type, segments);
	buf_fini(&text);
	return yaml;
}

/* The widest values of the type take `width` characters of 70: one letter more is one SMS more. */
static void assert_width(const char *type, size_t width)
{
	char *fits = with_length(70 - width, type, "1"), *over = with_length(71 - width, type, "1"),
	     *two = with_length(71 - width, type, "{kk: 2}");

	templates_free(load_good(fits));
	templates_free(load_good(two));
	load_bad(over,
	    ":1:9: ", "71 characters of UCS-2 and so 2 SMS, 1 declared: shorten it, or say segments: 2");
	free(fits);
	free(over);
	free(two);
}

static void templates_load__longest_values__prove_the_segments(void **state)
{
	(void)state;
	assert_width("digits(10)", 10);
	assert_width("number(2)", 2);
	assert_width("latin(7)", 7);
	assert_width("text(13)", 13);
	assert_width("name(20)", 20);
	assert_width("time", 5);
	assert_width("day", 5);
	assert_width("date", 10);
	assert_width("moment", 11);
}

/* The alphabet is that of the text with its values, not of the template alone. */
static void templates_load__alphabet__known_when_filled(void **state)
{
	(void)state;
	templates_free(load_good("a: {params: {p: latin(160)}, kk: \"{p}\", ru: \"{p}\", en: \"{p}\"}\n"));
	load_bad("a: {params: {p: text(80)}, kk: x, ru: x, en: \"{p}\"}\n", ":1:32: ", "lacks {p}");
	load_bad("a: {params: {p: text(69)}, kk: \"{p}\", ru: \"{p}\", en: \"ab{p}\"}\n",
	    ":1:54: ", "71 characters of UCS-2");
	load_bad("a: {params: {p: latin(160)}, kk: \"{p}\", ru: \"{p}\", en: \"{p}!\"}\n",
	    ":1:56: ", "161 septets and so 2 SMS");
	/* one operator's wire has ASCII alone: what else there is goes as UCS-2 */
	load_bad("a: {params: {p: latin(70)}, kk: \"{p}\", ru: \"{p}\", en: \"{p}é\"}\n",
	    ":1:55: ", "71 characters of UCS-2");
	/* an extension character is two septets, and a word in Cyrillic makes all of it UCS-2 */
	load_bad("a: {params: {p: latin(160)}, kk: \"{p}\", ru: \"{p}\", en: \"{p}[\", segments: {en: 1}}\n",
	    ":1:56: ", "162 septets");
	load_bad("a: {params: {p: latin(70)}, kk: \"{p}\", ru: \"{p}\", en: \"{p}ж\"}\n",
	    ":1:55: ", "71 characters of UCS-2");
}

/* 152 and 66 in each part: with the other ways to tie them there is more room. */
static void templates_load__several_segments__room_of_the_widest_header(void **state)
{
	char *fits = with_length(132 - 6, "digits(6)", "2"), *over = with_length(133 - 6, "digits(6)", "2"),
	     *most = with_length(900, "text(160)", "16");

	(void)state;
	templates_free(load_good(fits));
	load_bad(over, ":1:9: ", "133 characters of UCS-2 and so 3 SMS, 2 declared");
	load_bad(most, ":1:9: ", "1060 characters of UCS-2 and so 17 SMS");
	free(fits);
	free(over);
	free(most);
}

static void templates_load__no_such_file__is_a_fault(void **state)
{
	struct faults faults = {0};
	struct templates *t = templates_load("/nonexistent/sms.yaml", &words_usual, &faults);

	(void)state;
	assert_int_equal(faults.count, 1);
	assert_int_equal(templates_count(t), 0);
	templates_free(t);
	templates_free(NULL);
	faults_fini(&faults);
}

/* That they fit is proved as they are loaded. */
static void shipped_templates__loaded__one_sms_each(void **state)
{
	static const char *const names[] = {"code", "code_login", "code_phone", "code_password",
	    "code_referral", "appno", "appno_only", "referral", "referral_taken", "referral_accepted",
	    "referral_declined", "referral_extended", "referral_expired", "referral_cancelled", "remind",
	    "place_free", "phone_changed", "offer", "resume", "docs", "late", "ussd_again", "ussd_late_queue",
	    "ussd_late_place", "ussd_late_none", "ussd_late_referral", "ussd_late_pin", "ussd_late_gone",
	    "ussd_late_turn", "ussd_late_stop", "ussd_late_not_fit", "ussd_late_already", "ussd_late_phone",
	    "ussd_watch", "ussd_watch_full", "ussd_district", "ussd_language", "ussd_queue", "ussd_referral",
	    "ussd_enrol", "ussd_enrol_documents"};
	struct faults faults = {0};
	struct templates *t = templates_load(SHIPPED, &words_usual, &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_int_equal(templates_count(t), COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_non_null(template_find(t, names[i]));
		for (enum language l = 0; l < LANGUAGES; l++)
			assert_int_equal(template_segments(template_find(t, names[i]), l), 1);
	}
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
	    cmocka_unit_test(template_fill_trusted__any_value__as_it_is),
	    cmocka_unit_test(templates_load__decomposed_text__is_composed),
	    cmocka_unit_test(templates_load__broken_templates__one_fault_with_its_place),
	    cmocka_unit_test(templates_load__broken_braces__one_fault_with_its_place),
	    cmocka_unit_test(templates_load__broken_params__one_fault_with_its_place),
	    cmocka_unit_test(templates_load__broken_segments__one_fault_with_its_place),
	    cmocka_unit_test(templates_load__too_much__is_refused),
	    cmocka_unit_test(templates_load__longest_values__prove_the_segments),
	    cmocka_unit_test(templates_load__alphabet__known_when_filled),
	    cmocka_unit_test(templates_load__several_segments__room_of_the_widest_header),
	    cmocka_unit_test(templates_load__no_such_file__is_a_fault),
	    cmocka_unit_test(shipped_templates__loaded__one_sms_each),
	    cmocka_unit_test(language_parse__only_the_three_names__are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* param: types of what is filled into templates, and that none of their values is wider than the widest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/param.h"
#include "text/template.h"
#include "text/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *const types[] = {
    "digits(6)", "number(6)", "latin(5)", "text(5)", "name(5)", "time", "day", "date", "moment"};

static struct param_type type_of(const char *text)
{
	struct param_type t;
	const char *why = "";

	if (param_parse(text, &t, &why) != KZ_OK)
		fail_msg("%s: %s", text, why);
	return t;
}

static void param_parse__each_type__written_the_same_again(void **state)
{
	char text[PARAM_TYPE];

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++)
		assert_string_equal(param_name(type_of(types[i]), text), types[i]);
	assert_string_equal(param_name(type_of("text(160)"), text), "text(160)");
}

static void param_parse__anything_else__invalid(void **state)
{
	static const char *const wrong[] = {"", "digits", "digits()", "digits(0)", "digits(33)", "digits(6",
	    "digits 6", "digits(6))", "digits(-1)", "digits(+6)", "digits( 6)", "digits(0x6)", "digits(1000)",
	    "Digits(6)", "digit(6)", "number(19)", "latin(161)", "text(161)", "name(161)", "time(5)",
	    "moment()", "(6)", "datetime"};
	struct param_type t;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *why = NULL;

		assert_int_equal(param_parse(wrong[i], &t, &why), KZ_INVALID);
		assert_non_null(why);
	}
}

static void param_check__values__of_their_type_alone(void **state)
{
	static const struct {
		const char *type, *value;
		enum kz want;
	} rows[] = {
	    {"digits(6)", "0", KZ_OK},
	    {"digits(6)", "000001", KZ_OK},
	    {"digits(6)", "0000001", KZ_TOO_LONG},
	    {"digits(6)", "", KZ_INVALID},
	    {"digits(6)", "12 34", KZ_INVALID},
	    {"digits(6)", "١٢٣", KZ_INVALID},
	    {"digits(6)", "\x1a", KZ_INVALID},
	    {"digits(6)", "{code}", KZ_INVALID},
	    {"number(6)", "0", KZ_OK},
	    {"number(6)", "108344", KZ_OK},
	    {"number(6)", "01", KZ_INVALID},
	    {"number(6)", "-1", KZ_INVALID},
	    {"number(6)", "1083445", KZ_TOO_LONG},
	    {"latin(5)", "No. 5", KZ_OK},
	    {"latin(5)", "Ж", KZ_INVALID},
	    {"latin(5)", "é", KZ_INVALID}, /* GSM 7-bit, but not on an operator's wire of ASCII */
	    {"latin(5)", "[a]", KZ_INVALID},
	    {"latin(5)", "a\nb", KZ_INVALID},
	    {"latin(5)", "abcdef", KZ_TOO_LONG},
	    {"latin(5)", "ab…", KZ_OK}, /* three dots on the phone */
	    {"latin(5)", "abc…", KZ_TOO_LONG},
	    {"text(5)", "№20 Н", KZ_OK},
	    {"text(5)", "№20 Нұ", KZ_TOO_LONG},
	    {"text(5)", "и\xcc\x86и\xcc\x86и\xcc\x86и\xcc\x86и\xcc\x86", KZ_OK}, /* composed on the phone */
	    {"text(5)", "\xe0\xa5\x98\xe0\xa5\x98\xe0\xa5\x98", KZ_TOO_LONG},    /* decomposed: two each */
	    {"text(5)", "\xf0\x9f\x98\x80", KZ_INVALID},                         /* an emoji is two units */
	    {"text(5)", "a\nb", KZ_INVALID}, /* a line of its own could pass for "@host #code" */
	    {"text(5)", "a\x1a", KZ_INVALID},
	    {"text(5)", "a\xff", KZ_INVALID},
	    {"text(5)", "{a}", KZ_OK},
	    {"text(5)", "", KZ_INVALID},
	    {"name(5)", "Айша", KZ_OK},
	    {"name(5)", "A-'’ ", KZ_OK},
	    {"name(5)", "a.kz", KZ_INVALID},
	    {"name(5)", "Айша1", KZ_INVALID},
	    {"name(5)", "Айшага", KZ_TOO_LONG},
	    {"time", "17:02", KZ_OK},
	    {"time", "7:02", KZ_INVALID},
	    {"time", "17:020", KZ_INVALID},
	    {"time", "17.02", KZ_INVALID},
	    {"time", "", KZ_INVALID},
	    {"day", "19.09", KZ_OK},
	    {"day", "19/09", KZ_INVALID},
	    {"date", "19.09.2026", KZ_OK},
	    {"date", "19.09.26", KZ_INVALID},
	    {"moment", "19.09 17:02", KZ_OK},
	    {"moment", "19.09", KZ_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (param_check(type_of(rows[i].type), rows[i].value) != rows[i].want)
			fail_msg("%s of %s: not %s", rows[i].value, rows[i].type, kz_name(rows[i].want));
}

static void param_check__endless_value__too_long(void **state)
{
	struct buf value = {0};

	(void)state;
	for (size_t i = 0; i < 160; i++)
		buf_str(&value, "ည");
	assert_int_equal(param_check(type_of("text(160)"), buf_text(&value)), KZ_OK);
	for (size_t i = 0; i < 100000; i++)
		buf_str(&value, "ည");
	assert_int_equal(param_check(type_of("text(160)"), buf_text(&value)), KZ_TOO_LONG);
	buf_fini(&value);
}

static void param_widest__each_type__is_one_of_its_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct buf widest = {0};

		param_widest(type_of(types[i]), &widest);
		assert_int_equal(param_check(type_of(types[i]), buf_text(&widest)), KZ_OK);
		buf_fini(&widest);
	}
}

/* A text of `before` times lead, then the value, then as many: made fit for a phone, as a template's own text
 * was when it was loaded, in SMS. */
static unsigned parts_of(const char *lead, size_t before, const char *value)
{
	struct buf raw = {0}, own = {0}, text = {0};

	assert_int_equal(utf8_for_phone(lead, strlen(lead), &own), KZ_OK);
	for (size_t i = 0; i < 2 * before; i++) {
		if (i == before)
			buf_str(&raw, value);
		buf_add(&raw, own.data, own.len);
	}
	assert_int_equal(utf8_for_phone(buf_text(&raw), raw.len, &text), KZ_OK);
	struct text_cost cost = {0};

	assert_int_equal(template_cost(buf_text(&text), text.len, &cost), KZ_OK);
	buf_fini(&raw);
	buf_fini(&own);
	buf_fini(&text);
	return cost.parts;
}

/* Around every boundary, in texts of each alphabet, with characters that are not cut in two. */
static void param_widest__against_other_values__never_fewer_sms(void **state)
{
	static const char *const leads[] = {"a", "€", "ж", "\xf0\x9f\x98\x80", "é", "…", "ж…"};
	static const char *const values[][2] = {{"text(5)", "abcde"}, {"text(5)", "€€€€€"}, {"text(5)", "ж"},
	    {"text(5)", "a…b"}, {"text(5)", "……"}, {"text(5)", "é"}, {"text(5)", "жжжжж"}, {"latin(5)", "a…"},
	    {"latin(5)", "a"}, {"name(5)", "Ann"}, {"name(5)", "Айша"}, {"digits(6)", "1"}};

	(void)state;
	for (size_t l = 0; l < COUNT(leads); l++)
		for (size_t v = 0; v < COUNT(values); v++) {
			struct buf widest = {0};

			if (param_check(type_of(values[v][0]), values[v][1]) == KZ_OK) {
				param_widest(type_of(values[v][0]), &widest);
				for (size_t n = 10; n < 82; n++)
					assert_true(parts_of(leads[l], n, values[v][1]) <=
					            parts_of(leads[l], n, buf_text(&widest)));
			}
			buf_fini(&widest);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(param_parse__each_type__written_the_same_again),
	    cmocka_unit_test(param_parse__anything_else__invalid),
	    cmocka_unit_test(param_check__values__of_their_type_alone),
	    cmocka_unit_test(param_check__endless_value__too_long),
	    cmocka_unit_test(param_widest__each_type__is_one_of_its_values),
	    cmocka_unit_test(param_widest__against_other_values__never_fewer_sms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

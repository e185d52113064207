/* digits: what people type, in their scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "text/digits.h"
#include "text/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum kz parse(const char *typed, size_t n, char ret[11])
{
	char *exact = mem_strn(typed, n); /* the sanitizer watches its end */
	enum kz r = digits_parse(exact, n, 10, ret);

	free(exact);
	return r;
}

static void digits_parse__any_script__as_meant(void **state)
{
	static const char *const typed[] = {
	    "1234567890", "１２３４５６７８９０",       /* full-width */
	    "١٢٣٤٥٦٧٨٩٠",                               /* Arabic-Indic */
	    "۱۲۳۴۵۶۷۸۹۰",                               /* extended Arabic-Indic */
	    "१२३४५६७८९०",                               /* Devanagari */
	    "১২৩৪৫৬৭৮৯০",                               /* Bengali */
	    "๑๒๓๔๕๖๗๘๙๐",                               /* Thai */
	    "᠑᠒᠓᠔᠕᠖᠗᠘᠙᠐",                               /* Mongolian */
	    "𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗𝟎",                               /* mathematical bold, first of five runs that touch */
	    "𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿𝟶",                               /* mathematical monospace, the last of them */
	    "𞥑𞥒𞥓𞥔𞥕𞥖𞥗𞥘𞥙𞥐", /* Adlam */
	    "1２٣۴५৬๗᠘𝟗𞥐",             /* all at once */
	};
	char ret[11];

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++) {
		assert_int_equal(parse(typed[i], strlen(typed[i]), ret), KZ_OK);
		assert_string_equal(ret, "1234567890");
	}
}

static void digits_parse__spaces_dashes_and_unseen_marks__passed_over(void **state)
{
	static const char *const typed[] = {
	    "123 456",
	    "123-456",
	    " 123456\r\n",
	    "1\t2 3\xc2\xa0"
	    "456", /* no-break space */
	    "123\xe2\x80\x93"
	    "456", /* en dash */
	    "123\xe2\x88\x92"
	    "456", /* minus */
	    "123\xe3\x80\x80"
	    "456", /* ideographic space */
	    "123\xef\xbc\x8d"
	    "456", /* full-width hyphen */
	    "\xef\xbb\xbf"
	    "123456", /* byte order mark */
	    "\xe2\x80\xaa"
	    "123456\xe2\x80\xac", /* as pasted between directions */
	    "- 1-2-3-4-5-6 -",
	};
	char ret[11];

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++) {
		assert_int_equal(parse(typed[i], strlen(typed[i]), ret), KZ_OK);
		assert_string_equal(ret, "123456");
	}
}

static void digits_parse__anything_else__invalid(void **state)
{
	static const char *const typed[] = {"", " ", "--", "12345a", "l23456", "12345б", "O12345", "123.456",
	    "123,456", "+123456", "0x1234", "１２３Ａ", "²", "①", "Ⅷ", "½", "一", "፩", "᧚", "12\x01",
	    "123\xff", "123\xc0\xb1", "12\xef\xbc", "\xed\xa0\x80", "123'", "123;", "12_3"};
	char ret[11] = "untouched";

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++)
		assert_int_equal(parse(typed[i], strlen(typed[i]), ret), KZ_INVALID);
	assert_int_equal(parse("12\0"
	                       "34",
	                     5, ret),
	    KZ_INVALID);
	assert_string_equal(ret, "untouched");
}

static void digits_parse__too_much__too_long(void **state)
{
	char typed[DIGITS_TYPED + 1], ret[11] = "untouched";

	(void)state;
	memset(typed, ' ', sizeof typed);
	memcpy(typed, "123456", 6);
	assert_int_equal(parse(typed, DIGITS_TYPED + 1, ret), KZ_TOO_LONG);
	assert_int_equal(parse("12345678901", 11, ret), KZ_TOO_LONG);
	memset(typed, '7', sizeof typed);
	assert_int_equal(parse(typed, DIGITS_TYPED, ret), KZ_TOO_LONG);
	assert_string_equal(ret, "untouched");
	memset(typed, ' ', sizeof typed);
	memcpy(typed + DIGITS_TYPED - 6, "123456", 6);
	assert_int_equal(parse(typed, DIGITS_TYPED, ret), KZ_OK);
	assert_string_equal(ret, "123456");
}

/* All of Unicode: what counts as a digit comes in whole runs from 0 to 9, and nothing is a digit and a gap at
 * once. */
static void utf8_digit__all_code_points__runs_of_ten(void **state)
{
	int want = 0, runs = 0;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		int digit = utf8_digit(cp);

		if (digit >= 0) {
			assert_int_equal(digit, want);
			assert_false(utf8_is_gap(cp));
			runs += digit == 9;
			want = (want + 1) % 10;
		} else {
			assert_int_equal(want, 0);
		}
	}
	assert_true(runs >= 60); /* 37 in Unicode 5, 66 in 14 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digits_parse__any_script__as_meant),
	    cmocka_unit_test(digits_parse__spaces_dashes_and_unseen_marks__passed_over),
	    cmocka_unit_test(digits_parse__anything_else__invalid),
	    cmocka_unit_test(digits_parse__too_much__too_long),
	    cmocka_unit_test(utf8_digit__all_code_points__runs_of_ten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

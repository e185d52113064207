#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/msisdn.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void accepts(const char *text, const char *want)
{
	struct msisdn m = {0};
	struct msisdn_refusal why = {0};
	char out[MSISDN_TEXT];

	if (msisdn_parse(text, &m, &why) != KZ_OK)
		fail_msg("\"%s\" refused: %s", text, why.code);
	assert_string_equal(msisdn_text(m, out), want);
}

static void refuses(const char *text, const char *code)
{
	struct msisdn m = {.digits = 1};
	struct msisdn_refusal why = {0};

	if (msisdn_parse(text, &m, &why) != KZ_INVALID)
		fail_msg("\"%s\" accepted as %llu", text, (unsigned long long)m.digits);
	if (strcmp(why.code, code) != 0)
		fail_msg("\"%s\": %s instead of %s", text, why.code, code);
	assert_true(strlen(why.remedy) > 20);
	assert_int_equal(m.digits, 1);
}

static void msisdn_parse__spellings_people_use__are_one_number(void **state)
{
	static const char *const spellings[] = {
	    "+77011234567",
	    "77011234567",
	    "87011234567",
	    "7011234567",
	    "+7 701 123 45 67",
	    "+7 (701) 123-45-67",
	    "8 (701) 123-45-67",
	    "8-701-123-45-67",
	    "8.701.123.45.67",
	    "(701) 123 45 67",
	    "+7(701)1234567",
	    "  +77011234567  ",
	    "+ 7 701 1234567",
	    "7 0 1 1 2 3 4 5 6 7",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++)
		accepts(spellings[i], "+77011234567");
}

static void msisdn_parse__every_range__mobile_or_landline(void **state)
{
	char text[16];

	(void)state;
	for (int range = 700; range <= 799; range++) {
		bool mobile = range <= 709 || range == 747 || (range >= 770 && range <= 779);

		snprintf(text, sizeof text, "+7%d1234567", range);
		if (mobile)
			accepts(text, text);
		else
			refuses(text, "landline");
	}
}

static void msisdn_parse__ten_digits_that_begin_with_77__are_national(void **state)
{
	(void)state;
	accepts("7701234567", "+77701234567");
	accepts("7751234567", "+77751234567");
	accepts("77751234567", "+77751234567");
}

static void msisdn_parse__landlines__refused_as_landline(void **state)
{
	(void)state;
	refuses("+7 7172 55 12 34", "landline");
	refuses("8 (7172) 55-12-34", "landline");
	refuses("7172551234", "landline");
	refuses("87272501234", "landline");
	refuses("+77482123456", "landline");
}

static void msisdn_parse__other_countries__refused_as_foreign(void **state)
{
	static const char *const foreign[] = {
	    "+1 415 555 0100",
	    "14155550100",
	    "+44 7911 123456",
	    "+998 90 123 45 67",
	    "998901234567",
	    "+996555123456",
	    "+7 916 123 45 67",
	    "8 916 123 45 67",
	    "79161234567",
	    "9161234567",
	    "+7 495 123 45 67",
	    "+7 800 555 35 35",
	    "+1",
	    "+87011234567",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++)
		refuses(foreign[i], "foreign");
}

static void msisdn_parse__wrong_length__says_which_way(void **state)
{
	(void)state;
	refuses("8701123456", "too_short");
	refuses("+7701123456", "too_short");
	refuses("701123456", "too_short");
	refuses("7", "too_short");
	refuses("+", "too_short");
	refuses("+7", "too_short");
	refuses("2505050", "too_short");
	refuses("870112345678", "too_long");
	refuses("+770112345678", "too_long");
	refuses("+7701123456789012345", "too_long");
}

static void msisdn_parse__nothing__refused_as_empty(void **state)
{
	(void)state;
	refuses("", "empty");
	refuses("   ", "empty");
}

static void msisdn_parse__not_digits__refused_with_remedy(void **state)
{
	static const char *const texts[] = {
	    "\xef\xbc\x98\xef\xbc\x97\xef\xbc\x90\xef\xbc\x91", /* full-width 8701 */
	    "\xd9\xa8\xd9\xa7\xd9\xa0\xd9\xa1",                 /* Arabic-Indic digits */
	    "8701123456a",
	    "O7011234567",
	    "tel:+77011234567",
	    "+7701+1234567",
	    "7+7011234567",
	    "++77011234567",
	    "+7\t7011234567",
	    "8701123456\n7",
	    "8701/1234567",
	    "\xff\xfe",
	    "()",
	    "-",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		refuses(texts[i], "not_digits");
}

static void msisdn_parse__500_characters__refused(void **state)
{
	char text[501];

	(void)state;
	memset(text, '7', 500);
	text[500] = '\0';
	refuses(text, "too_long");
	memset(text, 'x', 500);
	refuses(text, "too_long");
	memset(text, ' ', 500);
	refuses(text, "empty");
	memcpy(text, "87011234567", 11);
	refuses(text, "too_long");
}

static void msisdn_from_digits__only_mobile_numbers__are_values(void **state)
{
	static const uint64_t wrong[] = {0, 7011234567, 87011234567, 76999999999, 77172551234, 78000000000,
	    79161234567, 770112345670, UINT64_MAX};
	struct msisdn m = {0};

	(void)state;
	assert_int_equal(msisdn_from_digits(77011234567, &m), KZ_OK);
	assert_int_equal(m.digits, 77011234567);
	assert_int_equal(msisdn_from_digits(77799999999, &m), KZ_OK);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(msisdn_from_digits(wrong[i], &m), KZ_INVALID);
	assert_int_equal(m.digits, 77799999999);
}

static void msisdn_masked__any_number__hides_three_digits(void **state)
{
	struct msisdn m = {.digits = 77011234567};
	char text[MSISDN_TEXT];

	(void)state;
	assert_string_equal(msisdn_masked(m, text), "+7701***4567");
	assert_string_equal(msisdn_text(m, text), "+77011234567");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(msisdn_parse__spellings_people_use__are_one_number),
	    cmocka_unit_test(msisdn_parse__every_range__mobile_or_landline),
	    cmocka_unit_test(msisdn_parse__ten_digits_that_begin_with_77__are_national),
	    cmocka_unit_test(msisdn_parse__landlines__refused_as_landline),
	    cmocka_unit_test(msisdn_parse__other_countries__refused_as_foreign),
	    cmocka_unit_test(msisdn_parse__wrong_length__says_which_way),
	    cmocka_unit_test(msisdn_parse__nothing__refused_as_empty),
	    cmocka_unit_test(msisdn_parse__not_digits__refused_with_remedy),
	    cmocka_unit_test(msisdn_parse__500_characters__refused),
	    cmocka_unit_test(msisdn_from_digits__only_mobile_numbers__are_values),
	    cmocka_unit_test(msisdn_masked__any_number__hides_three_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

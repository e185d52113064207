/* iin: numbers of persons. Those that are whole here belong to people born in 1800, or are made as the check
 * digit is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"
#include "text/digits.h"
#include "text/iin.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum kz parse(const char *typed, size_t n, struct iin *ret, struct iin_refusal *ret_why)
{
	char *exact = mem_strn(typed, n); /* the sanitizer watches its end */
	enum kz r = iin_parse(exact, n, ret, ret_why);

	free(exact);
	return r;
}

static struct iin accepts(const char *typed, const char *want)
{
	struct iin i = {""};
	struct iin_refusal why = {0};

	if (parse(typed, strlen(typed), &i, &why) != KZ_OK)
		fail_msg("\"%s\" refused: %s", typed, why.code);
	assert_string_equal(i.digits, want);
	return i;
}

static struct iin_refusal refuses_octets(const char *typed, size_t n, const char *code)
{
	struct iin i = {"untouched"};
	struct iin_refusal why = {0};

	if (parse(typed, n, &i, &why) != KZ_INVALID)
		fail_msg("\"%s\" accepted", typed);
	if (strcmp(why.code, code) != 0)
		fail_msg("\"%s\": %s instead of %s", typed, why.code, code);
	assert_true(strlen(why.remedy) > 10 && why.remedy[strlen(why.remedy) - 1] == '.');
	assert_string_equal(i.digits, "untouched");
	return why;
}

static struct iin_refusal refuses(const char *typed, const char *code)
{
	return refuses_octets(typed, strlen(typed), code);
}

static void iin_complete__stems__the_number_that_parses_or_none(void **state)
{
	static const char *const good[] = {
	    "000101100006", "000101100016", "000101100026", "000101100708", "000101100721", "000101100733"};
	static const char *const bad[] = {"00010110071", "00010110152", "00010110233", "00010170000",
	    "00130110000", "0001011000", "000101100006", "0001011000x", ""};
	struct iin i = {"untouched"};
	char stem[IIN_DIGITS];

	(void)state;
	for (size_t n = 0; n < COUNT(bad); n++) {
		assert_int_equal(iin_complete(bad[n], &i), KZ_INVALID);
		assert_string_equal(i.digits, "untouched");
	}
	for (size_t n = 0; n < COUNT(good); n++) {
		snprintf(stem, sizeof stem, "%.11s", good[n]);
		assert_int_equal(iin_complete(stem, &i), KZ_OK);
		assert_string_equal(i.digits, good[n]);
	}
}

static void iin_parse__valid_numbers__accepted_and_no_other_check_digit(void **state)
{
	static const char *const valid[] = {
	    "000101100006", "000101100016", "000101100026", "000101100708", "000101100721", "000101100733"};

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++) {
		char other[IIN_DIGITS + 1];

		accepts(valid[i], valid[i]);
		memcpy(other, valid[i], sizeof other);
		for (char c = '0'; c <= '9'; c++) {
			other[IIN_DIGITS - 1] = c;
			if (c != valid[i][IIN_DIGITS - 1])
				refuses(other, "bad_check");
		}
	}
}

static void iin_parse__stems_of_nobody__never_issued(void **state)
{
	static const char *const stems[] = {"00010110071", "00010110152", "00010110233"};
	char number[IIN_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(stems); i++)
		for (int check = 0; check <= 9; check++) {
			snprintf(number, sizeof number, "%s%d", stems[i], check);
			refuses(number, "never_issued");
		}
}

static void iin_parse__any_script_with_gaps__as_meant(void **state)
{
	static const char *const typed[] = {"０００１０１１００７０８", "٠٠٠١٠١١٠٠٧٠٨", "०००१०११००७०८",
	    "00٠１01१00708", "000101 100708", "000101-100-708", " 0 0 0 1 0 1 1 0 0 7 0 8\r\n",
	    "000101\xe2\x80\x93"
	    "100708",
	    "\xef\xbb\xbf"
	    "000101100708"};

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++)
		accepts(typed[i], "000101100708");
}

static void iin_parse__nothing__empty(void **state)
{
	(void)state;
	refuses("", "empty");
	refuses("  \t", "empty");
	refuses("--", "empty");
}

static void iin_parse__anything_else__not_digits(void **state)
{
	static const char *const typed[] = {"00010110000a", "00010110000б", "O00101100006", "000101.100006",
	    "+000101100006", "000101100006;", "-x", "①", "000101100006\xff", "\xc0\xb1", "\xed\xa0\x80"};

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++)
		assert_int_equal(refuses(typed[i], "not_digits").count, 0);
	refuses_octets("000101100006\0", 13, "not_digits");
}

static void iin_parse__wrong_length__says_how_many_and_how_many_are_needed(void **state)
{
	struct iin_refusal why = refuses("00010-110000", "too_short");

	(void)state;
	assert_int_equal(why.count, 11);
	assert_string_equal(why.remedy, "11 digits, need 12.");
	why = refuses("7", "too_short");
	assert_int_equal(why.count, 1);
	assert_string_equal(why.remedy, "1 digit, need 12.");
	why = refuses("0001011000060", "too_long");
	assert_int_equal(why.count, 13);
	assert_string_equal(why.remedy, "13 digits, need 12.");
}

static void iin_parse__at_the_bound_of_octets__counted_and_beyond_it_not(void **state)
{
	char typed[DIGITS_TYPED + 1];
	struct iin_refusal why;

	(void)state;
	memset(typed, '7', sizeof typed);
	why = refuses_octets(typed, DIGITS_TYPED, "too_long");
	assert_int_equal(why.count, DIGITS_TYPED);
	assert_string_equal(why.remedy, "256 digits, need 12.");
	why = refuses_octets(typed, DIGITS_TYPED + 1, "too_long");
	assert_int_equal(why.count, 0);
	assert_string_equal(why.remedy, "Over 256 octets, need 12 digits.");
	memset(typed, ' ', sizeof typed);
	refuses_octets(typed, DIGITS_TYPED, "empty");
	refuses_octets(typed, DIGITS_TYPED + 1, "too_long");
}

static void iin_parse__refusals__tell_nothing_of_the_number(void **state)
{
	static const struct {
		const char *typed, *code, *remedy;
	} cases[] = {
	    {" ", "empty", "Nothing was given, need an IIN of 12 digits."},
	    {"19122650012x", "not_digits",
	        "Something is no digit, need 12 digits; spaces and hyphens may stand between."},
	    {"191226700123", "bad_century",
	        "Digit 7 tells no century, need 1 to 6: check the first seven digits."},
	    {"191332500123", "bad_date",
	        "No such day of birth, need a real one as YYMMDD: check the first seven digits."},
	    {"000101100710", "never_issued",
	        "Nobody was given this number, need that of a document: check each digit."},
	    {"000101100007", "bad_check",
	        "The last digit does not fit the others, need a number without a slip: check each digit."},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct iin_refusal why = refuses(cases[i].typed, cases[i].code);

		assert_string_equal(why.remedy, cases[i].remedy);
		assert_int_equal(why.count, 0);
	}
}

/* The check digit by its other reading, of a stem of eleven; 10: none. */
static unsigned check_of(const char *stem)
{
	static const unsigned weights[2][11] = {
	    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2}};
	unsigned check = 10;

	for (size_t pass = 0; pass < 2 && check == 10; pass++) {
		check = 0;
		for (size_t i = 0; i < 11; i++)
			check += weights[pass][i] * (unsigned)(stem[i] - '0');
		check %= 11;
	}
	return check;
}

/* A number with this beginning of seven digits and a check digit that fits: of the serials from `serial` on
 * the first that has one. */
static void make(const char *beginning, unsigned serial, char number[IIN_DIGITS + 1])
{
	unsigned check = 10;

	for (; check == 10; serial++) {
		snprintf(number, IIN_DIGITS + 1, "%.7s%04u", beginning, serial % 10000);
		check = check_of(number);
	}
	number[IIN_DIGITS - 1] = (char)('0' + check);
	number[IIN_DIGITS] = '\0';
}

static void iin_parse__days_that_were__accepted(void **state)
{
	static const struct {
		const char *beginning;
		struct iin_day born;
		enum iin_sex sex;
	} cases[] = {
	    {"0001011", {1800, 1, 1}, IIN_MALE},
	    {"9912312", {1899, 12, 31}, IIN_FEMALE},
	    {"9602291", {1896, 2, 29}, IIN_MALE},
	    {"0001013", {1900, 1, 1}, IIN_MALE},
	    {"0402294", {1904, 2, 29}, IIN_FEMALE},
	    {"9912314", {1999, 12, 31}, IIN_FEMALE},
	    {"0002295", {2000, 2, 29}, IIN_MALE},
	    {"2002296", {2020, 2, 29}, IIN_FEMALE},
	    {"9912315", {2099, 12, 31}, IIN_MALE},
	    {"2102285", {2021, 2, 28}, IIN_MALE},
	    {"2004306", {2020, 4, 30}, IIN_FEMALE},
	};
	char number[IIN_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		make(cases[i].beginning, 17, number);
		struct iin iin = accepts(number, number);
		struct iin_day born = iin_birth(&iin);

		assert_int_equal(born.year, cases[i].born.year);
		assert_int_equal(born.month, cases[i].born.month);
		assert_int_equal(born.day, cases[i].born.day);
		assert_int_equal(iin_sex(&iin), cases[i].sex);
	}
}

static void iin_parse__days_that_never_were__bad_date(void **state)
{
	static const char *const beginnings[] = {
	    "0002291", "0002293", /* no leap years */
	    "1902295", "2002305", "1900015", "1913015", "1901005", "1901325", "1904315", "1906315", "1909315",
	    "1911315", "1999995", "0000005", "1904416", /* the last: a company's number, BIN */
	};
	char number[IIN_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		make(beginnings[i], 17, number);
		refuses(number, "bad_date");
	}
}

static void iin_parse__seventh_digit__century_or_refused(void **state)
{
	char beginning[8], number[IIN_DIGITS + 1];

	(void)state;
	for (unsigned century = 0; century <= 9; century++) {
		snprintf(beginning, sizeof beginning, "191226%u", century);
		make(beginning, 17, number);
		if (century >= 1 && century <= 6)
			accepts(number, number);
		else
			refuses(number, "bad_century");
	}
}

/* A sequence that is the same in every run. */
static unsigned next(uint64_t *seed, unsigned below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % below;
}

static void make_any(uint64_t *seed, char number[IIN_DIGITS + 1])
{
	char beginning[8];

	snprintf(beginning, sizeof beginning, "%02u%02u%02u%u", next(seed, 100), 1 + next(seed, 12),
	    1 + next(seed, 28), 3 + next(seed, 4));
	make(beginning, next(seed, 10000), number);
}

static bool is_found(const char *number)
{
	struct iin i;
	struct iin_refusal why;

	return iin_parse(number, IIN_DIGITS, &i, &why) == KZ_INVALID;
}

static void iin_parse__single_slips__91_of_100_are_found(void **state)
{
	unsigned found = 0, slips = 0;
	uint64_t seed = 20261129;
	char number[IIN_DIGITS + 1];

	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		make_any(&seed, number);
		assert_false(is_found(number));
		for (size_t at = 0; at < IIN_DIGITS; at++) {
			char was = number[at];

			for (char c = '0'; c <= '9'; c++)
				if (c != was) {
					number[at] = c;
					slips++;
					found += is_found(number);
				}
			number[at] = was;
		}
	}
	assert_int_equal(slips, 2000 * 12 * 9);
	assert_in_range(found * 1000ull / slips, 905, 920);
}

static void iin_parse__transposed_neighbours__99_of_100_are_found(void **state)
{
	unsigned found = 0, slips = 0;
	uint64_t seed = 20261130;
	char number[IIN_DIGITS + 1];

	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		make_any(&seed, number);
		for (size_t at = 0; at + 1 < IIN_DIGITS; at++) {
			char left = number[at], right = number[at + 1];

			if (left == right)
				continue;
			number[at] = right;
			number[at + 1] = left;
			slips++;
			found += is_found(number);
			number[at] = left;
			number[at + 1] = right;
		}
	}
	assert_in_range(slips, 15000, 22000);
	assert_in_range(found * 1000ull / slips, 985, 997);
}

/* Why nothing may be done on a number alone: these are persons of one day. */
static void iin_parse__slips_of_digit_11_in_the_first_sum__other_valid_numbers(void **state)
{
	char number[] = "000101100006";

	(void)state;
	for (char c = '0'; c <= '9'; c++) {
		number[10] = c;
		accepts(number, number);
	}
}

static void iin_age__around_birthdays__full_years(void **state)
{
	static const struct {
		const char *beginning;
		struct iin_day on;
		int age;
	} cases[] = {
	    {"2009016", {2026, 9, 1}, 6},
	    {"2009016", {2026, 8, 31}, 5},
	    {"2009016", {2026, 10, 1}, 6},
	    {"2009306", {2026, 9, 29}, 5},
	    {"2009016", {2020, 9, 1}, 0},
	    {"2009016", {2020, 8, 31}, -1},
	    {"2009016", {2019, 12, 31}, -1},
	    {"2009016", {1800, 1, 1}, -1},
	    {"2002296", {2021, 2, 28}, 0},
	    {"2002296", {2021, 3, 1}, 1},
	    {"2002296", {2024, 2, 28}, 3},
	    {"2002296", {2024, 2, 29}, 4},
	    {"9912314", {2000, 1, 1}, 0},
	    {"0001011", {2026, 1, 1}, 226},
	};
	char number[IIN_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		make(cases[i].beginning, 17, number);
		struct iin iin = accepts(number, number);

		assert_int_equal(iin_age(&iin, cases[i].on), cases[i].age);
	}
}

static void iin_masked__any_number__last_four_alone(void **state)
{
	struct iin i = accepts("000101100708", "000101100708");
	char text[IIN_DIGITS + 1], four[5];

	(void)state;
	assert_string_equal(iin_masked(&i, text), "********0708");
	assert_string_equal(iin_last_four(&i, four), "0708");
}

static void iin__wiped_by_its_owner__nothing_left(void **state)
{
	static const struct iin none;
	struct iin i = accepts("000101100708", "000101100708");

	(void)state;
	secret_wipe(&i, sizeof i);
	assert_memory_equal(&i, &none, sizeof i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(iin_complete__stems__the_number_that_parses_or_none),
	    cmocka_unit_test(iin_parse__valid_numbers__accepted_and_no_other_check_digit),
	    cmocka_unit_test(iin_parse__stems_of_nobody__never_issued),
	    cmocka_unit_test(iin_parse__any_script_with_gaps__as_meant),
	    cmocka_unit_test(iin_parse__nothing__empty),
	    cmocka_unit_test(iin_parse__anything_else__not_digits),
	    cmocka_unit_test(iin_parse__wrong_length__says_how_many_and_how_many_are_needed),
	    cmocka_unit_test(iin_parse__at_the_bound_of_octets__counted_and_beyond_it_not),
	    cmocka_unit_test(iin_parse__refusals__tell_nothing_of_the_number),
	    cmocka_unit_test(iin_parse__days_that_were__accepted),
	    cmocka_unit_test(iin_parse__days_that_never_were__bad_date),
	    cmocka_unit_test(iin_parse__seventh_digit__century_or_refused),
	    cmocka_unit_test(iin_parse__single_slips__91_of_100_are_found),
	    cmocka_unit_test(iin_parse__transposed_neighbours__99_of_100_are_found),
	    cmocka_unit_test(iin_parse__slips_of_digit_11_in_the_first_sum__other_valid_numbers),
	    cmocka_unit_test(iin_age__around_birthdays__full_years),
	    cmocka_unit_test(iin_masked__any_number__last_four_alone),
	    cmocka_unit_test(iin__wiped_by_its_owner__nothing_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

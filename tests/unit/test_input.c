/* input: what is typed, read as what it means, or why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ussd/input.h"

static const struct contract_type iin = {.kind = VALUE_IIN, .secret = true}, phone = {.kind = VALUE_PHONE},
                                  pin = {.kind = VALUE_DIGITS, .min = 4, .max = 4};
static char value[SESSION_VALUE];
static unsigned digits;

static enum input_error read_as(const struct contract_type *t, const char *typed)
{
	return input_read(t, typed, strlen(typed), value, &digits);
}

static void input_read__iin__in_any_script_and_spacing(void **state)
{
	(void)state;
	assert_int_equal(read_as(&iin, "000101100006"), INPUT_OK);
	assert_string_equal(value, "000101100006");
	assert_int_equal(read_as(&iin, " 000101-100006 "), INPUT_OK);
	assert_int_equal(read_as(&iin, "٠٠٠١٠١١٠٠٠٠٦"), INPUT_OK);
	assert_string_equal(value, "000101100006");
}

static void input_read__iin__says_how_many_or_that_it_has_a_slip(void **state)
{
	(void)state;
	assert_int_equal(read_as(&iin, "00010110000"), INPUT_LENGTH);
	assert_int_equal(digits, 11);
	assert_int_equal(read_as(&iin, "000101100007"), INPUT_CHECKSUM);
	assert_int_equal(read_as(&iin, "00010110000a"), INPUT_LENGTH);
	assert_int_equal(read_as(&iin, ""), INPUT_LENGTH);
	assert_int_equal(digits, 0);
	assert_int_equal(read_as(&iin, "😀"), INPUT_LENGTH);
}

static void input_read__phone__as_an_msisdn(void **state)
{
	(void)state;
	assert_int_equal(read_as(&phone, "7011234567"), INPUT_OK);
	assert_string_equal(value, "77011234567");
	assert_int_equal(read_as(&phone, "8 701 123-45-67"), INPUT_OK);
	assert_string_equal(value, "77011234567");
	assert_int_equal(read_as(&phone, "7271234567"), INPUT_LENGTH);
	assert_int_equal(read_as(&phone, "701123456"), INPUT_LENGTH);
	assert_int_equal(digits, 9);
}

static void input_read__digits__exactly_so_many(void **state)
{
	(void)state;
	assert_int_equal(read_as(&pin, "0006"), INPUT_OK);
	assert_string_equal(value, "0006");
	assert_int_equal(read_as(&pin, "006"), INPUT_LENGTH);
	assert_int_equal(read_as(&pin, "00006"), INPUT_LENGTH);
	assert_int_equal(digits, 5);
}

static void input_read__300_characters__are_no_digits(void **state)
{
	char typed[301];

	(void)state;
	memset(typed, '1', 300);
	typed[300] = '\0';
	assert_int_equal(read_as(&pin, typed), INPUT_LENGTH);
	assert_int_equal(digits, 99);
}

static void input_may__types__have_their_errors(void **state)
{
	(void)state;
	assert_true(input_may(&iin, INPUT_CHECKSUM) && input_may(&iin, INPUT_LENGTH));
	assert_false(input_may(&pin, INPUT_CHECKSUM));
	assert_true(input_may(&phone, INPUT_LENGTH));
	assert_string_equal(input_error_name(INPUT_LENGTH), "length");
	assert_string_equal(input_error_name(INPUT_CHECKSUM), "checksum");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(input_read__iin__in_any_script_and_spacing),
	    cmocka_unit_test(input_read__iin__says_how_many_or_that_it_has_a_slip),
	    cmocka_unit_test(input_read__phone__as_an_msisdn),
	    cmocka_unit_test(input_read__digits__exactly_so_many),
	    cmocka_unit_test(input_read__300_characters__are_no_digits),
	    cmocka_unit_test(input_may__types__have_their_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* udh: headers from memory of exactly their size, good and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/udh.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum kz parse_udh(const char *bytes, size_t n, struct udh *u)
{
	uint8_t *exact = malloc(n + 1);
	enum kz r;

	assert_non_null(exact);
	memcpy(exact + 1, bytes, n);
	r = udh_parse(exact + 1, n, u);
	free(exact);
	return r;
}

static void udh_parse__good_headers__give_the_concatenation(void **state)
{
	struct udh u;

	(void)state;
	assert_int_equal(parse_udh("\x05\x00\x03\xcd\x03\x02xyz", 9, &u), KZ_OK);
	assert_true(u.has_concat && u.len == 6 && u.reference == 0xcd && u.total == 3 && u.number == 2);
	assert_int_equal(parse_udh("\x06\x08\x04\xab\xcd\xff\xff", 7, &u), KZ_OK);
	assert_true(u.has_concat && u.len == 7 && u.reference == 0xabcd && u.total == 255 && u.number == 255);
	assert_int_equal(parse_udh("\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x01", 12, &u), KZ_OK);
	assert_true(u.has_concat && u.len == 12 && u.reference == 7 && u.total == 2 && u.number == 1);
	assert_int_equal(parse_udh("\x06\x05\x04\x0b\x84\x23\xf0z", 8, &u), KZ_OK);
	assert_true(!u.has_concat && u.len == 7);
	assert_int_equal(parse_udh("\x00", 1, &u), KZ_OK);
	assert_true(!u.has_concat && u.len == 1);
	assert_int_equal(parse_udh("\x02\x24\x00", 3, &u), KZ_OK);
	assert_true(!u.has_concat && u.len == 3);
	/* The last of two counts. */
	assert_int_equal(parse_udh("\x0b\x00\x03\x01\x02\x01\x08\x04\x12\x34\x05\x04", 12, &u), KZ_OK);
	assert_true(u.reference == 0x1234 && u.total == 5 && u.number == 4);
}

static void udh_parse__broken_headers__invalid(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} wrong[] = {
	    {"", 0},
	    {"\x01", 1},
	    {"\x05\x00\x03\x01\x02", 5},         /* runs over the octets */
	    {"\x01\x00", 2},                     /* an element without a length */
	    {"\x02\x05\x01", 3},                 /* an element over the header's end */
	    {"\x05\x00\x04\x01\x02\x01\x00", 7}, /* the same, with octets behind */
	    {"\x05\x00\x03\x01\x00\x00", 6},     /* 0 of 0 */
	    {"\x05\x00\x03\x01\x02\x00", 6},     /* 0 of 2 */
	    {"\x05\x00\x03\x01\x02\x03", 6},     /* 3 of 2 */
	    {"\x06\x08\x04\x00\x01\x01\x02", 7}, /* 2 of 1 */
	    {"\x04\x00\x02\x01\x01", 5},         /* a concatenation too short */
	    {"\x06\x00\x04\x01\x01\x01\x01", 7}, /* too long */
	    {"\x05\x08\x03\x01\x01\x01", 6},     /* of the other width */
	    {"\xff\x00\x03\x01\x01\x01", 6},
	};
	struct udh u = {.len = 77};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (parse_udh(wrong[i].bytes, wrong[i].n, &u) != KZ_INVALID)
			fail_msg("header %zu was taken", i);
	assert_int_equal(u.len, 77);
}

static void udh_fill_bits__every_length__completes_a_septet(void **state)
{
	(void)state;
	assert_int_equal(udh_fill_bits(0), 0);
	assert_int_equal(udh_fill_bits(6), 1);
	assert_int_equal(udh_fill_bits(7), 0);
	for (size_t len = 0; len <= 140; len++) {
		assert_in_range(udh_fill_bits(len), 0, 6);
		assert_int_equal((len * 8 + udh_fill_bits(len)) % 7, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(udh_parse__good_headers__give_the_concatenation),
	    cmocka_unit_test(udh_parse__broken_headers__invalid),
	    cmocka_unit_test(udh_fill_bits__every_length__completes_a_septet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

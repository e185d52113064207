/* segment_decode: what operators send, by each data_coding, whole and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/segment.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SMILE    "\xf0\x9f\x98\x80" /* U+1F600, two UTF-16 units */
#define UNKNOWN  "\xef\xbf\xbd"

static void decodes(const char *bytes, size_t n, uint8_t coding, enum gsm_wire gsm, const char *want)
{
	struct buf b = {0};

	assert_int_equal(segment_decode((const uint8_t *)bytes, n, 0, coding, gsm, &b), KZ_OK);
	assert_string_equal(buf_text(&b), want);
	buf_fini(&b);
}

static void segment_decode__data_codings__each_as_the_standards_say(void **state)
{
	static const uint8_t as_zero[] = {0x00, 0x10, 0x11, 0x40, 0x50, 0xc0, 0xc8, 0xd0, 0xf0, 0xf1, 0xf3};
	static const uint8_t as_ucs2[] = {0x08, 0x18, 0x19, 0x48, 0xe0, 0xe8};

	(void)state;
	for (size_t i = 0; i < COUNT(as_zero); i++) {
		decodes("\x00\x1b\x65\x15", 4, as_zero[i], GSM_WIRE_UNPACKED, "@€Ω");
		decodes("\xe8\x32\x9b\xfd\x06", 5, as_zero[i], GSM_WIRE_PACKED, "hello");
		decodes("\x40\xe9", 2, as_zero[i], GSM_WIRE_LATIN1, "@é");
		decodes("\x40\xe9", 2, as_zero[i], GSM_WIRE_ASCII, "@" UNKNOWN);
	}
	for (size_t i = 0; i < COUNT(as_ucs2); i++)
		decodes("\x04\xe8\xd8\x3d\xde\x00", 6, as_ucs2[i], GSM_WIRE_PACKED, "Ө" SMILE);
	decodes("\x40{\xe9", 3, 1, GSM_WIRE_UNPACKED, "@{" UNKNOWN);
	decodes("\x40{\xe9", 3, 3, GSM_WIRE_UNPACKED, "@{é");
}

static void segment_decode__binary__invalid(void **state)
{
	static const uint8_t binary[] = {2, 4, 5, 6, 7, 9, 10, 13, 14, 15, 0x14, 0x1c, 0x20, 0x28, 0x30, 0x44,
	    0x60, 0x80, 0x9f, 0xb0, 0xf4, 0xf5, 0xff};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(binary); i++)
		assert_int_equal(
		    segment_decode((const uint8_t *)"abcd", 4, 0, binary[i], GSM_WIRE_UNPACKED, &b),
		    KZ_INVALID);
	assert_int_equal(segment_decode((const uint8_t *)"abcd", 4, 5, 0, GSM_WIRE_UNPACKED, &b), KZ_INVALID);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void segment_decode__broken_utf16__shows_what_it_can(void **state)
{
	(void)state;
	decodes("\xd8\x3d", 2, 8, GSM_WIRE_UNPACKED, UNKNOWN);
	decodes("\xde\x00\x00\x61", 4, 8, GSM_WIRE_UNPACKED, UNKNOWN "a");
	decodes("\xd8\x3d\x00\x61", 4, 8, GSM_WIRE_UNPACKED, UNKNOWN "a");
	decodes("\xd8\x3d\xd8\x3d\xde\x00", 6, 8, GSM_WIRE_UNPACKED, UNKNOWN SMILE);
	decodes("\x00\x61\x00", 3, 8, GSM_WIRE_UNPACKED, "a" UNKNOWN);
	decodes("\x00\x00\x00\x61", 4, 8, GSM_WIRE_UNPACKED, UNKNOWN "a");
	decodes("\x00g", 2, 3, GSM_WIRE_UNPACKED, UNKNOWN "g");
	decodes("", 0, 8, GSM_WIRE_UNPACKED, "");
	decodes("", 0, 0, GSM_WIRE_PACKED, "");
}

static void segment_decode__packed_behind_a_header__starts_at_the_right_bit(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(
	    segment_decode((const uint8_t *)"\x05\x00\x03\x01\x02\x01\x82", 7, 6, 0, GSM_WIRE_PACKED, &b),
	    KZ_OK);
	assert_string_equal(buf_text(&b), "A");
	buf_clear(&b);
	assert_int_equal(
	    segment_decode((const uint8_t *)"\x06\x08\x04\x00\x01\x02\x01\x41", 8, 7, 0, GSM_WIRE_PACKED, &b),
	    KZ_OK);
	assert_string_equal(buf_text(&b), "A");
	buf_clear(&b);
	assert_int_equal(segment_decode((const uint8_t *)"\x00", 1, 1, 0, GSM_WIRE_PACKED, &b), KZ_OK);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(segment_decode__data_codings__each_as_the_standards_say),
	    cmocka_unit_test(segment_decode__binary__invalid),
	    cmocka_unit_test(segment_decode__broken_utf16__shows_what_it_can),
	    cmocka_unit_test(segment_decode__packed_behind_a_header__starts_at_the_right_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/gsm7.h"
#include "text/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The alphabet as 23.038, 6.2.1 prints it, in the order of its codes; ESC's place is empty between Ξ and Æ.
 */
static const char low[] = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ";
static const char high[] = "ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
                           "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

static const struct {
	uint8_t septet;
	const char *utf8;
} extension[] = {{0x0a, "\f"}, {0x14, "^"}, {0x28, "{"}, {0x29, "}"}, {0x2f, "\\"}, {0x3c, "["}, {0x3d, "~"},
    {0x3e, "]"}, {0x40, "|"}, {0x65, "€"}};

static void decodes(const void *septets, size_t n, const char *want)
{
	struct buf b = {0};

	gsm7_decode(septets, n, &b);
	assert_string_equal(buf_text(&b), want);
	buf_fini(&b);
}

/* Checks a run of the alphabet from a code on, both ways; returns the code behind it. */
static uint8_t check_run(const char *utf8, uint8_t code)
{
	for (size_t i = 0, len; utf8[i]; i += len, code++) {
		uint8_t out[2] = {0xff, 0xff};
		char one[5] = {0};
		uint32_t cp;

		len = utf8_next(utf8 + i, strlen(utf8 + i), &cp);
		memcpy(one, utf8 + i, len);
		assert_int_equal(gsm7_encode(cp, out), 1);
		assert_int_equal(out[0], code);
		decodes(&code, 1, one);
	}
	return code;
}

static void gsm7__all_128_codes__both_ways(void **state)
{
	(void)state;
	assert_int_equal(check_run(low, 0), 0x1b);
	assert_int_equal(check_run(high, 0x1c), 0x80);
}

static void gsm7__extension_table__both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(extension); i++) {
		uint8_t pair[2] = {0x1b, extension[i].septet};
		uint8_t out[2] = {0};
		uint32_t cp;

		assert_true(utf8_next(extension[i].utf8, strlen(extension[i].utf8), &cp) > 0);
		assert_int_equal(gsm7_encode(cp, out), 2);
		assert_memory_equal(out, pair, 2);
		decodes(pair, 2, extension[i].utf8);
	}
}

static void gsm7_encode__every_code_point__only_the_alphabet(void **state)
{
	uint8_t out[2];
	size_t one = 0;
	size_t two = 0;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		size_t n = gsm7_encode(cp, out);

		one += n == 1;
		two += n == 2;
	}
	assert_int_equal(one, 127);
	assert_int_equal(two, COUNT(extension));
	assert_int_equal(gsm7_encode(0x1b, out), 0);
	assert_int_equal(gsm7_encode('`', out), 0);
	assert_int_equal(gsm7_encode(0xe7, out), 0);
	assert_int_equal(gsm7_encode(0xffff, out), 0);
}

static void gsm7_decode__odd_input__still_shows_something(void **state)
{
	(void)state;
	decodes("\x1b", 1, " ");
	decodes("a\x1b", 2, "a ");
	decodes("\x1b\x61", 2, "a");
	decodes("\x1b\x1b\x62", 3, " b");
	decodes("\x1b\x00", 2, "@");
	decodes("\x80\xff", 2, "\xef\xbf\xbd\xef\xbf\xbd");
	decodes("\x1b\xff", 2, " \xef\xbf\xbd");
	decodes("", 0, "");
}

static void gsm7_pack__known_texts__are_the_known_octets(void **state)
{
	static const char hello[] = "\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37";
	struct buf b = {0};

	(void)state;
	gsm7_pack((const uint8_t *)"hellohello", 10, 0, &b);
	assert_int_equal(b.len, sizeof hello - 1);
	assert_memory_equal(b.data, hello, b.len);
	buf_clear(&b);
	/* Behind a header of six octets "A" begins at the second bit. */
	gsm7_pack((const uint8_t *)"A", 1, 1, &b);
	assert_int_equal(b.len, 1);
	assert_memory_equal(b.data, "\x82", 1);
	buf_clear(&b);
	gsm7_pack((const uint8_t *)"\x7f", 1, 6, &b);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.data, "\xc0\x1f", 2);
	buf_clear(&b);
	gsm7_pack((const uint8_t *)"", 0, 3, &b);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

/* Packs n septets in a place of exactly their size and takes them out again. */
static void check_packing(const uint8_t *septets, size_t n, unsigned fill)
{
	struct buf packed = {0};
	struct buf back = {0};

	gsm7_pack(septets, n, fill, &packed);
	assert_int_equal(packed.len, n ? (fill + 7 * n + 7) / 8 : 0);
	uint8_t *exact = malloc(packed.len + 1);
	assert_non_null(exact);
	uint8_t *end = exact + 1; /* so that the last octet is the block's last */
	if (packed.len)
		memcpy(end, packed.data, packed.len);
	if (packed.len)
		assert_int_equal(end[0] & ((1u << fill) - 1), 0);
	assert_int_equal(gsm7_unpack(end, packed.len, n, fill, &back), KZ_OK);
	assert_int_equal(back.len, n);
	if (n) {
		assert_memory_equal(back.data, septets, n);
		assert_int_equal(gsm7_unpack(end, packed.len, n + 2, fill, &back), KZ_INVALID);
		assert_int_equal(gsm7_unpack(end, packed.len - 1, n, fill, &back), KZ_INVALID);
		assert_int_equal(back.len, n);
	}
	free(exact);
	buf_fini(&packed);
	buf_fini(&back);
}

static void gsm7_pack__every_length_and_fill__comes_back(void **state)
{
	uint8_t septets[161];

	(void)state;
	for (size_t i = 0; i < sizeof septets; i++)
		septets[i] = (uint8_t)((i * 37 + 127) & 0x7f);
	for (unsigned fill = 0; fill <= 6; fill++)
		for (size_t n = 0; n <= sizeof septets; n++)
			check_packing(septets, n, fill);
}

static void gsm7_unpack__more_than_there_is__refused(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(gsm7_unpack((const uint8_t *)"", 0, 1, 6, &b), KZ_INVALID);
	assert_int_equal(gsm7_unpack((const uint8_t *)"", 0, 0, 6, &b), KZ_OK);
	assert_int_equal(gsm7_unpack((const uint8_t *)"\x01", 1, 1, 2, &b), KZ_INVALID);
	assert_int_equal(gsm7_unpack((const uint8_t *)"\x01", 1, SIZE_MAX, 0, &b), KZ_INVALID);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gsm7__all_128_codes__both_ways),
	    cmocka_unit_test(gsm7__extension_table__both_ways),
	    cmocka_unit_test(gsm7_encode__every_code_point__only_the_alphabet),
	    cmocka_unit_test(gsm7_decode__odd_input__still_shows_something),
	    cmocka_unit_test(gsm7_pack__known_texts__are_the_known_octets),
	    cmocka_unit_test(gsm7_pack__every_length_and_fill__comes_back),
	    cmocka_unit_test(gsm7_unpack__more_than_there_is__refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

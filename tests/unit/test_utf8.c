#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The text goes in from memory of exactly its size, so that the sanitizer sees one octet too many. */
static enum kz for_phone(const char *text, size_t n, struct buf *out)
{
	char *exact = malloc(n + 1);
	enum kz r;

	assert_non_null(exact);
	memcpy(exact + 1, text, n);
	r = utf8_for_phone(exact + 1, n, out);
	free(exact);
	return r;
}

static void becomes(const char *text, const char *want)
{
	struct buf b = {0};

	assert_int_equal(for_phone(text, strlen(text), &b), KZ_OK);
	assert_string_equal(buf_text(&b), want);
	assert_int_equal(b.len, strlen(want));
	buf_fini(&b);
}

static void stays(const char *text)
{
	becomes(text, text);
}

static void utf8__every_scalar_value__both_ways(void **state)
{
	struct buf b = {0};

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		uint32_t back = UINT32_MAX;

		if (cp == 0xd800)
			cp = 0xe000;
		buf_clear(&b);
		utf8_put(&b, cp);
		assert_int_equal(b.len, cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4);
		assert_int_equal(utf8_next(b.data, b.len, &back), b.len);
		assert_int_equal(back, cp);
		assert_int_equal(utf8_next(b.data, b.len - 1, &back), 0);
		assert_int_equal(back, cp);
	}
	buf_fini(&b);
}

static void utf8_check__what_is_not_utf8__refused(void **state)
{
	static const char *const wrong[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80",
	    "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
	    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe", "\xd0",
	    "\xe2\x82", "\xf0\x9f\x98", "\xd0g", "\xe2\x82g", "\xd0\xd0\xb6"};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(utf8_check(wrong[i], strlen(wrong[i])), KZ_INVALID);
		assert_int_equal(for_phone(wrong[i], strlen(wrong[i]), &b), KZ_INVALID);
	}
	assert_int_equal(b.len, 0);
	assert_int_equal(utf8_check("Өтініш €😀", strlen("Өтініш €😀")), KZ_OK);
	assert_int_equal(utf8_check("", 0), KZ_OK);
	buf_fini(&b);
}

static void utf8_for_phone__decomposed_letters__are_composed(void **state)
{
	(void)state;
	becomes("и\xcc\x86", "й");
	becomes("Балаи\xcc\x86 е\xcc\x88лка", "Балай ёлка");
	becomes("И\xcc\x86 Е\xcc\x88", "Й Ё");
	becomes("e\xcc\x81", "é");
	becomes("\xe2\x84\xa6", "Ω"); /* OHM SIGN */
	becomes("q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87");
	stays("Әәіңғүұқөһ ӘІҢҒҮҰҚӨҺ");
	stays("Съешь ещё этих мягких французских булок, №5");
}

/* A syllable written as two letters makes the whole text go through the library: what the short way passes
 * must be what the long way gives. */
static void utf8_for_phone__every_letter_of_the_short_way__is_what_the_library_says(void **state)
{
	static const char jamo[] = "\xe1\x84\x80\xe1\x85\xa1";
	static const char syllable[] = "\xea\xb0\x80";
	static const struct {
		uint32_t first, last;
	} ranges[] = {
	    {0x20, 0x7e}, {0xa0, 0x2ff}, {0x400, 0x482}, {0x48a, 0x52f}, {0x2010, 0x2027}, {0x2116, 0x2116}};
	struct buf text = {0};
	struct buf want = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++)
		for (uint32_t cp = ranges[i].first; cp <= ranges[i].last; cp++) {
			buf_clear(&text);
			buf_clear(&want);
			utf8_put(&text, cp);
			utf8_put(&want, cp);
			buf_str(&text, jamo);
			buf_str(&want, syllable);
			becomes(text.data, want.data);
		}
	buf_fini(&text);
	buf_fini(&want);
}

static void utf8_for_phone__line_ends__are_lf(void **state)
{
	(void)state;
	becomes("a\r\nb", "a\nb");
	becomes("a\rb\r", "a\nb\n");
	becomes("a\r\r\nb", "a\n\nb");
	becomes("ж\r\nи\xcc\x86\r\n", "ж\nй\n");
	stays("a\n\nb");
}

static void utf8_for_phone__control_characters__refused(void **state)
{
	struct buf b = {0};
	char text[2];

	(void)state;
	for (int c = 0; c < 0xa0; c++) {
		bool control = (c < 0x20 && c != '\n' && c != '\r') || c >= 0x7f;
		size_t n = 1;

		text[0] = (char)c;
		if (c >= 0x80) {
			text[0] = (char)0xc2;
			text[1] = (char)c;
			n = 2;
		}
		buf_clear(&b);
		assert_int_equal(for_phone(text, n, &b), control ? KZ_INVALID : KZ_OK);
		assert_int_equal(b.len, control ? 0 : 1);
	}
	assert_int_equal(for_phone("a\0b", 3, &b), KZ_INVALID);
	buf_fini(&b);
}

static void utf8_for_phone__typography_in_a_latin_text__becomes_plain(void **state)
{
	(void)state;
	becomes("“Nurshuak” – it’s 5…", "\"Nurshuak\" - it's 5...");
	becomes("«A» „B‟ ‹C› ‚D‘ ‛E", "\"A\" \"B\" 'C' 'D' 'E");
	becomes("a‐b‑c‒d–e—f―g−h", "a-b-c-d-e-f-g-h");
	becomes("a\xc2\xa0"
	        "b\xe2\x80\xaf"
	        "c\xe2\x80\x87"
	        "d",
	    "a b c d");
	becomes("5 € – {x}", "5 € - {x}");
}

static void utf8_for_phone__typography_beside_other_letters__stays(void **state)
{
	(void)state;
	stays("«Нұршуақ» – 5…");
	stays("“Nurshuak” №5");
	stays("it’s 😀");
	stays("ç – “a”"); /* this c is not in the alphabet */
}

static void utf8_for_phone__nothing__is_nothing(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(utf8_for_phone("", 0, &b), KZ_OK);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void utf8_for_phone__appends__behind_what_was_there(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_str(&b, "SMS: ");
	assert_int_equal(utf8_for_phone("и\xcc\x86", 4, &b), KZ_OK);
	assert_string_equal(b.data, "SMS: й");
	buf_fini(&b);
}

static void copies(const char *text, size_t room, const char *want)
{
	char *exact = malloc(room);

	assert_non_null(exact);
	assert_int_equal(utf8_cut(exact, room, text), strlen(want));
	assert_string_equal(exact, want);
	free(exact);
}

static void utf8_cut__no_room_for_a_letter__none_of_it(void **state)
{
	(void)state;
	copies("Айерке", 13, "Айерке");
	copies("Айерке", 12, "Айерк");
	copies("Айерке", 11, "Айерк");
	copies("Айерке", 2, "");
	copies("a😀b", 5, "a");
	copies("a😀b", 6, "a😀");
	copies("abc", 3, "ab");
	copies("abc", 1, "");
	copies("", 1, "");
	copies("ab\xff", 9, "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8__every_scalar_value__both_ways),
	    cmocka_unit_test(utf8_check__what_is_not_utf8__refused),
	    cmocka_unit_test(utf8_for_phone__decomposed_letters__are_composed),
	    cmocka_unit_test(utf8_for_phone__every_letter_of_the_short_way__is_what_the_library_says),
	    cmocka_unit_test(utf8_for_phone__line_ends__are_lf),
	    cmocka_unit_test(utf8_for_phone__control_characters__refused),
	    cmocka_unit_test(utf8_for_phone__typography_in_a_latin_text__becomes_plain),
	    cmocka_unit_test(utf8_for_phone__typography_beside_other_letters__stays),
	    cmocka_unit_test(utf8_cut__no_room_for_a_letter__none_of_it),
	    cmocka_unit_test(utf8_for_phone__nothing__is_nothing),
	    cmocka_unit_test(utf8_for_phone__appends__behind_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* session: what is packed is read again, and nothing else is; answers are bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/menu.h"
#include "ussd/answer.h"
#include "ussd/engine.h"

static struct session s, again;

static void pack(struct buf *out)
{
	session_start(&s, menu, 0x1122334455667788);
	engine_dial(menu, &s, "1");
	s.turn = 70000;
	s.language = LANGUAGE_EN;
	s.typed = s.rest = true;
	s.back[s.back_n++] = 3;
	strcpy(s.values[2], "Айерке");
	s.undo[s.undo_n++] = (struct session_undo){1, 2, "Данияр"};
	strcpy(s.items[0].fields[1], "kg");
	s.items_n = 2;
	s.item_first = 1;
	session_pack(&s, out);
}

static void session__packed__is_read_as_it_was(void **state)
{
	struct buf b = {0};
	uint8_t hash[DIALOG_HASH];

	(void)state;
	pack(&b);
	assert_int_equal(session_unpack(b.data, b.len, &again), KZ_OK);
	assert_memory_equal(&again, &s, sizeof s);
	assert_true(session_dialog(b.data, b.len, hash));
	assert_memory_equal(hash, menu->hash, DIALOG_HASH);
	buf_fini(&b);
}

static void session__cut_or_lengthened__is_none_and_wiped(void **state)
{
	static const struct session empty;
	struct buf b = {0};

	(void)state;
	pack(&b);
	for (size_t n = 0; n < b.len; n++) {
		assert_int_equal(session_unpack(b.data, n, &again), KZ_INVALID);
		assert_memory_equal(&again, &empty, sizeof again);
	}
	buf_char(&b, 'x');
	assert_int_equal(session_unpack(b.data, b.len, &again), KZ_INVALID);
	buf_fini(&b);
}

static void session__other_version__is_none(void **state)
{
	struct buf b = {0};
	uint8_t hash[DIALOG_HASH];

	(void)state;
	pack(&b);
	b.data[0]++;
	assert_int_equal(session_unpack(b.data, b.len, &again), KZ_INVALID);
	assert_false(session_dialog(b.data, b.len, hash));
	assert_false(session_dialog(b.data, 10, hash));
	buf_fini(&b);
}

static void session__of_a_screen_that_the_dialog_has_not__does_not_fit(void **state)
{
	struct buf b = {0};

	(void)state;
	pack(&b);
	assert_true(engine_fits(menu, &s));
	s.screen = (int)menu->screens_n;
	assert_false(engine_fits(menu, &s));
	s.screen = dialog_screen(menu, "open");
	assert_false(engine_fits(menu, &s));
	s.screen = dialog_screen(menu, "vac_list");
	assert_true(engine_fits(menu, &s));
	s.items_n = s.item_first = 0;
	assert_false(engine_fits(menu, &s));
	s.screen = dialog_screen(menu, "resume");
	s.dropped_screen = s.screen;
	assert_false(engine_fits(menu, &s));
	s.dropped_screen = dialog_screen(menu, "help");
	assert_true(engine_fits(menu, &s));
	s.back[0] = (uint8_t)menu->screens_n;
	assert_false(engine_fits(menu, &s));
	s.back_n = 0;
	s.dialog[0] ^= 1;
	assert_false(engine_fits(menu, &s));
	buf_fini(&b);
}

static void answer_set__long_text__is_cut_at_a_letter(void **state)
{
	static struct answer a;
	char text[301];

	(void)state;
	memset(text, 0, sizeof text);
	for (int i = 0; i < 150; i++)
		strcat(text, "Ж");
	answer_start(&a, "ok");
	answer_set(&a, "kg", text);
	assert_int_equal(strlen(a.fields[0].text), 94);
	answer_set(&a, "kg", "short");
	assert_int_equal(a.fields_n, 1);
	assert_string_equal(a.fields[0].text, "short");
	answer_set(&a, "name",
	    "ab\xff"
	    "cd");
	assert_string_equal(a.fields[1].text, "ab");
	answer_set_number(&a, "pos", 108344);
	assert_string_equal(a.fields[2].text, "108344");
}

static void answer_add__over_the_most__is_refused(void **state)
{
	static struct answer a;
	const char *texts[] = {"1", "x"};

	(void)state;
	answer_start(&a, "ok");
	for (int i = 0; i < SESSION_ITEMS; i++)
		assert_true(answer_add(&a, texts, 2));
	assert_false(answer_add(&a, texts, 2));
	assert_int_equal(a.items_n, SESSION_ITEMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(session__packed__is_read_as_it_was),
	    cmocka_unit_test(session__cut_or_lengthened__is_none_and_wiped),
	    cmocka_unit_test(session__other_version__is_none),
	    cmocka_unit_test(session__of_a_screen_that_the_dialog_has_not__does_not_fit),
	    cmocka_unit_test(answer_set__long_text__is_cut_at_a_letter),
	    cmocka_unit_test(answer_add__over_the_most__is_refused),
	};

	return cmocka_run_group_tests(tests, menu_read, menu_free);
}

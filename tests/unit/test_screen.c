/* screen: pages as text, their width in the alphabet that they turn out to need, and what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/menu.h"
#include "ussd/screen.h"
#include "ussd/screen_body.h"

static struct session s;

static void go(const char *screen, enum language l)
{
	session_start(&s, menu, 1);
	s.screen = dialog_screen(menu, screen);
	s.language = l;
}

static void set(const char *name, const char *text)
{
	int v = contract_value(menu->contracts, name, strlen(name));

	assert_true(v >= 0);
	snprintf(s.values[v], SESSION_VALUE, "%s", text);
}

static void screen_measure__text__counts_in_its_alphabet(void **state)
{
	(void)state;
	assert_true(screen_measure("abc").gsm7);
	assert_int_equal(screen_measure("abc").units, 3);
	assert_int_equal(screen_measure("a[b]").units, 6);
	assert_false(screen_measure("Ә").gsm7);
	assert_int_equal(screen_measure("[Ә]").units, 3);
	assert_int_equal(screen_measure("Ә😀").units, 3);
	assert_int_equal(screen_measure("").units, 0);
	assert_false(screen_measure("a\xff").gsm7);
	assert_int_equal(screen_measure("a\xff").units, 2);
}

static void screen_fits__one_over__does_not(void **state)
{
	(void)state;
	assert_true(screen_fits(&menu->limits, (struct screen_width){false, 80}));
	assert_false(screen_fits(&menu->limits, (struct screen_width){false, 81}));
	assert_true(screen_fits(&menu->limits, (struct screen_width){true, 160}));
	assert_false(screen_fits(&menu->limits, (struct screen_width){true, 161}));
}

static void screen_cut__longer_text__ends_with_a_full_stop(void **state)
{
	char text[SESSION_VALUE];

	(void)state;
	screen_cut("Нұрсұлтанбек", 10, text);
	assert_string_equal(text, "Нұрсұлтан.");
	screen_cut("Айерке", 10, text);
	assert_string_equal(text, "Айерке");
	screen_cut("Айерке", 6, text);
	assert_string_equal(text, "Айерке");
	screen_cut("😀😀😀", 4, text);
	assert_string_equal(text, "😀.");
	screen_cut("abc", 0, text);
	assert_string_equal(text, "");
}

static void screen_fill__values__words_in_the_language_and_nothing_secret(void **state)
{
	struct buf out = {0};

	(void)state;
	go("home", LANGUAGE_RU);
	set("name", "Айерке");
	set("refstatus", "accepted");
	set("iin", "000101100006");
	set("pin", "1234");
	set("child", "55");
	screen_fill(menu, &s, "{name} {refstatus}{iin}{pin}{child} {nobody} }{", &out);
	assert_string_equal(buf_text(&out), "Айерке На зачислении  }{");
	buf_fini(&out);
}

static void screen_item_number__items__pass_over_the_keys_of_the_navigation(void **state)
{
	(void)state;
	assert_int_equal(screen_item_number(0), 1);
	assert_int_equal(screen_item_number(7), 8);
	assert_int_equal(screen_item_number(8), 10);
	assert_int_equal(screen_item_number(16), 18);
	assert_int_equal(screen_item_number(17), 20);
	assert_int_equal(screen_item_number(19), 22);
}

static void fill_list(size_t n)
{
	go("vac_list", LANGUAGE_KK);
	set("grp", "2-3");
	set("at", "10:00");
	s.items_n = n;
	for (size_t i = 0; i < n; i++) {
		snprintf(s.items[i].fields[0], SESSION_VALUE, "%zu", i);
		snprintf(s.items[i].fields[1], SESSION_VALUE, "№20 Нұршуақ");
		snprintf(s.items[i].fields[2], SESSION_VALUE, "344");
	}
}

static void screen_render__list__takes_as_many_items_as_fit(void **state)
{
	size_t n;

	(void)state;
	fill_list(20);
	assert_true(screen_render(menu, &s, SCREEN_FIRST, 0, &n));
	assert_true(n >= 2 && n < 5);
	assert_non_null(strstr(s.page, "\n1 №20 Нұршуақ 344"));
	assert_non_null(strstr(s.page, "\n9 "));
	s.item_first = 18;
	assert_true(screen_render(menu, &s, SCREEN_FIRST, 0, &n));
	assert_int_equal(n, 2);
	assert_non_null(strstr(s.page, "\n21 "));
	assert_null(strstr(s.page, "\n9 "));
	assert_string_equal(session_value(&s, menu, "kg"), "");
}

static void screen_render__wrong_key_on_a_list__names_its_keys(void **state)
{
	(void)state;
	fill_list(3);
	for (int i = 0; i < 3; i++)
		strcpy(s.items[i].fields[1], "A");
	assert_true(screen_render(menu, &s, SCREEN_WRONG_KEY, 0, NULL));
	assert_true(strncmp(s.page, "Тек 1-3,0:", strlen("Тек 1-3,0:")) == 0);
}

static void screen_render__too_wide__is_cut_to_the_page_and_says_so(void **state)
{
	(void)state;
	go("home", LANGUAGE_KK);
	set("name", "ЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩЩ");
	assert_false(screen_render(menu, &s, SCREEN_FIRST, 0, NULL));
	assert_int_equal(screen_measure(s.page).units, 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(screen_measure__text__counts_in_its_alphabet),
	    cmocka_unit_test(screen_fits__one_over__does_not),
	    cmocka_unit_test(screen_cut__longer_text__ends_with_a_full_stop),
	    cmocka_unit_test(screen_fill__values__words_in_the_language_and_nothing_secret),
	    cmocka_unit_test(screen_item_number__items__pass_over_the_keys_of_the_navigation),
	    cmocka_unit_test(screen_render__list__takes_as_many_items_as_fit),
	    cmocka_unit_test(screen_render__wrong_key_on_a_list__names_its_keys),
	    cmocka_unit_test(screen_render__too_wide__is_cut_to_the_page_and_says_so),
	};

	return cmocka_run_group_tests(tests, menu_read, menu_free);
}

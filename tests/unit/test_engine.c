/* engine: sessions over the shipped menu, walked key by key with services that answer what they are told to;
 * and many random walks, of which no page may be over the limit and none without a way on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/menu.h"
#include "base/mem.h"
#include "ussd/engine.h"
#include "ussd/engine_body.h"
#include "ussd/screen.h"

#define WALKS 10000
#define KEYS  40 /* of a walk at most */

static struct session s;
static uint64_t chance = 1;

static unsigned chance_below(unsigned n)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(chance >> 33) % n;
}

/* A value of the type that is as wide as any. */
static void widest(const struct contract_type *t, char ret[SESSION_VALUE])
{
	size_t n = 0;

	if (t->kind == VALUE_WORD) {
		snprintf(ret, SESSION_VALUE, "%s", t->words[chance_below((unsigned)t->words_n)].name);
		return;
	}
	for (unsigned i = 0; i < t->max + 3 && n + 3 < SESSION_VALUE; i++)
		n += (size_t)snprintf(ret + n, SESSION_VALUE - n, "%s", t->cyrillic ? "Щ" : "8");
	ret[n] = '\0';
}

static void fill(struct answer *a, const struct service_result *r)
{
	const char *names = r->items ? r->items : r->fields;
	unsigned items = r->items ? 1 + chance_below(SESSION_ITEMS + 1) : 1;

	answer_start(a, r->name);
	while (items-- > 0) {
		char texts[SESSION_ITEM][SESSION_VALUE];
		const char *at[SESSION_ITEM];
		size_t n = 0, len;

		for (const char *rest = names, *name; (name = service_next_name(&rest, &len)) != NULL;) {
			int v = contract_value(menu->contracts, name, len);

			assert_true(v >= 0);
			if (r->items) {
				widest(menu->contracts->values[v].type, texts[n]);
				at[n] = texts[n];
				n++;
			} else {
				char text[SESSION_VALUE];

				widest(menu->contracts->values[v].type, text);
				answer_set(a, menu->contracts->values[v].name, text);
			}
		}
		if (r->items)
			assert_true(answer_add(a, at, n) == !a->rest);
	}
}

static unsigned results_of(enum service service)
{
	unsigned n = 0;

	while (service_shape(service)->results[n].name)
		n++;
	return n;
}

/* Answers whatever is asked until there is a page. */
static struct engine_step settle(struct engine_step step)
{
	static struct answer a;

	for (int i = 0; step.does == ENGINE_ASK; i++) {
		assert_true(i < 10);
		fill(&a, &service_shape(step.service)->results[chance_below(results_of(step.service))]);
		step = engine_give(menu, &s, &a);
	}
	return step;
}

static void page_is_good(void)
{
	struct screen_width w = screen_measure(s.page);

	if (!screen_fits(&menu->limits, w))
		print_message("%s: %u units:\n%s\n", menu->screens[s.screen].name, w.units, s.page);
	assert_true(screen_fits(&menu->limits, w));
	assert_true(*s.page);
	assert_true(s.ended || menu->screens[s.screen].kind != SCREEN_END);
}

static const char *random_key(void)
{
	static const char *const keys[] = {"1", "2", "3", "4", "5", "0", "9", "00", "10", "", "#", "x", "😀",
	    "1234", "000101100006", "000101100007", "7011234567", "123456", "\xff", "12"};

	return keys[chance_below(sizeof keys / sizeof *keys)];
}

/* Pages of the way back as they were left, when they were shown without an error. */
static struct {
	char page[SESSION_PAGE];
	enum language language;
	bool known;
} left[SESSION_BACK];
static size_t left_n;

static void leave(const char *page, enum language l, bool known)
{
	if (left_n == SESSION_BACK) {
		memmove(left, left + 1, (SESSION_BACK - 1) * sizeof *left);
		left_n--;
	}
	memcpy(left[left_n].page, page, SESSION_PAGE);
	left[left_n].language = l;
	left[left_n++].known = known;
}

/* What the key did to the way: a page more, or some less from its end, or from its beginning. */
static void follow(const struct session *before, const struct engine_step *step, bool first)
{
	if (step->event == ENGINE_OPTION || step->event == ENGINE_TYPED || step->event == ENGINE_PICKED)
		leave(before->page, before->language,
		    first && menu->screens[before->screen].kind != SCREEN_LIST);
	else if (step->event == ENGINE_BACK && s.back_n < before->back_n) {
		left_n -= before->back_n - s.back_n;
		if (step->does == ENGINE_SAY && left[left_n].known && left[left_n].language == s.language)
			assert_string_equal(s.page, left[left_n].page);
	}
}

static void shorten(void)
{
	size_t gone = left_n - s.back_n;

	assert_true(left_n >= s.back_n);
	memmove(left, left + gone, s.back_n * sizeof *left);
	left_n = s.back_n;
}

static void press(bool *first)
{
	static struct session before;
	const char *key = random_key();
	struct engine_step step;

	before = s;
	step = engine_type(menu, &s, key, strlen(key));
	follow(&before, &step, *first);
	*first = step.event != ENGINE_WRONG_KEY && step.event != ENGINE_WRONG_INPUT;
	settle(step);
	if (menu->screens[before.screen].alone && s.back_n < left_n && step.event == ENGINE_PICKED)
		left_n--;
	shorten();
}

static void walk(void)
{
	bool first = true;

	left_n = 0;
	session_start(&s, menu, 7);
	s.language = (enum language)chance_below(LANGUAGES);
	settle(engine_dial(menu, &s,
	    chance_below(4) ? "" : menu->shortcuts[chance_below((unsigned)menu->shortcuts_n)].digits));
	for (int i = 0; i < KEYS && !s.ended; i++) {
		struct buf packed = {0};
		struct session again;

		page_is_good();
		session_pack(&s, &packed);
		assert_true(packed.len <= SESSION_OCTETS);
		assert_int_equal(session_unpack(packed.data, packed.len, &again), KZ_OK);
		assert_true(engine_fits(menu, &again));
		buf_fini(&packed);
		if (chance_below(30) == 0) {
			settle(engine_resume(menu, &s));
			first = false;
		} else {
			press(&first);
		}
	}
	page_is_good();
}

static void engine__random_walks__every_page_fits_and_goes_on(void **state)
{
	(void)state;
	for (int i = 0; i < WALKS; i++)
		walk();
}

static void engine__known_caller__sees_her_number_without_a_key(void **state)
{
	static struct answer a;

	(void)state;
	session_start(&s, menu, 1);
	struct engine_step step = engine_dial(menu, &s, "");
	assert_int_equal(step.does, ENGINE_ASK);
	assert_int_equal(step.service, SERVICE_CALLER_OPEN);
	answer_start(&a, "known");
	answer_set(&a, "child", "77");
	answer_set(&a, "name", "Айерке");
	answer_set_number(&a, "pos", 415);
	step = engine_give(menu, &s, &a);
	assert_int_equal(step.does, ENGINE_SAY);
	assert_non_null(strstr(s.page, "Айерке: кезек №415"));
	assert_non_null(strstr(s.page, "\n1 "));
	assert_string_equal(session_value(&s, menu, "child"), "77");
	assert_false(s.ended);
}

static void engine__wrong_key__says_which_there_are(void **state)
{
	engine__known_caller__sees_her_number_without_a_key(state);
	engine_type(menu, &s, "8", 1);
	assert_true(strncmp(s.page, "Тек 1-4:", strlen("Тек 1-4:")) == 0);
	assert_non_null(strstr(s.page, "\n4 "));
}

static void engine__iin_with_a_slip__is_told_what_is_wrong(void **state)
{
	(void)state;
	session_start(&s, menu, 1);
	s.language = LANGUAGE_EN;
	engine_dial(menu, &s, "1");
	assert_int_equal(menu->screens[s.screen].kind, SCREEN_INPUT);
	engine_type(menu, &s, "00010110000", 11);
	assert_non_null(strstr(s.page, "11"));
	engine_type(menu, &s, "000101100007", 12);
	assert_null(strstr(s.page, "12 digits"));
	struct engine_step step = engine_type(menu, &s, "0001 0110 0006", 14);
	assert_int_equal(step.does, ENGINE_ASK);
	assert_string_equal(session_value(&s, menu, "iin"), "000101100006");
}

static void known(void)
{
	static struct answer a;

	answer_start(&a, "known");
	answer_set(&a, "child", "77");
	answer_set(&a, "name", "Айерке");
	answer_set(&a, "pos", "415");
	engine_give(menu, &s, &a);
}

static void dial_known(void)
{
	session_start(&s, menu, 1);
	assert_int_equal(engine_dial(menu, &s, "").does, ENGINE_ASK);
	known();
}

static void engine__back__leads_over_the_way_that_was_gone(void **state)
{
	(void)state;
	dial_known();
	engine_type(menu, &s, "3", 1);
	engine_type(menu, &s, "1", 1);
	assert_string_equal(menu->screens[s.screen].name, "ask_child");
	struct engine_step step = engine_type(menu, &s, "0", 1);
	assert_int_equal(step.event, ENGINE_BACK);
	assert_string_equal(menu->screens[s.screen].name, "check");
	engine_type(menu, &s, "0", 1);
	assert_string_equal(menu->screens[s.screen].name, "home");
}

static void give_two(const char *result, const char *f1, const char *v1, const char *f2, const char *v2)
{
	static struct answer a;

	answer_start(&a, result);
	answer_set(&a, f1, v1);
	answer_set(&a, f2, v2);
	engine_give(menu, &s, &a);
}

static void engine__back_over_a_look_up__shows_the_page_as_it_was(void **state)
{
	(void)state;
	dial_known();
	engine_type(menu, &s, "3", 1);
	engine_type(menu, &s, "1", 1);
	assert_int_equal(engine_type(menu, &s, "000101100006", 12).does, ENGINE_ASK);
	give_two("other", "shown", "5", "pos", "9");
	assert_non_null(strstr(s.page, "№9"));
	for (int i = 0; i < 3; i++)
		engine_type(menu, &s, "0", 1);
	assert_string_equal(menu->screens[s.screen].name, "home");
	assert_non_null(strstr(s.page, "Айерке: кезек №415"));
	assert_int_equal(s.undo_n, 0);
}

static void give_places(void)
{
	static struct answer a;
	const char *one[] = {"9", "№20", "3"}, *two[] = {"10", "№33", "1"};

	answer_start(&a, "ok");
	answer_set(&a, "child", "77");
	assert_true(answer_add(&a, one, 3) && answer_add(&a, two, 3));
	engine_give(menu, &s, &a);
}

static void engine__back_over_another_place__keys_mean_what_the_page_says(void **state)
{
	(void)state;
	dial_known();
	engine_type(menu, &s, "1", 1);
	give_places();
	engine_type(menu, &s, "1", 1);
	give_two("not_turn", "kg", "№20", "prio", "19.09 17:02");
	assert_string_equal(menu->screens[s.screen].name, "v_turn");
	engine_type(menu, &s, "2", 1);
	give_places();
	engine_type(menu, &s, "2", 1);
	give_two("ok", "kg", "№33", "free", "1");
	assert_string_equal(session_value(&s, menu, "item"), "10");
	engine_type(menu, &s, "0", 1);
	give_places();
	engine_type(menu, &s, "0", 1);
	assert_string_equal(menu->screens[s.screen].name, "v_turn");
	assert_non_null(strstr(s.page, "№20"));
	assert_string_equal(session_value(&s, menu, "item"), "9");
}

static void look_up(int pos)
{
	char text[12];

	snprintf(text, sizeof text, "%d", pos);
	engine_type(menu, &s, "3", 1);
	engine_type(menu, &s, "3", 1);
	assert_int_equal(engine_type(menu, &s, text, strlen(text)).service, SERVICE_QUEUE_BY_APP);
	give_two("other", "shown", text, "pos", text);
	engine_type(menu, &s, "2", 1);
}

static void engine__way_longer_than_is_kept__begins_later_and_is_right(void **state)
{
	(void)state;
	dial_known();
	for (int i = 1; i <= 9; i++)
		look_up(i);
	assert_true(s.undo_n > 0 && s.undo_n <= SESSION_UNDO);
	for (int i = 0; s.back_n > 0 && i < SESSION_BACK; i++) {
		engine_type(menu, &s, "0", 1);
		if (strcmp(menu->screens[s.screen].name, "q_other") == 0) {
			char shown[32];

			snprintf(shown, sizeof shown, "№%s", session_value(&s, menu, "shown"));
			assert_non_null(strstr(s.page, shown));
		}
	}
	assert_int_equal(s.undo_n, 0);
	assert_int_equal(engine_type(menu, &s, "0", 1).service, SERVICE_CALLER_OPEN);
	known();
}

static void engine__home__forgets_the_iin_and_keeps_the_child(void **state)
{
	(void)state;
	dial_known();
	engine_type(menu, &s, "3", 1);
	engine_type(menu, &s, "1", 1);
	assert_int_equal(engine_type(menu, &s, "000101100006", 12).does, ENGINE_ASK);
	static struct answer a;
	answer_start(&a, "none");
	engine_give(menu, &s, &a);
	assert_string_equal(session_value(&s, menu, "iin"), "000101100006");
	struct engine_step step = engine_type(menu, &s, "00", 2);
	assert_int_equal(step.event, ENGINE_HOME);
	assert_int_equal(step.does, ENGINE_ASK);
	assert_string_equal(session_value(&s, menu, "iin"), "");
	assert_string_equal(session_value(&s, menu, "child"), "77");
	assert_false(s.typed);
	known();
}

static void engine__pin__is_forgotten_once_it_was_asked(void **state)
{
	static struct answer a;
	const char *item[] = {"9", "№20", "3"};

	(void)state;
	dial_known();
	engine_type(menu, &s, "1", 1);
	answer_start(&a, "ok");
	answer_set(&a, "child", "77");
	assert_true(answer_add(&a, item, 3));
	engine_give(menu, &s, &a);
	engine_type(menu, &s, "1", 1);
	assert_string_equal(session_value(&s, menu, "item"), "9");
	answer_start(&a, "ok");
	answer_set(&a, "kg", "№20");
	engine_give(menu, &s, &a);
	engine_type(menu, &s, "1", 1);
	struct engine_step step = engine_type(menu, &s, "1234", 4);
	assert_int_equal(step.service, SERVICE_REFERRAL_TAKE);
	assert_string_equal(session_value(&s, menu, "pin"), "1234");
	answer_start(&a, "wrong_pin");
	answer_set(&a, "left", "4");
	engine_give(menu, &s, &a);
	assert_string_equal(session_value(&s, menu, "pin"), "");
	assert_false(s.ended);
}

static void engine__dropped__offers_to_continue_where_it_was(void **state)
{
	(void)state;
	dial_known();
	engine_type(menu, &s, "3", 1);
	uint32_t turn = s.turn;
	assert_int_equal(engine_resume(menu, &s).does, ENGINE_SAY);
	assert_true(s.turn > turn);
	assert_string_equal(menu->screens[s.screen].name, "resume");
	engine_resume(menu, &s);
	struct engine_step step = engine_type(menu, &s, "1", 1);
	assert_int_equal(step.event, ENGINE_RESUMED);
	assert_string_equal(menu->screens[s.screen].name, "check");
	engine_resume(menu, &s);
	assert_int_equal(engine_type(menu, &s, "2", 1).does, ENGINE_ASK);
	known();
	assert_string_equal(menu->screens[s.screen].name, "home");
}

static void engine__dropped_on_a_later_page_of_a_list__offer_has_its_own_keys(void **state)
{
	static struct answer a;
	const char *item[] = {"9", "№20 Нұршуақ", "3"};

	(void)state;
	dial_known();
	engine_type(menu, &s, "1", 1);
	answer_start(&a, "ok");
	for (int i = 0; i < SESSION_ITEMS; i++)
		assert_true(answer_add(&a, item, 3));
	engine_give(menu, &s, &a);
	engine_type(menu, &s, "9", 1);
	size_t at = s.item_first;
	assert_true(at > 0);
	engine_resume(menu, &s);
	assert_null(strstr(s.page, "\n0 "));
	assert_int_equal(engine_type(menu, &s, "0", 1).event, ENGINE_WRONG_KEY);
	assert_non_null(strstr(s.page, "Тек 1,2:"));
	assert_int_equal(engine_type(menu, &s, "1", 1).event, ENGINE_RESUMED);
	assert_int_equal(s.item_first, at);
}

/* The last page of a list of the shipped menu with so many items. */
static const char *last_page(int items)
{
	static struct answer a;
	const char *item[] = {"9", "№20 Нұршуақ", "3"};

	dial_known();
	engine_type(menu, &s, "1", 1);
	answer_start(&a, "ok");
	answer_set(&a, "child", "77");
	for (int i = 0; i < items; i++)
		answer_add(&a, item, 3);
	for (engine_give(menu, &s, &a); strstr(s.page, "\n9 "); engine_type(menu, &s, "9", 1))
		assert_null(strstr(s.page, "порталда"));
	return s.page;
}

static void engine__list_of_more_than_are_kept__its_last_page_says_so(void **state)
{
	(void)state;
	assert_null(strstr(last_page(SESSION_ITEMS), "порталда"));
	assert_non_null(
	    strstr(last_page(SESSION_ITEMS + 1), "\n22 №20 Нұршуақ 3\nҚалғаны порталда\n0 Артқа"));
	engine_type(menu, &s, "7", 1);
	assert_non_null(strstr(s.page, "Қалғаны порталда"));
}

static void engine__result_that_nobody_knows__is_down(void **state)
{
	static struct answer a;

	(void)state;
	session_start(&s, menu, 1);
	engine_dial(menu, &s, "");
	answer_start(&a, "no_such");
	engine_give(menu, &s, &a);
	assert_string_equal(menu->screens[s.screen].name, "down_end");
	assert_true(s.ended);
}

static void engine__value_wider_than_its_type__is_cut(void **state)
{
	static struct answer a;

	(void)state;
	session_start(&s, menu, 1);
	engine_dial(menu, &s, "");
	answer_start(&a, "known");
	answer_set(&a, "child", "77");
	answer_set(&a, "name", "Нұрсұлтанбек");
	answer_set(&a, "pos", "415");
	engine_give(menu, &s, &a);
	assert_string_equal(session_value(&s, menu, "name"), "Нұрсұлтан.");
}

static void engine_tell__offer__a_page_without_keys_and_the_call_is_over(void **state)
{
	struct answer a;

	(void)state;
	session_start(&s, menu, 1);
	s.language = LANGUAGE_RU;
	assert_int_equal(engine_dial(menu, &s, "").does, ENGINE_ASK);
	answer_start(&a, "offer");
	answer_set(&a, "child", "7");
	answer_set(&a, "ref", "48871");
	answer_set(&a, "kg", "Айгөлек");
	answer_set(&a, "until", "19.09 17:02");
	assert_int_equal(engine_give(menu, &s, &a).does, ENGINE_SAY);
	assert_true(engine_is_pushed(menu, &s));
	engine_tell(menu, &s);
	assert_string_equal(s.page, "Вам место: Айгөлек\nОтвет до 19.09 17:02. Наберите *1234#");
	assert_true(s.ended);
	dial_known();
	assert_false(engine_is_pushed(menu, &s));
}

static void engine_path__code__what_stands_behind_it(void **state)
{
	static const char *const codes[][2] = {{"*123*2#", "2"}, {"*123#", ""}, {"*123*2*5#", "2"},
	    {"*123*2", "2"}, {"", ""}, {"*", ""}, {"123", ""}, {"*123*12345678#", ""},
	    {"*123*1234567#", "1234567"}};
	char path[DIALOG_PATH];

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		engine_path(codes[i][0], path);
		assert_string_equal(path, codes[i][1]);
	}
}

static void engine__unknown_shortcut__opens_the_menu(void **state)
{
	(void)state;
	session_start(&s, menu, 1);
	assert_int_equal(engine_dial(menu, &s, "77").service, SERVICE_CALLER_OPEN);
	session_start(&s, menu, 1);
	engine_dial(menu, &s, "1");
	assert_string_equal(menu->screens[s.screen].name, "ask_child");
}

static void set_name(const char *text)
{
	engine_set_value(menu, &s, contract_value(menu->contracts, "name", 4), text);
}

static void engine_return__value_set_twice__is_as_it_was_on_the_page(void **state)
{
	(void)state;
	session_start(&s, menu, 1);
	set_name("A");
	engine_remember(&s);
	set_name("B");
	set_name("C");
	assert_int_equal(s.undo_n, 1);
	assert_int_equal(engine_return(&s), s.screen);
	assert_string_equal(session_value(&s, menu, "name"), "A");
}

static void engine_set_value__no_room_beside_the_way__it_begins_later(void **state)
{
	char text[4];

	(void)state;
	session_start(&s, menu, 1);
	for (int i = 0; i <= SESSION_UNDO; i++) {
		engine_remember(&s);
		snprintf(text, sizeof text, "%d", i);
		set_name(text);
	}
	assert_int_equal(s.undo_n, SESSION_UNDO);
	engine_remember(&s);
	set_name("last");
	assert_int_equal(s.undo_n, SESSION_UNDO);
	assert_int_equal(s.back_n, SESSION_UNDO);
	while (s.back_n > 0)
		engine_return(&s);
	assert_string_equal(session_value(&s, menu, "name"), "1");
}

static void engine__list_without_items__is_none(void **state)
{
	static struct answer a;

	(void)state;
	dial_known();
	engine_type(menu, &s, "1", 1);
	answer_start(&a, "ok");
	answer_set(&a, "place", "of another result");
	engine_give(menu, &s, &a);
	assert_string_equal(menu->screens[s.screen].name, "vac_none");
	assert_string_equal(session_value(&s, menu, "place"), "");
}

static void engine__field_that_an_answer_leaves_out__is_empty(void **state)
{
	static struct answer a;

	(void)state;
	dial_known();
	engine_type(menu, &s, "1", 1);
	assert_string_not_equal(session_value(&s, menu, "child"), "");
	answer_start(&a, "none");
	engine_give(menu, &s, &a);
	assert_string_equal(menu->screens[s.screen].name, "vac_none");
	assert_string_equal(session_value(&s, menu, "child"), "");
}

static void answer_is_whole__each_field_left_out__is_not(void **state)
{
	static struct answer a;

	(void)state;
	answer_start(&a, "known");
	answer_set(&a, "child", "7");
	answer_set(&a, "name", "");
	assert_false(answer_is_whole(&a, SERVICE_CALLER_OPEN));
	answer_set(&a, "pos", "3");
	assert_true(answer_is_whole(&a, SERVICE_CALLER_OPEN));
	assert_false(answer_is_whole(&a, SERVICE_VACANCY_LIST));
	answer_start(&a, "ok");
	assert_false(answer_is_whole(&a, SERVICE_CALLER_CHILDREN));
	assert_true(answer_is_whole(&a, SERVICE_ENROL_TELL));
}

static void engine__typed_where_nothing_is_shown__session_is_over(void **state)
{
	(void)state;
	session_start(&s, menu, 1);
	s.screen = dialog_screen(menu, "open");
	engine_type(menu, &s, "1", 1);
	assert_true(s.ended);
	assert_string_equal(s.page, menu->over.in[s.language]);
}

/* What the loader lets no menu be, but a session's dialog need not have been proved. */
static void engine__menu_without_branches__closing_page(void **state)
{
	struct dialog_screen *screens = mem_array(menu->screens_n, sizeof *screens);
	struct dialog bare = *menu;
	static struct answer a;

	(void)state;
	memcpy(screens, menu->screens, menu->screens_n * sizeof *screens);
	bare.screens = screens;
	bare.resume = -1;
	for (int i = 0; i < SERVICE_RESULTS; i++)
		screens[bare.entry].branches[i] = -1;
	session_start(&s, &bare, 1);
	assert_int_equal(engine_resume(&bare, &s).service, SERVICE_CALLER_OPEN);
	answer_start(&a, "known");
	engine_give(&bare, &s, &a);
	assert_true(s.ended);
	assert_string_equal(s.page, menu->down.in[s.language]);
	free(screens);
}

static void engine_event_name__events__have_names(void **state)
{
	(void)state;
	for (int e = 0; e < ENGINE_EVENTS; e++)
		assert_true(strlen(engine_event_name((enum engine_event)e)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(engine__known_caller__sees_her_number_without_a_key),
	    cmocka_unit_test(engine__wrong_key__says_which_there_are),
	    cmocka_unit_test(engine__iin_with_a_slip__is_told_what_is_wrong),
	    cmocka_unit_test(engine__back__leads_over_the_way_that_was_gone),
	    cmocka_unit_test(engine__back_over_a_look_up__shows_the_page_as_it_was),
	    cmocka_unit_test(engine__back_over_another_place__keys_mean_what_the_page_says),
	    cmocka_unit_test(engine__way_longer_than_is_kept__begins_later_and_is_right),
	    cmocka_unit_test(engine__home__forgets_the_iin_and_keeps_the_child),
	    cmocka_unit_test(engine__pin__is_forgotten_once_it_was_asked),
	    cmocka_unit_test(engine__dropped__offers_to_continue_where_it_was),
	    cmocka_unit_test(engine__dropped_on_a_later_page_of_a_list__offer_has_its_own_keys),
	    cmocka_unit_test(engine__list_of_more_than_are_kept__its_last_page_says_so),
	    cmocka_unit_test(engine__result_that_nobody_knows__is_down),
	    cmocka_unit_test(engine__value_wider_than_its_type__is_cut),
	    cmocka_unit_test(engine_tell__offer__a_page_without_keys_and_the_call_is_over),
	    cmocka_unit_test(engine_path__code__what_stands_behind_it),
	    cmocka_unit_test(engine__unknown_shortcut__opens_the_menu),
	    cmocka_unit_test(engine_return__value_set_twice__is_as_it_was_on_the_page),
	    cmocka_unit_test(engine_set_value__no_room_beside_the_way__it_begins_later),
	    cmocka_unit_test(engine__list_without_items__is_none),
	    cmocka_unit_test(engine__field_that_an_answer_leaves_out__is_empty),
	    cmocka_unit_test(answer_is_whole__each_field_left_out__is_not),
	    cmocka_unit_test(engine__typed_where_nothing_is_shown__session_is_over),
	    cmocka_unit_test(engine__menu_without_branches__closing_page),
	    cmocka_unit_test(engine_event_name__events__have_names),
	    cmocka_unit_test(engine__random_walks__every_page_fits_and_goes_on),
	};

	return cmocka_run_group_tests(tests, menu_read, menu_free);
}

/* audit: the shipped menu is proved; a small one is too, and by each change that makes it unfit it fails,
 * with a line that says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ussd/audit.h"

#define SHIPPED_DIALOG   KEZEK_SOURCE_DIR "/dialogs/kindergarten.yaml"
#define SHIPPED_SERVICES KEZEK_SOURCE_DIR "/dialogs/services.yaml"

static const char small[] =
    "dialog: small\n"
    "version: \"7\"\n"
    "languages: [kk, ru, en]\n"
    "first: ru\n"
    "entry: open\n"
    "nav: {back: \"0\", next: \"9\", home: \"00\"}\n"
    "limits: {ucs2: 80, gsm7: 160, turns: 8, seconds: 100, seconds_of_page: 7, seconds_of_digit: 1}\n"
    "shortcuts: {\"1\": ask}\n"
    "tasks: {queue: {screen: home, turns: 0}, accept: {screen: done, turns: 2}}\n"
    "navtext: {next: {all: \"9 +\"}, back: {all: \"0 -\"}}\n"
    "invalid: {all: \"? {keys}\"}\n"
    "pages: {down: {all: down}, over: {all: over}, hidden: {all: hidden}}\n"
    "screens:\n"
    "  open: {do: caller.open, results: {known: home, over: bye, referral: bye, offer: offer, many: kids, "
    "unknown: guest, new: guest, down: bye}}\n"
    "  home:\n"
    "    text: {kk: \"{name}: кезек №{pos}\", ru: \"{name}: очередь №{pos}\", en: \"{name}: queue {pos}\"}\n"
    "    options:\n"
    "      - {key: \"1\", text: {all: \"IIN\"}, goto: ask}\n"
    "      - {key: \"2\", text: {all: \"X\"}, goto: guest}\n"
    "  guest:\n"
    "    text: {kk: \"Сәлем\", ru: \"Привет\", en: \"Hello\"}\n"
    "    options:\n"
    "      - {key: \"1\", text: {all: \"IIN\"}, goto: ask}\n"
    "    back: yes\n"
    "  ask:\n"
    "    text: {all: \"IIN\"}\n"
    "    input: {name: iin, then: find}\n"
    "    errors: {length: {all: \"{n2}?\"}, checksum: {all: \"typo\"}}\n"
    "    back: yes\n"
    "  find: {do: queue.by_child, results: {ok: found, other: bye, over: bye, none: bye, too_often: wait, "
    "down: bye}}\n"
    "  found:\n"
    "    text: {all: \"{name} {pos}\\n{cat}\"}\n"
    "    options:\n"
    "      - {key: \"1\", text: {all: \"SMS\"}, goto: sms}\n"
    "  sms: {do: sms.queue, results: {ok: bye, none: bye, down: bye}}\n"
    "  offer:\n"
    "    text: {all: \"{kg} {until}\"}\n"
    "    told: {kk: \"Орын: {kg}\", ru: \"Место: {kg}\", en: \"Place: {kg}\"}\n"
    "    options:\n"
    "      - {key: \"1\", text: {all: \"+\"}, goto: pin}\n"
    "  pin:\n"
    "    text: {all: \"PIN\"}\n"
    "    input: {name: pin, then: accept}\n"
    "    errors: {length: {all: \"{n2}?\"}}\n"
    "  accept: {do: referral.accept, results: {ok: done, wrong_pin: pin, locked: bye, gone: bye, down: "
    "bye}}\n"
    "  done: {end: yes, text: {all: \"{ref} {until}\"}}\n"
    "  wait: {end: yes, text: {all: \"{num}\"}}\n"
    "  kids:\n"
    "    text: {all: \"who\"}\n"
    "    list: {do: caller.children, item: {all: \"{name} {year}\"}, results: {unknown: guest, down: bye}, "
    "pick: {set: child, goto: open}}\n"
    "    min_items: 2\n"
    "  bye: {end: yes, text: {all: \"bye\"}}\n"
    "  again: {engine: yes, text: {all: \"on?\"}, options: [{key: \"1\", text: {all: \"yes\"}, goto: "
    "\"@resume\"}, {key: \"2\", text: {all: \"no\"}, goto: open}]}\n";

static char *services; /* the shipped contracts */

static int read_services(void **state)
{
	struct dialog_source s;
	struct faults faults = {0};

	(void)state;
	assert_true(dialog_source_read(SHIPPED_DIALOG, SHIPPED_SERVICES, &s, &faults));
	services = mem_str(s.bytes[1]);
	dialog_source_fini(&s);
	return 0;
}

static int drop_services(void **state)
{
	(void)state;
	free(services);
	return 0;
}

/* What the proof says of the text, which can be loaded; to be freed. */
static char *proof_of(const char *text)
{
	static char d[] = "d", c[] = "s";
	struct dialog_source s = {.name = {d, c},
	    .bytes = {(char *)(uintptr_t)text, services},
	    .len = {strlen(text), strlen(services)}};
	struct faults faults = {0};
	struct dialog *dialog = dialog_load(&s, &words_usual, &faults);

	if (!dialog)
		fail_msg("cannot be loaded: %s", buf_text(&faults.text));
	bool good = audit_check(dialog, &s, &faults);
	assert_int_equal(good, faults.count == 0);
	dialog_free(dialog);
	return buf_take(&faults.text);
}

/* text with its first `from` as `to`. */
static char *changed(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("the small dialog has no %s", from);
	return mem_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* Has that fault, which has a place. */
static void is_at_fault(const char *text, const char *fault)
{
	char *said = proof_of(text);

	if (!strstr(said, fault))
		fail_msg("expected: %s\nwas: %s", fault, said);
	assert_memory_equal(said, "d:", 2);
	free(said);
}

static void fails(const char *from, const char *to, const char *fault)
{
	char *text = changed(small, from, to);

	is_at_fault(text, fault);
	free(text);
}

static void audit_check__shipped_menu__no_fault(void **state)
{
	struct dialog_source s;
	struct faults faults = {0};

	(void)state;
	assert_true(dialog_source_read(SHIPPED_DIALOG, SHIPPED_SERVICES, &s, &faults));
	struct dialog *d = dialog_load(&s, &words_usual, &faults);
	assert_non_null(d);
	(void)audit_check(d, &s, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	dialog_free(d);
	dialog_source_fini(&s);
	faults_fini(&faults);
}

static void audit_check__small__no_fault(void **state)
{
	char *said = proof_of(small);

	(void)state;
	assert_string_equal(said, "");
	free(said);
}

static void audit_check__screen_that_nothing_leads_to__fault(void **state)
{
	(void)state;
	fails("many: kids", "many: bye", "kids: no way leads to it from open");
}

static void audit_check__only_a_shortcut_leads_to_it__fault(void **state)
{
	char *alone = changed(small, "many: kids", "many: bye"),
	     *text = changed(alone, "\"1\": ask}", "\"1\": kids}");

	(void)state;
	is_at_fault(text, "kids: no way leads to it from open");
	free(text);
	free(alone);
}

static void audit_check__no_end_from_screen__fault(void **state)
{
	(void)state;
	fails("results: {ok: bye, none: bye, down: bye}", "results: {ok: found, none: found, down: bye}",
	    "found: no way leads on from it to an end");
}

static void audit_check__result_without_branch__fault(void **state)
{
	(void)state;
	fails("locked: bye, ", "", "accept: referral.accept can answer \"locked\"");
	fails("results: {unknown: guest, down: bye}", "results: {down: bye}",
	    "kids: caller.children can answer \"unknown\"");
}

static void audit_check__services_in_a_circle__fault(void **state)
{
	(void)state;
	fails("many: kids", "many: open", "open: on a circle of services");
	fails("goto: open}}\n", "goto: open}, alone: pick}\n", "kids: on a circle of services");
}

static void audit_check__task_too_far__fault(void **state)
{
	(void)state;
	fails("{screen: done, turns: 2}", "{screen: done, turns: 1}",
	    "accept: done is seen after 2 keys, 1 are");
	fails("{screen: done, turns: 2}", "{screen: done, turns: 9}", "accept: 9 turns, limits say 8");
}

static void audit_check__too_many_keys__fault(void **state)
{
	(void)state;
	fails("turns: 8", "turns: 2", "found: 3 keys to it and from it to an end, 2 are allowed");
}

static void audit_check__too_many_seconds__fault(void **state)
{
	(void)state;
	/* A page, an IIN of 12 digits, a page. */
	fails("seconds: 100", "seconds: 32", "found: 33 seconds to it and from it to an end, 32 are allowed");
	fails("seconds_of_digit: 1", "seconds_of_digit: 7", "found: 105 seconds to it");
}

static void audit_check__resume_is_led_to__fault(void **state)
{
	(void)state;
	fails(
	    "{all: \"X\"}, goto: guest", "{all: \"X\"}, goto: again", "again: is shown by the engine alone");
	fails("\"1\": ask}", "\"1\": again}", "again: is shown by the engine alone");
}

static void audit_check__resume_without_both_ways__fault(void **state)
{
	(void)state;
	fails("\"@resume\"", "open", "again: an option with goto: \"@resume\"");
	fails("{all: \"no\"}, goto: open", "{all: \"no\"}, goto: guest", "and one with goto: open");
}

static void audit_check__shown_value_not_set_on_each_way__fault(void **state)
{
	(void)state;
	fails("referral: bye", "referral: home", "home: {pos} is not set on every way to it");
	fails("{all: \"PIN\"}", "{all: \"PIN {name}\"}", "pin: {name} is not set");
	fails("{all: \"IIN\"}\n", "{all: \"{n2} IIN\"}\n", "ask: {n2} is not set");
	fails("{all: \"who\"}", "{all: \"who {year}\"}", "kids: {year} is not set");
}

static void audit_check__told_value_not_set__fault(void **state)
{
	(void)state;
	fails("{all: \"X\"}, goto: guest", "{all: \"X\"}, goto: sms", "sms: sms.queue is told \"shown\"");
	fails("input: {name: iin,", "input: {name: kid,", "find: queue.by_child is told \"iin\"");
	fails("input: {name: iin,", "input: {name: kid,",
	    "ask: \"kid\" is typed, and queue.by_child, which follows,");
}

static void audit_check__secret_or_id_shown__fault(void **state)
{
	(void)state;
	fails("{all: \"PIN\"}", "{all: \"PIN {pin}\"}", "pin: {pin} is a secret");
	fails("{n2}?\"}, checksum", "{iin}?\"}, checksum", "ask: {iin} is a secret");
	fails("{name} {year}", "{id} {name} {year}", "kids: {id} is an id");
}

static void audit_check__danger_without_confirmation__fault(void **state)
{
	(void)state;
	fails("{all: \"+\"}, goto: pin", "{all: \"+\"}, goto: accept",
	    "accept: offer leads to referral.accept without its confirmation");
	fails("wrong_pin: pin", "wrong_pin: accept", "accept leads to referral.accept without");
	fails("\"1\": ask}", "\"1\": accept}", "accept: referral.accept cannot be where a call begins");
}

static void audit_check__keys__as_the_page_says(void **state)
{
	(void)state;
	fails("- {key: \"2\"", "- {key: \"1\"", "home: key 1: keys are 1, 2, 3 in their order");
	fails("- {key: \"2\"", "- {key: \"3\"", "home: key 3: keys are 1, 2, 3");
	fails("- {key: \"2\"", "- {key: \"9\"", "home: key 9: 0, 9 and 00 are");
	fails("- {key: \"2\"", "- {key: \"00\"", "home: key 00: 0, 9 and 00 are");
}

static void audit_check__page_too_wide__fault(void **state)
{
	(void)state;
	fails("Сәлем", "Сәлем сәлем сәлем сәлем сәлем сәлем сәлем сәлем сәлем сәлем сәлем сәлем",
	    "guest: first in kk is 81 characters, and 80 of UCS-2 fit a page: shorten it by 1");
	/* Latin, but for the name. */
	fails("{name}: queue {pos}", "{name}: queue {pos}, and this is how it will stay until the end, yes",
	    "home: first in en is 83 characters, and 80 of UCS-2");
}

static void audit_check__gsm7_page_too_wide__fault(void **state)
{
	(void)state;
	/* The name's ten characters may be of the extension: two septets each. */
	fails("ucs2: 80, gsm7: 160", "ucs2: 80, gsm7: 40",
	    "home: first in en is 44 characters, and 40 of GSM 7-bit");
}

static void audit_check__error_too_wide__fault(void **state)
{
	(void)state;
	fails("{all: \"typo\"}",
	    "{all: \"Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате.\"}",
	    "ask: checksum in kk is 81 characters");
	fails("down: {all: down}",
	    "down: {all: \"Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. "
	    "Қате.\"}",
	    "down: first in kk is 83 characters");
}

static void audit_check__rest_of_a_list_too_wide__fault(void **state)
{
	(void)state;
	fails("back: {all: \"0 -\"}}",
	    "back: {all: \"0 -\"}, rest: {all: \"Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. "
	    "Қате.\"}}",
	    "kids: last in kk has room for 0 of 1 items");
	/* With the text itself it fits, with that of a wrong key it does not. */
	fails("back: {all: \"0 -\"}}",
	    "back: {all: \"0 -\"}, rest: {all: \"Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате. Қате\"}}",
	    "kids: last, wrong key in kk has room for 0 of 1 items");
}

static void audit_check__told__is_proved_as_a_page_without_keys(void **state)
{
	(void)state;
	fails("Место: {kg}",
	    "Место, которое нашлось для вашего ребёнка в детском саду нашего города, вот: {kg}",
	    "offer: told in ru is 90 characters, and 80 of UCS-2 fit a page: shorten it by 10");
	fails("Орын: {kg}", "Орын", "offer: kk lacks {kg}, which ru has");
	fails("Place: {kg}", "Place: {kg} {left}", "offer: {left} is not set on every way to it");
	fails("text: {all: \"{name} {pos}\\n{cat}\"}", "text: {all: x}\n    told: {all: y}",
	    "found: is to be told to who did not dial, and only keys lead to it from open");
}

static void audit_check__list_without_room__fault(void **state)
{
	(void)state;
	fails("min_items: 2", "min_items: 5", "kids: first in kk has room for 3 of 5 items");
}

static void audit_check__mixed_scripts__fault(void **state)
{
	(void)state;
	fails("Привет", "Пpивет", "guest: ru: \"Пpивет\" has letters of two alphabets");
	fails("Hello", "Hellо", "guest: en: \"Hellо\" has letters of two alphabets");
	fails("{all: \"typo\"}", "{all: \"tурo\"}", "has letters of two alphabets");
	fails("Hello", "СМС", "guest: en: \"СМС\" is of Cyrillic letters");
	fails("Привет", "Сәлем", "guest: ru: \"Сәлем\" has Kazakh letters");
	fails("Привет", "с c", "guest: ru: \"c\" is one Latin letter");
	fails("Привет", "Ђорђе", "neither Kazakh nor Russian nor Latin");
}

static void audit_check__ending_glued_to_value__fault(void **state)
{
	(void)state;
	fails("кезек №{pos}", "кезек {pos}де", "home: kk: something is glued to {pos}");
	fails("кезек №{pos}", "кезек {pos}-де", "home: kk: something is glued to {pos}");
	fails("кезек №{pos}", "«{pos}»де", "home: kk: something is glued to {pos}");
	fails("кезек №{pos}", "кезек{pos}", "home: kk: something is glued to {pos}");
	fails("кезек №{pos}", "кезек 1{pos}", "home: kk: something is glued to {pos}");
	fails("{kg} {until}", "{kg}{until}", "offer: kk: something is glued to {kg}");
}

static void audit_check__languages_with_other_values__fault(void **state)
{
	(void)state;
	fails("очередь №{pos}", "очередь", "home: ru lacks {pos}, which kk has");
}

static void audit_check__texts_of_navigation__say_their_keys(void **state)
{
	(void)state;
	fails("9 +", "8 +", "begins with its key and a blank, \"9 \"");
	fails("0 -", "-", "begins with its key and a blank, \"0 \"");
	fails("? {keys}", "?", "invalid: kk: lacks {keys}");
	fails("? {keys}", "? {keys}th", "something is glued to {keys}");
	fails("{name} {year}", "one", "kids: kk: expected is a text that shows a value of the item");
}

static void pages_count(void *arg, const struct audit_page *p)
{
	unsigned *n = arg;

	assert_true(p->units <= p->room);
	assert_true(*p->text != '\0' && *p->screen && *p->form);
	n[p->language]++;
	if (!strcmp(p->screen, "kids") && !strcmp(p->form, "first"))
		assert_string_equal(
		    p->text, "who\n10 НұрсұлтанҰ 2024\n11 НұрсұлтанҰ 2024\n12 НұрсұлтанҰ 2024\n9 +\n0 -");
}

static void audit_pages__small__each_form_in_each_language(void **state)
{
	static char d[] = "d", c[] = "s";
	struct dialog_source s = {.name = {d, c},
	    .bytes = {(char *)(uintptr_t)small, services},
	    .len = {strlen(small), strlen(services)}};
	struct faults faults = {0};
	struct dialog *dialog = dialog_load(&s, &words_usual, &faults);
	unsigned n[LANGUAGES] = {0};

	(void)state;
	assert_non_null(dialog);
	audit_pages(dialog, pages_count, n);
	/* Five pages twice and a list four times, one of them told, two inputs with three errors, three
	 * ends, three of the engine's own. */
	for (enum language l = 0; l < LANGUAGES; l++)
		assert_int_equal(n[l], 2 * 5 + 4 + 1 + 2 + 3 + 3 + 3);
	dialog_free(dialog);
	faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(audit_check__shipped_menu__no_fault),
	    cmocka_unit_test(audit_check__small__no_fault),
	    cmocka_unit_test(audit_check__screen_that_nothing_leads_to__fault),
	    cmocka_unit_test(audit_check__only_a_shortcut_leads_to_it__fault),
	    cmocka_unit_test(audit_check__no_end_from_screen__fault),
	    cmocka_unit_test(audit_check__result_without_branch__fault),
	    cmocka_unit_test(audit_check__services_in_a_circle__fault),
	    cmocka_unit_test(audit_check__task_too_far__fault),
	    cmocka_unit_test(audit_check__too_many_keys__fault),
	    cmocka_unit_test(audit_check__too_many_seconds__fault),
	    cmocka_unit_test(audit_check__resume_is_led_to__fault),
	    cmocka_unit_test(audit_check__resume_without_both_ways__fault),
	    cmocka_unit_test(audit_check__shown_value_not_set_on_each_way__fault),
	    cmocka_unit_test(audit_check__told_value_not_set__fault),
	    cmocka_unit_test(audit_check__secret_or_id_shown__fault),
	    cmocka_unit_test(audit_check__danger_without_confirmation__fault),
	    cmocka_unit_test(audit_check__keys__as_the_page_says),
	    cmocka_unit_test(audit_check__page_too_wide__fault),
	    cmocka_unit_test(audit_check__gsm7_page_too_wide__fault),
	    cmocka_unit_test(audit_check__error_too_wide__fault),
	    cmocka_unit_test(audit_check__rest_of_a_list_too_wide__fault),
	    cmocka_unit_test(audit_check__told__is_proved_as_a_page_without_keys),
	    cmocka_unit_test(audit_check__list_without_room__fault),
	    cmocka_unit_test(audit_check__mixed_scripts__fault),
	    cmocka_unit_test(audit_check__ending_glued_to_value__fault),
	    cmocka_unit_test(audit_check__languages_with_other_values__fault),
	    cmocka_unit_test(audit_check__texts_of_navigation__say_their_keys),
	    cmocka_unit_test(audit_pages__small__each_form_in_each_language),
	};

	return cmocka_run_group_tests(all, read_services, drop_services);
}

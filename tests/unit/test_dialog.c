/* dialog: the shipped menu loads whole; what is wrong in a file is told with its place and a remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ussd/dialog.h"

#define SHIPPED_DIALOG    KEZEK_SOURCE_DIR "/dialogs/kindergarten.yaml"
#define SHIPPED_SERVICES  KEZEK_SOURCE_DIR "/dialogs/services.yaml"
#define SHIPPED_TEMPLATES KEZEK_SOURCE_DIR "/dialogs/sms.yaml"

static const char small[] =
    "dialog: small\n"
    "version: \"7\"\n"
    "languages: [kk, ru, en]\n"
    "first: ru\n"
    "entry: open\n"
    "nav: {back: \"0\", next: \"9\", home: \"00\"}\n"
    "limits: {ucs2: 80, gsm7: 182}\n"
    "shortcuts: {\"1\": ask}\n"
    "tasks: {queue: {screen: home, turns: 0}}\n"
    "navtext: {next: {all: \"9 +\"}, back: {all: \"0 -\"}}\n"
    "invalid: {all: \"? {keys}\"}\n"
    "pages: {down: {all: down}, over: {all: over}, hidden: {all: hidden}}\n"
    "screens:\n"
    "  open: {do: queue.by_child, results: {ok: home, none: bye}}\n"
    "  home:\n"
    "    text: {kk: \"К {pos}\", ru: \"Р {pos}\", en: \"E {pos}\"}\n"
    "    options:\n"
    "      - {key: \"1\", text: {all: \"ask\"}, set: {lang: en, cat: Ж}, goto: ask}\n"
    "      - {key: \"2\", text: {all: \"list\"}, goto: kids}\n"
    "    back: yes\n"
    "  ask:\n"
    "    text: {all: \"IIN\"}\n"
    "    input: {name: iin, then: open}\n"
    "    errors: {length: {all: \"{n2}?\"}, checksum: {all: \"typo\"}}\n"
    "  kids:\n"
    "    text: {all: \"who\"}\n"
    "    list: {do: caller.children, item: {all: \"{name} {year}\"}, results: {down: bye}, "
    "pick: {set: child, goto: open}, alone: pick}\n"
    "    min_items: 2\n"
    "  bye: {end: yes, text: {all: \"bye\"}}\n"
    "  back: {engine: yes, text: {all: \"on?\"}, options: [{key: \"1\", text: {all: \"yes\"}, goto: "
    "\"@resume\"}]}\n";

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

/* text with its first `from` as `to`. */
static char *changed(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("the test's file has no %s", from);
	return mem_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static struct dialog *load(const char *dialog, const char *contracts, struct faults *faults)
{
	static char d[] = "d", c[] = "s";
	struct dialog_source s = {.name = {d, c},
	    .bytes = {(char *)(uintptr_t)dialog, (char *)(uintptr_t)contracts},
	    .len = {strlen(dialog), strlen(contracts)}};

	return dialog_load(&s, &words_usual, faults);
}

static void is_refused(const char *dialog, const char *contracts, const char *fault)
{
	struct faults faults = {0};
	struct dialog *d = load(dialog, contracts, &faults);

	assert_null(d);
	assert_true(faults.count > 0);
	if (!strstr(buf_text(&faults.text), fault))
		fail_msg("expected: %s\nwas: %s", fault, buf_text(&faults.text));
	faults_fini(&faults);
}

static void dialog_is_refused(const char *from, const char *to, const char *fault)
{
	char *text = changed(small, from, to);

	is_refused(text, services, fault);
	free(text);
}

static void services_are_refused(const char *from, const char *to, const char *fault)
{
	char *text = changed(services, from, to);

	is_refused(small, text, fault);
	free(text);
}

static void dialog_load__shipped_files__no_fault(void **state)
{
	struct dialog_source s;
	struct faults faults = {0};

	(void)state;
	assert_true(dialog_source_read(SHIPPED_DIALOG, SHIPPED_SERVICES, &s, &faults));
	struct dialog *d = dialog_load(&s, &words_usual, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	assert_non_null(d);
	assert_string_equal(d->name, "kindergarten");
	assert_int_equal(d->entry, dialog_screen(d, "open"));
	assert_int_equal(d->resume, dialog_screen(d, "resume"));
	assert_true(d->screens_n > 80);
	dialog_free(d);
	dialog_source_fini(&s);
	faults_fini(&faults);
}

static void dialog_load__small__head_is_as_written(void **state)
{
	struct faults faults = {0};
	struct dialog *d = load(small, services, &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_non_null(d);
	assert_string_equal(d->version, "7");
	assert_int_equal(d->first, LANGUAGE_RU);
	assert_int_equal(d->limits.gsm7, 182);
	assert_int_equal(d->limits.turns, 8);
	assert_int_equal(d->shortcuts_n, 1);
	assert_string_equal(d->shortcuts[0].digits, "1");
	assert_int_equal(d->shortcuts[0].screen, dialog_screen(d, "ask"));
	assert_int_equal(d->tasks[0].screen, dialog_screen(d, "home"));
	assert_string_equal(d->next.in[LANGUAGE_EN], "9 +");
	assert_string_equal(d->hidden.in[LANGUAGE_KK], "hidden");
	dialog_free(d);
	faults_fini(&faults);
}

static void dialog_load__small__screens_are_as_written(void **state)
{
	struct faults faults = {0};
	struct dialog *d = load(small, services, &faults);

	(void)state;
	assert_non_null(d);
	const struct dialog_screen *open = &d->screens[0], *home = &d->screens[1], *ask = &d->screens[2],
	                           *kids = &d->screens[3];
	assert_int_equal(open->kind, SCREEN_DO);
	assert_int_equal(open->service, SERVICE_QUEUE_BY_CHILD);
	assert_int_equal(open->branches[0], 1);
	assert_int_equal(open->branches[1], -1);
	assert_int_equal(open->branches[3], dialog_screen(d, "bye"));
	assert_int_equal(home->kind, SCREEN_PAGE);
	assert_true(home->back);
	assert_int_equal(home->options_n, 2);
	assert_int_equal(home->options[0].sets_n, 2);
	assert_int_equal(home->options[0].sets[0].value, -1);
	assert_string_equal(home->options[0].sets[0].to, "en");
	assert_int_equal(home->options[0].sets[1].value, contract_value(d->contracts, "cat", 3));
	assert_int_equal(home->options[1].go, 3);
	assert_int_equal(home->line, 15);
	assert_int_equal(ask->value, contract_value(d->contracts, "iin", 3));
	assert_string_equal(ask->errors[0].in[LANGUAGE_RU], "{n2}?");
	assert_int_equal(ask->go, 0);
	assert_int_equal(kids->service, SERVICE_CALLER_CHILDREN);
	assert_true(kids->alone);
	assert_int_equal(kids->min_items, 2);
	assert_int_equal(kids->picks, contract_value(d->contracts, "child", 5));
	assert_int_equal(d->screens[d->resume].options[0].go, -1);
	dialog_free(d);
	faults_fini(&faults);
}

static void dialog_load__an_octet_changed_in_either_file__another_hash(void **state)
{
	struct faults faults = {0};
	char *text = changed(small, "\"bye\"", "\"Bye\""), *contracts = changed(services, "179729", "179728");
	struct dialog *a = load(small, services, &faults), *b = load(text, services, &faults),
	              *c = load(small, contracts, &faults), *again = load(small, services, &faults);

	(void)state;
	assert_memory_equal(a->hash, again->hash, DIALOG_HASH);
	assert_memory_not_equal(a->hash, b->hash, DIALOG_HASH);
	assert_memory_not_equal(a->hash, c->hash, DIALOG_HASH);
	assert_memory_not_equal(b->hash, c->hash, DIALOG_HASH);
	dialog_free(a);
	dialog_free(b);
	dialog_free(c);
	dialog_free(again);
	free(text);
	free(contracts);
}

static void dialog_load__head_is_wrong__told_with_a_remedy(void **state)
{
	(void)state;
	dialog_is_refused(
	    "dialog: small", "dialogue: small", "d:1:1: dialogue: no such key; did you mean dialog?");
	dialog_is_refused("dialog: small", "dialog: \"\"", "letters, digits, dots and dashes are expected");
	dialog_is_refused("[kk, ru, en]", "[kk, ru]", "d:3:12: languages: [kk, ru, en] is expected");
	dialog_is_refused("first: ru", "first: uz", "first: kk, ru or en is expected");
	dialog_is_refused(
	    "entry: open", "entry: opne", "d:5:8: \"opne\": there is no such screen; did you mean open?");
	dialog_is_refused("next: \"9\"", "next: \"8\"", "the keys are fixed");
	dialog_is_refused("ucs2: 80", "ucs2: 800", "is out of range: 20 to 91");
	dialog_is_refused("ucs2: 80", "usc2: 80", "did you mean ucs2?");
	dialog_is_refused("{\"1\": ask}", "{\"x\": ask}", "a shortcut is 1 to 7 digits");
	dialog_is_refused(
	    "{\"1\": ask}", "{\"1\": zzz}", "there is no such screen: name one of screens, or add it");
	dialog_is_refused("turns: 0", "turns: many", "turns: a number from 0 to 20 is expected");
	dialog_is_refused("{keys}", "{key}", "{key} cannot stand in this text: known are keys");
	dialog_is_refused("{all: hidden}", "{all: \"{pos}\"}", "which holds no values");
	dialog_is_refused(", hidden: {all: hidden}", "", "d:12:8: lacks hidden");
	dialog_is_refused("screens:", "screen:", "lacks screens: a map");
}

static void dialog_load__a_screen_is_wrong__told_with_a_remedy(void **state)
{
	(void)state;
	dialog_is_refused("  home:\n", "  Home:\n", "a name is at most 23 of a-z, 0-9 and _, a letter first");
	dialog_is_refused("ok: home", "ok: hme", "\"hme\": there is no such screen; did you mean home?");
	dialog_is_refused(
	    "none: bye", "nome: bye", "nome: queue.by_child gives no such result; did you mean none?");
	dialog_is_refused("do: queue.by_child", "do: queue.by_kid", "there is no such service");
	dialog_is_refused(
	    "do: queue.by_child", "do: caller.children", "caller.children gives a list: say list:");
	dialog_is_refused("do: caller.children", "do: login.code", "login.code gives no list: say do:");
	dialog_is_refused(
	    "results: {down: bye}", "results: {ok: bye}", "is the list itself: it has no branch");
	dialog_is_refused("set: child", "set: pos", "pos: is of type pos, what is picked is of type id");
	dialog_is_refused(
	    "{name} {year}", "{name} {pos}", "{pos} cannot stand in this text: known are id name year");
	dialog_is_refused("alone: pick", "alone: yes", "alone: pick is expected");
	dialog_is_refused("min_items: 2", "min_items: 0", "min_items: a number from 1 to 20 is expected");
	dialog_is_refused("end: yes, ", "end: yes, do: login.code, ", "this has 2");
	dialog_is_refused("end: yes, ", "", "this has 0");
	dialog_is_refused("end: yes", "end: no", "end: yes is expected");
	dialog_is_refused("    back: yes\n", "    back: maybe\n", "back: yes or no is expected");
	dialog_is_refused("back: {engine: yes, ", "back: {", "lacks the screen that offers to continue");
	dialog_is_refused("    back: yes\n", "    engine: yes\n", "a second screen that says engine: yes");
	dialog_is_refused("goto: kids", "goto: \"@resume\"", "\"@resume\": there is no such screen");
}

static void dialog_load__a_text_is_wrong__told_with_a_remedy(void **state)
{
	(void)state;
	dialog_is_refused("ru: \"Р {pos}\", ", "", "d:16:11: text lacks the language ru");
	dialog_is_refused("К {pos}", "К {poss}", "no service takes or gives such a value; did you mean pos?");
	dialog_is_refused("К {pos}", "К {pos", "a brace that is not around the name of a value");
	dialog_is_refused("К {pos}", "К pos}", "a brace that is not around the name of a value");
	dialog_is_refused("К {pos}", "", "a text is expected");
	dialog_is_refused("К {pos}", "К\\a", "a control character that a phone cannot show");
	dialog_is_refused("{all: \"IIN\"}", "{all: \"IIN\", kk: \"ЖСН\"}", "kk: no such key");
	dialog_is_refused("{all: \"IIN\"}", "IIN", "text: a map");
}

static void dialog_load__an_option_or_input_is_wrong__told_with_a_remedy(void **state)
{
	(void)state;
	dialog_is_refused("key: \"2\"", "key: \"x\"", "key: one or two digits are expected");
	dialog_is_refused("key: \"2\"", "key: \"123\"", "key: one or two digits are expected");
	dialog_is_refused("lang: en", "lang: uz", "lang: \"uz\" is not a language");
	dialog_is_refused("cat: Ж", "kat: Ж", "did you mean cat?");
	dialog_is_refused("cat: Ж", "glang: uz", "glang: \"uz\" is no word of its enum");
	dialog_is_refused("cat: Ж", "pos: \"1234567\"", "pos: \"1234567\" is empty or too long");
	dialog_is_refused("cat: Ж", "iin: \"1\"", "iin: \"1\" is of what is typed");
	dialog_is_refused("      - {key: \"2\"",
	    "      - {key: \"3\", text: {all: a}, goto: ask}\n      - {key: \"4\", text: {all: a}, goto: "
	    "ask}\n"
	    "      - {key: \"5\", text: {all: a}, goto: ask}\n      - {key: \"6\", text: {all: a}, goto: "
	    "ask}\n"
	    "      - {key: \"2\"",
	    "a page has 1 to 5 options: split it");
	dialog_is_refused("name: iin", "name: pos", "pos: its type pos is none that is typed");
	dialog_is_refused(", checksum: {all: \"typo\"}", "", "lacks checksum");
	dialog_is_refused("name: iin", "name: phone", "checksum: no such key; known are length");
	dialog_is_refused("then: open", "to: open", "lacks then");
}

static void contracts_load__differs_from_the_table__told_both_ways(void **state)
{
	(void)state;
	services_are_refused("  caller.open:", "  caller.opens:",
	    "\"caller.opens\": kezek has no such service; did you mean caller.open?");
	services_are_refused(
	    "  caller.open:", "  caller.opens:", "services lacks \"caller.open\", which kezek has");
	services_are_refused("in: {iin: iin}", "in: {iin: iin, pos: pos}",
	    "queue.by_child: in: kezek's service has no \"pos\"");
	services_are_refused("in: {iin: iin}", "in: {}", "queue.by_child: in: lacks \"iin\"");
	services_are_refused("ok: {shown: id, name", "ok: {name", "queue.by_child: ok: lacks \"shown\"");
	services_are_refused("      none: {}\n", "", "lacks queue.by_child: none");
	services_are_refused("      none: {}\n", "      none: {}\n      gone: {}\n", "gone: no such key");
	services_are_refused("items: {id: id, name: name, year: year}", "items: {id: id, name: name}",
	    "caller.children: ok: lacks \"year\"");
	services_are_refused("ok: {items: {id: id, name: name, year: year}}", "ok: {}", "lacks items");
	services_are_refused("none: {}", "none: {items: {id: id}}", "kezek's service gives no list here");
	services_are_refused("    changes: yes\n", "", "changes: kezek's service says yes");
	services_are_refused("    danger: yes\n", "    danger: no\n", "danger: kezek's service says yes");
	services_are_refused(
	    "late: {known: ussd_late_queue", "late: {knwn: ussd_late_queue", "did you mean known?");
}

static void contracts_load__a_type_is_wrong__told_with_a_remedy(void **state)
{
	(void)state;
	services_are_refused(
	    "pos:      {max: 6, ", "pos:      {", "pos: what is shown needs its longest form");
	services_are_refused(
	    "sample: \"108344\"", "sample: \"1083444\"", "pos: the sample is longer than max: 6");
	services_are_refused("{max: 6, sample: \"108344\"}", "{max: 6, sample: Алма}", "say cyrillic: yes");
	services_are_refused("{max: 6, sample: \"108344\"}", "{max: 6, sample: \"108344\", secret: yes}",
	    "min and secret are of what is typed");
	services_are_refused(
	    "{max: 6, sample: \"108344\"}", "{mx: 6, sample: \"108344\"}", "did you mean max?");
	services_are_refused(
	    "id:       {id: yes}", "id:       {id: yes, max: 3}", "an id has nothing beside id: yes");
	services_are_refused("pin4:     {input: digits, min: 4", "pin4:     {input: digits, min: 5",
	    "pin4: digits need how many");
	services_are_refused(
	    "iin:      {input: iin}", "iin:      {input: iin, max: 12}", "min and max are of digits alone");
	services_are_refused(
	    "iin:      {input: iin}", "iin:      {input: inn}", "is not one of none, iin, digits, phone");
	services_are_refused("cat: category", "cat: kategory", "cat: \"kategory\" is no type");
	services_are_refused("prio: until}", "prio: clock}", "prio: is of type clock elsewhere");
	services_are_refused("  n2: ", "  n3: ", "n2: \"n2\" is no type");
	services_are_refused("ru: \"в очереди\", ", "", "waiting lacks the language ru");
	services_are_refused("  glang:\n", "  pos:\n", "pos: a type and an enum of the same name");
}

static void contracts_load__shipped__types_are_as_written(void **state)
{
	struct faults faults = {0};
	struct dialog *d = load(small, services, &faults);
	const struct contracts *c = d->contracts;

	(void)state;
	const struct contract_type *iin = c->values[contract_value(c, "kid", 3)].type,
	                           *pin = c->values[contract_value(c, "pin", 3)].type,
	                           *status = c->values[contract_value(c, "refstatus", 9)].type,
	                           *name = c->values[contract_value(c, "name", 4)].type;
	assert_int_equal(iin->kind, VALUE_IIN);
	assert_true(iin->secret);
	assert_int_equal(pin->kind, VALUE_DIGITS);
	assert_true(pin->secret && pin->min == 4 && pin->max == 4);
	assert_int_equal(status->kind, VALUE_WORD);
	assert_int_equal(status->max, strlen("Awaits your reply"));
	assert_int_equal(status->words_n, 6);
	assert_true(status->cyrillic);
	assert_int_equal(name->kind, VALUE_TEXT);
	assert_true(name->cyrillic && name->max == 10);
	assert_true(contract_value(c, "n2", 2) >= 0);
	assert_int_equal(contract_value(c, "nam", 3), -1);
	assert_string_equal(c->late[SERVICE_QUEUE_BY_CHILD][0], "late");
	assert_string_equal(c->late[SERVICE_REFERRAL_TAKE][0], "");
	dialog_free(d);
}

/* The contracts with their first `from` as `to` against the shipped templates. */
static void templates_are_refused(const char *from, const char *to, const char *fault)
{
	struct faults faults = {0};
	struct templates *t = templates_load(SHIPPED_TEMPLATES, &words_usual, &faults);
	char *text = changed(services, from, to);
	struct dialog *d = load(small, text, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	contracts_check_templates(d->contracts, t, "s", &faults);
	if (!strstr(buf_text(&faults.text), fault) || !faults.count != !*fault)
		fail_msg("expected: %s\nwas: %s", fault, buf_text(&faults.text));
	dialog_free(d);
	templates_free(t);
	free(text);
	faults_fini(&faults);
}

static void contracts_check_templates__late_answers__each_can_be_told(void **state)
{
	(void)state;
	templates_are_refused("late: {known", "late: {known", "");
	templates_are_refused("known: ussd_late_queue", "known: ussd_late_que",
	    ": there is no SMS template ussd_late_que: add it to the templates");
	templates_are_refused("known: ussd_late_queue", "known: ussd_late_turn",
	    "the SMS template ussd_late_turn: {prio} is none of the result's values");
	templates_are_refused(
	    "known: ussd_late_queue", "known: ussd_queue", "{app} is none of the result's values");
	templates_are_refused("name:     {max: 10", "name:     {max: 11",
	    "ussd_late_queue: {name} has less room than its type");
}

static void contracts_check_templates__a_name__is_told_as_text(void **state)
{
	static const char one[] =
	    "ussd_name: {params: {name: name(10)}, kk: \"{name}\", ru: \"{name}\", en: \"{name}\"}\n";
	char path[] = "/tmp/kezek-dialog-XXXXXX",
	     *text = changed(services, "known: ussd_late_queue", "known: ussd_name");
	int fd = mkstemp(path);
	struct faults faults = {0};

	(void)state;
	assert_int_equal(write(fd, one, strlen(one)), strlen(one));
	close(fd);
	struct templates *t = templates_load(path, &words_usual, &faults);
	struct dialog *d = load(small, text, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	contracts_check_templates(d->contracts, t, "s", &faults);
	assert_non_null(strstr(buf_text(&faults.text), "ussd_name: {name} is cut with a full stop"));
	unlink(path);
	dialog_free(d);
	templates_free(t);
	free(text);
	faults_fini(&faults);
}

static void dialog_load__broken_yaml__one_fault(void **state)
{
	(void)state;
	is_refused("screens: [", services, "d:");
	is_refused(small, "types: &a {}", "s:1:8: tags, anchors and aliases are not allowed here");
	is_refused("- a\n", services, "a map is expected");
	is_refused(small, "- a\n", "a map of types, enums and services is expected");
}

static void dialog_source_read__no_file_or_too_large__told(void **state)
{
	char path[] = "/tmp/kezek-dialog-XXXXXX";
	int fd = mkstemp(path);
	struct faults faults = {0};
	struct dialog_source s;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DIALOG_SOURCE), 0);
	assert_false(dialog_source_read("/nonexistent/x.yaml", SHIPPED_SERVICES, &s, &faults));
	assert_non_null(strstr(buf_text(&faults.text), "/nonexistent/x.yaml: cannot be read"));
	dialog_source_fini(&s);
	assert_false(dialog_source_read(path, SHIPPED_SERVICES, &s, &faults));
	assert_non_null(strstr(buf_text(&faults.text), "larger than 512 KiB"));
	dialog_source_fini(&s);
	close(fd);
	unlink(path);
	faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dialog_load__shipped_files__no_fault),
	    cmocka_unit_test(dialog_load__small__head_is_as_written),
	    cmocka_unit_test(dialog_load__small__screens_are_as_written),
	    cmocka_unit_test(dialog_load__an_octet_changed_in_either_file__another_hash),
	    cmocka_unit_test(dialog_load__head_is_wrong__told_with_a_remedy),
	    cmocka_unit_test(dialog_load__a_screen_is_wrong__told_with_a_remedy),
	    cmocka_unit_test(dialog_load__a_text_is_wrong__told_with_a_remedy),
	    cmocka_unit_test(dialog_load__an_option_or_input_is_wrong__told_with_a_remedy),
	    cmocka_unit_test(dialog_load__broken_yaml__one_fault),
	    cmocka_unit_test(contracts_load__differs_from_the_table__told_both_ways),
	    cmocka_unit_test(contracts_load__a_type_is_wrong__told_with_a_remedy),
	    cmocka_unit_test(contracts_load__shipped__types_are_as_written),
	    cmocka_unit_test(contracts_check_templates__late_answers__each_can_be_told),
	    cmocka_unit_test(contracts_check_templates__a_name__is_told_as_text),
	    cmocka_unit_test(dialog_source_read__no_file_or_too_large__told),
	};

	return cmocka_run_group_tests(tests, read_services, drop_services);
}

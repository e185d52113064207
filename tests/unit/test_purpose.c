/* purpose: what is shipped, what a broken file is told, and the texts with their holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rules/purpose.h"
#include "text/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define TEXTS    KEZEK_SOURCE_DIR "/dialogs/sms.yaml"
#define SHIPPED  KEZEK_SOURCE_DIR "/config/purposes.yaml"
#define MANUAL   KEZEK_SOURCE_DIR "/docs/kezek.yaml.5"
#define MINUTE   60000

static const char own_texts[] =
    "short: {params: {code: digits(6)}, kk: 'Код {code}', ru: 'Код {code}', en: 'Code {code}'}\n"
    "timed:\n"
    "  params: {code: digits(10), minutes: number(2)}\n"
    "  kk: '{code} {minutes}'\n"
    "  ru: '{code} {minutes}'\n"
    "  en: '{code} {minutes}'\n"
    "one_minute: {params: {code: digits(6), minutes: number(1)}, kk: '{code}{minutes}', ru: "
    "'{code}{minutes}',\n"
    "  en: '{code}{minutes}'}\n"
    "cyrillic: {params: {code: digits(10)}, kk: 'Код {code}', ru: 'Код {code}', en: 'Code {code}'}\n"
    "none: {kk: a, ru: a, en: a}\n"
    "named: {params: {code: digits(6), name: name(5)}, kk: '{code}{name}', ru: '{code}{name}', en: "
    "'{code}{name}'}\n"
    "digit: {params: {code: name(6)}, kk: '{code}', ru: '{code}', en: '{code}'}\n";

static struct templates *templates;

/* A file of its own with the text. */
static char *write_file(const char *text)
{
	char path[] = "/tmp/kezek-purpose-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return mem_str(path);
}

static int texts_make(void **state)
{
	struct faults faults = {0};
	char *path = write_file(own_texts);

	(void)state;
	templates = templates_load(path, &words_usual, &faults);
	unlink(path);
	free(path);
	assert_string_equal(buf_text(&faults.text), "");
	return 0;
}

static int texts_remove(void **state)
{
	(void)state;
	templates_free(templates);
	return 0;
}

static struct purposes *load(const char *yaml, struct faults *faults)
{
	char *path = write_file(yaml);
	struct purposes *p = purposes_load(path, templates, faults);

	unlink(path);
	free(path);
	assert_non_null(p);
	return p;
}

static struct purposes *load_good(const char *yaml)
{
	struct faults faults = {0};
	struct purposes *p = load(yaml, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	faults_fini(&faults);
	return p;
}

static void load_bad(const char *yaml, const char *place, const char *words)
{
	struct faults faults = {0};
	struct purposes *p = load(yaml, &faults);

	if (faults.count != 1 || !strstr(buf_text(&faults.text), place) ||
	    !strstr(buf_text(&faults.text), words))
		fail_msg("want one fault at %s with \"%s\", have %d:\n%s", place, words, faults.count,
		    buf_text(&faults.text));
	purposes_free(p);
	faults_fini(&faults);
}

static void purposes_load__least_file__sane_defaults(void **state)
{
	struct purposes *p = load_good("login: {template: short}\n");
	const struct purpose *l = purpose_find(p, "login");

	(void)state;
	assert_int_equal(purposes_count(p), 1);
	assert_ptr_equal(purposes_at(p, 0), l);
	assert_string_equal(l->name, "login");
	assert_string_equal(l->template, "short");
	assert_int_equal(l->length, 6);
	assert_int_equal(l->life_ms, 5 * MINUTE);
	assert_int_equal(l->tries, 5);
	assert_int_equal(l->lane, MESSAGE_CODE);
	assert_int_equal(l->binding, PURPOSE_BINDING_OPTIONAL);
	assert_int_equal(l->resend, CODE_AGAIN_SAME);
	assert_true(l->other_link && !l->second_phone);
	assert_int_equal(l->receipt_wait_ms, 20000);
	assert_string_equal(l->host, "");
	assert_null(purpose_find(p, "logi"));
	assert_null(purpose_find(p, ""));
	purposes_free(p);
}

static void purposes_load__every_key__as_said(void **state)
{
	struct purposes *p =
	    load_good("a: {template: short, binding: none, fallback: []}\n"
	              "0_9: {template: timed, length: 10, life: 10m, tries: 1, lane: notice,\n"
	              "  binding: required, resend: new, fallback: [link, phone], receipt_wait: 1s,\n"
	              "  host: queue.example.kz}\n");
	const struct purpose *a = purpose_find(p, "a"), *b = purpose_find(p, "0_9");

	(void)state;
	assert_int_equal(a->binding, PURPOSE_BINDING_NONE);
	assert_false(a->other_link || a->second_phone);
	assert_int_equal(b->length, 10);
	assert_int_equal(b->life_ms, 10 * MINUTE);
	assert_int_equal(b->tries, 1);
	assert_int_equal(b->lane, MESSAGE_NOTICE);
	assert_int_equal(b->binding, PURPOSE_BINDING_REQUIRED);
	assert_int_equal(b->resend, CODE_AGAIN_NEW);
	assert_true(b->other_link && b->second_phone);
	assert_int_equal(b->receipt_wait_ms, 1000);
	assert_string_equal(b->host, "queue.example.kz");
	purposes_free(p);
}

static void purposes_load__empty_file__none(void **state)
{
	struct purposes *p = load_good("");

	(void)state;
	assert_int_equal(purposes_count(p), 0);
	assert_null(purpose_find(p, "login"));
	purposes_free(p);
	purposes_free(NULL);
}

static void purposes_load__wrong_values__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad("- a\n", ":1:1: ", "a map of names");
	load_bad("a: short\n", ":1:4: ", "a map of keys");
	load_bad("a: {length: 6}\n", ":1:4: ", "template: this key is required");
	load_bad("A: {template: short}\n", ":1:4: ", "a purpose's name");
	load_bad("a: {template: short, length: 5}\n", ":1:30: ", "6 to 10");
	load_bad("a: {template: timed, length: 11}\n", ":1:30: ", "6 to 10");
	load_bad("a: {template: short, life: 59s}\n", ":1:28: ", "out of range: 1m to 10m");
	load_bad("a: {template: short, life: 11m}\n", ":1:28: ", "out of range: 1m to 10m");
	load_bad("a: {template: short, tries: 6}\n", ":1:29: ", "1 to 5");
	load_bad("a: {template: short, lane: bulk}\n", ":1:28: ", "code, notice");
	load_bad("a: {template: short, binding: yes}\n", ":1:31: ", "none, optional, required");
	load_bad("a: {template: short, resend: never}\n", ":1:30: ", "same, new");
	load_bad(
	    "a: {template: short, fallback: [email]}\n", ":1:32: ", "\"email\" is neither link nor phone");
	load_bad("a: {template: short, receipt_wait: 1m, life: 1m}\n",
	    ":1:36: ", "receipt_wait: not less than life");
	load_bad("a: {template: short, colour: red}\n", ":1:22: ", "colour: no such key");
	load_bad("a: {template: short, host: 'https://a.kz'}\n", ":1:28: ", "host: a name like");
	load_bad("a: {template: short, host: a..kz}\n", ":1:28: ", "host: a name like");
	load_bad("a: {template: short, host: a.kz.}\n", ":1:28: ", "host: a name like");
	load_bad("a: {template: short, host: A.kz}\n", ":1:28: ", "host: a name like");
}

static void purposes_load__template_that_does_not_suit__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad("a: {template: shor}\n", ":1:15: ", "no template \"shor\"");
	load_bad("a: {template: none}\n", ":1:15: ", "has no parameter \"code\"");
	load_bad("a: {template: named}\n", ":1:15: ", "\"name\" of template \"named\" is missing");
	load_bad("a: {template: short, length: 7}\n", ":1:15: ", "longer than digits(6)");
	load_bad("a: {template: digit}\n", ":1:15: ", "not name(6)");
	load_bad("a: {template: one_minute}\n", ":1:15: ", "longer than number(1)");
}

/* A line for browsers in each language: where the text holds 70 characters it is one too many. */
static void purposes_load__host_line__counted(void **state)
{
	char *fits = mem_printf("a: {template: short, host: %.*s}\n", 70 - 10 - 3 - 7,
	         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	     *over = mem_printf("a: {template: short, host: %.*s}\n", 71 - 10 - 3 - 7,
	         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	struct faults faults = {0};

	(void)state;
	purposes_free(load_good(fits));
	purposes_free(load(over, &faults));
	assert_int_equal(faults.count, 2); /* kk and ru; en holds 160 */
	assert_non_null(strstr(
	    buf_text(&faults.text), ":1:28: host: with its line template \"short\" in kk takes 2 SMS, 1"));
	faults_fini(&faults);
	free(fits);
	free(over);
}

static void purposes_load__portals_own_codes__as_long_as_every_text_holds(void **state)
{
	/* "Код 12345678", a line's end, "@", 46 of the host and " #12345678" are the 70 that one SMS has */
	struct purposes *p = load_good("a: {template: short}\nb: {template: timed}\n"
	                               "c: {template: cyrillic, host: "
	                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.kz}\n");

	(void)state;
	assert_int_equal(purpose_find(p, "a")->longest, 6);
	assert_int_equal(purpose_find(p, "b")->longest, 10);
	assert_int_equal(purpose_find(p, "c")->longest, 8);
	purposes_free(p);
}

static void purposes_load__too_many__refused(void **state)
{
	struct buf yaml = {0};

	(void)state;
	for (int i = 0; i < PURPOSE_MAX; i++)
		buf_printf(&yaml, "p%d: {template: short}\n", i);
	purposes_free(load_good(buf_text(&yaml)));
	buf_str(&yaml, "more: {template: short}\n");
	load_bad(buf_text(&yaml), ":33:7: ", "more than 32 purposes");
	buf_fini(&yaml);
}

static void purposes_load__no_such_file__is_a_fault(void **state)
{
	struct faults faults = {0};
	struct purposes *p = purposes_load("/nonexistent/purposes.yaml", templates, &faults);

	(void)state;
	assert_int_equal(faults.count, 1);
	assert_int_equal(purposes_count(p), 0);
	purposes_free(p);
	faults_fini(&faults);
}

static void assert_text(const struct purpose *p, int64_t left_ms, const char *want)
{
	struct buf out = {0};

	purpose_text(p, LANGUAGE_EN, left_ms, &out);
	assert_string_equal(buf_text(&out), want);
	buf_fini(&out);
}

static void purpose_text__life_left__in_whole_minutes(void **state)
{
	struct purposes *p = load_good("a: {template: timed}\nb: {template: timed, host: queue.example.kz}\n"
	                               "c: {template: short}\n");

	(void)state;
	assert_text(purpose_find(p, "a"), 5 * MINUTE, "\x1a 5");
	assert_text(purpose_find(p, "a"), 5 * MINUTE - 20000, "\x1a 5");
	assert_text(purpose_find(p, "a"), 3 * MINUTE + 10000, "\x1a 3");
	assert_text(purpose_find(p, "a"), 10 * MINUTE, "\x1a 10");
	assert_text(purpose_find(p, "a"), 10000, "\x1a 1");
	assert_text(purpose_find(p, "a"), -1, "\x1a 1");
	assert_text(purpose_find(p, "b"), 5 * MINUTE, "\x1a 5\n@queue.example.kz #\x1a");
	assert_text(purpose_find(p, "c"), 5 * MINUTE, "Code \x1a");
	purposes_free(p);
}

/* What stands at rest with a hole, filled, is what a text for the phone is. */
static void shipped_purposes__each_text__fit_for_the_phone_when_filled(void **state)
{
	static const char *const names[] = {"login", "phone", "password", "referral"};
	struct faults faults = {0};
	struct templates *t = templates_load(TEXTS, &words_usual, &faults);
	struct purposes *p = purposes_load(SHIPPED, t, &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_int_equal(purposes_count(p), COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++)
		for (enum language l = 0; l < LANGUAGES; l++) {
			struct buf holed = {0}, text = {0}, again = {0};

			assert_non_null(purpose_find(p, names[i]));
			purpose_text(purpose_find(p, names[i]), l, 5 * MINUTE, &holed);
			assert_true(code_has_hole(buf_text(&holed)));
			code_fill(buf_text(&holed), "482915", &text);
			assert_int_equal(utf8_for_phone(buf_text(&text), text.len, &again), KZ_OK);
			assert_string_equal(buf_text(&again), buf_text(&text));
			assert_non_null(strstr(buf_text(&text), "482915"));
			buf_fini(&holed);
			buf_fini(&text);
			buf_fini(&again);
		}
	purposes_free(p);
	templates_free(t);
	faults_fini(&faults);
}

static char *read_file(const char *path)
{
	struct buf text = {0};
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_space(&text, 4096), 1, 4096, f)) > 0)
		buf_wrote(&text, n);
	fclose(f);
	return buf_take(&text);
}

/* Every key of --help-config stands in the shipped file's head with its default, and in the manual with its
 * facts. */
static void shipped_file_and_manual__against_the_table__every_key(void **state)
{
	char *shipped = read_file(SHIPPED), *manual = read_file(MANUAL), *rest, *name;
	struct buf help = {0};

	(void)state;
	purpose_help(&help);
	rest = help.data;
	for (int keys = 0; (name = strsep(&rest, "\n")) && *name; keys++) {
		char *key = mem_printf("\n#   %s: ", name);

		strsep(&rest, "\n");
		char *facts = mem_printf("\n%s.\n", strsep(&rest, "\n") + 4),
		     *head = mem_printf("\n.B %s\n", name);
		if (!strstr(shipped, key) || !strstr(manual, head) || !strstr(strstr(manual, head), facts))
			fail_msg(
			    "%s is not in %s, or not with its facts in %s:%s", name, SHIPPED, MANUAL, facts);
		free(key);
		free(head);
		free(facts);
	}
	buf_fini(&help);
	free(shipped);
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(purposes_load__least_file__sane_defaults),
	    cmocka_unit_test(purposes_load__every_key__as_said),
	    cmocka_unit_test(purposes_load__empty_file__none),
	    cmocka_unit_test(purposes_load__wrong_values__one_fault_with_its_place),
	    cmocka_unit_test(purposes_load__template_that_does_not_suit__one_fault_with_its_place),
	    cmocka_unit_test(purposes_load__host_line__counted),
	    cmocka_unit_test(purposes_load__portals_own_codes__as_long_as_every_text_holds),
	    cmocka_unit_test(purposes_load__too_many__refused),
	    cmocka_unit_test(purposes_load__no_such_file__is_a_fault),
	    cmocka_unit_test(purpose_text__life_left__in_whole_minutes),
	    cmocka_unit_test(shipped_purposes__each_text__fit_for_the_phone_when_filled),
	    cmocka_unit_test(shipped_file_and_manual__against_the_table__every_key),
	};

	return cmocka_run_group_tests(tests, texts_make, texts_remove);
}

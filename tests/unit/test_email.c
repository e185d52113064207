#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "text/email.h"

static struct emails *load(const char *yaml, struct faults *faults)
{
	char path[] = "/tmp/kezek_email_XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	close(fd);
	struct emails *e = emails_load(path, &words_usual, faults);
	unlink(path);
	return e;
}

static void fault_is(const char *yaml, const char *fault)
{
	struct faults faults = {0};

	emails_free(load(yaml, &faults));
	if (!strstr(buf_text(&faults.text), fault))
		fail_msg("\"%s\" is not in: %s", fault, buf_text(&faults.text));
	assert_int_equal(faults.count, 1);
	faults_fini(&faults);
}

#define KK "  kk: {subject: \"s\", text: \"t {n}\"}\n"
#define RU "  ru: {subject: \"s {n}\", text: \"t {n}\"}\n"
#define EN "  en: {subject: \"s\", text: \"{n} {n}\"}\n"

static void email__subject_and_text__filled_by_their_names(void **state)
{
	static const struct template_param params[] = {{"other", "x"}, {"n", "7"}};
	struct faults faults = {0};
	struct emails *e = load("a:\n  params: {n: number(3)}\n" KK RU
	                        "  en:\n    subject: \"No.{n}\"\n    text: |\n      One {n}\n\n      two.\n",
	    &faults);
	struct buf subject = {0}, text = {0};

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	template_fill_trusted(email_subject(e, "a"), LANGUAGE_EN, params, 2, &subject);
	template_fill_trusted(email_text(e, "a"), LANGUAGE_EN, params, 2, &text);
	assert_string_equal(buf_text(&subject), "No.7");
	assert_string_equal(buf_text(&text), "One 7\n\ntwo.\n");
	assert_null(email_subject(e, "b"));
	assert_null(email_text(e, "b"));
	buf_fini(&subject);
	buf_fini(&text);
	emails_free(e);
}

static void emails_load__what_is_wrong__named_with_its_place(void **state)
{
	(void)state;
	fault_is("- a\n", "a map of names to emails is expected");
	fault_is("a: b\n", "email \"a\" must be a map of params, kk, ru and en");
	fault_is("A:\n  params: {n: number(3)}\n" KK RU EN, "a template's name is at most 32");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU, "email \"a\" lacks the language en");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU EN "  de: x\n", "\"de\" is not a language");
	fault_is("a:\n  params: {n: number(3)}\n  segments: 1\n" KK RU EN, "\"segments\" is not a language");
	fault_is("a:\n  params: {n: numbers}\n" KK RU EN, "n: numbers:");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: {subject: s}\n",
	    "en: a map of subject and text is expected");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: {subject: s, text: \"{n}\", html: x}\n",
	    "en: a map of subject and text is expected");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: text\n",
	    "en: a map of subject and text is expected");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: {subject: \"{n}\", text: t}\n",
	    "the text lacks {n}");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: {subject: \"{m}\", text: \"{n}\"}\n",
	    "{m} has no type");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: {subject: \"a\\nBcc: x\", text: \"{n}\"}\n",
	    "a subject is one line");
	fault_is("a:\n  params: {n: number(3)}\n" KK RU "  en: {subject: \"a\\tb\", text: \"{n}\"}\n",
	    "control character");
	fault_is("a:\n  params: {n: text(66)}\n" KK RU "  en: {subject: \"abc{n}\", text: \"{n}\"}\n",
	    "with the longest values the subject takes 201 octets, over 200");
}

static void emails_load__subject_as_long_as_it_may_be__good(void **state)
{
	struct faults faults = {0};
	struct emails *e = load(
	    "a:\n  params: {n: text(66)}\n" KK RU "  en: {subject: \"ab{n}\", text: \"{n}\"}\n", &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	emails_free(e);
	emails_free(NULL);
}

static void emails_load__no_such_file__a_fault(void **state)
{
	struct faults faults = {0};

	(void)state;
	emails_free(emails_load("/nowhere/mail.yaml", &words_usual, &faults));
	assert_int_equal(faults.count, 1);
	faults_fini(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(email__subject_and_text__filled_by_their_names),
	    cmocka_unit_test(emails_load__what_is_wrong__named_with_its_place),
	    cmocka_unit_test(emails_load__subject_as_long_as_it_may_be__good),
	    cmocka_unit_test(emails_load__no_such_file__a_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

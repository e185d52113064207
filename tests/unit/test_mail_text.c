#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/mail_text.h"

static const struct mail fine = {"n1", "ana@example.kz", "Орын", "a\nb\r\nc", "kk", NULL};

/* 2026-02-01T04:05:06Z */
#define WALL_US 1769918706000000

static char *written(const struct mail *m, const char *from_name)
{
	struct buf out = {0};

	mail_text_write(m, "queue@example.kz", from_name, WALL_US, &out);
	return buf_take(&out);
}

static void write__short_letter__these_octets(void **state)
{
	struct mail m = fine;
	char *text;

	(void)state;
	m.unsubscribe = "mailto:stop@example.kz";
	text = written(&m, "Кезек");
	assert_string_equal(text, "Date: Sun, 01 Feb 2026 04:05:06 +0000\r\n"
	                          "From: =?UTF-8?B?0JrQtdC30LXQug==?=\r\n <queue@example.kz>\r\n"
	                          "To: <ana@example.kz>\r\n"
	                          "Subject: =?UTF-8?B?0J7RgNGL0L0=?=\r\n"
	                          "Message-ID: <n1@example.kz>\r\n"
	                          "List-Unsubscribe: <mailto:stop@example.kz>\r\n"
	                          "Auto-Submitted: auto-generated\r\n"
	                          "Content-Language: kk\r\n"
	                          "MIME-Version: 1.0\r\n"
	                          "Content-Type: text/plain; charset=utf-8\r\n"
	                          "Content-Transfer-Encoding: base64\r\n\r\n"
	                          "YQ0KYg0KYw==\r\n");
	free(text);
	text = written(&fine, "");
	assert_non_null(strstr(text, "\r\nFrom: <queue@example.kz>\r\nTo:"));
	assert_null(strstr(text, "List-Unsubscribe"));
	free(text);
	m.unsubscribe = "";
	text = written(&m, "");
	assert_null(strstr(text, "List-Unsubscribe"));
	free(text);
}

static void write__long_subject__words_of_whole_characters(void **state)
{
	struct mail m = fine;
	char *text;

	(void)state;
	m.subject = "aҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚ"; /* 39 octets end behind a character */
	text = written(&m, "");
	assert_non_null(
	    strstr(text, "Subject: =?UTF-8?B?YdKa0prSmtKa0prSmtKa0prSmtKa0prSmtKa0prSmtKa0prSmtKa?=\r\n"
	                 " =?UTF-8?B?0po=?=\r\n"));
	free(text);
	m.subject = "ҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚҚ"; /* and here inside one */
	text = written(&m, "");
	assert_non_null(
	    strstr(text, "Subject: =?UTF-8?B?0prSmtKa0prSmtKa0prSmtKa0prSmtKa0prSmtKa0prSmtKa0po=?=\r\n"
	                 " =?UTF-8?B?0po=?=\r\n"));
	free(text);
}

static void write__subject_is_no_utf8__words_all_the_same(void **state)
{
	struct mail m = fine;
	char subject[61], *text;

	(void)state;
	memset(subject, 0x80, 60);
	subject[60] = '\0';
	m.subject = subject;
	text = written(&m, "");
	assert_non_null(
	    strstr(text, "Subject: =?UTF-8?B?gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIA=?=\r\n"
	                 " =?UTF-8?B?gICAgICAgICAgICAgICAgICAgICAgICAgA==?=\r\n"));
	free(text);
}

static void write__long_text__lines_of_76(void **state)
{
	struct mail m = fine;
	char body[116], *text;
	const char *line;

	(void)state;
	memset(body, '.', sizeof body - 1);
	body[115] = '\0';
	m.text = body;
	text = written(&m, "");
	line = strstr(text, "\r\n\r\n") + 4;
	assert_int_equal(strcspn(line, "\r"), 76);
	assert_int_equal(strcspn(line + 78, "\r"), 76);
	assert_string_equal(line + 2 * 78, "Lg==\r\n");
	free(text);
}

static void address__fits_or_not__by_its_form(void **state)
{
	static const char *const good[] = {
	    "a@b.kz", "a.b+c=d_e@mail.example.kz", "!#$%&'*+-/=?^_`{|}~@x-y.kz", "1@1.1"};
	static const char *const bad[] = {"", "a", "@", "a@", "@b.kz", "a@b", "a@@b.kz", "a@b@c.kz",
	    ".a@b.kz", "a.@b.kz", "a..b@b.kz", "a@.kz", "a@b.", "a@b..kz", "a@-b.kz", "a@b-.kz", "a@b.kz-",
	    "a@b_c.kz", "a b@c.kz", "\"a\"@b.kz", "a@[127.0.0.1]", "<a@b.kz>", "a@b.kz>",
	    "a@b.kz\r\nRCPT TO:<c@d.kz>", "a\n@b.kz", "a@b.kz ", "a,b@c.kz", "ә@b.kz", "a@ә.kz",
	    "a\x01@b.kz"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!mail_address_fits(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (mail_address_fits(bad[i]))
			fail_msg("%s", bad[i]);
}

/* n times c, then rest; the caller frees it. */
static char *run_of(char c, size_t n, const char *rest)
{
	char *text = malloc(n + strlen(rest) + 1);

	memset(text, c, n);
	strcpy(text + n, rest);
	return text;
}

static void address__as_long_as_it_may_be__fits_and_one_more_does_not(void **state)
{
	char *local = run_of('a', 64, "@b.kz"), *longer = run_of('a', 65, "@b.kz");
	char *label = run_of('b', 63, ".kz"), *longer_label = run_of('b', 64, ".kz");
	char address[512];

	(void)state;
	assert_true(mail_address_fits(local));
	assert_false(mail_address_fits(longer));
	snprintf(address, sizeof address, "a@%s", label);
	assert_true(mail_address_fits(address));
	snprintf(address, sizeof address, "a@%s", longer_label);
	assert_false(mail_address_fits(address));
	for (int octets = 254; octets <= 255; octets++) {
		/* 2 + 3 * 64 + 57 + 3 */
		snprintf(address, sizeof address, "a@%.63s.%.63s.%.63s.%.*s.kz", label, label, label,
		    octets - 197, label);
		assert_int_equal(strlen(address), octets);
		assert_int_equal(mail_address_fits(address), octets == 254);
	}
	free(local);
	free(longer);
	free(label);
	free(longer_label);
}

static void fault__each_field__says_what_is_needed(void **state)
{
	char *id = run_of('i', 65, ""), *subject = run_of('s', 201, ""),
	     *text = run_of('t', MAIL_TEXT + 1, "");
	char *tag = run_of('k', 17, ""), *uri = run_of('u', 494, ""), *link = malloc(600);
	const struct {
		struct mail m;
		const char *fault;
	} cases[] = {
	    {{"", "a@b.kz", "s", "t", "kk", NULL}, "its id"},
	    {{id, "a@b.kz", "s", "t", "kk", NULL}, "its id"},
	    {{"n>", "a@b.kz", "s", "t", "kk", NULL}, "its id"},
	    {{"n..1", "a@b.kz", "s", "t", "kk", NULL}, "its id"},
	    {{"n", "ab.kz", "s", "t", "kk", NULL}, "its address"},
	    {{"n", "a@b.kz", "", "t", "kk", NULL}, "its subject"},
	    {{"n", "a@b.kz", "s\r\nBcc: c@d.kz", "t", "kk", NULL}, "its subject"},
	    {{"n", "a@b.kz", subject, "t", "kk", NULL}, "its subject"},
	    {{"n", "a@b.kz", "s", "", "kk", NULL}, "its text"},
	    {{"n", "a@b.kz", "s", text, "kk", NULL}, "its text"},
	    {{"n", "a@b.kz", "s", "t", "k", NULL}, "its language"},
	    {{"n", "a@b.kz", "s", "t", tag, NULL}, "its language"},
	    {{"n", "a@b.kz", "s", "t", "kk\r\n", NULL}, "its language"},
	    {{"n", "a@b.kz", "s", "t", "kk", "http://x.kz"}, "its unsubscribe"},
	    {{"n", "a@b.kz", "s", "t", "kk", "https://x.kz/ a"}, "its unsubscribe"},
	    {{"n", "a@b.kz", "s", "t", "kk", "https://x.kz/>"}, "its unsubscribe"},
	    {{"n", "a@b.kz", "s", "t", "kk", "https://x.kz/<"}, "its unsubscribe"},
	    {{"n", "a@b.kz", "s", "t", "kk", "https://x.kz\r\nX: y"}, "its unsubscribe"},
	    {{"n", "a@b.kz", "s", "t", "kk", link}, "its unsubscribe"},
	};

	(void)state;
	snprintf(link, 600, "https:u%s", uri);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *fault = mail_fault(&cases[i].m);

		if (!fault || strncmp(fault, cases[i].fault, strlen(cases[i].fault)) != 0)
			fail_msg("case %zu: %s", i, fault ? fault : "no fault");
	}
	snprintf(link, 600, "https:%s", uri);
	assert_null(mail_fault(&(struct mail){id + 1, "a@b.kz", subject + 1, text + 1, tag + 1, link}));
	free(id);
	free(subject);
	free(text);
	free(tag);
	free(uri);
	free(link);
}

static void options__with_a_fault__say_what_is_needed(void **state)
{
	const struct mail_client_options good = {.url = "smtp://mail.example.kz:587",
	    .ca_path = "",
	    .user = "",
	    .password = "",
	    .from = "queue@example.kz",
	    .from_name = ""};
	struct mail_client_options bad[10];
	static const char *const faults[] = {"the server", "the server", "the server", "the server",
	    "the server", "the sender's address", "the sender's name", "user and password",
	    "user and password", "a password is not said in clear"},
	                         *options[] = {"url", "url", "url", "url", "url", "from", "from_name", "user",
	                             "user", "user"},
	                         *option;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		bad[i] = good;
	bad[0].url = "";
	bad[1].url = "smtps://";
	bad[2].url = "http://mail.example.kz";
	bad[3].url = "smtp://user:secret@mail.example.kz";
	bad[4].url = "smtp://mail.example.kz/path";
	bad[5].from = "queue";
	bad[6].from_name = "a\r\nBcc: b@c.kz";
	bad[7].user = "kezek";
	bad[8].password = "secret";
	bad[9].user = bad[9].password = "kezek";
	bad[9].starttls = MAIL_STARTTLS_OFF;
	for (size_t i = 0; i < 10; i++) {
		const char *fault = mail_client_fault(&bad[i], &option);

		if (!fault || strncmp(fault, faults[i], strlen(faults[i])) != 0)
			fail_msg("case %zu: %s", i, fault ? fault : "no fault");
		assert_string_equal(option, options[i]);
	}
	bad[9].url = "smtps://[::1]/";
	assert_null(mail_client_fault(&bad[9], &option));
	assert_null(mail_client_fault(&good, &option));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(write__short_letter__these_octets),
	    cmocka_unit_test(write__long_subject__words_of_whole_characters),
	    cmocka_unit_test(write__subject_is_no_utf8__words_all_the_same),
	    cmocka_unit_test(write__long_text__lines_of_76),
	    cmocka_unit_test(address__fits_or_not__by_its_form),
	    cmocka_unit_test(address__as_long_as_it_may_be__fits_and_one_more_does_not),
	    cmocka_unit_test(fault__each_field__says_what_is_needed),
	    cmocka_unit_test(options__with_a_fault__say_what_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

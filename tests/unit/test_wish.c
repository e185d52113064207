/* One JSON object of a client: every member right and wrong, and the problem that each fault becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/wish.h"
#include "text/utf8.h"

static struct templates *templates;
static json_t *object;
static struct wish wish;
static struct problem problem;

static int templates_make(void **state)
{
	static const char yaml[] = "code:\n  params: {code: text(160)}\n  segments: 3\n  kk: \"{code} - "
	                           "растау коды.\"\n  ru: \"Код {code}.\"\n  en: \"Code {code}.\"\n"
	                           "hello:\n  kk: Сәлем\n  ru: Привет\n  en: Hello\n";
	char path[] = "/tmp/kezek-wish-XXXXXX";
	struct faults faults = {0};
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || write(fd, yaml, sizeof yaml - 1) != sizeof yaml - 1 || close(fd))
		return -1;
	templates = templates_load(path, &words_usual, &faults);
	return unlink(path) || faults.count;
}

static int templates_remove(void **state)
{
	(void)state;
	templates_free(templates);
	return 0;
}

static int wish_reset(void **state)
{
	(void)state;
	wish_fini(&wish);
	json_decref(object);
	object = NULL;
	wish = (struct wish){0};
	return 0;
}

static enum kz read_as(const char *text, bool batch)
{
	wish_reset(NULL);
	problem = (struct problem){0};
	object = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	assert_non_null(object);
	return wish_read(object, templates, batch, &wish, &problem);
}

static void assert_good(const char *text)
{
	if (read_as(text, false) != KZ_OK)
		fail_msg("%s\nsays: %s %s: %s", text, problem.code, problem.field, problem.detail);
}

static void assert_problem(const char *text, int status, const char *code, const char *field)
{
	if (read_as(text, false) != KZ_INVALID)
		fail_msg("taken: %s", text);
	if (problem.status != status || strcmp(problem.code, code) || strcmp(problem.field, field))
		fail_msg("%s\nsays: %d %s \"%s\": %s", text, problem.status, problem.code, problem.field,
		    problem.detail);
	assert_false(problem.retryable);
	assert_true(*problem.detail);
	assert_int_equal(utf8_check(problem.field, strlen(problem.field)), KZ_OK);
	assert_int_equal(utf8_check(problem.detail, strlen(problem.detail)), KZ_OK);
}

#define TO "\"to\": \"+77011234567\""

static void wish_read__to_and_text__the_rest_by_default(void **state)
{
	(void)state;
	assert_good("{" TO ", \"text\": \"Hi\"}");
	assert_true(wish.send.to.digits == 77011234567);
	assert_string_equal(wish.send.text, "Hi");
	assert_int_equal(wish.send.class, MESSAGE_NOTICE);
	assert_int_equal(wish.send.language, -1);
	assert_int_equal(wish.send.expires_wall_ms, 0);
	assert_null(wish.send.sender);
	assert_null(wish.send.client_ref);
	assert_false(wish.dry_run);
}

static void wish_read__every_member__every_value(void **state)
{
	(void)state;
	assert_good(
	    "{" TO
	    ", \"text\": \"\\u0421\\u04d9\\u043b\\u0435\\u043c\", \"language\": \"kk\", \"class\": \"code\","
	    "\"sender\": \"Balabaqsha\", \"expires_at\": \"2026-11-22T23:23:06.5+05:00\","
	    "\"client_ref\": \"a-1\", \"dry_run\": true}");
	assert_string_equal(wish.send.text, "Сәлем");
	assert_int_equal(wish.send.language, LANGUAGE_KK);
	assert_int_equal(wish.send.class, MESSAGE_CODE);
	assert_string_equal(wish.send.sender, "Balabaqsha");
	assert_int_equal(wish.send.expires_wall_ms, 1795371786500);
	assert_string_equal(wish.send.client_ref, "a-1");
	assert_true(wish.dry_run);
	assert_good("{" TO ", \"text\": \"x\", \"class\": \"bulk\", \"dry_run\": false}");
	assert_int_equal(wish.send.class, MESSAGE_BULK);
	assert_false(wish.dry_run);
}

static void wish_read__template__filled_in_its_language(void **state)
{
	(void)state;
	assert_good(
	    "{" TO ", \"template\": \"code\", \"language\": \"ru\", \"params\": {\"code\": \"123456\"}}");
	assert_string_equal(wish.send.text, "Код 123456.");
	assert_int_equal(wish.send.language, LANGUAGE_RU);
	assert_good(
	    "{" TO ", \"template\": \"code\", \"language\": \"en\", \"params\": {\"code\": \"{code}\"}}");
	assert_string_equal(wish.send.text, "Code {code}.");
	assert_good("{" TO ", \"template\": \"hello\", \"language\": \"kk\"}");
	assert_string_equal(wish.send.text, "Сәлем");
	assert_good("{" TO ", \"template\": \"hello\", \"language\": \"en\", \"params\": {}}");
	assert_string_equal(wish.send.text, "Hello");
}

static void wish_read__not_an_object__wrong_type(void **state)
{
	static const char *const texts[] = {"[]", "\"x\"", "1", "true", "null"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_problem(texts[i], 422, "wrong_type", "");
}

static void wish_read__a_member_of_another_type__wrong_type(void **state)
{
	static const char *const names[] = {"to", "text", "template", "params", "language", "class", "sender",
	    "expires_at", "client_ref", "dry_run"};
	static const char *const values[] = {"null", "1", "1.5", "[]", "[\"x\"]", "\"x\"", "{}", "true"};
	static const size_t own[] = {5, 5, 5, 6, 5, 5, 5, 5, 5, 7};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
			char text[100];

			snprintf(text, sizeof text, "{\"%s\": %s}", names[i], values[v]);
			if (v != own[i])
				assert_problem(text, 422, "wrong_type", names[i]);
		}
}

static void wish_read__unknown_member__named(void **state)
{
	(void)state;
	assert_problem("{" TO ", \"text\": \"x\", \"txet\": \"y\"}", 422, "unknown_field", "txet");
	assert_non_null(strstr(problem.detail, "client_ref, dry_run"));
	assert_problem("{\"To\": \"+77011234567\"}", 422, "unknown_field", "To");
	assert_problem("{\"\": 1}", 422, "unknown_field", "");
	assert_problem("{\"to123\": 1}", 422, "unknown_field", "to123");
}

static void wish_read__unknown_member_of_digits__not_repeated(void **state)
{
	(void)state;
	assert_problem("{\"+77011234567\": 1}", 422, "unknown_field", "+***********");
	assert_problem("{\"iin 000101100006\": 1}", 422, "unknown_field", "iin ************");
}

/* 39 octets are kept of a name, and never half a character. */
static void wish_read__endless_unknown_member__cut_between_characters(void **state)
{
	(void)state;
	assert_problem(
	    "{\"xәәәәәәәәәәәәәәәәәәәәәәәәәәәәәә\": 1}", 422, "unknown_field", "xәәәәәәәәәәәәәәәәәәә");
	assert_problem(
	    "{\"әәәәәәәәәәәәәәәәәәәәәәәәәәәәәәә\": 1}", 422, "unknown_field", "әәәәәәәәәәәәәәәәәәә");
	assert_problem("{\"€€€€€€€€€€€€€€€€\": 1}", 422, "unknown_field", "€€€€€€€€€€€€€");
	assert_problem("{\"xx€€€€€€€€€€€€€€€€\": 1}", 422, "unknown_field", "xx€€€€€€€€€€€€");
	assert_problem("{\"x😀😀😀😀😀😀😀😀😀😀😀😀\": 1}", 422, "unknown_field", "x😀😀😀😀😀😀😀😀😀");
}

static void wish_read__dry_run_in_a_batch__unknown(void **state)
{
	(void)state;
	assert_int_equal(read_as("{" TO ", \"text\": \"x\", \"dry_run\": true}", true), KZ_INVALID);
	assert_string_equal(problem.code, "unknown_field");
	assert_null(strstr(problem.detail, "dry_run"));
	assert_int_equal(read_as("{" TO ", \"text\": \"x\"}", true), KZ_OK);
}

static void wish_read__what_is_missing__named(void **state)
{
	(void)state;
	assert_problem("{}", 422, "missing_field", "to");
	assert_problem("{\"text\": \"x\"}", 422, "missing_field", "to");
	assert_problem("{" TO "}", 422, "missing_field", "text");
	assert_problem("{" TO ", \"params\": {}}", 422, "missing_field", "text");
	assert_problem("{" TO ", \"template\": \"code\", \"params\": {\"code\": \"1\"}}", 422,
	    "missing_field", "language");
}

static void wish_read__text_and_template__one_of_them(void **state)
{
	(void)state;
	assert_problem("{" TO ", \"text\": \"x\", \"template\": \"hello\", \"language\": \"en\"}", 422,
	    "invalid_value", "template");
	assert_problem("{" TO ", \"text\": \"x\", \"params\": {}}", 422, "invalid_value", "params");
}

static void wish_read__numbers_that_are_none__invalid_with_remedy_and_never_echoed(void **state)
{
	static const char *const numbers[] = {"", "x", "+7701123456", "+770112345678", "+77172123456",
	    "+12025550123", "87172551234", "7701123456x"};

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		char text[100];

		snprintf(text, sizeof text, "{\"to\": \"%s\", \"text\": \"x\"}", numbers[i]);
		assert_problem(text, 422, "invalid_number", "to");
		assert_non_null(strstr(problem.detail, ": "));
		if (strlen(numbers[i]) > 3)
			assert_null(strstr(problem.detail, numbers[i]));
	}
	assert_good("{\"to\": \"8 (701) 123-45-67\", \"text\": \"x\"}");
	assert_true(wish.send.to.digits == 77011234567);
}

static void wish_read__text__empty_controls_and_length(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_problem("{" TO ", \"text\": \"\"}", 422, "empty_text", "text");
	assert_problem("{" TO ", \"text\": \"a\\u001bb\"}", 422, "invalid_value", "text");
	assert_problem("{" TO ", \"text\": \"a\\tb\"}", 422, "invalid_value", "text");
	assert_good("{" TO ", \"text\": \"a\\r\\nb\\n\"}");
	assert_string_equal(wish.send.text, "a\nb\n");
	for (int n = 8192; n <= 8193; n++) {
		buf_clear(&b);
		buf_printf(&b, "{" TO ", \"text\": \"%0*d\"}", n, 0);
		if (n == 8192)
			assert_good(b.data);
		else
			assert_problem(b.data, 422, "text_too_long", "text");
	}
	buf_fini(&b);
}

static void wish_read__template_and_params__each_fault(void **state)
{
	(void)state;
	assert_problem(
	    "{" TO ", \"template\": \"codes\", \"language\": \"en\"}", 422, "unknown_template", "template");
	assert_problem(
	    "{" TO ", \"template\": \"\", \"language\": \"en\"}", 422, "unknown_template", "template");
	assert_problem(
	    "{" TO ", \"template\": \"code\", \"language\": \"en\"}", 422, "invalid_params", "params");
	assert_problem(
	    "{" TO
	    ", \"template\": \"code\", \"language\": \"en\", \"params\": {\"code\": \"1\", \"x\": \"2\"}}",
	    422, "invalid_params", "params");
	assert_problem("{" TO ", \"template\": \"code\", \"language\": \"en\", \"params\": {\"code\": 1}}",
	    422, "wrong_type", "params");
	assert_problem("{" TO
	               ", \"template\": \"code\", \"language\": \"en\", \"params\": {\"code\": \"\\u0007\"}}",
	    422, "invalid_params", "params");
	assert_problem("{" TO
	               ", \"template\": \"hello\", \"language\": \"en\", \"params\": {\"әәә\": \"x\"}}",
	    422, "invalid_params", "params");
	assert_problem("{" TO ", \"text\": \"x\", \"language\": \"EN\"}", 422, "invalid_value", "language");
	assert_problem("{" TO ", \"text\": \"x\", \"language\": \"\"}", 422, "invalid_value", "language");
}

static void wish_read__params__of_their_types_and_at_most_thirty_two(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int n = 160; n <= 161; n++) {
		buf_clear(&b);
		buf_printf(&b,
		    "{" TO
		    ", \"template\": \"code\", \"language\": \"en\", \"params\": {\"code\": \"%0*d\"}}",
		    n, 7);
		if (n == 160)
			assert_good(b.data);
		else
			assert_problem(b.data, 422, "invalid_params", "params");
	}
	buf_clear(&b);
	buf_str(&b, "{" TO ", \"template\": \"code\", \"language\": \"en\", \"params\": {\"code\": \"1\"");
	for (int i = 0; i < 40; i++)
		buf_printf(&b, ", \"p%d\": \"x\"", i);
	buf_str(&b, "}}");
	assert_problem(b.data, 422, "invalid_params", "params");
	assert_string_equal(problem.detail, "more than 32");
	buf_fini(&b);
}

static void wish_read__class__three_names(void **state)
{
	(void)state;
	assert_problem("{" TO ", \"text\": \"x\", \"class\": \"urgent\"}", 422, "invalid_value", "class");
	assert_problem("{" TO ", \"text\": \"x\", \"class\": \"\"}", 422, "invalid_value", "class");
	assert_problem("{" TO ", \"text\": \"x\", \"class\": \"Code\"}", 422, "invalid_value", "class");
}

static void assert_member(const char *name, const char *value, bool good)
{
	char text[500];

	snprintf(text, sizeof text, "{" TO ", \"text\": \"x\", \"%s\": \"%s\"}", name, value);
	if (good)
		assert_good(text);
	else
		assert_problem(text, 422, "invalid_value", name);
}

static void wish_read__sender__eleven_letters_or_fifteen_digits(void **state)
{
	static const char *const good[] = {
	    "x", "Balabaqsha1", "A B.C_D-E&F", "1", "1414", "123456789012345", "+7701123456"};
	static const char *const bad[] = {"", "Balabaqsha12", "1234567890123456", "12345678901x", "Балабақша",
	    "a@b", "a/b", "a\\nb", "a*", "#1"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_member("sender", good[i], true);
		assert_string_equal(wish.send.sender, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_member("sender", bad[i], false);
}

static void wish_read__expires_at__a_time_with_its_zone(void **state)
{
	static const char *const bad[] = {"", "tomorrow", "2026-11-22", "2026-11-22T18:23:06",
	    "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "1795371786", "2026-11-22T18:23:06+0500"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_member("expires_at", bad[i], false);
	/* 0 would mean: none given. */
	assert_member("expires_at", "1970-01-01T00:00:00Z", true);
	assert_int_equal(wish.send.expires_wall_ms, 1);
	assert_member("expires_at", "9999-12-31T23:59:59Z", true);
	assert_int_equal(wish.send.expires_wall_ms, 253402300799000);
}

static void wish_read__client_ref__sixty_four_characters(void **state)
{
	char ref[300];

	(void)state;
	assert_member("client_ref", "", false);
	assert_member("client_ref", "a\\nb", false);
	assert_member("client_ref", "a\\u007f", false);
	assert_member("client_ref", "заявка № 1 \\\"x\\\"", true);
	assert_string_equal(wish.send.client_ref, "заявка № 1 \"x\"");
	for (size_t n = 64; n <= 65; n++) {
		memset(ref, 'r', n);
		ref[n] = '\0';
		assert_member("client_ref", ref, n == 64);
		for (size_t i = 0; i < n; i++)
			memcpy(ref + 2 * i, "ә", 2);
		ref[2 * n] = '\0';
		assert_member("client_ref", ref, n == 64);
	}
}

static void wish_problem__of_a_preview__its_code_and_field(void **state)
{
	struct send_preview p = {0};

	(void)state;
	struct problem q = wish_problem(KZ_TOO_LONG, &p, 10);
	assert_string_equal(q.code, "text_too_long");
	assert_non_null(strstr(q.detail, "at most 10 are"));
	p.cost.parts = 12;
	q = wish_problem(KZ_TOO_LONG, &p, 10);
	assert_string_equal(q.detail, "12 SMS; at most 10 are allowed");
	q = wish_problem(KZ_EXPIRED, &p, 10);
	assert_string_equal(q.code, "expires_in_past");
	assert_string_equal(q.field, "expires_at");
	q = wish_problem(KZ_NOT_FOUND, &p, 10);
	assert_string_equal(q.code, "no_route");
	assert_string_equal(q.field, "to");
	q = wish_problem(KZ_INVALID, &p, 10);
	assert_string_equal(q.code, "empty_text");
	assert_int_equal(q.status, 422);
}

#define TEST(f) cmocka_unit_test_teardown(f, wish_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(wish_read__to_and_text__the_rest_by_default),
	    TEST(wish_read__every_member__every_value),
	    TEST(wish_read__template__filled_in_its_language),
	    TEST(wish_read__not_an_object__wrong_type),
	    TEST(wish_read__a_member_of_another_type__wrong_type),
	    TEST(wish_read__unknown_member__named),
	    TEST(wish_read__unknown_member_of_digits__not_repeated),
	    TEST(wish_read__endless_unknown_member__cut_between_characters),
	    TEST(wish_read__dry_run_in_a_batch__unknown),
	    TEST(wish_read__what_is_missing__named),
	    TEST(wish_read__text_and_template__one_of_them),
	    TEST(wish_read__numbers_that_are_none__invalid_with_remedy_and_never_echoed),
	    TEST(wish_read__text__empty_controls_and_length),
	    TEST(wish_read__template_and_params__each_fault),
	    TEST(wish_read__params__of_their_types_and_at_most_thirty_two),
	    TEST(wish_read__class__three_names),
	    TEST(wish_read__sender__eleven_letters_or_fifteen_digits),
	    TEST(wish_read__expires_at__a_time_with_its_zone),
	    TEST(wish_read__client_ref__sixty_four_characters),
	    TEST(wish_problem__of_a_preview__its_code_and_field),
	};

	return cmocka_run_group_tests(tests, templates_make, templates_remove);
}

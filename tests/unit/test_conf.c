/* The configuration file, from its octets to the snapshot. test_conf_files holds the shipped file and the
 * manual against the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"

static struct faults faults;
static char folder[64], path[96];

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/kezek-conf-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/kezek.yaml", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	return unlink(path) || rmdir(folder);
}

static int faults_reset(void **state)
{
	(void)state;
	faults_fini(&faults);
	return 0;
}

static void file_write(const char *at, const char *text)
{
	FILE *f = fopen(at, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct conf *load(const char *text)
{
	faults_fini(&faults);
	file_write(path, text);
	return conf_load(path, &faults);
}

static struct conf *load_good(const char *text)
{
	struct conf *c = load(text);

	if (!c)
		fail_msg("%s\nsays: %s", text, buf_text(&faults.text));
	assert_int_equal(faults.count, 0);
	return c;
}

/* The file is refused with these lines, each after the file's path. */
static void assert_says(const char *text, size_t n, const char *const *lines)
{
	struct buf want = {0};

	for (size_t i = 0; i < n; i++)
		buf_printf(&want, "%s:%s\n", path, lines[i]);
	struct conf *c = load(text);
	if (c || strcmp(buf_text(&faults.text), buf_text(&want)) != 0)
		fail_msg("%s\nsays: %s\nwant: %s", text, buf_text(&faults.text), buf_text(&want));
	buf_fini(&want);
}

static void assert_says_one(const char *text, const char *line)
{
	assert_says(text, 1, &line);
}

static void conf_load__empty_file__defaults(void **state)
{
	struct conf *c = load_good("");
	char *operators = mem_printf("%s/operators", folder);

	(void)state;
	assert_string_equal(c->http_listen, "127.0.0.1:8080");
	assert_int_equal(c->http_body_limit, 1 << 20);
	assert_int_equal(c->database_batch_rows, 256);
	assert_int_equal(c->database_batch_ms, 2);
	assert_int_equal(c->queue_max_age_ms, 15 * 60 * 1000);
	assert_int_equal(c->retention_messages_ms, 90LL * 86400 * 1000);
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_string_equal(c->operators, operators);
	assert_string_equal(c->http_tls_cert, "");
	assert_string_equal(c->control_socket, "/run/kezek/control.sock");
	assert_string_equal(c->database_password, "");
	assert_string_equal(c->redis_password, "");
	free(operators);
	conf_free(c);
	conf_free(NULL);
}

static void conf_load__paths__against_the_file_s_folder(void **state)
{
	struct conf *c = load_good("operators: a/b\ntemplates: /abs/sms.yaml\ncontrol: {socket: ctl.sock}\n"
	                           "http: {tls_cert: c.pem, tls_key: ../k.pem}\n");
	const char *const got[] = {c->operators, c->control_socket, c->http_tls_cert, c->http_tls_key};
	static const char *const want[] = {"a/b", "ctl.sock", "c.pem", "../k.pem"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *whole = mem_printf("%s/%s", folder, want[i]);

		assert_string_equal(got[i], whole);
		free(whole);
	}
	assert_string_equal(c->templates, "/abs/sms.yaml");
	conf_free(c);
}

static void conf_load__no_file__one_line_with_the_reason(void **state)
{
	(void)state;
	assert_null(conf_load("/nowhere/kezek.yaml", &faults));
	assert_string_equal(
	    buf_text(&faults.text), "/nowhere/kezek.yaml: cannot be read: No such file or directory\n");
}

static void conf_load__root_is_no_map__one_line(void **state)
{
	(void)state;
	assert_says_one("kezek\n", "1:1: a map of keys is wanted here");
	assert_says_one("- http\n", "1:1: a map of keys is wanted here");
	assert_says_one("\"\"\n", "1:1: a map of keys is wanted here");
	conf_free(load_good("---\n"));
}

static void conf_load__one_wrong_key__line_column_key_and_what_is_allowed(void **state)
{
	(void)state;
	assert_says_one(
	    "http:\n  connections: many\n", "2:16: http.connections: \"many\" is not a whole number");
	assert_says_one("http:\n  connections: 0\n", "2:16: http.connections: 0 is out of range: 1 to 60000");
	assert_says_one(
	    "http:\n  connections: 60001\n", "2:16: http.connections: 60001 is out of range: 1 to 60000");
	assert_says_one("http: {idle_timeout: 60}\n",
	    "1:22: http.idle_timeout: \"60\" is not a time: write 250ms, 30s, 5m, 12h or 7d");
	assert_says_one(
	    "http: {idle_timeout: 999ms}\n", "1:22: http.idle_timeout: 999ms is out of range: 1s to 1h");
	assert_says_one("http: {body_limit: 17m}\n", "1:20: http.body_limit: 17m is out of range: 1k to 16m");
	assert_says_one("http: {body_limit: 1 mb}\n",
	    "1:20: http.body_limit: \"1 mb\" is not a size: write 65536, 64k or 16m");
	assert_says_one(
	    "log: {level: trace}\n", "1:14: log.level: \"trace\" is not one of error, warn, info, debug");
	assert_says_one("shutdown_timeout: {after: 5s}\n",
	    "1:19: shutdown_timeout: a single value is wanted here, not a map");
	assert_says_one(
	    "redis: {address: [a, b]}\n", "1:18: redis.address: a single value is wanted here, not a list");
	assert_says_one("retention: {personal: 9999999999999999999d}\n",
	    "1:23: retention.personal: \"9999999999999999999d\" is not a time: write 250ms, 30s, 5m, 12h or "
	    "7d");
}

static void conf_load__names_nobody_knows__nearest_name(void **state)
{
	(void)state;
	assert_says_one("http:\n  lisen: x\n", "2:3: http.lisen: no such key; did you mean http.listen?");
	assert_says_one("htpp:\n  listen: x\n", "1:1: htpp: no such key; did you mean http?");
	assert_says_one(
	    "shutdown_timout: 5s\n", "1:1: shutdown_timout: no such key; did you mean shutdown_timeout?");
	assert_says_one("elephants: 5\n", "1:1: elephants: no such key");
	assert_says_one("http.listen: x\n",
	    "1:1: http.listen: a dot steps into a map: write \"listen:\" under \"http:\"");
	assert_says_one("http: 127.0.0.1:80\n", "1:7: http: a map of keys is wanted here");
}

static void conf_load__same_key_twice__refused_at_the_second(void **state)
{
	(void)state;
	assert_says_one("log:\n  level: info\nlog:\n  level: warn\n", "3:1: the same key twice in one map");
	assert_says_one("log:\n  level: info\n  level: info\n", "3:3: the same key twice in one map");
}

static void conf_load__several_faults__all_told_at_once(void **state)
{
	static const char *const lines[] = {
	    "1:1: htpp: no such key; did you mean http?",
	    "3:18: database.connections: 1 is out of range: 2 to 16",
	    "6:10: log.level: \"loud\" is not one of error, warn, info, debug",
	};

	(void)state;
	assert_says(
	    "htpp: {}\ndatabase:\n    connections: 1\n    batch_rows: 7\nlog:\n  level: loud\n", 3, lines);
}

static void conf_load__keys_that_disagree__told_at_the_key(void **state)
{
	(void)state;
	assert_says_one("log: {level: info}\nhttp:\n  tls_cert: c.pem\n",
	    "3:13: http.tls_cert and http.tls_key: give both or none");
	assert_says_one(
	    "http:\n  tls_key: k.pem\n", "2:12: http.tls_cert and http.tls_key: give both or none");
	assert_says_one("message:\n  retry_min: 1m\n  retry_max: 59s\n",
	    "3:14: message.retry_max: less than message.retry_min");
	assert_says_one(
	    "message:\n  retry_min: 11m\n", "2:14: message.retry_max: less than message.retry_min");
	assert_says_one(
	    "retention:\n  messages: 29d\n", "2:13: retention.messages: less than retention.personal");
	assert_says_one("retention: {messages: 12d, personal: 8d}\nmessage: {receipt_wait: 5d}\n",
	    "1:23: retention.messages: less than message.receipt_wait and 8 days, so messages would be "
	    "dropped "
	    "before they end");
	conf_free(load_good("retention: {messages: 13d, personal: 8d}\nmessage: {receipt_wait: 5d}\n"));
	conf_free(load_good("message: {retry_min: 1m, retry_max: 60s}\nretention: {messages: 30d}\n"));
}

static void conf_fault__of_another_room__at_the_key_or_its_section(void **state)
{
	struct conf *c = load_good("log: {level: info}\nmail:\n  url: smtp//a\n");
	struct faults told = {0};

	(void)state;
	conf_fault(c, "mail.url", &told, "none");
	conf_fault(c, "mail.from", &told, "none");
	conf_fault(c, "http.listen", &told, "none");
	assert_non_null(strstr(buf_text(&told.text), ":3:8: mail.url: none\n"));
	assert_non_null(strstr(buf_text(&told.text), ":3:3: mail.from: none\n"));
	assert_non_null(strstr(buf_text(&told.text), ":1:1: http.listen: none\n"));
	faults_fini(&told);
	conf_free(c);
}

static void conf_load__ranges_of_numbers__text_that_no_number_begins_with_refused(void **state)
{
	static const char *const lines[] = {
#define RANGE ": guard.ranges: each item is + and 1 to 11 digits, the first a 7"
	    "3:7" RANGE, "4:7" RANGE, "5:7" RANGE, "6:7" RANGE, "7:7" RANGE, "8:7" RANGE, "9:7" RANGE};

	(void)state;
	assert_says("guard:\n  ranges:\n    - \"\"\n    - \"+\"\n    - \"77\"\n    - \"+87\"\n"
	            "    - \"+7701123456789\"\n    - \"+77, +7747\"\n    - \"+77O1\"\n    - \"+77\"\n",
	    7, lines);
	assert_says_one("guard:\n  ranges: +77, +7747\n", "2:11" RANGE);
	assert_says_one(
	    "guard: {ranges: {}}\n", "1:17: guard.ranges: a single value is wanted here, not a map");
	assert_says_one("guard: {ranges: 87}\n", "1:17" RANGE);
	conf_free(load_good("guard: {ranges: [+7, +77011234567]}\n"));
	conf_free(load_good("guard: {ranges: +7701}\n"));
	conf_free(load_good("guard: {ranges: []}\n"));
}

static void conf_load__codes_that_texts_name__digits_alone(void **state)
{
	(void)state;
	assert_says_one("texts: {dial: \"*123#\"}\n", "1:15: texts.dial: digits are expected");
	assert_says_one("texts: {dial: \"\"}\n", "1:15: texts.dial: digits are expected");
	assert_says_one("texts: {helpline: 14 14}\n", "1:19: texts.helpline: digits are expected");
	conf_free(load_good("texts: {dial: \"77\", helpline: \"109\"}\n"));
}

static void conf_load__password_files__read_or_refused(void **state)
{
	char *secret = mem_printf("%s/pw", folder),
	     *missing = mem_printf("2:18: database.password_file: %s cannot be read", secret);
	char *refused =
	    mem_printf("1:25: redis.password_file: %s must hold one line of at most 256 characters "
	               "without spaces, and not be writable by everybody",
	        secret);

	(void)state;
	assert_says_one("database:\n  password_file: pw\n", missing);
	file_write(secret, "s3cret\n");
	struct conf *c = load_good("database: {password_file: pw}\nredis: {password_file: pw}\n");
	assert_string_equal(c->database_password, "s3cret");
	assert_string_equal(c->redis_password, "s3cret");
	conf_free(c);
	file_write(secret, "two words\n");
	assert_says_one("redis:  {password_file: pw}\n", refused);
	file_write(secret, "");
	assert_says_one("redis:  {password_file: pw}\n", refused);
	file_write(secret, "s3cret\n");
	assert_int_equal(chmod(secret, 0666), 0);
	assert_says_one("redis:  {password_file: pw}\n", refused);
	assert_null(strstr(buf_text(&faults.text), "s3cret"));
	unlink(secret);
	free(secret);
	free(missing);
	free(refused);
}

static void conf_load__after_earlier_faults__judged_by_its_own(void **state)
{
	(void)state;
	file_write(path, "");
	faults_add(&faults, "another file is wrong");
	struct conf *c = conf_load(path, &faults);
	assert_non_null(c);
	assert_int_equal(faults.count, 1);
	conf_free(c);
}

static void conf_fixed_difference__two_files__first_that_needs_a_restart(void **state)
{
	struct conf *a = load_good(""), *b = load_good("log: {level: debug}\nmessage: {attempts: 9}\n"),
	            *c = load_good("http: {listen: '*:80'}\ndatabase: {connections: 5}\n");

	(void)state;
	assert_null(conf_fixed_difference(a, a));
	assert_null(conf_fixed_difference(a, b));
	assert_string_equal(conf_fixed_difference(a, c), "http.listen");
	conf_free(a);
	conf_free(b);
	conf_free(c);
}

struct bound {
	char key[64], low[32], high[32];
};

/* Every numeric row of the help: its name and its range as written. */
static size_t bounds_read(struct bound *bounds, size_t max)
{
	struct buf help = {0};
	char *rest, *name;
	size_t n = 0;

	conf_help(&help);
	rest = help.data;
	while ((name = strsep(&rest, "\n")) && *name) {
		strsep(&rest, "\n");
		char *facts = strsep(&rest, "\n"), *range = strstr(facts, "; default ");

		if (strncmp(facts + 4, "number", 6) && strncmp(facts + 4, "time", 4) &&
		    strncmp(facts + 4, "size", 4))
			continue;
		range = strstr(range + 2, "; ") + 2;
		assert_true(n < max);
		snprintf(bounds[n].key, sizeof bounds->key, "%s", name);
		assert_int_equal(sscanf(range, "%31s to %31[^;]", bounds[n].low, bounds[n].high), 2);
		n++;
	}
	buf_fini(&help);
	return n;
}

static bool loads(const char *key, const char *value)
{
	const char *dot = strchr(key, '.');
	char text[200];

	if (dot)
		snprintf(text, sizeof text, "%.*s: {%s: %s}\n", (int)(dot - key), key, dot + 1, value);
	else
		snprintf(text, sizeof text, "%s: %s\n", key, value);
	struct conf *c = load(text);
	conf_free(c);
	/* A bound may disagree with the default of another key: that is not the range's word. */
	return c || !strstr(buf_text(&faults.text), "out of range");
}

static void conf_load__both_ends_of_every_range__in_and_one_beyond_out(void **state)
{
	struct bound bounds[64];
	size_t n = bounds_read(bounds, 64);

	(void)state;
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++) {
		const struct bound *b = &bounds[i];
		char beyond[40];
		long long low, high;
		char low_unit[8] = "", high_unit[8] = "";

		sscanf(b->low, "%lld%7s", &low, low_unit);
		sscanf(b->high, "%lld%7s", &high, high_unit);
		if (!loads(b->key, b->low) || !loads(b->key, b->high))
			fail_msg("%s: %s and %s are refused", b->key, b->low, b->high);
		snprintf(beyond, sizeof beyond, "%lld%s", low - 1, low_unit);
		if (loads(b->key, beyond))
			fail_msg("%s: %s is taken", b->key, beyond);
		snprintf(beyond, sizeof beyond, "%lld%s", high + 1, high_unit);
		if (loads(b->key, beyond))
			fail_msg("%s: %s is taken", b->key, beyond);
	}
}

#define TEST(f) cmocka_unit_test_teardown(f, faults_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(conf_load__empty_file__defaults),
	    TEST(conf_fault__of_another_room__at_the_key_or_its_section),
	    TEST(conf_load__paths__against_the_file_s_folder),
	    TEST(conf_load__no_file__one_line_with_the_reason),
	    TEST(conf_load__root_is_no_map__one_line),
	    TEST(conf_load__one_wrong_key__line_column_key_and_what_is_allowed),
	    TEST(conf_load__names_nobody_knows__nearest_name),
	    TEST(conf_load__same_key_twice__refused_at_the_second),
	    TEST(conf_load__several_faults__all_told_at_once),
	    TEST(conf_load__keys_that_disagree__told_at_the_key),
	    TEST(conf_load__ranges_of_numbers__text_that_no_number_begins_with_refused),
	    TEST(conf_load__codes_that_texts_name__digits_alone),
	    TEST(conf_load__password_files__read_or_refused),
	    TEST(conf_load__after_earlier_faults__judged_by_its_own),
	    TEST(conf_fixed_difference__two_files__first_that_needs_a_restart),
	    TEST(conf_load__both_ends_of_every_range__in_and_one_beyond_out),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}

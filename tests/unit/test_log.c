/* What reaches standard error: octets, so a child writes and the test reads its pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define STAMP 24 /* 2026-11-22T18:23:06.123Z */

typedef void say_fn(void);

enum stream { STREAM_NONE, STREAM_OURS, STREAM_OTHER };

/* JOURNAL_STREAM is "device:inode" of the stream that the journal gave. */
static void journal_set(enum stream stream)
{
	struct stat st;
	char text[64];

	unsetenv("JOURNAL_STREAM");
	if (stream == STREAM_NONE || fstat(STDERR_FILENO, &st) != 0)
		return;
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino + (stream == STREAM_OTHER));
	setenv("JOURNAL_STREAM", text, 1);
}

/* What say writes in a process of its own. */
static char *heard(say_fn *say, enum stream stream)
{
	struct buf b = {0};
	int ends[2], status;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		journal_set(stream);
		say();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], buf_space(&b, 4096), 4096)) > 0)
		buf_wrote(&b, (size_t)n);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return buf_take(&b);
}

/* Each line of text has a time of now; cuts the times out. */
static void stamps_cut(char *text)
{
	char *to = text;

	while (*text) {
		char stamp[STAMP + 1] = "", *end = strchr(text, '\n');

		assert_non_null(end);
		memcpy(stamp, text, STAMP);
		int64_t age_us = clock_real.wall_us() - clock_parse_rfc3339(stamp);
		assert_true(age_us >= 0 && age_us < 60000000LL);
		memmove(to, text + STAMP, (size_t)(end + 1 - text) - STAMP);
		to += end + 1 - text - STAMP;
		text = end + 1;
	}
	*to = '\0';
}

static void assert_heard(say_fn *say, const char *lines)
{
	char *text = heard(say, STREAM_NONE);

	stamps_cut(text);
	assert_string_equal(text, lines);
	free(text);
}

static void say_one_of_each(void)
{
	log_error("db", "lost after=%dms", 7);
	log_warn("kcell.1", "throttled");
	log_info("01hxyz", "sent");
	log_debug("http", "never by default");
}

static void log_line__no_level_set__all_but_debug(void **state)
{
	(void)state;
	assert_heard(
	    say_one_of_each, " error db: lost after=7ms\n warn kcell.1: throttled\n info 01hxyz: sent\n");
}

static void say_errors_only(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	say_one_of_each();
}

static void say_all(void)
{
	log_set_level(LOG_LEVEL_DEBUG);
	say_one_of_each();
}

static void log_set_level__each_end__lines_up_to_it(void **state)
{
	(void)state;
	assert_heard(say_errors_only, " error db: lost after=7ms\n");
	assert_heard(say_all, " error db: lost after=7ms\n warn kcell.1: throttled\n info 01hxyz: sent\n "
	                      "debug http: never by default\n");
}

static void log_line__journal_behind_stderr__priority_for_time(void **state)
{
	char *text = heard(say_all, STREAM_OURS);

	(void)state;
	assert_string_equal(text,
	    "<3>db: lost after=7ms\n<4>kcell.1: throttled\n<6>01hxyz: sent\n<7>http: never by default\n");
	free(text);
}

/* A terminal that the session's journal started hands its JOURNAL_STREAM down to everything run in it. */
static void log_line__journal_behind_another_stream__time(void **state)
{
	char *text = heard(say_errors_only, STREAM_OTHER);

	(void)state;
	stamps_cut(text);
	assert_string_equal(text, " error db: lost after=7ms\n");
	free(text);
}

static void say_controls(void)
{
	log_info("a\nb", "x=\"%s\"", "1\r\n2026 error db: forged\t\x1b[2J\x7f\xc2\x85.");
}

static void log_line__control_characters__one_clean_line(void **state)
{
	(void)state;
	assert_heard(say_controls, " info a?b: x=\"1??2026 error db: forged??[2J???.\"\n");
}

static void say_utf8(void)
{
	log_info("x", "\xd3\x99 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0.");
	log_info(
	    "x", "%s", "\xff|\x80|\xd3|\xc0\xaf|\xe0\x80\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xf0\x9f\x98");
}

static void log_line__octets_that_are_not_utf8__replaced(void **state)
{
	(void)state;
	assert_heard(say_utf8, " info x: \xd3\x99 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0.\n"
	                       " info x: ?|?|?|??|???|???|????|???\n");
}

static void say_too_much(void)
{
	char text[5000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info("long", "%s", text);
	log_info(text, "%s", "still said");
	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\xd3\x99", 2);
	text[sizeof text - 1] = '\0';
	log_info("odd", "%s", text);
	log_info("even.", "%s", text);
}

static void log_line__endless__cut_to_one_line(void **state)
{
	char *text = heard(say_too_much, STREAM_NONE), *rest = text;

	(void)state;
	for (int i = 0; i < 4; i++) {
		char *line = strsep(&rest, "\n");

		assert_in_range(strlen(line), i == 1 ? 500 : 1000, 1023);
		assert_int_equal(strstr(line, "still said") != NULL, i == 1);
	}
	assert_string_equal(rest, "");
	free(text);
}

static void say_flood(void)
{
	for (int i = 0; i < 1000; i++)
		log_warn("kcell.1", "odd PDU %d", i);
}

static void log_line__a_flood_of_one_kind__its_first_lines(void **state)
{
	char *text = heard(say_flood, STREAM_NONE);
	size_t lines = 0;

	(void)state;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 20);
	assert_non_null(strstr(text, "odd PDU 19"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_line__no_level_set__all_but_debug),
	    cmocka_unit_test(log_set_level__each_end__lines_up_to_it),
	    cmocka_unit_test(log_line__journal_behind_stderr__priority_for_time),
	    cmocka_unit_test(log_line__journal_behind_another_stream__time),
	    cmocka_unit_test(log_line__control_characters__one_clean_line),
	    cmocka_unit_test(log_line__octets_that_are_not_utf8__replaced),
	    cmocka_unit_test(log_line__endless__cut_to_one_line),
	    cmocka_unit_test(log_line__a_flood_of_one_kind__its_first_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

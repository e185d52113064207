/* transcripts: the shipped ones are what the phone shows and come to every branch; what differs is told with
 * its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define SOURCE KEZEK_SOURCE_DIR "/dialogs"
#define REPLAY                                                                                               \
	KEZEKCTL " dialog replay --menu " SOURCE "/kindergarten.yaml --services " SOURCE "/services.yaml "

static char output[65536];

/* Its exit code. */
static int run(const char *arguments)
{
	char *line = mem_printf("%s %s 2>&1", REPLAY, arguments);
	FILE *f = popen(line, "r");
	size_t n;

	assert_non_null(f);
	n = fread(output, 1, sizeof output - 1, f);
	output[n] = '\0';
	free(line);
	return WEXITSTATUS(pclose(f));
}

static char *write_transcript(const char *shows, const char *type)
{
	char path[] = "/tmp/kezek-transcript-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");

	assert_non_null(f);
	fprintf(f,
	    "# head\none:\n  language: en\n  code: \"*1234*3#\"\n  answers:\n    login.code: [{%s: {num: "
	    "\"9\"}}]\n"
	    "  steps:\n    - dial: yes\n      shows: |\n        %s\n",
	    type, shows);
	fclose(f);
	return mem_str(path);
}

static int run_on(const char *options, const char *path)
{
	char *arguments = mem_printf("%s %s", options, path);
	int code = run(arguments);

	free(arguments);
	return code;
}

static void replay__shipped_transcripts__match_and_cover_the_menu(void **state)
{
	(void)state;
	if (run("--cover " SOURCE "/transcripts/*.yaml") != 0)
		print_message("%s", output);
	assert_non_null(strstr(output, "every screen and branch was walked"));
}

static void replay__another_page__is_told_with_its_line(void **state)
{
	char *path = write_transcript("Code already sent. New one in 8 min.", "too_often");
	char *place = mem_printf("%s:9:", path);

	(void)state;
	assert_int_equal(run_on("", path), 1);
	assert_non_null(strstr(output, place));
	assert_non_null(strstr(output, "New one in 9 min."));
	unlink(path);
	free(place);
	free(path);
}

static void replay__result_that_no_service_has__is_told(void **state)
{
	char *path = write_transcript("x", "sometimes");

	(void)state;
	assert_int_equal(run_on("", path), 1);
	assert_non_null(strstr(output, "login.code was asked and has no answer"));
	unlink(path);
	free(path);
}

static void replay__write__makes_the_file_match_and_keeps_its_head(void **state)
{
	char *path = write_transcript("something else", "too_often");
	char *command = mem_printf("head -1 %s", path), line[64] = "";

	(void)state;
	assert_int_equal(run_on("--write", path), 0);
	assert_int_equal(run_on("", path), 0);
	FILE *f = popen(command, "r");
	assert_non_null(fgets(line, sizeof line, f));
	pclose(f);
	assert_string_equal(line, "# head\n");
	unlink(path);
	free(command);
	free(path);
}

static void replay__one_transcript_with_cover__names_what_is_missing(void **state)
{
	char *path = write_transcript("Code already sent. New one in 9 min.", "too_often");

	(void)state;
	assert_int_equal(run_on("--cover", path), 1);
	assert_non_null(strstr(output, "screen open: no transcript has it"));
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replay__shipped_transcripts__match_and_cover_the_menu),
	    cmocka_unit_test(replay__another_page__is_told_with_its_line),
	    cmocka_unit_test(replay__result_that_no_service_has__is_told),
	    cmocka_unit_test(replay__write__makes_the_file_match_and_keeps_its_head),
	    cmocka_unit_test(replay__one_transcript_with_cover__names_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

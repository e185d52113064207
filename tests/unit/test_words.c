/* words: the short code and the help line in texts of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "text/words.h"

static void words_put__texts__filled_wherever_they_stand(void **state)
{
	static const char file[] = "a: \"*{dial}*4#, {dial}\"\nb: [{x: \"{kg} {helpline}\"}, \"none\"]\n"
	                           "\"{dial}\": {deep: {er: \"{dial\"}}\n";
	const struct words w = {"77", "109"};
	struct faults faults = {0};
	struct yaml *y = yaml_parse("f", file, sizeof file - 1, &faults);

	(void)state;
	assert_non_null(y);
	words_put(y, &w);
	const struct yaml_node *root = yaml_root(y);
	assert_string_equal(yaml_get(root, "a")->text, "*77*4#, 77");
	assert_string_equal(yaml_get(&yaml_get(root, "b")->children[0], "x")->text, "{kg} 109");
	assert_string_equal(yaml_get(root, "b")->children[1].text, "none");
	assert_string_equal(yaml_get(yaml_get(yaml_get(root, "{dial}"), "deep"), "er")->text, "{dial");
	yaml_tree_free(y);
}

static void words_of__configuration_that_says_nothing__the_usual(void **state)
{
	char path[] = "/tmp/kezek-words-XXXXXX";
	struct faults faults = {0};

	(void)state;
	close(mkstemp(path));
	struct conf *c = conf_load(path, &faults);
	assert_non_null(c);
	assert_string_equal(words_of(c).dial, words_usual.dial);
	assert_string_equal(words_of(c).helpline, words_usual.helpline);
	conf_free(c);
	unlink(path);
}

/* The code stands in no text of ours: another city writes it once. */
static void texts__shipped__name_no_code_by_its_digits(void **state)
{
	static const char *const files[] = {"sms.yaml", "mail.yaml", "kindergarten.yaml"};
	char path[256], line[2048];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/dialogs/%s", KEZEK_SOURCE_DIR, files[i]);
		FILE *f = fopen(path, "re");

		assert_non_null(f);
		while (fgets(line, sizeof line, f))
			if (strstr(line, "*1234") || strstr(line, "1414"))
				fail_msg(
				    "%s names a code, {dial} or {helpline} is meant: %s", files[i], line);
		fclose(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_put__texts__filled_wherever_they_stand),
	    cmocka_unit_test(words_of__configuration_that_says_nothing__the_usual),
	    cmocka_unit_test(texts__shipped__name_no_code_by_its_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

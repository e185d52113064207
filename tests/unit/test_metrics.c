/* The table lives as long as the process: each test has names of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/metrics.h"

/* The lines that hold word, in their order. */
static char *lines_with(const char *word)
{
	struct buf all = {0}, some = {0};
	char *rest, *line;

	metrics_write(&all);
	rest = all.data;
	while ((line = strsep(&rest, "\n")))
		if (strstr(line, word))
			buf_printf(&some, "%s\n", line);
	buf_fini(&all);
	return buf_take(&some);
}

static void assert_lines(const char *word, const char *want)
{
	char *lines = lines_with(word);

	assert_string_equal(lines, want);
	free(lines);
}

static void metric_counter__same_name_and_labels__same_series(void **state)
{
	struct metric *a = metric_counter("kz_same_total", "Same.", "x=\"1\"");

	(void)state;
	metric_add(a, 2);
	assert_ptr_equal(metric_counter("kz_same_total", "Same.", "x=\"1\""), a);
	assert_ptr_not_equal(metric_counter("kz_same_total", "Same.", "x=\"2\""), a);
	assert_ptr_not_equal(metric_counter("kz_same_total", "Same.", ""), a);
	assert_true(metric_value(a) == 2);
}

static void metric_counter__labels__copied(void **state)
{
	char labels[] = "x=\"1\"";

	(void)state;
	metric_add(metric_counter("kz_copied_total", "Copied.", labels), 1);
	labels[3] = '9';
	assert_lines("kz_copied_total{", "kz_copied_total{x=\"1\"} 1\n");
}

static void metrics_write__series_made_in_turns__head_once_and_series_together(void **state)
{
	(void)state;
	metric_add(metric_counter("kz_turns_a_total", "A's.", "l=\"1\""), 1);
	metric_set(metric_gauge("kz_turns_b", "B's.", ""), 0.25);
	metric_add(metric_counter("kz_turns_a_total", "A's.", "l=\"2\""), 3);
	assert_lines("kz_turns_", "# HELP kz_turns_a_total A's.\n# TYPE kz_turns_a_total counter\n"
	                          "kz_turns_a_total{l=\"1\"} 1\nkz_turns_a_total{l=\"2\"} 3\n"
	                          "# HELP kz_turns_b B's.\n# TYPE kz_turns_b gauge\nkz_turns_b 0.25\n");
}

static void metrics_write__large_counts__every_digit(void **state)
{
	(void)state;
	metric_add(metric_counter("kz_large_total", "Large.", ""), 9007199254740993);
	metric_set(metric_gauge("kz_large_gauge", "Large.", ""), 123456789);
	assert_lines("kz_large_total ", "# HELP kz_large_total Large.\n# TYPE kz_large_total counter\n"
	                                "kz_large_total 9007199254740993\n");
	assert_lines("kz_large_gauge 1", "kz_large_gauge 123456789\n");
}

static void metric_set__again__the_last_counts(void **state)
{
	struct metric *m = metric_gauge("kz_set", "Set.", "");

	(void)state;
	metric_set(m, 5);
	metric_set(m, -1.5);
	assert_true(metric_value(m) == -1.5);
	assert_lines("kz_set -", "kz_set -1.5\n");
}

static void metric_observe__at_and_over_each_bound__cumulative_buckets(void **state)
{
	struct metric *m = metric_seconds("kz_took_seconds", "Took.", "op=\"x\"");
	static const int64_t seen_us[] = {0, 500, 501, 1000, 60000000, 60000001};

	(void)state;
	for (size_t i = 0; i < sizeof seen_us / sizeof *seen_us; i++)
		metric_observe_us(m, seen_us[i]);
	assert_true(metric_value(m) == 6);
	assert_lines("kz_took_seconds", "# HELP kz_took_seconds Took.\n# TYPE kz_took_seconds histogram\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.0005\"} 2\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.001\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.002\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.003\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.005\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.01\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.02\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.05\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.1\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.2\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"0.5\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"1\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"2\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"5\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"10\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"30\"} 4\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"60\"} 5\n"
	                                "kz_took_seconds_bucket{op=\"x\",le=\"+Inf\"} 6\n"
	                                "kz_took_seconds_sum{op=\"x\"} 120.002002\n"
	                                "kz_took_seconds_count{op=\"x\"} 6\n");
}

static void metric_observe__no_labels__only_le_in_braces(void **state)
{
	(void)state;
	metric_observe_us(metric_seconds("kz_bare_seconds", "Bare.", ""), 2500000);
	assert_lines("kz_bare_seconds_bucket{le=\"2\"", "kz_bare_seconds_bucket{le=\"2\"} 0\n");
	assert_lines("kz_bare_seconds_bucket{le=\"5\"", "kz_bare_seconds_bucket{le=\"5\"} 1\n");
	assert_lines("kz_bare_seconds_bucket{le=\"+Inf\"", "kz_bare_seconds_bucket{le=\"+Inf\"} 1\n");
}

static void metrics_total__over_labels__sum_of_that_name_alone(void **state)
{
	(void)state;
	metric_add(metric_counter("kz_sum_total", "Sum.", "l=\"1\""), 2);
	metric_add(metric_counter("kz_sum_total", "Sum.", "l=\"2\""), 40);
	metric_add(metric_counter("kz_sum_total_more", "Other.", ""), 1000);
	assert_true(metrics_total("kz_sum_total") == 42);
	assert_true(metrics_total("kz_nothing_total") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(metric_counter__same_name_and_labels__same_series),
	    cmocka_unit_test(metric_counter__labels__copied),
	    cmocka_unit_test(metrics_write__series_made_in_turns__head_once_and_series_together),
	    cmocka_unit_test(metrics_write__large_counts__every_digit),
	    cmocka_unit_test(metric_set__again__the_last_counts),
	    cmocka_unit_test(metric_observe__at_and_over_each_bound__cumulative_buckets),
	    cmocka_unit_test(metric_observe__no_labels__only_le_in_braces),
	    cmocka_unit_test(metrics_total__over_labels__sum_of_that_name_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

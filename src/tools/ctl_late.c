/* kezekctl late: numbers of applications that have not reached a parent in time. */
#include <stdio.h>

#include "ctl_client.h"
#include "ctl_command.h"
#include "ctl_table.h"
#include "ctl_text.h"

static void late_add_word(struct ctl_table *t, const json_t *late, const char *field)
{
	struct buf b = {0};

	ctl_text_clean(&b, ctl_text_field(late, field, ""));
	ctl_table_take(t, &b);
}

static void late_add_row(struct ctl_table *t, const json_t *late)
{
	static const char *const times[] = {"at", "late_at"};
	struct buf b = {0};

	ctl_table_cell(t, "%lld", (long long)json_integer_value(json_object_get(late, "application")));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ctl_text_time(&b, ctl_text_field(late, times[i], ""), true);
		ctl_table_take(t, &b);
	}
	late_add_word(t, late, "state");
	late_add_word(t, late, "email");
	ctl_table_cell(t, "%lld", (long long)json_integer_value(json_object_get(late, "messages")));
	late_add_word(t, late, "message");
}

static void late_print(const json_t *late)
{
	static const char *const heads[] = {
	    "application", "at", "late", "state", "email", "messages", "newest"};
	struct ctl_table *t = ctl_table_new("rllllrl", 0);
	size_t i;
	json_t *one;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		ctl_table_cell(t, "%s", heads[i]);
	json_array_foreach(late, i, one) late_add_row(t, one);
	if (json_array_size(late) > 0)
		ctl_table_print(t);
	else
		puts("nothing is late");
	ctl_table_free(t);
}

static int late_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	const struct ctl_question q = {.method = "GET", .path = "/control/late"};
	json_t *answer = NULL;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	if (optind != argc)
		return ctl_usage(c, "late wants no argument");
	code = ctl_client_ask(c, &q, &answer);
	if (code == CTL_DONE && c->json)
		ctl_client_print(answer);
	else if (code == CTL_DONE)
		late_print(json_object_get(answer, "late"));
	json_decref(answer);
	return code;
}

const struct ctl_command ctl_late_command = {
    .name = "late",
    .summary = "numbers of applications that have not arrived in time",
    .usage = "usage: kezekctl late\n"
             "\n"
             "The newest 200 that were not delivered 12 minutes after registration, and are not yet.\n"
             "kezekctl trace MESSAGE tells what became of the newest message of one.\n",
    .run = late_run,
};

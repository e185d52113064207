/* kezekctl news: what the portal is told of an application, and whether it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl_client.h"
#include "ctl_command.h"
#include "ctl_table.h"
#include "ctl_text.h"

enum { OPT_REPLAY = 1 };

static void news_add(struct ctl_table *t, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	struct buf b = {0};

	if (value != NULL)
		ctl_text_value(&b, value);
	ctl_table_take(t, &b);
}

static void news_add_row(struct ctl_table *t, const json_t *news)
{
	const json_t *data = json_object_get(news, "data"), *referral = json_object_get(data, "referral");
	const char *until = ctl_text_field(referral, "until", "");
	struct buf b = {0};

	ctl_text_time(&b, ctl_text_field(news, "timestamp", "?"), true);
	ctl_table_take(t, &b);
	news_add(t, data, "seq");
	news_add(t, news, "type");
	news_add(t, data, "via");
	news_add(t, referral, "number");
	news_add(t, data, "group");
	news_add(t, data, "kindergarten");
	if (*until)
		ctl_text_time(&b, until, true);
	ctl_table_take(t, &b);
	news_add(t, data, "detail");
	news_add(t, news, "untold");
}

static void news_print(const json_t *list)
{
	static const char *const heads[] = {"at", "seq", "news", "via", "referral", "group", "kindergarten",
	    "until", "detail", "untold to webhook"};
	struct ctl_table *t;
	size_t i;
	json_t *news;

	if (json_array_size(list) == 0) {
		puts("no news of this application are kept");
		return;
	}
	t = ctl_table_new("lrllrrrlll", 0);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		ctl_table_cell(t, "%s", heads[i]);
	json_array_foreach(list, i, news) news_add_row(t, news);
	ctl_table_print(t);
	ctl_table_free(t);
}

static int news_show(const struct ctl *c, json_int_t application)
{
	char *path = mem_printf("/control/news/%lld", (long long)application);
	const struct ctl_question q = {.method = "GET", .path = path};
	json_t *answer = NULL;
	int code = ctl_client_ask(c, &q, &answer);

	if (code == CTL_DONE && c->json)
		ctl_client_print(answer);
	else if (code == CTL_DONE)
		news_print(json_object_get(answer, "news"));
	json_decref(answer);
	free(path);
	return code;
}

static int news_replay(const struct ctl *c, json_int_t application)
{
	json_t *body = json_pack("{s:I}", "application", application), *answer = NULL;
	const struct ctl_question q = {.method = "POST", .path = "/control/webhooks/replay", .body = body};
	int code = ctl_client_ask(c, &q, &answer);

	if (code == CTL_DONE)
		puts(c->json ? "{}" : "told again from now on, in their order");
	json_decref(answer);
	json_decref(body);
	return code;
}

static int news_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {"replay", no_argument, NULL, OPT_REPLAY}, {0}};
	bool replay = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_REPLAY)
			replay = true;
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	const char *number = optind + 1 == argc ? argv[optind] : "";
	size_t digits = strspn(number, "0123456789");
	if (digits < 1 || digits > 9 || number[digits] != '\0' || *number == '0')
		return ctl_usage(c, "the number of one application is expected");
	return replay ? news_replay(c, strtoll(number, NULL, 10)) : news_show(c, strtoll(number, NULL, 10));
}

const struct ctl_command ctl_news_command = {
    .name = "news",
    .summary = "what the portal is told of an application, and whether it was",
    .usage = "usage: kezekctl news APPLICATION [--replay]\n"
             "\n"
             "The newest 100, the oldest of them first. --replay: they are told again.\n",
    .run = news_run,
};

/* kezekctl webhook: who is told of the ends of messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl_client.h"
#include "ctl_command.h"
#include "ctl_table.h"
#include "ctl_text.h"

enum { OPT_SINCE = 1 };

struct webhook_line {
	const char *since;
	int words; /* behind the options: the verb and what it is about */
	char **word;
};

static int webhook_parse(struct ctl *c, struct webhook_line *w, int argc, char **argv)
{
	static const struct option options[] = {
	    CTL_OPTIONS, {"since", required_argument, NULL, OPT_SINCE}, {0}};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_SINCE)
			w->since = optarg;
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	w->words = argc - optind;
	w->word = argv + optind;
	return -1;
}

static void webhook_print_new(const json_t *hook)
{
	struct buf b = {0};

	buf_str(&b, "webhook ");
	ctl_text_value(&b, json_object_get(hook, "id"));
	buf_str(&b, " of ");
	ctl_text_clean(&b, ctl_text_field(hook, "client", "?"));
	fprintf(stderr,
	    "%s\nThe secret that it is signed with is shown this once; give it to the endpoint:\n",
	    buf_text(&b));
	buf_clear(&b);
	ctl_text_clean(&b, ctl_text_field(hook, "secret", ""));
	puts(buf_text(&b));
	buf_fini(&b);
}

static int webhook_add(const struct ctl *c, const struct webhook_line *w)
{
	struct ctl_question q = {.method = "POST", .path = "/control/webhooks"};
	json_t *body, *hook = NULL;
	int code;

	if (w->words != 3 || w->since)
		return ctl_usage(c, "webhook add wants CLIENT and URL");
	body = json_pack("{s:s, s:s}", "client", w->word[1], "url", w->word[2]);
	if (body == NULL)
		return ctl_usage(c, "CLIENT or URL is not valid UTF-8");
	q.body = body;
	code = ctl_client_ask(c, &q, &hook);
	if (code == CTL_DONE && c->json)
		ctl_client_print(hook);
	else if (code == CTL_DONE)
		webhook_print_new(hook);
	json_decref(hook);
	json_decref(body);
	return code;
}

static void webhook_add_row(struct ctl_table *t, const json_t *hook)
{
	static const char *const values[] = {"id", "client", "url", "state"}, *const numbers[] = {
	                                                                          "retries", "given_up"};
	int64_t oldest_ms = ctl_number_field(hook, "oldest_ms");
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const json_t *value = json_object_get(hook, values[i]);

		if (value != NULL)
			ctl_text_value(&b, value);
		ctl_table_take(t, &b);
	}
	if (oldest_ms > 0)
		ctl_text_age(&b, oldest_ms);
	ctl_table_take(t, &b);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (ctl_number_field(hook, numbers[i]) > 0)
			ctl_text_value(&b, json_object_get(hook, numbers[i]));
		ctl_table_take(t, &b);
	}
	ctl_text_clean(&b, ctl_text_field(hook, "why", ""));
	ctl_table_take(t, &b);
}

static void webhook_print_list(const json_t *list)
{
	static const char *const heads[] = {
	    "id", "client", "url", "state", "untold for", "retries", "given up", "why"};
	struct ctl_table *t = ctl_table_new("rlllrrrl", 0);
	size_t i;
	json_t *hook;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		ctl_table_cell(t, "%s", heads[i]);
	json_array_foreach(list, i, hook) webhook_add_row(t, hook);
	if (json_array_size(list) > 0)
		ctl_table_print(t);
	else
		puts("no webhook yet; make one: kezekctl webhook add CLIENT https://...");
	ctl_table_free(t);
}

static int webhook_list(const struct ctl *c, const struct webhook_line *w)
{
	struct ctl_question q = {.method = "GET", .path = "/control/webhooks"};
	json_t *answer = NULL;
	int code;

	if (w->words != 1 || w->since)
		return ctl_usage(c, "webhook list wants no argument");
	if ((code = ctl_client_ask(c, &q, &answer)) != CTL_DONE)
		return code;
	if (c->json)
		ctl_client_print(answer);
	else
		webhook_print_list(json_object_get(answer, "webhooks"));
	json_decref(answer);
	return CTL_DONE;
}

/* Asks what is answered 204 and says that it was done. */
static int webhook_do(const struct ctl *c, const struct ctl_question *q, const char *done)
{
	json_t *answer = NULL;
	int code = ctl_client_ask(c, q, &answer);

	if (code == CTL_DONE)
		puts(c->json ? "{}" : done);
	json_decref(answer);
	return code;
}

static int webhook_do_one(
    const struct ctl *c, const struct webhook_line *w, const char *method, const char *path, const char *done)
{
	struct ctl_question q = {.method = method};
	char *whole, *id, *said;
	int code;

	if (w->words != 2 || *w->word[1] == '\0' || w->since)
		return ctl_usage(c, "webhook %s wants one ID, as webhook list shows it", w->word[0]);
	id = ctl_client_escape(w->word[1]);
	whole = mem_printf("%s/%s", path, id);
	said = mem_printf("webhook %s %s", w->word[1], done);
	q.path = whole;
	code = webhook_do(c, &q, said);
	free(said);
	free(whole);
	free(id);
	return code;
}

static int webhook_remove(const struct ctl *c, const struct webhook_line *w)
{
	return webhook_do_one(c, w, "DELETE", "/control/webhooks", "is removed");
}

static int webhook_enable(const struct ctl *c, const struct webhook_line *w)
{
	return webhook_do_one(c, w, "POST", "/control/webhooks/enable", "is enabled");
}

/* -1: it is none. A message's id begins with a digit too. */
static json_int_t webhook_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits < 1 || digits > 10 || text[digits] != '\0' ? -1 : strtoll(text, NULL, 10);
}

static int webhook_replay(const struct ctl *c, const struct webhook_line *w)
{
	struct ctl_question q = {.method = "POST", .path = "/control/webhooks/replay"};
	json_t *body;
	int code;

	if (w->words != 2)
		return ctl_usage(c, "webhook replay wants one message's ID, or a webhook's and --since");
	if (w->since && webhook_number(w->word[1]) < 0)
		return ctl_usage(c, "--since goes with a webhook's ID, a number as webhook list shows it");
	body = w->since ? json_pack("{s:I, s:s}", "webhook", webhook_number(w->word[1]), "since", w->since)
	                : json_pack("{s:s}", "message", w->word[1]);
	if (body == NULL)
		return ctl_usage(c, "the argument is not valid UTF-8");
	q.body = body;
	code = webhook_do(c, &q, "told again from now on");
	json_decref(body);
	return code;
}

static int webhook_verb(const struct ctl *c, const struct webhook_line *w)
{
	static const struct {
		const char *name;
		int (*run)(const struct ctl *c, const struct webhook_line *w);
	} verbs[] = {{"add", webhook_add}, {"list", webhook_list}, {"remove", webhook_remove},
	    {"enable", webhook_enable}, {"replay", webhook_replay}};

	for (size_t i = 0; w->words > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(w->word[0], verbs[i].name) == 0)
			return verbs[i].run(c, w);
	}
	return ctl_usage(c, "one of webhook add, list, remove, enable and replay is expected");
}

static int webhook_run(struct ctl *c, int argc, char **argv)
{
	struct webhook_line w = {0};
	int code = webhook_parse(c, &w, argc, argv);

	return code < 0 ? webhook_verb(c, &w) : code;
}

const struct ctl_command ctl_webhook_command = {
    .name = "webhook",
    .summary = "who is told of the ends of messages: add, list, remove, enable, replay",
    .usage = "usage: kezekctl webhook add CLIENT URL\n"
             "       kezekctl webhook list\n"
             "       kezekctl webhook remove ID\n"
             "       kezekctl webhook enable ID\n"
             "       kezekctl webhook replay MESSAGE-ID\n"
             "       kezekctl webhook replay ID --since TIME\n"
             "\n"
             "TIME is like 2026-11-22T18:23:06Z\n",
    .run = webhook_run,
};

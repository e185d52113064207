/* kezekctl guard: what is held of codes, and who lifts it. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/keys.h"
#include "ctl_client.h"
#include "ctl_command.h"
#include "ctl_table.h"
#include "ctl_text.h"

enum { OPT_FOR = 1 };

struct guard_line {
	const char *wait; /* --for */
	int words;
	char **word;
};

static int guard_parse(struct ctl *c, struct guard_line *g, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {"for", required_argument, NULL, OPT_FOR}, {0}};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_FOR)
			g->wait = optarg;
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	g->words = argc - optind;
	g->word = argv + optind;
	return -1;
}

static void guard_add_row(struct ctl_table *t, const json_t *hold)
{
	static const char *const times[] = {"since", "until"};
	struct buf b = {0};

	ctl_text_clean(&b, ctl_text_field(hold, "kind", "?"));
	ctl_table_take(t, &b);
	ctl_text_clean(&b, ctl_text_field(hold, "shown", "?"));
	ctl_table_take(t, &b);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		ctl_text_time(&b, ctl_text_field(hold, times[i], ""), true);
		ctl_table_take(t, &b);
	}
	ctl_text_clean(&b, ctl_text_field(hold, "why", ""));
	ctl_table_take(t, &b);
}

static void guard_print(const json_t *held)
{
	static const char *const heads[] = {"kind", "subject", "since", "until", "why"};
	struct ctl_table *t = ctl_table_new("lllll", 0);
	size_t i;
	json_t *hold;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		ctl_table_cell(t, "%s", heads[i]);
	json_array_foreach(held, i, hold) guard_add_row(t, hold);
	if (json_array_size(held) > 0)
		ctl_table_print(t);
	else
		puts("nothing is held");
	ctl_table_free(t);
}

static int guard_list(const struct ctl *c)
{
	struct ctl_question q = {.method = "GET", .path = "/control/guard"};
	json_t *answer = NULL;
	int code = ctl_client_ask(c, &q, &answer);

	if (code == CTL_DONE && c->json)
		ctl_client_print(answer);
	else if (code == CTL_DONE)
		guard_print(json_object_get(answer, "held"));
	json_decref(answer);
	return code;
}

/* Whom to record: root's name says little when somebody used sudo. */
static const char *guard_user(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());

	return sudo != NULL && *sudo != '\0' ? sudo : user != NULL ? user->pw_name : "unknown";
}

static int guard_lift(const struct ctl *c, const struct guard_line *g)
{
	static const struct key wait_key = {
	    .name = "--for", .type = KEY_MS, .fallback = "1h", .min = 60000, .max = 7 * 86400000LL};
	struct ctl_question q = {.method = "POST", .path = "/control/guard"};
	json_t *body, *lifted = NULL;
	int64_t wait_ms = 0;
	char why[160];
	struct buf b = {0};

	if (g->words != 2)
		return ctl_usage(c, "guard lift wants one SUBJECT, as guard shows it, or a phone number");
	if (g->wait != NULL && !keys_set(&wait_key, g->wait, &wait_ms, why))
		return ctl_usage(c, "--for: %s", why);
	body = json_pack("{s:s, s:s}", "subject", g->word[1], "by", guard_user());
	if (body == NULL)
		return ctl_usage(c, "SUBJECT is not valid UTF-8");
	if (g->wait != NULL)
		json_object_set_new(body, "for_s", json_integer(wait_ms / 1000));
	q.body = body;
	int code = ctl_client_ask(c, &q, &lifted);
	if (code == CTL_DONE && c->json)
		ctl_client_print(lifted);
	else if (code == CTL_DONE) {
		ctl_text_clean(&b, ctl_text_field(lifted, "shown", "?"));
		printf("%s is lifted\n", buf_text(&b));
	}
	buf_fini(&b);
	json_decref(lifted);
	json_decref(body);
	return code;
}

static int guard_run(struct ctl *c, int argc, char **argv)
{
	struct guard_line g = {0};
	int code = guard_parse(c, &g, argc, argv);

	if (code >= 0)
		return code;
	if (g.words > 0 && strcmp(g.word[0], "lift") == 0)
		return guard_lift(c, &g);
	if (g.words > 0 || g.wait != NULL)
		return ctl_usage(c, "guard alone, or guard lift SUBJECT, is expected");
	return guard_list(c);
}

const struct ctl_command ctl_guard_command = {
    .name = "guard",
    .summary = "what is held of verification codes, and lifting it",
    .usage =
        "usage: kezekctl guard\n"
        "       kezekctl guard lift SUBJECT [--for TIME]\n"
        "\n"
        "SUBJECT is a prefix (+7701123xxxx) or a phone (code:...) as guard shows it, or a phone's number.\n"
        "  --for TIME   the prefix is not held again before this: 30m, 2h, 7d at most\n",
    .run = guard_run,
};

/* kezekctl send: one message through the same door as the portal's. The Idempotency-Key is made here unless
 * given, so that a command repeated by hand after a lost answer can be made safe with --idempotency-key. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "ctl_client.h"
#include "ctl_text.h"
#include "ctl_trace.h"

#define STDIN_MAX  65536
#define KEY_OCTETS 16
#define POLL_MS    200
#define WAIT_MAX_S 86400

struct send {
	json_t *body, *params;
	const char *key; /* given on the command line, or NULL */
	long wait_s;
	bool text_from_stdin;
};

enum {
	OPT_TO = 1,
	OPT_TEXT,
	OPT_TEMPLATE,
	OPT_PARAM,
	OPT_LANGUAGE,
	OPT_CLASS,
	OPT_SENDER,
	OPT_REF,
	OPT_EXPIRES,
	OPT_DRY_RUN,
	OPT_WAIT,
	OPT_KEY
};

/* clang-format off */
static const struct option options[] = {
	CTL_OPTIONS,
	{"to", required_argument, NULL, OPT_TO},
	{"text", required_argument, NULL, OPT_TEXT},
	{"template", required_argument, NULL, OPT_TEMPLATE},
	{"param", required_argument, NULL, OPT_PARAM},
	{"language", required_argument, NULL, OPT_LANGUAGE},
	{"class", required_argument, NULL, OPT_CLASS},
	{"sender", required_argument, NULL, OPT_SENDER},
	{"ref", required_argument, NULL, OPT_REF},
	{"expires-at", required_argument, NULL, OPT_EXPIRES},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"wait", required_argument, NULL, OPT_WAIT},
	{"idempotency-key", required_argument, NULL, OPT_KEY},
	{0},
};
/* clang-format on */

/* The JSON field that an option fills as it stands; NULL for the others. */
static const char *send_field(int opt)
{
	static const char *const fields[] = {
	    [OPT_TO] = "to",
	    [OPT_TEXT] = "text",
	    [OPT_TEMPLATE] = "template",
	    [OPT_LANGUAGE] = "language",
	    [OPT_CLASS] = "class",
	    [OPT_SENDER] = "sender",
	    [OPT_REF] = "client_ref",
	    [OPT_EXPIRES] = "expires_at",
	};

	return opt > 0 && (size_t)opt < sizeof(fields) / sizeof(fields[0]) ? fields[opt] : NULL;
}

static int send_set(const struct ctl *c, json_t *object, const char *name, const char *text)
{
	json_t *value = json_string(text);

	if (value == NULL)
		return ctl_usage(c, "%s is not valid UTF-8", name);
	json_object_set_new(object, name, value);
	return -1;
}

static int send_param(const struct ctl *c, struct send *s, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char *name;
	int code;

	if (equals == NULL || equals == pair)
		return ctl_usage(c, "--param wants NAME=VALUE, not '%s'", pair);
	name = mem_strn(pair, (size_t)(equals - pair));
	code = send_set(c, s->params, name, equals + 1);
	free(name);
	return code;
}

static int send_wait(const struct ctl *c, struct send *s, const char *text)
{
	char *end;

	errno = 0;
	s->wait_s = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || s->wait_s < 1 || s->wait_s > WAIT_MAX_S)
		return ctl_usage(c, "--wait wants seconds, 1 to %d, not '%s'", WAIT_MAX_S, text);
	return -1;
}

/* -1: go on. */
static int send_option(struct ctl *c, struct send *s, int opt)
{
	const char *field = send_field(opt);

	if (opt == OPT_TEXT && strcmp(optarg, "-") == 0)
		s->text_from_stdin = true;
	else if (field != NULL)
		return send_set(c, s->body, field, optarg);
	else if (opt == OPT_PARAM)
		return send_param(c, s, optarg);
	else if (opt == OPT_WAIT)
		return send_wait(c, s, optarg);
	else if (opt == OPT_DRY_RUN)
		json_object_set_new(s->body, "dry_run", json_true());
	else if (opt == OPT_KEY)
		s->key = optarg;
	else
		return ctl_option(c, opt);
	return -1;
}

/* All of standard input but the line break at its end. */
static int send_read_stdin(const struct ctl *c, struct send *s)
{
	struct buf b = {0};
	size_t n;
	int code;

	while ((n = fread(buf_space(&b, 4096), 1, 4096, stdin)) > 0 && b.len <= STDIN_MAX)
		buf_wrote(&b, n);
	if (b.len > STDIN_MAX)
		code = ctl_usage(c, "the text on standard input is longer than %d octets", STDIN_MAX);
	else if (b.len > 0 && memchr(b.data, '\0', b.len) != NULL)
		code = ctl_usage(c, "the text on standard input is not valid UTF-8");
	else {
		if (b.len > 0 && b.data[b.len - 1] == '\n')
			b.data[--b.len] = '\0';
		code = send_set(c, s->body, "text", buf_text(&b));
	}
	buf_fini(&b);
	return code;
}

static int send_check(const struct ctl *c, struct send *s)
{
	bool text = s->text_from_stdin || json_object_get(s->body, "text") != NULL;
	bool template = json_object_get(s->body, "template") != NULL;

	if (json_object_get(s->body, "to") == NULL)
		return ctl_usage(c, "--to is missing");
	if (text == template)
		return ctl_usage(c, "give one of --text and --template");
	if (!template && json_object_size(s->params) > 0)
		return ctl_usage(c, "--param goes with --template");
	if (s->wait_s > 0 && json_object_get(s->body, "dry_run") != NULL)
		return ctl_usage(c, "--wait makes no sense with --dry-run: nothing is sent");
	if (template)
		json_object_set(s->body, "params", s->params);
	return s->text_from_stdin ? send_read_stdin(c, s) : -1;
}

static int send_parse(struct ctl *c, struct send *s, int argc, char **argv)
{
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = send_option(c, s, opt)) >= 0)
			return code;
	}
	if (optind < argc)
		return ctl_usage(
		    c, "no argument is expected, not '%s'; put the text in quotes", argv[optind]);
	return send_check(c, s);
}

/* The key was made here, so the person cannot know it unless told. */
static void send_hint_key(const char *key)
{
	fprintf(stderr, "kezekctl: to try the same again without sending twice: --idempotency-key %s\n", key);
}

static int send_post(const struct ctl *c, const struct send *s, json_t **ret)
{
	char made[2 * KEY_OCTETS + 1];
	uint8_t random[KEY_OCTETS];
	struct ctl_question q = {.method = "POST", .path = "/v1/messages", .body = s->body};
	struct ctl_answer a = {0};
	int code;

	secret_random(random, sizeof(random));
	secret_hex(random, sizeof(random), made);
	q.idempotency_key = s->key != NULL ? s->key : made;
	code = ctl_client_call(c, &q, &a);
	if (code == CTL_DONE && (a.status < 200 || a.status > 299 || a.json == NULL))
		code = ctl_client_refused(c, &a);
	if (code != CTL_DONE && (a.status < 400 || a.status > 499))
		send_hint_key(q.idempotency_key);
	*ret = a.json;
	return code;
}

static void send_print_field(const json_t *answer, const char *field, const char *label)
{
	const json_t *value = json_object_get(answer, field);
	struct buf b = {0};

	if (value == NULL || json_is_null(value))
		return;
	ctl_text_value(&b, value);
	printf("  %-10s %s\n", label, buf_text(&b));
	buf_fini(&b);
}

static void send_print(const struct ctl *c, const json_t *answer)
{
	static const char *const fields[][2] = {{"to", "to"}, {"text", "text"}, {"segments", "segments"},
	    {"encoding", "encoding"}, {"route", "carriers"}, {"client_ref", "ref"}};
	struct buf b = {0};

	if (c->json) {
		ctl_client_print(answer);
		return;
	}
	if (json_is_true(json_object_get(answer, "dry_run"))) {
		buf_str(&b, "not sent, this is what would be:");
	} else {
		ctl_text_clean(&b, ctl_text_field(answer, "id", "?"));
		buf_str(&b, ": ");
		ctl_text_clean(&b, ctl_text_field(answer, "state", "?"));
	}
	puts(buf_text(&b));
	buf_clear(&b);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		send_print_field(answer, fields[i][0], fields[i][1]);
	if (json_object_get(answer, "expires_at") != NULL) {
		ctl_text_time(&b, ctl_text_field(answer, "expires_at", ""), true);
		printf("  %-10s %s\n", "expires", buf_text(&b));
	}
	buf_fini(&b);
}

static void send_pause(void)
{
	struct timespec t = {.tv_nsec = POLL_MS * 1000000L};

	nanosleep(&t, NULL);
}

/* Asks until the message has ended or the time is over, then prints the trace. */
static int send_follow(const struct ctl *c, const char *id, long wait_s)
{
	int64_t until_ms = clock_mono_ms(&clock_real) + wait_s * 1000;
	json_t *message = NULL;
	bool ended, arrived;
	int code;

	while ((code = ctl_trace_get(c, id, &message)) == CTL_DONE && !ctl_trace_ended(message) &&
	       clock_mono_ms(&clock_real) < until_ms) {
		json_decref(message);
		message = NULL;
		send_pause();
	}
	if (code != CTL_DONE)
		return code;
	ctl_trace_print(c, message);
	ended = ctl_trace_ended(message);
	arrived = ctl_trace_arrived(message);
	json_decref(message);
	if (!ended)
		fprintf(stderr, "kezekctl: still under way after %ld s; look again: kezekctl trace %s\n",
		    wait_s, id);
	return arrived ? CTL_DONE : CTL_FAILED;
}

static int send_do(const struct ctl *c, const struct send *s)
{
	json_t *answer = NULL;
	const char *id;
	int code = send_post(c, s, &answer);

	if (code != CTL_DONE)
		return code;
	id = ctl_text_field(answer, "id", NULL);
	if (s->wait_s > 0 && id != NULL)
		code = send_follow(c, id, s->wait_s);
	else
		send_print(c, answer);
	json_decref(answer);
	return code;
}

static int send_run(struct ctl *c, int argc, char **argv)
{
	struct send s = {.body = json_object(), .params = json_object()};
	int code = send_parse(c, &s, argc, argv);

	if (code < 0)
		code = send_do(c, &s);
	json_decref(s.body);
	json_decref(s.params);
	return code;
}

const struct ctl_command ctl_send_command = {
    .name = "send",
    .summary = "one message, and with --wait what became of it",
    .usage = "usage: kezekctl send --to NUMBER (--text TEXT | --template NAME [--param K=V]... [--language "
             "kk|ru|en])\n"
             "\n"
             "  --to NUMBER            +7 701 123 45 67, 8701..., 7701... or ten digits\n"
             "  --text TEXT            the text; - reads it from standard input\n"
             "  --template NAME        a text from the templates file\n"
             "  --param NAME=VALUE     a value of the template; once for each\n"
             "  --language kk|ru|en    the template's language\n"
             "  --class CLASS          code, notice (the default) or bulk\n"
             "  --sender NAME          instead of the operator's usual sender\n"
             "  --ref TEXT             client_ref, to find the message by\n"
             "  --expires-at TIME      RFC 3339; not sent after it\n"
             "  --dry-run              show text, segments and carrier; send nothing\n"
             "  --wait SECONDS         wait for the end and print the trace; 0 only when it was delivered\n"
             "  --idempotency-key KEY  to repeat a send whose answer was lost\n",
    .run = send_run,
};

/* kezekctl trace: first by id; what does not look like an id, or is none, is tried as the client's reference.
 */
#include "ctl_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/mem.h"
#include "ctl_client.h"
#include "ctl_table.h"
#include "ctl_text.h"

static int64_t trace_us(const json_t *event)
{
	return clock_parse_rfc3339(ctl_text_field(event, "at", ""));
}

static void trace_add_named(struct buf *b, const json_t *event, const char *field, const char *prefix)
{
	const json_t *value = json_object_get(event, field);

	if (value == NULL || json_is_null(value))
		return;
	if (b->len > 0)
		buf_str(b, ", ");
	buf_str(b, prefix);
	ctl_text_value(b, value);
}

/* "link kcell.1, operator's id 0A1B, DELIVRD, text of the operator" */
static void trace_add_rest(struct ctl_table *t, const json_t *event)
{
	struct buf b = {0};

	if (json_object_get(event, "link") != NULL)
		trace_add_named(&b, event, "link", "link ");
	else
		trace_add_named(&b, event, "carrier", "carrier ");
	trace_add_named(&b, event, "operator_id", "operator's id ");
	trace_add_named(&b, event, "status", "status ");
	trace_add_named(&b, event, "detail", "");
	ctl_table_take(t, &b);
}

static void trace_add_delta(struct ctl_table *t, int64_t before_us, int64_t us)
{
	struct buf b = {0};

	if (before_us >= 0 && us >= before_us) {
		buf_char(&b, '+');
		/* Both cut to the millisecond first, so that the shown times and steps add up. */
		ctl_text_duration(&b, us / 1000 - before_us / 1000);
	}
	ctl_table_take(t, &b);
}

static void trace_add_event(struct ctl_table *t, const json_t *event, int64_t before_us, bool date)
{
	struct buf b = {0};

	ctl_text_time(&b, ctl_text_field(event, "at", "?"), date);
	ctl_table_take(t, &b);
	trace_add_delta(t, before_us, trace_us(event));
	ctl_text_clean(&b, ctl_text_field(event, "event", "?"));
	ctl_table_take(t, &b);
	trace_add_named(&b, event, "part", "part ");
	ctl_table_take(t, &b);
	trace_add_rest(t, event);
}

/* Times of day are enough while all happened within one day. */
static bool trace_needs_date(const json_t *timeline)
{
	const json_t *first = json_array_get(timeline, 0);
	const json_t *last = json_array_get(timeline, json_array_size(timeline) - 1);

	return trace_us(last) - trace_us(first) >= 86400LL * 1000000;
}

static void trace_print_timeline(const json_t *timeline)
{
	struct ctl_table *t = ctl_table_new("lrlll", 2);
	bool date = trace_needs_date(timeline);
	int64_t first = -1, before = -1;
	struct buf b = {0};
	size_t i;
	json_t *event;

	json_array_foreach(timeline, i, event)
	{
		trace_add_event(t, event, before, date);
		before = trace_us(event);
		first = i == 0 ? before : first;
	}
	ctl_table_print(t);
	ctl_table_free(t);
	if (json_array_size(timeline) > 1 && first >= 0 && before >= first) {
		ctl_text_duration(&b, before / 1000 - first / 1000);
		printf("  in all %s\n", buf_text(&b));
	}
	buf_fini(&b);
}

static void trace_add_time(struct buf *b, const json_t *message, const char *field, const char *word)
{
	const char *at = ctl_text_field(message, field, "");

	if (*at == '\0')
		return;
	buf_printf(b, "%s%s ", b->len > 0 ? ", " : "", word);
	ctl_text_time(b, at, true);
}

static void trace_print_head(const json_t *message)
{
	struct buf b = {0};

	ctl_text_clean(&b, ctl_text_field(message, "id", "?"));
	printf("message %s: ", buf_text(&b));
	buf_clear(&b);
	ctl_text_clean(&b, ctl_text_field(message, "state", "?"));
	puts(buf_text(&b));
	buf_clear(&b);
	trace_add_named(&b, message, "to", "to ");
	trace_add_named(&b, message, "class", "class ");
	trace_add_named(&b, message, "segments", "segments ");
	trace_add_named(&b, message, "client_ref", "client_ref ");
	trace_add_named(&b, message, "code", "code ");
	trace_add_named(&b, message, "code_why", "sent as ");
	printf("  %s\n", buf_text(&b));
	buf_clear(&b);
	trace_add_time(&b, message, "accepted_at", "accepted");
	trace_add_time(&b, message, "expires_at", "expires");
	printf("  %s\n\n", buf_text(&b));
	buf_fini(&b);
}

void ctl_trace_print(const struct ctl *c, const json_t *message)
{
	if (c->json) {
		ctl_client_print(message);
		return;
	}
	trace_print_head(message);
	trace_print_timeline(json_object_get(message, "timeline"));
}

/* The states in which more can happen; see docs/openapi.yaml. */
bool ctl_trace_ended(const json_t *message)
{
	static const char *const open[] = {"accepted", "submitted"};
	const char *state = ctl_text_field(message, "state", "");

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		if (strcmp(state, open[i]) == 0)
			return false;
	}
	return true;
}

bool ctl_trace_arrived(const json_t *message)
{
	return strcmp(ctl_text_field(message, "state", ""), "delivered") == 0;
}

int ctl_trace_get(const struct ctl *c, const char *id, json_t **ret)
{
	char *path = mem_printf("/v1/messages/%s", id);
	struct ctl_question q = {.method = "GET", .path = path};
	int code = ctl_client_ask(c, &q, ret);

	free(path);
	return code;
}

static bool trace_is_id(const char *text)
{
	uint64_t id;

	return ids_parse(text, &id) == KZ_OK;
}

/* By id when there is such a message: true, with the exit code in *ret_code. */
static bool trace_by_id(const struct ctl *c, const char *id, int *ret_code)
{
	char *path = mem_printf("/v1/messages/%s", id);
	struct ctl_question q = {.method = "GET", .path = path};
	struct ctl_answer a = {0};
	bool found = true;

	*ret_code = ctl_client_call(c, &q, &a);
	free(path);
	if (*ret_code != CTL_DONE)
		return true;
	if (a.status == 200 && a.json != NULL)
		ctl_trace_print(c, a.json);
	else if (a.status == 404)
		found = false;
	else
		*ret_code = ctl_client_refused(c, &a);
	json_decref(a.json);
	return found;
}

/* The newest first; a reference need not be unique. */
static int trace_print_found(const struct ctl *c, const char *ref, const json_t *found)
{
	const json_t *messages = json_object_get(found, "messages");
	size_t i;
	json_t *message;

	if (c->json)
		ctl_client_print(found);
	if (json_array_size(messages) == 0) {
		fprintf(stderr, "kezekctl: no message has the id or client_ref '%s'\n", ref);
		return CTL_FAILED;
	}
	if (c->json)
		return CTL_DONE;
	json_array_foreach(messages, i, message)
	{
		if (i > 0)
			putchar('\n');
		ctl_trace_print(c, message);
	}
	return CTL_DONE;
}

static int trace_by_ref(const struct ctl *c, const char *ref)
{
	char *escaped = ctl_client_escape(ref);
	char *path = mem_printf("/v1/messages?client_ref=%s", escaped);
	struct ctl_question q = {.method = "GET", .path = path};
	json_t *found = NULL;
	int code = ctl_client_ask(c, &q, &found);

	if (code == CTL_DONE)
		code = trace_print_found(c, ref, found);
	json_decref(found);
	free(path);
	free(escaped);
	return code;
}

static int trace_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	if (argc - optind != 1 || *argv[optind] == '\0')
		return ctl_usage(c, "one message is expected: its id or its client_ref");
	if (trace_is_id(argv[optind]) && trace_by_id(c, argv[optind], &code))
		return code;
	return trace_by_ref(c, argv[optind]);
}

const struct ctl_command ctl_trace_command = {
    .name = "trace",
    .summary = "one message's timeline with milliseconds",
    .usage = "usage: kezekctl trace ID|CLIENT_REF\n",
    .run = trace_run,
};

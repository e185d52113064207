#include "smsc_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/stream.h"

/* An order's answer comes when its page does, so answers of a connection come in any order and bring the
 * order's id. What belongs to no order goes to all. */

#define OUT_MAX  (8 * 1024 * 1024)
#define STALL_MS 30000

struct caller {
	struct list_node node;
	struct smsc_control *control;
	struct stream *stream;
	uint64_t number;
	struct defer ending;
};

struct smsc_control {
	struct smsc_desk *desk;
	struct listener *listener;
	struct list callers;
	uint64_t next;
};

static void caller_free(struct caller *c)
{
	list_remove(&c->control->callers, &c->node);
	defer_cancel(&c->ending);
	stream_free(c->stream);
	free(c);
}

static void caller_on_end(void *arg)
{
	caller_free(arg);
}

/* Later: it may be in the middle of a line of this caller. */
static void caller_end(struct caller *c)
{
	loop_defer(c->control->desk->loop, &c->ending, caller_on_end, c);
}

/* Takes j over. */
static void caller_say(struct caller *c, json_t *j)
{
	char *line = json_dumps(j, JSON_COMPACT);
	struct buf out = {0};

	json_decref(j);
	if (!line)
		return;
	buf_printf(&out, "%s\n", line);
	free(line);
	if (stream_write(c->stream, out.data, out.len) != KZ_OK)
		caller_end(c);
	buf_fini(&out);
}

static struct caller *caller_of(const struct smsc_control *c, uint64_t number)
{
	list_each(&c->callers, n, next)
	{
		struct caller *e = list_entry(n, struct caller, node);

		if (e->number == number)
			return e;
	}
	return NULL;
}

static void control_answer(struct smsc_control *c, struct smsc_ticket t, json_t *j)
{
	struct caller *e = caller_of(c, t.connection);

	json_object_set_new(j, "id", json_integer(t.id));
	if (e)
		caller_say(e, j);
	else
		json_decref(j);
}

static void control_on_shown(void *arg, struct smsc_ticket t, const struct smsc_page *page, int64_t ms)
{
	json_t *j = smsc_page_json(page);

	json_object_set_new(j, "ms", json_integer(ms));
	control_answer(arg, t, j);
}

static void control_on_failed(void *arg, struct smsc_ticket t, const char *why)
{
	control_answer(arg, t, json_pack("{s:s}", "error", why));
}

static void control_on_unasked(void *arg, const struct smsc_page *page)
{
	struct smsc_control *c = arg;

	list_each(&c->callers, n, next)
	{
		json_t *j = smsc_page_json(page);

		json_object_set_new(j, "event", json_string("push"));
		caller_say(list_entry(n, struct caller, node), j);
	}
}

static const struct smsc_handset_events handset_events = {
    .shown = control_on_shown, .failed = control_on_failed, .unasked = control_on_unasked};

static bool order_kind(const char *word, enum smsc_order_kind *ret)
{
	static const char *const words[] = {[SMSC_ORDER_DIAL] = "dial",
	    [SMSC_ORDER_TYPE] = "type",
	    [SMSC_ORDER_REPEAT] = "repeat",
	    [SMSC_ORDER_CANCEL] = "cancel",
	    [SMSC_ORDER_HANG] = "hang",
	    [SMSC_ORDER_SILENT] = "silent"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i], word)) {
			*ret = (enum smsc_order_kind)i;
			return true;
		}
	return false;
}

/* NULL: it is done; else why not. */
static const char *control_order(
    struct smsc_control *c, const json_t *j, struct smsc_ticket ticket, struct smsc_order *o)
{
	const char *word = json_string_value(json_object_get(j, "do"));
	const char *text = json_string_value(json_object_get(j, "text"));
	const char *phone = json_string_value(json_object_get(j, "phone"));
	const char *system_id = json_string_value(json_object_get(j, "system_id"));

	*o = (struct smsc_order){.ticket = ticket,
	    .phone = phone ? phone : "",
	    .from = json_string_value(json_object_get(j, "from")),
	    .text = text ? text : "",
	    .system_id = system_id ? system_id : ""};
	if (!word || !order_kind(word, &o->kind))
		return "do is dial, type, repeat, cancel, hang or silent";
	return smsc_handsets_order(c->desk->handsets, o);
}

static void caller_line(struct caller *e, const char *line, size_t n)
{
	json_t *j = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	struct smsc_ticket ticket = {
	    .connection = e->number, .id = json_integer_value(json_object_get(j, "id"))};
	struct smsc_order o;
	const char *why =
	    json_is_object(j) ? control_order(e->control, j, ticket, &o) : "that is no object of JSON";

	if (why)
		control_on_failed(e->control, ticket, why);
	else if (o.kind != SMSC_ORDER_DIAL && o.kind != SMSC_ORDER_TYPE && o.kind != SMSC_ORDER_REPEAT)
		control_answer(e->control, ticket, json_pack("{s:b}", "ok", 1));
	json_decref(j);
}

static size_t caller_on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	struct caller *e = arg;
	const uint8_t *end;
	size_t used = 0;

	while ((end = memchr(bytes + used, '\n', len - used))) {
		caller_line(e, (const char *)bytes + used, (size_t)(end - bytes) - used);
		used = (size_t)(end - bytes) + 1;
	}
	return used;
}

static void caller_on_open(void *arg)
{
	(void)arg;
}

static void caller_on_close(void *arg, enum kz r, const char *reason)
{
	(void)r;
	(void)reason;
	caller_end(arg);
}

static const struct stream_events caller_events = {
    .on_open = caller_on_open, .on_bytes = caller_on_bytes, .on_close = caller_on_close};

static void control_on_connection(void *arg, int fd)
{
	struct smsc_control *c = arg;
	struct stream_options o = {
	    .open_ms = STALL_MS, .stall_ms = STALL_MS, .max_out = OUT_MAX, .max_in = SMSC_CONTROL_LINE};

	if (c->callers.count == SMSC_CONTROL_CONNECTIONS) {
		close(fd);
		return;
	}
	struct caller *e = mem_new(sizeof *e);
	e->control = c;
	e->number = ++c->next;
	list_append(&c->callers, &e->node);
	e->stream = stream_accept(c->desk->loop, fd, &o, &caller_events, e);
}

struct smsc_control *smsc_control_new(struct smsc_desk *d)
{
	struct smsc_control *c = mem_new(sizeof *c);
	char why[256], address[128];

	c->desk = d;
	list_init(&c->callers);
	d->handsets = smsc_handsets_new(d->loop, d->options, d->report, &handset_events, c);
	if (!*d->options->phones)
		return c;
	snprintf(address, sizeof address, "unix:%s", d->options->phones);
	if ((c->listener = listener_new(d->loop, address, control_on_connection, c, why)))
		return c;
	fprintf(stderr, "kezek-smsc: %s\n", why);
	smsc_control_free(c);
	return NULL;
}

void smsc_control_free(struct smsc_control *c)
{
	struct list_node *n;

	if (!c)
		return;
	listener_free(c->listener);
	while ((n = list_first(&c->callers)))
		caller_free(list_entry(n, struct caller, node));
	smsc_handsets_free(c->desk->handsets);
	c->desk->handsets = NULL;
	if (c->listener)
		unlink(c->desk->options->phones);
	free(c);
}

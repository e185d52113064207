/* kezekctl status: one screen for the person on duty, from what decides (ready or not, why) down to each
 * link. Counters of links are since the daemon's start. */
#include <stdio.h>
#include <string.h>

#include "ctl_client.h"
#include "ctl_table.h"
#include "ctl_text.h"

static const char *const lanes[] = {"code", "notice", "bulk"};

/* "up", or "down: why". */
static void status_print_store(const char *name, const json_t *store)
{
	const char *why = ctl_text_field(store, "why", "");
	struct buf b = {0};

	ctl_text_clean(&b, ctl_text_field(store, "state", "unknown"));
	if (*why != '\0') {
		buf_str(&b, ": ");
		ctl_text_clean(&b, why);
	}
	printf("%-10s %s\n", name, buf_text(&b));
	buf_fini(&b);
}

static void status_print_reasons(const json_t *reasons)
{
	struct buf b = {0};
	size_t i;
	json_t *reason;

	json_array_foreach(reasons, i, reason)
	{
		ctl_text_value(&b, reason);
		printf("  because %s\n", buf_text(&b));
		buf_clear(&b);
	}
	buf_fini(&b);
}

static void status_print_head(const json_t *s)
{
	struct buf b = {0};

	buf_str(&b, "kezekd ");
	ctl_text_clean(&b, ctl_text_field(s, "version", "?"));
	buf_printf(&b, ", pid %lld, up ", (long long)ctl_number_field(s, "pid"));
	ctl_text_age(&b, ctl_number_field(s, "uptime_s") * 1000);
	if (ctl_number_field(s, "slot") >= 0)
		buf_printf(&b, ", slot %lld", (long long)ctl_number_field(s, "slot"));
	buf_str(&b, json_is_true(json_object_get(s, "ready")) ? ": ready" : ": NOT READY");
	puts(buf_text(&b));
	buf_fini(&b);
	status_print_reasons(json_object_get(s, "reasons"));
	status_print_store("database", json_object_get(s, "database"));
	status_print_store("redis", json_object_get(s, "redis"));
}

static void status_print_rates(const json_t *rates)
{
	static const char *const names[] = {"accepted", "submitted", "receipts"};
	struct buf b = {0};
	char field[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(field, sizeof(field), "%s_per_s", names[i]);
		buf_printf(&b, "%s%s ", i > 0 ? ", " : "", names[i]);
		ctl_text_rate(&b, ctl_real_field(rates, field));
		buf_str(&b, "/s");
	}
	printf("%-10s %s\n", "rates", buf_text(&b));
	buf_fini(&b);
}

static void status_print_queue(const json_t *queue)
{
	const json_t *by_lane = json_object_get(queue, "lanes");
	struct ctl_table *t = ctl_table_new("lrr", 0);
	struct buf b = {0};

	ctl_table_cell(t, "%-10s", "queue");
	ctl_table_cell(t, "waiting");
	ctl_table_cell(t, "oldest");
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
		const json_t *lane = json_object_get(by_lane, lanes[i]);
		int64_t waiting = ctl_number_field(lane, "waiting");

		ctl_table_cell(t, "  %s", lanes[i]);
		ctl_table_cell(t, "%lld", (long long)waiting);
		if (waiting > 0)
			ctl_text_duration(&b, ctl_number_field(lane, "oldest_ms"));
		else
			buf_char(&b, '-');
		ctl_table_take(t, &b);
	}
	ctl_table_print(t);
	ctl_table_free(t);
}

static void status_add_text(struct ctl_table *t, const json_t *link, const char *field)
{
	struct buf b = {0};

	ctl_text_clean(&b, ctl_text_field(link, field, ""));
	ctl_table_take(t, &b);
}

/* "40/50": now and configured. */
static void status_add_rate(struct ctl_table *t, const json_t *link)
{
	struct buf b = {0};

	ctl_text_rate(&b, ctl_real_field(link, "rate_now"));
	buf_char(&b, '/');
	ctl_text_rate(&b, ctl_real_field(link, "rate"));
	ctl_table_take(t, &b);
}

static void status_add_link(struct ctl_table *t, const json_t *link)
{
	static const char *const counters[] = {"submitted", "refused", "receipts"};
	struct buf b = {0};

	status_add_text(t, link, "name");
	status_add_text(t, link, "state");
	ctl_text_age(&b, ctl_number_field(link, "state_ms"));
	ctl_table_take(t, &b);
	status_add_text(t, link, "bind");
	ctl_table_cell(t, "%lld/%lld", (long long)ctl_number_field(link, "window_used"),
	    (long long)ctl_number_field(link, "window_room"));
	status_add_rate(t, link);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		ctl_table_cell(t, "%lld", (long long)ctl_number_field(link, counters[i]));
	status_add_text(t, link, "peer");
	status_add_text(t, link, "reason");
}

static void status_print_links(const json_t *links)
{
	static const char *const heads[] = {"link", "state", "for", "bind", "window", "rate/s", "submitted",
	    "refused", "receipts", "peer", "last loss"};
	struct ctl_table *t = ctl_table_new("llrlrrrrrll", 2);
	size_t i;
	json_t *link;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		ctl_table_cell(t, "%s", heads[i]);
	json_array_foreach(links, i, link) status_add_link(t, link);
	ctl_table_print(t);
	ctl_table_free(t);
}

static void status_print_carrier(const json_t *carrier)
{
	const json_t *waiting = json_object_get(carrier, "waiting");
	struct buf b = {0};

	buf_str(&b, "\ncarrier ");
	ctl_text_clean(&b, ctl_text_field(carrier, "name", "?"));
	buf_str(&b, json_is_true(json_object_get(carrier, "up")) ? ": up; waiting: " : ": DOWN; waiting: ");
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		buf_printf(&b, "%s%s %lld", i > 0 ? ", " : "", lanes[i],
		    (long long)ctl_number_field(waiting, lanes[i]));
	puts(buf_text(&b));
	buf_fini(&b);
	status_print_links(json_object_get(carrier, "links"));
}

/* A daemon without endpoints says nothing of them. */
static void status_print_webhooks(const json_t *webhooks)
{
	int64_t up = ctl_number_field(webhooks, "up"), down = ctl_number_field(webhooks, "down");
	int64_t oldest_ms = ctl_number_field(webhooks, "oldest_ms");
	struct buf b = {0};

	if (up + down == 0)
		return;
	buf_printf(
	    &b, "webhooks   %lld up, %lld %s", (long long)up, (long long)down, down > 0 ? "DOWN" : "down");
	if (oldest_ms > 0) {
		buf_str(&b, "; the oldest end not told: ");
		ctl_text_age(&b, oldest_ms);
	}
	puts(buf_text(&b));
	buf_fini(&b);
}

static void status_print(const json_t *s)
{
	const json_t *carriers = json_object_get(s, "carriers");
	size_t i;
	json_t *carrier;

	status_print_head(s);
	status_print_rates(json_object_get(s, "rates"));
	status_print_webhooks(json_object_get(s, "webhooks"));
	status_print_queue(json_object_get(s, "queue"));
	json_array_foreach(carriers, i, carrier) status_print_carrier(carrier);
	if (json_array_size(carriers) == 0)
		puts("\nno carrier is configured: put a profile into the directory that the key operators "
		     "names");
}

static int status_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	struct ctl_question q = {.method = "GET", .path = "/control/status"};
	json_t *status = NULL;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	if (optind < argc)
		return ctl_usage(c, "no argument is expected, not '%s'", argv[optind]);
	if ((code = ctl_client_ask(c, &q, &status)) != CTL_DONE)
		return code;
	if (c->json)
		ctl_client_print(status);
	else
		status_print(status);
	json_decref(status);
	return CTL_DONE;
}

const struct ctl_command ctl_status_command = {
    .name = "status",
    .summary = "the daemon, its queues, carriers and links",
    .usage = "usage: kezekctl status\n",
    .run = status_run,
};

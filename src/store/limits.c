/* A question goes to Redis; what its script does not know is asked of PostgreSQL, and the script again.
 * Without Redis it goes to PostgreSQL and then to this process's memory. It stands in a line with a deadline,
 * by whom it waits for. What passed without Redis stands in PostgreSQL alone, perhaps from a process that is
 * gone: the first question after a start or an outage begins a new epoch in Redis, in which nothing counts as
 * known. To let Redis keep its own file was not taken: what that lacks after a crash are the last tries,
 * those of an attacker. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/limits_body.h"

#define REDIS_MS 200
#define LOOK_MS  2000

static const char *const limit_names[LIMITS] = {"none", "wait", "phone_hour", "phone_day", "resends_day",
    "prefix_hour", "key_minute", "address_hour", "day", "held", "locked", "tries"};

const char *limit_name(enum limit l)
{
	return limit_names[l];
}

static void line_on_due(struct limits_line *line, struct limits_op *o)
{
	struct limits *l = line->limits;

	if (line->place == OP_ASKING) {
		limits_redis_cancel(l->redis, o->ticket);
		limits_op_go_alone(o);
		return;
	}
	if (line->place == OP_LOOKING)
		limits_look_cancel(o);
	limits_op_finish(o, KZ_LOST, NULL);
}

static void line_on_timer(void *arg)
{
	struct limits_line *line = arg;
	int64_t now_ms = loop_now_ms(line->limits->loop);
	struct list_node *n;

	while ((n = list_first(&line->ops)) && list_entry(n, struct limits_op, node)->due_ms <= now_ms)
		line_on_due(line, list_entry(n, struct limits_op, node));
	limits_line_arm(line);
}

static void limits_make_metrics(struct limits *l)
{
	l->degraded = metric_gauge(
	    "kezek_limits_degraded", "1 when codes are limited without Redis, and fewer of them pass.", "");
	l->open = metric_gauge("kezek_limits_open", "Sends and tries of codes that are being judged.", "");
	l->looks = metric_counter("kezek_limits_looks_total",
	    "Sends and tries for which PostgreSQL was asked what Redis did not know.", "");
	l->remembered = metric_gauge("kezek_limits_remembered",
	    "Phones, prefixes, keys and addresses that this process counts in memory.", "");
	for (enum limit i = LIMIT_WAIT; i < LIMITS; i++) {
		char *labels = mem_printf("why=\"%s\"", limit_name(i));

		l->refused[i] =
		    metric_counter("kezek_codes_refused_total", "Refused sends and tries of codes.", labels);
		free(labels);
	}
}

struct limits *limits_new(struct loop *loop, struct pg *pg, struct redis *redis, const struct conf *c)
{
	static const int64_t waits[OP_PLACES] = {
	    [OP_ASKING] = REDIS_MS, [OP_LOOKING] = LOOK_MS, [OP_QUEUED] = LOOK_MS};
	struct limits *l = mem_new(sizeof *l);

	*l = (struct limits){.loop = loop, .conf = c, .away = true};
	l->redis = limits_redis_new(redis);
	l->memory = limits_memory_new();
	l->looking = limits_looks_new(loop, pg, limits_op_on_known);
	l->holds = limits_holds_new(loop, pg);
	for (enum op_place p = OP_ASKING; p < OP_PLACES; p++) {
		struct limits_line *line = &l->lines[p];

		*line = (struct limits_line){.limits = l, .place = p, .wait_ms = waits[p]};
		list_init(&line->ops);
		line->timer = timer_new(loop, line_on_timer, line);
	}
	limits_make_metrics(l);
	return l;
}

void limits_set_conf(struct limits *l, const struct conf *c)
{
	l->conf = c;
}

void limits_set_ahead(struct limits *l, int64_t ahead_ms)
{
	limits_redis_set_ahead(l->redis, ahead_ms);
}

void limits_on_redis(struct limits *l, bool up)
{
	l->away = l->away || up;
}

static enum kz limits_begin(struct limits *l, const struct limits_op *wanted)
{
	if (l->stopping || limits_open(l) >= LIMITS_OPEN)
		return KZ_BUSY;
	struct limits_op *o = mem_new(sizeof *o);
	*o = *wanted;
	limits_op_ask(o);
	metric_set(l->open, (double)limits_open(l));
	return KZ_OK;
}

enum kz limits_send(struct limits *l, const struct limits_send *s, limits_fn *done, void *arg)
{
	const struct limits_op o = {.limits = l, .kind = LIMITS_SEND, .send = *s, .done = done, .arg = arg};

	return limits_begin(l, &o);
}

enum kz limits_try(struct limits *l, const struct limits_try *t, limits_fn *done, void *arg)
{
	const struct limits_op o = {.limits = l, .kind = LIMITS_TRY, .try = *t, .done = done, .arg = arg};

	return limits_begin(l, &o);
}

void limits_tell_approvals(struct limits *l)
{
	unsigned n = l->approvals_n;

	l->approvals_n = 0;
	if (n && (!limits_redis_is_up(l->redis) ||
	             limits_redis_approved(l->redis, l->approvals, n, limits_on_told, l) != KZ_OK))
		l->away = true;
}

static void limits_on_round_over(void *arg)
{
	limits_tell_approvals(arg);
}

void limits_approved(struct limits *l, int64_t phone, uint32_t prefix)
{
	l->approvals[l->approvals_n++] = (struct limits_approval){phone, prefix};
	if (l->approvals_n == LIMITS_APPROVALS)
		limits_tell_approvals(l);
	else
		loop_defer(l->loop, &l->soon, limits_on_round_over, l);
}

void limits_lift(struct limits *l, enum hold_kind kind, int64_t subject, int64_t free_ms)
{
	if (kind == HOLD_PHONE)
		limits_memory_forgive(l->memory, subject, limits_wall_ms(l));
	const struct limits_lifted lifted = {kind, subject, free_ms};
	if (!limits_redis_is_up(l->redis) || limits_redis_lift(l->redis, &lifted, limits_on_told, l) != KZ_OK)
		l->away = true;
}

/* Nobody hears of it any more. */
static void op_cancel(struct limits_op *o)
{
	if (o->place == OP_ASKING)
		limits_redis_cancel(o->limits->redis, o->ticket);
	else if (o->place == OP_LOOKING)
		limits_look_cancel(o);
}

void limits_stop(struct limits *l)
{
	struct list_node *n;

	l->stopping = true;
	limits_tell_approvals(l);
	for (enum op_place p = OP_ASKING; p < OP_PLACES; p++)
		while ((n = list_first(&l->lines[p].ops))) {
			struct limits_op *o = list_entry(n, struct limits_op, node);

			op_cancel(o);
			if (l->day_op == o)
				l->day_op = NULL; /* nobody asks in its place */
			limits_op_finish(o, KZ_LOST, NULL);
		}
}

void limits_free(struct limits *l)
{
	struct list_node *n;

	if (!l)
		return;
	defer_cancel(&l->soon);
	for (enum op_place p = OP_ASKING; p < OP_PLACES; p++) {
		while ((n = list_take_first(&l->lines[p].ops))) {
			struct limits_op *o = list_entry(n, struct limits_op, node);

			op_cancel(o);
			limits_known_fini(&o->known);
			free(o);
		}
		timer_free(l->lines[p].timer);
	}
	limits_looks_free(l->looking);
	limits_holds_free(l->holds);
	limits_memory_free(l->memory);
	limits_redis_free(l->redis);
	free(l);
}

/* The way of one question, from its asker to Redis, to PostgreSQL and to this process's memory, and back. */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/limits_body.h"

/* Questions to Redis for one answer: it may be emptied meanwhile, and not have the script. */
#define ROUNDS 8

int64_t limits_wall_ms(const struct limits *l)
{
	return clock_wall_ms(loop_clock(l->loop));
}

size_t limits_open(const struct limits *l)
{
	size_t n = 0;

	for (enum op_place p = OP_ASKING; p < OP_PLACES; p++)
		n += l->lines[p].ops.count;
	return n;
}

void limits_line_arm(struct limits_line *line)
{
	struct list_node *n = list_first(&line->ops);
	int64_t left =
	    n ? list_entry(n, struct limits_op, node)->due_ms - loop_now_ms(line->limits->loop) : 0;

	if (n)
		timer_start(line->timer, left > 0 ? left : 0);
	else
		timer_stop(line->timer);
}

static void op_enter(struct limits_op *o, enum op_place next)
{
	static const uint8_t moves[OP_PLACES] = {
	    [OP_NOWHERE] = 1 << OP_ASKING | 1 << OP_LOOKING | 1 << OP_LOST,
	    [OP_ASKING] = 1 << OP_ASKING | 1 << OP_LOOKING | 1 << OP_QUEUED | 1 << OP_LOST | 1 << OP_NOWHERE,
	    [OP_LOOKING] = 1 << OP_ASKING | 1 << OP_LOOKING | 1 << OP_LOST | 1 << OP_NOWHERE,
	    [OP_QUEUED] = 1 << OP_ASKING | 1 << OP_LOOKING | 1 << OP_LOST | 1 << OP_NOWHERE,
	    [OP_LOST] = 1 << OP_NOWHERE,
	};
	struct limits *l = o->limits;
	struct limits_line *to = &l->lines[next];

	assert(moves[o->place] & 1 << next);
	if (o->place != OP_NOWHERE)
		list_remove(&l->lines[o->place].ops, &o->node);
	o->place = next;
	if (next == OP_NOWHERE)
		return;
	o->due_ms = loop_now_ms(l->loop) + to->wait_ms;
	list_append(&to->ops, &o->node);
	if (to->ops.count == 1)
		limits_line_arm(to);
}

static void limits_release_day(struct limits *l, const struct limits_op *o);

void limits_op_finish(struct limits_op *o, enum kz r, const struct limits_verdict *v)
{
	static const struct limits_verdict none;
	struct limits *l = o->limits;
	limits_fn *done = o->done;
	void *arg = o->arg;

	op_enter(o, OP_NOWHERE);
	limits_release_day(l, o);
	limits_known_fini(&o->known);
	free(o);
	metric_set(l->open, (double)limits_open(l));
	metric_set(l->remembered, (double)limits_memory_count(l->memory));
	if (r == KZ_REFUSED)
		metric_add(l->refused[v->limit], 1);
	done(arg, r, v ? v : &none);
}

static void op_look(struct limits_op *o, unsigned parts);

/* Tells of the outage once. */
static void limits_set_degraded(struct limits *l, bool degraded)
{
	if (degraded == (metric_value(l->degraded) > 0))
		return;
	metric_set(l->degraded, degraded);
	if (degraded)
		log_warn("limits", "codes are limited without Redis: fewer of them pass");
	else
		log_info("limits", "codes are limited by Redis again");
}

void limits_op_go_alone(struct limits_op *o)
{
	struct limits *l = o->limits;
	unsigned parts = o->kind == LIMITS_SEND ? UNKNOWN_PHONE | UNKNOWN_PREFIX : UNKNOWN_PHONE;

	o->alone = l->away = true;
	limits_set_degraded(l, true);
	if (o->kind == LIMITS_SEND && !l->day_op && !limits_memory_knows_day(l->memory, limits_wall_ms(l)))
		parts |= UNKNOWN_DAY;
	op_look(o, parts);
}

static void op_on_redis(void *arg, enum kz r, const struct redis_reply *reply);

void limits_on_told(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct limits *l = arg;

	/* Nobody says it again: what Redis did not take PostgreSQL is asked for, in a new epoch, and a script
	 * that was gone goes whole the next time. */
	if (r != KZ_OK) {
		limits_redis_is_new(l->redis, reply);
		l->away = true;
	}
}

void limits_op_ask(struct limits_op *o)
{
	struct limits *l = o->limits;

	limits_tell_approvals(l);
	if (o->rounds++ >= ROUNDS) {
		op_enter(o, OP_LOST);
		return;
	}
	if (limits_redis_is_up(l->redis) && l->away)
		l->away = limits_redis_forget(l->redis, limits_on_told, l) != KZ_OK;
	if (!limits_redis_is_up(l->redis) || l->away ||
	    limits_redis_ask(l->redis, o, l->conf, op_on_redis) != KZ_OK)
		limits_op_go_alone(o);
	else
		op_enter(o, OP_ASKING);
}

/* o looked for the day's count, or gave up: those behind it find it in Redis, or one of them looks. */
static void limits_release_day(struct limits *l, const struct limits_op *o)
{
	size_t n = l->lines[OP_QUEUED].ops.count;

	if (l->day_op != o)
		return;
	l->day_op = NULL;
	while (n-- > 0)
		limits_op_ask(list_entry(list_first(&l->lines[OP_QUEUED].ops), struct limits_op, node));
}

static void op_alone_judge(struct limits_op *o)
{
	struct limits *l = o->limits;
	struct limits_verdict v;
	enum kz r = o->kind == LIMITS_SEND ? limits_memory_send(l->memory, l->conf, o, limits_wall_ms(l), &v)
	                                   : limits_memory_try(l->memory, l->conf, o, limits_wall_ms(l), &v);

	limits_op_finish(o, r, &v);
}

void limits_op_on_known(struct limits_op *o, enum kz r)
{
	struct limits *l = o->limits;

	if (r != KZ_OK) {
		limits_op_finish(o, KZ_LOST, NULL);
	} else if (o->alone) {
		op_alone_judge(o);
	} else {
		limits_memory_add(l->memory, o->kind == LIMITS_SEND ? o->send.phone : o->try.phone,
		    limits_wall_ms(l), &o->known);
		limits_op_ask(o);
		limits_release_day(l, o);
	}
}

static void op_look(struct limits_op *o, unsigned parts)
{
	struct limits *l = o->limits;

	limits_look(l->looking, o, parts);
	metric_add(l->looks, 1);
	if (parts & UNKNOWN_DAY)
		l->day_op = o;
	op_enter(o, OP_LOOKING);
}

static void op_learn(struct limits_op *o, const struct limits_word *w)
{
	struct limits *l = o->limits;

	if (o->known.epoch != w->epoch)
		limits_known_fini(&o->known);
	o->known.epoch = w->epoch;
	if (w->unknown & UNKNOWN_DAY && l->day_op)
		op_enter(o, OP_QUEUED);
	else
		op_look(o, w->unknown);
}

/* A wrong try that Redis has counted. Sends are not: one too many after a crash is no guess. */
static bool op_is_noted(const struct limits_op *o, const struct limits_verdict *v)
{
	return o->kind == LIMITS_TRY && !o->try.right && o->try.code && !v->limit && !v->repeated;
}

static void op_conclude(struct limits_op *o, const struct limits_word *w)
{
	struct limits *l = o->limits;
	const struct limits_verdict v = {.limit = w->verdict.limit,
	    .after_ms = w->verdict.after_ms,
	    .left = o->kind == LIMITS_TRY ? w->verdict.left : 0,
	    .wait_ms = o->kind == LIMITS_SEND ? w->verdict.wait_ms : 0,
	    .repeated = w->verdict.repeated};

	limits_set_degraded(l, false);
	if (w->until_ms)
		limits_holds_add(l->holds, o, w);
	if (op_is_noted(o, &v))
		limits_memory_note(l->memory, &o->try, limits_wall_ms(l));
	limits_op_finish(o, v.limit ? KZ_REFUSED : KZ_OK, &v);
}

static void op_on_redis(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct limits_op *o = arg;
	struct limits_word w;

	if (r == KZ_REFUSED && limits_redis_is_new(o->limits->redis, reply))
		limits_op_ask(o);
	else if (r == KZ_OK && limits_redis_read(reply, &w) && w.unknown)
		op_learn(o, &w);
	else if (r == KZ_OK && limits_redis_read(reply, &w))
		op_conclude(o, &w);
	else {
		if (r != KZ_LOST)
			log_error("limits", "Redis does not run the scripts: %s", redis_text(reply, NULL));
		limits_op_go_alone(o);
	}
}

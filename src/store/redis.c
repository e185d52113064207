/* Commands stand in one line and are answered from its head. One that is late makes all behind it late, so
 * its deadline drops the connection: an own timer for each was not taken. The first command, AUTH or PING, is
 * what makes a connection ready. */
#include "store/redis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "store/redis_context.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 5000

enum redis_state { REDIS_DOWN, REDIS_DIALING, REDIS_UP };

struct redis_command {
	struct list_node node;
	uint64_t ticket;
	int64_t due_ms;
	redis_done_fn *done; /* NULL: cancelled, the slot keeps its turn */
	void *arg;
};

struct redis {
	struct loop *loop;
	struct redis_options options;
	char *address, *password;
	enum redis_state state;
	struct redis_context *context; /* NULL when down */
	struct timer *timer; /* down: next try; dialing: given up; up: first deadline, or the next PING */
	struct list sent;
	uint64_t last_ticket;
	unsigned failures;
	int64_t up_ms, asked_ms;
	void (*on_up)(void *arg, bool up);
	void *arg;
	bool told; /* the current outage stands in the log */
	char why[128];
	char refusal[128]; /* the first command's */
	struct metric *ok, *refused, *lost, *busy, *up, *pending;
};

static void redis_enter(struct redis *r, enum redis_state next)
{
	static const bool allowed[3][3] = {
	    [REDIS_DOWN] = {[REDIS_DIALING] = true},
	    [REDIS_DIALING] = {[REDIS_UP] = true, [REDIS_DOWN] = true},
	    [REDIS_UP] = {[REDIS_DOWN] = true},
	};

	assert(allowed[r->state][next]);
	r->state = next;
}

static void redis_answer(struct redis *r, struct redis_command *c, enum kz result, const redisReply *reply)
{
	metric_set(r->pending, (double)r->sent.count);
	metric_add(result == KZ_OK ? r->ok : result == KZ_REFUSED ? r->refused : r->lost, 1);
	if (c->done)
		c->done(c->arg, result, (const struct redis_reply *)reply);
	free(c);
}

static int64_t redis_backoff_ms(struct redis *r)
{
	int64_t most = r->failures < 7 ? INT64_C(2) * BACKOFF_MIN_MS << r->failures : BACKOFF_MAX_MS;

	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	r->failures++;
	return most / 2 + secret_uniform((uint32_t)(most / 2 + 1));
}

/* Not from an answer's callback. */
static void redis_lose(struct redis *r, const char *why)
{
	bool was_up = r->state == REDIS_UP;
	struct list_node *n;

	snprintf(r->why, sizeof r->why, "%s", why);
	redis_context_free(r->context);
	r->context = NULL;
	if (was_up && loop_now_ms(r->loop) - r->up_ms >= BACKOFF_MAX_MS)
		r->failures = 0;
	redis_enter(r, REDIS_DOWN);
	timer_start(r->timer, redis_backoff_ms(r));
	if (!r->told)
		log_warn("redis", "no connection why=\"%s\"", r->why);
	r->told = true;
	while ((n = list_take_first(&r->sent)))
		redis_answer(r, list_entry(n, struct redis_command, node), KZ_LOST, NULL);
	metric_set(r->up, 0);
	if (was_up && r->on_up)
		r->on_up(r->arg, false);
}

static void redis_arm(struct redis *r)
{
	struct list_node *n = list_first(&r->sent);
	int64_t at = r->asked_ms + r->options.silent_ms;
	int64_t left;

	if (n)
		at = list_entry(n, struct redis_command, node)->due_ms;
	left = at - loop_now_ms(r->loop);
	timer_start(r->timer, left > 0 ? left : 0);
}

/* Redis answers, but cannot serve: as good as absent, and the caller falls back in the same way. */
static bool redis_is_unable(const redisReply *reply)
{
	static const char *const starts[] = {
	    "LOADING ", "READONLY ", "MASTERDOWN ", "MISCONF ", "OOM ", "BUSY ", "NOAUTH ", "CLUSTERDOWN "};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncmp(reply->str, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static bool redis_on_reply(void *arg, const redisReply *reply)
{
	struct redis *r = arg;
	struct list_node *n = list_take_first(&r->sent);
	enum kz result = KZ_OK;

	assert(n); /* redis_context counts */
	if (reply->type == REDIS_REPLY_ERROR)
		result = redis_is_unable(reply) ? KZ_LOST : KZ_REFUSED;
	redis_answer(r, list_entry(n, struct redis_command, node), result, reply);
	if (r->state == REDIS_UP && r->sent.count == 0)
		redis_arm(r); /* its deadline is moot, the next PING is not */
	return r->state == REDIS_UP;
}

static void redis_on_gone(void *arg, const char *why)
{
	struct redis *r = arg;

	redis_lose(r, why[0] ? why : r->refusal);
}

static bool redis_put(
    struct redis *r, int argc, const char *const *argv, const size_t *lens, redis_done_fn *done, void *arg)
{
	struct redis_command *c;

	if (!redis_context_send(r->context, argc, argv, lens))
		return false;
	r->asked_ms = loop_now_ms(r->loop);
	c = mem_new(sizeof *c);
	*c = (struct redis_command){.ticket = ++r->last_ticket, .done = done, .arg = arg};
	c->due_ms = r->asked_ms + r->options.command_ms;
	list_append(&r->sent, &c->node);
	metric_set(r->pending, (double)r->sent.count);
	if (r->state == REDIS_UP && r->sent.count == 1)
		redis_arm(r);
	return true;
}

static void redis_on_hello(void *arg, enum kz result, const struct redis_reply *reply)
{
	struct redis *r = arg;

	if (!reply) /* the loss itself is being told */
		return;
	if (result != KZ_OK) {
		snprintf(r->refusal, sizeof r->refusal, "%s", redis_text(reply, NULL));
		return;
	}
	redis_enter(r, REDIS_UP);
	r->up_ms = loop_now_ms(r->loop);
	r->why[0] = '\0';
	r->told = false;
	redis_arm(r);
	metric_set(r->up, 1);
	log_info("redis", "connected");
	if (r->on_up)
		r->on_up(r->arg, true);
}

static void redis_on_pong(void *arg, enum kz result, const struct redis_reply *reply)
{
	(void)arg, (void)result, (void)reply; /* any answer shows life, none is noticed by the deadline */
}

static void redis_dial(struct redis *r)
{
	static const struct redis_context_events events = {redis_on_reply, redis_on_gone};
	const char *auth[] = {"AUTH", r->password}, *ping[] = {"PING"};
	bool has_password = r->password[0] != '\0';
	char why[128];

	redis_enter(r, REDIS_DIALING);
	timer_start(r->timer, r->options.connect_ms);
	r->context = redis_context_new(r->loop, r->address, &events, r, why);
	if (!r->context)
		redis_lose(r, why);
	else if (!redis_put(r, has_password ? 2 : 1, has_password ? auth : ping, NULL, redis_on_hello, r))
		redis_lose(r, "the first command cannot be sent");
}

static void redis_on_timer(void *arg)
{
	struct redis *r = arg;
	struct list_node *n = list_first(&r->sent);
	int64_t now = loop_now_ms(r->loop);

	if (r->state == REDIS_DOWN)
		redis_dial(r);
	else if (r->state == REDIS_DIALING)
		redis_lose(r, "connecting takes too long");
	else if (n && list_entry(n, struct redis_command, node)->due_ms <= now)
		redis_lose(r, "Redis does not answer in time");
	else if (n || now < r->asked_ms + r->options.silent_ms ||
	         !redis_put(r, 1, (const char *const[]){"PING"}, NULL, redis_on_pong, r))
		redis_arm(r);
}

struct redis *redis_new(
    struct loop *l, const struct redis_options *o, void (*on_up)(void *arg, bool up), void *arg)
{
	static const char name[] = "kezek_redis_commands_total", help[] = "Redis commands by their outcome.";
	struct redis *r = mem_new(sizeof *r);

	r->loop = l;
	r->options = *o;
	r->address = mem_str(o->address);
	r->password = mem_str(o->password ? o->password : "");
	r->on_up = on_up;
	r->arg = arg;
	r->ok = metric_counter(name, help, "result=\"ok\"");
	r->refused = metric_counter(name, help, "result=\"refused\"");
	r->lost = metric_counter(name, help, "result=\"lost\"");
	r->busy = metric_counter(name, help, "result=\"busy\"");
	r->pending = metric_gauge("kezek_redis_pending", "Redis commands that are not answered yet.", "");
	r->up = metric_gauge("kezek_redis_up", "1 when Redis is connected.", "");
	snprintf(r->why, sizeof r->why, "not connected yet");
	list_init(&r->sent);
	r->timer = timer_new(l, redis_on_timer, r);
	timer_start(r->timer, 0);
	return r;
}

void redis_free(struct redis *r)
{
	struct list_node *n;

	if (!r)
		return;
	redis_context_free(r->context);
	while ((n = list_take_first(&r->sent)))
		free(list_entry(n, struct redis_command, node));
	metric_set(r->up, 0);
	timer_free(r->timer);
	secret_wipe(r->password, strlen(r->password));
	free(r->password);
	free(r->address);
	free(r);
}

bool redis_is_up(const struct redis *r)
{
	return r->state == REDIS_UP;
}

const char *redis_why_down(const struct redis *r)
{
	return r->why;
}

enum kz redis_ask(struct redis *r, int argc, const char *const *argv, const size_t *lens, redis_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	if (r->state != REDIS_UP)
		return KZ_LOST;
	if (r->sent.count >= r->options.max_commands) {
		metric_add(r->busy, 1);
		return KZ_BUSY;
	}
	if (!redis_put(r, argc, argv, lens, done, arg))
		return KZ_LOST;
	if (ret_ticket)
		*ret_ticket = r->last_ticket;
	return KZ_OK;
}

void redis_cancel(struct redis *r, uint64_t ticket)
{
	list_each(&r->sent, n, next)
	{
		struct redis_command *c = list_entry(n, struct redis_command, node);

		if (c->ticket == ticket)
			c->done = NULL;
	}
}

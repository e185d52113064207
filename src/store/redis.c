/* hiredis frees its context by itself after an error, from inside the calls that we make into it, and may
 * call back while it does. So the context is never trusted with anything of ours: commands stand in our own
 * line and are answered from its head, hiredis gets the same callback for each, and the cleanup hook, which
 * it calls exactly once before it frees and before it closes the descriptor, is the one place where the
 * context is let go. All that follows from a loss (answers, state, back-off) runs afterwards, with hiredis
 * off the stack.
 *
 * hiredis looks names up by a blocking call, so only addresses and unix sockets are taken. */
#include "store/redis.h"

#include <assert.h>
#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "net/address.h"

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
	redisAsyncContext *context; /* NULL as soon as hiredis lets it go */
	struct watch *watch;
	bool reads, writes;  /* what hiredis wants watched */
	struct timer *timer; /* down: next try; dialing: given up; up: first deadline, or the next PING */
	struct list sent;
	uint64_t last_ticket;
	unsigned failures;
	int64_t up_ms, asked_ms;
	void (*on_up)(void *arg, bool up);
	void *arg;
	bool unwelcome; /* the first command was refused: to be dropped with hiredis off the stack */
	bool told;      /* the current outage stands in the log */
	char why[160];
	struct metric *ok, *refused, *lost, *up;
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

/* Only with hiredis off the stack. */
static void redis_lose(struct redis *r, const char *why)
{
	bool was_up = r->state == REDIS_UP;
	struct list_node *n;

	snprintf(r->why, sizeof r->why, "%s", why);
	if (r->context)
		redisAsyncFree(r->context);
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

/* What hiredis did in the call that just returned. */
static void redis_look(struct redis *r)
{
	char why[sizeof r->why];

	if (r->context && !r->unwelcome)
		return;
	memcpy(why, r->why, sizeof why);
	redis_lose(r, why[0] ? why : "the server closed the connection");
}

static void hooks_want(struct redis *r, bool reads, bool writes)
{
	r->reads = reads;
	r->writes = writes;
	if (r->watch)
		watch_set(r->watch, reads, writes);
}

static void hooks_add_read(void *arg)
{
	hooks_want(arg, true, ((struct redis *)arg)->writes);
}

static void hooks_del_read(void *arg)
{
	hooks_want(arg, false, ((struct redis *)arg)->writes);
}

static void hooks_add_write(void *arg)
{
	hooks_want(arg, ((struct redis *)arg)->reads, true);
}

static void hooks_del_write(void *arg)
{
	hooks_want(arg, ((struct redis *)arg)->reads, false);
}

static void hooks_cleanup(void *arg)
{
	struct redis *r = arg;

	if (r->context && r->context->c.err)
		snprintf(r->why, sizeof r->why, "%s", r->context->c.errstr);
	watch_free(r->watch);
	r->watch = NULL;
	r->context = NULL;
	r->reads = r->writes = false;
}

static void redis_on_event(void *arg, bool readable, bool writable)
{
	struct redis *r = arg;

	if (readable)
		redisAsyncHandleRead(r->context);
	if (writable && r->context)
		redisAsyncHandleWrite(r->context);
	redis_look(r);
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

/* The same for every command; reply NULL: hiredis empties its own line before it goes, ours is emptied after.
 */
static void redis_on_reply(redisAsyncContext *context, void *reply_, void *unused)
{
	struct redis *r = context->data;
	const redisReply *reply = reply_;
	enum kz result = KZ_OK;
	struct list_node *n;

	(void)unused;
	if (!reply || !(n = list_take_first(&r->sent)))
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		result = redis_is_unable(reply) ? KZ_LOST : KZ_REFUSED;
	redis_answer(r, list_entry(n, struct redis_command, node), result, reply);
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

/* False when hiredis will not take it. */
static bool redis_put(
    struct redis *r, int argc, const char *const *argv, const size_t *lens, redis_done_fn *done, void *arg)
{
	struct redis_command *c = mem_new(sizeof *c);
	size_t own_lens[8];

	assert(argc > 0 && (lens || argc <= 8));
	for (int i = 0; !lens && i < argc; i++)
		own_lens[i] = strlen(argv[i]);
	/* hiredis reads the words; it only lacks a const. */
	if (redisAsyncCommandArgv(r->context, redis_on_reply, NULL, argc, (const char **)(uintptr_t)argv,
	        lens ? lens : own_lens) != REDIS_OK) {
		free(c);
		return false;
	}
	r->asked_ms = loop_now_ms(r->loop);
	*c = (struct redis_command){.ticket = ++r->last_ticket, .done = done, .arg = arg};
	c->due_ms = r->asked_ms + r->options.command_ms;
	list_append(&r->sent, &c->node);
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
		snprintf(r->why, sizeof r->why, "%s", redis_text(reply, NULL));
		r->unwelcome = true;
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

static redisAsyncContext *redis_connect(const struct redis *r)
{
	struct address at;
	char host[ADDRESS_TEXT];

	if (strncmp(r->address, "unix:", 5) == 0)
		return redisAsyncConnectUnix(r->address + 5);
	if (!address_parse_pair(r->address, &at))
		return NULL;
	address_host_text(&at, host);
	return redisAsyncConnect(
	    host, ntohs(at.sa.sa_family == AF_INET6 ? at.in6.sin6_port : at.in.sin_port));
}

static void redis_dial(struct redis *r)
{
	const char *words[] = {"AUTH", r->password};

	redis_enter(r, REDIS_DIALING);
	timer_start(r->timer, r->options.connect_ms);
	r->unwelcome = false;
	r->context = redis_connect(r);
	if (!r->context || r->context->err) {
		redis_lose(
		    r, r->context ? r->context->errstr : "the address is neither unix:/path nor numeric");
		return;
	}
	r->context->data = r->context->ev.data = r;
	r->context->ev.addRead = hooks_add_read;
	r->context->ev.delRead = hooks_del_read;
	r->context->ev.addWrite = hooks_add_write;
	r->context->ev.delWrite = hooks_del_write;
	r->context->ev.cleanup = hooks_cleanup;
	r->watch = watch_new(r->loop, r->context->c.fd, redis_on_event, r);
	if (!r->password[0])
		words[0] = "PING";
	if (!redis_put(r, r->password[0] ? 2 : 1, words, NULL, redis_on_hello, r))
		redis_lose(r, "out of memory");
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
	if (r->context)
		redisAsyncFree(r->context);
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
	if (r->sent.count >= r->options.max_commands)
		return KZ_BUSY;
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

/* The scripts are linked in as their files are, each behind what they share. One is sent whole until Redis
 * has told its hash, and again when Redis was restarted: EVAL does what EVALSHA does, and Redis keeps the
 * script. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "store/limits_body.h"

#define SCRIPT(symbol, file)                                                                                 \
	__asm__(".pushsection .rodata\n" #symbol ":\n"                                                       \
	        ".incbin \"" KEZEK_LUA_DIR "/common.lua\"\n"                                                 \
	        ".incbin \"" KEZEK_LUA_DIR "/" file "\"\n"                                                   \
	        ".byte 0\n"                                                                                  \
	        ".popsection\n");                                                                            \
	extern const char symbol[]

SCRIPT(limits_lua_send, "send.lua");
SCRIPT(limits_lua_try, "try.lua");
SCRIPT(limits_lua_approved, "approved.lua");
SCRIPT(limits_lua_lift, "lift.lua");
SCRIPT(limits_lua_forget, "forget.lua");

enum script { SCRIPT_SEND, SCRIPT_TRY, SCRIPT_APPROVED, SCRIPT_LIFT, SCRIPT_FORGET, SCRIPTS };

static const char *const texts[SCRIPTS] = {
    limits_lua_send, limits_lua_try, limits_lua_approved, limits_lua_lift, limits_lua_forget};

struct limits_redis {
	struct redis *redis;
	int64_t ahead_ms;       /* of its clock */
	char hash[SCRIPTS][48]; /* "": Redis has not told it */
	bool asked[SCRIPTS];    /* for the hash */
	struct script_wish {
		struct limits_redis *owner;
		enum script script;
	} wishes[SCRIPTS];
};

#define WORDS 64

/* The words of one command. */
struct words {
	int n, keys;
	const char *word[WORDS];
	size_t len[WORDS];
	char room[1536];
	size_t used;
};

static void words_put(struct words *w, const char *text)
{
	w->word[w->n] = text;
	w->len[w->n++] = strlen(text);
}

__attribute__((format(printf, 2, 3))) static void words_say(struct words *w, const char *fmt, ...)
{
	va_list args;
	char *at = w->room + w->used;
	size_t left = sizeof w->room - w->used;

	va_start(args, fmt);
	int n = vsnprintf(at, left, fmt, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < left && w->n < WORDS);
	w->used += (size_t)n + 1;
	words_put(w, at);
}

static void words_int(struct words *w, int64_t v)
{
	words_say(w, "%" PRId64, v);
}

/* Room for the command, the script and the number of keys; the memory is the first key of all. */
static void words_start(struct words *w)
{
	w->n = 3;
	w->used = 0;
	words_put(w, "kezek:born");
}

/* Behind the last key. */
static void words_end_keys(struct words *w, const struct limits_redis *s)
{
	uint32_t nonce[2];

	w->keys = w->n - 3;
	words_int(w, s->ahead_ms);
	secret_random(nonce, sizeof nonce);
	words_int(w, 1 + ((int64_t)(nonce[0] & 0xfffff) << 32 | nonce[1])); /* a double holds it */
}

static void words_phone(struct words *w, int64_t phone)
{
	words_say(w, "kezek:p:%016" PRIx64, (uint64_t)phone);
}

static void words_prefix(struct words *w, uint32_t prefix)
{
	words_say(w, "kezek:g:%" PRIu32, prefix);
}

static void words_known(struct words *w, const struct limits_known *k, unsigned part, int first, int n)
{
	if (k->has & part)
		words_say(w, "%" PRIu64, k->epoch);
	else
		words_put(w, "");
	for (int i = first; i < first + n; i++)
		words_put(w, k->has & part ? k->text[i] : "");
}

static void script_on_hash(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct script_wish *wish = arg;
	size_t len = 0;
	const char *hash = r == KZ_OK ? redis_text(reply, &len) : "";

	wish->owner->asked[wish->script] = false;
	if (len > 0 && len < sizeof wish->owner->hash[0])
		snprintf(wish->owner->hash[wish->script], sizeof wish->owner->hash[0], "%s", hash);
}

static void script_ask_hash(struct limits_redis *s, enum script script)
{
	const char *const words[] = {"SCRIPT", "LOAD", texts[script]};

	if (!s->asked[script])
		s->asked[script] =
		    redis_ask(s->redis, 3, words, NULL, script_on_hash, &s->wishes[script], NULL) == KZ_OK;
}

static enum kz script_say(struct limits_redis *s, enum script script, bool whole, struct words *w,
    redis_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	char keys[12];
	const char *head[] = {whole ? "EVAL" : "EVALSHA", whole ? texts[script] : s->hash[script], keys};

	snprintf(keys, sizeof keys, "%d", w->keys);
	for (int i = 0; i < 3; i++) {
		w->word[i] = head[i];
		w->len[i] = strlen(head[i]);
	}
	return redis_ask(s->redis, w->n, w->word, w->len, done, arg, ret_ticket);
}

static enum kz script_run(struct limits_redis *s, enum script script, struct words *w, redis_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	bool whole = !s->hash[script][0];

	if (whole)
		script_ask_hash(s, script);
	return script_say(s, script, whole, w, done, arg, ret_ticket);
}

struct limits_redis *limits_redis_new(struct redis *redis)
{
	struct limits_redis *s = mem_new(sizeof *s);

	s->redis = redis;
	for (enum script i = 0; i < SCRIPTS; i++)
		s->wishes[i] = (struct script_wish){s, i};
	return s;
}

void limits_redis_free(struct limits_redis *s)
{
	free(s);
}

void limits_redis_set_ahead(struct limits_redis *s, int64_t ahead_ms)
{
	s->ahead_ms = ahead_ms;
}

bool limits_redis_is_up(const struct limits_redis *s)
{
	return s->redis && redis_is_up(s->redis);
}

static void words_send(struct words *w, const struct limits_send *s, const struct conf *c)
{
	const int64_t numbers[] = {s->resend, c->guard_phone_hour, c->guard_phone_day, c->codes_resends_day,
	    c->guard_prefix_hour, c->guard_key_minute, s->address ? c->guard_address_hour : 0, c->guard_day,
	    c->codes_wait_first_ms, c->codes_wait_second_ms, c->codes_wait_later_ms,
	    c->guard_conversion_sends, c->guard_conversion_percent, c->guard_hold_ms};

	words_say(w, "%016" PRIx64, (uint64_t)s->phone);
	words_int(w, s->token);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		words_int(w, numbers[i]);
}

static enum kz ask_send(
    struct limits_redis *s, struct limits_op *o, const struct conf *c, redis_done_fn *done)
{
	struct words w;

	words_start(&w);
	words_phone(&w, o->send.phone);
	words_prefix(&w, o->send.prefix);
	words_say(&w, "kezek:k:%" PRId32, o->send.api_key);
	words_say(&w, "kezek:a:%016" PRIx64, (uint64_t)o->send.address);
	words_put(&w, "kezek:day");
	words_end_keys(&w, s);
	words_send(&w, &o->send, c);
	words_known(&w, &o->known, UNKNOWN_PHONE, KNOWN_PHONE, 6);
	words_known(&w, &o->known, UNKNOWN_PREFIX, KNOWN_PREFIX, 5);
	words_known(&w, &o->known, UNKNOWN_DAY, KNOWN_DAY, 2);
	words_int(&w, o->send.look);
	return script_run(s, SCRIPT_SEND, &w, done, o, &o->ticket);
}

static enum kz ask_try(struct limits_redis *s, struct limits_op *o, const struct conf *c, redis_done_fn *done)
{
	const struct limits_try *t = &o->try;
	struct words w;

	words_start(&w);
	words_phone(&w, t->phone);
	words_say(&w, "kezek:c:%" PRIu64, t->code);
	words_end_keys(&w, s);
	words_say(&w, "%" PRIu64, t->code);
	words_int(&w, t->right);
	words_int(&w, t->tries);
	words_int(&w, t->wrong);
	words_int(&w, t->phone_wrong);
	words_int(&w, t->phone_wrong_ms);
	words_int(&w, t->token);
	words_int(&w, c->codes_failures);
	words_int(&w, c->codes_lock_ms);
	if (o->known.has & UNKNOWN_PHONE)
		words_known(&w, &o->known, UNKNOWN_PHONE, KNOWN_PHONE, 6);
	return script_run(s, SCRIPT_TRY, &w, done, o, &o->ticket);
}

enum kz limits_redis_ask(
    struct limits_redis *s, struct limits_op *o, const struct conf *c, redis_done_fn *done)
{
	return o->kind == LIMITS_SEND ? ask_send(s, o, c, done) : ask_try(s, o, c, done);
}

static int64_t reply_number(const struct redis_reply *r, size_t i)
{
	int64_t v = redis_int(redis_item(r, i));

	return v > 0 ? v : 0;
}

bool limits_redis_read(const struct redis_reply *reply, struct limits_word *ret)
{
	*ret = (struct limits_word){0};
	if (redis_count(reply) == 3 && redis_int(redis_item(reply, 0)) == -1) {
		ret->unknown =
		    (unsigned)reply_number(reply, 1) & (UNKNOWN_PHONE | UNKNOWN_PREFIX | UNKNOWN_DAY);
		ret->epoch = (uint64_t)reply_number(reply, 2);
		return ret->unknown != 0;
	}
	if (redis_count(reply) != 6 || reply_number(reply, 0) >= LIMITS)
		return false;
	ret->verdict = (struct limits_verdict){.limit = (enum limit)reply_number(reply, 0),
	    .after_ms = reply_number(reply, 1),
	    .left = (unsigned)reply_number(reply, 2),
	    .wait_ms = reply_number(reply, 2),
	    .repeated = reply_number(reply, 3) != 0};
	ret->since_ms = reply_number(reply, 4);
	ret->until_ms = reply_number(reply, 5);
	return true;
}

bool limits_redis_is_new(struct limits_redis *s, const struct redis_reply *reply)
{
	if (!reply || strncmp(redis_text(reply, NULL), "NOSCRIPT ", 9) != 0)
		return false;
	for (enum script i = 0; i < SCRIPTS; i++)
		s->hash[i][0] = '\0';
	return true;
}

enum kz limits_redis_approved(
    struct limits_redis *s, const struct limits_approval *all, unsigned n, redis_done_fn *done, void *arg)
{
	struct words w;

	words_start(&w);
	for (unsigned i = 0; i < n; i++) {
		words_phone(&w, all[i].phone);
		words_prefix(&w, all[i].prefix);
	}
	words_end_keys(&w, s);
	return script_run(s, SCRIPT_APPROVED, &w, done, arg, NULL);
}

/* These two go whole: nobody would ask again when the script were not there, and what is asked behind a new
 * epoch must not be judged by the old one. */
enum kz limits_redis_lift(
    struct limits_redis *s, const struct limits_lifted *lifted, redis_done_fn *done, void *arg)
{
	struct words w;

	words_start(&w);
	if (lifted->kind == HOLD_PREFIX)
		words_prefix(&w, (uint32_t)lifted->subject);
	else
		words_phone(&w, lifted->subject);
	words_end_keys(&w, s);
	words_int(&w, (int64_t)lifted->kind);
	words_int(&w, lifted->free_ms);
	return script_say(s, SCRIPT_LIFT, true, &w, done, arg, NULL);
}

enum kz limits_redis_forget(struct limits_redis *s, redis_done_fn *done, void *arg)
{
	struct words w;

	words_start(&w);
	words_end_keys(&w, s);
	return script_say(s, SCRIPT_FORGET, true, &w, done, arg, NULL);
}

void limits_redis_cancel(struct limits_redis *s, uint64_t ticket)
{
	redis_cancel(s->redis, ticket);
}

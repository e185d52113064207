/* A session is a hash: its revision, a number that its writer drew, and its octets, sealed for its id.
 * Drawn and not counted, so that one which began anew is never taken for the one that was read. The scripts
 * are short and go whole: Redis knows them by their text, and a restarted one needs no second question. */
#include "store/sessions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/secret.h"

#define SCRIPT(symbol, file)                                                                                 \
	__asm__(".pushsection .rodata\n" #symbol ":\n"                                                       \
	        ".incbin \"" KEZEK_LUA_DIR "/" file "\"\n"                                                   \
	        ".byte 0\n"                                                                                  \
	        ".popsection\n");                                                                            \
	extern const char symbol[]

SCRIPT(sessions_lua_put, "session_put.lua");
SCRIPT(sessions_lua_remove, "session_remove.lua");
SCRIPT(sessions_lua_due, "session_due.lua");

#define SESSIONS_DUE_MOST 256
#define WORD              32 /* octets of a number, an id or a key as text, with its NUL */

struct sessions_place {
	const char *prefix, *due, *domain;
	const char *claim_ms; /* a due one is an asker's for so long */
	uint64_t most;        /* with a due time; 0: any number */
};

static const struct sessions_place sessions_places[] = {
    [SESSIONS_OPEN] = {"kezek:u:", "kezek:ussd:due", "session", "60000", 0},
    [SESSIONS_OWED] = {"kezek:a:", "kezek:ussd:owed", "owed answer", "20000", SESSIONS_OWED_MOST},
};

struct sessions {
	struct redis *redis; /* NULL: none is configured */
	const struct keyring *keyring;
	const struct sessions_place *place;
	struct list open; /* struct sessions_quest */
};

/* One question on its way; freed by its answer, or with sessions. */
struct sessions_quest {
	struct list_node node;
	struct sessions *sessions;
	int64_t id;
	sessions_got_fn *got;
	sessions_done_fn *done;
	sessions_due_fn *due;
	void *arg;
};

struct sessions *sessions_new(struct redis *redis, const struct keyring *keyring, enum sessions_kind kind)
{
	struct sessions *s = mem_new(sizeof *s);

	s->redis = redis;
	s->keyring = keyring;
	s->place = &sessions_places[kind];
	list_init(&s->open);
	return s;
}

static void quest_free(struct sessions_quest *q)
{
	list_remove(&q->sessions->open, &q->node);
	free(q);
}

void sessions_free(struct sessions *s)
{
	if (!s)
		return;
	list_each(&s->open, n, next) quest_free(list_entry(n, struct sessions_quest, node));
	free(s);
}

static void word_id(char ret[WORD], int64_t id)
{
	snprintf(ret, WORD, "%016" PRIx64, (uint64_t)id);
}

static void word_key(const struct sessions *s, char ret[WORD], int64_t id)
{
	snprintf(ret, WORD, "%s%016" PRIx64, s->place->prefix, (uint64_t)id);
}

static void word_number(char ret[WORD], uint64_t n)
{
	snprintf(ret, WORD, "%" PRIu64, n);
}

/* Never 0: that stands for none. */
static uint64_t sessions_draw(void)
{
	uint64_t n;

	secret_random(&n, sizeof n);
	return n ? n : 1;
}

static enum kz sessions_ask(struct sessions *s, int argc, const char *const *argv, const size_t *lens,
    redis_done_fn *done, const struct sessions_quest *like)
{
	struct sessions_quest *q;

	if (!s->redis)
		return KZ_LOST;
	q = mem_new(sizeof *q);
	*q = *like;
	q->sessions = s;
	list_append(&s->open, &q->node);
	enum kz r = redis_ask(s->redis, argc, argv, lens, done, q, NULL);
	if (r != KZ_OK)
		quest_free(q);
	return r;
}

static void sessions_tell(const struct sessions_quest *q, const struct redis_reply *reply)
{
	struct buf clear = {.wiped = true};
	size_t len;
	uint64_t revision = strtoull(redis_text(redis_item(reply, 0), NULL), NULL, 10);
	const char *sealed = redis_text(redis_item(reply, 1), &len);
	enum kz r = len <= SESSIONS_OCTETS + KEYRING_OVERHEAD
	                ? keyring_open(q->sessions->keyring, q->sessions->place->domain, (uint64_t)q->id,
	                      sealed, len, &clear)
	                : KZ_TOO_LONG;

	q->got(q->arg, r == KZ_OK ? KZ_OK : KZ_NOT_FOUND, buf_text(&clear), clear.len, revision);
	buf_wipe(&clear);
}

static void sessions_on_got(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct sessions_quest *q = arg;

	if (r != KZ_OK || redis_count(reply) != 2)
		q->got(q->arg, KZ_LOST, "", 0, 0);
	else if (redis_is_nil(redis_item(reply, 0)))
		q->got(q->arg, KZ_NOT_FOUND, "", 0, 0);
	else
		sessions_tell(q, reply);
	quest_free(q);
}

enum kz sessions_get(struct sessions *s, int64_t id, sessions_got_fn *done, void *arg)
{
	char key[WORD];
	const char *const words[] = {"HMGET", key, "r", "b"};

	word_key(s, key, id);
	return sessions_ask(
	    s, 4, words, NULL, sessions_on_got, &(struct sessions_quest){.id = id, .got = done, .arg = arg});
}

static void sessions_on_done(void *arg, enum kz r, const struct redis_reply *reply)
{
	static const enum kz answers[] = {KZ_CONFLICT, KZ_OK, KZ_BUSY}; /* of the scripts */
	struct sessions_quest *q = arg;
	int64_t n = r == KZ_OK ? redis_int(reply) : -1;

	q->done(q->arg, n >= 0 && n < 3 ? answers[n] : KZ_LOST);
	quest_free(q);
}

enum kz sessions_put(struct sessions *s, int64_t id, uint64_t *revision, const void *bytes, size_t n,
    int64_t life_ms, int64_t due_ms, sessions_done_fn *done, void *arg)
{
	char key[WORD], member[WORD], was[WORD], is[WORD], life[WORD], due[WORD], most[WORD];
	struct buf sealed = {0};

	if (n > SESSIONS_OCTETS)
		return KZ_LOST;
	word_key(s, key, id);
	word_id(member, id);
	word_number(was, *revision);
	*revision = sessions_draw();
	word_number(is, *revision);
	word_number(life, (uint64_t)life_ms);
	word_number(due, (uint64_t)due_ms);
	word_number(most, s->place->most);
	keyring_seal(s->keyring, s->place->domain, (uint64_t)id, bytes, n, &sealed);
	const char *const words[] = {
	    "EVAL", sessions_lua_put, "2", key, s->place->due, was, is, sealed.data, life, due, member, most};
	size_t lens[sizeof words / sizeof *words];
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		lens[i] = words[i] == sealed.data ? sealed.len : strlen(words[i]);
	enum kz r = sessions_ask(s, sizeof words / sizeof *words, words, lens, sessions_on_done,
	    &(struct sessions_quest){.done = done, .arg = arg});
	buf_fini(&sealed);
	return r;
}

enum kz sessions_remove(struct sessions *s, int64_t id, uint64_t revision, sessions_done_fn *done, void *arg)
{
	char key[WORD], member[WORD], was[WORD];
	const char *const words[] = {"EVAL", sessions_lua_remove, "2", key, s->place->due, was, member};

	word_key(s, key, id);
	word_id(member, id);
	word_number(was, revision);
	return sessions_ask(
	    s, 7, words, NULL, sessions_on_done, &(struct sessions_quest){.done = done, .arg = arg});
}

static void sessions_on_due(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct sessions_quest *q = arg;
	int64_t ids[SESSIONS_DUE_MOST];
	size_t items = r == KZ_OK ? redis_count(reply) : 0, n = 0;

	for (; n + 1 < items && n < SESSIONS_DUE_MOST; n++)
		ids[n] = (int64_t)strtoull(redis_text(redis_item(reply, n + 1), NULL), NULL, 16);
	q->due(q->arg, items ? KZ_OK : KZ_LOST, ids, n, items ? (size_t)redis_int(redis_item(reply, 0)) : 0);
	quest_free(q);
}

enum kz sessions_due(struct sessions *s, size_t most, sessions_due_fn *done, void *arg)
{
	char count[WORD];
	const char *const words[] = {
	    "EVAL", sessions_lua_due, "1", s->place->due, count, s->place->claim_ms, s->place->prefix};

	word_number(count, most < SESSIONS_DUE_MOST ? most : SESSIONS_DUE_MOST);
	return sessions_ask(
	    s, 7, words, NULL, sessions_on_due, &(struct sessions_quest){.due = done, .arg = arg});
}

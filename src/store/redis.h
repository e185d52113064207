/* redis: one connection to Redis on the loop, that comes back by itself. Commands are answered in order, each
 * exactly once, within a deadline or not at all. With redis_context the only
 * home of hiredis. */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "net/loop.h"

struct redis;

/* One value of an answer. Valid during the callback. */
struct redis_reply;

/* KZ_OK the reply; KZ_REFUSED Redis said no, redis_text(reply) says why; KZ_LOST the connection broke, the
 * deadline passed (reply is NULL, and the command may or may not have happened), or Redis cannot serve now
 * (loading, read-only, out of memory; reply has its words). Exactly once, later. */
typedef void redis_done_fn(void *arg, enum kz r, const struct redis_reply *reply);

bool redis_is_nil(const struct redis_reply *r);
/* An integer, or a text that is one; 0 otherwise. */
int64_t redis_int(const struct redis_reply *r);
/* Text, status or error, NUL-terminated (it may hold NULs of its own); "" otherwise. ret_len may be NULL. */
const char *redis_text(const struct redis_reply *r, size_t *ret_len);
/* Items of an array, 0 for all else; i below that. */
size_t redis_count(const struct redis_reply *r);
const struct redis_reply *redis_item(const struct redis_reply *r, size_t i);

struct redis_options {
	const char *address;  /* "unix:/path" or numeric "host:port". Copied, as is the password. */
	const char *password; /* NULL or "": none */
	int64_t connect_ms;   /* until the connection is up, the password taken */
	/* Until a command's answer. When it passes, the connection is dropped: answers come in order, so all
	 * behind it are as late. */
	int64_t command_ms;
	int64_t silent_ms;   /* nothing asked for so long: PING, so that a dead peer is noticed */
	size_t max_commands; /* outstanding at most */
};

/* on_up: connected, or gone. NULL is fine. Connects at once, and again with back-off. */
struct redis *redis_new(
    struct loop *l, const struct redis_options *o, void (*on_up)(void *arg, bool up), void *arg);
/* Open commands are forgotten without a callback. Not from one of its callbacks. NULL is fine. */
void redis_free(struct redis *r);
bool redis_is_up(const struct redis *r);
/* Why there is no connection, one line without secrets; "" when up. */
const char *redis_why_down(const struct redis *r);

/* One command by its words; they may hold any octet, and are copied. lens NULL: all are NUL-terminated, and
 * at most 8. KZ_BUSY at max_commands, KZ_LOST when not connected: nothing was sent, done is not called. On
 * KZ_OK *ret_ticket (may be NULL) can cancel it. */
enum kz redis_ask(struct redis *r, int argc, const char *const *argv, const size_t *lens, redis_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;
/* done will not be called; the command may happen all the same. */
void redis_cancel(struct redis *r, uint64_t ticket);

#endif

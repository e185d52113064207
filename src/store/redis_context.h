/* redis_context: the life of one hiredis context on the loop. For the redis files of store/ only. */
#ifndef STORE_REDIS_CONTEXT_H
#define STORE_REDIS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <hiredis/hiredis.h>

#include "net/loop.h"

struct redis_context;

/* Both from the loop only. */
struct redis_context_events {
	/* One reply, in the order of the commands, and never more of them than commands. May send, may not
	 * free. False: no more of it, on_gone follows. */
	bool (*on_reply)(void *arg, const redisReply *reply);
	/* The end, once; the callee frees the context. why: "" after a false of on_reply. */
	void (*on_gone)(void *arg, const char *why);
};

/* address: "unix:/path" or numeric "host:port". Commands may be sent at once, the connection is made on the
 * way. NULL with the reason in why. */
struct redis_context *redis_context_new(
    struct loop *l, const char *address, const struct redis_context_events *events, void *arg, char why[128]);
/* False when hiredis will not take it. lens NULL: NUL-terminated words, at most 8. */
bool redis_context_send(struct redis_context *c, int argc, const char *const *argv, const size_t *lens);
/* Open commands are forgotten. NULL is fine. */
void redis_context_free(struct redis_context *c);

#endif

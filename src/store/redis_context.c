/* hiredis frees its context by itself after an error, from inside the calls that we make into it, and calls
 * back while it does. So nothing of ours hangs on it: every command has the same callback, and the cleanup
 * hook, called exactly once before it frees and before it closes the descriptor, is the one place where the
 * context is let go. What follows from the loss is told afterwards, with hiredis off the stack.
 *
 * hiredis looks names up by a blocking call, so only addresses and unix sockets are taken. */
#include "store/redis_context.h"

#include <assert.h>
#include <hiredis/async.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/address.h"

struct redis_context {
	redisAsyncContext *async; /* NULL as soon as hiredis lets it go */
	struct watch *watch;
	bool reads, writes; /* what hiredis wants watched */
	bool unwanted;      /* on_reply wants no more */
	const struct redis_context_events *events;
	void *arg;
	char why[128];
};

static void context_want(struct redis_context *c, bool reads, bool writes)
{
	c->reads = reads;
	c->writes = writes;
	if (c->watch)
		watch_set(c->watch, reads, writes);
}

static void context_add_read(void *arg)
{
	context_want(arg, true, ((struct redis_context *)arg)->writes);
}

static void context_del_read(void *arg)
{
	context_want(arg, false, ((struct redis_context *)arg)->writes);
}

static void context_add_write(void *arg)
{
	context_want(arg, ((struct redis_context *)arg)->reads, true);
}

static void context_del_write(void *arg)
{
	context_want(arg, ((struct redis_context *)arg)->reads, false);
}

static void context_cleanup(void *arg)
{
	struct redis_context *c = arg;

	snprintf(c->why, sizeof c->why, "%s",
	    c->async->c.err ? c->async->c.errstr : "the server closed the connection");
	watch_free(c->watch);
	c->watch = NULL;
	c->async = NULL;
}

static void context_on_event(void *arg, bool readable, bool writable)
{
	struct redis_context *c = arg;

	if (readable)
		redisAsyncHandleRead(c->async);
	if (writable && c->async)
		redisAsyncHandleWrite(c->async);
	if (!c->async || c->unwanted)
		c->events->on_gone(c->arg, c->unwanted ? "" : c->why);
}

/* reply NULL: hiredis empties its line before it goes. */
static void context_on_reply(redisAsyncContext *async, void *reply, void *unused)
{
	struct redis_context *c = async->data;

	(void)unused;
	if (reply && !c->unwanted)
		c->unwanted = !c->events->on_reply(c->arg, reply);
}

static redisAsyncContext *context_connect(const char *address)
{
	struct address at;
	char host[ADDRESS_TEXT];

	if (strncmp(address, "unix:", 5) == 0)
		return redisAsyncConnectUnix(address + 5);
	if (!address_parse_pair(address, &at))
		return NULL;
	address_host_text(&at, host);
	return redisAsyncConnect(
	    host, ntohs(at.sa.sa_family == AF_INET6 ? at.in6.sin6_port : at.in.sin_port));
}

struct redis_context *redis_context_new(
    struct loop *l, const char *address, const struct redis_context_events *events, void *arg, char why[128])
{
	redisAsyncContext *async = context_connect(address);
	struct redis_context *c;

	if (!async || async->err) {
		snprintf(
		    why, 128, "%s", async ? async->errstr : "the address is neither unix:/path nor numeric");
		if (async)
			redisAsyncFree(async);
		return NULL;
	}
	c = mem_new(sizeof *c);
	c->async = async;
	c->events = events;
	c->arg = arg;
	c->watch = watch_new(l, async->c.fd, context_on_event, c);
	async->data = async->ev.data = c;
	async->ev.addRead = context_add_read;
	async->ev.delRead = context_del_read;
	async->ev.addWrite = context_add_write;
	async->ev.delWrite = context_del_write;
	async->ev.cleanup = context_cleanup;
	return c;
}

bool redis_context_send(struct redis_context *c, int argc, const char *const *argv, const size_t *lens)
{
	size_t own_lens[8];

	assert(argc > 0 && (lens || argc <= 8));
	for (int i = 0; !lens && i < argc; i++)
		own_lens[i] = strlen(argv[i]);
	/* hiredis only reads the words, and lacks the const that would say so. */
	return c->async && redisAsyncCommandArgv(c->async, context_on_reply, NULL, argc,
	                       (const char **)(uintptr_t)argv, lens ? lens : own_lens) == REDIS_OK;
}

void redis_context_free(struct redis_context *c)
{
	if (!c)
		return;
	if (c->async)
		redisAsyncFree(c->async);
	free(c);
}

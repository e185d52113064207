/* Of hiredis the plain context is used, without its callbacks: its asynchronous one asserts that every reply
 * was asked for, which is the peer's word. Here a reply counts only when a command was written before it was
 * read; the first surplus one ends the connection, as the order is lost with it.
 *
 * hiredis keeps a reply until it is whole and makes room for an array as soon as its head tells the length.
 * So both are bounded for one reply: its octets, and the items of all its arrays; the depth it bounds by
 * itself.
 *
 * hiredis looks names up by a blocking call, so only addresses and unix sockets are taken. */
#include "store/redis_context.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/address.h"

#define REPLY_OCTETS_MAX ((size_t)1024 * 1024) /* and what one read brings */
#define REPLY_ITEMS_MAX  65536

struct redis_context {
	redisContext *hiredis;
	struct watch *watch;
	redisReplyObjectFunctions functions; /* hiredis' own, but for arrays */
	void *(*array_new)(const redisReadTask *task, int items);
	size_t put, written; /* commands not answered: still with us, and offered to the socket */
	size_t octets;       /* of the reply being read */
	int items;
	const struct redis_context_events *events;
	void *arg;
	char why[128];
};

static bool context_fail(struct redis_context *c, const char *why)
{
	snprintf(c->why, sizeof c->why, "%s", why);
	return false;
}

/* NULL is an error of the reader, and sticks. */
static void *context_array(const redisReadTask *task, int items)
{
	struct redis_context *c = task->privdata;

	if (items > REPLY_ITEMS_MAX - c->items) {
		context_fail(c, "an answer of too many items");
		return NULL;
	}
	c->items += items;
	return c->array_new(task, items);
}

/* False: the connection is of no more use. */
static bool context_take(struct redis_context *c, const redisReply *reply)
{
	c->octets = 0;
	c->items = 0;
	if (c->written == 0)
		return context_fail(c, "an answer to nothing that was asked");
	c->written--;
	return c->events->on_reply(c->arg, reply);
}

/* hiredis' reason, when ours is not known. */
static bool context_fail_there(struct redis_context *c)
{
	return c->why[0] ? false : context_fail(c, c->hiredis->errstr);
}

static bool context_read(struct redis_context *c)
{
	size_t len = c->hiredis->reader->len;
	void *reply;

	if (redisBufferRead(c->hiredis) != REDIS_OK)
		return context_fail_there(c);
	c->octets += c->hiredis->reader->len - len;
	for (;;) {
		bool goes_on;

		if (redisGetReplyFromReader(c->hiredis, &reply) != REDIS_OK)
			return context_fail_there(c);
		if (!reply)
			return c->octets <= REPLY_OCTETS_MAX || context_fail(c, "an answer too large");
		goes_on = context_take(c, reply);
		freeReplyObject(reply);
		if (!goes_on)
			return false;
	}
}

/* All that was put counts as written, even when the socket took only a part: the peer may have it. */
static bool context_write(struct redis_context *c)
{
	int done = 0;

	c->written += c->put;
	c->put = 0;
	if (redisBufferWrite(c->hiredis, &done) != REDIS_OK)
		return context_fail_there(c);
	if (done)
		watch_set(c->watch, true, false);
	return true;
}

static void context_on_event(void *arg, bool readable, bool writable)
{
	struct redis_context *c = arg;

	if ((readable && !context_read(c)) || (writable && !context_write(c)))
		c->events->on_gone(c->arg, c->why);
}

static redisContext *context_connect(const char *address)
{
	struct address at;
	char host[ADDRESS_TEXT];

	if (strncmp(address, "unix:", 5) == 0)
		return redisConnectUnixNonBlock(address + 5);
	if (!address_parse_pair(address, &at))
		return NULL;
	address_host_text(&at, host);
	return redisConnectNonBlock(
	    host, ntohs(at.sa.sa_family == AF_INET6 ? at.in6.sin6_port : at.in.sin_port));
}

/* The reader counts before it makes room. */
static void context_bound(struct redis_context *c)
{
	redisReader *reader = c->hiredis->reader;

	c->functions = *reader->fn;
	c->array_new = c->functions.createArray;
	c->functions.createArray = context_array;
	reader->fn = &c->functions;
	reader->privdata = c;
}

struct redis_context *redis_context_new(
    struct loop *l, const char *address, const struct redis_context_events *events, void *arg, char why[128])
{
	redisContext *hiredis = context_connect(address);
	struct redis_context *c;

	if (!hiredis || hiredis->err) {
		snprintf(why, 128, "%s",
		    hiredis ? hiredis->errstr : "the address is neither unix:/path nor numeric");
		redisFree(hiredis);
		return NULL;
	}
	c = mem_new(sizeof *c);
	c->hiredis = hiredis;
	c->events = events;
	c->arg = arg;
	context_bound(c);
	c->watch = watch_new(l, hiredis->fd, context_on_event, c);
	watch_set(c->watch, true, false);
	return c;
}

bool redis_context_send(struct redis_context *c, int argc, const char *const *argv, const size_t *lens)
{
	size_t own_lens[8];

	assert(argc > 0 && (lens || argc <= 8));
	for (int i = 0; !lens && i < argc; i++)
		own_lens[i] = strlen(argv[i]);
	/* hiredis only reads the words, and lacks the const that would say so. */
	if (redisAppendCommandArgv(
	        c->hiredis, argc, (const char **)(uintptr_t)argv, lens ? lens : own_lens) != REDIS_OK)
		return false;
	c->put++;
	watch_set(c->watch, true, true);
	return true;
}

void redis_context_free(struct redis_context *c)
{
	if (!c)
		return;
	watch_free(c->watch);
	redisFree(c->hiredis);
	free(c);
}

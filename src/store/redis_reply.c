/* Readers of Redis' answers: struct redis_reply is hiredis' redisReply under a name that needs no hiredis. */
#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "store/redis.h"

bool redis_is_nil(const struct redis_reply *r)
{
	return ((const redisReply *)r)->type == REDIS_REPLY_NIL;
}

const char *redis_text(const struct redis_reply *r, size_t *ret_len)
{
	const redisReply *reply = (const redisReply *)r;
	bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
	               reply->type == REDIS_REPLY_ERROR;

	if (ret_len)
		*ret_len = is_text ? reply->len : 0;
	return is_text ? reply->str : "";
}

int64_t redis_int(const struct redis_reply *r)
{
	const redisReply *reply = (const redisReply *)r;

	return reply->type == REDIS_REPLY_INTEGER ? reply->integer : strtoll(redis_text(r, NULL), NULL, 10);
}

size_t redis_count(const struct redis_reply *r)
{
	const redisReply *reply = (const redisReply *)r;

	return reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redis_reply *redis_item(const struct redis_reply *r, size_t i)
{
	assert(i < redis_count(r));
	return (const struct redis_reply *)((const redisReply *)r)->element[i];
}

/* codes_rig: verification codes of a test: kept with a message of their own, or put by the test's own hand.
 */
#ifndef TESTS_STORE_CODES_RIG_H
#define TESTS_STORE_CODES_RIG_H

#include "messages_rig.h"

#include "store/codes.h"

#define CODES_PHONE INT64_C(-7123456789)

/* What wish i brings with its message: the first sending of a code to CODES_PHONE by key 5, a minute good. */
static inline struct code_row code_row_of(const struct wishes *w, int i)
{
	struct code_row r = {.id = w->rows[i].id,
	    .message_id = w->rows[i].id,
	    .api_key = 5,
	    .phone = CODES_PHONE,
	    .prefix = 7701123,
	    .purpose = "login",
	    .language = 1,
	    .length = 6,
	    .tries = 5,
	    .n = 1,
	    .issue = 1,
	    .to = CODES_PHONE,
	    .at_us = store_wall_us(),
	    .expires_us = store_wall_us() + 60000000,
	    .key = 1};

	memset(r.mac, 0x5a, sizeof r.mac);
	return r;
}

/* A client with keys 5 and 6, and another one with key 7. */
static inline void codes_put_clients(struct store_rig *g)
{
	store_sql(g,
	    "insert into api_key (id, client, hash, scopes) overriding system value values"
	    " (5, 'portal', '5', '{codes}'), (6, 'portal', '6', '{codes}'), (7, 'clinic', '7', '{codes}')");
}

/* A code with its first sending. */
static inline void code_put(struct store_rig *g, uint64_t id, int api_key, const char *purpose, int left_s)
{
	store_sql(g,
	    "insert into code (id, api_key, phone, prefix, purpose, language, length, tries, given, sends, "
	    "resends, "
	    "issue, sent_at, expires_at, key, mac) values (%llu, %d, %lld, 7701123, '%s', 1, 6, 5, false, 1, "
	    "0, 1, "
	    "now(), now() + %d * interval '1 s', 1, '%s');"
	    "insert into code_send values (%llu, 1, 0, %llu, %lld, now())",
	    (unsigned long long)id, api_key, (long long)CODES_PHONE, purpose, left_s,
	    "0123456789abcdef0123456789abcdef", (unsigned long long)id, (unsigned long long)id,
	    (long long)CODES_PHONE);
}

static inline int code_verdict_of(struct store_rig *g, uint64_t id)
{
	return (int)store_int(g,
	    "select coalesce((select verdict from code_verdict where code_id = %llu), 0)",
	    (unsigned long long)id);
}

#endif

/* hooks_rig: endpoints, ended messages and what is read of them, for the programs that test webhooks'
 * storage. */
#ifndef TESTS_STORE_HOOKS_RIG_H
#define TESTS_STORE_HOOKS_RIG_H

#include "store_rig.h"

#include "store/hook_seal.h"
#include "store/hooks.h"
#include "store/tellings.h"

#define PORTAL 1 /* number of the key that store_put_message's messages are of */

struct hook_heard {
	int count;
	enum kz r;
	int32_t id;
};

static inline void hook_on_done(void *arg, enum kz r)
{
	struct hook_heard *h = arg;

	h->count++;
	h->r = r;
}

static inline void hook_on_added(void *arg, enum kz r, int32_t id)
{
	struct hook_heard *h = arg;

	hook_on_done(arg, r);
	h->id = id;
}

/* The client "portal" with key 1. */
static inline void portal_make(struct store_rig *g)
{
	store_sql(g, "insert into api_key (client, hash, scopes) values ('portal', 'x', '{}')");
	assert_int_equal(store_int(g, "select id from api_key"), PORTAL);
}

static const uint8_t hook_secret[HOOK_SECRET] = {1, 2, 3, 0, 255};

static inline struct hook_heard hook_add_as(struct store_rig *g, const char *client, int64_t wall_ms)
{
	struct hook_heard h = {0};

	assert_int_equal(hook_add(g->pg, g->keyring, client, "https://portal.example/x", hook_secret, wall_ms,
	                     hook_on_added, &h),
	    KZ_OK);
	assert_int_equal(h.count, 0);
	servers_await(g->loop, &h.count, 1);
	return h;
}

static inline int32_t hook_made(struct store_rig *g)
{
	const struct hook_heard h = hook_add_as(g, "portal", store_wall_us() / 1000);

	assert_int_equal(h.r, KZ_OK);
	return h.id;
}

#define HOOK_DID(g, call)                                                                                    \
	({                                                                                                   \
		struct hook_heard h = {0};                                                                   \
		assert_int_equal(call, KZ_OK);                                                               \
		assert_int_equal(h.count, 0);                                                                \
		servers_await((g)->loop, &h.count, 1);                                                       \
		h.r;                                                                                         \
	})

/* An end of the message at so many seconds of the test, under that number. */
static inline void end_put(struct store_rig *g, uint64_t id, int at_s, int kind, int state, uint64_t feed)
{
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, status, detail, feed) values "
	    "(%llu,"
	    " timestamptz '2026-01-01 00:00:00Z' + %d * interval '1 s', %d, true, %d, 'SAID', 'err 1', %llu)",
	    (unsigned long long)id, at_s, kind, state, (unsigned long long)feed);
}

/* An endpoint by the test's own hand. */
static inline void hook_put(struct store_rig *g, const char *client, const char *url)
{
	struct buf sealed = {0};
	char hex[2 * (HOOK_SECRET + KEYRING_OVERHEAD) + 1];

	hook_seal(g->keyring, client, url, hook_secret, &sealed);
	secret_hex(sealed.data, sealed.len, hex);
	store_sql(g, "insert into webhook (client, url, secret, since) values ('%s', '%s', '\\x%s', 0)",
	    client, url, hex);
	buf_fini(&sealed);
}

/* A code of the client's key whose first message has its id, and its send. */
static inline uint64_t code_put(struct store_rig *g, struct ids *ids)
{
	uint64_t id = store_put_message(g, ids, 1, 77011234567);

	store_sql(g,
	    "insert into code values (%llu, 1, null, 11, 7701123, 'login', 0, null, 6, 5, false, null, "
	    "'mine', 1, 0, 1, now(), now() + interval '5 min', 1, '');"
	    "insert into code_send values (%llu, 1, 0, %llu, 11, now())",
	    (unsigned long long)id, (unsigned long long)id, (unsigned long long)id);
	return id;
}

/* Its verdict at so many seconds of the test, under that number. */
static inline void verdict_put(struct store_rig *g, uint64_t id, int at_s, enum code_verdict v, uint64_t feed)
{
	store_sql(g,
	    "insert into code_verdict values (%llu, timestamptz '2026-01-01 00:00:00Z' + %d * interval '1 "
	    "s', %d,"
	    " null, %llu)",
	    (unsigned long long)id, at_s, v, (unsigned long long)feed);
}

#define EVENTS 64

struct pages {
	int count;
	enum kz r;
	size_t n, looked;
	uint64_t last;
	struct hook_event all[EVENTS]; /* without their texts */
	char clients[EVENTS][16];
	char text[128]; /* of the last: client_ref|purpose|status|detail */
};

static inline void pages_on_event(void *arg, const char *client, const struct hook_event *e)
{
	struct pages *p = arg;

	assert_true(p->n < EVENTS);
	snprintf(p->clients[p->n], sizeof p->clients[0], "%s", client);
	p->all[p->n++] = *e;
	snprintf(p->text, sizeof p->text, "%s|%s|%s|%s", e->client_ref, e->purpose, e->status, e->detail);
}

static inline void pages_on_done(void *arg, enum kz r, size_t looked, uint64_t last)
{
	struct pages *p = arg;

	p->count++;
	p->r = r;
	p->looked = looked;
	p->last = last;
}

static inline struct pages page_read_of(struct store_rig *g, const char *const clients[], size_t n,
    uint8_t slot, uint64_t after, uint64_t before, int most)
{
	const struct tellings_page page = {clients, n, slot, after, before, most};
	struct pages p = {0};
	uint64_t ticket;

	assert_int_equal(tellings_read(g->pg, &page, pages_on_event, pages_on_done, &p, &ticket), KZ_OK);
	assert_int_equal(p.count, 0);
	servers_await(g->loop, &p.count, 1);
	assert_int_equal(p.r, KZ_OK);
	return p;
}

static inline struct pages page_read(
    struct store_rig *g, const char *client, uint8_t slot, uint64_t after, uint64_t before, int most)
{
	return page_read_of(g, &client, 1, slot, after, before, most);
}

#endif

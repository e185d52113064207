/* limits_rig: two daemons' limits on one real Redis and one real PostgreSQL, asked one question at a time. */
#ifndef TESTS_STORE_LIMITS_RIG_H
#define TESTS_STORE_LIMITS_RIG_H

#include "store_rig.h"

#include "store/limits.h"

#define LIMITS_MINUTE_MS 60000LL
#define LIMITS_HOUR_MS   3600000LL

struct limits_rig {
	struct store_rig *store;
	struct redis *redis[2];
	struct limits_wire {
		struct limits_rig *rig;
		int i;
	} wires[2];
	struct limits *limits[2];
	struct conf conf;
	char address[128];
	int64_t ahead_ms; /* of the machine's clock */
	int ups, downs;
	long long redis_number; /* the answer to the last limits_redis */
	int redis_answers;
	uint64_t codes; /* the last id of the rig's own */
};

struct limits_said {
	int count;
	enum kz r;
	struct limits_verdict v;
};

static inline void limits_on_said(void *arg, enum kz r, const struct limits_verdict *v)
{
	struct limits_said *s = arg;

	s->count++;
	s->r = r;
	s->v = *v;
}

static inline void limits_on_up(void *arg, bool up)
{
	const struct limits_wire *wire = arg;
	struct limits_rig *g = wire->rig;

	if (g->limits[wire->i])
		limits_on_redis(g->limits[wire->i], up);
	if (up)
		g->ups++;
	else
		g->downs++;
}

static inline void limits_make(struct limits_rig *g, int i)
{
	const struct redis_options o = {.address = g->address,
	    .connect_ms = 5000,
	    .command_ms = 5000,
	    .silent_ms = 5000,
	    .max_commands = 10000};
	int ups = g->ups;

	g->wires[i] = (struct limits_wire){g, i};
	g->redis[i] = redis_new(g->store->loop, &o, limits_on_up, &g->wires[i]);
	servers_await(g->store->loop, &g->ups, ups + 1);
	g->limits[i] = limits_new(g->store->loop, g->store->pg, g->redis[i], &g->conf);
}

static inline void limits_unmake(struct limits_rig *g, int i)
{
	limits_free(g->limits[i]);
	redis_free(g->redis[i]);
	g->limits[i] = NULL;
	g->redis[i] = NULL;
}

static inline void limits_on_number(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct limits_rig *g = arg;

	assert_int_equal(r, KZ_OK);
	g->redis_number = redis_int(reply);
	g->redis_answers++;
}

static inline void limits_redis_say(struct limits_rig *g, int n, const char *const *words)
{
	int before = g->redis_answers;

	assert_int_equal(redis_ask(g->redis[0], n, words, NULL, limits_on_number, g, NULL), KZ_OK);
	servers_await(g->store->loop, &g->redis_answers, before + 1);
}

/* A script by the test's own hand. */
static inline long long limits_redis(struct limits_rig *g, const char *script)
{
	limits_redis_say(g, 3, (const char *const[]){"EVAL", script, "0"});
	return g->redis_number;
}

static inline void limits_redis_flush_scripts(struct limits_rig *g)
{
	limits_redis_say(g, 2, (const char *const[]){"SCRIPT", "FLUSH"});
}

/* Each epoch is another number. */
static inline long long limits_epoch(struct limits_rig *g)
{
	return limits_redis(g, "return tonumber(redis.call('HGET', 'kezek:born', 'e'))");
}

/* Makes it a replica, which takes no writes, or what it was. */
static inline void limits_redis_follow(struct limits_rig *g, const char *host, const char *port)
{
	limits_redis_say(g, 3, (const char *const[]){"REPLICAOF", host, port});
}

#define LIMITS_WITHOUT_TTL                                                                                   \
	"local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do"                                         \
	" if redis.call('TTL', k) < 0 then n = n + 1 end end return n"

static inline int limits_teardown(void **state)
{
	struct limits_rig *g = *state;
	void *store = g->store;

	limits_unmake(g, 0);
	limits_unmake(g, 1);
	free(g);
	return store_teardown(&store);
}

static inline void limits_forward(struct limits_rig *g, int64_t ms)
{
	store_wall_skip_us += ms * 1000;
	g->ahead_ms += ms;
	for (int i = 0; i < 2; i++)
		limits_set_ahead(g->limits[i], g->ahead_ms);
}

static inline struct limits_said limits_ask_send(struct limits_rig *g, int i, const struct limits_send *s)
{
	struct limits_said said = {0};

	assert_int_equal(limits_send(g->limits[i], s, limits_on_said, &said), KZ_OK);
	assert_int_equal(said.count, 0);
	servers_await(g->store->loop, &said.count, 1);
	return said;
}

static inline struct limits_said limits_ask_try(struct limits_rig *g, int i, const struct limits_try *t)
{
	struct limits_said said = {0};

	assert_int_equal(limits_try(g->limits[i], t, limits_on_said, &said), KZ_OK);
	assert_int_equal(said.count, 0);
	servers_await(g->store->loop, &said.count, 1);
	return said;
}

static inline int limits_setup(void **state)
{
	struct limits_rig *g = calloc(1, sizeof *g);
	void *store;

	store_setup(&store);
	g->store = store;
	store_sql(g->store, "delete from code; delete from code_send; delete from code_wrong;"
	                    " delete from code_verdict; delete from guard_hold");
	g->conf = (struct conf){.codes_failures = 10,
	    .codes_lock_ms = LIMITS_HOUR_MS,
	    .codes_resends = 5,
	    .codes_resends_day = 10,
	    .codes_wait_first_ms = 60000,
	    .codes_wait_second_ms = 120000,
	    .codes_wait_later_ms = 300000,
	    .guard_phone_hour = 8,
	    .guard_phone_day = 20,
	    .guard_prefix_hour = 100,
	    .guard_key_minute = 6000,
	    .guard_address_hour = 30,
	    .guard_day = 200000,
	    .guard_conversion_sends = 40,
	    .guard_conversion_percent = 10,
	    .guard_hold_ms = LIMITS_HOUR_MS};
	snprintf(g->address, sizeof g->address, "unix:%s/s/redis", servers_dir);
	for (int i = 0; i < 2; i++) {
		const struct limits_try nobody = {.tries = 5};

		limits_make(g, i);
		if (i == 0)
			limits_redis(g, "return redis.call('FLUSHALL') and 1");
		limits_ask_try(g, i, &nobody); /* begins its epoch: what follows stays in Redis */
	}
	*state = g;
	return 0;
}

/* To a phone of prefix 7701000 + phone / 10000. */
static inline struct limits_send limits_to(int64_t phone)
{
	return (struct limits_send){
	    .phone = phone, .prefix = (uint32_t)(7701000 + phone / 10000), .api_key = 1};
}

static inline struct limits_try limits_guess(uint64_t code, int64_t phone)
{
	return (struct limits_try){.code = code, .phone = phone, .tries = 5};
}

/* The rows that the caller of limits writes. */
static inline uint64_t limits_put_sent(struct limits_rig *g, int64_t phone, uint64_t code, int n)
{
	int64_t now_us = store_wall_us();

	if (!code)
		code = ids_floor(now_us / 1000) + ++g->codes;
	if (n == 1)
		store_sql(g->store,
		    "insert into code (id, api_key, phone, prefix, purpose, language, length, tries, given, "
		    "sends, resends, issue, sent_at, expires_at, key, mac) values (%llu, 1, %lld, %lld, "
		    "'login', 0, 6, 5, false, 1, 0, 1, now(), now() + interval '5 min', 1, '')",
		    (unsigned long long)code, (long long)phone, (long long)(7701000 + phone / 10000));
	store_sql(g->store,
	    "insert into code_send values (%llu, %d, %d, %llu, %lld, to_timestamp(%lld / 1e6))",
	    (unsigned long long)code, n, n > 1, (unsigned long long)code, (long long)phone,
	    (long long)now_us);
	return code;
}

static inline void limits_put_wrong(struct limits_rig *g, uint64_t code, int64_t phone)
{
	store_sql(g->store,
	    "insert into code_wrong (code_id, token, at, phone) values (%llu, 1, to_timestamp(%lld / 1e6), "
	    "%lld)",
	    (unsigned long long)code, (long long)store_wall_us(), (long long)phone);
}

static inline void limits_put_approved(struct limits_rig *g, uint64_t code)
{
	store_sql(g->store, "insert into code_verdict values (%llu, to_timestamp(%lld / 1e6), 1, null, 0)",
	    (unsigned long long)code, (long long)store_wall_us());
}

#define LIMITS_CASE(name) cmocka_unit_test_setup_teardown(name, limits_setup, limits_teardown)

#endif

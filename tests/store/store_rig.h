/* store_rig: a migrated database with its partitions, a pool on a loop whose clock can be put forward, and a
 * libpq connection of the test's own, beside the code under test, to look, to lock and to stage. */
#ifndef TESTS_STORE_STORE_RIG_H
#define TESTS_STORE_STORE_RIG_H

#include "servers.h"

#include <libpq-fe.h>

#include "base/ids.h"
#include "base/keyring.h"
#include "base/log.h"
#include "store/batch.h"
#include "store/feed.h"
#include "store/lease.h"
#include "store/migrate.h"
#include "store/partitions.h"
#include "store/person.h"
#include "store/pg.h"

#define STORE_DAY_US INT64_C(86400000000)

struct store_rig {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed; /* of slot 0, which store_hold_feed_slot makes the rig hold */
	int ups, downs;
	char conninfo[256];
	struct pg_options options;
	struct batch_limits limits;
	struct lease *lease;
	struct keyring *keyring; /* key 1 */
	PGconn *sql;
	char text[4096]; /* of the last answer */
};

static int64_t store_skip_us;
static int64_t store_wall_skip_us; /* of the wall clock alone, either way */

static inline int64_t store_mono_us(void)
{
	return clock_real.mono_us() + store_skip_us;
}

static inline int64_t store_wall_us(void)
{
	return clock_real.wall_us() + store_skip_us + store_wall_skip_us;
}

static const struct clock store_clock = {store_mono_us, store_wall_us};

static inline void store_on_up(void *arg, bool up)
{
	struct store_rig *g = arg;

	if (up)
		g->ups++;
	else
		g->downs++;
}

/* keys: lines of a keyring without the lookup key. */
static inline struct keyring *store_keyring(const char *keys)
{
	struct faults faults = {0};
	struct buf text = {0};

	buf_printf(&text, "lookup %064x\n%s", 1, keys);
	struct keyring *k = keyring_parse("keyring", text.data, text.len, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	buf_fini(&text);
	return k;
}

#define STORE_KEY "1 6b657a656b206b657a656b206b657a656b206b657a656b206b657a656b206b65\n"

static inline struct store_rig *store_rig_make(void)
{
	struct store_rig *g = calloc(1, sizeof *g);

	store_skip_us = store_wall_skip_us = 0;
	g->loop = loop_new(&store_clock);
	snprintf(g->conninfo, sizeof g->conninfo, "host=%s/s user=kezek dbname=kezek", servers_dir);
	g->options = (struct pg_options){.conninfo = g->conninfo,
	    .connections = 2,
	    .connect_ms = 5000,
	    .job_ms = 20000,
	    .statement_ms = 15000,
	    .max_jobs = 1000};
	g->limits = (struct batch_limits){.rows = 256, .wait_ms = 2, .in_flight = 2};
	g->lease = lease_new(g->loop);
	g->keyring = store_keyring(STORE_KEY);
	g->sql = PQconnectdb(g->conninfo);
	return g;
}

static inline void store_up(struct store_rig *g)
{
	g->pg = pg_new(g->loop, &g->options, store_on_up, g);
	servers_await_pool(g->loop, g->options.connections);
	feed_free(g->feed);
	g->feed = feed_new(g->loop, g->pg, g->lease);
	feed_set_slot(g->feed, 0, 0);
}

/* With a pool that gives jobs up soon. */
static inline void store_hasten(struct store_rig *g)
{
	feed_free(g->feed);
	g->feed = NULL;
	pg_free(g->pg);
	g->options.job_ms = 500;
	g->options.statement_ms = 100000;
	store_up(g);
}

/* Until of no number it is in doubt whether it is written. */
static inline void store_await_sure(struct store_rig *g)
{
	int64_t give_up = clock_real.mono_us() + 30000000;

	while (!feed_is_sure(g->feed)) {
		assert_true(clock_real.mono_us() < give_up);
		store_skip_us += 200000;
		loop_turn(g->loop, 20);
	}
}

static inline void store_rig_free(struct store_rig *g)
{
	feed_free(g->feed);
	pg_free(g->pg);
	lease_free(g->lease);
	keyring_free(g->keyring);
	loop_free(g->loop);
	PQfinish(g->sql);
	free(g);
}

/* The first value of the answer as text, "" for NULL and when there is none. Valid until the next. */
__attribute__((format(printf, 2, 3))) static inline const char *store_sql(
    struct store_rig *g, const char *fmt, ...)
{
	va_list args;
	PGresult *result;

	va_start(args, fmt);
	char *text = NULL;
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	if (!g->sql)
		g->sql = PQconnectdb(g->conninfo);
	result = PQexec(g->sql, text);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", text, PQerrorMessage(g->sql));
	snprintf(g->text, sizeof g->text, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	free(text);
	return g->text;
}

/* Kills the server, and the test's own connection with it. */
static inline void store_kill_pg(struct store_rig *g)
{
	servers_do("kill-pg");
	PQfinish(g->sql);
	g->sql = NULL;
}

#define store_int(...) strtoll(store_sql(__VA_ARGS__), NULL, 10)

/* Turns the loop until the question's answer is the number, 30 s at most. */
static inline void store_await_sql(struct store_rig *g, const char *question, long long number)
{
	int64_t give_up = clock_real.mono_us() + 30000000;

	while (store_int(g, "%s", question) != number) {
		if (clock_real.mono_us() > give_up)
			fail_msg("waited in vain for %lld: %s", number, question);
		loop_turn(g->loop, 5);
	}
}

#define STORE_WAITS_FOR_LOCK "select count(*) from pg_locks where not granted"

/* Some rounds: whatever is due now happens. */
static inline void store_settle(struct store_rig *g)
{
	for (int i = 0; i < 5; i++)
		loop_turn(g->loop, 1);
}

static inline void store_on_question(void *arg, enum kz r, const struct pg_reply *reply)
{
	int *answers = arg;

	(void)reply;
	assert_int_equal(r, KZ_OK);
	++*answers;
}

/* Every connection has answered what was sent before, cancelled jobs too: the questions, more than a batcher
 * has in flight, go to the connection with the fewest out, and each answers in order. */
static inline void store_drain(struct store_rig *g)
{
	static const struct pg_sql question = {"store_drain", "select 1", 0, NULL};
	int answers = 0;

	for (int i = 0; i < 8; i++) {
		struct pg_job *j = pg_job_new(g->pg, store_on_question, &answers);

		pg_job_add(j, &question, NULL);
		assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	}
	servers_await(g->loop, &answers, 8);
}

struct store_told {
	int count, version;
	enum kz r;
	char why[512];
};

static inline void store_on_migrated(void *arg, enum kz r, int version, const char *why)
{
	struct store_told *t = arg;

	t->count++;
	t->r = r;
	t->version = version;
	snprintf(t->why, sizeof t->why, "%s", why);
}

static inline void store_on_partitions(void *arg, enum kz r, const char *why)
{
	store_on_migrated(arg, r, 0, why);
}

static inline void store_migrate(struct store_rig *g)
{
	struct store_told t = {0};

	assert_int_equal(migrate_run(g->pg, store_on_migrated, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_string_equal(t.why, "");
	assert_int_equal(t.r, KZ_OK);
}

static inline void store_make_partitions(struct store_rig *g)
{
	const struct partitions_keep keep = {.messages_ms = 30LL * 86400000, .personal_ms = 7LL * 86400000};
	struct store_told t = {0};
	struct partitions *p = partitions_new(g->loop, g->pg, &keep, store_on_partitions, &t);

	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	partitions_free(p);
}

/* Group setup: servers, schema, partitions. Between the tests the tables are emptied. */
static inline int store_group_setup(void **state)
{
	struct store_rig *g;

	if (servers_setup(state))
		return -1;
	g = store_rig_make();
	store_up(g);
	store_migrate(g);
	store_make_partitions(g);
	store_rig_free(g);
	return 0;
}

static inline int store_setup(void **state)
{
	servers_clear();
	struct store_rig *g = store_rig_make();

	/* Not truncated: that costs a sync for each of the partitions. */
	store_sql(g,
	    "delete from message; delete from message_person; delete from message_event; delete from"
	    " idempotency; delete from slot; delete from receipt_waiting; delete from receipt_aside;"
	    " delete from code; delete from code_send; delete from code_wrong; delete from code_verdict;"
	    " delete from code_given; delete from guard_hold;"
	    " delete from notice; delete from watcher; delete from place_request; delete from referral; "
	    "delete from news; delete from "
	    "application;"
	    " delete from caller; delete from owed; delete from caller_try; delete from dialog; delete from "
	    "enrolment;"
	    " delete from vacancy; delete from play_group; delete from kindergarten; delete from district;"
	    " delete from import; delete from webhook; alter table webhook alter id restart;"
	    " truncate api_key restart identity");
	store_up(g);
	*state = g;
	return 0;
}

static inline int store_teardown(void **state)
{
	store_rig_free(*state);
	return 0;
}

/* Makes the slot the rig's own. */
static inline void store_hold_slot(struct store_rig *g, uint8_t slot)
{
	lease_take(g->lease, slot,
	    store_int(g,
	        "insert into slot (id, epoch) values (%d, 1) on conflict (id) do update set epoch = "
	        "slot.epoch + 1 returning epoch",
	        slot));
}

static inline void store_hold_feed_slot(struct store_rig *g)
{
	if (!lease_epoch(g->lease, (uint8_t)feed_slot(g->feed)))
		store_hold_slot(g, (uint8_t)feed_slot(g->feed));
}

static inline int64_t store_phone(const struct store_rig *g, uint64_t msisdn)
{
	return person_phone(g->keyring, (struct msisdn){msisdn});
}

/* Personal fields by the test's own hand, in the place of those that are there. */
static inline void store_put_person(struct store_rig *g, uint64_t id, const struct person *p)
{
	struct buf sealed = {0};
	char hex[1024], code[24] = "null";

	person_seal(g->keyring, id, p, &sealed);
	assert_true(2 * sealed.len < sizeof hex);
	secret_hex(sealed.data, sealed.len, hex);
	if (p->code.id)
		snprintf(code, sizeof code, "%llu", (unsigned long long)p->code.id);
	store_sql(g,
	    "insert into message_person values (%llu, %lld, %s, '\\x%s')"
	    " on conflict (id) do update set phone = excluded.phone, code = excluded.code, sealed = "
	    "excluded.sealed",
	    (unsigned long long)id, (long long)person_phone(g->keyring, p->to), code, hex);
	buf_fini(&sealed);
}

/* Those that stand; texts in room. */
static inline struct person store_person(struct store_rig *g, uint64_t id, struct buf *room)
{
	const char *hex = store_sql(
	    g, "select encode(sealed, 'hex') from message_person where id = %llu", (unsigned long long)id);
	struct buf sealed = {0};
	struct person p = {0};
	unsigned octet;

	for (; sscanf(hex, "%2x", &octet) == 1; hex += 2)
		buf_char(&sealed, (char)octet);
	assert_int_equal(person_open(g->keyring, id, sealed.data, sealed.len, room, &p), KZ_OK);
	buf_fini(&sealed);
	return p;
}

/* A message by the test's own hand. */
static inline uint64_t store_put_message(struct store_rig *g, struct ids *ids, int parts, uint64_t msisdn)
{
	uint64_t id = ids_next(ids, store_wall_us() / 1000);

	store_sql(g,
	    "insert into message values (%llu, 1, 1, %d, 0, 7, null, now() + interval '1 day', false, null)",
	    (unsigned long long)id, parts);
	store_put_person(g, id, &(struct person){.to = {msisdn}, .text = "Salem"});
	return id;
}

/* One event by the test's own hand, at so many seconds after the epoch of the test: part 0, carrier or id
 * NULL for none. */
static inline void store_put_event(struct store_rig *g, uint64_t id, int at_s, int kind, bool final,
    int state, int part, int parts, const char *carrier, const char *operator_id)
{
	store_sql(g,
	    "insert into message_event values (%llu, timestamptz '2026-01-01 00:00:00Z' + %d * interval '1 "
	    "s',"
	    " %d, %s, %d, nullif(%d, 0), nullif(%d, 0), nullif('%s', ''), null, nullif('%s', ''), null, "
	    "null)",
	    (unsigned long long)id, at_s, kind, final ? "true" : "false", state, part, parts,
	    carrier ? carrier : "", operator_id ? operator_id : "");
}

#define STORE_CASE(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

static inline int store_main(const char *group, const struct CMUnitTest *tests, size_t n)
{
	log_set_level(LOG_LEVEL_ERROR);
	return _cmocka_run_group_tests(group, tests, n, store_group_setup, servers_teardown);
}

#endif

/* sessions against a real Redis: two daemons' hands on one phone's session. */
#include "servers.h"

#include "base/keyring.h"
#include "base/log.h"
#include "store/sessions.h"

#define PHONE 42
#define LIFE  60000

struct rig {
	struct loop *loop;
	struct redis *redis;
	struct sessions *sessions, *owed;
	struct keyring *keyring;
	char address[128];
	int ups, downs, answers;
	enum kz r;
	char text[64];
	size_t n, all;
	uint64_t revision;
	int64_t phones[8];
	long long number;
};

static void rig_on_up(void *arg, bool up)
{
	struct rig *g = arg;

	if (up)
		g->ups++;
	else
		g->downs++;
}

static void rig_on_got(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision)
{
	struct rig *g = arg;

	g->answers++;
	g->r = r;
	g->n = n;
	g->revision = revision;
	snprintf(g->text, sizeof g->text, "%.*s", (int)n, (const char *)bytes);
}

static void rig_on_done(void *arg, enum kz r)
{
	struct rig *g = arg;

	g->answers++;
	g->r = r;
}

static void rig_on_due(void *arg, enum kz r, const int64_t *phones, size_t n, size_t all)
{
	struct rig *g = arg;

	g->answers++;
	g->r = r;
	g->n = n;
	g->all = all;
	memcpy(g->phones, phones, (n < 8 ? n : 8) * sizeof *phones);
}

static void rig_on_number(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct rig *g = arg;

	assert_int_equal(r, KZ_OK);
	g->number = redis_int(reply);
	g->answers++;
}

static enum kz rig_await(struct rig *g, enum kz r)
{
	if (r == KZ_OK)
		servers_await(g->loop, &g->answers, g->answers + 1);
	else
		g->r = r;
	return g->r;
}

static enum kz rig_get(struct rig *g, int64_t phone)
{
	return rig_await(g, sessions_get(g->sessions, phone, rig_on_got, g));
}

static enum kz rig_put(struct rig *g, uint64_t revision, const char *text, int64_t life_ms, int64_t drop_ms)
{
	return rig_await(g, sessions_put(g->sessions, PHONE, &revision, text, strlen(text), life_ms, drop_ms,
	                        rig_on_done, g));
}

static enum kz rig_due(struct rig *g)
{
	return rig_await(g, sessions_due(g->sessions, 8, rig_on_due, g));
}

static long long rig_redis(struct rig *g, const char *script)
{
	const char *const words[] = {"EVAL", script, "0"};

	rig_await(g, redis_ask(g->redis, 3, words, NULL, rig_on_number, g, NULL));
	return g->number;
}

static int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);
	struct faults faults = {0};
	struct buf keys = {0};

	buf_printf(&keys, "lookup %064x\n1 %064x\n", 1, 2);
	g->loop = loop_new(&clock_real);
	snprintf(g->address, sizeof g->address, "unix:%s/s/redis", servers_dir);
	const struct redis_options o = {.address = g->address,
	    .connect_ms = 5000,
	    .command_ms = 5000,
	    .silent_ms = 5000,
	    .max_commands = 100};
	g->redis = redis_new(g->loop, &o, rig_on_up, g);
	g->keyring = keyring_parse("keyring", keys.data, keys.len, &faults);
	g->sessions = sessions_new(g->redis, g->keyring, SESSIONS_OPEN);
	g->owed = sessions_new(g->redis, g->keyring, SESSIONS_OWED);
	servers_await(g->loop, &g->ups, 1);
	rig_redis(g, "redis.call('FLUSHALL') return 0");
	buf_fini(&keys);
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	redis_free(g->redis);
	sessions_free(g->sessions);
	sessions_free(g->owed);
	keyring_free(g->keyring);
	loop_free(g->loop);
	free(g);
	return 0;
}

static void put__read_by_another__same_octets_and_a_revision(void **state)
{
	struct rig *g = *state;

	assert_int_equal(rig_get(g, PHONE), KZ_NOT_FOUND);
	assert_int_equal(g->revision, 0);
	assert_int_equal(rig_put(g, 0, "first", LIFE, 0), KZ_OK);
	assert_int_equal(rig_get(g, PHONE), KZ_OK);
	assert_string_equal(g->text, "first");
	assert_int_not_equal(g->revision, 0);
	assert_int_equal(rig_get(g, PHONE + 1), KZ_NOT_FOUND);
}

static void put__two_with_one_revision__the_second_is_a_conflict(void **state)
{
	struct rig *g = *state;

	assert_int_equal(rig_put(g, 0, "a", LIFE, 0), KZ_OK);
	assert_int_equal(rig_put(g, 0, "b", LIFE, 0), KZ_CONFLICT);
	rig_get(g, PHONE);
	uint64_t read = g->revision;
	assert_int_equal(rig_put(g, read, "c", LIFE, 0), KZ_OK);
	assert_int_equal(rig_put(g, read, "d", LIFE, 0), KZ_CONFLICT);
	rig_get(g, PHONE);
	assert_string_equal(g->text, "c");
}

static void put__its_revision__is_the_next_to_be_put_with(void **state)
{
	struct rig *g = *state;
	uint64_t revision = 0;

	for (int i = 0; i < 2; i++)
		assert_int_equal(rig_await(g, sessions_put(g->sessions, PHONE, &revision, "a", 1, LIFE, 0,
		                                  rig_on_done, g)),
		    KZ_OK);
	rig_get(g, PHONE);
	assert_true(g->revision == revision);
}

static void put__too_many_are_owed__busy_but_for_those_that_are(void **state)
{
	struct rig *g = *state;
	uint64_t first = 0, next = 0;

	assert_int_equal(
	    rig_await(g, sessions_put(g->owed, 1, &first, "a", 1, LIFE, LIFE, rig_on_done, g)), KZ_OK);
	rig_redis(g, "for i = 2, 100000 do redis.call('ZADD', 'kezek:ussd:owed', 9e15, i) end return 1");
	assert_int_equal(
	    rig_await(g, sessions_put(g->owed, 2, &next, "a", 1, LIFE, LIFE, rig_on_done, g)), KZ_BUSY);
	assert_int_equal(
	    rig_await(g, sessions_put(g->owed, 1, &first, "b", 1, LIFE, LIFE, rig_on_done, g)), KZ_OK);
	assert_int_equal(rig_put(g, 0, "an open one", LIFE, LIFE), KZ_OK);
}

static void owed__of_the_same_number__is_another(void **state)
{
	struct rig *g = *state;
	uint64_t revision = 0;

	assert_int_equal(
	    rig_await(g, sessions_put(g->owed, PHONE, &revision, "owed", 4, LIFE, LIFE, rig_on_done, g)),
	    KZ_OK);
	assert_int_equal(rig_get(g, PHONE), KZ_NOT_FOUND);
	assert_int_equal(rig_redis(g, "return redis.call('COPY', 'kezek:a:000000000000002a',"
	                              " 'kezek:u:000000000000002a')"),
	    1);
	assert_int_equal(rig_get(g, PHONE), KZ_NOT_FOUND);
	rig_redis(g, "return redis.call('ZADD', 'kezek:ussd:owed', 1, '000000000000002a')");
	rig_due(g);
	assert_int_equal(g->n + g->all, 0);
	rig_await(g, sessions_due(g->owed, 8, rig_on_due, g));
	assert_int_equal(g->n, 1);
	assert_int_equal(g->all, 1);
	assert_int_equal(g->phones[0], PHONE);
}

static void remove__of_the_revision_alone__gone(void **state)
{
	struct rig *g = *state;

	rig_put(g, 0, "a", LIFE, 1);
	rig_get(g, PHONE);
	uint64_t read = g->revision;
	assert_int_equal(
	    rig_await(g, sessions_remove(g->sessions, PHONE, read + 1, rig_on_done, g)), KZ_CONFLICT);
	assert_int_equal(rig_await(g, sessions_remove(g->sessions, PHONE, read, rig_on_done, g)), KZ_OK);
	assert_int_equal(rig_get(g, PHONE), KZ_NOT_FOUND);
	assert_int_equal(rig_redis(g, "return redis.call('DBSIZE')"), 0);
}

static void session__of_another_phone__does_not_open(void **state)
{
	struct rig *g = *state;

	rig_put(g, 0, "a", LIFE, 0);
	assert_int_equal(rig_redis(g, "return redis.call('COPY', 'kezek:u:000000000000002a',"
	                              " 'kezek:u:000000000000002b')"),
	    1);
	assert_int_equal(rig_get(g, PHONE + 1), KZ_NOT_FOUND);
	assert_int_not_equal(g->revision, 0);
	assert_int_equal(g->n, 0);
}

static void session__past_its_life__none(void **state)
{
	struct rig *g = *state;

	rig_put(g, 0, "a", 1, 0);
	while (rig_get(g, PHONE) == KZ_OK)
		;
	assert_int_equal(g->r, KZ_NOT_FOUND);
	assert_int_equal(g->revision, 0);
}

static void session__at_rest__nothing_of_it_to_read(void **state)
{
	struct rig *g = *state;

	rig_put(g, 0, "000101100006", LIFE, 0);
	assert_int_equal(rig_redis(g, "local b = redis.call('HGET', 'kezek:u:000000000000002a', 'b')"
	                              " return string.find(b, '0001', 1, true) and 1 or 0"),
	    0);
}

static void due__its_time_has_passed__given_to_one_asker(void **state)
{
	struct rig *g = *state;

	rig_put(g, 0, "a", LIFE, LIFE);
	assert_int_equal(rig_due(g), KZ_OK);
	assert_int_equal(g->n, 0);
	rig_get(g, PHONE);
	rig_put(g, g->revision, "b", LIFE, 1);
	do
		rig_due(g);
	while (!g->n);
	assert_int_equal(g->n, 1);
	assert_int_equal(g->phones[0], PHONE);
	rig_due(g);
	assert_int_equal(g->n, 0);
	assert_int_equal(g->all, 1);
	assert_int_equal(rig_redis(g, "return redis.call('ZCARD', 'kezek:ussd:due')"), 1);
}

static void due__put_again_without_a_time__never(void **state)
{
	struct rig *g = *state;

	rig_put(g, 0, "a", LIFE, 1);
	rig_get(g, PHONE);
	rig_put(g, g->revision, "b", LIFE, 0);
	assert_int_equal(rig_redis(g, "return redis.call('ZCARD', 'kezek:ussd:due')"), 0);
}

static void due__its_session_is_gone__forgotten(void **state)
{
	struct rig *g = *state;

	rig_redis(g, "return redis.call('ZADD', 'kezek:ussd:due', 1, '000000000000002a')");
	rig_due(g);
	assert_int_equal(g->n, 0);
	assert_int_equal(rig_redis(g, "return redis.call('ZCARD', 'kezek:ussd:due')"), 0);
}

static void redis__none__lost_at_once(void **state)
{
	struct rig *g = *state;
	struct sessions *none = sessions_new(NULL, g->keyring, SESSIONS_OPEN);
	uint64_t revision = 0;

	assert_int_equal(sessions_get(none, PHONE, rig_on_got, g), KZ_LOST);
	assert_int_equal(sessions_put(none, PHONE, &revision, "a", 1, LIFE, 0, rig_on_done, g), KZ_LOST);
	assert_int_equal(sessions_remove(none, PHONE, 1, rig_on_done, g), KZ_LOST);
	assert_int_equal(sessions_due(none, 1, rig_on_due, g), KZ_LOST);
	sessions_free(none);
}

static void redis__dies_with_questions_out__each_is_lost(void **state)
{
	struct rig *g = *state;

	assert_int_equal(rig_put(g, 0, "a", LIFE, 0), KZ_OK);
	servers_do("kill-redis");
	assert_int_equal(rig_get(g, PHONE), KZ_LOST);
	servers_await(g->loop, &g->downs, 1);
	assert_int_equal(sessions_get(g->sessions, PHONE, rig_on_got, g), KZ_LOST);
	servers_do("restart-redis");
	servers_await(g->loop, &g->ups, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(put__read_by_another__same_octets_and_a_revision),
	    TEST(put__two_with_one_revision__the_second_is_a_conflict),
	    TEST(put__its_revision__is_the_next_to_be_put_with),
	    TEST(put__too_many_are_owed__busy_but_for_those_that_are),
	    TEST(owed__of_the_same_number__is_another),
	    TEST(remove__of_the_revision_alone__gone),
	    TEST(session__of_another_phone__does_not_open),
	    TEST(session__past_its_life__none),
	    TEST(session__at_rest__nothing_of_it_to_read),
	    TEST(due__its_time_has_passed__given_to_one_asker),
	    TEST(due__put_again_without_a_time__never),
	    TEST(due__its_session_is_gone__forgotten),
	    TEST(redis__none__lost_at_once),
	    TEST(redis__dies_with_questions_out__each_is_lost),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}

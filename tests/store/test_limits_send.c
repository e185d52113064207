/* sends: what each limit lets through, what a prefix may cost that never converts, and that a normal day is
 * left alone. */
#include "limits_rig.h"

#define PHONE 42

static struct limits_said send_one(struct limits_rig *g, int i, int64_t phone)
{
	const struct limits_send s = limits_to(phone);

	return limits_ask_send(g, i, &s);
}

/* So many pass at once, to phones of many prefixes or one of their own. */
static int send_until_refused(
    struct limits_rig *g, struct limits_send s, int64_t step, struct limits_said *ret)
{
	for (int passed = 0;; passed++) {
		*ret = limits_ask_send(g, passed % 2, &s);
		if (ret->r != KZ_OK)
			return passed;
		s.phone += step;
		s.prefix = (uint32_t)(7701000 + s.phone / 10000);
	}
}

static void spacing__without_approval__grows_and_an_approval_begins_it_anew(void **state)
{
	struct limits_rig *g = *state;
	static const int64_t waits[] = {60000, 120000, 300000, 300000};

	for (int i = 0; i < 4; i++) {
		struct limits_said s = send_one(g, i % 2, PHONE);

		assert_int_equal(s.r, KZ_OK);
		assert_int_equal(s.v.wait_ms, waits[i]);
		limits_put_sent(g, PHONE, 0, 1);
		s = send_one(g, (i + 1) % 2, PHONE);
		assert_int_equal(s.v.limit, LIMIT_WAIT);
		assert_in_range(s.v.after_ms, waits[i] - 30000, waits[i]);
		limits_forward(g, waits[i]);
	}
	limits_approved(g->limits[0], PHONE, 7701000);
	const struct limits_said s = send_one(g, 0, PHONE);
	assert_int_equal(s.r, KZ_OK);
	assert_int_equal(s.v.wait_ms, 60000);
}

static void phone__within_an_hour_and_a_day__as_many_as_configured(void **state)
{
	struct limits_rig *g = *state;
	int passed = 0;
	enum limit limit = LIMIT_NONE;

	g->conf.codes_wait_first_ms = g->conf.codes_wait_second_ms = g->conf.codes_wait_later_ms = 1;
	for (int hour = 0; hour < 3; hour++) {
		struct limits_said s;

		do {
			limits_forward(g, 1000);
			s = send_one(g, passed % 2, PHONE);
			if (s.r == KZ_OK)
				limits_put_sent(g, PHONE, 0, 1);
			passed += s.r == KZ_OK;
			limit = s.v.limit;
		} while (s.r == KZ_OK);
		assert_int_equal(passed, hour < 2 ? 8 * (hour + 1) : 20);
		assert_true(s.v.after_ms > 0);
		if (hour < 2) {
			assert_int_equal(limit, LIMIT_PHONE_HOUR);
			limits_forward(g, s.v.after_ms + 60000);
		}
	}
	assert_int_equal(limit, LIMIT_PHONE_DAY);
}

static void resends__within_a_day__as_many_as_configured(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(PHONE);

	g->conf.codes_resends_day = 2;
	s.resend = true;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
		limits_forward(g, 300000);
	}
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_RESENDS_DAY);
	s.resend = false;
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
}

static void prefix_key_address_and_day__each_full__its_own_refusal(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said;
	struct limits_send s = limits_to(10000);

	g->conf.guard_prefix_hour = 20;
	assert_int_equal(send_until_refused(g, s, 1, &said), 20);
	assert_int_equal(said.v.limit, LIMIT_PREFIX_HOUR);
	assert_in_range(said.v.after_ms, LIMITS_HOUR_MS - 60000, LIMITS_HOUR_MS + 10 * LIMITS_MINUTE_MS);
	s = limits_to(1000000);
	s.api_key = 2;
	g->conf.guard_key_minute = 15;
	assert_int_equal(send_until_refused(g, s, 10000, &said), 15);
	assert_int_equal(said.v.limit, LIMIT_KEY_MINUTE);
	s = limits_to(2000000);
	s.api_key = 3;
	s.address = -9;
	assert_int_equal(send_until_refused(g, s, 10000, &said), 15);
	g->conf.guard_key_minute = 6000;
	s = limits_to(3000000);
	s.address = -9;
	assert_int_equal(send_until_refused(g, s, 10000, &said), 15);
	assert_int_equal(said.v.limit, LIMIT_ADDRESS_HOUR);
	g->conf.guard_day = 70;
	assert_int_equal(send_until_refused(g, limits_to(4000000), 10000, &said), 5);
	assert_int_equal(said.v.limit, LIMIT_DAY);
}

static void send__refused_by_one_limit__counted_by_none(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said;

	g->conf.guard_prefix_hour = 1;
	assert_int_equal(send_until_refused(g, limits_to(10000), 1, &said), 1);
	for (int i = 0; i < 30; i++)
		assert_int_equal(send_one(g, i % 2, 10002).v.limit, LIMIT_PREFIX_HOUR);
	g->conf.guard_prefix_hour = 100;
	g->conf.guard_day = 2;
	assert_int_equal(send_one(g, 0, 10002).r, KZ_OK);
}

static void send__same_token_again__passes_and_is_counted_once(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(PHONE);

	s.token = -5;
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	limits_put_sent(g, PHONE, 0, 1);
	limits_ask_send(g, 1, &s);
	g->conf.guard_day = 3;
	for (int i = 0; i < 10; i++) {
		const struct limits_said said = limits_ask_send(g, i % 2, &s);

		if (i == 0 && said.r != KZ_OK)
			fail_msg("refused: %s", limit_name(said.v.limit));
		assert_true(said.v.repeated);
	}
	s.token = 5;
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_WAIT);
}

static void pumping__thousand_numbers_of_one_prefix__at_most_fifty_sends(void **state)
{
	struct limits_rig *g = *state;
	int passed = 0;

	for (int i = 0; i < 1000; i++) {
		const struct limits_said s = send_one(g, i % 2, 10000 + i);

		passed += s.r == KZ_OK;
		if (s.r == KZ_OK)
			limits_put_sent(g, 10000 + i, 0, 1);
		if (passed == 50 && s.r != KZ_OK)
			assert_int_equal(s.v.limit, LIMIT_HELD);
	}
	assert_int_equal(passed, 50);
	store_await_sql(g->store,
	    "select count(*) from guard_hold where kind = 1 and subject = 7701001 and shown = '+7701001xxxx'",
	    1);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(send_one(g, 0, 11500).v.limit, LIMIT_HELD);
}

static void pumping__slowly__held_at_forty_and_a_few_an_hour_later(void **state)
{
	struct limits_rig *g = *state;
	int passed = 0, later = 0;

	send_one(g, 0, 1);
	send_one(g, 1, 2);
	for (int i = 0; i < 1000 && send_one(g, i % 2, 10000 + i).r == KZ_OK; i++) {
		passed++;
		limits_forward(g, 2 * LIMITS_MINUTE_MS);
	}
	assert_in_range(passed, 40, 45);
	limits_forward(g, LIMITS_HOUR_MS + 1);
	for (int i = 0; i < 1000 && send_one(g, i % 2, 20000 - i - 1).r == KZ_OK; i++)
		later++;
	assert_int_equal(later, 10);
}

static void lift__of_a_prefix_until_a_time__not_held_before_it(void **state)
{
	struct limits_rig *g = *state;
	int64_t free_ms;
	int i = 0;

	while (send_one(g, i % 2, 10000 + i).r == KZ_OK)
		limits_put_sent(g, 10000 + i++, 0, 1);
	store_await_sql(g->store, "select count(*) from guard_hold", 1);
	free_ms = store_wall_us() / 1000 + 2 * LIMITS_HOUR_MS;
	store_sql(g->store,
	    "update guard_hold set lifted_at = now(), lifted_by = 'x', free_until = to_timestamp(%lld / 1e3)",
	    (long long)free_ms);
	limits_lift(g->limits[0], HOLD_PREFIX, 7701001, free_ms);
	for (int k = 0; k < 30; k++)
		assert_int_equal(send_one(g, k % 2, 15000 + k).r, KZ_OK);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(send_one(g, 0, 16000).r, KZ_OK);
	limits_forward(g, 2 * LIMITS_HOUR_MS + 1000);
	i = 0;
	while (send_one(g, i % 2, 17000 + i).r == KZ_OK)
		i++;
	assert_in_range(i, 0, 50);
}

static void clock__of_a_daemon_a_day_ahead__freezes_nothing(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said said;
	struct limits_send s = limits_to(10000);

	g->conf.guard_prefix_hour = 5;
	store_wall_skip_us += 24 * LIMITS_HOUR_MS * 1000;
	assert_int_equal(send_until_refused(g, s, 1, &said), 5);
	store_wall_skip_us -= 24 * LIMITS_HOUR_MS * 1000;
	s.phone += 20;
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_PREFIX_HOUR);
	limits_forward(g, LIMITS_HOUR_MS + 15 * LIMITS_MINUTE_MS);
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
}

static void redis__emptied_between_sends__renews_nothing(void **state)
{
	struct limits_rig *g = *state;
	struct limits_said s;
	int passed = 0;

	g->conf.guard_phone_hour = 4;
	g->conf.guard_prefix_hour = 12;
	for (int i = 0; i < 30; i++) {
		limits_redis(g, "return redis.call('FLUSHALL') and 1");
		s = send_one(g, i % 2, PHONE);
		if (s.r == KZ_OK)
			limits_put_sent(g, PHONE, 0, 1);
		passed += s.r == KZ_OK;
		limits_forward(g, s.v.limit == LIMIT_WAIT ? s.v.after_ms : s.v.wait_ms);
	}
	assert_int_equal(s.v.limit, LIMIT_PHONE_HOUR);
	assert_int_equal(passed, 4);
	for (int i = 0; i < 30; i++) {
		limits_redis(g, "return redis.call('FLUSHALL') and 1");
		s = send_one(g, i % 2, PHONE + 1 + i);
		if (s.r == KZ_OK)
			limits_put_sent(g, PHONE + 1 + i, 0, 1);
		passed += s.r == KZ_OK;
	}
	assert_int_equal(s.v.limit, LIMIT_PREFIX_HOUR);
	assert_int_equal(passed, 12);
	g->conf.guard_day = 13;
	assert_int_equal(send_one(g, 0, 50000).r, KZ_OK);
	limits_put_sent(g, 50000, 0, 1);
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(send_one(g, 0, 60000).v.limit, LIMIT_DAY);
}

static void redis__emptied__an_approval_is_still_known(void **state)
{
	struct limits_rig *g = *state;

	assert_int_equal(send_one(g, 0, PHONE).r, KZ_OK);
	limits_put_approved(g, limits_put_sent(g, PHONE, 0, 1));
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(send_one(g, 0, PHONE).r, KZ_OK);
}

/* Of a pair the second phone is asked about before the first one is counted. */
static void look__whether_it_would_pass_behind_another__counts_nothing(void **state)
{
	struct limits_rig *g = *state;
	struct limits_send s = limits_to(PHONE);

	s.look = true;
	g->conf.guard_prefix_hour = g->conf.guard_day = 2;
	for (int i = 0; i < 5; i++)
		assert_int_equal(limits_ask_send(g, i % 2, &s).r, KZ_OK);
	assert_int_equal(send_one(g, 0, PHONE + 1).r, KZ_OK);
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_PREFIX_HOUR);
	g->conf.guard_prefix_hour = 100;
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_DAY);
	g->conf.guard_day = 3;
	assert_int_equal(limits_ask_send(g, 0, &s).r, KZ_OK);
	assert_int_equal(send_one(g, 0, PHONE).r, KZ_OK);
	assert_int_equal(limits_ask_send(g, 0, &s).v.limit, LIMIT_WAIT);
}

static void put_rescued(struct limits_rig *g, uint64_t code, int n, int64_t phone)
{
	store_sql(g->store,
	    "insert into code_send select code_id, %d, 2, message_id + %d, %lld, at from code_send"
	    " where code_id = %llu and n = 1",
	    n, n, (long long)phone, (unsigned long long)code);
}

/* A rescue that went to another phone than the code's is one that this phone had; to its own it is not. */
static void redis__emptied__what_rescues_brought_to_a_second_phone_is_known(void **state)
{
	struct limits_rig *g = *state;

	for (int i = 0; i < 3; i++) {
		uint64_t code = limits_put_sent(g, 100 + i, 0, 1);

		put_rescued(g, code, 2, 100 + i);
		put_rescued(g, code, 3, PHONE);
	}
	limits_redis(g, "return redis.call('FLUSHALL') and 1");
	assert_int_equal(send_one(g, 0, PHONE).v.limit, LIMIT_WAIT);
	limits_forward(g, 300000);
	g->conf.guard_phone_hour = 3;
	assert_int_equal(send_one(g, 0, PHONE).v.limit, LIMIT_PHONE_HOUR);
	g->conf.guard_phone_hour = 2; /* one, and the one that passes now */
	assert_int_equal(send_one(g, 0, 100).r, KZ_OK);
	g->conf.guard_day = 7;
	assert_int_equal(send_one(g, 0, 200).v.limit, LIMIT_DAY);
	g->conf.guard_day = 8;
	assert_int_equal(send_one(g, 0, 200).r, KZ_OK);
}

/* A day by a seeded generator: at published minutes many parents come at once; most codes are approved within
 * two minutes, some late, some never. */
struct day_code {
	int64_t at_ms, approved_ms, phone; /* approved_ms 0: never */
};

static int day_by_time(const void *a, const void *b)
{
	const struct day_code *x = a, *y = b;

	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static uint64_t day_random(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

#define DAY_CODES    5000
#define DAY_PREFIXES 120

static void day_make(struct day_code *codes, uint64_t seed)
{
	for (int i = 0; i < DAY_CODES; i++) {
		struct day_code *c = &codes[i];
		uint64_t fate = day_random(&seed, 100);
		/* one in three in the three minutes after 9:00, 12:00 and 15:00 */
		int64_t at_ms = day_random(&seed, 3) ? (int64_t)day_random(&seed, 24 * 3600000)
		                                     : (int64_t)(9 + 3 * day_random(&seed, 3)) * 3600000 +
		                                           (int64_t)day_random(&seed, 180000);

		c->at_ms = at_ms;
		c->phone = (int64_t)(day_random(&seed, DAY_PREFIXES) * 10000 + day_random(&seed, 10000));
		c->approved_ms = fate < 84   ? at_ms + 10000 + (int64_t)day_random(&seed, 110000)
		                 : fate < 88 ? at_ms + 120000 + (int64_t)day_random(&seed, 170000)
		                             : 0;
	}
	qsort(codes, DAY_CODES, sizeof *codes, day_by_time);
}

/* Those that were approved until then. */
static void day_approve(struct limits_rig *g, struct day_code *codes, int upto, int64_t at_ms)
{
	for (int i = upto - 1; i >= 0 && codes[i].at_ms > at_ms - 400000; i--)
		if (codes[i].approved_ms && codes[i].approved_ms <= at_ms) {
			limits_approved(g->limits[i % 2], codes[i].phone, limits_to(codes[i].phone).prefix);
			codes[i].approved_ms = 0;
		}
}

static void day__of_normal_traffic__nothing_is_blocked(void **state)
{
	struct limits_rig *g = *state;
	static struct day_code codes[DAY_CODES];
	int64_t now_ms = 0;
	int blocked = 0;

	day_make(codes, 20261128);
	for (int i = 0; i < DAY_CODES; i++) {
		limits_forward(g, codes[i].at_ms - now_ms);
		now_ms = codes[i].at_ms;
		day_approve(g, codes, i, now_ms);
		const struct limits_said s = send_one(g, i % 2, codes[i].phone);
		if (s.r != KZ_OK && s.v.limit != LIMIT_WAIT) /* two parents' draws of one number */
			blocked++;
	}
	assert_int_equal(blocked, 0);
	assert_int_equal(store_int(g->store, "select count(*) from guard_hold"), 0);
	assert_int_equal(limits_redis(g, LIMITS_WITHOUT_TTL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LIMITS_CASE(spacing__without_approval__grows_and_an_approval_begins_it_anew),
	    LIMITS_CASE(phone__within_an_hour_and_a_day__as_many_as_configured),
	    LIMITS_CASE(resends__within_a_day__as_many_as_configured),
	    LIMITS_CASE(prefix_key_address_and_day__each_full__its_own_refusal),
	    LIMITS_CASE(send__refused_by_one_limit__counted_by_none),
	    LIMITS_CASE(send__same_token_again__passes_and_is_counted_once),
	    LIMITS_CASE(pumping__thousand_numbers_of_one_prefix__at_most_fifty_sends),
	    LIMITS_CASE(pumping__slowly__held_at_forty_and_a_few_an_hour_later),
	    LIMITS_CASE(lift__of_a_prefix_until_a_time__not_held_before_it),
	    LIMITS_CASE(clock__of_a_daemon_a_day_ahead__freezes_nothing),
	    LIMITS_CASE(redis__emptied_between_sends__renews_nothing),
	    LIMITS_CASE(redis__emptied__an_approval_is_still_known),
	    LIMITS_CASE(look__whether_it_would_pass_behind_another__counts_nothing),
	    LIMITS_CASE(redis__emptied__what_rescues_brought_to_a_second_phone_is_known),
	    LIMITS_CASE(day__of_normal_traffic__nothing_is_blocked),
	};

	return store_main("limits send", tests, sizeof tests / sizeof *tests);
}

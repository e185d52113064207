/* tries in a real PostgreSQL: what is counted, once, and for how long. */
#include "records_rig.h"

#include "rules/referral.h"
#include "store/tries.h"

#define PHONE 4242
#define AN_HOUR_LATER                                                                                        \
	"update caller_try set at = (select array_agg(u - interval '61 minutes') from unnest(at) u)"

struct told {
	int count, at; /* at: how many were told before */
	enum kz r;
	struct try_state state;
	char last4[5], region[16];
	bool before;
};

static int answers_n;

static void on_taken(void *arg, enum kz r, struct try_state s)
{
	struct told *t = arg;

	t->count++;
	t->at = answers_n++;
	t->r = r;
	t->state = s;
}

static void on_pin(void *arg, enum kz r, const struct pin_facts *f)
{
	struct told *t = arg;

	on_taken(arg, r, f->state);
	t->before = f->before;
	snprintf(t->last4, sizeof t->last4, "%s", f->last4);
	snprintf(t->region, sizeof t->region, "%s", f->region);
}

static struct told take(struct store_rig *g, enum try_kind k, int64_t token)
{
	struct told t = {0};

	assert_int_equal(tries_take(g->pg, PHONE, k, token, on_taken, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t;
}

static struct told pin(
    struct store_rig *g, uint64_t digits, uint64_t application, uint64_t referral, int64_t token)
{
	const struct pin_wish w = {
	    person_phone(g->keyring, (struct msisdn){digits}), token, application, referral};
	struct tries *tries = tries_new(g->loop, g->pg);
	struct told t = {0};

	tries_pin(tries, &w, on_pin, &t);
	servers_await(g->loop, &t.count, 1);
	tries_free(tries);
	return t;
}

static bool about(int64_t us, int64_t minutes)
{
	int64_t off = us - store_wall_us() - minutes * 60000000;

	return off > -60000000 && off < 60000000;
}

static void tries_take__fifth_pin__locks_for_an_hour(void **state)
{
	struct store_rig *g = *state;

	for (int i = 1; i <= 5; i++) {
		struct told t = take(g, TRY_PIN, i);

		assert_true(!t.state.again_us && t.state.left == (unsigned)(5 - i));
	}
	assert_true(about(take(g, TRY_PIN, 6).state.again_us, 60));
	store_sql(g, AN_HOUR_LATER);
	assert_int_equal(take(g, TRY_PIN, 7).state.left, 4);
}

static void tries_take__same_token__counted_once(void **state)
{
	struct store_rig *g = *state;

	take(g, TRY_PIN, 1);
	assert_int_equal(take(g, TRY_PIN, 2).state.left, 3);
	assert_int_equal(take(g, TRY_PIN, 1).state.left, 4);
	for (int i = 3; i <= 6; i++)
		take(g, TRY_PIN, i);
	assert_int_equal(take(g, TRY_PIN, 5).state.again_us, 0);
	assert_int_equal(store_int(g, "select cardinality(at) from caller_try"), 5);
}

static void tries_take__look_ups__five_an_hour_ten_a_day(void **state)
{
	struct store_rig *g = *state;

	for (int i = 1; i <= 5; i++)
		assert_int_equal(take(g, TRY_LOOKUP, i).state.again_us, 0);
	store_sql(g, "update caller_try set at[1] = at[1] - interval '50 minutes'");
	assert_true(about(take(g, TRY_LOOKUP, 6).state.again_us, 10));
	store_sql(g, AN_HOUR_LATER);
	for (int i = 6; i <= 10; i++)
		assert_int_equal(take(g, TRY_LOOKUP, i).state.again_us, 0);
	store_sql(g, AN_HOUR_LATER);
	assert_true(about(take(g, TRY_LOOKUP, 11).state.again_us, 24 * 60 - 172));
	assert_int_equal(take(g, TRY_ENROL, 11).state.again_us, 0);
}

static void tries_take__after_a_day__forgotten(void **state)
{
	struct store_rig *g = *state;

	take(g, TRY_LOOKUP, 1);
	store_sql(g, "update caller_try set phone = 1, last_at = now() - interval '25 hours',"
	             " at[1] = now() - interval '25 hours'");
	take(g, TRY_LOOKUP, 2);
	assert_int_equal(store_int(g, "select count(*) from caller_try"), 1);
}

/* Who counts those of many phones holds what it forgot until the last is counted. */
static void tries_take__forgotten_by_a_transaction_that_goes_on__waits_for_nobody(void **state)
{
	struct store_rig *g = *state;

	take(g, TRY_PIN, 1);
	store_sql(g, "update caller_try set last_at = now() - interval '25 hours'");
	store_sql(g, "begin");
	store_sql(g, "select from caller_try_take(%d, 0, 2, 5, 3600, 20, true)", PHONE - 1);
	take(g, TRY_PIN, 3);
	store_sql(g, "rollback");
}

static void stand(struct store_rig *g)
{
	records_put_group(g, 1, "sample", 1);
	records_put_application(
	    g, &(struct records_application){.number = 51, .phones = {77010000051, 77010000052}});
	records_put_application(g, &(struct records_application){.number = 53});
	store_sql(g,
	    "insert into referral values (900, 53, 1, 0, false, now(), now() + interval '1 day', null, 1)");
}

static void tries_pin__confirmed_phone__what_they_should_be(void **state)
{
	struct store_rig *g = *state;
	struct told t;

	stand(g);
	t = pin(g, 77010000052, 51, 0, 1);
	assert_true(t.r == KZ_OK && t.state.left == 4 && !t.before);
	assert_string_equal(t.last4, store_sql(g, "select child_last4 from application where number = 51"));
	assert_string_equal(t.region, "sample");
	tries_forget(g->pg, person_phone(g->keyring, (struct msisdn){77010000052}), TRY_PIN);
	assert_int_equal(pin(g, 77010000052, 51, 0, 2).state.left, 4);
}

static void tries_pin__not_its_own__not_found_and_not_counted(void **state)
{
	struct store_rig *g = *state;

	stand(g);
	assert_int_equal(pin(g, 77010000053, 51, 0, 1).r, KZ_NOT_FOUND);
	assert_int_equal(pin(g, 77010000051, 51, 900, 1).r, KZ_NOT_FOUND);
	assert_int_equal(pin(g, 77010000051, 50, 0, 1).r, KZ_NOT_FOUND);
	store_sql(g, "update application set verified = 1");
	assert_int_equal(pin(g, 77010000052, 51, 0, 1).r, KZ_NOT_FOUND);
	assert_int_equal(store_int(g, "select count(*) from caller_try"), 0);
	assert_int_equal(pin(g, 77010000053, 53, 900, 1).r, KZ_OK);
}

static void tries_pin__done_before__not_counted_and_not_locked(void **state)
{
	struct store_rig *g = *state;

	stand(g);
	store_sql(g, "insert into place_request values (77, 900, -1, now())");
	for (int i = 1; i <= 6; i++)
		pin(g, 77010000053, 53, 900, i);
	assert_true(about(pin(g, 77010000053, 53, 900, 8).state.again_us, 60));
	struct told t = pin(g, 77010000053, 53, 900, 77);
	assert_true(t.before && !t.state.again_us);
}

/* Their rows are locked by rising phones, of which the first to come has the last. */
static void tries_pin__of_many_phones_at_once__one_transaction_in_the_order_of_asking(void **state)
{
	struct store_rig *g = *state;
	struct tries *tries = tries_new(g->loop, g->pg);
	const uint64_t of[][2] = {{77010000052, 51}, {77010000053, 51}, {77010000051, 51}, {77010000053, 53}};
	struct told told[4] = {0};

	stand(g);
	answers_n = 0;
	for (int i = 0; i < 4; i++) {
		const struct pin_wish w = {
		    person_phone(g->keyring, (struct msisdn){of[i][0]}), i + 1, of[i][1], 0};

		tries_pin(tries, &w, on_pin, &told[i]);
	}
	for (int i = 0; i < 4; i++)
		servers_await(g->loop, &told[i].count, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(told[i].r, i == 1 ? KZ_NOT_FOUND : KZ_OK);
		assert_int_equal(told[i].at, i);
	}
	assert_int_equal(store_int(g, "select count(distinct xmin::text) from caller_try"), 1);
	assert_int_equal(store_int(g, "select count(*) from caller_try"), 3);
	tries_free(tries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(tries_take__fifth_pin__locks_for_an_hour),
	    STORE_CASE(tries_take__same_token__counted_once),
	    STORE_CASE(tries_take__look_ups__five_an_hour_ten_a_day),
	    STORE_CASE(tries_take__after_a_day__forgotten),
	    STORE_CASE(tries_take__forgotten_by_a_transaction_that_goes_on__waits_for_nobody),
	    STORE_CASE(tries_pin__confirmed_phone__what_they_should_be),
	    STORE_CASE(tries_pin__not_its_own__not_found_and_not_counted),
	    STORE_CASE(tries_pin__done_before__not_counted_and_not_locked),
	    STORE_CASE(tries_pin__of_many_phones_at_once__one_transaction_in_the_order_of_asking),
	};

	return store_main("tries", tests, sizeof tests / sizeof *tests);
}

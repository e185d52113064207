/* places through what is lost: commits that nobody hears of, slots that others took, requests that are given
 * up, changes that the database refuses. */
#include "places_rig.h"

#include "base/metrics.h"

#define REFERRALS "select count(*) from referral"
#define FREE      "select free from vacancy where play_group = 1"
#define HANGS     "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"

/* Applications 7, 8 and 9, and a group with three free places. */
static struct places_rig *make(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 3);
	for (uint64_t n = 7; n <= 9; n++)
		records_put_application(g, &(struct records_application){.number = n});
	store_sql(g, "select setval('referral_number', 1, false)");
	return places_rig_make(g, 0);
}

static void take(struct places_rig *p, uint64_t application, struct places_told *told)
{
	const struct places_take t = {application, 1, NEWS_BY_PORTAL, (int64_t)application, 0};

	assert_int_equal(places_take(p->places, &t, places_on_told, told), KZ_OK);
}

static void await_told(struct places_rig *p, struct places_told *told, enum kz r)
{
	servers_await(p->g->loop, &told->count, 1);
	assert_int_equal(told->r, r);
}

static double facts_read(void)
{
	return metric_value(
	    metric_counter("kezek_batch_items_total", "Rows committed in groups", "kind=\"referral_read\""));
}

static void take__answer_to_its_commit_lost__given_once_and_told_once(void **state)
{
	struct store_rig *g = *state;
	struct places_told told = {0};

	store_hasten(g);
	struct places_rig *p = make(state);
	servers_set_standby("nobody");
	double read = facts_read();
	take(p, 7, &told);
	while (servers_ask(HANGS) != 1 || facts_read() < read + 2)
		loop_turn(g->loop, 20);
	servers_set_standby("");
	await_told(p, &told, KZ_OK);
	assert_int_equal(told.answer.referral.number, store_int(g, "select number from referral"));
	assert_int_equal(store_int(g, REFERRALS), 1);
	assert_int_equal(store_int(g, FREE), 2);
	assert_int_equal(store_int(g, "select count(*) from news"), 1);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	store_await_sure(g); /* its number is free when the server said so */
	assert_int_equal(store_int(g, "select shut - feed from slot, news"), 0);
	places_rig_free(p);
}

static void take__not_known_in_time__lost_and_the_same_token_finds_it(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	struct places_told told = {0}, again = {0};

	servers_set_standby("nobody");
	take(p, 7, &told);
	while (servers_ask(HANGS) != 1)
		loop_turn(g->loop, 20);
	store_skip_us += (PLACES_MS + 1) * 1000;
	await_told(p, &told, KZ_LOST);
	servers_set_standby("");
	take(p, 7, &again);
	await_told(p, &again, KZ_OK);
	assert_true(again.answer.repeated);
	assert_int_equal(store_int(g, REFERRALS), 1);
	assert_int_equal(store_int(g, "select count(*) from news"), 1);
	store_await_sure(g);
	places_rig_free(p);
}

static void take__given_up_before_it_left__comes_to_nothing(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	struct places_told one = {0}, two = {0};

	store_sql(g, "begin");
	store_sql(g, "select places_lock()");
	take(p, 7, &one);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	double read = facts_read();
	take(p, 8, &two);
	while (facts_read() < read + 1)
		loop_turn(g->loop, 20);
	store_skip_us += (PLACES_MS + 1) * 1000;
	await_told(p, &one, KZ_LOST);
	await_told(p, &two, KZ_LOST);
	store_sql(g, "commit");
	store_await_sql(g, REFERRALS, 1);
	store_drain(g);
	store_settle(g);
	store_drain(g);
	assert_int_equal(store_int(g, "select application from referral"), 7);
	two = (struct places_told){0};
	take(p, 8, &two);
	await_told(p, &two, KZ_OK);
	assert_true(two.answer.created);
	assert_int_equal(store_int(g, FREE), 1);
	store_await_sure(g);
	places_rig_free(p);
}

static void take__slot_taken_by_another__lost_and_nothing_written(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	struct places_told told = {0};

	store_sql(g, "update slot set epoch = epoch + 1");
	take(p, 7, &told);
	store_drain(g);
	store_skip_us += (PLACES_MS + 1) * 1000;
	await_told(p, &told, KZ_LOST);
	store_drain(g);
	assert_int_equal(store_int(g, REFERRALS), 0);
	lease_take(g->lease, 0, store_int(g, "select epoch from slot"));
	told = (struct places_told){0};
	take(p, 7, &told);
	await_told(p, &told, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from news"), 1);
	store_await_sure(g);
	places_rig_free(p);
}

static void take__no_slot__busy_at_once(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	const struct places_take t = {7, 1, NEWS_BY_PORTAL, 7, 0};
	struct places_told told = {0};

	feed_set_slot(g->feed, -1, 0);
	assert_int_equal(places_take(p->places, &t, places_on_told, &told), KZ_BUSY);
	assert_int_equal(told.count, 0);
	places_rig_free(p);
}

static void take__the_portals_fill_all__a_phones_is_taken_all_the_same(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	struct places_take t = {1000, 1, NEWS_BY_PORTAL, 1, 0};
	struct places_told told = {0}, phone = {0};

	for (int i = 0; i < PLACES_OPEN; i++)
		assert_int_equal(places_take(p->places, &t, places_on_told, &told), KZ_OK);
	assert_int_equal(places_take(p->places, &t, places_on_told, &told), KZ_BUSY);
	t = (struct places_take){7, 1, NEWS_BY_USSD, 7, 0};
	assert_int_equal(places_take(p->places, &t, places_on_told, &phone), KZ_OK);
	await_told(p, &phone, KZ_OK);
	servers_await(g->loop, &told.count, PLACES_OPEN);
	assert_int_equal(told.r, KZ_NOT_FOUND);
	assert_int_equal(store_int(g, REFERRALS), 1);
	places_rig_free(p);
}

static void take__one_that_the_database_refuses__the_others_of_its_batch_are_made(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	struct places_told told[3] = {0};

	store_sql(g, "alter table referral add constraint poison check (application <> 8)");
	for (uint64_t n = 7; n <= 9; n++)
		take(p, n, &told[n - 7]);
	await_told(p, &told[0], KZ_OK);
	await_told(p, &told[1], KZ_LOST);
	await_told(p, &told[2], KZ_OK);
	store_sql(g, "alter table referral drop constraint poison");
	assert_int_equal(store_int(g, REFERRALS), 2);
	assert_int_equal(store_int(g, FREE), 1);
	assert_int_equal(store_int(g, "select count(*) from news"), 2);
	assert_true(feed_is_sure(g->feed));
	places_rig_free(p);
}

static void stop__requests_under_way__answered_lost(void **state)
{
	struct store_rig *g = *state;
	struct places_rig *p = make(state);
	struct places_told one = {0}, two = {0};

	store_sql(g, "begin");
	store_sql(g, "select places_lock()");
	take(p, 7, &one);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	take(p, 8, &two);
	places_stop(p->places);
	assert_int_equal(one.count + two.count, 2);
	assert_int_equal(one.r, KZ_LOST);
	store_sql(g, "rollback");
	places_rig_free(p);
	store_drain(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(take__answer_to_its_commit_lost__given_once_and_told_once),
	    STORE_CASE(take__not_known_in_time__lost_and_the_same_token_finds_it),
	    STORE_CASE(take__given_up_before_it_left__comes_to_nothing),
	    STORE_CASE(take__slot_taken_by_another__lost_and_nothing_written),
	    STORE_CASE(take__no_slot__busy_at_once),
	    STORE_CASE(take__the_portals_fill_all__a_phones_is_taken_all_the_same),
	    STORE_CASE(take__one_that_the_database_refuses__the_others_of_its_batch_are_made),
	    STORE_CASE(stop__requests_under_way__answered_lost),
	};

	return store_main("places_lost", tests, sizeof tests / sizeof *tests);
}

/* Asking for benefit documents, in a real PostgreSQL. */
#include "records_rig.h"

#include "store/documents.h"

static struct regions *regions;

struct asked {
	struct ids ids;
	int count;
	enum kz r;
};

static uint64_t next_id(void *arg)
{
	struct asked *a = arg;

	return ids_next(&a->ids, store_wall_us() / 1000);
}

static void on_asked(void *arg, enum kz r)
{
	struct asked *a = arg;

	a->count++;
	a->r = r;
}

static struct documents_wish wish_of(uint64_t application, int64_t request)
{
	return (struct documents_wish){.application = application,
	    .api_key = 1,
	    .request = request,
	    .place = "ЦОН 3",
	    .until_us = store_wall_us() + 10 * STORE_DAY_US,
	    .now_us = store_wall_us()};
}

static enum kz ask(struct store_rig *g, const struct documents_wish *w)
{
	static struct asked a; /* one generator: ids never come twice */
	const struct records_base base = {g->loop, g->pg, g->feed, g->keyring, next_id, &a};

	a.count = 0;
	enum kz r = documents_ask(&base, regions, w, on_asked, &a);
	if (r != KZ_OK)
		return r;
	servers_await(g->loop, &a.count, 1);
	return a.r;
}

static void documents_ask__the_same_request__one_notice_and_another_wish_conflicts(void **state)
{
	struct store_rig *g = *state;
	struct documents_wish w = wish_of(7, 11);

	for (int i = 0; i < 2; i++)
		assert_int_equal(ask(g, &w), KZ_OK);
	w.place = "ЦОН 4";
	assert_int_equal(ask(g, &w), KZ_CONFLICT);
	w.place = "ЦОН 3";
	w.until_us += STORE_DAY_US;
	assert_int_equal(ask(g, &w), KZ_CONFLICT);
	w.request = 12;
	assert_int_equal(ask(g, &w), KZ_OK);
	assert_string_equal(
	    store_sql(g, "select string_agg((kind, subject, detail, sealed, alarm_at)::text, ' '"
	                 " order by subject) from notice"),
	    "(10,11,\"ЦОН 3\",,) (10,12,\"ЦОН 3\",,)");
}

static void documents_ask__in_the_quiet_hours_of_its_region__when_they_are_over(void **state)
{
	struct store_rig *g = *state;
	struct documents_wish w = wish_of(7, 11);

	w.now_us = INT64_C(1790013600000000); /* 2026-09-21 23:00 local */
	w.until_us = w.now_us + 10 * STORE_DAY_US;
	assert_int_equal(ask(g, &w), KZ_OK);
	assert_string_equal(
	    store_sql(g, "select look_at at time zone 'UTC' + interval '5 hours' from notice"),
	    "2026-09-22 08:00:00");
}

static void documents_ask__its_region_is_not_configured__at_once(void **state)
{
	struct store_rig *g = *state;
	struct documents_wish w = wish_of(7, 11);

	store_sql(g, "update district set region = 'gone'");
	assert_int_equal(ask(g, &w), KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from notice where look_at = at"), 1);
}

static void documents_ask__none_such_or_over__said_so_and_no_notice(void **state)
{
	struct store_rig *g = *state;
	struct documents_wish w = wish_of(8, 11);

	assert_int_equal(ask(g, &w), KZ_NOT_FOUND);
	store_sql(g, "update application set status = 6");
	w.application = 7;
	assert_int_equal(ask(g, &w), KZ_EXPIRED);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
}

static void documents_ask__the_slot_is_lost__nothing_is_written(void **state)
{
	struct store_rig *g = *state;
	const struct documents_wish w = wish_of(7, 11);

	store_sql(g, "update slot set epoch = epoch + 1");
	assert_int_equal(ask(g, &w), KZ_LOST);
	feed_set_slot(g->feed, -1, 0);
	assert_int_equal(ask(g, &w), KZ_BUSY);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
}

static int group_setup(void **state)
{
	struct faults faults = {0};

	regions = regions_load(KEZEK_SOURCE_DIR "/config/regions", &faults);
	return faults.count || store_group_setup(state);
}

static int group_teardown(void **state)
{
	regions_free(regions);
	return servers_teardown(state);
}

static int setup(void **state)
{
	if (store_setup(state))
		return -1;
	store_hold_feed_slot(*state);
	records_put_group(*state, 1, "sample", 0);
	records_put_application(*state, &(struct records_application){.number = 7});
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(documents_ask__the_same_request__one_notice_and_another_wish_conflicts),
	    TEST(documents_ask__in_the_quiet_hours_of_its_region__when_they_are_over),
	    TEST(documents_ask__its_region_is_not_configured__at_once),
	    TEST(documents_ask__none_such_or_over__said_so_and_no_notice),
	    TEST(documents_ask__the_slot_is_lost__nothing_is_written),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

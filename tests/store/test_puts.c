/* Records that come one by one and are put together, in a real PostgreSQL. */
#include "records_rig.h"

#include "store/puts.h"

static struct regions *regions;
static struct calendar *calendar;
static struct records_files files;
static struct ids ids;

struct answers {
	int count;
	struct {
		enum kz r;
		enum record_verdict verdict;
		int64_t seq;
	} all[PUTS_MOST];
};

/* One that is waited for: the answers' place i. */
struct asker {
	struct answers *answers;
	size_t i;
};

static const struct records_files *files_now(void *arg)
{
	(void)arg;
	return &files;
}

static uint64_t next_id(void *arg)
{
	(void)arg;
	return ids_next(&ids, store_wall_us() / 1000);
}

static struct puts *puts_of(struct store_rig *g)
{
	const struct records_base base = {g->loop, g->pg, g->feed, g->keyring, next_id, NULL};

	return puts_new(&base, files_now, NULL);
}

static void on_put(
    void *arg, enum kz r, const struct record *record, enum record_verdict verdict, int64_t seq)
{
	struct asker *a = arg;

	assert_true((r == KZ_OK) == (record != NULL));
	a->answers->all[a->i].r = r;
	a->answers->all[a->i].verdict = verdict;
	a->answers->all[a->i].seq = seq;
	a->answers->count++;
	free(a);
}

static enum kz put(struct puts *p, const struct record *r, int32_t key, struct answers *answers, size_t i)
{
	struct asker *a = malloc(sizeof *a);

	*a = (struct asker){answers, i};
	enum kz result = puts_add(p, r, key, on_put, a);
	if (result != KZ_OK)
		free(a);
	return result;
}

static struct record application_of(uint64_t number)
{
	const struct records_application as = {.number = number};

	return (struct record){.kind = RECORD_APPLICATION,
	    .id = number,
	    .application = {.applicant = records_applicant(&as),
	        .district = 1,
	        .category = "general",
	        .registered_us = store_wall_us()}};
}

static struct record district_of(uint64_t id, const char *name)
{
	struct record r = {.kind = RECORD_DISTRICT, .id = id, .place = {.region = "sample"}};

	for (int i = 0; i < LANGUAGES; i++)
		snprintf(r.place.names[i], sizeof r.place.names[i], "%s", name);
	return r;
}

static void puts__a_crowd__few_transactions_and_each_its_answer(void **state)
{
	struct store_rig *g = *state;
	struct puts *p = puts_of(g);
	struct answers a = {0};

	for (size_t i = 0; i < PUTS_MOST; i++) {
		struct record r = application_of(i + 1);

		assert_int_equal(put(p, &r, 1, &a, i), KZ_OK);
	}
	struct record over = application_of(PUTS_MOST + 1);
	assert_int_equal(put(p, &over, 1, &a, 0), KZ_BUSY);
	assert_int_equal(a.count, 0);
	servers_await(g->loop, &a.count, PUTS_MOST);
	for (size_t i = 0; i < PUTS_MOST; i++) {
		assert_int_equal(a.all[i].r, KZ_OK);
		assert_int_equal(a.all[i].verdict, RECORD_CREATED);
		assert_int_equal(a.all[i].seq, 1);
	}
	puts_free(p);
	assert_int_equal(store_int(g, "select count(*) from notice"), PUTS_MOST);
	assert_true(store_int(g, "select count(distinct xmin::text) from application") <= PUTS_MOST / 32);
}

static void puts__the_same_record_twice__both_are_answered(void **state)
{
	struct store_rig *g = *state;
	struct puts *p = puts_of(g);
	struct answers a = {0};
	struct record r = application_of(7);

	assert_int_equal(put(p, &r, 1, &a, 0), KZ_OK);
	r.application.groups = 1;
	assert_int_equal(put(p, &r, 1, &a, 1), KZ_OK);
	servers_await(g->loop, &a.count, 2);
	assert_int_equal(a.all[0].r + a.all[1].r, KZ_OK);
	assert_int_equal(a.all[0].verdict + a.all[1].verdict, RECORD_CREATED + RECORD_CHANGED);
	puts_free(p);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
}

static void puts__records_of_two_clients__one_transaction_and_each_keeps_its_own(void **state)
{
	struct store_rig *g = *state;
	struct puts *p = puts_of(g);
	struct answers a = {0};

	for (size_t i = 0; i < 6; i++) {
		struct record r = application_of(i + 1);

		assert_int_equal(put(p, &r, i % 2 ? 11 : 12, &a, i), KZ_OK);
	}
	servers_await(g->loop, &a.count, 6);
	puts_free(p);
	assert_int_equal(store_int(g, "select count(distinct xmin::text) from application"), 1);
	assert_string_equal(
	    store_sql(g, "select string_agg(api_key::text, ' ' order by number) from application"),
	    "12 11 12 11 12 11");
	assert_string_equal(
	    store_sql(g, "select string_agg(api_key::text, ' ' order by application) from notice"),
	    "12 11 12 11 12 11");
}

/* What the server takes for no UTF-8 never comes through the door. */
static void puts__one_that_the_database_refuses__it_alone_is_refused(void **state)
{
	struct store_rig *g = *state;
	struct puts *p = puts_of(g);
	struct answers a = {0};

	for (size_t i = 0; i < 5; i++) {
		struct record r = district_of(i + 10, i == 3 ? "\xff" : "Аудан");

		assert_int_equal(put(p, &r, 1, &a, i), KZ_OK);
	}
	servers_await(g->loop, &a.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(a.all[i].r, i == 3 ? KZ_REFUSED : KZ_OK);
	puts_free(p);
	assert_int_equal(store_int(g, "select count(*) from district where id >= 10"), 4);
}

static void puts__the_database_goes__all_are_answered_lost(void **state)
{
	struct store_rig *g = *state;
	struct puts *p = puts_of(g);
	struct answers a = {0};

	store_sql(g, "begin; select places_lock()");
	for (size_t i = 0; i < PUTS_MOST; i++) {
		struct record r = application_of(i + 1);

		assert_int_equal(put(p, &r, 1, &a, i), KZ_OK);
	}
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 2);
	pg_stop(g->pg);
	store_settle(g);
	assert_int_equal(a.count, PUTS_MOST);
	for (size_t i = 0; i < PUTS_MOST; i++)
		assert_int_equal(a.all[i].r, KZ_LOST);
	puts_free(p);
	store_sql(g, "rollback");
}

static void puts_free__while_they_are_under_way__answered_lost_from_inside(void **state)
{
	struct store_rig *g = *state;
	struct puts *p = puts_of(g);
	struct answers a = {0};

	store_sql(g, "begin; select places_lock()");
	for (size_t i = 0; i < PUTS_MOST; i++) {
		struct record r = application_of(i + 1);

		assert_int_equal(put(p, &r, 1, &a, i), KZ_OK);
	}
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 2);
	puts_free(p);
	assert_int_equal(a.count, PUTS_MOST);
	assert_int_equal(a.all[0].r, KZ_LOST);
	store_sql(g, "rollback");
	store_drain(g);
}

static int group_setup(void **state)
{
	struct faults faults = {0};

	regions = regions_load(KEZEK_SOURCE_DIR "/config/regions", &faults);
	calendar = calendar_load(KEZEK_SOURCE_DIR "/config/holidays.yaml", &faults);
	files = (struct records_files){regions, calendar};
	return faults.count || store_group_setup(state);
}

static int group_teardown(void **state)
{
	regions_free(regions);
	calendar_free(calendar);
	return servers_teardown(state);
}

static int setup(void **state)
{
	if (store_setup(state))
		return -1;
	store_hold_feed_slot(*state);
	records_put_group(*state, 1, "sample", 0);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(puts__a_crowd__few_transactions_and_each_its_answer),
	    TEST(puts__the_same_record_twice__both_are_answered),
	    TEST(puts__records_of_two_clients__one_transaction_and_each_keeps_its_own),
	    TEST(puts__one_that_the_database_refuses__it_alone_is_refused),
	    TEST(puts__the_database_goes__all_are_answered_lost),
	    TEST(puts_free__while_they_are_under_way__answered_lost_from_inside),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

/* callers in a real PostgreSQL: which language a phone that calls speaks. */
#include "records_rig.h"

#include "store/callers.h"

struct told {
	int count;
	enum kz r;
	enum language l;
};

static void on_language(void *arg, enum kz r, enum language l)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->l = l;
}

static struct told ask(struct store_rig *g, uint64_t digits)
{
	struct told t = {0};

	assert_int_equal(
	    callers_language(g->pg, person_phone(g->keyring, (struct msisdn){digits}), on_language, &t),
	    KZ_OK);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static void language__nobody_knows__not_found(void **state)
{
	assert_int_equal(ask(*state, 77010000001).r, KZ_NOT_FOUND);
}

static void language__of_the_newest_application__whichever_phone(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	records_put_application(
	    g, &(struct records_application){
	           .number = 1, .language = LANGUAGE_RU, .phones = {77010000001, 77010000002}});
	records_put_application(
	    g, &(struct records_application){
	           .number = 2, .language = LANGUAGE_EN, .phones = {77010000002, 77010000003}});
	assert_int_equal(ask(g, 77010000001).l, LANGUAGE_RU);
	assert_int_equal(ask(g, 77010000002).l, LANGUAGE_EN);
	assert_int_equal(ask(g, 77010000003).l, LANGUAGE_EN);
	assert_int_equal(ask(g, 77010000003).r, KZ_OK);
}

static void on_set(void *arg, enum kz r)
{
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

static void speak(struct store_rig *g, int64_t phone, enum language l)
{
	int done = 0;

	assert_int_equal(callers_set_language(g->pg, phone, l, NULL, on_set, &done), KZ_OK);
	servers_await(g->loop, &done, 1);
}

static void language__chosen_on_the_phone__stands_before_applications(void **state)
{
	struct store_rig *g = *state;
	int64_t phone = person_phone(g->keyring, (struct msisdn){77010000001});

	records_put_group(g, 1, "sample", 1);
	records_put_application(
	    g, &(struct records_application){.number = 1, .language = LANGUAGE_RU, .phones = {77010000001}});
	speak(g, phone, LANGUAGE_KK);
	assert_int_equal(ask(g, 77010000001).l, LANGUAGE_KK);
	speak(g, phone, LANGUAGE_EN);
	assert_int_equal(ask(g, 77010000001).l, LANGUAGE_EN);
	assert_int_equal(store_int(g, "select count(*) from caller"), 1);
}

static void on_moved(void *arg, enum kz r)
{
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

static void move(struct store_rig *g, int64_t from, int64_t to)
{
	int moved = 0;

	assert_int_equal(callers_move(g->pg, from, to, on_moved, &moved), KZ_OK);
	servers_await(g->loop, &moved, 1);
}

static void move__twice__once_and_what_the_other_chose_stays(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	store_sql(g, "insert into caller (phone, language, district) values (1, 1, 1), (3, 2, null)");
	move(g, 1, 2);
	move(g, 1, 2);
	assert_int_equal(store_int(g, "select count(*) from caller where phone = 1"), 0);
	assert_int_equal(
	    store_int(g, "select count(*) from caller where phone = 2 and language = 1 and district = 1"), 1);
	move(g, 2, 3);
	assert_int_equal(
	    store_int(g, "select count(*) from caller where phone = 3 and language = 2 and district = 1"), 1);
	assert_int_equal(store_int(g, "select count(*) from caller"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(language__nobody_knows__not_found),
	    STORE_CASE(language__of_the_newest_application__whichever_phone),
	    STORE_CASE(language__chosen_on_the_phone__stands_before_applications),
	    STORE_CASE(move__twice__once_and_what_the_other_chose_stays),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, store_group_setup, servers_teardown);
}

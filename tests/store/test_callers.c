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

static void language__chosen_on_the_phone__stands_before_applications(void **state)
{
	struct store_rig *g = *state;
	int64_t phone = person_phone(g->keyring, (struct msisdn){77010000001});

	records_put_group(g, 1, "sample", 1);
	records_put_application(
	    g, &(struct records_application){.number = 1, .language = LANGUAGE_RU, .phones = {77010000001}});
	callers_set_language(g->pg, phone, LANGUAGE_KK);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	assert_int_equal(ask(g, 77010000001).l, LANGUAGE_KK);
	callers_set_language(g->pg, phone, LANGUAGE_EN);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	assert_int_equal(ask(g, 77010000001).l, LANGUAGE_EN);
	assert_int_equal(store_int(g, "select count(*) from caller"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(language__nobody_knows__not_found),
	    STORE_CASE(language__of_the_newest_application__whichever_phone),
	    STORE_CASE(language__chosen_on_the_phone__stands_before_applications),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, store_group_setup, servers_teardown);
}

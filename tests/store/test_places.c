/* places on a real PostgreSQL: what a place and a referral come to, and what follows from it. */
#include "places_rig.h"

#define FREE     "select free from vacancy where play_group = 1"
#define STATUS   "select status from application where number = 7"
#define NEWS     "select count(*) from news"
#define NOTICES  "select count(*) from notice"
#define REFERRED "select count(*) from referral where status in (0, 1)"

/* A group with free places, and an application with the number 7. */
static struct places_rig *make(void **state, int free)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", free);
	records_put_application(g, &(struct records_application){.number = 7});
	store_sql(g, "select setval('referral_number', 1, false)");
	return places_rig_make(g, 0);
}

static void take__free_place__referral_notice_and_news_at_once(void **state)
{
	struct places_rig *p = make(state, 2);
	struct store_rig *g = p->g;
	int64_t from_us = store_wall_us() / 1000 * 1000;
	struct places_told t = places_rig_take(p, 7, 1, 99);

	assert_int_equal(t.r, KZ_OK);
	assert_true(t.answer.created);
	assert_int_equal(t.answer.referral.number, 1);
	assert_int_equal(t.answer.referral.status, REFERRAL_OFFERED);
	assert_true(t.answer.referral.from_us >= from_us);
	assert_true(t.answer.referral.to_us - t.answer.referral.from_us == 7 * PLACES_DAY_US);
	assert_int_equal(store_int(g, FREE), 1);
	assert_int_equal(store_int(g, STATUS), APPLICATION_REFERRED);
	assert_int_equal(
	    store_int(g, "select count(*) from referral r, notice n where n.subject = r.number and n.kind = 2"
	                 " and n.until_at = r.to_at and n.application = 7"
	                 " and r.remind_at = r.to_at - interval '1 day' and r.seq = 1"),
	    1);
	assert_int_equal(
	    store_int(g,
	        "select count(*) from news n join application a on a.number = n.application"
	        " and a.seq = n.seq where n.kind = 0 and n.via = 0 and n.referral = 1 and n.play_group = 1"),
	    1);
	assert_int_equal(store_int(g, "select served from queue_round where category = 'general'"), 0);
	places_rig_free(p);
}

static void take__by_phone__the_notice_knows_who_called(void **state)
{
	struct places_rig *p = make(state, 2);
	const struct places_take t = {7, 1, NEWS_BY_USSD, 99, 4242};
	struct places_told told = {0};

	assert_int_equal(places_take(p->places, &t, places_on_told, &told), KZ_OK);
	servers_await(p->g->loop, &told.count, 1);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ACCEPT, 100).r, KZ_OK);
	assert_string_equal(
	    store_sql(p->g,
	        "select string_agg(kind || ' ' || coalesce(caller, 0), ', ' order by kind) from notice"),
	    "2 4242, 4 0");
	places_rig_free(p);
}

static void take__same_token_again__same_referral_and_nothing_twice(void **state)
{
	struct places_rig *p = make(state, 2);
	struct store_rig *g = p->g;
	struct places_told one = places_rig_take(p, 7, 1, 99);
	struct places_told two = places_rig_take(p, 7, 1, 99);

	assert_int_equal(two.r, KZ_OK);
	assert_true(two.answer.repeated);
	assert_false(two.answer.created);
	assert_int_equal(two.answer.referral.number, one.answer.referral.number);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_DECLINE, 100).r, KZ_OK);
	two = places_rig_take(p, 7, 1, 99);
	assert_int_equal(two.r, KZ_OK);
	assert_int_equal(two.answer.referral.status, REFERRAL_DECLINED);
	assert_int_equal(store_int(g, FREE), 2);
	assert_int_equal(store_int(g, NEWS), 2);
	places_rig_free(p);
}

static void take__token_of_another_request__conflict(void **state)
{
	struct places_rig *p = make(state, 2);
	struct store_rig *g = p->g;

	records_put_group(g, 2, "sample", 1);
	places_rig_take(p, 7, 1, 99);
	assert_int_equal(places_rig_take(p, 7, 2, 99).r, KZ_CONFLICT);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ACCEPT, 99).r, KZ_CONFLICT);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ACCEPT, 100).r, KZ_OK);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_DECLINE, 100).r, KZ_CONFLICT);
	assert_int_equal(store_int(g, FREE), 1);
	places_rig_free(p);
}

static void take__two_with_one_token_in_one_batch__one_referral(void **state)
{
	struct places_rig *p = make(state, 2);
	struct store_rig *g = p->g;
	const struct places_take t = {7, 1, NEWS_BY_PORTAL, 99, 0};
	struct places_told one = {0}, two = {0};

	assert_int_equal(places_take(p->places, &t, places_on_told, &one), KZ_OK);
	assert_int_equal(places_take(p->places, &t, places_on_told, &two), KZ_OK);
	servers_await(g->loop, &one.count, 1);
	servers_await(g->loop, &two.count, 1);
	assert_int_equal(one.r, KZ_OK);
	assert_int_equal(two.r, KZ_OK);
	assert_true(one.answer.created != two.answer.created);
	assert_int_equal(store_int(g, FREE), 1);
	places_rig_free(p);
}

static void assert_refused(struct places_told t, enum place_verdict v)
{
	assert_int_equal(t.r, KZ_REFUSED);
	assert_string_equal(place_verdict_name(t.answer.place.verdict), place_verdict_name(v));
}

static void take__what_the_law_refuses__its_word_and_nothing_written(void **state)
{
	struct places_rig *p = make(state, 0);
	struct store_rig *g = p->g;

	records_put_group(g, 2, "sample", 1);
	records_put_group(g, 3, "sample", 1);
	store_sql(g, "update play_group set age_from = 6 where id = 3; update kindergarten set district = 1 "
	             "where id = 3;"
	             " insert into kindergarten values (4, 1, 'А', 'Б', 'C');"
	             " insert into play_group values (4, 4, 1, 7, 1), (5, 4, 1, 7, 0);"
	             " insert into vacancy values (4, 1, now(), null, 1, 1, null),"
	             " (5, 1, now(), now() + interval '1 hour', 1, 1, null)");
	records_put_application(
	    g, &(struct records_application){.number = 8, .groups = 1, .child = "2109155"});
	records_put_application(
	    g, &(struct records_application){.number = 9, .status = APPLICATION_WITHDRAWN});
	assert_refused(places_rig_take(p, 7, 1, 1), PLACE_GONE);
	assert_refused(places_rig_take(p, 7, 2, 2), PLACE_NOT_DISTRICT);
	assert_refused(places_rig_take(p, 7, 3, 3), PLACE_NOT_AGE);
	assert_refused(places_rig_take(p, 8, 4, 4), PLACE_NOT_LANGUAGE);
	assert_refused(places_rig_take(p, 9, 4, 5), PLACE_CLOSED);
	struct places_told t = places_rig_take(p, 7, 5, 6);
	assert_refused(t, PLACE_NOT_TURN);
	assert_true(t.answer.place.until_us > store_wall_us());
	store_sql(g, "update application set stop_list_until = now() + interval '1 day' where number = 7");
	assert_refused(places_rig_take(p, 7, 4, 7), PLACE_STOP_LIST);
	store_sql(
	    g, "update application set category = 'privileged', stop_list_until = null where number = 7");
	assert_int_equal(places_rig_take(p, 7, 5, 8).r, KZ_OK);
	assert_refused(places_rig_take(p, 7, 4, 9), PLACE_ALREADY);
	assert_int_equal(store_int(g, "select count(*) from referral"), 1);
	places_rig_free(p);
}

/* Judged by what stood before, and written behind it. */
static void take__group_changes_meanwhile__judged_by_what_it_is_now(void **state)
{
	static const char *const changes[] = {
	    "update play_group set age_from = 6", "update kindergarten set district = 2"};
	static const enum place_verdict verdicts[] = {PLACE_NOT_AGE, PLACE_NOT_DISTRICT};
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;

	for (int i = 0; i < 2; i++) {
		const struct places_take t = {7, 1, NEWS_BY_PORTAL, 0, 0};
		struct places_told told = {0};

		store_sql(g, "update play_group set age_from = 1");
		store_sql(g, "insert into district values (2, 'sample', '', '', '') on conflict do nothing");
		store_sql(g, "begin; select places_lock()");
		assert_int_equal(places_take(p->places, &t, places_on_told, &told), KZ_OK);
		store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
		store_sql(g, "%s; commit", changes[i]);
		servers_await(g->loop, &told.count, 1);
		assert_int_equal(told.r, KZ_REFUSED);
		assert_int_equal(told.answer.place.verdict, verdicts[i]);
	}
	assert_int_equal(store_int(g, FREE), 1);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at is not null"), 1);
	places_rig_free(p);
}

static void take__what_is_not_there__which(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;

	assert_string_equal(places_rig_take(p, 6, 1, 1).answer.what, "application");
	assert_string_equal(places_rig_take(p, 7, 2, 1).answer.what, "group");
	assert_int_equal(places_rig_hear(p, 5, REFERRAL_ACCEPT, 1).r, KZ_NOT_FOUND);
	store_sql(g, "update application set category = 'gone'");
	assert_string_equal(places_rig_take(p, 7, 1, 1).answer.what, "category");
	store_sql(g, "update district set region = 'gone'");
	struct places_told t = places_rig_take(p, 7, 1, 1);
	assert_int_equal(t.r, KZ_INVALID);
	assert_string_equal(t.answer.what, "region");
	places_rig_free(p);
}

static void decline__last_place__released_anew_with_priority(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;

	places_rig_take(p, 7, 1, 1);
	assert_int_equal(store_int(g, FREE), 0);
	struct places_told t = places_rig_hear(p, 1, REFERRAL_DECLINE, 2);
	assert_int_equal(t.r, KZ_OK);
	assert_int_equal(t.answer.referral.status, REFERRAL_DECLINED);
	assert_int_equal(store_int(g, FREE), 1);
	assert_int_equal(store_int(g, STATUS), APPLICATION_WAITING);
	assert_int_equal(
	    store_int(g,
	        "select count(*) from vacancy where terms = 2 and watch_at = released_at and"
	        " released_at > now() - interval '1 minute' and priority_until > now() + interval '2 days'"),
	    1);
	assert_int_equal(
	    store_int(g, "select count(*) from referral where remind_at is null and seq = 2"), 1);
	assert_refused(places_rig_take(p, 7, 1, 3), PLACE_NOT_TURN);
	places_rig_free(p);
}

static void decline__others_free__joins_them_under_their_terms(void **state)
{
	struct places_rig *p = make(state, 2);
	struct store_rig *g = p->g;

	places_rig_take(p, 7, 1, 1);
	places_rig_hear(p, 1, REFERRAL_DECLINE, 2);
	assert_int_equal(store_int(g, FREE), 2);
	assert_int_equal(
	    store_int(g, "select count(*) from vacancy where terms = 1 and priority_until is null"), 1);
	assert_int_equal(places_rig_take(p, 7, 1, 3).r, KZ_OK);
	places_rig_free(p);
}

static void decline__group_without_vacancy__it_has_one(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;

	places_rig_take(p, 7, 1, 1);
	store_sql(g, "delete from vacancy");
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_CANCEL, 2).r, KZ_OK);
	assert_int_equal(store_int(g, FREE), 1);
	places_rig_free(p);
}

static void accept_extend_enrol__in_turn__ends_and_status(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;
	int64_t to_us = places_rig_take(p, 7, 1, 1).answer.referral.to_us;
	struct places_told t = places_rig_hear(p, 1, REFERRAL_EXTEND, 2);

	assert_true(t.answer.referral.extended);
	assert_true(t.answer.referral.to_us == to_us + 23 * PLACES_DAY_US);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_EXTEND, 3).answer.verdict, REFERRAL_ALREADY_EXTENDED);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ENROL, 4).answer.verdict, REFERRAL_NOT_ACCEPTED);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ACCEPT, 5).r, KZ_OK);
	assert_int_equal(store_int(g, STATUS), APPLICATION_ENROLLING);
	assert_int_equal(
	    places_rig_hear(p, 1, REFERRAL_DECLINE, 6).answer.verdict, REFERRAL_ALREADY_ACCEPTED);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ENROL, 7).r, KZ_OK);
	assert_int_equal(store_int(g, STATUS), APPLICATION_ENROLLED);
	assert_int_equal(store_int(g, FREE), 0);
	assert_int_equal(store_int(g, NEWS), 3);
	assert_int_equal(store_int(g, NOTICES), 3);
	assert_int_equal(store_int(g, "select max(seq) from application"), 5);
	places_rig_free(p);
}

/* By the portal, which leaves the parent her own extension. */
static void put__later_end__told_as_an_extension_once(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;
	struct places_referral r = places_rig_take(p, 7, 1, 1).answer.referral;
	struct places_put w = {.referral = r.number,
	    .application = 7,
	    .play_group = 1,
	    .from_us = r.from_us,
	    .to_us = r.to_us + PLACES_DAY_US};
	for (int i = 0; i < 2; i++)
		assert_int_equal(places_rig_put(p, &w).r, KZ_OK);
	assert_int_equal(
	    store_int(g, "select count(*) from referral r, notice n, news w where n.kind = 6 and w.kind = 3"
	                 " and n.until_at = r.to_at and w.until_at = r.to_at and w.via = 0 and w.seq = 3"
	                 " and n.subject = r.number and not r.extended"),
	    1);
	w.to_us += PLACES_DAY_US;
	w.quiet = true;
	assert_int_equal(places_rig_put(p, &w).r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 6"), 1);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 3"), 1);
	places_rig_free(p);
}

static void expire__at_its_end__stop_list_and_the_place_back(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;

	places_rig_take(p, 7, 1, 1);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_EXPIRE, 0).answer.verdict, REFERRAL_NOT_DUE);
	store_sql(g,
	    "update referral set from_at = from_at - interval '7 days', to_at = to_at - interval '7 days'");
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_ACCEPT, 2).answer.verdict, REFERRAL_PAST_END);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_EXPIRE, 0).r, KZ_OK);
	assert_int_equal(places_rig_hear(p, 1, REFERRAL_EXPIRE, 0).answer.verdict, REFERRAL_PAST_END);
	assert_int_equal(store_int(g, FREE), 1);
	assert_int_equal(
	    store_int(g, "select count(*) from application a, referral r where a.stop_list_until = r.to_at"
	                 " + interval '10 days' and a.status = 0"),
	    1);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 4 and via = 2"), 1);
	places_rig_free(p);
}

static void hear__accept_and_decline_in_one_batch__one_of_them(void **state)
{
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;
	struct places_told one = {0}, two = {0};

	places_rig_take(p, 7, 1, 1);
	const struct places_hear accept = {1, REFERRAL_ACCEPT, NEWS_BY_PORTAL, 2, 0},
	                         decline = {1, REFERRAL_DECLINE, NEWS_BY_USSD, 3, 0};
	assert_int_equal(places_hear(p->places, &accept, places_on_told, &one), KZ_OK);
	assert_int_equal(places_hear(p->places, &decline, places_on_told, &two), KZ_OK);
	servers_await(g->loop, &one.count, 1);
	servers_await(g->loop, &two.count, 1);
	assert_int_equal(one.r, KZ_OK);
	assert_int_equal(two.answer.verdict, REFERRAL_ALREADY_ACCEPTED);
	assert_int_equal(store_int(g, FREE), 0);
	places_rig_free(p);
}

static void number__runs_that_the_portal_uses__passed_over(void **state)
{
	struct places_rig *p = make(state, 9);
	struct store_rig *g = p->g;

	store_sql(g,
	    "insert into referral select n, 7, 1, 4, false, now(), now(), null, 1 from"
	    " unnest(array[1, 2, 3, 5, 999998, 999999]) n; select setval('referral_number', 1, false)");
	assert_int_equal(places_rig_take(p, 7, 1, 1).answer.referral.number, 4);
	places_rig_hear(p, 4, REFERRAL_CANCEL, 2);
	assert_int_equal(places_rig_take(p, 7, 1, 3).answer.referral.number, 6);
	places_rig_hear(p, 6, REFERRAL_CANCEL, 4);
	store_sql(g, "select setval('referral_number', 999997)");
	assert_int_equal(places_rig_take(p, 7, 1, 5).answer.referral.number, 7);
	places_rig_free(p);
}

#define RIVALS 40

static void take__more_than_there_are_places__as_many_as_there_are(void **state)
{
	struct places_rig *p = make(state, 5);
	struct store_rig *g = p->g;
	struct places_told told[RIVALS] = {0};
	int given = 0;

	for (int i = 0; i < RIVALS; i++)
		records_put_application(g, &(struct records_application){.number = 100 + (uint64_t)i});
	for (int i = 0; i < RIVALS; i++) {
		const struct places_take t = {100 + (uint64_t)i, 1, NEWS_BY_PORTAL, 1000 + i, 0};

		assert_int_equal(places_take(p->places, &t, places_on_told, &told[i]), KZ_OK);
	}
	for (int i = 0; i < RIVALS; i++) {
		servers_await(g->loop, &told[i].count, 1);
		assert_int_equal(told[i].r, i < 5 ? KZ_OK : KZ_REFUSED);
		given += told[i].r == KZ_OK;
	}
	assert_int_equal(given, 5);
	assert_int_equal(store_int(g, FREE), 0);
	assert_int_equal(store_int(g, REFERRED), 5);
	places_rig_free(p);
}

static void on_held(void *arg, enum kz r, const struct pg_reply *reply)
{
	(void)reply;
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

/* Both connections are held up, and the first one, that asks for the facts of the first, for longer. */
static void take__facts_of_the_first_come_late__the_first_has_the_last_place(void **state)
{
	static const struct pg_sql held[] = {
	    {"held_1", "select from (select pg_advisory_xact_lock(1)) x", 0, NULL},
	    {"held_2", "select from (select pg_advisory_xact_lock(2)) x", 0, NULL}};
	struct places_rig *p = make(state, 1);
	struct store_rig *g = p->g;
	struct places_told told[2] = {0};
	int over = 0;

	records_put_application(g, &(struct records_application){.number = 8});
	p->conf.database_batch_rows = 1;
	p->conf.database_connections = 4;
	places_set_files(p->places, &(struct places_files){&p->conf, p->regions, p->calendar});
	store_sql(g, "select pg_advisory_lock(1), pg_advisory_lock(2)");
	for (int i = 0; i < 2; i++) {
		struct pg_job *job = pg_job_new(g->pg, on_held, &over);

		pg_job_add(job, &held[i], NULL);
		assert_int_equal(pg_job_run(job, NULL), KZ_OK);
	}
	for (int i = 0; i < 2; i++) {
		const struct places_take t = {7 + (uint64_t)i, 1, NEWS_BY_USSD, 1000 + i, 0};

		assert_int_equal(places_take(p->places, &t, places_on_told, &told[i]), KZ_OK);
	}
	store_sql(g, "select pg_advisory_unlock(2)");
	while (pg_jobs(g->pg) > 2 || !over)
		loop_turn(g->loop, 20);
	store_sql(g, "select pg_advisory_unlock(1)");
	servers_await(g->loop, &told[0].count, 1);
	servers_await(g->loop, &told[1].count, 1);
	assert_int_equal(told[0].r, KZ_OK);
	assert_int_equal(told[1].r, KZ_REFUSED);
	assert_int_equal(told[1].answer.place.verdict, PLACE_GONE);
	places_rig_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(take__free_place__referral_notice_and_news_at_once),
	    STORE_CASE(take__by_phone__the_notice_knows_who_called),
	    STORE_CASE(take__same_token_again__same_referral_and_nothing_twice),
	    STORE_CASE(take__token_of_another_request__conflict),
	    STORE_CASE(take__two_with_one_token_in_one_batch__one_referral),
	    STORE_CASE(take__what_the_law_refuses__its_word_and_nothing_written),
	    STORE_CASE(take__group_changes_meanwhile__judged_by_what_it_is_now),
	    STORE_CASE(take__what_is_not_there__which),
	    STORE_CASE(take__more_than_there_are_places__as_many_as_there_are),
	    STORE_CASE(take__facts_of_the_first_come_late__the_first_has_the_last_place),
	    STORE_CASE(decline__last_place__released_anew_with_priority),
	    STORE_CASE(decline__others_free__joins_them_under_their_terms),
	    STORE_CASE(decline__group_without_vacancy__it_has_one),
	    STORE_CASE(accept_extend_enrol__in_turn__ends_and_status),
	    STORE_CASE(put__later_end__told_as_an_extension_once),
	    STORE_CASE(expire__at_its_end__stop_list_and_the_place_back),
	    STORE_CASE(hear__accept_and_decline_in_one_batch__one_of_them),
	    STORE_CASE(number__runs_that_the_portal_uses__passed_over),
	};

	return store_main("places", tests, sizeof tests / sizeof *tests);
}

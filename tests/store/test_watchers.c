/* watchers in a real PostgreSQL. */
#include "records_rig.h"

#include "store/watchers.h"

struct told {
	int count;
	enum kz r;
	enum watcher_verdict verdict;
	uint64_t kindergartens[WATCHERS_MOST];
	size_t n;
};

static void on_added(void *arg, enum kz r, enum watcher_verdict v)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->verdict = v;
}

static void on_done(void *arg, enum kz r)
{
	on_added(arg, r, 0);
}

static void on_each(void *arg, uint64_t kindergarten, int64_t since_us)
{
	struct told *t = arg;

	assert_true(since_us > 0 && t->n < WATCHERS_MOST);
	t->kindergartens[t->n++] = kindergarten;
}

static struct told add_owing(
    struct store_rig *g, uint64_t application, uint64_t kindergarten, const struct owed *owed)
{
	const struct watcher_wish w = {application, kindergarten, NEWS_BY_USSD, store_wall_us(), owed};
	struct told t = {0};

	assert_int_equal(watcher_add(g->pg, g->feed, &w, on_added, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static struct told add(struct store_rig *g, uint64_t application, uint64_t kindergarten)
{
	return add_owing(g, application, kindergarten, NULL);
}

static struct told remove_one(struct store_rig *g, uint64_t application, uint64_t kindergarten)
{
	struct told t = {0};

	assert_int_equal(watcher_remove(g->pg, application, kindergarten, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static struct told list(struct store_rig *g, uint64_t application)
{
	struct told t = {0};

	assert_int_equal(watcher_list(g->pg, application, on_each, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static void stand(struct store_rig *g, int kindergartens)
{
	store_hold_feed_slot(g);
	for (int i = 1; i <= kindergartens; i++)
		records_put_group(g, i, "sample", i % 2);
	store_sql(g, "update kindergarten set district = 1");
	records_put_application(g, &(struct records_application){.number = 51});
	records_put_application(
	    g, &(struct records_application){.number = 52, .status = APPLICATION_WITHDRAWN});
	records_put_application(
	    g, &(struct records_application){.number = 53, .status = APPLICATION_ENROLLING});
}

static void watcher_add__new_one__stands_with_its_news(void **state)
{
	struct store_rig *g = *state;

	stand(g, 2);
	struct told t = add(g, 51, 2);
	assert_int_equal(t.r, KZ_OK);
	assert_int_equal(t.verdict, WATCHER_ADDED);
	assert_string_equal(
	    store_sql(g, "select concat_ws('|', n.application, n.seq, a.seq, kind, via, kindergarten)"
	                 " from news n join application a on a.number = n.application"),
	    "51|2|2|8|1|2");
	t = list(g, 51);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.kindergartens[0], 2);
	assert_true(
	    feed_is_sure(g->feed) && feed_low(g->feed) > (uint64_t)store_int(g, "select feed from news"));
}

static void watcher_add__again__no_second_news(void **state)
{
	struct store_rig *g = *state;

	stand(g, 2);
	add(g, 51, 2);
	assert_int_equal(add(g, 51, 2).verdict, WATCHER_SAME);
	assert_int_equal(store_int(g, "select count(*) from news"), 1);
	assert_int_equal(store_int(g, "select seq from application where number = 51"), 2);
}

static void watcher_add__nothing_to_watch__said_which(void **state)
{
	struct store_rig *g = *state;

	stand(g, 1);
	assert_int_equal(add(g, 50, 1).verdict, WATCHER_NO_APPLICATION);
	assert_int_equal(add(g, 51, 9).verdict, WATCHER_NO_KINDERGARTEN);
	assert_int_equal(add(g, 52, 1).verdict, WATCHER_OVER);
	store_sql(g, "insert into district values (99, 'sample', '', '', '');"
	             " insert into kindergarten values (99, 99, '', '', '')");
	assert_int_equal(add(g, 51, 99).verdict, WATCHER_NOT_DISTRICT);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 0);
	assert_int_equal(add(g, 53, 1).verdict, WATCHER_ADDED);
	assert_int_equal(list(g, 50).r, KZ_NOT_FOUND);
	assert_int_equal(list(g, 52).r, KZ_OK);
}

/* Whoever ends it, and whatever it was. */
static void application__over__watches_no_more(void **state)
{
	struct store_rig *g = *state;

	stand(g, 2);
	add(g, 51, 1);
	add(g, 51, 2);
	add(g, 53, 1);
	store_sql(g, "update application set status = 1, seq = seq + 1 where number = 51");
	assert_int_equal(list(g, 51).n, 2);
	store_sql(g, "update application set status = 5, seq = seq + 1 where number = 51");
	assert_int_equal(list(g, 51).n, 0);
	assert_int_equal(list(g, 53).n, 1);
}

/* Else they would count for ever among the most that it may have. */
static void application__in_another_queue__watches_nothing_of_the_old_one(void **state)
{
	struct store_rig *g = *state;

	stand(g, 2);
	add(g, 51, 1);
	add(g, 53, 1);
	store_sql(g, "update application set district = 1, status = 0 where number = 51");
	assert_int_equal(list(g, 51).n, 1);
	store_sql(g, "update application set district = 2 where number = 51");
	assert_int_equal(list(g, 51).n, 0);
	assert_int_equal(list(g, 53).n, 1);
}

static void watcher_add__as_many_as_may_be__no_more(void **state)
{
	struct store_rig *g = *state;

	stand(g, WATCHERS_MOST + 1);
	for (uint64_t i = 1; i <= WATCHERS_MOST; i++)
		assert_int_equal(add(g, 51, i).verdict, WATCHER_ADDED);
	assert_int_equal(add(g, 51, WATCHERS_MOST + 1).verdict, WATCHER_FULL);
	assert_int_equal(add(g, 51, 1).verdict, WATCHER_SAME);
	assert_int_equal(list(g, 51).n, WATCHERS_MOST);
}

static void watcher_add__place_is_free_there__looked_at_now(void **state)
{
	struct store_rig *g = *state;

	stand(g, 3);
	store_sql(g, "update vacancy set watch_at = now() + interval '1 day' where play_group = 3");
	add(g, 51, 2);
	add(g, 51, 3);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at is not null"), 1);
	assert_int_equal(store_int(g, "select play_group from vacancy where watch_at <= now()"), 3);
}

static void watcher_add__with_an_sms__owed_when_it_is_watched_and_only_then(void **state)
{
	struct store_rig *g = *state;
	struct owed owed = {0};

	stand(g, 2);
	for (int64_t token = 1; token <= 4; token++) {
		owed_fini(&owed);
		owed_seal(g->keyring, token, (struct msisdn){77010000051}, LANGUAGE_KK, "OK", &owed);
		add_owing(g, token == 3 ? 52 : 51, token == 4 ? 99 : 2, &owed);
	}
	owed_fini(&owed);
	assert_string_equal(
	    store_sql(g, "select string_agg(token::text, ' ' order by token) from owed"), "1 2");
}

static void watcher_add__no_slot__comes_again(void **state)
{
	struct store_rig *g = *state;
	const struct watcher_wish w = {51, 1, NEWS_BY_PORTAL, store_wall_us(), NULL};
	struct told t = {0};

	stand(g, 1);
	feed_set_slot(g->feed, -1, 0);
	assert_int_equal(watcher_add(g->pg, g->feed, &w, on_added, &t), KZ_BUSY);
}

static void watcher_add__slot_lost_to_another__nothing_is_kept(void **state)
{
	struct store_rig *g = *state;

	stand(g, 1);
	store_sql(g, "update slot set epoch = epoch + 1");
	assert_int_equal(add(g, 51, 1).r, KZ_REFUSED);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 0);
	assert_int_equal(store_int(g, "select count(*) from news"), 0);
}

static void watcher_remove__what_is_watched__gone(void **state)
{
	struct store_rig *g = *state;

	stand(g, 2);
	add(g, 51, 1);
	add(g, 51, 2);
	assert_int_equal(remove_one(g, 51, 1).r, KZ_OK);
	assert_int_equal(remove_one(g, 51, 1).r, KZ_OK);
	assert_int_equal(remove_one(g, 50, 1).r, KZ_NOT_FOUND);
	struct told t = list(g, 51);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.kindergartens[0], 2);
}

static void watcher_remove__its_notice_waits__nobody_is_told(void **state)
{
	struct store_rig *g = *state;

	stand(g, 1);
	add(g, 51, 1);
	store_sql(g, "select notice_put(7, 51, 9, 1, now(), null, null, null, null, 1),"
	             " notice_put(8, 53, 9, 1, now(), null, null, null, null, 1);"
	             " update watcher set notice = 7");
	assert_int_equal(remove_one(g, 51, 1).r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 0);
	assert_string_equal(
	    store_sql(g,
	        "select string_agg(concat_ws('|', id, state, look_at is null), ' ' order by id) from notice"),
	    "7|4|t 8|0|f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(watcher_add__new_one__stands_with_its_news),
	    STORE_CASE(watcher_add__again__no_second_news),
	    STORE_CASE(watcher_add__nothing_to_watch__said_which),
	    STORE_CASE(application__over__watches_no_more),
	    STORE_CASE(application__in_another_queue__watches_nothing_of_the_old_one),
	    STORE_CASE(watcher_add__as_many_as_may_be__no_more),
	    STORE_CASE(watcher_add__place_is_free_there__looked_at_now),
	    STORE_CASE(watcher_add__with_an_sms__owed_when_it_is_watched_and_only_then),
	    STORE_CASE(watcher_add__no_slot__comes_again),
	    STORE_CASE(watcher_add__slot_lost_to_another__nothing_is_kept),
	    STORE_CASE(watcher_remove__what_is_watched__gone),
	    STORE_CASE(watcher_remove__its_notice_waits__nobody_is_told),
	};

	return store_main("watchers", tests, sizeof tests / sizeof *tests);
}

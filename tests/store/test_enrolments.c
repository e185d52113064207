/* Requests of parents by phone, in a real PostgreSQL. */
#include "records_rig.h"

#include "store/enrolments.h"

struct told {
	int count;
	enum kz r;
	enum enrolment_verdict verdict;
	struct enrolment e;
};

static void on_added(void *arg, enum kz r, enum enrolment_verdict v)
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

static void on_shown(void *arg, enum kz r, const struct enrolment *e, int64_t at_us)
{
	struct told *t = arg;

	on_added(arg, r, 0);
	assert_true(r != KZ_OK || at_us > 0);
	t->e = *e;
}

static struct enrolment_wish wish_of(unsigned serial, int64_t token)
{
	return (struct enrolment_wish){.enrolment = {.child = records_iin("2109155", serial),
	                                   .parent = records_iin("8501014", serial),
	                                   .phones = {{77010000001}, {77010000002}},
	                                   .language = LANGUAGE_RU},
	    .via = NEWS_BY_USSD,
	    .token = token,
	    .now_us = store_wall_us()};
}

static struct told add(struct store_rig *g, const struct enrolment_wish *w)
{
	struct told t = {0};

	store_hold_feed_slot(g);
	assert_int_equal(enrolment_add(g->pg, g->feed, g->keyring, w, on_added, &t), KZ_OK);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t;
}

static enum kz ask(struct store_rig *g, const struct enrolment_wish *w)
{
	struct told t = {0};

	assert_int_equal(
	    enrolment_ask(g->pg, applicant_iin(g->keyring, &w->enrolment.child), on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t.r;
}

static struct told show(struct store_rig *g, uint64_t id)
{
	struct told t = {0};

	assert_int_equal(enrolment_show(g->pg, g->keyring, id, on_shown, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static enum kz end(struct store_rig *g, uint64_t id)
{
	struct told t = {0};

	assert_int_equal(enrolment_end(g->pg, id, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t.r;
}

static uint64_t newest(struct store_rig *g)
{
	return (uint64_t)store_int(g, "select max(id) from enrolment");
}

static void add__new_one__stands_sealed_with_its_news(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7);

	assert_int_equal(ask(g, &w), KZ_NOT_FOUND);
	assert_int_equal(add(g, &w).verdict, ENROLMENT_ADDED);
	assert_int_equal(ask(g, &w), KZ_OK);
	assert_string_equal(
	    store_sql(g, "select (n.feed = e.id, n.application, n.seq, n.kind, n.via, n.detail)::text"
	                 " from news n, enrolment e"),
	    "(t,0,0,7,1,)");
	assert_int_equal(
	    store_int(g, "select count(*) from enrolment where encode(sealed, 'escape') like '%%%s%%'",
	        w.enrolment.child.digits),
	    0);
	const struct told t = show(g, newest(g));
	assert_int_equal(t.r, KZ_OK);
	assert_string_equal(t.e.child.digits, w.enrolment.child.digits);
	assert_string_equal(t.e.parent.digits, w.enrolment.parent.digits);
	assert_true(t.e.phones[0].digits == 77010000001 && t.e.phones[1].digits == 77010000002);
	assert_int_equal(t.e.language, LANGUAGE_RU);
	assert_true(feed_is_sure(g->feed));
}

static void add__same_press_of_a_key__the_same_request(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7);

	add(g, &w);
	assert_int_equal(add(g, &w).verdict, ENROLMENT_SAME);
	assert_int_equal(end(g, newest(g)), KZ_OK);
	assert_int_equal(add(g, &w).verdict, ENROLMENT_SAME);
	assert_int_equal(store_int(g, "select count(*) from news"), 1);
}

static void add__with_an_sms__owed_by_what_is_added_alone(void **state)
{
	struct store_rig *g = *state;
	struct enrolment_wish first = wish_of(1, 7), second = wish_of(1, 8);
	struct owed owed = {0};

	owed_seal(g->keyring, 7, first.enrolment.phones[0], LANGUAGE_RU, "OK", &owed);
	first.owed = second.owed = &owed;
	add(g, &first);
	assert_string_equal(store_sql(g, "delete from owed returning token"), "7");
	add(g, &first);
	assert_int_equal(add(g, &second).verdict, ENROLMENT_ASKED);
	assert_int_equal(store_int(g, "select count(*) from owed"), 0);
	owed_fini(&owed);
}

static void add__child_was_asked_for__no_second_one_until_that_is_over(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish first = wish_of(1, 7), second = wish_of(1, 8), other = wish_of(2, 9);

	add(g, &first);
	assert_int_equal(add(g, &second).verdict, ENROLMENT_ASKED);
	assert_int_equal(add(g, &other).verdict, ENROLMENT_ADDED);
	assert_int_equal(end(g, (uint64_t)store_int(g, "select id from enrolment where token = 7")), KZ_OK);
	assert_int_equal(add(g, &second).verdict, ENROLMENT_ADDED);
}

static void add__child_has_an_application__none_unless_it_is_given_up(void **state)
{
	struct store_rig *g = *state;
	struct enrolment_wish w = wish_of(1, 7);
	const struct records_application a = {.number = 1};

	w.enrolment.child = records_applicant(&a).child;
	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &a);
	assert_int_equal(add(g, &w).verdict, ENROLMENT_HAS);
	store_sql(g, "update application set status = %d", APPLICATION_ENROLLED);
	assert_int_equal(add(g, &w).verdict, ENROLMENT_HAS);
	store_sql(g, "update application set status = %d", APPLICATION_WITHDRAWN);
	assert_int_equal(add(g, &w).verdict, ENROLMENT_ADDED);
}

static void add__no_slot__busy(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7);
	struct told t = {0};

	feed_set_slot(g->feed, -1, 0);
	assert_int_equal(enrolment_add(g->pg, g->feed, g->keyring, &w, on_added, &t), KZ_BUSY);
	assert_int_equal(t.count, 0);
}

static void end__dealt_with__nothing_of_a_person_is_left(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7);

	add(g, &w);
	uint64_t id = newest(g);
	assert_int_equal(end(g, id), KZ_OK);
	assert_int_equal(end(g, id), KZ_OK);
	assert_int_equal(end(g, id + 1), KZ_NOT_FOUND);
	assert_int_equal(show(g, id).r, KZ_NOT_FOUND);
	assert_int_equal(ask(g, &w), KZ_NOT_FOUND);
	assert_int_equal(store_int(g, "select count(*) from enrolment where sealed is null"), 1);
}

static void add__what_is_over_for_a_month__forgotten(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7), next = wish_of(2, 8);

	add(g, &w);
	end(g, newest(g));
	store_sql(g, "update enrolment set ended_at = now() - interval '31 days'");
	add(g, &next);
	assert_int_equal(store_int(g, "select sum(token) from enrolment"), 8);
}

static void show__its_key_is_gone__invalid(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7);

	add(g, &w);
	store_sql(g, "update enrolment set sealed = 'changed'");
	assert_int_equal(show(g, newest(g)).r, KZ_INVALID);
}

static void enrolments_end__application_of_the_child__ends_it(void **state)
{
	struct store_rig *g = *state;
	const struct enrolment_wish w = wish_of(1, 7), other = wish_of(2, 8);
	long long child = applicant_iin(g->keyring, &w.enrolment.child);

	add(g, &w);
	add(g, &other);
	store_sql(
	    g, "select enrolments_end(array[%lld], array[%d]::smallint[])", child, APPLICATION_ARCHIVED);
	assert_int_equal(ask(g, &w), KZ_OK);
	store_sql(g, "select enrolments_end(array[%lld], array[%d]::smallint[])", child, APPLICATION_WAITING);
	assert_int_equal(ask(g, &w), KZ_NOT_FOUND);
	assert_int_equal(ask(g, &other), KZ_OK);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_CASE(add__new_one__stands_sealed_with_its_news),
	    STORE_CASE(add__same_press_of_a_key__the_same_request),
	    STORE_CASE(add__with_an_sms__owed_by_what_is_added_alone),
	    STORE_CASE(add__child_was_asked_for__no_second_one_until_that_is_over),
	    STORE_CASE(add__child_has_an_application__none_unless_it_is_given_up),
	    STORE_CASE(add__no_slot__busy),
	    STORE_CASE(end__dealt_with__nothing_of_a_person_is_left),
	    STORE_CASE(add__what_is_over_for_a_month__forgotten),
	    STORE_CASE(show__its_key_is_gone__invalid),
	    STORE_CASE(enrolments_end__application_of_the_child__ends_it),
	};

	return store_main("enrolments", tests, sizeof tests / sizeof *tests);
}

/* vacancies and handed in a real PostgreSQL: what parents on the phone are told of places and referrals. */
#include "records_rig.h"

#include "store/handed.h"
#include "store/vacancies.h"

#define SEEN_MOST VACANCIES_ROWS

struct told {
	int count;
	enum kz r;
	size_t n;
	uint64_t ids[SEEN_MOST];
	int64_t at_us;
	char name[VACANCIES_NAME], region[16], category[16];
	struct place_vacancy place;
	uint64_t kindergarten;
	bool confirmed, own;
};

static void on_list(void *arg, enum kz r, const struct vacancy_list *l)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->n = r == KZ_OK ? l->n : 0;
	for (size_t i = 0; i < t->n; i++)
		t->ids[i] = l->rows[i].group;
	if (!t->n)
		return;
	t->at_us = l->at_us;
	t->place = l->rows[0].place;
	snprintf(t->name, sizeof t->name, "%s", l->rows[0].names[LANGUAGE_RU]);
}

static struct told ask_kind(struct store_rig *g, struct vacancies *v, struct vacancy_kind k)
{
	struct told t = {0};

	assert_int_equal(vacancies_ask(v, &k, on_list, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static struct told ask(struct store_rig *g, struct vacancies *v, int64_t district, int age)
{
	return ask_kind(g, v, (struct vacancy_kind){district, age, 0, false});
}

/* Groups 1 to 3 of district 1, the last of them for ages 4 to 5 alone; 4 is another district's. */
static void stand(struct store_rig *g)
{
	records_put_group(g, 1, "sample", 2);
	records_put_group(g, 2, "sample", 5);
	records_put_group(g, 3, "sample", 1);
	records_put_group(g, 4, "sample", 9);
	store_sql(g, "update kindergarten set district = 1 where id in (2, 3);"
	             " update play_group set age_from = 4, age_to = 6 where id = 3");
}

static void vacancies_ask__district_and_age__the_most_places_first(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);

	stand(g);
	struct told t = ask(g, v, 1, 3);
	assert_true(t.r == KZ_OK && t.n == 2 && t.ids[0] == 2 && t.ids[1] == 1);
	assert_true(t.place.free == 5 && t.place.district == 1 && t.place.age_to == 7);
	assert_string_equal(t.name, "Айголек");
	t = ask(g, v, 1, 4);
	assert_true(t.n == 3 && t.ids[2] == 3);
	assert_int_equal(ask(g, v, 7, 3).n, 0);
	vacancies_free(v);
}

static void vacancies_ask__many_of_another_language__her_own_all_the_same(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);

	for (int id = 1; id <= 80; id++)
		records_put_group(g, id, "sample", id <= 79 ? 9 : 1);
	store_sql(
	    g, "update kindergarten set district = 1; update play_group set language = 1 where id = 80");
	struct told t = ask_kind(g, v, (struct vacancy_kind){1, 3, 1u << LANGUAGE_RU, false});
	assert_true(t.n == 1 && t.ids[0] == 80);
	t = ask(g, v, 1, 3);
	assert_true(t.n == VACANCIES_ROWS && t.ids[0] == 1);
	vacancies_free(v);
}

static void vacancies_ask__many_of_the_privileged__others_see_what_they_may_take(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);

	for (int id = 1; id <= 80; id++)
		records_put_group(g, id, "sample", id <= 79 ? 9 : 1);
	store_sql(g, "update kindergarten set district = 1;"
	             " update vacancy set released_at = '1970-01-01 00:00:00Z', priority_until = null;"
	             " update vacancy set priority_until = '2999-01-01 00:00:00Z' where play_group < 80");
	assert_int_equal(ask(g, v, 1, 3).ids[0], 80);
	assert_int_equal(ask_kind(g, v, (struct vacancy_kind){1, 3, 0, true}).ids[0], 1);
	vacancies_free(v);
}

static void vacancies_ask__again_within_three_seconds__as_it_was(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);
	struct told first;

	stand(g);
	first = ask(g, v, 1, 3);
	store_sql(g, "update vacancy set free = 0");
	struct told second = ask(g, v, 1, 3);
	assert_true(second.n == 2 && second.at_us == first.at_us);
	store_skip_us += (VACANCIES_FRESH + 1) * 1000;
	assert_int_equal(ask(g, v, 1, 3).n, 0);
	vacancies_free(v);
}

static void vacancies_ask__many_at_once__one_question(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);
	struct told t[20] = {0};

	stand(g);
	for (int i = 0; i < 20; i++)
		assert_int_equal(
		    vacancies_ask(v, &(struct vacancy_kind){1, 3, 0, false}, on_list, &t[i]), KZ_OK);
	assert_int_equal(pg_jobs(g->pg), 1);
	for (int i = 0; i < 20; i++) {
		servers_await(g->loop, &t[i].count, 1);
		assert_int_equal(t[i].n, 2);
	}
	vacancies_free(v);
}

static void vacancies_ask__more_lists_than_are_kept__the_oldest_goes(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);

	stand(g);
	ask(g, v, 1, 3);
	for (int i = 0; i < VACANCIES_KEPT; i++)
		ask(g, v, 100 + i, 3);
	store_sql(g, "update vacancy set free = 0");
	assert_int_equal(ask(g, v, 1, 3).n, 0);
	vacancies_free(v);
}

static void vacancies_free__somebody_waits__never_answered(void **state)
{
	struct store_rig *g = *state;
	struct vacancies *v = vacancies_new(g->loop, g->pg);
	struct told t = {0};

	assert_int_equal(vacancies_ask(v, &(struct vacancy_kind){1, 3, 0, false}, on_list, &t), KZ_OK);
	vacancies_free(v);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 20);
	assert_int_equal(t.count, 0);
}

static void on_get(void *arg, enum kz r, const struct vacancy_facts *f)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->place = f->place;
	t->kindergarten = f->kindergarten;
	t->confirmed = f->confirmed;
	t->own = f->own;
	snprintf(t->name, sizeof t->name, "%s", r == KZ_OK ? f->names[LANGUAGE_EN] : "");
	snprintf(t->region, sizeof t->region, "%s", f->region);
	snprintf(t->category, sizeof t->category, "%s", f->category);
}

static struct told get(struct store_rig *g, uint64_t application, uint64_t group, uint64_t phone)
{
	struct told t = {0};

	assert_int_equal(vacancy_get(g->pg, application, group, store_phone(g, phone), on_get, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static void vacancy_get__group_and_application__whose_it_is(void **state)
{
	struct store_rig *g = *state;

	stand(g);
	records_put_application(g, &(struct records_application){.number = 51});
	struct told t = get(g, 51, 2, 77010000051);
	assert_true(t.r == KZ_OK && t.place.free == 5 && t.kindergarten == 2 && t.confirmed && t.own);
	assert_string_equal(t.name, "Aigolek");
	assert_string_equal(t.region, "sample");
	assert_string_equal(t.category, "general");
	assert_false(get(g, 51, 2, 77010000052).confirmed);
	assert_false(get(g, 51, 4, 77010000051).own);
	assert_int_equal(get(g, 51, 9, 77010000051).r, KZ_NOT_FOUND);
	assert_int_equal(get(g, 50, 2, 77010000051).r, KZ_NOT_FOUND);
	store_sql(g, "delete from vacancy where play_group = 2; update application set verified = 0");
	t = get(g, 51, 2, 77010000051);
	assert_true(t.r == KZ_OK && !t.place.free && !t.confirmed);
}

static void on_garden(void *arg, uint64_t kindergarten, const char *const names[LANGUAGES])
{
	struct told *t = arg;

	t->ids[t->n++] = kindergarten;
	snprintf(t->name, sizeof t->name, "%s", names[LANGUAGE_EN]);
}

static void on_done(void *arg, enum kz r)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
}

static struct told gardens(struct store_rig *g, uint64_t phone, int most)
{
	struct told t = {0};

	const struct garden_wish w = {51, store_phone(g, phone), 4};

	assert_int_equal(garden_list(g->pg, &w, most, on_garden, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static void garden_list__of_the_district__where_places_move_first(void **state)
{
	struct store_rig *g = *state;

	stand(g);
	records_put_application(g, &(struct records_application){.number = 51, .groups = 1u << LANGUAGE_KK});
	store_sql(g,
	    "update vacancy set seq = 8 where play_group = 2;"
	    " update play_group set age_from = 1 where id = 3; delete from vacancy where play_group = 3");
	struct told t = gardens(g, 77010000051, 20);
	assert_true(t.r == KZ_OK && t.n == 3 && t.ids[0] == 2 && t.ids[1] == 1 && t.ids[2] == 3);
	assert_int_equal(gardens(g, 77010000051, 2).n, 2);
	store_sql(
	    g, "insert into watcher values (51, 2, now()); update play_group set language = 1 where id = 1");
	t = gardens(g, 77010000051, 20);
	assert_true(t.n == 1 && t.ids[0] == 3);
	assert_int_equal(gardens(g, 77010000052, 20).r, KZ_NOT_FOUND);
}

static void garden_list__groups_by_age__those_of_now_and_of_the_next_year(void **state)
{
	struct store_rig *g = *state;

	stand(g);
	records_put_application(g, &(struct records_application){.number = 51});
	store_sql(g, "update play_group set age_from = 2, age_to = 4 where id = 1;"
	             " update play_group set age_from = 5, age_to = 6 where id = 2;"
	             " update play_group set age_from = 6, age_to = 7 where id = 3");
	struct told t = gardens(g, 77010000051, 20);
	assert_true(t.n == 1 && t.ids[0] == 2);
}

static void on_handed(void *arg, const struct handed *h)
{
	struct told *t = arg;

	t->ids[t->n++] = h->number;
	snprintf(t->name, sizeof t->name, "%s", h->names[LANGUAGE_KK]);
}

static void stand_handed(struct store_rig *g)
{
	stand(g);
	records_put_application(
	    g, &(struct records_application){.number = 51, .phones = {77010000051, 77010000059}});
	records_put_application(
	    g, &(struct records_application){.number = 52, .phones = {77010000052, 77010000051}});
	store_sql(g, "insert into referral values (70, 51, 1, 3, false, now(), now(), null, 1),"
	             " (71, 52, 2, 0, false, now(), now(), null, 1)");
}

static void handed_list__of_all_her_children__the_newest_first(void **state)
{
	struct store_rig *g = *state;
	struct told all = {0}, one = {0}, hers = {0};

	stand_handed(g);
	const int64_t phone = store_phone(g, 77010000051);
	assert_int_equal(handed_list(g->pg, phone, 0, 20, on_handed, on_done, &all), KZ_OK);
	assert_int_equal(handed_list(g->pg, phone, 51, 20, on_handed, on_done, &one), KZ_OK);
	servers_await(g->loop, &one.count, 1);
	servers_await(g->loop, &all.count, 1);
	assert_true(all.n == 2 && all.ids[0] == 71 && all.ids[1] == 70);
	assert_true(one.n == 1 && one.ids[0] == 70);
	assert_string_equal(one.name, "Айгөлек");
	store_sql(g, "update application set verified = 1");
	assert_int_equal(handed_list(g->pg, phone, 0, 20, on_handed, on_done, &hers), KZ_OK);
	servers_await(g->loop, &hers.count, 1);
	assert_true(hers.r == KZ_OK && hers.n == 1 && hers.ids[0] == 70);
}

static void handed_get__anothers__none(void **state)
{
	struct store_rig *g = *state;
	struct told hers = {0}, anothers = {0};

	stand_handed(g);
	assert_int_equal(
	    handed_get(g->pg, store_phone(g, 77010000059), 70, on_handed, on_done, &hers), KZ_OK);
	assert_int_equal(
	    handed_get(g->pg, store_phone(g, 77010000059), 71, on_handed, on_done, &anothers), KZ_OK);
	servers_await(g->loop, &hers.count, 1);
	servers_await(g->loop, &anothers.count, 1);
	assert_true(hers.n == 1 && anothers.r == KZ_OK && !anothers.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(vacancies_ask__district_and_age__the_most_places_first),
	    STORE_CASE(vacancies_ask__many_of_another_language__her_own_all_the_same),
	    STORE_CASE(vacancies_ask__many_of_the_privileged__others_see_what_they_may_take),
	    STORE_CASE(vacancies_ask__again_within_three_seconds__as_it_was),
	    STORE_CASE(vacancies_ask__many_at_once__one_question),
	    STORE_CASE(vacancies_ask__more_lists_than_are_kept__the_oldest_goes),
	    STORE_CASE(vacancies_free__somebody_waits__never_answered),
	    STORE_CASE(vacancy_get__group_and_application__whose_it_is),
	    STORE_CASE(garden_list__of_the_district__where_places_move_first),
	    STORE_CASE(garden_list__groups_by_age__those_of_now_and_of_the_next_year),
	    STORE_CASE(handed_list__of_all_her_children__the_newest_first),
	    STORE_CASE(handed_get__anothers__none),
	};

	return store_main("vacancies", tests, sizeof tests / sizeof *tests);
}

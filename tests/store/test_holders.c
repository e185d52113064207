/* What is known of a phone that calls, in a real PostgreSQL: its applications, the code that it waits for,
 * its district. */
#include "codes_rig.h"
#include "records_rig.h"

#include "store/awaited.h"
#include "store/districts.h"
#include "store/holders.h"

#define PHONE 77010000051
#define NEXT  77010000099

struct told {
	int count;
	enum kz r;
	bool own, others;
	uint64_t numbers[HOLDERS_MOST];
	unsigned places[HOLDERS_MOST];
	size_t n, opened;
	struct awaited awaited;
	char text[256];
};

static void on_each(void *arg, const struct record *r, unsigned place, bool opened)
{
	struct told *t = arg;

	t->numbers[t->n] = r->id;
	t->places[t->n++] = place;
	t->opened += opened;
	assert_int_equal(r->application.seq, 1);
	if (opened)
		assert_true(r->application.applicant.phones[place].digits == PHONE);
}

static void on_holders(void *arg, enum kz r, bool own, bool others)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->own = own;
	t->others = others;
}

static struct told find(struct store_rig *g)
{
	const struct holders_wish w = {store_phone(g, PHONE), store_phone(g, NEXT)};
	struct told t = {0};

	assert_int_equal(holders_find(g->pg, g->keyring, &w, on_each, on_holders, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t;
}

static void put(struct store_rig *g, uint64_t number, uint64_t first, uint64_t second)
{
	records_put_application(
	    g, &(struct records_application){.number = number, .phones = {first, second}});
}

static void holders_find__nobody__none(void **state)
{
	const struct told t = find(*state);

	assert_true(t.n == 0 && !t.own && !t.others);
}

static void holders_find__either_place__each_with_its_place(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, PHONE, 77010000002);
	put(g, 2, 77010000002, PHONE);
	put(g, 3, 77010000002, 77010000003);
	const struct told t = find(g);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.opened, 2);
	assert_true(t.numbers[0] == 1 && t.places[0] == 0 && t.numbers[1] == 2 && t.places[1] == 1);
	assert_true(!t.own && !t.others);
}

static void holders_find__not_confirmed__not_its_own(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, PHONE, 77010000002);
	put(g, 2, 77010000002, PHONE);
	store_sql(g, "update application set verified = 2");
	const struct told t = find(g);
	assert_int_equal(t.n, 1);
	assert_true(t.numbers[0] == 2 && t.places[0] == 1);
}

static void holders_find__next_is_anothers__said(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, PHONE, 0);
	put(g, 2, 77010000002, NEXT);
	assert_true(find(g).others);
	store_sql(g, "update application set verified = 1 where number = 2");
	assert_false(find(g).others);
}

static void holders_find__next_is_her_second_one__own_and_no_others(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, PHONE, NEXT);
	put(g, 2, PHONE, 0);
	const struct told t = find(g);
	assert_int_equal(t.n, 2);
	assert_true(t.own && !t.others);
}

static void holders_find__its_key_is_gone__not_opened(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, PHONE, 0);
	store_sql(g, "update application set sealed = 'changed'");
	const struct told t = find(g);
	assert_true(t.n == 1 && t.opened == 0);
}

static void on_awaited(void *arg, enum kz r, const struct awaited *a)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->awaited = *a;
}

static struct awaited await_code(struct store_rig *g, int64_t phone)
{
	struct told t = {0};

	assert_int_equal(awaited_ask(g->pg, phone, "login", store_wall_us(), on_awaited, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t.awaited;
}

static void awaited_ask__codes_of_all_kinds__the_newest_open_one_of_the_purpose(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 9};
	uint64_t id[5];

	for (int i = 0; i < 5; i++)
		id[i] = ids_next(&ids, store_wall_us() / 1000);
	codes_put_clients(g);
	code_put(g, id[0], 5, "login", 60);
	code_put(g, id[1], 6, "login", 60);
	code_put(g, id[2], 5, "login", 60);
	code_put(g, id[3], 5, "phone", 60);
	code_put(g, id[4], 5, "login", -1);
	store_sql(g, "insert into code_verdict (code_id, at, verdict, feed) values (%llu, now(), 1, 1)",
	    (unsigned long long)id[2]);
	const struct awaited a = await_code(g, CODES_PHONE);
	assert_true(a.id == id[1]);
	assert_int_equal(a.api_key, 6);
	assert_true(a.expires_us > store_wall_us());
	assert_false(a.applicant);
}

static void awaited_ask__none__whether_it_is_an_applicants_phone(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, 77010000002, PHONE);
	assert_true(await_code(g, store_phone(g, PHONE)).applicant);
	assert_true(await_code(g, store_phone(g, 77010000002)).applicant);
	const struct awaited a = await_code(g, store_phone(g, NEXT));
	assert_true(a.id == 0 && !a.applicant);
}

static void on_district(void *arg, uint64_t id, const char *name)
{
	struct told *t = arg;
	size_t at = strlen(t->text);

	snprintf(t->text + at, sizeof t->text - at, "%llu %s;", (unsigned long long)id, name);
}

static void on_done(void *arg, enum kz r)
{
	on_holders(arg, r, false, false);
}

static struct told list(struct store_rig *g, enum language l, int most)
{
	struct told t = {0};

	assert_int_equal(
	    districts_list(g->pg, store_phone(g, PHONE), l, most, on_district, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t;
}

static void districts_list__stranger__all_in_her_language(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	records_put_group(g, 2, "other", 1);
	assert_string_equal(list(g, LANGUAGE_KK, 20).text, "1 Аудан;2 Аудан;");
	assert_string_equal(list(g, LANGUAGE_RU, 20).text, "1 Район;2 Район;");
	assert_string_equal(list(g, LANGUAGE_EN, 1).text, "1 District;");
}

static void districts_list__parent__of_the_newest_applications_region(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	records_put_group(g, 2, "other", 1);
	put(g, 1, PHONE, 0);
	records_put_application(
	    g, &(struct records_application){.number = 2, .district = 2, .phones = {77010000002, PHONE}});
	assert_string_equal(list(g, LANGUAGE_EN, 20).text, "2 District;");
}

static void on_name(void *arg, enum kz r, const char *name)
{
	struct told *t = arg;

	on_done(arg, r);
	snprintf(t->text, sizeof t->text, "%s", name);
}

static struct told name_of(struct store_rig *g, uint64_t id)
{
	struct told t = {0};

	assert_int_equal(districts_name(g->pg, id, LANGUAGE_RU, on_name, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static struct told choose(struct store_rig *g, uint64_t id)
{
	struct told t = {0};

	assert_int_equal(districts_choose(g->pg, store_phone(g, PHONE), id, NULL, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static void districts_choose__one_that_there_is__remembered_beside_the_language(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	records_put_group(g, 2, "sample", 1);
	store_sql(
	    g, "insert into caller (phone, language) values (%lld, 2)", (long long)store_phone(g, PHONE));
	assert_int_equal(choose(g, 1).r, KZ_OK);
	assert_string_equal(name_of(g, 1).text, "Район");
	assert_int_equal(name_of(g, 9).r, KZ_NOT_FOUND);
	choose(g, 2);
	assert_string_equal(store_sql(g, "select (language, district)::text from caller"), "(2,2)");
	assert_int_equal(choose(g, 9).r, KZ_NOT_FOUND);
	assert_string_equal(store_sql(g, "select (language, district)::text from caller"), "(2,2)");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_CASE(holders_find__nobody__none),
	    STORE_CASE(holders_find__either_place__each_with_its_place),
	    STORE_CASE(holders_find__not_confirmed__not_its_own),
	    STORE_CASE(holders_find__next_is_anothers__said),
	    STORE_CASE(holders_find__next_is_her_second_one__own_and_no_others),
	    STORE_CASE(holders_find__its_key_is_gone__not_opened),
	    STORE_CASE(awaited_ask__codes_of_all_kinds__the_newest_open_one_of_the_purpose),
	    STORE_CASE(awaited_ask__none__whether_it_is_an_applicants_phone),
	    STORE_CASE(districts_list__stranger__all_in_her_language),
	    STORE_CASE(districts_list__parent__of_the_newest_applications_region),
	    STORE_CASE(districts_choose__one_that_there_is__remembered_beside_the_language),
	};

	return store_main("holders", tests, sizeof tests / sizeof *tests);
}

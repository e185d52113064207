/* Free places and referrals as anybody may see them, from a real PostgreSQL. */
#include "records_rig.h"

#include "store/open_data.h"

#define ROWS 128

struct page {
	int count;
	enum kz r;
	size_t n;
	uint64_t next, ids[ROWS]; /* groups, or numbers of referrals */
	struct open_vacancy vacancy;
	struct open_referral referral;
	char text[256]; /* of the last: names */
};

static const struct open_data_filter any = {.age = -1, .language = -1, .status = -1, .limit = 10};

static void page_put(struct page *p, uint64_t id)
{
	assert_true(p->n < ROWS);
	p->ids[p->n++] = id;
}

static void page_on_vacancy(void *arg, const struct open_vacancy *v)
{
	struct page *p = arg;

	page_put(p, v->place.group);
	p->vacancy = *v;
	snprintf(p->text, sizeof p->text, "%s|%s|%s|%s", v->place.kindergarten_names[LANGUAGE_KK],
	    v->place.kindergarten_names[LANGUAGE_EN], v->place.district_names[LANGUAGE_RU],
	    v->place.district_names[LANGUAGE_EN]);
}

static void page_on_referral(void *arg, const struct open_referral *r)
{
	struct page *p = arg;

	page_put(p, r->number);
	p->referral = *r;
	snprintf(p->text, sizeof p->text, "%s|%s", r->first_name, r->last_name);
}

static void page_on_done(void *arg, enum kz r, uint64_t next)
{
	struct page *p = arg;

	p->count++;
	p->r = r;
	p->next = next;
}

static struct page vacancies(struct store_rig *g, struct open_data_filter f)
{
	struct page p = {0};

	assert_int_equal(open_vacancies(g->pg, &f, page_on_vacancy, page_on_done, &p), KZ_OK);
	assert_int_equal(p.count, 0);
	servers_await(g->loop, &p.count, 1);
	return p;
}

static struct page referrals(struct store_rig *g, struct open_data_filter f)
{
	struct page p = {0};

	assert_int_equal(open_referrals(g->pg, g->keyring, &f, page_on_referral, page_on_done, &p), KZ_OK);
	assert_int_equal(p.count, 0);
	servers_await(g->loop, &p.count, 1);
	return p;
}

#define WITH(...)                                                                                            \
	({                                                                                                   \
		struct open_data_filter f_ = any;                                                            \
		__VA_ARGS__;                                                                                 \
		f_;                                                                                          \
	})

/* Groups 1..n, each in a district and kindergarten of its own: ages 1 to 6, Kazakh. */
static void groups_put(struct store_rig *g, int n)
{
	for (int i = 1; i <= n; i++)
		records_put_group(g, i, "sample", i);
}

/* A referral of the application with its number, newer than those before. */
static void referral_put(struct store_rig *g, uint64_t number, int group, enum referral_status s)
{
	records_put_application(g, &(struct records_application){.number = number, .district = group});
	store_sql(g,
	    "insert into referral (number, application, play_group, status, extended, from_at, to_at, seq) "
	    "values (%llu, %llu, %d, %d, false, timestamptz '2026-01-01 00:00:00Z',"
	    " timestamptz '2026-01-08 00:00:00Z', 1)",
	    (unsigned long long)number, (unsigned long long)number, group, s);
}

static void vacancies__those_with_a_free_place__whole_and_by_their_group(void **state)
{
	struct store_rig *g = *state;

	groups_put(g, 4);
	store_sql(g, "update vacancy set free = 0 where play_group = 2;"
	             "update vacancy set released_at = timestamptz '2026-01-01 00:00:01Z',"
	             " priority_until = timestamptz '2026-01-04 00:00:00Z' where play_group = 4;"
	             "update play_group set age_from = 3, age_to = 6, language = 1 where id = 4");
	const struct page p = vacancies(g, any);
	assert_int_equal(p.r, KZ_OK);
	assert_int_equal(p.n, 3);
	assert_true(p.ids[0] == 1 && p.ids[1] == 3 && p.ids[2] == 4);
	assert_int_equal(p.next, 0);
	assert_int_equal(p.vacancy.free, 4);
	assert_int_equal(p.vacancy.released_us, INT64_C(1767225601000000));
	assert_int_equal(p.vacancy.priority_until_us, INT64_C(1767484800000000));
	assert_true(p.vacancy.place.kindergarten == 4 && p.vacancy.place.district == 4);
	assert_true(p.vacancy.place.age_from == 3 && p.vacancy.place.age_to == 6);
	assert_int_equal(p.vacancy.place.language, LANGUAGE_RU);
	assert_string_equal(p.text, "Айгөлек|Aigolek|Район|District");
	assert_int_equal(vacancies(g, WITH(f_.after = 4)).n, 0);
}

static void vacancies__filters__what_fits_alone(void **state)
{
	struct store_rig *g = *state;

	groups_put(g, 5);
	store_sql(g, "update play_group set age_from = 3, age_to = 5 where id = 2;"
	             "update play_group set language = 1 where id = 3;"
	             "update kindergarten set name_ru = 'Солнышко №4' where id = 4;"
	             "update kindergarten set district = 1 where id = 5");
	struct page p = vacancies(g, WITH(f_.district = 1));
	assert_int_equal(p.n, 2);
	assert_true(p.ids[0] == 1 && p.ids[1] == 5);
	assert_int_equal(vacancies(g, WITH(f_.age = 2)).n, 4);
	assert_int_equal(vacancies(g, WITH(f_.age = 5)).n, 4);
	assert_int_equal(vacancies(g, WITH(f_.age = 4)).n, 5);
	assert_int_equal(vacancies(g, WITH(f_.age = 0)).n, 0);
	p = vacancies(g, WITH(f_.language = LANGUAGE_RU));
	assert_true(p.n == 1 && p.ids[0] == 3);
	p = vacancies(g, WITH(f_.kindergarten = 2; f_.age = 3));
	assert_true(p.n == 1 && p.ids[0] == 2);
	assert_int_equal(vacancies(g, WITH(f_.kindergarten = 2; f_.age = 2)).n, 0);
	assert_int_equal(vacancies(g, WITH(f_.kindergarten = 5; f_.district = 5)).n, 0);
	assert_int_equal(vacancies(g, WITH(f_.kindergarten = 99)).n, 0);
	p = vacancies(g, WITH(f_.name = "сОЛНышко"));
	assert_true(p.n == 1 && p.ids[0] == 4);
	assert_int_equal(vacancies(g, WITH(f_.name = "aigo")).n, 5);
	assert_int_equal(vacancies(g, WITH(f_.name = "aigo"; f_.district = 1)).n, 2);
	assert_int_equal(vacancies(g, WITH(f_.name = "%")).n, 0);
}

static void vacancies__more_than_a_page__each_once_by_the_cursor(void **state)
{
	struct store_rig *g = *state;
	uint64_t after = 0;
	size_t pages = 0, n = 0;

	groups_put(g, 7);
	do {
		const struct page p = vacancies(g, WITH(f_.limit = 3; f_.after = after));

		for (size_t i = 0; i < p.n; i++)
			assert_true(p.ids[i] == ++n);
		after = p.next;
		pages++;
	} while (after);
	assert_int_equal(n, 7);
	assert_int_equal(pages, 3);
}

/* The last of more than are looked at alone fits. */
static void vacancies__none_fits_in_what_is_looked_at__empty_page_and_its_end(void **state)
{
	struct store_rig *g = *state;

	groups_put(g, 1);
	store_sql(g,
	    "insert into play_group select i, 1, 1, 7, case when i = %d then 1 else 0 end from "
	    "generate_series(2, %d) i;"
	    "insert into vacancy select i, 1, now(), null, 1, 1, null from generate_series(2, %d) i",
	    OPEN_DATA_LOOK + 9, OPEN_DATA_LOOK + 9, OPEN_DATA_LOOK + 9);
	struct page p = vacancies(g, WITH(f_.language = LANGUAGE_RU));
	assert_int_equal(p.n, 0);
	assert_int_equal(p.next, OPEN_DATA_LOOK);
	p = vacancies(g, WITH(f_.language = LANGUAGE_RU; f_.after = p.next));
	assert_true(p.n == 1 && p.ids[0] == OPEN_DATA_LOOK + 9);
	assert_int_equal(p.next, 0);
}

static void name__that_finds_too_many_kindergartens__refused(void **state)
{
	struct store_rig *g = *state;

	groups_put(g, 1);
	store_sql(g,
	    "insert into kindergarten select i, 1, 'Балдырған', 'Балдырган', 'Baldyrgan' from"
	    " generate_series(2, %d) i",
	    OPEN_DATA_KINDERGARTENS + 2);
	assert_int_equal(vacancies(g, WITH(f_.name = "балдыр")).r, KZ_TOO_LONG);
	assert_int_equal(referrals(g, WITH(f_.name = "балдыр")).r, KZ_TOO_LONG);
	store_sql(g, "delete from kindergarten where id = 2");
	assert_int_equal(vacancies(g, WITH(f_.name = "балдыр")).r, KZ_OK);
	assert_int_equal(referrals(g, WITH(f_.name = "Айг")).r, KZ_OK);
}

static void referrals__the_newest_first_with_the_child(void **state)
{
	struct store_rig *g = *state;

	groups_put(g, 2);
	referral_put(g, 71, 1, REFERRAL_EXPIRED);
	referral_put(g, 72, 2, REFERRAL_OFFERED);
	referral_put(g, 70, 2, REFERRAL_ACCEPTED);
	store_sql(g, "update referral set extended = true where number = 70");
	struct page p = referrals(g, any);
	assert_int_equal(p.n, 3);
	assert_true(p.ids[0] == 72 && p.ids[1] == 71 && p.ids[2] == 70);
	assert_int_equal(p.next, 0);
	assert_true(p.referral.application == 70 && p.referral.place.group == 2);
	assert_int_equal(p.referral.status, REFERRAL_ACCEPTED);
	assert_true(p.referral.extended);
	assert_int_equal(p.referral.from_us, INT64_C(1767225600000000));
	assert_int_equal(p.referral.to_us, INT64_C(1767830400000000));
	assert_int_equal(p.referral.birth_year, 2021);
	assert_string_equal(p.text, "Айгерім|Сериккызы");
	store_sql(g, "update application set sealed = 'x'");
	p = referrals(g, any);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.text, "|");
}

static void referrals__filters__what_fits_alone(void **state)
{
	struct store_rig *g = *state;

	groups_put(g, 3);
	store_sql(g, "update play_group set language = 1, age_from = 4 where id = 2;"
	             "update kindergarten set name_en = 'Solnyshko' where id = 3");
	for (int i = 1; i <= 9; i++)
		referral_put(g, (uint64_t)i, 1 + i % 3, i < 5 ? REFERRAL_EXPIRED : REFERRAL_OFFERED);
	assert_int_equal(referrals(g, WITH(f_.status = REFERRAL_EXPIRED)).n, 4);
	assert_int_equal(referrals(g, WITH(f_.status = REFERRAL_ENROLLED)).n, 0);
	struct page p = referrals(g, WITH(f_.status = REFERRAL_OFFERED; f_.district = 1));
	assert_true(p.n == 2 && p.ids[0] == 9 && p.ids[1] == 6);
	assert_int_equal(referrals(g, WITH(f_.language = LANGUAGE_RU)).n, 3);
	assert_int_equal(referrals(g, WITH(f_.age = 3)).n, 6);
	p = referrals(g, WITH(f_.kindergarten = 2));
	assert_true(p.n == 3 && p.ids[0] == 7 && p.ids[1] == 4 && p.ids[2] == 1);
	p = referrals(g, WITH(f_.kindergarten = 2; f_.status = REFERRAL_EXPIRED; f_.limit = 1));
	assert_true(p.n == 1 && p.ids[0] == 4 && p.next == 4);
	p = referrals(g, WITH(f_.kindergarten = 2; f_.status = REFERRAL_EXPIRED; f_.after = 4));
	assert_true(p.n == 1 && p.ids[0] == 1 && p.next == 0);
	p = referrals(g, WITH(f_.name = "solny"; f_.age = 1));
	assert_true(p.n == 3 && p.ids[0] == 8 && p.ids[2] == 2);
}

static void referrals__more_than_a_page_of_several_kindergartens__each_once_by_the_cursor(void **state)
{
	struct store_rig *g = *state;
	uint64_t after = 0, last = 100;
	size_t n = 0;

	groups_put(g, 3);
	for (int i = 1; i <= 20; i++)
		referral_put(g, (uint64_t)i, 1 + (i * 7 + i / 5) % 3, REFERRAL_DECLINED);
	do {
		const struct page p = referrals(g, WITH(f_.name = "айг"; f_.limit = 3; f_.after = after));

		for (size_t i = 0; i < p.n; i++, n++) {
			assert_true(p.ids[i] == last - 1 || last == 100);
			last = p.ids[i];
		}
		after = p.next;
	} while (after);
	assert_int_equal(n, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(vacancies__those_with_a_free_place__whole_and_by_their_group),
	    STORE_CASE(vacancies__filters__what_fits_alone),
	    STORE_CASE(vacancies__more_than_a_page__each_once_by_the_cursor),
	    STORE_CASE(vacancies__none_fits_in_what_is_looked_at__empty_page_and_its_end),
	    STORE_CASE(name__that_finds_too_many_kindergartens__refused),
	    STORE_CASE(referrals__the_newest_first_with_the_child),
	    STORE_CASE(referrals__filters__what_fits_alone),
	    STORE_CASE(referrals__more_than_a_page_of_several_kindergartens__each_once_by_the_cursor),
	};

	return store_main("open_data", tests, sizeof tests / sizeof *tests);
}

/* Positions in a real PostgreSQL, against a query that orders everybody. */
#include "records_rig.h"

#include "store/queue.h"

#define CITY         108344
#define CITY_CHANGES 10000
#define CITY_MOST    (CITY + CITY_CHANGES)

struct found {
	struct queue_entry entries[QUEUE_FOUND];
	/* of the last */
	char names[LANGUAGES][32], region[32], category[32], kindergarten[32], first_name[APPLICANT_NAME + 1];
	const struct keyring *keyring;
	int n, done;
	enum kz r;
};

static struct regions *queue_regions(void)
{
	struct faults faults = {0};
	struct regions *r = regions_load(KEZEK_SOURCE_DIR "/config/regions", &faults);

	assert_string_equal(buf_text(&faults.text), "");
	faults_fini(&faults);
	return r;
}

static void found_on_entry(void *arg, const struct queue_entry *e)
{
	struct found *f = arg;
	struct applicant a;

	assert_true(f->n < QUEUE_FOUND);
	f->entries[f->n++] = *e;
	for (int l = 0; l < LANGUAGES; l++)
		snprintf(f->names[l], sizeof f->names[l], "%s", e->district_names[l]);
	snprintf(f->region, sizeof f->region, "%s", e->region);
	snprintf(f->category, sizeof f->category, "%s", e->category);
	snprintf(f->kindergarten, sizeof f->kindergarten, "%s", e->kindergarten_names[LANGUAGE_RU]);
	if (applicant_open(f->keyring, e->application, e->sealed, e->sealed_n, &a) == KZ_OK)
		snprintf(f->first_name, sizeof f->first_name, "%s", a.first_name);
	applicant_wipe(&a);
}

static void found_on_done(void *arg, enum kz r)
{
	struct found *f = arg;

	f->r = r;
	f->done++;
}

static struct found find(struct store_rig *g, enum queue_by by, int64_t value)
{
	struct regions *owned = queue_regions();
	const struct regions *regions = owned;
	struct found f = {.r = KZ_BUSY, .keyring = g->keyring};

	assert_int_equal(queue_find(g->pg, &regions, by, value, found_on_entry, found_on_done, &f), KZ_OK);
	servers_await(g->loop, &f.done, 1);
	assert_int_equal(f.r, KZ_OK);
	regions_free(owned);
	return f;
}

static uint64_t position(struct store_rig *g, uint64_t number)
{
	struct found f = find(g, QUEUE_BY_APPLICATION, (int64_t)number);

	assert_int_equal(f.n, 1);
	return f.entries[0].position;
}

static void put(struct store_rig *g, uint64_t number, const char *category, int64_t registered_us)
{
	records_put_application(
	    g, &(struct records_application){
	           .number = number, .category = category, .registered_us = registered_us});
}

static void queue_find__phone_that_chose_a_district__of_the_same_region_alone(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, NULL, 1000000);
	store_sql(g, "insert into district values (2, 'sample', 'a', 'b', 'c'), (3, 'other', 'a', 'b', 'c')");
	assert_int_equal(find(g, QUEUE_BY_PHONE, store_phone(g, 77010000001)).entries[0].chosen, 0);
	store_sql(g, "insert into caller (phone, district) select phone1, 2 from application");
	assert_int_equal(find(g, QUEUE_BY_PHONE, store_phone(g, 77010000001)).entries[0].chosen, 2);
	assert_int_equal(find(g, QUEUE_BY_APPLICATION, 1).entries[0].chosen, 0);
	store_sql(g, "update caller set district = 3");
	assert_int_equal(find(g, QUEUE_BY_PHONE, store_phone(g, 77010000001)).entries[0].chosen, 0);
}

static void queue_find__by_number_and_persons__with_all_that_is_known(void **state)
{
	struct store_rig *g = *state;
	const struct records_application a = {.number = 48871,
	    .registered_us = INT64_C(1568286120) * 1000000,
	    .groups = 1u << LANGUAGE_RU,
	    .phones = {77011234567, 77027654321}};
	struct applicant p = records_applicant(&a);
	const int64_t values[QUEUE_WAYS] = {48871, applicant_iin(g->keyring, &p.child),
	    applicant_iin(g->keyring, &p.parents[0]), store_phone(g, 77011234567)};

	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &a);
	put(g, 48872, NULL, INT64_C(1568286121) * 1000000);
	for (enum queue_by by = 0; by < QUEUE_WAYS; by++) {
		struct found f = find(g, by, values[by]);
		const struct queue_entry *e = &f.entries[0];

		assert_int_equal(f.n, 1);
		assert_true(e->application == 48871 && e->status == APPLICATION_WAITING && e->district == 1);
		assert_true(e->position == 1 && e->waiting == 2 && e->birth_year == 2021 && !e->referral);
		assert_true(e->registered_us == a.registered_us);
		assert_string_equal(f.names[LANGUAGE_RU], "Район");
		assert_string_equal(f.region, "sample");
		assert_string_equal(f.category, "general");
		assert_true(e->confirmed[0] == values[QUEUE_BY_PHONE] &&
		            e->confirmed[1] == store_phone(g, 77027654321) && e->languages == 2);
		assert_string_equal(f.first_name, "Айгерім");
		assert_string_equal(f.kindergarten, "");
	}
	store_sql(g, "update application set verified = 2");
	assert_int_equal(find(g, QUEUE_BY_APPLICATION, 48871).entries[0].confirmed[0], 0);
	assert_int_equal(find(g, QUEUE_BY_PHONE, store_phone(g, 77027654321)).n, 1);
	struct found alone = find(g, QUEUE_OF_PHONE, store_phone(g, 77027654321));
	assert_int_equal(alone.n, 1);
	assert_int_equal(alone.entries[0].application, 48871);
	assert_true(
	    alone.entries[0].languages == 2 && !alone.entries[0].position && !alone.entries[0].waiting);
	assert_string_equal(alone.first_name, "Айгерім");
	assert_int_equal(find(g, QUEUE_BY_CHILD, values[QUEUE_BY_PARENT]).n, 0);
	assert_int_equal(find(g, QUEUE_BY_APPLICATION, 48870).n, 0);
	applicant_wipe(&p);
}

static void queue_find__second_parent__found(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	put(g, 1, NULL, 0);
	store_sql(g, "update application set parent2_iin = 77");
	assert_int_equal(find(g, QUEUE_BY_PARENT, 77).n, 1);
	store_sql(g, "update application set parent1_iin = 77");
	assert_int_equal(find(g, QUEUE_BY_PARENT, 77).n, 1);
}

static void queue_find__referral__the_open_one_and_no_position(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	records_put_application(
	    g, &(struct records_application){.number = 5, .status = APPLICATION_REFERRED});
	store_sql(g, "insert into referral values (70, 5, 1, 3, false, now(), now(), null, 1),"
	             " (71, 5, 1, 1, false, now(), to_timestamp(1568890920), null, 1)");
	struct found f = find(g, QUEUE_BY_APPLICATION, 5);
	assert_int_equal(f.n, 1);
	assert_true(f.entries[0].referral == 71 && f.entries[0].referral_status == REFERRAL_ACCEPTED);
	assert_true(f.entries[0].referral_until_us == INT64_C(1568890920) * 1000000);
	assert_true(!f.entries[0].position && !f.entries[0].waiting);
	assert_string_equal(f.kindergarten, "Айголек");
}

static void queue_find__a_dozen_of_one_phone__the_newest_ten(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	for (uint64_t i = 1; i <= 12; i++)
		records_put_application(g, &(struct records_application){.number = i,
		                               .phones = {i % 2 ? 77011234567 : 77010000000 + i,
		                                   i % 2 ? 77010000000 + i : 77011234567}});
	struct found f = find(g, QUEUE_BY_PHONE, store_phone(g, 77011234567));
	assert_int_equal(f.n, QUEUE_FOUND);
	for (int i = 0; i < QUEUE_FOUND; i++)
		assert_int_equal(f.entries[i].application, 12 - i);
}

static void queue_find__not_configured_any_more__no_position(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	records_put_group(g, 2, "elsewhere", 1);
	put(g, 1, "vouchers", 0);
	put(g, 2, NULL, 0);
	records_put_application(g, &(struct records_application){.number = 3, .district = 2});
	assert_int_equal(position(g, 1), 0);
	assert_int_equal(position(g, 2), 1);
	assert_int_equal(position(g, 3), 0);
}

static void queue_find__edges_of_both_spans__in_order(void **state)
{
	struct store_rig *g = *state;
	static const int64_t at_s[] = {-1, 0, 10799, 10800, 10800 * 128 - 1, 10800 * 128, 10800 * 128 + 1};

	records_put_group(g, 1, "sample", 1);
	for (size_t i = 0; i < sizeof at_s / sizeof *at_s; i++) {
		int64_t us = (INT64_C(10800) * 128 * 1168 + at_s[i]) * 1000000;

		put(g, 10 + i, NULL, us); /* by number where the time is the same */
		put(g, 20 + i, NULL, us);
	}
	for (size_t i = 0; i < sizeof at_s / sizeof *at_s; i++) {
		assert_int_equal(position(g, 10 + i), 2 * i + 1);
		assert_int_equal(position(g, 20 + i), 2 * i + 2);
	}
	put(g, 9, NULL, -1000000); /* before 1970 */
	assert_int_equal(position(g, 9), 1);
	assert_int_equal(position(g, 10), 2);
}

static void queue_find__database_away__lost(void **state)
{
	struct store_rig *g = *state;
	const struct regions *none = NULL;
	struct found f = {.r = KZ_BUSY};

	store_kill_pg(g);
	assert_int_equal(
	    queue_find(g->pg, &none, QUEUE_BY_APPLICATION, 1, found_on_entry, found_on_done, &f), KZ_OK);
	pg_stop(g->pg);
	assert_int_equal(f.done, 1);
	assert_int_equal(f.r, KZ_LOST);
	servers_do("start");
}

/* What follows a place that is given. */
static void serve(struct store_rig *g, uint64_t number)
{
	store_sql(g, "update application set status = 1 where number = %llu", (unsigned long long)number);
	store_sql(g,
	    "select queue_served(district, birth_year, category,"
	    " case category when 'extraordinary' then '{extraordinary}'::text[] else '{privileged,general}' "
	    "end,"
	    " case category when 'extraordinary' then '{1}'::int[] else '{1,3}' end)"
	    " from application where number = %llu",
	    (unsigned long long)number);
}

static void queue_served__from_the_front__each_falls_by_one(void **state)
{
	struct store_rig *g = *state;
	uint64_t was[25], first;

	records_put_group(g, 1, "sample", 1);
	for (uint64_t i = 1; i <= 24; i++)
		put(g, i, i % 9 == 0 ? "extraordinary" : i % 4 == 0 ? "privileged" : "general", 0);
	for (uint64_t gone = 0; gone < 24; gone++) {
		first = 0;
		for (uint64_t i = 1; i <= 24; i++) {
			uint64_t now = position(g, i);

			if (now == 1)
				first = i;
			if (gone && was[i])
				assert_int_equal(now, was[i] - 1);
			was[i] = now;
		}
		assert_true(first);
		serve(g, first);
	}
}

/* 1 and 2 are privileged, 3 to 8 general. */
static void queue_served__out_of_turn__others_keep_their_turn(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	for (uint64_t i = 1; i <= 8; i++)
		put(g, i, i <= 2 ? "privileged" : "general", 0);
	for (uint64_t i = 3; i <= 6; i++)
		serve(g, i);
	assert_int_equal(position(g, 1), 1);
	assert_int_equal(position(g, 2), 2); /* a round is over with 1, and it begins the next */
	assert_int_equal(position(g, 7), 3);
	serve(g, 1);
	assert_int_equal(position(g, 2), 1);
}

static void queue_served__who_comes_after_its_turn__waits_a_round(void **state)
{
	struct store_rig *g = *state;

	records_put_group(g, 1, "sample", 1);
	for (uint64_t i = 3; i <= 8; i++)
		put(g, i, "general", 0);
	serve(g, 3);
	put(g, 1, "privileged", 0);
	assert_int_equal(position(g, 4), 1);
	assert_int_equal(position(g, 5), 2);
	assert_int_equal(position(g, 1), 3);
	assert_int_equal(position(g, 6), 4);
}

/* One after the other, each as it would be served. */
#define CITY_SLOW                                                                                            \
	"select number, row_number() over (partition by district, birth_year order by tier, round, turn, "   \
	"rank)"                                                                                              \
	" from (select a.number, a.district, a.birth_year, k.tier, k.turn, s.rank,"                          \
	"   (s.rank - 1 + coalesce(q.served, 0)) / k.share as round"                                         \
	"  from (select number, row_number() over (partition by district, birth_year, category"              \
	"    order by registered_at, number) as rank from application where status = 0) s"                   \
	"  join application a using (number)"                                                                \
	"  join (values ('extraordinary', 1, 1, 1), ('privileged', 2, 1, 2), ('general', 2, 3, 3))"          \
	"   k(category, tier, share, turn) using (category)"                                                 \
	"  left join queue_round q using (district, birth_year, category)) everybody"

/* What the counts must be. */
#define CITY_COUNTS                                                                                          \
	"select district, birth_year, s.span, category, s.at, count(*)::int from application,"               \
	" lateral (values (0, 0), (1, queue_stretch(registered_at) >> 7), (2, "                              \
	"queue_stretch(registered_at)))"                                                                     \
	" s(span, at) where status = 0 group by 1, 2, 3, 4, 5"

struct city {
	struct store_rig *g;
	struct regions *owned;
	const struct regions *regions;
	uint32_t wanted[CITY_MOST + 1]; /* by number; 0: it does not wait */
	uint32_t asked[CITY_MOST + 1];
	int done;
	unsigned short seed[3];
};

static void city_make(struct city *c)
{
	for (int i = 1; i <= 8; i++)
		records_put_group(c->g, i, "sample", 1);
	store_sql(c->g,
	    "select setseed(0.8);"
	    " insert into application select i, 1 + floor(random() * 8),"
	    " (array['extraordinary', 'privileged', 'general', 'general', 'general'])[1 + floor(random() * "
	    "5)],"
	    " 2019 + floor(random() * 7), to_timestamp(1577836800 + floor(random() * 150000000)),"
	    " case when random() < 0.9 then 0 else 4 end, 0, 0, 0, 3, '0000', i, i, null, i, null, '', null, "
	    "1, 1"
	    " from generate_series(1, %d) i; analyze application; analyze queue_count",
	    CITY);
}

static void city_read_slow(struct city *c)
{
	PGresult *r = PQexec(c->g->sql, CITY_SLOW);

	assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
	memset(c->wanted, 0, sizeof c->wanted);
	for (int i = 0; i < PQntuples(r); i++)
		c->wanted[strtoul(PQgetvalue(r, i, 0), NULL, 10)] =
		    (uint32_t)strtoul(PQgetvalue(r, i, 1), NULL, 10);
	PQclear(r);
}

static void city_on_entry(void *arg, const struct queue_entry *e)
{
	struct city *c = arg;

	if (c->wanted[e->application] != e->position)
		fail_msg("application %llu is at %llu, not %u", (unsigned long long)e->application,
		    (unsigned long long)e->position, c->wanted[e->application]);
	c->asked[e->application]++;
}

static void city_on_done(void *arg, enum kz r)
{
	struct city *c = arg;

	assert_int_equal(r, KZ_OK);
	c->done++;
}

/* So many of step apart, 500 at once. */
static void city_check(struct city *c, unsigned step)
{
	int asked = 0;

	city_read_slow(c);
	assert_string_equal(
	    store_sql(c->g, "select count(*) from ((table queue_count except " CITY_COUNTS ") union all"
	                    " (" CITY_COUNTS " except table queue_count)) other"),
	    "0");
	memset(c->asked, 0, sizeof c->asked);
	c->done = 0;
	for (unsigned i = 1 + (unsigned)nrand48(c->seed) % step; i <= CITY_MOST; i += step) {
		assert_int_equal(queue_find(c->g->pg, &c->regions, QUEUE_BY_APPLICATION, i, city_on_entry,
		                     city_on_done, c),
		    KZ_OK);
		if (++asked - c->done > 500)
			servers_await(c->g->loop, &c->done, asked - 250);
	}
	servers_await(c->g->loop, &c->done, asked);
	for (unsigned i = 1; i <= CITY_MOST; i++)
		assert_true(c->asked[i] <= 1);
}

/* One change, or some of one statement. */
static int city_change(struct city *c, uint64_t unused)
{
	uint64_t number = 1 + (uint64_t)nrand48(c->seed) % CITY;
	static const char *const changes[] = {
	    "update application set status = 4 - status where status in (0, 4) and number between %llu and "
	    "%llu",
	    "update application set category = case category when 'general' then 'privileged' else 'general' "
	    "end where number between %llu and %llu",
	    "update application set registered_at = registered_at - interval '40 days' where number between "
	    "%llu and %llu",
	    "update application set district = 1 + district %% 8, birth_year = 2019 + (birth_year + 1) %% 7,"
	    " seq = seq + 1 where number between %llu and %llu",
	    "delete from application where number between %llu and %llu",
	};
	unsigned which = (unsigned)nrand48(c->seed) % 7;

	if (which == 5)
		store_sql(c->g,
		    "insert into application select %llu, district, category, birth_year, now(), 0, 0, 0, 0, "
		    "3,"
		    " '0000', 1, 1, null, 1, null, '', null, 1, 1 from application limit 1",
		    (unsigned long long)unused);
	else if (which == 6 &&
	         store_int(c->g, "select count(*) from application where status = 0 and number = %llu",
	             (unsigned long long)number))
		serve(c->g, number);
	else if (which < 5) {
		char text[512];

		snprintf(text, sizeof text, changes[which], (unsigned long long)number,
		    (unsigned long long)number + 4);
		store_sql(c->g, "%s", text);
		return 5;
	}
	return 1;
}

static void queue_find__sample_city_and_random_changes__as_the_slow_query_says(void **state)
{
	struct city *c = calloc(1, sizeof *c);
	int changes = 0;

	c->g = *state;
	c->regions = c->owned = queue_regions();
	c->seed[0] = 5;
	city_make(c);
	city_check(c, 1);
	for (int part = 1; part <= 3; part++) {
		while (changes < CITY_CHANGES * part / 3)
			changes += city_change(c, (uint64_t)(CITY + changes + 1));
		city_check(c, part == 3 ? 10 : 100);
	}
	regions_free(c->owned);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(queue_find__phone_that_chose_a_district__of_the_same_region_alone),
	    STORE_CASE(queue_find__by_number_and_persons__with_all_that_is_known),
	    STORE_CASE(queue_find__second_parent__found),
	    STORE_CASE(queue_find__referral__the_open_one_and_no_position),
	    STORE_CASE(queue_find__a_dozen_of_one_phone__the_newest_ten),
	    STORE_CASE(queue_find__not_configured_any_more__no_position),
	    STORE_CASE(queue_find__edges_of_both_spans__in_order),
	    STORE_CASE(queue_served__from_the_front__each_falls_by_one),
	    STORE_CASE(queue_served__out_of_turn__others_keep_their_turn),
	    STORE_CASE(queue_served__who_comes_after_its_turn__waits_a_round),
	    STORE_CASE(queue_find__sample_city_and_random_changes__as_the_slow_query_says),
	    STORE_CASE(queue_find__database_away__lost),
	};

	return store_main("queue", tests, sizeof tests / sizeof *tests);
}

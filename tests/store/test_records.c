/* Records as they are put, in a real PostgreSQL: verdicts, rows, and what follows from them. */
#include "records_rig.h"

#include "store/openings.h"
#include "store/records.h"

#define NOW_US INT64_C(1790000000000000)

static struct regions *regions;
static struct calendar *calendar;
static struct records_files files;

struct put {
	struct store_rig *g;
	struct records *s;
	struct ids ids;
	int32_t api_key;
	int count;
	enum kz r;
	unsigned statement;
	size_t rows;      /* of the statement that was added */
	const char *also; /* an answer that is wanted of the same job */
};

static const struct records_files *files_now(void *arg)
{
	(void)arg;
	return &files;
}

static uint64_t next_id(void *arg)
{
	struct put *p = arg;

	return ids_next(&p->ids, store_wall_us() / 1000);
}

static void on_put(void *arg, enum kz r, const struct pg_reply *reply, unsigned statement)
{
	struct put *p = arg;

	p->count++;
	p->r = r;
	p->statement = statement;
	p->rows = reply ? pg_rows(reply, statement) : 0;
}

static const struct pg_sql sql_also = {"also", "select 1 from district", 0, NULL};
static const struct pg_sql sql_fails = {"fails", "select 1 / count(*) from district where false", 0, NULL};

static void add_also(void *arg, struct pg_job *job)
{
	struct put *p = arg;

	pg_job_add(job, *p->also == 'f' ? &sql_fails : &sql_also, NULL);
}

static void put_new(struct put *p, struct store_rig *g)
{
	const struct records_base base = {g->loop, g->pg, g->feed, g->keyring, next_id, p};

	*p = (struct put){.g = g, .api_key = 1, .s = records_new(&base, RECORDS_MOST)};
}

static void put_add(struct put *p, const struct record *r)
{
	size_t i;

	assert_int_equal(records_add(p->s, r, p->api_key, &i), KZ_OK);
	assert_int_equal(i, records_count(p->s) - 1);
}

static enum kz put_begin(struct put *p, bool notices)
{
	const struct records_plan plan = {files_now, p->also ? add_also : NULL, p, notices, NEWS_BY_PORTAL};

	p->count = 0;
	return records_put(p->s, &plan, on_put, p);
}

static void put_run(struct put *p, bool notices)
{
	assert_int_equal(put_begin(p, notices), KZ_OK);
	assert_int_equal(p->count, 0);
	servers_await(p->g->loop, &p->count, 1);
}

/* One record by itself. */
static enum record_verdict put_one(struct store_rig *g, const struct record *r, int64_t *ret_seq)
{
	struct put p;

	put_new(&p, g);
	put_add(&p, r);
	put_run(&p, true);
	assert_int_equal(p.r, KZ_OK);
	enum record_verdict v = records_verdict(p.s, 0);
	if (ret_seq)
		*ret_seq = records_seq(p.s, 0);
	records_free(p.s);
	return v;
}

static struct record district_of(uint64_t id, const char *region)
{
	struct record r = {
	    .kind = RECORD_DISTRICT, .id = id, .place = {.names = {"Аудан", "Район", "District"}}};

	snprintf(r.place.region, sizeof r.place.region, "%s", region);
	return r;
}

static struct record kindergarten_of(uint64_t id, uint64_t district)
{
	return (struct record){.kind = RECORD_KINDERGARTEN,
	    .id = id,
	    .place = {.district = district, .names = {"Айгөлек", "Айголек", "Aigolek"}}};
}

static struct record group_of(uint64_t id, uint64_t kindergarten)
{
	return (struct record){.kind = RECORD_GROUP, .id = id, .group = {kindergarten, 3, 5, LANGUAGE_RU}};
}

static struct record vacancy_of(uint64_t id, uint32_t free)
{
	return (struct record){
	    .kind = RECORD_VACANCY, .id = id, .vacancy = {.free = free, .released_us = NOW_US}};
}

static struct record application_of(uint64_t number, uint64_t phone)
{
	const struct records_application as = {.number = number, .phones = {phone}};

	return (struct record){.kind = RECORD_APPLICATION,
	    .id = number,
	    .application = {.applicant = records_applicant(&as),
	        .verified = 1,
	        .district = 1,
	        .category = "general",
	        .registered_us = NOW_US,
	        .language = LANGUAGE_KK}};
}

static void put_city(struct store_rig *g)
{
	const struct record city[] = {district_of(1, "sample"), kindergarten_of(2, 1), group_of(3, 2)};
	struct put p;

	put_new(&p, g);
	for (size_t i = 0; i < 3; i++)
		put_add(&p, &city[i]);
	put_run(&p, true);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(records_verdict(p.s, i), RECORD_CREATED);
	records_free(p.s);
}

static void records_put__a_city_in_one_go__all_created_then_the_same(void **state)
{
	struct store_rig *g = *state;
	/* in the order in which they come to refer to what stands behind them */
	const struct record city[] = {application_of(7, 0), vacancy_of(3, 2), group_of(3, 2),
	    kindergarten_of(2, 1), district_of(1, "sample")};

	for (int again = 0; again < 2; again++) {
		struct put p;

		put_new(&p, g);
		for (size_t i = 0; i < 5; i++)
			put_add(&p, &city[i]);
		put_run(&p, true);
		assert_int_equal(p.r, KZ_OK);
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(records_verdict(p.s, i), again ? RECORD_SAME : RECORD_CREATED);
		records_free(p.s);
	}
	assert_string_equal(
	    store_sql(g, "select (d, k, g)::text from district d, kindergarten k, play_group g"),
	    "(\"(1,sample,Аудан,Район,District)\",\"(2,1,Айгөлек,Айголек,Aigolek)\",\"(3,2,3,5,1)\")");
	assert_string_equal(store_sql(g, "select (number, district, category, birth_year, status, verified, "
	                                 "seq)::text from application"),
	    "(7,1,general,2021,0,1,1)");
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
}

static void records_put__what_it_refers_to_is_not_there__the_others_are_written(void **state)
{
	struct store_rig *g = *state;
	struct record other = application_of(8, 0), good = application_of(9, 0),
	              category = application_of(10, 0);
	const struct record wrong[] = {district_of(5, "nowhere"), kindergarten_of(6, 5), group_of(7, 6),
	    vacancy_of(7, 1), (other.application.district = 5, other),
	    (snprintf(category.application.category, 8, "other"), category), good};
	static const enum record_verdict verdicts[] = {RECORD_UNKNOWN_REGION, RECORD_UNKNOWN_DISTRICT,
	    RECORD_UNKNOWN_KINDERGARTEN, RECORD_UNKNOWN_GROUP, RECORD_UNKNOWN_DISTRICT,
	    RECORD_UNKNOWN_CATEGORY, RECORD_CREATED};
	struct put p;

	put_city(g);
	put_new(&p, g);
	for (size_t i = 0; i < 7; i++)
		put_add(&p, &wrong[i]);
	put_run(&p, true);
	assert_int_equal(p.r, KZ_OK);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(records_verdict(p.s, i), verdicts[i]);
	records_free(p.s);
	assert_string_equal(store_sql(g, "select string_agg(number::text, ',') from application"), "9");
	assert_int_equal(store_int(g, "select count(*) from district"), 1);
	assert_int_equal(store_int(g, "select count(*) from vacancy"), 0);
}

static void records_add__full_or_the_same_record__busy(void **state)
{
	struct store_rig *g = *state;
	const struct records_base base = {g->loop, g->pg, g->feed, g->keyring, next_id, NULL};
	struct records *s = records_new(&base, 2);
	struct record r = vacancy_of(3, 1);
	size_t i;

	assert_int_equal(records_add(s, &r, 1, &i), KZ_OK);
	assert_int_equal(records_add(s, &r, 1, &i), KZ_BUSY);
	r = group_of(3, 1);
	assert_int_equal(records_add(s, &r, 1, &i), KZ_OK);
	r = group_of(4, 1);
	assert_int_equal(records_add(s, &r, 1, &i), KZ_BUSY);
	records_clear(s);
	assert_int_equal(records_add(s, &r, 1, &i), KZ_OK);
	assert_int_equal(records_count(s), 1);
	records_free(s);
}

static void vacancy__no_priority_said__by_the_regions_clock(void **state)
{
	struct store_rig *g = *state;
	struct record r = vacancy_of(3, 2);
	int64_t seq;

	put_city(g);
	assert_int_equal(put_one(g, &r, &seq), RECORD_CREATED);
	assert_int_equal(seq, 1);
	/* released on Monday 2026-09-21, 14:13:20 UTC: three working days */
	assert_string_equal(
	    store_sql(g,
	        "select (free, released_at at time zone 'UTC', priority_until at time zone 'UTC', terms, seq,"
	        " watch_at > released_at)::text from vacancy"),
	    "(2,\"2026-09-21 14:13:20\",\"2026-09-24 14:13:20\",1,1,t)");
	r.vacancy.priority = RECORD_PRIORITY_NONE;
	r.vacancy.free = 1;
	assert_int_equal(put_one(g, &r, &seq), RECORD_CHANGED);
	assert_int_equal(seq, 2);
	assert_string_equal(
	    store_sql(g, "select (free, priority_until, terms, seq)::text from vacancy"), "(1,,2,2)");
}

static void vacancy__its_free_places_alone_change__its_terms_do_not_until_the_first_again(void **state)
{
	struct store_rig *g = *state;
	struct record r = vacancy_of(3, 2);

	put_city(g);
	put_one(g, &r, NULL);
	store_sql(g, "update vacancy set watch_at = null");
	char since[64];
	snprintf(since, sizeof since, "%s", store_sql(g, "select now()"));
	r.vacancy.free = 3; /* those who wait for one were told of it */
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_string_equal(
	    store_sql(g, "select (free, terms, seq, watch_at)::text from vacancy"), "(3,1,2,)");
	r.vacancy.free = 0;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	r.vacancy.free = 1; /* the first again */
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_string_equal(
	    store_sql(g, "select (free, terms, seq, watch_at > '%s')::text from vacancy", since),
	    "(1,2,4,t)");
}

/* What a clock saw. */
struct look {
	struct opening o;
	int count;
};

static void on_opening(void *arg, const struct opening *o)
{
	((struct look *)arg)->o = *o;
}

static void on_looked(void *arg, enum kz r)
{
	assert_int_equal(r, KZ_OK);
	((struct look *)arg)->count++;
}

/* Its time is the one that the clock has read, if the clock of the database is behind. */
static void vacancy__first_place_again_while_a_clock_looks__its_watchers_are_looked_for(void **state)
{
	struct store_rig *g = *state;
	struct record r = vacancy_of(3, 1);
	struct look l = {0};

	put_city(g);
	store_hold_feed_slot(g);
	r.vacancy.released_us = (store_wall_us() / 1000000 + 3600) * 1000000;
	put_one(g, &r, NULL);
	store_sql(g, "update vacancy set free = 0, seq = seq + 1"); /* it is taken */
	const struct due_page page = {.now_us = r.vacancy.released_us, .most = 1};
	assert_int_equal(opening_page(g->pg, &page, on_opening, on_looked, &l, NULL), KZ_OK);
	servers_await(g->loop, &l.count, 1);
	assert_int_equal(l.o.due.number, 3);
	r.vacancy.free = 2;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_int_equal(opening_rest(g->pg, g->lease, 0, &l.o, 0, on_looked, &l, NULL), KZ_OK);
	servers_await(g->loop, &l.count, 2);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at = released_at"), 1);
}

/* Who may take a place of it is another one then; the vacancy that is put with it stands as it was read. */
static void group__changes_with_its_vacancy__both_stand_and_the_terms_are_new(void **state)
{
	struct store_rig *g = *state;
	struct record group = group_of(3, 2), vacancy = vacancy_of(3, 4);
	struct put p;

	put_city(g);
	put_one(g, &vacancy, NULL);
	int64_t terms = store_int(g, "select terms from vacancy");
	assert_int_equal(put_one(g, &group, NULL), RECORD_SAME);
	assert_int_equal(store_int(g, "select terms from vacancy"), terms);
	group.group.age_to = 6;
	vacancy.vacancy.free = 5;
	put_new(&p, g);
	put_add(&p, &group);
	put_add(&p, &vacancy);
	put_run(&p, true);
	assert_int_equal(p.r, KZ_OK);
	assert_int_equal(records_verdict(p.s, 0), RECORD_CHANGED);
	assert_int_equal(records_verdict(p.s, 1), RECORD_CHANGED);
	assert_int_equal(store_int(g, "select seq from vacancy"), records_seq(p.s, 1));
	records_free(p.s);
	assert_int_equal(store_int(g, "select free from vacancy"), 5);
	assert_int_equal(store_int(g, "select terms from vacancy"), terms + 1);
}

static void vacancy__put_with_a_seq__only_where_it_stands_so(void **state)
{
	struct store_rig *g = *state;
	struct record r = vacancy_of(3, 2);

	put_city(g);
	r.vacancy.seq = 1;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED_MEANWHILE);
	r.vacancy.seq = 0;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	r.vacancy.seq = 1;
	r.vacancy.free = 5;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	r.vacancy.free = 6;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED_MEANWHILE);
	assert_string_equal(store_sql(g, "select (free, seq)::text from vacancy"), "(5,2)");
}

static void application__new__its_number_is_due_in_the_same_transaction(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);

	put_city(g);
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	assert_string_equal(
	    store_sql(g,
	        "select (application, kind, subject, n.sealed, state, until_at, n.api_key,"
	        " abs(extract(epoch from look_at - now())) < 30, alarm_at - look_at, n.xmin = a.xmin)::text"
	        " from notice n, application a"),
	    "(7,0,0,,0,,1,t,00:12:00,t)");
	assert_int_equal(store_int(g, "select count(*) from news"), 0);
}

/* Of the portal's own words the last that it said. */
static void application__without_a_status__new_it_waits_and_else_it_stays(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);

	put_city(g);
	r.application.status = APPLICATION_STATUSES;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	assert_int_equal(store_int(g, "select status from application"), APPLICATION_WAITING);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 0"), 1);
	store_sql(g, "update application set status = 4");
	assert_int_equal(put_one(g, &r, NULL), RECORD_SAME);
	r.application.language = LANGUAGE_RU;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_int_equal(store_int(g, "select status from application"), APPLICATION_WITHDRAWN);
}

static void application__new_and_over__no_notice(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);

	put_city(g);
	r.application.status = APPLICATION_ARCHIVED;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	assert_int_equal(store_int(g, "select status from application"), APPLICATION_ARCHIVED);
}

static void application__without_notices__none_and_no_news(void **state)
{
	struct store_rig *g = *state;
	const uint64_t phones[] = {77015550001, 77015550002};

	put_city(g);
	for (int i = 0; i < 2; i++) {
		struct record r = application_of(7, phones[i]);
		struct put p;

		put_new(&p, g);
		put_add(&p, &r);
		put_run(&p, false);
		assert_int_equal(records_verdict(p.s, 0), i ? RECORD_CHANGED : RECORD_CREATED);
		records_free(p.s);
	}
	assert_int_equal(
	    store_int(g, "select count(*) from notice") + store_int(g, "select count(*) from news"), 0);
}

/* Where each notice of a phone goes, in the order of the numbers, with commas. */
static void phones_are_told(struct store_rig *g, const char *numbers)
{
	struct buf told = {0};
	char hex[256];
	uint8_t sealed[128];
	struct msisdn to;

	for (int n = 0; n < store_int(g, "select count(*) from notice where kind = 11"); n++) {
		uint64_t id = (uint64_t)store_int(
		    g, "select id from notice where kind = 11 order by id offset %d limit 1", n);

		snprintf(hex, sizeof hex, "%s",
		    store_sql(g, "select encode(sealed, 'hex') from notice where id = %llu",
		        (unsigned long long)id));
		for (size_t i = 0; i < strlen(hex) / 2; i++) {
			unsigned octet;

			assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
			sealed[i] = (uint8_t)octet;
		}
		assert_int_equal(applicant_open_phone(g->keyring, id, sealed, strlen(hex) / 2, &to), KZ_OK);
		buf_printf(&told, "%s%llu", n ? "," : "", (unsigned long long)to.digits);
	}
	assert_string_equal(buf_text(&told), numbers);
	buf_fini(&told);
}

static void application__another_phone__both_are_told_and_the_portal(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);

	put_city(g);
	put_one(g, &r, NULL);
	store_sql(g, "delete from notice");
	r.application.applicant.phones[0].digits = 77015550002;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	phones_are_told(g, "77015550002,77015550001");
	assert_int_equal(store_int(g, "select count(*) from notice where alarm_at is not null"), 0);
	assert_string_equal(
	    store_sql(g, "select (application, seq, kind, via)::text from news"), "(7,2,6,0)");
}

/* As in quiet hours: what was told before the next change counts no more. */
static void application__phone_changed_twice_before_it_is_told__each_that_it_had_once(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);

	put_city(g);
	put_one(g, &r, NULL);
	for (uint64_t last = 2; last <= 3; last++) {
		r.application.applicant.phones[0].digits = 77015550000 + last;
		assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	}
	phones_are_told(g, "77015550002,77015550001,77015550003");
	store_sql(g, "update notice set state = 1");
	r.application.applicant.phones[0].digits = 77015550002;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 11 and state = 0"), 2);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 11"), 3);
}

static void application__its_phones_change_places__changed_but_nobody_is_told(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);
	struct msisdn *phones = r.application.applicant.phones, first = phones[0];

	put_city(g);
	r.application.applicant.phones_n = 2;
	phones[1].digits = 77015550002;
	put_one(g, &r, NULL);
	store_sql(g, "delete from notice");
	phones[0] = phones[1];
	phones[1] = first;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_int_equal(
	    store_int(g, "select count(*) from notice") + store_int(g, "select count(*) from news"), 0);
}

static void application__with_an_open_referral__waiting_leaves_it_and_others_are_refused(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);

	put_city(g);
	put_one(g, &r, NULL);
	store_sql(g, "insert into referral values (1, 7, 3, 0, false, now(), now(), null, 1);"
	             " update application set status = 1, seq = 2");
	assert_int_equal(put_one(g, &r, NULL), RECORD_SAME);
	r.application.groups = 1;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_string_equal(store_sql(g, "select (status, groups, seq)::text from application"), "(1,1,3)");
	r.application.status = APPLICATION_WITHDRAWN;
	assert_int_equal(put_one(g, &r, NULL), RECORD_REFERRAL_OPEN);
	store_sql(g, "update referral set status = 4");
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_int_equal(store_int(g, "select status from application"), APPLICATION_WITHDRAWN);
	r.application.status = APPLICATION_WAITING;
	assert_int_equal(put_one(g, &r, NULL), RECORD_CHANGED);
	assert_int_equal(store_int(g, "select status from application"), APPLICATION_WAITING);
}

static void application__at_rest__no_person_in_clear(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);

	put_city(g);
	put_one(g, &r, NULL);
	snprintf(g->text, sizeof g->text, "%s", store_sql(g, "select a::text from application a"));
	assert_null(strstr(g->text, "7015550001"));
	assert_null(strstr(g->text, r.application.applicant.child.digits));
	assert_null(strstr(g->text, r.application.applicant.first_name));
}

/* What was read is changed by another before it is written. */
static void records_put__changed_meanwhile__read_again(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);
	struct put p;

	put_city(g);
	put_one(g, &r, NULL);
	store_sql(g, "begin; select places_lock(); update application set language = 2, seq = seq + 1");
	put_new(&p, g);
	r.application.groups = 1;
	put_add(&p, &r);
	assert_int_equal(put_begin(&p, true), KZ_OK);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "commit");
	servers_await(g->loop, &p.count, 1);
	assert_int_equal(p.r, KZ_OK);
	assert_int_equal(records_verdict(p.s, 0), RECORD_CHANGED);
	assert_int_equal(records_seq(p.s, 0), 3);
	records_free(p.s);
	assert_string_equal(store_sql(g, "select (language, groups, seq)::text from application"), "(0,1,3)");
}

/* A place is taken after the portal read how many are free. */
static void records_put__a_place_taken_meanwhile__a_seq_holds_and_without_one_the_word_counts(void **state)
{
	struct store_rig *g = *state;
	struct record r = vacancy_of(3, 2);
	struct put p;

	put_city(g);
	put_one(g, &r, NULL);
	for (int64_t seq = 1; seq >= 0; seq--) {
		put_new(&p, g);
		r.vacancy.free = 5;
		r.vacancy.seq = seq;
		put_add(&p, &r);
		store_sql(
		    g, "begin; select places_lock(); update vacancy set free = free - 1, seq = seq + 1");
		assert_int_equal(put_begin(&p, true), KZ_OK);
		store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
		store_sql(g, "commit");
		servers_await(g->loop, &p.count, 1);
		assert_int_equal(p.r, KZ_OK);
		assert_int_equal(records_verdict(p.s, 0), seq ? RECORD_CHANGED_MEANWHILE : RECORD_CHANGED);
		records_free(p.s);
		assert_int_equal(store_int(g, "select free from vacancy"), seq ? 1 : 5);
	}
}

/* Two daemons get the same new application at once. */
static void records_put__made_by_another_meanwhile__the_same_and_one_notice(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);
	struct put p[2];

	put_city(g);
	store_sql(g, "begin; select places_lock()");
	for (int i = 0; i < 2; i++) {
		put_new(&p[i], g);
		put_add(&p[i], &r);
		assert_int_equal(put_begin(&p[i], true), KZ_OK);
	}
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 2);
	store_sql(g, "commit");
	for (int i = 0; i < 2; i++) {
		servers_await(g->loop, &p[i].count, 1);
		assert_int_equal(p[i].r, KZ_OK);
	}
	assert_int_equal(
	    records_verdict(p[0].s, 0) + records_verdict(p[1].s, 0), RECORD_SAME + RECORD_CREATED);
	for (int i = 0; i < 2; i++)
		records_free(p[i].s);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
}

static void records_put__what_was_added__is_of_the_same_transaction(void **state)
{
	struct store_rig *g = *state;
	struct record r = district_of(1, "sample");
	struct put p;

	put_new(&p, g);
	put_add(&p, &r);
	p.also = "fails";
	put_run(&p, true);
	assert_int_equal(p.r, KZ_REFUSED);
	assert_int_equal(store_int(g, "select count(*) from district"), 0);
	p.also = "sees it";
	put_run(&p, true);
	assert_int_equal(p.r, KZ_OK);
	assert_int_equal(p.rows, 1);
	put_run(&p, true); /* also when nothing is to be written */
	assert_int_equal(records_verdict(p.s, 0), RECORD_SAME);
	assert_int_equal(p.rows, 1);
	records_free(p.s);
}

static void records_put__the_slot_is_lost__nothing_is_written(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);
	struct put p;

	put_city(g);
	put_new(&p, g);
	put_add(&p, &r);
	store_sql(g, "update slot set epoch = epoch + 1");
	put_run(&p, true);
	assert_int_equal(p.r, KZ_LOST);
	feed_set_slot(g->feed, -1, 0);
	put_run(&p, true);
	assert_int_equal(p.r, KZ_LOST);
	records_free(p.s);
	assert_int_equal(store_int(g, "select count(*) from application"), 0);
}

/* The numbers of its news are in doubt until the server says that nothing more comes of them. */
static void records_put__the_database_dies_meanwhile__lost_and_then_the_same_is_put_once(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);
	struct put p;

	put_city(g);
	put_one(g, &r, NULL);
	store_sql(g, "begin; select places_lock()");
	put_new(&p, g);
	r.application.applicant.phones[0].digits = 77015550002;
	put_add(&p, &r);
	assert_int_equal(put_begin(&p, true), KZ_OK);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_kill_pg(g);
	servers_await(g->loop, &p.count, 1);
	assert_int_equal(p.r, KZ_LOST);
	assert_false(feed_is_sure(g->feed));
	servers_do("restart-pg");
	while (!feed_is_sure(g->feed) || !pg_is_up(g->pg))
		loop_turn(g->loop, 50);
	put_run(&p, true);
	assert_int_equal(p.r, KZ_OK);
	assert_int_equal(records_verdict(p.s, 0), RECORD_CHANGED);
	records_free(p.s);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 11"), 2);
	assert_int_equal(store_int(g, "select count(*) from news"), 1);
}

static void records_free__while_they_are_being_put__no_callback(void **state)
{
	struct store_rig *g = *state;
	struct record r = district_of(1, "sample");
	struct put p;

	put_new(&p, g);
	put_add(&p, &r);
	assert_int_equal(put_begin(&p, true), KZ_OK);
	records_free(p.s);
	store_drain(g);
	assert_int_equal(p.count, 0);
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
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

/* What a parent changes by phone: the rest stays as it is, whoever fed it. */
static enum record_verdict put_by_ussd(struct store_rig *g, const struct record *r)
{
	const struct records_plan plan = {.files = files_now, .notices = true, .via = NEWS_BY_USSD};
	struct put p;

	put_new(&p, g);
	p.api_key = RECORDS_SAME_CLIENT;
	put_add(&p, r);
	assert_int_equal(records_put(p.s, &plan, on_put, &p), KZ_OK);
	servers_await(g->loop, &p.count, 1);
	assert_int_equal(p.r, KZ_OK);
	enum record_verdict v = records_verdict(p.s, 0);
	records_free(p.s);
	return v;
}

static void application__phone_by_ussd__client_and_status_stay_news_say_the_door(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);

	put_city(g);
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	store_sql(g, "update application set status = 1, api_key = 8; delete from notice");
	r.application.applicant.phones[0].digits = 77015550002;
	r.application.status = APPLICATION_STATUSES;
	r.application.seq = 1;
	assert_int_equal(put_by_ussd(g, &r), RECORD_CHANGED);
	assert_string_equal(
	    store_sql(g, "select (status, api_key, seq, phone1 = %lld)::text from application",
	        (long long)store_phone(g, 77015550002)),
	    "(1,8,2,t)");
	assert_string_equal(
	    store_sql(g, "select (application, seq, kind, via)::text from news"), "(7,2,6,1)");
	assert_string_equal(store_sql(g, "select string_agg(concat_ws('|', kind, api_key), ' ')"
	                                 " from notice"),
	    "11|8 11|8");
}

static void application__put_with_a_seq__only_where_it_stands_so(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 77015550001);

	put_city(g);
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	r.application.applicant.phones[0].digits = 77015550002;
	r.application.seq = 2;
	assert_int_equal(put_by_ussd(g, &r), RECORD_CHANGED_MEANWHILE);
	assert_int_equal(store_int(g, "select seq from application"), 1);
	r.application.seq = 1;
	assert_int_equal(put_by_ussd(g, &r), RECORD_CHANGED);
}

static void application__its_child_was_asked_for_by_phone__the_request_is_over(void **state)
{
	struct store_rig *g = *state;
	struct record r = application_of(7, 0);

	put_city(g);
	store_sql(g,
	    "insert into enrolment values (5, 1, %lld, 1, now(), 'sealed', null), (6, 2, 1, 1, now(), 's', "
	    "null)",
	    (long long)applicant_iin(g->keyring, &r.application.applicant.child));
	r.application.category[0] = 'x';
	assert_int_equal(put_one(g, &r, NULL), RECORD_UNKNOWN_CATEGORY);
	assert_int_equal(store_int(g, "select count(*) from enrolment where ended_at is null"), 2);
	r.application.category[0] = 'g';
	assert_int_equal(put_one(g, &r, NULL), RECORD_CREATED);
	assert_string_equal(store_sql(g, "select id || coalesce(encode(sealed, 'escape'), '-') from enrolment"
	                                 " where ended_at is not null"),
	    "5-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_put__a_city_in_one_go__all_created_then_the_same),
	    TEST(records_put__what_it_refers_to_is_not_there__the_others_are_written),
	    TEST(records_add__full_or_the_same_record__busy),
	    TEST(vacancy__no_priority_said__by_the_regions_clock),
	    TEST(vacancy__its_free_places_alone_change__its_terms_do_not_until_the_first_again),
	    TEST(vacancy__first_place_again_while_a_clock_looks__its_watchers_are_looked_for),
	    TEST(group__changes_with_its_vacancy__both_stand_and_the_terms_are_new),
	    TEST(vacancy__put_with_a_seq__only_where_it_stands_so),
	    TEST(application__its_child_was_asked_for_by_phone__the_request_is_over),
	    TEST(application__phone_by_ussd__client_and_status_stay_news_say_the_door),
	    TEST(application__put_with_a_seq__only_where_it_stands_so),
	    TEST(application__new__its_number_is_due_in_the_same_transaction),
	    TEST(application__without_a_status__new_it_waits_and_else_it_stays),
	    TEST(application__new_and_over__no_notice),
	    TEST(application__without_notices__none_and_no_news),
	    TEST(application__another_phone__both_are_told_and_the_portal),
	    TEST(application__phone_changed_twice_before_it_is_told__each_that_it_had_once),
	    TEST(application__its_phones_change_places__changed_but_nobody_is_told),
	    TEST(application__with_an_open_referral__waiting_leaves_it_and_others_are_refused),
	    TEST(application__at_rest__no_person_in_clear),
	    TEST(records_put__changed_meanwhile__read_again),
	    TEST(records_put__a_place_taken_meanwhile__a_seq_holds_and_without_one_the_word_counts),
	    TEST(records_put__made_by_another_meanwhile__the_same_and_one_notice),
	    TEST(records_put__what_was_added__is_of_the_same_transaction),
	    TEST(records_put__the_slot_is_lost__nothing_is_written),
	    TEST(records_put__the_database_dies_meanwhile__lost_and_then_the_same_is_put_once),
	    TEST(records_free__while_they_are_being_put__no_callback),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

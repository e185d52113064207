/* What is new or other, in the order of the kinds, then what follows from it. Rows go in sorted by their ids,
 * as they are to be found later; places_lock comes before what a place's giver writes too. */
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "rules/news.h"
#include "store/lease.h"
#include "store/person.h"
#include "store/records_body.h"

#define ALARM_US (INT64_C(12) * 60 * 1000000) /* the number is due within 15 minutes */

/* One array each: a row's values stand at the same place of all. */
/* clang-format off */
#define DISTRICT(X) X(PG_INT8) X(PG_TEXT) X(PG_TEXT) X(PG_TEXT) X(PG_TEXT)
#define KINDERGARTEN(X) X(PG_INT8) X(PG_INT8) X(PG_TEXT) X(PG_TEXT) X(PG_TEXT)
#define GROUP(X) X(PG_INT8) X(PG_INT8) X(PG_INT2) X(PG_INT2) X(PG_INT2)
#define VACANCY(X) X(PG_INT8) X(PG_INT8) X(PG_INT4) X(PG_TIMESTAMPTZ) X(PG_TIMESTAMPTZ) X(PG_INT8) X(PG_BOOL)
#define APPLICATION(X) X(PG_INT8) X(PG_INT8) X(PG_INT8) X(PG_TEXT) X(PG_INT2) X(PG_TIMESTAMPTZ) X(PG_INT2) \
	X(PG_INT2) X(PG_INT2) X(PG_INT2) X(PG_INT2) X(PG_TEXT) X(PG_INT8) X(PG_INT8) X(PG_INT8) X(PG_INT8) \
	X(PG_INT8) X(PG_BYTEA) X(PG_INT4)
#define NOTICE(X) X(PG_INT8) X(PG_INT8) X(PG_INT2) X(PG_INT8) X(PG_TIMESTAMPTZ) X(PG_TIMESTAMPTZ) X(PG_BYTEA)
#define NEWS(X) X(PG_INT8) X(PG_INT8) X(PG_INT8)
/* clang-format on */

#define TYPE(type)    type##_ARRAY,
#define ELEMENT(type) type,
#define COUNT(type)   +1

/* All that is written in one go; notices and news come behind the kinds. */
enum { WRITE_NOTICES = RECORD_KINDS, WRITE_NEWS, WRITES };
#define COLUMNS_MOST (0 APPLICATION(COUNT))

static const uint32_t types[WRITES][COLUMNS_MOST + 2] = {{DISTRICT(TYPE)}, {KINDERGARTEN(TYPE)},
    {GROUP(TYPE)}, {VACANCY(TYPE)}, {APPLICATION(TYPE)}, {NOTICE(TYPE)},
    {NEWS(TYPE) PG_TIMESTAMPTZ, PG_INT4}};
static const enum pg_type elements[WRITES][COLUMNS_MOST] = {{DISTRICT(ELEMENT)}, {KINDERGARTEN(ELEMENT)},
    {GROUP(ELEMENT)}, {VACANCY(ELEMENT)}, {APPLICATION(ELEMENT)}, {NOTICE(ELEMENT)}, {NEWS(ELEMENT)}};
static const int counts[WRITES] = {0 DISTRICT(COUNT), 0 KINDERGARTEN(COUNT), 0 GROUP(COUNT), 0 VACANCY(COUNT),
    0 APPLICATION(COUNT), 0 NOTICE(COUNT), 0 NEWS(COUNT)};

static const struct pg_sql sql_lock = {"records_lock", "select places_lock()", 0, NULL};
static const struct pg_sql sql_open = {
    "records_open", "select feed_open($1)", 1, (const uint32_t[]){PG_INT8}};

/* Ids stand twice where rows are changed: whatever the planner thinks of the join, no others are read. */
static const struct pg_sql sql_write[WRITES] = {
    {"records_put_districts",
        "insert into district (id, region, name_kk, name_ru, name_en)"
        " select * from unnest($1, $2, $3, $4, $5) r(id, region, kk, ru, en) order by id"
        " on conflict (id) do update set region = excluded.region, name_kk = excluded.name_kk,"
        "  name_ru = excluded.name_ru, name_en = excluded.name_en",
        0 DISTRICT(COUNT), types[RECORD_DISTRICT]},
    {"records_put_kindergartens",
        "insert into kindergarten (id, district, name_kk, name_ru, name_en)"
        " select * from unnest($1, $2, $3, $4, $5) r(id, district, kk, ru, en) order by id"
        " on conflict (id) do update set district = excluded.district, name_kk = excluded.name_kk,"
        "  name_ru = excluded.name_ru, name_en = excluded.name_en",
        0 KINDERGARTEN(COUNT), types[RECORD_KINDERGARTEN]},
    {"records_put_groups",
        "insert into play_group (id, kindergarten, age_from, age_to, language)"
        " select * from unnest($1, $2, $3, $4, $5) r(id, kindergarten, low, high, language) order by id"
        " on conflict (id) do update set kindergarten = excluded.kindergarten, age_from = excluded.age_from,"
        "  age_to = excluded.age_to, language = excluded.language",
        0 GROUP(COUNT), types[RECORD_GROUP]},
    {"records_put_vacancies",
        "with r as materialized ("
        " select * from unnest($1, $2, $3, $4, $5, $6, $7)"
        "  r(play_group, seen, free, released_at, priority_until, terms, told)"
        "), put as ("
        " insert into vacancy (play_group, free, released_at, priority_until, terms, seq, watch_at)"
        "  select play_group, free, released_at, priority_until, terms, 1,"
        "   case when told then greatest(released_at, now()) end"
        "  from r where seen = 0 order by play_group on conflict do nothing returning 1"
        "), changed as ("
        " update vacancy v set free = r.free, released_at = r.released_at, priority_until = r.priority_until,"
        "  terms = r.terms, seq = v.seq + 1, watch_at = case when r.told then greatest(r.released_at, now())"
        "   when r.free > 0 then v.watch_at end"
        "  from r where v.play_group = any($1) and v.play_group = r.play_group and v.seq = r.seen returning 1"
        ") select records_whole((select count(*) from put) + (select count(*) from changed), count(*)) from "
        "r",
        0 VACANCY(COUNT), types[RECORD_VACANCY]},
    {"records_put_applications",
        "with r as materialized ("
        " select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, "
        "$18, $19)"
        "  r(number, seen, district, category, birth_year, registered_at, status, channel, language, groups,"
        "   verified, child_last4, child_iin, parent1_iin, parent2_iin, phone1, phone2, sealed,"
        "   api_key)"
        "), put as ("
        " insert into application (number, district, category, birth_year, registered_at, status, channel,"
        "   language, groups, verified, child_last4, child_iin, parent1_iin, parent2_iin, phone1, phone2,"
        "   sealed, api_key, seq)"
        "  select number, district, category, birth_year, registered_at, status, channel, language, groups,"
        "   verified, child_last4, child_iin, parent1_iin, parent2_iin, phone1, phone2, sealed, api_key, 1"
        "  from r where seen = 0 order by number on conflict do nothing returning 1"
        "), changed as ("
        " update application a set district = r.district, category = r.category, birth_year = r.birth_year,"
        "   registered_at = r.registered_at, status = r.status, channel = r.channel, language = r.language,"
        "   groups = r.groups, verified = r.verified, child_last4 = r.child_last4, child_iin = r.child_iin,"
        "   parent1_iin = r.parent1_iin, parent2_iin = r.parent2_iin, phone1 = r.phone1, phone2 = r.phone2,"
        "   sealed = r.sealed, api_key = coalesce(r.api_key, a.api_key), seq = a.seq + 1"
        "  from r where a.number = any($1) and a.number = r.number and a.seq = r.seen returning 1"
        "), ended as materialized (select enrolments_end($13, $7)"
        ") select records_whole((select count(*) from put) + (select count(*) from changed), count(*)),"
        " (select count(*) from ended) from r",
        0 APPLICATION(COUNT), types[RECORD_APPLICATION]},
    {"records_put_notices",
        "select notice_put(id, application, kind, subject, look_at, null, alarm_at, null, sealed,"
        "  (select a.api_key from application a where a.number = r.application offset 0))"
        " from unnest($1, $2, $3, $4, $5, $6, $7)"
        "  r(id, application, kind, subject, look_at, alarm_at, sealed)",
        0 NOTICE(COUNT), types[WRITE_NOTICES]},
    {"records_put_news",
        "insert into news (feed, application, seq, kind, at, via)"
        " select feed, application, seq, 6, $4, $5 from unnest($1, $2, $3) r(feed, application, seq)",
        (0 NEWS(COUNT)) + 2, types[WRITE_NEWS]},
};

struct records_write {
	struct records *s;
	struct pg_array columns[WRITES][COLUMNS_MOST];
	struct lease_slots slots;
	struct buf sealed;
	int64_t now_us;
	unsigned news; /* that were put */
};

static void put_null_or(struct pg_array *a, bool there, int64_t v)
{
	if (there)
		pg_array_int(a, v);
	else
		pg_array_null(a);
}

static void put_names(struct pg_array *c, const struct record_place *p)
{
	for (int i = 0; i < LANGUAGES; i++)
		pg_array_text(&c[i], p->names[i]);
}

static void write_place(struct records_write *w, struct pg_array *c, const struct records_row *row)
{
	const struct record_place *p = &row->record.place;

	(void)w;
	if (row->record.kind == RECORD_DISTRICT)
		pg_array_text(&c[1], p->region);
	else
		pg_array_int(&c[1], (int64_t)p->district);
	put_names(c + 2, p);
}

static void write_group(struct records_write *w, struct pg_array *c, const struct records_row *row)
{
	const struct record_group *g = &row->record.group;

	(void)w;
	pg_array_int(&c[1], (int64_t)g->kindergarten);
	pg_array_int(&c[2], g->age_from);
	pg_array_int(&c[3], g->age_to);
	pg_array_int(&c[4], g->language);
}

static void write_vacancy(struct records_write *w, struct pg_array *c, const struct records_row *row)
{
	const struct record_vacancy *v = &row->record.vacancy;

	(void)w;
	pg_array_int(&c[1], row->seq);
	pg_array_int(&c[2], v->free);
	pg_array_wall_us(&c[3], v->released_us);
	pg_array_wall_us(&c[4], row->priority_until_us);
	pg_array_int(&c[5], row->terms);
	pg_array_int(&c[6], row->told);
}

static void write_persons(struct records_write *w, struct pg_array *c, const struct records_row *row)
{
	const struct keyring *k = w->s->base.keyring;
	const struct applicant *a = &row->record.application.applicant;
	char last4[5];

	pg_array_text(&c[0], iin_last_four(&a->child, last4));
	pg_array_int(&c[1], applicant_iin(k, &a->child));
	pg_array_int(&c[2], applicant_iin(k, &a->parents[0]));
	put_null_or(&c[3], a->parents_n > 1, a->parents_n > 1 ? applicant_iin(k, &a->parents[1]) : 0);
	pg_array_int(&c[4], person_phone(k, a->phones[0]));
	put_null_or(&c[5], a->phones_n > 1, a->phones_n > 1 ? person_phone(k, a->phones[1]) : 0);
	buf_clear(&w->sealed);
	applicant_seal(k, row->record.id, a, &w->sealed);
	pg_array_bytes(&c[6], w->sealed.data, w->sealed.len);
}

static void write_application(struct records_write *w, struct pg_array *c, const struct records_row *row)
{
	const struct record_application *a = &row->record.application;

	pg_array_int(&c[1], row->seq);
	pg_array_int(&c[2], (int64_t)a->district);
	pg_array_text(&c[3], a->category);
	pg_array_int(&c[4], iin_birth(&a->applicant.child).year);
	pg_array_wall_us(&c[5], a->registered_us);
	pg_array_int(&c[6], row->status);
	pg_array_int(&c[7], a->channel);
	pg_array_int(&c[8], a->language);
	pg_array_int(&c[9], a->groups);
	pg_array_int(&c[10], a->verified);
	write_persons(w, c + 11, row);
	put_null_or(&c[18], row->api_key != RECORDS_SAME_CLIENT, row->api_key);
}

struct notice_row {
	enum notice_kind kind;
	int64_t look_us, alarm_us;
	struct msisdn to; /* digits 0: the application's phones */
};

static void write_notice(struct records_write *w, const struct records_row *row, const struct notice_row *n)
{
	const struct keyring *k = w->s->base.keyring;
	struct pg_array *c = w->columns[WRITE_NOTICES];
	uint64_t id = w->s->base.notice_id(w->s->base.arg);

	w->slots.in[ids_slot(id)] = true;
	pg_array_int(&c[0], (int64_t)id);
	pg_array_int(&c[1], (int64_t)row->record.id);
	pg_array_int(&c[2], n->kind);
	pg_array_int(&c[3], n->to.digits ? person_phone(k, n->to) : 0);
	pg_array_wall_us(&c[4], n->look_us);
	pg_array_wall_us(&c[5], n->alarm_us);
	if (!n->to.digits) {
		pg_array_null(&c[6]);
		return;
	}
	buf_clear(&w->sealed);
	applicant_seal_phone(k, id, n->to, &w->sealed);
	pg_array_bytes(&c[6], w->sealed.data, w->sealed.len);
}

static void write_news(struct records_write *w, const struct records_row *row, uint64_t feed)
{
	struct pg_array *c = w->columns[WRITE_NEWS];

	w->slots.in[ids_slot(feed)] = true;
	pg_array_int(&c[0], (int64_t)feed);
	pg_array_int(&c[1], (int64_t)row->record.id);
	pg_array_int(&c[2], row->seq + 1);
}

static unsigned news_wanted(const struct records *s)
{
	unsigned n = 0;

	for (size_t i = 0; s->plan.notices && i < s->n; i++)
		n += s->rows[i].verdict == RECORD_CHANGED && s->rows[i].phones_n > 0;
	return n;
}

/* What parents and the portal hear of an application that was put. Each number is told at its own phone,
 * whatever phones the application has when the notice goes: of many changes in quiet hours once. */
static void write_followers(struct records_write *w, const struct records_row *row, uint64_t feed)
{
	if (row->verdict == RECORD_CREATED && row->status == APPLICATION_WAITING)
		write_notice(
		    w, row, &(struct notice_row){NOTICE_NUMBER, w->now_us, w->now_us + ALARM_US, {0}});
	for (size_t i = 0; i < row->phones_n; i++)
		write_notice(w, row,
		    &(struct notice_row){NOTICE_PHONE, notice_due_us(NOTICE_PHONE, row->region, w->now_us, 0),
		        0, row->phones[i]});
	if (row->phones_n)
		write_news(w, row, feed + w->news++);
}

typedef void records_write_fn(struct records_write *w, struct pg_array *c, const struct records_row *row);
static records_write_fn *const writers[RECORD_KINDS] = {
    write_place, write_place, write_group, write_vacancy, write_application};

static void records_fill(struct records_write *w, uint64_t feed)
{
	struct records *s = w->s;

	for (size_t i = 0; i < s->n; i++) {
		const struct records_row *row = &s->rows[i];
		struct pg_array *c = w->columns[row->record.kind];

		if (!records_row_is_written(row))
			continue;
		pg_array_int(&c[0], (int64_t)row->record.id);
		writers[row->record.kind](w, c, row);
		if (s->plan.notices && row->record.kind == RECORD_APPLICATION)
			write_followers(w, row, feed);
	}
}

static unsigned records_add_write(struct records_write *w, int which, struct pg_job *job)
{
	struct pg_value values[COLUMNS_MOST + 2];
	uint8_t now[8], via[4];
	int n = counts[which];

	if (!w->columns[which][0].n)
		return 0;
	for (int i = 0; i < n; i++)
		values[i] = pg_array_value(&w->columns[which][i]);
	if (which == WRITE_NEWS) {
		values[n] = pg_timestamp(w->now_us, now);
		values[n + 1] = pg_int4((int32_t)w->s->plan.via, via);
	}
	pg_job_add(job, &sql_write[which], values);
	return 1;
}

static bool records_lock(const struct records_write *w)
{
	for (enum record_kind k = RECORD_KINDERGARTEN; k < RECORD_KINDS; k++)
		if (w->columns[k][0].n)
			return true;
	return false;
}

/* The fence of the slots that ids are of comes first, and that of the own slot before places_lock: when this
 * process is stopped in the middle of the job, whoever takes the slot over ends it there, and the lock is
 * free again. While none is held it refuses any. */
static unsigned records_add_head(struct records_write *w, uint64_t feed, struct pg_job *job)
{
	uint8_t room[8];
	const struct pg_value first = pg_int8((int64_t)feed, room);
	int slot = feed_slot(w->s->base.feed);
	unsigned n = 0;

	w->slots.in[slot < 0 ? 0 : slot] |= records_lock(w);
	if (w->columns[WRITE_NOTICES][0].n || feed || records_lock(w)) {
		lease_fence(feed_lease(w->s->base.feed), &w->slots, job);
		n++;
	}
	if (feed) {
		pg_job_add(job, &sql_open, &first);
		n++;
	}
	if (records_lock(w)) {
		pg_job_add(job, &sql_lock, NULL);
		n++;
	}
	return n;
}

bool records_differ(const struct records *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (records_row_is_written(&s->rows[i]))
			return true;
	return false;
}

unsigned records_build(struct records *s, int64_t now_us, struct pg_job *job)
{
	struct records_write *w = mem_new(sizeof *w);
	unsigned news = news_wanted(s), n;
	uint64_t feed = news ? feed_number(s->base.feed, &s->feed, news) : 0;

	w->s = s;
	w->now_us = now_us;
	for (int i = 0; i < WRITES; i++)
		for (int k = 0; k < counts[i]; k++)
			pg_array_start(&w->columns[i][k], elements[i][k]);
	records_fill(w, feed);
	n = records_add_head(w, feed, job);
	for (int i = 0; i < WRITES; i++)
		n += records_add_write(w, i, job);
	for (int i = 0; i < WRITES; i++)
		for (int k = 0; k < counts[i]; k++)
			pg_array_fini(&w->columns[i][k]);
	buf_fini(&w->sealed);
	free(w);
	return n;
}

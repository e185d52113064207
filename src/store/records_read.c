/* What stands of each record, and what each is beside it. References are to what is in the database or among
 * the records themselves: a first load says a group and its vacancy in one go. */
#include <string.h>

#include "store/records_body.h"

/* "offset 0": each row asks the index, whatever the planner thinks of a join. */
#define ROWS(n) "unnest(" n ") with ordinality r"
#define STANDS(columns, table, key, as)                                                                      \
	" left join lateral (select " columns " from " table " where " key " offset 0) " as " on true"
#define IS_THERE(table, id) "exists (select from " table " where id = " id " offset 0)"

static const uint32_t ask_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_ask[RECORD_KINDS] = {
    [RECORD_DISTRICT] = {"records_districts",
        "select true, d.name_kk, d.name_ru, d.name_en, d.region from " ROWS("$1") "(id, i)" STANDS(
            "*", "district", "id = r.id", "d") " order by i",
        1, ask_types},
    [RECORD_KINDERGARTEN] = {"records_kindergartens",
        "select " IS_THERE("district", "r.district") ", k.name_kk, k.name_ru, k.name_en, k.district "
                                                     "from " ROWS("$1, $2") "(id, district, i)" STANDS(
                                                         "*", "kindergarten", "id = r.id", "k") " order by i",
        2, ask_types},
    [RECORD_GROUP] = {"records_groups",
        "select " IS_THERE(
            "kindergarten", "r.kindergarten") ", g.kindergarten, g.age_from, g.age_to, g.language"
                                              " from " ROWS("$1, $2") "(id, kindergarten, i)" STANDS(
                                                  "*", "play_group", "id = r.id", "g") " order by i",
        2, ask_types},
    [RECORD_VACANCY] = {"records_vacancies",
        "select g.kindergarten is not null, d.id, d.region, v.terms, " RECORDS_VACANCY " from " ROWS(
            "$1, $2, $3") "(id, kindergarten, district, i)" STANDS("kindergarten", "play_group", "id = r.id",
            "g") STANDS("district", "kindergarten", "id = coalesce(r.kindergarten, g.kindergarten)", "k")
            STANDS("id, region", "district", "id = coalesce(r.district, k.district)", "d")
                STANDS("*", "vacancy", "play_group = r.id", "v") " order by i",
        3, ask_types},
    [RECORD_APPLICATION] = {"records_applications",
        "select d.region is not null, d.region, exists (select from referral f"
        "  where f.application = r.number and f.status in (0, 1) offset 0), " RECORDS_APPLICATION
        " from " ROWS("$1, $2") "(number, district, i)" STANDS("region", "district", "id = r.district", "d")
            STANDS("*", "application", "number = r.number", "a") " order by i",
        2, ask_types},
};

/* What a row refers to, as far as the question must know. */
static void records_put_references(
    const struct records *s, const struct record *r, struct pg_array *first, struct pg_array *second)
{
	const struct records_row *group, *kindergarten;

	switch (r->kind) {
	case RECORD_KINDERGARTEN:
		pg_array_int(first, (int64_t)r->place.district);
		return;
	case RECORD_GROUP:
		pg_array_int(first, (int64_t)r->group.kindergarten);
		return;
	case RECORD_APPLICATION:
		pg_array_int(first, (int64_t)r->application.district);
		return;
	case RECORD_VACANCY:
		group = records_find(s, RECORD_GROUP, r->id);
		kindergarten =
		    group ? records_find(s, RECORD_KINDERGARTEN, group->record.group.kindergarten) : NULL;
		if (group)
			pg_array_int(first, (int64_t)group->record.group.kindergarten);
		else
			pg_array_null(first);
		if (kindergarten)
			pg_array_int(second, (int64_t)kindergarten->record.place.district);
		else
			pg_array_null(second);
		return;
	default:
		return;
	}
}

static void records_ask_kind(const struct records *s, enum record_kind kind, struct pg_job *job)
{
	struct pg_array columns[3] = {0};
	struct pg_value values[3];

	for (int i = 0; i < 3; i++)
		pg_array_start(&columns[i], PG_INT8);
	for (size_t i = 0; i < s->n; i++) {
		const struct record *r = &s->rows[i].record;

		if (r->kind != kind)
			continue;
		pg_array_int(&columns[0], (int64_t)r->id);
		records_put_references(s, r, &columns[1], &columns[2]);
	}
	for (int i = 0; i < 3; i++)
		values[i] = pg_array_value(&columns[i]);
	if (columns[0].n)
		pg_job_add(job, &sql_ask[kind], values);
	for (int i = 0; i < 3; i++)
		pg_array_fini(&columns[i]);
}

void records_ask(const struct records *s, struct pg_job *job)
{
	for (enum record_kind k = 0; k < RECORD_KINDS; k++)
		records_ask_kind(s, k, job);
}

/* One row of an answer beside the record that it is about. */
struct records_look {
	struct records *s;
	const struct records_files *files;
	const struct pg_reply *reply;
	unsigned statement;
	size_t row;
};

static bool look_flag(const struct records_look *l, int column)
{
	return pg_int(l->reply, l->statement, l->row, column) != 0;
}

static uint64_t look_id(const struct records_look *l, int column)
{
	return (uint64_t)pg_int(l->reply, l->statement, l->row, column);
}

static bool look_is_null(const struct records_look *l, int column)
{
	return pg_is_null(l->reply, l->statement, l->row, column);
}

static bool look_is(const struct records_look *l, int column, const char *text)
{
	return !strcmp(pg_text(l->reply, l->statement, l->row, column, NULL), text);
}

static enum record_verdict look_verdict(bool stands, bool same)
{
	return !stands ? RECORD_CREATED : same ? RECORD_SAME : RECORD_CHANGED;
}

/* Whether it is in the database, as the answer says, or among the records and good. */
static bool look_finds(const struct records_look *l, int column, enum record_kind kind, uint64_t id)
{
	return look_flag(l, column) || records_row_is_good(records_find(l->s, kind, id));
}

static bool look_names_are(const struct records_look *l, int column, const struct record_place *p)
{
	for (int i = 0; i < LANGUAGES; i++)
		if (!look_is(l, column + i, p->names[i]))
			return false;
	return true;
}

/* Columns: whether what it lies in is there, three names, region or district. */
static enum record_verdict judge_place(const struct records_look *l, struct records_row *row)
{
	const struct record_place *p = &row->record.place;
	bool district = row->record.kind == RECORD_DISTRICT;

	if (district && !region_find(l->files->regions, p->region))
		return RECORD_UNKNOWN_REGION;
	if (!district && !look_finds(l, 0, RECORD_DISTRICT, p->district))
		return RECORD_UNKNOWN_DISTRICT;
	return look_verdict(!look_is_null(l, 1),
	    look_names_are(l, 1, p) && (district ? look_is(l, 4, p->region) : look_id(l, 4) == p->district));
}

static enum record_verdict judge_group(const struct records_look *l, struct records_row *row)
{
	const struct record_group *g = &row->record.group;

	if (!look_finds(l, 0, RECORD_KINDERGARTEN, g->kindergarten))
		return RECORD_UNKNOWN_KINDERGARTEN;
	return look_verdict(!look_is_null(l, 1),
	    look_id(l, 1) == g->kindergarten && look_id(l, 2) == (uint64_t)g->age_from &&
	        look_id(l, 3) == (uint64_t)g->age_to && look_id(l, 4) == (uint64_t)g->language);
}

/* The region of a district that is in the database, as the column says, or among the records; NULL: it is not
 * configured. */
static const struct region *look_region(const struct records_look *l, uint64_t district, int column)
{
	const struct records_row *row = records_find(l->s, RECORD_DISTRICT, district);

	return region_find(l->files->regions, records_row_is_good(row)
	                                          ? row->record.place.region
	                                          : pg_text(l->reply, l->statement, l->row, column, NULL));
}

void records_read_vacancy(
    const struct pg_reply *reply, unsigned statement, size_t row, int column, struct record *ret)
{
	ret->kind = RECORD_VACANCY;
	ret->vacancy = (struct record_vacancy){.seq = pg_int(reply, statement, row, column),
	    .free = (uint32_t)pg_int(reply, statement, row, column + 1),
	    .released_us = pg_wall_us(reply, statement, row, column + 2),
	    .priority_until_us = pg_wall_us(reply, statement, row, column + 3)};
	ret->vacancy.priority = ret->vacancy.priority_until_us ? RECORD_PRIORITY_UNTIL : RECORD_PRIORITY_NONE;
}

/* Whether it is known until when priority runs. */
static bool judge_priority(const struct records_look *l, struct records_row *row)
{
	const struct record_vacancy *v = &row->record.vacancy;

	row->priority_until_us = v->priority == RECORD_PRIORITY_UNTIL ? v->priority_until_us : 0;
	if (v->priority != RECORD_PRIORITY_BY_CLOCK)
		return true;
	const struct records_row *group = records_find(l->s, RECORD_GROUP, row->record.id);
	const struct records_row *in =
	    group ? records_find(l->s, RECORD_KINDERGARTEN, group->record.group.kindergarten) : NULL;
	row->region = look_region(l, in ? in->record.place.district : look_id(l, 1), 2);
	if (!row->region)
		return false;
	int64_t until_us = calendar_add(l->files->calendar, v->released_us,
	    row->region->clocks[REGION_PRIORITY], row->region->offset_min);
	row->priority_until_us = until_us > v->released_us ? until_us : 0;
	return true;
}

/* Columns: whether the group is there, district, its region, terms, then those of RECORDS_VACANCY. */
static enum record_verdict judge_vacancy(const struct records_look *l, struct records_row *row)
{
	const struct record_vacancy *v = &row->record.vacancy;
	struct record old;

	records_read_vacancy(l->reply, l->statement, l->row, 4, &old);
	row->seq = old.vacancy.seq;
	if (!look_finds(l, 0, RECORD_GROUP, row->record.id))
		return RECORD_UNKNOWN_GROUP;
	if (v->seq && v->seq != row->seq)
		return RECORD_CHANGED_MEANWHILE;
	if (!judge_priority(l, row))
		return RECORD_UNKNOWN_REGION;
	/* where none was, some are released anew, as in places_count: who looked before saw another vacancy
	 */
	bool terms = !row->seq || (v->free && !old.vacancy.free) ||
	             v->released_us != old.vacancy.released_us ||
	             row->priority_until_us != old.vacancy.priority_until_us;
	row->terms = pg_int(l->reply, l->statement, l->row, 3) + terms;
	row->told = v->free && terms;
	return look_verdict(row->seq, !terms && v->free == old.vacancy.free);
}

bool records_read_application(const struct keyring *k, const struct pg_reply *reply, unsigned statement,
    size_t row, int column, struct record *ret)
{
	struct record_application *a = &ret->application;
	size_t len;

	ret->kind = RECORD_APPLICATION;
	*a = (struct record_application){.seq = pg_int(reply, statement, row, column),
	    .status = (enum application_status)pg_int(reply, statement, row, column + 1),
	    .district = (uint64_t)pg_int(reply, statement, row, column + 2),
	    .registered_us = pg_wall_us(reply, statement, row, column + 4),
	    .channel = (enum notice_channel)pg_int(reply, statement, row, column + 5),
	    .language = (enum language)pg_int(reply, statement, row, column + 6),
	    .groups = (unsigned)pg_int(reply, statement, row, column + 7),
	    .verified = (unsigned)pg_int(reply, statement, row, column + 8)};
	const char *category = pg_text(reply, statement, row, column + 3, &len);
	if (len <= REGION_ID)
		memcpy(a->category, category, len);
	const char *sealed = pg_text(reply, statement, row, column + 9, &len);
	return applicant_open(k, ret->id, sealed, len, &a->applicant) == KZ_OK;
}

static bool phones_have(const struct applicant *a, struct msisdn m)
{
	for (size_t i = 0; i < a->phones_n; i++)
		if (a->phones[i].digits == m.digits)
			return true;
	return false;
}

/* Both phones changing places is no change of a phone. */
static void judge_phones(struct records_row *row, const struct applicant *old)
{
	const struct applicant *now = &row->record.application.applicant;

	for (size_t i = 0; i < now->phones_n; i++)
		if (!phones_have(old, now->phones[i]))
			row->phones[row->phones_n++] = now->phones[i];
	for (size_t i = 0; i < old->phones_n; i++)
		if (!phones_have(now, old->phones[i]))
			row->phones[row->phones_n++] = old->phones[i];
}

static bool applicants_are_same(const struct applicant *a, const struct applicant *b)
{
	bool same = a->parents_n == b->parents_n && a->phones_n == b->phones_n &&
	            !strcmp(a->child.digits, b->child.digits) && !strcmp(a->first_name, b->first_name) &&
	            !strcmp(a->last_name, b->last_name) && !strcmp(a->email, b->email);

	for (size_t i = 0; same && i < a->parents_n; i++)
		same = !strcmp(a->parents[i].digits, b->parents[i].digits);
	for (size_t i = 0; same && i < a->phones_n; i++)
		same = a->phones[i].digits == b->phones[i].digits;
	return same;
}

static bool applications_are_same(const struct record_application *a, const struct record_application *b)
{
	return a->verified == b->verified && a->district == b->district &&
	       !strcmp(a->category, b->category) && a->registered_us == b->registered_us &&
	       a->channel == b->channel && a->language == b->language && a->groups == b->groups &&
	       applicants_are_same(&a->applicant, &b->applicant);
}

/* Columns: whether the district is there, its region, whether a referral is open, then those of
 * RECORDS_APPLICATION. */
static enum record_verdict judge_application(const struct records_look *l, struct records_row *row)
{
	const struct record_application *a = &row->record.application;
	struct record old = {.id = row->record.id};
	bool opened = records_read_application(l->s->base.keyring, l->reply, l->statement, l->row, 3, &old);

	row->seq = pg_int(l->reply, l->statement, l->row, 3);
	row->region = look_region(l, a->district, 1);
	if (opened)
		judge_phones(row, &old.application.applicant);
	bool same = opened && applications_are_same(a, &old.application);
	enum application_status now = old.application.status;
	record_wipe(&old);
	if (!look_finds(l, 0, RECORD_DISTRICT, a->district))
		return RECORD_UNKNOWN_DISTRICT;
	if (!row->region)
		return RECORD_UNKNOWN_REGION;
	if (!region_category_find(row->region, a->category))
		return RECORD_UNKNOWN_CATEGORY;
	if (a->seq && a->seq != row->seq)
		return RECORD_CHANGED_MEANWHILE;
	row->status = now;
	if (a->status != APPLICATION_STATUSES &&
	    application_told(now, look_flag(l, 2), a->status, &row->status) != KZ_OK)
		return RECORD_REFERRAL_OPEN;
	return look_verdict(row->seq, same && row->status == now);
}

typedef enum record_verdict records_judge_fn(const struct records_look *l, struct records_row *row);
static records_judge_fn *const judges[RECORD_KINDS] = {
    judge_place, judge_place, judge_group, judge_vacancy, judge_application};

/* In the order of the kinds: each refers to those before it alone. */
void records_judge(struct records *s, const struct records_files *files, const struct pg_reply *reply)
{
	struct records_look l = {s, files, reply, 0, 0};

	for (size_t i = 0; i < s->n; i++) {
		s->rows[i].verdict = RECORD_VERDICTS; /* not judged */
		s->rows[i].phones_n = 0;
	}
	for (enum record_kind k = 0; k < RECORD_KINDS; k++) {
		l.row = 0;
		for (size_t i = 0; i < s->n; i++)
			if (s->rows[i].record.kind == k) {
				s->rows[i].verdict = judges[k](&l, &s->rows[i]);
				l.row++;
			}
		l.statement += l.row > 0;
	}
}

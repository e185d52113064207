/* A page walks an index from its cursor on, so far as it may look, and keeps what the filter lets pass: the
 * newest referrals are what people ask for, and of one district some of each stretch. One kindergarten's
 * would be far apart: its groups are asked instead, each by an index of its own. Of each row that was looked
 * at, what the filter needs is asked for alone ("offset 0"); persons are opened of those that are answered.
 */
#include "store/open_data.h"

#include "store/applicant.h"
#include "store/pg_array.h"

/* After, district, age, language, limit, how many to look at, kindergarten, name, how many may be named,
 * status. */
static const uint32_t open_types[] = {
    PG_INT8, PG_INT8, PG_INT4, PG_INT4, PG_INT4, PG_INT4, PG_INT8, PG_TEXT, PG_INT4, PG_INT4};
#define OPEN_PARAMETERS ((int)(sizeof open_types / sizeof *open_types))

/* Of the kindergartens that were named one more than may be; their groups g. */
#define NAMED                                                                                                \
	"named as materialized ((select id from kindergarten where id = $7 and ($2 is null or district = "   \
	"$2))"                                                                                               \
	" union all (select id from kindergarten where $8 is not null and ($2 is null or district = $2)"     \
	"  and (strpos(lower(name_kk), lower($8)) > 0 or strpos(lower(name_ru), lower($8)) > 0"              \
	"   or strpos(lower(name_en), lower($8)) > 0) limit $9 + 1)), "
#define NAMED_GROUPS                                                                                         \
	"named n join lateral (select x.id from play_group x where x.kindergarten = n.id"                    \
	"  and ($3 is null or (x.age_from <= $3 and $3 < x.age_to)) and ($4 is null or x.language = $4)"     \
	"  offset 0) g on true"
#define NAMED_COUNT "(select count(*) from named)"
/* What the filter lets pass of the page p, as hit h, and its place. */
#define HITS                                                                                                 \
	"hit as materialized (select p.*, g.age_from, g.age_to, g.language, k.id as kindergarten, "          \
	"k.district,"                                                                                        \
	" k.name_kk, k.name_ru, k.name_en"                                                                   \
	" from page p join lateral (select * from play_group x where x.id = p.play_group offset 0) g on "    \
	"true"                                                                                               \
	" join lateral (select * from kindergarten x where x.id = g.kindergarten offset 0) k on true"        \
	" where ($2 is null or k.district = $2) and ($3 is null or (g.age_from <= $3 and $3 < g.age_to))"    \
	" and ($4 is null or g.language = $4)"
#define PLACE_COLUMNS                                                                                        \
	" h.play_group, h.kindergarten, d.id, h.name_kk, h.name_ru, h.name_en, d.name_kk, d.name_ru,"        \
	" d.name_en, h.age_from, h.age_to, h.language"
#define PLACES                                                                                               \
	" from hit h join lateral (select * from district x where x.id = h.district offset 0) d on true"
#define NO_PLACE " null::int8, null, null, null, null, null, null, null, null, null, null, null"
/* The last row: the cursor of the next page, and how many were named. */
#define PAGE_END(key, last)                                                                                  \
	" case when (select count(*) from hit) = $5 then (select " last "(" key ") from hit)"                \
	" when (select count(*) from page) = $6 then (select " last "(" key ") from page) end"

enum open_column {
	OPEN_GROUP,
	OPEN_OF_KINDERGARTEN,
	OPEN_OF_DISTRICT,
	OPEN_KINDERGARTEN_NAMES,
	OPEN_DISTRICT_NAMES = OPEN_KINDERGARTEN_NAMES + LANGUAGES,
	OPEN_AGE_FROM = OPEN_DISTRICT_NAMES + LANGUAGES,
	OPEN_AGE_TO,
	OPEN_OF_LANGUAGE,
	OPEN_NEXT,
	OPEN_NAMED, /* NULL: not the last row */
	OPEN_PLACE_COLUMNS
};

/* page: what it looks at. */
#define VACANCIES(before, page, named)                                                                       \
	"with " before "page as materialized (select v.play_group, v.free, v.released_at, v.priority_until"  \
	" from " page " order by v.play_group limit $6), " HITS " order by p.play_group limit $5)"           \
	" select" PLACE_COLUMNS ", null::int8 as next, null::int8 as named, h.free, h.released_at,"          \
	" h.priority_until" PLACES " union all select" NO_PLACE                                              \
	"," PAGE_END("play_group", "max") ", " named ", null, null, null order by named nulls first, 1"

enum open_vacancy_column { OPEN_FREE = OPEN_PLACE_COLUMNS, OPEN_RELEASED, OPEN_PRIORITY };

static const struct pg_sql sql_vacancies = {"open_vacancies",
    VACANCIES("", "vacancy v where v.free > 0 and v.play_group > $1", "0::int8"), OPEN_PARAMETERS,
    open_types};
static const struct pg_sql sql_vacancies_named = {"open_vacancies_named",
    VACANCIES(NAMED,
        NAMED_GROUPS " join lateral (select * from vacancy x where x.play_group = g.id and x.free > 0"
                     " and x.play_group > $1 offset 0) v on true",
        NAMED_COUNT),
    OPEN_PARAMETERS, open_types};

#define REFERRALS(before, page, named)                                                                       \
	"with " before "page as materialized (select r.number, r.application, r.play_group, r.status,"       \
	" r.extended, r.from_at, r.to_at from " page "), " HITS " order by p.number desc limit $5)"          \
	" select" PLACE_COLUMNS ", null::int8 as next, null::int8 as named, h.number, h.application,"        \
	" h.status, h.extended, h.from_at, h.to_at, a.birth_year, a.sealed" PLACES                           \
	" join lateral (select * from application x where x.number = h.application offset 0) a on true"      \
	" union all select" NO_PLACE                                                                         \
	"," PAGE_END("number", "min") ", " named ", null, null, null, null, null, null, null, null order "   \
	                              "by named nulls first, number desc"

enum open_referral_column {
	OPEN_NUMBER = OPEN_PLACE_COLUMNS,
	OPEN_APPLICATION,
	OPEN_OF_STATUS,
	OPEN_EXTENDED,
	OPEN_FROM,
	OPEN_TO,
	OPEN_BIRTH_YEAR,
	OPEN_SEALED
};

static const struct pg_sql sql_referrals = {"open_referrals",
    REFERRALS("", "referral r where r.number < $1 order by r.number desc limit $6", "0::int8"),
    OPEN_PARAMETERS, open_types};
/* A range that has that status alone: as an equality, the planner may walk all numbers for them. */
static const struct pg_sql sql_referrals_status = {"open_referrals_status",
    REFERRALS("",
        "referral r where (r.status, r.number) < ($10::int2, $1) and r.status >= $10::int2"
        " order by r.status desc, r.number desc limit $6",
        "0::int8"),
    OPEN_PARAMETERS, open_types};
static const struct pg_sql sql_referrals_named = {"open_referrals_named",
    REFERRALS(NAMED,
        NAMED_GROUPS " join lateral (select * from referral x where x.play_group = g.id and x.number < $1"
                     " and ($10 is null or x.status = $10) order by x.number desc limit $5) r on true"
                     " order by r.number desc limit $5",
        NAMED_COUNT),
    OPEN_PARAMETERS, open_types};

struct open_quest {
	union {
		open_vacancy_fn *vacancy;
		open_referral_fn *referral;
	} each;
	open_data_done_fn *done;
	void *arg;
	const struct keyring *keyring;
};

static struct open_place open_read_place(const struct pg_reply *reply, size_t row)
{
	struct open_place p = {.group = (uint64_t)pg_int(reply, 0, row, OPEN_GROUP),
	    .kindergarten = (uint64_t)pg_int(reply, 0, row, OPEN_OF_KINDERGARTEN),
	    .district = (uint64_t)pg_int(reply, 0, row, OPEN_OF_DISTRICT),
	    .age_from = (int)pg_int(reply, 0, row, OPEN_AGE_FROM),
	    .age_to = (int)pg_int(reply, 0, row, OPEN_AGE_TO),
	    .language = (enum language)pg_int(reply, 0, row, OPEN_OF_LANGUAGE)};

	for (int l = 0; l < LANGUAGES; l++) {
		p.kindergarten_names[l] = pg_text(reply, 0, row, OPEN_KINDERGARTEN_NAMES + l, NULL);
		p.district_names[l] = pg_text(reply, 0, row, OPEN_DISTRICT_NAMES + l, NULL);
	}
	return p;
}

/* The rows before the last one are the page. Too many named: it may not be all of what was meant. */
static size_t open_end(const struct pg_reply *reply, enum kz *r, uint64_t *ret_next)
{
	size_t last = *r == KZ_OK ? pg_rows(reply, 0) - 1 : 0;

	*ret_next = 0;
	if (*r != KZ_OK)
		return 0;
	if (pg_int(reply, 0, last, OPEN_NAMED) > OPEN_DATA_KINDERGARTENS) {
		*r = KZ_TOO_LONG;
		return 0;
	}
	*ret_next = (uint64_t)pg_int(reply, 0, last, OPEN_NEXT);
	return last;
}

static void open_on_vacancies(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct open_quest *q = arg;
	uint64_t next;
	size_t rows = open_end(reply, &r, &next);

	for (size_t row = 0; row < rows; row++) {
		const struct open_vacancy v = {.place = open_read_place(reply, row),
		    .free = (uint32_t)pg_int(reply, 0, row, OPEN_FREE),
		    .released_us = pg_wall_us(reply, 0, row, OPEN_RELEASED),
		    .priority_until_us = pg_wall_us(reply, 0, row, OPEN_PRIORITY)};

		q->each.vacancy(q->arg, &v);
	}
	q->done(q->arg, r, next);
}

static void open_tell_referral(const struct open_quest *q, const struct pg_reply *reply, size_t row)
{
	struct applicant child;
	size_t n;
	struct open_referral f = {.place = open_read_place(reply, row),
	    .number = (uint64_t)pg_int(reply, 0, row, OPEN_NUMBER),
	    .application = (uint64_t)pg_int(reply, 0, row, OPEN_APPLICATION),
	    .status = (enum referral_status)pg_int(reply, 0, row, OPEN_OF_STATUS),
	    .extended = pg_int(reply, 0, row, OPEN_EXTENDED) != 0,
	    .from_us = pg_wall_us(reply, 0, row, OPEN_FROM),
	    .to_us = pg_wall_us(reply, 0, row, OPEN_TO),
	    .birth_year = (int)pg_int(reply, 0, row, OPEN_BIRTH_YEAR),
	    .first_name = "",
	    .last_name = ""};
	const char *sealed = pg_text(reply, 0, row, OPEN_SEALED, &n);

	if (applicant_open(q->keyring, f.application, sealed, n, &child) == KZ_OK) {
		f.first_name = child.first_name;
		f.last_name = child.last_name;
	}
	q->each.referral(q->arg, &f);
	applicant_wipe(&child);
}

static void open_on_referrals(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct open_quest *q = arg;
	uint64_t next;
	size_t rows = open_end(reply, &r, &next);

	for (size_t row = 0; row < rows; row++)
		open_tell_referral(q, reply, row);
	q->done(q->arg, r, next);
}

static struct pg_value open_id(uint64_t id, uint8_t room[8])
{
	return id ? pg_int8((int64_t)id, room) : (struct pg_value){0};
}

static struct pg_value open_choice(int n, uint8_t room[4])
{
	return n >= 0 ? pg_int4(n, room) : (struct pg_value){0};
}

static enum kz open_ask(struct pg *pg, const struct pg_sql *sql, const struct open_data_filter *f,
    int64_t after, pg_done_fn *on_done, const struct open_quest *q)
{
	uint8_t from[8], district[8], kindergarten[8], age[4], language[4], limit[4], look[4], most[4],
	    status[4];
	const struct pg_value values[] = {pg_int8(after, from), open_id(f->district, district),
	    open_choice(f->age, age), open_choice(f->language, language), pg_int4((int32_t)f->limit, limit),
	    pg_int4(OPEN_DATA_LOOK, look), open_id(f->kindergarten, kindergarten), pg_string(f->name),
	    pg_int4(OPEN_DATA_KINDERGARTENS, most), open_choice(f->status, status)};

	_Static_assert(sizeof values / sizeof *values == OPEN_PARAMETERS, "as many as there are types");
	return pg_ask(pg, sql, values, on_done, q, sizeof *q);
}

static bool open_is_named(const struct open_data_filter *f)
{
	return f->kindergarten || f->name;
}

enum kz open_vacancies(struct pg *pg, const struct open_data_filter *f, open_vacancy_fn *each,
    open_data_done_fn *done, void *arg)
{
	const struct open_quest q = {.each.vacancy = each, .done = done, .arg = arg};

	return open_ask(pg, open_is_named(f) ? &sql_vacancies_named : &sql_vacancies, f, (int64_t)f->after,
	    open_on_vacancies, &q);
}

enum kz open_referrals(struct pg *pg, const struct keyring *keyring, const struct open_data_filter *f,
    open_referral_fn *each, open_data_done_fn *done, void *arg)
{
	const struct open_quest q = {.each.referral = each, .done = done, .arg = arg, .keyring = keyring};
	const struct pg_sql *sql = open_is_named(f) ? &sql_referrals_named
	                           : f->status >= 0 ? &sql_referrals_status
	                                            : &sql_referrals;

	return open_ask(pg, sql, f, f->after ? (int64_t)f->after : INT64_MAX, open_on_referrals, &q);
}

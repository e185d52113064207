#include "store/records_show.h"

#include <stdio.h>
#include <string.h>

#include "store/records_body.h"

struct records_quest {
	const struct keyring *keyring;
	enum record_kind kind;
	records_show_fn *each;
	records_shown_fn *done;
	void *arg;
};

static const uint32_t show_types[] = {PG_INT8, PG_INT8, PG_INT4};
#define PAGE(key) " where " key " between $1 and $2 order by " key " limit $3"
static const struct pg_sql sql_show[RECORD_KINDS] = {
    {"records_show_districts", "select id, name_kk, name_ru, name_en, region from district" PAGE("id"), 3,
        show_types},
    {"records_show_kindergartens",
        "select id, name_kk, name_ru, name_en, district from kindergarten" PAGE("id"), 3, show_types},
    {"records_show_groups", "select id, kindergarten, age_from, age_to, language from play_group" PAGE("id"),
        3, show_types},
    {"records_show_vacancies", "select play_group, " RECORDS_VACANCY " from vacancy v" PAGE("play_group"), 3,
        show_types},
    {"records_show_applications", "select number, " RECORDS_APPLICATION " from application a" PAGE("number"),
        3, show_types},
};

static void show_read_place(const struct pg_reply *reply, size_t row, struct record *ret)
{
	struct record_place *p = &ret->place;

	for (int i = 0; i < LANGUAGES; i++)
		snprintf(p->names[i], sizeof p->names[i], "%s", pg_text(reply, 0, row, 1 + i, NULL));
	if (ret->kind == RECORD_DISTRICT)
		snprintf(p->region, sizeof p->region, "%s", pg_text(reply, 0, row, 4, NULL));
	else
		p->district = (uint64_t)pg_int(reply, 0, row, 4);
}

static void show_read_group(const struct pg_reply *reply, size_t row, struct record *ret)
{
	ret->group = (struct record_group){(uint64_t)pg_int(reply, 0, row, 1), (int)pg_int(reply, 0, row, 2),
	    (int)pg_int(reply, 0, row, 3), (enum language)pg_int(reply, 0, row, 4)};
}

static void show_row(const struct records_quest *q, const struct pg_reply *reply, size_t row)
{
	struct record r = {.kind = q->kind, .id = (uint64_t)pg_int(reply, 0, row, 0)};
	bool opened = true;

	if (q->kind == RECORD_APPLICATION)
		opened = records_read_application(q->keyring, reply, 0, row, 1, &r);
	else if (q->kind == RECORD_VACANCY)
		records_read_vacancy(reply, 0, row, 1, &r);
	else if (q->kind == RECORD_GROUP)
		show_read_group(reply, row, &r);
	else
		show_read_place(reply, row, &r);
	q->each(q->arg, &r, q->kind >= RECORD_VACANCY ? pg_int(reply, 0, row, 1) : 0, opened);
	record_wipe(&r);
}

static void show_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct records_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++)
		show_row(q, reply, row);
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz records_show(struct pg *pg, const struct keyring *k, const struct records_page *p,
    records_show_fn *each, records_shown_fn *done, void *arg)
{
	const struct records_quest q = {k, p->kind, each, done, arg};
	uint8_t from[8], upto[8], most[4];
	const struct pg_value values[] = {
	    pg_int8((int64_t)p->from, from), pg_int8((int64_t)p->upto, upto), pg_int4(p->most, most)};

	return pg_ask(pg, &sql_show[p->kind], values, show_on_done, &q, sizeof q);
}

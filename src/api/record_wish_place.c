/* What districts, kindergartens, groups and vacancies are made of. */
#include <stdio.h>
#include <string.h>

#include "api/record_wish_body.h"

#define COUNT(all) (sizeof(all) / sizeof *(all))

static bool take_name(struct record_read *r, const char *field, const json_t *value, enum language l)
{
	const char *text = json_string_value(value);

	if (!record_text_fits(text, RECORD_NAME))
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
		                          "1 to %d characters that a phone can show, %d octets at most",
		                          RECORD_NAME_LETTERS, RECORD_NAME));
	snprintf(r->record->place.names[l], sizeof r->record->place.names[l], "%s", text);
	return true;
}

static bool take_kk(struct record_read *r, const char *field, const json_t *value)
{
	return take_name(r, field, value, LANGUAGE_KK);
}

static bool take_ru(struct record_read *r, const char *field, const json_t *value)
{
	return take_name(r, field, value, LANGUAGE_RU);
}

static bool take_en(struct record_read *r, const char *field, const json_t *value)
{
	return take_name(r, field, value, LANGUAGE_EN);
}

static const struct record_member names[] = {{"kk", RECORD_STRING, true, take_kk},
    {"ru", RECORD_STRING, true, take_ru}, {"en", RECORD_STRING, true, take_en}};

static bool take_names(struct record_read *r, const char *field, const json_t *value)
{
	return record_members(r, value, field, names, LANGUAGES);
}

/* An id that no region has is as unknown as one that no file can have. */
static bool take_region(struct record_read *r, const char *field, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!*text || strlen(text) > REGION_ID)
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
		                          "the id of a region: 1 to %d characters", REGION_ID));
	snprintf(r->record->place.region, sizeof r->record->place.region, "%s", text);
	return true;
}

static bool take_district(struct record_read *r, const char *field, const json_t *value)
{
	return record_take_id(r, field, value, &r->record->place.district);
}

static bool take_kindergarten(struct record_read *r, const char *field, const json_t *value)
{
	return record_take_id(r, field, value, &r->record->group.kindergarten);
}

static bool take_age_from(struct record_read *r, const char *field, const json_t *value)
{
	json_int_t n;

	if (!record_take_number(r, field, value, 0, RECORD_AGE - 1, &n))
		return false;
	r->record->group.age_from = (int)n;
	return true;
}

static bool take_age_to(struct record_read *r, const char *field, const json_t *value)
{
	json_int_t n;

	if (!record_take_number(r, field, value, 1, RECORD_AGE, &n))
		return false;
	r->record->group.age_to = (int)n;
	return true;
}

static bool take_language(struct record_read *r, const char *field, const json_t *value)
{
	if (language_parse(json_string_value(value), &r->record->group.language) == KZ_OK)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field, "one of kk, ru, en"));
}

static bool take_free(struct record_read *r, const char *field, const json_t *value)
{
	json_int_t n;

	if (!record_take_number(r, field, value, 0, RECORD_FREE, &n))
		return false;
	r->record->vacancy.free = (uint32_t)n;
	return true;
}

static bool take_released(struct record_read *r, const char *field, const json_t *value)
{
	return record_take_time(
	    r, field, value, r->now_us + RECORD_FORWARD_US, &r->record->vacancy.released_us);
}

static bool take_priority(struct record_read *r, const char *field, const json_t *value)
{
	struct record_vacancy *v = &r->record->vacancy;

	v->priority = json_is_null(value) ? RECORD_PRIORITY_NONE : RECORD_PRIORITY_UNTIL;
	if (json_is_null(value))
		return true;
	if (!json_is_string(value))
		return record_fail(
		    r, problem_make(PROBLEM_WRONG_TYPE, field, "must be a time as a string, or null"));
	return record_take_time(r, field, value, r->now_us + 2 * RECORD_FORWARD_US, &v->priority_until_us);
}

static bool take_seq(struct record_read *r, const char *field, const json_t *value)
{
	json_int_t n;

	if (!record_take_number(r, field, value, 1, INT64_MAX, &n))
		return false;
	r->record->vacancy.seq = n;
	return true;
}

static const struct record_member district[] = {
    {"region", RECORD_STRING, true, take_region}, {"names", RECORD_OBJECT, true, take_names}};
static const struct record_member kindergarten[] = {
    {"district", RECORD_INTEGER, true, take_district}, {"names", RECORD_OBJECT, true, take_names}};
static const struct record_member group[] = {{"kindergarten", RECORD_INTEGER, true, take_kindergarten},
    {"age_from", RECORD_INTEGER, true, take_age_from}, {"age_to", RECORD_INTEGER, true, take_age_to},
    {"language", RECORD_STRING, true, take_language}};
static const struct record_member vacancy[] = {{"free", RECORD_INTEGER, true, take_free},
    {"released_at", RECORD_STRING, true, take_released}, {"priority_until", RECORD_ANY, false, take_priority},
    {"seq", RECORD_INTEGER, false, take_seq}};

const struct record_members_of record_kinds[RECORD_KINDS] = {{district, COUNT(district)},
    {kindergarten, COUNT(kindergarten)}, {group, COUNT(group)}, {vacancy, COUNT(vacancy)},
    {record_application_members, RECORD_APPLICATION_MEMBERS}};

bool record_is_whole(struct record_read *r)
{
	const struct record *o = r->record;

	if (o->kind == RECORD_APPLICATION)
		return record_application_is_whole(r);
	if (o->kind == RECORD_GROUP && o->group.age_from >= o->group.age_to)
		return record_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "age_to", "must be above age_from"));
	if (o->kind == RECORD_VACANCY && o->vacancy.priority == RECORD_PRIORITY_UNTIL &&
	    o->vacancy.priority_until_us <= o->vacancy.released_us)
		return record_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "priority_until", "must be after released_at"));
	return true;
}

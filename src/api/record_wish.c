#include "api/record_wish.h"

#include <stdio.h>
#include <string.h>

#include "api/record_wish_body.h"
#include "text/param.h"

#define FIRST_US INT64_C(946684800000000) /* 2000-01-01: no queue is older */

bool record_fail(struct record_read *r, struct problem p)
{
	*r->problem = p;
	return false;
}

static const char *type_fault(enum record_type type, const json_t *v)
{
	switch (type) {
	case RECORD_STRING:
		return json_is_string(v) ? NULL : "must be a string";
	case RECORD_INTEGER:
		return json_is_integer(v) ? NULL : "must be a whole number";
	case RECORD_BOOLEAN:
		return json_is_boolean(v) ? NULL : "must be true or false";
	case RECORD_OBJECT:
		return json_is_object(v) ? NULL : "must be an object";
	case RECORD_ARRAY:
		return json_is_array(v) ? NULL : "must be a list";
	default:
		return NULL;
	}
}

static bool record_unknown(
    struct record_read *r, const char *field, const struct record_member *all, size_t n)
{
	char known[160] = "";
	size_t at = 0;

	for (size_t i = 0; i < n && at < sizeof known; i++)
		at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", all[i].name);
	return record_fail(r, problem_make(PROBLEM_UNKNOWN_FIELD, field, "known are %s", known));
}

static void record_field(char to[RECORD_FIELD], const char *parent, const char *name)
{
	snprintf(to, RECORD_FIELD, "%s%s%s", parent ? parent : "", parent ? "." : "", name);
}

static bool record_take(struct record_read *r, const char *parent, const char *name, const json_t *value,
    const struct record_member *all, size_t n, uint32_t *seen)
{
	char field[RECORD_FIELD];

	record_field(field, parent, name);
	for (size_t i = 0; i < n; i++) {
		const struct record_member *m = &all[i];

		if (strcmp(m->name, name) != 0)
			continue;
		const char *fault = type_fault(m->type, value);
		if (fault)
			return record_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "%s", fault));
		*seen |= 1U << i;
		return m->take(r, field, value);
	}
	return record_unknown(r, field, all, n);
}

bool record_members(
    struct record_read *r, const json_t *o, const char *field, const struct record_member *all, size_t n)
{
	char missing[RECORD_FIELD];
	const char *key;
	json_t *value;
	uint32_t seen = 0;

	if (!json_is_object(o))
		return record_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "must be an object"));
	json_object_foreach((json_t *)(uintptr_t)o, key, value)
	{
		if (!record_take(r, field, key, value, all, n, &seen))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (all[i].required && !(seen & 1U << i)) {
			record_field(missing, field, all[i].name);
			return record_fail(r, problem_make(PROBLEM_MISSING_FIELD, missing, "it is required"));
		}
	return true;
}

bool record_take_number(struct record_read *r, const char *field, const json_t *value, json_int_t low,
    json_int_t high, json_int_t *ret)
{
	*ret = json_integer_value(value);
	if (*ret >= low && *ret <= high)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
	                          "%" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT, low, high));
}

bool record_take_id(struct record_read *r, const char *field, const json_t *value, uint64_t *ret)
{
	json_int_t n;

	if (!record_take_number(r, field, value, 1, RECORD_ID_MAX, &n))
		return false;
	*ret = (uint64_t)n;
	return true;
}

bool record_take_time(
    struct record_read *r, const char *field, const json_t *value, int64_t upto_us, int64_t *ret)
{
	*ret = clock_parse_rfc3339(json_string_value(value));
	if (*ret < 0)
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
		                          "a time like 2026-11-22T18:23:06+05:00 is expected"));
	if (*ret < FIRST_US || *ret > upto_us)
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
		                          *ret < FIRST_US ? "it is before the year 2000" : "it is too late"));
	return true;
}

bool record_text_fits(const char *text, size_t octets)
{
	const struct param_type line = {PARAM_TEXT, RECORD_NAME_LETTERS};

	return strlen(text) <= octets && param_check(line, text) == KZ_OK;
}

#define COUNT(all) (sizeof(all) / sizeof *(all))

enum kz record_wish_read(const json_t *o, enum record_kind kind, uint64_t id, int64_t now_us,
    struct record *ret, struct problem *ret_problem)
{
	struct record_read r = {.record = ret, .problem = ret_problem, .now_us = now_us};
	const struct record_members_of *of = &record_kinds[kind];

	memset(ret, 0, sizeof *ret);
	ret->kind = kind;
	ret->id = id;
	if (kind == RECORD_APPLICATION)
		ret->application.status = APPLICATION_STATUSES;
	return record_members(&r, o, NULL, of->all, of->n) && record_is_whole(&r) ? KZ_OK : KZ_INVALID;
}

const char *record_wish_id(enum record_kind kind)
{
	return kind == RECORD_VACANCY ? "group" : kind == RECORD_APPLICATION ? "number" : "id";
}

/* Takes what is not a record's own out of the line. */
static bool line_head(struct record_read *r, json_t *rest, enum record_kind *ret_kind, uint64_t *ret_id)
{
	const json_t *kind = json_object_get(rest, "kind"), *id;

	if (!json_is_string(kind) || record_kind_parse(json_string_value(kind), ret_kind) != KZ_OK)
		return record_fail(
		    r, problem_make(kind ? PROBLEM_INVALID_VALUE : PROBLEM_MISSING_FIELD, "kind",
		           "one of district, kindergarten, group, vacancy, application, referral"));
	const char *name = record_wish_id(*ret_kind);
	id = json_object_get(rest, name);
	if (!id)
		return record_fail(r, problem_make(PROBLEM_MISSING_FIELD, name, "it is required"));
	if (!json_is_integer(id))
		return record_fail(r, problem_make(PROBLEM_WRONG_TYPE, name, "must be a whole number"));
	if (!record_take_id(r, name, id, ret_id))
		return false;
	json_object_del(rest, "kind");
	json_object_del(rest, name);
	return true;
}

enum kz record_wish_line(const json_t *o, int64_t now_us, struct record *ret, struct problem *ret_problem)
{
	struct record_read r = {.record = ret, .problem = ret_problem, .now_us = now_us};
	enum record_kind kind = RECORD_DISTRICT;
	uint64_t id = 0;
	enum kz result = KZ_INVALID;

	memset(ret, 0, sizeof *ret);
	if (!json_is_object(o)) {
		*ret_problem = problem_make(PROBLEM_WRONG_TYPE, NULL, "a line must be one JSON object");
		return KZ_INVALID;
	}
	json_t *rest = json_copy((json_t *)(uintptr_t)o);
	if (line_head(&r, rest, &kind, &id))
		result = record_wish_read(rest, kind, id, now_us, ret, ret_problem);
	json_decref(rest);
	return result;
}

struct problem record_wish_problem(const struct record *r, enum record_verdict v)
{
	switch (v) {
	case RECORD_UNKNOWN_REGION:
		return problem_make(PROBLEM_UNKNOWN_REFERENCE, r->kind == RECORD_DISTRICT ? "region" : NULL,
		    "its region is none of the configuration: config/regions");
	case RECORD_UNKNOWN_DISTRICT:
		return problem_make(PROBLEM_UNKNOWN_REFERENCE, "district", "put the district first");
	case RECORD_UNKNOWN_KINDERGARTEN:
		return problem_make(PROBLEM_UNKNOWN_REFERENCE, "kindergarten", "put the kindergarten first");
	case RECORD_UNKNOWN_GROUP:
		return problem_make(PROBLEM_UNKNOWN_REFERENCE, "group", "put the group first");
	case RECORD_UNKNOWN_CATEGORY:
		return problem_make(
		    PROBLEM_UNKNOWN_REFERENCE, "category", "the region of its district has no such category");
	case RECORD_REFERRAL_OPEN:
		return problem_make(PROBLEM_REFERRAL_OPEN, "status",
		    "it has an open referral: cancel or enrol that first, by PUT of the referral");
	default:
		return problem_make(PROBLEM_CHANGED_MEANWHILE, "seq",
		    "it does not stand with this seq: read it again, then decide");
	}
}

static bool take_place(struct record_read *r, const char *field, const json_t *value)
{
	r->documents->place = json_string_value(value);
	if (record_text_fits(r->documents->place, RECORD_NAME))
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
	                          "1 to %d characters that a phone can show", RECORD_NAME_LETTERS));
}

static bool take_until(struct record_read *r, const char *field, const json_t *value)
{
	if (!record_take_time(r, field, value, r->now_us + RECORD_FORWARD_US, &r->documents->until_us))
		return false;
	if (r->documents->until_us > r->now_us)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field, "must be yet to come"));
}

static const struct record_member documents[] = {
    {"place", RECORD_STRING, true, take_place}, {"until", RECORD_STRING, true, take_until}};

enum kz record_wish_documents(
    const json_t *o, int64_t now_us, struct record_documents *ret, struct problem *ret_problem)
{
	struct record_read r = {.documents = ret, .problem = ret_problem, .now_us = now_us};

	*ret = (struct record_documents){.place = NULL};
	return record_members(&r, o, NULL, documents, COUNT(documents)) ? KZ_OK : KZ_INVALID;
}

#include "api/grant_wish.h"

#include <string.h>

#include "base/clock.h"

struct grant_read {
	struct places_put *wish;
	struct problem *problem;
};

typedef bool grant_member_fn(struct grant_read *r, const char *field, const json_t *value);

enum kz grant_number(const char *text, uint64_t most, uint64_t *ret)
{
	size_t n = strspn(text, "0123456789");
	uint64_t number = 0;

	for (size_t i = 0; i < n && number <= most; i++)
		number = number * 10 + (uint64_t)(text[i] - '0');
	if (!n || text[n] || *text == '0' || number > most)
		return KZ_INVALID;
	*ret = number;
	return KZ_OK;
}

static bool grant_fail(struct grant_read *r, struct problem p)
{
	*r->problem = p;
	return false;
}

static bool grant_id(struct grant_read *r, const char *field, const json_t *value, uint64_t *ret)
{
	json_int_t id = json_integer_value(value);

	if (!json_is_integer(value))
		return grant_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "must be a number"));
	if (id < 1 || id > GRANT_ID_MAX)
		return grant_fail(r, problem_make(PROBLEM_INVALID_VALUE, field, "1 to %d", GRANT_ID_MAX));
	*ret = (uint64_t)id;
	return true;
}

static bool grant_application(struct grant_read *r, const char *field, const json_t *value)
{
	return grant_id(r, field, value, &r->wish->application);
}

static bool grant_group(struct grant_read *r, const char *field, const json_t *value)
{
	return grant_id(r, field, value, &r->wish->play_group);
}

static bool grant_time(struct grant_read *r, const char *field, const json_t *value, int64_t *ret)
{
	if (!json_is_string(value))
		return grant_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "must be a string"));
	*ret = clock_parse_rfc3339(json_string_value(value));
	return *ret > 0 || grant_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
	                                     "a time like 2026-11-22T18:23:06Z is expected"));
}

static bool grant_from(struct grant_read *r, const char *field, const json_t *value)
{
	return grant_time(r, field, value, &r->wish->from_us);
}

static bool grant_to(struct grant_read *r, const char *field, const json_t *value)
{
	return grant_time(r, field, value, &r->wish->to_us);
}

static bool grant_status(struct grant_read *r, const char *field, const json_t *value)
{
	if (!json_is_string(value))
		return grant_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "must be a string"));
	return referral_status_parse(json_string_value(value), &r->wish->status) == KZ_OK ||
	       grant_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
	                         "one of offered, accepted, declined, expired, cancelled, enrolled"));
}

static bool grant_held(struct grant_read *r, const char *field, const json_t *value)
{
	r->wish->held = json_is_true(value);
	return json_is_boolean(value) ||
	       grant_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "must be true or false"));
}

static const struct grant_member {
	const char *name;
	bool optional;
	grant_member_fn *read;
} members[] = {
    {"application", false, grant_application},
    {"group", false, grant_group},
    {"from", false, grant_from},
    {"to", false, grant_to},
    {"status", false, grant_status},
    {"held", true, grant_held},
};
#define MEMBERS (sizeof members / sizeof *members)

/* Of the members m..m+n every one, and no other. */
static bool grant_read(
    struct grant_read *r, const json_t *o, const struct grant_member *m, size_t n, const char *names)
{
	const char *key;
	const json_t *value;
	size_t i;

	if (!json_is_object(o))
		return grant_fail(r, problem_make(PROBLEM_WRONG_TYPE, NULL, "send an object"));
	json_object_foreach((json_t *)(uintptr_t)o, key, value)
	{
		for (i = 0; i < n && strcmp(key, m[i].name) != 0; i++)
			continue;
		if (i == n)
			return grant_fail(
			    r, problem_make(PROBLEM_UNKNOWN_FIELD, key, "known here: %s", names));
		if (!m[i].read(r, key, value))
			return false;
	}
	for (i = 0; i < n; i++)
		if (!m[i].optional && !json_object_get(o, m[i].name))
			return grant_fail(
			    r, problem_make(PROBLEM_MISSING_FIELD, m[i].name, "it is required"));
	return true;
}

enum kz grant_wish_group(const json_t *o, uint64_t *ret, struct problem *ret_problem)
{
	struct places_put wish = {0};
	struct grant_read r = {&wish, ret_problem};

	if (!grant_read(&r, o, &members[1], 1, "group"))
		return KZ_INVALID;
	*ret = wish.play_group;
	return KZ_OK;
}

enum kz grant_wish_none(const json_t *o, struct problem *ret_problem)
{
	struct grant_read r = {NULL, ret_problem};

	return grant_read(&r, o, members, 0, "none") ? KZ_OK : KZ_INVALID;
}

enum kz grant_wish_read(const json_t *o, struct places_put *ret, struct problem *ret_problem)
{
	struct grant_read r = {ret, ret_problem};

	*ret = (struct places_put){.referral = ret->referral};
	if (!grant_read(&r, o, members, MEMBERS, "application, group, from, to, status, held"))
		return KZ_INVALID;
	if (ret->to_us > ret->from_us)
		return KZ_OK;
	*ret_problem = problem_make(PROBLEM_INVALID_VALUE, "to", "it must be later than from");
	return KZ_INVALID;
}

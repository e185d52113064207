/* An application: a child, parents, phones, and how they are to be told. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/record_wish_body.h"
#include "net/mail.h"
#include "text/param.h"

#define NAME_LETTERS 40
#define SKEW_US      (INT64_C(300) * 1000000)       /* the portal's clock may be ahead of ours */
#define ZONE_US      (INT64_C(14) * 3600 * 1000000) /* where it is the next day first */

static struct record_application *application_of(const struct record_read *r)
{
	return &r->record->application;
}

static bool take_iin(struct record_read *r, const char *field, const json_t *value, struct iin *ret)
{
	struct iin_refusal why;

	if (iin_parse(json_string_value(value), json_string_length(value), ret, &why) == KZ_OK)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_IIN, field, "%s: %s", why.code, why.remedy));
}

static bool take_child_iin(struct record_read *r, const char *field, const json_t *value)
{
	struct iin *child = &application_of(r)->applicant.child;
	time_t day = (time_t)((r->now_us + ZONE_US) / 1000000);
	struct tm t;

	if (!take_iin(r, field, value, child))
		return false;
	gmtime_r(&day, &t);
	if (iin_age(child, (struct iin_day){t.tm_year + 1900, t.tm_mon + 1, t.tm_mday}) >= 0)
		return true;
	return record_fail(
	    r, problem_make(PROBLEM_INVALID_IIN, field, "bad_date: The day of birth is yet to come."));
}

static bool take_name(
    struct record_read *r, const char *field, const json_t *value, char to[APPLICANT_NAME + 1])
{
	const struct param_type name = {PARAM_NAME, NAME_LETTERS};
	const char *text = json_string_value(value);

	if (strlen(text) > APPLICANT_NAME || param_check(name, text) != KZ_OK)
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
		                          "1 to %d letters, spaces, hyphens and apostrophes", NAME_LETTERS));
	snprintf(to, APPLICANT_NAME + 1, "%s", text);
	return true;
}

static bool take_first_name(struct record_read *r, const char *field, const json_t *value)
{
	return take_name(r, field, value, application_of(r)->applicant.first_name);
}

static bool take_last_name(struct record_read *r, const char *field, const json_t *value)
{
	return take_name(r, field, value, application_of(r)->applicant.last_name);
}

static const struct record_member child[] = {{"iin", RECORD_STRING, true, take_child_iin},
    {"first_name", RECORD_STRING, true, take_first_name},
    {"last_name", RECORD_STRING, false, take_last_name}};

static bool take_child(struct record_read *r, const char *field, const json_t *value)
{
	return record_members(r, value, field, child, sizeof child / sizeof *child);
}

static bool take_parent_iin(struct record_read *r, const char *field, const json_t *value)
{
	return take_iin(r, field, value, &application_of(r)->applicant.parents[r->index]);
}

static const struct record_member parent[] = {{"iin", RECORD_STRING, true, take_parent_iin}};

/* One or two objects of the members. */
static bool take_two(struct record_read *r, const char *field, const json_t *value,
    const struct record_member *all, size_t n, size_t *ret_n)
{
	*ret_n = json_array_size(value);
	if (*ret_n < 1 || *ret_n > 2)
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field, "a list of one or two"));
	for (r->index = 0; r->index < *ret_n; r->index++) {
		char one[RECORD_FIELD];

		snprintf(one, sizeof one, "%s[%zu]", field, r->index);
		if (!record_members(r, json_array_get(value, r->index), one, all, n))
			return false;
	}
	return true;
}

static bool take_parents(struct record_read *r, const char *field, const json_t *value)
{
	return take_two(r, field, value, parent, 1, &application_of(r)->applicant.parents_n);
}

static bool take_number(struct record_read *r, const char *field, const json_t *value)
{
	struct msisdn_refusal why;

	if (msisdn_parse(json_string_value(value), &application_of(r)->applicant.phones[r->index], &why) ==
	    KZ_OK)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_NUMBER, field, "%s: %s", why.code, why.remedy));
}

static bool take_verified(struct record_read *r, const char *field, const json_t *value)
{
	(void)field;
	application_of(r)->verified |= (unsigned)json_is_true(value) << r->index;
	return true;
}

static const struct record_member phone[] = {
    {"number", RECORD_STRING, true, take_number}, {"verified", RECORD_BOOLEAN, true, take_verified}};

static bool take_phones(struct record_read *r, const char *field, const json_t *value)
{
	return take_two(r, field, value, phone, 2, &application_of(r)->applicant.phones_n);
}

static bool take_email(struct record_read *r, const char *field, const json_t *value)
{
	const char *text = json_string_value(value);

	if (strlen(text) > APPLICANT_EMAIL || !mail_address_fits(text))
		return record_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, field,
		           "an address like name@example.kz, %d characters at most", APPLICANT_EMAIL));
	snprintf(application_of(r)->applicant.email, APPLICANT_EMAIL + 1, "%s", text);
	return true;
}

static bool take_district(struct record_read *r, const char *field, const json_t *value)
{
	return record_take_id(r, field, value, &application_of(r)->district);
}

static bool take_category(struct record_read *r, const char *field, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!*text || strlen(text) > REGION_ID)
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field,
		                          "the id of a category: 1 to %d characters", REGION_ID));
	snprintf(application_of(r)->category, REGION_ID + 1, "%s", text);
	return true;
}

static bool take_registered(struct record_read *r, const char *field, const json_t *value)
{
	return record_take_time(r, field, value, r->now_us + SKEW_US, &application_of(r)->registered_us);
}

static bool take_channel(struct record_read *r, const char *field, const json_t *value)
{
	if (notice_channel_parse(json_string_value(value), &application_of(r)->channel) == KZ_OK)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field, "one of sms, email"));
}

static bool take_language(struct record_read *r, const char *field, const json_t *value)
{
	if (language_parse(json_string_value(value), &application_of(r)->language) == KZ_OK)
		return true;
	return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, field, "one of kk, ru, en"));
}

static bool take_groups(struct record_read *r, const char *field, const json_t *value)
{
	enum language l;

	for (size_t i = 0; i < json_array_size(value) && i <= LANGUAGES; i++) {
		const char *text = json_string_value(json_array_get(value, i));

		if (!text || i == LANGUAGES || language_parse(text, &l) != KZ_OK)
			return record_fail(r,
			    problem_make(PROBLEM_INVALID_VALUE, field, "a list of kk, ru, en; empty: any"));
		application_of(r)->groups |= 1U << l;
	}
	return true;
}

static bool take_status(struct record_read *r, const char *field, const json_t *value)
{
	enum application_status now = APPLICATION_WAITING;
	struct record_application *a = application_of(r);

	if (application_status_parse(json_string_value(value), &a->status) == KZ_OK &&
	    application_told(now, false, a->status, &now) == KZ_OK)
		return true;
	return record_fail(
	    r, problem_make(PROBLEM_INVALID_VALUE, field,
	           "one of waiting, withdrawn, archived, enrolled; others are kezek's to say"));
}

const struct record_member record_application_members[RECORD_APPLICATION_MEMBERS] = {
    {"child", RECORD_OBJECT, true, take_child},
    {"parents", RECORD_ARRAY, true, take_parents},
    {"phones", RECORD_ARRAY, true, take_phones},
    {"email", RECORD_STRING, false, take_email},
    {"district", RECORD_INTEGER, true, take_district},
    {"category", RECORD_STRING, true, take_category},
    {"registered_at", RECORD_STRING, true, take_registered},
    {"channel", RECORD_STRING, false, take_channel},
    {"language", RECORD_STRING, true, take_language},
    {"groups", RECORD_ARRAY, false, take_groups},
    {"status", RECORD_STRING, false, take_status},
};

static bool iins_differ(const struct applicant *a)
{
	for (size_t i = 0; i < a->parents_n; i++)
		if (!strcmp(a->parents[i].digits, a->child.digits) ||
		    (i && !strcmp(a->parents[i].digits, a->parents[0].digits)))
			return false;
	return true;
}

bool record_application_is_whole(struct record_read *r)
{
	const struct record_application *a = application_of(r);

	if (!iins_differ(&a->applicant))
		return record_fail(r, problem_make(PROBLEM_INVALID_VALUE, "parents",
		                          "child and parents must be different persons"));
	if (a->applicant.phones_n > 1 && a->applicant.phones[0].digits == a->applicant.phones[1].digits)
		return record_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "phones", "the two numbers must differ"));
	if (a->channel == NOTICE_EMAIL && !*a->applicant.email)
		return record_fail(
		    r, problem_make(PROBLEM_MISSING_FIELD, "email", "it is required where channel is email"));
	return true;
}

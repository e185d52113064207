/* A record from the portal: JSON, then what may be put as it is, or a problem that can be answered. The first
 * octet chooses: a digit the kind, d documents, else a line of an import. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "api/record_wish.h"
#include "text/utf8.h"

#define FUZZ_MAX 20000
#define NOW_US   INT64_C(1790000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t most)
{
	enum kz r = utf8_check(s, strlen(s));

	assert(r == KZ_OK && strlen(s) <= most);
}

static void check_place(const struct record *r)
{
	for (int i = 0; i < LANGUAGES; i++) {
		check_text(r->place.names[i], RECORD_NAME);
		assert(*r->place.names[i]);
	}
	if (r->kind == RECORD_DISTRICT)
		assert(*r->place.region);
	else
		assert(r->place.district >= 1 && r->place.district <= RECORD_ID_MAX);
}

static void check_vacancy(const struct record_vacancy *v)
{
	assert(v->free <= RECORD_FREE && v->released_us > 0 && v->seq >= 0);
	assert(v->priority != RECORD_PRIORITY_UNTIL || v->priority_until_us > v->released_us);
}

static void check_application(const struct record_application *a)
{
	const struct applicant *p = &a->applicant;

	assert(p->parents_n >= 1 && p->parents_n <= APPLICANT_PARENTS);
	assert(p->phones_n >= 1 && p->phones_n <= APPLICANT_PHONES);
	assert(strlen(p->child.digits) == IIN_DIGITS && *p->first_name);
	for (size_t i = 0; i < p->parents_n; i++)
		assert(strlen(p->parents[i].digits) == IIN_DIGITS);
	for (size_t i = 0; i < p->phones_n; i++)
		assert(p->phones[i].digits >= 77000000000 && p->phones[i].digits <= 77999999999);
	check_text(p->first_name, APPLICANT_NAME);
	check_text(p->last_name, APPLICANT_NAME);
	assert(!strpbrk(p->email, "\r\n "));
	assert(a->verified < 4 && a->groups < 1U << LANGUAGES && a->language < LANGUAGES);
	assert(a->district >= 1 && a->district <= RECORD_ID_MAX && *a->category && a->registered_us > 0);
	assert(a->channel == NOTICE_SMS || *p->email);
}

static void check_record(const struct record *r)
{
	assert(r->id >= 1 && r->id <= RECORD_ID_MAX);
	if (r->kind == RECORD_DISTRICT || r->kind == RECORD_KINDERGARTEN)
		check_place(r);
	else if (r->kind == RECORD_GROUP)
		assert(r->group.age_from >= 0 && r->group.age_from < r->group.age_to &&
		       r->group.age_to <= RECORD_AGE && r->group.language < LANGUAGES);
	else if (r->kind == RECORD_VACANCY)
		check_vacancy(&r->vacancy);
	else
		check_application(&r->application);
}

static void check_problem(const struct problem *p)
{
	enum kz r = utf8_check(p->field, strlen(p->field));

	assert(r == KZ_OK && p->status == 422 && p->code && p->title && !p->retryable && *p->detail);
}

static void fuzz_documents(const json_t *o)
{
	struct problem problem = {0};
	struct record_documents d;

	if (record_wish_documents(o, NOW_US, &d, &problem) != KZ_OK) {
		check_problem(&problem);
		return;
	}
	check_text(d.place, RECORD_NAME);
	assert(*d.place && d.until_us > NOW_US);
}

static void fuzz_record(char as, const json_t *o)
{
	struct problem problem = {0};
	struct record record;
	enum kz r;

	if (as >= '0' && as < '0' + RECORD_KINDS)
		r = record_wish_read(o, (enum record_kind)(as - '0'), 7, NOW_US, &record, &problem);
	else
		r = record_wish_line(o, NOW_US, &record, &problem);
	if (r == KZ_OK)
		check_record(&record);
	else
		check_problem(&problem);
	record_wipe(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > FUZZ_MAX)
		return 0;
	json_t *o =
	    json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!o)
		return 0;
	if (data[0] == 'd')
		fuzz_documents(o);
	else
		fuzz_record((char)data[0], o);
	json_decref(o);
	return 0;
}

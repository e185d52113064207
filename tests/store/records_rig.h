/* records_rig: rows of the queue by the test's own hand: districts, kindergartens, groups, vacancies,
 * applications. Ids are the test's. */
#ifndef TESTS_STORE_RECORDS_RIG_H
#define TESTS_STORE_RECORDS_RIG_H

#include "store_rig.h"

#include "rules/application.h"
#include "store/applicant.h"

/* An application; zero fields have the values that records_put_application says. */
struct records_application {
	uint64_t number;
	int64_t district;     /* 1 */
	const char *category; /* general */
	const char *child;    /* the first 6 digits of the IIN and the century's digit; 2109155: 2021-09-15 */
	int64_t registered_us; /* now */
	enum application_status status;
	unsigned groups;
	uint64_t phones[APPLICANT_PHONES]; /* 77010000000 + number, none */
	const char *email;
	int channel, language;
};

/* A number of a person that begins with the seven digits: the serial is the least that is not below the given
 * one. */
static inline struct iin records_iin(const char *head, unsigned serial)
{
	struct iin i;
	struct iin_refusal why;
	char text[IIN_DIGITS + 1];

	for (;; serial++)
		for (unsigned check = 0; check < 10; check++) {
			snprintf(text, sizeof text, "%.7s%04u%u", head, serial % 10000, check);
			if (iin_parse(text, IIN_DIGITS, &i, &why) == KZ_OK)
				return i;
		}
}

/* One district, its kindergarten of the same id, and a group of the same id: ages 1 to 6, language Kazakh,
 * free places from an hour ago on without priority. */
static inline void records_put_group(struct store_rig *g, int id, const char *region, int free)
{
	store_sql(g,
	    "insert into district values (%d, '%s', 'Аудан', 'Район', 'District');"
	    " insert into kindergarten values (%d, %d, 'Айгөлек', 'Айголек', 'Aigolek');"
	    " insert into play_group values (%d, %d, 1, 7, 0);"
	    " insert into vacancy values (%d, %d, now() - interval '1 hour', null, 1, 1, null)",
	    id, region, id, id, id, id, id, free);
}

static inline struct applicant records_applicant(const struct records_application *a)
{
	struct applicant p = {.parents_n = 1,
	    .phones_n = a->phones[1] ? 2 : 1,
	    .first_name = "Айгерім",
	    .last_name = "Сериккызы"};

	p.child = records_iin(a->child ? a->child : "2109155", (unsigned)a->number % 5000);
	p.parents[0] = records_iin("8501014", (unsigned)a->number % 5000);
	p.phones[0].digits = a->phones[0] ? a->phones[0] : 77010000000 + a->number;
	p.phones[1].digits = a->phones[1];
	snprintf(p.email, sizeof p.email, "%s", a->email ? a->email : "");
	return p;
}

static inline void records_put_application(struct store_rig *g, const struct records_application *a)
{
	struct applicant p = records_applicant(a);
	struct buf sealed = {0};
	char hex[2048], phone2[32] = "null", last4[5];

	applicant_seal(g->keyring, a->number, &p, &sealed);
	assert_true(2 * sealed.len < sizeof hex);
	secret_hex(sealed.data, sealed.len, hex);
	if (p.phones_n > 1)
		snprintf(phone2, sizeof phone2, "%lld", (long long)person_phone(g->keyring, p.phones[1]));
	store_sql(g,
	    "insert into application values (%llu, %lld, '%s', %d, to_timestamp(%lld / 1e6), %d, %d, %d, %u, "
	    "3, '%s',"
	    " %lld, %lld, null, %lld, %s, '\\x%s', null, 1, 1)",
	    (unsigned long long)a->number, (long long)(a->district ? a->district : 1),
	    a->category ? a->category : "general", iin_birth(&p.child).year,
	    (long long)(a->registered_us ? a->registered_us : store_wall_us()), a->status, a->channel,
	    a->language, a->groups, iin_last_four(&p.child, last4),
	    (long long)applicant_iin(g->keyring, &p.child),
	    (long long)applicant_iin(g->keyring, &p.parents[0]),
	    (long long)person_phone(g->keyring, p.phones[0]), phone2, hex);
	buf_fini(&sealed);
	applicant_wipe(&p);
}

#endif

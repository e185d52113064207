/* open_data: what anybody may see of places: which are free, and which referrals were given, a page at a
 * time. A page looks at so many rows at most, whatever its filter finds in them, so it may come with few or
 * none and still not be the last. */
#ifndef STORE_OPEN_DATA_H
#define STORE_OPEN_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keyring.h"
#include "rules/referral.h"
#include "store/pg.h"
#include "text/language.h"

#define OPEN_DATA_PAGE          100  /* rows of an answer at most */
#define OPEN_DATA_LOOK          1000 /* rows that one looks at */
#define OPEN_DATA_KINDERGARTENS 16   /* that a name may find */

/* Which are wanted. 0, NULL and -1: any. */
struct open_data_filter {
	uint64_t district;
	uint64_t kindergarten;
	const char *name; /* in a kindergarten's name of any language; letters of either case */
	int age;          /* the group takes children of it */
	int language;     /* enum language of the group */
	int status;       /* enum referral_status, of referrals */
	uint64_t after;   /* the cursor: of vacancies the group, of referrals the number; 0: from the first */
	unsigned limit;   /* 1..OPEN_DATA_PAGE */
};

/* Texts live during the callback. */
struct open_place {
	uint64_t group, kindergarten, district;
	const char *kindergarten_names[LANGUAGES], *district_names[LANGUAGES];
	int age_from, age_to;
	enum language language;
};

struct open_vacancy {
	struct open_place place;
	uint32_t free; /* 1 and more */
	int64_t released_us;
	int64_t priority_until_us; /* 0: no priority */
};

struct open_referral {
	struct open_place place;
	uint64_t number, application;
	enum referral_status status;
	bool extended;
	int64_t from_us, to_us;
	int birth_year;
	const char *first_name, *last_name; /* of the child; "" when they cannot be opened */
};

typedef void open_vacancy_fn(void *arg, const struct open_vacancy *v);
typedef void open_referral_fn(void *arg, const struct open_referral *r);
/* next: the cursor of the next page, 0: this was the last. KZ_TOO_LONG: the name finds more than
 * OPEN_DATA_KINDERGARTENS. KZ_LOST, KZ_REFUSED: ask again. */
typedef void open_data_done_fn(void *arg, enum kz r, uint64_t next);

/* Each answers once, later, or KZ_BUSY at once without a callback. Those with a free place, by their group.
 */
enum kz open_vacancies(struct pg *pg, const struct open_data_filter *f, open_vacancy_fn *each,
    open_data_done_fn *done, void *arg) KZ_CHECK;
/* The newest numbers first. */
enum kz open_referrals(struct pg *pg, const struct keyring *keyring, const struct open_data_filter *f,
    open_referral_fn *each, open_data_done_fn *done, void *arg) KZ_CHECK;

#endif

/* vacancies: free places as parents on the phone ask for them: a district's for children of one kind, kept
 * for some seconds, so that all who dial at the minute of a publication cost one question; and one group as
 * it stands for one application. */
#ifndef STORE_VACANCIES_H
#define STORE_VACANCIES_H

#include <stdint.h>

#include "net/loop.h"
#include "rules/place.h"
#include "store/pg.h"

#define VACANCIES_ROWS  21   /* groups of a list: one more than a phone shows, to say that there is */
#define VACANCIES_KEPT  1024 /* lists */
#define VACANCIES_FRESH 3000 /* ms that one is told for */
#define VACANCIES_NAME  96   /* octets, with NUL; longer ones are cut */

struct vacancies;

struct vacancy_row {
	uint64_t group;
	char names[LANGUAGES][VACANCIES_NAME]; /* of the kindergarten */
	struct place_vacancy place;
};

struct vacancy_list {
	int64_t at_us; /* wall time of the question */
	struct vacancy_row rows[VACANCIES_ROWS];
	size_t n;
};

struct vacancies *vacancies_new(struct loop *l, struct pg *pg);
/* Who waits is forgotten without a callback. NULL is fine. */
void vacancies_free(struct vacancies *v);

/* Of which children: what is the same for all who see one list. */
struct vacancy_kind {
	int64_t district;
	int age;
	unsigned languages; /* bits; 0: any */
	bool privileged;    /* free places are theirs before others' */
};
/* Those first that such a child may take now, of these those with the most places. KZ_OK or KZ_LOST, once,
 * from inside when the list is fresh; KZ_BUSY at once without a callback. */
typedef void vacancies_fn(void *arg, enum kz r, const struct vacancy_list *l);
enum kz vacancies_ask(
    struct vacancies *v, const struct vacancy_kind *k, vacancies_fn *done, void *arg) KZ_CHECK;

/* A group, and what an application is to it. Texts live during the callback. */
struct vacancy_facts {
	uint64_t kindergarten;
	const char *names[LANGUAGES];
	struct place_vacancy place;    /* free 0 when it has no vacancy */
	const char *region, *category; /* of the application */
	bool own;                      /* the group is of the application's district */
	bool confirmed;                /* the phone is one of the application's that a code confirmed */
};
/* KZ_NOT_FOUND: no such group or application. Once, later; KZ_BUSY at once. phone: its keyed value. */
typedef void vacancy_fn(void *arg, enum kz r, const struct vacancy_facts *f);
enum kz vacancy_get(
    struct pg *pg, uint64_t application, uint64_t group, int64_t phone, vacancy_fn *done, void *arg) KZ_CHECK;

struct garden_wish {
	uint64_t application;
	int64_t phone; /* its keyed value */
	int age;       /* of the child, by the law of its region */
};
/* Kindergartens of the application's district that it does not watch and that have a group of its languages
 * for it, now or in a year: at most `most`, those first whose places change hands the most. KZ_NOT_FOUND: it
 * is no application of that confirmed phone. Once, later; KZ_BUSY at once. */
typedef void garden_each_fn(void *arg, uint64_t kindergarten, const char *const names[LANGUAGES]);
typedef void garden_done_fn(void *arg, enum kz r);
enum kz garden_list(struct pg *pg, const struct garden_wish *w, int most, garden_each_fn *each,
    garden_done_fn *done, void *arg) KZ_CHECK;

#endif

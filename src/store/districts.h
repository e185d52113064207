/* districts: those that a phone that calls may choose from, and the one that it chose. phone: its keyed
 * value. Each answers once, later, or KZ_BUSY at once without a callback. */
#ifndef STORE_DISTRICTS_H
#define STORE_DISTRICTS_H

#include <stdint.h>

#include "base/result.h"
#include "store/owed.h"
#include "store/pg.h"
#include "text/language.h"

/* In the order of their ids, those of the region of its newest application, of all regions when it has none;
 * most at most. The name lives during the call. done: KZ_OK or KZ_LOST. */
typedef void districts_each_fn(void *arg, uint64_t id, const char *name);
typedef void districts_done_fn(void *arg, enum kz r);
enum kz districts_list(struct pg *pg, int64_t phone, enum language l, int most, districts_each_fn *each,
    districts_done_fn *done, void *arg) KZ_CHECK;

/* KZ_OK: name is the district's, lives during the call; KZ_NOT_FOUND: no such district; KZ_LOST. */
typedef void districts_name_fn(void *arg, enum kz r, const char *name);
enum kz districts_name(
    struct pg *pg, uint64_t id, enum language l, districts_name_fn *done, void *arg) KZ_CHECK;

/* Remembered; owed: with that, NULL: none. KZ_OK, KZ_NOT_FOUND: no such district; KZ_LOST. */
enum kz districts_choose(struct pg *pg, int64_t phone, uint64_t id, const struct owed *owed,
    districts_done_fn *done, void *arg) KZ_CHECK;

#endif

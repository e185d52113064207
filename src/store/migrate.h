/* migrate: the schema, as numbered SQL files of src/store/sql, forward only; applied by kezekd --migrate,
 * checked at start. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/pg.h"

/* The version this program was built for. */
int migrate_wanted(void);
/* Applies what is missing, each file in a transaction of its own; several daemons may try at once. done once,
 * later: version reached; why: what failed, in words ("" when KZ_OK). KZ_BUSY at once, without done. */
typedef void migrate_fn(void *arg, enum kz r, int version, const char *why);
enum kz migrate_run(struct pg *pg, migrate_fn *done, void *arg) KZ_CHECK;
/* The version of the database; 0 when it has no schema. */
enum kz migrate_check(struct pg *pg, migrate_fn *done, void *arg) KZ_CHECK;

#endif

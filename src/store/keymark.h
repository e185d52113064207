/* keymark: which keyring a database belongs to. With another one nothing in it would open, no number would be
 * found again, and the limits of codes would be counted anew. */
#ifndef STORE_KEYMARK_H
#define STORE_KEYMARK_H

#include "base/keyring.h"
#include "store/pg.h"

/* The database's is the first that asks. KZ_OK: it is this one; KZ_CONFLICT: it is another; KZ_LOST,
 * KZ_REFUSED. Once, later; KZ_BUSY at once, without done. */
typedef void keymark_fn(void *arg, enum kz r);
enum kz keymark_check(struct pg *pg, const struct keyring *keyring, keymark_fn *done, void *arg) KZ_CHECK;

#endif

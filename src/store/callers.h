/* callers: what is remembered of a phone that called. */
#ifndef STORE_CALLERS_H
#define STORE_CALLERS_H

#include <stdint.h>

#include "base/result.h"
#include "store/owed.h"
#include "store/pg.h"
#include "text/language.h"

/* KZ_OK: the language that was chosen on the phone, else that of its newest application; KZ_NOT_FOUND: nobody
 * knows; KZ_LOST. phone: its keyed value. Once, later; KZ_BUSY at once, without done. */
typedef void callers_language_fn(void *arg, enum kz r, enum language l);
enum kz callers_language(struct pg *pg, int64_t phone, callers_language_fn *done, void *arg) KZ_CHECK;
/* It was chosen; owed: with that, NULL: none. KZ_OK: it is remembered; KZ_LOST. Once, later; KZ_BUSY at once,
 * without done. */
typedef void callers_done_fn(void *arg, enum kz r);
enum kz callers_set_language(struct pg *pg, int64_t phone, enum language l, const struct owed *owed,
    callers_done_fn *done, void *arg) KZ_CHECK;

/* What was chosen on the phone is the other one's from now on, unless that chose for itself. KZ_OK, also when
 * nothing was chosen or it was moved before; KZ_LOST. Once, later; KZ_BUSY at once, without done. */
enum kz callers_move(struct pg *pg, int64_t phone, int64_t to, callers_done_fn *done, void *arg) KZ_CHECK;

#endif

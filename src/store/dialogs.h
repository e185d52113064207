/* dialogs: the menus that were ever in force, as they were written, by their hash: a session ends on the one
 * that it began with, also at another daemon and after a reload. */
#ifndef STORE_DIALOGS_H
#define STORE_DIALOGS_H

#include <stdint.h>

#include "store/pg.h"
#include "ussd/dialog.h"

#define DIALOGS_DAYS 30 /* a dialog that no daemon had in force for so long is forgotten */

/* KZ_OK, KZ_LOST or KZ_REFUSED. Each answers once, later; KZ_BUSY at once, without done. */
typedef void dialogs_done_fn(void *arg, enum kz r);
/* It is in force here: kept, or known to be in force still. */
enum kz dialogs_keep(struct pg *pg, const uint8_t hash[DIALOG_HASH], const struct dialog_source *s,
    const struct words *w, dialogs_done_fn *done, void *arg) KZ_CHECK;
/* KZ_NOT_FOUND; with KZ_OK s and w, the words that were put in, live during the callback. */
typedef void dialogs_found_fn(void *arg, enum kz r, const struct dialog_source *s, const struct words *w);
enum kz dialogs_find(
    struct pg *pg, const uint8_t hash[DIALOG_HASH], dialogs_found_fn *done, void *arg) KZ_CHECK;

#endif

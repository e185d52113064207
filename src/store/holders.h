/* holders: the applications that a confirmed phone is of, for another phone to take its place. */
#ifndef STORE_HOLDERS_H
#define STORE_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/keyring.h"
#include "store/pg.h"
#include "store/records.h"

#define HOLDERS_MOST 64 /* applications of one phone that are told at once */

/* Of two phones, keyed: one that is confirmed, one that is to be. */
struct holders_wish {
	int64_t phone, next;
};

/* r as it stands, with its seq; place: of the phone. false in opened: its persons cannot be opened. Lives
 * during the call. */
typedef void holders_each_fn(void *arg, const struct record *r, unsigned place, bool opened);
/* own, others: next is a phone of one of them, or a confirmed one of other applications. KZ_OK, perhaps none;
 * KZ_LOST. Once, later; KZ_BUSY at once, without done. */
typedef void holders_done_fn(void *arg, enum kz r, bool own, bool others);
enum kz holders_find(struct pg *pg, const struct keyring *k, const struct holders_wish *w,
    holders_each_fn *each, holders_done_fn *done, void *arg) KZ_CHECK;

#endif

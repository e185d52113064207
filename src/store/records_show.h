/* records_show: records as they stand, one or a page of a kind, in the order of their ids. */
#ifndef STORE_RECORDS_SHOW_H
#define STORE_RECORDS_SHOW_H

#include "store/records.h"

#define RECORDS_PAGE 100 /* of one kind at most */

struct records_page {
	enum record_kind kind;
	uint64_t from, upto; /* ids, both included */
	int most;            /* 1..RECORDS_PAGE */
};

/* Once for each; r is wiped after the call. seq: of vacancies and applications. opened: false where the key
 * of an application's persons is not in the keyring: they are empty then. */
typedef void records_show_fn(void *arg, const struct record *r, int64_t seq, bool opened);
typedef void records_shown_fn(void *arg, enum kz r); /* KZ_OK or KZ_LOST */

/* done once, later. KZ_BUSY at once, without done. */
enum kz records_show(struct pg *pg, const struct keyring *k, const struct records_page *p,
    records_show_fn *each, records_shown_fn *done, void *arg) KZ_CHECK;

#endif

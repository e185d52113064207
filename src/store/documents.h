/* documents: a notice that asks the parents of an application for a benefit document: where, until when. */
#ifndef STORE_DOCUMENTS_H
#define STORE_DOCUMENTS_H

#include <stdint.h>

#include "store/records.h"

struct documents_wish {
	uint64_t application;
	int32_t api_key;
	int64_t request; /* keyed value of what the request is known by: the same asks once */
	const char *place;
	int64_t until_us, now_us;
};

/* KZ_OK: the notice is made, now or by the same request before. KZ_CONFLICT: the request was made before,
 * with another place or time. KZ_NOT_FOUND: no such application; KZ_EXPIRED: it is over. KZ_LOST: not known;
 * ask again with the same request. */
typedef void documents_done_fn(void *arg, enum kz r);
/* done once, later. KZ_BUSY at once, without done: the database takes no more jobs, or no slot is held. */
enum kz documents_ask(const struct records_base *base, const struct regions *regions,
    const struct documents_wish *w, documents_done_fn *done, void *arg) KZ_CHECK;

#endif

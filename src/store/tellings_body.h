/* tellings_body: what the files of tellings share; for src/store/tellings*.c only. */
#ifndef STORE_TELLINGS_BODY_H
#define STORE_TELLINGS_BODY_H

#include "base/ids.h"
#include "store/pg_array.h"
#include "store/tellings.h"

struct tellings_quest {
	union {
		tellings_endpoint_fn *endpoint;
		tellings_event_fn *event;
		tellings_due_fn *due;
	} each;
	union {
		tellings_done_fn *all;
		tellings_page_fn *page;
		tellings_next_fn *next;
		tellings_ahead_fn *ahead;
	} done;
	void *arg;
	const struct keyring *keyring; /* of tellings_load */
};

/* A job of n statements, all with these values. */
enum kz tellings_ask(struct pg *pg, const struct pg_sql *sql, unsigned n, const struct pg_value *values,
    pg_done_fn *on_done, struct tellings_quest quest, uint64_t *ret_ticket) KZ_CHECK;
/* The numbers of those that are held; pg_array_fini is the caller's. */
void tellings_put_slots(struct pg_array *a, const bool held[]);

#endif

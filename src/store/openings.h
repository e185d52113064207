/* openings: groups with free places whose kindergarten's watchers are to be looked at, and the watchers as
 * they are judged by rules/place. */
#ifndef STORE_OPENINGS_H
#define STORE_OPENINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/place.h"
#include "store/dues.h"
#include "store/pg.h"

struct opening {
	struct due_mark due; /* when, and the group */
	uint64_t kindergarten;
	int64_t terms; /* of the vacancy, as it was read */
	struct place_vacancy place;
	const char *region; /* lives during the callback */
};

struct opening_watcher {
	uint64_t application;
	int64_t seq;
	struct place_application asks; /* but age and privileged, which are the region's to say */
	bool told;                     /* a notice of a place there waits to be sent to her */
	const char *category;          /* lives during the callback, as does sealed: store/applicant.h */
	const void *sealed;
	size_t sealed_n;
};

/* Each of these answers once, later, or KZ_BUSY at once without a callback; *ret_ticket can cancel it
 * (pg_job_cancel). */
typedef void opening_each_fn(void *arg, const struct opening *o);
enum kz opening_page(struct pg *pg, const struct due_page *p, opening_each_fn *each, due_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* At most `most` of those behind the application after. */
typedef void opening_watcher_fn(void *arg, const struct opening_watcher *w);
enum kz opening_watchers(struct pg *pg, uint64_t kindergarten, uint64_t after, int most,
    opening_watcher_fn *each, due_done_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* A watcher who may take a place, as it was judged. */
struct opening_notice {
	uint64_t application, id; /* id: of the notice */
	int64_t seq, look_us;
};
/* In one transaction each that still is as it was judged has a notice of the group, if a place is still free
 * there under the same terms; told: how many have. Its watch ends when that is sent, and goes on if it comes
 * to nothing. Of several daemons that do the same one does. KZ_REFUSED: also when a slot that an id is of was
 * lost meanwhile. */
enum kz opening_tell(struct pg *pg, const struct lease *lease, const struct opening *o,
    const struct opening_notice *notices, size_t n, due_told_fn *done, void *arg,
    uint64_t *ret_ticket) KZ_CHECK;

/* The group is looked at again at next_us, 0: when a place comes. Unless something changed meanwhile that it
 * must be looked at for: its time is another one then. Behind the fence of slot, which is held. */
enum kz opening_rest(struct pg *pg, const struct lease *lease, uint8_t slot, const struct opening *o,
    int64_t next_us, due_done_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

#endif

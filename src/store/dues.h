/* dues: referrals of which something is due by the clock: those that are past their end and open, and those
 * whose parents are to be reminded. Read in the order of their times, a page at a time. */
#ifndef STORE_DUES_H
#define STORE_DUES_H

#include <stddef.h>
#include <stdint.h>

#include "store/lease.h"
#include "store/pg.h"

/* A place in the order of times; zero: before all. */
struct due_mark {
	int64_t at_us;
	uint64_t number;
};

/* What is due up to now_us behind the mark, at most `most`. */
struct due_page {
	struct due_mark after;
	int64_t now_us;
	int most;
};

struct due_referral {
	struct due_mark due; /* when, and the referral */
	int64_t to_us, seq;  /* of reminders */
	const char *region;  /* of reminders, lives during the callback */
};
typedef void due_each_fn(void *arg, const struct due_referral *d);
typedef void due_done_fn(void *arg, enum kz r);

/* Each of these answers once, later, or KZ_BUSY at once without a callback; *ret_ticket can cancel it
 * (pg_job_cancel). */
enum kz due_ends(struct pg *pg, const struct due_page *p, due_each_fn *each, due_done_fn *done, void *arg,
    uint64_t *ret_ticket) KZ_CHECK;
enum kz due_reminders(struct pg *pg, const struct due_page *p, due_each_fn *each, due_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* Two statements, to be the first of a job that writes what places are given by: the fence of the slots, and
 * places_lock behind it. So whoever takes a slot over ends what its stopped daemon had begun, and the lock is
 * free again. */
#define DUE_LOCK_STATEMENTS 2
void due_lock(struct pg_job *job, const struct lease *lease, const struct lease_slots *slots);

/* A reminder as it was judged. */
struct due_notice {
	uint64_t number, id; /* id: of the notice */
	int64_t seq, look_us;
};
/* Each referral that still is as it was judged is reminded of no more, and its parent is told unless it has
 * ended at now_us, in one transaction; told: how many are. Of several daemons that do the same one does.
 * KZ_REFUSED: also when a slot that an id is of was lost meanwhile. */
typedef void due_told_fn(void *arg, enum kz r, size_t told);
enum kz due_remind(struct pg *pg, const struct lease *lease, const struct due_notice *notices, size_t n,
    int64_t now_us, due_told_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

#endif

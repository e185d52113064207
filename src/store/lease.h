/* lease: what this daemon may do with its slots and until when: it may submit while the database lately said
 * that it holds them, and may write into a slot with the epoch under which it took it. Filled by slots, asked
 * by whoever submits or writes. */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"
#include "net/loop.h"
#include "net/stream.h"
#include "store/pg.h"

/* The server ends a session of slots that said nothing for so long, and their locks with it: a daemon that is
 * stopped or cut off holds them no longer. Its lease, counted from the moment of the last question that was
 * answered, is over so much earlier that what was allowed at its end has left, or never will. */
#define LEASE_SERVER_MS 8000
#define LEASE_MS        (LEASE_SERVER_MS - STREAM_STILL_MS)

struct lease;

struct lease *lease_new(struct loop *l);
/* The session that holds the slots answered what it was asked at asked_ms (loop time). */
void lease_renew(struct lease *x, int64_t asked_ms);
/* The slot is ours under epoch, above 0. */
void lease_take(struct lease *x, uint8_t slot, int64_t epoch);
/* The slot is ours no more. */
void lease_give(struct lease *x, uint8_t slot);
/* The session is gone, and all slots with it. */
void lease_lose(struct lease *x);
/* Whether anything may be submitted at this very moment: by a fresh look at the clock, since the process may
 * have been stopped a moment ago. */
bool lease_runs(const struct lease *x);
/* Until it is over; 0: it does not run. */
int64_t lease_left_ms(const struct lease *x);
/* 0 while the slot is not held. */
int64_t lease_epoch(const struct lease *x, uint8_t slot);
void lease_free(struct lease *x);

/* A set of slots. Zero-initialise. */
struct lease_slots {
	bool in[IDS_SLOTS];
};
/* A statement, to be the first of the job: nothing of the job happens, KZ_REFUSED with LEASE_REFUSED, unless
 * all these slots are ours when it runs, and nobody takes one from us before the job has ended. */
void lease_fence(const struct lease *x, const struct lease_slots *slots, struct pg_job *job);
#define LEASE_REFUSED "KZ001" /* SQLSTATE of slot_fence */

#endif

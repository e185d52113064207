/* slots: which messages are this daemon's. A slot belongs to whoever holds its session advisory lock, under
 * an epoch of its own; PostgreSQL frees the locks of a daemon that died, was stopped or is out of reach. New
 * messages carry the first slot that was held; those of others are taken over when they stay free for a
 * second, and given to a daemon that has none when it asks. Fills the lease. */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/lease.h"
#include "store/pg.h"

struct slots;

struct slots_events {
	/* A slot is ours from now on: messages above low_water may be unfinished; newest: the greatest id of
	 * all messages and of this slot's feed: of ends, cursors, and what is shut; 0 when there is none:
	 * whoever had the slot may have had a clock ahead of ours. */
	void (*on_taken)(void *arg, uint8_t slot, uint64_t low_water, uint64_t newest);
	/* All slots are lost with the session: stop submitting at once. on_taken comes again for those that
	 * return. */
	void (*on_lost)(void *arg);
	/* A daemon without a slot waits for one of those that were taken over. Says how much memory has of
	 * each slot: the one with the least is left. */
	void (*on_weigh)(void *arg, size_t weights[IDS_SLOTS]);
	/* Begin nothing more with the slot and forget what can be forgotten of it; how much is still under
	 * way. Asked again until that is 0: with this answer the slot is not ours any more. */
	size_t (*on_leave)(void *arg, uint8_t slot);
	/* The slot that was being left was ours all the time and stays so: nobody wants one any more, or what
	 * was under way did not end in a few seconds. */
	void (*on_stay)(void *arg, uint8_t slot);
};

/* lease outlives the slots; events live as long as they do. Asks at once, then every second for free ones. */
struct slots *slots_new(struct loop *l, const struct pg_options *o, struct lease *lease,
    const struct slots_events *events, void *arg);
/* The slot for new messages; -1 while none is held, or s is NULL. */
int slots_own(const struct slots *s);
/* Remembers that every message of slot below low_water is done, if the slot is ours when it is written; a
 * lost one is said again next time. */
void slots_note(struct slots *s, struct pg *pg, uint8_t slot, uint64_t low_water);
void slots_free(struct slots *s);

#endif

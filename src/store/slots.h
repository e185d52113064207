/* slots: which messages are this daemon's. A slot belongs to whoever holds its session advisory lock, under
 * an epoch of its own; PostgreSQL frees the locks of a daemon that died, was stopped or is out of reach. New
 * messages carry the first slot that was held; those of others are taken over when they stay free for a
 * second. Fills the lease. */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/lease.h"
#include "store/pg.h"

struct slots;

struct slots_events {
	/* A slot is ours from now on: messages above low_water may be unfinished; newest: the greatest id of
	 * all messages and of the ends that this slot numbered, 0 when there is none: whoever had the slot
	 * may have had a clock ahead of ours. */
	void (*on_taken)(void *arg, uint8_t slot, uint64_t low_water, uint64_t newest);
	/* All slots are lost with the session: stop submitting at once. on_taken comes again for those that
	 * return. */
	void (*on_lost)(void *arg);
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

/* feed: the order in which ends of messages are told. Gives their numbers, ids of the slot that is held, and
 * knows from which number on some may not be committed yet: up to there a reader misses none. Owns no row. */
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/loop.h"
#include "store/lease.h"
#include "store/pg.h"

struct feed;

/* Numbers that are given and not known to be committed. Embedded by what is written with them;
 * zero-initialise. */
struct feed_hold {
	struct list_node node;
	uint64_t first; /* the first of n in a row; 0: none yet */
	unsigned n, term;
	bool lost; /* a job that wrote them was, and may be committed at any later time */
};

/* All outlive it. on_change: feed_low rose, or the slot changed; never from inside feed_number. */
struct feed *feed_new(struct loop *l, struct pg *pg, const struct lease *lease);
void feed_on_change(struct feed *f, loop_fn *on_change, void *arg);
/* The slot that numbers are of from now on, -1: none is held. newest: no number comes up to it, as
 * slots_events say. */
void feed_set_slot(struct feed *f, int slot, uint64_t newest);
int feed_slot(const struct feed *f);
/* A slot is held, and of no number is it in doubt whether it is written. What can be abandoned waits for it,
 * so that doubts do not add up while commits hang. */
bool feed_is_sure(const struct feed *f);
/* A job that writes numbers begins with its fence: of a slot that was lost its reader has read on. */
const struct lease *feed_lease(const struct feed *f);
/* n numbers in a row, at most 8,192; answers the first. Those that h has stay, unless the slot was lost
 * since: its rows were then perhaps read by somebody else. Needs a slot, or numbers that h has. */
uint64_t feed_number(struct feed *f, struct feed_hold *h, unsigned n);
/* A job that wrote them, and called feed_open with the first after its fence, was answered. KZ_OK: they are
 * committed, and h has none any more. KZ_LOST, and not undone: the next try is to have the same. Else they
 * came to nothing and are released; the next try has others. A hold without numbers is fine, here and below.
 */
void feed_heard(struct feed *f, struct feed_hold *h, enum kz r, const struct pg_reply *reply);
/* Nothing more is written with them. If a job that did was lost, no matter what the tries after it came to,
 * they are held until the server says that it is over, or the slot is lost. */
void feed_release(struct feed *f, struct feed_hold *h);
/* Released while a job writes them, of which nobody will hear: as if it was lost. */
void feed_abandon(struct feed *f, struct feed_hold *h);
/* SQLSTATE of feed_open: the run was shut. Nothing is written; the next try is to have other numbers. */
#define FEED_SHUT "KZ002"
/* Every number of this process below it that is in use is committed. */
uint64_t feed_low(const struct feed *f);
/* Holds that are still out are forgotten. NULL is fine. */
void feed_free(struct feed *f);

#endif

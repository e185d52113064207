/* batch: gathers items of one kind and commits them together (group commit). Idle: a batch leaves at the end
 * of the loop's round. Busy: it leaves when it is full, when its first item has waited long enough, or when a
 * batch in flight returns. A batch that the server refuses is halved until the poisoned item stands alone and
 * fails alone. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "base/list.h"
#include "net/loop.h"
#include "store/pg.h"

struct batch;

/* Embedded by the owner's items; zero-initialise. */
struct batch_item {
	struct list_node node;
	int64_t added_ms;
	size_t weight; /* rows that it brings, set before batch_add; 0 is 1 */
};

struct batch_kind {
	const char *name; /* for metrics */
	/* Adds the statements for the items, in order, to job. Called again for halves after a refusal. */
	void (*build)(void *arg, const struct list *items, struct pg_job *job);
	/* Once per item, never from inside batch_add. KZ_OK: index is the item's place among the items that
	 * build saw; KZ_LOST: unknown outcome unless pg_reply_undone(reply); KZ_REFUSED: this item alone
	 * was refused. */
	void (*done)(
	    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index);
};

struct batch_limits {
	size_t rows;        /* weight of one batch at most; a heavier item goes alone */
	int64_t wait_ms;    /* an item waits at most so long for neighbours */
	unsigned in_flight; /* batches at once */
};

/* kind lives as long as the batch. */
struct batch *batch_new(struct loop *l, struct pg *pg, const struct batch_kind *kind,
    const struct batch_limits *limits, void *arg);
void batch_set_limits(struct batch *b, const struct batch_limits *limits);
void batch_add(struct batch *b, struct batch_item *item);
/* The row whose first column is the item's index; pg_rows when there is none. */
size_t batch_row(const struct pg_reply *reply, unsigned statement, size_t index);
/* Items that wait and items in flight. */
size_t batch_waiting(const struct batch *b);
size_t batch_in_flight(const struct batch *b);
/* The first waiting item, taken out without a callback; NULL when none: for an owner that gives up. */
struct batch_item *batch_take_waiting(struct batch *b);
/* Forgets what is in flight: those items wait again, for batch_take_waiting. Nothing more is sent. */
void batch_stop(struct batch *b);
/* Waiting items are forgotten without a callback. NULL is fine. */
void batch_free(struct batch *b);

#endif

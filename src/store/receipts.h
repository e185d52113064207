/* receipts: from an operator's id to the part of a message that it names; receipts that come before their
 * submission is recorded wait in a table until it is. */
#ifndef STORE_RECEIPTS_H
#define STORE_RECEIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/message.h"
#include "store/batch.h"
#include "store/feed.h"

#define RECEIPTS_CANDIDATES 3
/* A receipt counts at most so long after its message was accepted: the longest life and the longest
 * message.receipt_wait, a week each. */
#define RECEIPTS_REACH_MS (15 * INT64_C(86400000))

struct receipts;

/* Where a receipt belongs. */
struct receipt_home {
	uint64_t message_id;
	unsigned part, parts;
	int64_t phone; /* keyed value of its number, 0: not known */
	bool plain;    /* it is known that its message brings no code and is no notice */
};

/* A question for the home of one receipt. Embedded by its owner; ids point into the owner's memory. */
struct receipt_quest {
	struct batch_item item;
	const char *carrier;
	const char *ids[RECEIPTS_CANDIDATES]; /* canonical spellings, best first */
	unsigned ids_n;
	/* KZ_OK with home; KZ_NOT_FOUND no submission is recorded under any of the ids, of messages within
	 * RECEIPTS_REACH_MS; KZ_LOST. Once, later. */
	void (*done)(struct receipt_quest *q, enum kz r, const struct receipt_home *home);
};

/* A receipt that waits for its submission. Embedded by its owner. */
struct receipt_wait {
	struct batch_item item;
	const char *carrier, *ids[RECEIPTS_CANDIDATES], *status, *detail;
	unsigned ids_n;
	int64_t phone;     /* keyed value (person_phone), 0: not told */
	int32_t reference; /* user_message_reference that it brings back, -1: none */
	int64_t at_us;
	bool final;
	enum message_state state;
	enum parts_mode mode;
	void (*done)(struct receipt_wait *w, enum kz r); /* KZ_OK kept, KZ_LOST, KZ_REFUSED */
};

struct receipts *receipts_new(struct loop *l, struct pg *pg, const struct batch_limits *limits);
void receipts_set_limits(struct receipts *rs, const struct batch_limits *limits);
void receipts_find(struct receipts *rs, struct receipt_quest *q);
void receipts_wait(struct receipts *rs, struct receipt_wait *w);
void receipts_free(struct receipts *rs);

/* Receipts that wait, of that phone (its keyed value), with one of the references: each, then done. The id is
 * the best of its canonical ones; n: at most 255. KZ_BUSY at once, without done. */
typedef void receipts_named_fn(
    void *arg, uint64_t message_id, uint16_t reference, const char *carrier, const char *id);
typedef void receipts_named_done_fn(void *arg, uint64_t message_id, enum kz r);
struct receipts_named {
	uint64_t message_id; /* comes back */
	receipts_named_fn *each;
	receipts_named_done_fn *done;
	void *arg;
};
enum kz receipts_named(struct pg *pg, int64_t phone, const uint16_t *references, size_t n,
    const struct receipts_named *quest) KZ_CHECK;

/* Joins waiting receipts with submissions recorded since, as events. Looks at those that are due, at most
 * RECEIPTS_JOIN_MOST, for messages from the id low on; one that finds nothing is due again when it is half as
 * old again, a second later at least. done with how many were looked at and how many of them joined. The
 * ends that they make are numbered by feed. KZ_BUSY at once, without done: also while feed is not sure. */
#define RECEIPTS_JOIN_MOST 500
typedef void receipts_join_fn(void *arg, enum kz r, size_t looked, size_t joined);
enum kz receipts_join(
    struct pg *pg, struct feed *feed, uint64_t low, receipts_join_fn *done, void *arg) KZ_CHECK;

/* Forgets receipts that wait: those older than RECEIPTS_REACH_MS, since whatever they are of counts no more,
 * and the oldest of an operator's over `most`. done with how many of either, and how many wait on. KZ_BUSY at
 * once, without done. */
#define RECEIPTS_WAIT_MOST 100000 /* of an operator, as long as this is asked now and then */
struct receipts_forgotten {
	size_t old, over, waiting;
};
typedef void receipts_forget_fn(void *arg, enum kz r, const struct receipts_forgotten *f);
enum kz receipts_forget(
    struct pg *pg, int64_t now_us, int most, receipts_forget_fn *done, void *arg) KZ_CHECK;

#endif

/* settle: journey 1 from a receipt to its recorded event, and only then its deliver_sm_resp. The message is
 * found in memory (what was submitted lately), else in the database; a receipt without a submission waits in
 * a table until there is one. */
#ifndef FLOW_SETTLE_H
#define FLOW_SETTLE_H

#include <stdint.h>

#include "flow/aside.h"
#include "flow/doubts.h"
#include "flow/ways.h"
#include "store/events.h"
#include "store/receipts.h"

struct settle;

/* A part in doubt was taken by the operator, under id (canonical), as its receipt says at at_us. */
typedef void settle_over_fn(void *arg, const struct doubt *d, const char *id, int64_t at_us);

/* All outlive it. */
struct settle_base {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	struct events *events;
	struct receipts *receipts;
	struct aside *aside; /* where goes what the database refuses */
	const struct keyring *keyring;
	settle_over_fn *on_over;
	/* A receipt ended the message, which was not delivered and may bring a code or a notice; that is
	 * recorded. */
	void (*on_lost)(void *arg, uint64_t message_id);
	void *arg;
};

struct settle *settle_new(const struct settle_base *base);
/* A part was submitted under operator_id (as it came). */
void settle_remember(
    struct settle *s, const char *carrier, const char *operator_id, const struct receipt_home *home);
/* A part was written and not answered, or answered without an id. on_over comes from inside when its receipt
 * was faster. */
void settle_doubt(struct settle *s, struct doubt d);
/* Its answer came late and leaves nothing for a receipt to tell. part: 1-based. */
void settle_doubt_over(
    struct settle *s, const char *carrier, uint64_t message_id, unsigned part, int64_t since_us);
/* Records a receipt and answers it by ways_answer. */
void settle_begin(struct settle *s, struct ways *ways, struct carrier *c, uint32_t way,
    const struct receipt *r, struct deliver_ticket ticket);
/* Receipts that are being recorded. */
size_t settle_pending(const struct settle *s);
void settle_free(struct settle *s);

#endif

/* settle: journey 1 from a receipt to its recorded event, and only then its deliver_sm_resp. The message is
 * found in memory (what was submitted lately), else in the database; a receipt without a submission waits in
 * a table until there is one. */
#ifndef FLOW_SETTLE_H
#define FLOW_SETTLE_H

#include <stdint.h>

#include "flow/aside.h"
#include "flow/ways.h"
#include "store/events.h"
#include "store/receipts.h"

struct settle;

/* aside: where goes what the database refuses; all outlive it. */
struct settle *settle_new(struct loop *l, struct pg *pg, struct feed *feed, struct events *events,
    struct receipts *receipts, struct aside *aside);
/* A part was submitted under operator_id (as it came). */
void settle_remember(
    struct settle *s, const char *carrier, const char *operator_id, const struct receipt_home *home);
/* Records a receipt and answers it by ways_answer. */
void settle_begin(struct settle *s, struct ways *ways, struct carrier *c, uint32_t way,
    const struct receipt *r, struct deliver_ticket ticket);
/* Receipts that are being recorded. */
size_t settle_pending(const struct settle *s);
void settle_free(struct settle *s);

#endif

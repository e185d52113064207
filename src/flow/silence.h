/* silence: what was submitted and of which no operator says anything final ends as unconfirmed, after
 * message.receipt_wait. Looks at the slots that are held, one after the other, page by page, now and then. */
#ifndef FLOW_SILENCE_H
#define FLOW_SILENCE_H

#include "base/ids.h"
#include "store/unheard.h"

struct silence;

/* held: which slots are this daemon's, IDS_SLOTS of them, kept true by its owner; all outlive it. */
struct silence *silence_new(struct loop *l, struct pg *pg, struct feed *feed, const bool *held);
void silence_set_wait(struct silence *s, int64_t wait_ms);
/* Whether a question about the slot is out. */
bool silence_asks(const struct silence *s, uint8_t slot);
/* Nothing more is asked. */
void silence_stop(struct silence *s);
void silence_free(struct silence *s);

#endif

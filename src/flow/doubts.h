/* doubts: parts that were written and not answered, known by what an operator echoes in their receipts
 * (user_message_reference): whoever sends a receipt for a part has taken it, whatever became of its answer.
 * At most 4,096 at once: the oldest is forgotten, and counted. */
#ifndef FLOW_DOUBTS_H
#define FLOW_DOUBTS_H

#include <stdbool.h>
#include <stdint.h>

#include "smpp/receipt.h"
#include "store/receipts.h"

struct doubts;

/* A part in doubt. A value; carrier: copied. */
struct doubt {
	const char *carrier; /* "": not known */
	struct receipt_home home;
	int64_t since_us; /* wall */
};

struct doubts *doubts_new(void);
/* true: its receipt has come already, under ret_id, by the carrier that doubt->carrier says now (it lives
 * until the next call); then nothing is noted. */
bool doubts_note(struct doubts *d, struct doubt *doubt, char ret_id[RECEIPT_ID]);
/* A receipt whose id nobody knows: from carrier, of that phone (its keyed value), with that reference and id.
 * true: of the part *ret, which is noted no more (ret->carrier lives until the next call); false: it is
 * remembered. */
bool doubts_settle(struct doubts *d, const char *carrier, int64_t phone, uint16_t reference, const char *id,
    struct doubt *ret);
/* The submission of that part (1-based) by carrier, in doubt since since_us or a little later, is noted no
 * more, if it is: its answer has come and tells what a receipt would. */
void doubts_forget(
    struct doubts *d, const char *carrier, uint64_t message_id, unsigned part, int64_t since_us);
void doubts_free(struct doubts *d);

#endif

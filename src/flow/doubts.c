/* Two rings, the oldest forgotten for the newest: parts in doubt, and receipts with a reference that nobody
 * was found for, since a receipt may come while its part still waits for an answer that never comes. Both are
 * few and walked.
 *
 * A match ends the doubt: the part is not sent again. A wrong one would leave a parent without her message,
 * so carrier, phone and reference must all agree: a stranger's receipt passes once in 65,536 times, and only
 * while that phone has a message in doubt. Without the reference, "the only message in doubt to that phone at
 * that carrier" was considered and not taken: the receipt may be of a message that another system sends over
 * the same account, of one whose answer is just being recorded, or of any earlier one when the profile spells
 * ids wrongly. A message sent twice, and marked, is the smaller harm. */
#include "flow/doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smpp/submission.h"

#define NOTES  4096
#define STRAYS 1024

struct note {
	bool used;
	uint16_t reference;
	char carrier[24];
	struct receipt_home home;
	int64_t since_us;
};

struct stray {
	bool used;
	uint16_t reference;
	char carrier[24];
	uint64_t msisdn;
	char id[RECEIPT_ID];
};

struct doubts {
	struct note notes[NOTES];
	struct stray strays[STRAYS];
	size_t next_note, next_stray;
};

struct doubts *doubts_new(void)
{
	return mem_new(sizeof(struct doubts));
}

static bool doubts_same_carrier(const char *noted, const char *told)
{
	return !*noted || !strcmp(noted, told);
}

bool doubts_note(struct doubts *d, struct doubt *doubt, char ret_id[RECEIPT_ID])
{
	uint16_t reference = submission_reference(doubt->home.message_id, doubt->home.part - 1);

	for (size_t i = 0; i < STRAYS; i++) {
		struct stray *s = &d->strays[i];

		if (!s->used || s->reference != reference || s->msisdn != doubt->home.msisdn ||
		    !doubts_same_carrier(doubt->carrier, s->carrier))
			continue;
		memcpy(ret_id, s->id, sizeof s->id);
		doubt->carrier = s->carrier;
		s->used = false;
		return true;
	}
	struct note *n = &d->notes[d->next_note++ % NOTES];

	*n = (struct note){
	    .used = true, .reference = reference, .home = doubt->home, .since_us = doubt->since_us};
	snprintf(n->carrier, sizeof n->carrier, "%s", doubt->carrier);
	return false;
}

static void doubts_remember(
    struct doubts *d, const char *carrier, uint64_t msisdn, uint16_t reference, const char *id)
{
	struct stray *s = &d->strays[d->next_stray++ % STRAYS];

	*s = (struct stray){.used = true, .reference = reference, .msisdn = msisdn};
	snprintf(s->carrier, sizeof s->carrier, "%s", carrier);
	snprintf(s->id, sizeof s->id, "%s", id);
}

bool doubts_settle(struct doubts *d, const char *carrier, uint64_t msisdn, uint16_t reference, const char *id,
    struct doubt *ret)
{
	for (size_t i = 0; i < NOTES; i++) {
		struct note *n = &d->notes[i];

		if (!n->used || n->reference != reference || n->home.msisdn != msisdn ||
		    !doubts_same_carrier(n->carrier, carrier))
			continue;
		snprintf(n->carrier, sizeof n->carrier, "%s", carrier);
		*ret = (struct doubt){n->carrier, n->home, n->since_us};
		n->used = false;
		return true;
	}
	doubts_remember(d, carrier, msisdn, reference, id);
	return false;
}

void doubts_free(struct doubts *d)
{
	free(d);
}

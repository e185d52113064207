/* smsc_odd: the octets of a centre that misbehaves: odd receipts, PDUs without sense, lengths that cannot be.
 * Pure. */
#ifndef TOOLS_SMSC_ODD_H
#define TOOLS_SMSC_ODD_H

#include "smsc_receipt.h"

/* Makes a receipt that was filled in as it should be odd in its way. room: where its text goes, which m
 * points to then. */
void smsc_odd_receipt(
    const struct smsc_receipt *r, const struct smsc_options *o, struct pdu_sm *m, char room[254]);
/* Appends the turn-th PDU whose length is right and whose sense is none; sequence: for the requests. */
void smsc_odd_garbage(struct buf *out, uint64_t turn, uint32_t sequence);
/* Appends octets that are no PDU and cannot become one. */
void smsc_odd_length(struct buf *out, uint64_t turn);

#endif

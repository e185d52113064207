/* submission: one part of a shipment as the submit_sm that this operator wants: sender, validity, encoding
 * and TLVs by its profile. Pure. */
#ifndef SMPP_SUBMISSION_H
#define SMPP_SUBMISSION_H

#include <stdint.h>

#include "base/buf.h"
#include "smpp/carrier.h"

/* What the shipment says beside its part. */
struct submission {
	uint64_t id;
	unsigned part; /* 0-based */
	enum lane lane;
	int64_t wall_ms;
};

/* Fills *ret; its text points into part, its TLVs into tlvs (cleared first). KZ_TOO_LONG: a sender or a
 * destination over 20 characters. SMPP 3.4, 4.4.1. */
enum kz submission_fill(const struct profile *p, const struct submission *s, const struct shipment_part *part,
    struct buf *tlvs, struct pdu_sm *ret) KZ_CHECK;
/* The user_message_reference of a part (0-based), the same in every process. */
uint16_t submission_reference(uint64_t id, unsigned part);
/* How many segments it counts for: a payload is cut by the operator. */
unsigned submission_weight(const struct shipment_part *part);
/* The validity_period of 16 characters, or "" for none. 7.1.1: relative YYMMDDhhmmss000R; absolute
 * YYMMDDhhmmsst00+ with ONE digit of tenths. */
void submission_validity(const struct profile *p, int64_t expires_wall_ms, int64_t wall_ms, char ret[17]);
/* TON and NPI that follow from the shape of a sender: a name 5/0, up to 6 digits 3/0, a number 1/1, none 0/0.
 */
void submission_sender_shape(const char *sender, uint8_t *ret_ton, uint8_t *ret_npi);

#endif

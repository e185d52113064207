/* smsc_receipt: one receipt as a value, message ids, and how both are written. SMPP 3.4, Appendix B. Pure. */
#ifndef TOOLS_SMSC_RECEIPT_H
#define TOOLS_SMSC_RECEIPT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "smpp/pdu.h"
#include "smsc_options.h"

#define SMSC_ID      64 /* with the NUL; a prefix of 20 and 20 digits fit */
#define SMSC_EXCERPT 21

struct smsc_receipt {
	uint64_t number;          /* of the message */
	struct pdu_address phone; /* the message's destination: the receipt's source */
	struct pdu_address sender;
	int64_t submitted_wall_ms, done_wall_ms;
	enum smsc_odd odd;
	char excerpt[SMSC_EXCERPT]; /* printable ASCII of the text's beginning */
};

/* The id as submit_sm_resp says it; returns text. */
char *smsc_id_text(const struct smsc_options *o, uint64_t number, char text[SMSC_ID]);
/* The id as a receipt says it; returns text. */
char *smsc_receipt_id_text(const struct smsc_options *o, uint64_t number, char text[SMSC_ID]);
/* Whether it tells of a message that was taken. */
bool smsc_receipt_is_true(const struct smsc_receipt *r);
/* The first 20 octets of a text, others than printable ASCII as '.'. */
void smsc_receipt_excerpt(const uint8_t *text, size_t n, char ret[SMSC_EXCERPT]);
/* Appends the deliver_sm or data_sm. KZ_INVALID: the addresses cannot be written. */
enum kz smsc_receipt_put(
    const struct smsc_receipt *r, const struct smsc_options *o, uint32_t sequence, struct buf *out) KZ_CHECK;

#endif

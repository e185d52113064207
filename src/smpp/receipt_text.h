/* receipt_text: the text of a receipt, SMPP 3.4, Appendix B, taken apart; inside of receipt. */
#ifndef SMPP_RECEIPT_TEXT_H
#define SMPP_RECEIPT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "smpp/pdu.h"
#include "smpp/receipt.h"

/* A value. Texts are printable ASCII and "" when absent or not to be read. */
struct receipt_text {
	char id[RECEIPT_ID];
	char stat[16]; /* its letters, in lower case, cut to the room */
	char err[9];
	int64_t done_wall_ms; /* 0: absent */
	bool begins;          /* the first thing in it is a field's name */
};

/* Reads the text of m: plain or UCS-2, with or without a header of user data. Looks at the first 512 octets
 * only. */
void receipt_text_read(const struct pdu_sm *m, struct receipt_text *ret);

#endif

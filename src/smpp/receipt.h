/* receipt: what an operator says became of a message, from TLVs and from the text of SMPP 3.4, Appendix B, in
 * every spelling seen: any order, any case, cut or whole words, dates of 10, 12 or 14 digits, err of 1-4
 * digits, hex or empty. */
#ifndef SMPP_RECEIPT_H
#define SMPP_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "smpp/pdu.h"

/* SMPP 3.4, 5.2.28. */
enum receipt_state {
	RECEIPT_ENROUTE = 1,
	RECEIPT_DELIVERED = 2,
	RECEIPT_EXPIRED = 3,
	RECEIPT_DELETED = 4,
	RECEIPT_UNDELIVERABLE = 5,
	RECEIPT_ACCEPTED = 6,
	RECEIPT_UNKNOWN = 7,
	RECEIPT_REJECTED = 8,
};

/* How receipts are recognised and their ids spelled: per operator, part of its profile. */
enum receipt_id_form {
	RECEIPT_ID_AUTO, /* as submitted, else hex for decimal, else decimal for hex */
	RECEIPT_ID_SAME,
	RECEIPT_ID_HEX,    /* the submit_sm_resp says hex, the receipt decimal */
	RECEIPT_ID_DECIMAL /* the other way round */
};

#define RECEIPT_ID  66
#define RECEIPT_IDS 3

struct receipt {
	char id[RECEIPT_ID]; /* as it came, never empty, printable ASCII */
	enum receipt_state state;
	char err[9];               /* "" when absent */
	uint32_t network_error;    /* TLV 0x0423 as one number, 0 when absent */
	int32_t reference;         /* user_message_reference, -1 when absent */
	int64_t done_wall_ms;      /* "done date" read as UTC+5; 0 when absent or unreadable */
	struct pdu_address source; /* the phone that the message had gone to, as the receipt says */
	bool final;                /* DELIVERED, EXPIRED, DELETED, UNDELIVERABLE, REJECTED */
};

/* Whether m is a receipt: esm_class type 0x04 (0x20 intermediate too), or, when loose, by the TLVs or a text
 * that begins like one. */
bool receipt_is(const struct pdu_sm *m, bool loose);
/* KZ_INVALID: looks like one, but has no id or no state to be read. */
enum kz receipt_parse(const struct pdu_sm *m, struct receipt *ret) KZ_CHECK;
/* One spelling of an id: leading "0x" and zeros dropped, lower case, '?' for what is not printable ASCII (a
 * peer chooses the octets of a submit_sm_resp), cut to 65; an id of zeros alone is "0". */
void receipt_id_canonical(const char *id, char ret[RECEIPT_ID]);
/* The canonical ids under which the submission may be known, best first; returns how many (1..RECEIPT_IDS).
 * HEX and DECIMAL give the other base only, unless the id is no number in its own. */
unsigned receipt_id_candidates(const char *id, enum receipt_id_form form, char ret[RECEIPT_IDS][RECEIPT_ID]);
/* "DELIVRD", "UNDELIV", ... */
const char *receipt_state_name(enum receipt_state s);

#endif

/* ussd: dialogues over SMPP 3.4 with ussd_service_op (5.3.2.44), in the dialect that the operator's profile
 * describes: which deliver_sm or data_sm belongs to which dialogue, what it says, and how a page is answered.
 * Pure: octets and values in, values out. */
#ifndef SMPP_USSD_H
#define SMPP_USSD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "smpp/pdu.h"
#include "smpp/profile.h"
#include "text/msisdn.h"

#define USSD_KEY  64  /* octets of what tells dialogues apart */
#define USSD_TEXT 512 /* octets of UTF-8, with NUL: of what was typed, cut there */
#define USSD_ECHO 4   /* TLVs that go back */

enum ussd_said {
	USSD_DIALLED,   /* a new dialogue; text is the code, "*123#", "*123*2#" */
	USSD_TYPED,     /* the answer to a page */
	USSD_CONFIRMED, /* the phone showed a pushed page (USSN confirm) */
	USSD_CANCELLED, /* the person or the network hung up */
};

/* Where a page has to go: all of it from what came in. A value; kept with a session as octets. */
struct ussd_peer {
	char key[USSD_KEY]; /* of the dialogue at this operator, octets; none: not known before the phone
	                       answers */
	size_t key_n;
	struct pdu_address phone, code; /* source and destination of what came in */
	bool code_assumed;  /* it does not say with which code the dialogue began: the first is taken */
	uint8_t op;         /* that came in */
	uint32_t reference; /* user_message_reference; UINT32_MAX: none */
	struct {
		uint16_t tag;
		uint8_t len, value[8];
	} echo[USSD_ECHO];
	size_t echo_n;
	uint32_t link; /* it came by, of its carrier; UINT32_MAX: any */
};

struct ussd_in {
	enum ussd_said said;
	struct msisdn phone; /* digits 0: hidden, or no number of a phone */
	char text[USSD_TEXT];
	uint32_t epoch, sequence; /* of its PDU on peer.link: by which connection of that, and its number */
	struct ussd_peer peer;
};

/* Whether m belongs to a dialogue by the profile's `ussd.detect`; of profiles without USSD never. */
bool ussd_is(const struct profile *p, const struct pdu_sm *m);
/* KZ_INVALID: it says that it is USSD and its key or op cannot be read; without an op a code is dialled, and
 * anything else typed. Text that cannot be decoded is as "".
 */
enum kz ussd_take(const struct profile *p, const struct pdu_sm *m, struct ussd_in *ret) KZ_CHECK;

/* How a page is meant. */
enum ussd_page { USSD_GO_ON, USSD_LAST, USSD_PUSH_ASK /* USSR */, USSD_PUSH_TELL /* USSN */ };
/* The peer of a dialogue that we begin; number: another one for each that is open. The profile's ussd.push
 * says what may be sent to it. */
void ussd_push_to(const struct profile *p, struct msisdn phone, uint32_t number, struct ussd_peer *ret);
/* The submit_sm or data_sm of a page; its text and TLVs point into room (cleared first). KZ_TOO_LONG: over
 * the profile's page limit; KZ_INVALID: empty, or not UTF-8. */
enum kz ussd_put(const struct profile *p, const struct ussd_peer *to, enum ussd_page how, const char *text,
    struct buf *room, struct pdu_sm *ret) KZ_CHECK;

#endif

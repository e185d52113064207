/* smsc_page: one page of a dialogue as the phone has it, and what is wrong with it. */
#ifndef TOOLS_SMSC_PAGE_H
#define TOOLS_SMSC_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "smpp/pdu.h"
#include "text/segment.h"

enum smsc_page_how { SMSC_PAGE_GO_ON, SMSC_PAGE_LAST, SMSC_PAGE_ASK, SMSC_PAGE_TELL };

/* In bits of smsc_page.faults. */
enum smsc_page_fault {
	SMSC_PAGE_NO_OP,
	SMSC_PAGE_WRONG_OP,
	SMSC_PAGE_NOBODY,
	SMSC_PAGE_WRONG_SESSION,
	SMSC_PAGE_AFTER_END,
	SMSC_PAGE_UNASKED,
	SMSC_PAGE_NO_PUSH,
	SMSC_PAGE_TOO_LONG,
	SMSC_PAGE_UNREADABLE, /* the last of those that no phone shows */
	SMSC_PAGE_EMPTY,
	SMSC_PAGE_PARTS,
	SMSC_PAGE_SERVICE_TYPE,
	SMSC_PAGE_SOURCE,
	SMSC_PAGE_COMMAND,
	SMSC_PAGE_PAYLOAD,
	SMSC_PAGE_REPLY_TYPE,
	SMSC_PAGE_END_BIT,
	SMSC_PAGE_FAULTS,
};
#define SMSC_PAGE_REFUSED ((1u << (SMSC_PAGE_UNREADABLE + 1)) - 1)

struct smsc_page {
	const char *phone, *from, *system_id;
	const char *text;     /* UTF-8 */
	size_t units;         /* septets, or units of UTF-16 */
	const char *alphabet; /* "gsm7", "ucs2" */
	uint8_t data_coding, op;
	enum smsc_page_how how;
	uint32_t faults;
	bool gone; /* nobody looks any more, and the sender cannot know */
	bool busy; /* a push to a phone that is in a dialogue */
};

/* Fills text (kept in room), units and alphabet from the message; answers the faults of them. A
 * data_coding from 15 up is of a cell broadcast here (3GPP TS 23.038, 5); below it is SMPP's. */
uint32_t smsc_page_read(struct smsc_page *page, const struct pdu_sm *m, enum gsm_wire gsm, struct buf *room);
/* "the page is too long", ... */
const char *smsc_page_fault_words(enum smsc_page_fault f);
/* "page", "last", "ask", "tell" */
const char *smsc_page_how_name(enum smsc_page_how how);
/* phone, how, text, units, alphabet, data_coding, op, faults; "gone" and "busy" when so. The caller's. */
json_t *smsc_page_json(const struct smsc_page *page);

#endif

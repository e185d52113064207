/* smsc_phone: the phones' side: joins the parts of an SMS by UDH or SAR TLVs, in any order and with repeats,
 * decodes the whole and reports it. Parts wait for each other in a bounded table for a bounded time. */
#ifndef TOOLS_SMSC_PHONE_H
#define TOOLS_SMSC_PHONE_H

#include "net/loop.h"
#include "smpp/pdu.h"
#include "smsc_report.h"

/* What unfinished SMS may take; over it the oldest is given up. */
#define SMSC_PHONE_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct smsc_phone;

/* Where a submission stands in its SMS: part 1 of 1 when it is a whole one. Points into the message. */
struct smsc_part {
	const char *concat; /* "none", "udh8", "udh16", "sar", "payload" */
	uint16_t reference;
	uint8_t number, total;
	size_t udh_len; /* octets of m->text that are a header */
	bool malformed; /* esm_class says there is a UDH, and there is none that can be read */
};

struct smsc_part smsc_part_of(const struct pdu_sm *m);
/* Whether the user data is more than the 140 octets of one SMS; a payload never is. */
bool smsc_part_is_too_long(
    const struct pdu_sm *m, const struct smsc_part *part, const struct smsc_options *o);

struct smsc_phone *smsc_phone_new(struct loop *l, const struct smsc_options *o, struct smsc_report *r);
void smsc_phone_free(struct smsc_phone *p);
/* An accepted submission arrives; everything is copied. */
void smsc_phone_take(struct smsc_phone *p, const struct pdu_sm *m, const struct smsc_part *part,
    const char *system_id, const char *id);

#endif

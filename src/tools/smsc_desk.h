/* smsc_desk: where a submission becomes a message: fault or id, phone, receipt, report. What all sessions
 * share. */
#ifndef TOOLS_SMSC_DESK_H
#define TOOLS_SMSC_DESK_H

#include "net/loop.h"
#include "smsc_fault.h"
#include "smsc_handset.h"
#include "smsc_journal.h"
#include "smsc_phone.h"
#include "smsc_post.h"
#include "smsc_report.h"

/* The centre owns what it points to. */
struct smsc_desk {
	struct loop *loop;
	const struct smsc_options *options;
	struct smsc_report *report;
	struct smsc_post *post;
	struct smsc_phone *phone;
	struct smsc_handsets *handsets; /* NULL: no USSD is spoken */
	struct smsc_journal *journal;   /* NULL: none is kept */
	struct smsc_fault fault;
	uint64_t next_number;
};

struct smsc_taken {
	uint32_t status;  /* of the response */
	bool answer;      /* false: the response never comes */
	bool nack;        /* status comes in a generic_nack */
	bool garbage;     /* something senseless follows */
	char id[SMSC_ID]; /* "" unless status is 0 */
};

/* unanswered: submissions of the session that wait for their response. With early receipts the receipt was
 * written when this returns. */
struct smsc_taken smsc_desk_take(struct smsc_desk *d, struct smsc_account *a, const struct pdu_sm *m,
    uint32_t sequence, size_t unanswered);

#endif

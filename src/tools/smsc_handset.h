/* smsc_handset: the phones that dial, type and hang up, each with its one dialogue, and the judge of the
 * pages that come for them. What a phone is told to do may be wrong on purpose: nothing is refused because it
 * makes no sense. */
#ifndef TOOLS_SMSC_HANDSET_H
#define TOOLS_SMSC_HANDSET_H

#include <stdint.h>

#include "net/loop.h"
#include "smsc_page.h"
#include "smsc_post.h"
#include "smsc_report.h"

#define SMSC_HANDSETS     200000
#define SMSC_HANDSET_ASKS 16   /* questions of one phone that wait for their page */
#define SMSC_HANDSET_TEXT 2000 /* octets of UTF-8 that may be typed */

struct smsc_handsets;

/* Whose order it was; comes back with what became of it. */
struct smsc_ticket {
	uint64_t connection;
	int64_t id;
};

/* From the loop, never before the order returned. */
struct smsc_handset_events {
	/* The page of an order; ms since it was sent. */
	void (*shown)(void *arg, struct smsc_ticket t, const struct smsc_page *page, int64_t ms);
	/* There is none: "cancelled", "no page within 30000 ms", "refused: 0x00000058", "the link was lost"
	 */
	void (*failed)(void *arg, struct smsc_ticket t, const char *why);
	/* A page that belongs to no order. */
	void (*unasked)(void *arg, const struct smsc_page *page);
};

enum smsc_order_kind {
	SMSC_ORDER_DIAL,
	SMSC_ORDER_TYPE,
	SMSC_ORDER_REPEAT, /* what was sent last goes again, octet by octet */
	SMSC_ORDER_CANCEL, /* in the dialect's way */
	SMSC_ORDER_HANG,   /* without a word */
	SMSC_ORDER_SILENT, /* pushes are not confirmed from now on */
};

struct smsc_order {
	enum smsc_order_kind kind;
	struct smsc_ticket ticket;
	const char *phone;     /* 1..20 characters: its name here */
	const char *from;      /* DIAL: what stands for its number on the wire; NULL: phone */
	const char *text;      /* DIAL: the code; TYPE: what is typed */
	const char *system_id; /* of the link it goes by; "": any */
};

/* The option --ussd of o names the dialect; it is one. */
struct smsc_handsets *smsc_handsets_new(struct loop *l, const struct smsc_options *o, struct smsc_report *r,
    const struct smsc_handset_events *events, void *arg);
void smsc_handsets_free(struct smsc_handsets *h);

/* A session was bound, and has gone. Nothing when h is NULL; so with the next. */
void smsc_handsets_join(struct smsc_handsets *h, struct smsc_receiver *r);
void smsc_handsets_leave(struct smsc_handsets *h, struct smsc_receiver *r);
/* The response to what a phone said. KZ_NOT_FOUND: it is of nothing of ours. */
enum kz smsc_handsets_answered(
    struct smsc_handsets *h, struct smsc_receiver *r, uint32_t sequence, uint32_t status) KZ_CHECK;

/* NULL: it is done, and for DIAL, TYPE and REPEAT its page follows, or failed. Else why not, in words. */
const char *smsc_handsets_order(struct smsc_handsets *h, const struct smsc_order *o);
/* A page came. Answers the command_status of its response. */
uint32_t smsc_handsets_take(struct smsc_handsets *h, const struct pdu_sm *m, const char *system_id);

#endif

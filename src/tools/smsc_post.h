/* smsc_post: the receipts on their way: first their delay, then the window of a receiving session of the same
 * system_id, then again until they are acknowledged; without a receiver they wait for one. In memory, at most
 * SMSC_POST_MAX. */
#ifndef TOOLS_SMSC_POST_H
#define TOOLS_SMSC_POST_H

#include "base/list.h"
#include "net/loop.h"
#include "smsc_journal.h"
#include "smsc_receipt.h"
#include "smsc_report.h"

#define SMSC_POST_MAX      500000
#define SMSC_POST_ACCOUNTS 1024
#define SMSC_POST_RING     1024 /* over the largest receipt-window; a power of two */

struct smsc_post;
struct smsc_account; /* a system_id */
struct smsc_parcel;  /* a receipt and where it is */

/* One bound session, embedded in it. The owner sets sequence to 0 and the callbacks once. */
struct smsc_receiver {
	struct list_node node;
	struct smsc_account *account; /* NULL: not joined */
	bool receives;
	uint32_t
	    sequence; /* of the last request of ours on this session; the owner's requests take from it too */
	size_t in_flight;
	struct list_node phones;                  /* with smsc_handset: among those it talks to */
	struct list said;                         /* and what it said there, until it is answered */
	struct smsc_parcel *ring[SMSC_POST_RING]; /* by sequence */
	bool (*ready)(void *arg);                 /* whether more may be written now */
	void (*write)(void *arg, const struct buf *pdu);
	void *arg;
};

/* journal: where acknowledgements are noted; NULL: nowhere. */
struct smsc_post *smsc_post_new(
    struct loop *l, const struct smsc_options *o, struct smsc_report *r, struct smsc_journal *journal);
/* Every receiver has left; receipts that wait are dropped. */
void smsc_post_free(struct smsc_post *p);

/* A session was bound. KZ_BUSY: too many system_ids at once. */
enum kz smsc_post_join(
    struct smsc_post *p, struct smsc_receiver *r, const char *system_id, bool receives) KZ_CHECK;
/* Its receipts go back to wait. Nothing when not joined. */
void smsc_post_leave(struct smsc_post *p, struct smsc_receiver *r);
/* The next sequence number that no receipt of this session has in flight: 1..0x7FFFFFFF. */
uint32_t smsc_receiver_sequence(struct smsc_receiver *r);
/* Copied. Its delay runs from its submission; now: without one. */
void smsc_post_add(struct smsc_post *p, struct smsc_account *a, const struct smsc_receipt *receipt, bool now);
/* One that an earlier process owed. */
void smsc_post_owe(struct smsc_post *p, const char *system_id, const struct smsc_receipt *receipt);
/* A deliver_sm_resp, data_sm_resp or generic_nack came. KZ_NOT_FOUND: nothing waits for that sequence. */
enum kz smsc_post_acknowledge(
    struct smsc_post *p, struct smsc_receiver *r, uint32_t sequence, uint32_t status) KZ_CHECK;
/* Sends what waits and has room now: call when the receiver may have become ready. */
void smsc_post_pump(struct smsc_post *p, struct smsc_receiver *r);
const char *smsc_account_system_id(const struct smsc_account *a);

#endif

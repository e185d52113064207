/* carrier: all links of one operator. Keeps what waits for them in three lanes (code before notice before
 * bulk), gives each shipment its turn when a link has window and rate, keeps all its parts on one link, and
 * reports what became of each. Nothing is written that its owner has not cleared: those whose turn is near
 * are told to it, so that it can note durably that they may leave. Slowing statuses (0x58, 0x14) and retries
 * of the same part on the same link are settled here; everything else is the owner's decision. Callbacks come
 * from the loop only, never from inside a call into the carrier. */
#ifndef SMPP_CARRIER_H
#define SMPP_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "net/loop.h"
#include "smpp/link.h"
#include "smpp/pdu.h"
#include "smpp/profile.h"
#include "smpp/receipt.h"
#include "smpp/status.h"
#include "smpp/ussd.h"

enum lane { LANE_CODE, LANE_NOTICE, LANE_BULK, LANES };

struct carrier;

/* One message on its way through one carrier; embedded in its owner's object. The owner sets the fields above
 * the line before carrier_submit. */
struct shipment {
	uint64_t id; /* message id, for logs and submission_reference */
	enum lane lane;
	int64_t queued_ms;  /* loop time at which the message was accepted: for ages */
	uint32_t done_mask; /* bit i: part i+1 was answered OK before and is not sent again */
	bool cleared;       /* may be written; while it is with a carrier only carrier_clear sets it */
	uint8_t avoid;      /* as carrier_link says: another link takes it while one is bound; 0: any */
	/* -- the carrier's own */
	struct list_node node;
	struct list *list;       /* where node is; NULL: nowhere */
	struct carrier *carrier; /* NULL: not with a carrier */
	void *line;              /* the link that has its parts; NULL: any may take it */
	int64_t hold_ms;         /* held, the operator's queue is full: not before this */
	uint32_t sent_mask; /* bit i: part i+1 was written and has not been slowed; the owner may read it */
	uint8_t parts;      /* 0: not known yet */
	uint8_t outstanding;
	uint8_t full; /* how often in a row the operator's queue was full for it */
	bool stopped; /* one part was refused: no more are sent */
};

/* One part ready to be sent. */
struct shipment_part {
	struct pdu_address destination;
	const char *sender;      /* NULL: the profile's */
	int64_t expires_wall_ms; /* 0: none; becomes the validity_period */
	bool receipt;            /* registered_delivery 1 */
	struct segment segment;
};

enum part_outcome {
	PART_SUBMITTED, /* submit_sm_resp ESME_ROK: operator_id is set */
	PART_REFUSED,   /* class and status say why: TEMPORARY (LINK comes as this), REROUTE, FINAL or BUG; no
	                   more parts of   the message are sent */
	PART_IN_DOUBT,  /* written to the socket, no answer: link lost or response timer */
};

struct part_result {
	enum part_outcome outcome;
	enum status_class class;
	uint32_t status;
	const char *operator_id; /* as it came */
	const char *link;        /* "kcell.1" */
};

struct carrier_events {
	/* s is not cleared and its turn is near: the owner clears it as soon as it may be written. Again when
	 * s was given to the carrier again. Neither withdraws nor frees s from inside. */
	void (*on_near)(void *arg, struct shipment *s);
	/* The turn of s has come (again for each part): fill *ret with part number `part` (0-based); its
	 * octets need only live until the return. Returns the number of parts of the message; 0: do not send,
	 * s is out of the carrier from now on without any further callback (it expired; the owner has dealt
	 * with it). When parts written before are still unanswered (s->outstanding > 0), 0 means only that no
	 * more are sent: on_part comes for those, then on_done. */
	unsigned (*on_turn)(void *arg, struct shipment *s, unsigned part, struct shipment_part *ret);
	/* Once per part that was written, or could not be (BUG, status 0). s stays the carrier's until
	 * on_done. */
	void (*on_part)(void *arg, struct shipment *s, unsigned part, const struct part_result *r);
	/* Nothing of s is outstanding or waiting any more; s is out of the carrier, its owner may submit it
	 * again anywhere. Parts that were answered OK are in done_mask; some may be missing although nothing
	 * was refused, when the carrier drained or on_turn answered 0 in the middle. */
	void (*on_done)(void *arg, struct shipment *s);
	/* A part that was told as PART_IN_DOUBT was answered after all, PART_SUBMITTED or PART_REFUSED;
	 * parts: of its message as it was cut for this carrier; doubt_us: wall time since when it was in
	 * doubt. Its shipment may be anywhere by now, or gone. */
	void (*on_late)(void *arg, struct carrier *c, uint64_t id, unsigned part, unsigned parts,
	    int64_t doubt_us, const struct part_result *r);
	/* A receipt came; the owner answers it with carrier_answer when it is recorded. */
	void (*on_receipt)(
	    void *arg, struct carrier *c, const struct receipt *r, struct deliver_ticket ticket);
	/* A receipt that could not be read, or a whole PDU that is broken; the owner answers it with
	 * carrier_answer when it is kept. */
	void (*on_unreadable)(
	    void *arg, struct carrier *c, const struct pdu_sm *m, struct deliver_ticket ticket);
	/* Somebody dialled, typed or hung up. true: it is taken, and the operator is told so before any page
	 * goes; false: it is refused and the dialogue is over, or put off while c drains. */
	bool (*on_ussd)(void *arg, struct carrier *c, const struct ussd_in *in);
	/* A message from a phone: raw for keeping aside. The carrier has answered. */
	void (*on_other)(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what);
	/* Bound links went from none to some or back. */
	void (*on_up)(void *arg, struct carrier *c, bool up);
};

/* profile must outlive the carrier. events live as long as the carrier. Links begin to connect at once. */
struct carrier *carrier_new(
    struct loop *l, const struct profile *p, const struct carrier_events *events, void *arg);
/* Right after carrier_new: takes shipments, but no link connects until carrier_dial; why is said in the
 * report of its links. For a carrier whose predecessor has not closed its sessions yet. */
void carrier_rest(struct carrier *c, const char *why);
/* Once, after carrier_rest and not after carrier_drain. */
void carrier_dial(struct carrier *c);
/* The configuration was read again and the profile is the same: its links that wait for something to be
 * mended connect now, see link_redial. */
void carrier_redial(struct carrier *c);
const char *carrier_name(const struct carrier *c);
const struct profile *carrier_profile(const struct carrier *c);
/* Whether any link that can submit is bound. */
bool carrier_is_up(const struct carrier *c);
/* The same of its links but one, that shipment.avoid names. */
bool carrier_is_up_beside(const struct carrier *c, uint8_t avoid);
/* Segments a second that its links allow themselves now; 0: none can submit. */
double carrier_pace(const struct carrier *c);
/* What shipment.avoid is for the link of that name, "kcell.1"; 0: it is none of this carrier's. */
uint8_t carrier_link(const struct carrier *c, const char *name);
/* Queues s in its lane, behind those of the lane; before them when some of its parts are done. */
void carrier_submit(struct carrier *c, struct shipment *s);
/* s may be written from now on; nothing happens when it is with another carrier or with none. */
void carrier_clear(struct carrier *c, struct shipment *s);
/* Whether a cleared shipment of that lane, behind `more` that are about to be submitted and not in a lower
 * one, would be written as soon as the links can: nothing before it waits for clearance, and few are ahead.
 */
bool carrier_has_room(const struct carrier *c, enum lane lane, size_t more);
/* Takes s back when none of its parts is outstanding; false (and nothing done) otherwise. No callback
 * follows. */
bool carrier_withdraw(struct carrier *c, struct shipment *s);
/* Any shipment that waits and has nothing outstanding, taken out as by carrier_withdraw; NULL when none: for
 * emptying a carrier whose links are down or whose profile goes. */
struct shipment *carrier_take_waiting(struct carrier *c);
/* The same of those alone that were begun or are next: a few. */
struct shipment *carrier_take_near(struct carrier *c);
size_t carrier_waiting(const struct carrier *c, enum lane lane);
/* Milliseconds since the oldest at the lane's front was accepted; 0 when empty. */
int64_t carrier_oldest_ms(const struct carrier *c, enum lane lane);
/* Answers a receipt: status 0 or the profile's busy status. */
void carrier_answer(struct carrier *c, struct deliver_ticket t, uint32_t status);

/* What became of a page: KZ_OK the operator took it; KZ_REFUSED: it did not, the dialogue is over;
 * KZ_EXPIRED: no link took it in time, it was not sent; KZ_LOST: it was written and not answered, and is not
 * sent again. */
typedef void carrier_page_fn(void *arg, enum kz r);
/* Sends a page by the link that the dialogue came by, else by another one that is bound, before all lanes; a
 * page that was slowed goes again within its time. done once, later, unless this answers KZ_TOO_LONG: over
 * the profile's page limit; KZ_INVALID: empty, or not UTF-8; KZ_LOST: it drains; KZ_BUSY: too many wait. */
enum kz carrier_page(struct carrier *c, const struct ussd_peer *to, enum ussd_page how, const char *text,
    int64_t within_ms, carrier_page_fn *done, void *arg) KZ_CHECK;
/* Whether the connection that a dialogue's PDU came by stands: its answer is read then. */
bool carrier_link_stands(const struct carrier *c, uint32_t link, uint32_t epoch);
/* How many pages wait for a link. */
size_t carrier_pages(const struct carrier *c);

/* Fills up to room rows; returns the number of links. */
size_t carrier_report(const struct carrier *c, struct link_report *rows, size_t room);

/* Stops submitting, waits for the window (at most unbind_ms), unbinds, closes; on_drained once, later.
 * Shipments with nothing on the wire stay and can be taken; the others have their on_done when that is
 * answered, whatever was not sent of them yet, and a slowed part is refused as TEMPORARY. So after on_drained
 * every shipment that is left can be taken. */
void carrier_drain(struct carrier *c, loop_fn *on_drained, void *arg);
/* Closes everything at once without callbacks, of pages too. Shipments are simply forgotten: their owner
 * frees them. NULL is fine. */
void carrier_free(struct carrier *c);

#endif

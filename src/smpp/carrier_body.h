/* carrier_body: the inside of a carrier, shared by its files only: carrier.c (life and questions),
 * carrier_turn.c (turns and what became of them), carrier_pick.c (who is next), carrier_slow.c (who must wait
 * a while), carrier_read.c (what the operator sends), carrier_ussd.c (pages). */
#ifndef SMPP_CARRIER_BODY_H
#define SMPP_CARRIER_BODY_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/metrics.h"
#include "smpp/carrier.h"
#include "smpp/late.h"

/* One link and the shipments whose remaining parts it must send. */
struct line {
	struct carrier *carrier;
	struct link *session;
	struct list pinned[LANES];
	struct list pages; /* that wait for this link, which can submit */
	struct late late;
};

enum page_end { PAGE_TAKEN, PAGE_REFUSED, PAGE_EXPIRED, PAGE_LOST, PAGE_ENDS };

struct carrier {
	struct loop *loop;
	const struct profile *profile;
	const struct carrier_events *events;
	void *arg;
	struct list waiting[LANES]; /* behind those that are near */
	struct list
	    near[LANES]; /* any link may take them once they are cleared; their owner has been asked */
	size_t ahead;    /* so many may be near in a lane */
	struct list held[LANES]; /* queue full: nobody's for a while; in order of hold_ms */
	struct line *lines;
	size_t lines_n, first; /* first: the line whose turn it is */
	struct defer pump;
	struct timer *pump_timer;
	struct buf tlvs; /* scratch for one PDU */
	bool up;         /* as told by on_up */
	bool draining;
	/* carrier_ussd.c */
	struct list pages;      /* that wait for any link to be bound */
	struct list pages_sent; /* written, not answered */
	struct heap pages_due;  /* of those that wait */
	struct timer *pages_timer;
	struct metric *ussd_heard[USSD_CANCELLED + 1], *ussd_pages[PAGE_ENDS], *ussd_seconds, *ussd_waiting;
	loop_fn *on_drained; /* NULL: told, or nobody asked */
	void *drained_arg;
};

/* carrier.c */
/* Takes s out of the list that it is in. */
void carrier_pull(struct shipment *s);
/* The same, and puts it into this one. */
void carrier_put_first(struct shipment *s, struct list *list);
void carrier_put_last(struct shipment *s, struct list *list);
/* Into near or behind it. */
void carrier_queue(struct carrier *c, struct shipment *s);

/* carrier_turn.c */
/* Soon, from the loop: everything that can be sent is. */
void carrier_wake(struct carrier *c);
loop_fn carrier_pump;
void carrier_on_change(void *arg, struct link *l);
void carrier_on_answer(void *arg, struct link *l, void *owner, unsigned part, const struct link_answer *a);
bool carrier_on_late(void *arg, struct link *l, uint32_t sequence, const struct link_answer *a);

/* carrier_pick.c */
/* The shipment whose part the link sends next, cleared; NULL: none now. */
struct shipment *carrier_pick(const struct carrier *c, const struct line *line);

/* carrier_slow.c */
/* A part of s, in no mask any more, was answered with a slowing status: s waits to send it again. */
void carrier_slow(struct carrier *c, struct shipment *s, uint32_t status);
/* Those whose hold is over go over their link again, before what it has not begun. */
void carrier_release(struct carrier *c, enum lane lane, int64_t now);

/* carrier_read.c */
void carrier_on_deliver(void *arg, struct link *l, const struct pdu_sm *m, struct deliver_ticket t);
void carrier_on_broken(void *arg, struct link *l, const uint8_t *octets, size_t n, struct deliver_ticket t);

/* carrier_ussd.c */
void carrier_start_pages(struct carrier *c);
/* Without callbacks. */
void carrier_free_pages(struct carrier *c);
void carrier_on_ussd(struct carrier *c, struct link *l, const struct pdu_sm *m, struct deliver_ticket t);
/* Writes what can be written; true: a link would not take what it said it would. */
bool carrier_send_pages(struct carrier *c);
/* Until a link with pages may write the next one; -1: not before something happens. */
int64_t carrier_pages_rest_ms(const struct carrier *c);
/* Pages that waited for the link look for another one. */
void carrier_move_pages(struct carrier *c, struct line *line);
/* Those that wait are over. */
void carrier_drop_pages(struct carrier *c);
void carrier_on_page_answer(struct carrier *c, void *page, const struct link_answer *a);

#endif

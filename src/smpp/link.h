/* link: one SMPP session to one operator. Owns its socket, window, rate and reconnect timer; connects and
 * binds again until it is drained or freed. Never blocks. Reports through link_events, always from the loop,
 * never before link_new returned and never from inside link_submit. SMPP 3.4, 2.2 and 2.7. */
#ifndef SMPP_LINK_H
#define SMPP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"
#include "smpp/pdu.h"
#include "smpp/profile.h"
#include "smpp/status.h"

#define ESME_RMSGQFUL 0x14 /* SMPP 3.4, 5.1.3: a queue is full, the whole account's or one phone's */

#define ESME_RX_P_APPN 0x65 /* refused, and not to be brought again */

#define LINK_PAGE UINT32_MAX /* in the place of a part's number */

struct link;

/* To answer a deliver_sm or data_sm later; a value, harmless when the link is gone. */
struct deliver_ticket {
	uint32_t link, epoch, command, sequence;
};

/* A line of the status page per link. */
struct link_report {
	char name[48];     /* "kcell.1" */
	const char *state; /* "connecting", "binding", "bound", "waiting", "draining", "closed" */
	const char *bind;  /* "transceiver", ... */
	char reason[160];  /* of the last loss, "" when none */
	char peer[80];
	size_t window_used, window_room;
	double rate, rate_now;                 /* segments/s: configured, and after adaptation */
	uint64_t submitted, refused, receipts; /* since the start */
	int64_t state_ms;                      /* how long in that state */
};

/* What became of one submit_sm. */
struct link_answer {
	bool answered;           /* false: in doubt, the link was lost or the response timer ran out */
	enum status_class class; /* STATUS_OK and the others, by the profile */
	uint32_t status;
	const char *id;    /* as it came; "" when the answer had none */
	uint32_t sequence; /* not answered in time, and the session goes on: of a late answer; else 0 */
};

struct link_events {
	/* The state changed; comes from inside link_drain too. Call nothing of the link but its questions. */
	void (*on_change)(void *arg, struct link *l);
	/* Once for each link_submit that answered KZ_OK; its place in the window is free again. */
	void (*on_answer)(void *arg, struct link *l, void *owner, unsigned part, const struct link_answer *a);
	/* An answer to a submit_sm that nobody waits for: to the one of that sequence, when on_answer said
	 * that it was not answered in time. false: there was none. */
	bool (*on_late)(void *arg, struct link *l, uint32_t sequence, const struct link_answer *a);
	/* A deliver_sm or data_sm, to be answered by link_answer, now or later. */
	void (*on_deliver)(void *arg, struct link *l, const struct pdu_sm *m, struct deliver_ticket t);
	/* One that cannot be read, as it came with its header; to be answered the same way. */
	void (*on_broken)(
	    void *arg, struct link *l, const uint8_t *octets, size_t n, struct deliver_ticket t);
};

/* p, spec and events must outlive the link; index comes back in tickets. Connects at once. */
struct link *link_new(struct loop *loop, const struct profile *p, const struct profile_link *spec,
    uint32_t index, const struct link_events *events, void *arg);
/* Right after link_new: does not connect until link_dial; why is the reason in its report. */
void link_rest(struct link *l, const char *why);
/* Once, after link_rest: connects now. */
void link_dial(struct link *l);
/* The configuration was read again: a link that waits because something there had to be mended (a bind
 * refused for its credentials, certificates that could not be read) connects now; others are left alone. */
void link_redial(struct link *l);
/* "kcell.1" */
const char *link_name(const struct link *l);
/* Bound, and not as a receiver. */
bool link_can_submit(const struct link *l);
/* Segments a second that it allows itself now; 0: it cannot submit. */
double link_pace(const struct link *l);
/* When the next submit_sm of a message may go: 0 now, else milliseconds until there is a token; -1: not
 * before an on_change or an on_answer. */
int64_t link_wait_ms(struct link *l);
/* The same for a page of USSD, which may have the places of the window too that messages leave to it. */
int64_t link_page_wait_ms(struct link *l);
/* What is submitted in this round is decided from now on (stream_decide): before it is asked whether m may
 * go. */
void link_decide(struct link *l);
/* m: a submit_sm; weight: how many segments it counts for; owner and part come back in on_answer, never NULL.
 * KZ_BUSY: window, rate or socket full; KZ_LOST: not bound; KZ_INVALID, KZ_TOO_LONG: no PDU can be made of m.
 */
enum kz link_submit(
    struct link *l, const struct pdu_sm *m, unsigned weight, void *owner, unsigned part) KZ_CHECK;
/* The same of a page, a submit_sm or a data_sm; part is LINK_PAGE in on_answer. */
enum kz link_submit_page(struct link *l, const struct pdu_sm *m, void *owner) KZ_CHECK;
/* Nothing happens when the session of the ticket is over. */
void link_answer(struct link *l, struct deliver_ticket t, uint32_t status);
/* Whether it is bound by the connection of that epoch still: answers that it wrote there are read, or will
 * be.
 */
bool link_stands(const struct link *l, uint32_t epoch);
/* For the receipts that the owner read. */
void link_count_receipt(struct link *l);
/* For a PDU that the owner found odd. */
void link_count_odd(struct link *l, const char *what);
/* Stops submitting, waits for the window (at most unbind_ms), unbinds, closes for good; on_change tells. */
void link_drain(struct link *l);
bool link_is_closed(const struct link *l);
void link_report(const struct link *l, struct link_report *ret);
/* Closes at once without callbacks; owners are forgotten. NULL is fine. */
void link_free(struct link *l);

#endif

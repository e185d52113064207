/* link_body: the inside of a link, shared by its files only: link.c (life and states), link_ask.c (what we
 * send and wait for), link_read.c (what the peer sends). */
#ifndef SMPP_LINK_BODY_H
#define SMPP_LINK_BODY_H

#include "base/buf.h"
#include "base/log.h"
#include "net/stream.h"
#include "smpp/backoff.h"
#include "smpp/link.h"
#include "smpp/meter.h"
#include "smpp/rate.h"
#include "smpp/window.h"

/* SMPP 3.4, 5.1.3: what a link itself says or looks at. */
enum {
	ESME_ROK = 0x00,
	ESME_RINVCMDLEN = 0x02,
	ESME_RINVCMDID = 0x03,
	ESME_RALYBND = 0x05,
	ESME_RINVPASWD = 0x0E,
	ESME_RINVSYSID = 0x0F,
	ESME_RINVSYSTYP = 0x53,
};

enum link_state {
	LINK_WAITING,    /* no socket; connects when the timer fires */
	LINK_CONNECTING, /* resolving, TCP, TLS */
	LINK_BINDING,    /* bind sent */
	LINK_BOUND,
	LINK_DRAINING,  /* nothing new is sent, the window empties: unbind of either side, or a rebind */
	LINK_UNBINDING, /* unbind sent */
	LINK_CLOSING,   /* the last octets leave, the peer's are ignored */
	LINK_CLOSED,    /* for good */
};

struct link {
	struct loop *loop;
	const struct profile *profile;
	const struct profile_link *spec;
	const struct link_events *events;
	void *arg;
	char name[48];
	uint32_t index, epoch; /* epoch: of the socket */
	enum link_state state;
	int64_t entered_ms, bound_ms, redial_ms;
	bool leaving;   /* our drain: closes for good */
	bool faulty;    /* lost for what a person must mend: waits for long, unless told that it is mended */
	bool peer_left; /* the peer sent unbind: none of ours is due */
	bool unbound;   /* our unbind was answered: over when the rest of the read was looked at */
	struct stream *stream;
	struct tls *tls;
	struct window *window;
	size_t submits; /* of the window; the rest of it are bind, enquire_link and unbind */
	size_t held;    /* deliver_sm and data_sm handed up and not answered */
	struct timer *state_timer, *answer_timer, *quiet_timer, *body_timer;
	int64_t answer_at_ms;
	int64_t heard_ms, asked_ms; /* last whole PDU of the peer, last enquire_link of ours */
	bool asking;                /* an enquire_link is in the window */
	unsigned missed, nacks;
	unsigned full;           /* ESME_RMSGQFUL in a row */
	unsigned overdue;        /* submit_sm not answered in time, in a row */
	int64_t overdue_from_ms; /* when the first of those was sent */
	struct rate rate;
	struct backoff backoff;
	struct meter meter;
	struct buf out; /* scratch for one PDU */
	char reason[160];
};

/* link.c */
/* The only place where the state changes. */
void link_enter(struct link *l, enum link_state next);
/* The socket is of no more use: closes it, settles the window as in doubt, waits at least floor_ms to connect
 * again. LOG_LEVEL_ERROR: for what a person must mend, see link_redial. */
void link_lose(struct link *l, enum log_level level, int64_t floor_ms, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same after what is queued has left. */
void link_finish(struct link *l, const char *reason);
void link_bound(struct link *l);
void link_refused(struct link *l, uint32_t status);
/* Empties the window, then unbinds and connects again (or closes for good when leaving). */
void link_rebind(struct link *l);
/* Goes on when a draining link has nothing outstanding. */
void link_check_drained(struct link *l);

/* link_ask.c */
/* Whether a request of the window is of an owner: a message's or a page's. */
bool link_is_owned(const struct window_entry *e);
/* Writes l->out. What cannot be queued is dropped: the peer does not read, and the stream ends it after
 * stall_ms. */
void link_write(struct link *l);
/* Sends the request whose writer is put with a number of its own; answered in time or given up. */
void link_ask_bind(struct link *l);
void link_ask_unbind(struct link *l);
/* After any change of the window. */
void link_answered(struct link *l, const struct window_entry *e, const struct link_answer *a);
void link_settle(struct link *l);
loop_fn link_on_answer_timer, link_on_quiet_timer;
void link_start_quiet(struct link *l);

/* link_read.c */
size_t link_on_bytes(void *arg, const uint8_t *bytes, size_t len);

#endif

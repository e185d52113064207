/* message: the law of a message's life, pure: which states there are, which are final, what follows a
 * refusal, a lost answer, a receipt. Numbers of enums are stored: never renumber. */
#ifndef RULES_MESSAGE_H
#define RULES_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"

enum message_class { MESSAGE_CODE, MESSAGE_NOTICE, MESSAGE_BULK, MESSAGE_CLASSES };

/* Final from FAILED on; of the parts of one message the least is the message's. */
enum message_state {
	MESSAGE_ACCEPTED = 0,
	MESSAGE_SUBMITTED = 1,
	MESSAGE_FAILED = 2,
	MESSAGE_REJECTED = 3,
	MESSAGE_UNDELIVERABLE = 4,
	MESSAGE_EXPIRED = 5,
	MESSAGE_DELIVERED = 6,
	MESSAGE_UNCONFIRMED = 7, /* submitted, and no final receipt came in time; of whole messages only */
};

enum event_kind {
	EVENT_ACCEPTED = 0,  /* never stored: the message itself says it */
	EVENT_SUBMITTED = 1, /* a part, with the operator's id */
	EVENT_REFUSED = 2,   /* a part, with the operator's status */
	EVENT_IN_DOUBT = 3,  /* a part was written and not answered; over when REFUSED comes before RESENT */
	EVENT_RECEIPT = 4,   /* a part, with the operator's word */
	EVENT_EXPIRED = 5,   /* its time was over before it was sent */
	EVENT_FAILED = 6,    /* no further attempt */
	EVENT_ENDED = 7,     /* every part has ended */
	EVENT_RESENT = 8,    /* sent again though it may have arrived: a possible duplicate */
	/* The ledger of what may have been written when its daemon died, for reading back only. A message
	 * that was kept as at_once, or has a SENDING, may have been written since then, but for the parts
	 * that have an outcome since (1, 2, 3, 10, 11) and but for all of them when it was HELD_BACK as a
	 * whole since. */
	EVENT_SENDING = 9,      /* from now on it may be written: recorded before its first octet leaves */
	EVENT_INTERRUPTED = 10, /* a part that may have been written by a daemon that ended meanwhile */
	EVENT_HELD_BACK = 11,   /* a part, or the whole message, was not written after all */
};

const char *message_class_name(enum message_class c);
enum kz message_class_parse(const char *text, enum message_class *ret) KZ_CHECK;
const char *message_state_name(enum message_state s);
const char *event_kind_name(enum event_kind k);
bool message_state_is_final(enum message_state s);

/* What an attempt came to, from best to worst. */
enum attempt {
	ATTEMPT_DONE,        /* every part was answered OK */
	ATTEMPT_TEMPORARY,   /* refused, may work later */
	ATTEMPT_REROUTE,     /* not this carrier's subscriber */
	ATTEMPT_INTERRUPTED, /* perhaps written, by a daemon that ended: far more are than were written */
	ATTEMPT_IN_DOUBT,    /* written, not answered */
	ATTEMPT_FINAL,       /* refused for good */
};

enum next_step {
	NEXT_AWAIT_RECEIPT,
	NEXT_AGAIN,         /* after wait_ms, by the same way */
	NEXT_OTHER_CARRIER, /* after wait_ms */
	NEXT_FAIL,
};

struct message_past {
	enum message_class class;
	uint32_t attempts;  /* made so far, this one included */
	bool doubted;       /* was in doubt at an earlier attempt */
	bool rerouted;      /* was given to a second carrier because the first did not serve the number */
	bool part_taken;    /* a part was answered OK: the others must go by the same carrier */
	bool other_carrier; /* there is another that serves the number */
};

struct message_limits {
	int64_t attempts, retry_min_ms, retry_max_ms, in_doubt_ms;
};

struct message_plan {
	enum next_step step;
	int64_t wait_ms;
};

/* Temporary: back-off doubling from retry_min to retry_max; every second attempt by another carrier where
 * there is one. Reroute: once by another carrier, then failed. In doubt: once more, a code at once, others
 * after in_doubt_ms. Interrupted: the same, as long as there are attempts. */
struct message_plan message_next(
    enum attempt a, const struct message_past *past, const struct message_limits *limits);

/* Which receipts end a message of `parts` parts: profile's all | first | last | any. */
enum parts_mode { PARTS_ALL, PARTS_FIRST, PARTS_LAST, PARTS_ANY };
/* What a final receipt for part (1..parts) does to its message: ends it, ends one part of several, or
 * nothing. */
enum receipt_effect { RECEIPT_ENDS_MESSAGE, RECEIPT_ENDS_PART, RECEIPT_ENDS_NOTHING };
enum receipt_effect message_receipt_effect(enum parts_mode mode, unsigned part, unsigned parts);

#endif

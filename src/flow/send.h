/* send: journey 1 from an accepted wish to a recorded submit_sm_resp: kept in PostgreSQL, then given to a
 * carrier, again by the rules of rules/message when refused or in doubt, and after a restart from what the
 * database says is unfinished. Owns the carriers. */
#ifndef FLOW_SEND_H
#define FLOW_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "flow/ways.h"
#include "store/codes.h"
#include "store/events.h"
#include "store/messages.h"
#include "store/receipts.h"
#include "store/slots.h"

struct send;
struct letter;

/* What somebody wants sent. Texts are copied. */
struct send_wish {
	enum message_class class;
	struct msisdn to;
	const char *text;                /* UTF-8 that passed utf8_for_phone */
	const char *sender, *client_ref; /* NULL: none */
	int language;                    /* -1: none */
	int64_t expires_wall_ms;         /* 0: by the class's life */
	const char *avoid;               /* the link that lost what is sent again, "kcell.1"; NULL: none */
	/* of what brings a verification code */
	uint64_t id; /* from send_id; 0: the next */
	struct message_code code;
	const char *at_rest; /* the text with its hole */
};

/* What it will be. */
struct send_preview {
	struct text_cost cost;
	int64_t expires_wall_ms;
	const char *route[ROUTE_MAX]; /* carriers' names, best first */
	size_t route_n;
	const struct carrier *best; /* NULL: no route; for send_admits and letter_new in the same callback */
};

/* The rooms below that it works with; all outlive it. */
struct send_base {
	struct loop *loop;
	struct pg *pg;
	const struct lease *lease;
	struct messages *messages;
	struct feed *feed;
	struct events *events;
	struct receipts *receipts;
	const struct keyring *keyring;
	struct codes *codes;
};

struct send *send_new(const struct send_base *base, const struct conf *conf);
/* conf: the snapshot in force; it outlives send or is replaced by the next call. */
void send_set_conf(struct send *s, const struct conf *conf);
/* Owns the profiles and their array. */
void send_set_profiles(struct send *s, struct profile **profiles, size_t n);
/* The keyring has other keys: what waits for one is read again. */
void send_on_keyring(struct send *s);
const struct ways *send_ways(const struct send *s);

/* Told of each message that ended, was not delivered and brings a code or is a notice, when that is recorded:
 * by its receipt, or because no attempt was left; of others too when their receipt comes long after. Of
 * several parts, and of a receipt that had to wait for its submission: not told. */
typedef void send_lost_fn(void *arg, uint64_t message_id);
void send_on_lost(struct send *s, send_lost_fn *lost, void *arg);

/* Told of what phones dial and type; c lives during the call. NULL, as at first: what is dialled is refused.
 */
typedef void send_ussd_fn(void *arg, struct carrier *c, const struct ussd_in *in);
void send_on_ussd(struct send *s, send_ussd_fn *fn, void *arg);
/* carrier_page of the operator of that name, also of a profile that took the place of the one that the
 * dialogue came by. KZ_NOT_FOUND: there is none. */
enum kz send_page(struct send *s, const char *carrier, const struct ussd_peer *to, enum ussd_page how,
    const char *text, int64_t within_ms, carrier_page_fn *done, void *arg) KZ_CHECK;

/* The slot was taken, as slots_events say / all slots were lost: stop. */
void send_take_slot(struct send *s, uint8_t slot, uint64_t low_water, uint64_t newest);
void send_lose_slots(struct send *s);
/* How many messages of each slot are in memory, added to sums. */
void send_weigh(const struct send *s, size_t sums[IDS_SLOTS]);
/* The slot is given to another daemon: what is on the wire is answered and recorded, the rest is for whoever
 * reads it back. How much is still under way; called again until that is 0. */
size_t send_leave_slot(struct send *s, uint8_t slot);
/* It is not given after all: what was forgotten is read back. */
void send_stay_slot(struct send *s, uint8_t slot);
/* own: the slot for new messages, -1 none. */
void send_set_own(struct send *s, int own);
/* Notes the low water of each slot that is held. */
void send_note(struct send *s, struct slots *slots);

/* KZ_INVALID: empty; KZ_TOO_LONG: more parts than allowed (cost is set); KZ_EXPIRED: expires in the past or
 * beyond 7 days; KZ_NOT_FOUND: no carrier serves the number (route_n 0, the rest is set). */
enum kz send_preview(const struct send *s, const struct send_wish *w, struct send_preview *ret) KZ_CHECK;

/* By what a message to the number would go now, if not by the link of that name. SEND_SAME: no other is up.
 */
enum send_beside { SEND_SAME, SEND_OTHER_LINK, SEND_OTHER_CARRIER };
enum send_beside send_beside(const struct send *s, struct msisdn to, const char *link);

/* Whether a message that passed send_preview may come now. KZ_BUSY: too many or too old ones of its class
 * wait for the operator that it would go to; KZ_LOST: nothing can be kept now. ret_after_s: when to come
 * again. */
enum kz send_admits(
    struct send *s, enum message_class class, const struct send_preview *p, unsigned *ret_after_s) KZ_CHECK;

/* The id of a message to come, for what its text is made from. A slot is held: send_admits. */
uint64_t send_id(struct send *s);
/* A letter that passed send_preview; it has its id at once. Freed by send_keep or letter_drop. */
struct letter *letter_new(
    struct send *s, const struct send_wish *w, const struct send_preview *p, int32_t api_key);
uint64_t letter_id(const struct letter *l);
void letter_drop(struct send *s, struct letter *l);

/* One request: its letters are kept together with the claim of its Idempotency-Key. */
struct send_request {
	int32_t api_key;
	uint8_t key_hash[SECRET_HASH], body_hash[SECRET_HASH];
	int status;              /* the answer that a repetition gets */
	char *answer;            /* owned by send from send_keep on */
	struct letter **letters; /* the array is owned by send from send_keep on, as are the letters */
	size_t letters_n;
	struct code_row *codes; /* that the letters bring; owned as the letters are, with all they point to */
	size_t codes_n;
	struct notice_row *notices; /* likewise */
	size_t notices_n;
};
/* KZ_OK: kept, and on its way; KZ_CONFLICT: the key was used before; KZ_LOST: not kept as far as anybody
 * knows; KZ_REFUSED: the database refuses this request. Once, later; answer lives during the call. */
typedef void send_kept_fn(void *arg, enum kz r, const char *answer);
/* KZ_CONFLICT at once: a request with this key is still running; KZ_LOST at once: the database is away. Both
 * free what the request owns and done is not called. */
enum kz send_keep(struct send *s, const struct send_request *r, send_kept_fn *done, void *arg) KZ_CHECK;

struct send_report {
	size_t letters, waiting[LANES];
	int64_t oldest_ms[LANES];
};
void send_report(const struct send *s, struct send_report *ret);
/* Sets the gauges of what waits: for each operator, for the database. */
void send_measure(const struct send *s);

/* The end without a drain: nothing is taken, read back or tried again any more. */
void send_stop(struct send *s);
/* Stops taking turns, lets what is on the wire be answered, unbinds; done once, later, when what happened is
 * recorded too. */
void send_drain(struct send *s, loop_fn *done, void *arg);
void send_free(struct send *s);

#endif

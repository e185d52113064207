/* messages: what was asked, kept durably: rows of message, message_person and idempotency, committed in
 * groups, and with them the codes and the marks of the notices that they bring. */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "rules/message.h"
#include "store/batch.h"
#include "store/code_rows.h"
#include "store/feed.h"
#include "store/lease.h"
#include "store/notice_rows.h"
#include "store/person.h"
#include "text/segment.h"
#include "text/template.h"

struct messages;

/* One message as it is kept. A value whose texts belong to whoever holds it. */
struct message {
	uint64_t id;
	int32_t api_key;
	enum message_class class;
	struct msisdn to;
	int64_t phone; /* its keyed value: person_phone */
	uint8_t parts;
	enum alphabet alphabet;
	uint16_t reference; /* of its concatenation */
	int language;       /* enum language, -1: none */
	int64_t expires_wall_ms;
	bool at_once; /* it may be written as soon as it is kept: see EVENT_SENDING in rules/message.h */
	const char *text, *sender, *client_ref; /* sender and client_ref may be NULL */
	struct message_code code;               /* of what is kept: text has its hole */
};

/* One request to keep: all of its messages or none. Embedded by its owner, who keeps everything alive until
 * done. */
struct messages_wish {
	struct batch_item item;
	int32_t api_key;
	uint8_t key_hash[SECRET_HASH]; /* of the Idempotency-Key */
	uint8_t body_hash[SECRET_HASH];
	int64_t day_us; /* wall time of the request: its idempotency day */
	int status;     /* the answer that a repetition gets */
	const char *answer;
	const struct message *const *rows; /* at least one */
	size_t rows_n;
	const struct code_row *codes; /* that rows carry; may be none; all first sendings, or none of them */
	size_t codes_n;
	const struct notice_row *notices; /* that rows bring; may be none */
	size_t notices_n;
	/* zero-initialise */
	struct feed_hold feed; /* the numbers of what the codes supersede */
	/* KZ_OK kept; KZ_CONFLICT the Idempotency-Key was used within 24 h: ask messages_replay; KZ_LOST the
	 * database is away or the slot of a row is not ours, the outcome unknown when maybe: keep it again,
	 * or messages_abandon; KZ_REFUSED the database refused just this request: a notice was sent
	 * meanwhile, a code is over. Once, later. */
	void (*done)(struct messages_wish *w, enum kz r, bool maybe);
};

/* feed and keyring outlive it. */
struct messages *messages_new(struct loop *l, struct pg *pg, struct feed *feed, const struct keyring *keyring,
    const struct batch_limits *limits);
void messages_set_limits(struct messages *m, const struct batch_limits *limits);
/* KZ_LOST at once, without done, when the database is away. */
enum kz messages_keep(struct messages *m, struct messages_wish *w) KZ_CHECK;
/* Nobody will ask again what became of a wish that was answered KZ_LOST. */
void messages_abandon(struct messages *m, struct messages_wish *w);
/* Requests that wait and were never sent fail now with KZ_LOST: the database went away. */
void messages_fail_waiting(struct messages *m);
void messages_free(struct messages *m);

/* The first answer to (api_key, key_hash). found false: none within 24 h. */
typedef void messages_replay_fn(
    void *arg, enum kz r, const uint8_t body_hash[SECRET_HASH], int status, const char *answer);
/* KZ_OK, KZ_NOT_FOUND or KZ_LOST through done, later; KZ_BUSY at once, without done. */
enum kz messages_replay(struct pg *pg, int32_t api_key, const uint8_t key_hash[SECRET_HASH], int64_t now_us,
    messages_replay_fn *done, void *arg) KZ_CHECK;

/* A message that was accepted and neither submitted in full nor ended: open. */
struct message_open {
	/* parts: as cut for the carrier that has some of them, else as accepted. text: filled, and NULL while
	 * the key to what is sealed, or to a code's digits, is not in the keyring: to and sender may be
	 * missing too. When the digits will never be known again the text is empty and its time is over. */
	struct message message;
	uint32_t done_mask;  /* parts that were submitted */
	uint32_t doubt_mask; /* parts that were written once and never answered */
	uint32_t wire_mask;  /* parts that may have been written when their daemon ended */
	uint32_t attempts;   /* refusals, doubts and interruptions so far */
	uint32_t doubts;
	int64_t newest_us;   /* of its events; 0: none */
	const char *carrier; /* that has the parts of done_mask; "" when it is 0 */
};
/* Looks at the messages of slot with after < id < before in order, at most `most` of them, open or not. Each
 * open one, then done once: how many were looked at and the last one's id (0: none), or an error. */
typedef void messages_open_fn(void *arg, const struct message_open *m);
typedef void messages_open_done_fn(void *arg, enum kz r, size_t looked, uint64_t last);
enum kz messages_open(struct pg *pg, const struct keyring *keyring, uint8_t slot, uint64_t after,
    uint64_t before, int most, messages_open_fn *each, messages_open_done_fn *done, void *arg) KZ_CHECK;

#endif

/* events: what became of messages, kept durably and in groups. At least once: what was lost with a connection
 * is written again, so a row may stand twice; readers take equal rows as one. */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/message.h"
#include "store/batch.h"
#include "store/feed.h"

struct events;

/* One event. Made by message_event_new, then handed to events_add, which owns and frees it. */
struct message_event {
	struct batch_item item;
	uint64_t message_id;
	int64_t at_us; /* wall */
	enum event_kind kind;
	struct feed_hold feed; /* the number of the end that it makes or may make */
	bool final;            /* ends the message with state */
	bool may_close;        /* of a part of several: whether all parts have ended is looked at with it. A
	                        submission too: its receipt may have been recorded before it */
	enum message_state state; /* of the part or the message after it */
	unsigned part;            /* from 1; 0: the whole message */
	unsigned parts;           /* of a submission: into how many the message was cut; else 0 */
	/* inside the event's own memory; "" when absent */
	const char *carrier, *link, *operator_id, *status, *detail;
	/* Once, when committed (KZ_OK) or refused by the database (KZ_REFUSED); may be NULL. */
	void (*done)(void *arg, const struct message_event *e, enum kz r);
	void *arg;
};

/* Copies the texts (NULL is ""), each cut at 128 octets. */
struct message_event *message_event_new(uint64_t message_id, int64_t at_us, enum event_kind kind,
    unsigned part, const char *carrier, const char *link, const char *operator_id, const char *status,
    const char *detail);

/* What may end a message is numbered by feed, which outlives the events; while no slot is held it waits here.
 */
struct events *events_new(
    struct loop *l, struct pg *pg, struct feed *feed, const struct batch_limits *limits);
void events_set_limits(struct events *e, const struct batch_limits *limits);
/* Owns ev from now on. Lost events are tried again until they are kept. */
void events_add(struct events *e, struct message_event *ev);
/* A slot was taken: what waited for one goes on. All slots were lost: what may end a message waits. The feed
 * was told before. */
void events_on_slot(struct events *e);
/* Not yet committed. */
size_t events_pending(const struct events *e);
void events_free(struct events *e);

#endif

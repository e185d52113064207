/* notify: the journey from the recorded end of a message or a code to an endpoint of its client that answered
 * 2xx: read from the feeds of the slots that are held, signed, told, told again with growing waits. At least
 * once: what was told in the last second before a crash is told again, under the same webhook-id. */
#ifndef FLOW_NOTIFY_H
#define FLOW_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/keyring.h"
#include "net/loop.h"
#include "store/feed.h"
#include "store/pg.h"

struct notify;

/* All outlive it; asks the database only while a slot is held. */
struct notify *notify_new(
    struct loop *l, struct pg *pg, struct feed *feed, const struct keyring *keyring, const struct conf *conf);
/* conf: the snapshot in force; it outlives notify or is replaced by the next call. */
void notify_set_conf(struct notify *n, const struct conf *conf);
/* The slot is ours / all of them are lost: nothing more is told of them. */
void notify_take_slot(struct notify *n, uint8_t slot);
void notify_lose_slots(struct notify *n);
/* The slot is given to another daemon: what is on its way is answered and noted, the rest is told by who has
 * the slot then. How much is still under way; called again until that is 0. */
size_t notify_leave_slot(struct notify *n, uint8_t slot);
/* It is not given after all: goes on. */
void notify_stay_slot(struct notify *n, uint8_t slot);
/* Endpoints were changed, or something is to be told again: looks now. */
void notify_refresh(struct notify *n);

/* One that is paused, because it was down or said when to come again, is asked at once. */
void notify_ask_now(struct notify *n, int32_t id);

/* Of all endpoints that this daemon tells. */
struct notify_sum {
	size_t up, down, locked, open;
	int64_t oldest_ms; /* as below, of the worst */
};
struct notify_sum notify_sum(const struct notify *n);
struct notify_report {
	bool down, locked; /* locked: its secret cannot be opened, so it is told nothing */
	size_t open;       /* requests that are not answered */
	int64_t oldest_ms; /* since the oldest end that it was not told of; 0: it was told of all */
};
/* false: the endpoint is not told by this daemon; ret->locked says whether that is for its secret. */
bool notify_report(const struct notify *n, int32_t id, struct notify_report *ret);

/* Begins nothing more, waits for open requests, notes how far all came; done once, later. */
void notify_drain(struct notify *n, loop_fn *done, void *arg);
/* What is open is forgotten. NULL is fine. */
void notify_free(struct notify *n);

#endif

/* ways: the carriers that the profiles describe, and which of them take a number. Swapped as a whole on
 * reload: a carrier whose profile did not change lives on, the others drain; one that takes the place of
 * another of its name connects when that one's sessions are closed, and gathers messages until then. */
#ifndef FLOW_WAYS_H
#define FLOW_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/route.h"
#include "smpp/carrier.h"

struct ways;

struct ways_events {
	void (*on_near)(void *arg, struct shipment *s);
	unsigned (*on_turn)(
	    void *arg, struct carrier *c, struct shipment *s, unsigned part, struct shipment_part *ret);
	void (*on_part)(void *arg, struct shipment *s, unsigned part, const struct part_result *r);
	void (*on_done)(void *arg, struct shipment *s);
	void (*on_late)(void *arg, struct carrier *c, uint64_t id, unsigned part, unsigned parts,
	    int64_t doubt_us, const struct part_result *r);
	/* way: the carrier's number for ways_answer. */
	void (*on_receipt)(void *arg, struct carrier *c, uint32_t way, const struct receipt *r,
	    struct deliver_ticket ticket);
	void (*on_unreadable)(
	    void *arg, struct carrier *c, uint32_t way, const struct pdu_sm *m, struct deliver_ticket ticket);
	bool (*on_ussd)(void *arg, struct carrier *c, const struct ussd_in *in);
	void (*on_other)(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what);
	/* c went up or down; NULL: some came or went. Waiting shipments may want another. */
	void (*on_change)(void *arg, const struct carrier *c);
	/* A shipment that waited with a carrier that goes; it is out of it. */
	void (*on_homeless)(void *arg, struct shipment *s);
};

/* events live as long as the ways. */
struct ways *ways_new(struct loop *l, const struct ways_events *events, void *arg);
/* Owns profiles (n of them, and the array) from now on. */
void ways_set(struct ways *w, struct profile **profiles, size_t n);
/* The carriers that serve the number, best first, those that are up before the others; returns how many. */
size_t ways_route(const struct ways *w, struct msisdn to, struct carrier *ret[ROUTE_MAX]);
/* Whether another carrier is up that serves numbers of c too. */
bool ways_has_refuge(const struct ways *w, const struct carrier *c);
/* Each living carrier, in order of name. NULL ends it. */
struct carrier *ways_at(const struct ways *w, size_t i);
/* That of the name; NULL: it is not living. */
struct carrier *ways_named(const struct ways *w, const char *name);
/* Answers a receipt; nothing happens when that carrier is gone. busy: the profile's busy status. */
void ways_answer(struct ways *w, uint32_t way, struct deliver_ticket ticket, bool busy);
/* Every carrier stops, unbinds and closes; on_drained once, later. */
void ways_drain(struct ways *w, loop_fn *on_drained, void *arg);
void ways_free(struct ways *w);

#endif

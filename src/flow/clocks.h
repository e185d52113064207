/* clocks: what the passing of time does to the queue: referrals end, parents are reminded a day before, and
 * who watches a kindergarten hears of a free place when it is hers to take. What is due is read from the
 * database each second, in pages, from the oldest on: what became due while no daemon ran is done at the
 * next start. Every daemon does so; whatever several do at once is done once, and in one transaction with
 * what follows from it. */
#ifndef FLOW_CLOCKS_H
#define FLOW_CLOCKS_H

#include <stdint.h>

#include "base/keyring.h"
#include "flow/places.h"
#include "net/loop.h"
#include "rules/calendar.h"
#include "rules/region.h"
#include "store/feed.h"

struct clocks;

/* All outlive it. */
struct clocks_base {
	struct loop *loop;
	struct pg *pg;
	const struct feed *feed; /* whose slot what is written is fenced by */
	const struct keyring *keyring;
	struct places *places; /* stopped before clocks is freed */
	/* The id of a notice to come; asked between clocks_start and clocks_stop. */
	uint64_t (*next_id)(void *arg);
	void *arg;
};

/* The snapshot in force; it outlives clocks or is replaced by the next clocks_set_files. */
struct clocks_files {
	const struct regions *regions;
	const struct calendar *calendar;
};

/* Stands still until clocks_start. */
struct clocks *clocks_new(const struct clocks_base *base, const struct clocks_files *files);
void clocks_set_files(struct clocks *c, const struct clocks_files *files);
/* A slot is held. Again: it goes on. */
void clocks_start(struct clocks *c);
/* None is held any more, or the end is near: nothing more is begun. */
void clocks_stop(struct clocks *c);
/* NULL is fine. */
void clocks_free(struct clocks *c);

#endif

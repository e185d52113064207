/* tries: what a phone tried, counted by the law of rules/tries. Phones are keyed values; a token is that of a
 * press of a key, which is counted once however often it comes. */
#ifndef STORE_TRIES_H
#define STORE_TRIES_H

#include <stdint.h>

#include "rules/tries.h"
#include "store/batch.h"
#include "store/pg.h"

struct tries;

#define TRIES_PINS 256 /* in one transaction */

/* For tries_pin, which counts those of many phones in one transaction, one such after the other: they are
 * answered in the order in which they are asked. All outlive it. */
struct tries *tries_new(struct loop *l, struct pg *pg);
/* Who waits is forgotten without a callback. NULL is fine. */
void tries_free(struct tries *t);

/* How it stands after a try. */
struct try_state {
	int64_t again_us; /* not counted: when it may be tried again; 0: counted, now or before */
	unsigned left;    /* of the law's `most` */
};

/* Answers once, later, or KZ_BUSY at once without a callback. KZ_LOST, KZ_REFUSED: not known. */
typedef void tries_take_fn(void *arg, enum kz r, struct try_state s);
enum kz tries_take(
    struct pg *pg, int64_t phone, enum try_kind k, int64_t token, tries_take_fn *done, void *arg) KZ_CHECK;

/* What a phone wants to do to an application by the last digits of its child's IIN. */
struct pin_wish {
	int64_t phone, token;
	uint64_t application, referral; /* referral 0: of none */
};

/* Texts live during the callback. */
struct pin_facts {
	const char *last4, *region;
	bool before; /* the token did already what it was for: nothing was counted */
	struct try_state state;
};

/* Counted as a wrong try, so that many at once are not more than one after the other; who finds the digits
 * right says so by tries_forget. Answers once, later. KZ_NOT_FOUND: no confirmed phone of that application,
 * or another's referral; KZ_LOST, KZ_REFUSED: not known. */
typedef void tries_pin_fn(void *arg, enum kz r, const struct pin_facts *f);
void tries_pin(struct tries *t, const struct pin_wish *w, tries_pin_fn *done, void *arg);
/* All wrong tries of the phone. Nobody is told: lost, they stay counted. */
void tries_forget(struct pg *pg, int64_t phone, enum try_kind k);

#endif

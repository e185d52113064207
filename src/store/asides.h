/* asides: what operators sent as receipts and nobody can read, or the database refuses: kept sealed for
 * people, and only then acknowledged. */
#ifndef STORE_ASIDES_H
#define STORE_ASIDES_H

#include <stddef.h>
#include <stdint.h>

#include "base/keyring.h"
#include "store/batch.h"

struct asides;

/* Embedded by its owner, who keeps everything alive until done. */
struct aside_row {
	struct batch_item item;
	int64_t at_us;
	const char *carrier, *what; /* UTF-8 */
	const void *body;
	size_t body_n;
	void (*done)(struct aside_row *r, enum kz result); /* KZ_OK kept, KZ_LOST, KZ_REFUSED; once, later */
};

/* keyring outlives it. */
struct asides *asides_new(struct loop *l, struct pg *pg, const struct keyring *keyring);
void asides_keep(struct asides *a, struct aside_row *r);
/* Those that wait and were never sent fail now with KZ_LOST: the database is away. */
void asides_fail_waiting(struct asides *a);
/* What is not kept yet is forgotten without a callback. NULL is fine. */
void asides_free(struct asides *a);

/* One that was kept. Pointers live during the callback. */
struct aside_read {
	int64_t at_us;
	const char *carrier, *what;
	const void *body; /* NULL: it cannot be opened */
	size_t body_n;
};
/* The newest `most`, newest first, then done: KZ_OK or KZ_LOST. KZ_BUSY at once, without callbacks. */
typedef void asides_read_fn(void *arg, const struct aside_read *a);
typedef void asides_done_fn(void *arg, enum kz r);
enum kz asides_read(struct pg *pg, const struct keyring *keyring, int most, asides_read_fn *each,
    asides_done_fn *done, void *arg) KZ_CHECK;

#endif

/* unheard: messages that operators took and of which nothing final was ever heard: no receipt came, or none
 * that could be joined. They end too. */
#ifndef STORE_UNHEARD_H
#define STORE_UNHEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/feed.h"
#include "store/pg.h"

#define UNHEARD_MOST 2000

/* Goes on with the messages of slot where it stopped last time (the slot's row remembers), up to the id
 * `upto`, at most UNHEARD_MOST of them: each whose last part was submitted before before_us ends as
 * unconfirmed, each that was to be sent until a day ago and is not even submitted as expired. Stops at the
 * first that is still under way or was submitted later. done: how many ended; more: there are more to look at
 * now. The slot must be held: else it is KZ_REFUSED. KZ_BUSY at once, without done: also while feed
 * is not sure. */
typedef void unheard_fn(void *arg, enum kz r, size_t ended, bool more);
enum kz unheard_end(struct pg *pg, struct feed *feed, uint8_t slot, uint64_t upto, int64_t before_us,
    unheard_fn *done, void *arg) KZ_CHECK;

#endif

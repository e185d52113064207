/* joining: receipts that wait for their submission are joined with those recorded since, now and then: soon
 * when one has begun to wait, ever more rarely as long as nothing comes of it. Those that nobody's submission
 * can come for any more, and the oldest of too many, are forgotten and counted. */
#ifndef FLOW_JOINING_H
#define FLOW_JOINING_H

#include "store/receipts.h"

struct joining;

/* All outlive it. Looks by itself from now on. */
struct joining *joining_new(struct loop *l, struct pg *pg, struct feed *feed);
/* One waits: looks within a second of the first that was told since the last look. */
void joining_soon(struct joining *j);
void joining_free(struct joining *j);

#endif

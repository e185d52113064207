/* rates: how many a second, over the last seconds, of what the metrics count. */
#ifndef API_RATES_H
#define API_RATES_H

#include "net/loop.h"

struct rates;

enum rates_what { RATES_ACCEPTED, RATES_SUBMITTED, RATES_RECEIPTS, RATES };

/* Looks at the counters once a second. */
struct rates *rates_new(struct loop *l);
/* Per second over the last 5 s. */
double rates_of(const struct rates *r, enum rates_what what);
void rates_free(struct rates *r);

#endif

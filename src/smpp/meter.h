/* meter: the numbers of one link for the metrics page and the status page. */
#ifndef SMPP_METER_H
#define SMPP_METER_H

#include "base/metrics.h"
#include "smpp/status.h"

/* A value that points into the process's table. */
struct meter {
	struct metric *submitted, *receipts, *bound, *window, *rate, *rtt, *put_off, *mute;
	struct metric *refused[STATUS_CLASSES];
	char labels[80];
};

/* carrier and name: of the link, plain words. */
void meter_init(struct meter *m, const char *carrier, const char *name);
/* A PDU that the standard does not foresee here. what: "unknown_response", ... */
void meter_odd(const struct meter *m, const char *what);
/* Refusals of every class together. */
double meter_refused(const struct meter *m);

#endif

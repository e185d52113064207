/* smsc_centre: the simulated message centre: the listener, its sessions and what they share. */
#ifndef TOOLS_SMSC_CENTRE_H
#define TOOLS_SMSC_CENTRE_H

#include "net/loop.h"
#include "smsc_options.h"

#define SMSC_SESSIONS 512 /* connections at once; over it they are closed at once */

struct smsc_centre;

/* Listens and reports where. o must outlive it. NULL when it cannot; why was written to stderr. */
struct smsc_centre *smsc_centre_new(struct loop *l, const struct smsc_options *o);
/* Unbinds all sessions, waits for them a short time, then stops the loop. Again: stops it at once. */
void smsc_centre_stop(struct smsc_centre *c);
void smsc_centre_free(struct smsc_centre *c);

#endif

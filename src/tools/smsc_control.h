/* smsc_control: the socket on which phones are told what to do: a line of JSON in, a line out when it is
 * known what became of it. Owns the phones. Its callers are trusted as far as their lines are bounded. */
#ifndef TOOLS_SMSC_CONTROL_H
#define TOOLS_SMSC_CONTROL_H

#include "smsc_desk.h"

#define SMSC_CONTROL_CONNECTIONS 64
#define SMSC_CONTROL_LINE        16384 /* octets */

struct smsc_control;

/* Makes d->handsets, and listens when the option says where. NULL when it cannot; why was written to stderr.
 */
struct smsc_control *smsc_control_new(struct smsc_desk *d);
/* When all sessions are gone. */
void smsc_control_free(struct smsc_control *c);

#endif

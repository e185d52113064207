/* guard: what kezekctl guard asks on the control socket: what is held of codes, and its lifting. */
#ifndef API_GUARD_H
#define API_GUARD_H

#include "api/door.h"

void guard_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* {"subject": ..., "by": ..., "for_s": ...}: a prefix or phone as shown, or a number; for_s for a prefix
 * alone: so long it is not held again. Recorded with by and the user at the other end of the socket. */
void guard_lift(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

/* late: what kezekctl late asks on the control socket: notices that somebody was alarmed about and that have
 * not arrived. */
#ifndef API_LATE_H
#define API_LATE_H

#include "api/door.h"

/* {"late": [{"id", "application", "kind", "state", "at", "late_at", "messages", "message"}]}, at most 200,
 * newest first; without message: none was sent. */
void late_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

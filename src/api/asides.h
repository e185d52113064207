/* asides: what kezekctl aside asks on the control socket: the newest of what operators sent and nobody could
 * read. */
#ifndef API_ASIDES_H
#define API_ASIDES_H

#include "api/door.h"

/* {"asides": [{"at", "carrier", "what", "hex"}]}, at most 50, newest first; without hex: it cannot be opened.
 */
void asides_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

/* watches: of which kindergartens an application's parent wants to hear when a place is free there:
 * /v1/applications/{number}/watches. */
#ifndef API_WATCHES_H
#define API_WATCHES_H

#include "api/door.h"

void watches_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void watches_add(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void watches_remove(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

/* timeline: GET /v1/messages/{id} and /v1/messages?client_ref=. */
#ifndef API_TIMELINE_H
#define API_TIMELINE_H

#include "api/door.h"

void timeline_get(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void timeline_find(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

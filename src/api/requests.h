/* requests: what parents asked for by phone, to put a child in the queue: /v1/requests/{id}, by the id that
 * application.requested brings. */
#ifndef API_REQUESTS_H
#define API_REQUESTS_H

#include "api/door.h"

void requests_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* It was dealt with in another way than by an application. */
void requests_end(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

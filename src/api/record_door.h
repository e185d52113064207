/* record_door: PUT and GET of districts, kindergartens, groups, vacancies and applications, and pages of
 * them. The kind is the path's: /v1/districts/{id} and so on. */
#ifndef API_RECORD_DOOR_H
#define API_RECORD_DOOR_H

#include "api/door.h"

void record_door_put(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void record_door_get(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* ?after=&limit=: those with greater ids. */
void record_door_page(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

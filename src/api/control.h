/* control: what kezekctl asks on the control socket: the status page and the API keys. */
#ifndef API_CONTROL_H
#define API_CONTROL_H

#include "api/door.h"

void control_status(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void control_keys(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void control_key_add(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void control_key_revoke(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

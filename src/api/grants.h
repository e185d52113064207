/* grants: places that are taken and what becomes of them, for the portal's cabinet, and referrals as its
 * records say them. */
#ifndef API_GRANTS_H
#define API_GRANTS_H

#include "api/door.h"

/* Each answers c. id: what stands in the path, an application's number or a referral's. */
void grants_take(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void grants_accept(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void grants_decline(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void grants_extend(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void grants_put(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void grants_get(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

/* hooks: what kezekctl webhook asks on the control socket: endpoints made, shown, removed, enabled, told
 * again.
 */
#ifndef API_HOOKS_H
#define API_HOOKS_H

#include "api/door.h"

void hooks_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* {"client": ..., "url": ...}; the answer is the only one that shows the secret. */
void hooks_add(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void hooks_remove(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void hooks_enable(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* {"message": ...}: its end, to each endpoint of its client; {"application": ...}: its news, to each endpoint
 * that is told news; {"webhook": ..., "since": ...}: all ends and news since then, to that one. */
void hooks_replay(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* News of the application with that number, the oldest first, each as it is told. */
void hooks_news(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

/* queue: GET and POST /v1/queue: where applications stand, by their number or by a person's. */
#ifndef API_QUEUE_H
#define API_QUEUE_H

#include "api/door.h"

/* By ?application=, ?child_iin= or ?parent_iin=. */
void queue_get(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* By a member of the body, a phone too: proxies write down what stands in a URL. Nothing is changed by it, so
 * it needs no Idempotency-Key. */
void queue_ask(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

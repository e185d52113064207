/* health: /livez, /readyz, /metrics. */
#ifndef API_HEALTH_H
#define API_HEALTH_H

#include <jansson.h>

#include "api/door.h"

void health_live(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void health_ready(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void health_metrics(struct door *d, struct call *c, const struct door_caller *who, const char *id);

/* Why messages cannot be accepted durably, as a new array of texts; empty: they can. */
json_t *health_reasons(const struct door *d);
/* Whether health_reasons would be empty. */
bool health_is_ready(const struct door *d);

#endif

/* submit: POST /v1/messages and /v1/messages/batch. */
#ifndef API_SUBMIT_H
#define API_SUBMIT_H

#include "api/door.h"

void submit_one(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void submit_batch(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

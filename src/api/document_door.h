/* document_door: POST /v1/applications/{number}/documents: the parents are asked for a benefit document. */
#ifndef API_DOCUMENT_DOOR_H
#define API_DOCUMENT_DOOR_H

#include "api/door.h"

void document_door_ask(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

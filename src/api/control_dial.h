/* control_dial: the terminal handset of kezekctl dial: what is dialled, typed or hung up, answered by the
 * page that the phone would show. */
#ifndef API_CONTROL_DIAL_H
#define API_CONTROL_DIAL_H

#include "api/door.h"

/* {"phone": "+7701...", "said": "dial"|"type"|"cancel", "text": "*123#"} -> {"page": "...", "end": false}. */
void control_dial(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

/* dial_code: what dial_code.c and dial_phone.c share: a code that goes to a new phone and comes back. */
#ifndef FLOW_DIAL_CODE_H
#define FLOW_DIAL_CODE_H

#include "flow/dial_body.h"

#define DIAL_BINDING 17

/* The Idempotency-Key of what a call asks of codes. */
void dial_code_key(int64_t token, uint8_t hash[SECRET_HASH]);
/* The code is for this caller and that new phone, and for nothing else; returns text. */
char *dial_code_binding(const struct dial_call *c, struct msisdn to, char text[DIAL_BINDING]);

#endif

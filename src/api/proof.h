/* proof: POST /v1/codes and what follows: verification codes, by which a person proves to hold a phone. */
#ifndef API_PROOF_H
#define API_PROOF_H

#include "api/door.h"

void proof_send(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void proof_check(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void proof_resend(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void proof_get(struct door *d, struct call *c, const struct door_caller *who, const char *id);
void proof_cancel(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif

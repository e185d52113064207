/* recent: what was submitted lately, by the operator's id: most receipts find their message here, without a
 * question to the database. A ring of fixed size: the oldest is forgotten for the newest. */
#ifndef FLOW_RECENT_H
#define FLOW_RECENT_H

#include "smpp/receipt.h"
#include "store/receipts.h"

struct recent;

struct recent *recent_new(void);
/* id: canonical. The newest of equal ones wins. */
void recent_put(struct recent *r, const char *carrier, const char *id, const struct receipt_home *home);
/* NULL: not known. Lives until the next recent_put. */
const struct receipt_home *recent_find(const struct recent *r, const char *carrier, const char *id);
/* What receipts of it said and is recorded: a state is heard once, however often an operator repeats it;
 * final: as the last word, which is more than the same state of a try. */
void recent_hear(struct recent *r, const char *carrier, const char *id, enum receipt_state state, bool final);
bool recent_heard(
    const struct recent *r, const char *carrier, const char *id, enum receipt_state state, bool final);
/* Whether one of them was final. */
bool recent_is_over(const struct recent *r, const char *carrier, const char *id);
void recent_free(struct recent *r);

#endif

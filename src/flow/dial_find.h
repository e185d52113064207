/* dial_find: the applications that a service of the menu speaks of, with what the caller may see of them:
 * src/flow/dial*.c only. */
#ifndef FLOW_DIAL_FIND_H
#define FLOW_DIAL_FIND_H

#include "flow/dial_body.h"
#include "store/applicant.h"
#include "store/queue.h"

/* Words in the session's language. */
struct dial_entry {
	uint64_t application, position, referral;
	enum application_status status;
	enum referral_status referral_status; /* as it stands: EXPIRED from its end on */
	int64_t referral_until_us;
	int64_t looks_in; /* a district: that the phone chose, else the application's */
	int birth_year;
	bool own;           /* the caller's phone is one of its confirmed ones */
	unsigned languages; /* of its groups, as of struct queue_entry */
	char name[APPLICANT_NAME + 1], category[SESSION_VALUE], kindergarten[SESSION_VALUE];
	int age; /* by the law of its region, -1: not known; this and name of own ones only */
	bool privileged;
};

/* n of them, the newest first; live during the callback, which answers the call or has it answered. When
 * nobody knows the call is answered "down". */
typedef void dial_found_fn(struct dial_call *c, const struct dial_entry *e, size_t n);
void dial_find(struct dial_call *c, enum queue_by by, int64_t value, dial_found_fn *done);
/* The caller's own of n, how many: not those that are over, unless all are. */
size_t dial_find_own(const struct dial_entry *e, size_t n, const struct dial_entry *ret[QUEUE_FOUND]);
/* The answer of a look-up is ready: given, but one that did not find her own is counted first, also one that
 * found nothing, and may be "too_often". */
void dial_find_give(struct dial_call *c, bool own);

#endif

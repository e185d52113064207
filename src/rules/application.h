/* application: where a child's application stands, pure. Numbers are stored: never renumber. */
#ifndef RULES_APPLICATION_H
#define RULES_APPLICATION_H

#include <stdbool.h>

#include "base/result.h"

/* In the queue as long as it is WAITING; with a place that is held for it while REFERRED or ENROLLING; else
 * over. A benefit that is being confirmed is no status: until it is, the application is not privileged. */
enum application_status {
	APPLICATION_WAITING = 0,
	APPLICATION_REFERRED = 1,  /* a referral is offered */
	APPLICATION_ENROLLING = 2, /* a referral was accepted: documents are brought */
	APPLICATION_ENROLLED = 3,
	APPLICATION_WITHDRAWN = 4, /* its parent or the portal took it back */
	APPLICATION_ANNULLED = 5,  /* a referral was declined where that ends the application */
	APPLICATION_ARCHIVED = 6,
	APPLICATION_STATUSES
};

bool application_is_over(enum application_status s);
/* "waiting", "referred", ...; "unknown" for a number that is none. */
const char *application_status_name(enum application_status s);
/* KZ_INVALID when text is none of the names. */
enum kz application_status_parse(const char *text, enum application_status *ret) KZ_CHECK;
/* What the portal says of one, WAITING, ENROLLED, WITHDRAWN or ARCHIVED, as it stands at now, with a referral
 * open or not. Its word counts: waiting brings back one that was over. While a referral is open a place is
 * held: WAITING then changes nothing, and the others are KZ_CONFLICT until it is cancelled or the child is
 * in. KZ_INVALID: REFERRED, ENROLLING and ANNULLED are not the portal's to say. */
enum kz application_told(enum application_status now, bool referred, enum application_status told,
    enum application_status *ret) KZ_CHECK;

#endif

/* notice: what parents are told of their application, pure: the kinds, each with its template of
 * dialogs/sms.yaml, and when one may go out. Numbers are stored: never renumber. */
#ifndef RULES_NOTICE_H
#define RULES_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "rules/region.h"

enum notice_kind {
	NOTICE_NUMBER = 0, /* the application's number: due within 15 minutes of registration */
	NOTICE_OFFERED =
	    1,            /* a referral was given by the portal; subject of this to CANCELLED: the referral */
	NOTICE_TAKEN = 2, /* the parent took a place */
	NOTICE_REMIND = 3, /* a day before its end */
	NOTICE_ACCEPTED = 4,
	NOTICE_DECLINED = 5,
	NOTICE_EXTENDED = 6,
	NOTICE_EXPIRED = 7,
	NOTICE_CANCELLED = 8,
	NOTICE_PLACE = 9,      /* subject: the group that has a free place */
	NOTICE_DOCUMENTS = 10, /* a benefit document is asked for; subject: the request */
	NOTICE_PHONE = 11, /* a phone was changed, to the old and the new one; subject: that phone, keyed */
	NOTICE_KINDS
};

enum notice_state {
	NOTICE_WAITING = 0,
	NOTICE_SENT = 1, /* its message is kept, or the mail server took it */
	NOTICE_DELIVERED = 2,
	NOTICE_FAILED = 3,  /* no way is left */
	NOTICE_DROPPED = 4, /* before it was sent there was nothing to tell any more */
	NOTICE_STATES
};

enum notice_channel { NOTICE_SMS = 0, NOTICE_EMAIL = 1, NOTICE_CHANNELS };

/* "number", "offered", ... and "waiting", ... and "sms", "email": words of the API. */
const char *notice_kind_name(enum notice_kind k);
const char *notice_state_name(enum notice_state s);
const char *notice_channel_name(enum notice_channel c);
/* KZ_INVALID when text is none of the names. */
enum kz notice_channel_parse(const char *text, enum notice_channel *ret) KZ_CHECK;

/* When a notice that is made at now_us may go out: at once, or at the end of the region's quiet hours. At
 * once goes the number of an application, and what ends on the same local day or before the quiet hours do.
 * end_us: what it tells of ends then, 0: it has no end. */
int64_t notice_due_us(enum notice_kind k, const struct region *r, int64_t now_us, int64_t end_us);

#endif

/* notice_plan: what is done about a notice when it is looked at, pure: told now or later, told once more by
 * another way when it did not arrive, or over. */
#ifndef RULES_NOTICE_PLAN_H
#define RULES_NOTICE_PLAN_H

#include "rules/notice.h"
#include "rules/referral.h"
#include "rules/remedy.h"

/* Times are Unix microseconds, but of the remedy's past. */
struct notice_past {
	enum notice_kind kind;
	enum notice_state state;
	unsigned sends;             /* messages so far */
	int64_t until_us;           /* after it there is nothing to tell: 0: always */
	int64_t alarm_us;           /* 0: nobody is alarmed */
	bool arrived;               /* one of its messages was delivered */
	bool awaited;               /* by who did what it tells of, phone in hand */
	bool stale;                 /* there is nothing to tell any more: notice_is_stale */
	bool to_second;             /* its newest message went to the second phone */
	struct remedy_past message; /* the newest, of a notice that was sent */
};

/* How long a receipt is waited for. */
struct notice_waits {
	int64_t number_ms, other_ms; /* of NOTICE_NUMBER, of all others */
};

enum notice_step {
	NOTICE_STEP_WAIT, /* looked at again at at_us; 0: not any more */
	NOTICE_STEP_SEND, /* remedy says to whom and how: NONE the first time */
	NOTICE_STEP_ALARM,
	NOTICE_STEP_END, /* its state is the plan's from now on */
};

struct notice_plan {
	enum notice_step step;
	enum remedy remedy;
	enum notice_state state;
	int64_t at_us;
};

/* The alarm comes before all else but the good end; then once more by another link, then to the second
 * phone, each in time of the region and once. */
struct notice_plan notice_plan(
    const struct notice_past *past, const struct region *r, const struct notice_waits *waits, int64_t now_us);
/* Whether what a notice tells of is not so any more: of a referral by its status, of a free place by the
 * application's and whether one is free. */
bool notice_is_stale(
    enum notice_kind k, enum referral_status referral, enum application_status application, bool free);
/* Whether it ends: what it tells of is of no use after it. */
bool notice_ends(enum notice_kind k);
/* Of an email that could not be handed over for the n-th time, from 1 on: the wait until it is tried again;
 * -1: it goes by SMS instead. */
int64_t notice_mail_wait_ms(enum notice_kind k, unsigned n);

#endif

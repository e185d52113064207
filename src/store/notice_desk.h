/* notice_desk: the notices that something is to be done about, with all that is needed to decide it and to
 * write their text, and what was decided. Their rows are made by notice_put (store/sql/0007_notices.sql) in
 * the transaction that a notice follows from; the mark of its message is store/notice_rows. */
#ifndef STORE_NOTICE_DESK_H
#define STORE_NOTICE_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/application.h"
#include "rules/message.h"
#include "rules/notice.h"
#include "rules/referral.h"
#include "store/batch.h"
#include "store/feed.h"
#include "store/pg.h"
#include "text/language.h"

#define NOTICE_DESK_LATE 200 /* that notice_desk_late shows */

/* A notice whose time has come. Texts live during the callback; times are Unix microseconds, 0: none. */
struct notice_due {
	uint64_t id, application;
	enum notice_kind kind;
	enum notice_state state;
	int64_t subject;
	int64_t caller; /* the phone, keyed, that did what it tells of, and awaits it; 0: nobody called */
	int64_t until_us, alarm_us;
	const char *detail;
	const void *sealed; /* another number that it goes to; NULL: none */
	size_t sealed_n;
	int32_t api_key;
	unsigned sends;
	int mails; /* -1: not by email any more */
	/* of the application */
	enum application_status status;
	enum notice_channel channel;
	enum language language;
	const char *region;
	const void *person; /* store/applicant.h */
	size_t person_n;
	/* of the referral that it is about, of whose or its own group the kindergarten; NULL: none */
	bool has_referral;
	enum referral_status referral;
	int64_t referral_to_us;
	bool free; /* a place is, in the group that it is about */
	const char *kindergarten[LANGUAGES];
	/* of its newest message */
	uint64_t message;
	enum message_state message_state;
	int64_t submitted_us;
	const char *carrier, *link; /* that took it; "" */
	bool to_second;             /* it went to the application's second phone */
	bool arrived;               /* it or an earlier one was delivered */
};
typedef void notice_due_fn(void *arg, const struct notice_due *d);
/* more: there may be others that are due. */
typedef void notice_desk_read_fn(void *arg, enum kz r, bool more);

/* Of the slots held, what is due at now_us: at most so many numbers of applications and others, but for those
 * that are under way. */
struct notice_page {
	const bool *held; /* IDS_SLOTS */
	int64_t now_us;
	int numbers, others;
	const uint64_t *busy;
	size_t busy_n;
};
/* Each, then done once, later; KZ_BUSY at once without callbacks. *ret_ticket can cancel it. */
enum kz notice_desk_read(struct pg *pg, const struct notice_page *p, notice_due_fn *each,
    notice_desk_read_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* What was decided of a notice that was seen with so many messages and in that state; if it is so no more,
 * nothing is written. Embedded by its owner, who keeps it alive until done. */
struct notice_ruling {
	struct batch_item item;
	uint64_t id;
	unsigned sends;
	enum notice_state was, becomes;
	int64_t look_at_us; /* 0: not again. An alarm that is to come brings it back all the same */
	int mails;
	void (*done)(struct notice_ruling *r, enum kz result); /* once, later */
};

struct notice_desk;
struct notice_desk *notice_desk_new(struct loop *l, struct pg *pg, const struct batch_limits *limits);
void notice_desk_rule(struct notice_desk *d, struct notice_ruling *r);
/* Those that are under way are forgotten without a callback. NULL is fine. */
void notice_desk_free(struct notice_desk *d);

/* Messages ended and were not delivered: the notices that they are the newest of are due now. Most bring
 * none. */
typedef void notice_desk_done_fn(void *arg, enum kz r);
enum kz notice_desk_hear(struct pg *pg, const uint64_t *messages, size_t n, notice_desk_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* Somebody is alarmed about the notice, and the news of it written. found: it was not done before. KZ_LOST:
 * to be tried again with the same hold, or given up: feed_release. hold lives until done. A slot is held. */
typedef void notice_desk_alarm_fn(void *arg, enum kz r, bool found, const char *sqlstate);
enum kz notice_desk_alarm(struct pg *pg, struct feed *feed, struct feed_hold *hold, uint64_t notice,
    notice_desk_alarm_fn *done, void *arg) KZ_CHECK;

/* One that somebody was alarmed about and that has not arrived. */
struct notice_late {
	uint64_t id, application, message; /* message: the newest, 0: none */
	enum notice_kind kind;
	enum notice_state state;
	int64_t at_us, late_us;
	unsigned sends;
	int mails; /* tries by email; -1: it goes by SMS instead */
};
typedef void notice_late_fn(void *arg, const struct notice_late *l);
/* The newest NOTICE_DESK_LATE, newest first. KZ_BUSY at once, without callbacks. */
enum kz notice_desk_late(struct pg *pg, notice_late_fn *each, notice_desk_done_fn *done, void *arg) KZ_CHECK;

#endif

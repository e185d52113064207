/* news: what the portal is told of an application, pure: the kinds and through which door the change came.
 * Numbers are stored: never renumber. */
#ifndef RULES_NEWS_H
#define RULES_NEWS_H

enum news_kind {
	NEWS_TAKEN = 0, /* referral.taken: NEWS_TAKEN to NEWS_CANCELLED are of a referral */
	NEWS_ACCEPTED = 1,
	NEWS_DECLINED = 2,
	NEWS_EXTENDED = 3,
	NEWS_EXPIRED = 4,
	NEWS_CANCELLED = 5,
	NEWS_PHONE = 6,     /* phone.changed */
	NEWS_REQUESTED = 7, /* application.requested */
	NEWS_WATCHED = 8,   /* watcher.added */
	NEWS_LATE = 9,      /* notice.late: the application's number was not delivered by minute 12 */
	NEWS_KINDS
};

enum news_via { NEWS_BY_PORTAL = 0, NEWS_BY_USSD = 1, NEWS_BY_CLOCK = 2, NEWS_VIAS };

/* "referral.taken", ... and "portal", "ussd", "clock": words of webhooks. */
const char *news_kind_name(enum news_kind k);
const char *news_via_name(enum news_via v);

#endif

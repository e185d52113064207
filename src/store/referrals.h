/* referrals: the facts by which a place or a referral is judged, and the writing of what was judged, each in
 * batches. What is written is written whole, if it is still as it was judged: 0006_places.sql. */
#ifndef STORE_REFERRALS_H
#define STORE_REFERRALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/application.h"
#include "rules/news.h"
#include "rules/notice.h"
#include "rules/place.h"
#include "rules/referral.h"
#include "store/batch.h"
#include "store/feed.h"

struct referrals;

/* All outlive it. limits: of what is read and of what is written, each. */
struct referrals *referrals_new(
    struct loop *l, struct pg *pg, struct feed *feed, const struct batch_limits *limits);
void referrals_set_limits(struct referrals *r, const struct batch_limits *limits);

#define REFERRAL_TAKE (-1) /* the event by which a referral begins; of others: enum referral_event */

/* A referral as it stands. */
struct referral_row {
	uint64_t number, application, play_group;
	struct referral_life life;
	int64_t remind_us; /* 0: no more */
	int64_t seq;
};

/* What was found. Texts and sealed live during the callback. */
struct referral_facts {
	bool asked_before; /* the token is known: referral is the one that its request changed */
	int event;         /* of that request */
	bool has_referral, has_application, has_group, has_vacancy;
	struct referral_row referral;
	/* the application: of the referral, else the one that was asked for */
	int64_t application_seq;
	struct place_application application; /* privileged and age are the asker's to judge */
	const char *category, *region;        /* region: of the application's district */
	const void *sealed;                   /* applicant_open */
	size_t sealed_n;
	/* the group: of the referral, else the one that was asked for */
	struct place_vacancy vacancy;
	int64_t terms;
	const char *group_region;
};

/* A question; 0: not asked for. Embedded by its owner, zero-initialised, until done: KZ_OK with facts,
 * KZ_LOST, KZ_REFUSED. Once, later. */
struct referral_quest {
	struct batch_item item;
	uint64_t referral, application, play_group;
	int64_t token; /* 0: none */
	void (*done)(struct referral_quest *q, enum kz r, const struct referral_facts *f);
};
void referrals_read(struct referrals *r, struct referral_quest *q);

/* A change as it was judged. A value; texts live until it is done. */
struct referral_judged {
	struct referral_row referral; /* from now on; number 0: it is made; seq as judged, 0: it is new */
	int64_t application_seq;      /* as judged */
	bool takes;                   /* a place, of the vacancy with these terms */
	int64_t terms;
	bool frees;                /* its place comes back */
	int64_t priority_until_us; /* of that place, if it is released anew; 0: none */
	enum application_status application;
	int64_t stop_list_until_us; /* 0: as it is */
	const char *tier, *shares;  /* of a turn that the queue has served: its categories and their shares,
	                             * with  commas; NULL: none */
	int64_t token;              /* 0: none */
	int event;
	enum news_via via;
	int64_t caller; /* keyed: the phone that it was done by; 0: nobody called */
	int64_t at_us;
	uint64_t notice; /* its id; 0: none */
	enum notice_kind notice_kind;
	int64_t look_us, until_us; /* until_us 0: it has no end */
	int news;                  /* enum news_kind; -1: none */
};

/* Embedded by its owner, zero-initialise. */
struct referral_change {
	struct batch_item item;
	struct referral_judged judged;
	bool dropped; /* nobody wants it any more: if it has not left yet it comes to nothing */
	/* KZ_OK: written, number is the referral's. KZ_CONFLICT: something is not as it was judged any more,
	 * and nothing is written. KZ_LOST: not known. KZ_REFUSED: the database refuses this one. Once, later.
	 */
	void (*done)(struct referral_change *c, enum kz r, uint64_t number);
	struct feed_hold feed; /* the writer's own */
};
/* Again after KZ_LOST as well: what is at rest by then is not written twice. */
void referrals_write(struct referrals *r, struct referral_change *c);
/* Its owner gives up, when it is not being written. */
void referrals_abandon(struct referrals *r, struct referral_change *c);

/* What is open is forgotten without a callback; changes keep nothing of the feed. */
void referrals_stop(struct referrals *r);
/* NULL is fine. */
void referrals_free(struct referrals *r);

#endif

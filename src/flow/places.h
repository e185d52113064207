/* places: the journey to a place and of the referral that holds it: facts are read, judged by rules/place or
 * rules/referral, and written together if they are still as they were judged; else read again. The one
 * authority for every door: the portal's cabinet, the USSD menu, the clocks. What follows from a change,
 * notices and news, is in its transaction. */
#ifndef FLOW_PLACES_H
#define FLOW_PLACES_H

#include <stdint.h>

#include "base/keyring.h"
#include "flow/send.h"
#include "rules/calendar.h"
#include "rules/news.h"
#include "rules/place.h"
#include "rules/referral.h"
#include "rules/region.h"

struct places;

/* All outlive it. */
struct places_base {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	struct send *send; /* for the ids of notices */
	const struct keyring *keyring;
};

/* The snapshot in force; it outlives places or is replaced by the next places_set_files. */
struct places_files {
	const struct conf *conf;
	const struct regions *regions;
	const struct calendar *calendar;
};

struct places *places_new(const struct places_base *base, const struct places_files *files);
void places_set_files(struct places *p, const struct places_files *files);

/* token: keyed value of the request, the same when it is made again: it then gets the same answer and nothing
 * happens twice. 0: none. */
struct places_take {
	uint64_t application, play_group;
	enum news_via via;
	int64_t token;
};

struct places_hear {
	uint64_t referral;
	enum referral_event event;
	enum news_via via;
	int64_t token;
};

/* A referral as it stands now. Times are Unix microseconds. */
struct places_referral {
	uint64_t number, application, play_group;
	enum referral_status status;
	bool extended;
	int64_t from_us, to_us;
};

/* KZ_OK: referral is as it stands now. KZ_REFUSED: what the law says: of a take place.verdict, of an event
 * verdict. KZ_NOT_FOUND: no such application, group (what: "application", "group") or referral. KZ_INVALID:
 * it belongs to a region or category that the configuration does not have any more (what says which).
 * KZ_LOST: not known; ask again with the same token. */
struct places_answer {
	struct place_answer place;
	enum referral_verdict verdict;
	struct places_referral referral;
	const char *what; /* static */
};
typedef void places_done_fn(void *arg, enum kz r, const struct places_answer *a);

/* Each answers once, later, or KZ_BUSY at once without a callback: too many are under way, or no slot is
 * held. */
enum kz places_take(struct places *p, const struct places_take *t, places_done_fn *done, void *arg) KZ_CHECK;
enum kz places_hear(struct places *p, const struct places_hear *h, places_done_fn *done, void *arg) KZ_CHECK;

/* What is under way is forgotten, without a callback. NULL is fine. */
void places_free(struct places *p);

#endif

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

#define PLACES_OPEN  4096 /* under way at once */
#define PLACES_PHONE 2048 /* more of them, by USSD alone: a phone cannot be told to come again */
#define PLACES_MS    5000 /* an answer comes within this */

struct places *places_new(const struct places_base *base, const struct places_files *files);
void places_set_files(struct places *p, const struct places_files *files);

/* token: keyed value of the request, the same when it is made again: it then gets the same answer and nothing
 * happens twice. 0: none. */
struct places_take {
	uint64_t application, play_group;
	enum news_via via;
	int64_t token;
	int64_t caller; /* by USSD: the phone, keyed; else 0 */
};

struct places_hear {
	uint64_t referral;
	enum referral_event event;
	enum news_via via;
	int64_t token;
	int64_t caller; /* by USSD: the phone, keyed; else 0 */
};

/* A referral as the portal's records say it: of a number that is not known yet it is made, and takes a place
 * unless it is over or its place is counted already; the portal alone judged who gets it. Of one that is
 * known application, group and from stand; another status is heard as the event that leads to it, else a
 * later to is its end from now on. */
struct places_put {
	uint64_t referral, application, play_group;
	enum referral_status status;
	int64_t from_us, to_us;
	bool held;  /* the free places of its group were told without it */
	bool quiet; /* nobody is told: neither parent nor portal */
};

/* A referral as it stands now. Times are Unix microseconds. */
struct places_referral {
	uint64_t number, application, play_group;
	enum referral_status status;
	bool extended;
	int64_t from_us, to_us;
};

/* KZ_OK: referral is as it stands now. KZ_REFUSED: what the law says: of a take, and of a referral that is
 * put and new, place.verdict if it is not PLACE_OK, else verdict (what: "to" of such a one is past).
 * KZ_NOT_FOUND: no such application, group (what: "application", "group") or referral. KZ_CONFLICT: the token
 * is another request's, or what is put has another (what) "application", "group" or "from", or an earlier
 * "to". KZ_INVALID: it belongs to a region or category that the configuration does not have any more, or its
 * key is not in the keyring (what: "region", "category", "keyring"). KZ_LOST: not known; ask again with the
 * same token. */
struct places_answer {
	struct place_answer place;
	enum referral_verdict verdict;
	struct places_referral referral;
	bool created;     /* by this very request */
	bool repeated;    /* the request was made before */
	const char *what; /* static, NULL: none */
};
typedef void places_done_fn(void *arg, enum kz r, const struct places_answer *a);

/* Each answers once, later, or KZ_BUSY at once without a callback: too many are under way, or no slot is
 * held. In the order in which they are asked: of those for one place the first has it. */
enum kz places_take(struct places *p, const struct places_take *t, places_done_fn *done, void *arg) KZ_CHECK;
enum kz places_hear(struct places *p, const struct places_hear *h, places_done_fn *done, void *arg) KZ_CHECK;
enum kz places_put(struct places *p, const struct places_put *w, places_done_fn *done, void *arg) KZ_CHECK;
/* The referral as it stands. */
enum kz places_show(struct places *p, uint64_t referral, places_done_fn *done, void *arg) KZ_CHECK;

/* What is under way is answered KZ_LOST from inside; from now on KZ_BUSY. */
void places_stop(struct places *p);
/* Stopped before. NULL is fine. */
void places_free(struct places *p);

#endif

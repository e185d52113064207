/* places_body: what the files of the journey to a place share: src/flow/places*.c only. */
#ifndef FLOW_PLACES_BODY_H
#define FLOW_PLACES_BODY_H

#include "base/buf.h"
#include "base/list.h"
#include "base/metrics.h"
#include "flow/places.h"
#include "store/referrals.h"

enum places_result { PLACES_DONE, PLACES_REFUSED, PLACES_LOST, PLACES_RESULTS };
enum places_kind { PLACES_TAKE, PLACES_HEAR, PLACES_PUT, PLACES_SHOW, PLACES_KINDS };

/* One request, from its facts to its answer; owned by places. Told once, it lives on until the database has
 * answered. */
struct places_op {
	struct list_node node; /* open, or told */
	struct places *places;
	enum places_kind kind;
	struct places_put wish; /* of others than PUT, what they have of it */
	enum referral_event event;
	enum news_via via;
	int64_t token;
	int64_t give_up_ms;
	unsigned stale; /* how often what was judged was not so any more */
	bool told;
	struct buf tier, shares;
	struct referral_quest quest;
	struct referral_change change;
	places_done_fn *done;
	void *arg;
};

struct places {
	struct places_base base;
	struct places_files files;
	struct referrals *referrals;
	struct list open, told; /* open: in the order in which they are given up */
	struct timer *timer;
	bool stopped;
	struct metric *answers[PLACES_KINDS][PLACES_RESULTS], *stale;
};

/* places_judge.c */
/* What the law makes of the facts. KZ_OK: op's change is to be written, unless *ret_over: it stands already.
 * Else as the answer says. */
enum kz places_judge(
    struct places_op *op, const struct referral_facts *f, struct places_answer *ret, bool *ret_over) KZ_CHECK;
struct places_referral places_referral_of(const struct referral_row *r);

#endif

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
	int64_t token, caller;
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

/* places_change.c */
/* Whole milliseconds, as the door says times: what it said is what stands when it comes back. */
int64_t places_change_now_us(const struct places_op *op);
/* The end of the region's clock from a moment; 0: the clock stands at none. */
int64_t places_change_end_us(
    const struct places_op *op, const struct region *region, enum region_clock clock, int64_t from_us);
/* A day before the end, 0 when that is over by then. */
int64_t places_change_remind_us(int64_t to_us, int64_t now_us);
/* op's change is a new referral as wished, OFFERED, that takes a place of the vacancy. */
void places_change_begin(struct places_op *op, const struct referral_facts *f, int64_t now_us);
/* op's change makes next of the referral, and nothing else. */
void places_change_next(
    struct places_op *op, const struct referral_facts *f, const struct referral_life *next, int64_t now_us);
/* The parent is told with it; end_us: what she is told of ends then, 0: it has no end. */
void places_change_notice(
    struct places_op *op, enum notice_kind kind, const struct region *region, int64_t end_us);
/* It is a turn of the category's tier in the queue. */
void places_change_turn(struct places_op *op, const struct region *region, const struct region_category *own);

/* places_judge.c */
/* What the law makes of the facts. KZ_OK: op's change is to be written, unless *ret_over: it stands already.
 * Else as the answer says. */
enum kz places_judge(
    struct places_op *op, const struct referral_facts *f, struct places_answer *ret, bool *ret_over) KZ_CHECK;
static inline bool places_is_open(enum referral_status s)
{
	return s == REFERRAL_OFFERED || s == REFERRAL_ACCEPTED;
}
struct places_referral places_referral_of(const struct referral_row *r);

#endif

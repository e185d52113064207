/* clocks_body: what the files of clocks share: src/flow/clocks*.c only. */
#ifndef FLOW_CLOCKS_BODY_H
#define FLOW_CLOCKS_BODY_H

#include "base/metrics.h"
#include "flow/clocks.h"
#include "store/openings.h"

#define CLOCKS_TICK_MS  1000
#define CLOCKS_PAGE     100
#define CLOCKS_STUCK_MS 10000 /* what cannot be done is not tried at each tick */

enum clock_kind { CLOCK_END, CLOCK_REMIND, CLOCK_WATCH, CLOCK_KINDS };

/* One clock on its way through what is due: from the oldest on, page by page, then a rest. */
struct clocks_sweep {
	struct clocks *clocks;
	loop_fn *read; /* the next page; arg is the clocks */
	struct timer *timer;
	uint64_t asking;       /* ticket, 0: no question is out */
	struct due_mark after; /* the last that was read, zero: the sweep begins */
	size_t looked;         /* of the page */
	bool stuck;            /* something could not be done */
	struct metric *lag, *done, *faults;
};

/* A group that is looked at for its watchers. */
struct clocks_opening {
	struct opening o;
	char region[REGION_ID + 1];
};

struct clocks {
	struct clocks_base base;
	struct clocks_files files;
	bool runs;
	struct clocks_sweep sweeps[CLOCK_KINDS];
	struct timer *calendar_timer;
	struct metric *calendar_left;
	uint64_t ends[CLOCKS_PAGE]; /* referrals of the page */
	size_t ends_n, ends_open;   /* open: being ended */
	int64_t now_us;             /* of the question of reminders that is out */
	struct due_notice reminders[CLOCKS_PAGE];
	size_t reminders_n;
	struct clocks_opening openings[CLOCKS_PAGE];
	size_t openings_n, opening; /* opening: the one that is looked at */
	uint64_t watcher;           /* the last that was read of it */
	size_t watchers;            /* of the page */
	int64_t next_us;            /* when it is looked at again, 0: no need as far as is known */
	struct opening_notice told[CLOCKS_PAGE];
	size_t told_n;
};

/* clocks.c */
int64_t clocks_now_us(const struct clocks *c);
/* The page that is read next. */
struct due_page clocks_page(const struct clocks *c, const struct clocks_sweep *s);
/* One of the page came. */
void clocks_saw(struct clocks_sweep *s, const struct due_mark *due);
/* One of the page cannot be done as things are. */
void clocks_fault(struct clocks_sweep *s);
/* The page is done with: the next one, or a rest when it was the last. */
void clocks_turn(struct clocks_sweep *s);
/* A question was asked, or cannot be: everything begins anew after a rest. */
void clocks_asked(struct clocks_sweep *s, enum kz r);
/* It was answered: false when without success. */
bool clocks_heard(struct clocks_sweep *s, enum kz r);

/* clocks_end.c, clocks_remind.c, clocks_watch.c: the next page of each */
void clocks_end(void *arg);
void clocks_remind(void *arg);
void clocks_watch(void *arg);

#endif

/* Watchers: each group that has free places is looked at when they are released, and again when the turn of a
 * watcher comes who had to be passed over. As long as places are free and somebody watches, also each hour:
 * a child comes of age, a referral runs out, an application changes. In quiet hours nobody is told, so that
 * all is looked at when they end: by then the place may be another's. */
#include "flow/clocks_body.h"

#include <stdio.h>

#include "base/log.h"
#include "rules/notice.h"
#include "store/applicant.h"

#define AGAIN_US INT64_C(3600000000)

static struct clocks_sweep *watch_sweep(struct clocks *c)
{
	return &c->sweeps[CLOCK_WATCH];
}

static void watch_begin(struct clocks *c);
static void watch_read(struct clocks *c);

/* The group is looked at again at that time, if not before. */
static void watch_again(struct clocks *c, int64_t at_us)
{
	if (!c->next_us || at_us < c->next_us)
		c->next_us = at_us;
}

static void watch_on_rested(void *arg, enum kz r)
{
	struct clocks *c = arg;

	if (!clocks_heard(watch_sweep(c), r))
		return;
	c->opening++;
	watch_begin(c);
}

static void watch_rest(struct clocks *c)
{
	struct clocks_sweep *s = watch_sweep(c);
	int slot = feed_slot(c->base.feed);

	clocks_asked(s, slot < 0
	                    ? KZ_LOST
	                    : opening_rest(c->base.pg, feed_lease(c->base.feed), (uint8_t)slot,
	                          &c->openings[c->opening].o, c->next_us, watch_on_rested, c, &s->asking));
}

static void watch_go_on(struct clocks *c)
{
	if (c->watchers == CLOCKS_PAGE)
		watch_read(c);
	else
		watch_rest(c);
}

/* Who was not as she was judged is judged again. */
static void watch_on_told(void *arg, enum kz r, size_t told)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = watch_sweep(c);

	if (!clocks_heard(s, r))
		return;
	metric_add(s->done, told);
	if (told < c->told_n)
		watch_again(c, clocks_now_us(c));
	watch_go_on(c);
}

/* false: it cannot be said. */
static bool watch_complete(const struct clocks *c, const struct region *r, const struct opening_watcher *w,
    struct place_application *ret)
{
	const struct region_category *category = region_category_find(r, w->category);
	struct applicant a;
	enum kz kz = applicant_open(c->base.keyring, w->application, w->sealed, w->sealed_n, &a);

	*ret = w->asks;
	if (kz == KZ_OK)
		ret->age = region_child_age(r, &a.child, clocks_now_us(c));
	if (category)
		ret->privileged = category->privileged;
	applicant_wipe(&a);
	return kz == KZ_OK && category;
}

static void watch_judge(struct clocks *c, const struct region *r, const struct opening_watcher *w)
{
	const struct opening *o = &c->openings[c->opening].o;
	int64_t now_us = clocks_now_us(c);
	struct place_application asks;

	watch_again(c, now_us + AGAIN_US);
	if (w->told)
		return;
	if (!watch_complete(c, r, w, &asks)) {
		clocks_fault(watch_sweep(c));
		log_warn("clocks", "a watcher is not told of free places: her category is not configured, or "
		                   "her data cannot "
		                   "be opened");
		return;
	}
	const struct place_answer answer = place_judge(&asks, &o->place, now_us);
	if (answer.until_us)
		watch_again(c, answer.until_us);
	if (answer.verdict == PLACE_OK)
		c->told[c->told_n++] = (struct opening_notice){w->application, c->base.next_id(c->base.arg),
		    w->seq, notice_due_us(NOTICE_PLACE, r, now_us, 0)};
}

static void watch_on_watcher(void *arg, const struct opening_watcher *w)
{
	struct clocks *c = arg;
	const struct region *r = region_find(c->files.regions, c->openings[c->opening].region);

	c->watcher = w->application;
	c->watchers++;
	if (r)
		watch_judge(c, r, w);
}

static void watch_on_watchers(void *arg, enum kz r)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = watch_sweep(c);

	if (!clocks_heard(s, r))
		return;
	if (!c->told_n)
		watch_go_on(c);
	else
		clocks_asked(s, opening_tell(c->base.pg, feed_lease(c->base.feed), &c->openings[c->opening].o,
		                    c->told, c->told_n, watch_on_told, c, &s->asking));
}

static void watch_read(struct clocks *c)
{
	struct clocks_sweep *s = watch_sweep(c);

	c->watchers = c->told_n = 0;
	clocks_asked(s, opening_watchers(c->base.pg, c->openings[c->opening].o.kindergarten, c->watcher,
	                    CLOCKS_PAGE, watch_on_watcher, watch_on_watchers, c, &s->asking));
}

/* Of a region that is gone nobody is told, and a place that is gone is looked at when it comes back. */
static void watch_begin(struct clocks *c)
{
	if (c->opening == c->openings_n) {
		clocks_turn(watch_sweep(c));
		return;
	}
	const struct clocks_opening *at = &c->openings[c->opening];
	const struct region *r = region_find(c->files.regions, at->region);
	int64_t now_us = clocks_now_us(c);
	int64_t told_us = r ? notice_due_us(NOTICE_PLACE, r, now_us, 0) : now_us + AGAIN_US;
	c->watcher = 0;
	c->next_us = told_us > now_us ? told_us : 0;
	if (!r) {
		clocks_fault(watch_sweep(c));
		log_warn("clocks",
		    "nobody is told of free places in group %llu: its region is not configured",
		    (unsigned long long)at->o.due.number);
	}
	if (!c->next_us && at->o.place.free)
		watch_read(c);
	else
		watch_rest(c);
}

static void watch_on_opening(void *arg, const struct opening *o)
{
	struct clocks *c = arg;
	struct clocks_opening *at = &c->openings[c->openings_n++];

	clocks_saw(watch_sweep(c), &o->due);
	at->o = *o;
	at->o.region = NULL;
	snprintf(at->region, sizeof at->region, "%s", o->region);
}

static void watch_on_page(void *arg, enum kz r)
{
	struct clocks *c = arg;

	if (clocks_heard(watch_sweep(c), r))
		watch_begin(c);
}

void clocks_watch(void *arg)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = watch_sweep(c);
	const struct due_page page = clocks_page(c, s);

	c->openings_n = c->opening = 0;
	clocks_asked(s, opening_page(c->base.pg, &page, watch_on_opening, watch_on_page, c, &s->asking));
}

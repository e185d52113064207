/* Reminders: a day before a referral ends, as the time was reckoned when it was given. */
#include "flow/clocks_body.h"

#include "base/log.h"
#include "rules/notice.h"

static void remind_on_each(void *arg, const struct due_referral *d)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_REMIND];
	const struct region *r = region_find(c->files.regions, d->region);

	clocks_saw(s, &d->due);
	if (!r) {
		clocks_fault(s);
		log_warn("clocks",
		    "nobody is reminded of referral %llu: its region is not configured any more",
		    (unsigned long long)d->due.number);
		return;
	}
	c->reminders[c->reminders_n++] = (struct due_notice){.number = d->due.number,
	    .id = c->base.next_id(c->base.arg),
	    .seq = d->seq,
	    .look_us = notice_due_us(NOTICE_REMIND, r, c->now_us, d->to_us)};
}

static void remind_on_told(void *arg, enum kz r, size_t told)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_REMIND];

	if (!clocks_heard(s, r))
		return;
	metric_add(s->done, told);
	clocks_turn(s);
}

static void remind_on_page(void *arg, enum kz r)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_REMIND];

	if (!clocks_heard(s, r))
		return;
	if (!c->reminders_n)
		clocks_turn(s);
	else
		clocks_asked(s, due_remind(c->base.pg, feed_lease(c->base.feed), c->reminders, c->reminders_n,
		                    c->now_us, remind_on_told, c, &s->asking));
}

void clocks_remind(void *arg)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_REMIND];
	const struct due_page page = clocks_page(c, s);

	c->now_us = page.now_us;
	c->reminders_n = 0;
	clocks_asked(s, due_reminders(c->base.pg, &page, remind_on_each, remind_on_page, c, &s->asking));
}

/* Referrals that are past their end. What becomes of them, their places and their applications is for places
 * to say, as it is for a parent who declines: several daemons ask, one is heard. */
#include "base/log.h"
#include "flow/clocks_body.h"

static void end_on_each(void *arg, const struct due_referral *d)
{
	struct clocks *c = arg;

	clocks_saw(&c->sweeps[CLOCK_END], &d->due);
	c->ends[c->ends_n++] = d->due.number;
}

/* Refused: another daemon was quicker, or its end was moved. Lost: asked again at the next tick. */
static void end_count(struct clocks_sweep *s, enum kz r, const struct places_answer *a)
{
	if (r == KZ_OK)
		metric_add(s->done, 1);
	else if (r == KZ_INVALID)
		clocks_fault(s);
	else if (r != KZ_REFUSED)
		metric_add(s->faults, 1);
	if (r == KZ_INVALID)
		log_warn("clocks",
		    "referral %llu is past its end and stays open: its %s is not configured any more",
		    (unsigned long long)a->referral.number, a->what);
}

static void end_on_heard(void *arg, enum kz r, const struct places_answer *a)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_END];

	end_count(s, r, a);
	if (--c->ends_open == 0)
		clocks_turn(s);
}

static void end_on_page(void *arg, enum kz r)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_END];

	if (!clocks_heard(s, r))
		return;
	for (size_t i = 0; i < c->ends_n; i++) {
		const struct places_hear hear = {c->ends[i], REFERRAL_EXPIRE, NEWS_BY_CLOCK, 0, 0};

		if (places_hear(c->base.places, &hear, end_on_heard, c) == KZ_OK)
			c->ends_open++;
		else
			metric_add(s->faults, 1);
	}
	if (!c->ends_open)
		clocks_turn(s);
}

void clocks_end(void *arg)
{
	struct clocks *c = arg;
	struct clocks_sweep *s = &c->sweeps[CLOCK_END];
	const struct due_page page = clocks_page(c, s);

	c->ends_n = 0;
	clocks_asked(s, due_ends(c->base.pg, &page, end_on_each, end_on_page, c, &s->asking));
}

/* The clocks have no timer for each thing that is due: the database has the times, indexed, and a second is
 * near enough. A list in memory was weighed: it would have to be read back, and told of every change that
 * other daemons make. */
#include "flow/clocks_body.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

#define DAY_MS      INT64_C(86400000)
#define CALENDAR_US (30 * DAY_MS * 1000) /* so long before its end it is said */

int64_t clocks_now_us(const struct clocks *c)
{
	return loop_clock(c->base.loop)->wall_us();
}

struct due_page clocks_page(const struct clocks *c, const struct clocks_sweep *s)
{
	return (struct due_page){s->after, clocks_now_us(c), CLOCKS_PAGE};
}

void clocks_saw(struct clocks_sweep *s, const struct due_mark *due)
{
	if (!s->after.at_us)
		metric_set(s->lag, (double)(clocks_now_us(s->clocks) - due->at_us) / 1e6);
	s->after = *due;
	s->looked++;
}

void clocks_turn(struct clocks_sweep *s)
{
	bool last = s->looked < CLOCKS_PAGE;

	if (!s->after.at_us)
		metric_set(s->lag, 0);
	if (s->clocks->runs)
		timer_start(s->timer, !last ? 0 : s->stuck ? CLOCKS_STUCK_MS : CLOCKS_TICK_MS);
	s->looked = 0;
	if (!last)
		return;
	s->after = (struct due_mark){0};
	s->stuck = false;
}

void clocks_fault(struct clocks_sweep *s)
{
	metric_add(s->faults, 1);
	s->stuck = true;
}

static void clocks_rest(struct clocks_sweep *s)
{
	s->looked = 0;
	s->after = (struct due_mark){0};
	if (s->clocks->runs)
		timer_start(s->timer, CLOCKS_TICK_MS);
}

void clocks_asked(struct clocks_sweep *s, enum kz r)
{
	if (r != KZ_OK)
		clocks_rest(s);
}

bool clocks_heard(struct clocks_sweep *s, enum kz r)
{
	s->asking = 0;
	if (r == KZ_OK)
		return true;
	metric_add(s->faults, 1);
	clocks_rest(s);
	return false;
}

static void clocks_sweep_init(struct clocks *c, enum clock_kind kind, const char *name, loop_fn *read)
{
	struct clocks_sweep *s = &c->sweeps[kind];
	char labels[32];

	snprintf(labels, sizeof labels, "clock=\"%s\"", name);
	*s = (struct clocks_sweep){.clocks = c, .read = read, .timer = timer_new(c->base.loop, read, c)};
	s->lag = metric_gauge("kezek_clocks_lag_seconds",
	    "For how long the oldest of what is due was due when it was looked at last", labels);
	s->done =
	    metric_counter("kezek_clocks_done_total", "What became due and was done by this daemon", labels);
	s->faults = metric_counter("kezek_clocks_faults_total",
	    "What was due and could not be done: it is tried again until it can", labels);
}

/* Whether any span of the regions asks for the calendar. */
static bool clocks_need_calendar(const struct clocks *c)
{
	for (size_t i = 0; i < regions_count(c->files.regions); i++)
		for (int k = 0; k < REGION_CLOCKS; k++)
			if (regions_at(c->files.regions, i)->clocks[k].unit == SPAN_WORKING_DAYS)
				return true;
	return false;
}

static void clocks_check_calendar(void *arg)
{
	struct clocks *c = arg;
	int64_t end_us = calendar_end_us(c->files.calendar), left_us = end_us - clocks_now_us(c);
	char end[32];

	metric_set(c->calendar_left, left_us > 0 ? (double)left_us / 1e6 : 0);
	if (left_us < CALENDAR_US && clocks_need_calendar(c))
		log_warn("calendar",
		    "holidays ends at %s: from then on holidays pass for working days; add the next year",
		    end_us ? clock_rfc3339(end_us, end) : "no date");
	timer_start(c->calendar_timer, DAY_MS);
}

struct clocks *clocks_new(const struct clocks_base *base, const struct clocks_files *files)
{
	struct clocks *c = mem_new(sizeof *c);

	*c = (struct clocks){.base = *base, .files = *files};
	clocks_sweep_init(c, CLOCK_END, "end", clocks_end);
	clocks_sweep_init(c, CLOCK_REMIND, "remind", clocks_remind);
	clocks_sweep_init(c, CLOCK_WATCH, "watch", clocks_watch);
	c->calendar_timer = timer_new(base->loop, clocks_check_calendar, c);
	c->calendar_left = metric_gauge(
	    "kezek_calendar_left_seconds", "Until the end of the last year that holidays speaks of", "");
	timer_start(c->calendar_timer, 0);
	return c;
}

void clocks_set_files(struct clocks *c, const struct clocks_files *files)
{
	c->files = *files;
	timer_start(c->calendar_timer, 0);
}

/* Referrals that were being ended at the stop are answered yet, and that clock goes on then. */
void clocks_start(struct clocks *c)
{
	if (c->runs)
		return;
	c->runs = true;
	for (int i = 0; i < CLOCK_KINDS; i++)
		if (i != CLOCK_END || !c->ends_open)
			clocks_rest(&c->sweeps[i]);
}

void clocks_stop(struct clocks *c)
{
	c->runs = false;
	for (int i = 0; i < CLOCK_KINDS; i++) {
		struct clocks_sweep *s = &c->sweeps[i];

		if (s->asking)
			pg_job_cancel(c->base.pg, s->asking);
		s->asking = 0;
		timer_stop(s->timer);
	}
}

void clocks_free(struct clocks *c)
{
	if (!c)
		return;
	clocks_stop(c);
	for (int i = 0; i < CLOCK_KINDS; i++)
		timer_free(c->sweeps[i].timer);
	timer_free(c->calendar_timer);
	free(c);
}

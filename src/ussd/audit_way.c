/* Ways. What is counted is what a parent who wants one thing must do: the least number of keys, and of
 * seconds, by which a screen is seen and an end is reached from it; wandering about the menu is hers. A
 * service that is down is no way out: where only "down" leads to an end, a parent walks in circles. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ussd/audit_body.h"

#define FAR (UINT_MAX / 4)

static bool way_is_down(const struct audit *p, const struct audit_way *w)
{
	return w->by == AUDIT_BY_RESULT &&
	       !strcmp(service_shape(p->d->screens[w->from].service)->results[w->at].name, "down");
}

static unsigned way_keys(const struct audit *p, const struct audit_way *w)
{
	(void)p;
	return w->by == AUDIT_BY_RESULT ? 0 : 1;
}

/* A page is read and answered; what is typed takes its time by the digit. */
static unsigned way_seconds(const struct audit *p, const struct audit_way *w)
{
	const struct dialog_limits *l = &p->d->limits;
	const struct dialog_screen *s = &p->d->screens[w->from];

	if (w->by == AUDIT_BY_RESULT)
		return 0;
	if (w->by != AUDIT_BY_INPUT)
		return l->seconds_of_page;
	return l->seconds_of_page + l->seconds_of_digit * p->d->contracts->values[s->value].type->max;
}

typedef unsigned way_cost_fn(const struct audit *p, const struct audit_way *w);

/* The least cost to each screen from those where cost is 0 already; or, backwards, from each screen. */
static void ways_spread(const struct audit *p, way_cost_fn *of, bool backwards, unsigned *cost)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < p->ways_n; i++) {
			const struct audit_way *w = &p->ways[i];
			int from = backwards ? w->to : w->from, to = backwards ? w->from : w->to;

			if (cost[from] == FAR || (backwards && way_is_down(p, w)) ||
			    cost[from] + of(p, w) >= cost[to])
				continue;
			cost[to] = cost[from] + of(p, w);
			changed = true;
		}
	}
}

/* To be freed; FAR where there is no way. */
static unsigned *cost_from(const struct audit *p, way_cost_fn *of, int screen)
{
	unsigned *cost = mem_array(p->d->screens_n, sizeof *cost);

	for (size_t i = 0; i < p->d->screens_n; i++)
		cost[i] = FAR;
	cost[screen] = 0;
	ways_spread(p, of, false, cost);
	return cost;
}

static unsigned *cost_to_end(const struct audit *p, way_cost_fn *of)
{
	unsigned *cost = mem_array(p->d->screens_n, sizeof *cost);

	for (size_t i = 0; i < p->d->screens_n; i++)
		cost[i] = p->d->screens[i].kind == SCREEN_END ? 0 : FAR;
	ways_spread(p, of, true, cost);
	return cost;
}

static void check_reachable(struct audit *p, const unsigned *seen, const unsigned *ends)
{
	for (size_t i = 0; i < p->d->screens_n; i++) {
		const struct dialog_screen *s = &p->d->screens[i];

		if (seen[i] == FAR && !s->resume)
			audit_fault(p, s->line, s->column,
			    "%s: no way leads to it from %s: add an option or a branch that goes to it, or "
			    "remove it",
			    s->name, p->d->screens[p->d->entry].name);
		if (ends[i] == FAR)
			audit_fault(p, s->line, s->column,
			    "%s: no way leads on from it to an end, but by a service that is down", s->name);
	}
}

/* Both ways together: to see it, and to be done from there. */
static void check_limit(
    struct audit *p, const unsigned *seen, const unsigned *ends, unsigned most, const char *what)
{
	for (size_t i = 0; i < p->d->screens_n; i++) {
		const struct dialog_screen *s = &p->d->screens[i];

		if (seen[i] != FAR && ends[i] != FAR && seen[i] + ends[i] > most)
			audit_fault(p, s->line, s->column,
			    "%s: %u %s to it and from it to an end, %u are allowed: shorten the way", s->name,
			    seen[i] + ends[i], what, most);
	}
}

static void check_tasks(struct audit *p, const unsigned *seen)
{
	const struct dialog *d = p->d;

	for (size_t i = 0; i < d->tasks_n; i++) {
		const struct dialog_task *t = &d->tasks[i];

		if (t->turns > d->limits.turns)
			audit_fault(p, t->line, t->column, "%s: %u turns, limits say %u", t->name, t->turns,
			    d->limits.turns);
		else if (seen[t->screen] != FAR && seen[t->screen] > t->turns)
			audit_fault(p, t->line, t->column,
			    "%s: %s is seen after %u keys, %u are promised: bring it nearer to %s", t->name,
			    d->screens[t->screen].name, seen[t->screen], t->turns, d->screens[d->entry].name);
	}
}

/* Nobody presses a key before something is pushed. */
static void check_pushed(struct audit *p, const unsigned *seen)
{
	const struct dialog *d = p->d;

	for (size_t i = 0; i < d->screens_n; i++)
		if (d->screens[i].told.in[0] && seen[i])
			audit_fault(p, d->screens[i].told.line, d->screens[i].told.column,
			    "%s: is to be told to who did not dial, and only keys lead to it from %s",
			    d->screens[i].name, d->screens[d->entry].name);
}

/* Each result has a branch; that of a list is the list itself. */
static void check_branches(struct audit *p, const struct dialog_screen *s)
{
	const struct service_shape *shape = service_shape(s->service);

	for (size_t r = 0; shape->results[r].name; r++)
		if (s->branches[r] < 0 && !shape->results[r].items)
			audit_fault(p, s->line, s->column,
			    "%s: %s can answer \"%s\", and no branch is there for it: add it to results",
			    s->name, shape->name, shape->results[r].name);
}

/* A single item of a list may be picked without a key. */
static bool way_is_keyless(const struct audit *p, const struct audit_way *w)
{
	return w->by == AUDIT_BY_RESULT || (w->by == AUDIT_BY_PICK && p->d->screens[w->from].alone);
}

/* Takes away, again and again, screens that no keyless way leads to or none leads on from; what stays is on
 * a circle. Returns how many went. */
static size_t circles_trim(const struct audit *p, bool *away, bool *led, bool *leads)
{
	size_t n = p->d->screens_n, gone = 0;

	memset(led, 0, n * sizeof *led);
	memset(leads, 0, n * sizeof *leads);
	for (size_t i = 0; i < p->ways_n; i++) {
		const struct audit_way *w = &p->ways[i];

		if (way_is_keyless(p, w) && !away[w->from] && !away[w->to])
			led[w->to] = leads[w->from] = true;
	}
	for (size_t i = 0; i < n; i++)
		if (!away[i] && !(led[i] && leads[i])) {
			away[i] = true;
			gone++;
		}
	return gone;
}

static void check_circles(struct audit *p)
{
	size_t n = p->d->screens_n;
	bool *away = mem_array(n, sizeof *away), *led = mem_array(n, sizeof *led),
	     *leads = mem_array(n, sizeof *leads);

	while (circles_trim(p, away, led, leads))
		;
	for (size_t i = 0; i < n; i++)
		if (!away[i])
			audit_fault(p, p->d->screens[i].line, p->d->screens[i].column,
			    "%s: on a circle of services on which no key is pressed: put a page between",
			    p->d->screens[i].name);
	free(away);
	free(led);
	free(leads);
}

/* The engine shows it, no way may; and it must lead back as well as anew. */
static void check_resume(struct audit *p)
{
	const struct dialog_screen *s = &p->d->screens[p->d->resume];
	bool back = false, anew = false, led = p->d->entry == p->d->resume;

	for (size_t o = 0; o < s->options_n; o++) {
		back |= s->options[o].go < 0;
		anew |= s->options[o].go == p->d->entry;
	}
	for (size_t i = 0; i < p->ways_n; i++)
		led |= p->ways[i].to == p->d->resume;
	for (size_t i = 0; i < p->d->shortcuts_n; i++)
		led |= p->d->shortcuts[i].screen == p->d->resume;
	if (!back || !anew)
		audit_fault(p, s->line, s->column,
		    "%s: an option with goto: \"@resume\" and one with goto: %s are expected", s->name,
		    p->d->screens[p->d->entry].name);
	if (led)
		audit_fault(p, s->line, s->column,
		    "%s: is shown by the engine alone, and something leads to it", s->name);
}

void audit_check_ways(struct audit *p)
{
	const struct dialog *d = p->d;
	unsigned *keys = cost_from(p, way_keys, d->entry), *seconds = cost_from(p, way_seconds, d->entry),
	         *keys_on = cost_to_end(p, way_keys), *seconds_on = cost_to_end(p, way_seconds);

	check_reachable(p, keys, keys_on);
	check_limit(p, keys, keys_on, d->limits.turns, "keys");
	check_limit(p, seconds, seconds_on, d->limits.seconds, "seconds");
	check_tasks(p, keys);
	check_pushed(p, keys);
	for (size_t i = 0; i < d->screens_n; i++)
		if (d->screens[i].kind == SCREEN_DO || d->screens[i].kind == SCREEN_LIST)
			check_branches(p, &d->screens[i]);
	check_circles(p);
	check_resume(p);
	free(keys);
	free(seconds);
	free(keys_on);
	free(seconds_on);
}

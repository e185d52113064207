/* Values. Of each screen it is counted which values are set on every way that leads to it (a set only
 * shrinks, so this ends); what it shows and what its service is told must be among them. 0 leads back with
 * all that was set since, and so needs no ways of its own, but for secrets, which are forgotten once they
 * were used: they are typed on the screen just before the service, or the service says that they stay. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ussd/audit_body.h"
#include "ussd/input.h"

#define COUNT "n2" /* digits that were typed wrongly: the engine's own */

static_assert(CONTRACT_VALUES < 64, "a set of values is a word");

static uint64_t value_bit(int value)
{
	return value < 0 ? 0 : (uint64_t)1 << value;
}

static uint64_t names_bits(const struct audit *p, const char *names)
{
	uint64_t bits = 0;
	const char *name;
	size_t n;

	while ((name = service_next_name(&names, &n)) != NULL)
		bits |= value_bit(contract_value(p->d->contracts, name, n));
	return bits;
}

static uint64_t secret_bits(const struct audit *p)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < p->d->contracts->values_n; i++)
		if (p->d->contracts->values[i].type->secret)
			bits |= value_bit((int)i);
	return bits;
}

/* What is still set when the screen's service has answered. */
static uint64_t set_after_service(const struct audit *p, const struct dialog_screen *s, uint64_t set)
{
	if (service_keeps(s->service))
		return set;
	return set & ~(secret_bits(p) & names_bits(p, service_shape(s->service)->in));
}

static uint64_t set_by_result(const struct audit *p, const struct dialog_screen *s, int result, uint64_t set)
{
	return set_after_service(p, s, set) |
	       names_bits(p, service_shape(s->service)->results[result].fields);
}

static uint64_t set_by_option(const struct dialog_option *o, uint64_t set)
{
	for (size_t i = 0; i < o->sets_n; i++)
		set |= value_bit(o->sets[i].value);
	return set;
}

static uint64_t set_by_way(const struct audit *p, const struct audit_way *w, uint64_t set)
{
	const struct dialog_screen *s = &p->d->screens[w->from];

	switch (w->by) {
	case AUDIT_BY_OPTION:
		return set_by_option(&s->options[w->at], set);
	case AUDIT_BY_INPUT:
		return set | value_bit(s->value);
	case AUDIT_BY_PICK:
		return set_by_result(p, s, audit_items_result(s), set) | value_bit(s->picks);
	case AUDIT_BY_RESULT:
		return set_by_result(p, s, (int)w->at, set);
	}
	return set;
}

/* For each screen the values that are surely set; to be freed. */
static uint64_t *sets_find(const struct audit *p)
{
	const struct dialog *d = p->d;
	uint64_t *sets = mem_array(d->screens_n, sizeof *sets);
	bool changed = true;

	memset(sets, 0xff, d->screens_n * sizeof *sets);
	sets[d->entry] = sets[d->resume] = 0;
	for (size_t i = 0; i < d->shortcuts_n; i++)
		sets[d->shortcuts[i].screen] = 0;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < p->ways_n; i++) {
			const struct audit_way *w = &p->ways[i];
			uint64_t set = sets[w->to] & set_by_way(p, w, sets[w->from]);

			changed |= set != sets[w->to];
			sets[w->to] = set;
		}
	}
	return sets;
}

static void check_shown(
    struct audit *p, const struct dialog_screen *s, const struct dialog_text *t, int value, uint64_t set)
{
	const struct contract_value *v = &p->d->contracts->values[value];

	if (v->type->secret)
		audit_fault(
		    p, t->line, t->column, "%s: {%s} is a secret: it must not be shown", s->name, v->name);
	else if (v->type->kind == VALUE_ID)
		audit_fault(p, t->line, t->column, "%s: {%s} is an id, which tells a parent nothing", s->name,
		    v->name);
	else if (!(set & value_bit(value)))
		audit_fault(p, t->line, t->column,
		    "%s: {%s} is not set on every way to it: show it behind a result that gives it", s->name,
		    v->name);
}

/* arg: the sets. Each value is told of once, whatever the languages that show it. */
static void check_text(struct audit *p, const struct dialog_screen *s, const struct dialog_text *t,
    enum audit_text_kind kind, void *arg)
{
	const uint64_t *sets = arg;
	uint64_t set = sets[s - p->d->screens];
	int items = audit_items_result(s);
	const char *name;
	size_t n;

	if (items >= 0)
		set = set_by_result(p, s, items, set);
	if (kind == AUDIT_ITEM)
		set |= names_bits(p, service_shape(s->service)->results[items].items);
	set &= ~names_bits(p, COUNT);
	if (kind == AUDIT_ERROR)
		set |= names_bits(p, COUNT);
	for (enum language l = 0; l < LANGUAGES; l++)
		for (const char *at = t->in[l]; (name = audit_next_param(&at, &n)) != NULL;)
			if (l == 0 || !audit_has_param(t->in[0], name, n))
				check_shown(p, s, t, contract_value(p->d->contracts, name, n), set);
}

static void check_told(struct audit *p, const struct dialog_screen *s, uint64_t set)
{
	const struct service_shape *shape = service_shape(s->service);
	const char *names = shape->in, *name;
	size_t n;

	while ((name = service_next_name(&names, &n)) != NULL)
		if (!(set & value_bit(contract_value(p->d->contracts, name, n))))
			audit_fault(p, s->line, s->column,
			    "%s: %s is told \"%.*s\", which is not set on every way to it: ask for it or "
			    "pick it first",
			    s->name, shape->name, (int)n, name);
}

/* The value that is typed on the way, -1: none is. */
static int way_types(const struct audit *p, const struct audit_way *w)
{
	return w->by == AUDIT_BY_INPUT ? p->d->screens[w->from].value : -1;
}

/* Whether the dialog can begin at that screen. */
static bool screen_is_first(const struct dialog *d, int screen)
{
	bool first = screen == d->entry;

	for (size_t i = 0; i < d->shortcuts_n; i++)
		first |= d->shortcuts[i].screen == screen;
	return first;
}

/* Dangerous services, and those that use a secret up, are asked right behind the page where it is typed. */
static void check_confirmed(struct audit *p, const struct dialog_screen *s)
{
	const struct service_shape *shape = service_shape(s->service);
	uint64_t secrets = secret_bits(p) & names_bits(p, shape->in);
	int here = (int)(s - p->d->screens);

	if (!(shape->danger || (secrets && !service_keeps(s->service))))
		return;
	if (screen_is_first(p->d, here))
		audit_fault(
		    p, s->line, s->column, "%s: %s cannot be where a call begins", s->name, shape->name);
	for (size_t i = 0; i < p->ways_n; i++)
		if (p->ways[i].to == here && !(secrets & value_bit(way_types(p, &p->ways[i]))))
			audit_fault(p, s->line, s->column,
			    "%s: %s leads to %s without its confirmation: type %s just before it", s->name,
			    p->d->screens[p->ways[i].from].name, shape->name,
			    secrets ? "the secret that it is told" : "a secret");
}

/* What is typed is for the service that follows, be it after other things that are typed. */
static void check_used(struct audit *p, const struct dialog_screen *s)
{
	const struct dialog_screen *next = &p->d->screens[s->go];
	const struct contract_value *v = &p->d->contracts->values[s->value];
	const struct service_shape *shape;

	for (size_t i = 0; next->kind == SCREEN_INPUT && i < p->d->screens_n; i++)
		next = &p->d->screens[next->go];
	if (next->kind != SCREEN_DO && next->kind != SCREEN_LIST)
		return;
	shape = service_shape(next->service);
	if (!service_has_name(shape->in, v->name, strlen(v->name)) &&
	    !service_has_name(shape->with, v->name, strlen(v->name)))
		audit_fault(p, s->line, s->column,
		    "%s: \"%s\" is typed, and %s, which follows, is not told it", s->name, v->name,
		    shape->name);
}

void audit_check_values(struct audit *p)
{
	uint64_t *sets = sets_find(p);

	for (size_t i = 0; i < p->d->screens_n; i++) {
		const struct dialog_screen *s = &p->d->screens[i];

		audit_screen_texts(p, s, check_text, sets);
		if (s->kind == SCREEN_INPUT)
			check_used(p, s);
		if (s->kind != SCREEN_DO && s->kind != SCREEN_LIST)
			continue;
		check_told(p, s, sets[i]);
		check_confirmed(p, s);
	}
	free(sets);
}

/* ways: a profile that changed is a new carrier beside the old one, which drains. The new one stands in
 * routes at once, so that messages are taken and wait in it; but it dials only when the old one is gone:
 * operators that allow an account one session would refuse the second (ESME_RALYBND), and the wait after that
 * is long.
 */
#include "flow/ways.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct ways {
	struct loop *loop;
	const struct ways_events *events;
	void *arg;
	struct list living;   /* in order of name */
	struct list draining; /* replaced or removed; they settle what is on the wire */
	uint32_t last_way;
	struct defer empty; /* drained, with nothing to drain */
	loop_fn *on_drained;
	void *drained_arg;
};

/* One carrier and the profile it was made from. */
struct way {
	struct list_node node;
	struct ways *ways;
	struct profile *profile;
	struct carrier *carrier;
	uint32_t number;
	bool gone;
	bool resting; /* one of the same name still drains */
	struct defer end;
};

static void way_on_near(void *arg, struct shipment *s)
{
	struct way *w = arg;

	w->ways->events->on_near(w->ways->arg, s);
}

static unsigned way_on_turn(void *arg, struct shipment *s, unsigned part, struct shipment_part *ret)
{
	struct way *w = arg;

	return w->ways->events->on_turn(w->ways->arg, w->carrier, s, part, ret);
}

static void way_on_part(void *arg, struct shipment *s, unsigned part, const struct part_result *r)
{
	struct way *w = arg;

	w->ways->events->on_part(w->ways->arg, s, part, r);
}

static void way_on_done(void *arg, struct shipment *s)
{
	struct way *w = arg;

	w->ways->events->on_done(w->ways->arg, s);
}

static void way_on_late(void *arg, struct carrier *c, uint64_t id, unsigned part, unsigned parts,
    int64_t doubt_us, const struct part_result *r)
{
	struct way *w = arg;

	w->ways->events->on_late(w->ways->arg, c, id, part, parts, doubt_us, r);
}

static void way_on_receipt(
    void *arg, struct carrier *c, const struct receipt *r, struct deliver_ticket ticket)
{
	struct way *w = arg;

	w->ways->events->on_receipt(w->ways->arg, c, w->number, r, ticket);
}

static void way_on_unreadable(
    void *arg, struct carrier *c, const struct pdu_sm *m, struct deliver_ticket ticket)
{
	struct way *w = arg;

	w->ways->events->on_unreadable(w->ways->arg, c, w->number, m, ticket);
}

static bool way_on_ussd(void *arg, struct carrier *c, const struct ussd_in *in)
{
	struct way *w = arg;

	return w->ways->events->on_ussd(w->ways->arg, c, in);
}

static void way_on_other(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what)
{
	struct way *w = arg;

	w->ways->events->on_other(w->ways->arg, c, m, what);
}

static void way_on_up(void *arg, struct carrier *c, bool up)
{
	struct way *w = arg;

	log_info(carrier_name(c), "%s", up ? "up" : "down");
	if (!w->gone)
		w->ways->events->on_change(w->ways->arg, c);
}

static const struct carrier_events way_events = {
    .on_near = way_on_near,
    .on_turn = way_on_turn,
    .on_part = way_on_part,
    .on_done = way_on_done,
    .on_late = way_on_late,
    .on_receipt = way_on_receipt,
    .on_unreadable = way_on_unreadable,
    .on_ussd = way_on_ussd,
    .on_other = way_on_other,
    .on_up = way_on_up,
};

static bool ways_is_leaving(const struct ways *ws, const char *name)
{
	for (const struct list_node *at = list_first(&ws->draining); at; at = list_next(&ws->draining, at))
		if (!strcmp(list_entry(at, struct way, node)->profile->name, name))
			return true;
	return false;
}

static void way_add(struct ways *ws, struct profile *p)
{
	struct way *w = mem_new(sizeof *w);

	w->ways = ws;
	w->profile = p;
	w->number = ++ws->last_way;
	w->carrier = carrier_new(ws->loop, p, &way_events, w);
	w->resting = ways_is_leaving(ws, p->name);
	if (w->resting)
		carrier_rest(w->carrier, "the sessions of the profile before are being closed");
	list_append(&ws->living, &w->node);
}

static void way_free(struct way *w)
{
	defer_cancel(&w->end);
	carrier_free(w->carrier);
	profile_free(w->profile);
	free(w);
}

static void way_take_home(struct way *w)
{
	struct ways *ws = w->ways;
	struct shipment *s;

	while ((s = carrier_take_waiting(w->carrier)) != NULL)
		ws->events->on_homeless(ws->arg, s);
}

/* Those that waited for sessions which are closed now. */
static void ways_dial(struct ways *ws)
{
	list_each(&ws->living, n, next)
	{
		struct way *w = list_entry(n, struct way, node);

		if (w->resting && !ways_is_leaving(ws, w->profile->name)) {
			w->resting = false;
			carrier_dial(w->carrier);
		}
	}
}

static void ways_tell_drained(void *arg)
{
	struct ways *ws = arg;
	loop_fn *fn = ws->on_drained;

	ws->on_drained = NULL;
	fn(ws->drained_arg); /* which may free ws */
}

static void way_end(void *arg)
{
	struct way *w = arg;
	struct ways *ws = w->ways;

	way_take_home(w);
	list_remove(&ws->draining, &w->node);
	way_free(w);
	ways_dial(ws);
	if (!ws->draining.count && ws->on_drained)
		ways_tell_drained(ws);
}

/* From inside the carrier's callback: it is freed after it. */
static void way_on_drained(void *arg)
{
	struct way *w = arg;

	loop_defer(w->ways->loop, &w->end, way_end, w);
}

static void way_retire(struct way *w)
{
	struct ways *ws = w->ways;

	list_remove(&ws->living, &w->node);
	list_append(&ws->draining, &w->node);
	w->gone = true;
	way_take_home(w);
	carrier_drain(w->carrier, way_on_drained, w);
}

struct ways *ways_new(struct loop *l, const struct ways_events *events, void *arg)
{
	struct ways *ws = mem_new(sizeof *ws);

	*ws = (struct ways){.loop = l, .events = events, .arg = arg};
	list_init(&ws->living);
	list_init(&ws->draining);
	return ws;
}

static struct way *ways_find_equal(struct ways *ws, const struct profile *p)
{
	list_each(&ws->living, n, next)
	{
		struct way *w = list_entry(n, struct way, node);

		if (profile_equal(w->profile, p))
			return w;
	}
	return NULL;
}

/* What the operator refused may be mended on its side, or by what no profile shows. */
static void way_keep(struct ways *ws, struct way *w)
{
	list_append(&ws->living, &w->node);
	carrier_redial(w->carrier);
}

void ways_set(struct ways *ws, struct profile **profiles, size_t n)
{
	struct way **same = mem_array(n, sizeof *same);

	for (size_t i = 0; i < n; i++) {
		same[i] = profiles[i]->enabled ? ways_find_equal(ws, profiles[i]) : NULL;
		if (same[i])
			list_remove(&ws->living, &same[i]->node);
	}
	while (ws->living.count)
		way_retire(list_entry(list_first(&ws->living), struct way, node));
	for (size_t i = 0; i < n; i++) {
		if (same[i])
			way_keep(ws, same[i]);
		else if (profiles[i]->enabled)
			way_add(ws, profiles[i]);
		if (same[i] || !profiles[i]->enabled)
			profile_free(profiles[i]);
	}
	free(same);
	free(profiles);
	ws->events->on_change(ws->arg, NULL);
}

static struct route_way way_for_route(const struct way *w)
{
	return (struct route_way){(const char *const *)w->profile->prefixes.items, w->profile->prefixes.count,
	    (long)w->profile->preference, carrier_is_up(w->carrier)};
}

size_t ways_route(const struct ways *ws, struct msisdn to, struct carrier *ret[ROUTE_MAX])
{
	struct route_way table[ROUTE_MAX];
	struct carrier *carriers[ROUTE_MAX];
	size_t order[ROUTE_MAX], n = 0;

	for (const struct list_node *at = list_first(&ws->living); at && n < ROUTE_MAX;
	     at = list_next(&ws->living, at)) {
		const struct way *w = list_entry(at, struct way, node);

		carriers[n] = w->carrier;
		table[n++] = way_for_route(w);
	}
	n = route_order(table, n, to, order);
	for (size_t i = 0; i < n; i++)
		ret[i] = carriers[order[i]];
	return n;
}

bool ways_has_refuge(const struct ways *ws, const struct carrier *c)
{
	const struct profile *p = carrier_profile(c);
	const struct route_way own = {(const char *const *)p->prefixes.items, p->prefixes.count, 0, false};

	for (const struct list_node *at = list_first(&ws->living); at; at = list_next(&ws->living, at)) {
		const struct way *w = list_entry(at, struct way, node);
		const struct route_way other = way_for_route(w);

		if (w->carrier != c && other.up && route_meets(&own, &other))
			return true;
	}
	return false;
}

struct carrier *ways_at(const struct ways *ws, size_t i)
{
	for (const struct list_node *at = list_first(&ws->living); at; at = list_next(&ws->living, at))
		if (i-- == 0)
			return list_entry(at, struct way, node)->carrier;
	return NULL;
}

struct carrier *ways_named(const struct ways *ws, const char *name)
{
	struct carrier *c;

	for (size_t i = 0; (c = ways_at(ws, i)) != NULL; i++)
		if (!strcmp(carrier_name(c), name))
			return c;
	return NULL;
}

static struct way *ways_find(const struct list *l, uint32_t number)
{
	for (const struct list_node *at = list_first(l); at; at = list_next(l, at))
		if (list_entry(at, struct way, node)->number == number)
			return list_entry(at, struct way, node);
	return NULL;
}

void ways_answer(struct ways *ws, uint32_t number, struct deliver_ticket ticket, bool busy)
{
	struct way *w = ways_find(&ws->living, number);

	if (!w)
		w = ways_find(&ws->draining, number);
	if (w)
		carrier_answer(w->carrier, ticket, busy ? (uint32_t)w->profile->receipt_busy_status : 0);
}

void ways_drain(struct ways *ws, loop_fn *on_drained, void *arg)
{
	ws->on_drained = on_drained;
	ws->drained_arg = arg;
	while (ws->living.count)
		way_retire(list_entry(list_first(&ws->living), struct way, node));
	if (!ws->draining.count)
		loop_defer(ws->loop, &ws->empty, ways_tell_drained, ws);
}

static void ways_free_list(struct list *l)
{
	while (l->count)
		way_free(list_entry(list_take_first(l), struct way, node));
}

void ways_free(struct ways *ws)
{
	if (!ws)
		return;
	defer_cancel(&ws->empty);
	ways_free_list(&ws->living);
	ways_free_list(&ws->draining);
	free(ws);
}

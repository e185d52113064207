/* One op per receipt: look in memory, else ask the database, else let it wait; then answer. What was
 * submitted lately stands in a ring of fixed size: the oldest is forgotten for the newest, the database still
 * knows it. */
#include "flow/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/metrics.h"

#define RECENT       65536
#define PENDING_MAX  20000 /* receipts being recorded; beyond it the operator is asked to come again */
#define JOIN_MS      1000
#define JOIN_IDLE_MS 30000

struct recent {
	struct map_node node;
	char carrier[24];
	char id[RECEIPT_ID];
	struct receipt_home home;
};

struct settle {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	struct events *events;
	struct receipts *receipts;
	struct list open;
	struct map by_id;
	struct recent *ring;
	size_t next;
	struct timer *join_timer;
	bool joining, join_is_soon;
	int64_t join_ms; /* until the next look, when nothing hurries */
	struct metric *found[3], *busy, *aside;
};

/* One receipt on its way to its event. */
struct settling {
	struct list_node node;
	struct receipt_quest quest;
	struct receipt_wait wait;
	struct settle *settle;
	struct ways *ways;
	uint32_t way;
	struct deliver_ticket ticket;
	char carrier[24];
	struct receipt receipt;
	enum parts_mode mode;
	uint64_t msisdn;
	int64_t at_us;
	char ids[RECEIPT_IDS][RECEIPT_ID];
	unsigned ids_n;
	char detail[32];
};

struct recent_key {
	const char *carrier, *id;
};

static bool recent_equal(const struct map_node *n, const void *key)
{
	const struct recent *r = map_entry(n, struct recent, node);
	const struct recent_key *k = key;

	return !strcmp(r->id, k->id) && !strcmp(r->carrier, k->carrier);
}

static uint64_t recent_hash(const struct recent_key *k)
{
	return map_hash_bytes(k->id, strlen(k->id)) ^ map_hash_bytes(k->carrier, strlen(k->carrier));
}

static void settle_join(void *arg);

struct settle *settle_new(
    struct loop *l, struct pg *pg, struct feed *feed, struct events *events, struct receipts *receipts)
{
	static const char *const ways[] = {"found=\"memory\"", "found=\"database\"", "found=\"not_yet\""};
	struct settle *s = mem_new(sizeof *s);

	*s = (struct settle){
	    .loop = l, .pg = pg, .feed = feed, .events = events, .receipts = receipts, .join_ms = JOIN_MS};
	list_init(&s->open);
	map_init(&s->by_id, recent_equal);
	s->ring = mem_array(RECENT, sizeof *s->ring);
	s->join_timer = timer_new(l, settle_join, s);
	timer_start(s->join_timer, JOIN_MS);
	for (size_t i = 0; i < 3; i++)
		s->found[i] = metric_counter(
		    "kezek_receipts_total", "Receipts by where their message was found", ways[i]);
	s->busy = metric_counter(
	    "kezek_receipts_put_off_total", "Receipts the operator was asked to send again", "");
	s->aside = metric_counter("kezek_receipts_aside_total", "Unreadable receipts kept aside", "");
	return s;
}

void settle_remember(
    struct settle *s, const char *carrier, const char *operator_id, const struct receipt_home *home)
{
	struct recent *r = &s->ring[s->next++ % RECENT];

	if (r->node.linked)
		map_remove(&s->by_id, &r->node);
	snprintf(r->carrier, sizeof r->carrier, "%s", carrier);
	receipt_id_canonical(operator_id, r->id);
	r->home = *home;
	const struct recent_key key = {r->carrier, r->id};
	map_put(&s->by_id, &r->node, recent_hash(&key));
}

static void settling_answer(struct settling *g, bool busy)
{
	struct settle *s = g->settle;

	if (busy)
		metric_add(s->busy, 1);
	ways_answer(g->ways, g->way, g->ticket, busy);
	list_remove(&s->open, &g->node);
	free(g);
}

static enum message_state settling_state(const struct receipt *r)
{
	switch (r->state) {
	case RECEIPT_DELIVERED:
		return MESSAGE_DELIVERED;
	case RECEIPT_EXPIRED:
		return MESSAGE_EXPIRED;
	case RECEIPT_DELETED:
	case RECEIPT_UNDELIVERABLE:
		return MESSAGE_UNDELIVERABLE;
	case RECEIPT_REJECTED:
		return MESSAGE_REJECTED;
	case RECEIPT_ENROUTE:
	case RECEIPT_ACCEPTED:
	case RECEIPT_UNKNOWN:
		break;
	}
	return MESSAGE_SUBMITTED;
}

static void settling_on_event(void *arg, const struct message_event *e, enum kz r)
{
	(void)e;
	(void)r; /* refused for good is logged; the operator's sending it again would change nothing */
	settling_answer(arg, false);
}

static void settling_record(struct settling *g, const struct receipt_home *home)
{
	const struct receipt *r = &g->receipt;
	struct message_event *e = message_event_new(home->message_id, g->at_us, EVENT_RECEIPT, home->part,
	    g->carrier, NULL, NULL, receipt_state_name(r->state), g->detail);
	enum receipt_effect effect = message_receipt_effect(g->mode, home->part, home->parts);

	e->state = settling_state(r);
	e->final = r->final && effect == RECEIPT_ENDS_MESSAGE;
	e->may_close = r->final && effect == RECEIPT_ENDS_PART;
	e->done = settling_on_event;
	e->arg = g;
	events_add(g->settle->events, e);
}

/* From the first one that waits, however many come after it. */
static void settle_join_soon(struct settle *s)
{
	if (s->join_is_soon)
		return;
	s->join_is_soon = true;
	timer_start(s->join_timer, JOIN_MS);
}

static void settling_on_waiting(struct receipt_wait *w, enum kz r)
{
	struct settling *g = (struct settling *)((char *)w - offsetof(struct settling, wait));
	struct settle *s = g->settle;

	if (r == KZ_OK) {
		metric_add(s->found[2], 1);
		settle_join_soon(s);
	}
	if (r == KZ_REFUSED) {
		log_error(g->carrier, "the database refuses a receipt; kept aside");
		receipts_put_aside(s->pg, g->at_us, g->carrier, "refused by the database", g->receipt.id,
		    strlen(g->receipt.id));
	}
	settling_answer(g, r == KZ_LOST);
}

static void settling_wait(struct settling *g)
{
	struct receipt_wait *w = &g->wait;

	*w = (struct receipt_wait){.carrier = g->carrier,
	    .status = receipt_state_name(g->receipt.state),
	    .detail = g->detail,
	    .ids_n = g->ids_n,
	    .msisdn = g->msisdn,
	    .at_us = g->at_us,
	    .final = g->receipt.final,
	    .state = settling_state(&g->receipt),
	    .mode = g->mode,
	    .done = settling_on_waiting};
	for (unsigned i = 0; i < g->ids_n; i++)
		w->ids[i] = g->ids[i];
	receipts_wait(g->settle->receipts, w);
}

/* An operator may use an id again after months, and spellings may collide: the number must not contradict. */
static bool settling_fits(const struct settling *g, const struct receipt_home *home)
{
	return !g->msisdn || !home->msisdn || g->msisdn == home->msisdn;
}

static const struct receipt_home *settle_look(const struct settle *s, const struct settling *g)
{
	for (unsigned i = 0; i < g->ids_n; i++) {
		const struct recent_key key = {g->carrier, g->ids[i]};
		struct map_node *n = map_get(&s->by_id, recent_hash(&key), &key);

		if (n && settling_fits(g, &map_entry(n, struct recent, node)->home))
			return &map_entry(n, struct recent, node)->home;
	}
	return NULL;
}

static void settling_on_found(struct receipt_quest *q, enum kz r, const struct receipt_home *home)
{
	struct settling *g = (struct settling *)((char *)q - offsetof(struct settling, quest));

	if (r == KZ_LOST) {
		settling_answer(g, true);
	} else if (r == KZ_OK && settling_fits(g, home)) {
		metric_add(g->settle->found[1], 1);
		settling_record(g, home);
	} else if ((home = settle_look(g->settle, g)) != NULL) {
		/* its submit_sm_resp came meanwhile, over another link */
		metric_add(g->settle->found[0], 1);
		settling_record(g, home);
	} else {
		settling_wait(g);
	}
}

static struct settling *settling_new(struct settle *s, struct ways *ways, struct carrier *c, uint32_t way,
    const struct receipt *r, struct deliver_ticket ticket)
{
	struct settling *g = mem_new(sizeof *g);
	const struct profile *p = carrier_profile(c);
	struct msisdn_refusal why;
	struct msisdn m;

	*g = (struct settling){.settle = s,
	    .ways = ways,
	    .way = way,
	    .ticket = ticket,
	    .receipt = *r,
	    .mode = (enum parts_mode)p->receipt_parts,
	    .at_us = loop_clock(s->loop)->wall_us()};
	snprintf(g->carrier, sizeof g->carrier, "%s", carrier_name(c));
	if (msisdn_parse(r->source.text, &m, &why) == KZ_OK)
		g->msisdn = m.digits;
	g->ids_n = receipt_id_candidates(r->id, (enum receipt_id_form)p->receipt_id, g->ids);
	if (*r->err)
		snprintf(g->detail, sizeof g->detail, "err %s", r->err);
	else if (r->network_error)
		snprintf(g->detail, sizeof g->detail, "network error 0x%06x", r->network_error);
	list_append(&s->open, &g->node);
	return g;
}

void settle_begin(struct settle *s, struct ways *ways, struct carrier *c, uint32_t way,
    const struct receipt *r, struct deliver_ticket ticket)
{
	if (s->open.count >= PENDING_MAX) {
		metric_add(s->busy, 1);
		ways_answer(ways, way, ticket, true);
		return;
	}
	struct settling *g = settling_new(s, ways, c, way, r, ticket);
	const struct receipt_home *home = settle_look(s, g);
	if (home) {
		metric_add(s->found[0], 1);
		settling_record(g, home);
		return;
	}
	g->quest =
	    (struct receipt_quest){.carrier = g->carrier, .ids_n = g->ids_n, .done = settling_on_found};
	for (unsigned i = 0; i < g->ids_n; i++)
		g->quest.ids[i] = g->ids[i];
	receipts_find(s->receipts, &g->quest);
}

void settle_aside(struct settle *s, const char *carrier, const struct pdu_sm *m, const char *what)
{
	metric_add(s->aside, 1);
	log_warn(carrier, "kept aside: %s, octets=%zu", what, m->text_len);
	receipts_put_aside(s->pg, loop_clock(s->loop)->wall_us(), carrier, what, m->text, m->text_len);
}

/* What was put off is due within half its age: as long as nothing is due the pauses double. */
static void settle_on_joined(void *arg, enum kz r, size_t looked, size_t joined)
{
	struct settle *s = arg;

	s->joining = false;
	if (looked || r != KZ_OK || s->join_is_soon)
		s->join_ms = JOIN_MS;
	else
		s->join_ms = s->join_ms * 2 < JOIN_IDLE_MS ? s->join_ms * 2 : JOIN_IDLE_MS;
	timer_start(s->join_timer, looked == RECEIPTS_JOIN_MOST ? 0 : s->join_ms);
	if (joined)
		log_info("receipts", "joined=%zu with submissions recorded since", joined);
}

static void settle_join(void *arg)
{
	struct settle *s = arg;
	int64_t low_ms;

	if (s->joining)
		return;
	s->join_is_soon = false;
	low_ms = clock_wall_ms(loop_clock(s->loop)) - RECEIPTS_REACH_MS;
	s->joining = receipts_join(s->pg, s->feed, ids_floor(low_ms), settle_on_joined, s) == KZ_OK;
	if (!s->joining)
		timer_start(s->join_timer, JOIN_MS);
}

size_t settle_pending(const struct settle *s)
{
	return s->open.count;
}

void settle_free(struct settle *s)
{
	if (!s)
		return;
	while (s->open.count)
		free(list_entry(list_take_first(&s->open), struct settling, node));
	map_fini(&s->by_id);
	free(s->ring);
	timer_free(s->join_timer);
	free(s);
}

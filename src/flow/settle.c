/* One op per receipt: look in memory, else ask the database, else let it wait; then answer. The database may
 * stand still longer than an operator waits for an answer, and one that hears nothing ends the session: it is
 * asked to come again in time, and what was begun is recorded all the same. */
#include "flow/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "flow/joining.h"
#include "flow/recent.h"
#include "store/person.h"

#define PENDING_MAX 20000 /* receipts being recorded; beyond it the operator is asked to come again */
#define ANSWER_MS   10000 /* an operator gets its answer after so long, whatever it is */

enum { FOUND_IN_MEMORY, FOUND_IN_DATABASE, FOUND_NOT_YET, FOUND_IN_DOUBT, FOUND_REPEATED, FOUND_WAYS };

struct settle {
	struct loop *loop;
	struct pg *pg;
	struct events *events;
	struct receipts *receipts;
	struct aside *aside;
	const struct keyring *keyring;
	settle_over_fn *on_over;
	void (*on_lost)(void *arg, uint64_t message_id);
	void *arg;
	struct recent *recent;
	struct doubts *doubts;
	struct list open; /* in order of their coming */
	struct list told; /* answered before their outcome was known */
	struct timer *answer_timer;
	struct joining *joining;
	struct metric *found[FOUND_WAYS], *busy;
};

/* One receipt on its way to its event. */
struct settling {
	struct list_node node;
	struct receipt_quest quest;
	struct receipt_wait wait;
	struct defer second_look;
	struct settle *settle;
	struct aside_answer to;
	bool answered; /* stands among those told */
	int64_t begun_ms;
	char carrier[24];
	struct receipt receipt;
	enum parts_mode mode;
	bool echoes;   /* a reference that was ours */
	bool plain;    /* of a message that brings no code and is no notice */
	int64_t phone; /* keyed value, 0: not told */
	int64_t at_us;
	char ids[RECEIPT_IDS][RECEIPT_ID];
	unsigned ids_n, found; /* found: the one that is known in memory */
	char detail[32];
};

static void settle_on_late(void *arg);

struct settle *settle_new(const struct settle_base *base)
{
	static const char *const ways[] = {"found=\"memory\"", "found=\"database\"", "found=\"not_yet\"",
	    "found=\"in_doubt\"", "found=\"repeated\""};
	struct settle *s = mem_new(sizeof *s);

	*s = (struct settle){.loop = base->loop,
	    .pg = base->pg,
	    .events = base->events,
	    .receipts = base->receipts,
	    .aside = base->aside,
	    .keyring = base->keyring,
	    .on_over = base->on_over,
	    .on_lost = base->on_lost,
	    .arg = base->arg,
	    .recent = recent_new(),
	    .doubts = doubts_new(),
	    .joining = joining_new(base->loop, base->pg, base->feed)};
	list_init(&s->open);
	list_init(&s->told);
	s->answer_timer = timer_new(base->loop, settle_on_late, s);
	for (size_t i = 0; i < FOUND_WAYS; i++)
		s->found[i] = metric_counter(
		    "kezek_receipts_total", "Receipts by where their message was found", ways[i]);
	s->busy = metric_counter(
	    "kezek_receipts_put_off_total", "Receipts the operator was asked to send again", "");
	return s;
}

void settle_remember(
    struct settle *s, const char *carrier, const char *operator_id, const struct receipt_home *home)
{
	char id[RECEIPT_ID];

	receipt_id_canonical(operator_id, id);
	if (*id) /* seen: an operator that gives none */
		recent_put(s->recent, carrier, id, home);
}

void settle_doubt(struct settle *s, struct doubt d)
{
	char id[RECEIPT_ID];

	if (doubts_note(s->doubts, &d, id))
		s->on_over(s->arg, &d, id, loop_clock(s->loop)->wall_us());
}

void settle_doubt_over(
    struct settle *s, const char *carrier, uint64_t message_id, unsigned part, int64_t since_us)
{
	doubts_forget(s->doubts, carrier, message_id, part, since_us);
}

static void settling_answer(const struct settling *g, bool busy)
{
	metric_add(g->settle->busy, busy);
	ways_answer(g->to.ways, g->to.way, g->to.ticket, busy);
}

static void settling_free(struct settling *g)
{
	list_remove(g->answered ? &g->settle->told : &g->settle->open, &g->node);
	defer_cancel(&g->second_look);
	free(g);
}

static void settling_end(struct settling *g, bool busy)
{
	if (!g->answered)
		settling_answer(g, busy);
	settling_free(g);
}

/* The database does not want it, now or ever: for people, who see what it was. */
static void settling_refused(struct settling *g)
{
	const struct receipt *r = &g->receipt;
	char text[160];
	int n =
	    snprintf(text, sizeof text, "id:%s stat:%s err:%s", r->id, receipt_state_name(r->state), r->err);

	log_error(g->carrier, "the database refuses a receipt: kept aside");
	aside_keep(g->settle->aside, g->carrier, "refused by the database", text, (size_t)n,
	    g->answered ? NULL : &g->to);
	settling_free(g);
}

static void settle_on_late(void *arg)
{
	struct settle *s = arg;
	int64_t now_ms = loop_now_ms(s->loop);
	struct list_node *n;

	while ((n = list_first(&s->open)) != NULL) {
		struct settling *g = list_entry(n, struct settling, node);

		if (g->begun_ms + ANSWER_MS > now_ms) {
			timer_start(s->answer_timer, g->begun_ms + ANSWER_MS - now_ms);
			return;
		}
		settling_answer(g, true);
		g->answered = true;
		list_remove(&s->open, n);
		list_append(&s->told, n);
	}
}

/* What is not final says only that the operator has it; so does a notification of a try that failed. */
static enum message_state settling_state(const struct receipt *r)
{
	if (!r->final)
		return MESSAGE_SUBMITTED;
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
	struct settling *g = arg;

	if (r == KZ_REFUSED) {
		settling_refused(g);
		return;
	}
	if (e->final && e->state != MESSAGE_DELIVERED && !g->plain)
		g->settle->on_lost(g->settle->arg, e->message_id);
	recent_hear(g->settle->recent, g->carrier, g->ids[g->found], g->receipt.state, g->receipt.final);
	settling_end(g, false);
}

static void settling_record(struct settling *g, const struct receipt_home *home)
{
	const struct receipt *r = &g->receipt;
	struct message_event *e = message_event_new(home->message_id, g->at_us, EVENT_RECEIPT, home->part,
	    g->carrier, NULL, NULL, receipt_state_name(r->state), g->detail);
	enum receipt_effect effect = message_receipt_effect(g->mode, home->part, home->parts);
	/* the first final word stays: another is recorded and ends nothing */
	bool over = recent_is_over(g->settle->recent, g->carrier, g->ids[g->found]);

	g->plain = home->plain;
	e->state = settling_state(r);
	e->final = r->final && effect == RECEIPT_ENDS_MESSAGE && !over;
	e->may_close = r->final && effect == RECEIPT_ENDS_PART && !over;
	e->done = settling_on_event;
	e->arg = g;
	events_add(g->settle->events, e);
}

static void settling_on_waiting(struct receipt_wait *w, enum kz r)
{
	struct settling *g = (struct settling *)((char *)w - offsetof(struct settling, wait));
	struct settle *s = g->settle;

	if (r == KZ_OK) {
		metric_add(s->found[FOUND_NOT_YET], 1);
		joining_soon(s->joining);
	}
	if (r == KZ_REFUSED)
		settling_refused(g);
	else
		settling_end(g, r == KZ_LOST);
}

static void settling_wait(struct settling *g)
{
	struct receipt_wait *w = &g->wait;

	*w = (struct receipt_wait){.carrier = g->carrier,
	    .status = receipt_state_name(g->receipt.state),
	    .detail = g->detail,
	    .ids_n = g->ids_n,
	    .phone = g->phone,
	    .reference = g->echoes ? g->receipt.reference : -1,
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
	return !g->phone || !home->phone || g->phone == home->phone;
}

static const struct receipt_home *settle_look(const struct settle *s, struct settling *g)
{
	for (unsigned i = 0; i < g->ids_n; i++) {
		const struct receipt_home *home = recent_find(s->recent, g->carrier, g->ids[i]);

		if (home && settling_fits(g, home)) {
			g->found = i;
			return home;
		}
	}
	return NULL;
}

/* Its submission was never answered, but what the receipt echoes names it. */
static bool settling_ends_doubt(struct settling *g)
{
	struct settle *s = g->settle;
	struct doubt d;

	if (!g->echoes || !g->phone ||
	    !doubts_settle(s->doubts, g->carrier, g->phone, (uint16_t)g->receipt.reference, g->ids[0], &d))
		return false;
	metric_add(s->found[FOUND_IN_DOUBT], 1);
	s->on_over(s->arg, &d, g->ids[0], g->at_us);
	settling_record(g, &d.home);
	return true;
}

static void settling_on_found(struct receipt_quest *q, enum kz r, const struct receipt_home *home)
{
	struct settling *g = (struct settling *)((char *)q - offsetof(struct settling, quest));

	if (r == KZ_LOST) {
		settling_end(g, true);
	} else if (r == KZ_OK && settling_fits(g, home)) {
		metric_add(g->settle->found[FOUND_IN_DATABASE], 1);
		recent_put(g->settle->recent, g->carrier, g->ids[0], home);
		settling_record(g, home);
	} else if ((home = settle_look(g->settle, g)) != NULL) {
		/* its submit_sm_resp came meanwhile, over another link */
		metric_add(g->settle->found[FOUND_IN_MEMORY], 1);
		settling_record(g, home);
	} else if (!settling_ends_doubt(g)) {
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
	    .to = {ways, way, ticket},
	    .begun_ms = loop_now_ms(s->loop),
	    .receipt = *r,
	    .mode = (enum parts_mode)p->receipt_parts,
	    .echoes = p->user_message_reference && r->reference >= 0,
	    .at_us = loop_clock(s->loop)->wall_us()};
	snprintf(g->carrier, sizeof g->carrier, "%s", carrier_name(c));
	if (msisdn_parse(r->source.text, &m, &why) == KZ_OK)
		g->phone = person_phone(s->keyring, m);
	g->ids_n = receipt_id_candidates(r->id, (enum receipt_id_form)p->receipt_id, g->ids);
	if (*r->err)
		snprintf(g->detail, sizeof g->detail, "err %s", r->err);
	else if (r->network_error)
		snprintf(g->detail, sizeof g->detail, "network error 0x%06x", r->network_error);
	list_append(&s->open, &g->node);
	if (!timer_is_armed(s->answer_timer))
		timer_start(s->answer_timer, ANSWER_MS);
	return g;
}

/* Dealt with, when memory has its message. */
static bool settling_is_known(struct settling *g)
{
	struct settle *s = g->settle;
	const struct receipt_home *home = settle_look(s, g);

	if (!home)
		return false;
	if (recent_heard(s->recent, g->carrier, g->ids[g->found], g->receipt.state, g->receipt.final)) {
		metric_add(s->found[FOUND_REPEATED], 1);
		settling_end(g, false);
		return true;
	}
	metric_add(s->found[FOUND_IN_MEMORY], 1);
	settling_record(g, home);
	return true;
}

static void settling_ask(void *arg)
{
	struct settling *g = arg;

	if (settling_is_known(g))
		return;
	g->quest =
	    (struct receipt_quest){.carrier = g->carrier, .ids_n = g->ids_n, .done = settling_on_found};
	for (unsigned i = 0; i < g->ids_n; i++)
		g->quest.ids[i] = g->ids[i];
	receipts_find(g->settle->receipts, &g->quest);
}

void settle_begin(struct settle *s, struct ways *ways, struct carrier *c, uint32_t way,
    const struct receipt *r, struct deliver_ticket ticket)
{
	if (settle_pending(s) >= PENDING_MAX || !pg_is_up(s->pg)) {
		metric_add(s->busy, 1);
		ways_answer(ways, way, ticket, true);
		return;
	}
	struct settling *g = settling_new(s, ways, c, way, r, ticket);
	/* Of an operator with several links many a receipt overtakes its submit_sm_resp by less than a round:
	 * the second look spares the database 23 of 100 questions before kezek-smsc. */
	if (!settling_is_known(g))
		loop_defer(s->loop, &g->second_look, settling_ask, g);
}

size_t settle_pending(const struct settle *s)
{
	return s->open.count + s->told.count;
}

void settle_free(struct settle *s)
{
	if (!s)
		return;
	while (s->open.count)
		settling_free(list_entry(list_first(&s->open), struct settling, node));
	while (s->told.count)
		settling_free(list_entry(list_first(&s->told), struct settling, node));
	recent_free(s->recent);
	doubts_free(s->doubts);
	joining_free(s->joining);
	timer_free(s->answer_timer);
	free(s);
}

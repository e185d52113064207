#include "flow/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "flow/send_body.h"

#define LIFE_MAX_MS   (7 * 86400000LL)
#define DRAIN_LOOK_MS 20
#define CUT_ROOM      (SEGMENT_MAX_PARTS * 160)

static bool letters_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct letter, by_id)->shipment.id == *(const uint64_t *)key;
}

static void send_make_metrics(struct send *s)
{
	char labels[64];

	for (enum message_class c = 0; c < MESSAGE_CLASSES; c++) {
		snprintf(labels, sizeof labels, "class=\"%s\"", message_class_name(c));
		s->accepted[c] = metric_counter("kezek_messages_accepted_total", "Messages kept", labels);
		s->submitted[c] =
		    metric_counter("kezek_messages_submitted_total", "Messages submitted in full", labels);
		s->submit_time[c] = metric_seconds("kezek_message_submit_seconds",
		    "From acceptance to the operator's answer for the last part", labels);
	}
	for (enum message_state st = MESSAGE_FAILED; st <= MESSAGE_UNCONFIRMED; st++) {
		snprintf(labels, sizeof labels, "state=\"%s\"", message_state_name(st));
		s->ended[st] = metric_counter(
		    "kezek_messages_ended_total", "Messages that ended before a receipt", labels);
	}
	s->moved = metric_counter("kezek_messages_moved_total",
	    "Messages that looked for another operator when theirs was down", "");
	s->letters_gauge = metric_gauge(
	    "kezek_messages_unfinished", "Messages in memory: accepted and not yet submitted", "");
	s->shut_gauge = metric_gauge("kezek_messages_sealed",
	    "Messages in memory that cannot be opened: their key is not in the keyring", "");
}

struct send *send_new(const struct send_base *base, const struct conf *conf)
{
	struct send *s = mem_new(sizeof *s);

	s->base = *base;
	s->own = -1;
	s->scan_slot = -1;
	list_init(&s->all);
	list_init(&s->parcels);
	map_init(&s->letters, letters_equal);
	map_init(&s->running, parcels_equal);
	secret_random(s->references, sizeof s->references);
	s->cut_room.wiped = true; /* also before each new cut */
	buf_space(&s->cut_room, CUT_ROOM);
	s->due_timer = timer_new(base->loop, letters_on_due, s);
	s->move_timer = timer_new(base->loop, letters_on_move, s);
	s->moved_ms = INT64_MIN / 2;
	s->scan_timer = timer_new(base->loop, resume_pump, s);
	s->unsure_timer = timer_new(base->loop, parcels_on_unsure, s);
	s->aside = aside_new(base->loop, base->pg, base->keyring);
	s->settle = settle_new(&(struct settle_base){.loop = base->loop,
	    .pg = base->pg,
	    .feed = base->feed,
	    .events = base->events,
	    .receipts = base->receipts,
	    .aside = s->aside,
	    .keyring = base->keyring,
	    .on_over = letter_on_doubt_over,
	    .on_lost = send_lost,
	    .arg = s});
	s->queues = queues_new();
	s->silence = silence_new(base->loop, base->pg, base->feed, s->held);
	s->ways = ways_new(base->loop, &letter_ways_events, s);
	send_make_metrics(s);
	send_make_admit_metrics(s);
	send_set_conf(s, conf);
	return s;
}

void send_set_conf(struct send *s, const struct conf *conf)
{
	s->conf = conf;
	s->law = (struct message_limits){conf->message_attempts, conf->message_retry_min_ms,
	    conf->message_retry_max_ms, conf->message_in_doubt_ms};
	silence_set_wait(s->silence, conf->message_receipt_wait_ms);
}

void send_set_profiles(struct send *s, struct profile **profiles, size_t n)
{
	s->cut_id = 0; /* a new carrier may stand where the old one stood */
	buf_clear(&s->cut_room);
	ways_set(s->ways, profiles, n);
}

void send_on_keyring(struct send *s)
{
	resume_shut(s);
}

void send_on_lost(struct send *s, send_lost_fn *lost, void *arg)
{
	s->lost = lost;
	s->lost_arg = arg;
}

void send_lost(void *arg, uint64_t message_id)
{
	const struct send *s = arg;

	if (s->lost)
		s->lost(s->lost_arg, message_id);
}

const struct ways *send_ways(const struct send *s)
{
	return s->ways;
}

void send_set_own(struct send *s, int own)
{
	s->own = own;
	if (own >= 0)
		s->ids.slot = (uint8_t)own;
}

void send_take_slot(struct send *s, uint8_t slot, uint64_t low_water, uint64_t newest)
{
	ids_after(&s->ids, newest);
	s->held[slot] = true;
	resume_start(s, slot, low_water, newest);
}

void send_lose_slots(struct send *s)
{
	s->own = -1;
	s->epoch++;
	memset(s->held, 0, sizeof s->held);
	resume_stop_all(s);
	list_each(&s->all, n, next) letter_forget(list_entry(n, struct letter, all));
}

void send_weigh(const struct send *s, size_t sums[IDS_SLOTS])
{
	for (int i = 0; i < IDS_SLOTS; i++)
		sums[i] += s->letters_of[i];
}

size_t send_leave_slot(struct send *s, uint8_t slot)
{
	if (s->held[slot]) {
		s->held[slot] = false;
		resume_stop(s, slot);
		list_each(&s->all, n, next)
		{
			struct letter *l = list_entry(n, struct letter, all);

			if (ids_slot(l->shipment.id) == slot)
				letter_forget(l);
		}
	}
	return s->letters_of[slot] + silence_asks(s->silence, slot);
}

/* What is on the wire stays forgotten: it is read back when it was not taken, as the rest is now. */
void send_stay_slot(struct send *s, uint8_t slot)
{
	const struct scan *scan = &s->scans[slot];

	s->held[slot] = true;
	resume_start(s, slot, scan->low, ids_floor(scan->newest_ms));
}

static int64_t send_oldest_ms(const struct send *s, enum lane lane)
{
	struct carrier *c;
	int64_t oldest_ms = 0;

	for (size_t i = 0; (c = ways_at(s->ways, i)) != NULL; i++)
		if (carrier_oldest_ms(c, lane) > oldest_ms)
			oldest_ms = carrier_oldest_ms(c, lane);
	return oldest_ms;
}

uint64_t send_id(struct send *s)
{
	return ids_next(&s->ids, clock_wall_ms(loop_clock(s->base.loop)));
}

int64_t send_life_ms(const struct send *s, enum message_class class)
{
	const struct conf *c = s->conf;

	return class == MESSAGE_CODE     ? c->message_life_code_ms
	       : class == MESSAGE_NOTICE ? c->message_life_notice_ms
	                                 : c->message_life_bulk_ms;
}

enum kz send_preview(const struct send *s, const struct send_wish *w, struct send_preview *ret)
{
	struct carrier *route[ROUTE_MAX];
	struct text_wire wire = {CONCAT_UDH8, GSM_WIRE_UNPACKED};
	int64_t now_ms = clock_wall_ms(loop_clock(s->base.loop));

	*ret = (struct send_preview){.expires_wall_ms = w->expires_wall_ms};
	if (!ret->expires_wall_ms)
		ret->expires_wall_ms = now_ms + send_life_ms(s, w->class);
	ret->route_n = ways_route(s->ways, w->to, route);
	for (size_t i = 0; i < ret->route_n; i++)
		ret->route[i] = carrier_name(route[i]);
	if (ret->route_n) {
		const struct profile *p = carrier_profile(route[0]);

		ret->best = route[0];
		wire = (struct text_wire){(enum concat)p->concat, (enum gsm_wire)p->gsm};
	}
	enum kz r = segment_cost(w->text, strlen(w->text), &wire, &ret->cost);
	if (r == KZ_OK && ret->cost.parts > (uint32_t)s->conf->message_max_parts)
		r = KZ_TOO_LONG;
	if (r != KZ_OK)
		return r;
	if (ret->expires_wall_ms <= now_ms || ret->expires_wall_ms > now_ms + LIFE_MAX_MS)
		return KZ_EXPIRED;
	return ret->route_n ? KZ_OK : KZ_NOT_FOUND;
}

/* Per slot the lowest id in memory, or what it is when none is lower. */
static void send_find_lowest(const struct send *s, uint64_t lows[IDS_SLOTS])
{
	for (const struct list_node *n = list_first(&s->all); n; n = list_next(&s->all, n)) {
		const struct letter *l = list_entry(n, struct letter, all);
		uint64_t *low = &lows[ids_slot(l->shipment.id)];

		if (!l->lingering && l->shipment.id < *low)
			*low = l->shipment.id;
	}
}

void send_note(struct send *s, struct slots *slots)
{
	uint64_t lows[IDS_SLOTS];

	if (s->draining)
		return; /* letters leave unsent: what is noted must stand for the next run */
	for (unsigned slot = 0; slot < IDS_SLOTS; slot++)
		lows[slot] = s->scans[slot].swept;
	send_find_lowest(s, lows);
	for (unsigned slot = 0; slot < IDS_SLOTS; slot++) {
		struct scan *scan = &s->scans[slot];

		if (!s->held[slot] || scan->active)
			continue;
		if (lows[slot] > scan->low) {
			scan->low = lows[slot];
			slots_note(slots, s->base.pg, (uint8_t)slot, scan->low);
		}
		resume_sweep(s, (uint8_t)slot);
	}
}

void send_report(const struct send *s, struct send_report *ret)
{
	struct carrier *c;

	*ret = (struct send_report){.letters = s->all.count};
	for (size_t i = 0; (c = ways_at(s->ways, i)) != NULL; i++)
		for (enum lane lane = 0; lane < LANES; lane++)
			ret->waiting[lane] += carrier_waiting(c, lane);
	for (enum lane lane = 0; lane < LANES; lane++)
		ret->oldest_ms[lane] = send_oldest_ms(s, lane);
}

static void send_look_drained(void *arg)
{
	struct send *s = arg;

	if (events_pending(s->base.events) || codes_pending(s->base.codes) || settle_pending(s->settle) ||
	    aside_pending(s->aside) || s->parcels.count)
		timer_start(s->drain_timer, DRAIN_LOOK_MS);
	else
		s->drained(s->drained_arg);
}

static void send_on_ways_drained(void *arg)
{
	struct send *s = arg;

	list_each(&s->all, n, next) letter_unclear(list_entry(n, struct letter, all));
	timer_start(s->drain_timer, 0);
}

void send_stop(struct send *s)
{
	s->draining = true;
	resume_stop_all(s);
	silence_stop(s->silence);
}

void send_drain(struct send *s, loop_fn *done, void *arg)
{
	send_stop(s);
	s->drained = done;
	s->drained_arg = arg;
	s->drain_timer = timer_new(s->base.loop, send_look_drained, s);
	ways_drain(s->ways, send_on_ways_drained, s);
}

void send_free(struct send *s)
{
	if (!s)
		return;
	ways_free(s->ways);
	settle_free(s->settle);
	aside_free(s->aside);
	silence_free(s->silence);
	parcels_free(s);
	while (s->all.count)
		letter_free(list_entry(list_first(&s->all), struct letter, all));
	queues_free(s->queues);
	map_fini(&s->letters);
	map_fini(&s->running);
	heap_fini(&s->due);
	buf_fini(&s->cut_room);
	timer_free(s->due_timer);
	timer_free(s->move_timer);
	timer_free(s->scan_timer);
	timer_free(s->unsure_timer);
	timer_free(s->drain_timer);
	free(s);
}

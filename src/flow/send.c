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

/* A request while it is being kept. */
struct parcel {
	struct messages_wish wish;
	struct map_node running;
	struct list_node node;
	struct send *send;
	char *answer;
	struct letter **letters;
	size_t letters_n;
	struct message *rows;
	const struct message **row_list;
	send_kept_fn *done;
	void *arg;
};

struct running_key {
	int32_t api_key;
	const uint8_t *key_hash;
};

static uint64_t running_hash(const struct running_key *k)
{
	return map_hash_bytes(k->key_hash, SECRET_HASH) ^ map_hash_u64((uint64_t)k->api_key);
}

static bool running_equal(const struct map_node *n, const void *key)
{
	const struct parcel *p = map_entry(n, struct parcel, running);
	const struct running_key *k = key;

	return p->wish.api_key == k->api_key && !memcmp(p->wish.key_hash, k->key_hash, SECRET_HASH);
}

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
	for (enum message_state st = MESSAGE_FAILED; st <= MESSAGE_DELIVERED; st++) {
		snprintf(labels, sizeof labels, "state=\"%s\"", message_state_name(st));
		s->ended[st] = metric_counter(
		    "kezek_messages_ended_total", "Messages that ended before a receipt", labels);
	}
	s->letters_gauge = metric_gauge(
	    "kezek_messages_unfinished", "Messages in memory: accepted and not yet submitted", "");
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
	map_init(&s->running, running_equal);
	secret_random(s->references, sizeof s->references);
	s->due_timer = timer_new(base->loop, letters_on_due, s);
	s->scan_timer = timer_new(base->loop, resume_pump, s);
	s->settle = settle_new(base->loop, base->pg, base->events, base->receipts);
	s->ways = ways_new(base->loop, &letter_ways_events, s);
	send_make_metrics(s);
	send_set_conf(s, conf);
	return s;
}

void send_set_conf(struct send *s, const struct conf *conf)
{
	s->conf = conf;
	s->law = (struct message_limits){conf->message_attempts, conf->message_retry_min_ms,
	    conf->message_retry_max_ms, conf->message_in_doubt_ms};
}

void send_set_profiles(struct send *s, struct profile **profiles, size_t n)
{
	s->cut_id = 0; /* a new carrier may stand where the old one stood */
	ways_set(s->ways, profiles, n);
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

void send_take_slot(struct send *s, uint8_t slot, uint64_t low_water)
{
	s->held[slot] = true;
	resume_start(s, slot, low_water);
}

void send_lose_slots(struct send *s)
{
	s->own = -1;
	s->epoch++;
	memset(s->held, 0, sizeof s->held);
	resume_stop_all(s);
	list_each(&s->all, n, next) letter_forget(list_entry(n, struct letter, all));
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

enum kz send_admits(const struct send *s, enum message_class class, unsigned *ret_after_s)
{
	if (s->draining || s->own < 0 || !pg_is_up(s->base.pg)) {
		*ret_after_s = 2;
		return KZ_LOST;
	}
	if (s->all.count >= (size_t)s->conf->queue_max_messages) {
		*ret_after_s = 5;
		return KZ_BUSY;
	}
	if (send_oldest_ms(s, (enum lane) class) > s->conf->queue_max_age_ms) {
		*ret_after_s = 30;
		return KZ_BUSY;
	}
	return KZ_OK;
}

static int64_t send_life_ms(const struct send *s, enum message_class class)
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

static void parcel_free(struct parcel *p, bool letters_too)
{
	struct send *s = p->send;

	for (size_t i = 0; letters_too && i < p->letters_n; i++)
		letter_drop(s, p->letters[i]);
	map_remove(&s->running, &p->running);
	list_remove(&s->parcels, &p->node);
	free(p->answer);
	free(p->letters);
	free(p->rows);
	free(p->row_list);
	free(p);
}

/* Committed: its letters go their way, unless the slot was lost meanwhile; then whoever holds it reads them.
 */
static void parcel_go(struct parcel *p)
{
	struct send *s = p->send;

	for (size_t i = 0; i < p->letters_n; i++) {
		struct letter *l = p->letters[i];

		metric_add(s->accepted[l->class], 1);
		if (!s->held[(uint8_t)(l->shipment.id >> 14)] || s->draining)
			letter_drop(s, l);
		else
			letter_go(l);
	}
}

static void parcel_on_kept(struct messages_wish *w, enum kz r, bool maybe)
{
	struct parcel *p = (struct parcel *)((char *)w - offsetof(struct parcel, wish));
	struct send *s = p->send;
	uint8_t slot = p->letters_n ? (uint8_t)(p->letters[0]->shipment.id >> 14) : 0;

	if (r == KZ_OK)
		parcel_go(p);
	p->done(p->arg, r, p->answer);
	parcel_free(p, r != KZ_OK);
	if (r == KZ_LOST && maybe && s->held[slot])
		resume_again(s, slot); /* the rows may be there after all */
}

static void parcel_fill(struct parcel *p, const struct send_request *r)
{
	p->rows = mem_array(r->letters_n, sizeof *p->rows);
	p->row_list = mem_array(r->letters_n, sizeof *p->row_list);
	for (size_t i = 0; i < r->letters_n; i++) {
		p->rows[i] = letter_row(r->letters[i]);
		p->row_list[i] = &p->rows[i];
	}
	p->wish = (struct messages_wish){.api_key = r->api_key,
	    .day_us = loop_clock(p->send->base.loop)->wall_us(),
	    .status = r->status,
	    .answer = r->answer,
	    .rows = p->row_list,
	    .rows_n = r->letters_n,
	    .done = parcel_on_kept};
	memcpy(p->wish.key_hash, r->key_hash, SECRET_HASH);
	memcpy(p->wish.body_hash, r->body_hash, SECRET_HASH);
}

enum kz send_keep(struct send *s, const struct send_request *r, send_kept_fn *done, void *arg)
{
	const struct running_key key = {r->api_key, r->key_hash};
	struct parcel *p = mem_new(sizeof *p);

	*p = (struct parcel){.send = s,
	    .answer = r->answer,
	    .letters = r->letters,
	    .letters_n = r->letters_n,
	    .done = done,
	    .arg = arg};
	bool runs = map_get(&s->running, running_hash(&key), &key) != NULL;
	parcel_fill(p, r);
	map_put(&s->running, &p->running, running_hash(&key));
	list_append(&s->parcels, &p->node);
	if (!runs && messages_keep(s->base.messages, &p->wish) == KZ_OK)
		return KZ_OK;
	parcel_free(p, true);
	return runs ? KZ_CONFLICT : KZ_LOST;
}

static bool send_lowest(const struct send *s, uint8_t slot, uint64_t *low)
{
	bool any = false;

	for (const struct list_node *n = list_first(&s->all); n; n = list_next(&s->all, n)) {
		const struct letter *l = list_entry(n, struct letter, all);

		if ((uint8_t)(l->shipment.id >> 14) == slot && !l->lingering &&
		    (!any || l->shipment.id < *low)) {
			*low = l->shipment.id;
			any = true;
		}
	}
	return any;
}

void send_note(struct send *s, struct slots *slots)
{
	/* Ten minutes behind the clock: it may have been set back. */
	uint64_t floor = ids_floor(clock_wall_ms(loop_clock(s->base.loop)) - 600000);

	for (unsigned slot = 0; slot < IDS_SLOTS; slot++) {
		uint64_t low = floor;

		if (!s->held[slot] || s->scans[slot].active)
			continue;
		if (send_lowest(s, (uint8_t)slot, &low) && low > floor)
			low = floor;
		if (low > s->scans[slot].low) {
			s->scans[slot].low = low;
			slots_note(slots, s->base.pg, (uint8_t)slot, low);
		}
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

	if (events_pending(s->base.events) || settle_pending(s->settle) || s->parcels.count)
		timer_start(s->drain_timer, DRAIN_LOOK_MS);
	else
		s->drained(s->drained_arg);
}

static void send_on_ways_drained(void *arg)
{
	struct send *s = arg;

	timer_start(s->drain_timer, 0);
}

void send_drain(struct send *s, loop_fn *done, void *arg)
{
	s->draining = true;
	s->drained = done;
	s->drained_arg = arg;
	s->drain_timer = timer_new(s->base.loop, send_look_drained, s);
	resume_stop_all(s);
	ways_drain(s->ways, send_on_ways_drained, s);
}

void send_free(struct send *s)
{
	if (!s)
		return;
	ways_free(s->ways);
	settle_free(s->settle);
	while (s->parcels.count)
		parcel_free(list_entry(list_first(&s->parcels), struct parcel, node), false);
	while (s->all.count)
		letter_free(list_entry(list_first(&s->all), struct letter, all));
	map_fini(&s->letters);
	map_fini(&s->running);
	heap_fini(&s->due);
	buf_fini(&s->cut_room);
	timer_free(s->due_timer);
	timer_free(s->scan_timer);
	timer_free(s->drain_timer);
	free(s);
}

/* places_rig: a daemon's journey to places on the rig's loop, or on one of its own, with the sample's law of
 * the region "sample". */
#ifndef TESTS_STORE_PLACES_RIG_H
#define TESTS_STORE_PLACES_RIG_H

#include "records_rig.h"

#include "base/conf.h"
#include "flow/places.h"

#define PLACES_DAY_US (INT64_C(86400) * 1000000)

struct places_rig {
	struct store_rig *g;
	struct conf conf;
	struct messages *messages;
	struct events *events;
	struct receipts *receipts;
	struct codes *codes;
	struct send *send;
	struct regions *regions;
	struct calendar *calendar;
	struct places *places;
};

/* What one request came to. */
struct places_told {
	int count;
	enum kz r;
	struct places_answer answer;
};

static inline void places_on_told(void *arg, enum kz r, const struct places_answer *a)
{
	struct places_told *t = arg;

	t->count++;
	t->r = r;
	t->answer = *a;
}

/* g has its feed slot's number from now on. */
static inline struct places_rig *places_rig_make(struct store_rig *g, uint8_t slot)
{
	struct places_rig *p = calloc(1, sizeof *p);
	struct faults faults = {0};

	p->g = g;
	p->conf.database_batch_rows = 256;
	p->conf.database_batch_ms = 2;
	p->conf.database_connections = 2;
	store_hold_slot(g, slot);
	feed_set_slot(g->feed, -1, 0);
	feed_set_slot(g->feed, slot, 0);
	p->messages = messages_new(g->loop, g->pg, g->feed, g->keyring, &g->limits);
	p->events = events_new(g->loop, g->pg, g->feed, &g->limits);
	p->receipts = receipts_new(g->loop, g->pg, &g->limits);
	p->codes = codes_new(g->loop, g->pg, g->feed, &g->limits);
	p->send = send_new(&(struct send_base){g->loop, g->pg, g->lease, p->messages, g->feed, p->events,
	                       p->receipts, g->keyring, p->codes},
	    &p->conf);
	send_set_own(p->send, slot);
	p->regions = regions_load(KEZEK_SOURCE_DIR "/config/regions", &faults);
	p->calendar = calendar_load(KEZEK_SOURCE_DIR "/config/holidays.yaml", &faults);
	assert_string_equal(buf_text(&faults.text), "");
	p->places = places_new(&(struct places_base){g->loop, g->pg, g->feed, p->send, g->keyring},
	    &(struct places_files){&p->conf, p->regions, p->calendar});
	return p;
}

/* What is out is answered before: the send that only numbers notices looks for receipts now and then, and
 * keeps its question until the answer. */
static inline void places_rig_free(struct places_rig *p)
{
	places_stop(p->places);
	while (pg_jobs(p->g->pg))
		loop_turn(p->g->loop, 20);
	places_free(p->places);
	codes_free(p->codes);
	send_free(p->send);
	messages_free(p->messages);
	events_free(p->events);
	receipts_free(p->receipts);
	regions_free(p->regions);
	calendar_free(p->calendar);
	free(p);
}

/* Each waits for its answer. */
static inline struct places_told places_rig_take(
    struct places_rig *p, uint64_t application, uint64_t group, int64_t token)
{
	const struct places_take t = {application, group, NEWS_BY_PORTAL, token, 0};
	struct places_told told = {0};

	assert_int_equal(places_take(p->places, &t, places_on_told, &told), KZ_OK);
	servers_await(p->g->loop, &told.count, 1);
	return told;
}

static inline struct places_told places_rig_hear(
    struct places_rig *p, uint64_t referral, enum referral_event e, int64_t token)
{
	const struct places_hear h = {
	    referral, e, e == REFERRAL_EXPIRE ? NEWS_BY_CLOCK : NEWS_BY_PORTAL, token, 0};
	struct places_told told = {0};

	assert_int_equal(places_hear(p->places, &h, places_on_told, &told), KZ_OK);
	servers_await(p->g->loop, &told.count, 1);
	return told;
}

static inline struct places_told places_rig_put(struct places_rig *p, const struct places_put *w)
{
	struct places_told told = {0};

	assert_int_equal(places_put(p->places, w, places_on_told, &told), KZ_OK);
	servers_await(p->g->loop, &told.count, 1);
	return told;
}

#endif

/* Who is told: the endpoints are read every few seconds, with how far each was told of the slots that are
 * held. What is known here is further than what the database says, so only what is new is taken from it, or
 * what a replay made void. */
#include "flow/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "flow/notify_body.h"

#define LOAD_MS       5000
#define LOAD_RETRY_MS 500

static void notify_load(void *arg);
static void notify_on_save_timer(void *arg);

static void notify_on_feed(void *arg)
{
	struct notify *n = arg;

	if (n->endpoints.count)
		notify_read(n);
}

struct notify *notify_new(
    struct loop *l, struct pg *pg, struct feed *feed, const struct keyring *keyring, const struct conf *conf)
{
	const struct http_client_options options = {.asks = NOTIFY_ASKS,
	    .allow_private = conf->webhook_allow_private,
	    .ca_path = conf->webhook_tls_ca};
	struct notify *n = mem_new(sizeof *n);

	*n = (struct notify){.loop = l, .pg = pg, .feed = feed, .keyring = keyring, .conf = conf};
	list_init(&n->endpoints);
	list_init(&n->readings);
	n->client = http_client_new(l, &options);
	n->load_timer = timer_new(l, notify_load, n);
	n->read_timer = timer_new(l, notify_read, n);
	n->save_timer = timer_new(l, notify_on_save_timer, n);
	n->look_timer = timer_new(l, notify_look, n);
	notify_make_metrics(n);
	feed_on_change(feed, notify_on_feed, n);
	return n;
}

void notify_set_conf(struct notify *n, const struct conf *conf)
{
	n->conf = conf;
}

struct endpoint *notify_find(const struct notify *n, int32_t id)
{
	for (struct list_node *at = list_first(&n->endpoints); at; at = list_next(&n->endpoints, at)) {
		struct endpoint *e = list_entry(at, struct endpoint, node);

		if (e->id == id)
			return e;
	}
	return NULL;
}

static void endpoint_on_pause(void *arg)
{
	struct endpoint *e = arg;

	notify_pump(e->notify);
}

static struct endpoint *endpoint_new(struct notify *n, const struct tellings_endpoint *row)
{
	struct endpoint *e = mem_new(sizeof *e);

	*e = (struct endpoint){.notify = n,
	    .id = row->id,
	    .round = row->round,
	    .since = row->since,
	    .client = mem_str(row->client),
	    .url = mem_str(row->url)};
	memcpy(e->secret, row->secret, sizeof e->secret);
	snprintf(e->name, sizeof e->name, "webhook.%d", (int)e->id);
	list_init(&e->tellers);
	list_init(&e->again);
	list_init(&e->waiting);
	e->pause = timer_new(n->loop, endpoint_on_pause, e);
	list_append(&n->endpoints, &e->node);
	return e;
}

static void endpoint_drop_tellers(struct endpoint *e)
{
	while (e->tellers.count)
		teller_free(list_entry(list_first(&e->tellers), struct teller, node));
}

static void endpoint_drop_again(struct endpoint *e)
{
	while (e->again.count)
		note_free(list_entry(list_first(&e->again), struct note, node));
}

/* What it was told stays known: the slot may be ours again in a moment. */
static void endpoint_stop(struct endpoint *e)
{
	list_each(&e->tellers, at, next) teller_stop(list_entry(at, struct teller, node));
	endpoint_drop_again(e);
}

void endpoint_free(struct endpoint *e)
{
	endpoint_drop_tellers(e);
	endpoint_drop_again(e);
	list_remove(&e->notify->endpoints, &e->node);
	timer_free(e->pause);
	secret_wipe(e->secret, sizeof e->secret);
	free(e->client);
	free(e->url);
	free(e);
}

static bool ids_have(const int32_t *ids, size_t n, int32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool notify_is_locked(const struct notify *n, int32_t id)
{
	return ids_have(n->locked, n->locked_n, id);
}

/* A row comes for each slot, and every few seconds: said once. */
static void notify_note_locked(struct notify *n, int32_t id)
{
	char name[24];

	if (n->locking_n == HOOKS_MOST || ids_have(n->locking, n->locking_n, id))
		return;
	n->locking[n->locking_n++] = id;
	if (notify_is_locked(n, id))
		return;
	snprintf(name, sizeof name, "webhook.%d", (int)id);
	log_error(name, "its secret cannot be opened, so it is told nothing: is its key in the keyring?");
}

static void notify_on_endpoint(void *arg, const struct tellings_endpoint *row)
{
	struct notify *n = arg;
	struct endpoint *e = notify_find(n, row->id);

	if (!e && !row->secret) {
		notify_note_locked(n, row->id);
		return;
	}
	if (!e)
		e = endpoint_new(n, row);
	e->seen = true;
	if (e->round != row->round) {
		endpoint_drop_tellers(e);
		e->round = row->round;
		e->since = row->since;
	}
	if (row->slot >= 0 && row->slot < IDS_SLOTS && n->held[row->slot])
		teller_begin(e, (uint8_t)row->slot, row->cursor);
}

/* Of the slots that it was not told of yet it is told from its making on. */
static void endpoint_fill(struct endpoint *e)
{
	for (unsigned slot = 0; slot < IDS_SLOTS; slot++)
		if (e->notify->asked[slot])
			teller_begin(e, (uint8_t)slot, e->since);
}

static void notify_on_loaded(void *arg, enum kz r)
{
	struct notify *n = arg;

	n->loading = 0;
	if (r == KZ_OK) {
		memcpy(n->locked, n->locking, sizeof n->locked);
		n->locked_n = n->locking_n;
	}
	timer_start(n->load_timer, n->load_again ? 0 : r == KZ_OK ? LOAD_MS : LOAD_RETRY_MS);
	list_each(&n->endpoints, at, next)
	{
		struct endpoint *e = list_entry(at, struct endpoint, node);

		if (r == KZ_OK && !e->seen)
			endpoint_free(e); /* removed, or disabled */
		else if (r == KZ_OK)
			endpoint_fill(e);
	}
	notify_look_in(n, 0);
	notify_read(n);
	notify_look_drained(n);
}

static void notify_load(void *arg)
{
	struct notify *n = arg;

	n->load_again = n->loading != 0;
	if (n->loading || n->draining)
		return;
	n->locking_n = 0;
	memcpy(n->asked, n->held, sizeof n->asked);
	list_each(&n->endpoints, at, next) list_entry(at, struct endpoint, node)->seen = false;
	if (tellings_load(
	        n->pg, n->keyring, n->asked, notify_on_endpoint, notify_on_loaded, n, &n->loading) != KZ_OK)
		timer_start(n->load_timer, LOAD_RETRY_MS);
}

void notify_take_slot(struct notify *n, uint8_t slot)
{
	n->held[slot] = true;
	notify_load(n);
	if (!timer_is_armed(n->save_timer))
		timer_start(n->save_timer, 0);
}

void notify_lose_slots(struct notify *n)
{
	memset(n->held, 0, sizeof n->held);
	if (n->loading)
		pg_job_cancel(n->pg, n->loading);
	if (n->looking)
		pg_job_cancel(n->pg, n->looking);
	n->loading = n->looking = 0;
	timer_stop(n->load_timer);
	timer_stop(n->look_timer);
	list_each(&n->endpoints, at, next) endpoint_stop(list_entry(at, struct endpoint, node));
	notify_look_drained(n);
}

void notify_ask_now(struct notify *n, int32_t id)
{
	struct endpoint *e = notify_find(n, id);

	if (!e)
		return;
	timer_stop(e->pause);
	notify_pump(n);
}

void notify_refresh(struct notify *n)
{
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (n->held[slot]) {
			notify_load(n);
			return;
		}
}

/* Each in turn comes first: what one takes of the requests that may be open at once another cannot have. */
static void notify_pump_all(void *arg)
{
	struct notify *n = arg;

	for (size_t i = n->endpoints.count; i > 0; i--) {
		struct list_node *at = list_take_first(&n->endpoints);

		list_append(&n->endpoints, at);
		endpoint_pump(list_entry(at, struct endpoint, node));
	}
	notify_read(n);
}

void notify_pump(struct notify *n)
{
	loop_defer(n->loop, &n->pumping, notify_pump_all, n);
}

static void notify_on_save_timer(void *arg)
{
	struct notify *n = arg;

	timer_start(n->save_timer, 1000);
	notify_measure(n);
	notify_save(n);
}

static void notify_end_drain(void *arg)
{
	struct notify *n = arg;
	loop_fn *drained = n->drained;

	n->drained = NULL;
	drained(n->drained_arg);
}

void notify_look_drained(struct notify *n)
{
	if (!n->drained || http_client_open(n->client) || n->saving)
		return;
	if (!n->last_saved) {
		n->last_saved = true;
		if (notify_save(n))
			return;
	}
	loop_defer(n->loop, &n->drained_soon, notify_end_drain, n);
}

void notify_drain(struct notify *n, loop_fn *done, void *arg)
{
	n->draining = true;
	n->drained = done;
	n->drained_arg = arg;
	timer_stop(n->save_timer);
	notify_look_drained(n);
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	notify_lose_slots(n);
	while (n->endpoints.count)
		endpoint_free(list_entry(list_first(&n->endpoints), struct endpoint, node));
	if (n->saving)
		pg_job_cancel(n->pg, n->saving);
	feed_on_change(n->feed, NULL, NULL);
	http_client_free(n->client);
	timer_free(n->load_timer);
	timer_free(n->read_timer);
	timer_free(n->save_timer);
	timer_free(n->look_timer);
	defer_cancel(&n->pumping);
	defer_cancel(&n->drained_soon);
	free(n);
}

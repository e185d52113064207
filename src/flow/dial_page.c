/* Pages on their way to operators, and which request is a repeated one. A parent who knows the menu presses 1
 * and 1 again, and in many a dialect both are the same octets: once the operator took the page of the first,
 * the second is an answer to that page. While it is not known to have come, and when the PDU itself comes
 * again, the network repeats itself. So it may when the connection of the first is gone: our answer to that
 * PDU may have gone with it, and the operator brings it by another link, though its page was taken by one.
 * What another daemon showed is not known here: within ussd.repeat both are taken for repeated requests,
 * since a page that is shown again harms less than a key that is pressed twice. To write down in Redis that a
 * page was taken was rejected: a third question for each turn, for keys that are pressed within seconds where
 * an operator also changes the daemon within a call, and then a repetition by the other daemon were a key. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/dial_turn.h"

#define LAST_MS 500

/* A page until it is over, and then, when it was taken, for as long as its request may be repeated; owned by
 * its dial. */
struct dial_page {
	struct list_node node;
	struct list *owner; /* pages or pages_taken of its dial */
	struct map_node by_phone;
	struct dial *dial;
	int64_t phone_key, said, repeat_ms, until_ms;
	uint32_t link, epoch, sequence; /* of the request */
};

static bool page_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct dial_page, by_phone)->phone_key == *(const int64_t *)key;
}

void dial_pages_init(struct dial *d)
{
	list_init(&d->pages);
	list_init(&d->pages_taken);
	map_init(&d->taken, page_equal);
}

static void page_free(struct dial_page *p)
{
	list_remove(p->owner, &p->node);
	if (p->by_phone.linked)
		map_remove(&p->dial->taken, &p->by_phone);
	free(p);
}

void dial_pages_free(struct dial *d)
{
	list_each(&d->pages, n, next) page_free(list_entry(n, struct dial_page, node));
	list_each(&d->pages_taken, n, next) page_free(list_entry(n, struct dial_page, node));
	map_fini(&d->taken);
}

static struct dial_page *page_taken(const struct dial *d, int64_t phone_key)
{
	struct map_node *n = map_get(&d->taken, map_hash_u64((uint64_t)phone_key), &phone_key);

	return n ? map_entry(n, struct dial_page, by_phone) : NULL;
}

/* The oldest go, also before their time. */
static void pages_trim(struct dial *d, int64_t now_ms)
{
	struct list_node *n;

	while ((n = list_first(&d->pages_taken)) != NULL) {
		struct dial_page *p = list_entry(n, struct dial_page, node);

		if (p->until_ms > now_ms && d->pages_taken.count < DIAL_TAKEN)
			return;
		page_free(p);
	}
}

static void page_on_end(void *arg, enum kz r)
{
	struct dial_page *p = arg;
	struct dial *d = p->dial;
	struct dial_page *before = page_taken(d, p->phone_key);
	int64_t now_ms = loop_now_ms(d->base.loop);

	if (before)
		page_free(before);
	pages_trim(d, now_ms);
	if (r != KZ_OK || !p->repeat_ms) {
		page_free(p);
		return;
	}
	list_remove(p->owner, &p->node);
	p->owner = &d->pages_taken;
	list_append(p->owner, &p->node);
	p->until_ms = now_ms + p->repeat_ms;
	map_put(&d->taken, &p->by_phone, map_hash_u64((uint64_t)p->phone_key));
}

/* The carrier counts what becomes of pages; of this one nothing follows. */
static void page_on_nothing(void *arg, enum kz r)
{
	(void)arg;
	(void)r;
}

/* A page that is over the operator's limit is a dialog's and a profile's that do not fit each other: said in
 * the log, and the parent is told that it does not work. */
static enum kz page_send(struct dial *d, const char *carrier, const struct ussd_peer *to, int64_t within_ms,
    const char *page, bool last, carrier_page_fn *done, void *arg)
{
	enum kz r =
	    send_page(d->base.send, carrier, to, last ? USSD_LAST : USSD_GO_ON, page, within_ms, done, arg);

	if (r == KZ_TOO_LONG) {
		log_error("ussd", "a page is longer than the profile of %s allows: ussd.pages", carrier);
		r = send_page(d->base.send, carrier, to, USSD_LAST,
		    d->menu ? d->menu->dialog->down.in[LANGUAGE_EN] : "-", within_ms, done, arg);
	}
	if (r != KZ_OK)
		log_debug("ussd", "a page was not sent by %s: %s", carrier, kz_name(r));
	return r;
}

/* What is left of the turn's time, and for a closing page a moment more. */
static int64_t page_within_ms(const struct turn *t)
{
	int64_t left_ms =
	    t->way.deadline_ms - (loop_clock(t->dial->base.loop)->mono_us() - t->began_us) / 1000;

	return left_ms > LAST_MS ? left_ms : LAST_MS;
}

void dial_page_send(struct turn *t, const char *page, bool last)
{
	struct dial *d = t->dial;
	struct dial_page *p = mem_new(sizeof *p);

	p->dial = d;
	p->phone_key = t->phone_key;
	p->said = t->said;
	p->repeat_ms = t->way.repeat_ms;
	p->link = t->in.peer.link;
	p->epoch = t->in.epoch;
	p->sequence = t->in.sequence;
	p->owner = &d->pages;
	list_append(p->owner, &p->node);
	if (page_send(d, t->carrier, &t->in.peer, page_within_ms(t), page, last, page_on_end, p) != KZ_OK)
		page_free(p);
}

void dial_page_send_hidden(struct dial *d, const char *carrier, const struct ussd_in *in)
{
	const struct dialog *dialog = d->menu->dialog;

	metric_add(d->closed[CLOSE_HIDDEN], 1);
	(void)page_send(d, carrier, &in->peer, dial_way(d, carrier).deadline_ms,
	    dialog->hidden.in[dialog->first], true, page_on_nothing, d);
}

bool dial_page_was_read(const struct turn *t)
{
	const struct dial_page *p = page_taken(t->dial, t->phone_key);
	const struct carrier *c = ways_named(send_ways(t->dial->base.send), t->carrier);

	return p && c && p->said == t->said && p->until_ms > loop_now_ms(t->dial->base.loop) &&
	       (p->link != t->in.peer.link || p->sequence != t->in.sequence) &&
	       carrier_link_stands(c, p->link, p->epoch);
}

/* The network, or a second daemon that had the same, asks again for what was answered. */
bool turn_is_repeated(const struct turn *t)
{
	int64_t age_ms = dial_wall_ms(t->dial) - t->record->at_ms;

	return dial_record_is_of(t->record, t->carrier, &t->in.peer) && t->record->said == t->said &&
	       (t->beaten || (!t->read && age_ms >= 0 && age_ms < t->way.repeat_ms));
}

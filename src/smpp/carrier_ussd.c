/* carrier_ussd: dialogues. What somebody dialled or typed is answered at once and told to the owner. A page
 * waits for one link, the one that its dialogue came by while that can submit, since many operators know a
 * dialogue only on the session that it began on; when that goes it waits for another. Pages are written
 * before any message: while one waits for a link's token, no message takes it, and of each window some places
 * are left to them. A page is never sent twice: one that was written and not answered is lost, as its phone
 * may show it; one that was slowed was not taken, and goes again within its time. */
#include "smpp/carrier_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define PAGES_MAX 20000

/* One page on its way; owned by the carrier. */
struct page {
	struct list_node node;
	struct list *list;
	struct heap_node due;
	struct carrier *carrier;
	uint32_t link; /* that its dialogue came by; may be none of ours */
	struct pdu_sm m;
	struct buf room; /* octets of m */
	int64_t begun_us, until_ms;
	carrier_page_fn *done;
	void *arg;
};

static const enum kz page_results[PAGE_ENDS] = {KZ_OK, KZ_REFUSED, KZ_EXPIRED, KZ_LOST};

static struct metric *carrier_ussd_counter(
    const char *name, const char *help, const char *carrier, const char *label, const char *value)
{
	char labels[96];

	snprintf(labels, sizeof labels, "carrier=\"%s\",%s=\"%s\"", carrier, label, value);
	return metric_counter(name, help, labels);
}

static void carrier_make_ussd_metrics(struct carrier *c)
{
	static const char *const said[] = {"dialled", "typed", "confirmed", "cancelled"};
	static const char *const ends[] = {"taken", "refused", "expired", "lost"};
	const char *name = c->profile->name;
	char labels[64];

	for (size_t i = 0; i <= USSD_CANCELLED; i++)
		c->ussd_heard[i] = carrier_ussd_counter("kezek_ussd_heard_total",
		    "deliver_sm and data_sm of USSD dialogues.", name, "said", said[i]);
	for (size_t i = 0; i < PAGE_ENDS; i++)
		c->ussd_pages[i] = carrier_ussd_counter(
		    "kezek_ussd_pages_total", "Pages by what became of them.", name, "result", ends[i]);
	snprintf(labels, sizeof labels, "carrier=\"%s\"", name);
	c->ussd_seconds = metric_seconds(
	    "kezek_ussd_page_seconds", "From a page that is ready to the operator's answer for it.", labels);
	c->ussd_waiting = metric_gauge("kezek_ussd_pages_waiting", "Pages that wait for a link.", labels);
}

static void page_pull(struct page *p)
{
	if (p->list)
		list_remove(p->list, &p->node);
	p->list = NULL;
}

static void page_put_last(struct page *p, struct list *list)
{
	page_pull(p);
	p->list = list;
	list_append(list, &p->node);
}

static void page_free(struct page *p)
{
	page_pull(p);
	heap_remove(&p->carrier->pages_due, &p->due);
	metric_set(p->carrier->ussd_waiting, (double)p->carrier->pages_due.count);
	buf_fini(&p->room);
	free(p);
}

/* It is over; its owner may ask for another page from inside. */
static void page_end(struct page *p, enum page_end end)
{
	struct carrier *c = p->carrier;
	carrier_page_fn *done = p->done;
	void *arg = p->arg;

	metric_add(c->ussd_pages[end], 1);
	if (end == PAGE_TAKEN)
		metric_observe_us(c->ussd_seconds, loop_clock(c->loop)->mono_us() - p->begun_us);
	page_free(p);
	done(arg, page_results[end]);
}

/* The link that it waits for: its own, else the one with the fewest; NULL: none can submit. */
static struct line *page_line(const struct page *p)
{
	const struct carrier *c = p->carrier;
	struct line *best = NULL;

	if (p->link < c->lines_n && link_can_submit(c->lines[p->link].session))
		return &c->lines[p->link];
	for (size_t i = 0; i < c->lines_n; i++) {
		struct line *line = &c->lines[i];

		if (link_can_submit(line->session) && (!best || line->pages.count < best->pages.count))
			best = line;
	}
	return best;
}

static void page_wait(struct page *p)
{
	struct line *line = page_line(p);

	page_put_last(p, line ? &line->pages : &p->carrier->pages);
}

static void carrier_watch_pages(struct carrier *c)
{
	const struct heap_node *first = heap_first(&c->pages_due);
	int64_t now = loop_now_ms(c->loop);

	metric_set(c->ussd_waiting, (double)c->pages_due.count);
	if (!first)
		return timer_stop(c->pages_timer);
	timer_start(c->pages_timer, first->key > now ? first->key - now : 0);
}

static void carrier_on_pages_due(void *arg)
{
	struct carrier *c = arg;
	int64_t now = loop_now_ms(c->loop);
	struct heap_node *n;

	while ((n = heap_first(&c->pages_due)) != NULL && n->key <= now)
		page_end(heap_entry(n, struct page, due), PAGE_EXPIRED);
	carrier_watch_pages(c);
}

void carrier_start_pages(struct carrier *c)
{
	list_init(&c->pages);
	list_init(&c->pages_sent);
	c->pages_timer = timer_new(c->loop, carrier_on_pages_due, c);
	carrier_make_ussd_metrics(c);
}

static void carrier_free_list(struct list *pages)
{
	while (pages->count)
		page_free(list_entry(list_first(pages), struct page, node));
}

void carrier_free_pages(struct carrier *c)
{
	carrier_free_list(&c->pages);
	carrier_free_list(&c->pages_sent);
	for (size_t i = 0; i < c->lines_n; i++)
		carrier_free_list(&c->lines[i].pages);
	heap_fini(&c->pages_due);
	timer_free(c->pages_timer);
}

bool carrier_link_stands(const struct carrier *c, uint32_t link, uint32_t epoch)
{
	return link < c->lines_n && link_stands(c->lines[link].session, epoch);
}

size_t carrier_pages(const struct carrier *c)
{
	return c->pages_due.count;
}

enum kz carrier_page(struct carrier *c, const struct ussd_peer *to, enum ussd_page how, const char *text,
    int64_t within_ms, carrier_page_fn *done, void *arg)
{
	struct page *p;
	enum kz r;

	if (c->draining)
		return KZ_LOST;
	if (c->pages_due.count >= PAGES_MAX)
		return KZ_BUSY;
	p = mem_new(sizeof *p);
	*p = (struct page){.carrier = c, .link = to->link, .done = done, .arg = arg};
	p->room.wiped = true; /* a page may show what is one person's */
	p->begun_us = loop_clock(c->loop)->mono_us();
	if ((r = ussd_put(c->profile, to, how, text, &p->room, &p->m)) != KZ_OK) {
		page_free(p);
		return r;
	}
	p->until_ms = loop_now_ms(c->loop) + within_ms;
	heap_set(&c->pages_due, &p->due, p->until_ms);
	carrier_watch_pages(c);
	page_wait(p);
	carrier_wake(c);
	return KZ_OK;
}

/* KZ_OK: written, or over since nothing can be made of it. */
static enum kz page_send(struct page *p, struct line *line)
{
	enum kz r = link_submit_page(line->session, &p->m, p);

	if (r == KZ_BUSY || r == KZ_LOST)
		return r;
	if (r != KZ_OK) {
		log_error(link_name(line->session), "no page can be made: %s", kz_name(r));
		page_end(p, PAGE_REFUSED);
		return KZ_OK;
	}
	heap_remove(&p->carrier->pages_due, &p->due);
	page_put_last(p, &p->carrier->pages_sent);
	return KZ_OK;
}

bool carrier_send_pages(struct carrier *c)
{
	bool busy = false;

	for (size_t n = c->pages.count; n > 0; n--)
		page_wait(list_entry(list_first(&c->pages), struct page, node));
	for (size_t i = 0; i < c->lines_n; i++) {
		struct line *line = &c->lines[i];
		enum kz r = KZ_OK;

		while (r == KZ_OK && line->pages.count && link_page_wait_ms(line->session) == 0)
			r = page_send(list_entry(list_first(&line->pages), struct page, node), line);
		busy = busy || r == KZ_BUSY;
	}
	carrier_watch_pages(c);
	return busy;
}

int64_t carrier_pages_rest_ms(const struct carrier *c)
{
	int64_t rest = -1;

	for (size_t i = 0; i < c->lines_n; i++) {
		int64_t ms = c->lines[i].pages.count ? link_page_wait_ms(c->lines[i].session) : -1;

		if (ms >= 0 && (rest < 0 || ms < rest))
			rest = ms;
	}
	return rest;
}

void carrier_move_pages(struct carrier *c, struct line *line)
{
	(void)c;
	for (size_t n = line->pages.count; n > 0; n--)
		page_wait(list_entry(list_first(&line->pages), struct page, node));
}

static void carrier_drop_list(struct list *pages)
{
	while (pages->count)
		page_end(list_entry(list_first(pages), struct page, node), PAGE_EXPIRED);
}

void carrier_drop_pages(struct carrier *c)
{
	carrier_drop_list(&c->pages);
	for (size_t i = 0; i < c->lines_n; i++)
		carrier_drop_list(&c->lines[i].pages);
	carrier_watch_pages(c);
}

/* It was slowed: the operator did not take it. */
static void page_again(struct page *p)
{
	struct line *line = page_line(p);

	page_pull(p);
	p->list = line ? &line->pages : &p->carrier->pages;
	list_prepend(p->list, &p->node);
	heap_set(&p->carrier->pages_due, &p->due, p->until_ms);
}

void carrier_on_page_answer(struct carrier *c, void *page, const struct link_answer *a)
{
	struct page *p = page;

	if (!a->answered)
		page_end(p, PAGE_LOST);
	else if (a->class == STATUS_OK)
		page_end(p, PAGE_TAKEN);
	else if (a->class == STATUS_SLOW && !c->draining && p->until_ms > loop_now_ms(c->loop))
		page_again(p);
	else
		page_end(p, PAGE_REFUSED);
}

/* By a carrier that goes it can be brought again, by another link and to another daemon: its session is
 * there. */
static uint32_t carrier_ussd_refusal(const struct carrier *c)
{
	return c->draining ? (uint32_t)c->profile->receipt_busy_status : ESME_RX_P_APPN;
}

/* Answered before any page can go: those are written by the pump alone. What was typed is nobody's to keep,
 * so a PDU that cannot be read is only counted. */
void carrier_on_ussd(struct carrier *c, struct link *l, const struct pdu_sm *m, struct deliver_ticket t)
{
	struct ussd_in in;
	enum kz r = ussd_take(c->profile, m, &in);

	if (r != KZ_OK) {
		link_count_odd(l, "unreadable_ussd");
		log_warn(link_name(l), "unreadable USSD, octets=%zu", m->text_len);
		return link_answer(l, t, ESME_RX_P_APPN);
	}
	in.peer.link = t.link;
	in.epoch = t.epoch;
	in.sequence = t.sequence;
	metric_add(c->ussd_heard[in.said], 1);
	bool taken = c->events->on_ussd(c->arg, c, &in);
	explicit_bzero(in.text, sizeof in.text); /* perhaps an IIN */
	link_answer(l, t, taken ? 0 : carrier_ussd_refusal(c));
}

/* Twice a second what is due is read, a page at a time, and each of it is an errand until what came of it is
 * written: errands are left out when the next page is read, so a slow one holds nobody up. Nothing is kept in
 * memory of a notice that waits: when it is looked at next stands in its row. */
#include "flow/notices.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "flow/notices_body.h"

#define TICK_MS 500
#define PAGE    128 /* of numbers of applications, and of others */
#define HEAR_MS 20  /* ends gather for so long */
#define HEAR_AT 500 /* in one question */

static void notices_read_page(void *arg);
static void notices_ask_heard(void *arg);

static void notices_make_metrics(struct notices *n)
{
	static const char *const hows[NOTICES_HOWS] = {"link", "phone", "sms"};
	char labels[64];

	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++)
		for (enum notice_channel c = 0; c < NOTICE_CHANNELS; c++) {
			snprintf(labels, sizeof labels, "kind=\"%s\",by=\"%s\"", notice_kind_name(k),
			    notice_channel_name(c));
			n->sent[k][c] = metric_counter("kezek_notices_sent_total",
			    "Notices kept as a message, or handed over as an email", labels);
		}
	for (int i = 0; i < NOTICES_HOWS; i++) {
		snprintf(labels, sizeof labels, "how=\"%s\"", hows[i]);
		n->again[i] = metric_counter("kezek_notices_again_total",
		    "Notices that did not arrive and went once more: by another link, to the second phone, "
		    "by SMS instead of email",
		    labels);
	}
	for (enum notice_state s = NOTICE_DELIVERED; s < NOTICE_STATES; s++) {
		snprintf(labels, sizeof labels, "state=\"%s\"", notice_state_name(s));
		n->ended[s] = metric_counter(
		    "kezek_notices_ended_total", "Notices that this daemon saw come to an end", labels);
	}
	n->late = metric_counter("kezek_notices_late_total",
	    "Numbers of applications that were not delivered 12 minutes after registration: kezekctl late",
	    "");
	n->unheard = metric_counter("kezek_notices_unheard_total",
	    "Messages that ended badly and were not asked about at once, since too many did", "");
	n->busy_gauge = metric_gauge("kezek_notices_busy", "Notices that are being told", "");
}

struct notices *notices_new(
    const struct notices_base *base, const struct notices_files *files, const struct batch_limits *limits)
{
	struct notices *n = mem_new(sizeof *n);

	n->base = *base;
	n->files = *files;
	list_init(&n->busy);
	n->desk = notice_desk_new(base->loop, base->pg, limits);
	n->tick = timer_new(base->loop, notices_read_page, n);
	n->hear_timer = timer_new(base->loop, notices_ask_heard, n);
	notices_make_metrics(n);
	return n;
}

void notices_set_files(struct notices *n, const struct notices_files *files)
{
	n->files = *files;
}

int64_t notices_now_us(const struct notices *n)
{
	return loop_clock(n->base.loop)->wall_us();
}

static bool notices_holds(const struct notices *n)
{
	return memchr(n->held, true, sizeof n->held) != NULL;
}

static void notices_soon(struct notices *n, int64_t wait_ms)
{
	if (!n->stopped && !n->reading && notices_holds(n))
		timer_start(n->tick, wait_ms);
}

void errand_free(struct errand *e)
{
	struct notices *n = e->notices;

	list_remove(&n->busy, &e->node);
	metric_set(n->busy_gauge, (double)n->busy.count);
	feed_release(n->base.feed, &e->feed);
	timer_free(e->again);
	free((char *)(uintptr_t)e->facts.kindergarten);
	free((char *)(uintptr_t)e->facts.place);
	secret_wipe(e->email, sizeof e->email);
	free(e);
	if (n->more && n->busy.count < NOTICES_BUSY / 2)
		notices_soon(n, 0);
}

static void errand_on_ruled(struct notice_ruling *r, enum kz result)
{
	struct errand *e = (struct errand *)((char *)r - offsetof(struct errand, ruling));

	if (result == KZ_OK && r->becomes != r->was && e->notices->ended[r->becomes])
		metric_add(e->notices->ended[r->becomes], 1);
	errand_free(e);
}

void errand_rule(struct errand *e, enum notice_state becomes, int64_t look_at_us, int mails)
{
	e->ruling = (struct notice_ruling){.id = e->id,
	    .sends = e->sends,
	    .was = e->state,
	    .becomes = becomes,
	    .look_at_us = look_at_us,
	    .mails = mails,
	    .done = errand_on_ruled};
	notice_desk_rule(e->notices->desk, &e->ruling);
}

void errand_wait_ms(struct errand *e, int64_t wait_ms)
{
	errand_rule(e, e->state, notices_now_us(e->notices) + wait_ms * 1000, e->mails);
}

static void notices_on_page(void *arg, enum kz r, bool more)
{
	struct notices *n = arg;

	n->reading = 0;
	n->more = r == KZ_OK && more;
	notices_soon(n, n->more && n->busy.count < NOTICES_BUSY / 2 ? 0 : TICK_MS);
}

/* So that the next page does not show them again. */
static size_t notices_list_busy(const struct notices *n, uint64_t ids[NOTICES_BUSY])
{
	size_t count = 0;

	list_each(&n->busy, at, next) ids[count++] = list_entry(at, struct errand, node)->id;
	assert(count <= NOTICES_BUSY);
	return count;
}

static void notices_read_page(void *arg)
{
	struct notices *n = arg;
	uint64_t busy[NOTICES_BUSY];
	int room = (int)(NOTICES_BUSY - n->busy.count) / 2;

	if (n->reading || n->stopped || !notices_holds(n))
		return;
	const struct notice_page page = {.held = n->held,
	    .now_us = notices_now_us(n),
	    .numbers = room < PAGE ? room : PAGE,
	    .others = room < PAGE ? room : PAGE,
	    .busy = busy,
	    .busy_n = notices_list_busy(n, busy)};
	if (!room ||
	    notice_desk_read(n->base.pg, &page, notices_on_due, notices_on_page, n, &n->reading) != KZ_OK)
		notices_soon(n, TICK_MS);
}

void notices_take_slot(struct notices *n, uint8_t slot)
{
	n->held[slot] = true;
	notices_soon(n, 0);
}

size_t notices_leave_slot(struct notices *n, uint8_t slot)
{
	size_t under_way = 0;

	n->held[slot] = false;
	list_each(&n->busy, at, next) under_way += ids_slot(list_entry(at, struct errand, node)->id) == slot;
	return under_way;
}

void notices_lose_slots(struct notices *n)
{
	memset(n->held, 0, sizeof n->held);
}

void notices_hear_lost(struct notices *n, uint64_t message_id)
{
	if (n->stopped)
		return;
	if (n->heard_n == NOTICES_HEARD) {
		metric_add(n->unheard, 1);
		return;
	}
	n->heard[n->heard_n++] = message_id;
	if (!n->hearing && !timer_is_armed(n->hear_timer))
		timer_start(n->hear_timer, HEAR_MS);
}

/* What was not asked now is found when its wait is over. */
static void notices_on_heard(void *arg, enum kz r)
{
	struct notices *n = arg;

	(void)r;
	n->hearing = 0;
	if (n->heard_n && !n->stopped)
		timer_start(n->hear_timer, HEAR_MS);
	notices_soon(n, 0);
}

static void notices_ask_heard(void *arg)
{
	struct notices *n = arg;
	size_t ask = n->heard_n < HEAR_AT ? n->heard_n : HEAR_AT;

	if (n->hearing || !ask)
		return;
	n->heard_n -= ask;
	if (notice_desk_hear(n->base.pg, n->heard + n->heard_n, ask, notices_on_heard, n, &n->hearing) !=
	    KZ_OK)
		metric_add(n->unheard, ask);
}

void notices_on_told(struct notices *n, notices_told_fn *told, void *arg)
{
	n->told = told;
	n->told_arg = arg;
}

void notices_stop(struct notices *n)
{
	n->stopped = true;
	timer_stop(n->tick);
	timer_stop(n->hear_timer);
}

void notices_free(struct notices *n)
{
	if (!n)
		return;
	n->stopped = true;
	if (n->reading)
		pg_job_cancel(n->base.pg, n->reading);
	if (n->hearing)
		pg_job_cancel(n->base.pg, n->hearing);
	notice_desk_free(n->desk);
	while (n->busy.count)
		errand_free(list_entry(list_first(&n->busy), struct errand, node));
	timer_free(n->tick);
	timer_free(n->hear_timer);
	free(n);
}

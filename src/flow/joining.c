#include "flow/joining.h"

#include <stdlib.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

#define SOON_MS   1000
#define IDLE_MS   30000
#define FORGET_MS 60000 /* between two looks for those that need not wait any more */

struct joining {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	struct timer *timer;
	bool asking, is_soon;
	int64_t wait_ms; /* until the next look, when nothing hurries */
	int64_t forget_ms;
	struct metric *old, *over, *waiting;
};

void joining_soon(struct joining *j)
{
	if (j->is_soon)
		return;
	j->is_soon = true;
	timer_start(j->timer, SOON_MS);
}

static void joining_on_forgotten(void *arg, enum kz r, const struct receipts_forgotten *f)
{
	struct joining *j = arg;

	if (r != KZ_OK)
		return;
	metric_add(j->old, f->old);
	metric_add(j->over, f->over);
	metric_set(j->waiting, (double)f->waiting);
	if (f->over)
		log_warn("receipts", "forgotten=%zu: more than %d of one operator name no message of ours",
		    f->over, RECEIPTS_WAIT_MOST);
}

static void joining_forget(struct joining *j)
{
	int64_t now_ms = loop_now_ms(j->loop), wall_us = loop_clock(j->loop)->wall_us();

	if (now_ms >= j->forget_ms &&
	    receipts_forget(j->pg, wall_us, RECEIPTS_WAIT_MOST, joining_on_forgotten, j) == KZ_OK)
		j->forget_ms = now_ms + FORGET_MS;
}

/* What was put off is due within half its age: as long as nothing is due the pauses double. */
static void joining_on_joined(void *arg, enum kz r, size_t looked, size_t joined)
{
	struct joining *j = arg;

	j->asking = false;
	if (looked || r != KZ_OK || j->is_soon)
		j->wait_ms = SOON_MS;
	else
		j->wait_ms = j->wait_ms * 2 < IDLE_MS ? j->wait_ms * 2 : IDLE_MS;
	timer_start(j->timer, looked == RECEIPTS_JOIN_MOST ? 0 : j->wait_ms);
	if (r == KZ_OK)
		joining_forget(j);
	if (joined)
		log_info("receipts", "joined=%zu with submissions recorded since", joined);
}

static void joining_look(void *arg)
{
	struct joining *j = arg;
	int64_t low_ms;

	if (j->asking)
		return;
	j->is_soon = false;
	low_ms = clock_wall_ms(loop_clock(j->loop)) - RECEIPTS_REACH_MS;
	j->asking = receipts_join(j->pg, j->feed, ids_floor(low_ms), joining_on_joined, j) == KZ_OK;
	if (!j->asking)
		timer_start(j->timer, SOON_MS);
}

struct joining *joining_new(struct loop *l, struct pg *pg, struct feed *feed)
{
	struct joining *j = mem_new(sizeof *j);

	*j = (struct joining){.loop = l, .pg = pg, .feed = feed, .wait_ms = SOON_MS};
	j->timer = timer_new(l, joining_look, j);
	timer_start(j->timer, SOON_MS);
	j->old = metric_counter("kezek_receipts_forgotten_total",
	    "Receipts that waited for a submission in vain, by why they wait no longer", "why=\"old\"");
	j->over = metric_counter("kezek_receipts_forgotten_total",
	    "Receipts that waited for a submission in vain, by why they wait no longer", "why=\"many\"");
	j->waiting = metric_gauge("kezek_receipts_waiting",
	    "Receipts in the database that wait for their submission, of all daemons, as of the last minute",
	    "");
	return j;
}

void joining_free(struct joining *j)
{
	if (!j)
		return;
	timer_free(j->timer);
	free(j);
}

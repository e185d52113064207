#include "api/rates.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/metrics.h"

#define LOOKS 6 /* five spans of a second */

static const char *const counters[RATES] = {
    "kezek_messages_accepted_total", "kezek_messages_submitted_total", "kezek_receipts_total"};

struct rates {
	struct loop *loop;
	struct timer *timer;
	double seen[LOOKS][RATES];
	int64_t at_ms[LOOKS];
	unsigned looks; /* so far */
};

static void rates_look(void *arg)
{
	struct rates *r = arg;
	unsigned at = r->looks++ % LOOKS;

	r->at_ms[at] = loop_now_ms(r->loop);
	for (int i = 0; i < RATES; i++)
		r->seen[at][i] = metrics_total(counters[i]);
	timer_start(r->timer, 1000);
}

struct rates *rates_new(struct loop *l)
{
	struct rates *r = mem_new(sizeof *r);

	r->loop = l;
	r->timer = timer_new(l, rates_look, r);
	rates_look(r);
	return r;
}

double rates_of(const struct rates *r, enum rates_what what)
{
	unsigned newest = (r->looks - 1) % LOOKS, oldest = r->looks > LOOKS ? r->looks % LOOKS : 0;
	int64_t span_ms = r->at_ms[newest] - r->at_ms[oldest];

	return span_ms > 0 ? (r->seen[newest][what] - r->seen[oldest][what]) * 1000 / (double)span_ms : 0;
}

void rates_free(struct rates *r)
{
	if (!r)
		return;
	timer_free(r->timer);
	free(r);
}

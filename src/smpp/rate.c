/* rate: the bucket holds a tenth of a second, at least one segment: enough for a late timer, too little to be
 * seen as a burst by an operator that counts per second. Requests that were on the way when the rate was cut
 * tell nothing about the new rate, so they are not counted; without that one full window of refusals would
 * cut the rate to nothing. */
#include "smpp/rate.h"

#include <assert.h>

#define CUT        (2.0 / 3.0)
#define GROWTH     0.05  /* of the rate now, per second at full use */
#define GROWTH_MIN 0.005 /* of the limit, likewise */
#define LEAST      0.01  /* of the limit */
#define LEAST_ABS  0.5   /* segments/s */
#define DEPTH      0.1   /* seconds */

static double rate_floor(const struct rate *r)
{
	double least = r->limit * LEAST;

	return least > LEAST_ABS ? least : LEAST_ABS;
}

static void rate_set(struct rate *r, double now)
{
	if (now < rate_floor(r))
		now = rate_floor(r);
	r->now = now < r->limit ? now : r->limit;
	r->room = r->now * DEPTH > 1 ? r->now * DEPTH : 1;
	if (r->tokens > r->room)
		r->tokens = r->room;
}

static void rate_fill(struct rate *r, int64_t now_ms)
{
	if (now_ms <= r->filled_ms)
		return;
	r->tokens += (double)(now_ms - r->filled_ms) * r->now / 1000;
	if (r->tokens > r->room)
		r->tokens = r->room;
	r->filled_ms = now_ms;
}

void rate_init(struct rate *r, double limit, int64_t now_ms)
{
	assert(limit >= 1);
	*r = (struct rate){.limit = limit, .filled_ms = now_ms, .slowed_ms = INT64_MIN};
	rate_set(r, limit);
	r->tokens = r->room;
}

int64_t rate_wait_ms(struct rate *r, int64_t now_ms)
{
	rate_fill(r, now_ms);
	/* Sums of fractions: a hair below one is one. */
	if (r->tokens >= 1 - 1e-6)
		return 0;
	return 1 + (int64_t)((1 - 1e-6 - r->tokens) * 1000 / r->now);
}

void rate_take(struct rate *r, unsigned n, int64_t now_ms)
{
	rate_fill(r, now_ms);
	r->tokens -= n;
}

void rate_slow(struct rate *r, int64_t sent_ms, int64_t now_ms)
{
	if (sent_ms <= r->slowed_ms)
		return;
	rate_fill(r, now_ms);
	rate_set(r, r->now * CUT);
	if (r->tokens > 0)
		r->tokens = 0;
	r->slowed_ms = now_ms;
}

void rate_clean(struct rate *r, int64_t sent_ms)
{
	if (r->now < r->limit && sent_ms > r->slowed_ms)
		rate_set(r, r->now + GROWTH + GROWTH_MIN * r->limit / r->now);
}

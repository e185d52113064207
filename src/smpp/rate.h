/* rate: a token bucket in segments per second that learns what the operator really bears: a slowing status
 * (0x58, 0x14) takes a third of the rate away, once per round trip, and clean round trips give a tenth of the
 * configured rate back each second. Pure: time comes in as milliseconds of the loop. */
#ifndef SMPP_RATE_H
#define SMPP_RATE_H

#include <stdint.h>

/* A value; rate_init, then use. */
struct rate {
	double limit; /* segments/s: configured */
	double now;   /* after adaptation, never over limit */
	double tokens, room;
	int64_t filled_ms, slowed_ms;
};

/* limit: segments/s, at least 1. The bucket begins full. */
void rate_init(struct rate *r, double limit, int64_t now_ms);
/* Milliseconds until one segment may go, 0: now. */
int64_t rate_wait_ms(struct rate *r, int64_t now_ms);
/* Takes n segments; several at once leave a debt that is waited for. */
void rate_take(struct rate *r, unsigned n, int64_t now_ms);
/* A request sent at sent_ms was answered with a slowing status: less, unless it was sent before the last
 * such. */
void rate_slow(struct rate *r, int64_t sent_ms, int64_t now_ms);
/* A request sent at sent_ms was answered well: a little more, unless it was sent before the last slowing. */
void rate_clean(struct rate *r, int64_t sent_ms);

#endif

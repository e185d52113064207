/* backoff: how long a link waits before it connects again. Doubles from min to max, with jitter, so that many
 * links to one operator do not come back in step. Pure but for the jitter. */
#ifndef SMPP_BACKOFF_H
#define SMPP_BACKOFF_H

#include <stdint.h>

/* A value; set min_ms and max_ms, zero the rest. */
struct backoff {
	int64_t min_ms, max_ms;
	int64_t last_ms; /* before jitter; 0 at the beginning and after a reset */
};

/* The next wait: 75-125 % of the doubled one, and never under floor_ms. */
int64_t backoff_next_ms(struct backoff *b, int64_t floor_ms);
/* The session lived for lived_ms. One that lived longer than the wait before it begins from min again; one
 * that fell at once goes on doubling. */
void backoff_lived(struct backoff *b, int64_t lived_ms);

#endif

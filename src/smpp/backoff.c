#include "smpp/backoff.h"

#include <assert.h>

#include "base/secret.h"

int64_t backoff_next_ms(struct backoff *b, int64_t floor_ms)
{
	assert(b->min_ms > 0 && b->max_ms >= b->min_ms && b->max_ms <= UINT32_MAX);
	b->last_ms = b->last_ms ? b->last_ms * 2 : b->min_ms;
	if (b->last_ms > b->max_ms)
		b->last_ms = b->max_ms;

	int64_t base = b->last_ms > floor_ms ? b->last_ms : floor_ms;
	int64_t jitter = (int64_t)secret_uniform((uint32_t)(base / 2 + 1));
	int64_t wait = base - base / 4 + jitter;
	return wait > floor_ms ? wait : floor_ms + jitter;
}

void backoff_lived(struct backoff *b, int64_t lived_ms)
{
	if (lived_ms > b->last_ms)
		b->last_ms = 0;
}

/* One question at a time. A slot that stops at a message which is still under way is asked again in the next
 * round: the question is cheap as long as it stops early. */
#include "flow/silence.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

#define ROUND_MIN_MS 1000
#define ROUND_MAX_MS 60000

struct silence {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	const bool *held;
	int64_t wait_ms;
	struct timer *timer;
	int slot; /* whose turn it is */
	bool asking, stopped;
	struct metric *ended;
};

static void silence_on_timer(void *arg);

struct silence *silence_new(struct loop *l, struct pg *pg, struct feed *feed, const bool *held)
{
	struct silence *s = mem_new(sizeof *s);

	*s = (struct silence){.loop = l, .pg = pg, .feed = feed, .held = held};
	s->timer = timer_new(l, silence_on_timer, s);
	s->ended = metric_counter("kezek_messages_unconfirmed_total",
	    "Messages that ended because no final receipt came in time", "");
	return s;
}

static int64_t silence_round_ms(const struct silence *s)
{
	int64_t ms = s->wait_ms / 4;

	return ms < ROUND_MIN_MS ? ROUND_MIN_MS : ms > ROUND_MAX_MS ? ROUND_MAX_MS : ms;
}

void silence_set_wait(struct silence *s, int64_t wait_ms)
{
	s->wait_ms = wait_ms;
	if (!s->asking)
		timer_start(s->timer, silence_round_ms(s));
}

/* The next slot from `slot` on that is held; IDS_SLOTS: none. */
static int silence_next(const struct silence *s, int slot)
{
	while (slot < IDS_SLOTS && !s->held[slot])
		slot++;
	return slot;
}

static void silence_on_ended(void *arg, enum kz r, size_t ended, bool more)
{
	struct silence *s = arg;

	s->asking = false;
	if (ended) {
		metric_add(s->ended, ended);
		log_info(
		    "receipts", "slot=%d, unconfirmed=%zu: no final receipt came in time", s->slot, ended);
	}
	if (s->stopped)
		return;
	if (r == KZ_OK && !more)
		s->slot++;
	timer_start(s->timer, r == KZ_OK ? 0 : silence_round_ms(s));
}

static void silence_on_timer(void *arg)
{
	struct silence *s = arg;
	int64_t before_ms = clock_wall_ms(loop_clock(s->loop)) - s->wait_ms;

	s->slot = silence_next(s, s->slot);
	s->asking = s->slot < IDS_SLOTS && unheard_end(s->pg, s->feed, (uint8_t)s->slot, ids_floor(before_ms),
	                                       before_ms * 1000, silence_on_ended, s) == KZ_OK;
	if (s->asking)
		return;
	s->slot = 0;
	timer_start(s->timer, silence_round_ms(s));
}

bool silence_asks(const struct silence *s, uint8_t slot)
{
	return s->asking && s->slot == slot;
}

void silence_stop(struct silence *s)
{
	s->stopped = true;
	timer_stop(s->timer);
}

void silence_free(struct silence *s)
{
	if (!s)
		return;
	timer_free(s->timer);
	free(s);
}

/* loop: the one event loop of a process: timers on a given clock, watched descriptors, signals, deferred
 * calls. Home of libevent together with stream and http_server. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct loop;
struct timer;
struct watch;
struct event_base;

typedef void loop_fn(void *arg);
typedef void watch_fn(void *arg, bool readable, bool writable);
typedef void signal_fn(void *arg, int signo);

/* clock: copied; timers and loop_now_ms follow it. A test brings a fake one and drives the loop by loop_turn.
 */
struct loop *loop_new(const struct clock *clock);
/* Every timer, watch and deferred call must be gone. */
void loop_free(struct loop *l);
/* Until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One round: deferred calls, timers that are due by the clock, ready descriptors. Waits at most wait_ms of
 * real time for a descriptor when nothing else is due. For tests. */
void loop_turn(struct loop *l, int wait_ms);
const struct clock *loop_clock(const struct loop *l);
/* Monotonic milliseconds by the loop's clock, fresh. */
int64_t loop_now_ms(const struct loop *l);
/* For the other files of net/ only. */
struct event_base *loop_base(struct loop *l);

/* A timer fires once per start, never before timer_start returned. Starting again moves it. */
struct timer *timer_new(struct loop *l, loop_fn *fn, void *arg);
void timer_start(struct timer *t, int64_t after_ms);
void timer_stop(struct timer *t);
bool timer_is_armed(const struct timer *t);
void timer_free(struct timer *t); /* NULL is fine; allowed inside its own callback */

/* Calls fn once at the end of the current round of callbacks (or the next round when called from outside).
 * A value embedded by its owner; deferring again while pending is a no-op. */
struct defer {
	struct defer *prev, *next;
	loop_fn *fn;
	void *arg;
};
void loop_defer(struct loop *l, struct defer *d, loop_fn *fn, void *arg);
void defer_cancel(struct defer *d);

/* Watches a descriptor that the caller owns; level-triggered. Nothing is watched until watch_set. */
struct watch *watch_new(struct loop *l, int fd, watch_fn *fn, void *arg);
void watch_set(struct watch *w, bool read, bool write);
void watch_free(
    struct watch *w); /* before the descriptor is closed; NULL is fine; allowed inside its own callback */

/* One handler per signal for the life of the loop. */
void loop_signal(struct loop *l, int signo, signal_fn *fn, void *arg);

#endif

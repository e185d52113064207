/* A round is: deferred calls, due timers, deferred calls, one look at the descriptors, deferred calls. Timers
 * stand in a heap that follows the given clock; libevent only knows one timer, which ends the wait. Its own
 * timers were not taken: they read the machine's clock, and a test could then not move time.
 * Due times are kept in microseconds, so that 2 ms are not rounded to 3. */
#include "net/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/log.h"
#include "base/mem.h"

struct loop {
	struct clock clock;
	struct event_base *base;
	struct event *wake;
	struct heap timers;
	uint64_t starts;
	struct defer deferred; /* head of a ring */
	struct loop_signal *signals;
	size_t watches;
	bool stopping;
};

struct timer {
	struct loop *loop;
	struct heap_node node; /* by the microsecond it is due */
	uint64_t start;        /* number of the start */
	loop_fn *fn;
	void *arg;
};

struct watch {
	struct loop *loop;
	struct event *event;
	int fd;
	watch_fn *fn;
	void *arg;
	short flags;
};

struct loop_signal {
	struct loop_signal *next;
	struct event *event;
	signal_fn *fn;
	void *arg;
};

/* A socket that nobody hears of, or a signal, would be worse than a start anew. */
static void loop_give_up(const char *why)
{
	log_error("loop", "this process cannot go on: %s", why);
	_exit(EXIT_FAILURE);
}

/* What libevent only warns of: it goes on without the signals, or without the descriptor that was to be
 * watched, as the kernel is first told at the end of a round. */
static void loop_on_warning(int severity, const char *text)
{
	static const char *const without[] = {"epoll_create", "evsig_init_", "Epoll "};

	for (size_t i = 0; i < sizeof without / sizeof *without; i++)
		if (!strncmp(text, without[i], strlen(without[i])))
			loop_give_up(text);
	if (severity != EVENT_LOG_DEBUG)
		log_warn("loop", "%s", text);
}

static void loop_on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

struct loop *loop_new(const struct clock *clock)
{
	struct loop *l = mem_new(sizeof *l);

	/* Requests, answers and SMS lie in its buffers. */
	event_set_mem_functions(mem_wiped_take, mem_wiped_move, mem_wiped_give);
	struct event_config *config = event_config_new();
	event_set_log_callback(loop_on_warning);
	/* Without it libevent reads a clock that moves in steps of up to 4 ms. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	/* evhttp turns its events off and on for each request: only what is left of it at the end of a round
	 * goes to the kernel. No descriptor that is watched here has a duplicate. */
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	l->clock = *clock;
	l->base = event_base_new_with_config(config);
	event_config_free(config);
	assert(l->base);
	l->wake = evtimer_new(l->base, loop_on_wake, NULL);
	l->deferred.prev = l->deferred.next = &l->deferred;
	signal(SIGPIPE, SIG_IGN); /* a peer that left is an error of write() */
	return l;
}

void loop_free(struct loop *l)
{
	assert(!l->timers.count && !l->watches && l->deferred.next == &l->deferred);
	/* What libevent put off until its next round: freed buffers, cancelled look-ups. */
	for (int i = 0; i < 3; i++)
		event_base_loop(l->base, EVLOOP_NONBLOCK);
	while (l->signals) {
		struct loop_signal *s = l->signals;

		l->signals = s->next;
		event_free(s->event);
		free(s);
	}
	event_free(l->wake);
	event_base_free(l->base);
	heap_fini(&l->timers);
	free(l);
}

const struct clock *loop_clock(const struct loop *l)
{
	return &l->clock;
}

int64_t loop_now_ms(const struct loop *l)
{
	return clock_mono_ms(&l->clock);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

struct timer *timer_new(struct loop *l, loop_fn *fn, void *arg)
{
	struct timer *t = mem_new(sizeof *t);

	*t = (struct timer){.loop = l, .fn = fn, .arg = arg};
	return t;
}

void timer_start(struct timer *t, int64_t after_ms)
{
	struct loop *l = t->loop;

	t->start = l->starts++;
	heap_set(&l->timers, &t->node, l->clock.mono_us() + (after_ms > 0 ? after_ms * 1000 : 0));
}

void timer_stop(struct timer *t)
{
	heap_remove(&t->loop->timers, &t->node);
}

bool timer_is_armed(const struct timer *t)
{
	return heap_is_in(&t->node);
}

void timer_free(struct timer *t)
{
	if (!t)
		return;
	timer_stop(t);
	free(t);
}

static struct timer *loop_first_timer(const struct loop *l)
{
	struct heap_node *n = heap_first(&l->timers);

	return n ? heap_entry(n, struct timer, node) : NULL;
}

/* Timers that a callback starts wait for the next round, however short they are. */
static bool loop_run_timers(struct loop *l)
{
	struct timer *t = loop_first_timer(l);
	uint64_t starts = l->starts;
	bool any = false;

	if (!t)
		return false;
	int64_t now_us = l->clock.mono_us();
	for (; t && t->node.key <= now_us && t->start < starts; t = loop_first_timer(l)) {
		timer_stop(t);
		t->fn(t->arg);
		any = true;
	}
	return any;
}

void loop_defer(struct loop *l, struct defer *d, loop_fn *fn, void *arg)
{
	if (d->next)
		return;
	d->fn = fn;
	d->arg = arg;
	d->prev = l->deferred.prev;
	d->next = &l->deferred;
	d->prev->next = d->next->prev = d;
}

void defer_cancel(struct defer *d)
{
	if (!d->next)
		return;
	d->prev->next = d->next;
	d->next->prev = d->prev;
	d->prev = d->next = NULL;
}

/* Those that are there now; what they defer themselves waits for the next time. */
static bool loop_run_deferred(struct loop *l)
{
	struct defer now, *d;

	if (l->deferred.next == &l->deferred)
		return false;
	now.next = l->deferred.next;
	now.prev = l->deferred.prev;
	now.next->prev = now.prev->next = &now;
	l->deferred.prev = l->deferred.next = &l->deferred;
	while ((d = now.next) != &now) {
		defer_cancel(d);
		d->fn(d->arg);
	}
	return true;
}

/* How long the descriptors may be waited for; -1 for ever. */
static int64_t loop_wait_us(const struct loop *l, int64_t most_us)
{
	const struct timer *t = loop_first_timer(l);

	if (l->deferred.next != &l->deferred || l->stopping)
		return 0;
	if (!t)
		return most_us;
	int64_t wait_us = t->node.key - l->clock.mono_us();
	if (wait_us < 0)
		return 0;
	return most_us >= 0 && most_us < wait_us ? most_us : wait_us;
}

static void loop_poll(struct loop *l, int64_t wait_us)
{
	if (!wait_us) {
		/* without ONCE it would go on as long as any descriptor is ready, and no timer would fire */
		event_base_loop(l->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
		return;
	}
	if (wait_us > 0) {
		struct timeval tv = {wait_us / 1000000, wait_us % 1000000};

		event_add(l->wake, &tv);
	}
	event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
	if (wait_us > 0)
		event_del(l->wake);
}

static void loop_round(struct loop *l, int64_t most_us)
{
	bool any = loop_run_deferred(l);

	any |= loop_run_timers(l);
	any |= loop_run_deferred(l);
	loop_poll(l, any && most_us >= 0 ? 0 : loop_wait_us(l, most_us));
	loop_run_deferred(l);
}

void loop_run(struct loop *l)
{
	while (!l->stopping)
		loop_round(l, -1);
	l->stopping = false;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}

void loop_turn(struct loop *l, int wait_ms)
{
	loop_round(l, (int64_t)wait_ms * 1000);
}

static void loop_add_event(struct event *e)
{
	if (event_add(e, NULL))
		loop_give_up("a descriptor cannot be watched");
}

static void watch_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	w->fn(w->arg, what & EV_READ, what & EV_WRITE);
}

struct watch *watch_new(struct loop *l, int fd, watch_fn *fn, void *arg)
{
	struct watch *w = mem_new(sizeof *w);

	*w = (struct watch){.loop = l, .fd = fd, .fn = fn, .arg = arg};
	w->event = event_new(l->base, fd, EV_PERSIST, watch_on_event, w);
	assert(w->event);
	l->watches++;
	return w;
}

void watch_set(struct watch *w, bool read, bool write)
{
	short flags = (short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0));

	if (flags == w->flags)
		return;
	if (w->flags)
		event_del(w->event);
	w->flags = flags;
	if (!flags)
		return;
	event_assign(w->event, w->loop->base, w->fd, (short)(flags | EV_PERSIST), watch_on_event, w);
	loop_add_event(w->event);
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	w->loop->watches--;
	event_free(w->event);
	free(w);
}

static void loop_on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)what;
	s->fn(s->arg, signo);
}

void loop_signal(struct loop *l, int signo, signal_fn *fn, void *arg)
{
	struct loop_signal *s = mem_new(sizeof *s);

	*s = (struct loop_signal){.next = l->signals, .fn = fn, .arg = arg};
	s->event = evsignal_new(l->base, signo, loop_on_signal, s);
	assert(s->event);
	loop_add_event(s->event);
	l->signals = s;
}

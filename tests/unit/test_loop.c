#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

static int64_t fake_us;

static int64_t fake_now(void)
{
	return fake_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

/* What was called, in order. */
static char calls[64];

/* Arguments that name their callback. */
static char names[] = "abcdefghijklmnopqrstuvwxyz";
#define NAME(c) (&names[(c) - 'a'])

static void note(char c)
{
	size_t n = strlen(calls);

	assert_true(n + 1 < sizeof calls);
	calls[n] = c;
	calls[n + 1] = '\0';
}

static void note_arg(void *arg)
{
	note(*(const char *)arg);
}

static struct loop *fake_loop(void)
{
	fake_us = 1000000;
	calls[0] = '\0';
	return loop_new(&fake_clock);
}

static void timers__several__fire_by_due_time(void **state)
{
	struct loop *l = fake_loop();
	struct timer *t[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		t[i] = timer_new(l, note_arg, &names[i]);
	timer_start(t[0], 30);
	timer_start(t[1], 10);
	timer_start(t[2], 20);
	timer_start(t[3], 12);
	timer_start(t[4], 5);
	timer_stop(t[4]);
	assert_false(timer_is_armed(t[4]));
	fake_us += 9999;
	loop_turn(l, 0);
	assert_string_equal(calls, "");
	fake_us += 1;
	loop_turn(l, 0);
	assert_string_equal(calls, "b");
	fake_us += 2000;
	loop_turn(l, 0);
	assert_string_equal(calls, "bd");
	assert_false(timer_is_armed(t[1]));
	fake_us += 20000;
	loop_turn(l, 0);
	assert_string_equal(calls, "bdca");
	for (int i = 0; i < 5; i++)
		timer_free(t[i]);
	loop_free(l);
}

static void timer__started_again__moves(void **state)
{
	struct loop *l = fake_loop();
	struct timer *t = timer_new(l, note_arg, NAME('t'));

	(void)state;
	timer_start(t, 10);
	fake_us += 9000;
	timer_start(t, 10);
	fake_us += 9000;
	loop_turn(l, 0);
	assert_string_equal(calls, "");
	fake_us += 1000;
	loop_turn(l, 0);
	loop_turn(l, 0);
	assert_string_equal(calls, "t");
	timer_free(t);
	loop_free(l);
}

static void timers__thousand_with_random_stops__keep_their_order(void **state)
{
	struct loop *l = fake_loop();
	static struct timer *t[1000];
	uint32_t dice = 7;
	static int64_t last_us;
	size_t armed = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		t[i] = timer_new(l, note_arg, NAME('x'));
		dice = dice * 1664525 + 1013904223;
		timer_start(t[i], dice >> 22);
	}
	for (int i = 0; i < 1000; i += 3)
		timer_stop(t[i]);
	for (last_us = fake_us; last_us <= 2100000; last_us += 1000) {
		size_t now = 0;

		fake_us = last_us;
		calls[0] = '\0';
		loop_turn(l, 0);
		for (int i = 0; i < 1000; i++)
			now += timer_is_armed(t[i]);
		if (last_us > 1000000)
			assert_int_equal(armed - now, strlen(calls));
		armed = now;
	}
	assert_int_equal(armed, 0);
	for (int i = 0; i < 1000; i++)
		timer_free(t[i]);
	loop_free(l);
}

static struct timer *own;

static void free_own(void *arg)
{
	note_arg(arg);
	timer_free(own);
}

static void restart_own(void *arg)
{
	note_arg(arg);
	timer_start(own, 0);
}

static void timer__freed_in_its_callback__is_gone(void **state)
{
	struct loop *l = fake_loop();

	(void)state;
	own = timer_new(l, free_own, NAME('f'));
	timer_start(own, 0);
	assert_string_equal(calls, "");
	loop_turn(l, 0);
	loop_turn(l, 0);
	assert_string_equal(calls, "f");
	loop_free(l);
}

static void timer__started_with_0_in_its_callback__waits_for_the_next_round(void **state)
{
	struct loop *l = fake_loop();

	(void)state;
	own = timer_new(l, restart_own, NAME('r'));
	timer_start(own, 0);
	loop_turn(l, 0);
	assert_string_equal(calls, "r");
	loop_turn(l, 0);
	assert_string_equal(calls, "rr");
	timer_free(own);
	loop_free(l);
}

static struct loop *defer_loop;
static struct defer again;

static void defer_again(void *arg)
{
	note_arg(arg);
	if (strlen(calls) < 3)
		loop_defer(defer_loop, &again, defer_again, arg);
}

static void defer__twice_and_cancelled__runs_once_and_not(void **state)
{
	struct loop *l = fake_loop();
	struct defer a = {0}, b = {0};

	(void)state;
	loop_defer(l, &a, note_arg, NAME('a'));
	loop_defer(l, &a, note_arg, NAME('a'));
	loop_defer(l, &b, note_arg, NAME('b'));
	defer_cancel(&b);
	defer_cancel(&b);
	loop_turn(l, 0);
	loop_turn(l, 0);
	assert_string_equal(calls, "a");
	loop_free(l);
}

static struct defer victim;

static void cancel_victim(void *arg)
{
	note_arg(arg);
	defer_cancel(&victim);
}

static void defer__cancelled_by_one_before_it__does_not_run(void **state)
{
	struct loop *l = fake_loop();
	struct defer killer = {0};

	(void)state;
	loop_defer(l, &killer, cancel_victim, NAME('k'));
	loop_defer(l, &victim, note_arg, NAME('v'));
	loop_turn(l, 0);
	loop_turn(l, 0);
	assert_string_equal(calls, "k");
	loop_free(l);
}

static void defer__from_a_timer__runs_in_the_same_round(void **state)
{
	struct loop *l = fake_loop();

	(void)state;
	defer_loop = l;
	own = timer_new(l, defer_again, NAME('d'));
	timer_start(own, 0);
	loop_turn(l, 0);
	assert_true(strlen(calls) >= 2);
	loop_turn(l, 0);
	assert_string_equal(calls, "ddd");
	timer_free(own);
	loop_free(l);
}

static struct watch *pipe_watch;
static int pipe_fd;

static void on_pipe(void *arg, bool readable, bool writable)
{
	char c;

	(void)arg;
	assert_true(readable);
	assert_false(writable);
	assert_int_equal(read(pipe_fd, &c, 1), 1);
	note(c);
	if (c == 'q') {
		watch_free(pipe_watch);
		pipe_watch = NULL;
	}
}

static void watch__set_and_cleared__hears_only_what_is_set(void **state)
{
	struct loop *l = fake_loop();
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	pipe_fd = p[0];
	pipe_watch = watch_new(l, p[0], on_pipe, NULL);
	assert_int_equal(write(p[1], "xyq", 3), 3);
	loop_turn(l, 0);
	assert_string_equal(calls, "");
	watch_set(pipe_watch, true, false);
	loop_turn(l, 1000);
	assert_string_equal(calls, "x");
	watch_set(pipe_watch, false, false);
	loop_turn(l, 0);
	assert_string_equal(calls, "x");
	watch_set(pipe_watch, true, false);
	loop_turn(l, 1000);
	loop_turn(l, 1000);
	assert_string_equal(calls, "xyq");
	assert_null(pipe_watch);
	close(p[0]);
	close(p[1]);
	loop_free(l);
}

static void on_signal(void *arg, int signo)
{
	note(signo == SIGUSR1 ? 's' : '?');
	loop_stop(arg);
}

static void on_pipe_never_read(void *arg, bool readable, bool writable)
{
	int *times = arg;

	(void)readable;
	(void)writable;
	assert_true(++*times < 100); /* the loop would never come back */
}

static void watch__always_ready__timers_and_deferred_calls_have_their_turn(void **state)
{
	struct loop *l = fake_loop();
	struct timer *t = timer_new(l, note_arg, NAME('t'));
	struct defer d = {0};
	struct watch *w;
	int p[2], times = 0;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	w = watch_new(l, p[0], on_pipe_never_read, &times);
	watch_set(w, true, false);
	for (int i = 0; i < 3; i++) {
		timer_start(t, 0);
		loop_defer(l, &d, note_arg, NAME('d'));
		loop_turn(l, 0);
	}
	assert_string_equal(calls, "dtdtdt");
	assert_int_equal(times, 3);
	watch_free(w);
	timer_free(t);
	close(p[0]);
	close(p[1]);
	loop_free(l);
}

static void signal__raised__is_heard_in_the_loop(void **state)
{
	struct loop *l = fake_loop();

	(void)state;
	loop_signal(l, SIGUSR1, on_signal, l);
	raise(SIGUSR1);
	assert_string_equal(calls, "");
	loop_run(l);
	assert_string_equal(calls, "s");
	loop_free(l);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void run__with_the_real_clock__wakes_for_a_timer(void **state)
{
	struct loop *l = loop_new(&clock_real);
	struct timer *t = timer_new(l, stop_loop, l);
	int64_t from_us = clock_real.mono_us();

	(void)state;
	timer_start(t, 20);
	loop_run(l);
	assert_in_range(clock_real.mono_us() - from_us, 20000, 10000000);
	timer_free(t);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timers__several__fire_by_due_time),
	    cmocka_unit_test(timer__started_again__moves),
	    cmocka_unit_test(timers__thousand_with_random_stops__keep_their_order),
	    cmocka_unit_test(timer__freed_in_its_callback__is_gone),
	    cmocka_unit_test(timer__started_with_0_in_its_callback__waits_for_the_next_round),
	    cmocka_unit_test(defer__twice_and_cancelled__runs_once_and_not),
	    cmocka_unit_test(defer__cancelled_by_one_before_it__does_not_run),
	    cmocka_unit_test(defer__from_a_timer__runs_in_the_same_round),
	    cmocka_unit_test(watch__set_and_cleared__hears_only_what_is_set),
	    cmocka_unit_test(watch__always_ready__timers_and_deferred_calls_have_their_turn),
	    cmocka_unit_test(signal__raised__is_heard_in_the_loop),
	    cmocka_unit_test(run__with_the_real_clock__wakes_for_a_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

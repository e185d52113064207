/* letter: its events stay in order when the machine's clock is set back, as by NTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "flow/send_body.h"

#define HOUR_US INT64_C(3600000000)

static int64_t wall_us, mono_us;

static int64_t wall_now(void)
{
	return wall_us;
}

static int64_t mono_now(void)
{
	return mono_us;
}

/* A journey with nothing but a clock and its letters. */
struct fixture {
	struct send send;
	struct letter *letter;
};

static bool letter_has_id(const struct map_node *n, const void *id)
{
	return map_entry(n, struct letter, by_id)->shipment.id == *(const uint64_t *)id;
}

static void setup(struct fixture *f, int64_t newest_us)
{
	const struct message_open o = {
	    .message = {.id = 1 << 22, .parts = 1, .to = {77011234567}, .text = "Сәлем"},
	    .newest_us = newest_us,
	    .carrier = ""};

	wall_us = 1790000000000000;
	*f = (struct fixture){.send = {.letters_gauge = metric_gauge("test_letters", "Letters.", "")}};
	f->send.base.loop = loop_new(&(struct clock){mono_now, wall_now});
	map_init(&f->send.letters, letter_has_id);
	list_init(&f->send.all);
	f->letter = letter_from_row(&f->send, &o);
}

static void teardown(struct fixture *f)
{
	letter_free(f->letter);
	map_fini(&f->send.letters);
	heap_fini(&f->send.due);
	loop_free(f->send.base.loop);
}

/* When its next event is said to have been. */
static int64_t event_at_us(struct letter *l)
{
	struct message_event *e = letter_event(l, EVENT_SENDING, 0, NULL, NULL, NULL, NULL);
	int64_t at_us = e->at_us;

	free(e);
	return at_us;
}

static void letter_event__clock_goes_on__has_its_time(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, 0);
	assert_int_equal(event_at_us(f.letter), wall_us);
	wall_us += 1;
	assert_int_equal(event_at_us(f.letter), wall_us);
	teardown(&f);
}

static void letter_event__clock_stands_or_is_set_back__comes_after_the_one_before(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, 0);
	int64_t first_us = event_at_us(f.letter), second_us = event_at_us(f.letter);
	assert_true(second_us > first_us);
	wall_us -= HOUR_US;
	int64_t third_us = event_at_us(f.letter);
	assert_true(third_us > second_us);
	assert_true(event_at_us(f.letter) > third_us);
	/* no more than it takes: the clock's own time holds again as soon as it has caught up */
	wall_us += HOUR_US + 1000;
	assert_int_equal(event_at_us(f.letter), wall_us);
	teardown(&f);
}

static void letter_from_row__clock_is_behind_its_events__next_comes_after_them(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, 1790000000000000 + HOUR_US);
	assert_true(event_at_us(f.letter) > 1790000000000000 + HOUR_US);
	teardown(&f);
}

static void letter_stamp__late_answer_between__keeps_the_order(void **state)
{
	struct fixture f;

	(void)state;
	setup(&f, 0);
	int64_t first_us = event_at_us(f.letter);
	/* an answer that was taken down before the clock was set, recorded after */
	int64_t late_us = letter_stamp_us(f.letter, first_us - HOUR_US);
	assert_true(late_us > first_us);
	assert_true(event_at_us(f.letter) > late_us);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(letter_event__clock_goes_on__has_its_time),
	    cmocka_unit_test(letter_event__clock_stands_or_is_set_back__comes_after_the_one_before),
	    cmocka_unit_test(letter_from_row__clock_is_behind_its_events__next_comes_after_them),
	    cmocka_unit_test(letter_stamp__late_answer_between__keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

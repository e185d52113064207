#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/queues.h"

#define MOST 1000

/* Letters as send keeps them: where each stands. */
struct fixture {
	struct queues *queues;
	struct queue *at[MOST];
	enum message_class class[MOST];
	size_t n;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.queues = queues_new()};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	while (f->n--)
		queue_leave(f->queues, f->class[f->n], &f -> at[f->n]);
	queues_free(f->queues);
	return 0;
}

static void put(struct fixture *f, const char *carrier, enum message_class class)
{
	f->class[f->n] = class;
	queue_move(f->queues, carrier, class, &f->at[f->n++]);
}

/* As many as there is room for; how many. */
static size_t fill(struct fixture *f, const char *carrier, enum message_class class)
{
	size_t before = f->n;

	while (queues_have_room(f->queues, carrier, class, f->n, MOST))
		put(f, carrier, class);
	return f->n - before;
}

static void queues__one_operator_is_dead__half_is_left_for_the_others(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fill(f, "dead", MESSAGE_NOTICE), 375); /* of 750: a quarter is for codes */
	assert_true(queues_have_room(f->queues, "sound", MESSAGE_NOTICE, f->n, MOST));
	assert_true(queues_have_room(f->queues, "sound", MESSAGE_BULK, f->n, MOST));
	assert_false(queues_have_room(f->queues, "dead", MESSAGE_NOTICE, f->n, MOST));
}

static void queues__every_other_operator_is_dead_in_every_class__a_short_queue_has_room(void **state)
{
	static const char *const dead[] = {"a", "b", "c"};
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++)
		for (enum message_class c = 0; c < MESSAGE_CLASSES; c++)
			fill(f, dead[i], c);
	for (enum message_class c = 0; c < MESSAGE_CLASSES; c++)
		assert_true(queues_have_room(f->queues, "sound", c, f->n, MOST));
}

static void queues__full_of_notices__codes_of_the_same_operator_have_room(void **state)
{
	struct fixture *f = *state;

	fill(f, "one", MESSAGE_NOTICE);
	while (f->n < MOST * 3 / 4) /* what came by another law, such as a take-over */
		put(f, "one", MESSAGE_BULK);
	assert_false(queues_have_room(f->queues, "one", MESSAGE_NOTICE, f->n, MOST));
	assert_false(queues_have_room(f->queues, "other", MESSAGE_BULK, f->n, MOST));
	assert_int_equal(fill(f, "one", MESSAGE_CODE), 125);
}

static void queues__as_many_letters_as_may_be__no_room_for_anybody(void **state)
{
	struct fixture *f = *state;

	assert_false(queues_have_room(f->queues, "one", MESSAGE_CODE, MOST, MOST));
	assert_false(queues_have_room(f->queues, "one", MESSAGE_CODE, MOST + 7, MOST));
}

static void queue_move__to_another_operator__counted_there(void **state)
{
	struct fixture *f = *state;

	put(f, "one", MESSAGE_NOTICE);
	put(f, "one", MESSAGE_NOTICE);
	queue_move(f->queues, "one", MESSAGE_NOTICE, &f->at[0]);
	assert_int_equal(queues_count(f->queues, "one", MESSAGE_NOTICE), 2);
	queue_move(f->queues, "two", MESSAGE_NOTICE, &f->at[0]);
	assert_int_equal(queues_count(f->queues, "one", MESSAGE_NOTICE), 1);
	assert_int_equal(queues_count(f->queues, "two", MESSAGE_NOTICE), 1);
	assert_int_equal(queues_count(f->queues, "two", MESSAGE_CODE), 0);
}

static void queue_leave__last_letter__nothing_is_left_of_the_queue(void **state)
{
	struct fixture *f = *state;
	struct queue *at = NULL;

	queue_leave(f->queues, MESSAGE_CODE, &at);
	queue_move(f->queues, "one", MESSAGE_CODE, &at);
	queue_leave(f->queues, MESSAGE_CODE, &at);
	assert_null(at);
	assert_int_equal(queues_count(f->queues, "one", MESSAGE_CODE), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(queues__one_operator_is_dead__half_is_left_for_the_others),
	    CASE(queues__every_other_operator_is_dead_in_every_class__a_short_queue_has_room),
	    CASE(queues__full_of_notices__codes_of_the_same_operator_have_room),
	    CASE(queues__as_many_letters_as_may_be__no_room_for_anybody),
	    CASE(queue_move__to_another_operator__counted_there),
	    CASE(queue_leave__last_letter__nothing_is_left_of_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

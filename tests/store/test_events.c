/* events kept in a real PostgreSQL, and what they make of messages of several parts. */
#include "store_rig.h"

#include "store/events.h"

struct heard {
	int count, refused;
};

static struct events *events_up(struct store_rig *g)
{
	store_hold_feed_slot(g);
	return events_new(g->loop, g->pg, g->feed, &g->limits);
}

static void event_on_done(void *arg, const struct message_event *e, enum kz r)
{
	struct heard *h = arg;

	assert_true(e->message_id > 0);
	h->count++;
	h->refused += r == KZ_REFUSED;
}

/* The final word of one part of several, by a receipt. */
static struct message_event *event_ending(
    uint64_t id, int at_s, unsigned part, enum message_state state, struct heard *h)
{
	struct message_event *e = message_event_new(id, (1767225600 + at_s) * INT64_C(1000000), EVENT_RECEIPT,
	    part, "beeline", NULL, NULL, NULL, NULL);

	e->may_close = true;
	e->state = state;
	e->done = event_on_done;
	e->arg = h;
	return e;
}

static void events_end_part(struct store_rig *g, uint64_t id, int at_s, unsigned part, enum message_state s)
{
	struct events *es = events_up(g);
	struct heard h = {0};

	events_add(es, event_ending(id, at_s, part, s, &h));
	servers_await(g->loop, &h.count, 1);
	assert_int_equal(h.refused, 0);
	events_free(es);
}

/* A message of so many parts, all submitted. */
static uint64_t put_submitted(struct store_rig *g, struct ids *ids, int parts)
{
	uint64_t id = store_put_message(g, ids, parts, 77011234567);

	for (int part = 1; part <= parts; part++)
		store_put_event(
		    g, id, part, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, parts, "beeline", "op");
	return id;
}

static int ended(struct store_rig *g, uint64_t id)
{
	return (int)store_int(g, "select count(*) from message_event where message_id = %llu and kind = 7",
	    (unsigned long long)id);
}

/* -1 while it has not ended. */
static int end_state(struct store_rig *g, uint64_t id)
{
	return (int)store_int(g,
	    "select coalesce((select state from message_event where message_id = %llu and final), -1)",
	    (unsigned long long)id);
}

static void add__every_field__stands_as_given(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct heard h = {0};
	struct message_event *e = message_event_new(store_put_message(g, &(struct ids){0}, 2, 77011234567),
	    1767225600123456, EVENT_SUBMITTED, 2, "beeline", "beeline-1", "0Ab9", "ESME_ROK", "қосымша");

	e->parts = 2;
	e->state = MESSAGE_SUBMITTED;
	e->done = event_on_done;
	e->arg = &h;
	events_add(es, e);
	assert_int_equal(events_pending(es), 1);
	assert_int_equal(h.count, 0);
	servers_await(g->loop, &h.count, 1);
	assert_int_equal(events_pending(es), 0);
	assert_string_equal(
	    store_sql(g, "select concat_ws('|', to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),"
	                 " kind, final, state, part, parts, carrier, link, operator_id, status, detail)"
	                 " from message_event where message_id = (select id from message)"),
	    "2026-01-01 00:00:00.123456|1|f|1|2|2|beeline|beeline-1|0Ab9|ESME_ROK|қосымша");
	events_free(es);
}

static void add__absent_fields__are_null(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct message_event *e = message_event_new(
	    ids_floor(store_wall_us() / 1000), 1, EVENT_EXPIRED, 0, NULL, NULL, NULL, NULL, "");

	e->final = true;
	e->state = MESSAGE_EXPIRED;
	events_add(es, e);
	store_await_sql(g,
	    "select count(*) from message_event where final and state = 5 and"
	    " num_nulls(part, parts, carrier, link, operator_id, status, detail) = 7",
	    1);
	events_free(es);
}

static void add__text_over_its_length__cut_between_characters(void **state)
{
	struct message_event *e;
	char text[140] = {0};

	(void)state;
	for (int i = 0; i < 69; i++)
		memcpy(text + 1 + 2 * i, "ә", 2);
	text[0] = 'x';
	e = message_event_new(1, 1, EVENT_FAILED, 0, NULL, NULL, NULL, NULL, text);
	assert_int_equal(strlen(e->detail), 127);
	assert_memory_equal(e->detail, text, 127);
	free(e);
	for (size_t shift = 0; shift < 4; shift++) {
		char wide[140] = "abc";

		for (size_t at = shift; at + 4 < sizeof wide; at += 4)
			memcpy(wide + at, "😀", 4);
		e = message_event_new(1, 1, EVENT_FAILED, 0, NULL, NULL, NULL, NULL, wide);
		assert_int_equal(strlen(e->detail), shift ? 124 + shift : 128);
		free(e);
	}
}

static void add__300_of_one_round__two_commits(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct heard h = {0};

	for (unsigned i = 0; i < 300; i++)
		events_add(es, event_ending(ids_next(&(struct ids){0}, store_wall_us() / 1000), 0, i + 1,
		                   MESSAGE_DELIVERED, &h));
	servers_await(g->loop, &h.count, 300);
	assert_int_equal(store_int(g, "select count(distinct part) from message_event"), 300);
	assert_int_equal(store_int(g, "select count(distinct xmin::text) from message_event"), 2);
	events_free(es);
}

static void add__one_poisoned_among_many__refused_alone(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct heard good = {0}, bad = {0};
	uint64_t id = put_submitted(g, &(struct ids){0}, 2);

	events_add(es, event_ending(id, 1, 1, MESSAGE_DELIVERED, &good));
	for (int i = 0; i < 9; i++)
		events_add(
		    es, event_ending(ids_floor(store_wall_us() / 1000), 1, 1, MESSAGE_DELIVERED, &good));
	events_add(es, event_ending(ids_floor(1704153600000), 1, 1, MESSAGE_DELIVERED, &bad));
	events_add(es, event_ending(id, 1, 2, MESSAGE_DELIVERED, &good));
	servers_await(g->loop, &good.count, 11);
	servers_await(g->loop, &bad.count, 1);
	assert_int_equal(good.refused, 0);
	assert_int_equal(bad.refused, 1);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
	events_free(es);
}

static void close__all_parts_delivered__delivered_once(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put_submitted(g, &(struct ids){0}, 3);

	for (unsigned part = 3; part >= 1; part--) {
		assert_int_equal(end_state(g, id), -1);
		events_end_part(g, id, 20, part, MESSAGE_DELIVERED);
	}
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
	events_end_part(g, id, 30, 1, MESSAGE_DELIVERED); /* a receipt told twice */
	assert_int_equal(ended(g, id), 1);
}

static void close__parts_ended_differently__the_worst(void **state)
{
	static const enum message_state ends[][3] = {
	    {MESSAGE_DELIVERED, MESSAGE_UNDELIVERABLE, MESSAGE_UNDELIVERABLE},
	    {MESSAGE_EXPIRED, MESSAGE_DELIVERED, MESSAGE_EXPIRED},
	    {MESSAGE_REJECTED, MESSAGE_EXPIRED, MESSAGE_REJECTED},
	    {MESSAGE_UNDELIVERABLE, MESSAGE_FAILED, MESSAGE_FAILED},
	};
	struct store_rig *g = *state;
	struct ids ids = {0};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		uint64_t id = put_submitted(g, &ids, 2);

		events_end_part(g, id, 20, 1, ends[i][0]);
		events_end_part(g, id, 21, 2, ends[i][1]);
		assert_int_equal(end_state(g, id), ends[i][2]);
	}
}

static void close__part_with_two_final_words__the_first_counts(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	uint64_t good = put_submitted(g, &ids, 2), bad = put_submitted(g, &ids, 2);

	events_end_part(g, good, 22, 1, MESSAGE_EXPIRED); /* recorded first, said last */
	events_end_part(g, good, 21, 1, MESSAGE_DELIVERED);
	events_end_part(g, good, 23, 2, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, good), MESSAGE_DELIVERED);
	events_end_part(g, bad, 21, 1, MESSAGE_UNDELIVERABLE);
	events_end_part(g, bad, 22, 1, MESSAGE_DELIVERED);
	assert_int_equal(ended(g, bad), 0); /* two words are not two parts */
	events_end_part(g, bad, 23, 2, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, bad), MESSAGE_UNDELIVERABLE);
}

static void close__both_parts_in_one_batch__ended_once(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct heard h = {0};
	uint64_t id = put_submitted(g, &(struct ids){0}, 2);

	for (unsigned twice = 0; twice < 4; twice++)
		events_add(es, event_ending(id, 20, 1 + twice % 2, MESSAGE_DELIVERED, &h));
	servers_await(g->loop, &h.count, 4);
	assert_int_equal(ended(g, id), 1);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
	events_free(es);
}

static void close__cut_into_more_parts_for_the_carrier__waits_for_all_of_them(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 2, 77011234567);

	for (int part = 1; part <= 3; part++)
		store_put_event(
		    g, id, part, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, 3, "beeline", "op");
	events_end_part(g, id, 20, 1, MESSAGE_DELIVERED);
	events_end_part(g, id, 21, 2, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, id), -1);
	events_end_part(g, id, 22, 3, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
}

static void close__receipts_before_their_submissions__ended_all_the_same(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 2, 77011234567);

	for (int part = 1; part <= 2; part++)
		store_put_event(
		    g, id, 30, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, 2, "beeline", "op");
	events_end_part(g, id, 20, 1, MESSAGE_DELIVERED);
	events_end_part(g, id, 20, 2, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
}

static void close__submissions_recorded_after_their_receipts__ended_with_them(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct heard h = {0};
	uint64_t id = store_put_message(g, &(struct ids){0}, 2, 77011234567);

	for (unsigned part = 1; part <= 2; part++)
		events_add(es, event_ending(id, 20, part, MESSAGE_DELIVERED, &h));
	servers_await(g->loop, &h.count, 2);
	assert_int_equal(end_state(g, id), -1);
	for (unsigned part = 1; part <= 2; part++) {
		struct message_event *e = event_ending(id, 19, part, MESSAGE_SUBMITTED, &h);

		e->kind = EVENT_SUBMITTED;
		e->parts = 2;
		events_add(es, e);
	}
	servers_await(g->loop, &h.count, 4);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
	events_free(es);
}

static void close__begun_in_more_parts_by_another_carrier__ends_with_those_of_the_last(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 2, 77011234567);

	store_put_event(g, id, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 3, "tele2", "op-1");
	for (int part = 1; part <= 2; part++)
		store_put_event(
		    g, id, 1 + part, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, 2, "beeline", "op-2");
	store_put_event(g, id, 19, EVENT_RECEIPT, false, MESSAGE_UNDELIVERABLE, 1, 0, "tele2", "");
	events_end_part(g, id, 20, 1, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, id), -1);
	events_end_part(g, id, 21, 2, MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
}

static void close__message_has_ended_already__nothing_added(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put_submitted(g, &(struct ids){0}, 2);

	store_put_event(g, id, 19, EVENT_FAILED, true, MESSAGE_FAILED, 0, 0, "", "");
	events_end_part(g, id, 20, 1, MESSAGE_DELIVERED);
	events_end_part(g, id, 21, 2, MESSAGE_DELIVERED);
	assert_int_equal(ended(g, id), 0);
	assert_int_equal(end_state(g, id), MESSAGE_FAILED);
}

static void close__other_daemon_has_not_committed_its_part__waits_and_ends_once(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct heard h = {0};
	uint64_t id = put_submitted(g, &(struct ids){0}, 2);

	store_sql(g, "begin");
	store_put_event(g, id, 20, EVENT_RECEIPT, false, MESSAGE_EXPIRED, 1, 0, "beeline", "");
	store_sql(g, "select messages_close(array[%llu], array[1])", (unsigned long long)id);
	events_add(es, event_ending(id, 21, 2, MESSAGE_DELIVERED, &h));
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	assert_int_equal(h.count, 0);
	store_sql(g, "commit");
	servers_await(g->loop, &h.count, 1);
	assert_int_equal(ended(g, id), 1);
	assert_int_equal(end_state(g, id), MESSAGE_EXPIRED);
	events_free(es);
}

#define RACE 100
static void close__two_pools_settle_parts_at_once__each_message_ends_once(void **state)
{
	struct store_rig *g = *state;
	struct store_rig *other = store_rig_make();
	struct events *es[2] = {0};
	struct ids ids = {0};
	struct heard h = {0};
	uint64_t all[RACE];

	g->limits.rows = other->limits.rows = 7;
	other->options.connections = 2;
	loop_free(other->loop);
	other->loop = g->loop; /* both progress together */
	store_up(other);
	feed_set_slot(other->feed, 1, 0);
	es[0] = events_up(g);
	es[1] = events_up(other);
	for (int i = 0; i < RACE; i++)
		all[i] = put_submitted(g, &ids, 2);
	for (int i = 0; i < RACE; i++) /* in opposite orders */
		for (int side = 0; side < 2; side++)
			events_add(es[side], event_ending(all[side ? RACE - 1 - i : i], 20,
			                         1 + (unsigned)side, MESSAGE_DELIVERED, &h));
	servers_await(g->loop, &h.count, 2 * RACE);
	assert_int_equal(h.refused, 0);
	for (int i = 0; i < RACE; i++)
		assert_int_equal(ended(g, all[i]), 1);
	events_free(es[0]);
	events_free(es[1]);
	feed_free(other->feed);
	pg_free(other->pg);
	lease_free(other->lease);
	keyring_free(other->keyring);
	PQfinish(other->sql);
	free(other);
}

/* The end of a message by itself. */
static struct message_event *event_end(uint64_t id, struct heard *h)
{
	struct message_event *e =
	    message_event_new(id, 1767225600000000, EVENT_EXPIRED, 0, NULL, NULL, NULL, NULL, NULL);

	e->final = true;
	e->state = MESSAGE_EXPIRED;
	e->done = event_on_done;
	e->arg = h;
	return e;
}

#define NUMBERS                                                                                              \
	"select count(*) from message_event where feed is not null and final and (feed >> 14) & 255 = "

static void feed__ends_alone_and_of_parts__numbered_in_order_of_the_slot(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct ids ids = {0};
	struct heard h = {0};
	uint64_t id = put_submitted(g, &ids, 2), before = feed_low(g->feed);

	events_add(es, event_end(ids_next(&ids, store_wall_us() / 1000), &h));
	events_add(es, event_ending(id, 1, 1, MESSAGE_DELIVERED, &h));
	events_add(es, event_ending(id, 2, 2, MESSAGE_DELIVERED, &h));
	servers_await(g->loop, &h.count, 3);
	assert_int_equal(store_int(g, NUMBERS "0"), 2);
	assert_int_equal(
	    store_int(g, "select count(*) from message_event where not final and feed is not null"), 0);
	assert_int_equal(store_int(g, "select count(*) from message_event where feed >= %llu and feed < %llu",
	                     (unsigned long long)before, (unsigned long long)feed_low(g->feed)),
	    2);
	assert_int_equal(store_int(g, "select state from message_event where final order by feed limit 1"),
	    MESSAGE_EXPIRED);
	events_free(es);
}

static void feed__not_committed_yet__low_stays_until_it_is(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct ids ids = {0};
	struct heard h = {0}, second = {0};
	uint64_t low, id = put_submitted(g, &ids, 2);

	store_sql(g, "begin; select pg_advisory_xact_lock(%llu)", (unsigned long long)id);
	events_add(es, event_ending(id, 1, 1, MESSAGE_DELIVERED, &h));
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	low = feed_low(g->feed);
	events_add(es, event_end(ids_next(&ids, store_wall_us() / 1000), &second));
	servers_await(g->loop, &second.count, 1); /* in another batch */
	assert_true(feed_low(g->feed) == low);
	assert_true((uint64_t)store_int(g, "select max(feed) from message_event") > low);
	store_sql(g, "commit");
	servers_await(g->loop, &h.count, 1);
	assert_true(feed_low(g->feed) > (uint64_t)store_int(g, "select max(feed) from message_event"));
	events_free(es);
}

static void feed__written_again_after_a_loss__under_the_same_number(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct ids ids = {0};
	struct heard h = {0};
	uint64_t low;

	store_sql(g, "begin; lock table message_event in access exclusive mode");
	events_add(es, event_end(ids_next(&ids, store_wall_us() / 1000), &h));
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	low = feed_low(g->feed);
	store_kill_pg(g);
	while (g->downs < 1)
		loop_turn(g->loop, 50);
	assert_true(feed_low(g->feed) == low);
	servers_do("restart-pg");
	servers_await(g->loop, &h.count, 1);
	assert_true((uint64_t)store_int(g, "select feed from message_event") == low);
	events_free(es);
}

static void feed__no_slot_held__ends_wait_and_the_rest_goes_on(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct ids ids = {0};
	struct heard ends = {0}, rest = {0};
	uint64_t id = put_submitted(g, &ids, 2), low;
	struct message_event *e = event_ending(id, 2, 2, MESSAGE_ACCEPTED, &rest);

	store_sql(g, "begin; lock table message_event in access exclusive mode");
	events_add(es, event_end(ids_next(&ids, store_wall_us() / 1000), &ends)); /* numbered by slot 0 */
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	low = feed_low(g->feed);
	feed_set_slot(g->feed, -1, 0);
	events_on_slot(es);
	store_sql(g, "select pg_terminate_backend(pid) from pg_locks where not granted");
	store_sql(g, "commit");
	events_add(es, event_ending(id, 1, 1, MESSAGE_DELIVERED, &ends));
	e->kind = EVENT_REFUSED;
	e->may_close = false;
	events_add(es, e);
	servers_await(g->loop, &rest.count, 1);
	assert_int_equal(ends.count, 0);
	assert_int_equal(events_pending(es), 2);
	store_hold_slot(g, 7);
	feed_set_slot(g->feed, 7, 0);
	events_on_slot(es);
	servers_await(g->loop, &ends.count, 2);
	assert_int_equal(store_int(g, NUMBERS "7"), 1);
	assert_true((uint64_t)store_int(g, "select min(feed) from message_event") > low);
	events_free(es);
}

static void events__slot_taken_by_somebody_else__ends_wait_and_are_told_under_the_next(void **state)
{
	struct store_rig *g = *state;
	struct events *es = events_up(g);
	struct ids ids = {0};
	struct heard h = {0};
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);
	struct message_event *e = event_ending(id, 1, 0, MESSAGE_EXPIRED, &h);

	store_sql(g, "select slot_raise('{0}')");
	e->final = true;
	events_add(es, e);
	store_drain(g);
	assert_int_equal(h.count, 0);
	assert_int_equal(store_int(g, "select count(*) from message_event"), 0);
	feed_set_slot(g->feed, -1, 0); /* now it is heard of */
	store_hold_slot(g, 1);
	feed_set_slot(g->feed, 1, 0);
	events_on_slot(es);
	servers_await(g->loop, &h.count, 1);
	assert_int_equal(h.refused, 0);
	assert_int_equal(store_int(g, "select (feed >> 14) & 255 from message_event"), 1);
	events_free(es);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(add__every_field__stands_as_given),
	    STORE_CASE(add__absent_fields__are_null),
	    STORE_CASE(add__text_over_its_length__cut_between_characters),
	    STORE_CASE(add__300_of_one_round__two_commits),
	    STORE_CASE(add__one_poisoned_among_many__refused_alone),
	    STORE_CASE(close__all_parts_delivered__delivered_once),
	    STORE_CASE(close__parts_ended_differently__the_worst),
	    STORE_CASE(close__part_with_two_final_words__the_first_counts),
	    STORE_CASE(close__both_parts_in_one_batch__ended_once),
	    STORE_CASE(close__cut_into_more_parts_for_the_carrier__waits_for_all_of_them),
	    STORE_CASE(close__receipts_before_their_submissions__ended_all_the_same),
	    STORE_CASE(close__submissions_recorded_after_their_receipts__ended_with_them),
	    STORE_CASE(close__begun_in_more_parts_by_another_carrier__ends_with_those_of_the_last),
	    STORE_CASE(close__message_has_ended_already__nothing_added),
	    STORE_CASE(close__other_daemon_has_not_committed_its_part__waits_and_ends_once),
	    STORE_CASE(close__two_pools_settle_parts_at_once__each_message_ends_once),
	    STORE_CASE(feed__ends_alone_and_of_parts__numbered_in_order_of_the_slot),
	    STORE_CASE(feed__not_committed_yet__low_stays_until_it_is),
	    STORE_CASE(feed__written_again_after_a_loss__under_the_same_number),
	    STORE_CASE(feed__no_slot_held__ends_wait_and_the_rest_goes_on),
	    STORE_CASE(events__slot_taken_by_somebody_else__ends_wait_and_are_told_under_the_next),
	};

	return store_main("events", tests, sizeof tests / sizeof *tests);
}

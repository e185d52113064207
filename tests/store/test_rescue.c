/* rescue on a real PostgreSQL, of which daemon after daemon reads. */
#include "store_rig.h"

#include "flow/rescue.h"
#include "rules/code.h"

#define MOST    2500
#define WAIT_MS 20000
#define LIFE_MS 300000

struct heard {
	size_t lost_n, over_n;
	uint64_t lost[MOST], over[MOST];
	char link[32]; /* of the last that was lost */
	bool unknown;  /* what their purpose is */
};

static bool on_rule(void *arg, const char *purpose, struct remedy_rule *ret)
{
	const struct heard *h = arg;

	assert_string_equal(purpose, "login");
	*ret = (struct remedy_rule){{REMEDY_LINK}, 1, WAIT_MS};
	return !h->unknown;
}

static void on_over(void *arg, uint64_t code)
{
	struct heard *h = arg;

	assert_true(h->over_n < MOST);
	h->over[h->over_n++] = code;
}

static void on_lost(void *arg, const struct rescue_due *d, const struct remedy_rule *rule)
{
	struct heard *h = arg;

	assert_true(h->lost_n < MOST);
	assert_int_equal(rule->wait_ms, WAIT_MS);
	h->lost[h->lost_n++] = d->code;
	snprintf(h->link, sizeof h->link, "%s", d->link);
}

static const struct rescue_events events = {on_rule, on_over, on_lost};

/* As a daemon that takes slot 0. */
static struct rescue *daemon_up(struct store_rig *g, struct heard *h)
{
	static const int64_t ages_ms[] = {WAIT_MS, LIFE_MS, WAIT_MS};
	struct rescue *r = rescue_new(g->loop, g->pg, &events, h);

	*h = (struct heard){0};
	rescue_set_ages(r, ages_ms, 3);
	rescue_take_slot(r, 0, (uint64_t)store_int(g, "select coalesce(max(id), 0) from message"));
	return r;
}

static void daemon_end(struct store_rig *g, struct rescue *r)
{
	rescue_free(r);
	store_drain(g);
}

static void seconds_pass(struct store_rig *g, int seconds)
{
	for (int i = 0; i < seconds * 2; i++) {
		store_skip_us += 500000;
		loop_turn(g->loop, 1);
		store_drain(g);
		loop_turn(g->loop, 1);
		store_drain(g);
	}
}

static uint64_t code_put(struct store_rig *g, struct ids *ids)
{
	uint64_t id = store_put_message(g, ids, 1, 77011234567);

	store_sql(g,
	    "with now as (select to_timestamp(%lld / 1000000.0) as t), put as (insert into code select %llu, "
	    "1, null, "
	    "11, 7701123, 'login', 0, null, 6, 5, false, null::bytea, null, 1, 0, 1, t, t + interval '5 "
	    "min', 1, "
	    "''::bytea from now) insert into code_send select %llu, 1, 0, %llu, 11, t from now",
	    (long long)store_wall_us(), (unsigned long long)id, (unsigned long long)id,
	    (unsigned long long)id);
	return id;
}

static void submission_put(struct store_rig *g, uint64_t id)
{
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, part, parts, carrier, link, "
	    "operator_id)"
	    " values (%llu, to_timestamp(%lld / 1000000.0), 1, false, 1, 1, 1, 'one', 'one.a', '7')",
	    (unsigned long long)id, (long long)store_wall_us());
}

static void end_put(struct store_rig *g, uint64_t id, int state)
{
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, feed) values (%llu, now(), 4, "
	    "true, %d, 9)",
	    (unsigned long long)id, state);
}

static void watch__silent_operator__lost_when_the_wait_is_over_then_over_with_its_life(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, others = {.slot = 1};
	struct heard h;
	struct rescue *r = daemon_up(g, &h);
	uint64_t code = code_put(g, &ids), delivered = code_put(g, &ids);

	submission_put(g, code_put(g, &others));
	submission_put(g, code);
	submission_put(g, delivered);
	end_put(g, delivered, MESSAGE_DELIVERED);
	seconds_pass(g, 19);
	assert_int_equal(h.lost_n, 0);
	seconds_pass(g, 3);
	assert_int_equal(h.lost_n, 1);
	assert_true(h.lost[0] == code);
	assert_string_equal(h.link, "one.a");
	store_sql(g,
	    "insert into code_send select code_id, 2, 2, message_id + 1, 11, at from code_send where code_id "
	    "= "
	    "%llu; update code set sends = 2 where id = %llu",
	    (unsigned long long)code, (unsigned long long)code);
	seconds_pass(g, 270);
	assert_int_equal(h.over_n, 0);
	store_sql(
	    g, "insert into code_verdict values (%llu, now(), 1, null, 7)", (unsigned long long)delivered);
	seconds_pass(g, 12);
	assert_int_equal(h.lost_n, 1); /* once */
	assert_int_equal(h.over_n, 1);
	assert_true(h.over[0] == code);
	daemon_end(g, r);
}

/* A reload is no reason to read eleven minutes of sendings again. */
static void ages__set_again__each_goes_on_where_it_was(void **state)
{
	static const int64_t ages_ms[] = {LIFE_MS, 2 * WAIT_MS, WAIT_MS};
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct heard h;
	struct rescue *r = daemon_up(g, &h);

	submission_put(g, code_put(g, &ids));
	seconds_pass(g, 22);
	assert_int_equal(h.lost_n, 1);
	rescue_set_ages(r, ages_ms, 3);
	seconds_pass(g, 3);
	assert_int_equal(h.lost_n, 1);
	seconds_pass(g, 18); /* the new age */
	assert_int_equal(h.lost_n, 2);
	daemon_end(g, r);
}

static void watch__taken_late_by_an_operator__the_wait_counts_from_then(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct heard h;
	struct rescue *r = daemon_up(g, &h);
	uint64_t late = code_put(g, &ids), never = code_put(g, &ids);

	seconds_pass(g, 15);
	submission_put(g, late);
	seconds_pass(g, 19);
	assert_int_equal(h.lost_n, 0);
	seconds_pass(g, 4);
	assert_int_equal(h.lost_n, 1);
	assert_true(h.lost[0] == late);
	submission_put(g, never);
	seconds_pass(g, 26);
	assert_true(h.lost_n > 1 && h.lost[h.lost_n - 1] == never);
	daemon_end(g, r);
}

static void hear__ended_badly__lost_at_once_whoever_sent_it(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, others = {.slot = 1};
	struct heard h;
	struct rescue *r = daemon_up(g, &h);
	uint64_t ours = code_put(g, &ids), theirs = code_put(g, &others);

	end_put(g, ours, MESSAGE_UNDELIVERABLE);
	end_put(g, theirs, MESSAGE_REJECTED);
	rescue_hear(r, store_put_message(g, &ids, 1, 77011234567));
	rescue_hear(r, ours);
	rescue_hear(r, theirs);
	seconds_pass(g, 1);
	assert_int_equal(h.lost_n, 2);
	assert_int_equal(h.lost[0] + h.lost[1], ours + theirs);
	rescue_again(r, theirs);
	seconds_pass(g, 2);
	assert_int_equal(h.lost_n, 3);
	assert_true(h.lost[2] == theirs);
	daemon_end(g, r);
}

static void watch__purpose_gone__nothing_is_done_until_it_is_over(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct heard h;
	struct rescue *r = daemon_up(g, &h);

	h.unknown = true;
	end_put(g, code_put(g, &ids), MESSAGE_UNDELIVERABLE);
	seconds_pass(g, 22);
	assert_int_equal(h.lost_n, 0);
	seconds_pass(g, 281);
	assert_int_equal(h.over_n, 1);
	daemon_end(g, r);
}

/* All daemons were away for an hour: what its last owner left is looked at, as is what came while it was
 * ours. */
static void slot__taken_after_an_hour__what_was_left_is_over(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct heard h;
	uint64_t left = code_put(g, &ids);

	store_skip_us += INT64_C(3600000000);
	struct rescue *r = daemon_up(g, &h);
	seconds_pass(g, 2);
	assert_true(h.over_n >= 1 && h.over[0] == left);
	store_sql(g, "insert into code_verdict values (%llu, now(), 5, null, 7)", (unsigned long long)left);
	h.over_n = 0;
	end_put(g, code_put(g, &ids), MESSAGE_UNDELIVERABLE);
	seconds_pass(g, 22);
	assert_int_equal(h.lost_n, 1);
	rescue_lose_slots(r);
	seconds_pass(g, 290);
	assert_int_equal(h.over_n, 0);
	rescue_take_slot(r, 0, (uint64_t)store_int(g, "select max(id) from message"));
	seconds_pass(g, 2);
	assert_true(h.over_n >= 1);
	daemon_end(g, r);
}

static void watch__more_than_a_page__all_of_them(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct heard h;
	struct rescue *r = daemon_up(g, &h);
	uint64_t first = ids_next(&ids, store_wall_us() / 1000);

	store_sql(g,
	    "insert into code select %llu + i, 1, null, 11, 7701123, 'login', 0, null, 6, 5, false, null, "
	    "null, 1, 0, 1, t, t + interval '5 min', 1, ''"
	    " from generate_series(0, 2399) i, (select to_timestamp(%lld / 1000000.0) as t) now;"
	    "insert into code_send select id, 1, 0, id, 11, sent_at from code;"
	    "insert into message_event (message_id, at, kind, final, state, part, parts, carrier, "
	    "operator_id)"
	    " select %llu + i, now(), 1, false, 1, 1, 1, 'one', i from generate_series(0, 2399) i",
	    (unsigned long long)first, (long long)store_wall_us(), (unsigned long long)first);
	seconds_pass(g, 24);
	assert_int_equal(h.lost_n, 2400);
	daemon_end(g, r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(watch__silent_operator__lost_when_the_wait_is_over_then_over_with_its_life),
	    STORE_CASE(ages__set_again__each_goes_on_where_it_was),
	    STORE_CASE(watch__taken_late_by_an_operator__the_wait_counts_from_then),
	    STORE_CASE(hear__ended_badly__lost_at_once_whoever_sent_it),
	    STORE_CASE(watch__purpose_gone__nothing_is_done_until_it_is_over),
	    STORE_CASE(slot__taken_after_an_hour__what_was_left_is_over),
	    STORE_CASE(watch__more_than_a_page__all_of_them),
	};

	return store_main("rescue", tests, sizeof tests / sizeof *tests);
}

/* messages of which nothing final was heard. */
#include "store_rig.h"

#include "rules/message.h"
#include "store/unheard.h"

#define SLOT     3
#define LONG_AGO 1767225600000000 /* 2026-01-01, when store_put_event's events are */
#define FOR_EVER INT64_MAX

struct ended {
	int done;
	enum kz r;
	size_t ended;
	bool more;
};

static void on_ended(void *arg, enum kz r, size_t ended, bool more)
{
	*(struct ended *)arg = (struct ended){1, r, ended, more};
}

/* Everything submitted until five seconds after the test's epoch was heard of too long ago. */
static size_t unheard(struct store_rig *g, uint64_t upto)
{
	struct ended e = {0};

	assert_int_equal(unheard_end(g->pg, g->feed, SLOT, upto, LONG_AGO + 5000000, on_ended, &e), KZ_OK);
	assert_int_equal(e.done, 0);
	servers_await(g->loop, &e.done, 1);
	assert_int_equal(e.r, KZ_OK);
	assert_false(e.more);
	return e.ended;
}

static void hold_slots(struct store_rig *g)
{
	store_hold_feed_slot(g);
	store_hold_slot(g, SLOT);
}

static uint64_t put(struct store_rig *g, int parts)
{
	static struct ids ids = {.slot = SLOT};

	return store_put_message(g, &ids, parts, 77011234567);
}

static void put_submitted(struct store_rig *g, uint64_t id, int at_s, int part, int parts)
{
	store_put_event(g, id, at_s, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, parts, "beeline", "op");
}

static int64_t ends(struct store_rig *g, uint64_t id)
{
	return store_int(g,
	    "select coalesce(sum(state), 0) from message_event where final and message_id = %llu",
	    (unsigned long long)id);
}

static void unheard__submitted_long_ago__ends_unconfirmed_once_and_is_numbered(void **state)
{
	struct store_rig *g = *state;
	uint64_t one = put(g, 1), two = put(g, 2);

	hold_slots(g);
	put_submitted(g, one, 1, 1, 1);
	put_submitted(g, two, 1, 1, 2);
	put_submitted(g, two, 4, 2, 2);
	assert_int_equal(unheard(g, FOR_EVER), 2);
	assert_int_equal(ends(g, one), MESSAGE_UNCONFIRMED);
	assert_int_equal(ends(g, two), MESSAGE_UNCONFIRMED);
	assert_int_equal(store_int(g, "select count(distinct feed) from message_event where final"), 2);
	assert_int_equal(unheard(g, FOR_EVER), 0);
}

static void unheard__ended_before__left_alone(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put(g, 1), after = put(g, 1);

	hold_slots(g);
	put_submitted(g, id, 1, 1, 1);
	store_put_event(g, id, 2, EVENT_RECEIPT, true, MESSAGE_DELIVERED, 1, 0, "beeline", "");
	put_submitted(g, after, 1, 1, 1);
	assert_int_equal(unheard(g, FOR_EVER), 1);
	assert_int_equal(ends(g, id), MESSAGE_DELIVERED);
	assert_int_equal(ends(g, after), MESSAGE_UNCONFIRMED);
}

static void unheard__under_way__stops_there_and_goes_on_when_it_is_over(void **state)
{
	struct store_rig *g = *state;
	uint64_t first = put(g, 1), half = put(g, 2), late = put(g, 1);

	hold_slots(g);
	put_submitted(g, first, 1, 1, 1);
	put_submitted(g, half, 1, 1, 2);
	put_submitted(g, late, 9, 1, 1);
	assert_int_equal(unheard(g, FOR_EVER), 1);
	assert_int_equal(ends(g, first), MESSAGE_UNCONFIRMED);
	assert_int_equal(unheard(g, FOR_EVER), 0);
	put_submitted(g, half, 2, 2, 2);
	assert_int_equal(unheard(g, FOR_EVER), 1); /* and stops at the one that was submitted lately */
	assert_int_equal(ends(g, half), MESSAGE_UNCONFIRMED);
	assert_int_equal(ends(g, late), 0);
}

static void unheard__never_submitted_and_long_over__ends_expired(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put(g, 1);

	hold_slots(g);
	assert_int_equal(unheard(g, FOR_EVER), 0);
	store_sql(g, "update message set expires_at = now() - interval '25 hours'");
	assert_int_equal(unheard(g, FOR_EVER), 1);
	assert_int_equal(ends(g, id), MESSAGE_EXPIRED);
}

static void unheard__over_and_in_doubt__ends_unconfirmed(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put(g, 1);

	hold_slots(g);
	store_put_event(g, id, 1, EVENT_INTERRUPTED, false, MESSAGE_ACCEPTED, 1, 0, "", "");
	store_sql(g, "update message set expires_at = now() - interval '25 hours'");
	assert_int_equal(unheard(g, FOR_EVER), 1);
	assert_int_equal(ends(g, id), MESSAGE_UNCONFIRMED);
}

static void unheard__over_and_refused_late__ends_expired(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put(g, 1);

	hold_slots(g);
	store_put_event(g, id, 1, EVENT_IN_DOUBT, false, MESSAGE_ACCEPTED, 1, 0, "beeline", "");
	store_put_event(g, id, 2, EVENT_REFUSED, false, MESSAGE_ACCEPTED, 1, 0, "beeline", "");
	store_sql(g, "update message set expires_at = now() - interval '25 hours'");
	assert_int_equal(unheard(g, FOR_EVER), 1);
	assert_int_equal(ends(g, id), MESSAGE_EXPIRED);
}

static void unheard__submitted_late_in_its_life__has_its_whole_wait(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = put(g, 1);

	hold_slots(g);
	put_submitted(g, id, 9, 1, 1);
	store_sql(g, "update message set expires_at = now() - interval '25 hours'");
	assert_int_equal(unheard(g, FOR_EVER), 0);
	assert_int_equal(ends(g, id), 0);
}

static void unheard__of_another_slot_or_younger__left_alone(void **state)
{
	struct store_rig *g = *state;
	struct ids other = {.slot = 4};
	uint64_t others = store_put_message(g, &other, 1, 77011234567), mine = put(g, 1), young = put(g, 1);

	hold_slots(g);
	put_submitted(g, others, 1, 1, 1);
	put_submitted(g, mine, 1, 1, 1);
	put_submitted(g, young, 1, 1, 1);
	assert_int_equal(unheard(g, young), 1);
	assert_int_equal(ends(g, mine), MESSAGE_UNCONFIRMED);
	assert_int_equal(ends(g, others) + ends(g, young), 0);
}

static void unheard__slot_taken_by_another__refused_and_nothing_ends(void **state)
{
	struct store_rig *g = *state;
	struct ended e = {0};

	put_submitted(g, put(g, 1), 1, 1, 1);
	hold_slots(g);
	store_sql(g, "update slot set epoch = epoch + 1 where id = %d", SLOT);
	assert_int_equal(
	    unheard_end(g->pg, g->feed, SLOT, FOR_EVER, LONG_AGO + 5000000, on_ended, &e), KZ_OK);
	servers_await(g->loop, &e.done, 1);
	assert_int_equal(e.r, KZ_REFUSED);
	assert_int_equal(store_int(g, "select count(*) from message_event where final"), 0);
}

static void unheard__no_slot_held__busy(void **state)
{
	struct store_rig *g = *state;
	struct ended e = {0};

	feed_set_slot(g->feed, -1, 0);
	assert_int_equal(unheard_end(g->pg, g->feed, SLOT, 1, 1, on_ended, &e), KZ_BUSY);
	assert_int_equal(e.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(unheard__submitted_long_ago__ends_unconfirmed_once_and_is_numbered),
	    STORE_CASE(unheard__ended_before__left_alone),
	    STORE_CASE(unheard__under_way__stops_there_and_goes_on_when_it_is_over),
	    STORE_CASE(unheard__never_submitted_and_long_over__ends_expired),
	    STORE_CASE(unheard__over_and_in_doubt__ends_unconfirmed),
	    STORE_CASE(unheard__over_and_refused_late__ends_expired),
	    STORE_CASE(unheard__submitted_late_in_its_life__has_its_whole_wait),
	    STORE_CASE(unheard__of_another_slot_or_younger__left_alone),
	    STORE_CASE(unheard__slot_taken_by_another__refused_and_nothing_ends),
	    STORE_CASE(unheard__no_slot_held__busy),
	};

	return store_main("unheard", tests, sizeof tests / sizeof *tests);
}

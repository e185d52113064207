/* receipts and their homes in a real PostgreSQL: found at once, or after they waited. */
#include "store_rig.h"

#include "base/metrics.h"
#include "store/receipts.h"

struct find {
	struct receipt_quest quest;
	int count;
	enum kz r;
	struct receipt_home home;
};

static void find_on_done(struct receipt_quest *q, enum kz r, const struct receipt_home *home)
{
	struct find *f = list_entry(q, struct find, quest);

	f->count++;
	f->r = r;
	if (r == KZ_OK)
		f->home = *home;
}

static void find_begin(struct receipts *rs, struct find *f, const char *carrier, const char *one,
    const char *two, const char *three)
{
	*f = (struct find){.quest = {.carrier = carrier,
	                       .ids = {one, two, three},
	                       .ids_n = three ? 3
	                                : two ? 2
	                                      : 1,
	                       .done = find_on_done}};
	receipts_find(rs, &f->quest);
	assert_int_equal(f->count, 0);
}

static struct receipts *receipts_up(struct store_rig *g)
{
	return receipts_new(g->loop, g->pg, &g->limits);
}

static void put_submitted(
    struct store_rig *g, uint64_t id, int part, int parts, const char *carrier, const char *operator_id)
{
	store_put_event(
	    g, id, part, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, parts, carrier, operator_id);
}

static void find__among_candidates__the_best_that_is_recorded(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	struct ids ids = {0};
	uint64_t hex = store_put_message(g, &ids, 2, 77011234567);
	uint64_t decimal = store_put_message(g, &ids, 1, 77021234567);
	struct find all[4];

	put_submitted(g, hex, 2, 2, "beeline", "1f");
	put_submitted(g, decimal, 1, 1, "beeline", "31");
	find_begin(rs, &all[0], "beeline", "1f", "31", NULL);
	find_begin(rs, &all[1], "beeline", "31", "1f", NULL);
	find_begin(rs, &all[2], "beeline", "00", "x", "1f");
	find_begin(rs, &all[3], "beeline", "1F", NULL, NULL); /* spellings are the asker's */
	for (int i = 0; i < 4; i++)
		servers_await(g->loop, &all[i].count, 1);
	assert_true(all[0].home.message_id == hex);
	assert_int_equal(all[0].home.part, 2);
	assert_int_equal(all[0].home.parts, 2);
	assert_true(all[0].home.phone == store_phone(g, 77011234567));
	assert_true(all[1].home.message_id == decimal);
	assert_int_equal(all[1].home.part, 1);
	assert_true(all[2].home.message_id == hex);
	assert_int_equal(all[3].r, KZ_NOT_FOUND);
	receipts_free(rs);
}

static void find__same_id_of_two_carriers__each_its_own(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	struct ids ids = {0};
	uint64_t one = store_put_message(g, &ids, 1, 77011234567);
	uint64_t two = store_put_message(g, &ids, 1, 77011234567);
	struct find all[3];

	put_submitted(g, one, 1, 1, "beeline", "7");
	put_submitted(g, two, 1, 1, "tele2", "7");
	find_begin(rs, &all[0], "beeline", "7", NULL, NULL);
	find_begin(rs, &all[1], "tele2", "7", NULL, NULL);
	find_begin(rs, &all[2], "kcell", "7", NULL, NULL);
	servers_await(g->loop, &all[2].count, 1);
	assert_true(all[0].home.message_id == one);
	assert_true(all[1].home.message_id == two);
	assert_int_equal(all[2].r, KZ_NOT_FOUND);
	receipts_free(rs);
}

static void find__id_used_again_by_the_operator__the_newest_message(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	struct ids ids = {0};
	uint64_t old = store_put_message(g, &ids, 1, 77011234567);
	uint64_t new = store_put_message(g, &ids, 1, 77021234567);
	struct find f;

	put_submitted(g, new, 1, 1, "beeline", "7");
	put_submitted(g, old, 1, 1, "beeline", "7");
	find_begin(rs, &f, "beeline", "7", NULL, NULL);
	servers_await(g->loop, &f.count, 1);
	assert_true(f.home.message_id == new);
	receipts_free(rs);
}

static void find__personal_fields_gone__home_without_a_number(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	struct find f;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	put_submitted(g, id, 1, 1, "beeline", "7");
	store_sql(g, "truncate message_person");
	find_begin(rs, &f, "beeline", "7", NULL, NULL);
	servers_await(g->loop, &f.count, 1);
	assert_int_equal(f.r, KZ_OK);
	assert_true(f.home.message_id == id);
	assert_true(f.home.phone == 0);
	receipts_free(rs);
}

static void find__message_older_than_any_lives__not_found(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);
	struct find young, old;

	put_submitted(g, id, 1, 1, "beeline", "7");
	store_skip_us = RECEIPTS_REACH_MS * 1000 - 3600000000;
	find_begin(rs, &young, "beeline", "7", NULL, NULL);
	servers_await(g->loop, &young.count, 1);
	assert_int_equal(young.r, KZ_OK);
	store_skip_us += 2 * 3600000000LL;
	find_begin(rs, &old, "beeline", "7", NULL, NULL);
	servers_await(g->loop, &old.count, 1);
	assert_int_equal(old.r, KZ_NOT_FOUND);
	receipts_free(rs);
}

struct wait {
	struct receipt_wait wait;
	int count;
	enum kz r;
};

static void wait_on_done(struct receipt_wait *w, enum kz r)
{
	struct wait *o = list_entry(w, struct wait, wait);

	o->count++;
	o->r = r;
}

/* A final receipt "DELIVRD" of beeline. */
static struct wait wait_make(const struct store_rig *g, const char *id, uint64_t msisdn, enum parts_mode mode)
{
	return (struct wait){.wait = {.carrier = "beeline",
	                         .ids = {"0", id, "00"},
	                         .ids_n = 3,
	                         .status = "DELIVRD",
	                         .detail = "err=000",
	                         .phone = msisdn ? store_phone(g, msisdn) : 0,
	                         .reference = -1,
	                         .at_us = 1767225630000000,
	                         .final = true,
	                         .state = MESSAGE_DELIVERED,
	                         .mode = mode,
	                         .done = wait_on_done}};
}

static void wait_keep(struct store_rig *g, struct wait w)
{
	struct receipts *rs = receipts_up(g);

	receipts_wait(rs, &w.wait);
	assert_int_equal(w.count, 0);
	servers_await(g->loop, &w.count, 1);
	assert_int_equal(w.r, KZ_OK);
	receipts_free(rs);
}

static void limits__changed__both_kinds_follow(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	struct find finds[2];
	struct wait waits[2];

	store_sql(g, "begin; lock table message_event, receipt_waiting in access exclusive mode");
	receipts_set_limits(rs, &(struct batch_limits){.rows = 1, .wait_ms = 2, .in_flight = 2});
	for (int i = 0; i < 2; i++) {
		find_begin(rs, &finds[i], "beeline", "7", NULL, NULL);
		waits[i] = wait_make(g, "7", 0, PARTS_ALL);
		receipts_wait(rs, &waits[i].wait);
	}
	store_settle(g);
	assert_int_equal(pg_jobs(g->pg), 4); /* each alone */
	store_sql(g, "commit");
	for (int i = 0; i < 2; i++) {
		servers_await(g->loop, &finds[i].count, 1);
		servers_await(g->loop, &waits[i].count, 1);
	}
	receipts_free(rs);
}

struct joined {
	int count;
	size_t looked, n;
};

static void join_on_done(void *arg, enum kz r, size_t looked, size_t n)
{
	struct joined *j = arg;

	assert_int_equal(r, KZ_OK);
	j->count++;
	j->looked += looked;
	j->n += n;
}

static struct joined join_from(struct store_rig *g, uint64_t low)
{
	struct joined j = {0};

	store_hold_feed_slot(g);
	assert_int_equal(receipts_join(g->pg, g->feed, low, join_on_done, &j), KZ_OK);
	assert_int_equal(j.count, 0);
	servers_await(g->loop, &j.count, 1);
	return j;
}

static size_t join(struct store_rig *g)
{
	return join_from(g, 0).n;
}

/* As if the pause of all had passed. */
static void waiting_come_due(struct store_rig *g)
{
	store_sql(g, "update receipt_waiting set look_at = now()");
}

static long long waiting(struct store_rig *g)
{
	return store_int(g, "select count(*) from receipt_waiting");
}

/* The final state, -1 while there is none. */
static int end_state(struct store_rig *g, uint64_t id)
{
	return (int)store_int(g,
	    "select coalesce((select state from message_event where message_id = %llu and final), -1)",
	    (unsigned long long)id);
}

static void wait__kept__every_field_stands_as_given(void **state)
{
	struct store_rig *g = *state;
	char row[128];

	snprintf(row, sizeof row, "1767225630|beeline|{0,7,00}|%lld|t|6|2|DELIVRD|err=000",
	    (long long)store_phone(g, 77011234567));
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_LAST));
	assert_string_equal(
	    store_sql(g,
	        "select concat_ws('|', extract(epoch from at)::bigint, carrier, operator_ids, phone,"
	        " final, state, parts_mode, status, detail) from receipt_waiting where reference is null"),
	    row);
}

struct named {
	int count, done;
	char said[64];
};

static void named_on_each(
    void *arg, uint64_t message_id, uint16_t reference, const char *carrier, const char *id)
{
	struct named *n = arg;

	n->count++;
	snprintf(
	    n->said, sizeof n->said, "%llu %u %s %s", (unsigned long long)message_id, reference, carrier, id);
}

static void named_on_done(void *arg, uint64_t message_id, enum kz r)
{
	struct named *n = arg;

	assert_int_equal(message_id, 42);
	assert_int_equal(r, KZ_OK);
	n->done++;
}

static void named__phone_and_reference__the_best_id_of_what_waits(void **state)
{
	static const uint16_t references[] = {1, 0xBEEF};
	struct store_rig *g = *state;
	struct wait one = wait_make(g, "7", 77011234567, PARTS_ALL),
	            other = wait_make(g, "8", 77021234567, PARTS_ALL);
	struct named n = {0};

	wait_keep(g, wait_make(g, "9", 77011234567, PARTS_ALL));
	one.wait.reference = other.wait.reference = 0xBEEF;
	wait_keep(g, one);
	wait_keep(g, other);
	assert_int_equal(receipts_named(g->pg, store_phone(g, 77011234567), references, 2,
	                     &(struct receipts_named){42, named_on_each, named_on_done, &n}),
	    KZ_OK);
	servers_await(g->loop, &n.done, 1);
	assert_int_equal(n.count, 1);
	assert_string_equal(n.said, "42 48879 beeline 0");
}

static void wait__the_same_again__one_row(void **state)
{
	struct store_rig *g = *state;

	for (int i = 0; i < 3; i++)
		wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	struct wait other = wait_make(g, "7", 77011234567, PARTS_ALL);
	other.wait.carrier = "another";
	wait_keep(g, other);
	other = wait_make(g, "7", 77011234567, PARTS_ALL);
	other.wait.status = "REJECTD";
	wait_keep(g, other);
	wait_keep(g, wait_make(g, "8", 77011234567, PARTS_ALL));
	assert_int_equal(store_int(g, "select count(*) from receipt_waiting"), 4);
}

static void wait__poisoned__refused_alone(void **state)
{
	struct store_rig *g = *state;
	struct receipts *rs = receipts_up(g);
	static const char *const ids[] = {"7", "8", "9", "10", "11"};
	struct wait all[5];

	for (int i = 0; i < 5; i++) {
		all[i] = wait_make(g, ids[i], 0, PARTS_ALL);
		if (i == 3)
			all[i].wait.status = "\xff";
		receipts_wait(rs, &all[i].wait);
	}
	for (int i = 0; i < 5; i++) {
		servers_await(g->loop, &all[i].count, 1);
		assert_int_equal(all[i].r, i == 3 ? KZ_REFUSED : KZ_OK);
	}
	assert_int_equal(waiting(g), 4);
	receipts_free(rs);
}

static void join__before_and_after_the_submission__once(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	assert_int_equal(join(g), 0);
	assert_int_equal(waiting(g), 1);
	waiting_come_due(g);
	put_submitted(g, id, 1, 1, "beeline", "7");
	put_submitted(g, id, 1, 1, "beeline", "7"); /* a row that was written twice */
	assert_int_equal(join(g), 1);
	assert_int_equal(waiting(g), 0);
	assert_int_equal(join(g), 0);
	assert_string_equal(
	    store_sql(g,
	        "select string_agg(concat_ws('|', extract(epoch from at)::bigint, kind, final, state,"
	        " part, carrier, status, detail), ' ') from message_event where kind <> 1"),
	    "1767225630|4|t|6|1|beeline|DELIVRD|err=000");
}

static void join__not_final__recorded_and_the_message_goes_on(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);
	struct wait w = wait_make(g, "7", 77011234567, PARTS_ALL);

	w.wait.final = false;
	w.wait.state = MESSAGE_SUBMITTED;
	wait_keep(g, w);
	put_submitted(g, id, 1, 1, "beeline", "7");
	assert_int_equal(join(g), 1);
	assert_int_equal(store_int(g, "select count(*) from message_event where kind = 4 and not final"), 1);
	assert_int_equal(end_state(g, id), -1);
}

static void join__number_or_carrier_of_another__waits_on(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);
	struct wait w = wait_make(g, "7", 77011234567, PARTS_ALL);

	w.wait.carrier = "tele2";
	wait_keep(g, w);
	wait_keep(g, wait_make(g, "7", 77029999999, PARTS_ALL));
	put_submitted(g, id, 1, 1, "beeline", "7");
	assert_int_equal(join(g), 0);
	assert_int_equal(waiting(g), 2);
	assert_int_equal(end_state(g, id), -1);
}

static void join__number_matches_an_older_message__that_one(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	uint64_t old = store_put_message(g, &ids, 1, 77011234567);
	uint64_t new = store_put_message(g, &ids, 1, 77021234567);

	put_submitted(g, old, 1, 1, "beeline", "7");
	put_submitted(g, new, 1, 1, "beeline", "7");
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	assert_int_equal(join(g), 1);
	assert_int_equal(end_state(g, old), MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, new), -1);
}

static void join__number_unknown_on_either_side__joined(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	uint64_t untold = store_put_message(g, &ids, 1, 77011234567);
	uint64_t gone = store_put_message(g, &ids, 1, 77021234567);

	store_sql(g, "delete from message_person where id = %llu", (unsigned long long)gone);
	wait_keep(g, wait_make(g, "7", 0, PARTS_ALL));
	wait_keep(g, wait_make(g, "8", 77029999999, PARTS_ALL));
	put_submitted(g, untold, 1, 1, "beeline", "7");
	put_submitted(g, gone, 1, 1, "beeline", "8");
	assert_int_equal(join(g), 2);
	assert_int_equal(end_state(g, untold), MESSAGE_DELIVERED);
	assert_int_equal(end_state(g, gone), MESSAGE_DELIVERED);
}

/* For each part of three in turn a receipt; when the message ends, by rules/message.h. */
static void join__every_parts_mode__ends_as_the_rule_says(void **state)
{
	static const enum parts_mode modes[] = {PARTS_ALL, PARTS_FIRST, PARTS_LAST, PARTS_ANY};
	struct store_rig *g = *state;
	struct ids ids = {0};

	for (size_t m = 0; m < 4; m++) {
		for (unsigned part = 1; part <= 3; part++) {
			uint64_t id = store_put_message(g, &ids, 3, 77011234567);
			char name[3][16];

			for (int i = 0; i < 3; i++) {
				snprintf(name[i], sizeof name[i], "%zu-%u-%d", m, part, i + 1);
				put_submitted(g, id, i + 1, 3, "beeline", name[i]);
			}
			wait_keep(g, wait_make(g, name[part - 1], 77011234567, modes[m]));
			assert_int_equal(join(g), 1);
			assert_int_equal(end_state(g, id),
			    message_receipt_effect(modes[m], part, 3) == RECEIPT_ENDS_MESSAGE
			        ? MESSAGE_DELIVERED
			        : -1);
		}
	}
}

static void join__all_parts_at_once__message_ends_by_the_worst(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 2, 77011234567);
	struct wait worse = wait_make(g, "8", 77011234567, PARTS_ALL);

	worse.wait.state = MESSAGE_UNDELIVERABLE;
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	wait_keep(g, worse);
	put_submitted(g, id, 1, 2, "beeline", "7");
	put_submitted(g, id, 2, 2, "beeline", "8");
	assert_int_equal(join(g), 2);
	assert_int_equal(end_state(g, id), MESSAGE_UNDELIVERABLE);
	assert_int_equal(store_int(g, "select count(*) from message_event where kind = 7"), 1);
}

/* It came before the end and was joined after it: the end that was told stays. */
static void join__message_has_ended__recorded_and_the_end_stays(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	store_put_event(g, id, 60, EVENT_FAILED, true, MESSAGE_FAILED, 0, 0, NULL, NULL);
	put_submitted(g, id, 1, 1, "beeline", "7");
	assert_int_equal(join(g), 1);
	assert_int_equal(end_state(g, id), MESSAGE_FAILED);
	assert_int_equal(store_int(g, "select count(*) from message_event where kind = 4 and not final"), 1);
}

static void join__two_final_words_of_one_message__the_first_ends_it(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);
	struct wait later = wait_make(g, "8", 77011234567, PARTS_ALL);

	later.wait.state = MESSAGE_UNDELIVERABLE;
	later.wait.at_us += 1000000;
	wait_keep(g, later);
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	put_submitted(g, id, 1, 1, "beeline", "7");
	put_submitted(g, id, 1, 1, "beeline", "8"); /* sent twice */
	assert_int_equal(join(g), 2);
	assert_int_equal(store_int(g, "select count(*) from message_event where final"), 1);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
}

static void join__ends_of_messages_and_of_parts__each_numbered_below_the_bound(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	uint64_t one = store_put_message(g, &ids, 1, 77011234567), low = feed_low(g->feed);
	uint64_t two = store_put_message(g, &ids, 2, 77011234567);

	put_submitted(g, one, 1, 1, "beeline", "6");
	put_submitted(g, two, 1, 2, "beeline", "7");
	put_submitted(g, two, 2, 2, "beeline", "8");
	wait_keep(g, wait_make(g, "6", 77011234567, PARTS_ALL));
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	wait_keep(g, wait_make(g, "8", 77011234567, PARTS_ALL));
	assert_int_equal(join(g), 3);
	assert_int_equal(
	    store_int(g,
	        "select count(distinct feed) from message_event where final and feed >= %llu and "
	        "feed < %llu",
	        (unsigned long long)low, (unsigned long long)feed_low(g->feed)),
	    2);
	assert_int_equal(
	    store_int(g, "select count(*) from message_event where feed is not null and not final"), 0);
}

static void join__no_slot_held__not_now(void **state)
{
	struct store_rig *g = *state;
	struct joined j = {0};

	feed_set_slot(g->feed, -1, 0);
	assert_int_equal(receipts_join(g->pg, g->feed, 0, join_on_done, &j), KZ_BUSY);
}

struct join_end {
	int count;
	enum kz r;
};

static void join_on_end(void *arg, enum kz r, size_t looked, size_t n)
{
	struct join_end *e = arg;

	assert_int_equal(looked + n, 0);
	e->count++;
	e->r = r;
}

static void join_begin(struct store_rig *g, struct join_end *e)
{
	*e = (struct join_end){0};
	assert_int_equal(receipts_join(g->pg, g->feed, 0, join_on_end, e), KZ_OK);
}

static void join_await_low(struct store_rig *g, uint64_t above)
{
	for (int64_t end = loop_now_ms(g->loop) + 30000; feed_low(g->feed) <= above;) {
		assert_true(loop_now_ms(g->loop) < end);
		loop_turn(g->loop, 20);
	}
}

static double doubts(void)
{
	return metrics_total("kezek_webhooks_feed_doubts");
}

static void join__killed_on_its_way__its_numbers_hold_the_bound_until_that_is_known(void **state)
{
	struct store_rig *g = *state;
	struct join_end e;
	uint64_t low;

	store_hold_feed_slot(g);
	store_sql(g, "begin; lock table receipt_waiting in access exclusive mode");
	join_begin(g, &e);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	low = feed_low(g->feed);
	store_sql(g, "select pg_terminate_backend(pid) from pg_locks where not granted; commit");
	servers_await(g->loop, &e.count, 1);
	assert_int_equal(e.r, KZ_LOST);
	assert_true(feed_low(g->feed) == low);
	assert_false(feed_is_sure(g->feed));
	join_await_low(g, low);
	assert_true(feed_is_sure(g->feed));
}

/* Its end is seen long after it was given up: whoever had read on would never see it. */
static void join__given_up_in_a_commit_that_hangs__its_numbers_hold_the_bound_until_it_is_over(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567), low;
	struct joined refused = {0};
	struct join_end e;

	put_submitted(g, id, 1, 1, "beeline", "7");
	wait_keep(g, wait_make(g, "7", 0, PARTS_ALL));
	store_hold_feed_slot(g);
	servers_set_standby("nobody");
	join_begin(g, &e);
	while (servers_ask("select count(*) from pg_stat_activity where wait_event = 'SyncRep'") != 1)
		loop_turn(g->loop, 20);
	low = feed_low(g->feed);
	for (int i = 0; i < 20; i++) { /* 200 s */
		store_skip_us += 10000000;
		for (int turn = 0; turn < 10; turn++)
			loop_turn(g->loop, 10);
		assert_true(feed_low(g->feed) == low);
	}
	assert_int_equal(e.count, 1);
	assert_int_equal(e.r, KZ_LOST);
	assert_float_equal(doubts(), 1, 0);
	assert_int_equal(receipts_join(g->pg, g->feed, 0, join_on_done, &refused), KZ_BUSY);
	assert_int_equal(store_int(g, "select count(*) from message_event where feed is not null"), 0);
	servers_set_standby("");
	join_await_low(g, low);
	assert_float_equal(doubts(), 0, 0);
	assert_true(store_int(g, "select feed from message_event where feed is not null") >= (int64_t)low);
	assert_int_equal(join(g), 0);
}

static void join__not_begun_when_it_was_given_up__refused_then(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);
	uint64_t later = ids_floor(store_wall_us() / 1000 + 60000);
	struct join_end e;

	put_submitted(g, id, 1, 1, "beeline", "7");
	wait_keep(g, wait_make(g, "7", 0, PARTS_ALL));
	store_hold_feed_slot(g);
	assert_string_equal(store_sql(g, "select feed_shut(%llu)", (unsigned long long)later), "t");
	join_begin(g, &e);
	servers_await(g->loop, &e.count, 1);
	assert_int_equal(e.r, KZ_REFUSED);
	assert_true(feed_is_sure(g->feed));
	assert_int_equal(store_int(g, "select count(*) from message_event where feed is not null"), 0);
	store_skip_us += 61000000; /* its own numbers are above by now */
	assert_int_equal(join(g), 1);
}

static void join__two_daemons_at_once__each_receipt_once(void **state)
{
	struct store_rig *g = *state;
	struct joined j;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	put_submitted(g, id, 1, 1, "beeline", "7");
	wait_keep(g, wait_make(g, "7", 0, PARTS_ALL));
	store_hold_feed_slot(g);
	store_sql(g, "begin");
	assert_int_equal(store_int(g, "select joined from receipts_join(500, 0, 1)"), 1);
	j = join_from(g, 0); /* and nobody waits for the other */
	assert_int_equal(j.looked, 0);
	assert_int_equal(j.n, 0);
	store_sql(g, "commit");
	assert_int_equal(join(g), 0);
	assert_int_equal(waiting(g), 0);
	assert_int_equal(store_int(g, "select count(*) from message_event where kind = 4"), 1);
}

static void join__more_than_fit__500_at_a_time(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	store_sql(g, "insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode)"
	             " select now(), 'beeline', '{7}', false, 1, 0 from generate_series(1, 501)");
	put_submitted(g, id, 1, 1, "beeline", "7");
	assert_int_equal(join(g), RECEIPTS_JOIN_MOST);
	assert_int_equal(join(g), 1);
	assert_int_equal(store_int(g, "select count(*) from message_event where kind = 4"), 501);
}

static void join__nothing_found__looked_at_again_when_half_as_old_again(void **state)
{
	struct store_rig *g = *state;

	store_sql(g, "insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode)"
	             " select now() - s * interval '1 s', 'beeline', '{7}', true, 6, 0"
	             " from unnest('{-5,0,100}'::int[]) s");
	assert_int_equal(join_from(g, 0).looked, 3);
	assert_int_equal(join_from(g, 0).looked, 0);
	/* by the clock of the database: at most 10 s have passed since */
	assert_int_equal(
	    store_int(g, "select count(*) from receipt_waiting where at < now() - interval '90 s'"
	                 " and look_at - at between interval '150 s' and interval '165 s'"),
	    1);
	assert_int_equal(
	    store_int(g, "select count(*) from receipt_waiting where at > now() - interval '90 s'"
	                 " and look_at between now() - interval '9 s' and now() + interval '5 s'"),
	    2);
	waiting_come_due(g);
	assert_int_equal(join_from(g, 0).looked, 3);
}

static void join__thousands_that_match_nothing__do_not_stand_before_one_that_does(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	put_submitted(g, id, 1, 1, "beeline", "7");
	store_sql(g, "insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode)"
	             " select now() - interval '1 hour', 'beeline', array['x' || i], true, 6, 0"
	             " from generate_series(1, 5000) i");
	for (int i = 0; i < 10; i++)
		assert_int_equal(join_from(g, 0).looked, RECEIPTS_JOIN_MOST);
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	assert_int_equal(join_from(g, 0).looked, 1);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
	assert_int_equal(waiting(g), 5000);
}

static void join__message_below_the_bound__waits_on(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	put_submitted(g, id, 1, 1, "beeline", "7");
	wait_keep(g, wait_make(g, "7", 77011234567, PARTS_ALL));
	assert_int_equal(join_from(g, id + 1).n, 0);
	waiting_come_due(g);
	assert_int_equal(join_from(g, id).n, 1);
}

static void forget_on_done(void *arg, enum kz r, const struct receipts_forgotten *f)
{
	assert_int_equal(r, KZ_OK);
	*(struct receipts_forgotten *)arg = *f;
}

static struct receipts_forgotten forget(struct store_rig *g, int64_t now_us, int most)
{
	struct receipts_forgotten f = {.waiting = SIZE_MAX};

	assert_int_equal(receipts_forget(g->pg, now_us, most, forget_on_done, &f), KZ_OK);
	while (f.waiting == SIZE_MAX)
		loop_turn(g->loop, 50);
	return f;
}

/* An hour before the end of its wait the submission of a message that was accepted just before it is
 * recorded.
 */
static void forget__old__only_what_cannot_be_joined_any_more(void **state)
{
	struct store_rig *g = *state;
	struct wait late = wait_make(g, "7", 77011234567, PARTS_ALL), old = wait_make(g, "8", 0, PARTS_ALL);
	int64_t hour_us = INT64_C(3600000000), now_us;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	late.wait.at_us = store_wall_us();
	old.wait.at_us = late.wait.at_us - 2 * hour_us;
	wait_keep(g, late);
	wait_keep(g, old);
	now_us = late.wait.at_us + RECEIPTS_REACH_MS * 1000 - hour_us;
	struct receipts_forgotten f = forget(g, now_us, 10);
	assert_int_equal(f.old, 1);
	assert_int_equal(f.over, 0);
	assert_int_equal(f.waiting, 1);
	put_submitted(g, id, 1, 1, "beeline", "7");
	assert_int_equal(join_from(g, ids_floor(now_us / 1000 - RECEIPTS_REACH_MS)).n, 1);
	assert_int_equal(end_state(g, id), MESSAGE_DELIVERED);
	assert_int_equal(waiting(g), 0);
}

static void forget__too_many_of_one_operator__its_oldest(void **state)
{
	static const char *const ids[] = {"11", "12", "13", "14", "15"};
	struct store_rig *g = *state;
	struct receipts_forgotten f;
	struct wait w;

	for (int i = 0; i < 5; i++) {
		w = wait_make(g, ids[i], 0, PARTS_ALL);
		w.wait.carrier = i == 1 ? "tele2" : "beeline";
		wait_keep(g, w);
	}
	f = forget(g, w.wait.at_us, 2);
	assert_int_equal(f.old, 0);
	assert_int_equal(f.over, 2);
	assert_int_equal(f.waiting, 3);
	assert_string_equal(
	    store_sql(g, "select string_agg(operator_ids[2], ' ' order by id) from receipt_waiting"),
	    "12 14 15");
	f = forget(g, w.wait.at_us, 2);
	assert_int_equal(f.over, 0);
	assert_int_equal(f.waiting, 3);
}

static void forget__being_joined__passed_over(void **state)
{
	struct store_rig *g = *state;

	wait_keep(g, wait_make(g, "7", 0, PARTS_ALL));
	store_sql(g, "begin; select from receipt_waiting for update");
	struct receipts_forgotten f = forget(g, store_wall_us(), 0);
	assert_int_equal(f.old + f.over, 0);
	assert_int_equal(f.waiting, 1);
	store_sql(g, "commit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(find__among_candidates__the_best_that_is_recorded),
	    STORE_CASE(find__same_id_of_two_carriers__each_its_own),
	    STORE_CASE(find__id_used_again_by_the_operator__the_newest_message),
	    STORE_CASE(find__personal_fields_gone__home_without_a_number),
	    STORE_CASE(find__message_older_than_any_lives__not_found),
	    STORE_CASE(limits__changed__both_kinds_follow),
	    STORE_CASE(wait__kept__every_field_stands_as_given),
	    STORE_CASE(named__phone_and_reference__the_best_id_of_what_waits),
	    STORE_CASE(wait__the_same_again__one_row),
	    STORE_CASE(wait__poisoned__refused_alone),
	    STORE_CASE(join__before_and_after_the_submission__once),
	    STORE_CASE(join__not_final__recorded_and_the_message_goes_on),
	    STORE_CASE(join__number_or_carrier_of_another__waits_on),
	    STORE_CASE(join__number_matches_an_older_message__that_one),
	    STORE_CASE(join__number_unknown_on_either_side__joined),
	    STORE_CASE(join__every_parts_mode__ends_as_the_rule_says),
	    STORE_CASE(join__all_parts_at_once__message_ends_by_the_worst),
	    STORE_CASE(join__message_has_ended__recorded_and_the_end_stays),
	    STORE_CASE(join__two_final_words_of_one_message__the_first_ends_it),
	    STORE_CASE(join__ends_of_messages_and_of_parts__each_numbered_below_the_bound),
	    STORE_CASE(join__no_slot_held__not_now),
	    STORE_CASE(join__killed_on_its_way__its_numbers_hold_the_bound_until_that_is_known),
	    STORE_CASE(join__given_up_in_a_commit_that_hangs__its_numbers_hold_the_bound_until_it_is_over),
	    STORE_CASE(join__not_begun_when_it_was_given_up__refused_then),
	    STORE_CASE(join__two_daemons_at_once__each_receipt_once),
	    STORE_CASE(join__more_than_fit__500_at_a_time),
	    STORE_CASE(join__nothing_found__looked_at_again_when_half_as_old_again),
	    STORE_CASE(join__thousands_that_match_nothing__do_not_stand_before_one_that_does),
	    STORE_CASE(join__message_below_the_bound__waits_on),
	    STORE_CASE(forget__old__only_what_cannot_be_joined_any_more),
	    STORE_CASE(forget__too_many_of_one_operator__its_oldest),
	    STORE_CASE(forget__being_joined__passed_over),
	};

	return store_main("receipts", tests, sizeof tests / sizeof *tests);
}

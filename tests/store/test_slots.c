/* slots by session locks of a real PostgreSQL. */
#include "store_rig.h"

#include <signal.h>

#include "store/slots.h"

struct daemon {
	struct slots *slots;
	struct loop *loop;
	struct lease *lease;
	int taken, lost, weighed, left, stayed; /* left: how often it was asked to leave a slot */
	bool mine[IDS_SLOTS];
	size_t weights[IDS_SLOTS]; /* what memory has, as it says */
	uint64_t low_water[IDS_SLOTS], newest[IDS_SLOTS];
};

static void daemon_on_taken(void *arg, uint8_t slot, uint64_t low_water, uint64_t newest)
{
	struct daemon *d = arg;

	assert_false(d->mine[slot]);
	d->mine[slot] = true;
	d->low_water[slot] = low_water;
	d->newest[slot] = newest;
	d->taken++;
}

static void daemon_on_lost(void *arg)
{
	struct daemon *d = arg;

	memset(d->mine, 0, sizeof d->mine);
	d->lost++;
}

static void daemon_on_weigh(void *arg, size_t weights[IDS_SLOTS])
{
	struct daemon *d = arg;

	memcpy(weights, d->weights, sizeof d->weights);
	d->weighed++;
}

static size_t daemon_on_leave(void *arg, uint8_t slot)
{
	struct daemon *d = arg;

	assert_true(d->mine[slot]);
	assert_true(slot != slots_own(d->slots));
	d->left++;
	if (!d->weights[slot])
		d->mine[slot] = false;
	return d->weights[slot];
}

static void daemon_on_stay(void *arg, uint8_t slot)
{
	struct daemon *d = arg;

	assert_true(d->mine[slot]);
	assert_true(lease_epoch(d->lease, slot) > 0);
	d->stayed++;
}

static const struct slots_events daemon_events = {
    daemon_on_taken, daemon_on_lost, daemon_on_weigh, daemon_on_leave, daemon_on_stay};

/* Each has a loop of its own: what is not turned stands still. */
static void daemon_begin(struct store_rig *g, struct daemon *d)
{
	*d = (struct daemon){.loop = loop_new(&store_clock)};
	d->lease = lease_new(d->loop);
	d->slots = slots_new(d->loop, &g->options, d->lease, &daemon_events, d);
	assert_int_equal(slots_own(d->slots), -1);
}

/* Ten times as fast as the clock on the wall: what is awaited are scans. */
static void daemon_await(struct daemon *d, const int *number, int reached)
{
	for (int turn = 0; *number < reached; turn++) {
		if (turn > 3000)
			fail_msg("waited in vain: %d of %d", *number, reached);
		store_skip_us += 50000;
		loop_turn(d->loop, 5);
	}
}

/* The other has its turns meanwhile. */
static void daemons_await(struct daemon *d, struct daemon *other, const int *number, int reached)
{
	for (int turn = 0; *number < reached; turn++) {
		if (turn > 3000)
			fail_msg("waited in vain: %d of %d", *number, reached);
		store_skip_us += 50000;
		loop_turn(d->loop, 5);
		loop_turn(other->loop, 5);
	}
}

static int daemon_up(struct store_rig *g, struct daemon *d)
{
	daemon_begin(g, d);
	daemon_await(d, &d->taken, 1);
	assert_true(slots_own(d->slots) >= 0);
	assert_true(d->mine[slots_own(d->slots)]);
	return slots_own(d->slots);
}

static void daemon_end(struct daemon *d)
{
	slots_free(d->slots);
	lease_free(d->lease);
	loop_free(d->loop);
}

static void daemon_kill_session(struct store_rig *g, int slot)
{
	assert_int_equal(
	    store_int(g,
	        "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory'"
	        " and classid = x'6b7a6b'::int and objid = %d",
	        slot + 1),
	    1);
}

/* Its process ended, and the server has noticed. */
static void daemon_leave(struct store_rig *g, struct daemon *d)
{
	daemon_end(d);
	store_await_sql(g, "select count(*) from pg_locks where locktype = 'advisory'", 0);
}

static void slots__two_daemons__two_slots(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;
	int first = daemon_up(g, &a), second = daemon_up(g, &b);

	assert_int_equal(first, 0);
	assert_int_equal(second, 1);
	assert_int_equal(a.low_water[0], 0);
	assert_false(a.mine[1]);
	assert_false(b.mine[0]);
	daemon_end(&a);
	daemon_end(&b);
}

static void slots__scanned_again__nobody_loses_or_takes(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	daemon_up(g, &a);
	daemon_up(g, &b);
	for (int i = 0; i < 5; i++) {
		store_skip_us += 1000000;
		for (int turn = 0; turn < 5; turn++) {
			loop_turn(a.loop, 5);
			loop_turn(b.loop, 5);
		}
	}
	assert_int_equal(a.taken, 1);
	assert_int_equal(b.taken, 1);
	assert_int_equal(a.lost + b.lost, 0);
	/* Asked again, a session would hold its lock twice. */
	assert_int_equal(store_int(g, "select count(*) from pg_locks where locktype = 'advisory'"), 2);
	daemon_end(&a);
	daemon_end(&b);
}

static void slots__session_killed__the_other_takes_over_and_the_owner_is_told(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	daemon_up(g, &a);
	daemon_up(g, &b);
	daemon_kill_session(g, 0);
	daemon_await(&b, &b.taken, 2);
	assert_true(b.mine[0]);
	assert_int_equal(slots_own(b.slots), 1); /* new messages go on in its own */
	daemon_await(&a, &a.lost, 1);
	assert_int_equal(slots_own(a.slots), -1);
	assert_false(a.mine[0]);
	daemon_await(&a, &a.taken, 2);
	assert_int_equal(slots_own(a.slots), 2); /* b does not turn: nobody gives one in time */
	daemon_end(&a);
	daemon_end(&b);
}

/* b's session ends, as when its process is killed, and a takes over what it had. */
static void daemon_is_taken_over(struct store_rig *g, struct daemon *b, struct daemon *a)
{
	int slot = slots_own(b->slots);

	daemon_kill_session(g, slot);
	daemon_await(b, &b->lost, b->lost + 1);
	daemon_await(a, &a->taken, a->taken + 1);
	assert_true(a->mine[slot]);
}

#define ADVISORY_LOCKS "select count(*) from pg_locks where locktype = 'advisory'"

static void slots__taken_over_again_and_again__given_back_each_time(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	daemon_up(g, &a);
	daemon_up(g, &b);
	for (int time = 0; time < 10; time++) {
		daemon_is_taken_over(g, &b, &a);
		daemons_await(&b, &a, &b.taken, b.taken + 1);
		assert_int_equal(slots_own(b.slots), 1);
		assert_false(a.mine[1]);
		assert_int_equal(lease_epoch(a.lease, 1), 0);
		assert_int_equal(
		    lease_epoch(b.lease, 1), store_int(g, "select epoch from slot where id = 1"));
	}
	assert_int_equal(a.left, 10);
	assert_int_equal(a.lost, 0);
	assert_int_equal(store_int(g, "select count(*) from slot"), 2);
	for (int turn = 0; turn < 40; turn++) { /* nobody wants any more, nobody takes what he gave */
		store_skip_us += 100000;
		loop_turn(a.loop, 5);
		loop_turn(b.loop, 5);
	}
	assert_int_equal(store_int(g, ADVISORY_LOCKS), 2);
	assert_int_equal(a.left, 10);
	assert_int_equal(a.taken, 11);
	daemon_end(&a);
	daemon_end(&b);
}

static void slots__wanted__the_one_with_the_least_in_memory_is_given_when_that_is_over(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	store_sql(g, "insert into slot (id) select generate_series(0, 3)");
	daemon_begin(g, &a);
	daemon_await(&a, &a.taken, 4);
	a.weights[1] = 5, a.weights[2] = 2, a.weights[3] = 7; /* its own, 0, counts for nothing */
	daemon_begin(g, &b);
	daemons_await(&a, &b, &a.left, 10);
	assert_int_equal(b.taken, 0);
	assert_true(a.mine[2]);
	assert_true(lease_epoch(a.lease, 2) > 0);
	assert_int_equal(a.weighed, 1);
	a.weights[2] = 0;
	daemons_await(&b, &a, &b.taken, 1);
	assert_int_equal(slots_own(b.slots), 2);
	assert_false(a.mine[2]);
	assert_true(a.mine[1] && a.mine[3]);
	assert_int_equal(store_int(g, "select count(*) from slot"), 4);
	daemon_end(&a);
	daemon_end(&b);
}

static void slots__wanted_and_not_over_in_time__kept_and_another_is_given(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b, c;

	store_sql(g, "insert into slot (id) select generate_series(0, 2)");
	daemon_begin(g, &a);
	daemon_await(&a, &a.taken, 3);
	a.weights[1] = 1, a.weights[2] = 2;
	daemon_begin(g, &b);
	daemons_await(&a, &b, &a.left, 1);
	int64_t from_us = store_mono_us();
	daemons_await(&a, &b, &a.stayed, 1);
	assert_in_range((store_mono_us() - from_us) / 1000, 2500, 4500);
	a.weights[2] = 0;
	daemons_await(&b, &a, &b.taken, 1);
	assert_int_equal(slots_own(b.slots), 2);
	int left = a.left;
	daemon_begin(g, &c); /* the one that was kept is let alone for a while */
	daemons_await(&c, &a, &c.taken, 1);
	assert_int_equal(slots_own(c.slots), 3);
	assert_int_equal(a.left, left);
	assert_int_equal(a.stayed, 1);
	assert_true(a.mine[1]);
	daemon_end(&a);
	daemon_end(&b);
	daemon_end(&c);
}

#define WANT_LOCKS "select count(*) from pg_locks where classid = x'6b7a77'::int::oid"

static void slots__wanted_by_one_that_ends_meanwhile__kept_at_its_next_look(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	store_sql(g, "insert into slot (id) values (0), (1)");
	daemon_begin(g, &a);
	daemon_await(&a, &a.taken, 2);
	a.weights[1] = 1;
	daemon_begin(g, &b);
	daemons_await(&a, &b, &a.left, 1);
	daemon_end(&b);
	store_await_sql(g, WANT_LOCKS, 0);
	int64_t from_us = store_mono_us();
	daemon_await(&a, &a.stayed, 1);
	assert_in_range((store_mono_us() - from_us) / 1000, 0, 2000);
	assert_true(a.mine[1]);
	assert_int_equal(daemon_up(g, &b), 2); /* or 1, had it not to end what memory has */
	daemon_end(&a);
	daemon_end(&b);
}

/* Each statement that says or takes back that b wants a slot has done so, and fails after all. */
static void slots__saying_that_one_is_wanted_refused__not_said_for_ever(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;
	char conninfo[512];

	store_sql(g,
	    "create schema staged; create table staged.refused ();"
	    "create function staged.judge(r bool) returns bool language plpgsql as $$ begin"
	    " if exists (select from staged.refused) then raise 'staged'; end if; return r; end $$;"
	    "create function staged.pg_try_advisory_lock_shared(int, int) returns bool"
	    " return staged.judge(pg_catalog.pg_try_advisory_lock_shared($1, $2));"
	    "create function staged.pg_advisory_unlock_shared(int, int) returns bool"
	    " return case when staged.judge(true) then pg_catalog.pg_advisory_unlock_shared($1, $2) end;"
	    "insert into staged.refused default values;"
	    "insert into slot (id) values (0), (1)");
	daemon_begin(g, &a);
	daemon_await(&a, &a.taken, 2);
	snprintf(
	    conninfo, sizeof conninfo, "%s options='-c search_path=staged,pg_catalog,public'", g->conninfo);
	g->options.conninfo = conninfo;
	daemon_begin(g, &b);
	daemons_await(&b, &a, &b.taken, 1);
	assert_int_equal(slots_own(b.slots), 1);
	assert_int_equal(store_int(g, WANT_LOCKS), 1);
	store_sql(g, "delete from staged.refused");
	for (int turn = 0; store_int(g, WANT_LOCKS); turn++) {
		assert_true(turn < 200);
		store_skip_us += 50000;
		loop_turn(a.loop, 5);
		loop_turn(b.loop, 5);
	}
	assert_true(lease_runs(b.lease));
	assert_int_equal(a.lost + b.lost, 0);
	daemon_end(&a);
	daemon_end(&b);
}

/* The commit of its last writer waits for a standby, so it cannot be raised for a while. */
static void slots__locked_and_not_raised_at_first__given_at_once_all_the_same(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);
	struct daemon a, b;

	daemon_up(g, &a);
	store_sql(g, "insert into slot (id, epoch) values (1, 1), (9, 1);"
	             "select pg_advisory_lock(x'6b7a6b'::int, 10)");
	servers_set_standby("nobody");
	assert_int_equal(PQsendQuery(writer, "begin; select slot_fence('{1}', '{1}');"
	                                     " update slot set low_water = 1 where id = 9; commit"),
	    1);
	store_await_sql(g, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'", 1);
	for (int64_t until = store_skip_us + 6000000; store_skip_us < until; store_skip_us += 50000)
		loop_turn(a.loop, 5);
	assert_int_equal(
	    store_int(g, "select count(*) from pg_locks where classid = x'6b7a6b'::int and objid = 2"), 1);
	assert_false(a.mine[1]);
	servers_set_standby("");
	for (PGresult *r; (r = PQgetResult(writer)) != NULL; PQclear(r))
		assert_int_not_equal(PQresultStatus(r), PGRES_FATAL_ERROR);
	PQfinish(writer);
	daemon_await(&a, &a.taken, 2);
	daemon_begin(g, &b);
	daemons_await(&b, &a, &b.taken, 1);
	assert_int_equal(slots_own(b.slots), 1);
	daemon_end(&a);
	daemon_end(&b);
}

/* As a restart does, once and again. */
static void slots__owner_comes_back_at_once__has_its_slot_again(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	daemon_up(g, &a);
	daemon_up(g, &b);
	for (int restart = 0; restart < 10; restart++) {
		daemon_end(&a);
		store_await_sql(g, "select count(*) from pg_locks where locktype = 'advisory'", 1);
		store_skip_us += 1000000;
		for (int turn = 0; turn < 5; turn++)
			loop_turn(b.loop, 20); /* looks at least once */
		assert_int_equal(daemon_up(g, &a), 0);
		store_skip_us += 1000000;
		for (int turn = 0; turn < 5; turn++)
			loop_turn(b.loop, 20);
	}
	assert_int_equal(b.taken, 1);
	assert_int_equal(store_int(g, "select count(*) from slot"), 2);
	daemon_end(&a);
	daemon_end(&b);
}

static void slots__taken__lease_runs_under_the_epoch_of_the_row(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	store_sql(g, "insert into slot (id, epoch) values (0, 41)");
	daemon_up(g, &a);
	assert_int_equal(lease_epoch(a.lease, 0), 42);
	assert_true(lease_runs(a.lease));
	daemon_leave(g, &a);
	daemon_up(g, &b);
	assert_int_equal(lease_epoch(b.lease, 0), 43);
	assert_int_equal(store_int(g, "select epoch from slot"), 43);
	daemon_end(&b);
}

/* Nothing of a runs meanwhile, as when its process is stopped: its session stays as it is. */
static void slots__daemon_stands_still__its_lease_is_over_before_another_has_the_slot(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	daemon_up(g, &a);
	daemon_up(g, &b);
	assert_true(lease_runs(a.lease));
	for (int64_t give_up = clock_real.mono_us() + 30000000; b.taken < 2;) {
		assert_true(clock_real.mono_us() < give_up);
		loop_turn(b.loop, 50);
	}
	assert_true(b.mine[0]);
	assert_false(lease_runs(a.lease));
	daemon_await(&a, &a.lost, 1);
	assert_int_equal(lease_epoch(a.lease, 0), 0);
	daemon_end(&a);
	daemon_end(&b);
}

static pid_t slot_session(struct store_rig *g, int slot)
{
	return (pid_t)store_int(g,
	    "select pid from pg_locks where locktype = 'advisory' and classid = x'6b7a6b'::int and objid = "
	    "%d",
	    slot + 1);
}

static void slots__answer_that_does_not_come__lost_with_the_lease(void **state)
{
	struct store_rig *g = *state;
	struct daemon a;

	daemon_up(g, &a);
	pid_t session = slot_session(g, 0);
	kill(session, SIGSTOP);
	store_skip_us += (LEASE_MS - 500) * 1000;
	for (int turn = 0; turn < 5; turn++)
		loop_turn(a.loop, 5);
	assert_int_equal(a.lost, 0);
	store_skip_us += 500 * 1000;
	daemon_await(&a, &a.lost, 1);
	assert_false(lease_runs(a.lease));
	kill(session, SIGCONT);
	daemon_await(&a, &a.taken, 2);
	assert_true(lease_runs(a.lease));
	daemon_end(&a);
}

/* Two slots are free while no commit ends; into one of them a commit waits. */
static void slots__standby_away__takes_what_is_free_and_keeps_its_own(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);
	struct daemon a;

	assert_int_equal(daemon_up(g, &a), 0);
	store_sql(g, "select count(pg_advisory_lock(x'6b7a6b'::int, i)) from generate_series(2, 3) i");
	store_sql(g, "insert into slot (id, epoch) values (1, 1), (2, 1)");
	servers_set_standby("nobody");
	assert_int_equal(
	    PQsendQuery(writer, "begin; select slot_fence('{1}', '{1}'); insert into receipt_aside (at, "
	                        "carrier, what, sealed) values (now(), '', '', ''); commit"),
	    1);
	store_await_sql(g, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'", 1);
	store_sql(g, "select count(pg_advisory_unlock(x'6b7a6b'::int, i)) from generate_series(2, 3) i");
	daemon_await(&a, &a.taken, 2);
	assert_true(a.mine[2]);
	for (int64_t until = store_skip_us + 2 * LEASE_MS * 1000; store_skip_us < until;
	     store_skip_us += 50000)
		loop_turn(a.loop, 5);
	assert_true(lease_runs(a.lease));
	assert_int_equal(a.lost, 0);
	assert_false(a.mine[1]);
	servers_set_standby("");
	daemon_await(&a, &a.taken, 3);
	assert_true(a.mine[1]);
	assert_int_equal(a.lost, 0);
	PQfinish(writer);
	daemon_end(&a);
}

static void slots__noted_by_a_former_owner__not_written(void **state)
{
	struct store_rig *g = *state;
	struct daemon a;

	daemon_up(g, &a);
	store_sql(g, "select slot_raise('{0}')");
	slots_note(a.slots, g->pg, 0, 12345);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	assert_int_equal(store_int(g, "select low_water from slot"), 0);
	daemon_end(&a);
}

static void slots__daemon_ended__the_next_has_its_slot_and_low_water(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	daemon_up(g, &a);
	slots_note(a.slots, g->pg, 0, 12345678901234);
	slots_note(a.slots, g->pg, 0, 77); /* never back */
	slots_note(a.slots, g->pg, 1, 99); /* not ours: not written */
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	daemon_leave(g, &a);
	assert_int_equal(daemon_up(g, &b), 0);
	assert_true(b.low_water[0] == 12345678901234);
	daemon_end(&b);
}

static void slots__several_dead_ones_and_daemons__one_for_each(void **state)
{
	struct store_rig *g = *state;
	struct daemon a, b;

	store_sql(g, "insert into slot (id) values (0), (1)");
	daemon_begin(g, &a);
	daemon_begin(g, &b);
	daemon_await(&a, &a.taken, 1); /* b turns not: what is left is free a moment later */
	daemon_await(&b, &b.taken, 1);
	assert_int_equal(slots_own(a.slots), 0);
	assert_int_equal(slots_own(b.slots), 1);
	assert_int_equal(store_int(g, "select count(*) from slot"), 2);
	daemon_end(&a);
	daemon_end(&b);
}

static void slots__several_dead_ones__all_taken_the_first_is_the_own(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	store_sql(g, "insert into slot values (0, 10), (1, 11), (2, 12), (255, 13); select"
	             " pg_advisory_lock(x'6b7a6b'::int, 1)");
	assert_int_equal(daemon_up(g, &d), 1);
	assert_int_equal(d.taken, 1);
	daemon_await(&d, &d.taken, 3);
	assert_int_equal(slots_own(d.slots), 1);
	assert_false(d.mine[0]);
	assert_true(d.low_water[1] == 11);
	assert_true(d.low_water[2] == 12);
	assert_true(d.low_water[255] == 13);
	daemon_end(&d);
}

static void slots__messages_there__the_newest_id_is_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 9};
	struct daemon d;

	store_put_message(g, &ids, 1, 77011234567);
	uint64_t newest = store_put_message(g, &ids, 1, 77011234567);
	daemon_begin(g, &d);
	daemon_await(&d, &d.taken, 1);
	assert_true(d.newest[0] == newest);
	daemon_end(&d);
}

static void slots__made_beside_messages__the_look_for_unheard_ones_begins_there(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 9};
	struct daemon d;
	uint64_t newest = store_put_message(g, &ids, 1, 77011234567);

	daemon_up(g, &d);
	assert_true((uint64_t)store_int(g, "select unheard from slot") == newest >> 22 << 22);
	assert_int_equal(store_int(g, "select unheard - low_water from slot"), 0);
	daemon_end(&d);
}

static void slots__ends_numbered_ahead_of_the_messages__the_newest_number_of_the_slot_is_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 0}, ahead = {.slot = 0}, other = {.slot = 1};
	struct daemon d;
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);
	uint64_t feed = ids_next(&ahead, now_ms + 60000), of_another = ids_next(&other, now_ms + 120000);

	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, feed)"
	    " select %llu, now(), 5, true, 5, unnest(array[%llu, %llu])",
	    (unsigned long long)id, (unsigned long long)feed, (unsigned long long)of_another);
	assert_int_equal(daemon_up(g, &d), 0);
	assert_true(d.newest[0] == feed);
	daemon_end(&d);
}

static void slots__verdict_numbered_ahead_of_the_messages__the_newest_number_of_the_slot_is_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 0}, ahead = {.slot = 0}, other = {.slot = 1};
	struct daemon d;
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);
	uint64_t feed = ids_next(&ahead, now_ms + 60000), of_another = ids_next(&other, now_ms + 120000);

	store_sql(g,
	    "insert into code_verdict values (%llu, now(), 1, null, %llu), (%llu, now(), 1, null, %llu)",
	    (unsigned long long)id, (unsigned long long)feed, (unsigned long long)id + 1,
	    (unsigned long long)of_another);
	assert_int_equal(daemon_up(g, &d), 0);
	assert_true(d.newest[0] == feed);
	daemon_end(&d);
}

/* A webhook was told up to a number, and runs were given up, above all that was written. */
static void slots__cursor_or_shut_run_ahead__told_as_the_newest_number_of_the_slot(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 9};
	struct daemon d;
	uint64_t id = store_put_message(g, &ids, 1, 77011234567), cursor = id + 1000, shut = id + 2000;

	store_sql(g,
	    "insert into webhook (client, url, secret, since) values ('portal', '', '', 0);"
	    "insert into webhook_cursor values (1, 0, 0, %llu), (1, 1, 0, %llu);"
	    "insert into slot (id, shut) values (0, 0), (1, %llu)",
	    (unsigned long long)cursor, (unsigned long long)cursor, (unsigned long long)shut);
	daemon_up(g, &d);
	daemon_await(&d, &d.taken, 2);
	assert_true(d.newest[0] == cursor);
	assert_true(d.newest[1] == shut);
	daemon_end(&d);
}

static void slots__all_256_held__none_until_one_is_free(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	store_sql(g, "insert into slot select generate_series(0, 255);"
	             "select count(pg_advisory_lock(x'6b7a6b'::int, i)) from generate_series(1, 256) i");
	daemon_begin(g, &d);
	for (int i = 0; i < 100; i++) {
		store_skip_us += 100000;
		loop_turn(d.loop, 2);
	}
	assert_int_equal(d.taken, 0);
	assert_int_equal(slots_own(d.slots), -1);
	assert_int_equal(store_int(g, "select count(*) from slot"), 256);
	store_sql(g, "select pg_advisory_unlock(x'6b7a6b'::int, 201)");
	daemon_await(&d, &d.taken, 1);
	assert_int_equal(slots_own(d.slots), 200);
	daemon_end(&d);
}

static void slots__server_killed__lost_and_the_same_slot_again(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	assert_int_equal(daemon_up(g, &d), 0);
	store_kill_pg(g);
	daemon_await(&d, &d.lost, 1);
	assert_int_equal(slots_own(d.slots), -1);
	servers_do("restart-pg");
	daemon_await(&d, &d.taken, 2);
	assert_int_equal(slots_own(d.slots), 0);
	assert_int_equal(d.lost, 1);
	daemon_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(slots__two_daemons__two_slots),
	    STORE_CASE(slots__scanned_again__nobody_loses_or_takes),
	    STORE_CASE(slots__session_killed__the_other_takes_over_and_the_owner_is_told),
	    STORE_CASE(slots__taken_over_again_and_again__given_back_each_time),
	    STORE_CASE(slots__wanted__the_one_with_the_least_in_memory_is_given_when_that_is_over),
	    STORE_CASE(slots__wanted_and_not_over_in_time__kept_and_another_is_given),
	    STORE_CASE(slots__wanted_by_one_that_ends_meanwhile__kept_at_its_next_look),
	    STORE_CASE(slots__saying_that_one_is_wanted_refused__not_said_for_ever),
	    STORE_CASE(slots__locked_and_not_raised_at_first__given_at_once_all_the_same),
	    STORE_CASE(slots__owner_comes_back_at_once__has_its_slot_again),
	    STORE_CASE(slots__taken__lease_runs_under_the_epoch_of_the_row),
	    STORE_CASE(slots__daemon_stands_still__its_lease_is_over_before_another_has_the_slot),
	    STORE_CASE(slots__answer_that_does_not_come__lost_with_the_lease),
	    STORE_CASE(slots__standby_away__takes_what_is_free_and_keeps_its_own),
	    STORE_CASE(slots__noted_by_a_former_owner__not_written),
	    STORE_CASE(slots__daemon_ended__the_next_has_its_slot_and_low_water),
	    STORE_CASE(slots__several_dead_ones_and_daemons__one_for_each),
	    STORE_CASE(slots__several_dead_ones__all_taken_the_first_is_the_own),
	    STORE_CASE(slots__messages_there__the_newest_id_is_told),
	    STORE_CASE(slots__made_beside_messages__the_look_for_unheard_ones_begins_there),
	    STORE_CASE(slots__ends_numbered_ahead_of_the_messages__the_newest_number_of_the_slot_is_told),
	    STORE_CASE(slots__verdict_numbered_ahead_of_the_messages__the_newest_number_of_the_slot_is_told),
	    STORE_CASE(slots__cursor_or_shut_run_ahead__told_as_the_newest_number_of_the_slot),
	    STORE_CASE(slots__all_256_held__none_until_one_is_free),
	    STORE_CASE(slots__server_killed__lost_and_the_same_slot_again),
	};

	return store_main("slots", tests, sizeof tests / sizeof *tests);
}

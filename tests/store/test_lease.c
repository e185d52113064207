/* What a daemon may do with slots that are its own no longer: by the clock, and by the fence of a real
 * PostgreSQL. */
#include "messages_rig.h"

#include <signal.h>

#include "store/lease.h"

struct fenced {
	int count;
	enum kz r;
	char sqlstate[6];
};

static void fenced_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct fenced *f = arg;

	f->count++;
	f->r = r;
	snprintf(f->sqlstate, sizeof f->sqlstate, "%s", pg_sqlstate(reply));
}

/* One fenced write, to its end. */
static struct fenced fenced_write(struct store_rig *g, const struct lease_slots *slots)
{
	static const struct pg_sql sql = {"fenced_write",
	    "insert into receipt_aside (at, carrier, what, sealed) values (now(), '', '', '')", 0, NULL};
	struct fenced f = {0};
	struct pg_job *job = pg_job_new(g->pg, fenced_on_done, &f);

	lease_fence(g->lease, slots, job);
	pg_job_add(job, &sql, NULL);
	assert_int_equal(pg_job_run(job, NULL), KZ_OK);
	servers_await(g->loop, &f.count, 1);
	return f;
}

static void lease__confirmed_when_asked__runs_so_long_from_the_question(void **state)
{
	struct store_rig *g = *state;
	int64_t asked_ms = loop_now_ms(g->loop);

	assert_false(lease_runs(g->lease));
	lease_renew(g->lease, asked_ms - LEASE_MS); /* stopped between the question and its answer */
	assert_false(lease_runs(g->lease));
	lease_renew(g->lease, asked_ms);
	store_skip_us += (LEASE_MS - 1000) * 1000;
	assert_true(lease_runs(g->lease));
	assert_in_range(lease_left_ms(g->lease), 1, 1000);
	store_skip_us += 1000 * 1000;
	assert_false(lease_runs(g->lease));
	lease_renew(g->lease, loop_now_ms(g->loop));
	lease_lose(g->lease);
	assert_false(lease_runs(g->lease));
	assert_true(LEASE_MS < LEASE_SERVER_MS);
}

static void fence__slots_held__the_job_happens(void **state)
{
	struct store_rig *g = *state;

	store_hold_slot(g, 3);
	store_hold_slot(g, 200);
	assert_int_equal(fenced_write(g, &(struct lease_slots){.in = {[3] = true, [200] = true}}).r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from receipt_aside"), 1);
}

static void fence__one_slot_of_somebody_else__nothing_of_the_job(void **state)
{
	struct store_rig *g = *state;

	store_hold_slot(g, 3);
	store_hold_slot(g, 200);
	store_sql(g, "select slot_raise('{200}')");
	struct fenced f = fenced_write(g, &(struct lease_slots){.in = {[3] = true, [200] = true}});
	assert_int_equal(f.r, KZ_REFUSED);
	assert_string_equal(f.sqlstate, LEASE_REFUSED);
	f = fenced_write(g, &(struct lease_slots){.in = {[4] = true}}); /* nobody's */
	assert_string_equal(f.sqlstate, LEASE_REFUSED);
	assert_int_equal(store_int(g, "select count(*) from receipt_aside"), 0);
}

static void raise__a_writer_in_mid_transaction__waits_and_sees_what_it_wrote(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);
	struct ids ids = {.slot = 3};

	store_hold_slot(g, 3);
	PQclear(PQexec(writer, "begin; select slot_fence('{3}', '{1}')"));
	assert_int_equal(PQsendQuery(g->sql, "select newest from slot_raise('{3}')"), 1);
	PGconn *asked = g->sql;
	g->sql = NULL;
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	uint64_t id = ids_next(&ids, store_wall_us() / 1000);
	char text[256];
	snprintf(text, sizeof text,
	    "insert into message (id, api_key, class, parts, alphabet, reference, expires_at, at_once)"
	    " values (%llu, 1, 1, 1, 0, 7, now() + interval '1 day', false); commit",
	    (unsigned long long)id);
	PQclear(PQexec(writer, text));
	PGresult *newest = PQgetResult(asked);
	assert_int_equal(PQresultStatus(newest), PGRES_TUPLES_OK);
	assert_true(strtoull(PQgetvalue(newest, 0, 0), NULL, 10) == id);
	PQclear(newest);
	PQfinish(asked);
	PQfinish(writer);
}

static void raise__a_writer_that_never_ends__is_ended(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);

	store_hold_slot(g, 3);
	PQclear(PQexec(writer, "begin; select slot_fence('{3}', '{1}')"));
	assert_int_equal(store_int(g, "select epoch from slot_raise('{3}')"), 2);
	PQclear(PQexec(writer, "commit"));
	assert_int_equal(PQstatus(writer), CONNECTION_BAD);
	PQfinish(writer);
}

static void raise__a_commit_that_waits_for_a_standby__is_left_alone(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);

	store_hold_slot(g, 3);
	store_hold_slot(g, 4);
	servers_set_standby("nobody");
	assert_int_equal(PQsendQuery(writer, "begin; select slot_fence('{3}', '{1}');"
	                                     " update slot set low_water = 1 where id = 4; commit"),
	    1);
	store_await_sql(g, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'", 1);
	assert_string_equal(store_sql(g, "select epoch from slot_raise('{3}')"), "");
	servers_set_standby("");
	for (PGresult *r; (r = PQgetResult(writer)) != NULL; PQclear(r))
		assert_int_not_equal(PQresultStatus(r), PGRES_FATAL_ERROR);
	assert_int_equal(store_int(g, "select epoch from slot_raise('{3}')"), 2);
	PQfinish(writer);
}

/* What pid has read and written so far, octets. */
static unsigned long long process_io(pid_t pid)
{
	unsigned long long in = 0, out = 0;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "rchar: %llu wchar: %llu", &in, &out), 2);
	fclose(f);
	return in + out;
}

/* Lets it run until it has come a step further, and stops it at any moment after that: one that is stopped as
 * soon as it is let go does not run at all, and just after a step it is never in the next. */
static void process_step(pid_t pid)
{
	unsigned long long was = process_io(pid);

	kill(pid, SIGCONT);
	while (process_io(pid) == was)
		;
	for (uint32_t spins = secret_uniform(20000); spins > 0; spins--)
		__asm__ volatile("");
	kill(pid, SIGSTOP);
}

/* Stands still while it writes a file, as a commit does when the disk hangs: answers its process. Rows of a
 * page each, since most of the time is to be the file's. */
static pid_t writer_hangs(PGconn *writer)
{
	pid_t pid = PQbackendPID(writer);
	char sql[128];

	PQclear(PQexec(writer, "begin; set local work_mem = 64; select slot_fence('{3}', '{1}')"));
	assert_int_equal(PQsendQuery(writer, "with pages as materialized"
	                                     " (select repeat('x', 8000) from generate_series(1, 1000000))"
	                                     " select count(*) from pages"),
	    1);
	snprintf(sql, sizeof sql,
	    "select count(*) from pg_stat_activity where pid = %d and wait_event_type = 'IO'", (int)pid);
	for (int steps = 0; process_step(pid), !servers_ask(sql); steps++)
		assert_true(steps < 3000);
	return pid;
}

static void raise__a_writer_that_waits_for_its_disk__is_left_alone(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);
	PGcancel *cancel = PQgetCancel(writer);
	char why[256];

	store_hold_slot(g, 3);
	pid_t pid = writer_hangs(writer);
	assert_string_equal(store_sql(g, "select epoch from slot_raise('{3}')"), "");
	assert_int_equal(PQcancel(cancel, why, sizeof why), 1); /* it need not write all of that */
	kill(pid, SIGCONT);
	for (PGresult *r; (r = PQgetResult(writer)) != NULL; PQclear(r))
		assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "57014");
	assert_int_equal(PQstatus(writer), CONNECTION_OK);
	PQclear(PQexec(writer, "rollback"));
	assert_int_equal(store_int(g, "select epoch from slot_raise('{3}')"), 2);
	PQfreeCancel(cancel);
	PQfinish(writer);
}

/* As a low water is noted: behind no fence. */
static void raise__the_row_is_in_a_commit_that_waits__only_that_slot_is_left_out(void **state)
{
	struct store_rig *g = *state;
	PGconn *writer = PQconnectdb(g->conninfo);

	store_hold_slot(g, 3);
	store_hold_slot(g, 4);
	servers_set_standby("nobody");
	assert_int_equal(PQsendQuery(writer, "update slot set low_water = 1 where id = 3"), 1);
	store_await_sql(g, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'", 1);
	assert_string_equal(
	    store_sql(g, "select string_agg(id || ' ' || epoch, ',') from slot_raise('{3,4}')"), "4 2");
	servers_set_standby("");
	for (PGresult *r; (r = PQgetResult(writer)) != NULL; PQclear(r))
		assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
	assert_int_equal(store_int(g, "select epoch from slot_raise('{3}')"), 2);
	PQfinish(writer);
}

/* Writers of slots 3, 4 and so on, all idle in a transaction: the first two stand still, no signal ends them.
 */
static void writers_begin(struct store_rig *g, PGconn *writers[], int n)
{
	char sql[64];

	for (int i = 0; i < n; i++) {
		writers[i] = PQconnectdb(g->conninfo);
		store_hold_slot(g, (uint8_t)(3 + i));
		snprintf(sql, sizeof sql, "begin; select slot_fence('{%d}', '{1}')", 3 + i);
		PQclear(PQexec(writers[i], sql));
		if (i < 2)
			kill(PQbackendPID(writers[i]), SIGSTOP);
	}
}

static void writers_end(PGconn *writers[], int n)
{
	for (int i = 0; i < n; i++) {
		kill(PQbackendPID(writers[i]), SIGCONT);
		PQfinish(writers[i]);
	}
}

static void raise__lower_slots_hang__one_that_is_free_is_given_at_once(void **state)
{
	struct store_rig *g = *state;
	PGconn *writers[2];

	writers_begin(g, writers, 2);
	store_hold_slot(g, 5);
	int64_t epoch =
	    store_int(g, "select coalesce(max(epoch), 0) from slot_raise('{3,4,5}') where id = 5");
	writers_end(writers, 2);
	assert_int_equal(epoch, 2);
}

static void raise__lower_slots_hang__one_whose_writer_can_be_ended_has_its_turn(void **state)
{
	struct store_rig *g = *state;
	PGconn *writers[3];
	int64_t epoch = 0;

	writers_begin(g, writers, 3);
	for (int tries = 0; tries < 30 && !epoch; tries++)
		epoch =
		    store_int(g, "select coalesce(max(epoch), 0) from slot_raise('{3,4,5}') where id = 5");
	writers_end(writers, 3);
	assert_int_equal(epoch, 2);
}

static void keep__slot_taken_by_somebody_else__not_kept_and_not_poison(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 8);
	w.rows[5].id = (uint64_t)4 << 14 | w.rows[5].id; /* slot 7 */
	store_hold_slot(g, 7);
	store_sql(g, "select slot_raise('{3}')");
	for (int i = 0; i < 8; i++)
		wishes_keep(&w, i);
	wishes_await(&w, 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(w.all[i].r, KZ_LOST);
		assert_false(w.all[i].maybe);
	}
	assert_int_equal(store_int(g, "select count(*) from message"), 0);
	assert_int_equal(store_int(g, "select count(*) from idempotency"), 0);
	wishes_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(lease__confirmed_when_asked__runs_so_long_from_the_question),
	    STORE_CASE(fence__slots_held__the_job_happens),
	    STORE_CASE(fence__one_slot_of_somebody_else__nothing_of_the_job),
	    STORE_CASE(raise__a_writer_in_mid_transaction__waits_and_sees_what_it_wrote),
	    STORE_CASE(raise__a_writer_that_never_ends__is_ended),
	    STORE_CASE(raise__a_commit_that_waits_for_a_standby__is_left_alone),
	    STORE_CASE(raise__a_writer_that_waits_for_its_disk__is_left_alone),
	    STORE_CASE(raise__the_row_is_in_a_commit_that_waits__only_that_slot_is_left_out),
	    STORE_CASE(raise__lower_slots_hang__one_that_is_free_is_given_at_once),
	    STORE_CASE(raise__lower_slots_hang__one_whose_writer_can_be_ended_has_its_turn),
	    STORE_CASE(keep__slot_taken_by_somebody_else__not_kept_and_not_poison),
	};

	return store_main("lease", tests, sizeof tests / sizeof *tests);
}

/* The lock is taken on a session of its own, so that no statement of the pool can end it. A starting daemon
 * first looks for a free slot a few times: the lock of a process killed a moment ago is freed only when its
 * server process notices.
 *
 * Who has a slot takes another only when it saw it free a look earlier: a daemon that is restarted finds its
 * own again, and does not make a new one each time, of which there are 256.
 *
 * With the lock a slot is not ours yet: raising its epoch waits for what its former owner is writing and
 * shuts out what it would still write, so that what is read after it is all there is. The look for free
 * slots, once a second, is also what keeps the session: the server ends a silent one, and an answer that
 * comes too late ends it here. */
#include "store/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/pg_array.h"

#define SLOTS_SCAN_MS  1000
#define SLOTS_START_MS 100
#define SLOTS_PATIENCE 5 /* scans before a new slot is made */

struct slots {
	struct loop *loop;
	struct pg_session *session;
	struct lease *lease;
	const struct slots_events *events;
	void *arg;
	struct timer *timer, *over; /* the next look; the end of the lease */
	int64_t asked_ms;           /* the question that is out */
	bool held[IDS_SLOTS];
	bool seen[IDS_SLOTS]; /* free at the last look, and left alone */
	int own;
	int scans; /* without any slot */
};

/* What locks is evaluated once per row that the first part lets through, hence "materialized". A slot that
 * this session has locked and could not raise counts as free. */
static const uint32_t take_types[] = {PG_INT4_ARRAY, PG_BOOL, PG_INT4_ARRAY};
static const struct pg_sql sql_take = {"slots_take",
    "with free as materialized (select id from slot where not id = any($1) and not exists (select from "
    "pg_locks"
    "  where locktype = 'advisory' and classid = x'6b7a6b'::int::oid and objid = (id + 1)::oid and granted"
    "  and pid <> pg_backend_pid() and database = (select oid from pg_database where datname ="
    "  current_database())) order by id)"
    " select id, case when $2 or id = any($3) then pg_try_advisory_lock(x'6b7a6b'::int, id + 1) end from "
    "free",
    3, take_types};
static const uint32_t raise_types[] = {PG_INT4_ARRAY};
static const struct pg_sql sql_raise = {
    "slots_raise", "select id, epoch, low_water, newest from slot_raise($1)", 1, raise_types};
static const struct pg_sql sql_make = {"slots_make",
    "with made as (insert into slot (id, low_water, unheard)"
    "  select coalesce(max(s.id) + 1, 0), newest.at, newest.at"
    "  from (select coalesce(max(id) >> 22 << 22, 0) as at from message) newest left join slot s on true"
    "  group by newest.at having count(s.id) < 256"
    " on conflict do nothing) select count(*) from slot",
    0, NULL};

static void slots_scan(void *arg);

/* Whatever the session is asked goes this way. */
static void slots_ask(
    struct slots *s, const struct pg_sql *sql, const struct pg_value *values, pg_done_fn *done)
{
	s->asked_ms = loop_now_ms(s->loop);
	if (pg_session_ask(s->session, sql, values, done, s) != KZ_OK)
		timer_start(s->timer, SLOTS_SCAN_MS);
}

/* An answer proves that the session held its locks when it was asked. */
static void slots_renew(struct slots *s, enum kz r)
{
	if (r == KZ_LOST)
		return;
	lease_renew(s->lease, s->asked_ms);
	timer_start(s->over, lease_left_ms(s->lease));
}

static void slots_on_made(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct slots *s = arg;

	slots_renew(s, r);
	/* Made here or by another daemon at the same moment: look again. */
	if (r == KZ_OK && pg_int(reply, 0, 0, 0) >= IDS_SLOTS)
		log_error("slots", "all %d slots are held: too many daemons on one database", IDS_SLOTS);
	timer_start(s->timer, r == KZ_OK && pg_int(reply, 0, 0, 0) < IDS_SLOTS ? 0 : SLOTS_SCAN_MS);
}

static void slots_begin(struct slots *s, const struct pg_reply *reply, size_t row)
{
	int64_t id = pg_int(reply, 0, row, 0);

	if (id < 0 || id >= IDS_SLOTS)
		return;
	s->held[id] = true;
	if (s->own < 0)
		s->own = (int)id;
	lease_take(s->lease, (uint8_t)id, pg_int(reply, 0, row, 1));
	log_info("slots", "slot=%lld taken%s", (long long)id, s->own == id ? "" : " over");
	s->events->on_taken(
	    s->arg, (uint8_t)id, (uint64_t)pg_int(reply, 0, row, 2), (uint64_t)pg_int(reply, 0, row, 3));
}

static void slots_on_raised(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct slots *s = arg;

	slots_renew(s, r);
	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++)
		slots_begin(s, reply, row);
	timer_start(s->timer, SLOTS_SCAN_MS); /* refused: they are locked again, and raised */
}

/* Those that could be locked; false: none. */
static bool slots_raise(struct slots *s, const struct pg_reply *reply)
{
	struct pg_array locked = {0};

	pg_array_start(&locked, PG_INT4);
	for (size_t row = 0; row < pg_rows(reply, 0); row++)
		if (pg_int(reply, 0, row, 1))
			pg_array_int(&locked, pg_int(reply, 0, row, 0));
	const struct pg_value value = pg_array_value(&locked);
	bool any = locked.n > 0;
	if (any)
		slots_ask(s, &sql_raise, &value, slots_on_raised);
	pg_array_fini(&locked);
	return any;
}

static void slots_see(struct slots *s, const struct pg_reply *reply)
{
	memset(s->seen, 0, sizeof s->seen);
	for (size_t row = 0; row < pg_rows(reply, 0); row++) {
		int64_t id = pg_int(reply, 0, row, 0);

		if (id >= 0 && id < IDS_SLOTS)
			s->seen[id] = true;
	}
}

static void slots_on_locked(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct slots *s = arg;

	slots_renew(s, r);
	slots_see(s, reply);
	if (r == KZ_OK && slots_raise(s, reply))
		return;
	if (s->own >= 0)
		timer_start(s->timer, SLOTS_SCAN_MS);
	else if (++s->scans < SLOTS_PATIENCE)
		timer_start(s->timer, SLOTS_START_MS);
	else
		slots_ask(s, &sql_make, NULL, slots_on_made);
}

static void slots_put(struct pg_array *a, const bool in[])
{
	pg_array_start(a, PG_INT4);
	for (int i = 0; i < IDS_SLOTS; i++)
		if (in[i])
			pg_array_int(a, i);
}

static void slots_scan(void *arg)
{
	struct slots *s = arg;
	struct pg_array held = {0}, seen = {0};
	uint8_t any = s->own < 0;

	slots_put(&held, s->held);
	slots_put(&seen, s->seen);
	const struct pg_value values[] = {pg_array_value(&held), {&any, 1}, pg_array_value(&seen)};
	slots_ask(s, &sql_take, values, slots_on_locked);
	pg_array_fini(&held);
	pg_array_fini(&seen);
}

/* The session may be gone already, without a word: whoever took the slots may be submitting. */
static void slots_on_over(void *arg)
{
	struct slots *s = arg;

	pg_session_drop(s->session, "the database did not confirm the slots in time");
}

static void slots_on_ready(void *arg)
{
	struct slots *s = arg;

	timer_start(s->timer, 0);
}

static void slots_on_lost(void *arg)
{
	struct slots *s = arg;
	bool had = s->own >= 0;

	timer_stop(s->timer);
	timer_stop(s->over);
	lease_lose(s->lease);
	memset(s->held, 0, sizeof s->held);
	memset(s->seen, 0, sizeof s->seen);
	s->own = -1;
	s->scans = 0;
	if (!had)
		return;
	log_warn("slots", "lost with the database session: submitting stops");
	s->events->on_lost(s->arg);
}

struct slots *slots_new(struct loop *l, const struct pg_options *o, struct lease *lease,
    const struct slots_events *events, void *arg)
{
	struct slots *s = mem_new(sizeof *s);
	struct pg_options options = *o;

	*s = (struct slots){.loop = l, .lease = lease, .events = events, .arg = arg, .own = -1};
	s->timer = timer_new(l, slots_scan, s);
	s->over = timer_new(l, slots_on_over, s);
	options.idle_ms = LEASE_SERVER_MS;
	s->session = pg_session_new(l, &options, slots_on_ready, slots_on_lost, s);
	return s;
}

int slots_own(const struct slots *s)
{
	return s ? s->own : -1;
}

static const uint32_t note_types[] = {PG_INT4, PG_INT8, PG_INT8};
static const struct pg_sql sql_note = {"slots_note",
    "update slot set low_water = $2 where id = $1 and low_water < $2 and epoch = $3", 3, note_types};

static void slots_on_noted(void *arg, enum kz r, const struct pg_reply *reply)
{
	(void)arg;
	(void)r;
	(void)reply; /* only a longer look back at the next start */
}

void slots_note(struct slots *s, struct pg *pg, uint8_t slot, uint64_t low_water)
{
	uint8_t a[4], b[8], c[8];
	const struct pg_value values[] = {
	    pg_int4(slot, a), pg_int8((int64_t)low_water, b), pg_int8(lease_epoch(s->lease, slot), c)};

	if (!s->held[slot])
		return;
	struct pg_job *job = pg_job_new(pg, slots_on_noted, NULL);
	pg_job_add(job, &sql_note, values);
	if (pg_job_run(job, NULL) != KZ_OK)
		slots_on_noted(NULL, KZ_BUSY, NULL);
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	pg_session_free(s->session);
	timer_free(s->timer);
	timer_free(s->over);
	lease_lose(s->lease);
	free(s);
}

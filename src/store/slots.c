/* The lock is taken on a session of its own, so that no statement of the pool can end it. A starting daemon
 * first looks for a free slot a few times: the lock of a process killed a moment ago is freed only when its
 * server process notices.
 *
 * Who has a slot takes another only when it saw it free a look earlier: a daemon that is restarted finds its
 * own again, and does not make a new one each time, of which there are 256. One that was away for longer
 * finds its own taken over: it says that it wants one, by a lock of another class, and whoever has several
 * gives one up; only when nobody has, or nobody does in time, a new one is made. So every slot is held by
 * somebody who sends, tells and ends what is in it. The way not taken is to let slots rest that nothing is
 * left in: who would tell what is replayed of them, and end what no receipt comes for?
 *
 * A slot that is being left stands still, since what is under way must be answered before it goes. When an
 * operator or an endpoint does not answer soon, or nobody wants a slot any more, it is kept and goes on.
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
#define SLOTS_PATIENCE 5  /* scans before a new slot is made */
#define SLOTS_WAIT     50 /* and when somebody has one to give */
#define SLOTS_LEAVE_MS 3000
#define SLOTS_REST_MS  30000 /* until one is left again that could not be left in time */

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
	int scans;                   /* that found none, without any slot */
	bool wanting;                /* and has said so */
	int leaving;                 /* is given as soon as nothing of it is in memory; -1: none */
	int64_t leave_by_ms;         /* or is kept */
	int64_t rests_ms[IDS_SLOTS]; /* it is not left before */
};

/* Advisory locks of this database: of slots, of who wants one. */
#define SLOTS_LOCKS                                                                                          \
	"select pid, objid, classid = x'6b7a6b'::int::oid as of_slot from pg_locks where granted"            \
	" and locktype = 'advisory' and classid in (x'6b7a6b'::int::oid, x'6b7a77'::int::oid)"               \
	" and database = (select oid from pg_database where datname = current_database())"

/* Who has none takes the first that nobody else takes in this moment, and the rest a look later: of several
 * daemons that start at once each has one. What locks is evaluated once per row that the part before lets
 * through, hence "materialized" and "case". A slot that this session has locked and could not raise counts as
 * free, and is not locked twice: it would have to be unlocked twice. The last row says whether somebody else
 * wants a slot; who has one does not want one any more. */
static const uint32_t take_types[] = {PG_INT4_ARRAY, PG_BOOL, PG_INT4_ARRAY};
static const struct pg_sql sql_take = {"slots_take",
    "with locks as materialized (" SLOTS_LOCKS "), free as materialized ("
    " select id, exists (select from locks where of_slot and objid = (id + 1)::oid) as mine from slot"
    " where not id = any($1) and not exists (select from locks"
    "  where of_slot and objid = (id + 1)::oid and pid <> pg_backend_pid()) order by id"
    "), first as materialized (select id from free"
    " where case when $2 and not mine then pg_try_advisory_lock(x'6b7a6b'::int, id + 1) end limit 1)"
    " select id, case when mine or id in (select id from first) then true"
    "  when not $2 and id = any($3) then pg_try_advisory_lock(x'6b7a6b'::int, id + 1) end, null::bool from "
    "free"
    " union all select null, exists (select from locks where not of_slot and pid <> pg_backend_pid()),"
    "  (select pg_advisory_unlock_shared(x'6b7a77'::int, 0) from locks"
    "   where not $2 and not of_slot and pid = pg_backend_pid())",
    3, take_types};
/* One row, when somebody has more than one slot. A statement that is refused may have locked before. */
static const struct pg_sql sql_want = {"slots_want",
    "with locks as materialized (" SLOTS_LOCKS ")"
    " select case when not exists (select from locks where not of_slot and pid = pg_backend_pid())"
    "  then pg_try_advisory_lock_shared(x'6b7a77'::int, 0) end"
    " from (select from locks where of_slot group by pid having count(*) > 1 limit 1) several",
    0, NULL};
static const uint32_t give_types[] = {PG_INT4};
static const struct pg_sql sql_give = {
    "slots_give", "select pg_advisory_unlock(x'6b7a6b'::int, $1 + 1)", 1, give_types};
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
	/* refused: they are asked for again */
	timer_start(s->timer, SLOTS_SCAN_MS);
	if (!s->wanting || s->own < 0)
		return;
	/* The look that takes it back. The other free ones are left to who else wants one, for a second. */
	s->wanting = false;
	memset(s->seen, 0, sizeof s->seen);
	timer_start(s->timer, 0);
}

static void slots_on_given(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct slots *s = arg;

	(void)reply;
	slots_renew(s, r);
	if (r == KZ_OK) {
		log_info("slots", "slot=%d given to whoever needs one", s->leaving);
		s->leaving = -1;
	}
	timer_start(s->timer, 2 * SLOTS_START_MS); /* somebody else may want one too */
}

/* Its epoch is raised by who takes it: what we would still write into it is refused from then on, and before
 * that too, since the lease knows it no more. */
static void slots_give(struct slots *s)
{
	uint8_t room[4];
	const struct pg_value value = pg_int4(s->leaving, room);

	s->held[s->leaving] = false;
	lease_give(s->lease, (uint8_t)s->leaving);
	slots_ask(s, &sql_give, &value, slots_on_given);
}

/* That with the least in memory of those that are not its own and may be left now; -1: there is none. */
static int slots_lightest(struct slots *s)
{
	size_t weights[IDS_SLOTS] = {0};
	int64_t now_ms = loop_now_ms(s->loop);
	int best = -1;

	s->events->on_weigh(s->arg, weights);
	for (int i = 0; i < IDS_SLOTS; i++)
		if (s->held[i] && i != s->own && s->rests_ms[i] <= now_ms &&
		    (best < 0 || weights[i] < weights[best]))
			best = i;
	return best;
}

/* Those that could be locked; false: none. */
static bool slots_raise(struct slots *s, const struct pg_reply *reply)
{
	struct pg_array locked = {0};

	pg_array_start(&locked, PG_INT4);
	for (size_t row = 0; row + 1 < pg_rows(reply, 0); row++)
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
	for (size_t row = 0; row + 1 < pg_rows(reply, 0); row++) {
		int64_t id = pg_int(reply, 0, row, 0);

		if (id >= 0 && id < IDS_SLOTS)
			s->seen[id] = true;
	}
}

static void slots_on_wanted(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct slots *s = arg;

	slots_renew(s, r);
	s->wanting = r == KZ_OK && pg_rows(reply, 0) > 0;
	if (r == KZ_OK && !s->wanting)
		slots_ask(s, &sql_make, NULL, slots_on_made);
	else
		timer_start(s->timer, SLOTS_START_MS);
}

/* No slot is held. raced: some were free, and somebody else was faster. */
static void slots_look_again(struct slots *s, bool raced)
{
	s->scans += !raced;
	if (raced || s->scans < SLOTS_PATIENCE || (s->wanting && s->scans < SLOTS_WAIT))
		timer_start(s->timer, SLOTS_START_MS);
	else if (!s->wanting)
		slots_ask(s, &sql_want, NULL, slots_on_wanted);
	else
		slots_ask(s, &sql_make, NULL, slots_on_made);
}

static void slots_leave(struct slots *s)
{
	s->leaving = slots_lightest(s);
	if (s->leaving < 0)
		return;
	s->leave_by_ms = loop_now_ms(s->loop) + SLOTS_LEAVE_MS;
	log_info("slots", "slot=%d is wanted: left", s->leaving);
}

/* Its lock was held all the time. That of a slot that is being given may be free already. */
static void slots_stay(struct slots *s, const char *why)
{
	int slot = s->leaving;

	if (slot < 0 || !s->held[slot])
		return;
	s->leaving = -1;
	log_info("slots", "slot=%d kept: %s", slot, why);
	s->events->on_stay(s->arg, (uint8_t)slot);
}

static void slots_on_locked(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct slots *s = arg;
	size_t rows = pg_rows(reply, 0);
	bool wanted = r == KZ_OK && rows && pg_int(reply, 0, rows - 1, 1);

	slots_renew(s, r);
	slots_see(s, reply);
	if (r == KZ_OK && !wanted)
		slots_stay(s, "nobody wants one any more");
	if (r == KZ_OK && slots_raise(s, reply))
		return;
	if (s->own < 0) {
		slots_look_again(s, rows > 1);
		return;
	}
	/* one that is free goes to who wants it */
	if (s->leaving < 0 && rows == 1 && wanted)
		slots_leave(s);
	timer_start(s->timer, s->leaving < 0 ? SLOTS_SCAN_MS : SLOTS_START_MS);
}

static void slots_put(struct pg_array *a, const bool in[])
{
	pg_array_start(a, PG_INT4);
	for (int i = 0; i < IDS_SLOTS; i++)
		if (in[i])
			pg_array_int(a, i);
}

static void slots_look(struct slots *s)
{
	struct pg_array held = {0}, seen = {0};
	uint8_t any = s->own < 0;

	slots_put(&held, s->held);
	slots_put(&seen, s->seen);
	const struct pg_value values[] = {pg_array_value(&held), {&any, 1}, pg_array_value(&seen)};
	slots_ask(s, &sql_take, values, slots_on_locked);
	pg_array_fini(&held);
	pg_array_fini(&seen);
}

static void slots_scan(void *arg)
{
	struct slots *s = arg;
	int64_t now_ms = loop_now_ms(s->loop);

	if (s->leaving >= 0 && !s->events->on_leave(s->arg, (uint8_t)s->leaving)) {
		slots_give(s);
		return;
	}
	if (s->leaving >= 0 && now_ms >= s->leave_by_ms) {
		s->rests_ms[s->leaving] = now_ms + SLOTS_REST_MS;
		slots_stay(s, "what is under way takes too long");
	}
	if (s->leaving >= 0 && now_ms < s->asked_ms + SLOTS_SCAN_MS)
		timer_start(s->timer, SLOTS_START_MS);
	else
		slots_look(s);
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
	s->own = s->leaving = -1;
	s->scans = 0;
	s->wanting = false;
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

	*s =
	    (struct slots){.loop = l, .lease = lease, .events = events, .arg = arg, .own = -1, .leaving = -1};
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

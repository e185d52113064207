/* What a connection leaves at the server when it is given up for its silence: a session that still waits for
 * its disk or its standby, where nobody can end it. If another took its place each time, an hour of hanging
 * commits would use up the server's sessions; so there is at most one such session a connection, and no new
 * one is used until it has come to its end. Any other is told to end.
 *
 * A commit that waits for a standby is never ended: it would then be seen, and answered for, without being
 * kept there. slot_writers (sql/0001_messages.sql) says the same of who writes into a slot; this one runs
 * before there is a schema. */
#include "store/pg_array.h"
#include "store/pg_conn.h"

static const struct pg_sql sql_past = {"kezek_past",
    "with past as materialized (select pid, coalesce(wait_event = 'SyncRep' or wait_event_type in ('IO', "
    "'LWLock'), false) as hangs from pg_stat_activity where pid = $1 and backend_start = $2)"
    " select pid, backend_start, coalesce((select hangs from past), false),"
    "  (select count(pg_terminate_backend(pid)) from past where not hangs)"
    " from pg_stat_activity where pid = pg_backend_pid()",
    2, (const uint32_t[]){PG_INT4, PG_TIMESTAMPTZ}};

void pg_past_ask(const struct pg_session_id *past, struct pg_job *j)
{
	uint8_t pid[4], began[8];
	const struct pg_value values[] = {pg_int4(past->pid, pid), pg_timestamp(past->began_us, began)};

	pg_job_add(j, &sql_past, values);
}

bool pg_past_hangs(const struct pg_reply *reply, unsigned statement, struct pg_session_id *ret_own)
{
	ret_own->pid = (int32_t)pg_int(reply, statement, 0, 0);
	ret_own->began_us = pg_wall_us(reply, statement, 0, 1);
	return pg_int(reply, statement, 0, 2) != 0;
}

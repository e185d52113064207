/* One connection with one question at a time. A question goes out at the end of the loop's round, so that a
 * connection that breaks under it cannot answer before pg_session_ask returned. */
#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/pg_conn.h"

struct pg_session {
	struct pg_options options;
	char *conninfo;
	struct pg_conn conn;
	struct pg_job *asked; /* until the round ends */
	struct defer send;
	void (*on_ready)(void *arg);
	void (*on_lost)(void *arg);
	void *arg;
	bool told; /* the current outage stands in the log */
};

static void session_on_ready(void *arg, struct pg_conn *c)
{
	struct pg_session *s = arg;

	(void)c;
	s->told = false;
	s->on_ready(s->arg);
}

static void session_on_job(void *arg, struct pg_job *j, enum kz r)
{
	(void)arg;
	pg_job_answer(j, r, false);
	pg_job_free(j);
}

static void session_on_lost(void *arg, struct pg_conn *c, bool was_ready)
{
	struct pg_session *s = arg;
	struct pg_job *j = s->asked;

	if (!s->told)
		log_warn("pg.session", "no connection to the database why=\"%s\"", c->why);
	s->told = true;
	s->asked = NULL;
	if (j) {
		pg_job_answer(j, KZ_LOST, true);
		pg_job_free(j);
	}
	if (was_ready)
		s->on_lost(s->arg);
}

static void session_on_send(void *arg)
{
	struct pg_session *s = arg;

	if (!s->asked) /* lost before the round ended */
		return;
	pg_conn_send(&s->conn, s->asked);
	s->asked = NULL;
	pg_conn_flush(&s->conn);
}

struct pg_session *pg_session_new(struct loop *l, const struct pg_options *o, void (*on_ready)(void *arg),
    void (*on_lost)(void *arg), void *arg)
{
	static const struct pg_conn_events events = {session_on_ready, session_on_job, session_on_lost};
	struct pg_session *s = mem_new(sizeof *s);

	s->options = *o;
	s->options.conninfo = s->conninfo = mem_str(o->conninfo);
	s->on_ready = on_ready;
	s->on_lost = on_lost;
	s->arg = arg;
	pg_conn_init(&s->conn, l, &s->options, &events, s);
	return s;
}

enum kz pg_session_ask(struct pg_session *s, const struct pg_sql *sql, const struct pg_value *values,
    pg_done_fn *done, void *arg)
{
	struct pg_job *j;

	if (s->conn.state != PG_CONN_READY || s->conn.broken || s->conn.sent.count || s->asked)
		return KZ_BUSY;
	j = pg_job_make(done, arg);
	pg_job_add(j, sql, values);
	s->asked = j;
	loop_defer(s->conn.loop, &s->send, session_on_send, s);
	return KZ_OK;
}

void pg_session_drop(struct pg_session *s, const char *why)
{
	if (s->conn.state < PG_CONN_SETTING)
		return; /* nothing was said on it yet */
	pg_conn_break(&s->conn, why);
	pg_conn_flush(&s->conn);
}

void pg_session_free(struct pg_session *s)
{
	if (!s)
		return;
	defer_cancel(&s->send);
	pg_job_free(s->asked);
	pg_conn_fini(&s->conn);
	free(s->conninfo);
	free(s);
}

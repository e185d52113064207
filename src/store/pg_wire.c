/* What a job is on the wire: for each statement that this connection has not prepared yet a preparation with
 * a sync of its own, then the statements, then one sync, which commits. A preparation has its own sync
 * because a job that fails skips all up to its sync: its neighbours would then ask for a statement that was
 * never prepared.
 *
 * They still can, when the preparation itself failed. Such a neighbour (SQLSTATE 26000: nothing of it
 * happened) is sent once more, with preparations of its own, and gets its own verdict. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/pg_conn.h"

static bool wire_is_prepared(const struct pg_conn *c, const struct pg_sql *sql)
{
	for (size_t i = 0; i < c->n_prepared; i++)
		if (c->prepared[i] == sql)
			return true;
	return false;
}

static void wire_remember(struct pg_conn *c, const struct pg_sql *sql)
{
	if (c->n_prepared == c->room_prepared) {
		c->room_prepared = c->room_prepared ? c->room_prepared * 2 : 32;
		c->prepared = mem_grow(c->prepared, c->room_prepared, sizeof(const struct pg_sql *));
	}
	c->prepared[c->n_prepared++] = sql;
}

static void wire_forget(struct pg_conn *c, const struct pg_sql *sql)
{
	for (size_t i = 0; i < c->n_prepared; i++)
		if (c->prepared[i] == sql) {
			c->prepared[i] = c->prepared[--c->n_prepared];
			return;
		}
}

static unsigned wire_next_prepared(const struct pg_job *j, unsigned from)
{
	while (from < j->n && !j->statements[from].prepares)
		from++;
	return from;
}

static bool wire_put_preparations(struct pg_conn *c, struct pg_job *j)
{
	for (unsigned i = 0; i < j->n; i++) {
		const struct pg_sql *sql = j->statements[i].sql;

		if (wire_is_prepared(c, sql))
			continue;
		if (!PQsendPrepare(c->pq, sql->name, sql->text, sql->n, sql->types) || !PQpipelineSync(c->pq))
			return false;
		wire_remember(c, sql);
		j->statements[i].prepares = true;
	}
	j->preparing = wire_next_prepared(j, 0);
	return true;
}

bool pg_wire_put(struct pg_conn *c, struct pg_job *j)
{
	const char *values[PG_PARAMETERS];
	int lengths[PG_PARAMETERS], formats[PG_PARAMETERS];

	if (!wire_put_preparations(c, j))
		return false;
	for (unsigned i = 0; i < j->n; i++) {
		const struct pg_sql *sql = j->statements[i].sql;

		pg_job_parameters(j, i, values, lengths, formats);
		if (!PQsendQueryPrepared(c->pq, sql->name, sql->n, values, lengths, formats, 1))
			return false;
	}
	return PQpipelineSync(c->pq) == 1;
}

static bool wire_has_state(const PGresult *error, const char *sqlstate)
{
	const char *state = error ? PQresultErrorField(error, PG_DIAG_SQLSTATE) : NULL;

	return state && strcmp(state, sqlstate) == 0;
}

static void wire_on_error(struct pg_conn *c, struct pg_job *j, PGresult *error)
{
	if (j->preparing >= j->n) {
		pg_job_refuse(j, error);
	} else if (wire_has_state(error, "42P05")) {
		PQclear(error); /* prepared already: as good */
	} else {
		wire_forget(c, j->statements[j->preparing].sql);
		pg_job_refuse(j, error);
	}
}

static void wire_on_rows(struct pg_job *j, PGresult *result)
{
	if (j->preparing >= j->n && j->answering < j->n && !j->statements[j->answering].result)
		j->statements[j->answering].result = result;
	else
		PQclear(result);
}

/* True when the job is over. result NULL: the end of one command's results. */
static bool wire_on_result(struct pg_conn *c, struct pg_job *j, PGresult *result)
{
	if (!result) {
		if (j->preparing >= j->n)
			j->answering++;
		return false;
	}
	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(result);
		if (j->preparing >= j->n)
			return true;
		j->preparing = wire_next_prepared(j, j->preparing + 1);
		return false;
	case PGRES_EMPTY_QUERY:
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		wire_on_rows(j, result);
		return false;
	case PGRES_BAD_RESPONSE:
	case PGRES_NONFATAL_ERROR:
	case PGRES_FATAL_ERROR:
		wire_on_error(c, j, result);
		return false;
	case PGRES_PIPELINE_ABORTED:
		PQclear(result);
		return false;
	default: /* COPY: nobody would feed it, and it would never end */
		PQclear(result);
		pg_conn_break(c, "a statement wanted to copy");
		return false;
	}
}

/* True when the job was put in line again. */
static bool wire_send_again(struct pg_conn *c, struct pg_job *j)
{
	if (j->again || !j->done || !wire_has_state(j->error, "26000"))
		return false;
	for (unsigned i = 0; i < j->n; i++)
		wire_forget(c, j->statements[i].sql);
	pg_job_rewind(j);
	j->again = true;
	pg_conn_send(c, j);
	return true;
}

static enum kz wire_end_job(struct pg_conn *c, struct pg_job *j)
{
	bool worn;
	enum kz r = pg_job_verdict(j, &worn);

	if (worn) {
		pg_conn_break(c, PQresultErrorMessage(j->error));
	} else if (PQtransactionStatus(c->pq) == PQTRANS_INTRANS ||
	           PQtransactionStatus(c->pq) == PQTRANS_INERROR) {
		/* A "begin" of ours: nothing is committed, and the next job would be drawn in. libpq tells
		 * only when nothing else is out, so this finds the mistake in development, not under load. */
		pg_conn_break(c, "a statement left a transaction open");
		r = KZ_LOST;
	}
	return r;
}

struct pg_job *pg_wire_take(struct pg_conn *c, enum kz *ret)
{
	struct list_node *first;
	bool ended = false; /* no command's results can end twice running */

	while (!c->broken && !PQisBusy(c->pq) && (first = list_first(&c->sent))) {
		struct pg_job *j = list_entry(first, struct pg_job, in_line);
		PGresult *result = PQgetResult(c->pq);

		if (!result && ended)
			return NULL;
		ended = !result;
		if (!wire_on_result(c, j, result))
			continue;
		ended = false;
		list_remove(&c->sent, &j->in_line);
		if (wire_send_again(c, j))
			continue;
		*ret = wire_end_job(c, j);
		return j;
	}
	return NULL;
}

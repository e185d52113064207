/* Values are copied into one run of octets per job: a batch of 256 rows is a dozen arrays, so a dozen copies.
 * They stay until the answer, because a job may have to be sent a second time (see pg_wire.c). */
#include "store/pg_job.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct pg_job *pg_job_make(pg_done_fn *done, void *arg)
{
	struct pg_job *j = mem_new(sizeof *j);

	assert(done);
	j->done = done;
	j->arg = arg;
	return j;
}

void pg_job_free(struct pg_job *j)
{
	if (!j)
		return;
	assert(!list_is_linked(&j->in_line) && !j->by_ticket.linked);
	for (unsigned i = 0; i < j->n; i++)
		PQclear(j->statements[i].result);
	PQclear(j->error);
	free(j->statements);
	free(j->places);
	buf_fini(&j->values);
	free(j->owned);
	free(j);
}

static void job_add_value(struct pg_job *j, const struct pg_value *v)
{
	struct pg_place p = {.at = j->values.len, .len = -1};

	if (v->bytes) {
		assert(v->len <= INT_MAX);
		p.len = (int)v->len;
		buf_add(&j->values, v->bytes, v->len);
	}
	if (j->n_places == j->room_places) {
		j->room_places = j->room_places ? j->room_places * 2 : 16;
		j->places = mem_grow(j->places, j->room_places, sizeof *j->places);
	}
	j->places[j->n_places++] = p;
}

void pg_job_add(struct pg_job *j, const struct pg_sql *sql, const struct pg_value *values)
{
	assert(sql->n >= 0 && sql->n <= PG_PARAMETERS);
	if (j->n == j->room) {
		j->room = j->room ? j->room * 2 : 4;
		j->statements = mem_grow(j->statements, j->room, sizeof *j->statements);
	}
	j->statements[j->n++] = (struct pg_statement){.sql = sql, .first = j->n_places};
	for (int i = 0; i < sql->n; i++)
		job_add_value(j, &values[i]);
}

void pg_job_parameters(const struct pg_job *j, unsigned i, const char **values, int *lengths, int *formats)
{
	const struct pg_statement *s = &j->statements[i];

	for (int k = 0; k < s->sql->n; k++) {
		const struct pg_place *p = &j->places[s->first + (size_t)k];

		/* Nothing but empty values: the run has no memory, yet "" is not NULL. */
		values[k] = p->len < 0 ? NULL : buf_text(&j->values) + p->at;
		lengths[k] = p->len < 0 ? 0 : p->len;
		formats[k] = 1;
	}
}

void pg_job_rewind(struct pg_job *j)
{
	for (unsigned i = 0; i < j->n; i++) {
		PQclear(j->statements[i].result);
		j->statements[i].result = NULL;
		j->statements[i].prepares = false;
	}
	PQclear(j->error);
	j->error = NULL;
	j->preparing = j->answering = 0;
}

void pg_job_refuse(struct pg_job *j, PGresult *error)
{
	if (j->error)
		PQclear(error);
	else
		j->error = error;
}

static bool job_error_is(const char *sqlstate, const char *const *starts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(sqlstate, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

enum kz pg_job_verdict(const struct pg_job *j, bool *ret_worn)
{
	/* The server goes, or this one is not the one that may write: another connection finds a better one.
	 */
	static const char *const worn[] = {"57P", "08", "25006"};
	/* Disk full, out of memory, I/O error: a new connection to the same server changes nothing. */
	static const char *const down[] = {"53", "58"};
	const char *state, *severity;

	*ret_worn = false;
	if (!j->error)
		return KZ_OK;
	state = PQresultErrorField(j->error, PG_DIAG_SQLSTATE);
	severity = PQresultErrorField(j->error, PG_DIAG_SEVERITY_NONLOCALIZED);
	/* Without a SQLSTATE it is libpq that speaks, of a broken connection. */
	if (!state || (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)) ||
	    job_error_is(state, worn, sizeof worn / sizeof *worn)) {
		*ret_worn = true;
		return KZ_LOST;
	}
	return job_error_is(state, down, sizeof down / sizeof *down) ? KZ_LOST : KZ_REFUSED;
}

void pg_job_answer(struct pg_job *j, enum kz r, bool never_sent)
{
	struct pg_reply reply = {.job = j, .never_sent = never_sent};
	pg_done_fn *done = j->done;

	j->done = NULL;
	if (!done)
		return;
	done(j->arg, r, &reply);
}

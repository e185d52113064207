/* pg_job: one transaction on its way: statements with their values, then their results, then one answer.
 * For the pg files of store/ only. Owned by whoever holds it in line: the pool while it waits, a connection
 * once sent. */
#ifndef STORE_PG_JOB_H
#define STORE_PG_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "store/pg.h"

#define PG_PARAMETERS 32

/* Where a value lies in the job's values; len -1: SQL NULL. */
struct pg_place {
	size_t at;
	int len;
};

struct pg_statement {
	const struct pg_sql *sql;
	size_t first;     /* of its places */
	bool prepares;    /* its preparation went out with this job */
	PGresult *result; /* NULL until it came */
};

struct pg_job {
	struct pg *pool;  /* NULL in a session */
	pg_done_fn *done; /* NULL: answered or cancelled, the slot is empty and keeps its turn */
	void *arg;
	void *owned;              /* the arg when it goes with the job, else NULL */
	struct list_node in_line; /* waiting in the pool, or sent on a connection */
	struct map_node by_ticket;
	uint64_t ticket;
	int64_t began_us, sent_ms;
	struct pg_statement *statements;
	unsigned n, room;
	struct pg_place *places;
	size_t n_places, room_places;
	struct buf values;
	unsigned preparing, answering; /* statements whose preparation, whose result comes next */
	PGresult *error;               /* the first refusal */
	bool sent;                     /* in line on a connection, not in the pool */
	bool again;                    /* has been sent a second time */
};

struct pg_reply {
	const struct pg_job *job;
	bool never_sent;
};

struct pg_job *pg_job_make(pg_done_fn *done, void *arg);
void pg_job_free(struct pg_job *j);
/* The parameters of statement i as libpq wants them; all four arrays have room for PG_PARAMETERS. */
void pg_job_parameters(const struct pg_job *j, unsigned i, const char **values, int *lengths, int *formats);
/* Forgets what came back, to be sent once more. */
void pg_job_rewind(struct pg_job *j);
/* Keeps the first refusal of the job, frees any later one. */
void pg_job_refuse(struct pg_job *j, PGresult *error);
/* What the whole came to, by the first refusal: KZ_OK, KZ_REFUSED or KZ_LOST; *ret_worn when its connection
 * is of no more use. */
enum kz pg_job_verdict(const struct pg_job *j, bool *ret_worn);
/* Calls done when it is still wanted, and empties the slot. */
void pg_job_answer(struct pg_job *j, enum kz r, bool never_sent);

#endif

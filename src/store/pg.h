/* pg: PostgreSQL on the loop: a few connections in pipeline mode, prepared statements, jobs. A job is one
 * transaction: statements, one sync, one callback. Connections come back by themselves; what was sent and not
 * answered when one broke is reported as KZ_LOST and may or may not have happened. The only home of libpq
 * together with pg_array. */
#ifndef STORE_PG_H
#define STORE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "net/loop.h"

struct pg;

/* A statement of the program: static, prepared once per connection at first use. */
struct pg_sql {
	const char *name; /* unique */
	const char *text;
	int n;                 /* parameters, at most 32 */
	const uint32_t *types; /* their OIDs (pg_types below), n of them */
};

enum pg_type { /* OIDs of pg_type.dat */
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_TIMESTAMPTZ = 1184,
	PG_INT2_ARRAY = 1005,
	PG_INT4_ARRAY = 1007,
	PG_TEXT_ARRAY = 1009,
	PG_BYTEA_ARRAY = 1001,
	PG_INT8_ARRAY = 1016,
	PG_TIMESTAMPTZ_ARRAY = 1185,
	PG_BOOL_ARRAY = 1000,
};

/* 2000-01-01, where the server's time begins. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* A parameter in binary form; bytes NULL: SQL NULL. Copied by pg_job_add. */
struct pg_value {
	const void *bytes;
	size_t len;
};

/* What came back. Valid during the callback. Columns are in binary form; what is not there, or of a type that
 * the reader does not read, reads as NULL. Without KZ_OK there are no rows. */
struct pg_reply;
size_t pg_rows(const struct pg_reply *r, unsigned statement);
unsigned pg_last(const struct pg_reply *r); /* the job's last statement */
bool pg_is_null(const struct pg_reply *r, unsigned statement, size_t row, int column);
/* int2, int4, int8, bool, oid. */
int64_t pg_int(const struct pg_reply *r, unsigned statement, size_t row, int column);
/* NUL-terminated; valid during the callback; ret_len may be NULL. "" for NULL. */
const char *pg_text(const struct pg_reply *r, unsigned statement, size_t row, int column, size_t *ret_len);
/* timestamptz; 0 for NULL, INT64_MAX for "infinity". */
int64_t pg_wall_us(const struct pg_reply *r, unsigned statement, size_t row, int column);
/* After KZ_REFUSED, and after KZ_LOST when the server itself gave the reason: SQLSTATE and the server's
 * primary message (which may hold data: never to a client, never logged above debug). "" otherwise. */
const char *pg_sqlstate(const struct pg_reply *r);
const char *pg_message(const struct pg_reply *r);

/* KZ_OK committed; KZ_LOST the connection broke, or the job's deadline passed (unknown outcome) or no
 * connection came in time (did not happen: see pg_reply_never_sent); KZ_REFUSED the server said no: nothing
 * of the job happened. Exactly once, later. */
typedef void pg_done_fn(void *arg, enum kz r, const struct pg_reply *reply);
/* True when a KZ_LOST job was certainly never sent. */
bool pg_reply_never_sent(const struct pg_reply *r);
/* True when a job without KZ_OK certainly did not happen: never sent, or rolled back by an error of the
 * server that its connection outlived. */
bool pg_reply_undone(const struct pg_reply *r);

struct pg_options {
	/* libpq's keyword/value or URI: several hosts, target_session_attrs. Copied. libpq looks names up by
	 * a blocking call: give hostaddr, an address, a unix socket, or have a resolver on the machine. */
	const char *conninfo;
	unsigned connections; /* 1..16 */
	/* Deadlines. After job_ms of silence with a job out the connection is dropped. */
	int64_t connect_ms, job_ms;
	int64_t statement_ms; /* statement_timeout of the sessions; below job_ms, to come first */
	int64_t idle_ms;      /* the server ends a session that is silent for so long; 0: never */
	size_t max_jobs;      /* waiting for a connection at most */
};

/* on_up: the first connection is ready, or the last one went. NULL is fine. Connects at once, and again with
 * back-off. */
struct pg *pg_new(struct loop *l, const struct pg_options *o, void (*on_up)(void *arg, bool up), void *arg);
/* The end is near: every open job is answered KZ_LOST now, from inside this call, so that its asker can free
 * what it holds; new ones get KZ_BUSY. */
void pg_stop(struct pg *p);
/* Open jobs are forgotten without a callback. Not from one of its callbacks. NULL is fine. */
void pg_free(struct pg *p);
bool pg_is_up(const struct pg *p);
/* Why there is no connection, one line without secrets; "" when up. */
const char *pg_why_down(const struct pg *p);
/* Jobs sent and not answered, and those waiting. */
size_t pg_jobs(const struct pg *p);

struct pg_job;
/* A job under construction belongs to the caller until pg_job_run. */
struct pg_job *pg_job_new(struct pg *p, pg_done_fn *done, void *arg);
/* As pg_job_new; done's arg is a copy of the quest, size octets, which goes when the job goes. */
struct pg_job *pg_job_for(struct pg *p, pg_done_fn *done, const void *quest, size_t size);
void pg_job_add(struct pg_job *j, const struct pg_sql *sql, const struct pg_value *values);
/* KZ_BUSY at max_jobs (job freed, done not called). On KZ_OK *ret_ticket (may be NULL) can cancel it. */
enum kz pg_job_run(struct pg_job *j, uint64_t *ret_ticket) KZ_CHECK;
/* A job of one statement, run: pg_job_for, pg_job_add, pg_job_run. */
enum kz pg_ask(struct pg *p, const struct pg_sql *sql, const struct pg_value *values, pg_done_fn *done,
    const void *quest, size_t size) KZ_CHECK;
/* done will not be called; the job may happen all the same. */
void pg_job_cancel(struct pg *p, uint64_t ticket);

/* A session of its own for session advisory locks: one connection, one query at a time, on_lost when it goes
 * (the locks are gone then; an open question was answered before) and reconnecting until told otherwise by
 * pg_session_free. A server that falls silent is noticed by a question, after job_ms: ask one now and then.
 */
struct pg_session;
struct pg_session *pg_session_new(struct loop *l, const struct pg_options *o, void (*on_ready)(void *arg),
    void (*on_lost)(void *arg), void *arg);
/* KZ_BUSY while another runs or not ready. */
enum kz pg_session_ask(struct pg_session *s, const struct pg_sql *sql, const struct pg_value *values,
    pg_done_fn *done, void *arg) KZ_CHECK;
/* Ends it, on_lost comes from inside when it was ready; it is made anew. Not from on_ready or an answer. */
void pg_session_drop(struct pg_session *s, const char *why);
/* Not from one of its callbacks. NULL is fine. An open question is forgotten without a callback. */
void pg_session_free(struct pg_session *s);

#endif

/* pg_conn: one connection to PostgreSQL that comes back by itself: dials, sets its session up, takes jobs in
 * pipeline mode, answers them in order. For the pg files of store/ only. */
#ifndef STORE_PG_CONN_H
#define STORE_PG_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/list.h"
#include "net/loop.h"
#include "store/pg.h"
#include "store/pg_job.h"

struct pg_conn;

enum pg_conn_state {
	PG_CONN_DOWN,    /* waits for its next try */
	PG_CONN_DIALING, /* libpq connects */
	PG_CONN_SETTING, /* the session's settings are on their way */
	PG_CONN_READY,
};

/* Called from the loop only. None may free the connection. */
struct pg_conn_events {
	void (*on_ready)(void *arg, struct pg_conn *c);
	/* The job came to an end and is the callee's again: sent, unlinked, not answered. */
	void (*on_job)(void *arg, struct pg_job *j, enum kz r);
	/* A try failed (was_ready false) or a ready connection went; its jobs have been handed back before.
	 */
	void (*on_lost)(void *arg, struct pg_conn *c, bool was_ready);
};

/* A session as the server knows it; pid 0: none. */
struct pg_session_id {
	int32_t pid;
	int64_t began_us;
};

/* Values live in the owner (struct pg, struct pg_session); the fields are for pg_conn.c, pg_wire.c. */
struct pg_conn {
	struct loop *loop;
	const struct pg_options *options; /* the owner's */
	const struct pg_conn_events *events;
	void *arg;
	enum pg_conn_state state;
	struct timer *timer; /* by state: next try, dial given up, silence while jobs are out */
	PGconn *pq;
	struct watch *watch;
	struct list sent;               /* jobs in the order of their answers */
	const struct pg_sql **prepared; /* asked for on this connection and not refused since */
	size_t n_prepared, room_prepared;
	unsigned failures; /* in a row: the back-off's exponent */
	unsigned turn;     /* which host is tried first */
	int64_t ready_ms, heard_ms;
	struct pg_session_id last; /* the session that was ready last */
	bool broken;               /* to be dropped when the current reading is over */
	char why[256];
};

void pg_conn_init(struct pg_conn *c, struct loop *l, const struct pg_options *o,
    const struct pg_conn_events *events, void *arg);
/* Open jobs are freed unanswered. */
void pg_conn_fini(struct pg_conn *c);
/* Ready only; calls nothing back. Follow a run of sends by one flush, from the loop: that may lose the
 * connection. */
void pg_conn_send(struct pg_conn *c, struct pg_job *j);
void pg_conn_flush(struct pg_conn *c);
/* Drops the connection when the current reading is over, or at the flush: its jobs are handed back as
 * KZ_LOST, and it dials again after the back-off. */
void pg_conn_break(struct pg_conn *c, const char *why);

/* pg_wire.c: jobs to libpq's pipeline, libpq's results to jobs. */

/* False when libpq will not take it: the connection is broken. */
bool pg_wire_put(struct pg_conn *c, struct pg_job *j);
/* The first job that came to its end, unlinked, or NULL when more octets are needed (or the connection is
 * broken). */
struct pg_job *pg_wire_take(struct pg_conn *c, enum kz *ret);

/* pg_past.c: what the connection before left at the server. */

/* A statement of the set-up: ends it, unless it hangs where it cannot be ended. */
void pg_past_ask(const struct pg_session_id *past, struct pg_job *j);
/* Whether it still hangs. */
bool pg_past_hangs(const struct pg_reply *reply, unsigned statement, struct pg_session_id *ret_own);

/* pg_hosts.c: libpq tries several hosts in the order of the string, and ours is the only timer. So that a
 * host that takes a connection and never speaks cannot hide the others, the try after it begins at the next
 * host. */

/* A connection being made; NULL when out of memory only. */
PGconn *pg_hosts_dial(const char *conninfo, unsigned turn);

#endif

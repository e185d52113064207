/* The life of one connection: down -> dialing -> setting -> ready -> down. libpq owns the descriptor and may
 * change it at any step of connecting, so each step watches it anew. While anything waits to be flushed both
 * directions are watched: a server that cannot get rid of its answers stops reading, and would never take the
 * rest.
 *
 * Silence: nothing heard for job_ms while a job is out means that the other side is gone without a word (a
 * cut cable, a stopped process); the connection is dropped. A slow server still speaks, so it keeps its
 * connection.
 *
 * Nothing here calls back from within a caller's request: the owners send and flush from deferred calls. */
#include "store/pg_conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "store/pg_array.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 1000 /* all who wait for the database wait so much longer */

/* The server's end: a host that vanished is noticed within some 25 s, because its locks hold slots; on a unix
 * socket these settings mean nothing and are taken all the same. Plans: once a connection, for whatever
 * values come. A plan for each value would be made over all partitions again and again; one that is
 * made while a day's partition is still empty must not read it from end to end when it is full; and compiling
 * for all the partitions takes longer than any of our statements. */
static const struct pg_sql conn_setup = {"kezek_setup",
    "select set_config(name, value, false) from (values ('statement_timeout', $1),"
    " ('idle_session_timeout', $2), ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), "
    "('tcp_keepalives_count', '3'),"
    " ('tcp_user_timeout', '20000'), ('plan_cache_mode', 'force_generic_plan'),"
    " ('enable_seqscan', 'off'), ('jit', 'off')) as setting(name, value)",
    2, (const uint32_t[]){PG_TEXT, PG_TEXT}};

static void conn_dial(struct pg_conn *c);
static void conn_on_event(void *arg, bool readable, bool writable);

static void conn_enter(struct pg_conn *c, enum pg_conn_state next)
{
	static const bool allowed[4][4] = {
	    [PG_CONN_DOWN] = {[PG_CONN_DIALING] = true},
	    [PG_CONN_DIALING] = {[PG_CONN_SETTING] = true, [PG_CONN_DOWN] = true},
	    [PG_CONN_SETTING] = {[PG_CONN_READY] = true, [PG_CONN_DOWN] = true},
	    [PG_CONN_READY] = {[PG_CONN_DOWN] = true},
	};

	assert(allowed[c->state][next]);
	c->state = next;
}

/* libpq's messages are several lines with an end of line each. */
static void conn_say_why(struct pg_conn *c, const char *why)
{
	size_t n = 0;

	for (; *why && n < sizeof c->why - 1; why++) {
		char ch = *why == '\n' || *why == '\t' ? ' ' : *why;

		if (ch != ' ' || (n && c->why[n - 1] != ' '))
			c->why[n++] = ch;
	}
	while (n && c->why[n - 1] == ' ')
		n--;
	c->why[n] = '\0';
}

static int64_t conn_backoff_ms(const struct pg_conn *c)
{
	int64_t most = BACKOFF_MAX_MS;

	if (c->failures < 7)
		most = INT64_C(2) * BACKOFF_MIN_MS << c->failures;
	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	return most / 2 + secret_uniform((uint32_t)(most / 2 + 1));
}

static void conn_close(struct pg_conn *c)
{
	watch_free(c->watch);
	c->watch = NULL;
	PQfinish(c->pq);
	c->pq = NULL;
	c->n_prepared = 0;
	c->broken = false;
}

/* A job's callback cannot send here, the state forbids it, so the list only shrinks. */
static void conn_hand_back(struct pg_conn *c, bool was_setting)
{
	struct list_node *n;

	while ((n = list_take_first(&c->sent))) {
		struct pg_job *j = list_entry(n, struct pg_job, in_line);

		if (was_setting)
			pg_job_free(j);
		else
			c->events->on_job(c->arg, j, KZ_LOST);
	}
}

static void conn_lose(struct pg_conn *c, const char *why)
{
	enum pg_conn_state was = c->state;

	if (was != PG_CONN_READY || !c->why[0]) /* the server's own last words say more */
		conn_say_why(c, why);
	conn_close(c);
	if (was == PG_CONN_READY && loop_now_ms(c->loop) - c->ready_ms >= BACKOFF_MAX_MS)
		c->failures = 0;
	conn_enter(c, PG_CONN_DOWN);
	timer_start(c->timer, conn_backoff_ms(c));
	c->failures++;
	conn_hand_back(c, was == PG_CONN_SETTING);
	c->events->on_lost(c->arg, c, was == PG_CONN_READY);
}

void pg_conn_break(struct pg_conn *c, const char *why)
{
	c->broken = true;
	conn_say_why(c, why);
}

/* Silence is counted from the last octet heard, or from the oldest job when it was sent later. */
static void conn_check_silence(struct pg_conn *c)
{
	struct list_node *first = list_first(&c->sent);
	int64_t since = c->heard_ms, left;

	if (!first)
		return;
	if (list_entry(first, struct pg_job, in_line)->sent_ms > since)
		since = list_entry(first, struct pg_job, in_line)->sent_ms;
	left = since + c->options->job_ms - loop_now_ms(c->loop);
	if (left > 0)
		timer_start(c->timer, left);
	else
		conn_lose(c, "the server does not answer");
}

static void conn_on_slow_dial(struct pg_conn *c)
{
	c->turn++; /* libpq walks on from a host that refuses, not from one that is silent */
	conn_lose(c, "connecting takes too long");
}

static void conn_on_timer(void *arg)
{
	struct pg_conn *c = arg;

	if (c->state == PG_CONN_DOWN)
		conn_dial(c);
	else if (c->state == PG_CONN_DIALING)
		conn_on_slow_dial(c);
	else
		conn_check_silence(c);
}

/* Nothing of it may reach a log above debug: a notice can hold data. A last word before the end is kept as
 * the reason. */
static void conn_on_notice(void *arg, const PGresult *notice)
{
	struct pg_conn *c = arg;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

	if (severity && text && strcmp(severity, "FATAL") == 0)
		conn_say_why(c, text);
	log_debug("pg", "notice severity=%s text=\"%s\"", severity ? severity : "", text ? text : "");
}

static void conn_set_up(struct pg_conn *c);

static void conn_poll(struct pg_conn *c)
{
	PostgresPollingStatusType next;

	watch_free(c->watch); /* first: the step may close the descriptor */
	c->watch = NULL;
	next = PQconnectPoll(c->pq);
	if (next == PGRES_POLLING_FAILED) {
		conn_lose(c, PQerrorMessage(c->pq));
		return;
	}
	c->watch = watch_new(c->loop, PQsocket(c->pq), conn_on_event, c);
	if (next == PGRES_POLLING_OK)
		conn_set_up(c);
	else
		watch_set(c->watch, next == PGRES_POLLING_READING, next == PGRES_POLLING_WRITING);
}

static void conn_dial(struct pg_conn *c)
{
	PQconninfoOption *checked = PQconninfoParse(c->options->conninfo, NULL);

	conn_enter(c, PG_CONN_DIALING);
	timer_start(c->timer, c->options->connect_ms);
	if (!checked) { /* libpq's own words would quote the string, which may hold a password */
		conn_lose(c, "the connection string cannot be read");
		return;
	}
	PQconninfoFree(checked);
	c->pq = pg_hosts_dial(c->options->conninfo, c->turn);
	assert(c->pq);
	if (PQstatus(c->pq) == CONNECTION_BAD) {
		conn_lose(c, PQerrorMessage(c->pq));
		return;
	}
	PQsetNoticeReceiver(c->pq, conn_on_notice, c);
	/* libpq asks to be treated as if its last word had been "writing". */
	c->watch = watch_new(c->loop, PQsocket(c->pq), conn_on_event, c);
	watch_set(c->watch, false, true);
}

static void conn_on_setup(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct pg_conn *c = arg;
	struct pg_session_id own;

	if (r != KZ_OK) {
		if (!c->broken) /* else the reason is known already */
			pg_conn_break(c, pg_message(reply));
		return;
	}
	if (pg_past_hangs(reply, 1, &own)) {
		pg_conn_break(c, "commits hang: an earlier one has not ended");
		return;
	}
	conn_enter(c, PG_CONN_READY);
	c->last = own;
	c->ready_ms = c->heard_ms;
	c->why[0] = '\0';
}

static void conn_set_up(struct pg_conn *c)
{
	char statement[24], idle[24];
	struct pg_job *j = pg_job_make(conn_on_setup, c);

	snprintf(statement, sizeof statement, "%lld", (long long)c->options->statement_ms);
	snprintf(idle, sizeof idle, "%lld", (long long)c->options->idle_ms);
	const struct pg_value values[] = {pg_string(statement), pg_string(idle)};
	pg_job_add(j, &conn_setup, values);
	pg_past_ask(&c->last, j);
	conn_enter(c, PG_CONN_SETTING);
	timer_stop(c->timer);
	if (PQsetnonblocking(c->pq, 1) != 0 || !PQenterPipelineMode(c->pq)) {
		pg_job_free(j);
		conn_lose(c, PQerrorMessage(c->pq));
		return;
	}
	pg_conn_send(c, j);
	pg_conn_flush(c);
}

void pg_conn_send(struct pg_conn *c, struct pg_job *j)
{
	assert(c->pq && c->state >= PG_CONN_SETTING);
	j->sent_ms = loop_now_ms(c->loop);
	j->sent = true;
	list_append(&c->sent, &j->in_line);
	if (!pg_wire_put(c, j))
		pg_conn_break(c, PQerrorMessage(c->pq));
	else if (!timer_is_armed(c->timer))
		timer_start(c->timer, c->options->job_ms);
}

void pg_conn_flush(struct pg_conn *c)
{
	int left = c->broken ? -1 : PQflush(c->pq);

	if (left < 0)
		conn_lose(c, c->broken ? c->why : PQerrorMessage(c->pq));
	else
		watch_set(c->watch, true, left > 0);
}

/* The set-up's own job never reaches the owner. */
static void conn_end_job(struct pg_conn *c, struct pg_job *j, enum kz r)
{
	if (c->state != PG_CONN_SETTING) {
		c->events->on_job(c->arg, j, r);
		return;
	}
	pg_job_answer(j, r, false);
	pg_job_free(j);
	if (c->state == PG_CONN_READY)
		c->events->on_ready(c->arg, c);
}

/* False when the connection went. */
static bool conn_read(struct pg_conn *c)
{
	struct pg_job *j;
	enum kz r;

	if (!PQconsumeInput(c->pq)) {
		conn_lose(c, PQerrorMessage(c->pq));
		return false;
	}
	c->heard_ms = loop_now_ms(c->loop);
	while ((j = pg_wire_take(c, &r)))
		conn_end_job(c, j, r);
	if (c->broken)
		conn_lose(c, c->why);
	return c->pq != NULL;
}

static void conn_on_event(void *arg, bool readable, bool writable)
{
	struct pg_conn *c = arg;

	(void)writable; /* a flush that cannot write yet costs one refused call */
	if (c->state == PG_CONN_DIALING)
		conn_poll(c);
	else if (!readable || conn_read(c))
		pg_conn_flush(c);
}

void pg_conn_init(struct pg_conn *c, struct loop *l, const struct pg_options *o,
    const struct pg_conn_events *events, void *arg)
{
	*c = (struct pg_conn){
	    .loop = l, .options = o, .events = events, .arg = arg, .why = "not connected yet"};
	list_init(&c->sent);
	c->timer = timer_new(l, conn_on_timer, c);
	timer_start(c->timer, 0);
}

void pg_conn_fini(struct pg_conn *c)
{
	struct list_node *n;

	conn_close(c);
	timer_free(c->timer);
	while ((n = list_take_first(&c->sent)))
		pg_job_free(list_entry(n, struct pg_job, in_line));
	free(c->prepared);
}

#include "store/trace.h"

#include "store/pg_array.h"

#define TRACE_EVENTS 200 /* of one message, more are not shown; its state is of all */

struct trace_quest {
	trace_fn *each;
	trace_done_fn *done;
	void *arg;
	const struct keyring *keyring;
};

#define TRACE_COLUMNS                                                                                        \
	"select m.id, m.api_key, m.class, m.parts, m.alphabet, m.reference, m.language, m.expires_at, "      \
	"m.client_ref,"                                                                                      \
	" p.sealed, s.code_id, s.why from message m left join message_person p using (id)"                   \
	" left join lateral (select code_id, why from code_send where message_id = m.id limit 1) s on true"
/* Equal rows are one event that was written twice. Kinds 9 and 11 are the ledger of what may have been
 * written: for reading back, not for people (rules/message.h). */
#define TRACE_EVENT_COLUMNS                                                                                  \
	"select distinct message_id, at, kind, state, final, coalesce(part, 0), carrier, link, "             \
	"operator_id, status,"                                                                               \
	" detail from (select * from message_event where kind not in (9, 11)) said"
#define TRACE_MINE "($2::text is null or m.api_key in (select id from api_key where client = $2))"

static const uint32_t id_types[] = {PG_INT8, PG_TEXT};
static const uint32_t ref_types[] = {PG_TEXT, PG_TEXT, PG_INT4};
static const struct pg_sql sql_by_id[2] = {
    {"trace_by_id", TRACE_COLUMNS " where m.id = $1 and " TRACE_MINE, 2, id_types},
    {"trace_by_id_events",
        TRACE_EVENT_COLUMNS " where message_id = $1 and $2 is not distinct from $2 order by at, kind", 2,
        id_types}};
static const struct pg_sql sql_by_ref[2] = {
    {"trace_by_ref", TRACE_COLUMNS " where m.client_ref = $1 and " TRACE_MINE " order by m.id desc limit $3",
        3, ref_types},
    {"trace_by_ref_events",
        TRACE_EVENT_COLUMNS
        " where message_id in (select m.id from message m where m.client_ref = $1 and " TRACE_MINE
        " order by m.id desc limit $3) order by at, kind",
        3, ref_types}};

static struct trace_event trace_read_event(const struct pg_reply *reply, size_t row)
{
	return (struct trace_event){.at_us = pg_wall_us(reply, 1, row, 1),
	    .kind = (enum event_kind)pg_int(reply, 1, row, 2),
	    .state = (enum message_state)pg_int(reply, 1, row, 3),
	    .final = pg_int(reply, 1, row, 4) != 0,
	    .part = (unsigned)pg_int(reply, 1, row, 5),
	    .carrier = pg_text(reply, 1, row, 6, NULL),
	    .link = pg_text(reply, 1, row, 7, NULL),
	    .operator_id = pg_text(reply, 1, row, 8, NULL),
	    .status = pg_text(reply, 1, row, 9, NULL),
	    .detail = pg_text(reply, 1, row, 10, NULL)};
}

static struct message trace_read_message(const struct pg_reply *reply, size_t row)
{
	struct message m = {.id = (uint64_t)pg_int(reply, 0, row, 0),
	    .api_key = (int32_t)pg_int(reply, 0, row, 1),
	    .class = (enum message_class)pg_int(reply, 0, row, 2),
	    .parts = (uint8_t)pg_int(reply, 0, row, 3),
	    .alphabet = (enum alphabet)pg_int(reply, 0, row, 4),
	    .reference = (uint16_t)pg_int(reply, 0, row, 5),
	    .language = pg_is_null(reply, 0, row, 6) ? -1 : (int)pg_int(reply, 0, row, 6),
	    .expires_wall_ms = pg_wall_us(reply, 0, row, 7) / 1000,
	    .text = ""};

	if (!pg_is_null(reply, 0, row, 8))
		m.client_ref = pg_text(reply, 0, row, 8, NULL);
	return m;
}

/* Its text is nobody's business here. */
static void trace_read_person(
    const struct keyring *k, const struct pg_reply *reply, size_t row, struct buf *room, struct message *m)
{
	struct person p;
	size_t n;
	const char *sealed = pg_text(reply, 0, row, 9, &n);

	if (person_open(k, m->id, sealed, n, room, &p) != KZ_OK)
		return;
	m->to = p.to;
	m->sender = p.sender;
}

/* The first final event decides; without one, whether any part was submitted. */
struct trace_verdict {
	enum message_state state;
	bool final;
};

static void trace_judge(struct trace_verdict *v, const struct trace_event *e)
{
	if (v->final)
		return;
	if (e->final)
		*v = (struct trace_verdict){e->state, true};
	else if (e->kind == EVENT_SUBMITTED)
		v->state = MESSAGE_SUBMITTED;
}

static void trace_tell(const struct trace_quest *q, const struct pg_reply *reply, size_t row)
{
	struct trace_event events[TRACE_EVENTS];
	struct trace_verdict verdict = {.state = MESSAGE_ACCEPTED};
	struct trace t = {.message = trace_read_message(reply, row),
	    .code = (uint64_t)pg_int(reply, 0, row, 10),
	    .why = (enum code_why)pg_int(reply, 0, row, 11),
	    .events = events};
	struct buf room = {0};

	for (size_t i = 0; i < pg_rows(reply, 1); i++) {
		struct trace_event e;

		if ((uint64_t)pg_int(reply, 1, i, 0) != t.message.id)
			continue;
		e = trace_read_event(reply, i);
		trace_judge(&verdict, &e);
		if (t.events_n < TRACE_EVENTS)
			events[t.events_n++] = e;
	}
	t.state = verdict.state;
	trace_read_person(q->keyring, reply, row, &room, &t.message);
	q->each(q->arg, &t);
	if (room.data)
		secret_wipe(room.data, room.room);
	buf_fini(&room);
}

static void trace_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct trace_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++)
		trace_tell(q, reply, row);
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

static enum kz trace_ask(
    struct pg *pg, const struct pg_sql sql[2], const struct pg_value *values, const struct trace_quest q)
{
	struct pg_job *job = pg_job_for(pg, trace_on_done, &q, sizeof q);

	pg_job_add(job, &sql[0], values);
	pg_job_add(job, &sql[1], values);
	return pg_job_run(job, NULL);
}

enum kz trace_by_id(struct pg *pg, const struct keyring *keyring, uint64_t id, const char *client,
    trace_fn *each, trace_done_fn *done, void *arg)
{
	uint8_t room[8];
	const struct pg_value values[] = {pg_int8((int64_t)id, room), pg_string(client)};

	return trace_ask(pg, sql_by_id, values, (struct trace_quest){each, done, arg, keyring});
}

enum kz trace_by_ref(struct pg *pg, const struct keyring *keyring, const char *client_ref, const char *client,
    int most, trace_fn *each, trace_done_fn *done, void *arg)
{
	uint8_t room[4];
	const struct pg_value values[] = {pg_string(client_ref), pg_string(client), pg_int4(most, room)};

	return trace_ask(pg, sql_by_ref, values, (struct trace_quest){each, done, arg, keyring});
}

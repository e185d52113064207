#include "store/codes_show.h"

#include <stdio.h>
#include <string.h>

#include "store/codes_body.h"
#include "store/person.h"

struct show_quest {
	const struct keyring *keyring;
	codes_show_fn *each;
	codes_show_done_fn *done;
	void *arg;
};

static const uint32_t show_types[] = {PG_INT8, PG_INT8, PG_INT8, PG_TEXT};
#define SHOW_MINE                                                                                            \
	" c.id >= $2 and c.id <= $3 and (c.id = $2 or c.pair = $2)"                                          \
	" and ($4::text is null or c.api_key in (select a.id from api_key a where a.client = $4))"

#define SHOW_TABLES                                                                                          \
	CODE_STATE_TABLES("null")                                                                            \
	" left join lateral (select sealed from message_person where id = c.id offset 0) p on true"          \
	" left join code_given g on g.code_id = c.id"

static const struct pg_sql sql_show[2] = {
    {"codes_show",
        "select " CODE_STATE_COLUMNS
        ", c.client_ref, c.api_key, c.second, p.sealed, g.sealed from code c" SHOW_TABLES " where" SHOW_MINE
        " order by c.id",
        4, show_types},
    {"codes_show_sends",
        "select s.code_id, s.message_id, s.why, s.at, coalesce("
        " (select e.state from message_event e where e.message_id = s.message_id and e.final order by e.at "
        "limit 1),"
        " (select 1 from message_event e where e.message_id = s.message_id and e.kind = 1 limit 1), 0)"
        " from code c, lateral (select * from code_send where code_id >= $2 and code_id <= $3"
        "  and code_id = c.id offset 0) s"
        " where $1::int8 is not null and" SHOW_MINE " order by s.code_id, s.n",
        4, show_types},
};

enum show_column { SHOW_CLIENT_REF = CODE_STATE_COUNT, SHOW_API_KEY, SHOW_SECOND, SHOW_PERSON, SHOW_GIVEN };

static void show_read_person(
    const struct show_quest *q, const struct pg_reply *reply, size_t row, struct code_shown *c)
{
	struct buf room = {0};
	struct person p;
	size_t len;
	const char *sealed = pg_text(reply, 0, row, SHOW_PERSON, &len);

	if (!pg_is_null(reply, 0, row, SHOW_PERSON) &&
	    person_open(q->keyring, c->state.id, sealed, len, &room, &p) == KZ_OK)
		c->to = p.to;
	buf_wipe(&room);
	sealed = pg_text(reply, 0, row, SHOW_SECOND, &len);
	if (!pg_is_null(reply, 0, row, SHOW_SECOND) &&
	    code_open_second(q->keyring, c->state.id, sealed, len, &c->second) != KZ_OK)
		c->second.digits = 0;
}

static void show_read_given(
    const struct show_quest *q, const struct pg_reply *reply, size_t row, struct code_shown *c)
{
	struct buf digits = {0};
	size_t len;
	const char *sealed = pg_text(reply, 0, row, SHOW_GIVEN, &len);

	if (pg_is_null(reply, 0, row, SHOW_GIVEN))
		return;
	if (person_open_given(q->keyring, c->state.id, sealed, len, &digits) == KZ_OK &&
	    digits.len <= CODE_MAX)
		memcpy(c->given, buf_text(&digits), digits.len + 1);
	buf_wipe(&digits);
}

static void show_read_sends(const struct pg_reply *reply, struct code_shown *c)
{
	for (size_t row = 0; row < pg_rows(reply, 1) && c->sends_n < CODE_SENDINGS; row++)
		if ((uint64_t)pg_int(reply, 1, row, 0) == c->state.id)
			c->sends[c->sends_n++] = (struct code_sending){(uint64_t)pg_int(reply, 1, row, 1),
			    (enum code_why)pg_int(reply, 1, row, 2), pg_wall_us(reply, 1, row, 3),
			    (enum message_state)pg_int(reply, 1, row, 4)};
}

static void show_tell(const struct show_quest *q, const struct pg_reply *reply, size_t row)
{
	struct code_shown c = {.sends_n = 0};

	if (!code_state_read(reply, 0, row, 0, &c.state))
		return;
	if (!pg_is_null(reply, 0, row, SHOW_CLIENT_REF))
		c.client_ref = pg_text(reply, 0, row, SHOW_CLIENT_REF, NULL);
	c.api_key = (int32_t)pg_int(reply, 0, row, SHOW_API_KEY);
	show_read_person(q, reply, row, &c);
	show_read_given(q, reply, row, &c);
	show_read_sends(reply, &c);
	q->each(q->arg, &c);
	secret_wipe(c.given, sizeof c.given);
}

static void show_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct show_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++)
		show_tell(q, reply, row);
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz codes_show(struct pg *pg, const struct keyring *k, uint64_t id, const char *client, int64_t now_us,
    codes_show_fn *each, codes_show_done_fn *done, void *arg)
{
	const struct show_quest q = {k, each, done, arg};
	struct pg_job *job = pg_job_for(pg, show_on_done, &q, sizeof q);
	uint8_t low[8], from[8], to[8];
	const struct pg_value values[] = {code_state_low(now_us, low), pg_int8((int64_t)id, from),
	    pg_int8(code_pair_end(id), to), pg_string(client)};

	pg_job_add(job, &sql_show[0], values);
	pg_job_add(job, &sql_show[1], values);
	return pg_job_run(job, NULL);
}

/* What a question asks of the indices is little, and not the same: without a code whether the id is a pair's,
 * with one what was tried and ruled. A check's time hardly tells them apart, since most of it is the commit
 * that follows either (codes_rule). "offset 0" keeps the planner from reading whole days for them. */
#include "store/codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/code_rows.h"
#include "store/codes_body.h"

#define TRY_REACH_MS ((60 + 15) * 60 * 1000) /* no older code has a try within the last hour */
#define PAIR_MS      60000
#define AHEAD_MS     3600000 /* no other daemon's clock is so far off */
#define SWEEP_MOST   5000

struct pg_value code_state_low(int64_t now_us, uint8_t room[8])
{
	return pg_int8((int64_t)ids_floor(now_us / 1000 - TRY_REACH_MS), room);
}

int64_t code_pair_end(uint64_t pair)
{
	uint64_t end = ids_floor(ids_wall_ms(pair) + PAIR_MS);

	return end < INT64_MAX ? (int64_t)end : INT64_MAX;
}

static void code_read_hash(
    const struct pg_reply *reply, unsigned statement, size_t row, int column, uint8_t hash[SECRET_HASH])
{
	size_t len;
	const char *bytes = pg_text(reply, statement, row, column, &len);

	if (len == SECRET_HASH)
		memcpy(hash, bytes, SECRET_HASH);
}

bool code_state_read(
    const struct pg_reply *reply, unsigned statement, size_t row, int column, struct code_state *ret)
{
#define COLUMN(i) pg_int(reply, statement, row, column + (i))
	*ret = (struct code_state){.id = (uint64_t)COLUMN(0),
	    .pair = (uint64_t)COLUMN(1),
	    .phone = COLUMN(2),
	    .prefix = (uint32_t)COLUMN(3),
	    .language = (int)COLUMN(5),
	    .binding = COLUMN(6),
	    .length = (unsigned)COLUMN(7),
	    .tries = (unsigned)COLUMN(8),
	    .given = COLUMN(9) != 0,
	    .sends = (unsigned)COLUMN(10),
	    .resends = (unsigned)COLUMN(11),
	    .issue = (unsigned)COLUMN(12),
	    .sent_us = pg_wall_us(reply, statement, row, column + 13),
	    .expires_us = pg_wall_us(reply, statement, row, column + 14),
	    .key = (unsigned)COLUMN(15),
	    .wrong = (unsigned)COLUMN(17),
	    .phone_wrong = (unsigned)COLUMN(18),
	    .phone_wrong_us = pg_wall_us(reply, statement, row, column + 22),
	    .verdict = (enum code_verdict)COLUMN(19),
	    .ended_us = pg_wall_us(reply, statement, row, column + 20)};
#undef COLUMN
	snprintf(ret->purpose, sizeof ret->purpose, "%s", pg_text(reply, statement, row, column + 4, NULL));
	code_read_hash(reply, statement, row, column + 16, ret->mac);
	code_read_hash(reply, statement, row, column + 21, ret->key_hash);
	return ret->id && ret->sends && ret->length >= 1 && ret->length <= CODE_MAX;
}

static const uint32_t find_types[] = {
    PG_INT8, PG_INT8, PG_INT8, PG_INT4_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_find = {"codes_find",
    "select q.n, case when c.id is null then (select true from code where id between $2 and $3 and pair = "
    "q.id"
    "  and id > q.id and id <= q.pair_end and (q.client is null"
    "  or api_key in (select a.id from api_key a where a.client = q.client)) limit 1 offset 0) end, "
    "w.known, " CODE_STATE_COLUMNS " from unnest($4, $5, $6, $7, $8) q(n, id, pair_end, client, token)"
    " left join lateral (select * from code where id between $2 and $3 and id = q.id and (q.client is null"
    "  or api_key in (select a.id from api_key a where a.client = q.client)) offset 0) c on "
    "true" CODE_STATE_TABLES("q.token"),
    8, find_types};
#define FIND_STATE 3 /* the first column of the state */

/* The ids of some questions, up to those of their pairs. */
struct code_span {
	int64_t low, high;
};

static struct code_span code_span_start(void)
{
	return (struct code_span){.low = INT64_MAX, .high = 0};
}

static void code_span_add(struct code_span *s, uint64_t id)
{
	int64_t end = code_pair_end(id);

	s->low = (int64_t)id < s->low ? (int64_t)id : s->low;
	s->high = end > s->high ? end : s->high;
}

/* An id that somebody made up is not looked for where no code can be read. */
static void code_span_clamp(struct code_span *s, int64_t now_us)
{
	int64_t oldest = (int64_t)ids_floor(now_us / 1000 - CODE_READ_MS - AHEAD_MS);
	int64_t newest = (int64_t)ids_floor(now_us / 1000 + AHEAD_MS);

	s->low = s->low > oldest ? s->low : oldest;
	s->high = s->high < newest ? s->high : newest;
}

static void codes_build_find(void *arg, const struct list *items, struct pg_job *job)
{
	struct codes *c = arg;
	uint8_t low[8], from[8], to[8];
	struct code_span span = code_span_start();
	int n = 0;

	pg_array_start(&c->n, PG_INT4);
	pg_array_start(&c->ids, PG_INT8);
	pg_array_start(&c->ends, PG_INT8);
	pg_array_start(&c->clients, PG_TEXT);
	pg_array_start(&c->tokens, PG_INT8);
	for (const struct list_node *at = list_first(items); at; at = list_next(items, at)) {
		const struct code_quest *q = list_entry(at, struct code_quest, item.node);

		pg_array_int(&c->n, n++);
		pg_array_int(&c->ids, (int64_t)q->id);
		pg_array_int(&c->ends, code_pair_end(q->id));
		pg_array_text(&c->clients, q->client);
		pg_array_int(&c->tokens, q->token);
		code_span_add(&span, q->id);
	}
	int64_t now_us = loop_clock(c->loop)->wall_us();
	code_span_clamp(&span, now_us);
	const struct pg_value values[] = {code_state_low(now_us, low), pg_int8(span.low, from),
	    pg_int8(span.high, to), pg_array_value(&c->n), pg_array_value(&c->ids), pg_array_value(&c->ends),
	    pg_array_value(&c->clients), pg_array_value(&c->tokens)};
	pg_job_add(job, &sql_find, values);
}

static void codes_on_found(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct code_quest *q = list_entry(&item->node, struct code_quest, item.node);
	struct code_found f = {.known = false};

	(void)arg;
	if (r != KZ_OK) {
		q->done(q, KZ_LOST, &f);
		return;
	}
	size_t row = batch_row(reply, 0, index);
	bool found = code_state_read(reply, 0, row, FIND_STATE, &f.code);
	f.pair = pg_int(reply, 0, row, 1) != 0;
	f.known = pg_int(reply, 0, row, 2) != 0;
	q->done(q, found ? KZ_OK : KZ_NOT_FOUND, &f);
}

static const struct batch_kind codes_quest_kind = {"code_find", codes_build_find, codes_on_found};

struct codes *codes_new(struct loop *l, struct pg *pg, struct feed *feed, const struct batch_limits *limits)
{
	struct codes *c = mem_new(sizeof *c);

	c->loop = l;
	c->feed = feed;
	list_init(&c->slotless);
	for (enum code_verdict w = CODE_APPROVED; w <= CODE_EXPIRED; w++)
		c->ended[w] = code_ended_metric(w);
	c->quests = batch_new(l, pg, &codes_quest_kind, limits, c);
	c->rulings = batch_new(l, pg, &codes_ruling_kind, limits, c);
	return c;
}

void codes_set_limits(struct codes *c, const struct batch_limits *limits)
{
	batch_set_limits(c->quests, limits);
	batch_set_limits(c->rulings, limits);
}

void codes_find(struct codes *c, struct code_quest *q)
{
	batch_add(c->quests, &q->item);
}

static const uint32_t sweep_types[] = {PG_INT4};
static const struct pg_sql sql_sweep = {"codes_sweep",
    "delete from code_given where code_id in (select code_id from code_given where expires_at < now()"
    " limit $1 for update skip locked)",
    1, sweep_types};

static void codes_on_swept(void *arg, enum kz r, const struct pg_reply *reply)
{
	(void)arg;
	(void)r;
	(void)reply;
}

void codes_sweep(struct pg *pg)
{
	uint8_t most[4];
	const struct pg_value values[] = {pg_int4(SWEEP_MOST, most)};
	struct pg_job *job = pg_job_new(pg, codes_on_swept, NULL);

	pg_job_add(job, &sql_sweep, values);
	if (pg_job_run(job, NULL) != KZ_OK)
		return; /* next time */
}

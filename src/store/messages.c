/* One statement a batch, behind the fence of its slots: the Idempotency-Keys are claimed first, and only
 * messages whose request claimed its key go in. A request is known by the id of its first message. Two
 * requests with one key never stand in one batch: the door answers the second 409 while the first runs. A key
 * is remembered for its UTC day and the next, so at least 24 hours; two daemons that get the same new key in
 * the same instant across midnight are the one gap, left open rather than paid for with an unpartitioned
 * index. */
#include "store/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/pg_array.h"

#define CODES_MAX 256 /* of a batch */

enum keep_column {
	KEEP_FIRST,
	KEEP_DAY,
	KEEP_KEY,
	KEEP_KEY_HASH,
	KEEP_BODY_HASH,
	KEEP_STATUS,
	KEEP_ANSWER,
	ROW_FIRST,
	ROW_ID,
	ROW_CLASS,
	ROW_PARTS,
	ROW_ALPHABET,
	ROW_REFERENCE,
	ROW_LANGUAGE,
	ROW_EXPIRES,
	ROW_AT_ONCE,
	ROW_CLIENT_REF,
	ROW_PHONE,
	ROW_CODE,
	ROW_SEALED,
	KEEP_COLUMNS
};

static const uint32_t keep_types[KEEP_COLUMNS] = {
    [KEEP_FIRST] = PG_INT8_ARRAY,
    [KEEP_DAY] = PG_TIMESTAMPTZ_ARRAY,
    [KEEP_KEY] = PG_INT4_ARRAY,
    [KEEP_KEY_HASH] = PG_BYTEA_ARRAY,
    [KEEP_BODY_HASH] = PG_BYTEA_ARRAY,
    [KEEP_STATUS] = PG_INT2_ARRAY,
    [KEEP_ANSWER] = PG_TEXT_ARRAY,
    [ROW_FIRST] = PG_INT8_ARRAY,
    [ROW_ID] = PG_INT8_ARRAY,
    [ROW_CLASS] = PG_INT2_ARRAY,
    [ROW_PARTS] = PG_INT2_ARRAY,
    [ROW_ALPHABET] = PG_INT2_ARRAY,
    [ROW_REFERENCE] = PG_INT4_ARRAY,
    [ROW_LANGUAGE] = PG_INT2_ARRAY,
    [ROW_EXPIRES] = PG_TIMESTAMPTZ_ARRAY,
    [ROW_AT_ONCE] = PG_BOOL_ARRAY,
    [ROW_CLIENT_REF] = PG_TEXT_ARRAY,
    [ROW_PHONE] = PG_INT8_ARRAY,
    [ROW_CODE] = PG_INT8_ARRAY,
    [ROW_SEALED] = PG_BYTEA_ARRAY,
};

static const enum pg_type keep_elements[KEEP_COLUMNS] = {
    [KEEP_FIRST] = PG_INT8,
    [KEEP_DAY] = PG_TIMESTAMPTZ,
    [KEEP_KEY] = PG_INT4,
    [KEEP_KEY_HASH] = PG_BYTEA,
    [KEEP_BODY_HASH] = PG_BYTEA,
    [KEEP_STATUS] = PG_INT2,
    [KEEP_ANSWER] = PG_TEXT,
    [ROW_FIRST] = PG_INT8,
    [ROW_ID] = PG_INT8,
    [ROW_CLASS] = PG_INT2,
    [ROW_PARTS] = PG_INT2,
    [ROW_ALPHABET] = PG_INT2,
    [ROW_REFERENCE] = PG_INT4,
    [ROW_LANGUAGE] = PG_INT2,
    [ROW_EXPIRES] = PG_TIMESTAMPTZ,
    [ROW_AT_ONCE] = PG_BOOL,
    [ROW_CLIENT_REF] = PG_TEXT,
    [ROW_PHONE] = PG_INT8,
    [ROW_CODE] = PG_INT8,
    [ROW_SEALED] = PG_BYTEA,
};

/* Arrays are taken apart in the list of columns, all in step: in "from", each would be a table of its own
 * first, and with the claims joined by key and hash that took 2.2 of the server's 18.9 us a row. "offset 0":
 * yesterday's keys are always looked up, never hashed whole. */
static const struct pg_sql sql_keep = {"messages_keep",
    "with claimed as ("
    " insert into idempotency (message_id, day, api_key, key_hash, body_hash, status, answer)"
    " select * from (select unnest($1) as message_id, (unnest($2) at time zone 'UTC')::date as day,"
    "  unnest($3) as api_key, unnest($4) as key_hash, unnest($5), unnest($6), unnest($7)) r"
    " where not exists (select from idempotency i"
    "  where i.day = r.day - 1 and i.api_key = r.api_key and i.key_hash = r.key_hash offset 0)"
    " on conflict do nothing returning message_id, api_key"
    "), put_message as ("
    " insert into message (id, api_key, class, parts, alphabet, reference, language, expires_at, at_once, "
    "client_ref)"
    " select id, api_key, class, parts, alphabet, reference, language, expires_at, at_once, client_ref"
    " from (select unnest($8) as message_id, unnest($9) as id, unnest($10) as class, unnest($11) as parts,"
    "  unnest($12) as alphabet, unnest($13) as reference, unnest($14) as language, unnest($15) as expires_at,"
    "  unnest($16) as at_once, unnest($17) as client_ref) m join claimed using (message_id)"
    "), put_person as ("
    " insert into message_person (id, phone, code, sealed) select id, phone, code, sealed"
    " from (select unnest($8) as message_id, unnest($9) as id, unnest($18) as phone, unnest($19) as code,"
    "  unnest($20) as sealed) m join claimed using (message_id)"
    ") select message_id from claimed",
    KEEP_COLUMNS, keep_types};

struct messages {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	const struct keyring *keyring;
	struct batch *batch;
	struct pg_array columns[KEEP_COLUMNS];
	struct buf sealed;
	struct code_rows *codes;
	struct notice_rows *notices;
	size_t code_weight; /* of a row with a code in a batch; of others it is 1 */
	struct metric *superseded;
	size_t next; /* row of the reply where the next wish is looked for first */
};

static void messages_put_request(struct pg_array *c, const struct messages_wish *w)
{
	pg_array_int(&c[KEEP_FIRST], (int64_t)w->rows[0]->id);
	pg_array_wall_us(&c[KEEP_DAY], w->day_us);
	pg_array_int(&c[KEEP_KEY], w->api_key);
	pg_array_bytes(&c[KEEP_KEY_HASH], w->key_hash, SECRET_HASH);
	pg_array_bytes(&c[KEEP_BODY_HASH], w->body_hash, SECRET_HASH);
	pg_array_int(&c[KEEP_STATUS], w->status);
	pg_array_text(&c[KEEP_ANSWER], w->answer);
}

static void messages_put_person(struct messages *ms, const struct message *m)
{
	const struct person p = {m->to, m->sender, m->text, m->code};
	struct pg_array *c = ms->columns;

	pg_array_int(&c[ROW_PHONE], m->phone);
	if (m->code.id)
		pg_array_int(&c[ROW_CODE], (int64_t)m->code.id);
	else
		pg_array_null(&c[ROW_CODE]);
	buf_clear(&ms->sealed);
	person_seal(ms->keyring, m->id, &p, &ms->sealed);
	pg_array_bytes(&c[ROW_SEALED], ms->sealed.data, ms->sealed.len);
}

static void messages_put_row(struct messages *ms, uint64_t first, const struct message *m)
{
	struct pg_array *c = ms->columns;

	pg_array_int(&c[ROW_FIRST], (int64_t)first);
	pg_array_int(&c[ROW_ID], (int64_t)m->id);
	pg_array_int(&c[ROW_CLASS], m->class);
	pg_array_int(&c[ROW_PARTS], m->parts);
	pg_array_int(&c[ROW_ALPHABET], m->alphabet);
	pg_array_int(&c[ROW_REFERENCE], m->reference);
	if (m->language < 0)
		pg_array_null(&c[ROW_LANGUAGE]);
	else
		pg_array_int(&c[ROW_LANGUAGE], m->language);
	pg_array_wall_us(&c[ROW_EXPIRES], m->expires_wall_ms * 1000);
	pg_array_int(&c[ROW_AT_ONCE], m->at_once);
	pg_array_text(&c[ROW_CLIENT_REF], m->client_ref);
	messages_put_person(ms, m);
}

/* While no slot is held the fence refuses the job whatever stands in it. */
static void messages_put_codes(struct messages *m, struct messages_wish *w, struct lease_slots *slots)
{
	uint64_t feed = 0;

	if (w->codes_n && w->codes[0].n == 1 && (w->feed.first || feed_slot(m->feed) >= 0)) {
		feed = feed_number(m->feed, &w->feed, (unsigned)w->codes_n);
		slots->in[ids_slot(feed)] = true;
	}
	for (size_t i = 0; i < w->codes_n; i++)
		code_rows_put(m->codes, &w->codes[i], feed ? feed + i : 0);
}

static void messages_put_notices(struct messages *m, const struct messages_wish *w, struct lease_slots *slots)
{
	for (size_t i = 0; i < w->notices_n; i++) {
		slots->in[ids_slot(w->notices[i].notice)] = true;
		notice_rows_put(m->notices, &w->notices[i]);
	}
}

/* Statements of the job; those of codes and notices follow. */
enum keep_statement { KEEP_FENCE, KEEP_ROWS };

static void messages_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct messages *m = arg;
	struct pg_value values[KEEP_COLUMNS];
	struct lease_slots slots = {0};

	for (int i = 0; i < KEEP_COLUMNS; i++)
		pg_array_start(&m->columns[i], keep_elements[i]);
	code_rows_start(m->codes);
	notice_rows_start(m->notices);
	for (struct list_node *at = list_first(items); at; at = list_next(items, at)) {
		struct messages_wish *w = list_entry(at, struct messages_wish, item.node);

		messages_put_request(m->columns, w);
		for (size_t i = 0; i < w->rows_n; i++) {
			messages_put_row(m, w->rows[0]->id, w->rows[i]);
			slots.in[ids_slot(w->rows[i]->id)] = true;
		}
		messages_put_codes(m, w, &slots);
		messages_put_notices(m, w, &slots);
	}
	lease_fence(feed_lease(m->feed), &slots, job);
	for (int i = 0; i < KEEP_COLUMNS; i++)
		values[i] = pg_array_value(&m->columns[i]);
	pg_job_add(job, &sql_keep, values);
	code_rows_add(m->codes, loop_clock(m->loop)->wall_us(), job);
	notice_rows_add(m->notices, job);
}

void messages_abandon(struct messages *m, struct messages_wish *w)
{
	feed_release(m->feed, &w->feed);
}

/* Rows come in the order of the wishes: whoever is not the next one is looked for among all. */
static bool messages_is_kept(struct messages *m, const struct pg_reply *reply, uint64_t first)
{
	size_t n = pg_rows(reply, KEEP_ROWS);

	for (size_t i = 0; i < n; i++) {
		size_t row = (m->next + i) % n;

		if ((uint64_t)pg_int(reply, KEEP_ROWS, row, 0) != first)
			continue;
		m->next = row + 1;
		return true;
	}
	return false;
}

static void messages_done(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct messages *m = arg;
	struct messages_wish *w = list_entry(&item->node, struct messages_wish, item.node);

	if (r == KZ_OK && w->feed.first)
		metric_add(
		    m->superseded, code_rows_superseded(reply, KEEP_ROWS + 1, w->feed.first, w->codes_n));
	if (index == 0)
		m->next = 0;
	if (r == KZ_OK && !messages_is_kept(m, reply, w->rows[0]->id))
		r = KZ_CONFLICT;
	feed_heard(m->feed, &w->feed, r, reply);
	w->done(w, r, r == KZ_LOST && !pg_reply_undone(reply));
}

static const struct batch_kind messages_kind = {"message", messages_build, messages_done};

struct messages *messages_new(struct loop *l, struct pg *pg, struct feed *feed, const struct keyring *keyring,
    const struct batch_limits *limits)
{
	struct messages *m = mem_new(sizeof *m);

	m->loop = l;
	m->pg = pg;
	m->feed = feed;
	m->codes = code_rows_new();
	m->notices = notice_rows_new();
	m->superseded = code_ended_metric(CODE_SUPERSEDED);
	m->keyring = keyring;
	m->batch = batch_new(l, pg, &messages_kind, limits, m);
	messages_set_limits(m, limits);
	return m;
}

/* Each code holds locks of its own until the commit, and the server's table of them is small. */
void messages_set_limits(struct messages *m, const struct batch_limits *limits)
{
	m->code_weight = (limits->rows + CODES_MAX - 1) / CODES_MAX;
	batch_set_limits(m->batch, limits);
}

enum kz messages_keep(struct messages *m, struct messages_wish *w)
{
	if (!pg_is_up(m->pg))
		return KZ_LOST;
	w->item.weight = w->rows_n * (w->codes_n ? m->code_weight : 1);
	batch_add(m->batch, &w->item);
	return KZ_OK;
}

void messages_fail_waiting(struct messages *m)
{
	struct batch_item *item;

	while ((item = batch_take_waiting(m->batch)) != NULL) {
		struct messages_wish *w = list_entry(&item->node, struct messages_wish, item.node);

		messages_abandon(m, w);
		w->done(w, KZ_LOST, false);
	}
}

void messages_free(struct messages *m)
{
	if (!m)
		return;
	batch_free(m->batch);
	code_rows_free(m->codes);
	notice_rows_free(m->notices);
	for (int i = 0; i < KEEP_COLUMNS; i++)
		pg_array_fini(&m->columns[i]);
	buf_fini(&m->sealed);
	free(m);
}

/* One question to the database that is not batched. */
struct replay {
	messages_replay_fn *done;
	void *arg;
};

static const uint32_t replay_types[] = {PG_INT4, PG_BYTEA, PG_TIMESTAMPTZ};
static const struct pg_sql sql_replay = {"messages_replay",
    "select body_hash, status, answer from idempotency where api_key = $1 and key_hash = $2"
    " and day >= ($3 at time zone 'UTC')::date - 1 order by day desc limit 1",
    3, replay_types};

static void replay_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct replay *q = arg;
	size_t len = 0;

	if (r != KZ_OK) {
		q->done(q->arg, KZ_LOST, NULL, 0, NULL);
	} else if (!pg_rows(reply, 0)) {
		q->done(q->arg, KZ_NOT_FOUND, NULL, 0, NULL);
	} else {
		const char *hash = pg_text(reply, 0, 0, 0, &len);

		q->done(q->arg, len == SECRET_HASH ? KZ_OK : KZ_LOST, (const uint8_t *)hash,
		    (int)pg_int(reply, 0, 0, 1), pg_text(reply, 0, 0, 2, NULL));
	}
}

enum kz messages_replay(struct pg *pg, int32_t api_key, const uint8_t key_hash[SECRET_HASH], int64_t now_us,
    messages_replay_fn *done, void *arg)
{
	const struct replay q = {done, arg};
	uint8_t key[4], now[8];
	const struct pg_value values[] = {
	    pg_int4(api_key, key), {key_hash, SECRET_HASH}, pg_timestamp(now_us, now)};

	return pg_ask(pg, &sql_replay, values, replay_on_done, &q, sizeof q);
}

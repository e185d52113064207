/* Who is told and how far each is. Nothing is written for an event that was told at the first try. */
#include "store/tellings.h"

#include <string.h>

#include "store/hook_seal.h"
#include "store/tellings_body.h"

enum kz tellings_ask(struct pg *pg, const struct pg_sql *sql, unsigned n, const struct pg_value *values,
    pg_done_fn *on_done, struct tellings_quest quest, uint64_t *ret_ticket)
{
	struct pg_job *job = pg_job_for(pg, on_done, &quest, sizeof quest);

	for (unsigned i = 0; i < n; i++)
		pg_job_add(job, &sql[i], values);
	return pg_job_run(job, ret_ticket);
}

void tellings_put_slots(struct pg_array *a, const bool held[])
{
	pg_array_start(a, PG_INT4);
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (held[slot])
			pg_array_int(a, slot);
}

static const uint32_t load_types[] = {PG_INT4_ARRAY};
static const struct pg_sql sql_load = {"tellings_load",
    "select id, w.round, since, client, url, secret, slot, feed from webhook w"
    " left join webhook_cursor c on c.webhook = w.id and c.round = w.round and c.slot = any($1)"
    " where disabled_at is null order by id",
    1, load_types};

static void tellings_on_loaded(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;
	uint8_t secret[HOOK_SECRET];
	size_t n;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		struct tellings_endpoint e = {.id = (int32_t)pg_int(reply, 0, row, 0),
		    .round = (int32_t)pg_int(reply, 0, row, 1),
		    .since = (uint64_t)pg_int(reply, 0, row, 2),
		    .client = pg_text(reply, 0, row, 3, NULL),
		    .url = pg_text(reply, 0, row, 4, NULL),
		    .slot = pg_is_null(reply, 0, row, 6) ? -1 : (int)pg_int(reply, 0, row, 6),
		    .cursor = (uint64_t)pg_int(reply, 0, row, 7)};

		const char *sealed = pg_text(reply, 0, row, 5, &n);
		if (hook_open(q->keyring, e.client, e.url, sealed, n, secret) == KZ_OK)
			e.secret = secret;
		q->each.endpoint(q->arg, &e);
		secret_wipe(secret, sizeof secret);
	}
	q->done.all(q->arg, r);
}

enum kz tellings_load(struct pg *pg, const struct keyring *keyring, const bool held[],
    tellings_endpoint_fn *each, tellings_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	struct pg_array slots = {0};

	tellings_put_slots(&slots, held);
	const struct pg_value value = pg_array_value(&slots);
	enum kz r = tellings_ask(pg, &sql_load, 1, &value, tellings_on_loaded,
	    (struct tellings_quest){.each.endpoint = each, .done.all = done, .arg = arg, .keyring = keyring},
	    ret_ticket);
	pg_array_fini(&slots);
	return r;
}

/* Wrong data and broken constraints, as of an endpoint that is removed at the same time, stay so; what the
 * database refuses for other reasons it may take the next time. */
static enum kz tellings_verdict(enum kz r, const struct pg_reply *reply)
{
	bool stays = !strncmp(pg_sqlstate(reply), "22", 2) || !strncmp(pg_sqlstate(reply), "23", 2);

	return r == KZ_REFUSED && !stays ? KZ_LOST : r;
}

static void tellings_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;

	q->done.all(q->arg, tellings_verdict(r, reply));
}

static enum kz tellings_do(struct pg *pg, const struct pg_sql *sql, const struct pg_value *values,
    tellings_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	return tellings_ask(pg, sql, 1, values, tellings_on_done,
	    (struct tellings_quest){.done.all = done, .arg = arg}, ret_ticket);
}

static const uint32_t save_types[] = {PG_INT4_ARRAY, PG_INT4_ARRAY, PG_INT4_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_save = {"tellings_save",
    "insert into webhook_cursor as c (webhook, slot, round, feed)"
    " select m.* from unnest($1, $2, $3, $4) as m(webhook, slot, round, feed) join webhook w on w.id = "
    "m.webhook"
    " on conflict (webhook, slot) do update set round = excluded.round, feed = excluded.feed"
    " where (c.round, c.feed) < (excluded.round, excluded.feed)",
    4, save_types};

enum kz tellings_save(struct pg *pg, const struct tellings_mark *marks, size_t n, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	struct pg_array a[4] = {0};
	struct pg_value values[4];

	for (int i = 0; i < 4; i++)
		pg_array_start(&a[i], i < 3 ? PG_INT4 : PG_INT8);
	for (size_t i = 0; i < n; i++) {
		pg_array_int(&a[0], marks[i].id);
		pg_array_int(&a[1], marks[i].slot);
		pg_array_int(&a[2], marks[i].round);
		pg_array_int(&a[3], (int64_t)marks[i].cursor);
	}
	for (int i = 0; i < 4; i++)
		values[i] = pg_array_value(&a[i]);
	enum kz r = tellings_do(pg, &sql_save, values, done, arg, ret_ticket);
	for (int i = 0; i < 4; i++)
		pg_array_fini(&a[i]);
	return r;
}

static const uint32_t put_off_types[] = {
    PG_INT4, PG_INT4, PG_INT8, PG_INT4, PG_INT4, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TEXT, PG_INT4, PG_INT8};
/* One row more than the bound for each that is put off at the same time, at most. */
static const struct pg_sql sql_put_off = {"tellings_put_off",
    "with put as ("
    " insert into webhook_retry (webhook, about, id, slot, attempts, due, at, status, behind)"
    " select id, $2, $3, $4, $5, $6, $7, $8, nullif($10, 0) from webhook where id = $1"
    "  and (exists (select from webhook_retry r where r.webhook = $1 and r.about = $2 and r.id = $3)"
    "   or (select count(*) from webhook_retry where webhook = $1 and due is not null) < $9)"
    " on conflict (webhook, about, id) do update"
    " set attempts = excluded.attempts, due = excluded.due, status = excluded.status, behind = "
    "excluded.behind"
    " returning 1"
    ") select exists (select from put) or not exists (select from webhook where id = $1)",
    10, put_off_types};

static void tellings_on_put_off(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct tellings_quest *q = arg;
	bool full = r == KZ_OK && !pg_int(reply, 0, 0, 0);

	q->done.all(q->arg, full ? KZ_TOO_LONG : tellings_verdict(r, reply));
}

enum kz tellings_put_off(
    struct pg *pg, const struct tellings_retry *r, tellings_done_fn *done, void *arg, uint64_t *ret_ticket)
{
	uint8_t id[4], about[4], of[8], slot[4], attempts[4], due[8], now[8], most[4], behind[8];
	const struct pg_value values[] = {pg_int4(r->id, id), pg_int4((int32_t)r->about, about),
	    pg_int8((int64_t)r->of, of), pg_int4(r->slot, slot), pg_int4((int32_t)r->attempts, attempts),
	    pg_timestamp(r->due_us, due), pg_timestamp(r->now_us, now), pg_string(r->status),
	    pg_int4(TELLINGS_RETRIES, most), pg_int8((int64_t)r->behind, behind)};

	return tellings_ask(pg, &sql_put_off, 1, values, tellings_on_put_off,
	    (struct tellings_quest){.done.all = done, .arg = arg}, ret_ticket);
}

static const uint32_t settle_types[] = {PG_INT4, PG_INT4, PG_INT8};
static const struct pg_sql sql_settle = {"tellings_settle",
    "delete from webhook_retry where webhook = $1 and about = $2 and id = $3", 3, settle_types};

enum kz tellings_settle(struct pg *pg, int32_t id, enum hook_about about, uint64_t of, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	uint8_t room[4], kind[4], ended[8];
	const struct pg_value values[] = {
	    pg_int4(id, room), pg_int4((int32_t)about, kind), pg_int8((int64_t)of, ended)};

	return tellings_do(pg, &sql_settle, values, done, arg, ret_ticket);
}

#include "store/hooks.h"

#include "base/ids.h"
#include "store/hook_seal.h"
#include "store/pg_array.h"

struct hook_quest {
	hook_add_fn *added;
	hook_each_fn *each;
	hook_done_fn *done;
	void *arg;
};

/* What is told begins above it: the lowest number of that millisecond is told too. */
static struct pg_value hook_since(int64_t wall_ms, uint8_t room[8])
{
	uint64_t floor = ids_floor(wall_ms);

	return pg_int8((int64_t)(floor ? floor - 1 : 0), room);
}

static const uint32_t add_types[] = {PG_TEXT, PG_TEXT, PG_BYTEA, PG_INT8, PG_INT4, PG_INT4};
static const struct pg_sql sql_add = {"hook_add",
    "with known as (select exists (select from api_key where client = $1) as known), made as ("
    " insert into webhook (client, url, secret, since) select $1, $2, $3, $4 from known where known"
    " and (select count(*) from webhook where client = $1) < $5 and (select count(*) from webhook) < $6"
    " returning id) select (select id from made), known from known",
    6, add_types};

static void hook_on_added(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct hook_quest *q = arg;

	if (r == KZ_OK && pg_is_null(reply, 0, 0, 0))
		r = pg_int(reply, 0, 0, 1) ? KZ_REFUSED : KZ_NOT_FOUND;
	q->added(q->arg, r, r == KZ_OK ? (int32_t)pg_int(reply, 0, 0, 0) : 0);
}

enum kz hook_add(struct pg *pg, const struct keyring *keyring, const char *client, const char *url,
    const uint8_t secret[HOOK_SECRET], int64_t wall_ms, hook_add_fn *done, void *arg)
{
	uint8_t since[8], of_client[4], most[4];
	struct buf sealed = {0};

	hook_seal(keyring, client, url, secret, &sealed);
	const struct pg_value values[] = {pg_string(client), pg_string(url), {sealed.data, sealed.len},
	    hook_since(wall_ms, since), pg_int4(HOOKS_OF_CLIENT, of_client), pg_int4(HOOKS_MOST, most)};

	const struct hook_quest q = {.added = done, .arg = arg};
	enum kz r = pg_ask(pg, &sql_add, values, hook_on_added, &q, sizeof q);
	buf_fini(&sealed);
	return r;
}

static const struct pg_sql sql_list = {"hook_list",
    "select id, client, url, why, created_at, disabled_at,"
    " (select count(*) from webhook_retry where webhook = w.id and due is not null),"
    " (select count(*) from webhook_retry where webhook = w.id and due is null) from webhook w order by id",
    0, NULL};

static void hook_on_listed(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct hook_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct hook h = {.id = (int32_t)pg_int(reply, 0, row, 0),
		    .client = pg_text(reply, 0, row, 1, NULL),
		    .url = pg_text(reply, 0, row, 2, NULL),
		    .why = pg_text(reply, 0, row, 3, NULL),
		    .created_us = pg_wall_us(reply, 0, row, 4),
		    .disabled_us = pg_wall_us(reply, 0, row, 5),
		    .retries = (size_t)pg_int(reply, 0, row, 6),
		    .given_up = (size_t)pg_int(reply, 0, row, 7)};

		q->each(q->arg, &h);
	}
	q->done(q->arg, r);
}

enum kz hook_list(struct pg *pg, hook_each_fn *each, hook_done_fn *done, void *arg)
{
	const struct hook_quest q = {.each = each, .done = done, .arg = arg};

	return pg_ask(pg, &sql_list, NULL, hook_on_listed, &q, sizeof q);
}

/* One row for each endpoint that it was done to. */
static void hook_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct hook_quest *q = arg;

	q->done(q->arg, r != KZ_OK ? r : pg_rows(reply, 0) ? KZ_OK : KZ_NOT_FOUND);
}

static enum kz hook_do(
    struct pg *pg, const struct pg_sql *sql, const struct pg_value *values, hook_done_fn *done, void *arg)
{
	const struct hook_quest q = {.done = done, .arg = arg};

	return pg_ask(pg, sql, values, hook_on_done, &q, sizeof q);
}

static const uint32_t id_types[] = {PG_INT4, PG_TEXT};
static const struct pg_sql sql_remove = {
    "hook_remove", "delete from webhook where id = $1 returning id", 1, id_types};
static const struct pg_sql sql_enable = {"hook_enable",
    "update webhook set disabled_at = null, why = null where id = $1 returning id", 1, id_types};
static const struct pg_sql sql_disable = {"hook_disable",
    "update webhook set disabled_at = coalesce(disabled_at, now()), why = $2 where id = $1 returning id", 2,
    id_types};

enum kz hook_remove(struct pg *pg, int32_t id, hook_done_fn *done, void *arg)
{
	uint8_t room[4];
	const struct pg_value value = pg_int4(id, room);

	return hook_do(pg, &sql_remove, &value, done, arg);
}

enum kz hook_enable(struct pg *pg, int32_t id, hook_done_fn *done, void *arg)
{
	uint8_t room[4];
	const struct pg_value value = pg_int4(id, room);

	return hook_do(pg, &sql_enable, &value, done, arg);
}

enum kz hook_disable(struct pg *pg, int32_t id, const char *why, hook_done_fn *done, void *arg)
{
	uint8_t room[4];
	const struct pg_value values[] = {pg_int4(id, room), pg_string(why)};

	return hook_do(pg, &sql_disable, values, done, arg);
}

static const uint32_t replay_types[] = {PG_INT4, PG_INT8};
/* Cursors of other rounds are void, so each is taken along: what its slot was not told before stays to be
 * told. */
static const struct pg_sql sql_replay = {"hook_replay",
    "with again as ("
    " update webhook set since = least(since, $2), round = round + 1 where id = $1 returning id, round"
    "), moved as ("
    " update webhook_cursor c set feed = least(c.feed, $2), round = again.round from again"
    " where c.webhook = again.id and c.round = again.round - 1"
    ") select id from again",
    2, replay_types};

enum kz hook_replay(struct pg *pg, int32_t id, int64_t wall_ms, hook_done_fn *done, void *arg)
{
	uint8_t room[4], since[8];
	const struct pg_value values[] = {pg_int4(id, room), hook_since(wall_ms, since)};

	return hook_do(pg, &sql_replay, values, done, arg);
}

static const uint32_t message_types[] = {PG_INT8, PG_TIMESTAMPTZ};
static const struct pg_sql sql_message = {"hook_replay_message",
    "with ended as ("
    " select 0 as about, api_key, feed from message m join lateral (select feed from message_event"
    "   where message_id = m.id and final order by at, kind, feed limit 1) e on true where m.id = $1"
    " union all select 1, api_key, feed from code c join code_verdict v on v.code_id = c.id where c.id = $1"
    ") insert into webhook_retry (webhook, about, id, slot, attempts, due, at, status)"
    " select w.id, about, $1, (feed >> 14) & 255, 0, $2, $2, 'replay' from ended"
    " join webhook w on w.client = (select client from api_key k where k.id = ended.api_key)"
    " on conflict (webhook, about, id) do update set attempts = 0, due = excluded.due, status = 'replay'"
    " returning webhook",
    2, message_types};

enum kz hook_replay_message(struct pg *pg, uint64_t message_id, int64_t now_us, hook_done_fn *done, void *arg)
{
	uint8_t id[8], now[8];
	const struct pg_value values[] = {pg_int8((int64_t)message_id, id), pg_timestamp(now_us, now)};

	return hook_do(pg, &sql_message, values, done, arg);
}

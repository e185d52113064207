/* What the scripts and the memory need to know of a phone, a prefix and the day, as the rows of codes say.
 * The texts are made by the database in the words of the scripts. Only the last partitions are read: a send
 * is younger than its code by ten minutes at most. */
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/limits_body.h"
#include "store/pg_array.h"

#define CODE_LIFE_MS 600000

/* What nobody asked for went to another phone than the code's: it counts for that one. */
#define COUNTS "(why < 2 or phone <> (select c.phone from code c where c.id = code_id))"

/* $1 the subject, $2 now, $3 the oldest code's id. */
static const uint32_t types[] = {PG_INT8, PG_TIMESTAMPTZ, PG_INT8};

#define MS(column) "floor(extract(epoch from " column ") * 1000)::bigint"

/* clang-format off */
static const struct pg_sql sql_phone = {"limits_phone",
    "with sent as (select " MS("at") " as ms, why from code_send where phone = $1 and " COUNTS
    "  and at > $2 - interval '1 day' and code_id >= $3 order by at desc limit 1000),"
    " lifted as (select max(lifted_at) as at from guard_hold where kind = 2 and subject = $1),"
    " wrong as (select " MS("at") " as ms from code_wrong where phone = $1 and code_id >= $3"
    "  and at > greatest($2 - interval '1 hour', (select at from lifted)) order by at desc limit 10),"
    " lock as (select " MS("since") " as since, " MS("until") " as until from guard_hold where kind = 2"
    "  and subject = $1 and lifted_at is null and until > $2 - interval '1 day' order by until desc limit 1),"
    " hour as (select ms from sent where ms > " MS("$2") " - 3600000)"
    " select coalesce((select string_agg(ms || ':' || (why = 1)::int || ':0', ',' order by ms) from sent), ''),"
    " coalesce((select max(" MS("v.at") ")::text from code c join code_verdict v on v.code_id = c.id"
    "  where c.phone = $1 and c.id >= $3 and v.code_id >= $3 and v.verdict = 1), ''),"
    " coalesce((select string_agg(ms::text, ',' order by ms) from wrong), ''),"
    " coalesce((select since::text from lock), ''), coalesce((select until::text from lock), ''),"
    " coalesce((select " MS("at") "::text from lifted), ''),"
    " (select count(*) from wrong), (select min(ms) from wrong), (select count(*) from hour),"
    " (select min(ms) from hour), (select max(ms) from sent), (select until from lock),"
    " (select count(*) from sent), (select min(ms) from sent), (select count(*) from sent where why = 1),"
    " (select min(ms) from sent where why = 1)",
    3, types};

static const struct pg_sql sql_prefix = {"limits_prefix",
    "with sent as (select s.phone, " MS("s.at") " as ms, exists (select from code_verdict v"
    "  where v.code_id = s.code_id and v.code_id >= $3 and v.verdict = 1) as approved"
    "  from code c join code_send s on s.code_id = c.id where c.prefix = $1 and c.id >= $3 and s.code_id >= $3"
    "  and s.why < 2 and s.at > $2 - interval '1 day'),"
    " pieces as (select ms / 600000 as piece, count(*) as n from sent"
    "  where ms / 600000 >= " MS("$2") " / 600000 - 6 group by 1),"
    " hold as (select " MS("since") " as since, case when lifted_at is null then " MS("until") " end as until,"
    "  " MS("free_until") " as free from guard_hold where kind = 1 and subject = $1"
    "  and greatest(until, free_until) > $2 - interval '1 day' order by since desc limit 1)"
    " select coalesce((select string_agg(piece || ':' || n, ',' order by piece) from pieces), ''),"
    " coalesce((select string_agg(lpad(to_hex(phone), 16, '0') || lpad(ms::text, 13, '0') || approved::int, ''"
    "  order by ms) from (select * from sent order by ms desc limit 50) s), ''),"
    " coalesce((select since::text from hold), ''), coalesce((select until::text from hold), ''),"
    " coalesce((select free::text from hold), ''),"
    " (select coalesce(sum(n), 0)::bigint from pieces), (select until from hold)",
    3, types};

/* Quiet: nothing was sent within a day, nothing locked or held within two. */
static const struct pg_sql sql_day = {"limits_day",
    "with pieces as (select " MS("at") " / 3600000 as piece, count(*) as n from code_send"
    "  where " COUNTS " and code_id >= $3 and at > $2 - interval '25 hours' and $1 = 0 group by 1)"
    " select coalesce((select string_agg(piece || ':' || n, ',' order by piece) from pieces), ''),"
    " (not exists (select from pieces) and not exists (select from guard_hold"
    "  where greatest(until, free_until) > $2 - interval '1 day'))::int,"
    " (select coalesce(sum(n), 0)::bigint from pieces)",
    3, types};
/* clang-format on */

struct known_quest {
	struct limits_op *op;
	unsigned parts;
	void (*done)(void *arg, enum kz r);
};

static void known_take(struct limits_known *k, const struct pg_reply *r, unsigned statement, int first, int n)
{
	for (int i = 0; i < n; i++) {
		size_t len;
		const char *text = pg_text(r, statement, 0, i, &len);

		free(k->text[first + i]);
		k->text[first + i] = mem_strn(text, len);
	}
}

static void known_take_phone(struct limits_known *k, const struct pg_reply *r, unsigned statement)
{
	known_take(k, r, statement, KNOWN_PHONE, 6);
	k->lifted_ms = strtoll(k->text[KNOWN_PHONE + 5], NULL, 10);
	k->wrong = (unsigned)pg_int(r, statement, 0, 6);
	k->wrong_ms = pg_int(r, statement, 0, 7);
	k->sent = (unsigned)pg_int(r, statement, 0, 8);
	k->sent_ms = pg_int(r, statement, 0, 9);
	k->last_ms = pg_int(r, statement, 0, 10);
	k->locked_ms = pg_int(r, statement, 0, 11);
	k->sent_day = (unsigned)pg_int(r, statement, 0, 12);
	k->sent_day_ms = pg_int(r, statement, 0, 13);
	k->resends = (unsigned)pg_int(r, statement, 0, 14);
	k->resends_ms = pg_int(r, statement, 0, 15);
}

static void known_take_day(struct limits_known *k, const struct pg_reply *r, unsigned statement)
{
	known_take(k, r, statement, KNOWN_DAY, 1);
	free(k->text[KNOWN_DAY + 1]);
	k->text[KNOWN_DAY + 1] = mem_str(pg_int(r, statement, 0, 1) ? "1" : "0");
	k->day = (unsigned)pg_int(r, statement, 0, 2);
}

static void known_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct known_quest *q = arg;
	struct limits_known *k = &q->op->known;
	unsigned statement = 0;

	if (r == KZ_OK) {
		if (q->parts & UNKNOWN_PHONE)
			known_take_phone(k, reply, statement++);
		if (q->parts & UNKNOWN_PREFIX) {
			known_take(k, reply, statement, KNOWN_PREFIX, 5);
			k->prefix = (unsigned)pg_int(reply, statement, 0, 5);
			k->held_ms = pg_int(reply, statement++, 0, 6);
		}
		if (q->parts & UNKNOWN_DAY)
			known_take_day(k, reply, statement++);
		k->has |= q->parts;
	}
	q->done(q->op, r);
}

static void known_add(struct pg_job *job, const struct pg_sql *sql, int64_t subject, int64_t wall_ms)
{
	uint8_t subject_room[8], now_room[8], floor_room[8];
	uint64_t oldest = ids_floor(wall_ms - LIMITS_DAY_MS - LIMITS_HOUR_MS - CODE_LIFE_MS);
	const struct pg_value values[] = {pg_int8(subject, subject_room),
	    pg_timestamp(wall_ms * 1000, now_room), pg_int8((int64_t)oldest, floor_room)};

	pg_job_add(job, sql, values);
}

enum kz limits_known_ask(
    struct limits_op *o, struct pg *pg, unsigned parts, int64_t wall_ms, void (*done)(void *arg, enum kz r))
{
	const struct known_quest q = {.op = o, .parts = parts, .done = done};
	struct pg_job *job = pg_job_for(pg, known_on_done, &q, sizeof q);

	if (parts & UNKNOWN_PHONE)
		known_add(job, &sql_phone, o->kind == LIMITS_SEND ? o->send.phone : o->try.phone, wall_ms);
	if (parts & UNKNOWN_PREFIX)
		known_add(job, &sql_prefix, o->send.prefix, wall_ms);
	if (parts & UNKNOWN_DAY)
		known_add(job, &sql_day, 0, wall_ms);
	return pg_job_run(job, &o->ticket);
}

void limits_known_fini(struct limits_known *k)
{
	for (int i = 0; i < KNOWN_TEXTS; i++)
		free(k->text[i]);
	*k = (struct limits_known){0};
}

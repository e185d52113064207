/* What the scripts and the memory need to know of a phone, a prefix and the day, as the rows of codes say.
 * The texts are made by the database in the words of the scripts. Only the last partitions are read: a send
 * is younger than its code by ten minutes at most. Looks are gathered with their neighbours: after a start or
 * an outage every phone needs one. */
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/batch.h"
#include "store/limits_body.h"
#include "store/pg_array.h"

#define CODE_LIFE_MS 600000

/* What nobody asked for went to another phone than the code's: it counts for that one. */
#define COUNTS "(why < 2 or phone <> (select c.phone from code c where c.id = code_id))"

/* $1 the places of the questions, $2 their subjects, $3 now, $4 the oldest code's id. */
static const uint32_t types[] = {PG_INT4_ARRAY, PG_INT8_ARRAY, PG_TIMESTAMPTZ, PG_INT8};

#define MS(column) "floor(extract(epoch from " column ") * 1000)::bigint"

/* clang-format off */
static const struct pg_sql sql_phone = {"limits_phone",
    "select q.n, k.* from unnest($1, $2) q(n, subject), lateral ("
    "with sent as (select " MS("at") " as ms, why from code_send where phone = q.subject and " COUNTS
    "  and at > $3 - interval '1 day' and code_id >= $4 order by at desc limit 1000),"
    " lifted as (select max(lifted_at) as at from guard_hold where kind = 2 and subject = q.subject),"
    " wrong as (select " MS("at") " as ms from code_wrong where phone = q.subject and code_id >= $4"
    "  and at > greatest($3 - interval '1 hour', (select at from lifted)) order by at desc limit 10),"
    " lock as (select " MS("since") " as since, " MS("until") " as until from guard_hold where kind = 2"
    "  and subject = q.subject and lifted_at is null and until > $3 - interval '1 day' order by until desc limit 1),"
    " hour as (select ms from sent where ms > " MS("$3") " - 3600000)"
    " select coalesce((select string_agg(ms || ':' || (why = 1)::int || ':0', ',' order by ms) from sent), ''),"
    " coalesce((select max(" MS("v.at") ")::text from code c join code_verdict v on v.code_id = c.id"
    "  where c.phone = q.subject and c.id >= $4 and v.code_id >= $4 and v.verdict = 1), ''),"
    " coalesce((select string_agg(ms::text, ',' order by ms) from wrong), ''),"
    " coalesce((select since::text from lock), ''), coalesce((select until::text from lock), ''),"
    " coalesce((select " MS("at") "::text from lifted), ''),"
    " (select count(*) from wrong), (select min(ms) from wrong), (select count(*) from hour),"
    " (select min(ms) from hour), (select max(ms) from sent), (select until from lock),"
    " (select count(*) from sent), (select min(ms) from sent), (select count(*) from sent where why = 1),"
    " (select min(ms) from sent where why = 1)) k",
    4, types};

static const struct pg_sql sql_prefix = {"limits_prefix",
    "select q.n, k.* from unnest($1, $2) q(n, subject), lateral ("
    "with sent as (select s.phone, " MS("s.at") " as ms, exists (select from code_verdict v"
    "  where v.code_id = s.code_id and v.code_id >= $4 and v.verdict = 1) as approved"
    "  from code c join code_send s on s.code_id = c.id where c.prefix = q.subject and c.id >= $4 and s.code_id >= $4"
    "  and s.why < 2 and s.at > $3 - interval '1 day'),"
    " pieces as (select ms / 600000 as piece, count(*) as n from sent"
    "  where ms / 600000 >= " MS("$3") " / 600000 - 6 group by 1),"
    " hold as (select " MS("since") " as since, case when lifted_at is null then " MS("until") " end as until,"
    "  " MS("free_until") " as free from guard_hold where kind = 1 and subject = q.subject"
    "  and greatest(until, free_until) > $3 - interval '1 day' order by since desc limit 1)"
    " select coalesce((select string_agg(piece || ':' || n, ',' order by piece) from pieces), ''),"
    " coalesce((select string_agg(lpad(to_hex(phone), 16, '0') || lpad(ms::text, 13, '0') || approved::int, ''"
    "  order by ms) from (select * from sent order by ms desc limit 50) s), ''),"
    " coalesce((select since::text from hold), ''), coalesce((select until::text from hold), ''),"
    " coalesce((select free::text from hold), ''),"
    " (select coalesce(sum(n), 0)::bigint from pieces), (select until from hold)) k",
    4, types};

/* Quiet: nothing was sent within a day, nothing locked or held within two. More than guard.day may be are not
 * counted. $1 now, $2 the oldest code's id, $3 so many. */
static const uint32_t day_types[] = {PG_TIMESTAMPTZ, PG_INT8, PG_INT4};
static const struct pg_sql sql_day = {"limits_day",
    "with sent as (select at from code_send where " COUNTS " and code_id >= $2 order by code_id desc limit $3),"
    " hours as (select date_bin('1 hour', at, 'epoch') as hour, count(*) as n from sent"
    "  where at > $1 - interval '25 hours' group by 1),"
    " pieces as (select " MS("hour") " / 3600000 as piece, n from hours)"
    " select coalesce((select string_agg(piece || ':' || n, ',' order by piece) from pieces), ''),"
    " (not exists (select from pieces) and not exists (select from guard_hold"
    "  where greatest(until, free_until) > $1 - interval '1 day'))::int,"
    " (select coalesce(sum(n), 0)::bigint from pieces)",
    3, day_types};
/* clang-format on */

/* What one op asks. It outlives an op that gives up. */
struct limits_look {
	struct batch_item item;
	struct limits_op *op; /* NULL: nobody waits */
	unsigned parts;
	int64_t phone, prefix;
};

enum look_statement { LOOK_PHONES, LOOK_PREFIXES, LOOK_DAY };

struct limits_looks {
	struct loop *loop;
	struct batch *batch;
	void (*done)(struct limits_op *o, enum kz r);
	struct pg_array n[2], subjects[2]; /* by statement */
};

static void known_take(struct limits_known *k, const struct pg_reply *r, unsigned statement, size_t row,
    int column, int first, int n)
{
	for (int i = 0; i < n; i++) {
		size_t len;
		const char *text = pg_text(r, statement, row, column + i, &len);

		free(k->text[first + i]);
		k->text[first + i] = mem_strn(text, len);
	}
}

static void known_take_phone(struct limits_known *k, const struct pg_reply *r, size_t row)
{
#define COLUMN(i) pg_int(r, LOOK_PHONES, row, i)
	known_take(k, r, LOOK_PHONES, row, 1, KNOWN_PHONE, 6);
	k->lifted_ms = strtoll(k->text[KNOWN_PHONE + 5], NULL, 10);
	k->wrong = (unsigned)COLUMN(7);
	k->wrong_ms = COLUMN(8);
	k->sent = (unsigned)COLUMN(9);
	k->sent_ms = COLUMN(10);
	k->last_ms = COLUMN(11);
	k->locked_ms = COLUMN(12);
	k->sent_day = (unsigned)COLUMN(13);
	k->sent_day_ms = COLUMN(14);
	k->resends = (unsigned)COLUMN(15);
	k->resends_ms = COLUMN(16);
#undef COLUMN
}

static void known_take_prefix(struct limits_known *k, const struct pg_reply *r, size_t row)
{
	known_take(k, r, LOOK_PREFIXES, row, 1, KNOWN_PREFIX, 5);
	k->prefix = (unsigned)pg_int(r, LOOK_PREFIXES, row, 6);
	k->held_ms = pg_int(r, LOOK_PREFIXES, row, 7);
}

static void known_take_day(struct limits_known *k, const struct pg_reply *r)
{
	known_take(k, r, LOOK_DAY, 0, 0, KNOWN_DAY, 1);
	free(k->text[KNOWN_DAY + 1]);
	k->text[KNOWN_DAY + 1] = mem_str(pg_int(r, LOOK_DAY, 0, 1) ? "1" : "0");
	k->day = (unsigned)pg_int(r, LOOK_DAY, 0, 2);
}

/* true: it has what it asked for. */
static bool look_read(const struct limits_look *look, const struct pg_reply *r, size_t index)
{
	struct limits_known *k = &look->op->known;
	size_t phone = batch_row(r, LOOK_PHONES, index), prefix = batch_row(r, LOOK_PREFIXES, index);

	if ((look->parts & UNKNOWN_PHONE && phone == pg_rows(r, LOOK_PHONES)) ||
	    (look->parts & UNKNOWN_PREFIX && prefix == pg_rows(r, LOOK_PREFIXES)))
		return false;
	if (look->parts & UNKNOWN_PHONE)
		known_take_phone(k, r, phone);
	if (look->parts & UNKNOWN_PREFIX)
		known_take_prefix(k, r, prefix);
	if (look->parts & UNKNOWN_DAY)
		known_take_day(k, r);
	k->has |= look->parts;
	return true;
}

static void looks_on_done(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct limits_looks *all = arg;
	struct limits_look *look = list_entry(&item->node, struct limits_look, item.node);
	struct limits_op *o = look->op;

	if (o) {
		bool known = r == KZ_OK && look_read(look, reply, index);

		o->look = NULL;
		all->done(o, known ? KZ_OK : KZ_LOST);
	}
	free(look);
}

static void looks_add(struct limits_looks *all, enum look_statement s, int32_t n, int64_t subject)
{
	pg_array_int(&all->n[s], n);
	pg_array_int(&all->subjects[s], subject);
}

/* Whether one of them asks for the day. */
static bool looks_gather(struct limits_looks *all, const struct list *items)
{
	bool day = false;
	int32_t n = 0;

	for (int i = 0; i < 2; i++) {
		pg_array_start(&all->n[i], PG_INT4);
		pg_array_start(&all->subjects[i], PG_INT8);
	}
	for (const struct list_node *at = list_first(items); at; at = list_next(items, at), n++) {
		const struct limits_look *look = list_entry(at, struct limits_look, item.node);

		if (look->parts & UNKNOWN_PHONE)
			looks_add(all, LOOK_PHONES, n, look->phone);
		if (look->parts & UNKNOWN_PREFIX)
			looks_add(all, LOOK_PREFIXES, n, look->prefix);
		day = day || look->parts & UNKNOWN_DAY;
	}
	return day;
}

static void looks_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct limits_looks *all = arg;
	int64_t wall_ms = clock_wall_ms(loop_clock(all->loop));
	uint8_t now_room[8], floor_room[8], most[4];
	uint64_t oldest = ids_floor(wall_ms - LIMITS_DAY_MS - LIMITS_HOUR_MS - CODE_LIFE_MS);
	const struct pg_value now = pg_timestamp(wall_ms * 1000, now_room),
	                      floor = pg_int8((int64_t)oldest, floor_room);
	bool day = looks_gather(all, items);

	for (int i = 0; i < 2; i++)
		pg_job_add(job, i == LOOK_PHONES ? &sql_phone : &sql_prefix,
		    (const struct pg_value[]){
		        pg_array_value(&all->n[i]), pg_array_value(&all->subjects[i]), now, floor});
	if (day)
		pg_job_add(
		    job, &sql_day, (const struct pg_value[]){now, floor, pg_int4(CONF_GUARD_DAY_MAX, most)});
}

static const struct batch_kind looks_kind = {"limits_look", looks_build, looks_on_done};

struct limits_looks *limits_looks_new(
    struct loop *l, struct pg *pg, void (*done)(struct limits_op *o, enum kz r))
{
	static const struct batch_limits limits = {.rows = 100, .wait_ms = 2, .in_flight = 2};
	struct limits_looks *all = mem_new(sizeof *all);

	all->loop = l;
	all->done = done;
	all->batch = batch_new(l, pg, &looks_kind, &limits, all);
	return all;
}

void limits_look(struct limits_looks *all, struct limits_op *o, unsigned parts)
{
	struct limits_look *look = mem_new(sizeof *look);

	*look = (struct limits_look){.op = o,
	    .parts = parts,
	    .phone = o->kind == LIMITS_SEND ? o->send.phone : o->try.phone,
	    .prefix = o->send.prefix};
	o->look = look;
	batch_add(all->batch, &look->item);
}

void limits_look_cancel(struct limits_op *o)
{
	o->look->op = NULL;
	o->look = NULL;
}

void limits_looks_free(struct limits_looks *all)
{
	struct batch_item *item;

	if (!all)
		return;
	batch_stop(all->batch);
	while ((item = batch_take_waiting(all->batch)) != NULL)
		free(list_entry(&item->node, struct limits_look, item.node));
	batch_free(all->batch);
	for (int i = 0; i < 2; i++) {
		pg_array_fini(&all->n[i]);
		pg_array_fini(&all->subjects[i]);
	}
	free(all);
}

void limits_known_fini(struct limits_known *k)
{
	for (int i = 0; i < KNOWN_TEXTS; i++)
		free(k->text[i]);
	*k = (struct limits_known){0};
}

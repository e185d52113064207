/* A ruling is at rest before anybody is told of it. One whose commit was lost is written again, under the
 * number that it had: a wrong try is one by its token, and of verdicts the first stands, so nothing happens
 * twice. What a ruling is without, a code, still makes a commit: whoever guesses ids learns nothing from the
 * time. Digits that the portal gave go with the verdict: nobody sends them again. */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/codes_body.h"

static const enum pg_type rule_elements[RULING_COLUMNS] = {
    PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_INT2, PG_BYTEA, PG_INT8};

/* In one order, so that two daemons never wait for each other. */
static const uint32_t wrong_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_wrong = {"codes_rule_wrong",
    "insert into code_wrong (code_id, token, at, phone) select unnest($1), unnest($2), unnest($3), unnest($4)"
    " order by 1, 2 on conflict do nothing",
    4, wrong_types};

/* Of verdicts on one code the one with the lesser number came first. */
static const uint32_t verdict_types[] = {
    PG_INT8_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT2_ARRAY, PG_BYTEA_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_verdict = {"codes_rule_verdict",
    "with put_verdict as ("
    " insert into code_verdict (code_id, at, verdict, key_hash, feed)"
    " select id, at, verdict, key_hash, feed from (select unnest($1) as id, unnest($2) as at,"
    "  unnest($3) as verdict, unnest($4) as key_hash, unnest($5) as feed) r"
    " where verdict <> 5 or not exists (select from code c where c.id = r.id and c.expires_at > r.at "
    "offset 0)"
    " order by id, feed on conflict do nothing returning code_id"
    ") delete from code_given g using put_verdict p where g.code_id = p.code_id",
    5, verdict_types};

/* As much written as for a wrong try, so many times. */
static const uint32_t void_types[] = {PG_INT4};
static const struct pg_sql sql_void = {"codes_rule_void",
    "select count(pg_logical_emit_message(true, 'kezek', '0123456789abcdef0123456789abcdef'))"
    " from generate_series(1, $1)",
    1, void_types};

/* A code is over only when it is not being sent again: whoever does that waits, or is waited for. */
static const uint32_t lock_types[] = {PG_INT8_ARRAY};
static const struct pg_sql sql_lock = {
    "codes_rule_lock", "select codes_lock(array(select phone from code where id = any($1)))", 1, lock_types};

/* In a statement of its own, to see what another's commit put there while this one waited for it. */
static const uint32_t stand_types[] = {PG_INT8_ARRAY};
static const struct pg_sql sql_stand = {"codes_stand",
    "select v.code_id, v.verdict, v.key_hash, v.feed from (select distinct unnest($1) as id) q,"
    " lateral (select * from code_verdict where code_id = q.id offset 0) v",
    1, stand_types};

static void codes_put_wrong(struct pg_array *c, const struct code_ruling *r)
{
	pg_array_int(&c[WRONG_ID], (int64_t)r->id);
	pg_array_int(&c[WRONG_TOKEN], r->token);
	pg_array_wall_us(&c[WRONG_AT], r->at_us);
	pg_array_int(&c[WRONG_PHONE], r->phone);
}

static void codes_put_verdict(struct pg_array *c, const struct code_ruling *r)
{
	pg_array_int(&c[VERDICT_ID], (int64_t)r->id);
	pg_array_wall_us(&c[VERDICT_AT], r->at_us);
	pg_array_int(&c[VERDICT_WORD], r->verdict);
	if (r->has_key)
		pg_array_bytes(&c[VERDICT_KEY], r->key_hash, SECRET_HASH);
	else
		pg_array_null(&c[VERDICT_KEY]);
	pg_array_int(&c[VERDICT_FEED], (int64_t)r->feed.first);
}

/* What stands is the last statement, and is not asked without a verdict. */
static void codes_add_verdicts(struct codes *c, const struct lease_slots *slots, struct pg_job *job)
{
	const struct pg_value over = pg_array_value(&c->over);
	struct pg_value values[RULING_COLUMNS - VERDICT_ID];

	lease_fence(feed_lease(c->feed), slots, job);
	if (c->over.n)
		pg_job_add(job, &sql_lock, &over);
	for (int i = VERDICT_ID; i < RULING_COLUMNS; i++)
		values[i - VERDICT_ID] = pg_array_value(&c->columns[i]);
	pg_job_add(job, &sql_verdict, values);
}

static void codes_add_wrong(struct codes *c, struct pg_job *job)
{
	struct pg_value values[VERDICT_ID];

	for (int i = 0; i < VERDICT_ID; i++)
		values[i] = pg_array_value(&c->columns[i]);
	pg_job_add(job, &sql_wrong, values);
}

static void codes_add_void(int32_t n, struct pg_job *job)
{
	uint8_t room[4];
	const struct pg_value value = pg_int4(n, room);

	pg_job_add(job, &sql_void, &value);
}

static void codes_start(struct codes *c)
{
	for (int i = 0; i < RULING_COLUMNS; i++)
		pg_array_start(&c->columns[i], rule_elements[i]);
	pg_array_start(&c->over, PG_INT8);
}

static void codes_build_ruling(void *arg, const struct list *items, struct pg_job *job)
{
	struct codes *c = arg;
	struct lease_slots slots = {0};
	int32_t voids = 0;

	codes_start(c);
	for (struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		struct code_ruling *r = list_entry(n, struct code_ruling, item.node);

		voids += !r->wrong && !r->verdict;
		if (r->wrong)
			codes_put_wrong(c->columns, r);
		if (r->verdict) {
			slots.in[ids_slot(feed_number(c->feed, &r->feed, 1))] = true;
			codes_put_verdict(c->columns, r);
		}
		if (r->verdict == CODE_EXPIRED)
			pg_array_int(&c->over, (int64_t)r->id);
	}
	if (c->columns[VERDICT_ID].n)
		codes_add_verdicts(c, &slots, job);
	if (c->columns[WRONG_ID].n)
		codes_add_wrong(c, job);
	if (voids)
		codes_add_void(voids, job);
	if (c->columns[VERDICT_ID].n) {
		const struct pg_value ids = pg_array_value(&c->columns[VERDICT_ID]);

		pg_job_add(job, &sql_stand, &ids);
	}
}

static struct code_stand codes_stand(const struct code_ruling *r, const struct pg_reply *reply)
{
	struct code_stand s = {.verdict = CODE_OPEN};
	unsigned last = pg_last(reply);
	size_t len;

	for (size_t row = 0; r->verdict && row < pg_rows(reply, last); row++) {
		if ((uint64_t)pg_int(reply, last, row, 0) != r->id)
			continue;
		const char *hash = pg_text(reply, last, row, 2, &len);

		s.verdict = (enum code_verdict)pg_int(reply, last, row, 1);
		s.same_key = r->has_key && len == SECRET_HASH && !memcmp(hash, r->key_hash, SECRET_HASH);
		s.ours = (uint64_t)pg_int(reply, last, row, 3) == r->feed.first;
		break;
	}
	return s;
}

static void codes_on_ruled(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct codes *c = arg;
	struct code_ruling *ruling = list_entry(&item->node, struct code_ruling, item.node);
	char id[IDS_TEXT];

	(void)index;
	if (r == KZ_LOST) {
		codes_rule(c, ruling);
		return;
	}
	const struct code_stand s = codes_stand(ruling, reply);
	feed_release(c->feed, &ruling->feed); /* refused for its values, as each try was: none stands */
	if (r != KZ_OK)
		log_error(ids_text(ruling->id, id), "the database refused a ruling (SQLSTATE %s)",
		    pg_sqlstate(reply));
	if (s.ours)
		metric_add(c->ended[ruling->verdict], 1);
	if (ruling->done)
		ruling->done(ruling->arg, r, &s);
	free(ruling);
}

const struct batch_kind codes_ruling_kind = {"code_ruling", codes_build_ruling, codes_on_ruled};

void codes_rule(struct codes *c, struct code_ruling *r)
{
	if (r->verdict && feed_slot(c->feed) < 0)
		list_append(&c->slotless, &r->item.node);
	else
		batch_add(c->rulings, &r->item);
}

void codes_on_slot(struct codes *c)
{
	struct list waiting;
	struct batch_item *item;

	list_init(&waiting);
	while (c->slotless.count)
		list_append(&waiting, list_take_first(&c->slotless));
	while ((item = batch_take_waiting(c->rulings)) != NULL)
		list_append(&waiting, &item->node);
	while (waiting.count)
		codes_rule(c, list_entry(list_take_first(&waiting), struct code_ruling, item.node));
}

size_t codes_pending(const struct codes *c)
{
	return c->slotless.count + batch_waiting(c->rulings) + batch_in_flight(c->rulings);
}

static void codes_drop(struct codes *c, struct list_node *n)
{
	struct code_ruling *r = list_entry(n, struct code_ruling, item.node);

	feed_release(c->feed, &r->feed);
	free(r);
}

void codes_free(struct codes *c)
{
	struct batch_item *item;

	if (!c)
		return;
	batch_stop(c->rulings);
	while ((item = batch_take_waiting(c->rulings)) != NULL)
		codes_drop(c, &item->node);
	while (c->slotless.count)
		codes_drop(c, list_take_first(&c->slotless));
	batch_free(c->rulings);
	batch_free(c->quests);
	for (int i = 0; i < RULING_COLUMNS; i++)
		pg_array_fini(&c->columns[i]);
	pg_array_fini(&c->over);
	pg_array_fini(&c->n);
	pg_array_fini(&c->ids);
	pg_array_fini(&c->ends);
	pg_array_fini(&c->clients);
	pg_array_fini(&c->tokens);
	free(c);
}

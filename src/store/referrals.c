/* Facts are read without a lock, in one statement a batch. */
#include <stdlib.h>

#include "base/mem.h"
#include "store/referrals_body.h"

static const uint32_t read_types[REFERRALS_READ] = {
    PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY};
/* "offset 0": each row asks the indices, whatever the planner thinks of the tables. */
static const struct pg_sql sql_read = {"referrals_read",
    "select q.i - 1, p.event, r.number, r.application, r.play_group, r.status, r.extended, r.from_at, "
    "r.to_at,"
    "  r.remind_at, r.seq, a.seq, a.status, a.district, a.groups, a.stop_list_until, a.category, a.sealed,"
    "  d.region, o.referred, g.age_from, g.age_to, g.language, k.district, e.region, v.free, v.released_at,"
    "  v.priority_until, v.terms"
    " from unnest($1, $2, $3, $4) with ordinality q(referral, application, play_group, token, i)"
    " left join lateral (select * from place_request x where x.token = q.token and q.token <> 0 offset 0) p "
    "on true"
    " left join lateral (select * from referral x where x.number = coalesce(p.referral, q.referral) offset "
    "0) r"
    "  on true"
    " left join lateral (select * from application x where x.number = coalesce(r.application, q.application)"
    "  offset 0) a on true"
    " left join lateral (select x.region from district x where x.id = a.district offset 0) d on true"
    " left join lateral (select exists (select from referral x where x.application = a.number"
    "  and x.status in (0, 1)) as referred offset 0) o on true"
    " left join lateral (select * from play_group x where x.id = coalesce(r.play_group, q.play_group) offset "
    "0) g"
    "  on true"
    " left join lateral (select x.district from kindergarten x where x.id = g.kindergarten offset 0) k on "
    "true"
    " left join lateral (select x.region from district x where x.id = k.district offset 0) e on true"
    " left join lateral (select * from vacancy x where x.play_group = g.id offset 0) v on true",
    REFERRALS_READ, read_types};

enum fact_column {
	FACT_INDEX,
	FACT_EVENT,
	FACT_NUMBER,
	FACT_OF_APPLICATION,
	FACT_OF_GROUP,
	FACT_STATUS,
	FACT_EXTENDED,
	FACT_FROM,
	FACT_TO,
	FACT_REMIND,
	FACT_REFERRAL_SEQ,
	FACT_SEQ,
	FACT_APPLICATION_STATUS,
	FACT_DISTRICT,
	FACT_LANGUAGES,
	FACT_STOP_LIST,
	FACT_CATEGORY,
	FACT_SEALED,
	FACT_REGION,
	FACT_REFERRED,
	FACT_AGE_FROM,
	FACT_AGE_TO,
	FACT_LANGUAGE,
	FACT_GROUP_DISTRICT,
	FACT_GROUP_REGION,
	FACT_FREE,
	FACT_RELEASED,
	FACT_PRIORITY_UNTIL,
	FACT_TERMS,
};

static void referrals_build_read(void *arg, const struct list *items, struct pg_job *job)
{
	struct referrals *r = arg;
	struct pg_value values[REFERRALS_READ];

	for (int i = 0; i < REFERRALS_READ; i++)
		pg_array_start(&r->read[i], PG_INT8);
	for (struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		const struct referral_quest *q = list_entry(n, struct referral_quest, item.node);
		const int64_t asked[REFERRALS_READ] = {
		    (int64_t)q->referral, (int64_t)q->application, (int64_t)q->play_group, q->token};

		for (int i = 0; i < REFERRALS_READ; i++)
			pg_array_int(&r->read[i], asked[i]);
	}
	for (int i = 0; i < REFERRALS_READ; i++)
		values[i] = pg_array_value(&r->read[i]);
	pg_job_add(job, &sql_read, values);
}

static struct referral_row facts_referral(const struct pg_reply *reply, size_t row)
{
	return (struct referral_row){.number = (uint64_t)pg_int(reply, 0, row, FACT_NUMBER),
	    .application = (uint64_t)pg_int(reply, 0, row, FACT_OF_APPLICATION),
	    .play_group = (uint64_t)pg_int(reply, 0, row, FACT_OF_GROUP),
	    .life = {.status = (enum referral_status)pg_int(reply, 0, row, FACT_STATUS),
	        .extended = pg_int(reply, 0, row, FACT_EXTENDED) != 0,
	        .from_us = pg_wall_us(reply, 0, row, FACT_FROM),
	        .to_us = pg_wall_us(reply, 0, row, FACT_TO)},
	    .remind_us = pg_wall_us(reply, 0, row, FACT_REMIND),
	    .seq = pg_int(reply, 0, row, FACT_REFERRAL_SEQ)};
}

static void facts_put_application(struct referral_facts *f, const struct pg_reply *reply, size_t row)
{
	f->has_application = !pg_is_null(reply, 0, row, FACT_SEQ);
	f->application_seq = pg_int(reply, 0, row, FACT_SEQ);
	f->application = (struct place_application){
	    .status = (enum application_status)pg_int(reply, 0, row, FACT_APPLICATION_STATUS),
	    .referred = pg_int(reply, 0, row, FACT_REFERRED) != 0,
	    .district = pg_int(reply, 0, row, FACT_DISTRICT),
	    .languages = (unsigned)pg_int(reply, 0, row, FACT_LANGUAGES),
	    .stop_list_until_us = pg_wall_us(reply, 0, row, FACT_STOP_LIST)};
	f->category = pg_text(reply, 0, row, FACT_CATEGORY, NULL);
	f->region = pg_text(reply, 0, row, FACT_REGION, NULL);
	f->sealed = pg_text(reply, 0, row, FACT_SEALED, &f->sealed_n);
}

static void facts_put_group(struct referral_facts *f, const struct pg_reply *reply, size_t row)
{
	f->has_group = !pg_is_null(reply, 0, row, FACT_AGE_FROM);
	f->has_vacancy = !pg_is_null(reply, 0, row, FACT_TERMS);
	f->vacancy = (struct place_vacancy){.free = (uint32_t)pg_int(reply, 0, row, FACT_FREE),
	    .age_from = (int)pg_int(reply, 0, row, FACT_AGE_FROM),
	    .age_to = (int)pg_int(reply, 0, row, FACT_AGE_TO),
	    .district = pg_int(reply, 0, row, FACT_GROUP_DISTRICT),
	    .language = (enum language)pg_int(reply, 0, row, FACT_LANGUAGE),
	    .released_us = pg_wall_us(reply, 0, row, FACT_RELEASED),
	    .priority_until_us = pg_wall_us(reply, 0, row, FACT_PRIORITY_UNTIL)};
	f->terms = pg_int(reply, 0, row, FACT_TERMS);
	f->group_region = pg_text(reply, 0, row, FACT_GROUP_REGION, NULL);
}

static void referrals_on_read(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct referral_quest *q = list_entry(&item->node, struct referral_quest, item.node);
	struct referral_facts f = {0};
	size_t row = r == KZ_OK ? batch_row(reply, 0, index) : 0;

	(void)arg;
	if (r == KZ_OK && row < pg_rows(reply, 0)) {
		f.asked_before = !pg_is_null(reply, 0, row, FACT_EVENT);
		f.event = (int)pg_int(reply, 0, row, FACT_EVENT);
		f.has_referral = !pg_is_null(reply, 0, row, FACT_NUMBER);
		f.referral = facts_referral(reply, row);
		facts_put_application(&f, reply, row);
		facts_put_group(&f, reply, row);
	} else if (r == KZ_OK) {
		r = KZ_LOST;
	}
	q->done(q, r, &f);
}

static const struct batch_kind quest_kind = {"referral_read", referrals_build_read, referrals_on_read};

void referrals_read(struct referrals *r, struct referral_quest *q)
{
	batch_add(r->quests, &q->item);
}

struct referrals *referrals_new(
    struct loop *l, struct pg *pg, struct feed *feed, const struct batch_limits *limits)
{
	struct referrals *r = mem_new(sizeof *r);

	r->pg = pg;
	r->feed = feed;
	r->quests = batch_new(l, pg, &quest_kind, limits, r);
	r->changes = batch_new(l, pg, &referrals_change_kind, limits, r);
	return r;
}

void referrals_set_limits(struct referrals *r, const struct batch_limits *limits)
{
	batch_set_limits(r->quests, limits);
	batch_set_limits(r->changes, limits);
}

void referrals_stop(struct referrals *r)
{
	struct batch_item *item;

	batch_stop(r->quests);
	batch_stop(r->changes);
	while (batch_take_waiting(r->quests) != NULL)
		continue;
	while ((item = batch_take_waiting(r->changes)) != NULL)
		feed_abandon(r->feed, &list_entry(item, struct referral_change, item)->feed);
}

void referrals_free(struct referrals *r)
{
	if (!r)
		return;
	referrals_stop(r);
	batch_free(r->quests);
	batch_free(r->changes);
	for (int i = 0; i < REFERRALS_READ; i++)
		pg_array_fini(&r->read[i]);
	for (int i = 0; i < REFERRALS_WRITE; i++)
		pg_array_fini(&r->write[i]);
	pg_array_fini(&r->numbers);
	free(r);
}

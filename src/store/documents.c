/* One transaction: the notice is put where the application is, and what stands is read behind it, since the
 * same request may have been here before. Which region's quiet hours hold is the application's to say: the
 * hour for each region goes along. */
#include "store/documents.h"

#include <string.h>

#include "base/ids.h"
#include "rules/notice.h"
#include "store/pg_array.h"

struct documents_quest {
	documents_done_fn *done;
	void *arg;
};

/* In a statement of its own: of two requests with one key the second sees what the first put. */
static const uint32_t lock_types[] = {PG_INT8};
static const struct pg_sql sql_lock = {
    "documents_lock", "select from application where number = $1 for no key update", 1, lock_types};

static const uint32_t put_types[] = {
    PG_INT8, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT, PG_INT4, PG_TEXT_ARRAY, PG_TIMESTAMPTZ_ARRAY};
static const struct pg_sql sql_put = {"documents_put",
    "select notice_put($1, a.number, 10, $3, coalesce((select r.look_at from unnest($7, $8) r(region, "
    "look_at)"
    "  join district d on d.id = a.district and d.region = r.region), now()), $4, null, $5, null, $6)"
    " from application a where a.number = $2 and a.status <= 2"
    "  and not exists (select from notice n where n.application = a.number and n.kind = 10"
    "   and n.subject = $3 offset 0)",
    8, put_types};

static const uint32_t stand_types[] = {PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT};
static const struct pg_sql sql_stand = {"documents_stand",
    "select n.id is not null, n.until_at = $3 and n.detail = $4 from application a left join lateral ("
    "  select * from notice where application = a.number and kind = 10 and subject = $2 offset 0"
    " ) n on true where a.number = $1",
    4, stand_types};

enum documents_statement { DOCUMENTS_FENCE, DOCUMENTS_LOCK, DOCUMENTS_PUT, DOCUMENTS_STAND };

static enum kz documents_result(enum kz r, const struct pg_reply *reply)
{
	if (r != KZ_OK)
		return KZ_LOST;
	if (!pg_rows(reply, DOCUMENTS_STAND))
		return KZ_NOT_FOUND;
	if (!pg_int(reply, DOCUMENTS_STAND, 0, 0))
		return KZ_EXPIRED;
	return pg_int(reply, DOCUMENTS_STAND, 0, 1) ? KZ_OK : KZ_CONFLICT;
}

static void documents_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct documents_quest *q = arg;

	q->done(q->arg, documents_result(r, reply));
}

static void documents_put_hours(struct pg_array *ids, struct pg_array *hours, const struct regions *regions,
    const struct documents_wish *w)
{
	pg_array_start(ids, PG_TEXT);
	pg_array_start(hours, PG_TIMESTAMPTZ);
	for (size_t i = 0; i < regions_count(regions); i++) {
		const struct region *r = regions_at(regions, i);

		pg_array_text(ids, r->id);
		pg_array_wall_us(hours, notice_due_us(NOTICE_DOCUMENTS, r, w->now_us, w->until_us));
	}
}

enum kz documents_ask(const struct records_base *base, const struct regions *regions,
    const struct documents_wish *w, documents_done_fn *done, void *arg)
{
	const struct documents_quest q = {done, arg};
	struct pg_array ids = {0}, hours = {0};
	struct lease_slots slots = {0};
	uint8_t id[8], number[8], request[8], until[8], key[4];

	if (feed_slot(base->feed) < 0)
		return KZ_BUSY;
	uint64_t notice = base->notice_id(base->arg);
	struct pg_job *job = pg_job_for(base->pg, documents_on_done, &q, sizeof q);
	slots.in[ids_slot(notice)] = true;
	lease_fence(feed_lease(base->feed), &slots, job);
	documents_put_hours(&ids, &hours, regions, w);
	const struct pg_value put[] = {pg_int8((int64_t)notice, id), pg_int8((int64_t)w->application, number),
	    pg_int8(w->request, request), pg_timestamp(w->until_us, until), pg_string(w->place),
	    pg_int4(w->api_key, key), pg_array_value(&ids), pg_array_value(&hours)};
	pg_job_add(job, &sql_lock, &put[1]);
	pg_job_add(job, &sql_put, put);
	const struct pg_value stand[] = {put[1], put[2], put[3], put[4]};
	pg_job_add(job, &sql_stand, stand);
	pg_array_fini(&ids);
	pg_array_fini(&hours);
	return pg_job_run(job, NULL);
}

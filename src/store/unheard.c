#include "store/unheard.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pg_array.h"

struct unheard_quest {
	struct feed *feed;
	struct feed_hold hold; /* a number for each message that is looked at */
	unheard_fn *done;
	void *arg;
};

static const uint32_t unheard_types[] = {PG_INT4, PG_INT8, PG_TIMESTAMPTZ, PG_INT4, PG_INT8};
static const struct pg_sql sql_unheard = {
    "unheard_end", "select looked, ended, stuck from messages_unheard($1, $2, $3, $4, $5)", 5, unheard_types};

static void unheard_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct unheard_quest *q = arg;
	bool stuck = pg_int(reply, 1, 0, 2) != 0;

	feed_heard(q->feed, &q->hold, r, reply);
	feed_release(q->feed, &q->hold);
	q->done(q->arg, r, (size_t)pg_int(reply, 1, 0, 1), !stuck && pg_int(reply, 1, 0, 0) == UNHEARD_MOST);
	free(q);
}

enum kz unheard_end(struct pg *pg, struct feed *feed, uint8_t slot, uint64_t upto, int64_t before_us,
    unheard_fn *done, void *arg)
{
	struct unheard_quest *q;
	struct lease_slots slots = {0};
	uint8_t slot_room[4], upto_room[8], before_room[8], most_room[4], first_room[8];

	if (!feed_is_sure(feed))
		return KZ_BUSY;
	q = mem_new(sizeof *q);
	*q = (struct unheard_quest){.feed = feed, .done = done, .arg = arg};
	const struct pg_value values[] = {pg_int4(slot, slot_room), pg_int8((int64_t)upto, upto_room),
	    pg_timestamp(before_us, before_room), pg_int4(UNHEARD_MOST, most_room),
	    pg_int8((int64_t)feed_number(feed, &q->hold, UNHEARD_MOST), first_room)};
	struct pg_job *job = pg_job_new(pg, unheard_on_done, q);
	slots.in[slot] = slots.in[ids_slot(q->hold.first)] = true;
	lease_fence(feed_lease(feed), &slots, job);
	pg_job_add(job, &sql_unheard, values);
	if (pg_job_run(job, NULL) == KZ_OK)
		return KZ_OK;
	feed_release(feed, &q->hold);
	free(q);
	return KZ_BUSY;
}

#include "store/holders.h"

#include "store/pg_array.h"
#include "store/records_body.h"

struct holders_quest {
	const struct keyring *keyring;
	holders_each_fn *each;
	holders_done_fn *done;
	void *arg;
};

#define CONFIRMED(phone)                                                                                     \
	"((a.phone1 = " phone " and a.verified & 1 <> 0) or (a.phone2 = " phone " and a.verified & 2 <> 0))"

/* Each phone has an index of its own: two arms, as an "or" would look at all rows. */
#define OF(phone)                                                                                            \
	"(select * from application where phone1 = " phone                                                   \
	" union select * from application where phone2 = " phone ") a"

static const uint32_t types[] = {PG_INT8, PG_INT8, PG_INT4};
static const struct pg_sql sql = {"holders_find",
    "select a.number, a.phone2 = $1 and a.verified & 2 <> 0 and not (a.phone1 = $1 and a.verified & 1 <> 0),"
    " a.phone1 = $2 or a.phone2 = $2, " RECORDS_APPLICATION
    " from " OF("$1") " where " CONFIRMED("$1") " and $2 is not null order by a.number limit $3",
    3, types};
static const struct pg_sql sql_others = {"holders_others",
    "select 1 from " OF("$2") " where " CONFIRMED("$2") " and not coalesce(" CONFIRMED(
        "$1") ", false) and $3 > 0 limit 1",
    3, types};
enum holders_column { HOLDER_NUMBER, HOLDER_PLACE, HOLDER_OWN, HOLDER_APPLICATION };

static void holders_tell(const struct holders_quest *q, const struct pg_reply *reply, size_t row)
{
	struct record r = {.id = (uint64_t)pg_int(reply, 0, row, HOLDER_NUMBER)};
	bool opened = records_read_application(q->keyring, reply, 0, row, HOLDER_APPLICATION, &r);

	q->each(q->arg, &r, (unsigned)pg_int(reply, 0, row, HOLDER_PLACE), opened);
	record_wipe(&r);
}

static void holders_on_found(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct holders_quest *q = arg;
	bool own = false;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		own = own || pg_int(reply, 0, row, HOLDER_OWN);
		holders_tell(q, reply, row);
	}
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST, own, r == KZ_OK && pg_rows(reply, 1) > 0);
}

enum kz holders_find(struct pg *pg, const struct keyring *k, const struct holders_wish *w,
    holders_each_fn *each, holders_done_fn *done, void *arg)
{
	const struct holders_quest q = {k, each, done, arg};
	struct pg_job *job = pg_job_for(pg, holders_on_found, &q, sizeof q);
	uint8_t phone[8], next[8], most[4];
	const struct pg_value values[] = {
	    pg_int8(w->phone, phone), pg_int8(w->next, next), pg_int4(HOLDERS_MOST, most)};

	pg_job_add(job, &sql, values);
	pg_job_add(job, &sql_others, values);
	return pg_job_run(job, NULL);
}

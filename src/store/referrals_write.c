/* What is written goes one batch after the other: on the server it would wait for the one before anyway, and
 * hold a connection meanwhile. A change that was lost keeps its number of the feed, so that it is told once,
 * however often it is tried again. */
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "store/referrals_body.h"

/* One array each: a change's values stand at the same place of all, in the order of place_change. */
/* clang-format off */
#define CHANGE_ARRAYS(X) \
	X(CHANGE_REFERRAL, PG_INT8) X(CHANGE_REFERRAL_SEQ, PG_INT8) X(CHANGE_APPLICATION, PG_INT8) \
	X(CHANGE_APPLICATION_SEQ, PG_INT8) X(CHANGE_GROUP, PG_INT8) X(CHANGE_TERMS, PG_INT8) \
	X(CHANGE_FREED, PG_BOOL) X(CHANGE_PRIORITY_UNTIL, PG_TIMESTAMPTZ) X(CHANGE_STATUS, PG_INT2) \
	X(CHANGE_EXTENDED, PG_BOOL) X(CHANGE_FROM, PG_TIMESTAMPTZ) X(CHANGE_TO, PG_TIMESTAMPTZ) \
	X(CHANGE_REMIND, PG_TIMESTAMPTZ) X(CHANGE_APPLICATION_STATUS, PG_INT2) \
	X(CHANGE_STOP_LIST, PG_TIMESTAMPTZ) X(CHANGE_TIER, PG_TEXT) X(CHANGE_SHARES, PG_TEXT) \
	X(CHANGE_TOKEN, PG_INT8) X(CHANGE_EVENT, PG_INT2) X(CHANGE_VIA, PG_INT2) X(CHANGE_CALLER, PG_INT8) \
	X(CHANGE_AT, PG_TIMESTAMPTZ) X(CHANGE_NOTICE, PG_INT8) X(CHANGE_NOTICE_KIND, PG_INT2) \
	X(CHANGE_LOOK, PG_TIMESTAMPTZ) X(CHANGE_UNTIL, PG_TIMESTAMPTZ) X(CHANGE_NEWS, PG_INT8) \
	X(CHANGE_NEWS_KIND, PG_INT2)
/* clang-format on */

#define COLUMN(name, type)  name,
#define TYPE(name, type)    type##_ARRAY,
#define ELEMENT(name, type) type,
enum change_column { CHANGE_ARRAYS(COLUMN) CHANGE_COLUMNS };
_Static_assert(CHANGE_COLUMNS == REFERRALS_WRITE, "an array each");
static const uint32_t write_types[CHANGE_COLUMNS] = {CHANGE_ARRAYS(TYPE)};
static const enum pg_type write_elements[CHANGE_COLUMNS] = {CHANGE_ARRAYS(ELEMENT)};
#undef COLUMN
#undef TYPE
#undef ELEMENT

/* From 1 on, as they were put. */
static const struct pg_sql sql_write = {"referrals_write",
    "select i, referral from places_write(array(select row(u.*)::place_change from unnest($1, $2, $3, $4, $5,"
    " $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, "
    "$27, $28)"
    " with ordinality u))",
    CHANGE_COLUMNS, write_types};

/* What was given up before it began is refused: feed_shut. */
static const uint32_t open_types[] = {PG_INT8_ARRAY};
static const struct pg_sql sql_open = {
    "referrals_open", "select feed_open(f) from unnest($1) f", 1, open_types};

enum write_statement { WRITE_FENCE, WRITE_OPEN, WRITE_ROWS };

static void put_or_null(struct pg_array *a, bool there, int64_t v)
{
	if (there)
		pg_array_int(a, v);
	else
		pg_array_null(a);
}

/* None has the seq of what was dropped. */
static void change_put_referral(struct pg_array *c, const struct referral_judged *x, bool dropped)
{
	const struct referral_row *r = &x->referral;

	put_or_null(&c[CHANGE_REFERRAL], r->number, (int64_t)r->number);
	put_or_null(&c[CHANGE_REFERRAL_SEQ], r->seq, r->seq);
	pg_array_int(&c[CHANGE_APPLICATION], (int64_t)r->application);
	pg_array_int(&c[CHANGE_APPLICATION_SEQ], dropped ? -1 : x->application_seq);
	pg_array_int(&c[CHANGE_GROUP], (int64_t)r->play_group);
	put_or_null(&c[CHANGE_TERMS], x->takes, x->terms);
	pg_array_int(&c[CHANGE_FREED], x->frees);
	pg_array_wall_us(&c[CHANGE_PRIORITY_UNTIL], x->priority_until_us);
	pg_array_int(&c[CHANGE_STATUS], r->life.status);
	pg_array_int(&c[CHANGE_EXTENDED], r->life.extended);
	pg_array_wall_us(&c[CHANGE_FROM], r->life.from_us);
	pg_array_wall_us(&c[CHANGE_TO], r->life.to_us);
	pg_array_wall_us(&c[CHANGE_REMIND], r->remind_us);
	pg_array_int(&c[CHANGE_APPLICATION_STATUS], x->application);
	pg_array_wall_us(&c[CHANGE_STOP_LIST], x->stop_list_until_us);
}

/* news: its number, 0: nobody is told. */
static void change_put_rest(struct pg_array *c, const struct referral_judged *x, uint64_t news)
{
	pg_array_text(&c[CHANGE_TIER], x->tier);
	pg_array_text(&c[CHANGE_SHARES], x->shares);
	pg_array_int(&c[CHANGE_TOKEN], x->token);
	pg_array_int(&c[CHANGE_EVENT], x->event);
	pg_array_int(&c[CHANGE_VIA], x->via);
	put_or_null(&c[CHANGE_CALLER], x->caller, x->caller);
	pg_array_wall_us(&c[CHANGE_AT], x->at_us);
	put_or_null(&c[CHANGE_NOTICE], x->notice, (int64_t)x->notice);
	pg_array_int(&c[CHANGE_NOTICE_KIND], x->notice_kind);
	pg_array_wall_us(&c[CHANGE_LOOK], x->look_us);
	pg_array_wall_us(&c[CHANGE_UNTIL], x->until_us);
	put_or_null(&c[CHANGE_NEWS], news, (int64_t)news);
	put_or_null(&c[CHANGE_NEWS_KIND], news, x->news);
}

static uint64_t change_number(struct referrals *r, struct referral_change *x, struct lease_slots *slots)
{
	uint64_t number;

	if (x->dropped)
		return 0;
	if (x->judged.notice)
		slots->in[ids_slot(x->judged.notice)] = true;
	if (x->judged.news < 0 || (!x->feed.first && feed_slot(r->feed) < 0))
		return 0;
	number = feed_number(r->feed, &x->feed, 1);
	slots->in[ids_slot(number)] = true;
	pg_array_int(&r->numbers, (int64_t)number);
	return number;
}

/* Behind the fence of the own slot, whatever is written: when this process is stopped in the middle of it,
 * whoever takes the slot over ends the writer, and places_lock is free again. While none is held the fence
 * refuses any. */
static uint8_t change_slot(const struct referrals *r)
{
	int slot = feed_slot(r->feed);

	return (uint8_t)(slot < 0 ? 0 : slot);
}

static void referrals_build_write(void *arg, const struct list *items, struct pg_job *job)
{
	struct referrals *r = arg;
	struct pg_value values[CHANGE_COLUMNS];
	struct lease_slots slots = {0};

	for (int i = 0; i < CHANGE_COLUMNS; i++)
		pg_array_start(&r->write[i], write_elements[i]);
	pg_array_start(&r->numbers, PG_INT8);
	slots.in[change_slot(r)] = true;
	for (struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		struct referral_change *x = list_entry(n, struct referral_change, item.node);

		change_put_referral(r->write, &x->judged, x->dropped);
		change_put_rest(r->write, &x->judged, change_number(r, x, &slots));
	}
	for (int i = 0; i < CHANGE_COLUMNS; i++)
		values[i] = pg_array_value(&r->write[i]);
	const struct pg_value numbers = pg_array_value(&r->numbers);
	lease_fence(feed_lease(r->feed), &slots, job);
	pg_job_add(job, &sql_open, &numbers);
	pg_job_add(job, &sql_write, values);
}

void referrals_abandon(struct referrals *r, struct referral_change *x)
{
	feed_release(r->feed, &x->feed);
}

static void referrals_on_written(
    void *arg, struct batch_item *item, enum kz kz, const struct pg_reply *reply, size_t index)
{
	struct referrals *r = arg;
	struct referral_change *x = list_entry(&item->node, struct referral_change, item.node);
	size_t row = kz == KZ_OK ? batch_row(reply, WRITE_ROWS, index + 1) : 0;
	uint64_t number = 0;

	if (kz == KZ_REFUSED)
		log_error("places", "the database refuses a change (SQLSTATE %s)", pg_sqlstate(reply));
	if (kz == KZ_OK && row < pg_rows(reply, WRITE_ROWS))
		number = (uint64_t)pg_int(reply, WRITE_ROWS, row, 1);
	else if (kz == KZ_OK)
		kz = KZ_CONFLICT;
	feed_heard(r->feed, &x->feed, kz, reply);
	x->done(x, kz, number);
}

const struct batch_kind referrals_change_kind = {
    "referral_write", referrals_build_write, referrals_on_written};

void referrals_write(struct referrals *r, struct referral_change *x)
{
	batch_add(r->changes, &x->item);
}

/* A page walks one index of each slot, and shows what has been due for the longest of all: it costs a page a
 * slot, and a slot with thousands does not keep the others waiting. Numbers of applications have an index
 * and a share of the page of their own, so that they never stand behind the thousands that become due when
 * the quiet hours end. */
#include "store/notice_desk.h"

#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/pg_array.h"

enum due_column {
	DUE_ID,
	DUE_APPLICATION,
	DUE_KIND,
	DUE_STATE,
	DUE_SUBJECT,
	DUE_UNTIL,
	DUE_ALARM,
	DUE_DETAIL,
	DUE_SEALED,
	DUE_CALLER,
	DUE_API_KEY,
	DUE_SENDS,
	DUE_MAILS,
	DUE_STATUS,
	DUE_CHANNEL,
	DUE_LANGUAGE,
	DUE_REGION,
	DUE_PERSON,
	DUE_REFERRAL,
	DUE_REFERRAL_TO,
	DUE_FREE,
	DUE_NAME_KK,
	DUE_NAME_RU,
	DUE_NAME_EN,
	DUE_MESSAGE,
	DUE_MESSAGE_STATE,
	DUE_SUBMITTED,
	DUE_CARRIER,
	DUE_LINK,
	DUE_TO_SECOND,
	DUE_ARRIVED
};

static const uint32_t read_types[] = {PG_INT4_ARRAY, PG_TIMESTAMPTZ, PG_INT4, PG_INT4, PG_INT8_ARRAY};
/* "offset 0" and "limit": each row asks the indices. */
static const struct pg_sql sql_read = {"notice_desk_read",
    "with page as materialized ("
    " (select n.* from unnest($1) s(slot), lateral (select * from notice"
    "  where ((id >> 14) & 255) = s.slot and look_at <= $2 and kind = 0 and id <> all($5)"
    "  order by look_at limit $3) n order by n.look_at limit $3)"
    " union all"
    " (select n.* from unnest($1) s(slot), lateral (select * from notice"
    "  where ((id >> 14) & 255) = s.slot and look_at <= $2 and kind <> 0 and id <> all($5)"
    "  order by look_at limit $4) n order by n.look_at limit $4)"
    ") select n.id, n.application, n.kind, n.state, n.subject, n.until_at, n.alarm_at, n.detail,"
    "  n.sealed, n.caller, n.api_key, n.sends, n.mails, a.status, a.channel, a.language, d.region, a.sealed,"
    "  r.status, r.to_at, v.play_group is not null, k.name_kk, k.name_ru, k.name_en, n.message,"
    "  coalesce(f.state, case when u.at is null then 0 else 1 end), u.at, coalesce(u.carrier, ''),"
    "  coalesce(u.link, ''), coalesce(p.phone = a.phone2, false), w.arrived"
    " from page n"
    " join lateral (select * from application where number = n.application offset 0) a on true"
    " join lateral (select region from district where id = a.district offset 0) d on true"
    " left join lateral (select * from referral"
    "  where n.kind between 1 and 8 and number = n.subject offset 0) r on true"
    " left join lateral (select kindergarten from play_group"
    "  where id = case when n.kind = 9 then n.subject else r.play_group end offset 0) g on true"
    " left join lateral (select play_group from vacancy"
    "  where n.kind = 9 and play_group = n.subject and free > 0 offset 0) v on true"
    " left join lateral (select * from kindergarten where id = g.kindergarten offset 0) k on true"
    " left join lateral (select e.state from message_event e where e.message_id = n.message and e.final"
    "  order by e.at, e.kind, e.feed limit 1) f on true"
    " left join lateral (select e.at, e.carrier, e.link from message_event e"
    "  where e.message_id = n.message and e.kind = 1 order by e.at desc limit 1) u on true"
    " left join lateral (select phone from message_person where id = n.message offset 0) p on true,"
    " lateral (select exists (select from unnest(n.earlier || n.message) x(id), lateral ("
    "  select from message_event e where e.message_id = x.id and e.final and e.state = 6 offset 0) y)"
    "  as arrived) w",
    5, read_types};

struct desk_quest {
	notice_due_fn *each;
	notice_desk_read_fn *done;
	void *arg;
	size_t most;
};

static const void *desk_bytes(const struct pg_reply *reply, size_t row, int column, size_t *ret_n)
{
	const char *bytes = pg_text(reply, 0, row, column, ret_n);

	return pg_is_null(reply, 0, row, column) ? NULL : bytes;
}

static const char *desk_text(const struct pg_reply *reply, size_t row, int column)
{
	return pg_is_null(reply, 0, row, column) ? NULL : pg_text(reply, 0, row, column, NULL);
}

/* What stands in the notice itself. */
static struct notice_due desk_row(const struct pg_reply *reply, size_t row)
{
	struct notice_due d = {.id = (uint64_t)pg_int(reply, 0, row, DUE_ID),
	    .application = (uint64_t)pg_int(reply, 0, row, DUE_APPLICATION),
	    .kind = (enum notice_kind)pg_int(reply, 0, row, DUE_KIND),
	    .state = (enum notice_state)pg_int(reply, 0, row, DUE_STATE),
	    .subject = pg_int(reply, 0, row, DUE_SUBJECT),
	    .caller = pg_int(reply, 0, row, DUE_CALLER),
	    .until_us = pg_wall_us(reply, 0, row, DUE_UNTIL),
	    .alarm_us = pg_wall_us(reply, 0, row, DUE_ALARM),
	    .detail = desk_text(reply, row, DUE_DETAIL),
	    .api_key = (int32_t)pg_int(reply, 0, row, DUE_API_KEY),
	    .sends = (unsigned)pg_int(reply, 0, row, DUE_SENDS),
	    .mails = (int)pg_int(reply, 0, row, DUE_MAILS)};

	d.sealed = desk_bytes(reply, row, DUE_SEALED, &d.sealed_n);
	return d;
}

static void desk_read_facts(const struct pg_reply *reply, size_t row, struct notice_due *d)
{
	d->status = (enum application_status)pg_int(reply, 0, row, DUE_STATUS);
	d->channel = (enum notice_channel)pg_int(reply, 0, row, DUE_CHANNEL);
	d->language = (enum language)pg_int(reply, 0, row, DUE_LANGUAGE);
	d->region = pg_text(reply, 0, row, DUE_REGION, NULL);
	d->person = pg_text(reply, 0, row, DUE_PERSON, &d->person_n);
	d->has_referral = !pg_is_null(reply, 0, row, DUE_REFERRAL);
	d->referral = (enum referral_status)pg_int(reply, 0, row, DUE_REFERRAL);
	d->referral_to_us = pg_wall_us(reply, 0, row, DUE_REFERRAL_TO);
	d->free = pg_int(reply, 0, row, DUE_FREE) != 0;
	for (int l = 0; l < LANGUAGES; l++)
		d->kindergarten[l] = desk_text(reply, row, DUE_NAME_KK + l);
	d->message = (uint64_t)pg_int(reply, 0, row, DUE_MESSAGE);
	d->message_state = (enum message_state)pg_int(reply, 0, row, DUE_MESSAGE_STATE);
	d->submitted_us = pg_wall_us(reply, 0, row, DUE_SUBMITTED);
	d->carrier = pg_text(reply, 0, row, DUE_CARRIER, NULL);
	d->link = pg_text(reply, 0, row, DUE_LINK, NULL);
	d->to_second = pg_int(reply, 0, row, DUE_TO_SECOND) != 0;
	d->arrived = pg_int(reply, 0, row, DUE_ARRIVED) != 0;
}

static void desk_on_read(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct desk_quest *q = arg;
	size_t n = r == KZ_OK ? pg_rows(reply, 0) : 0;

	for (size_t row = 0; row < n; row++) {
		struct notice_due d = desk_row(reply, row);

		desk_read_facts(reply, row, &d);
		q->each(q->arg, &d);
	}
	q->done(q->arg, r, n >= q->most);
}

enum kz notice_desk_read(struct pg *pg, const struct notice_page *p, notice_due_fn *each,
    notice_desk_read_fn *done, void *arg, uint64_t *ret_ticket)
{
	const struct desk_quest q = {
	    each, done, arg, (size_t)(p->numbers < p->others ? p->numbers : p->others)};
	struct pg_job *job = pg_job_for(pg, desk_on_read, &q, sizeof q);
	struct pg_array slots = {0}, busy = {0};
	uint8_t now[8], numbers[4], others[4];

	pg_array_start(&slots, PG_INT4);
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (p->held[slot])
			pg_array_int(&slots, slot);
	pg_array_start(&busy, PG_INT8);
	for (size_t i = 0; i < p->busy_n; i++)
		pg_array_int(&busy, (int64_t)p->busy[i]);
	const struct pg_value values[] = {pg_array_value(&slots), pg_timestamp(p->now_us, now),
	    pg_int4(p->numbers, numbers), pg_int4(p->others, others), pg_array_value(&busy)};
	pg_job_add(job, &sql_read, values);
	enum kz r = pg_job_run(job, ret_ticket);
	pg_array_fini(&slots);
	pg_array_fini(&busy);
	return r;
}

static const uint32_t hear_types[] = {PG_INT8_ARRAY};
static const struct pg_sql sql_hear = {"notice_desk_hear", "select notices_hear($1)", 1, hear_types};

/* One question that has no rows. */
struct desk_done_quest {
	notice_desk_done_fn *done;
	void *arg;
};

static void desk_on_heard(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct desk_done_quest *q = arg;

	(void)reply;
	q->done(q->arg, r);
}

enum kz notice_desk_hear(struct pg *pg, const uint64_t *messages, size_t n, notice_desk_done_fn *done,
    void *arg, uint64_t *ret_ticket)
{
	const struct desk_done_quest q = {done, arg};
	struct pg_job *job = pg_job_for(pg, desk_on_heard, &q, sizeof q);
	struct pg_array ids = {0};

	pg_array_start(&ids, PG_INT8);
	for (size_t i = 0; i < n; i++)
		pg_array_int(&ids, (int64_t)messages[i]);
	const struct pg_value value = pg_array_value(&ids);
	pg_job_add(job, &sql_hear, &value);
	enum kz r = pg_job_run(job, ret_ticket);
	pg_array_fini(&ids);
	return r;
}

/* Sealed: the language, the digits of child and parent, the two phones in octets. */
#include "store/enrolments.h"

#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "store/applicant.h"
#include "store/person.h"
#include "store/pg_array.h"

#define DOMAIN "enrolment"
#define OCTETS (1 + 2 * IIN_DIGITS + 8 * ENROLMENT_PHONES)

bool enrolment_is_had(enum application_status s)
{
	return s != APPLICATION_WITHDRAWN && s != APPLICATION_ANNULLED && s != APPLICATION_ARCHIVED;
}

static void enrolment_seal(const struct keyring *k, uint64_t id, const struct enrolment *e, struct buf *out)
{
	uint8_t octets[OCTETS], *at = octets;

	*at++ = (uint8_t)e->language;
	memcpy(at, e->child.digits, IIN_DIGITS);
	memcpy(at + IIN_DIGITS, e->parent.digits, IIN_DIGITS);
	at += 2 * (size_t)IIN_DIGITS;
	for (size_t i = 0; i < ENROLMENT_PHONES; i++)
		for (int shift = 56; shift >= 0; shift -= 8)
			*at++ = (uint8_t)(e->phones[i].digits >> shift);
	keyring_seal(k, DOMAIN, id, octets, sizeof octets, out);
	secret_wipe(octets, sizeof octets);
}

static bool enrolment_read(const uint8_t octets[OCTETS], struct enrolment *ret)
{
	const char *persons = (const char *)octets + 1;
	const uint8_t *at = octets + 1 + 2 * IIN_DIGITS;
	struct iin_refusal why;
	bool good = octets[0] < LANGUAGES && iin_parse(persons, IIN_DIGITS, &ret->child, &why) == KZ_OK &&
	            iin_parse(persons + IIN_DIGITS, IIN_DIGITS, &ret->parent, &why) == KZ_OK;

	ret->language = (enum language)octets[0];
	for (size_t i = 0; good && i < ENROLMENT_PHONES; i++) {
		uint64_t digits = 0;

		for (int n = 0; n < 8; n++)
			digits = digits << 8 | *at++;
		good = msisdn_from_digits(digits, &ret->phones[i]) == KZ_OK;
	}
	return good;
}

static enum kz enrolment_open(
    const struct keyring *k, uint64_t id, const void *sealed, size_t n, struct enrolment *ret)
{
	struct buf clear = {.wiped = true};
	bool good = keyring_open(k, DOMAIN, id, sealed, n, &clear) == KZ_OK && clear.len == OCTETS &&
	            enrolment_read((const uint8_t *)clear.data, ret);

	buf_wipe(&clear);
	return good ? KZ_OK : KZ_INVALID;
}

struct enrolment_quest {
	struct feed *feed;
	struct feed_hold hold;
	enrolment_add_fn *done;
	void *arg;
};

static const uint32_t put_types[] = {
    PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_BYTEA, PG_INT4_ARRAY, PG_INT4, PG_INT4, PG_BYTEA};
static const struct pg_sql sql_put = {
    "enrolment_put", "select enrolment_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", 10, put_types};

static void enrolment_on_put(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct enrolment_quest *q = arg;

	feed_heard(q->feed, &q->hold, r, reply);
	feed_release(q->feed, &q->hold);
	q->done(q->arg, r, (enum enrolment_verdict)pg_int(reply, 1, 0, 0));
	free(q);
}

static struct pg_value enrolment_had(struct pg_array *room)
{
	pg_array_start(room, PG_INT4);
	for (enum application_status s = 0; s < APPLICATION_STATUSES; s++)
		if (enrolment_is_had(s))
			pg_array_int(room, s);
	return pg_array_value(room);
}

static struct pg_job *enrolment_job(
    struct pg *pg, const struct keyring *k, struct enrolment_quest *q, const struct enrolment_wish *w)
{
	struct pg_job *job = pg_job_new(pg, enrolment_on_put, q);
	struct lease_slots slots = {0};
	struct pg_array had = {0};
	struct buf sealed = {0};
	uint8_t feed[8], token[8], child[8], phone[8], now[8], kind[4], via[4];
	uint64_t number = feed_number(q->feed, &q->hold, 1);

	enrolment_seal(k, number, &w->enrolment, &sealed);
	const struct pg_value values[] = {pg_int8((int64_t)number, feed), pg_int8(w->token, token),
	    pg_int8(applicant_iin(k, &w->enrolment.child), child),
	    pg_int8(person_phone(k, w->enrolment.phones[0]), phone), pg_timestamp(w->now_us, now),
	    {sealed.data, sealed.len}, enrolment_had(&had), pg_int4(NEWS_REQUESTED, kind),
	    pg_int4((int32_t)w->via, via), owed_sealed(w->owed)};

	slots.in[ids_slot(number)] = true;
	lease_fence(feed_lease(q->feed), &slots, job);
	pg_job_add(job, &sql_put, values);
	pg_array_fini(&had);
	buf_fini(&sealed);
	return job;
}

enum kz enrolment_add(struct pg *pg, struct feed *feed, const struct keyring *k,
    const struct enrolment_wish *w, enrolment_add_fn *done, void *arg)
{
	struct enrolment_quest *q;

	if (!feed_is_sure(feed))
		return KZ_BUSY;
	q = mem_new(sizeof *q);
	*q = (struct enrolment_quest){.feed = feed, .done = done, .arg = arg};
	if (pg_job_run(enrolment_job(pg, k, q, w), NULL) == KZ_OK)
		return KZ_OK;
	feed_release(feed, &q->hold);
	free(q);
	return KZ_BUSY;
}

struct enrolment_look {
	const struct keyring *keyring;
	uint64_t id;
	enrolment_done_fn *done;
	enrolment_show_fn *show;
	void *arg;
};

static void enrolment_on_rows(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct enrolment_look *q = arg;

	q->done(q->arg, r != KZ_OK ? KZ_LOST : pg_rows(reply, 0) ? KZ_OK : KZ_NOT_FOUND);
}

static const uint32_t id_types[] = {PG_INT8};
static const struct pg_sql sql_ask = {
    "enrolment_ask", "select id from enrolment where child_iin = $1 and ended_at is null", 1, id_types};
static const struct pg_sql sql_end = {"enrolment_end",
    "update enrolment set ended_at = coalesce(ended_at, now()), sealed = null where id = $1 returning id", 1,
    id_types};
static const struct pg_sql sql_show = {
    "enrolment_show", "select at, sealed from enrolment where id = $1 and ended_at is null", 1, id_types};

static enum kz enrolment_run(
    struct pg *pg, const struct pg_sql *sql, int64_t value, pg_done_fn *on, struct enrolment_look q)
{
	uint8_t room[8];
	const struct pg_value v = pg_int8(value, room);

	return pg_ask(pg, sql, &v, on, &q, sizeof q);
}

enum kz enrolment_ask(struct pg *pg, int64_t child, enrolment_done_fn *done, void *arg)
{
	return enrolment_run(
	    pg, &sql_ask, child, enrolment_on_rows, (struct enrolment_look){.done = done, .arg = arg});
}

enum kz enrolment_end(struct pg *pg, uint64_t id, enrolment_done_fn *done, void *arg)
{
	return enrolment_run(
	    pg, &sql_end, (int64_t)id, enrolment_on_rows, (struct enrolment_look){.done = done, .arg = arg});
}

static void enrolment_on_shown(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct enrolment_look *q = arg;
	struct enrolment e = {0};
	size_t len;

	if (r != KZ_OK) {
		r = KZ_LOST;
	} else if (!pg_rows(reply, 0)) {
		r = KZ_NOT_FOUND;
	} else {
		const char *sealed = pg_text(reply, 0, 0, 1, &len);

		r = enrolment_open(q->keyring, q->id, sealed, len, &e);
	}
	q->show(q->arg, r, &e, pg_wall_us(reply, 0, 0, 0));
	secret_wipe(&e, sizeof e);
}

enum kz enrolment_show(
    struct pg *pg, const struct keyring *k, uint64_t id, enrolment_show_fn *done, void *arg)
{
	return enrolment_run(pg, &sql_show, (int64_t)id, enrolment_on_shown,
	    (struct enrolment_look){.keyring = k, .id = id, .show = done, .arg = arg});
}

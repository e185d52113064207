/* Two transactions for any number of records: the first reads what stands, the second writes. What was read
 * may be other by then, so that what has a seq is written only where it is as it was seen; else all are read
 * again. To lock what is read instead would hold a place's giver up for a turn through this process. */
#include "store/records.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "store/records_body.h"

#define TRIES_MOST 8 /* each was overtaken by another's change of the same record */

static const char *const kind_names[RECORD_KINDS] = {
    "district", "kindergarten", "group", "vacancy", "application"};
static const char *const verdict_names[RECORD_VERDICTS] = {"same", "created", "changed", "unknown_region",
    "unknown_district", "unknown_kindergarten", "unknown_group", "unknown_category", "referral_open",
    "changed_meanwhile"};

const char *record_kind_name(enum record_kind k)
{
	return (unsigned)k < RECORD_KINDS ? kind_names[k] : "unknown";
}

enum kz record_kind_parse(const char *text, enum record_kind *ret)
{
	for (enum record_kind k = 0; k < RECORD_KINDS; k++)
		if (!strcmp(text, kind_names[k])) {
			*ret = k;
			return KZ_OK;
		}
	return KZ_INVALID;
}

const char *record_verdict_name(enum record_verdict v)
{
	return (unsigned)v < RECORD_VERDICTS ? verdict_names[v] : "unknown";
}

void record_wipe(struct record *r)
{
	secret_wipe(r, sizeof *r);
}

struct records *records_new(const struct records_base *base, size_t most)
{
	struct records *s = mem_new(sizeof *s);

	assert(most >= 1 && most <= RECORDS_MOST);
	s->base = *base;
	s->most = most;
	s->rows = mem_array(most, sizeof *s->rows);
	s->keys = mem_array(most, sizeof *s->keys);
	return s;
}

static uint64_t records_key(enum record_kind kind, uint64_t id)
{
	return (uint64_t)kind << 32 | id;
}

struct records_row *records_find(const struct records *s, enum record_kind kind, uint64_t id)
{
	uint64_t key = records_key(kind, id);

	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i] == key)
			return &s->rows[i];
	return NULL;
}

enum kz records_add(struct records *s, const struct record *r, int32_t api_key, size_t *ret_index)
{
	assert(r->id >= 1 && r->id <= RECORD_ID_MAX && !s->ticket);
	if (s->n == s->most || records_find(s, r->kind, r->id))
		return KZ_BUSY;
	s->rows[s->n] = (struct records_row){.record = *r, .api_key = api_key};
	s->keys[s->n] = records_key(r->kind, r->id);
	*ret_index = s->n++;
	return KZ_OK;
}

size_t records_count(const struct records *s)
{
	return s->n;
}

const struct record *records_at(const struct records *s, size_t i)
{
	return &s->rows[i].record;
}

enum record_verdict records_verdict(const struct records *s, size_t i)
{
	return s->rows[i].verdict;
}

int64_t records_seq(const struct records *s, size_t i)
{
	return s->rows[i].seq + records_row_is_written(&s->rows[i]);
}

void records_clear(struct records *s)
{
	assert(!s->ticket);
	secret_wipe(s->rows, s->n * sizeof *s->rows);
	s->n = 0;
}

static void records_count_row(const struct records_row *row)
{
	char labels[80];

	snprintf(labels, sizeof labels, "kind=\"%s\",verdict=\"%s\"", record_kind_name(row->record.kind),
	    record_verdict_name(row->verdict));
	metric_add(
	    metric_counter("kezek_records_total", "Records that were put, by what became of them", labels),
	    1);
}

/* What was said becomes what stands. */
static void records_settle(struct records_row *row)
{
	struct record *r = &row->record;

	records_count_row(row);
	if (r->kind == RECORD_VACANCY)
		r->vacancy.priority_until_us = row->priority_until_us;
	if (r->kind == RECORD_APPLICATION)
		r->application.status = row->status;
}

/* The last thing done with s. */
static void records_finish(struct records *s, enum kz r, const struct pg_reply *reply)
{
	for (size_t i = 0; r == KZ_OK && i < s->n; i++)
		records_settle(&s->rows[i]);
	s->done(s->arg, r, reply, s->also_at);
}

static enum kz records_begin(struct records *s);

/* What another daemon, a lost slot, numbers that were shut or the server's own trouble refused may pass
 * later; data that it refuses will not. */
static enum kz records_refusal(const struct pg_reply *reply)
{
	const char *state = pg_sqlstate(reply);

	return !strncmp(state, "40", 2) || !strncmp(state, "53", 2) || !strncmp(state, "55", 2) ||
	               !strncmp(state, "57", 2) || !strcmp(state, LEASE_REFUSED) || !strcmp(state, FEED_SHUT)
	           ? KZ_LOST
	           : KZ_REFUSED;
}

static void records_on_written(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct records *s = arg;
	bool stale = r == KZ_REFUSED && !strcmp(pg_sqlstate(reply), RECORDS_STALE);

	s->ticket = 0;
	feed_heard(s->base.feed, &s->feed, r, reply);
	feed_release(s->base.feed, &s->feed);
	if (stale && ++s->tries < TRIES_MOST && records_begin(s) == KZ_OK)
		return;
	if (r == KZ_REFUSED)
		r = stale ? KZ_LOST : records_refusal(reply);
	records_finish(s, r, reply);
}

static void records_on_read(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct records *s = arg;

	s->ticket = 0;
	if (r != KZ_OK) {
		records_finish(s, KZ_LOST, NULL);
		return;
	}
	records_judge(s, s->plan.files(s->plan.arg), reply);
	bool differ = records_differ(s);
	if (!differ && !s->plan.also) {
		records_finish(s, KZ_OK, NULL);
		return;
	}
	/* numbers of notices and news are of a slot, and a run that is given up makes the next ones wait */
	if (differ && s->plan.notices && !feed_is_sure(s->base.feed)) {
		records_finish(s, KZ_LOST, NULL);
		return;
	}
	struct pg_job *job = pg_job_new(s->base.pg, records_on_written, s);
	s->also_at = records_build(s, loop_clock(s->base.loop)->wall_us(), job);
	if (s->plan.also)
		s->plan.also(s->plan.arg, job);
	if (pg_job_run(job, &s->ticket) != KZ_OK) {
		feed_release(s->base.feed, &s->feed);
		records_finish(s, KZ_LOST, NULL);
	}
}

static enum kz records_begin(struct records *s)
{
	struct pg_job *job = pg_job_new(s->base.pg, records_on_read, s);

	records_ask(s, job);
	return pg_job_run(job, &s->ticket);
}

enum kz records_put(struct records *s, const struct records_plan *p, records_done_fn *done, void *arg)
{
	assert(s->n && !s->ticket);
	s->plan = *p;
	s->done = done;
	s->arg = arg;
	s->tries = 0;
	return records_begin(s);
}

void records_free(struct records *s)
{
	if (!s)
		return;
	if (s->ticket)
		pg_job_cancel(s->base.pg, s->ticket);
	feed_abandon(s->base.feed, &s->feed);
	secret_wipe(s->rows, s->most * sizeof *s->rows);
	free(s->rows);
	free(s->keys);
	free(s);
}

/* Lines of an import, some at a time: what each is, and what is said of those that are no record. */
#include <stdio.h>
#include <string.h>

#include "api/grant_wish.h"
#include "api/import_body.h"
#include "api/post.h"
#include "api/record_wish.h"

static bool line_is_blank(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != ' ' && at[i] != '\t' && at[i] != '\r')
			return false;
	return true;
}

/* What a line says. */
struct line {
	bool is_referral;
	struct record record;
	struct places_put referral;
};

static bool line_is_referral(const json_t *o)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));

	return kind && !strcmp(kind, "referral");
}

static enum kz line_read_referral(json_t *o, struct places_put *ret, struct problem *ret_problem)
{
	const json_t *number = json_object_get(o, "number");
	const json_int_t n = json_integer_value(number);

	if (!json_is_integer(number) || n < 1 || n > GRANT_REFERRAL_MAX) {
		*ret_problem = problem_make(number ? PROBLEM_INVALID_VALUE : PROBLEM_MISSING_FIELD, "number",
		    "a referral's is 1 to %d", GRANT_REFERRAL_MAX);
		return KZ_INVALID;
	}
	ret->referral = (uint64_t)n;
	json_object_del(o, "kind");
	json_object_del(o, "number");
	return grant_wish_read(o, ret, ret_problem);
}

/* KZ_INVALID with *ret_problem. */
static enum kz line_read(
    const char *at, size_t len, int64_t now_us, struct line *ret, struct problem *ret_problem)
{
	enum kz r = KZ_INVALID;

	if (len > LINE_OCTETS) {
		*ret_problem =
		    problem_make(PROBLEM_INVALID_VALUE, NULL, "a line has at most %d octets", LINE_OCTETS);
		return KZ_INVALID;
	}
	json_t *o = post_json(at, len, ret_problem);
	ret->is_referral = o && line_is_referral(o);
	if (ret->is_referral)
		r = line_read_referral(o, &ret->referral, ret_problem);
	else if (o)
		r = record_wish_line(o, now_us, &ret->record, ret_problem);
	json_decref(o);
	return r;
}

/* Changes of one referral, or of one application, come one after the other. */
static bool chunk_add_referral(struct import_chunk *k, const struct places_put *w)
{
	for (size_t i = 0; i < k->referrals_n; i++)
		if (k->referrals[i].referral == w->referral || k->referrals[i].application == w->application)
			return false;
	if (records_count(k->records))
		return false;
	k->lines[k->referrals_n] = k->to;
	k->referrals[k->referrals_n++] = *w;
	return true;
}

static bool chunk_add_record(struct import_chunk *k, const struct record *r)
{
	size_t index;

	if (k->referrals_n || records_add(k->records, r, k->api_key, &index) != KZ_OK)
		return false;
	k->lines[index] = k->to;
	return true;
}

/* false: it is for the next chunk. */
static bool chunk_take(struct import_chunk *k, const char *at, size_t len, size_t most)
{
	struct import_bad *bad = &k->bad[k->bad_n];
	struct line line = {0};

	if (records_count(k->records) + k->referrals_n == most || k->bad_n == CHUNK_FAULTS)
		return false;
	bad->line = k->to;
	bool good = line_read(at, len, k->now_us, &line, &bad->why) == KZ_OK, taken = true;
	if (!good)
		k->bad_n++;
	else
		taken = line.is_referral ? chunk_add_referral(k, &line.referral)
		                         : chunk_add_record(k, &line.record);
	record_wipe(&line.record);
	return taken;
}

void import_chunk_read(struct import_chunk *k, const char *at, const char *end, uint64_t from, size_t most)
{
	records_clear(k->records);
	k->from = k->to = from;
	k->bad_n = k->referrals_n = k->refused = 0;
	while (at < end && k->to - from < CHUNK_LINES) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		const size_t len = line_end ? (size_t)(line_end - at) : (size_t)(end - at);

		if (!line_is_blank(at, len) && !chunk_take(k, at, len, most))
			break;
		k->to++;
		at = line_end ? line_end + 1 : end;
	}
	k->next = at;
}

static void chunk_put_verdict(const struct import_chunk *k, size_t i, struct import_step *step)
{
	const enum record_verdict v = records_verdict(k->records, i);
	struct problem p;

	if (record_verdict_is_good(v)) {
		step->good++;
		return;
	}
	p = record_wish_problem(records_at(k->records, i), v);
	import_step_fault(step, &(struct import_fault){k->lines[i], p.field, p.code, p.detail});
}

void import_chunk_step(const struct import_chunk *k, struct import_step *ret)
{
	import_step_start(ret, k->from);
	ret->to = k->to;
	for (size_t i = 0; i < k->bad_n; i++) {
		const struct problem *why = &k->bad[i].why;

		import_step_fault(
		    ret, &(struct import_fault){k->bad[i].line, why->field, why->code, why->detail});
	}
	for (size_t i = 0; i < records_count(k->records); i++)
		chunk_put_verdict(k, i, ret);
	ret->good += k->referrals_n - k->refused;
}

void import_chunk_refuse_referral(struct import_chunk *k, size_t index, const struct problem *why)
{
	k->bad[k->bad_n++] = (struct import_bad){k->lines[index], *why};
	k->refused++;
}

void import_chunk_refuse(struct import_chunk *k)
{
	k->bad[k->bad_n++] =
	    (struct import_bad){k->lines[0], problem_make(PROBLEM_INTERNAL_ERROR, NULL,
	                                         "the database refuses this record; the log says more")};
	records_clear(k->records);
}

json_t *import_json(const char *id, const struct import_state *s, json_t *faults)
{
	char begun[32], changed[32];

	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:o}", "import", id, "next_line",
	    (json_int_t)s->next_line, "good", (json_int_t)s->good, "bad", (json_int_t)s->bad, "begun_at",
	    clock_rfc3339(s->begun_us, begun), "changed_at", clock_rfc3339(s->changed_us, changed), "faults",
	    faults);
}

void import_put_fault(json_t *faults, const struct import_fault *f)
{
	json_t *o = json_pack("{s:I, s:s}", "line", (json_int_t)f->line, "code", f->code);

	if (*f->field)
		json_object_set_new(o, "field", json_string(f->field));
	json_object_set_new(o, "detail", json_string(f->detail));
	json_array_append_new(faults, o);
}

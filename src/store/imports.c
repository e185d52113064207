#include "store/imports.h"

#include <string.h>

/* One question, its answer's statements in the order of the states. */
struct import_quest {
	import_fault_fn *each;
	import_state_fn *done;
	void *arg;
};

enum kz import_id_check(const char *id)
{
	size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	if (!n || id[n])
		return KZ_INVALID;
	return n <= IMPORT_ID ? KZ_OK : KZ_TOO_LONG;
}

static struct pg_value import_client(const struct import_name *name)
{
	return pg_string(name->client ? name->client : "");
}

static const uint32_t begin_types[] = {PG_TEXT, PG_TEXT, PG_INT4};
static const struct pg_sql sql_begin = {"import_begin", "select import_begin($1, $2, $3)", 3, begin_types};

static const uint32_t state_types[] = {PG_TEXT, PG_TEXT};
static const struct pg_sql sql_state = {"import_state",
    "select next_line, good, bad, begun_at, changed_at from import where client = $1 and id = $2", 2,
    state_types};

static const uint32_t fault_types[] = {PG_TEXT, PG_TEXT, PG_INT8, PG_INT8, PG_INT4};
static const struct pg_sql sql_faults = {"import_faults",
    "select line, field, code, detail from import_fault"
    " where client = $1 and id = $2 and line between $3 and $4 order by line limit $5",
    5, fault_types};

/* The last statement but for those of faults is that of the state. */
static void import_on_state(void *arg, enum kz r, const struct pg_reply *reply, unsigned statement)
{
	const struct import_quest *q = arg;
	struct import_state s = {0};

	if (r == KZ_OK && !pg_rows(reply, statement))
		r = KZ_NOT_FOUND;
	if (r == KZ_OK)
		s = (struct import_state){.next_line = (uint64_t)pg_int(reply, statement, 0, 0),
		    .good = (uint64_t)pg_int(reply, statement, 0, 1),
		    .bad = (uint64_t)pg_int(reply, statement, 0, 2),
		    .begun_us = pg_wall_us(reply, statement, 0, 3),
		    .changed_us = pg_wall_us(reply, statement, 0, 4)};
	q->done(q->arg, r == KZ_OK || r == KZ_NOT_FOUND ? r : KZ_LOST, &s);
}

static void import_on_begun(void *arg, enum kz r, const struct pg_reply *reply)
{
	import_on_state(arg, r, reply, 1);
}

enum kz imports_begin(struct pg *pg, const struct import_name *name, import_state_fn *done, void *arg)
{
	uint8_t most[4];
	const struct pg_value values[] = {
	    import_client(name), pg_string(name->id), pg_int4(IMPORTS_KEPT, most)};
	const struct import_quest q = {.done = done, .arg = arg};
	struct pg_job *job = pg_job_for(pg, import_on_begun, &q, sizeof q);

	pg_job_add(job, &sql_begin, values);
	pg_job_add(job, &sql_state, values);
	return pg_job_run(job, NULL);
}

static void import_on_read(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct import_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 1); row++) {
		const struct import_fault f = {(uint64_t)pg_int(reply, 1, row, 0),
		    pg_text(reply, 1, row, 1, NULL), pg_text(reply, 1, row, 2, NULL),
		    pg_text(reply, 1, row, 3, NULL)};

		q->each(q->arg, &f);
	}
	import_on_state(arg, r, reply, 0);
}

enum kz imports_read(struct pg *pg, const struct import_name *name, uint64_t first, uint64_t last,
    import_fault_fn *each, import_state_fn *done, void *arg)
{
	uint8_t from[8], to[8], most[4];
	const struct pg_value values[] = {import_client(name), pg_string(name->id),
	    pg_int8((int64_t)first, from), pg_int8((int64_t)last, to), pg_int4(IMPORT_PAGE, most)};
	const struct import_quest q = {each, done, arg};
	struct pg_job *job = pg_job_for(pg, import_on_read, &q, sizeof q);

	pg_job_add(job, &sql_state, values);
	pg_job_add(job, &sql_faults, values);
	return pg_job_run(job, NULL);
}

void import_step_start(struct import_step *s, uint64_t from)
{
	s->from = s->to = from;
	s->good = s->bad = 0;
	pg_array_start(&s->lines, PG_INT8);
	pg_array_start(&s->fields, PG_TEXT);
	pg_array_start(&s->codes, PG_TEXT);
	pg_array_start(&s->details, PG_TEXT);
}

void import_step_fault(struct import_step *s, const struct import_fault *f)
{
	s->bad++;
	pg_array_int(&s->lines, (int64_t)f->line);
	pg_array_text(&s->fields, f->field);
	pg_array_text(&s->codes, f->code);
	pg_array_text(&s->details, f->detail);
}

static const uint32_t advance_types[] = {PG_TEXT, PG_TEXT, PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT8_ARRAY,
    PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_INT4};
static const struct pg_sql sql_advance = {"import_advance",
    "select import_advance($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", 11, advance_types};

void import_step_write(struct import_step *s, const struct import_name *name, struct pg_job *job)
{
	uint8_t from[8], to[8], good[8], bad[8], most[4];
	const struct pg_value values[] = {import_client(name), pg_string(name->id),
	    pg_int8((int64_t)s->from, from), pg_int8((int64_t)s->to, to), pg_int8((int64_t)s->good, good),
	    pg_int8((int64_t)s->bad, bad), pg_array_value(&s->lines), pg_array_value(&s->fields),
	    pg_array_value(&s->codes), pg_array_value(&s->details), pg_int4(IMPORT_FAULTS, most)};

	pg_job_add(job, &sql_advance, values);
}

void import_step_fini(struct import_step *s)
{
	pg_array_fini(&s->lines);
	pg_array_fini(&s->fields);
	pg_array_fini(&s->codes);
	pg_array_fini(&s->details);
}

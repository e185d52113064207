/* A piece is taken in chunks of some hundred lines, each of which is a transaction with its count, so that
 * the loop is not held up for long and nothing waits for the whole. A record that the database refuses, which
 * is then a fault of ours, must not end an import of millions: its chunk is taken again line by line. */
#include <stdlib.h>
#include <string.h>

#include "api/grant_problem.h"
#include "api/import_body.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

struct import_name import_piece_name(const struct import_piece *p)
{
	return (struct import_name){p->client, p->id};
}

void import_gauge(const struct door *d)
{
	size_t n = 0;

	for (int i = 0; i < DOOR_IMPORTS; i++)
		n += d->imports[i] != NULL;
	metric_set(metric_gauge("kezek_imports", "Pieces of imports that are being taken", ""), (double)n);
}

static void piece_free(struct import_piece *p)
{
	for (int i = 0; i < DOOR_IMPORTS; i++)
		if (p->door->imports[i] == p)
			p->door->imports[i] = NULL;
	import_gauge(p->door);
	records_free(p->chunk.records);
	import_step_fini(&p->step);
	json_decref(p->faults);
	free(p->client);
	free(p);
}

/* The last thing done with p. */
void import_piece_refuse(struct import_piece *p, struct problem why)
{
	problem_reply(p->call, &why);
	piece_free(p);
}

struct problem import_unavailable(void)
{
	struct problem p = problem_make(PROBLEM_UNAVAILABLE, NULL,
	    "what was taken of the piece stands; send it again, or go on from the import's next_line");

	p.after_s = 1;
	return p;
}

struct problem import_elsewhere(void)
{
	struct problem p = problem_make(PROBLEM_IMPORT_RUNS, "import",
	    "lines of this import are being taken by another request: wait for its answer");

	p.after_s = 1;
	return p;
}

static void piece_on_fault(void *arg, const struct import_fault *f)
{
	struct import_piece *p = arg;

	import_put_fault(p->faults, f);
}

static void piece_on_read(void *arg, enum kz r, const struct import_state *s)
{
	struct import_piece *p = arg;

	if (r != KZ_OK) {
		import_piece_refuse(p, import_unavailable());
		return;
	}
	json_t *o = import_json(p->id, s, json_incref(p->faults));
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(p->call, 200, text);
	free(text);
	json_decref(o);
	piece_free(p);
}

static void piece_conclude(struct import_piece *p)
{
	const struct import_name name = import_piece_name(p);

	p->faults = json_array();
	if (imports_read(p->door->pg, &name, p->first, p->line - 1, piece_on_fault, piece_on_read, p) !=
	    KZ_OK)
		import_piece_refuse(p, import_unavailable());
}

static void piece_go(struct import_piece *p);

static void piece_taken(struct import_piece *p)
{
	metric_add(
	    metric_counter("kezek_import_lines_total", "Lines of imports that were taken", "result=\"good\""),
	    p->step.good);
	metric_add(
	    metric_counter("kezek_import_lines_total", "Lines of imports that were taken", "result=\"bad\""),
	    p->step.bad);
	p->at = p->chunk.next;
	p->line = p->chunk.to;
	piece_go(p);
}

static void piece_count(struct import_piece *p);

/* The chunk came to nothing by the server's word. */
static void piece_on_refused(struct import_piece *p, const struct pg_reply *reply)
{
	const size_t n = records_count(p->chunk.records);

	if (!strcmp(pg_sqlstate(reply), IMPORT_ELSEWHERE)) {
		import_piece_refuse(p, import_elsewhere());
	} else if (!n) {
		import_piece_refuse(p, import_unavailable());
	} else if (n > 1) {
		p->alone_to = p->chunk.to;
		piece_go(p);
	} else {
		log_error("import", "the database refused a record (SQLSTATE %s)", pg_sqlstate(reply));
		import_chunk_refuse(&p->chunk);
		piece_count(p);
	}
}

static void piece_on_chunk(struct import_piece *p, enum kz r, const struct pg_reply *reply)
{
	if (r == KZ_OK)
		piece_taken(p);
	else if (r == KZ_REFUSED)
		piece_on_refused(p, reply);
	else
		import_piece_refuse(p, import_unavailable());
}

static void piece_on_counted(void *arg, enum kz r, const struct pg_reply *reply)
{
	piece_on_chunk(arg, r, reply);
}

static void piece_on_put(void *arg, enum kz r, const struct pg_reply *reply, unsigned statement)
{
	(void)statement;
	piece_on_chunk(arg, r, reply);
}

/* For each try: by then the verdicts are what will be written. */
static void piece_also(void *arg, struct pg_job *job)
{
	struct import_piece *p = arg;
	const struct import_name name = import_piece_name(p);

	import_chunk_step(&p->chunk, &p->step);
	import_step_write(&p->step, &name, job);
}

/* No line of the chunk is a record. */
static void piece_count(struct import_piece *p)
{
	struct pg_job *job = pg_job_new(p->door->pg, piece_on_counted, p);

	piece_also(p, job);
	if (pg_job_run(job, NULL) != KZ_OK)
		import_piece_refuse(p, import_unavailable());
}

static const struct records_files *piece_files(void *arg)
{
	const struct import_piece *p = arg;

	return door_records_files(p->door);
}

static void piece_put(struct import_piece *p)
{
	const struct records_plan plan = {
	    .files = piece_files, .also = piece_also, .arg = p, .notices = p->notices};

	if (records_put(p->chunk.records, &plan, piece_on_put, p) != KZ_OK)
		import_piece_refuse(p, import_unavailable());
}

/* One referral of a chunk. */
struct piece_referral {
	struct import_piece *piece;
	size_t index;
};

/* All are answered. Their count is a transaction of its own: put again, they come to the same. */
static void piece_on_referrals(struct import_piece *p)
{
	if (p->lost)
		import_piece_refuse(p, import_unavailable());
	else
		piece_count(p);
}

static void piece_on_referral(void *arg, enum kz r, const struct places_answer *a)
{
	struct piece_referral *x = arg;
	struct import_piece *p = x->piece;

	if (r == KZ_LOST) {
		p->lost = true;
	} else if (r != KZ_OK) {
		const struct problem why = grant_problem_put(r, a);

		import_chunk_refuse_referral(&p->chunk, x->index, &why);
	}
	free(x);
	if (!--p->asked)
		piece_on_referrals(p);
}

static void piece_put_referrals(struct import_piece *p)
{
	const struct import_chunk *k = &p->chunk;

	p->lost = false;
	for (size_t i = 0; i < k->referrals_n && !p->lost; i++) {
		struct piece_referral *x = mem_new(sizeof *x);
		struct places_put wish = k->referrals[i];

		*x = (struct piece_referral){p, i};
		wish.quiet = !p->notices;
		if (places_put(p->door->places, &wish, piece_on_referral, x) == KZ_OK) {
			p->asked++;
			continue;
		}
		p->lost = true;
		free(x);
	}
	if (!p->asked)
		piece_on_referrals(p);
}

/* The next chunk, or the end. */
static void piece_go(struct import_piece *p)
{
	if (p->at == p->end) {
		piece_conclude(p);
		return;
	}
	if (p->door->draining) {
		import_piece_refuse(p, import_unavailable());
		return;
	}
	p->chunk.now_us = loop_clock(p->door->loop)->wall_us();
	import_chunk_read(&p->chunk, p->at, p->end, p->line, p->line < p->alone_to ? 1 : CHUNK_RECORDS);
	if (p->chunk.referrals_n)
		piece_put_referrals(p);
	else if (records_count(p->chunk.records))
		piece_put(p);
	else
		piece_count(p);
}

static struct problem import_not_next(uint64_t next_line)
{
	struct problem p = problem_make(PROBLEM_IMPORT_LINE, "line",
	    "lines before it are missing: the import's next line is %llu", (unsigned long long)next_line);

	p.next_line = next_line;
	return p;
}

void import_piece_on_begun(void *arg, enum kz r, const struct import_state *s)
{
	struct import_piece *p = arg;

	if (r != KZ_OK) {
		import_piece_refuse(p, import_unavailable());
		return;
	}
	if (p->line > s->next_line) {
		import_piece_refuse(p, import_not_next(s->next_line));
		return;
	}
	while (p->line < s->next_line && p->at < p->end) {
		const char *line_end = memchr(p->at, '\n', (size_t)(p->end - p->at));

		p->at = line_end ? line_end + 1 : p->end;
		p->line++;
	}
	piece_go(p);
}

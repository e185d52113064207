/* records_body: what the files of records share: src/store/records*.c only. */
#ifndef STORE_RECORDS_BODY_H
#define STORE_RECORDS_BODY_H

#include "store/pg_array.h"
#include "store/records.h"

#define RECORDS_PHONES (2 * APPLICANT_PHONES)

/* One record, and what stands of it. */
struct records_row {
	struct record record;
	enum record_verdict verdict;
	int64_t seq; /* as it stands, 0: there is none */
	const struct region *region;
	/* of a vacancy */
	int64_t priority_until_us; /* to be; 0: none */
	int64_t terms;
	bool told; /* watchers are to be looked for anew */
	/* of an application */
	int32_t api_key;                      /* or RECORDS_SAME_CLIENT */
	enum application_status status;       /* to be */
	struct msisdn phones[RECORDS_PHONES]; /* that it has newly, and that it had and has no more */
	size_t phones_n;
};

struct records {
	struct records_base base;
	struct records_plan plan;
	records_done_fn *done;
	void *arg;
	struct records_row *rows;
	uint64_t *keys; /* of the rows: kind and id */
	size_t n, most;
	unsigned tries;
	uint64_t ticket;       /* of the job under way, 0: none */
	struct feed_hold feed; /* the numbers of their news */
	unsigned also_at;      /* the statement that the first of the plan's is */
};

/* NULL when there is none. */
struct records_row *records_find(const struct records *s, enum record_kind kind, uint64_t id);
static inline bool records_row_is_good(const struct records_row *row)
{
	return row && record_verdict_is_good(row->verdict);
}
static inline bool records_row_is_written(const struct records_row *row)
{
	return row->verdict == RECORD_CREATED || row->verdict == RECORD_CHANGED;
}

/* records_read.c */
/* Adds the questions for what stands. */
void records_ask(const struct records *s, struct pg_job *job);
/* Holds each against the answers: verdict and what follows from it. */
void records_judge(struct records *s, const struct records_files *files, const struct pg_reply *reply);
/* An application's columns of the answer, as records_read_application takes them, of the table or alias a. */
#define RECORDS_APPLICATION                                                                                  \
	"a.seq, a.status, a.district, a.category, a.registered_at, a.channel, a.language, a.groups,"         \
	" a.verified, a.sealed"
#define RECORDS_APPLICATION_COLUMNS 10
/* false: its persons cannot be opened, the rest is set. ret->id is given. */
bool records_read_application(const struct keyring *k, const struct pg_reply *reply, unsigned statement,
    size_t row, int column, struct record *ret);
/* The same of a vacancy: seq, free, released_at, priority_until; ret->vacancy.seq is as it stands. */
#define RECORDS_VACANCY         "v.seq, v.free, v.released_at, v.priority_until"
#define RECORDS_VACANCY_COLUMNS 4
void records_read_vacancy(
    const struct pg_reply *reply, unsigned statement, size_t row, int column, struct record *ret);

/* records_write.c */
/* Whether anything is to be written. */
bool records_differ(const struct records *s);
/* Adds the statements for it; how many. */
unsigned records_build(struct records *s, int64_t now_us, struct pg_job *job);
#define RECORDS_STALE "KZ010" /* SQLSTATE: what was read stands no more */

#endif

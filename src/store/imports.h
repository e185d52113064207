/* imports: how far each import of records has come, and what was wrong with its lines. What is said of lines
 * is written in their transaction, so that whoever was cut short reads here where to go on. Each is its
 * client's by the id that the client gave it. */
#ifndef STORE_IMPORTS_H
#define STORE_IMPORTS_H

#include <stdint.h>

#include "store/pg_array.h"

#define IMPORT_ID     64         /* characters */
#define IMPORT_LINES  1000000000 /* of one import */
#define IMPORTS_KEPT  1000       /* of one client, for 30 days after their last line */
#define IMPORT_FAULTS 10000      /* kept of one import */
#define IMPORT_PAGE   1000       /* faults in one answer */

/* Lives as long as its call; copied by what is asked. */
struct import_name {
	const char *client; /* NULL: by the control socket */
	const char *id;     /* 1..IMPORT_ID of A-Z, a-z, 0-9, '.', '_' and '-' */
};
/* KZ_INVALID: it has no or other characters; KZ_TOO_LONG. */
enum kz import_id_check(const char *id) KZ_CHECK;

struct import_state {
	uint64_t next_line; /* 1 and up: all before it were taken */
	uint64_t good, bad;
	int64_t begun_us, changed_us;
};

/* Lives during the callback. */
struct import_fault {
	uint64_t line;
	const char *field; /* "": none is at fault */
	const char *code, *detail;
};

/* KZ_OK: made, or there already. KZ_LOST. Once, later; KZ_BUSY at once, without done. */
typedef void import_state_fn(void *arg, enum kz r, const struct import_state *s);
enum kz imports_begin(
    struct pg *pg, const struct import_name *name, import_state_fn *done, void *arg) KZ_CHECK;
/* The faults of lines from first to last, in order, at most IMPORT_PAGE of them, then done: KZ_OK,
 * KZ_NOT_FOUND, KZ_LOST. */
typedef void import_fault_fn(void *arg, const struct import_fault *f);
enum kz imports_read(struct pg *pg, const struct import_name *name, uint64_t first, uint64_t last,
    import_fault_fn *each, import_state_fn *done, void *arg) KZ_CHECK;

/* Some lines in a row. Zero-initialise, then import_step_start. */
struct import_step {
	uint64_t from, to; /* to: the line after the last */
	uint64_t good, bad;
	struct pg_array lines, fields, codes, details;
};
void import_step_start(struct import_step *s, uint64_t from);
/* Counts it as bad; copied. */
void import_step_fault(struct import_step *s, const struct import_fault *f);
/* Adds the statement; the job is refused with IMPORT_ELSEWHERE when they are not the next lines. */
void import_step_write(struct import_step *s, const struct import_name *name, struct pg_job *job);
void import_step_fini(struct import_step *s);
#define IMPORT_ELSEWHERE "KZ020" /* SQLSTATE */

#endif

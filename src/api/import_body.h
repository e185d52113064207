/* import_body: what the files of import share: src/api/import*.c only. */
#ifndef API_IMPORT_BODY_H
#define API_IMPORT_BODY_H

#include <jansson.h>

#include "api/import.h"
#include "api/problem.h"
#include "flow/places.h"
#include "store/imports.h"
#include "store/records.h"

#define CHUNK_RECORDS 256   /* put in one transaction */
#define CHUNK_FAULTS  256   /* and so many lines that are none */
#define CHUNK_LINES   65536 /* with those that are blank */
#define LINE_OCTETS   16384

/* A line that is no record. */
struct import_bad {
	uint64_t line;
	struct problem why;
};

/* Lines of a piece that are taken together: records, or referrals, which have an authority of their own. */
struct import_chunk {
	const char *next; /* behind its last line */
	uint64_t from, to;
	int64_t now_us;  /* nothing was registered after it */
	int32_t api_key; /* whose applications they are */
	struct records *records;
	struct places_put referrals[CHUNK_RECORDS];
	size_t referrals_n, refused;   /* refused: of the referrals */
	uint64_t lines[CHUNK_RECORDS]; /* of the records or referrals, by their index */
	struct import_bad bad[CHUNK_FAULTS + CHUNK_RECORDS];
	size_t bad_n;
};

/* Reads lines from at on, the first of which is number from, until one more would be too many: one at least
 * unless at is end. most: of records. */
void import_chunk_read(struct import_chunk *k, const char *at, const char *end, uint64_t from, size_t most);
/* What is to be written of it: its counts and faults, with those that the records' verdicts make. */
void import_chunk_step(const struct import_chunk *k, struct import_step *ret);
/* One of its referrals cannot be put. */
void import_chunk_refuse_referral(struct import_chunk *k, size_t index, const struct problem *why);
/* Its only record, which the database refused, is a bad line too. */
void import_chunk_refuse(struct import_chunk *k);

/* One piece on its way. The call may be gone: its reply is then
 * a no-op, and the piece is taken all the same. */
struct import_piece {
	struct door *door;
	struct call *call;
	char *client; /* NULL: by the control socket */
	char id[IMPORT_ID + 1];
	bool notices;
	const char *at, *end; /* of the body, what was not taken yet */
	uint64_t first, line; /* numbers of its first line, and of that at `at` */
	uint64_t alone_to;    /* lines before it are taken one by one */
	struct import_chunk chunk;
	struct import_step step;
	size_t asked; /* referrals that are being put */
	bool lost;    /* of one of them it is not known what became of it */
	json_t *faults;
};

struct import_name import_piece_name(const struct import_piece *p);
/* import_state_fn: the piece goes on from here by itself until its answer. */
void import_piece_on_begun(void *arg, enum kz r, const struct import_state *s);
/* The last thing done with p. */
void import_piece_refuse(struct import_piece *p, struct problem why);
struct problem import_unavailable(void);
struct problem import_elsewhere(void);
/* How many pieces are being taken. */
void import_gauge(const struct door *d);

/* {"import": ..., "next_line": ...}, to which faults are added. */
json_t *import_json(const char *id, const struct import_state *s, json_t *faults);
/* Adds one to a JSON array. */
void import_put_fault(json_t *faults, const struct import_fault *f);

#endif

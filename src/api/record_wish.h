/* record_wish: one JSON object of a client -> a record. Every member is checked; unknown ones are refused. A
 * problem names the member and what is needed, and nothing of what was sent. */
#ifndef API_RECORD_WISH_H
#define API_RECORD_WISH_H

#include <jansson.h>

#include "api/problem.h"
#include "store/records.h"

#define RECORD_NAME_LETTERS 80 /* characters of a district's, a kindergarten's, a document's place's name */

/* A record of the kind, whose id is said elsewhere. now_us: nothing was registered after it, and nobody born.
 * KZ_INVALID with *ret_problem set. *ret is the caller's to wipe in every case. */
enum kz record_wish_read(const json_t *o, enum record_kind kind, uint64_t id, int64_t now_us,
    struct record *ret, struct problem *ret_problem) KZ_CHECK;
/* The same with its kind in the member "kind" and its id in "id", "group" (of a vacancy) or "number" (of an
 * application): a line of an import. */
enum kz record_wish_line(
    const json_t *o, int64_t now_us, struct record *ret, struct problem *ret_problem) KZ_CHECK;
/* The member that has the id of a kind. */
const char *record_wish_id(enum record_kind kind);
/* The problem of a record that could not be put. */
struct problem record_wish_problem(const struct record *r, enum record_verdict v);

/* Where documents are asked for, and until when. place points into the JSON. */
struct record_documents {
	const char *place; /* 1 to RECORD_NAME_LETTERS characters that a phone can show */
	int64_t until_us;
};
enum kz record_wish_documents(
    const json_t *o, int64_t now_us, struct record_documents *ret, struct problem *ret_problem) KZ_CHECK;

#endif

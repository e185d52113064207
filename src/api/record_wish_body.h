/* record_wish_body: what the files of record_wish share: src/api/record_wish*.c only. */
#ifndef API_RECORD_WISH_BODY_H
#define API_RECORD_WISH_BODY_H

#include "api/record_wish.h"

#define RECORD_FIELD 128 /* room for what problems call a member: more than they show */

/* One object being read; index: which of a list it is in. */
struct record_read {
	struct record *record;
	struct record_documents *documents;
	struct problem *problem;
	int64_t now_us;
	size_t index;
};

enum record_type { RECORD_STRING, RECORD_INTEGER, RECORD_BOOLEAN, RECORD_OBJECT, RECORD_ARRAY, RECORD_ANY };

/* The value has the type. field: as problems call it, from the record on, as "phones[1].number". */
typedef bool record_take_fn(struct record_read *r, const char *field, const json_t *value);

struct record_member {
	const char *name;
	enum record_type type;
	bool required;
	record_take_fn *take;
};

/* At most 32 members. field: the object's own, NULL: it is the record. Each of these is false with the
 * problem set. */
bool record_members(
    struct record_read *r, const json_t *o, const char *field, const struct record_member *all, size_t n);
bool record_fail(struct record_read *r, struct problem p);
bool record_take_id(struct record_read *r, const char *field, const json_t *value, uint64_t *ret);
bool record_take_time(
    struct record_read *r, const char *field, const json_t *value, int64_t upto_us, int64_t *ret);

bool record_take_number(struct record_read *r, const char *field, const json_t *value, json_int_t low,
    json_int_t high, json_int_t *ret);
/* 1 to RECORD_NAME_LETTERS characters that a phone can show, octets at most. */
bool record_text_fits(const char *text, size_t octets);
#define RECORD_FORWARD_US (INT64_C(366) * 86400000000) /* nothing is said that begins later */

/* record_wish_place.c */
struct record_members_of {
	const struct record_member *all;
	size_t n;
};
extern const struct record_members_of record_kinds[RECORD_KINDS];
/* What the members of one together must be. */
bool record_is_whole(struct record_read *r);

/* record_wish_person.c */
#define RECORD_APPLICATION_MEMBERS 11
extern const struct record_member record_application_members[RECORD_APPLICATION_MEMBERS];
bool record_application_is_whole(struct record_read *r);

#endif

/* pg_array: parameters of statements in PostgreSQL's binary form: scalars, and one-dimensional arrays for
 * unnest. */
#ifndef STORE_PG_ARRAY_H
#define STORE_PG_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/pg.h"

/* A value: pg_array_start, then one put per element, then pg_array_value. Reused by starting again. */
struct pg_array {
	struct buf bytes;
	uint32_t element; /* enum pg_type of the elements */
	int32_t n;
	int has_null;
};

void pg_array_start(struct pg_array *a, enum pg_type element);
void pg_array_int(struct pg_array *a, int64_t v);      /* int2, int4, int8, bool by the element type */
void pg_array_text(struct pg_array *a, const char *s); /* NULL: SQL NULL; text only */
void pg_array_bytes(struct pg_array *a, const void *p, size_t n); /* bytea or text */
void pg_array_wall_us(struct pg_array *a, int64_t wall_us);       /* timestamptz; 0: SQL NULL */
void pg_array_null(struct pg_array *a);
/* Points into a: valid until the next call on it. */
struct pg_value pg_array_value(struct pg_array *a);
void pg_array_fini(struct pg_array *a);

/* Scalars: room lives with the caller. */
struct pg_value pg_int8(int64_t v, uint8_t room[8]);
struct pg_value pg_int4(int32_t v, uint8_t room[4]);
/* 0: SQL NULL, as in arrays. */
struct pg_value pg_timestamp(int64_t wall_us, uint8_t room[8]);
struct pg_value pg_string(const char *s); /* text; NULL: SQL NULL */

#endif

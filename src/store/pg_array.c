/* The array form: dimensions, has-null flag, element type, then per dimension its size and lower bound, then
 * each element with its length before it. The head is left open at the start and filled in when the value is
 * asked for. */
#include "store/pg_array.h"

#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <string.h>

#define ARRAY_HEAD 20

/* The low octets of v, most significant first. */
static void array_write(void *to, uint64_t v, size_t width)
{
	uint64_t big = htobe64(v);

	memcpy(to, (const char *)&big + sizeof big - width, width);
}

static void array_add_element(struct pg_array *a, const void *bytes, size_t n)
{
	assert(n <= INT_MAX && a->n < INT32_MAX && a->bytes.len >= ARRAY_HEAD);
	char *at = buf_space(&a->bytes, 4 + n);

	array_write(at, n, 4);
	if (n)
		memcpy(at + 4, bytes, n);
	buf_wrote(&a->bytes, 4 + n);
	a->n++;
}

void pg_array_start(struct pg_array *a, enum pg_type element)
{
	static const char head[ARRAY_HEAD];

	buf_clear(&a->bytes);
	buf_add(&a->bytes, head, sizeof head);
	a->element = element;
	a->n = 0;
	a->has_null = 0;
}

void pg_array_int(struct pg_array *a, int64_t v)
{
	size_t width = a->element == PG_BOOL ? 1 : a->element == PG_INT2 ? 2 : a->element == PG_INT4 ? 4 : 8;
	char bytes[8];

	assert(a->element == PG_INT8 || width < 8);
	assert(width == 8 || (v >= -(INT64_C(1) << (8 * width - 1)) && v < INT64_C(1) << (8 * width - 1)));
	array_write(bytes, (uint64_t)(a->element == PG_BOOL ? v != 0 : v), width);
	array_add_element(a, bytes, width);
}

void pg_array_text(struct pg_array *a, const char *s)
{
	assert(a->element == PG_TEXT);
	if (s)
		array_add_element(a, s, strlen(s));
	else
		pg_array_null(a);
}

void pg_array_bytes(struct pg_array *a, const void *p, size_t n)
{
	assert(a->element == PG_TEXT || a->element == PG_BYTEA);
	array_add_element(a, p, n);
}

void pg_array_wall_us(struct pg_array *a, int64_t wall_us)
{
	uint8_t room[8];

	assert(a->element == PG_TIMESTAMPTZ);
	if (wall_us)
		array_add_element(a, pg_timestamp(wall_us, room).bytes, sizeof room);
	else
		pg_array_null(a);
}

void pg_array_null(struct pg_array *a)
{
	char len[4];

	assert(a->bytes.len >= ARRAY_HEAD);
	array_write(len, UINT32_MAX, sizeof len);
	buf_add(&a->bytes, len, sizeof len);
	a->has_null = 1;
	a->n++;
}

struct pg_value pg_array_value(struct pg_array *a)
{
	char *head = a->bytes.data;

	assert(a->bytes.len >= ARRAY_HEAD);
	/* An array without elements has no dimension either. */
	array_write(head, a->n > 0, 4);
	array_write(head + 4, a->has_null != 0, 4);
	array_write(head + 8, a->element, 4);
	array_write(head + 12, (uint64_t)a->n, 4);
	array_write(head + 16, 1, 4);
	return (struct pg_value){head, a->n ? a->bytes.len : 12};
}

void pg_array_fini(struct pg_array *a)
{
	buf_fini(&a->bytes);
}

struct pg_value pg_int8(int64_t v, uint8_t room[8])
{
	array_write(room, (uint64_t)v, 8);
	return (struct pg_value){room, 8};
}

struct pg_value pg_int4(int32_t v, uint8_t room[4])
{
	array_write(room, (uint64_t)(uint32_t)v, 4);
	return (struct pg_value){room, 4};
}

struct pg_value pg_timestamp(int64_t wall_us, uint8_t room[8])
{
	return wall_us ? pg_int8(wall_us - PG_EPOCH_US, room) : (struct pg_value){0};
}

struct pg_value pg_string(const char *s)
{
	return (struct pg_value){s, s ? strlen(s) : 0};
}

/* pg against a real PostgreSQL: what goes in comes out, in every type. */
#include "pg_rig.h"

static const struct pg_sql sql_echo_text = {"echo_text", "select $1, $1 is null", 1, TYPES(PG_TEXT)};
static const struct pg_sql sql_echo_bytes = {"echo_bytes", "select $1", 1, TYPES(PG_BYTEA)};
static const struct pg_sql sql_put = {"put_rows",
    "insert into wide select * from unnest($1, $2, $3, $4, $5, $6, $7)", 7,
    TYPES(PG_INT8_ARRAY, PG_INT4_ARRAY, PG_INT2_ARRAY, PG_BOOL_ARRAY, PG_TEXT_ARRAY, PG_BYTEA_ARRAY,
        PG_TIMESTAMPTZ_ARRAY)};
static const struct pg_sql sql_cardinality = {
    "cardinality", "select cardinality($1)::int8 + 100", 1, TYPES(PG_TEXT_ARRAY)};

/* Arrays of every type, 1,000 elements each with NULLs between, through a table and back. */

#define ROWS 1000

static void rows_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	int *seen = arg;
	char text[32];
	size_t len;

	assert_int_equal(r, KZ_OK);
	assert_int_equal(pg_rows(reply, 0), 0);
	assert_int_equal(pg_rows(reply, 1), ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(pg_int(reply, 1, i, 0) == INT64_C(1) << (i % 63));
		assert_int_equal(pg_int(reply, 1, i, 1), (int64_t)i - 500);
		assert_int_equal(pg_int(reply, 1, i, 2), -(int64_t)i);
		assert_int_equal(pg_int(reply, 1, i, 3), i % 2);
		assert_int_equal(pg_is_null(reply, 1, i, 4), i % 7 == 0);
		snprintf(text, sizeof text, "қатар %zu", i);
		assert_string_equal(pg_text(reply, 1, i, 4, NULL), i % 7 ? text : "");
		assert_memory_equal(pg_text(reply, 1, i, 5, &len), "\0\xff\x80", i % 4);
		assert_int_equal(len, i % 4);
		assert_true(
		    pg_wall_us(reply, 1, i, 6) == (i % 5 ? INT64_C(1795372986123456) + (int64_t)i : 0));
	}
	(*seen)++;
}

static void array__thousand_rows_of_every_type__come_back_equal(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql get = {"get_rows", "select * from wide order by b", 0, NULL};
	static const enum pg_type types[7] = {
	    PG_INT8, PG_INT4, PG_INT2, PG_BOOL, PG_TEXT, PG_BYTEA, PG_TIMESTAMPTZ};
	struct pg_array arrays[7] = {0};
	struct pg_value values[7];
	struct pg_job *j;
	char text[32];
	int seen = 0;

	rig_up(g);
	rig_do(g, "drop table if exists wide");
	rig_do(g, "create table wide (a int8, b int4, c int2, d bool, e text, f bytea, g timestamptz)");
	for (size_t k = 0; k < 7; k++)
		pg_array_start(&arrays[k], types[k]);
	for (size_t i = 0; i < ROWS; i++) {
		pg_array_int(&arrays[0], INT64_C(1) << (i % 63));
		pg_array_int(&arrays[1], (int64_t)i - 500);
		pg_array_int(&arrays[2], -(int64_t)i);
		pg_array_int(&arrays[3], i % 2);
		snprintf(text, sizeof text, "қатар %zu", i);
		pg_array_text(&arrays[4], i % 7 ? text : NULL);
		pg_array_bytes(&arrays[5], "\0\xff\x80", i % 4);
		pg_array_wall_us(&arrays[6], i % 5 ? INT64_C(1795372986123456) + (int64_t)i : 0);
	}
	for (size_t k = 0; k < 7; k++)
		values[k] = pg_array_value(&arrays[k]);
	j = pg_job_new(g->pg, rows_on_answer, &seen);
	pg_job_add(j, &sql_put, values);
	pg_job_add(j, &get, NULL);
	for (size_t k = 0; k < 7; k++)
		pg_array_fini(&arrays[k]); /* values were copied */
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &seen, 1);
}

static void array__empty__is_an_array_without_elements(void **state)
{
	struct rig *g = *state;
	struct pg_array array = {0};
	struct pg_value value;
	struct answer a = {0};

	rig_up(g);
	pg_array_start(&array, PG_TEXT);
	value = pg_array_value(&array);
	rig_run(g, &a, &sql_cardinality, &value);
	pg_array_fini(&array);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	assert_int_equal(a.number, 100);
}

/* What was sent, compared with what came. */
struct echo {
	struct buf sent;
	int count;
	bool equal, is_null;
};

static void echo_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct echo *e = arg;
	size_t len;
	const char *text = pg_text(reply, 0, 0, 0, &len);

	e->is_null = pg_is_null(reply, 0, 0, 0);
	e->equal =
	    r == KZ_OK && len == e->sent.len && memcmp(text, buf_text(&e->sent), len) == 0 && !text[len];
	e->count++;
}

static void rig_echo(struct rig *g, struct echo *e, const struct pg_sql *sql, bool null)
{
	struct pg_job *j = pg_job_new(g->pg, echo_on_answer, e);
	struct pg_value value = {null ? NULL : buf_text(&e->sent), e->sent.len};

	pg_job_add(j, sql, &value);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &e->count, 1);
}

static void buf_add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_char(b, (char)(0xe0 | c >> 12));
		} else {
			buf_char(b, (char)(0xf0 | c >> 18));
			buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_char(b, (char)(0x80 | (c & 0x3f)));
}

static void text__every_character__comes_back_equal(void **state)
{
	struct rig *g = *state;
	struct echo e = {0};

	rig_up(g);
	for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x20000 ? 1 : 97)
		if (c < 0xd800 || c > 0xdfff)
			buf_add_utf8(&e.sent, c);
	rig_echo(g, &e, &sql_echo_text, false);
	assert_true(e.equal);
	buf_fini(&e.sent);
}

static void bytes__every_octet__come_back_equal(void **state)
{
	struct rig *g = *state;
	struct echo e = {0};

	rig_up(g);
	for (int i = 0; i < 256; i++)
		buf_char(&e.sent, (char)i);
	rig_echo(g, &e, &sql_echo_bytes, false);
	assert_true(e.equal);
	buf_fini(&e.sent);
}

static void text__empty_or_null__are_told_apart(void **state)
{
	struct rig *g = *state;
	struct echo empty = {0}, null = {0};

	rig_up(g);
	rig_echo(g, &empty, &sql_echo_text, false);
	assert_true(empty.equal);
	assert_false(empty.is_null);
	rig_echo(g, &null, &sql_echo_text, true);
	assert_true(null.is_null);
}

static void text__not_utf8__is_refused(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};
	struct pg_value value = {"\xc3(", 2};

	rig_up(g);
	rig_run(g, &a, &sql_echo_text, &value);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_string_equal(a.sqlstate, "22021");
}

static void absent_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	int *count = arg;

	assert_int_equal(r, KZ_OK);
	assert_int_equal(pg_rows(reply, 1), 0);
	assert_true(pg_is_null(reply, 0, 1, 0));
	assert_true(pg_is_null(reply, 0, 0, 2));
	assert_true(pg_is_null(reply, 0, 0, -1));
	assert_string_equal(pg_text(reply, 0, 0, 1, NULL), ""); /* a truth value is no text */
	assert_int_equal(pg_int(reply, 0, 0, 0), 0);            /* nor a text a number */
	assert_int_equal(pg_wall_us(reply, 0, 0, 0), 0);
	assert_string_equal(pg_sqlstate(reply), "");
	(*count)++;
}

static void reply__what_is_not_there__reads_as_null(void **state)
{
	struct rig *g = *state;
	struct pg_value value = pg_string("42");
	struct pg_job *j;
	int count = 0;

	rig_up(g);
	j = pg_job_new(g->pg, absent_on_answer, &count);
	pg_job_add(j, &sql_echo_text, &value);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PG_CASE(array__thousand_rows_of_every_type__come_back_equal),
	    PG_CASE(array__empty__is_an_array_without_elements),
	    PG_CASE(text__every_character__comes_back_equal),
	    PG_CASE(bytes__every_octet__come_back_equal),
	    PG_CASE(text__empty_or_null__are_told_apart),
	    PG_CASE(text__not_utf8__is_refused),
	    PG_CASE(reply__what_is_not_there__reads_as_null),
	};

	return rig_main(tests, sizeof tests / sizeof *tests);
}

/* Rows that PostgreSQL would not send for our questions: any number of columns, of any type, in any format,
 * of any length. Readers answer NULL, 0 and "" for what they do not read, and never run over a value. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "store/pg_job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMNS 6
#define ROWS    8

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static Oid take_type(struct input *in)
{
	static const Oid types[] = {PG_BOOL, PG_BYTEA, PG_INT8, PG_INT2, PG_INT4, PG_TEXT, PG_TIMESTAMPTZ,
	    PG_INT8_ARRAY, 19, 26, 114, 1042, 1043, 0, 4294967295u};

	return types[take(in) % (sizeof types / sizeof *types)];
}

static PGresult *make(struct input *in, int *ret_columns, int *ret_rows)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[COLUMNS] = {0};

	*ret_columns = take(in) % (COLUMNS + 1);
	*ret_rows = *ret_columns ? take(in) % (ROWS + 1) : 0;
	for (int i = 0; i < *ret_columns; i++) {
		columns[i].name = (char *)(uintptr_t) "c";
		columns[i].typid = take_type(in);
		columns[i].format = take(in) % 4 != 0;
	}
	PQsetResultAttrs(r, *ret_columns, columns);
	for (int row = 0; row < *ret_rows; row++)
		for (int i = 0; i < *ret_columns; i++) {
			int len = take(in) % 12 - 1;

			if (len > (int)in->left)
				len = (int)in->left;
			PQsetvalue(r, row, i, (char *)(uintptr_t)in->at, len);
			for (int n = 0; n < len; n++)
				(void)take(in);
		}
	return r;
}

static void check(const struct pg_reply *reply, unsigned statement, size_t row, int column, bool there)
{
	size_t len = 1;
	const char *text = pg_text(reply, statement, row, column, &len);
	bool null = pg_is_null(reply, statement, row, column);

	assert(text[len] == '\0');
	if (null || !there)
		assert(len == 0 && pg_int(reply, statement, row, column) == 0 &&
		       pg_wall_us(reply, statement, row, column) == 0);
	(void)pg_int(reply, statement, row, column);
	(void)pg_wall_us(reply, statement, row, column);
	assert(there || null);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct pg_statement statement = {0};
	int columns, rows;

	statement.result = make(&in, &columns, &rows);
	struct pg_job job = {.statements = &statement, .n = 1};
	const struct pg_reply reply = {.job = &job};
	assert(pg_rows(&reply, 0) == (size_t)rows && pg_rows(&reply, 1) == 0);
	for (int row = 0; row <= rows; row++)
		for (int column = -1; column <= columns; column++)
			check(&reply, 0, (size_t)row, column, row < rows && column >= 0 && column < columns);
	check(&reply, 1, 0, 0, false);
	check(&reply, 0, SIZE_MAX, 0, false);
	PQclear(statement.result);
	return 0;
}

/* Readers of replies. A row, a column or a type that is not there reads as NULL: the schema lies outside the
 * process, so a surprise there must not end it. Values are in binary form, most significant octet first. */
#include <string.h>

#include "store/pg_job.h"

/* Types of text that the program may meet beside text itself. */
enum { PG_NAME = 19, PG_OID = 26, PG_JSON = 114, PG_BPCHAR = 1042, PG_VARCHAR = 1043 };

static const PGresult *reply_result(const struct pg_reply *r, unsigned statement)
{
	const PGresult *result = statement < r->job->n ? r->job->statements[statement].result : NULL;

	return r->job->error ? NULL : result;
}

size_t pg_rows(const struct pg_reply *r, unsigned statement)
{
	const PGresult *result = reply_result(r, statement);

	return result ? (size_t)PQntuples(result) : 0;
}

unsigned pg_last(const struct pg_reply *r)
{
	return r->job->n - 1;
}

/* NULL for SQL NULL and for what is not there. */
static const char *reply_value(
    const struct pg_reply *r, unsigned statement, size_t row, int column, uint32_t *ret_type, size_t *ret_len)
{
	const PGresult *result = reply_result(r, statement);

	if (!result || row >= (size_t)PQntuples(result) || column < 0 || column >= PQnfields(result) ||
	    PQfformat(result, column) != 1 || PQgetisnull(result, (int)row, column))
		return NULL;
	*ret_type = PQftype(result, column);
	*ret_len = (size_t)PQgetlength(result, (int)row, column);
	return PQgetvalue(result, (int)row, column);
}

bool pg_is_null(const struct pg_reply *r, unsigned statement, size_t row, int column)
{
	uint32_t type;
	size_t len;

	return !reply_value(r, statement, row, column, &type, &len);
}

static int64_t reply_integer(const char *bytes, size_t len)
{
	uint64_t v = len && (signed char)bytes[0] < 0 ? UINT64_MAX : 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | (unsigned char)bytes[i];
	return (int64_t)v;
}

int64_t pg_int(const struct pg_reply *r, unsigned statement, size_t row, int column)
{
	uint32_t type;
	size_t len;
	const char *bytes = reply_value(r, statement, row, column, &type, &len);

	if (!bytes || len > 8)
		return 0;
	switch (type) {
	case PG_BOOL:
	case PG_INT2:
	case PG_INT4:
	case PG_INT8:
		return reply_integer(bytes, len);
	case PG_OID:
		return reply_integer(bytes, len) & INT64_C(0xffffffff);
	default:
		return 0;
	}
}

const char *pg_text(const struct pg_reply *r, unsigned statement, size_t row, int column, size_t *ret_len)
{
	uint32_t type = 0;
	size_t len = 0;
	const char *bytes = reply_value(r, statement, row, column, &type, &len);

	if (!bytes || (type != PG_TEXT && type != PG_BYTEA && type != PG_VARCHAR && type != PG_BPCHAR &&
	                  type != PG_NAME && type != PG_JSON)) {
		bytes = "";
		len = 0;
	}
	if (ret_len)
		*ret_len = len;
	return bytes;
}

int64_t pg_wall_us(const struct pg_reply *r, unsigned statement, size_t row, int column)
{
	uint32_t type;
	size_t len;
	const char *bytes = reply_value(r, statement, row, column, &type, &len);
	int64_t wall_us;

	if (!bytes || type != PG_TIMESTAMPTZ || len != 8)
		return 0;
	/* "infinity" stays the end of time. */
	if (__builtin_add_overflow(reply_integer(bytes, len), PG_EPOCH_US, &wall_us))
		return INT64_MAX;
	return wall_us;
}

static const char *reply_diagnosis(const struct pg_reply *r, int field)
{
	const char *text = PQresultErrorField(r->job->error, field);

	return text ? text : "";
}

const char *pg_sqlstate(const struct pg_reply *r)
{
	return reply_diagnosis(r, PG_DIAG_SQLSTATE);
}

const char *pg_message(const struct pg_reply *r)
{
	return reply_diagnosis(r, PG_DIAG_MESSAGE_PRIMARY);
}

bool pg_reply_never_sent(const struct pg_reply *r)
{
	return r->never_sent;
}

bool pg_reply_undone(const struct pg_reply *r)
{
	const PGresult *error = r->job->error;
	const char *severity = error ? PQresultErrorField(error, PG_DIAG_SEVERITY_NONLOCALIZED) : NULL;

	return r->never_sent || (severity && strcmp(severity, "ERROR") == 0);
}

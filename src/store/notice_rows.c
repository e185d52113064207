#include "store/notice_rows.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pg_array.h"

enum mark_column { MARK_ID, MARK_COUNT, MARK_MESSAGE, MARK_LOOK, MARK_COLUMNS };

static const enum pg_type mark_elements[MARK_COLUMNS] = {PG_INT8, PG_INT2, PG_INT8, PG_TIMESTAMPTZ};
static const uint32_t mark_types[MARK_COLUMNS] = {
    PG_INT8_ARRAY, PG_INT2_ARRAY, PG_INT8_ARRAY, PG_TIMESTAMPTZ_ARRAY};
static const struct pg_sql sql_mark = {
    "notices_mark", "select notices_mark($1, $2, $3, $4)", MARK_COLUMNS, mark_types};

struct notice_rows {
	struct pg_array columns[MARK_COLUMNS];
};

struct notice_rows *notice_rows_new(void)
{
	return mem_new(sizeof(struct notice_rows));
}

void notice_rows_start(struct notice_rows *r)
{
	for (int i = 0; i < MARK_COLUMNS; i++)
		pg_array_start(&r->columns[i], mark_elements[i]);
}

void notice_rows_put(struct notice_rows *r, const struct notice_row *row)
{
	pg_array_int(&r->columns[MARK_ID], (int64_t)row->notice);
	pg_array_int(&r->columns[MARK_COUNT], row->n);
	pg_array_int(&r->columns[MARK_MESSAGE], (int64_t)row->message_id);
	pg_array_wall_us(&r->columns[MARK_LOOK], row->look_at_us);
}

void notice_rows_add(struct notice_rows *r, struct pg_job *job)
{
	struct pg_value values[MARK_COLUMNS];

	if (!r->columns[MARK_ID].n)
		return;
	for (int i = 0; i < MARK_COLUMNS; i++)
		values[i] = pg_array_value(&r->columns[i]);
	pg_job_add(job, &sql_mark, values);
}

void notice_rows_free(struct notice_rows *r)
{
	if (!r)
		return;
	for (int i = 0; i < MARK_COLUMNS; i++)
		pg_array_fini(&r->columns[i]);
	free(r);
}

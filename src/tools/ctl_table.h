/* ctl_table: rows whose columns stand under each other. */
#ifndef TOOLS_CTL_TABLE_H
#define TOOLS_CTL_TABLE_H

#include <stddef.h>

#include "base/buf.h"

#define CTL_COLUMNS 12

/* Owns its cells. */
struct ctl_table;

/* One letter per column: 'l' or 'r', the side it leans on; at most CTL_COLUMNS. indent: blanks before each
 * row. */
struct ctl_table *ctl_table_new(const char *sides, size_t indent);
/* The next cell, left to right, row by row; takes what b holds and leaves it empty. */
void ctl_table_take(struct ctl_table *t, struct buf *b);
void ctl_table_cell(struct ctl_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes to standard output: two blanks between columns, none at the end of a line; columns that are empty in
 * all rows but the first (the headings) are left out. */
void ctl_table_print(const struct ctl_table *t);
void ctl_table_free(struct ctl_table *t);

#endif

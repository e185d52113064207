/* Width is counted in characters, not in columns of the terminal: names and numbers here are narrow, and a
 * wide character in an operator's text costs a crooked line, no more. */
#include "ctl_table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct ctl_table {
	char sides[CTL_COLUMNS + 1];
	size_t columns, indent;
	char **cells; /* row by row */
	size_t count, room;
};

struct ctl_table *ctl_table_new(const char *sides, size_t indent)
{
	struct ctl_table *t = mem_new(sizeof(*t));

	snprintf(t->sides, sizeof(t->sides), "%s", sides);
	t->columns = strlen(t->sides);
	t->indent = indent;
	return t;
}

void ctl_table_take(struct ctl_table *t, struct buf *b)
{
	if (t->count == t->room) {
		t->room = t->room == 0 ? 64 : t->room * 2;
		t->cells = mem_grow(t->cells, t->room, sizeof(*t->cells));
	}
	t->cells[t->count++] = buf_take(b);
}

void ctl_table_cell(struct ctl_table *t, const char *fmt, ...)
{
	struct buf b = {0};
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_str(&b, text);
	ctl_table_take(t, &b);
}

static size_t cell_width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* 0: leave the column out. */
static size_t column_width(const struct ctl_table *t, size_t column)
{
	size_t widest = 0;
	bool used = t->count <= t->columns;

	for (size_t i = column; i < t->count; i += t->columns) {
		size_t n = cell_width(t->cells[i]);

		widest = n > widest ? n : widest;
		used = used || (i >= t->columns && n > 0);
	}
	return used ? widest : 0;
}

static void row_add(struct buf *line, const char *text, size_t width, char side)
{
	size_t gap = width - cell_width(text);

	if (side == 'r')
		buf_printf(line, "%*s%s", (int)gap, "", text);
	else
		buf_printf(line, "%s%*s", text, (int)gap, "");
	buf_str(line, "  ");
}

void ctl_table_print(const struct ctl_table *t)
{
	size_t widths[CTL_COLUMNS];
	struct buf line = {0};

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c);
	for (size_t i = 0; i < t->count; i++) {
		size_t c = i % t->columns;

		if (widths[c] > 0)
			row_add(&line, t->cells[i], widths[c], t->sides[c]);
		if (c + 1 < t->columns && i + 1 < t->count)
			continue;
		while (line.len > 0 && line.data[line.len - 1] == ' ')
			line.data[--line.len] = '\0';
		printf("%*s%s\n", (int)t->indent, "", buf_text(&line));
		buf_clear(&line);
	}
	buf_fini(&line);
}

void ctl_table_free(struct ctl_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

void buf_fini(struct buf *b)
{
	if (b->wiped)
		mem_wiped_give(b->data);
	else
		free(b->data);
	*b = (struct buf){.wiped = b->wiped};
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		secret_wipe(b->data, b->room);
	buf_fini(b);
}

void buf_clear(struct buf *b)
{
	if (b->wiped && b->data)
		secret_wipe(b->data, b->len);
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

char *buf_space(struct buf *b, size_t n)
{
	size_t need = b->len + n + 1;

	if (need > b->room) {
		size_t room = b->room ? b->room : 64;

		while (room < need)
			room *= 2;
		b->data = b->wiped ? mem_wiped_move(b->data, room) : mem_grow(b->data, room, 1);
		b->room = room;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void buf_wrote(struct buf *b, size_t n)
{
	assert(b->len + n < b->room);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *at = buf_space(b, n);

	if (n)
		memcpy(at, bytes, n);
	buf_wrote(b, n);
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* Texts are read and cut character by character: without the short way this took a fifteenth of kezekd's
 * instructions from HTTP to receipt. */
void buf_char(struct buf *b, char c)
{
	if (b->len + 1 >= b->room)
		buf_space(b, 1);
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	buf_space(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (!n)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
	if (b->wiped)
		secret_wipe(b->data + b->len + 1, n);
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *s = b->data ? b->data : mem_str("");

	*b = (struct buf){.wiped = b->wiped};
	return s;
}

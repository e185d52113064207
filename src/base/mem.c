#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_must(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_new(size_t size)
{
	return mem_must(calloc(1, size));
}

void *mem_array(size_t n, size_t size)
{
	return mem_must(calloc(n ? n : 1, size));
}

void *mem_grow(void *p, size_t n, size_t size)
{
	return mem_must(reallocarray(p, n ? n : 1, size));
}

char *mem_str(const char *s)
{
	return mem_must(strdup(s));
}

char *mem_strn(const char *s, size_t n)
{
	char *copy = mem_must(malloc(n + 1));

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *mem_printf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return mem_must(s);
}

void *mem_wiped_take(size_t n)
{
	return mem_must(malloc(n ? n : 1));
}

/* realloc would leave what it moved behind. */
void *mem_wiped_move(void *p, size_t n)
{
	size_t room = malloc_usable_size(p);

	if (p && n && n <= room)
		return p;
	void *to = n ? mem_wiped_take(n) : NULL;
	if (p && to)
		memcpy(to, p, room);
	mem_wiped_give(p);
	return to;
}

/* Whole: a library may have written up to what the allocator gave, and where text ended is not known here. */
void mem_wiped_give(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

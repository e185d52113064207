/* mem: allocation that cannot fail. Out of memory aborts, so callers have no such branches;
 * every size from outside is bounded before it comes here. Free with free(). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed. */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull));
/* Zeroed array; aborts on overflow of n * size. */
void *mem_array(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* Like reallocarray; new bytes are not zeroed. */
void *mem_grow(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *mem_str(const char *s) __attribute__((malloc, returns_nonnull));
/* Copy of n octets with a NUL after them. */
char *mem_strn(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2), malloc, returns_nonnull));

/* malloc, realloc and free for a library that holds what strangers send, a code or a number: blocks are wiped
 * whole before anybody else may get them. Blocks of malloc and these may be mixed. */
void *mem_wiped_take(size_t n);
void *mem_wiped_move(void *p, size_t n);
void mem_wiped_give(void *p);

#endif

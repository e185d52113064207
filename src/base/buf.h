/* buf: a growing run of octets with one owner. Always NUL-terminated behind len, so text can be read in
 * place. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* A value: zero-initialise, then use; buf_fini frees what it holds. */
struct buf {
	char *data; /* NULL until the first octet; else data[len] == 0 */
	size_t len;
	size_t room;
	bool wiped; /* set before the first octet: what it drops, clears, moves or frees is overwritten */
};

void buf_fini(struct buf *b);
/* The same, and nothing of it stays in memory. */
void buf_wipe(struct buf *b);
/* Keeps the memory. */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drop the first n octets. */
void buf_drop(struct buf *b, size_t n);
/* Room for n more octets behind len; the caller writes them and adds to len through buf_wrote. */
char *buf_space(struct buf *b, size_t n);
void buf_wrote(struct buf *b, size_t n);
/* The text, "" when nothing was added. */
const char *buf_text(const struct buf *b);
/* Hands the memory to the caller (free()) and empties b; never NULL. */
char *buf_take(struct buf *b);

#endif

/* ctl_pieces: a file, or standard input, as pieces of whole lines. Blocks. */
#ifndef TOOLS_CTL_PIECES_H
#define TOOLS_CTL_PIECES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"

struct ctl_pieces;

/* path "-": standard input. NULL when it cannot be opened: errno says why. */
struct ctl_pieces *ctl_pieces_open(const char *path);
/* An id that follows from what is in the file, 1..64 hexadecimal digits; of standard input a new one each
 * time. KZ_LOST: it cannot be read, errno says why. */
enum kz ctl_pieces_id(struct ctl_pieces *p, char id[65]) KZ_CHECK;
/* Passes over the lines before line, which is 1 and up and not before the piece's end. KZ_LOST: it cannot be
 * read; KZ_NOT_FOUND: there are fewer lines. */
enum kz ctl_pieces_skip(struct ctl_pieces *p, uint64_t line) KZ_CHECK;
/* The next lines in lines, which is cleared first, in all at most room octets, but one at least; none at the
 * end of the file. *ret_line: the number of the first; *ret_n: how many. KZ_LOST: it cannot be read. */
enum kz ctl_pieces_next(
    struct ctl_pieces *p, size_t room, struct buf *lines, uint64_t *ret_line, uint64_t *ret_n) KZ_CHECK;
/* The lines that came last come again, by the next piece. */
void ctl_pieces_back(struct ctl_pieces *p, const struct buf *lines, uint64_t n);
/* NULL is fine. */
void ctl_pieces_close(struct ctl_pieces *p);

#endif

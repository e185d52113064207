/* utf8: strict UTF-8 (RFC 3629) and what happens to a text before it is measured: NFC (utf8proc), line ends
 * to LF. */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"

/* The next code point of the n octets at s, and how many octets it took (1..4); 0 when the octets are not
 * UTF-8 (overlong, surrogate, above U+10FFFF, cut). */
size_t utf8_next(const char *s, size_t n, uint32_t *ret_cp);
/* Writes to ret, of `room` octets, as much of text as there is room for beside its NUL, not cut within a
 * letter, and nothing from where it is not UTF-8; how many octets that is. Reads no more of text than `room`.
 */
size_t utf8_cut(char *ret, size_t room, const char *text);
/* Appends; cp must be a scalar value. */
void utf8_put(struct buf *out, uint32_t cp);
/* What a decimal digit of any script stands for, 0..9; -1: cp is none. */
int utf8_digit(uint32_t cp);
/* Whether cp is a letter of any script, or a mark on one. */
bool utf8_is_letter(uint32_t cp);
/* Whether cp is a space, a line end, a dash or a mark that is not seen (joiners, directions). */
bool utf8_is_gap(uint32_t cp);
/* Whether all n octets are UTF-8. */
enum kz utf8_check(const char *s, size_t n) KZ_CHECK;
/* Appends to out: NFC, CR LF and a lone CR as LF, and, when that makes the whole text GSM 7-bit, typographic
 * quotes, dashes, ellipsis and no-break spaces as their plain forms. KZ_INVALID: not UTF-8, or control
 * characters other than LF and CR. */
enum kz utf8_for_phone(const char *s, size_t n, struct buf *out) KZ_CHECK;

#endif

/* digits: what a person typed where a code is asked for, as the digits that were meant: of any script, as
 * keyboards, voice input and pasting bring them. */
#ifndef TEXT_DIGITS_H
#define TEXT_DIGITS_H

#include <stddef.h>

#include "base/result.h"

#define DIGITS_TYPED 256 /* octets of what is read at most */

/* Writes the digits, 1..max of them as ASCII and a NUL, to ret, which has room for max + 1 octets. The n
 * octets at typed are UTF-8; decimal digits of every script count (Unicode's Nd: full-width, Arabic-Indic,
 * Devanagari, ...), spaces, dashes and marks that nobody sees are passed over wherever they stand.
 * KZ_INVALID: anything else is in it, or no digit; KZ_TOO_LONG: over DIGITS_TYPED octets or max digits. */
enum kz digits_parse(const char *typed, size_t n, size_t max, char *ret) KZ_CHECK;

#endif

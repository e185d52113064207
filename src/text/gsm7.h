/* gsm7: the GSM 7-bit default alphabet and its extension table, 3GPP TS 23.038, 6.2.1. Septets unpacked: one
 * an octet. */
#ifndef TEXT_GSM7_H
#define TEXT_GSM7_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"

/* Septets of a code point: 1, 2 (ESC and one more), 0 when the alphabet lacks it. out has room for 2. */
size_t gsm7_encode(uint32_t cp, uint8_t out[2]);
/* Appends UTF-8 for n unpacked septets; an unknown extension shows as its basic character, a lone ESC as a
 * space, octets over 0x7f as U+FFFD. Never fails. */
void gsm7_decode(const uint8_t *septets, size_t n, struct buf *utf8);
/* Packs n septets behind fill_bits (0..6) zero bits, as after a UDH; appends. 23.038, 6.1.2.1. */
void gsm7_pack(const uint8_t *septets, size_t n, unsigned fill_bits, struct buf *out);
/* The other way: n septets out of len octets, skipping fill_bits; KZ_INVALID when len is too small. Appends n
 * octets. */
enum kz gsm7_unpack(
    const uint8_t *bytes, size_t len, size_t n, unsigned fill_bits, struct buf *septets) KZ_CHECK;

#endif

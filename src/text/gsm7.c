/* One table of 128 code points serves both ways. Encoding looks first where ASCII mostly is, at its own
 * place; the rest is searched, which costs little: a text with many such letters is rare, and a Cyrillic one
 * is turned away by the range before any search. */
#include "text/gsm7.h"

#include <assert.h>
#include <stdbool.h>

#include "text/utf8.h"

#define GSM7_ESC     0x1b
#define GSM7_NONE    0xffff /* the place of ESC: no character */
#define GSM7_UNKNOWN 0xfffd

static const uint16_t gsm7_basic[128] = {
    0x0040, 0x00a3, 0x0024, 0x00a5, 0x00e8, 0x00e9, 0x00f9, 0x00ec, /* 00 */
    0x00f2, 0x00c7, 0x000a, 0x00d8, 0x00f8, 0x000d, 0x00c5, 0x00e5, /* 08 */
    0x0394, 0x005f, 0x03a6, 0x0393, 0x039b, 0x03a9, 0x03a0, 0x03a8, /* 10 */
    0x03a3, 0x0398, 0x039e, 0xffff, 0x00c6, 0x00e6, 0x00df, 0x00c9, /* 18 */
    0x0020, 0x0021, 0x0022, 0x0023, 0x00a4, 0x0025, 0x0026, 0x0027, /* 20 */
    0x0028, 0x0029, 0x002a, 0x002b, 0x002c, 0x002d, 0x002e, 0x002f, /* 28 */
    0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036, 0x0037, /* 30 */
    0x0038, 0x0039, 0x003a, 0x003b, 0x003c, 0x003d, 0x003e, 0x003f, /* 38 */
    0x00a1, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, /* 40 */
    0x0048, 0x0049, 0x004a, 0x004b, 0x004c, 0x004d, 0x004e, 0x004f, /* 48 */
    0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057, /* 50 */
    0x0058, 0x0059, 0x005a, 0x00c4, 0x00d6, 0x00d1, 0x00dc, 0x00a7, /* 58 */
    0x00bf, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065, 0x0066, 0x0067, /* 60 */
    0x0068, 0x0069, 0x006a, 0x006b, 0x006c, 0x006d, 0x006e, 0x006f, /* 68 */
    0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077, /* 70 */
    0x0078, 0x0079, 0x007a, 0x00e4, 0x00f6, 0x00f1, 0x00fc, 0x00e0, /* 78 */
};

/* Behind ESC. */
static const struct {
	uint8_t septet;
	uint16_t cp;
} gsm7_extension[] = {
    {0x0a, 0x000c},
    {0x14, '^'},
    {0x28, '{'},
    {0x29, '}'},
    {0x2f, '\\'},
    {0x3c, '['},
    {0x3d, '~'},
    {0x3e, ']'},
    {0x40, '|'},
    {0x65, 0x20ac},
};

#define GSM7_EXTENSIONS (sizeof gsm7_extension / sizeof *gsm7_extension)

size_t gsm7_encode(uint32_t cp, uint8_t out[2])
{
	if (cp < 128 && gsm7_basic[cp] == cp) {
		out[0] = (uint8_t)cp;
		return 1;
	}
	if (cp > 0x3a9 && cp != 0x20ac)
		return 0;
	for (size_t i = 0; i < GSM7_EXTENSIONS; i++)
		if (gsm7_extension[i].cp == cp) {
			out[0] = GSM7_ESC;
			out[1] = gsm7_extension[i].septet;
			return 2;
		}
	for (size_t i = 0; i < 128; i++)
		if (gsm7_basic[i] == cp) {
			out[0] = (uint8_t)i;
			return 1;
		}
	return 0;
}

static uint32_t gsm7_basic_cp(uint8_t septet)
{
	if (septet > 0x7f)
		return GSM7_UNKNOWN;
	return gsm7_basic[septet] == GSM7_NONE ? ' ' : gsm7_basic[septet];
}

static uint32_t gsm7_extension_cp(uint8_t septet)
{
	for (size_t i = 0; i < GSM7_EXTENSIONS; i++)
		if (gsm7_extension[i].septet == septet)
			return gsm7_extension[i].cp;
	return gsm7_basic_cp(septet); /* ESC ESC is kept for tables to come: a space, 6.2.1.1 */
}

void gsm7_decode(const uint8_t *septets, size_t n, struct buf *utf8)
{
	for (size_t i = 0; i < n; i++) {
		bool escape = septets[i] == GSM7_ESC && i + 1 < n && septets[i + 1] <= 0x7f;

		utf8_put(utf8, escape ? gsm7_extension_cp(septets[++i]) : gsm7_basic_cp(septets[i]));
	}
}

void gsm7_pack(const uint8_t *septets, size_t n, unsigned fill_bits, struct buf *out)
{
	unsigned bits = fill_bits;
	unsigned held = 0;

	assert(fill_bits <= 6);
	for (size_t i = 0; i < n; i++) {
		held |= (septets[i] & 0x7fu) << bits;
		bits += 7;
		if (bits >= 8) {
			buf_char(out, (char)(held & 0xff));
			held >>= 8;
			bits -= 8;
		}
	}
	if (n && bits)
		buf_char(out, (char)held);
}

enum kz gsm7_unpack(const uint8_t *bytes, size_t len, size_t n, unsigned fill_bits, struct buf *septets)
{
	unsigned bits = 0;
	unsigned held = 0;
	size_t at = 0;

	assert(fill_bits <= 6);
	if (!n)
		return KZ_OK;
	if (!len || n > (len * 8 - fill_bits) / 7)
		return KZ_INVALID;
	held = (unsigned)bytes[at++] >> fill_bits;
	bits = 8 - fill_bits;
	for (size_t i = 0; i < n; i++) {
		if (bits < 7) {
			held |= (unsigned)bytes[at++] << bits;
			bits += 8;
		}
		buf_char(septets, (char)(held & 0x7f));
		held >>= 7;
		bits -= 7;
	}
	return KZ_OK;
}

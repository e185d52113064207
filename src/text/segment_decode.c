/* The way back, of texts from phones and of what our simulator receives. Lenient in the text, where a wrong
 * letter is better than none, strict only about what is not text at all. */
#include "text/gsm7.h"
#include "text/segment.h"
#include "text/utf8.h"

#define DECODE_UNKNOWN 0xfffd
#define DECODE_CR      0x0d

enum coding { CODING_DEFAULT, CODING_ASCII, CODING_LATIN1, CODING_UCS2, CODING_BINARY };

/* Bits 3..2 of a 23.038 general group. */
static enum coding coding_of_general(uint8_t data_coding)
{
	bool compressed = data_coding & 0x20;

	if (compressed)
		return CODING_BINARY;
	switch (data_coding & 0x0c) {
	case 0x00:
		return CODING_DEFAULT;
	case 0x08:
		return CODING_UCS2;
	default:
		return CODING_BINARY;
	}
}

static enum coding coding_of(uint8_t data_coding)
{
	switch (data_coding) {
	case 0:
		return CODING_DEFAULT;
	case 1:
		return CODING_ASCII;
	case 3:
		return CODING_LATIN1;
	case 8:
		return CODING_UCS2;
	}
	if (data_coding < 0x10)
		return CODING_BINARY;
	if (data_coding < 0x80)
		return coding_of_general(data_coding);
	switch (data_coding >> 4) {
	case 0xc: /* message waiting, discard or store: 7-bit */
	case 0xd:
		return CODING_DEFAULT;
	case 0xe: /* message waiting, store: UCS-2 */
		return CODING_UCS2;
	case 0xf: /* data coding and class */
		return data_coding & 0x04 ? CODING_BINARY : CODING_DEFAULT;
	default:
		return CODING_BINARY;
	}
}

static void decode_octets(const uint8_t *bytes, size_t n, uint8_t top, struct buf *utf8)
{
	for (size_t i = 0; i < n; i++)
		utf8_put(utf8, bytes[i] && bytes[i] <= top ? bytes[i] : DECODE_UNKNOWN);
}

static void decode_ucs2(const uint8_t *bytes, size_t n, struct buf *utf8)
{
	for (size_t i = 0; i < n; i += 2) {
		uint32_t unit = i + 1 < n ? (uint32_t)bytes[i] << 8 | bytes[i + 1] : 0;
		uint32_t next = i + 3 < n ? (uint32_t)bytes[i + 2] << 8 | bytes[i + 3] : 0;

		if ((unit & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00) {
			unit = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
			i += 2;
		}
		utf8_put(utf8, !unit || (unit & 0xfffff800) == 0xd800 ? DECODE_UNKNOWN : unit);
	}
}

/* The number of septets is not on the wire: as many as fit, less a CR that fills the last octet
 * (23.038, 6.1.2.3.1). */
static void decode_packed(const uint8_t *bytes, size_t n, unsigned fill, struct buf *utf8)
{
	struct buf septets = {0};
	size_t count = n ? (n * 8 - fill) / 7 : 0;
	enum kz r = gsm7_unpack(bytes, n, count, fill, &septets);

	if (r == KZ_OK && count && fill + 7 * count == n * 8 && septets.data[count - 1] == DECODE_CR)
		count--;
	if (r == KZ_OK)
		gsm7_decode((const uint8_t *)septets.data, count, utf8);
	buf_fini(&septets);
}

static void decode_default(
    const uint8_t *bytes, size_t n, size_t udh_len, enum gsm_wire gsm, struct buf *utf8)
{
	switch (gsm) {
	case GSM_WIRE_UNPACKED:
		gsm7_decode(bytes, n, utf8);
		return;
	case GSM_WIRE_PACKED:
		decode_packed(bytes, n, udh_fill_bits(udh_len), utf8);
		return;
	case GSM_WIRE_LATIN1:
		decode_octets(bytes, n, 0xff, utf8);
		return;
	case GSM_WIRE_ASCII:
		decode_octets(bytes, n, 0x7f, utf8);
		return;
	}
}

enum kz segment_decode(
    const uint8_t *bytes, size_t n, size_t udh_len, uint8_t data_coding, enum gsm_wire gsm, struct buf *utf8)
{
	if (udh_len > n)
		return KZ_INVALID;
	const uint8_t *text = n ? bytes + udh_len : bytes;
	size_t len = n - udh_len;
	switch (coding_of(data_coding)) {
	case CODING_DEFAULT:
		decode_default(text, len, udh_len, gsm, utf8);
		return KZ_OK;
	case CODING_ASCII:
		decode_octets(text, len, 0x7f, utf8);
		return KZ_OK;
	case CODING_LATIN1:
		decode_octets(text, len, 0xff, utf8);
		return KZ_OK;
	case CODING_UCS2:
		decode_ucs2(text, len, utf8);
		return KZ_OK;
	case CODING_BINARY:
		break;
	}
	return KZ_INVALID;
}

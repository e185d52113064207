/* udh: the user data header that ties the parts of a long SMS together. 3GPP TS 23.040, 9.2.3.24. */
#ifndef TEXT_UDH_H
#define TEXT_UDH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"

/* A concatenation read out of a UDH: 8-bit (IE 0x00) or 16-bit (IE 0x08) reference; the last one counts. */
struct udh {
	size_t len; /* octets of the whole header with its length octet */
	bool has_concat;
	uint16_t reference;
	uint8_t number, total;
};

/* KZ_INVALID when the header runs over its octets or number/total make no sense. */
enum kz udh_parse(const uint8_t *bytes, size_t n, struct udh *ret) KZ_CHECK;
/* Appends a header of 6 octets with the reference's low 8 bits, or of 7 with all 16 when wide. */
void udh_put(struct buf *out, bool wide, uint16_t reference, uint8_t number, uint8_t total);
/* Zero bits (0..6) between a header of len octets and the first septet behind it. */
unsigned udh_fill_bits(size_t len);

#endif

/* segment: UTF-8 <-> what fits in one SMS, and what a text will cost before it is sent.
 * GSM 7-bit 160 septets, 153 with an 8-bit and 152 with a 16-bit reference; UCS-2 70, 67, 66 units. 3GPP
 * TS 23.040, 9.2.3.24; SMPP 3.4, 3.2.3 and 5.3.2.22-25, 5.3.2.32. */
#ifndef TEXT_SEGMENT_H
#define TEXT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "text/udh.h"

#define SEGMENT_MAX_PARTS 32

enum alphabet { ALPHABET_GSM7, ALPHABET_UCS2 };

/* How parts are tied together. SAR parts carry no UDH and are cut as UDH16's, 152 and 66, so that an operator
 * that turns the TLVs into a UDH of either width has room; a payload is one part whatever its length. A text
 * that fits one SMS goes plain, untied, in every mode. */
enum concat { CONCAT_UDH8, CONCAT_UDH16, CONCAT_SAR, CONCAT_PAYLOAD };

/* How GSM 7-bit characters travel: data_coding 0 means different things to different operators. */
enum gsm_wire { GSM_WIRE_UNPACKED, GSM_WIRE_PACKED, GSM_WIRE_LATIN1, GSM_WIRE_ASCII };

/* What a text costs. units: septets or UTF-16 units. parts: of an SMS; of a payload the parts the operator
 * will make, with an 8-bit reference. An extension character is two septets on every wire: that is what it
 * costs on the air. */
struct text_cost {
	enum alphabet alphabet;
	uint32_t units;
	uint32_t parts;
};

/* One part. number from 1; bytes: user data with its UDH in front when has_udh. */
struct segment {
	uint8_t number, total;
	uint16_t reference; /* its low 8 bits with CONCAT_UDH8 */
	bool has_udh;       /* esm_class 0x40 */
	bool has_sar;       /* the three sar_ TLVs go with it */
	bool is_payload;    /* message_payload TLV instead of short_message */
	enum alphabet alphabet;
	const uint8_t *bytes; /* inside the buf given to segment_split */
	size_t len;
};

/* How the texts of a carrier are written. With LATIN1 or ASCII a text outside that set, or outside GSM 7-bit,
 * goes as UCS-2. */
struct text_wire {
	enum concat concat;
	enum gsm_wire gsm;
};

/* Cost of a text that passed utf8_for_phone. KZ_INVALID: not UTF-8 or empty; KZ_TOO_LONG: over
 * SEGMENT_MAX_PARTS. */
enum kz segment_cost(
    const char *utf8, size_t n, const struct text_wire *wire, struct text_cost *ret) KZ_CHECK;
/* Cuts the text into ret[0..*ret_n-1]; octets are written to room (cleared first), which must outlive them.
 * Neither a surrogate pair nor an escape sequence is split. Errors as segment_cost. */
enum kz segment_split(const char *utf8, size_t n, const struct text_wire *wire, uint16_t reference,
    struct buf *room, struct segment ret[SEGMENT_MAX_PARTS], size_t *ret_n) KZ_CHECK;

/* A page of USSD: one part whatever its length, plain. Appends its octets; ret: alphabet and units, of GSM
 * 7-bit septets also where they travel as octets. KZ_INVALID: not UTF-8 or empty; KZ_TOO_LONG: absurdly so.
 */
enum kz segment_page(
    const char *utf8, size_t n, enum gsm_wire gsm, struct buf *room, struct text_cost *ret) KZ_CHECK;

/* Appends as UTF-8 the n octets of user data whose first udh_len are its header (udh.len; 0 when it has
 * none): packed septets start at a bit that depends on it. data_coding by SMPP 3.4, 5.2.19: 0 as gsm says, 1
 * ASCII, 3 Latin-1, 8 UCS-2 (UTF-16 pairs joined, lone surrogates U+FFFD); from 0x10 up by the groups
 * of 23.038, 4: 7-bit as 0, or UCS-2. NUL shows as U+FFFD. KZ_INVALID: binary, compressed, or a header longer
 * than n. */
enum kz segment_decode(const uint8_t *bytes, size_t n, size_t udh_len, uint8_t data_coding, enum gsm_wire gsm,
    struct buf *utf8) KZ_CHECK;

#endif

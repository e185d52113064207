#include "smsc_phone.h"

#include "text/segment.h"
#include "text/udh.h"

#define ESM_UDHI       0x40
#define SMS_BITS       1120
#define UDH_CONCAT_16  0x08
#define UDH_CONCAT_LEN 5 /* octets of a header with an 8-bit reference alone, without its length octet */

static struct smsc_part part_of_udh(const struct pdu_sm *m)
{
	struct smsc_part part = {.concat = "none", .number = 1, .total = 1};
	struct udh udh;

	if (udh_parse(m->text, m->text_len, &udh) != KZ_OK) {
		part.malformed = true;
		return part;
	}
	part.udh_len = udh.len;
	if (!udh.has_concat)
		return part;
	part.reference = udh.reference;
	part.number = udh.number;
	part.total = udh.total;
	/* Which element it was, udh_parse does not say; kezek and its peers put one element alone. */
	part.concat = m->text[1] == UDH_CONCAT_16 || udh.len > UDH_CONCAT_LEN + 1 ? "udh16" : "udh8";
	return part;
}

struct smsc_part smsc_part_of(const struct pdu_sm *m)
{
	struct smsc_part part = {.concat = m->payload ? "payload" : "none", .number = 1, .total = 1};
	uint32_t reference, number, total;

	if (m->esm_class & ESM_UDHI)
		return part_of_udh(m);
	if (!pdu_tlv_uint(m->tlvs, TAG_SAR_MSG_REF_NUM, &reference) ||
	    !pdu_tlv_uint(m->tlvs, TAG_SAR_SEGMENT_SEQNUM, &number) ||
	    !pdu_tlv_uint(m->tlvs, TAG_SAR_TOTAL_SEGMENTS, &total))
		return part;
	if (number < 1 || total > UINT8_MAX || number > total) {
		part.malformed = true;
		return part;
	}
	return (struct smsc_part){.concat = "sar",
	    .reference = (uint16_t)reference,
	    .number = (uint8_t)number,
	    .total = (uint8_t)total};
}

bool smsc_part_is_too_long(const struct pdu_sm *m, const struct smsc_part *part, const struct smsc_options *o)
{
	bool septets = m->data_coding == 0 && o->gsm != GSM_WIRE_PACKED;
	size_t body = m->text_len - part->udh_len;

	if (m->payload)
		return false;
	if (!septets)
		return m->text_len * 8 > SMS_BITS;
	/* The septets begin at a septet's boundary behind the header. */
	return (part->udh_len * 8 + 6) / 7 * 7 + body * 7 > SMS_BITS;
}

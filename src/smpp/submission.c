#include "smpp/submission.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SHORT_CODE_MAX 6
#define SHORT_TEXT_MAX 254 /* of short_message, 5.2.22 */
#define SEGMENT_OCTETS 140
#define ESM_CLASS_UDHI 0x40
#define DAY_S          86400

void submission_sender_shape(const char *sender, uint8_t *ret_ton, uint8_t *ret_npi)
{
	size_t digits = strspn(sender + (*sender == '+'), "0123456789");
	bool number = digits > 0 && sender[(*sender == '+') + digits] == '\0';

	*ret_ton = !*sender ? 0 : !number ? 5 : digits <= SHORT_CODE_MAX ? 3 : 1;
	*ret_npi = *ret_ton == 1;
}

static enum kz submission_address(struct pdu_address *a, const char *text)
{
	text += *text == '+';
	if (strlen(text) >= sizeof a->text)
		return KZ_TOO_LONG;
	strcpy(a->text, text);
	return KZ_OK;
}

static enum kz submission_sender(const struct profile *p, const char *own, struct pdu_address *ret)
{
	const char *sender = own ? own : p->sender;

	submission_sender_shape(sender, &ret->ton, &ret->npi);
	if (!own && p->sender_ton >= 0)
		ret->ton = (uint8_t)p->sender_ton;
	if (!own && p->sender_npi >= 0)
		ret->npi = (uint8_t)p->sender_npi;
	return submission_address(ret, sender);
}

static void submission_relative(int64_t left_s, char ret[17])
{
	unsigned s = (unsigned)left_s;

	snprintf(ret, 17, "0000%02u%02u%02u%02u000R", s / DAY_S % 100, s / 3600 % 24, s / 60 % 60, s % 60);
}

static void submission_absolute(int64_t wall_ms, char ret[17])
{
	time_t at = (time_t)(wall_ms / 1000);
	struct tm tm;
	char text[16];

	gmtime_r(&at, &tm);
	strftime(text, sizeof text, "%y%m%d%H%M%S", &tm);
	snprintf(ret, 17, "%.12s%c00+", text, (char)('0' + wall_ms / 100 % 10));
}

void submission_validity(const struct profile *p, int64_t expires_wall_ms, int64_t wall_ms, char ret[17])
{
	int64_t left = expires_wall_ms - wall_ms;

	*ret = '\0';
	if (expires_wall_ms == 0 || p->validity == VALIDITY_NONE)
		return;
	if (left > p->validity_max_ms)
		left = p->validity_max_ms;
	if (left < 1000)
		left =
		    1000; /* a second is the least that can be written; the operator drops what is past it */
	if (p->validity == VALIDITY_ABSOLUTE)
		submission_absolute(wall_ms + left, ret);
	else
		submission_relative(left / 1000, ret);
}

static void submission_tlv16(struct buf *tlvs, uint16_t tag, uint16_t v)
{
	const uint8_t octets[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	pdu_put_tlv(tlvs, tag, octets, 2);
}

/* Mixed, since the low bits of an id count within a millisecond and are nearly always the same. */
uint16_t submission_reference(uint64_t id, unsigned part)
{
	return (uint16_t)((id * 32 + part) * 0x9E3779B97F4A7C15u >> 48);
}

static void submission_tlvs(
    const struct profile *p, const struct submission *s, const struct segment *seg, struct buf *tlvs)
{
	buf_clear(tlvs);
	if (p->user_message_reference)
		submission_tlv16(tlvs, TAG_USER_MESSAGE_REFERENCE, submission_reference(s->id, s->part));
	if (!seg->has_sar)
		return;
	submission_tlv16(tlvs, TAG_SAR_MSG_REF_NUM, seg->reference);
	pdu_put_tlv(tlvs, TAG_SAR_TOTAL_SEGMENTS, &seg->total, 1);
	pdu_put_tlv(tlvs, TAG_SAR_SEGMENT_SEQNUM, &seg->number, 1);
}

static uint8_t submission_priority(const struct profile *p, enum lane lane)
{
	const int64_t by_lane[LANES] = {p->priority_code, p->priority_notice, p->priority_bulk};

	return (uint8_t)by_lane[lane];
}

enum kz submission_fill(const struct profile *p, const struct submission *s, const struct shipment_part *part,
    struct buf *tlvs, struct pdu_sm *ret)
{
	const struct segment *seg = &part->segment;

	*ret = (struct pdu_sm){
	    .command = PDU_SUBMIT_SM,
	    .destination = {.ton = (uint8_t)p->dest_ton, .npi = (uint8_t)p->dest_npi},
	    .esm_class = seg->has_udh ? ESM_CLASS_UDHI : 0,
	    .protocol_id = (uint8_t)p->protocol_id,
	    .priority = submission_priority(p, s->lane),
	    .registered_delivery = part->receipt,
	    .data_coding = (uint8_t)(seg->alphabet == ALPHABET_UCS2 ? p->dcs_ucs2 : p->dcs_gsm),
	    .text = seg->bytes,
	    .text_len = seg->len,
	    .payload = seg->is_payload || seg->len > SHORT_TEXT_MAX,
	};
	snprintf(ret->service_type, sizeof ret->service_type, "%s", p->service_type);
	submission_validity(p, part->expires_wall_ms, s->wall_ms, ret->validity);
	submission_tlvs(p, s, seg, tlvs);
	ret->tlvs = (struct pdu_tlvs){(const uint8_t *)tlvs->data, tlvs->len};

	enum kz r = submission_sender(p, part->sender, &ret->source);
	return r == KZ_OK ? submission_address(&ret->destination, part->destination.text) : r;
}

unsigned submission_weight(const struct shipment_part *part)
{
	if (!part->segment.is_payload || part->segment.len == 0)
		return 1;
	return (unsigned)(1 + (part->segment.len - 1) / SEGMENT_OCTETS);
}

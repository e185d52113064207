#include "smsc_receipt.h"

#include "smsc_odd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ESM_RECEIPT  0x04
#define OPERATOR_UTC 5 /* hours: Kazakhstan's message centres write local time */
#define DELIVERED    1 /* the index of DELIVRD */
#define NETWORK_GSM  3

static void id_write(const char *prefix, uint64_t number, enum smsc_id_form form, char text[SMSC_ID])
{
	if (form == SMSC_ID_AS_HEX)
		snprintf(text, SMSC_ID, "%.20s%" PRIx64, prefix, number);
	else
		snprintf(
		    text, SMSC_ID, "%.20s%0*" PRIu64, prefix, form == SMSC_ID_AS_PADDED ? 20 : 1, number);
}

char *smsc_id_text(const struct smsc_options *o, uint64_t number, char text[SMSC_ID])
{
	id_write(o->id_prefix, number, (enum smsc_id_form)o->id, text);
	return text;
}

char *smsc_receipt_id_text(const struct smsc_options *o, uint64_t number, char text[SMSC_ID])
{
	id_write(o->id_prefix, number,
	    o->receipt_id == SMSC_RECEIPT_ID_HEX       ? SMSC_ID_AS_HEX
	    : o->receipt_id == SMSC_RECEIPT_ID_DECIMAL ? SMSC_ID_AS_DECIMAL
	                                               : (enum smsc_id_form)o->id,
	    text);
	return text;
}

void smsc_receipt_excerpt(const uint8_t *text, size_t n, char ret[SMSC_EXCERPT])
{
	size_t len = n < SMSC_EXCERPT - 1 ? n : SMSC_EXCERPT - 1;

	for (size_t i = 0; i < len; i++)
		ret[i] = text[i] >= 0x20 && text[i] < 0x7F ? (char)text[i] : '.';
	ret[len] = '\0';
}

/* YYMMDDhhmm */
static void date_write(int64_t wall_ms, char text[16])
{
	time_t s = (time_t)(wall_ms / 1000) + OPERATOR_UTC * 3600;
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(text, 16, "%y%m%d%H%M", &tm);
}

static size_t text_write(const struct smsc_receipt *r, const struct smsc_options *o, char *text, size_t room)
{
	char id[SMSC_ID], submitted[16], done[16];
	bool delivered = o->receipt_state == DELIVERED;
	const char *err = *o->receipt_err ? o->receipt_err : delivered ? "000" : "001";

	date_write(r->submitted_wall_ms, submitted);
	date_write(r->done_wall_ms, done);
	int n =
	    snprintf(text, room, "id:%s sub:001 dlvrd:%s submit date:%s done date:%s stat:%s err:%s text:%s",
	        smsc_receipt_id_text(o, r->number, id), delivered ? "001" : "000", submitted, done,
	        smsc_options_state(o), err, r->excerpt);
	return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void tlvs_put(const struct smsc_receipt *r, const struct smsc_options *o, struct buf *out)
{
	char id[SMSC_ID];
	uint8_t state = (uint8_t)(o->receipt_state + 1);
	uint8_t error[3] = {NETWORK_GSM, 0, 1};

	smsc_receipt_id_text(o, r->number, id);
	pdu_put_tlv(out, TAG_RECEIPTED_MESSAGE_ID, id, (uint16_t)(strlen(id) + 1));
	pdu_put_tlv(out, TAG_MESSAGE_STATE, &state, 1);
	if (o->receipt_state != DELIVERED)
		pdu_put_tlv(out, TAG_NETWORK_ERROR_CODE, error, sizeof error);
}

bool smsc_receipt_is_true(const struct smsc_receipt *r)
{
	return r->odd != SMSC_ODD_UNKNOWN && r->odd != SMSC_ODD_GARBLED;
}

enum kz smsc_receipt_put(
    const struct smsc_receipt *r, const struct smsc_options *o, uint32_t sequence, struct buf *out)
{
	char text[254];
	struct buf tlvs = {0};
	struct pdu_sm m = {
	    .command = o->receipt_pdu == SMSC_RECEIPT_DATA_SM ? PDU_DATA_SM : PDU_DELIVER_SM,
	    .source = r->phone,
	    .destination = r->sender,
	    .esm_class = ESM_RECEIPT,
	    .text = (const uint8_t *)text,
	};

	if (o->receipt_form != SMSC_RECEIPT_TLV)
		m.text_len = text_write(r, o, text, sizeof text);
	if (o->receipt_form != SMSC_RECEIPT_TEXT || r->odd == SMSC_ODD_BARE)
		tlvs_put(r, o, &tlvs);
	m.tlvs = (struct pdu_tlvs){(const uint8_t *)buf_text(&tlvs), tlvs.len};
	if (r->odd != SMSC_ODD_NOT)
		smsc_odd_receipt(r, o, &m, text);
	enum kz result = pdu_put_sm(out, sequence, &m);
	buf_fini(&tlvs);
	return result;
}

/* pdu_put: the writing half of pdu, and the only user of libsmpp34: it packs the mandatory bodies of
 * submit_sm, deliver_sm and data_sm, straight into the buffer, after everything was held against its bounds
 * here. What it is not given, and why:
 *  - texts: it refuses one of 254 octets, which 4.4.1 allows; appended here, and sm_length is set behind it;
 *  - TLVs: it takes each from a list of its own, of at most 1,024 octets, and knows no vendor's tags;
 *  - TON and NPI: it refuses all but 7 and 10 values, but an operator's document decides: set behind it;
 *  - binds: it cuts a system_id over 15 and a password over 8 characters without a word, refuses
 * interface_version 0x50, and leaves the password in clear in a global (its report of the last PDU);
 *  - responses: it refuses a vendor's status, and decides itself whether there is a body. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <smpp34.h>
#include <smpp34_structs.h>

#include "smpp/pdu.h"

/* Header and mandatory body of the longest submit_sm without its text are 110 octets, SMPP 3.4, 4.4.1. */
#define HEAD_ROOM    256
#define TEXT_MAX     254
#define PAYLOAD_MAX  65535
#define SEQUENCE_MAX 0x7FFFFFFFu
#define TIME_CHARS   16
#define TLV_HEAD     4

static void put_be32(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

static void put_header(uint8_t *at, uint32_t length, uint32_t command, uint32_t status, uint32_t sequence)
{
	put_be32(at, length);
	put_be32(at + 4, command);
	put_be32(at + 8, status);
	put_be32(at + 12, sequence);
}

/* Whether the array of room octets holds a NUL. */
static bool put_fits(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

#define FITS(array) put_fits((array), sizeof(array))

static bool put_time_is_sound(const char *time)
{
	return !*time || strlen(time) == TIME_CHARS;
}

static enum kz put_check_sm(const struct pdu_sm *m)
{
	bool in_tlv = m->payload || m->command == PDU_DATA_SM;

	if (!FITS(m->service_type) || !FITS(m->source.text) || !FITS(m->destination.text) ||
	    !FITS(m->schedule) || !FITS(m->validity))
		return KZ_TOO_LONG;
	if (m->text_len > (in_tlv ? PAYLOAD_MAX : TEXT_MAX) || m->tlvs.len > PDU_MAX_DEFAULT ||
	    HEAD_ROOM + TLV_HEAD + m->text_len + m->tlvs.len > PDU_MAX_DEFAULT)
		return KZ_TOO_LONG;
	if (!put_time_is_sound(m->schedule) || !put_time_is_sound(m->validity))
		return KZ_INVALID;
	/* 4.6.1: both are NULL in a deliver_sm. */
	if (m->command == PDU_DELIVER_SM && (*m->schedule || *m->validity))
		return KZ_INVALID;
	return KZ_OK;
}

/* Checked by put_check_sm; libsmpp34's arrays are as long as ours or longer. */
static void put_copy(uint8_t *to, const char *text)
{
	memcpy(to, text, strlen(text) + 1);
}

/* Each of these packs header and mandatory body, without text, TON and NPI; the size, 0 when libsmpp34
 * refuses. */
static size_t put_pack(uint8_t *at, void *pdu)
{
	int len = 0;

	return smpp34_pack2(at, HEAD_ROOM, &len, pdu) == 0 && len > PDU_HEADER ? (size_t)len : 0;
}

static size_t put_submit(uint8_t *at, uint32_t sequence, const struct pdu_sm *m)
{
	submit_sm_t p = {
	    .command_id = SUBMIT_SM,
	    .sequence_number = sequence,
	    .esm_class = m->esm_class,
	    .protocol_id = m->protocol_id,
	    .priority_flag = m->priority,
	    .registered_delivery = m->registered_delivery,
	    .replace_if_present_flag = m->replace_if_present,
	    .data_coding = m->data_coding,
	    .sm_default_msg_id = m->default_msg_id,
	};

	put_copy(p.service_type, m->service_type);
	put_copy(p.source_addr, m->source.text);
	put_copy(p.destination_addr, m->destination.text);
	put_copy(p.schedule_delivery_time, m->schedule);
	put_copy(p.validity_period, m->validity);
	return put_pack(at, &p);
}

static size_t put_deliver(uint8_t *at, uint32_t sequence, const struct pdu_sm *m)
{
	deliver_sm_t p = {
	    .command_id = DELIVER_SM,
	    .sequence_number = sequence,
	    .esm_class = m->esm_class,
	    .protocol_id = m->protocol_id,
	    .priority_flag = m->priority,
	    .registered_delivery = m->registered_delivery,
	    .replace_if_present_flag = m->replace_if_present,
	    .data_coding = m->data_coding,
	    .sm_default_msg_id = m->default_msg_id,
	};

	put_copy(p.service_type, m->service_type);
	put_copy(p.source_addr, m->source.text);
	put_copy(p.destination_addr, m->destination.text);
	return put_pack(at, &p);
}

static size_t put_data(uint8_t *at, uint32_t sequence, const struct pdu_sm *m)
{
	data_sm_t p = {
	    .command_id = DATA_SM,
	    .sequence_number = sequence,
	    .esm_class = m->esm_class,
	    .registered_delivery = m->registered_delivery,
	    .data_coding = m->data_coding,
	};

	put_copy(p.service_type, m->service_type);
	put_copy(p.source_addr, m->source.text);
	put_copy(p.destination_addr, m->destination.text);
	return put_pack(at, &p);
}

/* TON and NPI of both addresses, where put_pack left zeros. */
static void put_numbering(uint8_t *head, const struct pdu_sm *m)
{
	uint8_t *at = head + PDU_HEADER + strlen(m->service_type) + 1;

	at[0] = m->source.ton;
	at[1] = m->source.npi;
	at += 2 + strlen(m->source.text) + 1;
	at[0] = m->destination.ton;
	at[1] = m->destination.npi;
}

static size_t put_head(uint8_t *at, uint32_t sequence, const struct pdu_sm *m)
{
	size_t len;

	if (m->command == PDU_SUBMIT_SM)
		len = put_submit(at, sequence, m);
	else if (m->command == PDU_DELIVER_SM)
		len = put_deliver(at, sequence, m);
	else
		len = put_data(at, sequence, m);
	if (len)
		put_numbering(at, m);
	return len;
}

enum kz pdu_put_sm(struct buf *out, uint32_t sequence, const struct pdu_sm *m)
{
	bool in_tlv = m->payload || m->command == PDU_DATA_SM;
	size_t start = out->len, len;
	enum kz r = put_check_sm(m);

	assert(sequence >= 1 && sequence <= SEQUENCE_MAX);
	assert(m->command == PDU_SUBMIT_SM || m->command == PDU_DELIVER_SM || m->command == PDU_DATA_SM);
	if (r != KZ_OK)
		return r;
	buf_space(out, HEAD_ROOM + TLV_HEAD + m->text_len + m->tlvs.len);
	len = put_head((uint8_t *)out->data + start, sequence, m);
	if (!len)
		return KZ_INVALID;
	buf_wrote(out, len);
	if (!in_tlv) {
		out->data[out->len - 1] = (char)m->text_len; /* sm_length, the last of the mandatory octets */
		buf_add(out, m->text, m->text_len);
	} else if (m->text_len) {
		pdu_put_tlv(out, TAG_MESSAGE_PAYLOAD, m->text, (uint16_t)m->text_len);
	}
	buf_add(out, m->tlvs.at, m->tlvs.len);
	put_be32((uint8_t *)out->data + start, (uint32_t)(out->len - start));
	return KZ_OK;
}

enum kz pdu_put_bind(struct buf *out, uint32_t sequence, const struct pdu_bind *b)
{
	size_t start = out->len;

	assert(sequence >= 1 && sequence <= SEQUENCE_MAX);
	assert(b->command == PDU_BIND_RECEIVER || b->command == PDU_BIND_TRANSMITTER ||
	       b->command == PDU_BIND_TRANSCEIVER);
	if (!FITS(b->system_id) || !FITS(b->password) || !FITS(b->system_type) || !FITS(b->address_range))
		return KZ_TOO_LONG;
	pdu_put_header(out, b->command, 0, sequence);
	buf_add(out, b->system_id, strlen(b->system_id) + 1);
	buf_add(out, b->password, strlen(b->password) + 1);
	buf_add(out, b->system_type, strlen(b->system_type) + 1);
	buf_add(out, (uint8_t[]){b->interface_version, b->addr_ton, b->addr_npi}, 3);
	buf_add(out, b->address_range, strlen(b->address_range) + 1);
	put_be32((uint8_t *)out->data + start, (uint32_t)(out->len - start));
	return KZ_OK;
}

void pdu_put_header(struct buf *out, uint32_t command, uint32_t status, uint32_t sequence)
{
	put_header((uint8_t *)buf_space(out, PDU_HEADER), PDU_HEADER, command, status, sequence);
	buf_wrote(out, PDU_HEADER);
}

void pdu_put_resp(struct buf *out, uint32_t command, uint32_t status, uint32_t sequence, const char *id)
{
	size_t body = id ? strlen(id) + 1 : 0;
	uint8_t *at = (uint8_t *)buf_space(out, PDU_HEADER + body);

	put_header(at, (uint32_t)(PDU_HEADER + body), command | PDU_RESP, status, sequence);
	if (id)
		memcpy(at + PDU_HEADER, id, body);
	buf_wrote(out, PDU_HEADER + body);
}

void pdu_put_tlv(struct buf *out, uint16_t tag, const void *value, uint16_t len)
{
	buf_add(
	    out, (uint8_t[]){(uint8_t)(tag >> 8), (uint8_t)tag, (uint8_t)(len >> 8), (uint8_t)len}, TLV_HEAD);
	buf_add(out, value, len);
}

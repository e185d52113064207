/* pdu_put: the writing half of pdu, and the only user of libsmpp34: it packs the mandatory body of submit_sm,
 * deliver_sm and data_sm. It writes a report of every field into a global while it packs, which costs 5 us a
 * PDU, so it packs each shape (service_type and the octets that say how) once; addresses and times are set
 * into a copy of that. What else it is not given, and why:
 *  - texts: it refuses one of 254 octets, which 4.4.1 allows; appended here, and sm_length is set behind it;
 *  - TLVs: it takes each from a list of its own, of at most 1,024 octets, and knows no vendor's tags;
 *  - TON and NPI: it refuses all but 7 and 10 values, but an operator's document decides;
 *  - binds: it cuts a system_id over 15 and a password over 8 characters without a word, refuses version
 * 0x50, and leaves the password in clear in that global;
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
#define SHAPE_ROOM   64
#define SHAPES       16

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

/* What PDUs of one carrier have in common: a handful in a daemon's life. */
struct shape {
	uint32_t command;
	char service_type[6];
	uint8_t octets[7];
	uint8_t len; /* 0: unused */
	uint8_t packed[SHAPE_ROOM];
};

static void shape_of(const struct pdu_sm *m, struct shape *ret)
{
	*ret = (struct shape){
	    .command = m->command,
	    .octets = {m->esm_class, m->protocol_id, m->priority, m->registered_delivery,
	        m->replace_if_present, m->data_coding, m->default_msg_id},
	};
	memcpy(ret->service_type, m->service_type, strlen(m->service_type));
}

static bool shape_equal(const struct shape *a, const struct shape *b)
{
	return a->command == b->command && !memcmp(a->octets, b->octets, sizeof a->octets) &&
	       !memcmp(a->service_type, b->service_type, sizeof a->service_type);
}

static int shape_pack_submit(struct shape *s, const struct pdu_sm *m, int *ret_len)
{
	submit_sm_t p = {
	    .command_id = SUBMIT_SM,
	    .sequence_number = 1,
	    .esm_class = m->esm_class,
	    .protocol_id = m->protocol_id,
	    .priority_flag = m->priority,
	    .registered_delivery = m->registered_delivery,
	    .replace_if_present_flag = m->replace_if_present,
	    .data_coding = m->data_coding,
	    .sm_default_msg_id = m->default_msg_id,
	};

	memcpy(p.service_type, s->service_type, sizeof s->service_type);
	return smpp34_pack2(s->packed, sizeof s->packed, ret_len, &p);
}

static int shape_pack_deliver(struct shape *s, const struct pdu_sm *m, int *ret_len)
{
	deliver_sm_t p = {
	    .command_id = DELIVER_SM,
	    .sequence_number = 1,
	    .esm_class = m->esm_class,
	    .protocol_id = m->protocol_id,
	    .priority_flag = m->priority,
	    .registered_delivery = m->registered_delivery,
	    .replace_if_present_flag = m->replace_if_present,
	    .data_coding = m->data_coding,
	    .sm_default_msg_id = m->default_msg_id,
	};

	memcpy(p.service_type, s->service_type, sizeof s->service_type);
	return smpp34_pack2(s->packed, sizeof s->packed, ret_len, &p);
}

static int shape_pack_data(struct shape *s, const struct pdu_sm *m, int *ret_len)
{
	data_sm_t p = {
	    .command_id = DATA_SM,
	    .sequence_number = 1,
	    .esm_class = m->esm_class,
	    .registered_delivery = m->registered_delivery,
	    .data_coding = m->data_coding,
	};

	memcpy(p.service_type, s->service_type, sizeof s->service_type);
	return smpp34_pack2(s->packed, sizeof s->packed, ret_len, &p);
}

/* Octets behind the service_type when addresses and times are empty. */
static size_t shape_rest(uint32_t command)
{
	return command == PDU_DATA_SM ? 3 + 3 + 3 : 3 + 3 + 3 + 1 + 1 + 5;
}

static bool shape_pack(struct shape *s, const struct pdu_sm *m)
{
	int len = 0, r;

	if (m->command == PDU_SUBMIT_SM)
		r = shape_pack_submit(s, m, &len);
	else if (m->command == PDU_DELIVER_SM)
		r = shape_pack_deliver(s, m, &len);
	else
		r = shape_pack_data(s, m, &len);
	if (r != 0 || (size_t)len != PDU_HEADER + strlen(s->service_type) + 1 + shape_rest(s->command))
		return false;
	s->len = (uint8_t)len;
	return true;
}

/* The shape of m, packed; NULL when libsmpp34 refuses. The shapes are static because they are no state: a
 * shape found is what packing it again would give. One thread, as libsmpp34's own globals demand. */
static const struct shape *shape_find(const struct pdu_sm *m)
{
	static struct shape shapes[SHAPES];
	static size_t oldest;
	struct shape wanted;

	shape_of(m, &wanted);
	for (size_t i = 0; i < SHAPES && shapes[i].len; i++)
		if (shape_equal(&shapes[i], &wanted))
			return &shapes[i];
	if (!shape_pack(&wanted, m))
		return NULL;
	struct shape *s = &shapes[oldest];
	oldest = (oldest + 1) % SHAPES;
	*s = wanted;
	return s;
}

/* A place in a shape and in what becomes of it. */
struct splice {
	const uint8_t *from;
	uint8_t *to;
};

static void splice_keep(struct splice *s, size_t n)
{
	memcpy(s->to, s->from, n);
	s->from += n;
	s->to += n;
}

/* text where the shape has an empty one. */
static void splice_text(struct splice *s, const char *text)
{
	size_t n = strlen(text) + 1;

	memcpy(s->to, text, n);
	s->from++;
	s->to += n;
}

static void splice_address(struct splice *s, const struct pdu_address *a)
{
	s->to[0] = a->ton;
	s->to[1] = a->npi;
	s->from += 2;
	s->to += 2;
	splice_text(s, a->text);
}

/* Header and mandatory body of m, without its text, to the room at `to`; the size. */
static size_t put_head(uint8_t *to, uint32_t sequence, const struct pdu_sm *m, const struct shape *shape)
{
	struct splice s = {shape->packed, to};

	splice_keep(&s, PDU_HEADER + strlen(m->service_type) + 1);
	splice_address(&s, &m->source);
	splice_address(&s, &m->destination);
	splice_keep(&s, 3);
	if (m->command != PDU_DATA_SM) {
		splice_text(&s, m->schedule);
		splice_text(&s, m->validity);
		splice_keep(&s, 5);
	}
	assert(s.from == shape->packed + shape->len);
	put_be32(to + 12, sequence);
	return (size_t)(s.to - to);
}

enum kz pdu_put_sm(struct buf *out, uint32_t sequence, const struct pdu_sm *m)
{
	bool in_tlv = m->payload || m->command == PDU_DATA_SM;
	size_t start = out->len;
	enum kz r = put_check_sm(m);

	assert(sequence >= 1 && sequence <= SEQUENCE_MAX);
	assert(m->command == PDU_SUBMIT_SM || m->command == PDU_DELIVER_SM || m->command == PDU_DATA_SM);
	if (r != KZ_OK)
		return r;
	const struct shape *shape = shape_find(m);
	if (!shape)
		return KZ_INVALID;
	buf_space(out, HEAD_ROOM + TLV_HEAD + m->text_len + m->tlvs.len);
	buf_wrote(out, put_head((uint8_t *)out->data + start, sequence, m, shape));
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

/* pdu_take: the reading half of pdu. A cursor walks the frame and turns bad, for good, at the first field
 * that runs over the frame or its bound; callers ask once, at the end. No length of the peer is used before
 * it was held against what is left, nothing is allocated, texts and TLVs point into the frame. libsmpp34's
 * unpacker was the way not taken: it refuses vendor statuses, unknown TON and NPI and TLVs on responses, and
 * writes over its own memory when there are many TLVs. */
#include <assert.h>
#include <string.h>

#include "smpp/pdu.h"

/* message_id of the responses: 64 characters and the NUL, SMPP 3.4, 5.2.23. */
#define ID_OCTETS 65

static uint16_t take_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t take_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

enum kz pdu_frame_size(const uint8_t *bytes, size_t len, size_t max, size_t *ret_size)
{
	uint32_t size;

	if (len < sizeof size)
		return KZ_BUSY;
	size = take_be32(bytes);
	if (size < PDU_HEADER || size > max)
		return KZ_INVALID;
	if (len < size)
		return KZ_BUSY;
	*ret_size = size;
	return KZ_OK;
}

struct pdu_header pdu_take_header(const uint8_t *frame)
{
	return (struct pdu_header){
	    take_be32(frame), take_be32(frame + 4), take_be32(frame + 8), take_be32(frame + 12)};
}

bool pdu_tlv_next(struct pdu_tlvs *rest, struct pdu_tlv *ret)
{
	while (rest->len >= 4) {
		uint16_t tag = take_be16(rest->at), len = take_be16(rest->at + 2);
		const uint8_t *value = rest->at + 4;

		if (len > rest->len - 4)
			break;
		rest->at += 4 + (size_t)len;
		rest->len -= 4 + (size_t)len;
		if (!tag && !len) /* four of the NULs that some peers put behind a body; tag 0 is reserved */
			continue;
		*ret = (struct pdu_tlv){tag, len, value};
		return true;
	}
	rest->len = 0;
	return false;
}

bool pdu_tlv_find(struct pdu_tlvs tlvs, uint16_t tag, struct pdu_tlv *ret)
{
	struct pdu_tlv t;

	while (pdu_tlv_next(&tlvs, &t))
		if (t.tag == tag) {
			*ret = t;
			return true;
		}
	return false;
}

bool pdu_tlv_uint(struct pdu_tlvs tlvs, uint16_t tag, uint32_t *ret)
{
	struct pdu_tlv t;
	uint32_t v = 0;

	if (!pdu_tlv_find(tlvs, tag, &t) || t.len < 1 || t.len > 4)
		return false;
	for (unsigned i = 0; i < t.len; i++)
		v = v << 8 | t.value[i];
	*ret = v;
	return true;
}

/* What is left of a body. */
struct take {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static struct take take_body(const uint8_t *frame)
{
	struct pdu_header h = pdu_take_header(frame);

	assert(h.length >= PDU_HEADER);
	return (struct take){frame + PDU_HEADER, h.length - PDU_HEADER, false};
}

/* The next n octets, NULL when there are fewer. */
static const uint8_t *take_octets(struct take *t, size_t n)
{
	const uint8_t *p = t->at;

	if (t->bad || n > t->left) {
		t->bad = true;
		return NULL;
	}
	t->at += n;
	t->left -= n;
	return p;
}

static uint8_t take_octet(struct take *t)
{
	const uint8_t *p = take_octets(t, 1);

	return p ? *p : 0;
}

/* A C-octet string of at most room octets with its NUL. */
static void take_text(struct take *t, char *ret, size_t room)
{
	size_t within = t->left < room ? t->left : room;
	const uint8_t *nul = within ? memchr(t->at, 0, within) : NULL;
	const uint8_t *p;

	if (!nul) {
		t->bad = true;
		return;
	}
	size_t n = (size_t)(nul - t->at) + 1;
	p = take_octets(t, n);
	if (p)
		memcpy(ret, p, n);
}

/* The same as the last of a PDU, where some message centres leave the NUL out. */
static void take_last_text(struct take *t, char *ret, size_t room)
{
	size_t n = t->left;

	if (!n || n >= room || memchr(t->at, 0, n)) {
		take_text(t, ret, room);
		return;
	}
	memcpy(ret, take_octets(t, n), n);
	ret[n] = '\0';
}

static struct pdu_tlvs take_tlvs(const struct take *t)
{
	return (struct pdu_tlvs){t->at, t->left};
}

enum kz pdu_take_bind(const uint8_t *frame, struct pdu_bind *ret)
{
	struct take t = take_body(frame);

	*ret = (struct pdu_bind){.command = pdu_take_header(frame).command};
	take_text(&t, ret->system_id, sizeof ret->system_id);
	take_text(&t, ret->password, sizeof ret->password);
	take_text(&t, ret->system_type, sizeof ret->system_type);
	ret->interface_version = take_octet(&t);
	ret->addr_ton = take_octet(&t);
	ret->addr_npi = take_octet(&t);
	take_text(&t, ret->address_range, sizeof ret->address_range);
	return t.bad ? KZ_INVALID : KZ_OK;
}

static void take_address(struct take *t, struct pdu_address *ret)
{
	ret->ton = take_octet(t);
	ret->npi = take_octet(t);
	take_text(t, ret->text, sizeof ret->text);
}

/* SMPP 3.4, 4.4.1 and 4.6.1, behind destination_addr. */
static void take_sm_rest(struct take *t, struct pdu_sm *ret)
{
	ret->protocol_id = take_octet(t);
	ret->priority = take_octet(t);
	take_text(t, ret->schedule, sizeof ret->schedule);
	take_text(t, ret->validity, sizeof ret->validity);
	ret->registered_delivery = take_octet(t);
	ret->replace_if_present = take_octet(t);
	ret->data_coding = take_octet(t);
	ret->default_msg_id = take_octet(t);
	ret->text_len = take_octet(t);
	ret->text = take_octets(t, ret->text_len);
}

/* SMPP 3.4, 4.7.1, behind esm_class. */
static void take_data_sm_rest(struct take *t, struct pdu_sm *ret)
{
	ret->registered_delivery = take_octet(t);
	ret->data_coding = take_octet(t);
	ret->text = t->at;
}

enum kz pdu_take_sm(const uint8_t *frame, struct pdu_sm *ret)
{
	struct take t = take_body(frame);
	struct pdu_tlv payload;

	*ret = (struct pdu_sm){.command = pdu_take_header(frame).command};
	take_text(&t, ret->service_type, sizeof ret->service_type);
	take_address(&t, &ret->source);
	take_address(&t, &ret->destination);
	ret->esm_class = take_octet(&t);
	if (ret->command == PDU_DATA_SM)
		take_data_sm_rest(&t, ret);
	else if (ret->command == PDU_SUBMIT_SM || ret->command == PDU_DELIVER_SM)
		take_sm_rest(&t, ret);
	else
		t.bad = true;
	if (t.bad)
		return KZ_INVALID;
	ret->tlvs = take_tlvs(&t);
	/* Both at once is against 5.3.2.32; an empty payload beside a text says nothing. */
	if (pdu_tlv_find(ret->tlvs, TAG_MESSAGE_PAYLOAD, &payload) && (payload.len || !ret->text_len)) {
		ret->text = payload.value;
		ret->text_len = payload.len;
		ret->payload = true;
	}
	return KZ_OK;
}

enum kz pdu_take_resp(const uint8_t *frame, struct pdu_resp *ret)
{
	struct take t = take_body(frame);

	_Static_assert(sizeof ret->id >= ID_OCTETS, "the longest id fits");
	ret->id[0] = '\0';
	if (t.left)
		take_last_text(&t, ret->id, ID_OCTETS);
	ret->tlvs = take_tlvs(&t);
	return t.bad ? KZ_INVALID : KZ_OK;
}

/* ussd_put: pages, and dialogues that we begin. */
#include <stdio.h>
#include <string.h>

#include "smpp/submission.h"
#include "smpp/ussd_body.h"
#include "text/segment.h"

#define SHORT_TEXT_MAX 254 /* of short_message, 5.2.22 */

static uint8_t ussd_op(const struct profile_ussd *u, const struct ussd_peer *to, enum ussd_page how)
{
	switch (how) {
	case USSD_GO_ON:
		return (uint8_t)u->go_on;
	case USSD_LAST:
		return to->op == USSD_PSSD_INDICATION ? USSD_PSSD_RESPONSE : (uint8_t)u->last;
	case USSD_PUSH_ASK:
		return (uint8_t)u->ask;
	case USSD_PUSH_TELL:
		break;
	}
	return (uint8_t)u->tell;
}

/* The low octet is 7 bits of the dialogue's sequence and the end bit. */
static void ussd_step_its(const struct profile_ussd *u, enum ussd_page how, uint8_t its[2])
{
	unsigned sequence = its[1] >> 1, end = its[1] & USSD_END_BIT;

	if (u->echo == USSD_ECHO_CLEARED)
		end = 0;
	if (how == USSD_LAST && u->end_bit_out)
		end = USSD_END_BIT;
	its[1] = (uint8_t)(((sequence + (unsigned)u->step) & 0x7f) << 1 | end);
}

static void ussd_put_tlvs(
    const struct profile_ussd *u, const struct ussd_peer *to, enum ussd_page how, struct buf *room)
{
	const uint8_t op = ussd_op(u, to, how);

	pdu_put_tlv(room, TAG_USSD_SERVICE_OP, &op, 1);
	for (size_t i = 0; i < to->echo_n; i++) {
		uint8_t value[sizeof to->echo->value];

		memcpy(value, to->echo[i].value, sizeof value);
		if (to->echo[i].tag == TAG_ITS_SESSION_INFO)
			ussd_step_its(u, how, value);
		pdu_put_tlv(room, to->echo[i].tag, value, to->echo[i].len);
	}
	buf_add(room, u->extra.data, u->extra.len);
}

static void ussd_fill(
    const struct profile_ussd *u, const struct ussd_peer *to, enum alphabet alphabet, struct pdu_sm *ret)
{
	*ret = (struct pdu_sm){
	    .command = u->data_sm ? PDU_DATA_SM : PDU_SUBMIT_SM,
	    .source = u->swap ? to->code : to->phone,
	    .destination = u->swap ? to->phone : to->code,
	    .data_coding = (uint8_t)(alphabet == ALPHABET_UCS2 ? u->dcs_ucs2 : u->dcs_gsm),
	};
	snprintf(ret->service_type, sizeof ret->service_type, "%.5s", u->service_type);
}

enum kz ussd_put(const struct profile *p, const struct ussd_peer *to, enum ussd_page how, const char *text,
    struct buf *room, struct pdu_sm *ret)
{
	const struct profile_ussd *u = &p->ussd;
	struct text_cost cost;
	enum kz r;

	buf_clear(room);
	if ((r = segment_page(text, strlen(text), (enum gsm_wire)u->gsm, room, &cost)) != KZ_OK)
		return r;
	if (cost.units > (uint32_t)(cost.alphabet == ALPHABET_UCS2 ? u->ucs2 : u->gsm7))
		return KZ_TOO_LONG;
	size_t text_len = room->len;

	ussd_fill(u, to, cost.alphabet, ret);
	ussd_put_tlvs(u, to, how, room);
	ret->text = (const uint8_t *)room->data;
	ret->text_len = text_len;
	ret->tlvs = (struct pdu_tlvs){(const uint8_t *)room->data + text_len, room->len - text_len};
	ret->payload =
	    u->body == USSD_BODY_PAYLOAD || (u->body == USSD_BODY_AUTO && text_len > SHORT_TEXT_MAX);
	return KZ_OK;
}

/* Our number in the width of the TLV that is the key: of its_session_info above the end bit. */
static size_t ussd_push_octets(const struct profile_ussd *u, uint32_t number, uint8_t ret[8])
{
	size_t n = u->key == USSD_KEY_TLV ? (u->key_octets ? (size_t)u->key_octets : 4) : 2;

	number <<= u->key == USSD_KEY_ITS;
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t)(n - i > 4 ? 0 : number >> (8 * (n - 1 - i)));
	return n;
}

void ussd_push_to(const struct profile *p, struct msisdn phone, uint32_t number, struct ussd_peer *ret)
{
	const struct profile_ussd *u = &p->ussd;
	char text[MSISDN_TEXT];
	uint8_t octets[8];
	size_t n = 0;

	*ret = (struct ussd_peer){.op = (uint8_t)u->ask, .reference = UINT32_MAX, .link = UINT32_MAX};
	ret->phone.ton = (uint8_t)p->dest_ton;
	ret->phone.npi = (uint8_t)p->dest_npi;
	snprintf(ret->phone.text, sizeof ret->phone.text, "%s", msisdn_text(phone, text) + 1);
	if (u->codes.count) {
		submission_sender_shape(u->codes.items[0], &ret->code.ton, &ret->code.npi);
		snprintf(ret->code.text, sizeof ret->code.text, "%.20s", u->codes.items[0]);
	}
	if (u->key != USSD_KEY_MSISDN && u->push_key == USSD_PUSH_KEY_OPERATOR)
		return;
	if (u->key != USSD_KEY_MSISDN) {
		n = ussd_push_octets(u, number, octets);
		ussd_add_echo(ret, ussd_key_tag(u), octets, n);
	}
	ussd_make_key(u, octets, n, phone, ret);
}

#include "smsc_dialect.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/gsm7.h"
#include "text/utf8.h"

/* its_session_info is the number of a session in its first octet; in the second seven bits of a sequence and,
 * lowest, the end bit (SMPP 3.4, 5.3.2.43). Some take all but the end bit for an opaque number, one counts
 * turns in the sequence, one takes all sixteen as opaque. */

#define TAG_ITS_REPLY_TYPE 0x1380
#define END_BIT            1

#define OP_PSSR_INDICATION 1
#define OP_USSR_REQUEST    2
#define OP_USSN_REQUEST    3
#define OP_PSSR_RESPONSE   17
#define OP_USSR_CONFIRM    18
#define OP_USSN_CONFIRM    19
#define OP_ABORT           129

/* What of its_session_info must come back. */
#define ITS_NONE    0
#define ITS_OPAQUE  0xFFFE
#define ITS_SESSION 0xFF00
#define ITS_RAW     0xFFFF

enum cancel_by { CANCEL_OP, CANCEL_BIT, CANCEL_EMPTY };

struct smsc_dialect {
	const char *name;
	uint16_t its, tag; /* its: ITS_; tag: of a TLV of 4 octets, 0: none */
	bool umr;
	bool code_in_destination, alias; /* alias: destination_addr is never the code */
	bool data_sm, reply_type;
	bool no_service_type;
	bool op_2_too; /* answers come as 18 and as 2, in turn */
	uint8_t last;  /* op of the last page */
	bool end_bit;  /* it sets the bit */
	enum cancel_by cancel;
	uint8_t cancel_op;
};

static const struct smsc_dialect dialects[] = {
    {.name = "opaque",
        .its = ITS_OPAQUE,
        .code_in_destination = true,
        .no_service_type = true,
        .op_2_too = true,
        .last = OP_USSR_REQUEST,
        .end_bit = true,
        .cancel = CANCEL_OP,
        .cancel_op = OP_PSSR_RESPONSE},
    {.name = "reference",
        .umr = true,
        .alias = true,
        .last = OP_PSSR_RESPONSE,
        .cancel = CANCEL_OP,
        .cancel_op = OP_ABORT},
    {.name = "sixdee", .its = ITS_OPAQUE, .last = OP_PSSR_RESPONSE, .end_bit = true, .cancel = CANCEL_BIT},
    {.name = "comverse", .tag = 0x1501, .last = OP_PSSR_RESPONSE, .cancel = CANCEL_EMPTY},
    {.name = "huawei", .its = ITS_SESSION, .last = OP_PSSR_RESPONSE, .cancel = CANCEL_BIT},
    {.name = "bare", .last = OP_PSSR_RESPONSE, .cancel = CANCEL_OP, .cancel_op = OP_ABORT},
    {.name = "reply",
        .reply_type = true,
        .last = OP_PSSR_RESPONSE,
        .cancel = CANCEL_OP,
        .cancel_op = OP_ABORT},
    {.name = "raw",
        .its = ITS_RAW,
        .data_sm = true,
        .last = OP_PSSR_RESPONSE,
        .cancel = CANCEL_OP,
        .cancel_op = OP_ABORT},
};
#define DIALECTS (sizeof dialects / sizeof *dialects)

const char *const smsc_dialect_names[] = {
    "none", "opaque", "reference", "sixdee", "comverse", "huawei", "bare", "reply", "raw", NULL};

const struct smsc_dialect *smsc_dialect_at(int place)
{
	return place > 0 && (size_t)place <= DIALECTS ? &dialects[place - 1] : NULL;
}

const char *smsc_said_name(enum smsc_said said)
{
	static const char *const names[] = {[SMSC_DIALLED] = "dial",
	    [SMSC_TYPED] = "type",
	    [SMSC_CONFIRMED] = "confirm",
	    [SMSC_CANCELLED] = "cancel"};

	return names[said];
}

struct smsc_dialogue smsc_dialect_begin(const struct smsc_dialect *d, uint32_t number)
{
	struct smsc_dialogue g = {.umr = (uint16_t)number, .id = 0x5A000000u + number};

	g.its = d->its == ITS_OPAQUE    ? (uint16_t)(number << 1)
	        : d->its == ITS_SESSION ? (uint16_t)((number & 0xFF) << 8)
	                                : (uint16_t)number;
	return smsc_dialect_turn(d, &g, 1);
}

struct smsc_dialogue smsc_dialect_turn(
    const struct smsc_dialect *d, const struct smsc_dialogue *of, unsigned turn)
{
	struct smsc_dialogue g = *of;

	if (d->its == ITS_SESSION)
		g.its = (uint16_t)((g.its & ITS_SESSION) | (turn & 0x7F) << 1);
	return g;
}

/* "123" of "*123*2#". */
static const char *code_digits(const char *code, char room[21])
{
	size_t from = strspn(code, "*#"), n = strcspn(code + from, "*#");

	n = n > 20 ? 20 : n;
	memcpy(room, code + from, n);
	room[n] = '\0';
	return room;
}

const char *smsc_dialect_destination(const struct smsc_dialect *d, const char *code, char room[21])
{
	if (d->alias)
		return "9090";
	if (!d->code_in_destination)
		return code_digits(code, room);
	size_t n = strnlen(code, 20);
	memcpy(room, code, n);
	room[n] = '\0';
	return room;
}

/* GSM 7-bit when it is all in there. */
static bool text_as_gsm(const char *text, enum gsm_wire gsm, struct buf *out)
{
	struct buf septets = {0};
	uint8_t s[2];
	uint32_t cp;
	size_t took, n = strlen(text);
	bool fits = true;

	for (; n && fits; text += took, n -= took) {
		took = utf8_next(text, n, &cp);
		size_t width = took ? gsm7_encode(cp, s) : 0;
		bool octet = gsm == GSM_WIRE_LATIN1 || gsm == GSM_WIRE_ASCII;

		fits = width && (!octet || cp < 0x80);
		if (octet)
			buf_char(&septets, (char)cp);
		else
			buf_add(&septets, s, width);
	}
	if (fits && gsm == GSM_WIRE_PACKED)
		gsm7_pack((const uint8_t *)buf_text(&septets), septets.len, 0, out);
	else if (fits)
		buf_add(out, buf_text(&septets), septets.len);
	buf_fini(&septets);
	return fits;
}

static void unit_put(struct buf *out, uint32_t unit)
{
	buf_char(out, (char)(unit >> 8));
	buf_char(out, (char)unit);
}

static void text_as_ucs2(const char *text, struct buf *out)
{
	uint32_t cp;
	size_t took, n = strlen(text);

	for (; n && (took = utf8_next(text, n, &cp)); text += took, n -= took) {
		if (cp > 0xFFFF)
			unit_put(out, 0xD800 + ((cp - 0x10000) >> 10));
		unit_put(out, cp > 0xFFFF ? 0xDC00 + ((cp - 0x10000) & 0x3FF) : cp);
	}
}

static bool say_ends(const struct smsc_dialect *d, const struct smsc_say *s)
{
	return s->said == SMSC_CANCELLED && d->cancel == CANCEL_BIT;
}

static uint8_t say_op(const struct smsc_dialect *d, const struct smsc_say *s)
{
	if (s->said == SMSC_DIALLED)
		return OP_PSSR_INDICATION;
	if (s->said == SMSC_CONFIRMED)
		return OP_USSN_CONFIRM;
	if (s->said == SMSC_CANCELLED && d->cancel == CANCEL_OP)
		return d->cancel_op;
	return d->op_2_too && s->turn % 2 ? OP_USSR_REQUEST : OP_USSR_CONFIRM;
}

static void tlv_number(struct buf *tlvs, uint16_t tag, uint32_t v, uint16_t octets)
{
	uint8_t b[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	pdu_put_tlv(tlvs, tag, b + 4 - octets, octets);
}

static void say_tlvs(const struct smsc_dialect *d, const struct smsc_say *s, struct buf *tlvs)
{
	tlv_number(tlvs, TAG_USSD_SERVICE_OP, say_op(d, s), 1);
	if (d->its)
		tlv_number(tlvs, TAG_ITS_SESSION_INFO, s->dialogue.its | (say_ends(d, s) ? END_BIT : 0u), 2);
	if (d->umr)
		tlv_number(tlvs, TAG_USER_MESSAGE_REFERENCE, s->dialogue.umr, 2);
	if (d->tag)
		tlv_number(tlvs, d->tag, s->dialogue.id, 4);
}

enum kz smsc_dialect_put(const struct smsc_dialect *d, const struct smsc_say *s, enum gsm_wire gsm,
    uint32_t sequence, struct buf *out)
{
	struct pdu_sm m = {
	    .command = d->data_sm ? PDU_DATA_SM : PDU_DELIVER_SM,
	    .source = {.ton = 1, .npi = 1},
	};
	struct buf text = {0}, tlvs = {0};
	char room[21];
	const char *to = smsc_dialect_destination(d, s->code, room);
	const char *words = s->said == SMSC_TYPED ? s->text : "";

	if (s->said == SMSC_DIALLED && !d->code_in_destination)
		words = s->code;
	if (!d->no_service_type)
		memcpy(m.service_type, "USSD", 5);
	memcpy(m.source.text, s->from, strnlen(s->from, sizeof m.source.text - 1));
	memcpy(m.destination.text, to, strnlen(to, sizeof m.destination.text - 1));
	if (!text_as_gsm(words, gsm, &text)) {
		buf_clear(&text);
		text_as_ucs2(words, &text);
		m.data_coding = 8;
	}
	say_tlvs(d, s, &tlvs);
	m.text = (const uint8_t *)buf_text(&text);
	m.text_len = text.len;
	m.payload = d->data_sm || text.len > 254;
	m.tlvs = (struct pdu_tlvs){(const uint8_t *)buf_text(&tlvs), tlvs.len};
	enum kz r = pdu_put_sm(out, sequence, &m);
	buf_fini(&text);
	buf_fini(&tlvs);
	return r;
}

bool smsc_dialect_is_page(const struct pdu_sm *m)
{
	struct pdu_tlv t;

	return !strcmp(m->service_type, "USSD") || pdu_tlv_find(m->tlvs, TAG_USSD_SERVICE_OP, &t);
}

/* How the page is meant, and the faults of its op and end bit. */
static uint32_t page_how(
    const struct smsc_dialect *d, const struct pdu_sm *m, uint16_t its, struct smsc_page *page)
{
	uint32_t op;
	bool bit = d->end_bit && (its & END_BIT);

	page->how = SMSC_PAGE_GO_ON;
	if (!pdu_tlv_uint(m->tlvs, TAG_USSD_SERVICE_OP, &op) || op > UINT8_MAX)
		return 1u << SMSC_PAGE_NO_OP;
	page->op = (uint8_t)op;
	if (op == OP_USSN_REQUEST)
		page->how = SMSC_PAGE_TELL;
	else if (op == d->last && (d->last != OP_USSR_REQUEST || bit))
		page->how = SMSC_PAGE_LAST;
	else if (op != OP_USSR_REQUEST)
		return 1u << SMSC_PAGE_WRONG_OP;
	if (page->how == SMSC_PAGE_TELL)
		return 0;
	return d->end_bit && bit != (page->how == SMSC_PAGE_LAST) ? 1u << SMSC_PAGE_END_BIT : 0;
}

static uint32_t page_form(const struct smsc_dialect *d, const struct pdu_sm *m)
{
	uint32_t faults = 0, v;

	if (strcmp(m->service_type, "USSD"))
		faults |= 1u << SMSC_PAGE_SERVICE_TYPE;
	if (m->command != (d->data_sm ? PDU_DATA_SM : PDU_SUBMIT_SM))
		faults |= 1u << SMSC_PAGE_COMMAND;
	if (d->data_sm && !m->payload)
		faults |= 1u << SMSC_PAGE_PAYLOAD;
	if (d->reply_type && (!pdu_tlv_uint(m->tlvs, TAG_ITS_REPLY_TYPE, &v) || v != 5))
		faults |= 1u << SMSC_PAGE_REPLY_TYPE;
	if ((m->esm_class & 0x40) || pdu_tlv_uint(m->tlvs, TAG_SAR_TOTAL_SEGMENTS, &v))
		faults |= 1u << SMSC_PAGE_PARTS;
	return faults;
}

/* A number of a dialogue that is absent is 0, which no dialogue has but one raw in 65,536. */
static uint32_t dialogue_number(const struct pdu_sm *m, uint16_t tag)
{
	uint32_t v;

	return tag && pdu_tlv_uint(m->tlvs, tag, &v) ? v : 0;
}

uint32_t smsc_dialect_read(
    const struct smsc_dialect *d, const struct pdu_sm *m, struct smsc_page *page, struct smsc_dialogue *ret)
{
	*ret = (struct smsc_dialogue){
	    .its = (uint16_t)dialogue_number(m, TAG_ITS_SESSION_INFO),
	    .umr = (uint16_t)dialogue_number(m, TAG_USER_MESSAGE_REFERENCE),
	    .id = dialogue_number(m, d->tag),
	};
	return page_how(d, m, ret->its, page) | page_form(d, m);
}

bool smsc_dialect_same(
    const struct smsc_dialect *d, const struct smsc_dialogue *sent, const struct smsc_dialogue *came)
{
	if (d->its && ((sent->its ^ came->its) & d->its))
		return false;
	if (d->umr && sent->umr != came->umr)
		return false;
	return !d->tag || sent->id == came->id;
}

bool smsc_dialect_has_number(const struct smsc_dialect *d)
{
	return d->its || d->umr || d->tag;
}

bool smsc_dialect_keeps_source(const struct smsc_dialect *d)
{
	return !d->alias;
}

#include "smsc_odd.h"

#include <stdio.h>
#include <string.h>

#define NEVER_GIVEN ((uint64_t)1 << 62) /* no counter of ids comes here */

/* Other order, other case, no counts and no text; operators write so. */
static size_t spelling_write(const struct smsc_options *o, const char *id, char room[254])
{
	return (size_t)snprintf(
	    room, 254, "STAT:%s ERR:000 DONE DATE:20261124123456 ID:%s", smsc_options_state(o), id);
}

static size_t ucs2_write(const struct smsc_options *o, const char *id, char room[254])
{
	char text[127];
	int n = snprintf(text, sizeof text, "id:%s stat:%s err:000", id, smsc_options_state(o));

	for (int i = 0; i < n; i++) {
		room[2 * i] = '\0';
		room[2 * i + 1] = text[i];
	}
	return (size_t)n * 2;
}

/* The message centre's buffer was too short for the state. */
static size_t cut_write(const struct smsc_options *o, const char *id, char room[254])
{
	return (size_t)snprintf(room, 254, "id:%s sub:001 dlvrd:001 stat:%.5s", id, smsc_options_state(o));
}

void smsc_odd_receipt(
    const struct smsc_receipt *r, const struct smsc_options *o, struct pdu_sm *m, char room[254])
{
	char id[SMSC_ID];

	smsc_receipt_id_text(o, r->odd == SMSC_ODD_UNKNOWN ? r->number ^ NEVER_GIVEN : r->number, id);
	m->text = (const uint8_t *)room;
	m->tlvs = r->odd == SMSC_ODD_BARE ? m->tlvs : (struct pdu_tlvs){0};
	switch (r->odd) {
	case SMSC_ODD_NOT:
	case SMSC_ODD_SPELLING:
	case SMSC_ODD_UNKNOWN:
		m->text_len = spelling_write(o, id, room);
		break;
	case SMSC_ODD_UCS2:
		m->data_coding = 8;
		m->text_len = ucs2_write(o, id, room);
		break;
	case SMSC_ODD_BARE:
		m->esm_class = 0;
		m->text_len = 0;
		break;
	case SMSC_ODD_CUT:
		m->text_len = cut_write(o, id, room);
		break;
	case SMSC_ODD_GARBLED:
		m->text_len = (size_t)snprintf(room, 254, "\x01\x80 id stat err \xff\xfe nothing of it");
		break;
	}
}

static void frame_put(
    struct buf *out, uint32_t command, uint32_t status, uint32_t sequence, const char *body, size_t len)
{
	size_t start = out->len;

	pdu_put_header(out, command, status, sequence);
	buf_add(out, body, len);
	out->data[start + 3] = (char)(out->len - start);
}

void smsc_odd_garbage(struct buf *out, uint64_t turn, uint32_t sequence)
{
#define BODY(text) text, sizeof text - 1
	static const struct {
		uint32_t command, status;
		const char *body;
		size_t len;
		bool asks; /* else it answers what nobody asked */
	} kinds[] = {
	    {0x00000999, 0, BODY("\xff\x00\xff"), true},                  /* no command */
	    {PDU_SUBMIT_SM | PDU_RESP, 0, BODY("nobody-asked\0"), false}, /* to a number never used */
	    {PDU_DELIVER_SM, 0,
	        BODY("\0\1\1"
	             "7701"),
	        true}, /* ends in an address */
	    {PDU_DELIVER_SM, 0, BODY("\0\1\1\0\1\1\0\4\0\0\0\0\0\0\0\0\0\x14\0\xff\xff"), true}, /* TLV */
	    {PDU_GENERIC_NACK, 0x55f, BODY(""), false},
	    {PDU_BIND_TRANSCEIVER, 0, BODY("a\0b\0\0\x34\0\0\0"), true}, /* it is the client that binds */
	    {PDU_ENQUIRE_LINK, 0, BODY("a body"), true},
	    {0x80000999, 0, BODY(""), false},
	};
#undef BODY
	size_t i = turn % (sizeof kinds / sizeof *kinds);

	frame_put(out, kinds[i].command, kinds[i].status, kinds[i].asks ? sequence : 0x7ffffff0,
	    kinds[i].body, kinds[i].len);
}

void smsc_odd_length(struct buf *out, uint64_t turn)
{
	static const char lengths[][4] = {{0, 0, 0, 0}, {0, 0, 0, 15}, {'\xff', '\xff', '\xff', '\xff'},
	    {0, 1, 0x11, 0x71}, {'G', 'E', 'T', ' '}};
	size_t i = turn % (sizeof lengths / sizeof *lengths);

	buf_add(out, lengths[i], sizeof lengths[i]);
	buf_add(out, "\0\0\0\5\0\0\0\0\0\0\0\7", 12);
}

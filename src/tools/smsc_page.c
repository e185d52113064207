#include "smsc_page.h"

#include <string.h>

#include "text/gsm7.h"
#include "text/utf8.h"

#define DCS_UCS2          8
#define DCS_GSM           0x0F
#define DCS_GSM_LANGUAGE  0x10 /* two letters of a language, CR, then GSM 7-bit */
#define DCS_UCS2_LANGUAGE 0x11

static const char *const fault_words[SMSC_PAGE_FAULTS] = {
    [SMSC_PAGE_NO_OP] = "no ussd_service_op",
    [SMSC_PAGE_WRONG_OP] = "a ussd_service_op that the dialect does not have",
    [SMSC_PAGE_NOBODY] = "a page for a phone that never dialled",
    [SMSC_PAGE_WRONG_SESSION] = "the page of another dialogue",
    [SMSC_PAGE_AFTER_END] = "a page after the end",
    [SMSC_PAGE_UNASKED] = "a page that nobody asked for",
    [SMSC_PAGE_NO_PUSH] = "a push, and none is allowed",
    [SMSC_PAGE_TOO_LONG] = "the page is too long",
    [SMSC_PAGE_UNREADABLE] = "the text cannot be read",
    [SMSC_PAGE_EMPTY] = "the page is empty",
    [SMSC_PAGE_PARTS] = "a page in parts",
    [SMSC_PAGE_SERVICE_TYPE] = "service_type is not USSD",
    [SMSC_PAGE_SOURCE] = "source_addr is not what was dialled",
    [SMSC_PAGE_COMMAND] = "another PDU than the dialect's",
    [SMSC_PAGE_PAYLOAD] = "the text is not in message_payload",
    [SMSC_PAGE_REPLY_TYPE] = "its_reply_type is not 5",
    [SMSC_PAGE_END_BIT] = "the end bit contradicts ussd_service_op",
};

const char *smsc_page_fault_words(enum smsc_page_fault f)
{
	return fault_words[f];
}

const char *smsc_page_how_name(enum smsc_page_how how)
{
	static const char *const names[] = {[SMSC_PAGE_GO_ON] = "page",
	    [SMSC_PAGE_LAST] = "last",
	    [SMSC_PAGE_ASK] = "ask",
	    [SMSC_PAGE_TELL] = "tell"};

	return names[how];
}

static bool dcs_is_ucs2(uint8_t dcs)
{
	return dcs == DCS_UCS2 || dcs == DCS_UCS2_LANGUAGE || (dcs >> 6 == 1 && (dcs & 0x0C) == 0x08);
}

/* What segment_decode calls it: it reads data_coding as SMS do. */
static uint8_t dcs_of_sms(uint8_t dcs)
{
	if (dcs_is_ucs2(dcs))
		return DCS_UCS2;
	return dcs == DCS_GSM || dcs == DCS_GSM_LANGUAGE || (dcs >= 0x20 && dcs < 0x40) ? 0 : dcs;
}

static size_t text_units(const char *text, size_t n, bool ucs2)
{
	size_t units = 0;
	uint32_t cp;
	uint8_t septets[2];

	for (size_t took; n; text += took, n -= took) {
		if (!(took = utf8_next(text, n, &cp)))
			return units + n;
		size_t width = ucs2 ? (cp > 0xFFFF ? 2 : 1) : gsm7_encode(cp, septets);
		units += width ? width : 1;
	}
	return units;
}

uint32_t smsc_page_read(struct smsc_page *page, const struct pdu_sm *m, enum gsm_wire gsm, struct buf *room)
{
	bool ucs2 = dcs_is_ucs2(m->data_coding);

	buf_clear(room);
	enum kz r = segment_decode(m->text, m->text_len, 0, dcs_of_sms(m->data_coding), gsm, room);
	/* Seven spare bits would be read as '@': who packs fills them with CR. 3GPP TS 23.038, 6.1.2.3.1. */
	if (r == KZ_OK && !ucs2 && gsm == GSM_WIRE_PACKED && room->len && room->data[room->len - 1] == '\r')
		room->data[--room->len] = '\0';
	page->text = r == KZ_OK ? buf_text(room) : "";
	page->units = text_units(page->text, strlen(page->text), ucs2);
	page->alphabet = ucs2 ? "ucs2" : "gsm7";
	page->data_coding = m->data_coding;
	if (r != KZ_OK)
		return 1u << SMSC_PAGE_UNREADABLE;
	return page->units ? 0 : 1u << SMSC_PAGE_EMPTY;
}

json_t *smsc_page_json(const struct smsc_page *page)
{
	bool readable = utf8_check(page->phone, strlen(page->phone)) == KZ_OK;
	const char *phone = readable ? page->phone : "?"; /* a peer's destination_addr */
	json_t *faults = json_array();

	for (int i = 0; i < SMSC_PAGE_FAULTS; i++)
		if (page->faults & 1u << i)
			json_array_append_new(faults, json_string(fault_words[i]));
	json_t *j = json_pack("{s:s,s:s,s:s,s:I,s:s,s:i,s:i,s:o}", "phone", phone, "how",
	    smsc_page_how_name(page->how), "text", page->text, "units", (json_int_t)page->units, "alphabet",
	    page->alphabet, "data_coding", (int)page->data_coding, "op", (int)page->op, "faults", faults);
	if (page->gone)
		json_object_set_new(j, "gone", json_true());
	if (page->busy)
		json_object_set_new(j, "busy", json_true());
	return j;
}

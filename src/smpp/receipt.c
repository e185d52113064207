/* receipt: TLVs first, then the text, per value: an operator that sends receipted_message_id may well leave
 * the state to the text. The TLV's id also wins against another in the text: seen are the id of
 * submit_sm_resp in hex in the TLV and the same in decimal in the text. */
#include "smpp/receipt.h"

#include <string.h>

#include "smpp/receipt_text.h"

/* Message type in esm_class, SMPP 3.4, 5.2.12. */
#define ESM_RECEIPT      0x04
#define ESM_INTERMEDIATE 0x20

#define STATE_SCHEDULED 0
#define STATE_SKIPPED   9

/* Shorter than this, a cut word could be several. */
#define STAT_MIN 4

/* Whole words in lower case; a value is one of them or its beginning. */
static const struct {
	const char *word;
	enum receipt_state state;
} stats[] = {
    {"delivrd", RECEIPT_DELIVERED},
    {"delivered", RECEIPT_DELIVERED},
    {"delivd", RECEIPT_DELIVERED},
    {"delvrd", RECEIPT_DELIVERED},
    {"dlvrd", RECEIPT_DELIVERED},
    {"expired", RECEIPT_EXPIRED},
    {"exprd", RECEIPT_EXPIRED},
    {"deleted", RECEIPT_DELETED},
    {"deletd", RECEIPT_DELETED},
    {"undeliverable", RECEIPT_UNDELIVERABLE},
    {"undelivered", RECEIPT_UNDELIVERABLE},
    {"undelivrd", RECEIPT_UNDELIVERABLE},
    {"undlvrd", RECEIPT_UNDELIVERABLE},
    {"undlv", RECEIPT_UNDELIVERABLE},
    {"failed", RECEIPT_UNDELIVERABLE},
    {"acceptd", RECEIPT_ACCEPTED},
    {"accepted", RECEIPT_ACCEPTED},
    {"acked", RECEIPT_ACCEPTED},
    {"unknown", RECEIPT_UNKNOWN},
    {"unknwn", RECEIPT_UNKNOWN},
    {"rejectd", RECEIPT_REJECTED},
    {"rejected", RECEIPT_REJECTED},
    {"rejctd", RECEIPT_REJECTED},
    {"enroute", RECEIPT_ENROUTE},
    {"enrote", RECEIPT_ENROUTE},
    {"scheduled", RECEIPT_ENROUTE},
    {"skipped", RECEIPT_UNDELIVERABLE},
    {"buffred", RECEIPT_ENROUTE},
    {"buffered", RECEIPT_ENROUTE},
};

static const char *const state_names[] = {
    [RECEIPT_ENROUTE] = "ENROUTE",
    [RECEIPT_DELIVERED] = "DELIVRD",
    [RECEIPT_EXPIRED] = "EXPIRED",
    [RECEIPT_DELETED] = "DELETED",
    [RECEIPT_UNDELIVERABLE] = "UNDELIV",
    [RECEIPT_ACCEPTED] = "ACCEPTD",
    [RECEIPT_UNKNOWN] = "UNKNOWN",
    [RECEIPT_REJECTED] = "REJECTD",
};

const char *receipt_state_name(enum receipt_state s)
{
	return s >= RECEIPT_ENROUTE && s <= RECEIPT_REJECTED ? state_names[s] : "?";
}

static bool stat_read(const char *stat, enum receipt_state *ret)
{
	size_t n = strlen(stat);

	if (n < STAT_MIN)
		return false;
	for (size_t i = 0; i < sizeof stats / sizeof *stats; i++)
		if (!strncmp(stats[i].word, stat, n)) {
			*ret = stats[i].state;
			return true;
		}
	return false;
}

/* The id of the TLV: printable, without the NUL and blanks around it. */
static bool tlv_id(const struct pdu_sm *m, char ret[RECEIPT_ID])
{
	struct pdu_tlv t;
	size_t n;

	if (!pdu_tlv_find(m->tlvs, TAG_RECEIPTED_MESSAGE_ID, &t))
		return false;
	n = strnlen((const char *)t.value, t.len);
	for (; n && *t.value == ' '; n--)
		t.value++;
	while (n && t.value[n - 1] == ' ')
		n--;
	if (!n || n >= RECEIPT_ID)
		return false;
	for (size_t i = 0; i < n; i++)
		if (t.value[i] < ' ' || t.value[i] > '~')
			return false;
	memcpy(ret, t.value, n);
	ret[n] = '\0';
	return true;
}

static bool tlv_state(const struct pdu_sm *m, enum receipt_state *ret)
{
	uint32_t v;

	if (!pdu_tlv_uint(m->tlvs, TAG_MESSAGE_STATE, &v) || v < RECEIPT_ENROUTE || v > RECEIPT_REJECTED)
		return false;
	*ret = (enum receipt_state)v;
	return true;
}

/* SMPP 5.0 has two more, 4.8.4.36: not yet tried, and left out. Behind the text: in 3.4 they are nonsense. */
static bool tlv_state_50(const struct pdu_sm *m, enum receipt_state *ret)
{
	uint32_t v;

	if (!pdu_tlv_uint(m->tlvs, TAG_MESSAGE_STATE, &v) || (v != STATE_SCHEDULED && v != STATE_SKIPPED))
		return false;
	*ret = v == STATE_SCHEDULED ? RECEIPT_ENROUTE : RECEIPT_UNDELIVERABLE;
	return true;
}

bool receipt_is(const struct pdu_sm *m, bool loose)
{
	struct receipt_text text;
	char id[RECEIPT_ID];
	enum receipt_state state;

	if (m->command == PDU_SUBMIT_SM)
		return false;
	if (m->esm_class & (ESM_RECEIPT | ESM_INTERMEDIATE))
		return true;
	if (!loose)
		return false;
	if (tlv_id(m, id))
		return true;
	receipt_text_read(m, &text);
	return text.begins && *text.id && stat_read(text.stat, &state);
}

static bool state_is_final(enum receipt_state s)
{
	return s == RECEIPT_DELIVERED || s == RECEIPT_EXPIRED || s == RECEIPT_DELETED ||
	       s == RECEIPT_UNDELIVERABLE || s == RECEIPT_REJECTED;
}

enum kz receipt_parse(const struct pdu_sm *m, struct receipt *ret)
{
	struct receipt r = {.source = m->source};
	struct receipt_text text;
	uint32_t reference;

	receipt_text_read(m, &text);
	if (!tlv_id(m, r.id))
		memcpy(r.id, text.id, sizeof r.id);
	if (!*r.id)
		return KZ_INVALID;
	if (!tlv_state(m, &r.state) && !stat_read(text.stat, &r.state) && !tlv_state_50(m, &r.state))
		return KZ_INVALID;
	memcpy(r.err, text.err, sizeof r.err);
	if (!pdu_tlv_uint(m->tlvs, TAG_NETWORK_ERROR_CODE, &r.network_error))
		r.network_error = 0;
	r.reference = pdu_tlv_uint(m->tlvs, TAG_USER_MESSAGE_REFERENCE, &reference) && reference <= UINT16_MAX
	                  ? (int32_t)reference
	                  : -1;
	r.done_wall_ms = text.done_wall_ms;
	/* an intermediate notification (5.2.12: 0x20) tells of a try, never of the end */
	r.final = state_is_final(r.state) && (m->esm_class & 0x24) != 0x20;
	*ret = r;
	return KZ_OK;
}

/* ussd: what comes in. */
#include <stdio.h>
#include <string.h>

#include "smpp/ussd_body.h"
#include "text/segment.h"
#include "text/utf8.h"

#define CODE_DIGITS    20
#define PATH_MAX_CHARS 64
#define OP_DIALLED     1 /* PSSR indication and USSR confirm, of what comes without an op */
#define OP_TYPED       18

/* Digits at the beginning of a text, behind a '*'. */
static size_t ussd_code_span(const char *text, const char **ret)
{
	*ret = text + (*text == '*');
	return strspn(*ret, "0123456789");
}

static bool ussd_is_ours(const struct profile_ussd *u, const char *text)
{
	const char *digits;
	size_t n = ussd_code_span(text, &digits);

	for (size_t i = 0; i < u->codes.count; i++)
		if (strlen(u->codes.items[i]) == n && !memcmp(u->codes.items[i], digits, n))
			return true;
	return false;
}

bool ussd_is(const struct profile *p, const struct pdu_sm *m)
{
	struct pdu_tlv t;

	switch ((enum ussd_detect)p->ussd.detect) {
	case USSD_BY_TLV:
		return pdu_tlv_find(m->tlvs, TAG_USSD_SERVICE_OP, &t);
	case USSD_BY_SERVICE_TYPE:
		return !strcmp(m->service_type, p->ussd.service_type);
	case USSD_BY_DESTINATION:
		return ussd_is_ours(&p->ussd, m->destination.text);
	case USSD_BY_ANY:
		return true;
	case USSD_BY_NOTHING:
		break;
	}
	return false;
}

/* data_coding as segment_decode knows it: what the profile's pages have means the same in answers, and 15 is
 * the cell broadcast's GSM 7-bit, 23.038, 5. */
static uint8_t ussd_coding(const struct profile_ussd *u, uint8_t data_coding)
{
	if (data_coding == (uint8_t)u->dcs_ucs2)
		return 8;
	return data_coding == (uint8_t)u->dcs_gsm || data_coding == 15 ? 0 : data_coding;
}

/* NULs behind a text are some centres' way to end it. */
static void ussd_take_text(const struct profile_ussd *u, const struct pdu_sm *m, char ret[USSD_TEXT])
{
	struct buf utf8 = {.wiped = true};
	size_t n = m->text_len < 2 * USSD_TEXT ? m->text_len : 2 * USSD_TEXT;
	uint8_t coding = ussd_coding(u, m->data_coding);
	size_t step = coding == 8 ? 2 : 1;

	while (n >= step && !m->text[n - 1] && !m->text[n - step])
		n -= step;
	*ret = '\0';
	if (n && segment_decode(m->text, n, 0, coding, (enum gsm_wire)u->gsm, &utf8) == KZ_OK)
		utf8_cut(ret, USSD_TEXT, buf_text(&utf8));
	buf_fini(&utf8);
}

static enum kz ussd_take_said(const struct profile_ussd *u, const struct pdu_sm *m, struct ussd_in *ret)
{
	struct pdu_tlv t;
	size_t n = strlen(ret->text);

	if (!pdu_tlv_find(m->tlvs, TAG_USSD_SERVICE_OP, &t)) {
		bool code = n > 2 && ret->text[0] == '*' && ret->text[n - 1] == '#';

		ret->said = code ? USSD_DIALLED : USSD_TYPED;
		ret->peer.op = code ? OP_DIALLED : OP_TYPED;
		return KZ_OK;
	}
	if (t.len != 1 || u->means[*t.value] == USSD_MEANS_NOTHING)
		return KZ_INVALID;
	ret->said = (enum ussd_said)u->means[*t.value];
	ret->peer.op = *t.value;
	return KZ_OK;
}

static void ussd_read_end(const struct profile_ussd *u, const struct pdu_sm *m, struct ussd_in *in)
{
	uint32_t its;

	if (in->said != USSD_TYPED)
		return;
	if (u->end_bit_in && pdu_tlv_uint(m->tlvs, TAG_ITS_SESSION_INFO, &its) && (its & USSD_END_BIT))
		in->said = USSD_CANCELLED;
	if (u->empty_cancels && !*in->text)
		in->said = USSD_CANCELLED;
}

static void ussd_key_add(struct ussd_peer *peer, const void *octets, size_t n)
{
	if (n > sizeof peer->key - peer->key_n)
		n = sizeof peer->key - peer->key_n;
	memcpy(peer->key + peer->key_n, octets, n);
	peer->key_n += n;
}

void ussd_make_key(const struct profile_ussd *u, const uint8_t *octets, size_t n, struct msisdn phone,
    struct ussd_peer *peer)
{
	char text[MSISDN_TEXT] = "";
	uint8_t key[8];

	for (size_t i = 0; i < n; i++)
		key[i] = (uint8_t)(octets[i] & (n - i > 4 ? 0xff : u->key_mask >> (8 * (n - 1 - i))));
	ussd_key_add(peer, key, n);
	if (u->key != USSD_KEY_MSISDN && !u->key_msisdn)
		return;
	if (phone.digits)
		msisdn_text(phone, text);
	ussd_key_add(peer, "/", 1);
	if (*text)
		ussd_key_add(peer, text, strlen(text));
	else
		ussd_key_add(peer, peer->phone.text, strlen(peer->phone.text));
}

uint16_t ussd_key_tag(const struct profile_ussd *u)
{
	switch ((enum ussd_key)u->key) {
	case USSD_KEY_ITS:
		return TAG_ITS_SESSION_INFO;
	case USSD_KEY_UMR:
		return TAG_USER_MESSAGE_REFERENCE;
	case USSD_KEY_TLV:
		return u->key_tag;
	case USSD_KEY_MSISDN:
		break;
	}
	return 0;
}

/* 5.3.2.43 and 5.3.2.17 have two octets. */
static bool ussd_key_is_sound(const struct profile_ussd *u, size_t n)
{
	if (u->key != USSD_KEY_TLV)
		return n == 2;
	return u->key_octets ? n == (size_t)u->key_octets : n >= 1 && n <= 8;
}

static enum kz ussd_take_key(const struct profile_ussd *u, const struct pdu_sm *m, struct ussd_in *in)
{
	struct pdu_tlv t = {0};

	if (u->key != USSD_KEY_MSISDN &&
	    (!pdu_tlv_find(m->tlvs, ussd_key_tag(u), &t) || !ussd_key_is_sound(u, t.len)))
		return KZ_INVALID;
	ussd_make_key(u, t.value, t.len, in->phone, &in->peer);
	return KZ_OK;
}

void ussd_add_echo(struct ussd_peer *peer, uint16_t tag, const uint8_t *value, size_t n)
{
	if (peer->echo_n == USSD_ECHO || n > sizeof peer->echo->value)
		return;
	peer->echo[peer->echo_n].tag = tag;
	peer->echo[peer->echo_n].len = (uint8_t)n;
	memcpy(peer->echo[peer->echo_n++].value, value, n);
}

static void ussd_take_echo(const struct profile_ussd *u, const struct pdu_sm *m, struct ussd_peer *peer)
{
	struct pdu_tlv t;

	if (u->echo != USSD_ECHO_NONE && pdu_tlv_find(m->tlvs, TAG_ITS_SESSION_INFO, &t) && t.len == 2)
		ussd_add_echo(peer, t.tag, t.value, t.len);
	if (pdu_tlv_find(m->tlvs, TAG_USER_MESSAGE_REFERENCE, &t) && t.len == 2)
		ussd_add_echo(peer, t.tag, t.value, t.len);
	if (u->key == USSD_KEY_TLV && pdu_tlv_find(m->tlvs, u->key_tag, &t))
		ussd_add_echo(peer, t.tag, t.value, t.len);
}

/* What stands behind the code in a text: "2" of "*123*2#", of "*2#" and of "2". A keypad dials nothing but
 * digits and stars there. */
static size_t ussd_path(const char *text, const char *digits, size_t n, const char **ret)
{
	text += *text == '*';
	if (!strncmp(text, digits, n) && (text[n] == '*' || text[n] == '#' || !text[n]))
		text += n;
	*ret = text + (*text == '*');
	n = strspn(*ret, "0123456789*");
	return n < PATH_MAX_CHARS ? n : PATH_MAX_CHARS;
}

/* The code as dialled, "*123*2#", from where the operator puts it. */
static void ussd_join_code(const struct profile_ussd *u, struct ussd_in *in)
{
	const char *to = in->peer.code.text, *digits, *path = "";
	bool in_text = u->code == USSD_CODE_TEXT || (u->code == USSD_CODE_BOTH && in->text[0] == '*');
	size_t n = ussd_code_span(in_text && u->path != USSD_PATH_REST ? in->text : to, &digits), path_n = 0;
	char code[CODE_DIGITS + 1] = "", whole[USSD_TEXT];

	n = n < CODE_DIGITS ? n : CODE_DIGITS;
	memcpy(code, digits, n);
	if (!in_text && to[0] == '*' && digits[n] == '*') /* it has the path too */
		path_n = ussd_path(to, code, n, &path);
	else if (u->path != USSD_PATH_NONE)
		path_n = ussd_path(in->text, code, n, &path);
	snprintf(whole, sizeof whole, "*%s%s%.*s#", code, path_n ? "*" : "", (int)path_n, path);
	memcpy(in->text, whole, sizeof whole);
	if (u->code_kept && n)
		snprintf(in->peer.code.text, sizeof in->peer.code.text, "%s", code);
}

static void ussd_take_addresses(const struct pdu_sm *m, struct ussd_in *in)
{
	struct msisdn_refusal why;

	in->peer.phone = m->source;
	in->peer.code = m->destination;
	if (msisdn_parse(m->source.text, &in->phone, &why) != KZ_OK)
		in->phone.digits = 0;
}

enum kz ussd_take(const struct profile *p, const struct pdu_sm *m, struct ussd_in *ret)
{
	const struct profile_ussd *u = &p->ussd;
	uint32_t reference;
	enum kz r;

	*ret = (struct ussd_in){.peer.reference = UINT32_MAX, .peer.link = UINT32_MAX};
	ussd_take_addresses(m, ret);
	ussd_take_text(u, m, ret->text);
	if ((r = ussd_take_said(u, m, ret)) != KZ_OK || (r = ussd_take_key(u, m, ret)) != KZ_OK)
		return r;
	ussd_take_echo(u, m, &ret->peer);
	if (pdu_tlv_uint(m->tlvs, TAG_USER_MESSAGE_REFERENCE, &reference))
		ret->peer.reference = reference;
	ussd_read_end(u, m, ret);
	ret->peer.code_assumed = u->code_kept && ret->said != USSD_DIALLED;
	if (ret->said == USSD_DIALLED)
		ussd_join_code(u, ret);
	else if (ret->peer.code_assumed)
		snprintf(ret->peer.code.text, sizeof ret->peer.code.text, "%.20s", u->codes.items[0]);
	return KZ_OK;
}

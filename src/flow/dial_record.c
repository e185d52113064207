/* The octets of a record: version 2, phone, carrier, key, code, what was said and when, flags, then the
 * session's own. Written by this program alone and sealed by sessions, yet another version of it may read
 * them. */
#include "flow/dial_turn.h"

#include <stdio.h>
#include <string.h>

#define RECORD_VERSION 2
#define RECORD_TOLD    1

static void record_put_number(struct buf *out, uint64_t v)
{
	buf_add(out, &v, sizeof v);
}

static void record_put_text(struct buf *out, const void *bytes, size_t n)
{
	buf_char(out, (char)n);
	buf_add(out, bytes, n);
}

void dial_record_pack(const struct dial_record *r, struct buf *out)
{
	buf_char(out, RECORD_VERSION);
	record_put_number(out, r->phone.digits);
	record_put_text(out, r->carrier, strlen(r->carrier));
	record_put_text(out, r->key, r->key_n);
	record_put_text(out, r->code, strlen(r->code));
	record_put_number(out, (uint64_t)r->said);
	record_put_number(out, (uint64_t)r->at_ms);
	buf_char(out, r->told ? RECORD_TOLD : 0);
	session_pack(&r->session, out);
}

/* What is left to read; n is SIZE_MAX once something ran over. */
struct record_reader {
	const uint8_t *at;
	size_t n;
};

static const uint8_t *record_take(struct record_reader *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->n == SIZE_MAX || n > r->n) {
		r->n = SIZE_MAX;
		return NULL;
	}
	r->at += n;
	r->n -= n;
	return at;
}

static uint8_t record_take_octet(struct record_reader *r)
{
	const uint8_t *at = record_take(r, 1);

	return at ? *at : 0;
}

static uint64_t record_take_number(struct record_reader *r)
{
	uint64_t v = 0;
	const uint8_t *at = record_take(r, sizeof v);

	if (at)
		memcpy(&v, at, sizeof v);
	return v;
}

/* ret has room for most octets. */
static size_t record_take_text(struct record_reader *r, void *ret, size_t most)
{
	size_t n = record_take_octet(r);
	const uint8_t *at = n <= most ? record_take(r, n) : NULL;

	if (at && n)
		memcpy(ret, at, n);
	else if (n)
		r->n = SIZE_MAX;
	return n;
}

enum kz dial_record_unpack(const void *bytes, size_t n, struct dial_record *ret)
{
	struct record_reader r = {bytes, n};

	memset(ret, 0, sizeof *ret);
	if (record_take_octet(&r) != RECORD_VERSION)
		return KZ_INVALID;
	uint64_t digits = record_take_number(&r);
	record_take_text(&r, ret->carrier, DIAL_CARRIER - 1);
	ret->key_n = record_take_text(&r, ret->key, USSD_KEY);
	record_take_text(&r, ret->code, DIAL_CODE - 1);
	ret->said = (int64_t)record_take_number(&r);
	ret->at_ms = (int64_t)record_take_number(&r);
	ret->told = record_take_octet(&r) & RECORD_TOLD;
	if (r.n == SIZE_MAX || msisdn_from_digits(digits, &ret->phone) != KZ_OK)
		return KZ_INVALID;
	return session_unpack(r.at, r.n, &ret->session);
}

void dial_record_tell_code(const struct dial_record *r, const char *carrier, struct ussd_peer *peer)
{
	if (peer->code_assumed && *r->code && dial_record_is_of(r, carrier, peer))
		snprintf(peer->code.text, sizeof peer->code.text, "%s", r->code);
}

bool dial_record_is_of(const struct dial_record *r, const char *carrier, const struct ussd_peer *peer)
{
	return r->phone.digits && strcmp(r->carrier, carrier) == 0 &&
	       (!r->key_n || (r->key_n == peer->key_n && memcmp(r->key, peer->key, r->key_n) == 0));
}

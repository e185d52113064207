/* A code is derived, not drawn and kept: digits = stream of HMAC(key, id, issue). A daemon that takes
 * another's codes over makes the same digits again from the keyring, and neither a dump of the database nor a
 * stolen disk holds anything that leads to them. Sealing drawn digits for the minutes of their life would do
 * too; it was not taken, as it costs a column, and rows that must be cleared in time.
 *
 * What is written into a MAC has one reading only: numbers have a fixed width, texts their length before
 * them. The digits have a field of fixed width too, so that a guess of another length takes the same time. */
#include "rules/code.h"

#include <assert.h>
#include <string.h>

#define CODE_DIGITS_DOMAIN "kezek code digits 1"
#define CODE_MAC_DOMAIN    "kezek code mac 1"

const char *code_verdict_name(enum code_verdict v)
{
	static const char *const names[] = {
	    "open", "approved", "exhausted", "cancelled", "superseded", "expired"};

	return (unsigned)v < sizeof names / sizeof *names ? names[v] : "unknown";
}

/* Appends n octets of v, the highest first. */
static uint8_t *put_number(uint8_t *to, uint64_t v, unsigned n)
{
	while (n-- > 0)
		*to++ = (uint8_t)(v >> 8 * n);
	return to;
}

/* Of the octets those below 250 are taken: 250 is a multiple of ten, so no digit is favoured, as 0 to 5 would
 * be by octet % 10. Returns how many digits there are now. */
static unsigned digits_take(const uint8_t octets[SECRET_HASH], unsigned have, unsigned want, char *digits)
{
	for (size_t i = 0; i < SECRET_HASH && have < want; i++)
		if (octets[i] < 250)
			digits[have++] = (char)('0' + octets[i] % 10);
	return have;
}

enum kz code_derive(const struct keyring *k, unsigned key, uint64_t id, unsigned issue, unsigned length,
    char digits[CODE_MAX + 1])
{
	uint8_t about[8 + 4 + 1 + 4], stream[SECRET_HASH], *at = about;
	enum kz r = KZ_OK;

	assert(length >= 1 && length <= CODE_MAX);
	at = put_number(at, id, 8);
	at = put_number(at, issue, 4);
	at = put_number(at, length, 1);
	for (unsigned block = 0, have = 0; r == KZ_OK && have < length; block++) {
		put_number(at, block, 4);
		r = keyring_mac(k, key, CODE_DIGITS_DOMAIN, about, sizeof about, stream);
		if (r == KZ_OK)
			have = digits_take(stream, have, length, digits);
	}
	digits[r == KZ_OK ? length : 0] = '\0';
	secret_wipe(stream, sizeof stream);
	return r;
}

static void put_text(struct buf *out, const char *text)
{
	uint8_t len[4];
	size_t n = strlen(text);

	put_number(len, n, sizeof len);
	buf_add(out, len, sizeof len);
	buf_add(out, text, n);
}

enum kz code_mac(const struct keyring *k, unsigned key, const struct code_bond *b, const char *digits,
    uint8_t mac[SECRET_HASH])
{
	uint8_t fixed[8 + 4 + 8 + 1 + CODE_MAX] = {0}, *at = fixed;
	size_t length =
	    strnlen(digits, CODE_MAX + 1); /* longer than any is as good as another: no code has it */
	struct buf all = {0};

	at = put_number(at, b->id, 8);
	at = put_number(at, b->issue, 4);
	at = put_number(at, (uint64_t)b->phone, 8);
	at = put_number(at, length, 1);
	memcpy(at, digits, length < CODE_MAX ? length : CODE_MAX);
	buf_space(&all,
	    sizeof fixed + 8 + strlen(b->purpose) + strlen(b->binding)); /* not moved with digits in it */
	buf_add(&all, fixed, sizeof fixed);
	put_text(&all, b->purpose);
	put_text(&all, b->binding);
	enum kz r = keyring_mac(k, key, CODE_MAC_DOMAIN, all.data, all.len, mac);
	secret_wipe(fixed, sizeof fixed);
	secret_wipe(all.data, all.len);
	buf_fini(&all);
	return r;
}

bool code_matches(const struct keyring *k, unsigned key, const struct code_bond *b, const char *digits,
    const uint8_t mac[SECRET_HASH])
{
	uint8_t theirs[SECRET_HASH];

	return code_mac(k, key, b, digits, theirs) == KZ_OK && secret_equal(theirs, mac, sizeof theirs);
}

bool code_has_hole(const char *text)
{
	return strchr(text, CODE_HOLE) != NULL;
}

void code_fill(const char *text, const char *digits, struct buf *out)
{
	size_t holes = 0, n = strlen(text);

	for (const char *p = text; (p = strchr(p, CODE_HOLE)); p++)
		holes++;
	buf_space(
	    out, n + holes * strlen(digits)); /* so that it is not moved, which would leave digits behind */
	for (const char *hole; (hole = strchr(text, CODE_HOLE)); text = hole + 1) {
		buf_add(out, text, (size_t)(hole - text));
		buf_str(out, digits);
	}
	buf_str(out, text);
}

struct code_resend code_resend_plan(const struct code_past *past, int64_t now_ms)
{
	bool fresh = (past->expires_ms - now_ms) * 2 >= past->life_ms;
	int64_t end_ms = past->created_ms + CODE_LIFE_MAX_MS;

	if (fresh && (past->given || past->again == CODE_AGAIN_SAME))
		return (struct code_resend){true, past->expires_ms};
	if (end_ms > now_ms + past->life_ms)
		end_ms = now_ms + past->life_ms;
	return (struct code_resend){past->given, end_ms};
}

int64_t code_wait_ms(const struct code_waits *w, unsigned n)
{
	return n <= 1 ? w->first_ms : n == 2 ? w->second_ms : w->later_ms;
}

/* A text from outside: made fit for the phone, measured, cut and read back. The first octet chooses how parts
 * are tied and how 7-bit characters travel; the rest is the text. The same octets are tried as a number and,
 * raw, as what an operator sent. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/msisdn.h"
#include "text/segment.h"
#include "text/utf8.h"

#define FUZZ_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && !memcmp(buf_text(a), buf_text(b), a->len);
}

/* Once is enough: what was made fit is fit. */
static void check_for_phone_is_stable(const struct buf *text)
{
	struct buf again = {0};
	enum kz r = utf8_for_phone(buf_text(text), text->len, &again);

	assert(r == KZ_OK && same(text, &again));
	buf_fini(&again);
}

static void check_part(const struct segment *s, enum gsm_wire gsm, struct buf *back)
{
	size_t room = s->alphabet == ALPHABET_UCS2 || gsm == GSM_WIRE_PACKED ? 140 : 160;
	struct udh udh = {0};

	assert(s->len > 0 && (s->is_payload || s->len <= room));
	if (s->has_udh) {
		enum kz r = udh_parse(s->bytes, s->len, &udh);

		assert(r == KZ_OK && udh.has_concat && udh.reference == s->reference);
		assert(udh.number == s->number && udh.total == s->total);
	}
	size_t before = back->len;
	enum kz r =
	    segment_decode(s->bytes, s->len, udh.len, s->alphabet == ALPHABET_UCS2 ? 8 : 0, gsm, back);
	assert(r == KZ_OK && back->len > before);
}

static void check_split(const struct buf *text, const struct text_wire *wire)
{
	struct segment parts[SEGMENT_MAX_PARTS];
	struct buf room = {0};
	struct buf back = {0};
	struct text_cost cost;
	size_t n = 0;
	enum kz r = segment_cost(buf_text(text), text->len, wire, &cost);
	enum kz split = segment_split(buf_text(text), text->len, wire, 0x1234, &room, parts, &n);

	assert(r == split);
	assert(text->len ? r == KZ_OK || r == KZ_TOO_LONG : r == KZ_INVALID);
	if (r == KZ_OK) {
		assert(cost.parts >= 1 && cost.parts <= SEGMENT_MAX_PARTS);
		assert(n == (wire->concat == CONCAT_PAYLOAD ? 1 : cost.parts));
		for (size_t i = 0; i < n; i++) {
			assert(parts[i].number == i + 1 && parts[i].total == n);
			check_part(&parts[i], wire->gsm, &back);
		}
		assert(same(text, &back));
	}
	buf_fini(&room);
	buf_fini(&back);
}

static void check_msisdn(const uint8_t *data, size_t size)
{
	char *text = mem_strn((const char *)data, size);
	struct msisdn_refusal why = {0};
	struct msisdn m, again;
	char out[MSISDN_TEXT];

	if (msisdn_parse(text, &m, &why) == KZ_OK) {
		enum kz r = msisdn_parse(msisdn_text(m, out), &again, &why);

		assert(r == KZ_OK && again.digits == m.digits);
		assert(msisdn_from_digits(m.digits, &again) == KZ_OK);
	} else {
		assert(why.code && why.remedy);
	}
	free(text);
}

/* Whatever an operator sends becomes UTF-8 without NUL, or is said to be binary. */
static void check_decode(const uint8_t *data, size_t size, uint8_t coding, enum gsm_wire gsm)
{
	struct buf text = {0};

	if (segment_decode(data, size, 0, coding, gsm, &text) == KZ_OK) {
		assert(utf8_check(buf_text(&text), text.len) == KZ_OK);
		assert(strlen(buf_text(&text)) == text.len);
	} else {
		assert(!text.len);
	}
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = {0};

	if (!size || size > FUZZ_MAX)
		return 0;
	struct text_wire wire = {(enum concat)(data[0] & 3), (enum gsm_wire)(data[0] >> 2 & 3)};
	if (utf8_for_phone((const char *)data + 1, size - 1, &text) == KZ_OK) {
		check_for_phone_is_stable(&text);
		check_split(&text, &wire);
	} else {
		assert(!text.len);
	}
	check_msisdn(data + 1, size - 1);
	check_decode(data + 1, size - 1, data[0], wire.gsm);
	buf_fini(&text);
	return 0;
}

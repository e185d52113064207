/* A text becomes units first, septets or UTF-16 units, and is cut there, the same way for its cost and for
 * sending, so that the two cannot disagree. What each part looks like on the wire is decided after the cut.
 */
#include "text/segment.h"

#include "text/gsm7.h"
#include "text/utf8.h"

#define SEGMENT_ESC         0x1b
#define SEGMENT_CR          0x0d
#define SEGMENT_ONE_SEPTETS 160
#define SEGMENT_ONE_UCS2    70
/* A unit comes of at most three octets of UTF-8; longer texts need not be looked at. */
#define SEGMENT_MAX_OCTETS (SEGMENT_MAX_PARTS * SEGMENT_ONE_SEPTETS * 3)

/* Units of one text: an octet each in GSM 7-bit, two (big-endian) in UCS-2. */
struct units {
	enum alphabet alphabet;
	struct buf octets;
};

static size_t units_count(const struct units *u)
{
	return u->alphabet == ALPHABET_GSM7 ? u->octets.len : u->octets.len / 2;
}

/* Whether the unit is the first half of a pair that must stay together. */
static bool units_is_first_half(const struct units *u, size_t at)
{
	if (u->alphabet == ALPHABET_GSM7)
		return u->octets.data[at] == SEGMENT_ESC;
	return (u->octets.data[at * 2] & 0xfc) == 0xd8;
}

/* How many units from a place on go into one part. */
static size_t units_cut(const struct units *u, size_t from, size_t limit)
{
	size_t left = units_count(u) - from;

	if (left <= limit)
		return left;
	return units_is_first_half(u, from + limit - 1) ? limit - 1 : limit;
}

/* The highest code point that an operator who reads data_coding 0 so can be given. */
static uint32_t wire_top(enum gsm_wire gsm)
{
	if (gsm == GSM_WIRE_ASCII)
		return 0x7f;
	return gsm == GSM_WIRE_LATIN1 ? 0xff : 0x10ffff;
}

/* KZ_REFUSED when a character does not go in 7 bits on this wire. */
static enum kz units_take_gsm7(struct units *u, const char *utf8, size_t n, enum gsm_wire gsm)
{
	uint32_t top = wire_top(gsm);
	uint8_t septets[2];
	uint32_t cp;

	u->alphabet = ALPHABET_GSM7;
	for (size_t i = 0, len; i < n; i += len) {
		if (!(len = utf8_next(utf8 + i, n - i, &cp)))
			return KZ_INVALID;
		size_t count = cp <= top ? gsm7_encode(cp, septets) : 0;
		if (!count)
			return KZ_REFUSED;
		buf_add(&u->octets, septets, count);
	}
	return KZ_OK;
}

static void units_put_ucs2(struct units *u, uint32_t unit)
{
	buf_char(&u->octets, (char)(unit >> 8));
	buf_char(&u->octets, (char)(unit & 0xff));
}

static enum kz units_take_ucs2(struct units *u, const char *utf8, size_t n)
{
	uint32_t cp;

	u->alphabet = ALPHABET_UCS2;
	buf_clear(&u->octets);
	for (size_t i = 0, len; i < n; i += len) {
		if (!(len = utf8_next(utf8 + i, n - i, &cp)))
			return KZ_INVALID;
		if (cp > 0xffff) {
			units_put_ucs2(u, 0xd7c0 + (cp >> 10));
			units_put_ucs2(u, 0xdc00 | (cp & 0x3ff));
		} else {
			units_put_ucs2(u, cp);
		}
	}
	return KZ_OK;
}

static enum kz units_take(struct units *u, const char *utf8, size_t n, enum gsm_wire gsm)
{
	if (!n)
		return KZ_INVALID;
	if (n > SEGMENT_MAX_OCTETS)
		return KZ_TOO_LONG;
	enum kz r = units_take_gsm7(u, utf8, n, gsm);
	return r == KZ_REFUSED ? units_take_ucs2(u, utf8, n) : r;
}

static size_t part_limit(enum alphabet alphabet, enum concat concat)
{
	bool wide = concat == CONCAT_UDH16 || concat == CONCAT_SAR;

	if (alphabet == ALPHABET_GSM7)
		return wide ? 152 : 153;
	return wide ? 66 : 67;
}

/* Ends of the parts, in units. */
struct cuts {
	size_t end[SEGMENT_MAX_PARTS];
	size_t count;
};

static enum kz cuts_make(const struct units *u, enum concat concat, struct cuts *ret)
{
	size_t count = units_count(u);
	size_t limit = u->alphabet == ALPHABET_GSM7 ? SEGMENT_ONE_SEPTETS : SEGMENT_ONE_UCS2;

	if (count > limit)
		limit = part_limit(u->alphabet, concat);
	ret->count = 0;
	for (size_t at = 0; at < count;) {
		if (ret->count == SEGMENT_MAX_PARTS)
			return KZ_TOO_LONG;
		at += units_cut(u, at, limit);
		ret->end[ret->count++] = at;
	}
	return KZ_OK;
}

enum kz segment_cost(const char *utf8, size_t n, const struct text_wire *wire, struct text_cost *ret)
{
	struct units u = {.octets = {.wiped = true}};
	struct cuts cuts;

	buf_space(&u.octets, 2 * n);
	enum kz r = units_take(&u, utf8, n, wire->gsm);
	if (r == KZ_OK)
		r = cuts_make(&u, wire->concat, &cuts);
	if (r == KZ_OK)
		*ret = (struct text_cost){
		    .alphabet = u.alphabet,
		    .units = (uint32_t)units_count(&u),
		    .parts = (uint32_t)cuts.count,
		};
	buf_fini(&u.octets);
	return r;
}

/* When seven bits are left over, a reader that knows octets only would see one more septet, '@'. CR there is
 * read as padding: 23.038, 6.1.2.3.1. */
static void put_packed(const uint8_t *septets, size_t n, unsigned fill, struct buf *room)
{
	struct buf padded = {.wiped = true};

	buf_add(&padded, septets, n);
	if ((fill + 7 * n) % 8 == 1)
		buf_char(&padded, SEGMENT_CR);
	gsm7_pack((const uint8_t *)padded.data, padded.len, fill, room);
	buf_fini(&padded);
}

/* Characters of one octet; units_take_gsm7 let no others in. */
static void put_octets(const uint8_t *septets, size_t n, struct buf *room)
{
	struct buf utf8 = {.wiped = true};
	uint32_t cp = 0;

	gsm7_decode(septets, n, &utf8);
	for (size_t i = 0; i < utf8.len;) {
		i += utf8_next(utf8.data + i, utf8.len - i, &cp);
		buf_char(room, (char)cp);
	}
	buf_fini(&utf8);
}

static void put_units(
    const struct units *u, size_t from, size_t end, enum gsm_wire gsm, unsigned fill, struct buf *room)
{
	size_t width = u->alphabet == ALPHABET_GSM7 ? 1 : 2;
	const uint8_t *at = (const uint8_t *)u->octets.data + from * width;
	size_t n = end - from;

	if (width == 2 || gsm == GSM_WIRE_UNPACKED)
		buf_add(room, at, n * width);
	else if (gsm == GSM_WIRE_PACKED)
		put_packed(at, n, fill, room);
	else
		put_octets(at, n, room);
}

static void put_part(const struct units *u, size_t from, size_t end, const struct text_wire *wire,
    struct segment *s, struct buf *room)
{
	size_t start = room->len;

	if (s->has_udh)
		udh_put(room, wire->concat == CONCAT_UDH16, s->reference, s->number, s->total);
	put_units(u, from, end, wire->gsm, udh_fill_bits(room->len - start), room);
	s->len = room->len - start;
}

/* The parts' octets lie one behind the other; addresses are known when the room has stopped growing. */
static void put_parts(const struct units *u, const struct cuts *cuts, const struct text_wire *wire,
    uint16_t reference, struct buf *room, struct segment *ret)
{
	bool tied = cuts->count > 1;
	bool by_udh = tied && (wire->concat == CONCAT_UDH8 || wire->concat == CONCAT_UDH16);
	size_t at = 0;

	for (size_t i = 0; i < cuts->count; i++) {
		ret[i] = (struct segment){
		    .number = (uint8_t)(i + 1),
		    .total = (uint8_t)cuts->count,
		    .reference = wire->concat == CONCAT_UDH8 ? reference & 0xff : reference,
		    .has_udh = by_udh,
		    .has_sar = tied && wire->concat == CONCAT_SAR,
		    .alphabet = u->alphabet,
		};
		put_part(u, i ? cuts->end[i - 1] : 0, cuts->end[i], wire, &ret[i], room);
	}
	for (size_t i = 0; i < cuts->count; at += ret[i++].len)
		ret[i].bytes = (const uint8_t *)room->data + at;
}

static void put_payload(const struct units *u, const struct text_wire *wire, uint16_t reference,
    struct buf *room, struct segment *ret)
{
	put_units(u, 0, units_count(u), wire->gsm, 0, room);
	*ret = (struct segment){
	    .number = 1,
	    .total = 1,
	    .reference = reference,
	    .is_payload = true,
	    .alphabet = u->alphabet,
	    .bytes = (const uint8_t *)room->data,
	    .len = room->len,
	};
}

enum kz segment_split(const char *utf8, size_t n, const struct text_wire *wire, uint16_t reference,
    struct buf *room, struct segment ret[SEGMENT_MAX_PARTS], size_t *ret_n)
{
	struct units u = {.octets = {.wiped = true}};
	struct cuts cuts;

	buf_space(&u.octets, 2 * n);
	enum kz r = units_take(&u, utf8, n, wire->gsm);
	buf_clear(room);
	if (r == KZ_OK)
		r = cuts_make(&u, wire->concat, &cuts);
	if (r == KZ_OK && cuts.count > 1 && wire->concat == CONCAT_PAYLOAD) {
		put_payload(&u, wire, reference, room, &ret[0]);
		*ret_n = 1;
	} else if (r == KZ_OK) {
		put_parts(&u, &cuts, wire, reference, room, ret);
		*ret_n = cuts.count;
	}
	buf_fini(&u.octets);
	return r;
}

enum kz segment_page(const char *utf8, size_t n, enum gsm_wire gsm, struct buf *room, struct text_cost *ret)
{
	struct units u = {.octets = {.wiped = true}};
	enum kz r = units_take(&u, utf8, n, gsm);

	if (r == KZ_OK) {
		*ret = (struct text_cost){u.alphabet, (uint32_t)units_count(&u), 1};
		put_units(&u, 0, units_count(&u), gsm, 0, room);
	}
	buf_fini(&u.octets);
	return r;
}

/* segment: what a text costs, how it is cut, and that what is read back from the parts is the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/segment.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

#define SMILE     "\xf0\x9f\x98\x80" /* U+1F600, two UTF-16 units */
#define REFERENCE 0xabcd

/* What a text came to. */
struct outcome {
	struct text_cost cost;
	struct segment parts[SEGMENT_MAX_PARTS];
	size_t count;
	struct buf room;
};

static struct buf scratch;

/* n times the text. */
static const char *times(const char *text, size_t n)
{
	buf_clear(&scratch);
	for (size_t i = 0; i < n; i++)
		buf_str(&scratch, text);
	return buf_text(&scratch);
}

static const char *joined(size_t n, const char *text, const char *then, size_t m, const char *last)
{
	times(text, n);
	buf_str(&scratch, then);
	for (size_t i = 0; i < m; i++)
		buf_str(&scratch, last);
	return buf_text(&scratch);
}

static size_t octets_limit(const struct segment *s, enum gsm_wire gsm)
{
	if (s->is_payload)
		return SEGMENT_MAX_PARTS * 160;
	return s->alphabet == ALPHABET_UCS2 || gsm == GSM_WIRE_PACKED ? 140 : 160;
}

static void check_ties(const struct outcome *o, size_t i, const struct text_wire *wire)
{
	const struct segment *s = &o->parts[i];
	bool tied = o->count > 1;
	bool wide = wire->concat == CONCAT_UDH16;

	assert_int_equal(s->number, i + 1);
	assert_int_equal(s->total, o->count);
	assert_int_equal(s->reference, wire->concat == CONCAT_UDH8 ? REFERENCE & 0xff : REFERENCE);
	assert_int_equal(s->has_udh, tied && (wide || wire->concat == CONCAT_UDH8));
	assert_int_equal(s->has_sar, tied && wire->concat == CONCAT_SAR);
	assert_int_equal(s->is_payload, o->cost.parts > 1 && wire->concat == CONCAT_PAYLOAD);
	assert_int_equal(s->alphabet, o->cost.alphabet);
	assert_in_range(s->len, 1, octets_limit(s, wire->gsm));
	if (s->has_udh) {
		const char *head = wide ? "\x06\x08\x04\xab\xcd" : "\x05\x00\x03\xcd";
		size_t n = wide ? 5 : 4;

		assert_memory_equal(s->bytes, head, n);
		assert_int_equal(s->bytes[n], o->count);
		assert_int_equal(s->bytes[n + 1], i + 1);
	}
}

static void read_part(const struct segment *s, enum gsm_wire gsm, struct buf *text)
{
	struct udh udh = {0};

	if (s->has_udh) {
		assert_int_equal(udh_parse(s->bytes, s->len, &udh), KZ_OK);
		assert_true(udh.has_concat);
		assert_int_equal(udh.reference, s->reference);
		assert_int_equal(udh.number, s->number);
		assert_int_equal(udh.total, s->total);
	}
	uint8_t coding = s->alphabet == ALPHABET_UCS2 ? 8 : 0;
	assert_int_equal(segment_decode(s->bytes, s->len, udh.len, coding, gsm, text), KZ_OK);
}

/* Measures and cuts, checks each part, reads them back; o's room is the caller's to free. */
static void send(const char *text, enum concat concat, enum gsm_wire gsm, struct outcome *o)
{
	struct text_wire wire = {concat, gsm};
	struct buf back = {0};
	size_t n = strlen(text);

	assert_int_equal(segment_cost(text, n, &wire, &o->cost), KZ_OK);
	assert_int_equal(segment_split(text, n, &wire, REFERENCE, &o->room, o->parts, &o->count), KZ_OK);
	assert_int_equal(o->count, concat == CONCAT_PAYLOAD ? 1 : o->cost.parts);
	for (size_t i = 0; i < o->count; i++) {
		check_ties(o, i, &wire);
		read_part(&o->parts[i], gsm, &back);
	}
	assert_string_equal(buf_text(&back), text);
	buf_fini(&back);
}

static void costs(const char *text, enum concat concat, enum gsm_wire gsm, enum alphabet alphabet,
    uint32_t units, uint32_t parts)
{
	struct outcome o = {0};

	send(text, concat, gsm, &o);
	assert_int_equal(o.cost.alphabet, alphabet);
	if (o.cost.units != units || o.cost.parts != parts)
		fail_msg("concat %d, wire %d: %u units in %u parts, not %u in %u", concat, gsm, o.cost.units,
		    o.cost.parts, units, parts);
	buf_fini(&o.room);
}

/* The boundaries by name. parts by UDH 8, UDH 16, SAR, payload. */
static const struct boundary {
	const char *letter;
	enum alphabet alphabet;
	uint32_t units;
	uint32_t parts[4];
} boundaries[] = {
    {"ә", ALPHABET_UCS2, 1, {1, 1, 1, 1}},
    {"ә", ALPHABET_UCS2, 69, {1, 1, 1, 1}},
    {"ә", ALPHABET_UCS2, 70, {1, 1, 1, 1}},
    {"ә", ALPHABET_UCS2, 71, {2, 2, 2, 2}},
    {"ж", ALPHABET_UCS2, 69, {1, 1, 1, 1}},
    {"ж", ALPHABET_UCS2, 70, {1, 1, 1, 1}},
    {"ж", ALPHABET_UCS2, 71, {2, 2, 2, 2}},
    {"ә", ALPHABET_UCS2, 132, {2, 2, 2, 2}},
    {"ә", ALPHABET_UCS2, 133, {2, 3, 3, 2}},
    {"ә", ALPHABET_UCS2, 134, {2, 3, 3, 2}},
    {"ә", ALPHABET_UCS2, 135, {3, 3, 3, 3}},
    {"ж", ALPHABET_UCS2, 134, {2, 3, 3, 2}},
    {"ж", ALPHABET_UCS2, 135, {3, 3, 3, 3}},
    {"ж", ALPHABET_UCS2, 198, {3, 3, 3, 3}},
    {"ж", ALPHABET_UCS2, 199, {3, 4, 4, 3}},
    {"ж", ALPHABET_UCS2, 201, {3, 4, 4, 3}},
    {"ж", ALPHABET_UCS2, 202, {4, 4, 4, 4}},
    {"ә", ALPHABET_UCS2, 2112, {32, 32, 32, 32}},
    {"a", ALPHABET_GSM7, 1, {1, 1, 1, 1}},
    {"a", ALPHABET_GSM7, 70, {1, 1, 1, 1}},
    {"a", ALPHABET_GSM7, 71, {1, 1, 1, 1}},
    {"a", ALPHABET_GSM7, 159, {1, 1, 1, 1}},
    {"a", ALPHABET_GSM7, 160, {1, 1, 1, 1}},
    {"a", ALPHABET_GSM7, 161, {2, 2, 2, 2}},
    {"a", ALPHABET_GSM7, 304, {2, 2, 2, 2}},
    {"a", ALPHABET_GSM7, 305, {2, 3, 3, 2}},
    {"a", ALPHABET_GSM7, 306, {2, 3, 3, 2}},
    {"a", ALPHABET_GSM7, 307, {3, 3, 3, 3}},
    {"a", ALPHABET_GSM7, 456, {3, 3, 3, 3}},
    {"a", ALPHABET_GSM7, 457, {3, 4, 4, 3}},
    {"a", ALPHABET_GSM7, 459, {3, 4, 4, 3}},
    {"a", ALPHABET_GSM7, 460, {4, 4, 4, 4}},
    {"a", ALPHABET_GSM7, 4864, {32, 32, 32, 32}},
};

static void segment_cost__named_boundaries__each_mode_and_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(boundaries); i++)
		for (unsigned concat = 0; concat < 4; concat++)
			for (unsigned gsm = 0; gsm < 4; gsm++) {
				const struct boundary *b = &boundaries[i];

				costs(times(b->letter, b->units), (enum concat)concat, (enum gsm_wire)gsm,
				    b->alphabet, b->units, b->parts[concat]);
			}
}

static void segment_cost__every_multiple_of_a_part__is_exact(void **state)
{
	static const struct {
		enum concat concat;
		uint32_t septets, ucs2;
	} limits[] = {{CONCAT_UDH8, 153, 67}, {CONCAT_UDH16, 152, 66}, {CONCAT_SAR, 152, 66},
	    {CONCAT_PAYLOAD, 153, 67}};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++)
		for (uint32_t parts = 2; parts < SEGMENT_MAX_PARTS; parts++) {
			uint32_t gsm7 = limits[i].septets * parts;
			uint32_t ucs2 = limits[i].ucs2 * parts;

			costs(
			    times("a", gsm7), limits[i].concat, GSM_WIRE_PACKED, ALPHABET_GSM7, gsm7, parts);
			costs(times("a", gsm7 + 1), limits[i].concat, GSM_WIRE_PACKED, ALPHABET_GSM7,
			    gsm7 + 1, parts + 1);
			costs(
			    times("ө", ucs2), limits[i].concat, GSM_WIRE_PACKED, ALPHABET_UCS2, ucs2, parts);
			costs(times("ө", ucs2 + 1), limits[i].concat, GSM_WIRE_PACKED, ALPHABET_UCS2,
			    ucs2 + 1, parts + 1);
		}
}

/* Text of each length, so that every place of the packed octets ends a part once; '@' is seven zero bits. */
static void segment_split__every_length_packed__comes_back(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 330; n++) {
		uint32_t parts = n <= 160 ? 1 : (n + 152) / 153;
		uint32_t wide = n <= 160 ? 1 : (n + 151) / 152;

		costs(times("@", n), CONCAT_UDH8, GSM_WIRE_PACKED, ALPHABET_GSM7, n, parts);
		costs(times("@", n), CONCAT_UDH16, GSM_WIRE_PACKED, ALPHABET_GSM7, n, wide);
		costs(times("@", n), CONCAT_PAYLOAD, GSM_WIRE_PACKED, ALPHABET_GSM7, n, parts);
	}
}

static void segment_cost__real_texts__in_three_languages(void **state)
{
	(void)state;
	costs("482915 - растау коды. 15 минут жарамды. Ешкімге айтпаңыз!", CONCAT_UDH8, GSM_WIRE_UNPACKED,
	    ALPHABET_UCS2, 57, 1);
	costs("Заявление №123456789 принято. Очередь №108344.", CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_UCS2,
	    46, 1);
	costs("Application No.123456789 registered.", CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_GSM7, 36, 1);
}

static void segment_split__escape_at_the_cut__goes_whole_into_the_next_part(void **state)
{
	static const enum concat modes[] = {CONCAT_UDH8, CONCAT_UDH16, CONCAT_SAR};
	struct outcome o = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		size_t limit = modes[i] == CONCAT_UDH8 ? 153 : 152;
		size_t head = modes[i] == CONCAT_UDH8 ? 6 : modes[i] == CONCAT_UDH16 ? 7 : 0;

		send(joined(limit - 1, "a", "€", 10, "b"), modes[i], GSM_WIRE_UNPACKED, &o);
		assert_int_equal(o.count, 2);
		assert_int_equal(o.parts[0].len, head + limit - 1);
		assert_int_equal(o.parts[0].bytes[o.parts[0].len - 1], 'a');
		assert_memory_equal(o.parts[1].bytes + head, "\x1b\x65\x62", 3);
		send(joined(limit - 2, "a", "€", 10, "b"), modes[i], GSM_WIRE_UNPACKED, &o);
		assert_int_equal(o.parts[0].len, head + limit);
		assert_memory_equal(o.parts[0].bytes + o.parts[0].len - 2, "\x1b\x65", 2);
	}
	buf_fini(&o.room);
	costs(joined(158, "a", "{", 0, ""), CONCAT_UDH8, GSM_WIRE_PACKED, ALPHABET_GSM7, 160, 1);
	costs(joined(159, "a", "{", 0, ""), CONCAT_UDH8, GSM_WIRE_PACKED, ALPHABET_GSM7, 161, 2);
	/* 306 septets, which would be two parts if an escape did not straddle the cut. */
	costs(joined(152, "a", "{", 152, "b"), CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_GSM7, 306, 3);
	costs(joined(152, "a", "{", 152, "b"), CONCAT_PAYLOAD, GSM_WIRE_UNPACKED, ALPHABET_GSM7, 306, 3);
	costs(times("€", 80), CONCAT_UDH8, GSM_WIRE_PACKED, ALPHABET_GSM7, 160, 1);
	costs(times("€", 152), CONCAT_UDH8, GSM_WIRE_PACKED, ALPHABET_GSM7, 304, 2);
	costs(times("€", 153), CONCAT_UDH8, GSM_WIRE_PACKED, ALPHABET_GSM7, 306, 3);
}

static void segment_split__surrogates_at_the_cut__go_whole_into_the_next_part(void **state)
{
	struct outcome o = {0};

	(void)state;
	send(joined(66, "ж", SMILE, 10, "ә"), CONCAT_UDH8, GSM_WIRE_UNPACKED, &o);
	assert_int_equal(o.count, 2);
	assert_int_equal(o.parts[0].len, 6 + 132);
	assert_memory_equal(o.parts[1].bytes + 6, "\xd8\x3d\xde\x00\x04\xd9", 6);
	send(joined(65, "ж", SMILE, 10, "ә"), CONCAT_UDH16, GSM_WIRE_UNPACKED, &o);
	assert_int_equal(o.parts[0].len, 7 + 130);
	assert_memory_equal(o.parts[1].bytes + 7, "\xd8\x3d\xde\x00", 4);
	send(joined(65, "ж", SMILE, 10, "ә"), CONCAT_UDH8, GSM_WIRE_UNPACKED, &o);
	assert_int_equal(o.parts[0].len, 6 + 134);
	buf_fini(&o.room);
	costs(joined(68, "ж", SMILE, 0, ""), CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_UCS2, 70, 1);
	costs(joined(69, "ж", SMILE, 0, ""), CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_UCS2, 71, 2);
	costs(times(SMILE, 33), CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_UCS2, 66, 1);
	costs(times(SMILE, 67), CONCAT_UDH8, GSM_WIRE_UNPACKED, ALPHABET_UCS2, 134, 3);
	costs(times(SMILE, 66), CONCAT_UDH16, GSM_WIRE_UNPACKED, ALPHABET_UCS2, 132, 2);
}

static void writes(const char *text, enum gsm_wire gsm, enum alphabet alphabet, const char *bytes, size_t n)
{
	struct outcome o = {0};

	send(text, CONCAT_UDH8, gsm, &o);
	assert_int_equal(o.count, 1);
	assert_int_equal(o.cost.alphabet, alphabet);
	assert_int_equal(o.parts[0].len, n);
	assert_memory_equal(o.parts[0].bytes, bytes, n);
	buf_fini(&o.room);
}

static void segment_split__each_wire__its_octets(void **state)
{
	(void)state;
	writes("a@{é", GSM_WIRE_UNPACKED, ALPHABET_GSM7, "\x61\x00\x1b\x28\x05", 5);
	writes("hellohello", GSM_WIRE_PACKED, ALPHABET_GSM7, "\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37", 9);
	writes("a@{é", GSM_WIRE_LATIN1, ALPHABET_GSM7, "\x61\x40\x7b\xe9", 4);
	writes("a@{\n", GSM_WIRE_ASCII, ALPHABET_GSM7, "\x61\x40\x7b\x0a", 4);
	writes("Өт", GSM_WIRE_UNPACKED, ALPHABET_UCS2, "\x04\xe8\x04\x42", 4);
}

static void segment_split__seven_bits_left_over__are_filled_with_cr(void **state)
{
	(void)state;
	writes("abcdefg", GSM_WIRE_PACKED, ALPHABET_GSM7, "\x61\xf1\x98\x5c\x36\x9f\x1b", 7);
	writes("abcdefg@", GSM_WIRE_PACKED, ALPHABET_GSM7, "\x61\xf1\x98\x5c\x36\x9f\x01", 7);
}

static void segment_split__letters_the_wire_lacks__go_as_ucs2(void **state)
{
	(void)state;
	writes("Ω", GSM_WIRE_UNPACKED, ALPHABET_GSM7, "\x15", 1);
	writes("Ω", GSM_WIRE_LATIN1, ALPHABET_UCS2, "\x03\xa9", 2);
	writes("5€", GSM_WIRE_LATIN1, ALPHABET_UCS2, "\x00\x35\x20\xac", 4);
	writes("é", GSM_WIRE_ASCII, ALPHABET_UCS2, "\x00\xe9", 2);
	writes("`", GSM_WIRE_ASCII, ALPHABET_UCS2, "\x00\x60", 2);
	writes("ç", GSM_WIRE_LATIN1, ALPHABET_UCS2, "\x00\xe7", 2);
}

static void segment_cost__extension_on_latin1__still_costs_two(void **state)
{
	(void)state;
	costs(times("{", 80), CONCAT_UDH8, GSM_WIRE_LATIN1, ALPHABET_GSM7, 160, 1);
	costs(times("{", 81), CONCAT_UDH8, GSM_WIRE_LATIN1, ALPHABET_GSM7, 162, 2);
	costs(times("{", 81), CONCAT_UDH8, GSM_WIRE_ASCII, ALPHABET_GSM7, 162, 2);
}

static void segment_split__payload__one_part_with_all_of_it(void **state)
{
	struct outcome o = {0};

	(void)state;
	send(times("ж", 200), CONCAT_PAYLOAD, GSM_WIRE_UNPACKED, &o);
	assert_int_equal(o.count, 1);
	assert_true(o.parts[0].is_payload);
	assert_int_equal(o.parts[0].len, 400);
	assert_int_equal(o.cost.parts, 3);
	send(times("ж", 70), CONCAT_PAYLOAD, GSM_WIRE_UNPACKED, &o);
	assert_false(o.parts[0].is_payload);
	buf_fini(&o.room);
}

static void segment_cost__too_much__too_long(void **state)
{
	static const uint32_t septets[] = {153, 152, 152, 153}, ucs2[] = {67, 66, 66, 67};
	struct segment parts[SEGMENT_MAX_PARTS];
	struct buf room = {0};
	struct text_cost cost;
	size_t count = 99;

	(void)state;
	for (unsigned concat = 0; concat < 4; concat++) {
		struct text_wire wire = {(enum concat)concat, GSM_WIRE_UNPACKED};
		const char *text = times("a", septets[concat] * SEGMENT_MAX_PARTS + 1);

		assert_int_equal(segment_cost(text, scratch.len, &wire, &cost), KZ_TOO_LONG);
		assert_int_equal(segment_cost(text, scratch.len - 1, &wire, &cost), KZ_OK);
		text = times("ә", ucs2[concat] * SEGMENT_MAX_PARTS + 1);
		assert_int_equal(segment_cost(text, scratch.len, &wire, &cost), KZ_TOO_LONG);
		assert_int_equal(
		    segment_split(text, scratch.len, &wire, 1, &room, parts, &count), KZ_TOO_LONG);
		assert_int_equal(segment_cost(text, scratch.len - 2, &wire, &cost), KZ_OK);
		text = times("€", 100000);
		assert_int_equal(segment_cost(text, scratch.len, &wire, &cost), KZ_TOO_LONG);
	}
	assert_int_equal(count, 99);
	buf_fini(&room);
}

static void segment_cost__empty_or_not_utf8__invalid(void **state)
{
	static const char *const wrong[] = {"", "\xff", "ab\xd0", "ж\xed\xa0\x80", "ж\xf5"};
	struct text_wire wire = {CONCAT_UDH8, GSM_WIRE_UNPACKED};
	struct segment parts[SEGMENT_MAX_PARTS];
	struct buf room = {0};
	struct text_cost cost;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(segment_cost(wrong[i], strlen(wrong[i]), &wire, &cost), KZ_INVALID);
		assert_int_equal(
		    segment_split(wrong[i], strlen(wrong[i]), &wire, 1, &room, parts, &count), KZ_INVALID);
	}
	buf_fini(&room);
}

static int free_scratch(void **state)
{
	(void)state;
	buf_fini(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(segment_cost__named_boundaries__each_mode_and_wire),
	    cmocka_unit_test(segment_cost__every_multiple_of_a_part__is_exact),
	    cmocka_unit_test(segment_split__every_length_packed__comes_back),
	    cmocka_unit_test(segment_cost__real_texts__in_three_languages),
	    cmocka_unit_test(segment_split__escape_at_the_cut__goes_whole_into_the_next_part),
	    cmocka_unit_test(segment_split__surrogates_at_the_cut__go_whole_into_the_next_part),
	    cmocka_unit_test(segment_split__each_wire__its_octets),
	    cmocka_unit_test(segment_split__seven_bits_left_over__are_filled_with_cr),
	    cmocka_unit_test(segment_split__letters_the_wire_lacks__go_as_ucs2),
	    cmocka_unit_test(segment_cost__extension_on_latin1__still_costs_two),
	    cmocka_unit_test(segment_split__payload__one_part_with_all_of_it),
	    cmocka_unit_test(segment_cost__too_much__too_long),
	    cmocka_unit_test(segment_cost__empty_or_not_utf8__invalid),
	};

	return cmocka_run_group_tests(tests, NULL, free_scratch);
}

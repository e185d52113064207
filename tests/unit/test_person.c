#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/person.h"

static struct keyring *ring;

static int ring_make(void **state)
{
	static const char keys[] = "lookup 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	                           "1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
	struct faults faults = {0};

	(void)state;
	ring = keyring_parse("keys", keys, sizeof keys - 1, &faults);
	return !ring;
}

static int ring_free(void **state)
{
	(void)state;
	keyring_free(ring);
	return 0;
}

static void assert_comes_back(const struct person *p)
{
	struct buf sealed = {0}, room = {0};
	struct person back;

	person_seal(ring, 42, p, &sealed);
	if (strlen(p->text) > 4)
		assert_null(memmem(sealed.data, sealed.len, p->text, strlen(p->text)));
	assert_int_equal(person_open(ring, 42, sealed.data, sealed.len, &room, &back), KZ_OK);
	assert_true(back.to.digits == p->to.digits);
	assert_string_equal(back.text, p->text);
	assert_true(!back.sender == !p->sender);
	if (p->sender)
		assert_string_equal(back.sender, p->sender);
	assert_true(back.code.id == p->code.id);
	assert_int_equal(back.code.key, p->code.key);
	assert_int_equal(back.code.issue, p->code.issue);
	assert_int_equal(back.code.length, p->code.length);
	assert_int_equal(person_open(ring, 43, sealed.data, sealed.len, &room, &back), KZ_INVALID);
	buf_fini(&sealed);
	buf_fini(&room);
}

static void person_open__what_was_sealed_for_the_id__comes_back(void **state)
{
	static const struct person all[] = {
	    {.to = {77011234567}, .text = "Сәлем"},
	    {.to = {77479999999}, .text = ""},
	    {.to = {77011234567}, .sender = "1414", .text = "a"},
	    {.to = {77011234567},
	        .sender = "",
	        .text = "\x1a",
	        .code = {UINT64_C(1) << 62, 32767, 4000000000, 10}},
	    {.to = {77011234567}, .text = "\x1a", .code = {7, 0, 1, 4}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_comes_back(&all[i]);
}

/* The keyring sealed it, but not as a person. */
static enum kz open_octets(const char *clear, size_t n)
{
	struct buf sealed = {0}, room = {0};
	struct person p;

	keyring_seal(ring, "message_person", 42, clear, n, &sealed);
	enum kz r = person_open(ring, 42, sealed.data, sealed.len, &room, &p);
	buf_fini(&sealed);
	buf_fini(&room);
	return r;
}

#define NUMBER "\x00\x00\x00\x11\xee\x45\x58\x07" /* 77011965959 */

static void person_open__sealed_by_hand_and_wrong__invalid(void **state)
{
	static const char good[] = "\3" NUMBER "S\0"
	                           "\0\0\0\0\0\0\0\1"
	                           "\0\1"
	                           "\0\0\0\1"
	                           "\6"
	                           "text";

	(void)state;
	assert_int_equal(open_octets(good, sizeof good - 1), KZ_OK);
	for (size_t n = 0; n < sizeof good - 5; n++)
		assert_int_equal(open_octets(good, n), KZ_INVALID);
	assert_int_equal(open_octets("\0" NUMBER "a\0b", 12), KZ_INVALID);
	assert_int_equal(open_octets("\4" NUMBER "a", 10), KZ_INVALID);
	assert_int_equal(open_octets("\0\0\0\0\0\0\0\0\1a", 10), KZ_INVALID); /* a number of nobody */
	assert_int_equal(open_octets("\1" NUMBER "no end", 15), KZ_INVALID);
}

static void person_phone__equal_for_equal_numbers(void **state)
{
	int64_t phone = person_phone(ring, (struct msisdn){77011234567});

	(void)state;
	assert_true(phone == person_phone(ring, (struct msisdn){77011234567}));
	assert_true(phone != person_phone(ring, (struct msisdn){77011234568}));
	assert_true(phone && phone != 77011234567);
}

static void person_open_given__of_another_code__invalid(void **state)
{
	struct buf sealed = {0}, digits = {0};

	(void)state;
	person_seal_given(ring, 7, "0815", &sealed);
	assert_int_equal(person_open_given(ring, 8, sealed.data, sealed.len, &digits), KZ_INVALID);
	assert_int_equal(person_open_given(ring, 7, sealed.data, sealed.len, &digits), KZ_OK);
	assert_string_equal(digits.data, "0815");
	assert_int_equal(person_open_given(ring, 7, "", 0, &digits), KZ_INVALID);
	buf_fini(&sealed);
	buf_fini(&digits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(person_open__what_was_sealed_for_the_id__comes_back),
	    cmocka_unit_test(person_open__sealed_by_hand_and_wrong__invalid),
	    cmocka_unit_test(person_phone__equal_for_equal_numbers),
	    cmocka_unit_test(person_open_given__of_another_code__invalid),
	};

	return cmocka_run_group_tests(tests, ring_make, ring_free);
}

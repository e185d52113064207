#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/applicant.h"

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

static const struct applicant whole = {.child = {"000101100006"},
    .parents = {{"000101100016"}, {"000101100026"}},
    .parents_n = 2,
    .phones = {{77011234567}, {77479999999}},
    .phones_n = 2,
    .first_name = "Айгерім",
    .last_name = "Сериккызы",
    .email = "a@example.kz"};
static const struct applicant least = {.child = {"000101100006"},
    .parents = {{"000101100016"}},
    .parents_n = 1,
    .phones = {{77011234567}},
    .phones_n = 1,
    .first_name = "A"};

static void assert_comes_back(const struct applicant *a)
{
	struct buf sealed = {0};
	struct applicant back;

	applicant_seal(ring, 42, a, &sealed);
	assert_null(memmem(sealed.data, sealed.len, a->child.digits, IIN_DIGITS));
	assert_int_equal(applicant_open(ring, 42, sealed.data, sealed.len, &back), KZ_OK);
	assert_memory_equal(&back, a, sizeof back);
	assert_int_equal(applicant_open(ring, 43, sealed.data, sealed.len, &back), KZ_INVALID);
	buf_fini(&sealed);
}

static void applicant_open__what_was_sealed_for_the_number__comes_back(void **state)
{
	(void)state;
	assert_comes_back(&whole);
	assert_comes_back(&least);
}

static void applicant_open__any_cut_or_changed_octet__invalid_and_wiped(void **state)
{
	static const struct applicant none;
	struct applicant back;
	struct buf sealed = {0};

	(void)state;
	applicant_seal(ring, 42, &whole, &sealed);
	for (size_t n = 0; n < sealed.len; n++) {
		assert_int_equal(applicant_open(ring, 42, sealed.data, n, &back), KZ_INVALID);
		assert_memory_equal(&back, &none, sizeof back);
	}
	for (size_t i = 2; i < sealed.len; i++) { /* the first two octets name the key */
		sealed.data[i] = (char)(sealed.data[i] ^ 1);
		assert_int_equal(applicant_open(ring, 42, sealed.data, sealed.len, &back), KZ_INVALID);
		sealed.data[i] = (char)(sealed.data[i] ^ 1);
	}
	sealed.data[0] = 9;
	assert_int_equal(applicant_open(ring, 42, sealed.data, sealed.len, &back), KZ_NOT_FOUND);
	buf_fini(&sealed);
}

static void applicant_open__sealed_text_that_is_no_applicant__invalid(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {{"", 0}, {"\1", 1}, {"\0\1", 2}, {"\3\1", 2}, {"\1\0", 2}, {"\1\3", 2}, {"\1\1", 2}};
	struct buf octets = {0}, sealed = {0};
	struct applicant back;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		buf_clear(&sealed);
		keyring_seal(ring, "application", 42, bad[i].bytes, bad[i].n, &sealed);
		assert_int_equal(applicant_open(ring, 42, sealed.data, sealed.len, &back), KZ_INVALID);
	}
	applicant_seal(ring, 42, &least, &sealed);
	buf_clear(&sealed);
	buf_add(&octets, "\1\1", 2);
	buf_str(&octets, "000101100006000101100007"); /* a bad check digit */
	buf_add(&octets, "\0\0\0\21\356\130\51\207A\0\0\0", 12);
	keyring_seal(ring, "application", 42, octets.data, octets.len, &sealed);
	assert_int_equal(applicant_open(ring, 42, sealed.data, sealed.len, &back), KZ_INVALID);
	buf_fini(&octets);
	buf_fini(&sealed);
}

static void applicant_iin__same_number__same_value_and_no_other(void **state)
{
	(void)state;
	assert_true(applicant_iin(ring, &whole.child) == applicant_iin(ring, &least.child));
	assert_true(applicant_iin(ring, &whole.child) != applicant_iin(ring, &whole.parents[0]));
	assert_true(applicant_iin(ring, &whole.child) != 0);
}

static void applicant_open_phone__what_was_sealed_for_the_notice__comes_back(void **state)
{
	struct buf sealed = {0};
	struct msisdn back = {0};

	(void)state;
	applicant_seal_phone(ring, 7, (struct msisdn){77011234567}, &sealed);
	assert_int_equal(applicant_open_phone(ring, 7, sealed.data, sealed.len, &back), KZ_OK);
	assert_true(back.digits == 77011234567);
	assert_int_equal(applicant_open_phone(ring, 8, sealed.data, sealed.len, &back), KZ_INVALID);
	assert_int_equal(applicant_open_phone(ring, 7, sealed.data, sealed.len - 1, &back), KZ_INVALID);
	buf_clear(&sealed);
	keyring_seal(ring, "notice_phone", 7, "\0\0\0\0\0\0\0\1", 8, &sealed);
	assert_int_equal(applicant_open_phone(ring, 7, sealed.data, sealed.len, &back), KZ_INVALID);
	buf_fini(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(applicant_open__what_was_sealed_for_the_number__comes_back),
	    cmocka_unit_test(applicant_open__any_cut_or_changed_octet__invalid_and_wiped),
	    cmocka_unit_test(applicant_open__sealed_text_that_is_no_applicant__invalid),
	    cmocka_unit_test(applicant_iin__same_number__same_value_and_no_other),
	    cmocka_unit_test(applicant_open_phone__what_was_sealed_for_the_notice__comes_back),
	};
	return cmocka_run_group_tests(tests, ring_make, ring_free);
}

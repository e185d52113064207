/* code: digits from the keyring, what stands for them, what a resend sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rules/code.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LOOKUP   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_1    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define KEY_2    "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"

static struct keyring *ring;

static int ring_make(void **state)
{
	static const char text[] = "lookup " LOOKUP "\n1 " KEY_1 "\n2 " KEY_2 "\n";
	struct faults faults = {0};

	(void)state;
	ring = keyring_parse("keyring", text, sizeof text - 1, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	faults_fini(&faults);
	return !ring;
}

static int ring_remove(void **state)
{
	(void)state;
	keyring_free(ring);
	return 0;
}

static const char *derive(unsigned key, uint64_t id, unsigned issue, unsigned length)
{
	static char digits[CODE_MAX + 1];

	memset(digits, '?', sizeof digits);
	assert_int_equal(code_derive(ring, key, id, issue, length, digits), KZ_OK);
	assert_int_equal(strlen(digits), length);
	assert_int_equal(strspn(digits, "0123456789"), length);
	return digits;
}

/* A daemon of another version, or on another machine, must come to the same digits: these were computed with
 * Python's hmac from what code.h and keyring.h say. */
static void code_derive__known_answers(void **state)
{
	(void)state;
	assert_string_equal(derive(1, 0x0123456789abcdef, 1, 6), "098746");
	assert_string_equal(derive(1, 0x0123456789abcdef, 2, 6), "182739");
	assert_string_equal(derive(2, 0x0123456789abcdef, 1, 10), "2289022177");
	assert_string_equal(derive(1, 41984, 1, 6), "411088"); /* 4 octets are passed over */
}

static void code_derive__another_key_id_issue_or_length__other_digits(void **state)
{
	char first[CODE_MAX + 1];

	(void)state;
	strcpy(first, derive(1, 77, 1, 10));
	assert_string_equal(derive(1, 77, 1, 10), first);
	assert_string_not_equal(derive(2, 77, 1, 10), first);
	assert_string_not_equal(derive(1, 78, 1, 10), first);
	assert_string_not_equal(derive(1, 77, 2, 10), first);
	assert_memory_not_equal(
	    derive(1, 77, 1, 9), first, 9); /* a short code is not the beginning of a long one */
}

static void code_derive__no_such_key__not_found_and_no_digits(void **state)
{
	char digits[CODE_MAX + 1] = "777777";

	(void)state;
	assert_int_equal(code_derive(ring, 3, 1, 1, 6, digits), KZ_NOT_FOUND);
	assert_string_equal(digits, "");
}

/* Chi-square of 400,000 digits by place; tests/chance counts 10^7 codes. 90 degrees of freedom: a fair source
 * is over the bound, six deviations, once in a thousand million; octet % 10, which favours 0 to 5 by 4 %,
 * comes to 236. */
static void code_derive__many__every_digit_in_every_place_alike(void **state)
{
	static unsigned count[CODE_MAX][10];
	const double draws = 40000, expected = draws / 10;
	double chi = 0;

	(void)state;
	for (uint64_t id = 0; id < (uint64_t)draws; id++) {
		const char *digits = derive(1, id << 14, 1, CODE_MAX);

		for (size_t i = 0; i < CODE_MAX; i++)
			count[i][digits[i] - '0']++;
	}
	for (size_t i = 0; i < CODE_MAX; i++)
		for (size_t d = 0; d < 10; d++)
			chi += (count[i][d] - expected) * (count[i][d] - expected) / expected;
	assert_true(chi < 90 + 6 * 13.4);
}

static const struct code_bond bond = {0x0123456789abcdef, 1, -5, "login", "session-9"};

static void code_mac__known_answer(void **state)
{
	uint8_t mac[SECRET_HASH];
	char hex[2 * SECRET_HASH + 1];

	(void)state;
	assert_int_equal(code_mac(ring, 1, &bond, "482915", mac), KZ_OK);
	secret_hex(mac, sizeof mac, hex);
	assert_string_equal(hex, "796bbaa4cef20d1715a3353e57df7201085b601c351c7c7b0b11cc17e2ef1b18");
}

static void code_matches__the_same_again__true(void **state)
{
	uint8_t mac[SECRET_HASH];

	(void)state;
	for (unsigned key = 1; key <= 2; key++) {
		assert_int_equal(code_mac(ring, key, &bond, "482915", mac), KZ_OK);
		assert_true(code_matches(ring, key, &bond, "482915", mac));
		assert_false(code_matches(ring, 3 - key, &bond, "482915", mac));
		assert_false(code_matches(ring, 3, &bond, "482915", mac));
	}
}

static void code_matches__other_digits__false(void **state)
{
	static const char *const others[] = {"482916", "582915", "48291", "4829150", "0482915", "",
	    "4829151234", "48291512345", "482915\n", "4829150000000000000000000000000000000000000"};
	uint8_t mac[SECRET_HASH];

	(void)state;
	assert_int_equal(code_mac(ring, 1, &bond, "482915", mac), KZ_OK);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(code_matches(ring, 1, &bond, others[i], mac));
	assert_int_equal(code_mac(ring, 1, &bond, "1234567890", mac), KZ_OK);
	assert_false(code_matches(ring, 1, &bond, "12345678901", mac));
}

static void code_matches__another_bond__false(void **state)
{
	static const struct code_bond others[] = {
	    {0x0123456789abcdee, 1, -5, "login", "session-9"},
	    {0x0123456789abcdef, 2, -5, "login", "session-9"},
	    {0x0123456789abcdef, 1, 5, "login", "session-9"},
	    {0x0123456789abcdef, 1, -5, "phone", "session-9"},
	    {0x0123456789abcdef, 1, -5, "login", "session-8"},
	    {0x0123456789abcdef, 1, -5, "login", ""},
	    {0x0123456789abcdef, 1, -5, "loginsession-9",
	        ""}, /* what one text ends with the other does not begin with */
	    {0x0123456789abcdef, 1, -5, "logi", "nsession-9"},
	    {0x0123456789abcdef, 1, -5, "", "loginsession-9"},
	};
	uint8_t mac[SECRET_HASH];

	(void)state;
	assert_int_equal(code_mac(ring, 1, &bond, "482915", mac), KZ_OK);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(code_matches(ring, 1, &others[i], "482915", mac));
}

static void code_fill__each_hole__filled(void **state)
{
	static const char *const rows[][2] = {
	    {"", ""},
	    {"no hole", "no hole"},
	    {"\x1a", "482915"},
	    {"\x1a is it\n@kezek.kz #\x1a", "482915 is it\n@kezek.kz #482915"},
	    {"\x1a\x1a", "482915482915"},
	    {"Код: \x1a", "Код: 482915"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = {0};

		buf_str(&out, "> ");
		code_fill(rows[i][0], "482915", &out);
		assert_string_equal(buf_text(&out) + 2, rows[i][1]);
		assert_int_equal(code_has_hole(rows[i][0]), strcmp(rows[i][0], rows[i][1]) != 0);
		buf_fini(&out);
	}
}

#define MINUTE 60000

static void assert_plan(const struct code_past *past, int64_t now_ms, bool same, int64_t expires_ms)
{
	struct code_resend plan = code_resend_plan(past, now_ms);

	assert_int_equal(plan.same, same);
	assert_int_equal(plan.expires_ms, expires_ms);
}

static void code_resend_plan__half_of_the_life_left__same_digits_and_their_end(void **state)
{
	const struct code_past past = {
	    .created_ms = 1000, .expires_ms = 1000 + 5 * MINUTE, .life_ms = 5 * MINUTE};

	(void)state;
	assert_plan(&past, 1000, true, 1000 + 5 * MINUTE);
	assert_plan(&past, 1000 + 5 * MINUTE / 2, true, 1000 + 5 * MINUTE);
	assert_plan(&past, 1001 + 5 * MINUTE / 2, false, 1001 + 5 * MINUTE / 2 + 5 * MINUTE);
}

static void code_resend_plan__purpose_wants_new__new_digits_at_once(void **state)
{
	const struct code_past past = {
	    .expires_ms = 5 * MINUTE, .life_ms = 5 * MINUTE, .again = CODE_AGAIN_NEW};

	(void)state;
	assert_plan(&past, 0, false, 5 * MINUTE);
	assert_plan(&past, 1 * MINUTE, false, 6 * MINUTE);
}

static void code_resend_plan__late__never_over_ten_minutes(void **state)
{
	const struct code_past second = {.expires_ms = 9 * MINUTE, .life_ms = 5 * MINUTE},
	                       given = {.expires_ms = 5 * MINUTE, .life_ms = 5 * MINUTE, .given = true},
	                       last = {.expires_ms = 10 * MINUTE, .life_ms = 10 * MINUTE};

	(void)state;
	assert_plan(&second, 8 * MINUTE, false, 10 * MINUTE);
	assert_plan(&last, 10 * MINUTE - 1, false, 10 * MINUTE);
	/* the portal's own digits have no others */
	assert_plan(&given, 1 * MINUTE, true, 5 * MINUTE);
	assert_plan(&given, 4 * MINUTE, true, 9 * MINUTE);
}

static void code_wait_ms__sends_in_a_row__first_second_later(void **state)
{
	const struct code_waits waits = {60000, 120000, 300000};

	(void)state;
	assert_int_equal(code_wait_ms(&waits, 1), 60000);
	assert_int_equal(code_wait_ms(&waits, 2), 120000);
	assert_int_equal(code_wait_ms(&waits, 3), 300000);
	assert_int_equal(code_wait_ms(&waits, 1000), 300000);
}

static void code_verdict_name__each__its_word(void **state)
{
	(void)state;
	assert_string_equal(code_verdict_name(CODE_OPEN), "open");
	assert_string_equal(code_verdict_name(CODE_APPROVED), "approved");
	assert_string_equal(code_verdict_name(CODE_EXHAUSTED), "exhausted");
	assert_string_equal(code_verdict_name(CODE_CANCELLED), "cancelled");
	assert_string_equal(code_verdict_name(CODE_SUPERSEDED), "superseded");
	assert_string_equal(code_verdict_name(CODE_EXPIRED), "expired");
	assert_string_equal(code_verdict_name((enum code_verdict)6), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(code_derive__known_answers),
	    cmocka_unit_test(code_derive__another_key_id_issue_or_length__other_digits),
	    cmocka_unit_test(code_derive__no_such_key__not_found_and_no_digits),
	    cmocka_unit_test(code_derive__many__every_digit_in_every_place_alike),
	    cmocka_unit_test(code_mac__known_answer),
	    cmocka_unit_test(code_matches__the_same_again__true),
	    cmocka_unit_test(code_matches__other_digits__false),
	    cmocka_unit_test(code_matches__another_bond__false),
	    cmocka_unit_test(code_fill__each_hole__filled),
	    cmocka_unit_test(code_resend_plan__half_of_the_life_left__same_digits_and_their_end),
	    cmocka_unit_test(code_resend_plan__purpose_wants_new__new_digits_at_once),
	    cmocka_unit_test(code_resend_plan__late__never_over_ten_minutes),
	    cmocka_unit_test(code_wait_ms__sends_in_a_row__first_second_later),
	    cmocka_unit_test(code_verdict_name__each__its_word),
	};

	return cmocka_run_group_tests(tests, ring_make, ring_remove);
}

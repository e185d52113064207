#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"

static void secret_random__two_draws__differ(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0}, zero[32] = {0};

	(void)state;
	secret_random(a, 0);
	assert_memory_equal(a, zero, sizeof a);
	secret_random(a, sizeof a);
	secret_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_not_equal(a, zero, sizeof a);
}

/* Chi-square of draws into below boxes. With k - 1 degrees of freedom its mean is k - 1 and its deviation
 * sqrt(2 (k - 1)): eight deviations are never seen of a fair source. */
static void assert_uniform(uint32_t below, size_t boxes, size_t draws)
{
	size_t *count = mem_array(boxes, sizeof *count);
	double expected = (double)draws / (double)boxes, chi = 0, freedom = (double)boxes - 1;

	for (size_t i = 0; i < draws; i++) {
		uint32_t v = secret_uniform(below);

		assert_true(v < below);
		count[(uint64_t)v * boxes / below]++;
	}
	for (size_t i = 0; i < boxes; i++)
		chi += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
	assert_true((chi - freedom) * (chi - freedom) < 64 * 2 * freedom);
	free(count);
}

static void secret_uniform__fixed_number_of_draws__chi_square_in_bound(void **state)
{
	(void)state;
	assert_uniform(10, 10, 100000);
	assert_uniform(7, 7, 70000);
	assert_uniform(1000000, 1000, 200000); /* six-digit codes */
	assert_uniform(UINT32_MAX, 16, 50000);
}

/* Taken modulo 3 * 2^30 without care, the lowest third would come twice as often. */
static void secret_uniform__not_a_divisor_of_the_range__no_value_favoured(void **state)
{
	(void)state;
	assert_uniform(3U << 30, 3, 60000);
	assert_uniform((1U << 31) + 1, 2, 60000);
}

static void secret_uniform__below_one__zero(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(secret_uniform(1), 0);
}

static void assert_hex(const uint8_t *bytes, size_t n, const char *hex)
{
	char text[2 * SECRET_HASH + 1];

	secret_hex(bytes, n, text);
	assert_string_equal(text, hex);
}

/* FIPS 180-4's examples. */
static void secret_sha256__known_answers(void **state)
{
	uint8_t hash[SECRET_HASH];

	(void)state;
	secret_sha256("", 0, hash);
	assert_hex(hash, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	secret_sha256("abc", 3, hash);
	assert_hex(hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void secret_hmac__known_answers(void **state)
{
	uint8_t key[131], mac[SECRET_HASH];
	const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	memset(key, 0x0b, 20);
	secret_hmac(key, 20, "Hi There", 8, mac);
	assert_hex(mac, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	secret_hmac("Jefe", 4, "what do ya want for nothing?", 28, mac);
	assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	secret_hmac(key, sizeof key, text, strlen(text), mac);
	assert_hex(mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void secret_mac_of__used_again__as_secret_hmac(void **state)
{
	uint8_t key[SECRET_KEY], mac[SECRET_HASH], same[SECRET_HASH];
	struct secret_mac *m;

	(void)state;
	secret_random(key, sizeof key);
	m = secret_mac_new(key);
	for (int i = 0; i < 3; i++) {
		secret_mac_of(m, "Hi ", 3, "There", 5, mac);
		secret_hmac(key, sizeof key, "Hi There", 8, same);
		assert_memory_equal(mac, same, sizeof mac);
		secret_mac_of(m, NULL, 0, NULL, 0, mac);
		secret_hmac(key, sizeof key, "", 0, same);
		assert_memory_equal(mac, same, sizeof mac);
	}
	secret_mac_free(m);
	secret_mac_free(NULL);
}

/* Test cases 13 to 15 of the specification of GCM (McGrew, Viega). */
static void secret_seal__known_answers__open_again(void **state)
{
	static const uint8_t zero[64] = {0};
	uint8_t sealed[32], clear[32];

	(void)state;
	secret_seal(zero, zero, "", 0, sealed);
	assert_hex(sealed, 16, "530f8afbc74536b9a963b4f1c4cb738b");
	assert_int_equal(secret_open(zero, zero, sealed, 16, clear), KZ_OK);
	secret_seal(zero, zero, zero, 16, sealed);
	assert_hex(sealed, 32, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
	memset(clear, 0xff, sizeof clear);
	assert_int_equal(secret_open(zero, zero, sealed, 32, clear), KZ_OK);
	assert_memory_equal(clear, zero, 16);
	assert_int_equal(clear[16], 0xff);
}

static void secret_open__any_bit_changed_or_cut__invalid_and_nothing_shown(void **state)
{
	static const uint8_t zero[SECRET_TAG + 8] = {0};
	uint8_t key[SECRET_KEY] = {1}, nonce[SECRET_NONCE] = {2}, sealed[8 + SECRET_TAG], clear[8];

	(void)state;
	secret_seal(key, nonce, "12345678", 8, sealed);
	for (size_t i = 0; i < sizeof sealed * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(secret_open(key, nonce, sealed, sizeof sealed, clear), KZ_INVALID);
		assert_memory_equal(clear, zero, sizeof clear);
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < sizeof sealed; n++)
		assert_int_equal(secret_open(key, nonce, sealed, n, clear), KZ_INVALID);
	key[31] ^= 1;
	assert_int_equal(secret_open(key, nonce, sealed, sizeof sealed, clear), KZ_INVALID);
	key[31] ^= 1;
	nonce[11] ^= 1;
	assert_int_equal(secret_open(key, nonce, sealed, sizeof sealed, clear), KZ_INVALID);
	nonce[11] ^= 1;
	assert_int_equal(secret_open(key, nonce, sealed, sizeof sealed, clear), KZ_OK);
	assert_memory_equal(clear, "12345678", 8);
}

static void secret_equal__each_single_difference__seen(void **state)
{
	uint8_t a[SECRET_HASH], b[SECRET_HASH];

	(void)state;
	memset(a, 0x5a, sizeof a);
	memcpy(b, a, sizeof b);
	assert_true(secret_equal(a, b, sizeof a));
	assert_true(secret_equal(a, "x", 0));
	for (size_t i = 0; i < sizeof a * 8; i++) {
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(secret_equal(a, b, sizeof a));
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static void secret_wipe__a_buffer__no_octet_left(void **state)
{
	uint8_t bytes[64], zero[64] = {0};

	(void)state;
	memset(bytes, 0xff, sizeof bytes);
	secret_wipe(bytes, sizeof bytes);
	assert_memory_equal(bytes, zero, sizeof zero);
}

static void secret_hex__every_octet__two_lower_case_digits(void **state)
{
	char text[9];

	(void)state;
	secret_hex("\x00\x0f\xa5\xff", 4, text);
	assert_string_equal(text, "000fa5ff");
	secret_hex("", 0, text);
	assert_string_equal(text, "");
}

/* RFC 4648, 10, without padding; the last with both characters that differ. */
static void secret_base64url__known_answers__room_as_promised(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		size_t n = strlen(pairs[i][0]), room = (n * 4 + 2) / 3 + 1;
		char *text = mem_array(room, 1); /* exactly as much as promised: the sanitizer watches */

		secret_base64url(pairs[i][0], n, text);
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(strlen(text) + 1, room);
		free(text);
	}
}

/* RFC 4648, 10. */
static void secret_base64__known_answers__room_as_promised(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+"}};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		size_t n = strlen(pairs[i][0]), room = (n + 2) / 3 * 4 + 1;
		char *text = mem_array(room, 1);

		secret_base64(pairs[i][0], n, text);
		assert_string_equal(text, pairs[i][1]);
		free(text);
	}
}

static char path[] = "/tmp/kezek-secret-XXXXXX";

static int file_make(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int file_remove(void **state)
{
	(void)state;
	return unlink(path);
}

static enum kz read_back(const char *bytes, size_t n, size_t max, char **ret)
{
	assert_int_equal(truncate(path, 0), 0);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	*ret = NULL;
	return secret_file(path, max, ret);
}

static void secret_file__one_line__text_without_its_newline(void **state)
{
	static const char *const texts[][2] = {{"s3cret", "s3cret"}, {"s3cret\n", "s3cret"}, {"x", "x"},
	    {"12345678\n", "12345678"}, {"12345678", "12345678"}, {"\xd3\x99\n", "\xd3\x99"}};
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(read_back(texts[i][0], strlen(texts[i][0]), 8, &text), KZ_OK);
		assert_string_equal(text, texts[i][1]);
		free(text);
	}
}

static void secret_file__anything_but_one_word__invalid(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = {
	    {"", 0},
	    {"\n", 1},
	    {"\n\n", 2},
	    {"a\n\n", 3},
	    {"a b", 3},
	    {" a", 2},
	    {"a ", 2},
	    {"a\tb", 3},
	    {"a\r\n", 3},
	    {"a\nb", 3},
	    {"a\0b", 3},
	    {"a\0", 2},
	    {"\0", 1},
	    {"a\0\n", 3},
	    {"123456789", 9},
	    {"123456789\n", 10},
	    {"12345678\n\n", 10},
	    {"12345678\nx", 10},
	    {"1234567890", 10},
	    {"1234567890123456789012345678901234567890", 40},
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (read_back(bad[i].bytes, bad[i].n, 8, &text) != KZ_INVALID)
			fail_msg("row %zu is taken", i);
		assert_null(text);
	}
}

static void secret_file__writable_by_everybody__invalid(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(chmod(path, 0602), 0);
	assert_int_equal(read_back("s3cret", 6, 8, &text), KZ_INVALID);
	assert_null(text);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(read_back("s3cret", 6, 8, &text), KZ_OK);
	free(text);
}

static void secret_file__absent_or_a_folder__not_found_or_invalid(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(secret_file("/nowhere/secret", 8, &text), KZ_NOT_FOUND);
	assert_int_equal(secret_file("", 8, &text), KZ_NOT_FOUND);
	assert_int_equal(secret_file("/tmp", 8, &text), KZ_INVALID);
	assert_null(text);
}

/* A FIFO that nobody writes to must not hold up a reload. */
static void secret_file__fifo_without_a_writer__invalid_at_once(void **state)
{
	char *text = NULL, *fifo = mem_printf("%s.fifo", path);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	alarm(20);
	assert_int_equal(secret_file(fifo, 8, &text), KZ_INVALID);
	alarm(0);
	assert_null(text);
	unlink(fifo);
	free(fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secret_random__two_draws__differ),
	    cmocka_unit_test(secret_uniform__fixed_number_of_draws__chi_square_in_bound),
	    cmocka_unit_test(secret_uniform__not_a_divisor_of_the_range__no_value_favoured),
	    cmocka_unit_test(secret_uniform__below_one__zero),
	    cmocka_unit_test(secret_sha256__known_answers),
	    cmocka_unit_test(secret_hmac__known_answers),
	    cmocka_unit_test(secret_mac_of__used_again__as_secret_hmac),
	    cmocka_unit_test(secret_seal__known_answers__open_again),
	    cmocka_unit_test(secret_open__any_bit_changed_or_cut__invalid_and_nothing_shown),
	    cmocka_unit_test(secret_equal__each_single_difference__seen),
	    cmocka_unit_test(secret_wipe__a_buffer__no_octet_left),
	    cmocka_unit_test(secret_hex__every_octet__two_lower_case_digits),
	    cmocka_unit_test(secret_base64url__known_answers__room_as_promised),
	    cmocka_unit_test(secret_base64__known_answers__room_as_promised),
	    cmocka_unit_test(secret_file__one_line__text_without_its_newline),
	    cmocka_unit_test(secret_file__anything_but_one_word__invalid),
	    cmocka_unit_test(secret_file__writable_by_everybody__invalid),
	    cmocka_unit_test(secret_file__absent_or_a_folder__not_found_or_invalid),
	    cmocka_unit_test(secret_file__fifo_without_a_writer__invalid_at_once),
	};

	return cmocka_run_group_tests(tests, file_make, file_remove);
}

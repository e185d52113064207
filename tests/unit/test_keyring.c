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

#include "base/keyring.h"
#include "base/mem.h"

#define A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define B "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define C "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static struct keyring *parse(const char *text)
{
	struct faults faults = {0};
	struct keyring *k = keyring_parse("keys", text, strlen(text), &faults);

	assert_string_equal(buf_text(&faults.text), "");
	assert_non_null(k);
	faults_fini(&faults);
	return k;
}

static void assert_fault(const char *text, size_t n, const char *expected)
{
	struct faults faults = {0};

	assert_null(keyring_parse("keys", text, n, &faults));
	assert_string_equal(buf_text(&faults.text), expected);
	faults_fini(&faults);
}

static void keyring_parse__comments_and_blanks__passed_over(void **state)
{
	struct keyring *k = parse("# made\n\n \t\nlookup " A "\n\t7  \t" B " \n  # kept\n300 " C);
	uint8_t mac[SECRET_HASH];

	(void)state;
	assert_int_equal(keyring_newest(k), 300);
	assert_int_equal(keyring_mac(k, 7, "d", "x", 1, mac), KZ_OK);
	assert_int_equal(keyring_mac(k, 8, "d", "x", 1, mac), KZ_NOT_FOUND);
	assert_int_equal(keyring_mac(k, 0, "d", "x", 1, mac), KZ_NOT_FOUND);
	keyring_free(k);
	keyring_free(NULL);
}

static void keyring_parse__in_any_order__every_key_found(void **state)
{
	struct keyring *k = parse("9 " A "\n32767 " B "\n1 " C "\nlookup " A "\n8 " B "\n10 " C "\n");
	uint8_t mac[SECRET_HASH];

	(void)state;
	assert_int_equal(keyring_newest(k), 32767);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(keyring_mac(k, (unsigned[]){1, 8, 9, 10, 32767}[i], "d", "", 0, mac), KZ_OK);
	assert_int_equal(keyring_mac(k, 32768, "d", "", 0, mac), KZ_NOT_FOUND);
	keyring_free(k);
}

static void keyring_has__numbers__those_of_its_lines_alone(void **state)
{
	struct keyring *k = parse("9 " A "\nlookup " A "\n");

	(void)state;
	assert_true(keyring_has(k, 9));
	assert_false(keyring_has(k, 8));
	assert_false(keyring_has(k, 0)); /* the lookup key is for nobody's rows */
	keyring_free(k);
}

static void keyring_parse__a_wrong_line__its_place_and_no_key(void **state)
{
	static const char neither[] =
	    "keys:2: begins with neither \"lookup\" nor a key's number, 1 to 32767\nkeys: no numbered key\n";
	static const char *const ids[] = {"0 ", "01 ", "32768 ", "99999 ", "100000 ", "-1 ", "+1 ", "1a ",
	    "0x1 ", "Lookup ", "lookup1 ", "key ", "", "1:", "1=", "\xd9\xa1 "};
	static const char *const keys[] = {
	    "1", "1 ", "1 1", "1 " A "0", "1 " A " " A, "1 g" A, "1 " A "\r", "1 0x" A, "1 \"" A "\""};

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		char *text = mem_printf("lookup " A "\n%s" B, ids[i]);

		assert_fault(text, strlen(text), neither);
		free(text);
	}
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char *text = mem_printf("lookup " A "\n%s\n", keys[i]);

		assert_fault(
		    text, strlen(text), "keys:2: the key is not 64 hex digits\nkeys: no numbered key\n");
		free(text);
	}
}

static void keyring_parse__something_twice_or_missing__fault(void **state)
{
	static const char nul[] = "lookup " A "\n1 " B "\n2\0" C "\n";

	(void)state;
	assert_fault("", 0, "keys: no line \"lookup\"\n");
	assert_fault("1 " A, 66, "keys: no line \"lookup\"\n");
	assert_fault("lookup " A, 71, "keys: no numbered key\n");
	assert_fault("lookup " A "\nlookup " A "\n1 " A, 71 + 1 + 71 + 1 + 66, "keys:2: is there twice\n");
	assert_fault("lookup " A "\n1 " A "\n1 " A, 71 + 1 + 66 + 1 + 66, "keys:3: is there twice\n");
	assert_fault(
	    nul, sizeof nul - 1, "keys:3: begins with neither \"lookup\" nor a key's number, 1 to 32767\n");
}

static void keyring_parse__more_keys_than_the_bound__fault(void **state)
{
	struct faults faults = {0};
	struct buf text = {0};

	(void)state;
	buf_str(&text, "lookup " A "\n");
	for (int i = 1; i <= KEYRING_KEYS_MAX; i++)
		buf_printf(&text, "%d " B "\n", i);
	keyring_free(parse(buf_text(&text)));
	buf_str(&text, "2000 " B "\n");
	assert_null(keyring_parse("keys", text.data, text.len, &faults));
	assert_string_equal(buf_text(&faults.text), "keys:1026: more keys than 1024\n");
	faults_fini(&faults);
	buf_fini(&text);
}

static void keyring_mac__domains_and_octets__never_the_same_for_two(void **state)
{
	struct keyring *k = parse("lookup " A "\n1 " A "\n2 " B);
	uint8_t a[SECRET_HASH], b[SECRET_HASH];

	(void)state;
	assert_int_equal(keyring_mac(k, 1, "d", "ab", 2, a), KZ_OK);
	assert_int_equal(keyring_mac(k, 1, "d", "ab", 2, b), KZ_OK);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(keyring_mac(k, 2, "d", "ab", 2, b), KZ_OK);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(keyring_mac(k, 1, "da", "b", 1, b), KZ_OK);
	assert_memory_not_equal(a, b, sizeof a);
	secret_hmac("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
	            "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
	    32, "d\0ab", 4, b);
	assert_memory_equal(a, b, sizeof a);
	keyring_free(k);
}

static struct buf sealed(const struct keyring *k, const char *domain, uint64_t about, const char *text)
{
	struct buf out = {0};

	keyring_seal(k, domain, about, text, strlen(text), &out);
	assert_int_equal(out.len, strlen(text) + KEYRING_OVERHEAD);
	return out;
}

static void keyring_open__what_was_sealed__appended(void **state)
{
	struct keyring *k = parse("lookup " A "\n258 " B);
	struct buf s = sealed(k, "d", 7, "+77012345678"), again = sealed(k, "d", 7, "+77012345678"),
	           out = {0};

	(void)state;
	assert_memory_equal(s.data, "\1\2", 2);
	assert_memory_not_equal(s.data, again.data, s.len);
	buf_str(&out, "to ");
	assert_int_equal(keyring_open(k, "d", 7, s.data, s.len, &out), KZ_OK);
	assert_string_equal(out.data, "to +77012345678");
	buf_fini(&again);
	again = sealed(k, "d", 7, "");
	assert_int_equal(keyring_open(k, "d", 7, again.data, again.len, &out), KZ_OK);
	assert_int_equal(out.len, 15);
	buf_fini(&s);
	buf_fini(&again);
	buf_fini(&out);
	keyring_free(k);
}

static void keyring_open__for_another_row_or_use__invalid(void **state)
{
	struct keyring *k = parse("lookup " A "\n1 " B), *other = parse("lookup " A "\n1 " C);
	struct buf s = sealed(k, "d", 7, "text"), out = {0};

	(void)state;
	assert_int_equal(keyring_open(k, "d", 8, s.data, s.len, &out), KZ_INVALID);
	assert_int_equal(keyring_open(k, "d", 7ULL << 32, s.data, s.len, &out), KZ_INVALID);
	assert_int_equal(keyring_open(k, "e", 7, s.data, s.len, &out), KZ_INVALID);
	assert_int_equal(keyring_open(other, "d", 7, s.data, s.len, &out), KZ_INVALID);
	assert_string_equal(buf_text(&out), "");
	for (size_t i = 0; i < s.len * 8; i++) {
		s.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(keyring_open(k, "d", 7, s.data, s.len, &out), KZ_OK);
		s.data[i / 8] ^= (char)(1 << i % 8);
	}
	for (size_t n = 0; n < s.len; n++)
		assert_int_equal(keyring_open(k, "d", 7, s.data, n, &out), KZ_INVALID);
	assert_int_equal(out.len, 0);
	buf_fini(&s);
	buf_fini(&out);
	keyring_free(k);
	keyring_free(other);
}

static void keyring_open__a_key_was_added__old_rows_open_and_new_use_it(void **state)
{
	struct keyring *before = parse("lookup " A "\n1 " B), *after = parse("lookup " A "\n1 " B "\n2 " C);
	struct buf s = sealed(before, "d", 7, "old"), t = sealed(after, "d", 7, "new"), out = {0};

	(void)state;
	assert_int_equal(keyring_open(after, "d", 7, s.data, s.len, &out), KZ_OK);
	assert_string_equal(out.data, "old");
	assert_int_equal(keyring_open(before, "d", 7, t.data, t.len, &out), KZ_NOT_FOUND);
	assert_memory_equal(t.data, "\0\2", 2);
	t.data[1] = 0; /* the lookup key's place is nobody's key */
	assert_int_equal(keyring_open(after, "d", 7, t.data, t.len, &out), KZ_NOT_FOUND);
	assert_string_equal(out.data, "old");
	buf_fini(&s);
	buf_fini(&t);
	buf_fini(&out);
	keyring_free(before);
	keyring_free(after);
}

static void keyring_lookup__a_key_was_added__the_same(void **state)
{
	struct keyring *before = parse("lookup " A "\n1 " B), *after = parse("lookup " A "\n1 " B "\n2 " C),
	               *other = parse("lookup " B "\n1 " B);
	int64_t v = keyring_lookup(before, "phone", "7701", 4);

	(void)state;
	assert_int_equal(keyring_lookup(after, "phone", "7701", 4), v);
	assert_int_not_equal(keyring_lookup(other, "phone", "7701", 4), v);
	assert_int_not_equal(keyring_lookup(before, "phone", "7702", 4), v);
	assert_int_not_equal(keyring_lookup(before, "binding", "7701", 4), v);
	keyring_free(before);
	keyring_free(after);
	keyring_free(other);
}

static void keyring_renew__other_keys_or_another_lookup_key__taken_or_not(void **state)
{
	struct keyring *k = parse("lookup " A "\n1 " B), *more = parse("lookup " A "\n1 " B "\n2 " C),
	               *other = parse("lookup " B "\n1 " B "\n3 " C);

	(void)state;
	assert_false(keyring_renew(k, other));
	assert_int_equal(keyring_newest(k), 1);
	assert_int_equal(keyring_newest(other), 3);
	assert_true(keyring_renew(k, more));
	assert_int_equal(keyring_newest(k), 2);
	keyring_free(k);
	keyring_free(other);
}

static char path[] = "/tmp/kezek-keyring-XXXXXX";

static int file_make(void **state)
{
	static const char text[] = "lookup " A "\n1 " B "\n";
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || write(fd, text, sizeof text - 1) < 0 || close(fd);
}

static int file_remove(void **state)
{
	(void)state;
	return unlink(path);
}

static struct keyring *load(const char *from, const char *expected)
{
	struct faults faults = {0};
	struct keyring *k = keyring_load(from, &faults);

	if (!strstr(buf_text(&faults.text), expected))
		fail_msg("%s in %s", expected, buf_text(&faults.text));
	assert_int_equal(faults.count, k ? 0 : 1);
	faults_fini(&faults);
	return k;
}

static void keyring_load__open_to_others__refused(void **state)
{
	(void)state;
	for (mode_t mode = 0; mode < 0100; mode++) {
		struct keyring *k;
		bool good = !(mode & 027);

		assert_int_equal(chmod(path, 0600 | mode), 0);
		k = load(path, good ? "" : "others may read or write it");
		assert_int_equal(k != NULL, good);
		keyring_free(k);
	}
}

static void keyring_load__none_there__the_remedy(void **state)
{
	(void)state;
	assert_null(load("/nowhere/keyring",
	    "/nowhere/keyring: No such file or directory; make it once, and keep a copy: "
	    "kezekctl keyring new /nowhere/keyring"));
	assert_null(load("/tmp", "/tmp: Is a directory"));
}

static void keyring_load__longer_than_the_bound__refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(path, 0600), 0);
	FILE *f = fopen(path, "ae");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	while (ftell(f) < KEYRING_FILE_MAX)
		assert_int_not_equal(fputc('\n', f), EOF);
	assert_int_equal(fflush(f), 0);
	keyring_free(load(path, ""));
	assert_int_not_equal(fputc('\n', f), EOF);
	assert_int_equal(fclose(f), 0);
	assert_null(load(path, "longer than 131072 octets"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keyring_parse__comments_and_blanks__passed_over),
	    cmocka_unit_test(keyring_parse__in_any_order__every_key_found),
	    cmocka_unit_test(keyring_parse__a_wrong_line__its_place_and_no_key),
	    cmocka_unit_test(keyring_parse__something_twice_or_missing__fault),
	    cmocka_unit_test(keyring_parse__more_keys_than_the_bound__fault),
	    cmocka_unit_test(keyring_has__numbers__those_of_its_lines_alone),
	    cmocka_unit_test(keyring_mac__domains_and_octets__never_the_same_for_two),
	    cmocka_unit_test(keyring_open__what_was_sealed__appended),
	    cmocka_unit_test(keyring_open__for_another_row_or_use__invalid),
	    cmocka_unit_test(keyring_open__a_key_was_added__old_rows_open_and_new_use_it),
	    cmocka_unit_test(keyring_lookup__a_key_was_added__the_same),
	    cmocka_unit_test(keyring_renew__other_keys_or_another_lookup_key__taken_or_not),
	    cmocka_unit_test(keyring_load__open_to_others__refused),
	    cmocka_unit_test(keyring_load__none_there__the_remedy),
	    cmocka_unit_test(keyring_load__longer_than_the_bound__refused),
	};

	return cmocka_run_group_tests(tests, file_make, file_remove);
}

/* dial_record: what a session is between its turns, as octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/dial_turn.h"

static struct dial_record *record_make(void)
{
	struct dial_record *r = calloc(1, sizeof *r);

	r->phone.digits = 77011234567;
	strcpy(r->carrier, "kcell");
	memcpy(r->key, "a\0b", 3);
	r->key_n = 3;
	strcpy(r->code, "124");
	r->said = -5;
	r->at_ms = 1700000000000;
	r->told = true;
	r->session.uid = 99;
	r->session.turn = 3;
	r->session.typed = true;
	strcpy(r->session.values[2], "4711");
	strcpy(r->session.page, "Бет");
	return r;
}

static struct buf record_bytes(void)
{
	struct dial_record *r = record_make();
	struct buf b = {0};

	dial_record_pack(r, &b);
	free(r);
	return b;
}

static void pack__then_unpack__the_same(void **state)
{
	struct dial_record *back = calloc(1, sizeof *back);
	struct buf b = record_bytes();

	(void)state;
	assert_int_equal(dial_record_unpack(b.data, b.len, back), KZ_OK);
	assert_int_equal(back->phone.digits, 77011234567);
	assert_string_equal(back->carrier, "kcell");
	assert_memory_equal(back->key, "a\0b", 3);
	assert_int_equal(back->key_n, 3);
	assert_string_equal(back->code, "124");
	assert_int_equal(back->said, -5);
	assert_int_equal(back->at_ms, 1700000000000);
	assert_true(back->told);
	assert_int_equal(back->session.uid, 99);
	assert_string_equal(back->session.values[2], "4711");
	assert_string_equal(back->session.page, "Бет");
	buf_fini(&b);
	free(back);
}

static void unpack__cut_short_anywhere__invalid(void **state)
{
	struct dial_record *back = calloc(1, sizeof *back);
	struct buf b = record_bytes();

	(void)state;
	for (size_t n = 0; n < b.len; n++) {
		char *cut = malloc(n ? n : 1);

		memcpy(cut, b.data, n);
		assert_int_equal(dial_record_unpack(cut, n, back), KZ_INVALID);
		free(cut);
	}
	buf_fini(&b);
	free(back);
}

static void unpack__another_version_or_no_phone__invalid(void **state)
{
	struct dial_record *back = calloc(1, sizeof *back);
	struct buf b = record_bytes();

	(void)state;
	b.data[0]++;
	assert_int_equal(dial_record_unpack(b.data, b.len, back), KZ_INVALID);
	b.data[0]--;
	b.data[8] = 1;
	assert_int_equal(dial_record_unpack(b.data, b.len, back), KZ_INVALID);
	buf_fini(&b);
	free(back);
}

static void is_of__another_carrier_or_key__not(void **state)
{
	struct dial_record *r = record_make();
	struct ussd_peer peer = {.key_n = 3};

	(void)state;
	memcpy(peer.key, "a\0b", 3);
	assert_true(dial_record_is_of(r, "kcell", &peer));
	assert_false(dial_record_is_of(r, "beeline", &peer));
	peer.key[2] = 'c';
	assert_false(dial_record_is_of(r, "kcell", &peer));
	peer.key_n = 2;
	assert_false(dial_record_is_of(r, "kcell", &peer));
	free(r);
}

static void tell_code__peer_of_the_call_that_assumes_it__the_one_it_began_with(void **state)
{
	struct dial_record *r = record_make();
	struct ussd_peer peer = {.key_n = 3, .code = {.text = "123"}, .code_assumed = true};

	(void)state;
	memcpy(peer.key, "a\0c", 3);
	dial_record_tell_code(r, "kcell", &peer);
	assert_string_equal(peer.code.text, "123");
	peer.key[2] = 'b';
	dial_record_tell_code(r, "kcell", &peer);
	assert_string_equal(peer.code.text, "124");
	strcpy(peer.code.text, "125");
	peer.code_assumed = false;
	dial_record_tell_code(r, "kcell", &peer);
	assert_string_equal(peer.code.text, "125");
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pack__then_unpack__the_same),
	    cmocka_unit_test(unpack__cut_short_anywhere__invalid),
	    cmocka_unit_test(unpack__another_version_or_no_phone__invalid),
	    cmocka_unit_test(tell_code__peer_of_the_call_that_assumes_it__the_one_it_began_with),
	    cmocka_unit_test(is_of__another_carrier_or_key__not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

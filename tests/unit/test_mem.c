/* mem: that blocks of the libraries which hold requests are wiped before they are free for others. Every
 * free() of kezek's own files in this program comes by here (CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/ssl.h>

#include "api/door.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/tls.h"

#define MARK "482915-the-code"

static bool watching;
static size_t freed, dirty;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
	if (watching && p) {
		const uint8_t *octets = p;
		size_t n = malloc_usable_size(p);

		freed++;
		for (size_t i = 0; i < n; i++)
			if (octets[i]) {
				dirty++;
				break;
			}
	}
	__real_free(p);
}

static void watch_frees(void)
{
	freed = dirty = 0;
	watching = true;
}

static void assert_all_wiped(size_t at_least)
{
	watching = false;
	assert_true(freed >= at_least);
	assert_int_equal(dirty, 0);
}

static void mem_wiped_give__a_full_block__no_octet_left(void **state)
{
	char *p = mem_wiped_take(1000);

	(void)state;
	memset(p, 'x', 1000);
	watch_frees();
	mem_wiped_give(p);
	mem_wiped_give(NULL);
	assert_all_wiped(1);
}

static void mem_wiped_move__grown__content_there_and_old_block_wiped(void **state)
{
	char *p = mem_wiped_move(NULL, sizeof MARK);

	(void)state;
	memcpy(p, MARK, sizeof MARK);
	watch_frees();
	p = mem_wiped_move(p, 100000);
	assert_string_equal(p, MARK);
	assert_all_wiped(1);
	memset(p, 'x', 100000);
	assert_ptr_equal(mem_wiped_move(p, 10), p); /* nothing is to be gained by moving it */
	watch_frees();
	assert_null(mem_wiped_move(p, 0));
	assert_all_wiped(1);
}

/* The control: a block that is not wiped is seen. */
static void free__a_full_block__seen(void **state)
{
	char *p = mem_str(MARK);

	(void)state;
	watching = true;
	dirty = 0;
	__wrap_free(p);
	watching = false;
	assert_int_equal(dirty, 1);
}

static void jansson__after_the_door_is_hardened__leaves_nothing(void **state)
{
	static const char body[] =
	    "{\"code\":\"" MARK "\",\"list\":[1,2.5,\"" MARK "\",{\"" MARK "\":null}]}";

	(void)state;
	door_harden();
	watch_frees();
	json_t *o = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	json_decref(o);
	assert_null(json_loads("{\"code\":\"" MARK "\"", 0, NULL)); /* what is given up half-way too */
	assert_all_wiped(10);
}

static void libevent__after_a_loop_was_made__leaves_nothing(void **state)
{
	struct loop *l = loop_new(&clock_real);
	struct evbuffer *b = evbuffer_new();

	(void)state;
	watch_frees();
	for (int i = 0; i < 1000; i++)
		evbuffer_add(b, MARK, sizeof MARK); /* several blocks */
	evbuffer_pullup(b, -1);
	evbuffer_drain(b, 500 * sizeof MARK);
	evbuffer_add_printf(b, "%s", MARK);
	evbuffer_free(b);
	assert_all_wiped(4);
	loop_free(l);
}

/* What OpenSSL keeps of a request until the next one comes, it wipes by itself when it is told to. */
static void tls__every_session__wipes_what_it_was_told(void **state)
{
	char why[256] = "";
	struct tls *t = tls_client_new("", "", "", why);

	(void)state;
	assert_string_equal(why, "");
	SSL *session = tls_session(t, "kezek.example");
	assert_true(SSL_get_options(session) & SSL_OP_CLEANSE_PLAINTEXT);
	SSL_free(session);
	tls_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mem_wiped_give__a_full_block__no_octet_left),
	    cmocka_unit_test(mem_wiped_move__grown__content_there_and_old_block_wiped),
	    cmocka_unit_test(free__a_full_block__seen),
	    cmocka_unit_test(jansson__after_the_door_is_hardened__leaves_nothing),
	    cmocka_unit_test(libevent__after_a_loop_was_made__leaves_nothing),
	    cmocka_unit_test(tls__every_session__wipes_what_it_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

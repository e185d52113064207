#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/address.h"

static void check(const char *const *texts, size_t n, bool is_public)
{
	for (size_t i = 0; i < n; i++) {
		struct address a;

		assert_true(address_parse(texts[i], 443, &a));
		if (address_is_public(&a.sa) != is_public)
			fail_msg("%s", texts[i]);
	}
}

static void address__of_the_internet__public(void **state)
{
	static const char *const texts[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255",
	    "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0",
	    "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
	    "2a00:1450::1", "2001:200::1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
	    "2002:101:101::1"};

	(void)state;
	check(texts, sizeof texts / sizeof *texts, true);
}

static void address__of_a_network_of_ones_own_or_of_nobody__not_public(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1",
	    "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
	    "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
	    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
	    "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "fe80::1", "febf::1", "fec0::1",
	    "fc00::1", "fdff::1", "ff02::1", "2001::1", "2001:db8::1", "2001:20::1", "3fff::1", "100::1",
	    "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254",
	    "64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1", "2002:7f00:1::1", "2002:a01:203::1",
	    "2002:c0a8:101::1", "4000::1", "5f00::1"};

	(void)state;
	check(texts, sizeof texts / sizeof *texts, false);
}

static void address__of_another_family__not_public(void **state)
{
	struct sockaddr sa = {.sa_family = AF_UNIX};

	(void)state;
	assert_false(address_is_public(&sa));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(address__of_the_internet__public),
	    cmocka_unit_test(address__of_a_network_of_ones_own_or_of_nobody__not_public),
	    cmocka_unit_test(address__of_another_family__not_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

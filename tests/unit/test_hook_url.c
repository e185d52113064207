#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/hook_url.h"

static void parse__good__host_port_and_scheme(void **state)
{
	static const struct {
		const char *url, *host;
		unsigned port;
		bool plain;
	} good[] = {
	    {"https://portal.example.kz/hooks/sms?k=a%20b&c", "portal.example.kz", 443, false},
	    {"HTTPS://Portal.Example.kz", "Portal.Example.kz", 443, false},
	    {"https://portal.example.kz?x=1", "portal.example.kz", 443, false},
	    {"https://1.2.3.4:8443/", "1.2.3.4", 8443, false},
	    {"https://[2a00:1450::1]:65535/x", "2a00:1450::1", 65535, false},
	    {"https://[::1]", "::1", 443, false},
	    {"http://localhost:1/", "localhost", 1, true},
	    {"http://a/b@c:d", "a", 80, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct hook_url u;
		const char *why;

		if (hook_url_parse(good[i].url, true, &u, &why) != KZ_OK)
			fail_msg("%s: %s", good[i].url, why);
		assert_string_equal(u.host, good[i].host);
		assert_int_equal(u.port, good[i].port);
		assert_int_equal(u.plain, good[i].plain);
	}
}

static void parse__bad__refused_with_a_reason(void **state)
{
	static const char *const bad[] = {"", "https://", "https:///x", "https://:443/", "ftp://a/",
	    "file:///etc/passwd", "//a/", "a", "https:/a", "https:a", "https://a b/", "https://a/\n",
	    "https://a/#f", "https://a\\@b/", "https://u@a/", "https://u:p@a/", "https://a:0/",
	    "https://a:65536/", "https://a:/", "https://a:+1/", "https://a:1:2/", "https://a:000443/",
	    "https://[::1/", "https://::1/", "https://[]/", "https://[a.b]:/", "https://[::1]x/",
	    "https://[fe80::1%25eth0]/", "https://a_b/", "https://a%2eb/", "https://.a/", "https://-a/",
	    "https://қ.kz/", "https://a/\x7f", "https://a,b/", "https://a;b/", "https://a&b/", "https://a!b",
	    "https://(a)/", " https://a/"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct hook_url u = {.port = 77};
		const char *why = "";

		if (hook_url_parse(bad[i], true, &u, &why) != KZ_INVALID || !*why || u.port != 77)
			fail_msg("taken: %s", bad[i]);
	}
}

static void parse__plain_http__only_when_allowed(void **state)
{
	struct hook_url u;
	const char *why;

	(void)state;
	assert_int_equal(hook_url_parse("http://a/", false, &u, &why), KZ_INVALID);
	assert_non_null(strstr(why, "webhook.allow_private"));
	assert_int_equal(hook_url_parse("https://a/", false, &u, &why), KZ_OK);
}

static void parse__too_long__refused(void **state)
{
	char url[HOOK_URL + 2] = "https://a/";
	struct hook_url u;
	const char *why;

	(void)state;
	memset(url + 10, 'x', HOOK_URL - 10);
	assert_int_equal(hook_url_parse(url, false, &u, &why), KZ_OK);
	url[HOOK_URL] = 'x';
	assert_int_equal(hook_url_parse(url, false, &u, &why), KZ_TOO_LONG);
	memset(url + 8, 'h', HOOK_URL_HOST);
	url[8 + HOOK_URL_HOST] = '\0';
	assert_int_equal(hook_url_parse(url, false, &u, &why), KZ_OK);
	assert_int_equal(strlen(u.host), HOOK_URL_HOST);
	strcat(url, "h");
	assert_int_equal(hook_url_parse(url, false, &u, &why), KZ_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse__good__host_port_and_scheme),
	    cmocka_unit_test(parse__bad__refused_with_a_reason),
	    cmocka_unit_test(parse__plain_http__only_when_allowed),
	    cmocka_unit_test(parse__too_long__refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

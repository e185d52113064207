/* The URL of a webhook, from whoever may use the control socket, against the reading of the library that will
 * ask it: a host that we take for one and libcurl for another would pass by what we say of it. */
#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "rules/hook_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libcurl writes an IPv4 address of any spelling as four numbers, an IPv6 address in its shortest form. */
static bool same_host(const char *ours, const char *theirs)
{
	char inside[HOOK_URL_HOST + 1];
	struct in6_addr a6, b6;
	struct in_addr a, b;

	if (*theirs != '[')
		return !strcasecmp(ours, theirs) ||
		       (inet_aton(ours, &a) && inet_aton(theirs, &b) && a.s_addr == b.s_addr);
	snprintf(inside, sizeof inside, "%.*s", (int)strlen(theirs) - 2, theirs + 1);
	return inet_pton(AF_INET6, ours, &a6) == 1 && inet_pton(AF_INET6, inside, &b6) == 1 &&
	       !memcmp(&a6, &b6, sizeof a6);
}

static void check_with_curl(const char *url, const struct hook_url *u)
{
	CURLU *c = curl_url();
	char *host = NULL, *port = NULL, *scheme = NULL;

	if (curl_url_set(c, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
	    curl_url_get(c, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		CURLUcode r = curl_url_get(c, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);

		assert(r == CURLUE_OK);
		r = curl_url_get(c, CURLUPART_SCHEME, &scheme, 0);
		assert(r == CURLUE_OK);
		assert(!strcmp(scheme, u->plain ? "http" : "https"));
		assert(strtoul(port, NULL, 10) == u->port);
		assert(same_host(u->host, host));
	}
	curl_free(host);
	curl_free(port);
	curl_free(scheme);
	curl_url_cleanup(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = mem_strn((const char *)data, size);
	struct hook_url u, again;
	const char *why = "";
	enum kz r = hook_url_parse(url, true, &u, &why);

	if (r == KZ_OK) {
		assert(strlen(url) <= HOOK_URL && *u.host && strlen(u.host) <= HOOK_URL_HOST);
		assert(u.port >= 1 && u.port <= 65535 && !*why);
		check_with_curl(url, &u);
	} else {
		assert(*why);
	}
	enum kz strict = hook_url_parse(url, false, &again, &why);
	assert((strict == KZ_OK) == (r == KZ_OK && !u.plain));
	free(url);
	return 0;
}

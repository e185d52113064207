#include "rules/hook_url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* Printable ASCII that stands in a URL as it is: RFC 3986, 2, without '#'. */
static bool url_is_clean(const char *url)
{
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"#<>\\^`{|}", *p))
			return false;
	return true;
}

static bool url_read_host(const char *host, size_t n, struct hook_url *u)
{
	bool is_address = n > 2 && host[0] == '[' && host[n - 1] == ']';

	if (is_address) {
		host++;
		n -= 2;
	}
	if (n == 0 || n > HOOK_URL_HOST)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(is_address ? "0123456789abcdefABCDEF:." : "0123456789.-", host[i]) &&
		    (is_address || !strchr(letters, host[i])))
			return false;
	if (!is_address && (host[0] == '.' || host[0] == '-'))
		return false;
	memcpy(u->host, host, n);
	u->host[n] = '\0';
	return true;
}

/* What stands between the colon and the path. */
static bool url_read_port(const char *digits, size_t n, struct hook_url *u)
{
	u->port = 0;
	if (n < 1 || n > 5)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)digits[i]))
			return false;
		u->port = u->port * 10 + (unsigned)(digits[i] - '0');
	}
	return u->port >= 1 && u->port <= 65535;
}

/* authority: n octets up to the path. */
static const char *url_read_authority(const char *authority, size_t n, struct hook_url *u)
{
	const char *bracket = memchr(authority, ']', n);
	const char *from = bracket ? bracket : authority;
	const char *colon = memchr(from, ':', n - (size_t)(from - authority));
	size_t host_n = colon ? (size_t)(colon - authority) : n;

	if (memchr(authority, '@', n))
		return "it may hold no user or password";
	if (!url_read_host(authority, host_n, u))
		return "its host is neither a name nor an address";
	if (colon && !url_read_port(colon + 1, n - host_n - 1, u))
		return "its port is not 1..65535";
	return NULL;
}

enum kz hook_url_parse(const char *url, bool allow_plain, struct hook_url *ret, const char **ret_why)
{
	struct hook_url u = {.plain = !strncasecmp(url, "http://", 7)};
	const char *authority = url + (u.plain ? 7 : 8), *why;

	u.port = u.plain ? 80 : 443;
	if (strnlen(url, HOOK_URL + 1) > HOOK_URL) {
		*ret_why = "it is longer than 2048 characters";
		return KZ_TOO_LONG;
	}
	if (!url_is_clean(url))
		why = "it holds characters that a URL does not have";
	else if (!u.plain && strncasecmp(url, "https://", 8) != 0)
		why = "it does not begin with https://";
	else if (u.plain && !allow_plain)
		why = "plain http is only for networks of one's own: webhook.allow_private";
	else
		why = url_read_authority(authority, strcspn(authority, "/?"), &u);
	*ret_why = why ? why : "";
	if (!why)
		*ret = u;
	return why ? KZ_INVALID : KZ_OK;
}

/* hook_url: where a webhook may be told to, judged before any name is looked up. Narrow on purpose: what two
 * readers of URLs could read differently is refused. */
#ifndef RULES_HOOK_URL_H
#define RULES_HOOK_URL_H

#include <stdbool.h>

#include "base/result.h"

#define HOOK_URL      2048
#define HOOK_URL_HOST 253

/* A value. */
struct hook_url {
	bool plain;                   /* http, not https */
	char host[HOOK_URL_HOST + 1]; /* a name or an address, that without its brackets */
	unsigned port;
};

/* "https://host[:port][/path][?query]" in printable ASCII, at most HOOK_URL characters; http only when
 * allow_plain. KZ_INVALID or KZ_TOO_LONG, and why in words. */
enum kz hook_url_parse(
    const char *url, bool allow_plain, struct hook_url *ret, const char **ret_why) KZ_CHECK;

#endif

/* The row's id is the database's, given after the sealing, hence client and URL. */
#include "store/hook_seal.h"

#include <string.h>

#define HOOK_DOMAIN "webhook"

static uint64_t hook_seal_about(const struct keyring *k, const char *client, const char *url)
{
	struct buf both = {0};

	buf_add(&both, client, strlen(client) + 1);
	buf_str(&both, url);
	uint64_t about = (uint64_t)keyring_lookup(k, HOOK_DOMAIN, both.data, both.len);
	buf_fini(&both);
	return about;
}

void hook_seal(const struct keyring *k, const char *client, const char *url,
    const uint8_t secret[HOOK_SECRET], struct buf *out)
{
	keyring_seal(k, HOOK_DOMAIN, hook_seal_about(k, client, url), secret, HOOK_SECRET, out);
}

enum kz hook_open(const struct keyring *k, const char *client, const char *url, const void *sealed, size_t n,
    uint8_t secret[HOOK_SECRET])
{
	struct buf clear = {0};
	enum kz r = keyring_open(k, HOOK_DOMAIN, hook_seal_about(k, client, url), sealed, n, &clear);

	if (r == KZ_OK && clear.len != HOOK_SECRET)
		r = KZ_INVALID;
	if (r == KZ_OK)
		memcpy(secret, clear.data, HOOK_SECRET);
	if (clear.data)
		secret_wipe(clear.data, clear.len);
	buf_fini(&clear);
	return r;
}

/* hook_seal: the secret of an endpoint at rest: sealed for its client and URL, so that in another row it
 * opens no more. */
#ifndef STORE_HOOK_SEAL_H
#define STORE_HOOK_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/keyring.h"
#include "rules/hook.h"

/* Appended to out. */
void hook_seal(const struct keyring *k, const char *client, const char *url,
    const uint8_t secret[HOOK_SECRET], struct buf *out);
/* KZ_NOT_FOUND: the keyring has not the key; KZ_INVALID: not what hook_seal wrote for them. */
enum kz hook_open(const struct keyring *k, const char *client, const char *url, const void *sealed, size_t n,
    uint8_t secret[HOOK_SECRET]) KZ_CHECK;

#endif

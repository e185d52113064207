/* secret: random octets, keyed MACs, comparison in constant time, wiping. The only home of libcrypto's
 * primitives. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

#define SECRET_HASH 32

/* From the system's generator; aborts when it fails, which Linux does not let happen after boot. */
void secret_random(void *bytes, size_t n);
/* Uniform in 0..below-1, below > 0. */
uint32_t secret_uniform(uint32_t below);
void secret_sha256(const void *bytes, size_t n, uint8_t hash[SECRET_HASH]);
void secret_hmac(const void *key, size_t key_n, const void *bytes, size_t n, uint8_t mac[SECRET_HASH]);
/* Time depends on n alone. */
bool secret_equal(const void *a, const void *b, size_t n);
/* Not removed by the compiler. */
void secret_wipe(void *bytes, size_t n);
/* n octets as 2n lower-case hex digits and NUL. */
void secret_hex(const void *bytes, size_t n, char *text);
/* n octets as URL-safe base 64 without padding and NUL: (n * 4 + 2) / 3 + 1 octets of room. */
void secret_base64url(const void *bytes, size_t n, char *text);
/* The same in the standard alphabet with padding: (n + 2) / 3 * 4 + 1 octets of room. */
void secret_base64(const void *bytes, size_t n, char *text);
/* Reads a secret file: at most max octets, one trailing newline cut, no other white space or NUL.
 * Returns text to free() after secret_wipe. KZ_NOT_FOUND, KZ_INVALID (empty, too long, readable by others'
 * write). */
enum kz secret_file(const char *path, size_t max, char **ret_text) KZ_CHECK;

#endif

/* secret: random octets, keyed MACs, comparison in constant time, wiping. The only home of libcrypto's
 * primitives. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

#define SECRET_HASH  32
#define SECRET_KEY   32 /* of secret_seal and secret_mac */
#define SECRET_NONCE 12
#define SECRET_TAG   16

/* A key made ready for many MACs. */
struct secret_mac;

/* From the system's generator; aborts when it fails, which Linux does not let happen after boot. */
void secret_random(void *bytes, size_t n);
/* Uniform in 0..below-1, below > 0. */
uint32_t secret_uniform(uint32_t below);
void secret_sha256(const void *bytes, size_t n, uint8_t hash[SECRET_HASH]);
void secret_hmac(const void *key, size_t key_n, const void *bytes, size_t n, uint8_t mac[SECRET_HASH]);
struct secret_mac *secret_mac_new(const uint8_t key[SECRET_KEY]);
/* HMAC-SHA256 over head with bytes behind it. */
void secret_mac_of(struct secret_mac *m, const void *head, size_t head_n, const void *bytes, size_t n,
    uint8_t mac[SECRET_HASH]);
/* Wipes the key. */
void secret_mac_free(struct secret_mac *m);
/* AES-256-GCM (NIST SP 800-38D) without further data: n octets and the tag to sealed, which has room for
 * n + SECRET_TAG. The same key with the same nonce twice would give both texts away; n <= INT32_MAX. */
void secret_seal(const uint8_t key[SECRET_KEY], const uint8_t nonce[SECRET_NONCE], const void *bytes,
    size_t n, uint8_t *sealed);
/* n octets, tag included, to n - SECRET_TAG at bytes. KZ_INVALID, and bytes are wiped, unless secret_seal
 * wrote exactly this under this key and nonce. */
enum kz secret_open(const uint8_t key[SECRET_KEY], const uint8_t nonce[SECRET_NONCE], const void *sealed,
    size_t n, uint8_t *bytes) KZ_CHECK;
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

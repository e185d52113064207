/* keyring: the secret keys of an installation, from the file `keyring` of the configuration. Whoever uses
 * them may keep the pointer for as long as the program runs: a reload changes what it points to. Each line of
 * the file is "lookup HEX64", once and never changed, or "N HEX64", N = 1..32767: the greatest N is used for
 * what is new, every N for what stands. Empty lines and lines that begin with # are passed over. Not for two
 * threads at once. */
#ifndef BASE_KEYRING_H
#define BASE_KEYRING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/yaml.h"

#define KEYRING_ID_MAX   32767
#define KEYRING_KEYS_MAX 1024   /* in one file */
#define KEYRING_FILE_MAX 131072 /* octets of it */
#define KEYRING_OVERHEAD 30     /* a sealed run of octets is so much longer than what it holds */

struct keyring;

/* NULL with lines "file:line: what" in faults; they never repeat a key. A file that anybody but its owner may
 * write, or that others than its owner and group may read, is a fault too. */
struct keyring *keyring_load(const char *path, struct faults *faults);
/* The same from memory; name stands for the file in faults. */
struct keyring *keyring_parse(const char *name, const char *bytes, size_t n, struct faults *faults);
/* From now on k has the keys of fresh, which is freed. false, and nothing is done, when fresh has another
 * lookup key: nothing at rest would be found by it. */
bool keyring_renew(struct keyring *k, struct keyring *fresh);
/* The greatest key id. */
unsigned keyring_newest(const struct keyring *k);
/* Whether there is a key of that id. */
bool keyring_has(const struct keyring *k, unsigned id);
/* HMAC-SHA256 under key id over domain, a NUL and n octets. domain, here and below: a short constant text,
 * not empty, one for each use. KZ_NOT_FOUND: no such key. */
enum kz keyring_mac(const struct keyring *k, unsigned id, const char *domain, const void *bytes, size_t n,
    uint8_t mac[SECRET_HASH]) KZ_CHECK;
/* Appends n octets sealed under the newest key to out: 2 octets of key id, 12 of nonce, n, 16 of tag. It
 * opens only for the same domain and about, so that no row can be put in another's place. */
void keyring_seal(const struct keyring *k, const char *domain, uint64_t about, const void *bytes, size_t n,
    struct buf *out);
/* Appends what was sealed to out, which is left as it is else. KZ_NOT_FOUND: its key is not in the file;
 * KZ_INVALID: not sealed for this domain and about, cut short or changed. */
enum kz keyring_open(const struct keyring *k, const char *domain, uint64_t about, const void *sealed,
    size_t n, struct buf *out) KZ_CHECK;
/* By the lookup key: the same for the same octets, also after keys were added. */
void keyring_mark(
    const struct keyring *k, const char *domain, const void *bytes, size_t n, uint8_t mac[SECRET_HASH]);
/* By the lookup key: the same for the same octets, also after keys were added; never 0. */
int64_t keyring_lookup(const struct keyring *k, const char *domain, const void *bytes, size_t n);
/* Wipes. NULL is fine. */
void keyring_free(struct keyring *k);

#endif

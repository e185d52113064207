/* Of each key of the file two are made, one for MACs and one from which each sealed row gets a key of its
 * own: HMAC over what it is for and about whom. So domain and about need no place in the row, and no key
 * seals more than a few times: under one key for all, nonces drawn by chance would have to stop at 2^32 rows
 * (SP 800-38D, 8.3), which is fifty days at a thousand a second. */
#include "base/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define KEYRING_LOOKUP 0 /* its place among the ids while the file is read */
#define KEYRING_HEAD   2 /* octets of the key id before a nonce */

struct keyring_key {
	unsigned id;
	struct secret_mac *mac, *seal;
};

struct keyring {
	struct keyring_key *keys; /* by id; the first is the lookup key */
	size_t count;
};

static const struct keyring_key *keyring_find(const struct keyring *k, unsigned id)
{
	size_t low = 0, high = k->count;

	while (low < high) {
		size_t at = (low + high) / 2;

		if (k->keys[at].id == id)
			return &k->keys[at];
		if (k->keys[at].id < id)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

/* Keeps the order by id. */
static void keyring_put(struct keyring *k, unsigned id, const uint8_t octets[SECRET_KEY])
{
	static const char seals[] = "\0seal"; /* no domain begins with NUL: nobody is told this MAC */
	uint8_t seal[SECRET_HASH];
	size_t at = k->count;

	k->keys = mem_grow(k->keys, k->count + 1, sizeof *k->keys);
	for (; at && k->keys[at - 1].id > id; at--)
		k->keys[at] = k->keys[at - 1];
	k->keys[at] = (struct keyring_key){id, secret_mac_new(octets), NULL};
	secret_mac_of(k->keys[at].mac, seals, sizeof seals, NULL, 0, seal);
	k->keys[at].seal = secret_mac_new(seal);
	secret_wipe(seal, sizeof seal);
	k->count++;
}

static bool keyring_read_hex(const char *text, size_t n, uint8_t octets[SECRET_KEY])
{
	static const char digits[] = "0123456789abcdefABCDEF";

	if (n != 2 * SECRET_KEY)
		return false;
	memset(octets, 0, SECRET_KEY);
	for (size_t i = 0; i < n; i++) {
		const char *at = text[i] ? strchr(digits, text[i]) : NULL;

		if (!at)
			return false;
		unsigned v = (unsigned)(at - digits);
		octets[i / 2] = (uint8_t)((unsigned)octets[i / 2] << 4 | (v < 16 ? v : v - 6));
	}
	return true;
}

/* "lookup" or a number without leading zeros. */
static bool keyring_read_id(const char *text, size_t n, unsigned *ret_id)
{
	unsigned id = 0;

	if (n == 6 && !memcmp(text, "lookup", 6)) {
		*ret_id = KEYRING_LOOKUP;
		return true;
	}
	if (!n || n > 5 || *text == '0')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		id = id * 10 + (unsigned)(text[i] - '0');
	}
	*ret_id = id;
	return id <= KEYRING_ID_MAX;
}

static size_t keyring_word(const char *text, size_t n)
{
	size_t len = 0;

	while (len < n && text[len] != ' ' && text[len] != '\t')
		len++;
	return len;
}

static size_t keyring_blank(const char *text, size_t n)
{
	size_t len = 0;

	while (len < n && (text[len] == ' ' || text[len] == '\t'))
		len++;
	return len;
}

/* What is wrong with the line, NULL when nothing is. */
static const char *keyring_read_line(struct keyring *k, const char *text, size_t n)
{
	uint8_t octets[SECRET_KEY];
	unsigned id;

	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	size_t name = keyring_word(text, n), gap = keyring_blank(text + name, n - name);
	if (!n || *text == '#')
		return NULL;
	if (!keyring_read_id(text, name, &id))
		return "begins with neither \"lookup\" nor a key's number, 1 to 32767";
	if (!keyring_read_hex(text + name + gap, n - name - gap, octets))
		return "the key is not 64 hex digits";
	const char *wrong = keyring_find(k, id)           ? "is there twice"
	                    : k->count > KEYRING_KEYS_MAX ? "more keys than 1024"
	                                                  : NULL;
	if (!wrong)
		keyring_put(k, id, octets);
	secret_wipe(octets, sizeof octets);
	return wrong;
}

static void keyring_read(
    struct keyring *k, const char *name, const char *bytes, size_t n, struct faults *faults)
{
	for (int line = 1; n; line++) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) : n, step = end ? len + 1 : len;
		size_t blank = keyring_blank(bytes, len);
		const char *wrong = keyring_read_line(k, bytes + blank, len - blank);

		if (wrong)
			faults_add(faults, "%s:%d: %s", name, line, wrong);
		bytes += step;
		n -= step;
	}
	if (!keyring_find(k, KEYRING_LOOKUP))
		faults_add(faults, "%s: no line \"lookup\"", name);
	else if (k->count < 2)
		faults_add(faults, "%s: no numbered key", name);
}

struct keyring *keyring_parse(const char *name, const char *bytes, size_t n, struct faults *faults)
{
	struct keyring *k = mem_new(sizeof *k);
	int before = faults->count;

	keyring_read(k, name, bytes, n, faults);
	if (faults->count == before)
		return k;
	keyring_free(k);
	return NULL;
}

static struct keyring *keyring_load_open(const char *path, int fd, struct faults *faults)
{
	char *text = mem_new(KEYRING_FILE_MAX + 1);
	struct keyring *k = NULL;
	struct stat st;
	ssize_t n = read(fd, text, KEYRING_FILE_MAX + 1);

	if (n < 0 || fstat(fd, &st))
		faults_add(faults, "%s: %s", path, strerror(errno));
	else if (n > KEYRING_FILE_MAX)
		faults_add(faults, "%s: longer than %d octets", path, KEYRING_FILE_MAX);
	else if (st.st_mode & (S_IRWXO | S_IWGRP))
		faults_add(
		    faults, "%s: others may read or write it: chmod 600 (or 640, of kezek's group)", path);
	else
		k = keyring_parse(path, text, (size_t)n, faults);
	secret_wipe(text, KEYRING_FILE_MAX + 1);
	free(text);
	return k;
}

struct keyring *keyring_load(const char *path, struct faults *faults)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO may have no writer */

	if (fd < 0) {
		bool none = errno == ENOENT;

		faults_add(faults, "%s: %s%s%s", path, strerror(errno),
		    none ? "; make it once, and keep a copy: kezekctl keyring new " : "", none ? path : "");
		return NULL;
	}
	struct keyring *k = keyring_load_open(path, fd, faults);
	close(fd);
	return k;
}

bool keyring_renew(struct keyring *k, struct keyring *fresh)
{
	static const char domain[] = "\0renew";
	uint8_t mine[SECRET_HASH], other[SECRET_HASH];
	const struct keyring old = *k;

	secret_mac_of(k->keys[0].mac, domain, sizeof domain, NULL, 0, mine);
	secret_mac_of(fresh->keys[0].mac, domain, sizeof domain, NULL, 0, other);
	if (!secret_equal(mine, other, sizeof mine))
		return false;
	*k = *fresh;
	*fresh = old;
	keyring_free(fresh);
	return true;
}

unsigned keyring_newest(const struct keyring *k)
{
	return k->keys[k->count - 1].id;
}

/* The lookup key has no number. */
static const struct keyring_key *keyring_numbered(const struct keyring *k, unsigned id)
{
	return id == KEYRING_LOOKUP ? NULL : keyring_find(k, id);
}

bool keyring_has(const struct keyring *k, unsigned id)
{
	return keyring_numbered(k, id) != NULL;
}

enum kz keyring_mac(const struct keyring *k, unsigned id, const char *domain, const void *bytes, size_t n,
    uint8_t mac[SECRET_HASH])
{
	const struct keyring_key *key = keyring_numbered(k, id);

	if (!key)
		return KZ_NOT_FOUND;
	secret_mac_of(key->mac, domain, strlen(domain) + 1, bytes, n, mac);
	return KZ_OK;
}

/* The key of one row. */
static void keyring_row_key(
    const struct keyring_key *key, const char *domain, uint64_t about, uint8_t row[SECRET_HASH])
{
	uint8_t octets[8];

	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(about >> (56 - 8 * i));
	secret_mac_of(key->seal, domain, strlen(domain) + 1, octets, sizeof octets, row);
}

/* Drawn for many rows at once: each draw by itself took two fifths of the time to seal a message. */
static void keyring_nonce(uint8_t nonce[SECRET_NONCE])
{
	static uint8_t drawn[64 * SECRET_NONCE];
	static size_t left;

	if (!left) {
		secret_random(drawn, sizeof drawn);
		left = sizeof drawn;
	}
	left -= SECRET_NONCE;
	memcpy(nonce, drawn + left, SECRET_NONCE);
}

void keyring_seal(
    const struct keyring *k, const char *domain, uint64_t about, const void *bytes, size_t n, struct buf *out)
{
	const struct keyring_key *key = &k->keys[k->count - 1];
	uint8_t row[SECRET_HASH], *at = (uint8_t *)buf_space(out, n + KEYRING_OVERHEAD);

	keyring_row_key(key, domain, about, row);
	*at++ = (uint8_t)(key->id >> 8);
	*at++ = (uint8_t)key->id;
	keyring_nonce(at);
	secret_seal(row, at, bytes, n, at + SECRET_NONCE);
	secret_wipe(row, sizeof row);
	buf_wrote(out, n + KEYRING_OVERHEAD);
}

enum kz keyring_open(const struct keyring *k, const char *domain, uint64_t about, const void *sealed,
    size_t n, struct buf *out)
{
	const uint8_t *at = sealed;
	uint8_t row[SECRET_HASH];

	if (n < KEYRING_OVERHEAD)
		return KZ_INVALID;
	unsigned id = (unsigned)at[0] << 8 | at[1];
	const struct keyring_key *key = keyring_numbered(k, id);
	if (!key)
		return KZ_NOT_FOUND;
	keyring_row_key(key, domain, about, row);
	size_t skip = KEYRING_HEAD + SECRET_NONCE;
	char *bytes = buf_space(out, n - skip);
	enum kz r = secret_open(row, at + KEYRING_HEAD, at + skip, n - skip, (uint8_t *)bytes);
	secret_wipe(row, sizeof row);
	if (r == KZ_OK)
		buf_wrote(out, n - KEYRING_OVERHEAD);
	return r;
}

void keyring_mark(
    const struct keyring *k, const char *domain, const void *bytes, size_t n, uint8_t mac[SECRET_HASH])
{
	secret_mac_of(k->keys[0].mac, domain, strlen(domain) + 1, bytes, n, mac);
}

int64_t keyring_lookup(const struct keyring *k, const char *domain, const void *bytes, size_t n)
{
	uint8_t mac[SECRET_HASH];
	uint64_t v = 0;

	keyring_mark(k, domain, bytes, n, mac);
	for (size_t i = 0; i < sizeof v; i++)
		v = v << 8 | mac[i];
	return v ? (int64_t)v : 1;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->count; i++) {
		secret_mac_free(k->keys[i].mac);
		secret_mac_free(k->keys[i].seal);
	}
	free(k->keys);
	free(k);
}

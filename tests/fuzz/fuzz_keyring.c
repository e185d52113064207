/* The file of keys: whatever stands in it, either faults are told and there is no keyring, or all that it can
 * do works. No fault repeats a line: it may be a key. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_faults(const struct faults *f, const uint8_t *data, size_t size)
{
	const char *text = buf_text(&f->text);

	assert(f->count > 0 && *text);
	for (size_t i = 0; i + 16 <= size; i++) {
		bool hex = true;

		for (size_t n = 0; n < 16; n++)
			hex = hex && strchr("0123456789abcdefABCDEF", data[i + n]) && data[i + n];
		assert(!hex || !memmem(text, strlen(text), data + i, 16));
	}
}

static void check_works(const struct keyring *k)
{
	struct buf sealed = {0}, clear = {0};
	uint8_t mac[SECRET_HASH];
	unsigned id = keyring_newest(k);
	enum kz r = keyring_mac(k, id, "d", "x", 1, mac);

	assert(id >= 1 && id <= KEYRING_ID_MAX && r == KZ_OK);
	keyring_seal(k, "d", 1, "text", 4, &sealed);
	r = keyring_open(k, "d", 1, sealed.data, sealed.len, &clear);
	assert(r == KZ_OK && clear.len == 4 && !memcmp(clear.data, "text", 4));
	assert(keyring_lookup(k, "d", "x", 1) != 0);
	buf_fini(&sealed);
	buf_fini(&clear);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = {0};
	struct keyring *k = keyring_parse("keyring", (const char *)data, size, &faults);

	if (k)
		check_works(k);
	else
		check_faults(&faults, data, size);
	assert(!k == (faults.count > 0));
	keyring_free(k);
	faults_fini(&faults);
	return 0;
}

/* What is sealed in the database, by whoever can write to it. Octets that no key sealed never open. Those
 * that one did, as an older program might have, are read within their bounds, and what is read is sealed and
 * read back the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "store/hook_seal.h"
#include "store/person.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keyring *ring(void)
{
	static const char keys[] = "lookup 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	                           "1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
	                           "12336 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
	static struct keyring *k;
	struct faults faults = {0};

	if (!k)
		k = keyring_parse("keys", keys, sizeof keys - 1, &faults);
	assert(k);
	return k;
}

static void check_forged(const uint8_t *data, size_t size)
{
	uint8_t secret[HOOK_SECRET];
	struct buf room = {0};
	struct person p;
	enum kz r = person_open(ring(), 42, data, size, &room, &p);

	assert(r != KZ_OK && !room.len);
	r = person_open_given(ring(), 42, data, size, &room);
	assert(r != KZ_OK && !room.len);
	r = hook_open(ring(), "portal", "https://portal.example/", data, size, secret);
	assert(r != KZ_OK);
	buf_fini(&room);
}

static void check_same(const struct person *p)
{
	struct buf sealed = {0}, room = {0};
	struct person back;

	person_seal(ring(), 7, p, &sealed);
	enum kz r = person_open(ring(), 7, sealed.data, sealed.len, &room, &back);
	assert(r == KZ_OK && back.to.digits == p->to.digits && !strcmp(back.text, p->text));
	assert(!back.sender == !p->sender && (!p->sender || !strcmp(back.sender, p->sender)));
	assert(back.code.id == p->code.id);
	assert(!p->code.id || (back.code.key == p->code.key && back.code.issue == p->code.issue &&
	                          back.code.length == p->code.length));
	buf_fini(&sealed);
	buf_fini(&room);
}

static void check_read(const uint8_t *data, size_t size)
{
	struct buf sealed = {0}, room = {0};
	struct person p;

	keyring_seal(ring(), "message_person", 42, data, size, &sealed);
	enum kz r = person_open(ring(), 42, sealed.data, sealed.len, &room, &p);
	assert(r == KZ_OK || r == KZ_INVALID);
	if (r == KZ_OK)
		check_same(&p);
	sealed.data[sealed.len - 1] ^= 1;
	r = person_open(ring(), 42, sealed.data, sealed.len, &room, &p);
	assert(r == KZ_INVALID);
	buf_fini(&sealed);
	buf_fini(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_forged(data, size);
	check_read(data, size);
	return 0;
}

/* User data of a deliver_sm whose esm_class says that a header stands in front: the header read, the text
 * behind it decoded; and septets behind every fill, packed and taken out again. The first two octets are
 * data_coding and the wire. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "text/gsm7.h"
#include "text/segment.h"
#include "text/utf8.h"

#define FUZZ_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written_again(const struct udh *udh)
{
	struct buf head = {0};
	struct udh again;

	udh_put(&head, true, udh->reference, udh->number, udh->total);
	enum kz r = udh_parse((const uint8_t *)head.data, head.len, &again);
	assert(r == KZ_OK && again.has_concat && again.len == head.len && again.reference == udh->reference);
	assert(again.number == udh->number && again.total == udh->total);
	buf_fini(&head);
}

static void check_user_data(const uint8_t *data, size_t size, uint8_t coding, enum gsm_wire gsm)
{
	struct buf text = {0};
	struct udh udh;

	if (udh_parse(data, size, &udh) != KZ_OK)
		return;
	assert(udh.len >= 1 && udh.len <= size);
	assert(!udh.has_concat || (udh.number >= 1 && udh.number <= udh.total));
	if (udh.has_concat)
		check_written_again(&udh);
	if (segment_decode(data, size, udh.len, coding, gsm, &text) == KZ_OK)
		assert(utf8_check(buf_text(&text), text.len) == KZ_OK);
	buf_fini(&text);
}

static void check_packing(const uint8_t *data, size_t size, unsigned fill)
{
	struct buf packed = {0};
	struct buf back = {0};
	size_t most = size ? (size * 8 - fill) / 7 : 0;

	gsm7_pack(data, size, fill, &packed);
	assert(packed.len == (size ? (fill + size * 7 + 7) / 8 : 0));
	enum kz r = gsm7_unpack((const uint8_t *)packed.data, packed.len, size, fill, &back);
	assert(r == KZ_OK && back.len == size);
	for (size_t i = 0; i < size; i++)
		assert((uint8_t)back.data[i] == (data[i] & 0x7f));
	buf_clear(&back);
	r = gsm7_unpack(data, size, most, fill, &back);
	assert(r == KZ_OK && back.len == most);
	r = gsm7_unpack(data, size, most + 1, fill, &back);
	assert(r == KZ_INVALID && back.len == most);
	buf_fini(&packed);
	buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > FUZZ_MAX)
		return 0;
	check_user_data(data + 2, size - 2, data[0], (enum gsm_wire)(data[1] & 3));
	check_packing(data + 2, size - 2, (data[1] >> 2) % 7u);
	return 0;
}

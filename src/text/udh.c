/* Unknown elements are stepped over, as 23.040 asks, so a port or a picture beside the concatenation does no
 * harm. A concatenation that makes no sense is refused instead of ignored: its text would wait for parts that
 * never come. */
#include "text/udh.h"

#define UDH_CONCAT8  0x00
#define UDH_CONCAT16 0x08

static enum kz udh_take_concat(const uint8_t *value, size_t len, size_t reference_len, struct udh *u)
{
	if (len != reference_len + 2)
		return KZ_INVALID;
	u->reference = (uint16_t)(reference_len == 1 ? value[0] : value[0] << 8 | value[1]);
	u->total = value[reference_len];
	u->number = value[reference_len + 1];
	u->has_concat = true;
	return u->number >= 1 && u->number <= u->total ? KZ_OK : KZ_INVALID;
}

enum kz udh_parse(const uint8_t *bytes, size_t n, struct udh *ret)
{
	struct udh u = {0};

	if (!n || bytes[0] >= n)
		return KZ_INVALID;
	u.len = bytes[0] + 1u;
	for (size_t i = 1; i < u.len;) {
		if (u.len - i < 2 || bytes[i + 1] > u.len - i - 2)
			return KZ_INVALID;
		uint8_t id = bytes[i];
		size_t len = bytes[i + 1];
		enum kz r = KZ_OK;
		if (id == UDH_CONCAT8 || id == UDH_CONCAT16)
			r = udh_take_concat(bytes + i + 2, len, id == UDH_CONCAT8 ? 1 : 2, &u);
		if (r != KZ_OK)
			return r;
		i += 2 + len;
	}
	*ret = u;
	return KZ_OK;
}

void udh_put(struct buf *out, bool wide, uint16_t reference, uint8_t number, uint8_t total)
{
	buf_char(out, wide ? 6 : 5);
	buf_char(out, wide ? UDH_CONCAT16 : UDH_CONCAT8);
	buf_char(out, wide ? 4 : 3);
	if (wide)
		buf_char(out, (char)(reference >> 8));
	buf_char(out, (char)(reference & 0xff));
	buf_char(out, (char)total);
	buf_char(out, (char)number);
}

unsigned udh_fill_bits(size_t len)
{
	return (unsigned)((7 - len * 8 % 7) % 7);
}

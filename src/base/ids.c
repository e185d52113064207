#include "base/ids.h"

#include <ctype.h>
#include <string.h>

#define SEQ_BITS  14
#define SLOT_BITS 8

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static uint64_t ids_make(const struct ids *g, uint64_t at)
{
	uint64_t ms = at >> SEQ_BITS, seq = at & ((1u << SEQ_BITS) - 1);

	return ms << (SEQ_BITS + SLOT_BITS) | (uint64_t)g->slot << SEQ_BITS | seq;
}

uint64_t ids_reserve(struct ids *g, int64_t wall_ms, unsigned n)
{
	uint64_t now = wall_ms > IDS_EPOCH_MS ? (uint64_t)(wall_ms - IDS_EPOCH_MS) << SEQ_BITS : 0;
	/* a full or backward millisecond borrows from the next */
	uint64_t first = now > g->last ? now : g->last + 1;

	if (first >> SEQ_BITS != (first + n - 1) >> SEQ_BITS)
		first = ((first >> SEQ_BITS) + 1) << SEQ_BITS;
	g->last = first + n - 1;
	return ids_make(g, first);
}

uint64_t ids_next(struct ids *g, int64_t wall_ms)
{
	return ids_reserve(g, wall_ms, 1);
}

uint64_t ids_bound(const struct ids *g)
{
	return ids_make(g, g->last + 1);
}

void ids_after(struct ids *g, uint64_t id)
{
	uint64_t last = id >> (SEQ_BITS + SLOT_BITS) << SEQ_BITS | (id & ((1u << SEQ_BITS) - 1));

	if (last > g->last)
		g->last = last;
}

int64_t ids_wall_ms(uint64_t id)
{
	return (int64_t)(id >> (SEQ_BITS + SLOT_BITS)) + IDS_EPOCH_MS;
}

uint64_t ids_floor(int64_t wall_ms)
{
	return wall_ms > IDS_EPOCH_MS ? (uint64_t)(wall_ms - IDS_EPOCH_MS) << (SEQ_BITS + SLOT_BITS) : 0;
}

char *ids_text(uint64_t id, char text[IDS_TEXT])
{
	text[13] = '\0';
	for (int i = 12; i >= 0; i--, id >>= 5)
		text[i] = digits[id & 31];
	return text;
}

enum kz ids_parse(const char *text, uint64_t *ret_id)
{
	uint64_t id = 0;

	if (strlen(text) != 13 || text[0] > '7')
		return KZ_INVALID;
	for (int i = 0; i < 13; i++) {
		const char *d = strchr(digits, tolower((unsigned char)text[i]));

		if (!d)
			return KZ_INVALID;
		id = id << 5 | (uint64_t)(d - digits);
	}
	*ret_id = id;
	return KZ_OK;
}

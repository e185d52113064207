/* ids: time-ordered 63-bit identities of messages: 41 bits of milliseconds since 2024-01-01 UTC, 8 bits of
 * slot, 14 bits of sequence. The partition of a row follows from its id. As text: 13 lower-case Crockford
 * base-32 characters. */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stdint.h>

#include "base/result.h"

#define IDS_TEXT     14 /* with the NUL */
#define IDS_SLOTS    256
#define IDS_EPOCH_MS 1704067200000LL /* 2024-01-01T00:00:00Z */

/* A value; zero-initialise and set slot. */
struct ids {
	uint8_t slot;
	uint64_t last; /* time and sequence of the last id */
};

/* The next id; never repeats and never falls, even when the wall clock does. */
uint64_t ids_next(struct ids *g, int64_t wall_ms);
/* n ids in a row, 1..8192; the first of them. */
uint64_t ids_reserve(struct ids *g, int64_t wall_ms, unsigned n);
/* Above every id that g gave, and not above any that it will give. */
uint64_t ids_bound(const struct ids *g);
/* No id of any slot up to `id` comes again from g: for a slot that was somebody else's, whose clock may have
 * been ahead. */
void ids_after(struct ids *g, uint64_t id);
/* Milliseconds of Unix time that the id was made at. */
int64_t ids_wall_ms(uint64_t id);
static inline uint8_t ids_slot(uint64_t id)
{
	return (uint8_t)(id >> 14);
}
/* The lowest id of that millisecond. */
uint64_t ids_floor(int64_t wall_ms);
/* Writes 13 characters and NUL; returns text. */
char *ids_text(uint64_t id, char text[IDS_TEXT]);
/* KZ_INVALID unless exactly what ids_text writes (either case). */
enum kz ids_parse(const char *text, uint64_t *ret_id) KZ_CHECK;

#endif

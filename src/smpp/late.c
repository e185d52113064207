/* A walk of the ring for each answer that nobody waits for: those are few, and a peer that makes them up
 * costs itself more. A map was not taken for it. */
#include "smpp/late.h"

void late_note(struct late *l, const struct late_part *p)
{
	l->ring[l->next] = *p;
	l->next = (l->next + 1) % LATE_ROOM;
}

bool late_take(struct late *l, uint32_t sequence, struct late_part *ret)
{
	for (size_t i = 0; i < LATE_ROOM; i++) {
		if (!sequence || l->ring[i].sequence != sequence)
			continue;
		*ret = l->ring[i];
		l->ring[i].sequence = 0;
		return true;
	}
	return false;
}

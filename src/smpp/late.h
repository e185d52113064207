/* late: the submit_sm of one link that were not answered in time, in case the answer still comes: what became
 * of a part is then known after all. A ring: the oldest is forgotten for the newest. */
#ifndef SMPP_LATE_H
#define SMPP_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATE_ROOM 512

struct late_part {
	uint64_t id;         /* of the message: its owner may be gone when the answer comes */
	int64_t doubt_us;    /* wall time since when it is in doubt */
	uint32_t sequence;   /* never 0 */
	uint8_t part, parts; /* part: 0-based */
};

/* A value; zero-initialise. */
struct late {
	struct late_part ring[LATE_ROOM];
	size_t next;
};

void late_note(struct late *l, const struct late_part *p);
/* Takes it out; false when that number is not known. */
bool late_take(struct late *l, uint32_t sequence, struct late_part *ret);

#endif

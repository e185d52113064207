/* partitions: days of message, message_person, message_event and idempotency, made ahead and dropped by
 * retention. */
#ifndef STORE_PARTITIONS_H
#define STORE_PARTITIONS_H

#include <stdint.h>

#include "store/pg.h"

struct partitions;

struct partitions_keep {
	int64_t messages_ms, personal_ms;
};

/* Makes yesterday's to the day after tomorrow's at once and hourly from then on; drops what is past its keep
 * hourly. on_ready: once, when today's are there for the first time (KZ_OK), or the database refused with the
 * reason. */
struct partitions *partitions_new(struct loop *l, struct pg *pg, const struct partitions_keep *keep,
    void (*on_ready)(void *arg, enum kz r, const char *why), void *arg);
void partitions_set_keep(struct partitions *p, const struct partitions_keep *keep);
void partitions_free(struct partitions *p);

#endif

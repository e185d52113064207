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

/* Makes those of yesterday, today and the three days to come at once and hourly from then on; drops what is
 * past its keep hourly. on_ready: once in all: KZ_OK when today's are there for the first time, or KZ_REFUSED
 * with the server's reason when it refused them for something that does not pass by itself (SQLSTATE class
 * 42: no permission, no such function); after that nothing more is tried. Other refusals are tried again. */
struct partitions *partitions_new(struct loop *l, struct pg *pg, const struct partitions_keep *keep,
    void (*on_ready)(void *arg, enum kz r, const char *why), void *arg);
void partitions_set_keep(struct partitions *p, const struct partitions_keep *keep);
void partitions_free(struct partitions *p);

#endif

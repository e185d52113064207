/* notice_rows: which notices messages bring, noted together with the messages themselves: a notice whose mark
 * does not stand has no message, and one that is marked gets none by somebody else. */
#ifndef STORE_NOTICE_ROWS_H
#define STORE_NOTICE_ROWS_H

#include <stdint.h>

#include "store/pg.h"

/* A message as number n, from 1 on, of those that bring a notice. A value. */
struct notice_row {
	uint64_t notice, message_id;
	unsigned n;
	int64_t look_at_us; /* when it is looked whether it arrived */
};

struct notice_rows;

struct notice_rows *notice_rows_new(void);
/* Empties it. */
void notice_rows_start(struct notice_rows *r);
void notice_rows_put(struct notice_rows *r, const struct notice_row *row);
/* Adds the statement for what was put, if anything was, after the one that keeps the messages. It refuses the
 * job when a notice has a message of that number already, and is content when that is the same message. */
void notice_rows_add(struct notice_rows *r, struct pg_job *job);
void notice_rows_free(struct notice_rows *r);

#endif

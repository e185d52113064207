/* rescues: codes that something must be done about, as whoever looks after them reads them: their time is
 * over and nobody has ruled, or the message that brought them last did not arrive as far as anybody knows. */
#ifndef STORE_RESCUES_H
#define STORE_RESCUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/message.h"
#include "store/pg.h"

/* A code without a verdict. Texts live during the callback. */
struct rescue_due {
	uint64_t code;
	bool over; /* its time is: what follows is of no interest */
	const char *purpose;
	/* of its newest sending, which is not known to have been delivered, and is the first attempt to
	 * rescue it */
	unsigned n;
	uint64_t message_id;
	int64_t sent_us, submitted_us; /* submitted_us 0: no operator has it */
	enum message_state state;
	const char *carrier, *link; /* that took it; "" */
	bool second;                /* the request gave a second phone, and it did not go there */
};
typedef void rescues_each_fn(void *arg, const struct rescue_due *d);
/* How many sendings were looked at and the last one's message, 0: none. */
typedef void rescues_done_fn(void *arg, enum kz r, size_t looked, uint64_t last);

/* The sendings of slots held with after < message <= upto in their order, at most `most` of any slot looked
 * at. */
struct rescues_page {
	const bool *held; /* IDS_SLOTS */
	uint64_t after, upto;
	int most;
	int64_t now_us;
};
/* Each answers once, later, or KZ_BUSY at once without a callback; *ret_ticket can cancel it (pg_job_cancel).
 */
enum kz rescues_read(struct pg *pg, const struct rescues_page *p, rescues_each_fn *each,
    rescues_done_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;
/* Those that the messages brought, of whatever slots; most messages bring none. */
enum kz rescues_of(struct pg *pg, const uint64_t *messages, size_t n, int64_t now_us, rescues_each_fn *each,
    rescues_done_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

#endif

/* rescue: looks after codes that were sent, until each is ruled: finds those that did not arrive, as soon as
 * an end is heard of and else when their wait is over, and those whose time is over. Looks at what the slots
 * that are held have sent, so what a daemon leaves behind whoever takes its slot finds; its owner acts. */
#ifndef FLOW_RESCUE_H
#define FLOW_RESCUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"
#include "rules/remedy.h"
#include "store/rescues.h"

struct rescue;

/* Any of it may come again, of the same code too, until what follows from it is committed. */
struct rescue_events {
	/* What codes of the purpose are allowed; false: there is no such purpose any more. */
	bool (*rule)(void *arg, const char *purpose, struct remedy_rule *ret);
	/* The code's time is over. */
	void (*on_over)(void *arg, uint64_t code);
	/* Its newest message did not arrive, and a remedy is allowed. d and rule live during the call. */
	void (*on_lost)(void *arg, const struct rescue_due *d, const struct remedy_rule *rule);
};

/* All outlive it; asks nothing until a slot is held and ages are set. */
struct rescue *rescue_new(struct loop *l, struct pg *pg, const struct rescue_events *events, void *arg);
/* Each sending is looked at when it is so old: the waits and the lives of all purposes; copied. An age that
 * it had goes on where it was; of a new one what was sent some time before is looked at too. */
void rescue_set_ages(struct rescue *r, const int64_t *ages_ms, size_t n);
/* newest: as slots_events say; what was sent some time before is looked at again. */
void rescue_take_slot(struct rescue *r, uint8_t slot, uint64_t newest);
void rescue_leave_slot(struct rescue *r, uint8_t slot);
void rescue_lose_slots(struct rescue *r);
/* The message has ended and was not delivered; it may have brought no code. It is looked at soon, whoever
 * sent it. */
void rescue_hear(struct rescue *r, uint64_t message_id);
/* What was told of it could not be done: it is looked at again in a second. */
void rescue_again(struct rescue *r, uint64_t message_id);
/* Nothing more is asked. */
void rescue_stop(struct rescue *r);
/* NULL is fine. */
void rescue_free(struct rescue *r);

#endif

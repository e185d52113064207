/* trace: what is known of a message: the row and its events in order, for answers and for people on duty. */
#ifndef STORE_TRACE_H
#define STORE_TRACE_H

#include <stdint.h>

#include "store/messages.h"

/* Pointers live during the callback. */
struct trace_event {
	int64_t at_us;
	enum event_kind kind;
	enum message_state state;
	bool final;
	unsigned part;
	const char *carrier, *link, *operator_id, *status, *detail; /* "" when absent */
};

struct trace {
	struct message message; /* text "", and to.digits 0 once the personal fields are gone */
	uint64_t code;          /* the verification code that it brought, and why; 0: none */
	enum code_why why;
	enum message_state state;         /* by all its events */
	const struct trace_event *events; /* the first 200 */
	size_t events_n;
};

/* Each message found, newest first, then done: KZ_OK (perhaps none) or KZ_LOST. */
typedef void trace_fn(void *arg, const struct trace *t);
typedef void trace_done_fn(void *arg, enum kz r);

/* client: only messages of that client's keys; NULL: everybody's. KZ_BUSY at once, without callbacks. */
enum kz trace_by_id(struct pg *pg, const struct keyring *keyring, uint64_t id, const char *client,
    trace_fn *each, trace_done_fn *done, void *arg) KZ_CHECK;
/* The newest `most` with that client_ref. */
enum kz trace_by_ref(struct pg *pg, const struct keyring *keyring, const char *client_ref, const char *client,
    int most, trace_fn *each, trace_done_fn *done, void *arg) KZ_CHECK;

#endif

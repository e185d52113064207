/* remedy: what is done about a code that did not arrive, pure: once, and never what cannot help. */
#ifndef RULES_REMEDY_H
#define RULES_REMEDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/message.h"

enum remedy {
	REMEDY_NONE,
	REMEDY_LINK,  /* once more to the same phone, by another link or carrier */
	REMEDY_PHONE, /* to the second phone that the request gave */
};
#define REMEDY_WAYS 2

/* What a purpose allows. */
struct remedy_rule {
	enum remedy ways[REMEDY_WAYS]; /* best first */
	size_t ways_n;
	int64_t wait_ms; /* for a good receipt */
};

/* The newest message of an open code. Times are Unix milliseconds. */
struct remedy_past {
	enum message_state state;
	int64_t sent_ms;      /* when it was asked for */
	int64_t submitted_ms; /* 0: no operator has it */
	bool second;          /* there is a second phone */
	bool elsewhere;       /* another link or carrier can take it now */
};

struct remedy_plan {
	enum remedy remedy;
	int64_t wait_ms; /* NONE: until it may be due; -1: never */
};

/* What is due at now_ms. A message that ended and is not known to have been delivered calls for it at once;
 * one that an operator has when it was silent for rule->wait_ms; one that nobody took by then for the second
 * phone alone, since it goes by any link itself as soon as it can. By the same link again only when it is
 * said not to have arrived and nothing else is allowed. */
struct remedy_plan remedy_plan(
    const struct remedy_rule *rule, const struct remedy_past *past, int64_t now_ms);

#endif

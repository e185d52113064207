/* codes_show: all that is known of a code, or of both codes of a pair: for people, for another sending. */
#ifndef STORE_CODES_SHOW_H
#define STORE_CODES_SHOW_H

#include "base/keyring.h"
#include "rules/message.h"
#include "store/code_rows.h"
#include "store/codes.h"

/* One sending with the state of its message. */
struct code_sending {
	uint64_t message_id;
	enum code_why why;
	int64_t at_us;
	enum message_state state;
};

#define CODE_SENDINGS 32 /* of one code, more are not shown */

/* A code. Pointers live during the callback. */
struct code_shown {
	struct code_state state;
	const char *client_ref;   /* NULL: none */
	int32_t api_key;          /* that asked for it */
	struct msisdn to, second; /* digits 0: gone, or their key is; second: none */
	char
	    given[CODE_MAX + 1]; /* the portal's own digits; "": none, or no more. Wiped after the callback */
	struct code_sending sends[CODE_SENDINGS];
	size_t sends_n;
};

/* Each code, then done: KZ_OK (perhaps none) or KZ_LOST. */
typedef void codes_show_fn(void *arg, const struct code_shown *c);
typedef void codes_show_done_fn(void *arg, enum kz r);
/* id: of a code or a pair. client NULL: everybody's. KZ_BUSY at once, without callbacks. */
enum kz codes_show(struct pg *pg, const struct keyring *k, uint64_t id, const char *client, int64_t now_us,
    codes_show_fn *each, codes_show_done_fn *done, void *arg) KZ_CHECK;

#endif

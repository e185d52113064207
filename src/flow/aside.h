/* aside: what an operator sent as a receipt and nobody can read, or the database refuses: kept raw, and only
 * then acknowledged: the same octets again would be no better, and would block those behind them. While it
 * cannot be kept the operator is asked to come again. */
#ifndef FLOW_ASIDE_H
#define FLOW_ASIDE_H

#include <stddef.h>
#include <stdint.h>

#include "flow/ways.h"

struct aside;
struct keyring;
struct pg;

/* Who waits for an answer. A value. */
struct aside_answer {
	struct ways *ways;
	uint32_t way;
	struct deliver_ticket ticket;
};

struct aside *aside_new(struct loop *l, struct pg *pg, const struct keyring *keyring);
/* what: why it stands there, static; body: copied, its first 4,096 octets; to: NULL when it was answered. */
void aside_keep(struct aside *a, const char *carrier, const char *what, const void *body, size_t n,
    const struct aside_answer *to);
/* Not kept yet. */
size_t aside_pending(const struct aside *a);
void aside_free(struct aside *a);

#endif

/* resolve: a host's addresses, asked of the name servers without blocking. /etc/hosts and /etc/resolv.conf
 * are read anew for each question, so a long life never asks a server that is gone. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/loop.h"

#define RESOLVE_MAX 8

struct resolve;

/* n: 1..RESOLVE_MAX addresses in the order to try, or 0 with the reason in why. */
typedef void resolve_fn(void *arg, const struct address *addresses, size_t n, const char *why);

/* Answers once, always later than this call. Has no time limit of its own shorter than the name servers' (15
 * s). */
struct resolve *resolve_ask(struct loop *l, const char *host, uint16_t port, resolve_fn *done, void *arg);
/* No answer comes after it; NULL is fine, allowed inside done. */
void resolve_free(struct resolve *r);

#endif

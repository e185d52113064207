/* holds: what the guard holds: prefixes without conversion, phones with too many wrong tries. PostgreSQL is
 * their master and the record of who lifted what. */
#ifndef STORE_HOLDS_H
#define STORE_HOLDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "store/pg.h"

enum hold_kind { HOLD_PREFIX = 1, HOLD_PHONE = 2 }; /* stored */

#define HOLD_SHOWN 24 /* with the NUL */

/* A value. */
struct hold {
	enum hold_kind kind;
	int64_t subject;        /* the prefix, or the keyed value of the phone */
	char shown[HOLD_SHOWN]; /* "+7701123xxxx", or "code:" and the id of the code that was tried last */
	int64_t since_us, until_us;
};

/* "prefix", "phone". */
const char *hold_kind_name(enum hold_kind kind);

/* Each answers once, later, or KZ_BUSY at once without a callback. KZ_LOST: the database is away. */
typedef void hold_done_fn(void *arg, enum kz r);
enum kz hold_add(struct pg *pg, const struct hold *h, hold_done_fn *done, void *arg) KZ_CHECK;

/* Those that hold at now_us, at most HOLDS_SHOWN, the latest first. */
#define HOLDS_SHOWN 1000
typedef void hold_each_fn(void *arg, const struct hold *h);
enum kz hold_list(struct pg *pg, int64_t now_us, hold_each_fn *each, hold_done_fn *done, void *arg) KZ_CHECK;

struct hold_lift {
	const char *shown; /* as listed; NULL: by subject */
	enum hold_kind kind;
	int64_t subject;
	const char *by;
	int64_t now_us, free_until_us; /* 0: it may be held again at once */
};
/* KZ_OK with what was lifted; KZ_NOT_FOUND: nothing like it is held. */
typedef void hold_lift_fn(void *arg, enum kz r, const struct hold *lifted);
enum kz hold_lift(struct pg *pg, const struct hold_lift *l, hold_lift_fn *done, void *arg) KZ_CHECK;

#endif

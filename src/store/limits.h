/* limits: how often codes may go to a phone, and how often they may be guessed. Counted in Redis, by one
 * script per question; what Redis does not know, because it was emptied or away, is asked from PostgreSQL
 * before anything is allowed. With Redis gone a few are allowed, by what PostgreSQL and this process know;
 * with both gone, none. Windows are counted by pieces of them, a sixth of an hour or minute and an hour of a
 * day: never less than what happened. */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/result.h"
#include "store/holds.h"
#include "store/pg.h"
#include "store/redis.h"

struct limits;

enum limit {
	LIMIT_NONE,
	LIMIT_WAIT,         /* send: too soon after the one before */
	LIMIT_PHONE_HOUR,   /* guard.phone_hour */
	LIMIT_PHONE_DAY,    /* guard.phone_day */
	LIMIT_RESENDS_DAY,  /* codes.resends_day */
	LIMIT_PREFIX_HOUR,  /* guard.prefix_hour */
	LIMIT_KEY_MINUTE,   /* guard.key_minute */
	LIMIT_ADDRESS_HOUR, /* guard.address_hour */
	LIMIT_DAY,          /* guard.day */
	LIMIT_HELD,         /* send: the prefix is held */
	LIMIT_LOCKED,       /* try, and send: the phone had codes.failures wrong tries within an hour */
	LIMIT_TRIES,        /* try: those of the code are used up */
	LIMITS
};

/* "wait", "phone_hour", ... as in metrics. */
const char *limit_name(enum limit l);

/* All numbers and addresses are keyed values. */
struct limits_send {
	int64_t phone;
	uint32_t prefix; /* the number less its last four digits */
	int32_t api_key;
	int64_t address; /* of the end user; 0: not given */
	/* Of the Idempotency-Key and what was asked under it: the same again to the same phone within a day
	 * passes and is not counted twice. 0: none. */
	int64_t token;
	bool resend;
	/* Whether it would pass after another one of the same request, to another phone: counted nowhere. */
	bool look;
};

struct limits_try {
	uint64_t code; /* 0: of nobody: costs the same time, counts nothing, KZ_OK */
	int64_t phone;
	unsigned tries; /* that the code has */
	/* Wrong ones as PostgreSQL knows: of the code, and of the phone within the last hour and since it was
	 * lifted (0 when not asked: it bounds what two daemons allow of which only one has Redis); wall time
	 * of the newest of those. */
	unsigned wrong, phone_wrong;
	int64_t phone_wrong_ms;
	bool right;
	/* Of the Idempotency-Key and the digits given under it: the same wrong try again is not counted
	 * twice. 0: none. */
	int64_t token;
};

struct limits_verdict {
	enum limit limit; /* which, with KZ_REFUSED */
	int64_t after_ms; /* refused: when to come again; 0: never (LIMIT_TRIES) */
	unsigned left;    /* after a try: those of the code */
	bool repeated;    /* the token was counted before */
	int64_t wait_ms;  /* after a send: until the next one may be asked for */
};

/* KZ_OK, KZ_REFUSED, or KZ_LOST: nothing can be known now. Once, later; v lives during the callback. */
typedef void limits_fn(void *arg, enum kz r, const struct limits_verdict *v);

/* redis NULL: none is configured, always as if it were away. c lives until limits_set_conf gives another. */
struct limits *limits_new(struct loop *l, struct pg *pg, struct redis *redis, const struct conf *c);
void limits_set_conf(struct limits *l, const struct conf *c);

/* A test's: to Redis it is so much later than it is. */
void limits_set_ahead(struct limits *l, int64_t ahead_ms);
/* For redis_new: what Redis has when it comes back may be old, from its file or another machine. */
void limits_on_redis(struct limits *l, bool up);

/* One code to one phone. KZ_OK: counted everywhere; else nowhere. KZ_BUSY at once and without a callback when
 * LIMITS_OPEN questions are open. */
#define LIMITS_OPEN 20000
enum kz limits_send(struct limits *l, const struct limits_send *s, limits_fn *done, void *arg) KZ_CHECK;
/* One guess. A right one counts nothing. A wrong one is counted when it passes: its row in code_wrong must be
 * committed before anybody is told that it was wrong. KZ_BUSY as above. */
enum kz limits_try(struct limits *l, const struct limits_try *t, limits_fn *done, void *arg) KZ_CHECK;
/* A code of the phone was approved, and that is committed: the waits begin anew, and the prefix converts. */
void limits_approved(struct limits *l, int64_t phone, uint32_t prefix);

/* A hold was lifted, and that is committed (holds.h). free_ms: wall time before which a prefix is not held
 * again; 0: none. */
void limits_lift(struct limits *l, enum hold_kind kind, int64_t subject, int64_t free_ms);

/* The end is near: every open question is answered KZ_LOST now, from inside; new ones get KZ_BUSY. */
void limits_stop(struct limits *l);
/* Before pg_free and redis_free. Open questions are forgotten without a callback. NULL is fine. */
void limits_free(struct limits *l);

#endif

/* limits_body: what the files of limits share. */
#ifndef STORE_LIMITS_BODY_H
#define STORE_LIMITS_BODY_H

#include "base/list.h"
#include "base/metrics.h"
#include "store/limits.h"

#define LIMITS_HOUR_MS INT64_C(3600000)
#define LIMITS_DAY_MS  INT64_C(86400000)

/* What a script did not know, and what is asked of PostgreSQL. */
enum { UNKNOWN_PHONE = 1, UNKNOWN_PREFIX = 2, UNKNOWN_DAY = 4 };

/* Texts for the scripts, in the order of their fields. */
enum {
	KNOWN_PHONE = 0,
	KNOWN_PREFIX = 6,
	KNOWN_DAY = 11,
	KNOWN_TEXTS = 13,
};

/* What PostgreSQL knows. A value that owns its texts. */
struct limits_known {
	unsigned has;   /* of the UNKNOWN_ bits */
	uint64_t epoch; /* of Redis' memory when it was asked */
	char *text[KNOWN_TEXTS];
	unsigned wrong, sent, prefix, day; /* of the last hour, the last two of that and of the day */
	int64_t wrong_ms, sent_ms;         /* the oldest of those; 0: none */
	unsigned sent_day, resends;        /* of the phone and the last day; the oldest of each */
	int64_t sent_day_ms, resends_ms;
	int64_t last_ms, locked_ms, held_ms; /* last send; until when; 0: never */
	int64_t lifted_ms;                   /* wrong tries until then count no more; 0: never */
};

/* What one process remembers by itself: bounded, in C. */
struct limits_memory;

enum limits_kind { LIMITS_SEND, LIMITS_TRY };

/* Whom it waits for. */
enum op_place {
	OP_NOWHERE,
	OP_ASKING,  /* Redis */
	OP_LOOKING, /* PostgreSQL */
	OP_QUEUED,  /* another that looks for what it needs too */
	OP_LOST,    /* its turn to be told so */
	OP_PLACES
};

struct limits_op {
	struct list_node node;
	struct limits *limits;
	enum limits_kind kind;
	struct limits_send send;
	struct limits_try try;
	limits_fn *done;
	void *arg;
	enum op_place place;
	int64_t due_ms;
	uint64_t ticket;          /* of Redis */
	struct limits_look *look; /* NULL: none is open */
	unsigned rounds;          /* questions to Redis so far */
	bool alone;               /* without Redis */
	struct limits_known known;
};

/* What a script or the memory says. */
struct limits_word {
	struct limits_verdict verdict;
	unsigned unknown;
	uint64_t epoch;
	int64_t since_ms, until_ms; /* of a lock or hold that began now; 0: none */
};

/* limits_known.c: done once for each look, later: KZ_OK or KZ_LOST. */
struct limits_looks;
struct limits_looks *limits_looks_new(
    struct loop *l, struct pg *pg, void (*done)(struct limits_op *o, enum kz r));
/* Open ones are forgotten without a callback. NULL is fine. */
void limits_looks_free(struct limits_looks *all);
/* For the parts named; what is known goes to o->known. */
void limits_look(struct limits_looks *all, struct limits_op *o, unsigned parts);
void limits_look_cancel(struct limits_op *o);
void limits_known_fini(struct limits_known *k);

/* limits_memory.c: wall times in milliseconds. */
#define LIMITS_MEMORY_PHONES 50000
#define LIMITS_MEMORY_COUNTS 50000
#define LIMITS_ALONE_TRIES   3 /* wrong ones of a phone and hour */
#define LIMITS_ALONE_SENDS   2
struct limits_memory *limits_memory_new(void);
void limits_memory_free(struct limits_memory *m);
/* Judges and, on KZ_OK, counts. KZ_LOST: there is no room to remember it. */
enum kz limits_memory_send(struct limits_memory *m, const struct conf *c, const struct limits_op *o,
    int64_t wall_ms, struct limits_verdict *ret);
enum kz limits_memory_try(struct limits_memory *m, const struct conf *c, const struct limits_op *o,
    int64_t wall_ms, struct limits_verdict *ret);
/* Asked of PostgreSQL within the last minute. */
bool limits_memory_knows_day(const struct limits_memory *m, int64_t wall_ms);
/* A wrong try that Redis has counted: should it forget before PostgreSQL has the row, this process has not.
 */
void limits_memory_note(struct limits_memory *m, const struct limits_try *t, int64_t wall_ms);
/* Adds to what PostgreSQL knows of the phone what it does not know yet. */
void limits_memory_add(struct limits_memory *m, int64_t phone, int64_t wall_ms, struct limits_known *k);
/* Forgets the wrong tries of the phone until then. */
void limits_memory_forgive(struct limits_memory *m, int64_t phone, int64_t until_ms);
size_t limits_memory_count(const struct limits_memory *m);

/* limits_holds.c: what began to be held, on its way to PostgreSQL: tried until it is there. */
#define LIMITS_HOLDS 1000
struct limits_holds;
struct limits_holds *limits_holds_new(struct loop *l, struct pg *pg);
void limits_holds_free(struct limits_holds *h);
void limits_holds_add(struct limits_holds *h, const struct limits_op *o, const struct limits_word *w);

/* limits_redis.c: the scripts. One for each connection. */
struct limits_redis;
typedef void limits_redis_fn(void *arg, enum kz r, const struct limits_word *w);
struct limits_redis *limits_redis_new(struct redis *redis);
void limits_redis_free(struct limits_redis *s);
/* So far beyond its clock it is for the scripts: 0, but in tests. */
void limits_redis_set_ahead(struct limits_redis *s, int64_t ahead_ms);
bool limits_redis_is_up(const struct limits_redis *s);
/* KZ_BUSY or KZ_LOST: not asked. done as in redis_ask. o->known is told to it. */
enum kz limits_redis_ask(
    struct limits_redis *s, struct limits_op *o, const struct conf *c, redis_done_fn *done) KZ_CHECK;
/* false: the answer is none of ours. */
bool limits_redis_read(const struct redis_reply *reply, struct limits_word *ret);
/* The script was not there; it goes with the next question. True when that was it. */
bool limits_redis_is_new(struct limits_redis *s, const struct redis_reply *reply);
/* What is committed. KZ_BUSY or KZ_LOST, at once or later: Redis may not know it. */
struct limits_approval {
	int64_t phone;
	uint32_t prefix;
};
#define LIMITS_APPROVALS 16 /* that one call tells */
enum kz limits_redis_approved(struct limits_redis *s, const struct limits_approval *all, unsigned n,
    redis_done_fn *done, void *arg) KZ_CHECK;
struct limits_lifted {
	enum hold_kind kind;
	int64_t subject, free_ms;
};
enum kz limits_redis_lift(
    struct limits_redis *s, const struct limits_lifted *lifted, redis_done_fn *done, void *arg) KZ_CHECK;
/* KZ_OK: all that is asked behind it is asked in a new epoch, unless done hears otherwise. */
enum kz limits_redis_forget(struct limits_redis *s, redis_done_fn *done, void *arg) KZ_CHECK;
void limits_redis_cancel(struct limits_redis *s, uint64_t ticket);

/* Those who wait for the same. */
struct limits_line {
	struct limits *limits;
	enum op_place place;
	struct list ops;
	int64_t wait_ms;
	struct timer *timer;
};

struct limits {
	struct loop *loop;
	const struct conf *conf;
	struct limits_redis *redis;
	struct limits_memory *memory;
	struct limits_looks *looking;
	struct limits_holds *holds;
	struct limits_line lines[OP_PLACES];
	struct limits_op *day_op; /* looks for the day's count, for all */
	/* Told at the end of the round, or before the next question. */
	struct limits_approval approvals[LIMITS_APPROVALS];
	unsigned approvals_n;
	struct defer soon;
	bool away; /* something may have been counted without Redis */
	bool stopping;
	struct metric *degraded, *open, *looks, *remembered, *refused[LIMITS];
};

/* limits_op.c: begins, or waits for another answer. */
void limits_op_on_known(struct limits_op *o, enum kz r);
void limits_op_ask(struct limits_op *o);
/* Without Redis. */
void limits_op_go_alone(struct limits_op *o);
/* Frees it and tells its asker; v NULL: nothing. */
void limits_op_finish(struct limits_op *o, enum kz r, const struct limits_verdict *v);
/* limits.c */
void limits_tell_approvals(struct limits *l);

/* Redis was told what is committed, or a new epoch; if not, it is not trusted before it has one. arg is the
 * limits. */
redis_done_fn limits_on_told;
/* Timers of the line follow its first op. */
void limits_line_arm(struct limits_line *line);
size_t limits_open(const struct limits *l);
int64_t limits_wall_ms(const struct limits *l);

#endif

/* codes: verification codes as they are known at rest, and what is ruled about them: wrong tries and
 * verdicts. Questions and rulings are gathered with their neighbours. */
#ifndef STORE_CODES_H
#define STORE_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "rules/code.h"
#include "store/batch.h"
#include "store/feed.h"

struct codes;

#define CODE_READ_MS (24 * 60 * 60 * 1000) /* so long a code is readable */
#define CODE_PURPOSE 33                    /* a purpose's name with its NUL */

/* A code with its newest sending and what was ruled. A value. */
struct code_state {
	uint64_t id, pair; /* pair 0: none */
	int64_t phone;     /* keyed, as binding; binding 0: none */
	uint32_t prefix;
	char purpose[CODE_PURPOSE];
	int language;
	int64_t binding;
	unsigned length, tries;
	bool given; /* the portal's own */
	unsigned sends, resends, issue;
	int64_t sent_us, expires_us;
	unsigned key; /* of the keyring */
	uint8_t mac[SECRET_HASH];
	/* Tries: of the code, and of the phone within the last hour, since it was lifted; when the newest of
	 * those was. */
	unsigned wrong, phone_wrong;
	int64_t phone_wrong_us;
	enum code_verdict verdict;
	int64_t ended_us;              /* 0: open */
	uint8_t key_hash[SECRET_HASH]; /* of the check that was approved */
};

struct code_found {
	struct code_state code; /* with KZ_OK */
	bool known;             /* there is a wrong try with the token */
	bool pair;              /* with KZ_NOT_FOUND: it is the id of a pair */
};

/* A question for one code. Embedded by its owner. */
struct code_quest {
	struct batch_item item;
	uint64_t id;
	const char *client; /* whose codes are seen; NULL: everybody's */
	int64_t token;      /* of a try */
	/* KZ_OK, KZ_NOT_FOUND or KZ_LOST. Once, later; f lives during the callback. */
	void (*done)(struct code_quest *q, enum kz r, const struct code_found *f);
};

/* What stands of a code after a ruling. */
struct code_stand {
	enum code_verdict verdict; /* CODE_OPEN: none */
	bool ours;                 /* it is this ruling's own */
	bool same_key;             /* it was made with the same Idempotency-Key */
};

/* A ruling: a wrong try, a verdict, both, or neither, which costs the same time. Made zeroed, then handed to
 * codes_rule, which owns and frees it. */
struct code_ruling {
	struct batch_item item;
	uint64_t id;
	int64_t at_us;
	bool wrong;
	int64_t token, phone; /* of a wrong try */
	enum code_verdict verdict;
	bool has_key;
	uint8_t key_hash[SECRET_HASH]; /* of the check that is approved */
	struct feed_hold feed;
	/* KZ_OK: committed, with what stands; KZ_REFUSED by the database. Once, later; set it NULL when
	 * nobody waits for it any more, and it is kept all the same. */
	void (*done)(void *arg, enum kz r, const struct code_stand *s);
	void *arg;
};

/* feed outlives it. */
struct codes *codes_new(struct loop *l, struct pg *pg, struct feed *feed, const struct batch_limits *limits);
void codes_set_limits(struct codes *c, const struct batch_limits *limits);
void codes_find(struct codes *c, struct code_quest *q);
/* Lost ones are tried again until they are kept. */
void codes_rule(struct codes *c, struct code_ruling *r);
/* A slot was taken, or all were lost: verdicts are numbered by one. The feed was told before. */
void codes_on_slot(struct codes *c);
/* Rulings not yet committed. */
size_t codes_pending(const struct codes *c);
/* Questions and rulings that are open are forgotten without a callback. NULL is fine. */
void codes_free(struct codes *c);

/* Deletes the portal's own codes whose time is over, some thousand at most; a lost one is asked again next
 * time. */
void codes_sweep(struct pg *pg);

#endif

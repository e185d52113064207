/* codes_body: what the files of codes share: src/store/codes*.c only. */
#ifndef STORE_CODES_BODY_H
#define STORE_CODES_BODY_H

#include "store/codes.h"
#include "store/pg_array.h"

enum ruling_column {
	WRONG_ID,
	WRONG_TOKEN,
	WRONG_AT,
	WRONG_PHONE,
	VERDICT_ID,
	VERDICT_AT,
	VERDICT_WORD,
	VERDICT_KEY,
	VERDICT_FEED,
	RULING_COLUMNS
};

struct codes {
	struct loop *loop;
	struct feed *feed;
	struct batch *quests, *rulings;
	struct metric *ended[CODE_EXPIRED + 1];
	struct list slotless;                          /* rulings with a verdict, while no slot is held */
	struct pg_array n, ids, ends, clients, tokens; /* of questions */
	struct pg_array columns[RULING_COLUMNS];       /* of rulings */
	struct pg_array over;                          /* codes that they say are expired */
};

/* Columns of the answers that code_state_read reads, from the first on. */
#define CODE_STATE_COLUMNS                                                                                   \
	"c.id, c.pair, c.phone, c.prefix, c.purpose, c.language, c.binding, c.length, c.tries, c.given,"     \
	" c.sends, c.resends, c.issue, c.sent_at, c.expires_at, c.key, c.mac, w.wrong, w.phone_wrong,"       \
	" v.verdict, v.at, v.key_hash, w.newest"
#define CODE_STATE_COUNT 23
/* What they are read from, beside c, a row of code, and whether a try with the token is known. The id of c
 * lies from $2 to $3. $1 is the first id that a try within the hour may be of; 37748736000000 ids later, 150
 * minutes, there is none yet. Both are said of the tables: whole days are then left out when a statement
 * begins, else each row would begin with all of them and half of a check's time of the database would go
 * there. */
#define CODE_STATE_TABLES(token)                                                                             \
	" left join lateral (select count(*) filter (where t.code_id = c.id) as wrong,"                      \
	"  bool_or(t.code_id = c.id and t.token = " token ") as known,"                                      \
	"  count(*) filter (where t.counts) as phone_wrong, max(t.at) filter (where t.counts) as newest"     \
	"  from (select code_id, token, at, at > greatest(now() - interval '1 hour', (select max(lifted_at)" \
	"    from guard_hold where kind = 2 and subject = c.phone)) as counts"                               \
	"   from code_wrong where phone = c.phone and code_id >= least($1, $2)"                              \
	"    and code_id < $1 + 37748736000000) t offset 0) w on true"                                       \
	" left join lateral (select * from code_verdict"                                                     \
	"  where code_id between $2 and $3 and code_id = c.id offset 0) v on true"
bool code_state_read(
    const struct pg_reply *reply, unsigned statement, size_t row, int column, struct code_state *ret);
/* The codes of a pair have ids from its own up to this: they are made in the same moment. */
int64_t code_pair_end(uint64_t pair);
/* The value of $1. */
struct pg_value code_state_low(int64_t now_us, uint8_t room[8]);

/* codes_rule.c */
extern const struct batch_kind codes_ruling_kind;

#endif

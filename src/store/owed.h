/* owed: SMS that follow from what was done by phone. A row stands from the transaction of the deed itself
 * (owed_put in 0009_callers.sql) until its SMS is kept, so that whoever dies in between is followed by
 * another daemon. Number, language and text stand sealed for its token. */
#ifndef STORE_OWED_H
#define STORE_OWED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/keyring.h"
#include "store/pg.h"
#include "text/language.h"
#include "text/msisdn.h"

#define OWED_PAGE   64 /* taken together */
#define OWED_WAIT_S 10 /* until one that was taken is due again; doubled each time, six times */

/* As the statement of a deed takes it. A value; zero-initialise; owed_fini frees what it holds. */
struct owed {
	int64_t token;     /* of the press of a key: two rows of one are one */
	struct buf sealed; /* empty: nothing is owed */
};

void owed_seal(const struct keyring *k, int64_t token, struct msisdn to, enum language l, const char *text,
    struct owed *ret);
/* Parameters of such a statement, int8 and bytea: SQL NULL when o is NULL or empty. */
struct pg_value owed_token(const struct owed *o, uint8_t room[8]);
struct pg_value owed_sealed(const struct owed *o);
void owed_fini(struct owed *o);

/* Owed by itself. KZ_OK: it stands; KZ_LOST: not known. Once, later; KZ_BUSY at once, without done. */
typedef void owed_added_fn(void *arg, enum kz r);
enum kz owed_add(struct pg *pg, const struct owed *o, owed_added_fn *done, void *arg) KZ_CHECK;

/* One that is due. The text lives during the callback; NULL: its key is not in the keyring now. */
struct owed_due {
	int64_t token, at_us;
	struct msisdn to;
	enum language language;
	const char *text;
};
typedef void owed_each_fn(void *arg, const struct owed_due *o);
typedef void owed_done_fn(void *arg, enum kz r, size_t n);
/* At most OWED_PAGE of those due at now_us, which nobody else takes for the next OWED_WAIT_S: each, then done
 * once, later. KZ_BUSY at once without callbacks. */
enum kz owed_take(struct pg *pg, const struct keyring *k, int64_t now_us, owed_each_fn *each,
    owed_done_fn *done, void *arg) KZ_CHECK;

/* Its SMS is kept, or it is of no use any more. Nobody is told: lost, it is due again. */
void owed_end(struct pg *pg, int64_t token);

#endif

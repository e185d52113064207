/* sessions: open USSD dialogues in Redis: one a phone, sealed, with a revision: whoever writes says which one
 * it read, so that of two daemons that had the same answer one is second. Losing Redis loses open dialogues
 * and nothing else. */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include <stdint.h>

#include "base/keyring.h"
#include "base/result.h"
#include "store/redis.h"

struct sessions;

#define SESSIONS_OCTETS 16384 /* of one at most */

/* redis may be NULL: all is KZ_LOST then. Freed after redis, which forgets what is on its way; NULL is fine.
 */
struct sessions *sessions_new(struct redis *redis, const struct keyring *keyring);
void sessions_free(struct sessions *s);

/* KZ_OK: n octets at bytes as they were put; KZ_NOT_FOUND: none, revision 0; KZ_LOST: Redis does not answer.
 * Bytes live during the callback. What cannot be opened is as none, with its revision. */
typedef void sessions_got_fn(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision);
typedef void sessions_done_fn(void *arg, enum kz r);

/* Each answers once, later, or KZ_LOST or KZ_BUSY at once without a callback. phone: its keyed value. */
enum kz sessions_get(struct sessions *s, int64_t phone, sessions_got_fn *done, void *arg) KZ_CHECK;
/* KZ_CONFLICT: the revision is another one by now. Kept for life_ms; looked at by sessions_due at drop_ms
 * from now unless it was put again, 0: never. */
enum kz sessions_put(struct sessions *s, int64_t phone, uint64_t revision, const void *bytes, size_t n,
    int64_t life_ms, int64_t drop_ms, sessions_done_fn *done, void *arg) KZ_CHECK;
enum kz sessions_remove(
    struct sessions *s, int64_t phone, uint64_t revision, sessions_done_fn *done, void *arg) KZ_CHECK;
/* Phones whose drop time has passed, at most `most` and 256: each is given to one asker alone, and to another
 * one a minute later unless its session was put or removed by then. done: KZ_OK with them. */
typedef void sessions_due_fn(void *arg, enum kz r, const int64_t *phones, size_t n);
enum kz sessions_due(struct sessions *s, size_t most, sessions_due_fn *done, void *arg) KZ_CHECK;

#endif

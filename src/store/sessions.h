/* sessions: USSD sessions in Redis: the open dialogue of each phone, and those as they stood when a service
 * was asked whose answer is owed by SMS. One an id, sealed, with a revision: whoever writes says which one it
 * read, so that of two daemons that had the same one is second. Losing Redis loses open dialogues and owed
 * answers, and nothing else. */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include <stdint.h>

#include "base/keyring.h"
#include "base/result.h"
#include "store/redis.h"

struct sessions;

#define SESSIONS_OCTETS    16384  /* of one at most */
#define SESSIONS_OWED_MOST 100000 /* at most, of all daemons; of open ones each phone has one */

/* Kinds see nothing of each other. */
enum sessions_kind { SESSIONS_OPEN, SESSIONS_OWED };

/* redis may be NULL: all is KZ_LOST then. Freed after redis, which forgets what is on its way; NULL is fine.
 */
struct sessions *sessions_new(struct redis *redis, const struct keyring *keyring, enum sessions_kind kind);
void sessions_free(struct sessions *s);

/* KZ_OK: n octets at bytes as they were put; KZ_NOT_FOUND: none, revision 0; KZ_LOST: Redis does not answer.
 * Bytes live during the callback. What cannot be opened is as none, with its revision. */
typedef void sessions_got_fn(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision);
typedef void sessions_done_fn(void *arg, enum kz r);

/* Each answers once, later, or KZ_LOST or KZ_BUSY at once without a callback. id: a keyed value, of the phone
 * where it is an open dialogue. */
enum kz sessions_get(struct sessions *s, int64_t id, sessions_got_fn *done, void *arg) KZ_CHECK;
/* KZ_CONFLICT: the revision is another one by now; KZ_BUSY: there are too many of the kind. Kept for life_ms;
 * looked at by sessions_due at due_ms from now unless it was put again, 0: never. revision: that was read, 0
 * for a new one; *revision is the new one then. */
enum kz sessions_put(struct sessions *s, int64_t id, uint64_t *revision, const void *bytes, size_t n,
    int64_t life_ms, int64_t due_ms, sessions_done_fn *done, void *arg) KZ_CHECK;
enum kz sessions_remove(
    struct sessions *s, int64_t id, uint64_t revision, sessions_done_fn *done, void *arg) KZ_CHECK;
/* Those whose due time has passed, at most `most` and 256: each is given to one asker alone, and to another
 * one a minute later, an owed one 20 s later, unless it was put or removed by then. done: KZ_OK with them,
 * and how many have such a time. */
typedef void sessions_due_fn(void *arg, enum kz r, const int64_t *ids, size_t n, size_t all);
enum kz sessions_due(struct sessions *s, size_t most, sessions_due_fn *done, void *arg) KZ_CHECK;

#endif

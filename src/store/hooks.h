/* hooks: the endpoints that clients have for the ends of their messages and codes, as people manage them.
 * Their secrets stand in the database sealed: nothing here reads
 * them back. */
#ifndef STORE_HOOKS_H
#define STORE_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/hook.h"
#include "store/clients.h"
#include "store/pg.h"

#define HOOKS_OF_CLIENT 8
#define HOOKS_MOST      64

/* Texts live during the callback. */
struct hook {
	int32_t id;
	const char *client, *url, *why;  /* why "": never disabled since it was enabled */
	int64_t created_us, disabled_us; /* 0: it is told */
	size_t retries, given_up;        /* single events */
};

/* Each answers once, later, or KZ_BUSY at once without a callback. KZ_LOST: the database is away. */
typedef void hook_done_fn(void *arg, enum kz r);

/* Told of what ends from wall_ms on. KZ_OK with its number; KZ_NOT_FOUND: no key was ever made for the
 * client; KZ_REFUSED: it has HOOKS_OF_CLIENT, or all have HOOKS_MOST. */
typedef void hook_add_fn(void *arg, enum kz r, int32_t id);
enum kz hook_add(struct pg *pg, const struct keyring *keyring, const char *client, const char *url,
    const uint8_t secret[HOOK_SECRET], int64_t wall_ms, hook_add_fn *done, void *arg) KZ_CHECK;
typedef void hook_each_fn(void *arg, const struct hook *h);
enum kz hook_list(struct pg *pg, hook_each_fn *each, hook_done_fn *done, void *arg) KZ_CHECK;
/* The others: KZ_NOT_FOUND when there is no such endpoint. */
enum kz hook_remove(struct pg *pg, int32_t id, hook_done_fn *done, void *arg) KZ_CHECK;
/* It goes on where it was. */
enum kz hook_enable(struct pg *pg, int32_t id, hook_done_fn *done, void *arg) KZ_CHECK;
enum kz hook_disable(struct pg *pg, int32_t id, const char *why, hook_done_fn *done, void *arg) KZ_CHECK;
/* All that ended from wall_ms on, which is not to come, is told to it again; what it was not told of before
 * is told as well. */
enum kz hook_replay(struct pg *pg, int32_t id, int64_t wall_ms, hook_done_fn *done, void *arg) KZ_CHECK;
/* The end of one message, and of the code that it brought first, is told again to each endpoint of its
 * client; KZ_NOT_FOUND when nothing has ended, or there is none. */
enum kz hook_replay_message(
    struct pg *pg, uint64_t message_id, int64_t now_us, hook_done_fn *done, void *arg) KZ_CHECK;

#endif

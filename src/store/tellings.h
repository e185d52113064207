/* tellings: what is told to endpoints, as the teller reads and notes it: the feed of ended messages and codes
 * and of news, how far each endpoint was told of it, and what is told again. */
#ifndef STORE_TELLINGS_H
#define STORE_TELLINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keyring.h"
#include "rules/hook.h"
#include "store/pg.h"

/* Each answers once, later, or KZ_BUSY at once without a callback; *ret_ticket can cancel it (pg_job_cancel).
 */
typedef void tellings_done_fn(void *arg, enum kz r);

/* An endpoint that is told, and how far one of the slots is; slot -1: none of them ever was, nor has any that
 * is not named. Rows of one endpoint come together. Pointers live during the callback. */
struct tellings_endpoint {
	int32_t id, round;
	uint64_t since;
	const char *client, *url;
	const uint8_t *secret; /* HOOK_SECRET octets; NULL: it cannot be opened */
	int slot;
	uint64_t cursor;
};
typedef void tellings_endpoint_fn(void *arg, const struct tellings_endpoint *e);
enum kz tellings_load(struct pg *pg, const struct keyring *keyring, const bool held[],
    tellings_endpoint_fn *each, tellings_done_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* A page of a slot's feed: numbers after < n < before, at most `most` looked at, of them the first ends of
 * the clients' messages, the verdicts on their codes, and for each of them that has a living key with the
 * scope records the news, in their order. Then done: how many were looked at and the last one's number (0:
 * none). */
struct tellings_page {
	const char *const *clients; /* a client may stand twice: its ends come once */
	size_t clients_n;
	uint8_t slot;
	uint64_t after, before;
	int most;
};
typedef void tellings_event_fn(void *arg, const char *client, const struct hook_event *e);
typedef void tellings_page_fn(void *arg, enum kz r, size_t looked, uint64_t last);
enum kz tellings_read(struct pg *pg, const struct tellings_page *p, tellings_event_fn *each,
    tellings_page_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* Of an endpoint all up to cursor has been told in this round, or is kept as a retry. Never goes back. */
struct tellings_mark {
	int32_t id, round;
	uint8_t slot;
	uint64_t cursor;
};
enum kz tellings_save(struct pg *pg, const struct tellings_mark *marks, size_t n, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;

#define TELLINGS_RETRIES 1000 /* of an endpoint that wait to be told again */

/* An event that failed so often; due_us 0: it is given up. KZ_OK also when the endpoint was removed.
 * KZ_TOO_LONG: it has TELLINGS_RETRIES others. KZ_REFUSED: never; KZ_LOST: perhaps the next time. */
struct tellings_retry {
	int32_t id;
	enum hook_about about;
	uint64_t of;     /* message, code or news */
	uint64_t behind; /* of news: the feed of those that are told before them; 0: none */
	uint8_t slot;
	unsigned attempts;
	int64_t now_us, due_us;
	const char *status;
};
enum kz tellings_put_off(struct pg *pg, const struct tellings_retry *r, tellings_done_fn *done, void *arg,
    uint64_t *ret_ticket) KZ_CHECK;
/* It was told. */
enum kz tellings_settle(struct pg *pg, int32_t id, enum hook_about about, uint64_t of, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;

/* Whether the news before these, of the same application, were not told to the endpoint yet, nor given up.
 * behind: their feed, 0: they were, or there are none. What a cursor that is not saved says does not count:
 * after a crash they would be told again, behind these. */
typedef void tellings_ahead_fn(void *arg, enum kz r, uint64_t behind);
enum kz tellings_ahead(struct pg *pg, int32_t id, uint64_t feed, tellings_ahead_fn *done, void *arg,
    uint64_t *ret_ticket) KZ_CHECK;

#define TELLINGS_NEWS 100 /* of an application that are looked at, the newest */

/* News of an application as people look at them, the newest first. untold: the endpoints that are still to be
 * told, as "1,3"; "": none. */
typedef void tellings_news_fn(void *arg, const struct hook_event *e, const char *untold);
enum kz tellings_of(struct pg *pg, uint64_t application, tellings_news_fn *each, tellings_done_fn *done,
    void *arg, uint64_t *ret_ticket) KZ_CHECK;
/* They are told again, in their order, to each endpoint that is told news. KZ_NOT_FOUND: there are none, or
 * no such endpoint. */
enum kz tellings_again(struct pg *pg, uint64_t application, int64_t now_us, tellings_done_fn *done, void *arg,
    uint64_t *ret_ticket) KZ_CHECK;

/* What is due now of the slots and endpoints named, the oldest first, at most `most` messages, as many codes
 * and as many news, but those behind others that are still to be told; then when the next is due after now,
 * 0: none. Those of which nothing is kept any more are passed over. */
typedef void tellings_due_fn(void *arg, int32_t id, unsigned attempts, const struct hook_event *e);
typedef void tellings_next_fn(void *arg, enum kz r, int64_t next_us);
enum kz tellings_due(struct pg *pg, const bool held[], const int32_t *ids, size_t n, int64_t now_us, int most,
    tellings_due_fn *each, tellings_next_fn *done, void *arg, uint64_t *ret_ticket) KZ_CHECK;

#endif

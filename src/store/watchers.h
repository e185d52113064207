/* watchers: which kindergartens an application watches: its parent wants to hear when a place is free there
 * that it may take. Who is told: store/openings.h. */
#ifndef STORE_WATCHERS_H
#define STORE_WATCHERS_H

#include <stdint.h>

#include "rules/news.h"
#include "store/feed.h"
#include "store/owed.h"
#include "store/pg.h"

#define WATCHERS_MOST 20 /* kindergartens of one application */

/* Numbers of watcher_add (0004_records.sql). */
enum watcher_verdict {
	WATCHER_ADDED,
	WATCHER_SAME, /* it was watched */
	WATCHER_NO_APPLICATION,
	WATCHER_NO_KINDERGARTEN,
	WATCHER_OVER,         /* the application is */
	WATCHER_NOT_DISTRICT, /* it is in the queue of another: no place there can be its own */
	WATCHER_FULL          /* WATCHERS_MOST are watched */
};

struct watcher_wish {
	uint64_t application, kindergarten;
	enum news_via via;
	int64_t now_us;
	const struct owed *owed; /* when it is watched; NULL: none */
};

/* Each of these answers once, later, or KZ_BUSY at once without a callback. */

/* Noted and told to the portal as news, unless it was. KZ_LOST, KZ_REFUSED: not known, ask again. KZ_BUSY
 * also while no slot is held. */
typedef void watcher_add_fn(void *arg, enum kz r, enum watcher_verdict v);
enum kz watcher_add(
    struct pg *pg, struct feed *feed, const struct watcher_wish *w, watcher_add_fn *done, void *arg) KZ_CHECK;

/* KZ_NOT_FOUND: there is no such application. Of what is not watched: KZ_OK too. */
typedef void watcher_done_fn(void *arg, enum kz r);
enum kz watcher_remove(
    struct pg *pg, uint64_t application, uint64_t kindergarten, watcher_done_fn *done, void *arg) KZ_CHECK;

/* In the order of the kindergartens. */
typedef void watcher_each_fn(void *arg, uint64_t kindergarten, int64_t since_us);
enum kz watcher_list(
    struct pg *pg, uint64_t application, watcher_each_fn *each, watcher_done_fn *done, void *arg) KZ_CHECK;

#endif

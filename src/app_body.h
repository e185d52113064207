/* app_body: what the files of the daemon's owner share: src/app*.c only. */
#ifndef APP_BODY_H
#define APP_BODY_H

#include "api/door.h"
#include "app.h"
#include "flow/clocks.h"
#include "flow/dial.h"
#include "flow/notices.h"
#include "flow/places.h"
#include "flow/verify.h"
#include "net/http_server.h"
#include "store/partitions.h"

struct app {
	const char *path;
	struct app_files files;
	struct keyring *keyring; /* renewed at a reload: everybody has its address */
	struct loop *loop;
	struct pg *pg;
	struct redis *redis;
	struct limits *limits;
	struct codes *codes;
	struct verify *verify;
	struct lease *lease;
	struct slots *slots;
	struct messages *messages;
	struct feed *feed;
	struct events *events;
	struct receipts *receipts;
	struct partitions *partitions;
	struct clients *clients;
	struct send *send;
	struct notify *notify;
	struct clocks *clocks;
	struct places *places;
	struct dial *dial;
	struct puts *puts;
	struct mail_client *mail; /* NULL: no server is named */
	struct notices *notices;
	struct rates *rates;
	struct http_server *http;
	struct tls *tls;
	struct door door;
	struct timer *note_timer, *watchdog_timer, *end_timer, *wait_timer;
	bool checking, ready_told, stopping;
	int code;
};

/* app.c */
/* One line, and the end with exit code 1. */
void app_fail(struct app *a, const char *what, const char *why);
struct batch_limits app_batch_limits(const struct conf *c);
struct http_limits app_http_limits(const struct conf *c);

/* app_notices.c */
void app_build_notices(struct app *a);
/* The new files are in a. */
void app_renew_notices(struct app *a);

/* app_ussd.c */
void app_build_ussd(struct app *a);
/* The new files are in a; the menu is the journey's from then on. */
void app_renew_ussd(struct app *a);

/* app_start.c */
/* Tells systemd, once, when the door takes messages. */
void app_tell_ready(struct app *a);
void app_on_database(void *arg, bool up);
/* Looks whether the database is there and fits, unless it was seen to. */
void app_check_schema(void *arg);

/* app_reload.c */
/* By SIGHUP: all of the new files, or what is wrong with them. */
void app_reload(void *arg, int signo);

#endif

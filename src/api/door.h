/* door: the portal's HTTP API and the control socket: routes, keys, scopes. One resource per file behind it.
 */
#ifndef API_DOOR_H
#define API_DOOR_H

#include "api/rates.h"
#include "flow/dial.h"
#include "flow/notify.h"
#include "flow/places.h"
#include "flow/send.h"
#include "flow/verify.h"
#include "net/http_server.h"
#include "rules/calendar.h"
#include "rules/region.h"
#include "store/clients.h"
#include "store/limits.h"
#include "store/puts.h"
#include "store/records.h"
#include "store/redis.h"
#include "text/template.h"

/* Tags of the listeners. */
enum door_tag { DOOR_PORTAL, DOOR_CONTROL };

#define DOOR_IMPORTS 4

/* What the resources work with. The app owns it, keeps it true, and keeps it alive as long as calls come. */
struct door {
	struct loop *loop;
	struct pg *pg;
	struct redis *redis; /* NULL: none configured */
	struct limits *limits;
	struct send *send;
	struct verify *verify;
	struct notify *notify;
	struct feed *feed;
	struct places *places;
	struct dial *dial;
	struct puts *puts;
	struct clients *clients;
	const struct slots *slots;
	const struct templates *templates;
	/* Replaced at a reload: what lasts longer than a callback keeps a region's id, not the region. */
	const struct regions *regions;
	const struct calendar *calendar;
	struct records_files records_files; /* door_records_files: of these */
	const struct keyring *keyring;
	const struct conf *conf;
	const struct rates *rates;
	bool partitions_ready, draining;
	struct import_piece *imports[DOOR_IMPORTS]; /* that are being taken; NULL: room for one */
	size_t looks; /* questions for first answers of requests that were refused for now */
	int64_t started_ms;
};

/* Who calls. On the control socket: key 0, every scope, sees every client's messages. */
struct door_caller {
	int32_t key;
	const char *client; /* NULL: everybody's messages */
	unsigned scopes;
};

/* Once, before the first call: what jansson frees is wiped. */
void door_harden(void);
/* http_handler_fn; arg is the door. */
void door_handle(void *arg, struct call *c);
/* The n numbers of an {id}, each 1..DOOR_NUMBER_MAX in digits alone; KZ_INVALID: it is something else. */
#define DOOR_NUMBER_MAX 999999999
enum kz door_numbers(const char *id, size_t n, uint64_t *ret) KZ_CHECK;
/* For records_new; and for a records_plan, as they are in force. */
struct records_base door_records_base(const struct door *d);
const struct records_files *door_records_files(struct door *d);
/* Answers c with a JSON text. */
void door_reply_json(struct call *c, int status, const char *text);

#endif

#include "api/door.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/asides.h"
#include "api/control.h"
#include "api/control_dial.h"
#include "api/document_door.h"
#include "api/grants.h"
#include "api/guard.h"
#include "api/health.h"
#include "api/hooks.h"
#include "api/import.h"
#include "api/late.h"
#include "api/open_data.h"
#include "api/problem.h"
#include "api/proof.h"
#include "api/queue.h"
#include "api/record_door.h"
#include "api/requests.h"
#include "api/submit.h"
#include "api/timeline.h"
#include "api/watches.h"
#include "base/keys.h"
#include "base/mem.h"
#include "base/metrics.h"

/* id: what stands for "{id}", of two of them both with a slash between; lives during the call. */
typedef void door_fn(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#define DOOR_ID 64 /* room for what stands for "{id}": longer is none of our ids, cut or not */

/* A path may have one "{id}" or two; scope 0: open to everybody. */
static const struct door_route {
	const char *method, *path;
	unsigned scope;
	bool control_only;
	door_fn *fn;
} routes[] = {
    {"POST", "/v1/messages", SCOPE_MESSAGES_WRITE, false, submit_one},
    {"GET", "/v1/messages", SCOPE_MESSAGES_READ, false, timeline_find},
    {"POST", "/v1/messages/batch", SCOPE_MESSAGES_WRITE, false, submit_batch},
    {"GET", "/v1/messages/{id}", SCOPE_MESSAGES_READ, false, timeline_get},
    {"POST", "/v1/codes", SCOPE_CODES, false, proof_send},
    {"POST", "/v1/codes/{id}/check", SCOPE_CODES, false, proof_check},
    {"POST", "/v1/codes/{id}/resend", SCOPE_CODES, false, proof_resend},
    {"GET", "/v1/codes/{id}", SCOPE_CODES, false, proof_get},
    {"DELETE", "/v1/codes/{id}", SCOPE_CODES, false, proof_cancel},
    {"GET", "/v1/queue", SCOPE_QUEUE, false, queue_get},
    {"POST", "/v1/queue", SCOPE_QUEUE, false, queue_ask},
    {"GET", "/v1/applications/{id}/watches", SCOPE_PLACES, false, watches_show},
    {"PUT", "/v1/applications/{id}/watches/{id}", SCOPE_PLACES, false, watches_add},
    {"DELETE", "/v1/applications/{id}/watches/{id}", SCOPE_PLACES, false, watches_remove},
    {"GET", "/v1/vacancies", SCOPE_OPEN, false, open_data_vacancies},
    {"GET", "/v1/referrals", SCOPE_OPEN, false, open_data_referrals},
    {"POST", "/v1/records/import", SCOPE_RECORDS, false, import_take},
    {"GET", "/v1/records/import/{id}", SCOPE_RECORDS, false, import_show},
    {"GET", "/v1/districts", SCOPE_RECORDS, false, record_door_page},
    {"PUT", "/v1/districts/{id}", SCOPE_RECORDS, false, record_door_put},
    {"GET", "/v1/districts/{id}", SCOPE_RECORDS, false, record_door_get},
    {"GET", "/v1/kindergartens", SCOPE_RECORDS, false, record_door_page},
    {"PUT", "/v1/kindergartens/{id}", SCOPE_RECORDS, false, record_door_put},
    {"GET", "/v1/kindergartens/{id}", SCOPE_RECORDS, false, record_door_get},
    {"GET", "/v1/groups", SCOPE_RECORDS, false, record_door_page},
    {"PUT", "/v1/groups/{id}", SCOPE_RECORDS, false, record_door_put},
    {"GET", "/v1/groups/{id}", SCOPE_RECORDS, false, record_door_get},
    {"PUT", "/v1/vacancies/{id}", SCOPE_RECORDS, false, record_door_put},
    {"GET", "/v1/vacancies/{id}", SCOPE_RECORDS, false, record_door_get},
    {"GET", "/v1/applications", SCOPE_RECORDS, false, record_door_page},
    {"PUT", "/v1/applications/{id}", SCOPE_RECORDS, false, record_door_put},
    {"GET", "/v1/applications/{id}", SCOPE_RECORDS, false, record_door_get},
    {"POST", "/v1/applications/{id}/documents", SCOPE_RECORDS, false, document_door_ask},
    {"POST", "/v1/applications/{id}/referral", SCOPE_PLACES, false, grants_take},
    {"GET", "/v1/requests/{id}", SCOPE_RECORDS, false, requests_show},
    {"DELETE", "/v1/requests/{id}", SCOPE_RECORDS, false, requests_end},
    {"GET", "/v1/referrals/{id}", SCOPE_RECORDS, false, grants_get},
    {"PUT", "/v1/referrals/{id}", SCOPE_RECORDS, false, grants_put},
    {"POST", "/v1/referrals/{id}/accept", SCOPE_PLACES, false, grants_accept},
    {"POST", "/v1/referrals/{id}/decline", SCOPE_PLACES, false, grants_decline},
    {"POST", "/v1/referrals/{id}/extend", SCOPE_PLACES, false, grants_extend},
    {"GET", "/livez", 0, false, health_live},
    {"GET", "/readyz", 0, false, health_ready},
    {"GET", "/metrics", SCOPE_METRICS, false, health_metrics},
    {"GET", "/control/status", 0, true, control_status},
    {"GET", "/control/keys", 0, true, control_keys},
    {"POST", "/control/keys", 0, true, control_key_add},
    {"DELETE", "/control/keys/{id}", 0, true, control_key_revoke},
    {"GET", "/control/webhooks", 0, true, hooks_show},
    {"POST", "/control/webhooks", 0, true, hooks_add},
    {"DELETE", "/control/webhooks/{id}", 0, true, hooks_remove},
    {"POST", "/control/webhooks/enable/{id}", 0, true, hooks_enable},
    {"POST", "/control/webhooks/replay", 0, true, hooks_replay},
    {"GET", "/control/news/{id}", 0, true, hooks_news},
    {"GET", "/control/asides", 0, true, asides_show},
    {"GET", "/control/late", 0, true, late_show},
    {"POST", "/control/dial", 0, true, control_dial},
    {"GET", "/control/guard", 0, true, guard_show},
    {"POST", "/control/guard", 0, true, guard_lift},
};
#define ROUTES (sizeof routes / sizeof *routes)

#define DOOR_PARAMETERS 7

/* Parameters of the query, by who reads them; whoever is not here takes none. */
static const struct door_query {
	door_fn *fn;
	const char *known[DOOR_PARAMETERS];
} queries[] = {
    {timeline_find, {"client_ref"}},
    {queue_get, {"application", "child_iin", "parent_iin"}},
    {open_data_vacancies, {"district", "age", "language", "kindergarten", "after", "limit"}},
    {open_data_referrals, {"district", "age", "language", "kindergarten", "status", "after", "limit"}},
    {import_take, {"import", "line", "notices"}},
    {import_show, {"after"}},
    {record_door_page, {"after", "limit"}},
};

/* Whether path is the route's; what stands for {id} goes to id. */
static bool route_fits(const struct door_route *r, const char *path, char id[DOOR_ID])
{
	const char *wanted = r->path;
	size_t at = 0, len;

	*id = '\0';
	while (*wanted == *path || *wanted == '{') {
		if (!*wanted)
			return true;
		if (*wanted != '{') {
			wanted++;
			path++;
			continue;
		}
		len = strcspn(path, "/");
		if (!len)
			return false;
		at += (size_t)snprintf(id + at, DOOR_ID - at, "%s%.*s", at ? "/" : "",
		    (int)(len < DOOR_ID ? len : DOOR_ID - 1), path);
		at = at < DOOR_ID ? at : DOOR_ID - 1;
		path += len;
		wanted += strlen("{id}");
	}
	return false;
}

static bool route_is_seen(const struct door_route *r, const struct call *c)
{
	return !r->control_only || call_tag(c) == DOOR_CONTROL;
}

static void door_refuse_path(struct call *c)
{
	char allow[64] = "", id[DOOR_ID];
	size_t at = 0;

	for (size_t i = 0; i < ROUTES && at < 48; i++)
		if (route_is_seen(&routes[i], c) && route_fits(&routes[i], call_path(c), id))
			at += (size_t)snprintf(
			    allow + at, sizeof allow - at, "%s%s", at ? ", " : "", routes[i].method);
	if (at)
		call_header_add(c, "Allow", allow);
	const struct problem p =
	    at ? problem_make(PROBLEM_METHOD_NOT_ALLOWED, NULL, "this path takes: %s", allow)
	       : problem_make(PROBLEM_NOT_FOUND, NULL, "no such path; see docs/openapi.yaml");
	problem_reply(c, &p);
}

/* The key of "Authorization: Bearer KEY", or NULL. */
static const char *door_bearer(const struct call *c)
{
	const char *h = call_header(c, "Authorization");

	if (!h || strncasecmp(h, "Bearer ", 7) != 0)
		return NULL;
	h += 7;
	while (*h == ' ')
		h++;
	return *h ? h : NULL;
}

static enum kz door_admit(struct door *d, struct call *c, unsigned scope, struct door_caller *ret)
{
	const char *key = door_bearer(c);
	uint8_t hash[SECRET_HASH];
	const struct client *client = NULL;
	struct problem p;

	*ret = (struct door_caller){.scopes = SCOPES_ALL};
	if (!scope || call_tag(c) == DOOR_CONTROL)
		return KZ_OK;
	if (key && !clients_is_ready(d->clients)) {
		p = problem_make(PROBLEM_UNAVAILABLE, NULL,
		    "the keys could not be read yet: the database is away; come again");
		p.after_s = 2;
		problem_reply(c, &p);
		return KZ_LOST;
	}
	if (key) {
		secret_sha256(key, strlen(key), hash);
		client = clients_find(d->clients, hash);
	}
	if (client && client->scopes & scope) {
		*ret = (struct door_caller){client->id, client->name, client->scopes};
		return KZ_OK;
	}
	p = client
	        ? problem_make(PROBLEM_FORBIDDEN, NULL,
	              "this key has no scope %s; kezekctl key add makes one that has it", scope_name(scope))
	    : key ? problem_make(PROBLEM_UNAUTHORIZED, NULL, "this key is unknown or was revoked")
	          : problem_make(PROBLEM_UNAUTHORIZED, NULL, "send Authorization: Bearer KEY");
	problem_reply(c, &p);
	return KZ_REFUSED;
}

/* A filter that is misspelt must not be answered with what was not asked for. False after answering. */
static bool door_knows_query(door_fn *fn, struct call *c)
{
	static const struct door_query none;
	const struct door_query *q = &none;
	char known[128] = "it takes no parameters";
	size_t n = 0, at = 0;

	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
		if (queries[i].fn == fn)
			q = &queries[i];
	for (; n < DOOR_PARAMETERS && q->known[n]; n++)
		at += (size_t)snprintf(
		    known + at, sizeof known - at, "%s%s", n ? ", " : "known are ", q->known[n]);
	const char *name = call_query_stranger(c, q->known, n);
	if (!name)
		return true;
	const char *near = keys_nearest(name, q->known, n);
	const struct problem p = problem_make(PROBLEM_UNKNOWN_PARAMETER, name, "%s%s%s%s", known,
	    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	problem_reply(c, &p);
	return false;
}

void door_harden(void)
{
	json_set_alloc_funcs(mem_wiped_take, mem_wiped_give);
}

void door_handle(void *arg, struct call *c)
{
	struct door *d = arg;
	struct door_caller who;
	char id[DOOR_ID];

	for (size_t i = 0; i < ROUTES; i++) {
		const struct door_route *r = &routes[i];

		if (strcmp(r->method, call_method(c)) != 0 || !route_is_seen(r, c) ||
		    !route_fits(r, call_path(c), id))
			continue;
		if (door_admit(d, c, r->scope, &who) == KZ_OK && door_knows_query(r->fn, c))
			r->fn(d, c, &who, id);
		return;
	}
	door_refuse_path(c);
}

enum kz door_numbers(const char *id, size_t n, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strspn(id, "0123456789");

		if (len < 1 || len > strlen("999999999") || *id == '0' || id[len] != (i + 1 < n ? '/' : '\0'))
			return KZ_INVALID;
		ret[i] = strtoull(id, NULL, 10);
		id += len + 1;
	}
	return KZ_OK;
}

static uint64_t door_notice_id(void *arg)
{
	return send_id(arg);
}

struct records_base door_records_base(const struct door *d)
{
	return (struct records_base){d->loop, d->pg, d->feed, d->keyring, door_notice_id, d->send};
}

const struct records_files *door_records_files(struct door *d)
{
	d->records_files = (struct records_files){d->regions, d->calendar};
	return &d->records_files;
}

void door_reply_json(struct call *c, int status, const char *text)
{
	call_reply(c, status, "application/json", text, strlen(text));
}

#include "store/clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/pg_array.h"

#define CLIENTS_REFRESH_MS 5000

struct clients {
	struct loop *loop;
	struct pg *pg;
	struct map by_hash;
	struct timer *timer;
	uint64_t ticket;
	uint64_t begun, reading, taken; /* reads are numbered as they begin */
	bool ready;
};

struct client_entry {
	struct map_node node;
	uint8_t hash[SECRET_HASH];
	struct client client;
};

static const char *const scope_names[] = {
    "messages:write", "messages:read", "metrics", "codes", "records", "queue", "places", "open", "names"};
#define SCOPES (sizeof scope_names / sizeof *scope_names)

unsigned scope_parse(const char *text)
{
	for (unsigned i = 0; i < SCOPES; i++)
		if (!strcmp(text, scope_names[i]))
			return 1u << i;
	return 0;
}

const char *scope_name(unsigned scope)
{
	for (unsigned i = 0; i < SCOPES; i++)
		if (scope == 1u << i)
			return scope_names[i];
	return "unknown";
}

void client_key_make(char key[CLIENT_KEY], uint8_t hash[SECRET_HASH])
{
	uint8_t random[32];

	secret_random(random, sizeof random);
	memcpy(key, "kzk_", 4);
	secret_base64url(random, sizeof random, key + 4);
	secret_sha256(key, strlen(key), hash);
	secret_wipe(random, sizeof random);
}

static bool clients_equal(const struct map_node *n, const void *key)
{
	return secret_equal(map_entry(n, struct client_entry, node)->hash, key, SECRET_HASH);
}

static void clients_clear(struct clients *c)
{
	struct map_node *n;

	while ((n = map_any(&c->by_hash)) != NULL) {
		map_remove(&c->by_hash, n);
		free(map_entry(n, struct client_entry, node));
	}
}

#define CLIENT_COLUMNS                                                                                       \
	"select id, client, array_to_string(scopes, ' '), created_at, revoked_at, hash from api_key"
static const struct pg_sql sql_living = {
    "clients_living", CLIENT_COLUMNS " where revoked_at is null", 0, NULL};
static const struct pg_sql sql_list = {"clients_list", CLIENT_COLUMNS " order by id", 0, NULL};

static struct client client_read(const struct pg_reply *reply, size_t row)
{
	struct client c = {.id = (int32_t)pg_int(reply, 0, row, 0),
	    .created_us = pg_wall_us(reply, 0, row, 3),
	    .revoked_us = pg_wall_us(reply, 0, row, 4)};
	char scopes[256], *at = scopes, *word;

	snprintf(c.name, sizeof c.name, "%s", pg_text(reply, 0, row, 1, NULL));
	snprintf(scopes, sizeof scopes, "%s", pg_text(reply, 0, row, 2, NULL));
	while ((word = strsep(&at, " ")) != NULL)
		c.scopes |= scope_parse(word);
	return c;
}

/* The rows of the read that was begun as number, unless those of a later one are there already. */
static void clients_take(struct clients *c, uint64_t number, const struct pg_reply *reply)
{
	if (number < c->taken)
		return;
	c->taken = number;
	clients_clear(c);
	for (size_t row = 0; row < pg_rows(reply, 0); row++) {
		size_t len;
		const char *hash = pg_text(reply, 0, row, 5, &len);
		struct client_entry *e = mem_new(sizeof *e);

		e->client = client_read(reply, row);
		memcpy(e->hash, hash, len < SECRET_HASH ? len : SECRET_HASH);
		map_put(&c->by_hash, &e->node, map_hash_bytes(e->hash, SECRET_HASH));
	}
	c->ready = true;
}

static void clients_on_read(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct clients *c = arg;

	c->ticket = 0;
	timer_start(c->timer, r == KZ_OK ? CLIENTS_REFRESH_MS : CLIENTS_REFRESH_MS / 10);
	if (r == KZ_OK) /* else the keys known so far stay */
		clients_take(c, c->reading, reply);
}

void clients_refresh(struct clients *c)
{
	if (!c)
		return;
	if (c->ticket)
		pg_job_cancel(c->pg, c->ticket);
	c->ticket = 0;
	c->reading = ++c->begun;
	struct pg_job *job = pg_job_new(c->pg, clients_on_read, c);
	pg_job_add(job, &sql_living, NULL);
	if (pg_job_run(job, &c->ticket) != KZ_OK)
		timer_start(c->timer, CLIENTS_REFRESH_MS / 10);
}

struct clients_seeing {
	struct clients *c;
	uint64_t number;
	void (*done)(void *arg);
	void *arg;
};

static void clients_on_seen(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct clients_seeing *s = arg;

	if (r == KZ_OK)
		clients_take(s->c, s->number, reply);
	s->done(s->arg);
}

enum kz clients_see(struct clients *c, void (*done)(void *arg), void *arg)
{
	const struct clients_seeing s = {c, ++c->begun, done, arg};

	return pg_ask(c->pg, &sql_living, NULL, clients_on_seen, &s, sizeof s);
}

static void clients_on_timer(void *arg)
{
	clients_refresh(arg);
}

struct clients *clients_new(struct loop *l, struct pg *pg)
{
	struct clients *c = mem_new(sizeof *c);

	c->loop = l;
	c->pg = pg;
	map_init(&c->by_hash, clients_equal);
	c->timer = timer_new(l, clients_on_timer, c);
	clients_refresh(c);
	return c;
}

bool clients_is_ready(const struct clients *c)
{
	return c && c->ready;
}

const struct client *clients_find(const struct clients *c, const uint8_t hash[SECRET_HASH])
{
	struct map_node *n = map_get(&c->by_hash, map_hash_bytes(hash, SECRET_HASH), hash);

	return n ? &map_entry(n, struct client_entry, node)->client : NULL;
}

void clients_free(struct clients *c)
{
	if (!c)
		return;
	if (c->ticket)
		pg_job_cancel(c->pg, c->ticket);
	clients_clear(c);
	map_fini(&c->by_hash);
	timer_free(c->timer);
	free(c);
}

struct client_quest {
	client_add_fn *added;
	client_each_fn *each;
	client_done_fn *done;
	void *arg;
};

static const uint32_t add_types[] = {PG_TEXT, PG_TEXT_ARRAY, PG_BYTEA};
/* Two that add at once would both count the keys before either stands. */
static const struct pg_sql sql_lock = {
    "client_lock", "select pg_advisory_xact_lock(x'6b7a6b'::int, -2)", 0, NULL};
static const struct pg_sql sql_add = {"client_add",
    "insert into api_key (client, scopes, hash) select $1, $2, $3"
    " where (select count(*) from api_key where client = $1 and revoked_at is null) < 2 returning id",
    3, add_types};

static void client_on_added(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct client_quest *q = arg;
	bool made = r == KZ_OK && pg_rows(reply, 1);

	q->added(q->arg,
	    made           ? KZ_OK
	    : r == KZ_LOST ? KZ_LOST
	                   : KZ_REFUSED,
	    made ? (int32_t)pg_int(reply, 1, 0, 0) : 0);
}

enum kz client_add(struct pg *pg, const char *name, unsigned scopes, const uint8_t hash[SECRET_HASH],
    client_add_fn *done, void *arg)
{
	struct pg_array names = {0};

	pg_array_start(&names, PG_TEXT);
	for (unsigned s = 1; s < SCOPES_ALL; s <<= 1)
		if (scopes & s)
			pg_array_text(&names, scope_name(s));
	const struct pg_value values[] = {pg_string(name), pg_array_value(&names), {hash, SECRET_HASH}};
	const struct client_quest q = {.added = done, .arg = arg};
	struct pg_job *job = pg_job_for(pg, client_on_added, &q, sizeof q);

	pg_job_add(job, &sql_lock, NULL);
	pg_job_add(job, &sql_add, values);
	pg_array_fini(&names);
	return pg_job_run(job, NULL);
}

static void client_on_listed(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct client_quest *q = arg;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		const struct client c = client_read(reply, row);

		q->each(q->arg, &c);
	}
	q->done(q->arg, r);
}

enum kz client_list(struct pg *pg, client_each_fn *each, client_done_fn *done, void *arg)
{
	const struct client_quest q = {.each = each, .done = done, .arg = arg};

	return pg_ask(pg, &sql_list, NULL, client_on_listed, &q, sizeof q);
}

static const uint32_t revoke_types[] = {PG_INT4};
static const struct pg_sql sql_revoke = {"client_revoke",
    "update api_key set revoked_at = now() where id = $1 and revoked_at is null returning id", 1,
    revoke_types};

static void client_on_revoked(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct client_quest *q = arg;

	q->done(q->arg, r != KZ_OK ? r : pg_rows(reply, 0) ? KZ_OK : KZ_NOT_FOUND);
}

enum kz client_revoke(struct pg *pg, int32_t id, client_done_fn *done, void *arg)
{
	uint8_t room[4];
	const struct pg_value value = pg_int4(id, room);

	const struct client_quest q = {.done = done, .arg = arg};

	return pg_ask(pg, &sql_revoke, &value, client_on_revoked, &q, sizeof q);
}

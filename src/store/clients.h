/* clients: who may use the door: API keys with scopes, of which only a hash is kept. The living keys stand in
 * memory and are read again every few seconds, so that another daemon's changes are seen. */
#ifndef STORE_CLIENTS_H
#define STORE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "store/pg.h"

enum scope {
	SCOPE_MESSAGES_WRITE = 1,
	SCOPE_MESSAGES_READ = 2,
	SCOPE_METRICS = 4,
	SCOPE_CODES = 8,
	SCOPE_RECORDS = 16, /* what the portal feeds, and what it is told of */
	SCOPE_QUEUE = 32,   /* positions */
	SCOPE_PLACES = 64,  /* take, accept, decline, extend, watch */
	SCOPE_OPEN = 128,   /* vacancies and referrals, names masked */
	SCOPE_NAMES = 256,  /* with it they are whole */
	SCOPES_ALL = 511
};

#define CLIENT_NAME 64
#define CLIENT_KEY  48 /* "kzk_" and 43 characters, and NUL */

struct client {
	int32_t id; /* of the key */
	char name[CLIENT_NAME + 1];
	unsigned scopes;
	int64_t created_us, revoked_us; /* 0: lives */
};

struct clients;

/* Reads the keys at once and then every few seconds. */
struct clients *clients_new(struct loop *l, struct pg *pg);
/* Whether the keys were read at least once; not when c is NULL. */
bool clients_is_ready(const struct clients *c);
/* The living key with that hash, NULL when there is none. Valid until the loop's next round. */
const struct client *clients_find(const struct clients *c, const uint8_t hash[SECRET_HASH]);
/* Reads again now. NULL is fine. */
void clients_refresh(struct clients *c);
/* Reads again now; done, once, later, when what was committed before the call is known, or the database went
 * away. KZ_BUSY at once, without done. */
enum kz clients_see(struct clients *c, void (*done)(void *arg), void *arg) KZ_CHECK;
void clients_free(struct clients *c);

/* "messages:write", ... ; 0 when unknown. */
unsigned scope_parse(const char *text);
const char *scope_name(unsigned scope);
/* A new key, to be shown once: CLIENT_KEY octets; and its hash. */
void client_key_make(char key[CLIENT_KEY], uint8_t hash[SECRET_HASH]);

/* done once, later: KZ_OK with the key's number, KZ_LOST, KZ_REFUSED when the client has two living keys. */
typedef void client_add_fn(void *arg, enum kz r, int32_t id);
enum kz client_add(struct pg *pg, const char *name, unsigned scopes, const uint8_t hash[SECRET_HASH],
    client_add_fn *done, void *arg) KZ_CHECK;
/* Every key, revoked ones too, then done. */
typedef void client_each_fn(void *arg, const struct client *c);
typedef void client_done_fn(void *arg, enum kz r);
enum kz client_list(struct pg *pg, client_each_fn *each, client_done_fn *done, void *arg) KZ_CHECK;
/* KZ_NOT_FOUND when there is no such living key. */
enum kz client_revoke(struct pg *pg, int32_t id, client_done_fn *done, void *arg) KZ_CHECK;

#endif

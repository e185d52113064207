/* API keys in a real PostgreSQL. */
#include "store_rig.h"

#include "store/clients.h"

struct answer {
	int count;
	enum kz r;
	int32_t id;
};

static void answer_on_added(void *arg, enum kz r, int32_t id)
{
	struct answer *a = arg;

	a->count++;
	a->r = r;
	a->id = id;
}

static void answer_on_done(void *arg, enum kz r)
{
	answer_on_added(arg, r, 0);
}

struct key {
	char text[CLIENT_KEY];
	uint8_t hash[SECRET_HASH];
	struct answer added;
};

static void key_begin(struct store_rig *g, struct key *k, const char *client, unsigned scopes)
{
	*k = (struct key){0};
	client_key_make(k->text, k->hash);
	assert_int_equal(client_add(g->pg, client, scopes, k->hash, answer_on_added, &k->added), KZ_OK);
	assert_int_equal(k->added.count, 0);
}

static enum kz key_add(struct store_rig *g, struct key *k, const char *client, unsigned scopes)
{
	key_begin(g, k, client, scopes);
	servers_await(g->loop, &k->added.count, 1);
	return k->added.r;
}

static enum kz key_revoke(struct store_rig *g, int32_t id)
{
	struct answer a = {0};

	assert_int_equal(client_revoke(g->pg, id, answer_on_done, &a), KZ_OK);
	servers_await(g->loop, &a.count, 1);
	return a.r;
}

static struct clients *clients_up(struct store_rig *g)
{
	struct clients *c = clients_new(g->loop, g->pg);

	assert_false(clients_is_ready(c));
	while (!clients_is_ready(c))
		loop_turn(g->loop, 50);
	return c;
}

static void refresh(struct store_rig *g, struct clients *c)
{
	clients_refresh(c);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
}

static void key__made__has_its_form_and_its_hash(void **state)
{
	struct key a, b;
	uint8_t hash[SECRET_HASH];

	(void)state;
	client_key_make(a.text, a.hash);
	client_key_make(b.text, b.hash);
	assert_int_equal(strlen(a.text), CLIENT_KEY - 1);
	assert_memory_equal(a.text, "kzk_", 4);
	assert_int_equal(
	    strspn(a.text + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
	secret_sha256(a.text, strlen(a.text), hash);
	assert_memory_equal(a.hash, hash, SECRET_HASH);
	assert_string_not_equal(a.text, b.text);
}

static void scopes__each__by_its_name(void **state)
{
	(void)state;
	assert_int_equal(scope_parse("messages:write"), SCOPE_MESSAGES_WRITE);
	assert_int_equal(scope_parse("messages:read"), SCOPE_MESSAGES_READ);
	assert_int_equal(scope_parse("metrics"), SCOPE_METRICS);
	assert_int_equal(scope_parse("codes"), SCOPE_CODES);
	assert_int_equal(scope_parse("messages"), 0);
	assert_int_equal(scope_parse(""), 0);
	for (unsigned s = 1; s < SCOPES_ALL; s <<= 1)
		assert_int_equal(scope_parse(scope_name(s)), s);
}

static void add__key__only_its_hash_is_kept(void **state)
{
	struct store_rig *g = *state;
	struct key k;
	char hex[2 * SECRET_HASH + 1], row[256];

	assert_int_equal(key_add(g, &k, "портал", SCOPE_MESSAGES_WRITE | SCOPE_METRICS), KZ_OK);
	secret_hex(k.hash, SECRET_HASH, hex);
	snprintf(row, sizeof row, "%d|портал|%s|{messages:write,metrics}|t", k.added.id, hex);
	assert_string_equal(store_sql(g, "select concat_ws('|', id, client, encode(hash, 'hex'), scopes,"
	                                 " revoked_at is null) from api_key"),
	    row);
	assert_int_equal(
	    store_int(g, "select count(*) from api_key k where k::text like '%%%s%%'", k.text + 4), 0);
}

static void find__living_key__its_client_others_nobody(void **state)
{
	struct store_rig *g = *state;
	struct key k, unknown;
	struct clients *c;
	const struct client *found;

	client_key_make(unknown.text, unknown.hash);
	assert_int_equal(key_add(g, &k, "portal", SCOPES_ALL), KZ_OK);
	c = clients_up(g);
	found = clients_find(c, k.hash);
	assert_non_null(found);
	assert_string_equal(found->name, "portal");
	assert_int_equal(found->id, k.added.id);
	assert_int_equal(found->scopes, SCOPES_ALL);
	assert_true(found->revoked_us == 0);
	assert_in_range(clock_real.wall_us() - found->created_us, 0, 60000000);
	assert_null(clients_find(c, unknown.hash));
	clients_free(c);
}

static void add__third_living_key__refused_until_one_is_revoked(void **state)
{
	struct store_rig *g = *state;
	struct key k[4], other;

	assert_int_equal(key_add(g, &k[0], "portal", SCOPES_ALL), KZ_OK);
	assert_int_equal(key_add(g, &k[1], "portal", SCOPES_ALL), KZ_OK);
	assert_int_equal(key_add(g, &k[2], "portal", SCOPES_ALL), KZ_REFUSED);
	assert_int_equal(key_add(g, &other, "another", SCOPES_ALL), KZ_OK);
	assert_int_equal(key_revoke(g, k[0].added.id), KZ_OK);
	assert_int_equal(key_add(g, &k[3], "portal", SCOPES_ALL), KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from api_key where client = 'portal'"), 3);
}

static void add__several_connections_at_once__two_living_keys_at_most(void **state)
{
	struct store_rig *g = *state;
	struct key first, all[16];
	int ok = 0;

	g->options.connections = 8;
	pg_free(g->pg);
	store_up(g);
	assert_int_equal(key_add(g, &first, "portal", SCOPES_ALL), KZ_OK);
	for (int i = 0; i < 16; i++)
		key_begin(g, &all[i], "portal", SCOPES_ALL);
	for (int i = 0; i < 16; i++) {
		servers_await(g->loop, &all[i].added.count, 1);
		assert_true(all[i].added.r == KZ_OK || all[i].added.r == KZ_REFUSED);
		ok += all[i].added.r == KZ_OK;
	}
	assert_int_equal(ok, 1);
	assert_int_equal(store_int(g, "select count(*) from api_key"), 2);
}

static void revoke__unknown_or_twice__not_found(void **state)
{
	struct store_rig *g = *state;
	struct key k;

	assert_int_equal(key_revoke(g, 4711), KZ_NOT_FOUND);
	assert_int_equal(key_add(g, &k, "portal", SCOPES_ALL), KZ_OK);
	assert_int_equal(key_revoke(g, k.added.id), KZ_OK);
	assert_int_equal(key_revoke(g, k.added.id), KZ_NOT_FOUND);
}

static void refresh__key_added_and_revoked__seen(void **state)
{
	struct store_rig *g = *state;
	struct clients *c = clients_up(g);
	struct key k;

	assert_int_equal(key_add(g, &k, "portal", SCOPES_ALL), KZ_OK);
	assert_null(clients_find(c, k.hash));
	refresh(g, c);
	assert_non_null(clients_find(c, k.hash));
	assert_int_equal(key_revoke(g, k.added.id), KZ_OK);
	refresh(g, c);
	assert_null(clients_find(c, k.hash));
	clients_free(c);
}

static void refresh__by_itself__within_five_seconds(void **state)
{
	struct store_rig *g = *state;
	struct clients *c = clients_up(g);
	struct key k;

	assert_int_equal(key_add(g, &k, "portal", SCOPES_ALL), KZ_OK);
	store_skip_us += 5000000;
	loop_turn(g->loop, 0);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	assert_non_null(clients_find(c, k.hash));
	clients_free(c);
}

static void refresh__database_away__the_known_keys_stay(void **state)
{
	struct store_rig *g = *state;
	struct clients *c;
	struct key k;

	assert_int_equal(key_add(g, &k, "portal", SCOPES_ALL), KZ_OK);
	c = clients_up(g);
	store_sql(g, "begin; lock table api_key in access exclusive mode");
	clients_refresh(c);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "select pg_terminate_backend(pid) from pg_locks where not granted");
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 50);
	store_sql(g, "commit");
	assert_non_null(clients_find(c, k.hash));
	clients_free(c);
}

struct listed {
	struct answer end;
	int n;
	struct client all[4];
};

static void list_on_each(void *arg, const struct client *c)
{
	struct listed *l = arg;

	l->all[l->n++] = *c;
}

static void list_on_done(void *arg, enum kz r)
{
	struct listed *l = arg;

	answer_on_added(&l->end, r, 0);
}

static void list__all__in_order_the_revoked_too(void **state)
{
	struct store_rig *g = *state;
	struct listed l = {0};
	struct key a, b;

	assert_int_equal(key_add(g, &a, "portal", SCOPE_METRICS), KZ_OK);
	assert_int_equal(key_add(g, &b, "another", SCOPE_MESSAGES_READ), KZ_OK);
	assert_int_equal(key_revoke(g, a.added.id), KZ_OK);
	assert_int_equal(client_list(g->pg, list_on_each, list_on_done, &l), KZ_OK);
	servers_await(g->loop, &l.end.count, 1);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.all[0].name, "portal");
	assert_int_equal(l.all[0].scopes, SCOPE_METRICS);
	assert_true(l.all[0].revoked_us >= l.all[0].created_us);
	assert_string_equal(l.all[1].name, "another");
	assert_int_equal(l.all[1].id, b.added.id);
	assert_true(l.all[1].revoked_us == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(key__made__has_its_form_and_its_hash),
	    STORE_CASE(scopes__each__by_its_name),
	    STORE_CASE(add__key__only_its_hash_is_kept),
	    STORE_CASE(find__living_key__its_client_others_nobody),
	    STORE_CASE(add__third_living_key__refused_until_one_is_revoked),
	    STORE_CASE(add__several_connections_at_once__two_living_keys_at_most),
	    STORE_CASE(revoke__unknown_or_twice__not_found),
	    STORE_CASE(refresh__key_added_and_revoked__seen),
	    STORE_CASE(refresh__by_itself__within_five_seconds),
	    STORE_CASE(refresh__database_away__the_known_keys_stay),
	    STORE_CASE(list__all__in_order_the_revoked_too),
	};

	return store_main("clients", tests, sizeof tests / sizeof *tests);
}

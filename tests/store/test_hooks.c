/* endpoints as people manage them, in a real PostgreSQL. */
#include "hooks_rig.h"

struct listed {
	int done;
	size_t n;
	struct hook last;
	char client[32], url[64], why[64];
};

static void listed_on_each(void *arg, const struct hook *h)
{
	struct listed *l = arg;

	l->n++;
	l->last = *h;
	snprintf(l->client, sizeof l->client, "%s", h->client);
	snprintf(l->url, sizeof l->url, "%s", h->url);
	snprintf(l->why, sizeof l->why, "%s", h->why);
}

static void listed_on_done(void *arg, enum kz r)
{
	struct listed *l = arg;

	assert_int_equal(r, KZ_OK);
	l->done++;
}

static struct listed list(struct store_rig *g)
{
	struct listed l = {0};

	assert_int_equal(hook_list(g->pg, listed_on_each, listed_on_done, &l), KZ_OK);
	servers_await(g->loop, &l.done, 1);
	return l;
}

static void add__of_a_client_with_a_key__listed_and_told_from_now_on(void **state)
{
	struct store_rig *g = *state;
	int64_t now_ms = store_wall_us() / 1000;

	portal_make(g);
	const struct hook_heard h = hook_add_as(g, "portal", now_ms);
	assert_int_equal(h.r, KZ_OK);
	const struct listed l = list(g);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.last.id, h.id);
	assert_string_equal(l.client, "portal");
	assert_string_equal(l.url, "https://portal.example/x");
	assert_string_equal(l.why, "");
	assert_int_equal(l.last.disabled_us, 0);
	assert_in_range(l.last.created_us, store_wall_us() - 60000000, store_wall_us() + 60000000);
	assert_true((uint64_t)store_int(g, "select since from webhook") == ids_floor(now_ms) - 1);
	assert_int_equal(store_int(g, "select length(secret) from webhook"), HOOK_SECRET + KEYRING_OVERHEAD);
}

static void add__client_without_a_key_or_too_many__refused(void **state)
{
	struct store_rig *g = *state;

	assert_int_equal(hook_add_as(g, "portal", 0).r, KZ_NOT_FOUND);
	portal_make(g);
	for (int i = 0; i < HOOKS_OF_CLIENT; i++)
		hook_made(g);
	assert_int_equal(hook_add_as(g, "portal", 0).r, KZ_REFUSED);
	store_sql(g,
	    "update webhook set client = 'c' || id; insert into webhook (client, url, secret, since)"
	    " select 'x' || i, '', '', 0 from generate_series(1, %d) i",
	    HOOKS_MOST - HOOKS_OF_CLIENT);
	assert_int_equal(hook_add_as(g, "portal", 0).r, KZ_REFUSED);
}

static void disable_and_enable__with_a_reason_and_back(void **state)
{
	struct store_rig *g = *state;
	int32_t id;

	portal_make(g);
	id = hook_made(g);
	assert_int_equal(HOOK_DID(g, hook_disable(g->pg, id, "it said 410", hook_on_done, &h)), KZ_OK);
	struct listed l = list(g);
	assert_string_equal(l.why, "it said 410");
	assert_true(l.last.disabled_us > 0);
	assert_int_equal(HOOK_DID(g, hook_enable(g->pg, id, hook_on_done, &h)), KZ_OK);
	l = list(g);
	assert_string_equal(l.why, "");
	assert_int_equal(l.last.disabled_us, 0);
	assert_int_equal(HOOK_DID(g, hook_enable(g->pg, id + 1, hook_on_done, &h)), KZ_NOT_FOUND);
	assert_int_equal(HOOK_DID(g, hook_disable(g->pg, id + 1, "", hook_on_done, &h)), KZ_NOT_FOUND);
}

static void remove__with_cursors_and_retries__all_gone(void **state)
{
	struct store_rig *g = *state;
	int32_t id;

	portal_make(g);
	id = hook_made(g);
	store_sql(g,
	    "insert into webhook_cursor values (%d, 0, 0, 1); insert into webhook_retry values"
	    " (%d, 0, 7, 0, 1, now(), now(), ''), (%d, 1, 7, 0, 1, null, now(), '')",
	    id, id, id);
	const struct listed l = list(g);
	assert_int_equal(l.last.retries, 1);
	assert_int_equal(l.last.given_up, 1);
	assert_int_equal(HOOK_DID(g, hook_remove(g->pg, id, hook_on_done, &h)), KZ_OK);
	assert_int_equal(HOOK_DID(g, hook_remove(g->pg, id, hook_on_done, &h)), KZ_NOT_FOUND);
	assert_int_equal(store_int(g, "select (select count(*) from webhook_cursor) + (select count(*) from "
	                              "webhook_retry)"),
	    0);
}

static void replay__since_a_time__a_new_round_from_there(void **state)
{
	struct store_rig *g = *state;
	int32_t id;

	portal_make(g);
	id = hook_made(g);
	assert_int_equal(HOOK_DID(g, hook_replay(g->pg, id, 1767225600000, hook_on_done, &h)), KZ_OK);
	assert_true((uint64_t)store_int(g, "select since from webhook") == ids_floor(1767225600000) - 1);
	assert_int_equal(store_int(g, "select round from webhook"), 1);
	assert_int_equal(HOOK_DID(g, hook_replay(g->pg, id, 1767225700000, hook_on_done, &h)), KZ_OK);
	assert_true((uint64_t)store_int(g, "select since from webhook") == ids_floor(1767225600000) - 1);
	assert_int_equal(HOOK_DID(g, hook_replay(g->pg, id, 0, hook_on_done, &h)), KZ_OK);
	assert_int_equal(store_int(g, "select since from webhook"), 0);
	assert_int_equal(HOOK_DID(g, hook_replay(g->pg, id + 1, 0, hook_on_done, &h)), KZ_NOT_FOUND);
}

static void replay__with_slots_that_were_not_told_until_then__those_go_on_where_they_were(void **state)
{
	struct store_rig *g = *state;
	int64_t since_ms = 1767225600000;
	long long since = (long long)ids_floor(since_ms) - 1;
	int32_t id;

	portal_make(g);
	id = hook_made(g);
	store_sql(g, "update webhook set round = 4");
	store_sql(g, "insert into webhook_cursor values (%d, 0, 4, 77), (%d, 1, 4, %lld), (%d, 2, 3, 5)", id,
	    id, since + 1000, id);
	assert_int_equal(HOOK_DID(g, hook_replay(g->pg, id, since_ms, hook_on_done, &h)), KZ_OK);
	assert_int_equal(store_int(g, "select feed from webhook_cursor where slot = 0 and round = 5"), 77);
	assert_int_equal(store_int(g, "select feed from webhook_cursor where slot = 1 and round = 5"), since);
	assert_int_equal(store_int(g, "select count(*) from webhook_cursor where slot = 2 and round = 3"), 1);
}

static void replay_message__ended__due_now_at_each_endpoint_of_its_client(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 5}, feeds = {.slot = 3};
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);
	int64_t now_us = store_wall_us();

	portal_make(g);
	hook_made(g);
	assert_int_equal(HOOK_DID(g, hook_replay_message(g->pg, id, now_us, hook_on_done, &h)), KZ_NOT_FOUND);
	end_put(g, id, 1, EVENT_RECEIPT, MESSAGE_DELIVERED, ids_next(&feeds, now_us / 1000));
	hook_made(g);
	store_sql(g,
	    "insert into webhook (client, url, secret, since) values ('another', '', '', 0);"
	    " insert into webhook_retry select id, 0, %llu, 9, 11, null, now(), '500' from webhook"
	    " where client = 'portal' order by id limit 1",
	    (unsigned long long)id);
	assert_int_equal(HOOK_DID(g, hook_replay_message(g->pg, id, now_us, hook_on_done, &h)), KZ_OK);
	assert_int_equal(
	    store_int(g, "select count(*) from webhook_retry where attempts = 0 and due is not null"), 2);
	assert_int_equal(
	    store_int(g, "select max(slot) from webhook_retry where status = 'replay' and slot = 3"), 3);
	assert_int_equal(
	    HOOK_DID(g, hook_replay_message(g->pg, id + 1, now_us, hook_on_done, &h)), KZ_NOT_FOUND);
}

static void replay_message__that_brought_a_code_first__the_code_is_told_again_too(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 5}, feeds = {.slot = 3};
	int64_t now_us = store_wall_us();
	uint64_t id = code_put(g, &ids);

	portal_make(g);
	hook_made(g);
	verdict_put(g, id, 1, CODE_APPROVED, ids_next(&feeds, now_us / 1000));
	assert_int_equal(HOOK_DID(g, hook_replay_message(g->pg, id, now_us, hook_on_done, &h)), KZ_OK);
	assert_string_equal(
	    store_sql(g, "select string_agg(about || ' ' || slot, ',') from webhook_retry"), "1 3");
	feeds.slot = 4;
	end_put(g, id, 1, EVENT_RECEIPT, MESSAGE_DELIVERED, ids_next(&feeds, now_us / 1000));
	assert_int_equal(HOOK_DID(g, hook_replay_message(g->pg, id, now_us, hook_on_done, &h)), KZ_OK);
	assert_string_equal(
	    store_sql(g, "select string_agg(about || ' ' || slot, ',' order by about) from webhook_retry"),
	    "0 4,1 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(add__of_a_client_with_a_key__listed_and_told_from_now_on),
	    STORE_CASE(add__client_without_a_key_or_too_many__refused),
	    STORE_CASE(disable_and_enable__with_a_reason_and_back),
	    STORE_CASE(remove__with_cursors_and_retries__all_gone),
	    STORE_CASE(replay__since_a_time__a_new_round_from_there),
	    STORE_CASE(replay__with_slots_that_were_not_told_until_then__those_go_on_where_they_were),
	    STORE_CASE(replay_message__ended__due_now_at_each_endpoint_of_its_client),
	    STORE_CASE(replay_message__that_brought_a_code_first__the_code_is_told_again_too),
	};

	return store_main("hooks", tests, sizeof tests / sizeof *tests);
}

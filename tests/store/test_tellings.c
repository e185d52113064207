/* What is told to endpoints, as it is read and noted in a real PostgreSQL. */
#include "hooks_rig.h"

#include "store/events.h"

static void read__ends_of_the_client__in_order_with_all_that_is_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t first, second;

	portal_make(g);
	first = store_put_message(g, &ids, 2, 77011234567);
	second = store_put_message(g, &ids, 1, 77011234567);
	store_sql(g, "update message set client_ref = 'ref' where id = %llu", (unsigned long long)second);
	store_put_event(g, second, 1, EVENT_RESENT, false, 0, 1, 0, "beeline", "");
	uint64_t a = ids_next(&feeds, now_ms), b = ids_next(&feeds, now_ms);
	end_put(g, second, 5, EVENT_RECEIPT, MESSAGE_UNDELIVERABLE, b);
	end_put(g, first, 4, EVENT_EXPIRED, MESSAGE_EXPIRED, a);
	const struct pages p = page_read(g, "portal", 2, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.looked, 2);
	assert_true(p.last == b);
	assert_true(p.all[0].feed == a && p.all[0].id == first);
	assert_int_equal(p.all[0].state, MESSAGE_EXPIRED);
	assert_int_equal(p.all[0].parts, 2);
	assert_int_equal(p.all[0].class, MESSAGE_NOTICE);
	assert_int_equal(p.all[0].at_us, INT64_C(1767225604000000));
	assert_false(p.all[0].resent);
	assert_true(p.all[1].feed == b && p.all[1].id == second && p.all[1].resent);
	assert_string_equal(p.text, "ref||SAID|err 1");
	assert_int_equal(p.all[1].code, 0);
}

static void read__unconfirmed_after_the_longest_life_and_wait__is_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t id, feed;

	portal_make(g);
	id = store_put_message(g, &ids, 1, 77011234567);
	feed = ids_next(
	    &feeds, now_ms + 15 * INT64_C(86400000)); /* 7 days of life, 7 of waiting, 1 until seen */
	end_put(g, id, 5, EVENT_ENDED, MESSAGE_UNCONFIRMED, feed);
	const struct pages p = page_read(g, "portal", 2, feed - 1, INT64_MAX, 10);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.all[0].state, MESSAGE_UNCONFIRMED);
	assert_true(p.all[0].id == id);
}

static void read__second_end_of_a_message__not_told_whoever_recorded_it(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, ours = {.slot = 2}, theirs = {.slot = 3};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t id = store_put_message(g, &ids, 1, 77011234567), first = ids_next(&ours, now_ms);

	portal_make(g);
	end_put(g, id, 4, EVENT_EXPIRED, MESSAGE_EXPIRED, first);
	end_put(g, id, 4, EVENT_EXPIRED, MESSAGE_EXPIRED, first);                     /* written twice */
	end_put(g, id, 5, EVENT_RECEIPT, MESSAGE_DELIVERED, ids_next(&ours, now_ms)); /* late */
	end_put(g, id, 4, EVENT_EXPIRED, MESSAGE_EXPIRED,
	    ids_next(&ours, now_ms)); /* again, after a slot was lost */
	struct pages p = page_read(g, "portal", 2, 0, INT64_MAX, 10);
	assert_int_equal(p.looked, 4);
	assert_int_equal(p.n, 1);
	assert_true(p.all[0].feed == first);
	/* That of another daemon, said earlier and told by itself, comes first in the timeline too. */
	end_put(g, id, 3, EVENT_RECEIPT, MESSAGE_UNDELIVERABLE, ids_next(&theirs, now_ms + 1000));
	assert_int_equal(page_read(g, "portal", 2, 0, INT64_MAX, 10).n, 0);
	p = page_read(g, "portal", 3, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.all[0].state, MESSAGE_UNDELIVERABLE);
}

static void read__bounds_slots_and_clients__only_what_was_asked(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2}, other = {.slot = 1};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t n[5];

	portal_make(g);
	for (int i = 0; i < 5; i++) {
		uint64_t id = store_put_message(g, &ids, 1, 77011234567);

		n[i] = ids_next(&feeds, now_ms);
		end_put(g, id, i, EVENT_EXPIRED, MESSAGE_EXPIRED, n[i]);
		end_put(g, store_put_message(g, &ids, 1, 77011234567), i, EVENT_EXPIRED, MESSAGE_EXPIRED,
		    ids_next(&other, now_ms));
		if (i == 2)
			store_sql(
			    g, "update message set api_key = 99 where id = %llu", (unsigned long long)id);
	}
	struct pages p = page_read(g, "portal", 2, n[0], n[4], 10);
	assert_int_equal(p.looked, 3);
	assert_int_equal(p.n, 2);
	assert_true(p.all[0].feed == n[1] && p.all[1].feed == n[3]);
	assert_true(p.last == n[3]);
	p = page_read(g, "portal", 2, n[1], INT64_MAX, 1); /* a page of somebody else's */
	assert_int_equal(p.looked, 1);
	assert_int_equal(p.n, 0);
	assert_true(p.last == n[2]);
	p = page_read(g, "portal", 2, n[4], INT64_MAX, 10);
	assert_int_equal(p.looked, 0);
	assert_int_equal(p.last, 0);
	assert_int_equal(page_read(g, "nobody", 2, 0, INT64_MAX, 10).n, 0);
}

static void read__for_several_clients__each_end_once_with_its_client(void **state)
{
	static const char *const clients[] = {"other", "portal", "nobody", "portal"};
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2};

	portal_make(g);
	store_sql(g,
	    "insert into api_key (client, hash, scopes) values ('other', '2', '{}'), ('third', '3', '{}')");
	for (int i = 0; i < 6; i++) {
		uint64_t id = store_put_message(g, &ids, 1, 77011234567);

		store_sql(
		    g, "update message set api_key = %d where id = %llu", i % 3 + 1, (unsigned long long)id);
		end_put(g, id, i, EVENT_EXPIRED, MESSAGE_EXPIRED, ids_next(&feeds, store_wall_us() / 1000));
	}
	const struct pages p = page_read_of(g, clients, 4, 2, 0, INT64_MAX, 10);
	assert_int_equal(p.looked, 6);
	assert_int_equal(p.n, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(p.clients[i], i % 2 ? "other" : "portal");
	assert_int_equal(page_read_of(g, clients, 1, 2, 0, INT64_MAX, 10).n, 2);
}

static void read__ended_with_its_parts__what_the_operator_said_of_the_worst(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	uint64_t id = store_put_message(g, &ids, 2, 77011234567);

	portal_make(g);
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, part, status, detail) values"
	    " (%llu, now(), 4, false, 6, 1, 'DELIVRD', 'err 000'), (%llu, now(), 4, false, 4, 2, 'UNDELIV', "
	    "'err "
	    "011');"
	    "insert into message_event (message_id, at, kind, final, state, feed) values (%llu, now(), 7, "
	    "true, 4, %llu)",
	    (unsigned long long)id, (unsigned long long)id, (unsigned long long)id,
	    (unsigned long long)ids_floor(store_wall_us() / 1000));
	const struct pages p = page_read(g, "portal", 0, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.text, "||UNDELIV|err 011");
}

static void read__verdicts_of_codes__among_the_ends_of_messages_in_one_order(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t n[4], code, other;

	portal_make(g);
	for (int i = 0; i < 4; i++)
		n[i] = ids_next(&feeds, now_ms);
	code = code_put(g, &ids);
	other = code_put(g, &ids);
	store_sql(g, "update code set api_key = 99 where id = %llu", (unsigned long long)other);
	store_sql(g, "update code set pair = 5 where id = %llu", (unsigned long long)code);
	verdict_put(g, code, 7, CODE_SUPERSEDED, n[1]);
	verdict_put(g, other, 7, CODE_EXPIRED, n[2]);
	end_put(g, code, 8, EVENT_RECEIPT, MESSAGE_DELIVERED, n[3]);
	end_put(g, store_put_message(g, &ids, 1, 77011234567), 5, EVENT_EXPIRED, MESSAGE_EXPIRED, n[0]);
	struct pages p = page_read(g, "portal", 2, 0, INT64_MAX, 10);
	assert_int_equal(p.looked, 4);
	assert_true(p.last == n[3]);
	assert_int_equal(p.n, 3);
	assert_true(p.all[0].about == HOOK_MESSAGE && p.all[0].feed == n[0] && p.all[0].code == 0);
	assert_true(p.all[1].about == HOOK_CODE && p.all[1].id == code && p.all[1].feed == n[1]);
	assert_int_equal(p.all[1].verdict, CODE_SUPERSEDED);
	assert_int_equal(p.all[1].pair, 5);
	assert_int_equal(p.all[1].at_us, INT64_C(1767225607000000));
	assert_true(p.all[2].about == HOOK_MESSAGE && p.all[2].id == code && p.all[2].code == code);
	assert_string_equal(p.text, "|login|SAID|err 1");
	p = page_read(g, "portal", 2, n[0], n[3], 1); /* a page that ends with a code's */
	assert_int_equal(p.looked, 1);
	assert_true(p.last == n[1]);
	assert_string_equal(p.text, "mine|login||");
	assert_int_equal(page_read(g, "portal", 3, 0, INT64_MAX, 10).looked, 0);
}

static void read__message_that_brought_a_code_again__names_the_code_not_itself(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2};
	uint64_t code, again;

	portal_make(g);
	code = code_put(g, &ids);
	again = store_put_message(g, &ids, 1, 77011234567);
	store_sql(g, "insert into code_send select code_id, 2, 2, %llu, 11, now() from code_send",
	    (unsigned long long)again);
	end_put(g, again, 5, EVENT_RECEIPT, MESSAGE_DELIVERED, ids_next(&feeds, store_wall_us() / 1000));
	const struct pages p = page_read(g, "portal", 2, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 1);
	assert_true(p.all[0].id == again && p.all[0].code == code);
}

/* The whole way: what events commit is read below the bound, each once. */
static void read__up_to_the_bound_while_batches_commit_out_of_order__each_once(void **state)
{
	struct store_rig *g = *state;
	struct events *es;
	struct ids ids = {0};
	uint64_t blocked = store_put_message(g, &ids, 2, 77011234567), read_to = 0;
	size_t told = 0;

	portal_make(g);
	store_hold_feed_slot(g);
	es = events_new(g->loop, g->pg, g->feed, &g->limits);
	store_put_event(g, blocked, 1, EVENT_SUBMITTED, false, 1, 1, 2, "b", "1");
	store_put_event(g, blocked, 1, EVENT_SUBMITTED, false, 1, 2, 2, "b", "2");
	store_put_event(g, blocked, 2, EVENT_RECEIPT, false, MESSAGE_DELIVERED, 1, 0, "b", "");
	store_sql(g, "begin; select pg_advisory_xact_lock(%llu)", (unsigned long long)blocked);
	struct message_event *e =
	    message_event_new(blocked, 1767225603000000, EVENT_RECEIPT, 2, "b", NULL, NULL, NULL, NULL);
	e->may_close = true;
	e->state = MESSAGE_DELIVERED;
	events_add(es, e);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	for (int i = 0; i < 10; i++) {
		e = message_event_new(store_put_message(g, &ids, 1, 77011234567), 1767225604000000,
		    EVENT_EXPIRED, 0, NULL, NULL, NULL, NULL, NULL);
		e->final = true;
		e->state = MESSAGE_EXPIRED;
		events_add(es, e);
	}
	while (events_pending(es) > 1)
		loop_turn(g->loop, 20);
	assert_int_equal(page_read(g, "portal", 0, 0, feed_low(g->feed), 64).n, 0);
	store_sql(g, "commit");
	while (events_pending(es))
		loop_turn(g->loop, 20);
	for (int page = 0; page < 4; page++) {
		const struct pages p = page_read(g, "portal", 0, read_to, feed_low(g->feed), 4);

		for (size_t i = 0; i < p.n; i++)
			assert_true(p.all[i].feed > read_to);
		told += p.n;
		read_to = p.last ? p.last : read_to;
	}
	assert_int_equal(told, 11);
	events_free(es);
}

struct loaded {
	int count;
	size_t n, secrets;
	struct tellings_endpoint all[8];
	char text[8][64];
};

static void loaded_on_each(void *arg, const struct tellings_endpoint *e)
{
	struct loaded *l = arg;

	assert_true(l->n < 8);
	if (e->secret)
		assert_memory_equal(e->secret, hook_secret, HOOK_SECRET);
	l->secrets += e->secret != NULL;
	snprintf(l->text[l->n], sizeof l->text[0], "%s %s", e->client, e->url);
	l->all[l->n++] = *e;
}

static void loaded_on_done(void *arg, enum kz r)
{
	struct loaded *l = arg;

	assert_int_equal(r, KZ_OK);
	l->count++;
}

static struct loaded load(struct store_rig *g, const bool held[])
{
	struct loaded l = {0};
	uint64_t ticket;

	assert_int_equal(
	    tellings_load(g->pg, g->keyring, held, loaded_on_each, loaded_on_done, &l, &ticket), KZ_OK);
	servers_await(g->loop, &l.count, 1);
	return l;
}

static void save(struct store_rig *g, const struct tellings_mark *marks, size_t n)
{
	uint64_t ticket;

	assert_int_equal(HOOK_DID(g, tellings_save(g->pg, marks, n, hook_on_done, &h, &ticket)), KZ_OK);
}

static void save_and_load__of_the_round_and_the_slots_held__never_back(void **state)
{
	struct store_rig *g = *state;
	bool held[IDS_SLOTS] = {[0] = true, [7] = true};
	struct loaded l;
	int32_t a, b;

	portal_make(g);
	a = hook_made(g);
	b = hook_made(g);
	l = load(g, held);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.all[0].slot, -1);
	assert_string_equal(l.text[0], "portal https://portal.example/x");
	assert_true(l.all[0].since > 0);
	const struct tellings_mark marks[] = {{a, 0, 0, 100}, {a, 0, 7, 200}, {a, 0, 9, 300}, {99, 0, 0, 1}};
	save(g, marks, 4);
	const struct tellings_mark back = {a, 0, 7, 150};
	save(g, &back, 1);
	l = load(g, held);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.all[0].id, a);
	assert_int_equal(l.all[1].id, a);
	assert_int_equal(l.all[0].cursor + l.all[1].cursor, 300);
	assert_int_equal(l.all[2].id, b);
	assert_int_equal(l.all[2].slot, -1);
	assert_int_equal(HOOK_DID(g, hook_replay(g->pg, a, 1767225600000, hook_on_done, &h)), KZ_OK);
	save(g, &marks[0], 1); /* by a daemon that has not heard of it */
	l = load(g, held);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.all[0].cursor + l.all[1].cursor, 300); /* it was told of none since then */
	assert_int_equal(l.all[0].round, 1);
	store_sql(g, "delete from webhook_cursor where slot = 0");
	const struct tellings_mark next = {a, 1, 0, 5}; /* lower, of the new round */
	save(g, &next, 1);
	save(g, &marks[0], 1);
	assert_int_equal(store_int(g, "select feed from webhook_cursor where slot = 0"), 5);
	assert_int_equal(HOOK_DID(g, hook_disable(g->pg, a, "x", hook_on_done, &h)), KZ_OK);
	assert_int_equal(load(g, held).n, 1);
}

static void load__secret_in_anothers_place_or_of_a_key_that_is_gone__without_it(void **state)
{
	struct store_rig *g = *state;
	bool held[IDS_SLOTS] = {false};
	char hex[2 * HOOK_SECRET + 1];

	portal_make(g);
	hook_made(g);
	secret_hex(hook_secret, HOOK_SECRET, hex);
	assert_int_equal(
	    store_int(g, "select count(*) from webhook where encode(secret, 'hex') like '%%%.12s%%'", hex),
	    0);
	assert_int_equal(load(g, held).secrets, 1);
	store_sql(g, "update webhook set url = 'https://elsewhere.example/'");
	assert_int_equal(load(g, held).secrets, 0);
	store_sql(g, "update webhook set url = 'https://portal.example/x', client = 'other'");
	assert_int_equal(load(g, held).secrets, 0);
	store_sql(g, "update webhook set client = 'portal'");
	assert_int_equal(load(g, held).secrets, 1);
	store_sql(g, "update webhook set secret = set_byte(secret, 1, 2)");
	const struct loaded l = load(g, held);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.secrets, 0);
}

struct due {
	int count;
	size_t n;
	int64_t next_us;
	int32_t ids[8];
	unsigned attempts[8];
	struct hook_event events[8];
};

static void due_on_each(void *arg, int32_t id, unsigned attempts, const struct hook_event *e)
{
	struct due *d = arg;

	assert_true(d->n < 8);
	d->ids[d->n] = id;
	d->attempts[d->n] = attempts;
	d->events[d->n++] = *e;
}

static void due_on_done(void *arg, enum kz r, int64_t next_us)
{
	struct due *d = arg;

	assert_int_equal(r, KZ_OK);
	d->count++;
	d->next_us = next_us;
}

static struct due due(struct store_rig *g, uint8_t slot, int32_t id, int64_t now_us, int most)
{
	bool held[IDS_SLOTS] = {0};
	struct due d = {0};
	uint64_t ticket;

	held[slot] = true;
	assert_int_equal(
	    tellings_due(g->pg, held, &id, 1, now_us, most, due_on_each, due_on_done, &d, &ticket), KZ_OK);
	servers_await(g->loop, &d.count, 1);
	return d;
}

static void put_off__due_in_order_then_again_then_given_up_or_settled(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 4};
	int64_t now_us = 1767225700000000;
	struct tellings_retry r = {.slot = 4, .attempts = 1, .now_us = now_us, .status = "500"};
	uint64_t n[3];
	uint64_t ticket;

	portal_make(g);
	r.id = hook_made(g);
	for (int i = 0; i < 3; i++) {
		n[i] = store_put_message(g, &ids, 1, 77011234567);
		end_put(g, n[i], 9, EVENT_RECEIPT, MESSAGE_DELIVERED, ids_next(&feeds, now_us / 1000));
		end_put(g, n[i], 9 + i, EVENT_RECEIPT, MESSAGE_EXPIRED, ids_next(&feeds, now_us / 1000));
		r.of = n[i];
		r.due_us = now_us + (3 - i) * 1000000;
		assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
	}
	struct due d = due(g, 4, r.id, now_us, 8);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.next_us, now_us + 1000000);
	d = due(g, 4, r.id, now_us + 2000000, 8);
	assert_int_equal(d.n, 2);
	assert_true(d.events[0].id == n[2] && d.events[1].id == n[1]);
	assert_int_equal(d.attempts[0], 1);
	assert_int_equal(d.events[0].state, MESSAGE_DELIVERED);
	assert_int_equal(d.next_us, now_us + 3000000);
	assert_int_equal(due(g, 4, r.id, now_us + 2000000, 1).n, 1);
	assert_int_equal(due(g, 5, r.id, now_us + 2000000, 8).n, 0);
	assert_int_equal(due(g, 4, r.id + 1, now_us + 2000000, 8).n, 0);
	r.of = n[2];
	r.attempts = 2;
	r.due_us = 0;
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
	assert_int_equal(
	    HOOK_DID(g, tellings_settle(g->pg, r.id, HOOK_MESSAGE, n[1], hook_on_done, &h, &ticket)), KZ_OK);
	d = due(g, 4, r.id, now_us + 9000000, 8);
	assert_int_equal(d.n, 1);
	assert_true(d.events[0].id == n[0]);
	assert_int_equal(d.next_us, 0);
	assert_int_equal(
	    store_int(g, "select count(*) from webhook_retry where due is null and attempts = 2"), 1);
	r.id += 1; /* an endpoint that was removed meanwhile */
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from webhook_retry"), 2);
}

static void put_off__code_and_the_end_of_its_first_message__told_again_each_by_itself(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 4};
	int64_t now_us = 1767225700000000;
	struct tellings_retry r = {
	    .slot = 4, .attempts = 1, .now_us = now_us, .due_us = now_us, .status = "500"};
	uint64_t ticket;

	portal_make(g);
	r.id = hook_made(g);
	r.of = code_put(g, &ids);
	verdict_put(g, r.of, 1, CODE_APPROVED, ids_next(&feeds, now_us / 1000));
	end_put(g, r.of, 2, EVENT_RECEIPT, MESSAGE_DELIVERED, ids_next(&feeds, now_us / 1000));
	r.about = HOOK_CODE;
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
	struct due d = due(g, 4, r.id, now_us, 8);
	assert_int_equal(d.n, 1);
	assert_true(d.events[0].about == HOOK_CODE && d.events[0].id == r.of);
	assert_int_equal(d.events[0].verdict, CODE_APPROVED);
	r.about = HOOK_MESSAGE;
	r.attempts = 3;
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
	d = due(g, 4, r.id, now_us, 8);
	assert_int_equal(d.n, 2);
	assert_true(d.events[0].about == HOOK_MESSAGE && d.attempts[0] == 3 && d.events[0].code == r.of);
	assert_true(d.events[1].about == HOOK_CODE && d.attempts[1] == 1);
	assert_int_equal(
	    HOOK_DID(g, tellings_settle(g->pg, r.id, HOOK_CODE, r.of, hook_on_done, &h, &ticket)), KZ_OK);
	d = due(g, 4, r.id, now_us, 8);
	assert_int_equal(d.n, 1);
	assert_true(d.events[0].about == HOOK_MESSAGE);
}

static void put_off__as_many_as_are_kept__no_more_but_those_again(void **state)
{
	struct store_rig *g = *state;
	struct tellings_retry r = {.of = 5000, .attempts = 1, .now_us = 1, .due_us = 2, .status = "500"};
	uint64_t ticket;

	portal_make(g);
	r.id = hook_made(g);
	store_sql(g,
	    "insert into webhook_retry select %d, 0, i, 0, 1, case when i < %d then now() end, now(), ''"
	    " from generate_series(0, %d) i",
	    r.id, TELLINGS_RETRIES, TELLINGS_RETRIES + 10);
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_TOO_LONG);
	r.of = 7;
	r.attempts = 2;
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
	assert_int_equal(store_int(g, "select attempts from webhook_retry where id = 7"), 2);
	assert_int_equal(
	    HOOK_DID(g, tellings_settle(g->pg, r.id, HOOK_MESSAGE, 8, hook_on_done, &h, &ticket)), KZ_OK);
	r.of = 5000;
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
}

static void put_off__refused_for_now_or_for_good__told_apart(void **state)
{
	struct store_rig *g = *state;
	struct tellings_retry r = {.of = 7, .attempts = 1, .now_us = 1, .due_us = 2, .status = "500"};
	uint64_t ticket;

	portal_make(g);
	r.id = hook_made(g);
	store_sql(
	    g, "alter table webhook_retry add check (attempts < 9); alter table webhook rename to away");
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_LOST);
	store_sql(g, "alter table away rename to webhook");
	r.attempts = 9;
	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_REFUSED);
}

static void cancel__open_questions__no_callback_and_nothing_stays(void **state)
{
	struct store_rig *g = *state;
	const char *const clients[] = {"portal"};
	const struct tellings_page page = {clients, 1, 0, 0, INT64_MAX, 10};
	const bool held[IDS_SLOTS] = {true};
	uint64_t read, load;
	struct pages p = {0};
	struct loaded l = {0};

	assert_int_equal(tellings_read(g->pg, &page, pages_on_event, pages_on_done, &p, &read), KZ_OK);
	assert_int_equal(
	    tellings_load(g->pg, g->keyring, held, loaded_on_each, loaded_on_done, &l, &load), KZ_OK);
	pg_job_cancel(g->pg, read);
	pg_job_cancel(g->pg, load);
	store_drain(g);
	assert_int_equal(p.count + l.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(read__ends_of_the_client__in_order_with_all_that_is_told),
	    STORE_CASE(read__unconfirmed_after_the_longest_life_and_wait__is_told),
	    STORE_CASE(read__second_end_of_a_message__not_told_whoever_recorded_it),
	    STORE_CASE(read__bounds_slots_and_clients__only_what_was_asked),
	    STORE_CASE(read__for_several_clients__each_end_once_with_its_client),
	    STORE_CASE(read__ended_with_its_parts__what_the_operator_said_of_the_worst),
	    STORE_CASE(read__verdicts_of_codes__among_the_ends_of_messages_in_one_order),
	    STORE_CASE(read__message_that_brought_a_code_again__names_the_code_not_itself),
	    STORE_CASE(put_off__code_and_the_end_of_its_first_message__told_again_each_by_itself),
	    STORE_CASE(read__up_to_the_bound_while_batches_commit_out_of_order__each_once),
	    STORE_CASE(load__secret_in_anothers_place_or_of_a_key_that_is_gone__without_it),
	    STORE_CASE(save_and_load__of_the_round_and_the_slots_held__never_back),
	    STORE_CASE(cancel__open_questions__no_callback_and_nothing_stays),
	    STORE_CASE(put_off__as_many_as_are_kept__no_more_but_those_again),
	    STORE_CASE(put_off__refused_for_now_or_for_good__told_apart),
	    STORE_CASE(put_off__due_in_order_then_again_then_given_up_or_settled),
	};

	return store_main("tellings", tests, sizeof tests / sizeof *tests);
}

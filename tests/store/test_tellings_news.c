/* News of applications, as they are read, held back and told again, in a real PostgreSQL. */
#include "hooks_rig.h"

#define AT "timestamptz '2026-01-01 00:00:07Z'"

/* News of an application with nothing but what all have. */
static uint64_t news_put(struct store_rig *g, uint64_t application, int seq, uint64_t feed)
{
	store_sql(g, "insert into news values (%llu, %llu, %d, %d, " AT ", %d)", (unsigned long long)feed,
	    (unsigned long long)application, seq, NEWS_WATCHED, NEWS_BY_USSD);
	return feed;
}

static void scopes_set(struct store_rig *g, const char *scopes)
{
	store_sql(g, "update api_key set scopes = '{%s}' where id = 1", scopes);
}

struct ahead {
	int count;
	enum kz r;
	uint64_t behind;
};

static void ahead_on_answer(void *arg, enum kz r, uint64_t behind)
{
	struct ahead *a = arg;

	*a = (struct ahead){a->count + 1, r, behind};
}

static uint64_t behind(struct store_rig *g, int32_t hook, uint64_t feed)
{
	struct ahead a = {0};
	uint64_t ticket;

	assert_int_equal(tellings_ahead(g->pg, hook, feed, ahead_on_answer, &a, &ticket), KZ_OK);
	assert_int_equal(a.count, 0);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	return a.behind;
}

struct due {
	int count;
	size_t n;
	struct hook_event events[8];
};

static void due_on_each(void *arg, int32_t id, unsigned attempts, const struct hook_event *e)
{
	struct due *d = arg;

	(void)id;
	(void)attempts;
	assert_true(d->n < 8);
	d->events[d->n++] = *e;
}

static void due_on_done(void *arg, enum kz r, int64_t next_us)
{
	struct due *d = arg;

	(void)next_us;
	assert_int_equal(r, KZ_OK);
	d->count++;
}

static struct due due(struct store_rig *g, uint8_t slot, int32_t id)
{
	bool held[IDS_SLOTS] = {0};
	struct due d = {0};
	uint64_t ticket;

	held[slot] = true;
	assert_int_equal(
	    tellings_due(g->pg, held, &id, 1, store_wall_us(), 8, due_on_each, due_on_done, &d, &ticket),
	    KZ_OK);
	servers_await(g->loop, &d.count, 1);
	return d;
}

/* Told up to there, as it is saved. */
static void cursor_put(struct store_rig *g, int32_t hook, int slot, uint64_t feed)
{
	store_sql(g,
	    "insert into webhook_cursor values (%d, %d, 0, %llu) on conflict (webhook, slot) do update set"
	    " feed = excluded.feed",
	    hook, slot, (unsigned long long)feed);
}

static void retry_put(struct store_rig *g, int32_t hook, uint64_t feed, uint64_t behind_feed)
{
	struct tellings_retry r = {.id = hook,
	    .about = HOOK_NEWS,
	    .of = feed,
	    .behind = behind_feed,
	    .slot = ids_slot(feed),
	    .now_us = 1,
	    .due_us = 2,
	    .status = "500"};
	uint64_t ticket;

	assert_int_equal(HOOK_DID(g, tellings_put_off(g->pg, &r, hook_on_done, &h, &ticket)), KZ_OK);
}

static void settle(struct store_rig *g, int32_t hook, uint64_t feed)
{
	uint64_t ticket;

	assert_int_equal(
	    HOOK_DID(g, tellings_settle(g->pg, hook, HOOK_NEWS, feed, hook_on_done, &h, &ticket)), KZ_OK);
}

static void read__news_among_ends__in_one_order_with_all_that_is_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0}, feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t a, b, c;

	portal_make(g);
	scopes_set(g, "records");
	a = ids_next(&feeds, now_ms);
	b = ids_next(&feeds, now_ms);
	c = ids_next(&feeds, now_ms);
	store_sql(g,
	    "insert into news values (%llu, 108344, 17, %d, " AT ", %d, 48871, 12, " AT " + interval '1 s', "
	    "321, 'why')",
	    (unsigned long long)b, NEWS_EXPIRED, NEWS_BY_CLOCK);
	end_put(g, store_put_message(g, &ids, 1, 77011234567), 5, EVENT_EXPIRED, MESSAGE_EXPIRED, a);
	end_put(g, store_put_message(g, &ids, 1, 77011234567), 6, EVENT_EXPIRED, MESSAGE_EXPIRED, c);
	struct pages p = page_read(g, "portal", 2, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.looked, 3);
	assert_true(p.last == c);
	assert_true(p.all[0].feed == a && p.all[1].feed == b && p.all[2].feed == c);
	assert_true(p.all[1].about == HOOK_NEWS && p.all[1].id == b);
	assert_int_equal(p.all[1].at_us, INT64_C(1767225607000000));
	const struct hook_news n = p.all[1].news;
	assert_int_equal(n.application, 108344);
	assert_int_equal(n.seq, 17);
	assert_int_equal(n.kind, NEWS_EXPIRED);
	assert_int_equal(n.via, NEWS_BY_CLOCK);
	assert_int_equal(n.referral, 48871);
	assert_int_equal(n.play_group, 12);
	assert_int_equal(n.kindergarten, 321);
	assert_int_equal(n.until_us, INT64_C(1767225608000000));
	p = page_read(g, "portal", 2, a, c, 1);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.text, "|||why");
	assert_int_equal(page_read(g, "portal", 3, 0, INT64_MAX, 10).looked, 0);
	assert_int_equal(page_read(g, "portal", 2, b, c, 10).looked, 0);
}

static void read__news__by_clients_with_a_living_key_for_records_alone(void **state)
{
	static const char *const clients[] = {"portal", "other", "third"};
	struct store_rig *g = *state;
	struct ids feeds = {.slot = 2};

	portal_make(g);
	store_sql(g, "insert into api_key (client, hash, scopes, revoked_at) values"
	             " ('other', '2', '{codes,queue}', null), ('third', '3', '{records}', null),"
	             " ('third', '4', '{records,codes}', null), ('portal', '5', '{records}', now())");
	news_put(g, 7, 1, ids_next(&feeds, store_wall_us() / 1000));
	struct pages p = page_read_of(g, clients, 3, 2, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.clients[0], "third");
	assert_int_equal(p.all[0].news.referral, 0);
	assert_int_equal(p.all[0].news.until_us, 0);
	scopes_set(g, "codes,records");
	p = page_read_of(g, clients, 3, 2, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.looked, 1);
	store_sql(g, "update api_key set revoked_at = now()");
	p = page_read_of(g, clients, 3, 2, 0, INT64_MAX, 10);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.looked, 1); /* and its cursor passes them */
}

static void ahead__the_one_before_it_alone__by_what_is_saved_of_its_own_slot(void **state)
{
	struct store_rig *g = *state;
	struct ids ours = {.slot = 2}, theirs = {.slot = 5};
	int64_t now_ms = store_wall_us() / 1000;
	uint64_t first, second, third;

	portal_make(g);
	store_skip_us = -1000000; /* the endpoint is made before them */
	int32_t hook = hook_made(g);
	store_skip_us = 0;
	third = news_put(g, 7, 12, ids_next(&ours, now_ms)); /* the numbers of two slots are in no order */
	first = news_put(g, 7, 4, ids_next(&theirs, now_ms + 50));
	second = news_put(g, 7, 9, ids_next(&theirs, now_ms + 60));
	news_put(g, 8, 1, ids_next(&ours, now_ms));
	assert_int_equal(behind(g, hook, first), 0);
	assert_true(behind(g, hook, second) == first);
	assert_true(behind(g, hook, third) == second);
	cursor_put(g, hook, 5, first);
	assert_int_equal(behind(g, hook, second), 0);
	assert_true(behind(g, hook, third) == second);
	cursor_put(g, hook, 2, INT64_MAX / 2); /* another slot's says nothing of it */
	assert_true(behind(g, hook, third) == second);
	cursor_put(g, hook, 5, second);
	assert_int_equal(behind(g, hook, third), 0);
	store_sql(g, "update webhook set round = 1"); /* a replay, of which no cursor is saved yet */
	assert_true(behind(g, hook, third) == second);
	store_sql(g, "update webhook set since = %llu", (unsigned long long)second);
	assert_int_equal(behind(g, hook, third), 0);
	assert_int_equal(behind(g, hook + 1, third), 0); /* removed */
	assert_int_equal(behind(g, hook, third + 1), 0); /* past its retention */
}

static void ahead__same_seq__in_the_order_of_their_numbers(void **state)
{
	struct store_rig *g = *state;
	struct ids feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000 + 1000;
	uint64_t a, b;

	portal_make(g);
	int32_t hook = hook_made(g);
	a = news_put(g, 7, 4, ids_next(&feeds, now_ms));
	b = news_put(g, 7, 4, ids_next(&feeds, now_ms));
	assert_int_equal(behind(g, hook, a), 0);
	assert_true(behind(g, hook, b) == a);
}

static void due__behind_one_that_is_told_again__when_that_is_told_or_given_up(void **state)
{
	struct store_rig *g = *state;
	struct ids feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000 + 1000;
	uint64_t n[4];

	portal_make(g);
	int32_t hook = hook_made(g);
	for (int i = 0; i < 4; i++)
		n[i] = news_put(g, i < 3 ? 7 : 8, i, ids_next(&feeds, now_ms));
	cursor_put(g, hook, 2, n[3]);
	for (int i = 0; i < 4; i++)
		retry_put(g, hook, n[i], i == 1 || i == 2 ? n[i - 1] : 0);
	assert_true(behind(g, hook, n[1]) == n[0]);
	struct due d = due(g, 2, hook);
	assert_int_equal(d.n, 2); /* others' applications wait for nobody */
	assert_true(d.events[0].feed + d.events[1].feed == n[0] + n[3]);
	assert_int_equal(d.events[0].about, HOOK_NEWS);
	settle(g, hook, n[0]);
	settle(g, hook, n[3]);
	d = due(g, 2, hook);
	assert_int_equal(d.n, 1);
	assert_true(d.events[0].feed == n[1] && d.events[0].id == n[1]);
	assert_int_equal(d.events[0].news.application, 7);
	store_sql(g, "update webhook_retry set due = null where id = %llu", (unsigned long long)n[1]);
	d = due(g, 2, hook);
	assert_int_equal(d.n, 1);
	assert_true(d.events[0].feed == n[2]);
	assert_int_equal(due(g, 3, hook).n, 0);
}

static void due__behind_one_of_a_slot_whose_cursor_is_not_there_yet__waits(void **state)
{
	struct store_rig *g = *state;
	struct ids ours = {.slot = 2}, theirs = {.slot = 5};
	int64_t now_ms = store_wall_us() / 1000 + 1000;

	portal_make(g);
	int32_t hook = hook_made(g);
	uint64_t first = news_put(g, 7, 1, ids_next(&theirs, now_ms));
	uint64_t second = news_put(g, 7, 2, ids_next(&ours, now_ms));
	cursor_put(g, hook, 2, second);
	retry_put(g, hook, second, first);
	assert_int_equal(due(g, 2, hook).n, 0);
	cursor_put(g, hook, 5, first);
	assert_int_equal(due(g, 2, hook).n, 1);
}

struct looked {
	int count;
	enum kz r;
	size_t n;
	uint64_t feeds[8];
	char untold[8][16];
};

static void looked_on_news(void *arg, const struct hook_event *e, const char *untold)
{
	struct looked *l = arg;

	assert_true(l->n < 8);
	snprintf(l->untold[l->n], sizeof l->untold[0], "%s", untold);
	l->feeds[l->n++] = e->feed;
}

static void looked_on_done(void *arg, enum kz r)
{
	struct looked *l = arg;

	l->count++;
	l->r = r;
}

static struct looked look(struct store_rig *g, uint64_t application)
{
	struct looked l = {0};
	uint64_t ticket;

	assert_int_equal(tellings_of(g->pg, application, looked_on_news, looked_on_done, &l, &ticket), KZ_OK);
	servers_await(g->loop, &l.count, 1);
	assert_int_equal(l.r, KZ_OK);
	return l;
}

static void look__of_an_application__the_newest_first_and_who_is_untold(void **state)
{
	struct store_rig *g = *state;
	struct ids feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000 + 1000;

	portal_make(g);
	scopes_set(g, "records");
	int32_t a = hook_made(g), b = hook_made(g);
	uint64_t first = news_put(g, 7, 1, ids_next(&feeds, now_ms)),
	         second = news_put(g, 7, 2, ids_next(&feeds, now_ms));
	news_put(g, 8, 1, ids_next(&feeds, now_ms));
	cursor_put(g, a, 2, second);
	cursor_put(g, b, 2, first);
	retry_put(g, a, first, 0);
	struct looked l = look(g, 7);
	assert_int_equal(l.n, 2);
	assert_true(l.feeds[0] == second && l.feeds[1] == first);
	assert_string_equal(l.untold[0], "2");
	assert_string_equal(l.untold[1], "1");
	scopes_set(g, "codes");
	assert_string_equal(look(g, 7).untold[0], "");
	assert_int_equal(look(g, 9).n, 0);
}

static enum kz again(struct store_rig *g, uint64_t application)
{
	uint64_t ticket;

	return HOOK_DID(
	    g, tellings_again(g->pg, application, store_wall_us() - 1, hook_on_done, &h, &ticket));
}

static void again__news_of_an_application__told_in_their_order_once_more(void **state)
{
	struct store_rig *g = *state;
	struct ids feeds = {.slot = 2};
	int64_t now_ms = store_wall_us() / 1000 + 1000;
	uint64_t n[3];

	portal_make(g);
	int32_t hook = hook_made(g);
	for (int i = 2; i >= 0; i--)
		n[i] = news_put(g, 7, i, ids_next(&feeds, now_ms));
	cursor_put(g, hook, 2, n[0]);
	assert_int_equal(again(g, 7), KZ_NOT_FOUND); /* nobody is told news */
	scopes_set(g, "records");
	assert_int_equal(again(g, 8), KZ_NOT_FOUND);
	assert_int_equal(again(g, 7), KZ_OK);
	assert_int_equal(again(g, 7), KZ_OK);
	for (int i = 0; i < 3; i++) {
		const struct due d = due(g, 2, hook);

		assert_int_equal(d.n, 1);
		assert_true(d.events[0].feed == n[i]);
		settle(g, hook, n[i]);
	}
	assert_int_equal(due(g, 2, hook).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(read__news_among_ends__in_one_order_with_all_that_is_told),
	    STORE_CASE(read__news__by_clients_with_a_living_key_for_records_alone),
	    STORE_CASE(ahead__the_one_before_it_alone__by_what_is_saved_of_its_own_slot),
	    STORE_CASE(ahead__same_seq__in_the_order_of_their_numbers),
	    STORE_CASE(due__behind_one_that_is_told_again__when_that_is_told_or_given_up),
	    STORE_CASE(look__of_an_application__the_newest_first_and_who_is_untold),
	    STORE_CASE(again__news_of_an_application__told_in_their_order_once_more),
	    STORE_CASE(due__behind_one_of_a_slot_whose_cursor_is_not_there_yet__waits),
	};

	return store_main("tellings_news", tests, sizeof tests / sizeof *tests);
}

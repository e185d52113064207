/* notify on a real PostgreSQL, of which daemon after daemon reads; its endpoint refuses all. */
#include "hooks_rig.h"

#include "base/conf.h"
#include "flow/notify.h"

static char no_ca[] = "";
static const struct conf conf = {
    .webhook_timeout_ms = 1000,
    .webhook_in_flight = 4,
    .webhook_retry_min_ms = 3600000, /* what was refused once is kept, and not told again */
    .webhook_allow_private = true,
    .webhook_tls_ca = no_ca,
};

/* As a daemon that takes slot 0. */
static struct notify *daemon_up(struct store_rig *g)
{
	struct notify *n = notify_new(g->loop, g->pg, g->feed, g->keyring, &conf);

	feed_set_slot(g->feed, 0, (uint64_t)store_int(g, "select newest from slot_raise('{0}')"));
	lease_take(g->lease, 0, store_int(g, "select epoch from slot"));
	notify_take_slot(n, 0);
	return n;
}

static void daemon_end(struct store_rig *g, struct notify *n)
{
	notify_free(n);
	store_drain(g);
}

/* A message ends; its number. */
static uint64_t end_numbered(struct store_rig *g, struct ids *ids)
{
	uint64_t id = store_put_message(g, ids, 1, 77011234567);
	struct feed_hold h = {0};
	uint64_t feed = feed_number(g->feed, &h, 1);

	end_put(g, id, 1, EVENT_EXPIRED, MESSAGE_EXPIRED, feed);
	feed_release(g->feed, &h);
	return feed;
}

/* As of a look that finds nothing. */
static void numbers_pass(struct store_rig *g)
{
	struct feed_hold h = {0};

	feed_number(g->feed, &h, 500);
	feed_release(g->feed, &h);
}

/* Whatever was to be read or saved by now is. */
static void seconds_pass(struct store_rig *g)
{
	for (int i = 0; i < 30; i++) {
		store_skip_us += 100000;
		loop_turn(g->loop, 5);
		store_drain(g);
	}
}

#define TOLD   "select count(*) from webhook_retry" /* in vain, and kept */
#define CURSOR "select coalesce(max(feed), 0) from webhook_cursor"

static void read__numbers_that_nobody_wrote__not_saved_as_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct notify *n;

	portal_make(g);
	store_sql(g, "insert into slot (id) values (0)");
	hook_put(g, "portal", "http://127.0.0.1:9/");
	n = daemon_up(g);
	numbers_pass(g);
	seconds_pass(g);
	assert_int_equal(store_int(g, CURSOR), 0);
	uint64_t feed = end_numbered(g, &ids);
	numbers_pass(g);
	store_await_sql(g, CURSOR, (long long)feed);
	assert_int_equal(store_int(g, TOLD), 1);
	store_sql(g, "create table was as select xmin::text as version from webhook_cursor");
	numbers_pass(g);
	seconds_pass(g);
	assert_int_equal(
	    store_int(
	        g, "select count(*) from webhook_cursor, was where webhook_cursor.xmin::text = version"),
	    1);
	store_sql(g, "drop table was");
	daemon_end(g, n);
}

/* The clock of the first is a minute ahead. */
static void slot__taken_with_a_clock_behind__its_ends_are_told(void **state)
{
	struct store_rig *g = *state, *first = store_rig_make();
	struct ids ids = {0};
	struct notify *n;

	portal_make(g);
	store_sql(g, "insert into slot (id) values (0)");
	hook_put(g, "portal", "http://127.0.0.1:9/");
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);
	store_skip_us = 60000000;
	store_up(first);
	n = daemon_up(first);
	numbers_pass(first);
	end_put(g, id, 1, EVENT_EXPIRED, MESSAGE_EXPIRED, id);
	notify_refresh(n);
	seconds_pass(first);
	daemon_end(first, n);
	store_rig_free(first);
	store_skip_us = 0;
	store_sql(g, "delete from webhook_retry");
	n = daemon_up(g);
	end_numbered(g, &ids);
	store_await_sql(g, TOLD, 1);
	daemon_end(g, n);
}

static void load__secret_that_cannot_be_opened__shown_until_its_key_is_there(void **state)
{
	struct store_rig *g = *state;
	struct notify_report report = {0};
	char sealed[256];

	portal_make(g);
	store_sql(g, "insert into slot (id) values (0)");
	hook_put(g, "portal", "http://127.0.0.1:9/");
	int32_t id = (int32_t)store_int(g, "select id from webhook");
	snprintf(sealed, sizeof sealed, "%s", store_sql(g, "select secret from webhook"));
	store_sql(g, "update webhook set secret = decode('0007', 'hex') || substr(secret, 3)");
	struct notify *n = daemon_up(g);
	seconds_pass(g);
	assert_int_equal(notify_sum(n).locked, 1);
	assert_int_equal(notify_sum(n).up, 0);
	assert_false(notify_report(n, id, &report));
	assert_true(report.locked);
	store_sql(g, "update webhook set secret = '%s'", sealed);
	for (int i = 0; i < 3; i++)
		seconds_pass(g);
	assert_int_equal(notify_sum(n).locked, 0);
	assert_int_equal(notify_sum(n).up, 1);
	daemon_end(g, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(read__numbers_that_nobody_wrote__not_saved_as_told),
	    STORE_CASE(slot__taken_with_a_clock_behind__its_ends_are_told),
	    STORE_CASE(load__secret_that_cannot_be_opened__shown_until_its_key_is_there),
	};

	return store_main("notify", tests, sizeof tests / sizeof *tests);
}

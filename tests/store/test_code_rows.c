/* Codes as they are kept with their messages in a real PostgreSQL. */
#include "codes_rig.h"

struct rows {
	struct wishes w;
	struct code_row codes[WISHES];
};

static struct rows *rows_start(struct store_rig *g, int n)
{
	struct rows *r = calloc(1, sizeof *r);

	codes_put_clients(g);
	store_hold_feed_slot(g);
	wishes_start(&r->w, g, n);
	for (int i = 0; i < n; i++) {
		r->codes[i] = code_row_of(&r->w, i);
		r->w.all[i].wish.codes = &r->codes[i];
		r->w.all[i].wish.codes_n = 1;
	}
	return r;
}

static void rows_keep(struct rows *r, int i)
{
	int done = r->w.done;

	wishes_keep(&r->w, i);
	wishes_await(&r->w, done + 1);
}

static void rows_end(struct rows *r)
{
	wishes_end(&r->w);
	free(r);
}

static void codes_put__new_one__stands_with_its_message(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);

	r->codes[0].binding = -9;
	r->codes[0].client_ref = "ref-1";
	r->codes[0].second = "sealed";
	r->codes[0].second_n = 6;
	r->codes[0].digits = "own";
	r->codes[0].digits_n = 3;
	r->codes[0].digits_until_us = store_wall_us() + 600000000;
	r->codes[0].given = true;
	rows_keep(r, 0);
	assert_int_equal(r->w.all[0].r, KZ_OK);
	assert_string_equal(
	    store_sql(g,
	        "select concat_ws('|', c.api_key, c.phone, c.prefix, c.purpose, c.language, c.binding, "
	        "c.length,"
	        " c.tries, c.given, c.client_ref, encode(c.second, 'escape'), encode(d.sealed, 'escape'), "
	        "s.n, s.why,"
	        " c.sends, c.resends, c.issue, s.message_id = c.id, s.phone = c.phone, c.key, encode(c.mac, "
	        "'hex'))"
	        " from code c join code_send s on s.code_id = c.id join code_given d on d.code_id = c.id"),
	    "5|-7123456789|7701123|login|1|-9|6|5|t|ref-1|sealed|own|1|0|1|0|1|t|t|1|"
	    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
	rows_end(r);
}

static void codes_put__key_used_before__no_code(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 2);

	wishes_share_key(&r->w, 1, 0);
	rows_keep(r, 0);
	rows_keep(r, 1);
	assert_int_equal(r->w.all[1].r, KZ_CONFLICT);
	assert_int_equal(store_int(g, "select count(*) from code"), 1);
	assert_int_equal(store_int(g, "select count(*) from code_send"), 1);
	assert_int_equal(store_int(g, "select count(*) from code_verdict"), 0);
	rows_end(r);
}

static void codes_put__kept_again_after_a_loss__stands_once(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);

	rows_keep(r, 0);
	rows_keep(r, 0);
	assert_int_equal(r->w.all[0].r, KZ_CONFLICT);
	assert_int_equal(store_int(g, "select count(*) from code_send"), 1);
	rows_end(r);
}

static void codes_put__second_sending__adds_to_the_code(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 2);

	rows_keep(r, 0);
	r->codes[1] = r->codes[0];
	r->codes[1].message_id = r->w.rows[1].id;
	r->codes[1].n = 2;
	r->codes[1].why = CODE_RESENT;
	r->codes[1].resends = 1;
	r->codes[1].issue = 2;
	r->codes[1].key = 2;
	r->codes[1].at_us += 1000000;
	r->codes[1].expires_us += 1000000;
	memset(r->codes[1].mac, 0xa5, sizeof r->codes[1].mac);
	rows_keep(r, 1);
	assert_int_equal(r->w.all[1].r, KZ_OK);
	assert_string_equal(
	    store_sql(g, "select concat_ws('|', c.sends, c.resends, c.issue, c.key, c.sent_at = s.at,"
	                 " c.expires_at - s.at, encode(c.mac, 'hex'))"
	                 " from code c join code_send s on s.code_id = c.id and s.n = 2"),
	    "2|1|2|2|t|00:01:00|a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
	assert_int_equal(store_int(g, "select count(*) from code"), 1);
	assert_int_equal(store_int(g, "select count(*) from code_send where n = 2 and why = 1"), 1);
	assert_int_equal(store_int(g, "select count(*) from code_verdict"), 0);
	rows_end(r);
}

static void codes_put__the_same_sending_by_two__one_is_refused(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 3);

	rows_keep(r, 0);
	for (int i = 1; i < 3; i++) {
		r->codes[i] = r->codes[0];
		r->codes[i].message_id = r->w.rows[i].id;
		r->codes[i].n = 2;
		memset(r->codes[i].mac, i, sizeof r->codes[i].mac);
		wishes_keep(&r->w, i);
	}
	wishes_await(&r->w, 3);
	assert_int_equal((r->w.all[1].r == KZ_OK) + (r->w.all[2].r == KZ_OK), 1);
	assert_int_equal((r->w.all[1].r == KZ_REFUSED) + (r->w.all[2].r == KZ_REFUSED), 1);
	assert_int_equal(store_int(g, "select count(*) from message"), 2);
	assert_int_equal(store_int(g, "select get_byte(mac, 0) from code"), r->w.all[1].r == KZ_OK ? 1 : 2);
	rows_end(r);
}

static void codes_put__sending_kept_again_after_a_newer_one__the_newer_stands(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 3);

	rows_keep(r, 0);
	for (int i = 1; i < 3; i++) {
		r->codes[i] = r->codes[0];
		r->codes[i].message_id = r->w.rows[i].id;
		r->codes[i].n = (unsigned)i + 1;
		memset(r->codes[i].mac, i, sizeof r->codes[i].mac);
		rows_keep(r, i);
		assert_int_equal(r->w.all[i].r, KZ_OK);
	}
	rows_keep(r, 1);
	assert_int_equal(r->w.all[1].r, KZ_CONFLICT);
	assert_string_equal(store_sql(g, "select concat_ws('|', sends, get_byte(mac, 0)) from code"), "3|2");
	rows_end(r);
}

static void codes_put__another_sending_of_a_code_that_is_over__refused(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 2);

	rows_keep(r, 0);
	store_sql(g, "insert into code_verdict values (%llu, now(), 3, null, 1)",
	    (unsigned long long)r->codes[0].id);
	r->codes[1] = r->codes[0];
	r->codes[1].message_id = r->w.rows[1].id;
	r->codes[1].n = 2;
	rows_keep(r, 1);
	assert_int_equal(r->w.all[1].r, KZ_REFUSED);
	assert_int_equal(store_int(g, "select count(*) from message"), 1);
	assert_int_equal(store_int(g, "select count(*) from code_send"), 1);
	rows_end(r);
}

/* The server's table of locks has room for some thousands. */
static void codes_put__as_many_as_a_batch_has__few_locks(void **state)
{
	struct store_rig *g = *state;
	struct metric *flights =
	    metric_counter("kezek_batch_flights_total", "Group commits sent", "kind=\"message\"");

	store_sql(g, "begin");
	store_sql(g, "select codes_begin(array(select generate_series(1, 5000)), '{}')");
	assert_in_range(store_int(g, "select count(*) from pg_locks where locktype = 'advisory'"), 900, 1024);
	store_sql(g, "commit");
	g->limits.rows = 2000;
	struct rows *r = rows_start(g, WISHES);
	double before = metric_value(flights);
	for (int i = 0; i < WISHES; i++) {
		r->codes[i].phone = i;
		wishes_keep(&r->w, i);
	}
	wishes_await(&r->w, WISHES);
	assert_true(metric_value(flights) - before == 2);
	rows_end(r);
}

static void supersede__open_one_of_the_same_client_phone_and_purpose__has_its_verdict(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 2);

	rows_keep(r, 0);
	r->codes[1].api_key = 6; /* another key of the same client */
	rows_keep(r, 1);
	assert_int_equal(code_verdict_of(g, r->codes[0].id), CODE_SUPERSEDED);
	assert_int_equal(code_verdict_of(g, r->codes[1].id), CODE_OPEN);
	assert_int_equal(store_int(g, "select (feed >> 14) & 255 from code_verdict"), feed_slot(g->feed));
	assert_true((uint64_t)store_int(g, "select feed from code_verdict") < feed_low(g->feed));
	rows_end(r);
}

static void supersede__two_of_one_batch__the_later_one_is_open(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 3);

	double counted = metric_value(code_ended_metric(CODE_SUPERSEDED));

	rows_keep(r, 0);
	wishes_keep(&r->w, 1);
	wishes_keep(&r->w, 2);
	wishes_await(&r->w, 3);
	assert_true(metric_value(code_ended_metric(CODE_SUPERSEDED)) - counted == 2);
	assert_int_equal(code_verdict_of(g, r->codes[0].id), CODE_SUPERSEDED);
	assert_int_equal(code_verdict_of(g, r->codes[1].id), CODE_SUPERSEDED);
	assert_int_equal(code_verdict_of(g, r->codes[2].id), CODE_OPEN);
	rows_end(r);
}

static void supersede__other_client_phone_purpose_or_ended__left_as_it_is(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);
	struct ids ids = {.slot = 9};
	uint64_t old[5];

	for (int i = 0; i < 5; i++) {
		old[i] = ids_next(&ids, store_wall_us() / 1000 - 2000);
		code_put(g, old[i], i == 0 ? 7 : 5, i == 1 ? "phone" : "login", i == 2 ? -1 : 60);
	}
	store_sql(g, "update code set phone = 1 where id = %llu", (unsigned long long)old[3]);
	store_sql(g, "insert into code_verdict values (%llu, now(), 1, null, 1)", (unsigned long long)old[4]);
	double counted = metric_value(code_ended_metric(CODE_SUPERSEDED));
	rows_keep(r, 0);
	assert_int_equal(r->w.all[0].r, KZ_OK);
	assert_true(metric_value(code_ended_metric(CODE_SUPERSEDED)) == counted);
	assert_int_equal(store_int(g, "select count(*) from code_verdict where verdict = 4"), 0);
	assert_int_equal(code_verdict_of(g, old[4]), CODE_APPROVED);
	rows_end(r);
}

static void supersede__kept_again_after_a_newer_one_came__the_newer_one_is_open(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 3);

	rows_keep(r, 0);
	rows_keep(r, 1);
	wishes_keep(&r->w, 0); /* as after a commit whose answer was lost, and in one batch with a new one */
	wishes_keep(&r->w, 2);
	r->codes[2].phone = -1;
	wishes_await(&r->w, 4);
	assert_int_equal(code_verdict_of(g, r->codes[0].id), CODE_SUPERSEDED);
	assert_int_equal(code_verdict_of(g, r->codes[1].id), CODE_OPEN);
	assert_int_equal(code_verdict_of(g, r->codes[2].id), CODE_OPEN);
	store_sql(g, "delete from code_verdict"); /* the same when its own verdict is not there yet */
	rows_keep(r, 0);
	assert_int_equal(code_verdict_of(g, r->codes[1].id), CODE_OPEN);
	rows_end(r);
}

static void supersede__given_digits__gone_with_their_code(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 2);

	for (int i = 0; i < 2; i++) {
		r->codes[i].digits = "own";
		r->codes[i].digits_n = 3;
		r->codes[i].digits_until_us = store_wall_us() + 600000000;
		r->codes[i].given = true;
		rows_keep(r, i);
	}
	assert_int_equal(store_int(g, "select count(*) from code_given"), 1);
	assert_true((uint64_t)store_int(g, "select code_id from code_given") == r->codes[1].id);
	rows_end(r);
}

/* The other's clock is ahead, so that its id is the greater one. */
static void supersede__another_daemon_puts_one_at_the_same_time__waited_for(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);
	struct ids ids = {.slot = 9};
	uint64_t other = ids_next(&ids, store_wall_us() / 1000 + 3000);

	store_sql(g, "begin");
	store_sql(g, "select codes_begin(array[%lld], '{}')", (long long)CODES_PHONE);
	wishes_keep(&r->w, 0);
	while (!store_int(g, "select count(*) from pg_locks where locktype = 'advisory' and not granted"))
		loop_turn(g->loop, 5);
	assert_int_equal(r->w.done, 0);
	code_put(g, other, 5, "login", 60);
	store_sql(g, "commit");
	wishes_await(&r->w, 1);
	assert_int_equal(code_verdict_of(g, other), CODE_SUPERSEDED);
	assert_int_equal(code_verdict_of(g, r->codes[0].id), CODE_OPEN);
	rows_end(r);
}

static void supersede__no_slot_held__nothing_is_kept(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);

	feed_set_slot(g->feed, -1, 0);
	lease_lose(g->lease);
	rows_keep(r, 0);
	assert_int_equal(r->w.all[0].r, KZ_LOST);
	assert_int_equal(store_int(g, "select count(*) from message"), 0);
	assert_int_equal(store_int(g, "select count(*) from code"), 0);
	rows_end(r);
}

/* The first wish, of which nobody hears; answers its number of the feed. */
static uint64_t rows_lose(struct rows *r)
{
	struct store_rig *g = r->w.rig;

	store_sql(g, "begin");
	store_sql(g, "select codes_begin(array[%lld], '{}')", (long long)CODES_PHONE);
	wishes_keep(&r->w, 0);
	while (!store_int(g, "select count(*) from pg_locks where locktype = 'advisory' and not granted"))
		loop_turn(g->loop, 5);
	uint64_t low = feed_low(g->feed);
	store_sql(
	    g, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted");
	wishes_await(&r->w, 1);
	assert_int_equal(r->w.all[0].r, KZ_LOST);
	assert_true(r->w.all[0].maybe);
	assert_true(feed_low(g->feed) == low);
	store_sql(g, "commit");
	return low;
}

/* A run that was given up before the server saw it never comes to stand. */
static void abandon__lost_before_it_was_seen__number_is_free_again(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);
	uint64_t low = rows_lose(r);

	messages_abandon(r->w.messages, &r->w.all[0].wish);
	while (!feed_is_sure(g->feed))
		loop_turn(g->loop, 20);
	assert_true(feed_low(g->feed) > low);
	assert_int_equal(store_int(g, "select count(*) from code"), 0);
	rows_end(r);
}

/* The try of which nobody heard may stand, whatever the next one comes to. */
static void keep__refused_after_a_lost_try__number_is_free_when_the_server_said_so(void **state)
{
	struct store_rig *g = *state;
	struct rows *r = rows_start(g, 1);
	uint64_t low = rows_lose(r);

	store_sql(g, "alter table code_send add constraint poison check (n <> 1)");
	rows_keep(r, 0);
	store_sql(g, "alter table code_send drop constraint poison");
	assert_int_equal(r->w.all[0].r, KZ_REFUSED);
	store_await_sure(g);
	assert_true((uint64_t)store_int(g, "select shut from slot where id = 0") == low);
	rows_end(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(codes_put__new_one__stands_with_its_message),
	    STORE_CASE(codes_put__key_used_before__no_code),
	    STORE_CASE(codes_put__kept_again_after_a_loss__stands_once),
	    STORE_CASE(codes_put__second_sending__adds_to_the_code),
	    STORE_CASE(codes_put__the_same_sending_by_two__one_is_refused),
	    STORE_CASE(codes_put__sending_kept_again_after_a_newer_one__the_newer_stands),
	    STORE_CASE(codes_put__another_sending_of_a_code_that_is_over__refused),
	    STORE_CASE(codes_put__as_many_as_a_batch_has__few_locks),
	    STORE_CASE(supersede__open_one_of_the_same_client_phone_and_purpose__has_its_verdict),
	    STORE_CASE(supersede__two_of_one_batch__the_later_one_is_open),
	    STORE_CASE(supersede__other_client_phone_purpose_or_ended__left_as_it_is),
	    STORE_CASE(supersede__kept_again_after_a_newer_one_came__the_newer_one_is_open),
	    STORE_CASE(supersede__given_digits__gone_with_their_code),
	    STORE_CASE(supersede__another_daemon_puts_one_at_the_same_time__waited_for),
	    STORE_CASE(supersede__no_slot_held__nothing_is_kept),
	    STORE_CASE(abandon__lost_before_it_was_seen__number_is_free_again),
	    STORE_CASE(keep__refused_after_a_lost_try__number_is_free_when_the_server_said_so),
	};
	return store_main("code_rows", tests, sizeof tests / sizeof *tests);
}

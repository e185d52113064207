/* All that is known of a code, in a real PostgreSQL. */
#include "codes_rig.h"

#include "store/codes_show.h"

struct shown {
	struct code_shown codes[4];
	char client_ref[16];
	int n, done;
	enum kz r;
};

static struct ids show_ids = {.slot = 9};

/* Wish 0 with code 0, kept with its message to +77011234567. */
static uint64_t show_keep(struct store_rig *g, struct wishes *w, struct code_row *row)
{
	codes_put_clients(g);
	store_hold_feed_slot(g);
	wishes_start(w, g, 2);
	*row = code_row_of(w, 0);
	w->all[0].wish.codes = row;
	w->all[0].wish.codes_n = 1;
	return row->id;
}

static void show_on_code(void *arg, const struct code_shown *c)
{
	struct shown *s = arg;

	snprintf(s->client_ref, sizeof s->client_ref, "%s", c->client_ref ? c->client_ref : "");
	s->codes[s->n++] = *c;
}

static void show_on_done(void *arg, enum kz r)
{
	struct shown *s = arg;

	s->r = r;
	s->done++;
}

static struct shown show(struct store_rig *g, uint64_t id, const char *client)
{
	struct shown s = {.r = KZ_BUSY};

	assert_int_equal(
	    codes_show(g->pg, g->keyring, id, client, store_wall_us(), show_on_code, show_on_done, &s),
	    KZ_OK);
	servers_await(g->loop, &s.done, 1);
	return s;
}

static void show__code_with_all_it_may_have__read_as_kept(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	struct code_row row;
	struct buf second = {0}, digits = {0};
	uint64_t id = show_keep(g, &w, &row);

	code_seal_second(g->keyring, id, (struct msisdn){77027654321}, &second);
	person_seal_given(g->keyring, id, "48151623", &digits);
	row.client_ref = "ref-1";
	row.given = true;
	row.second = second.data;
	row.second_n = second.len;
	row.digits = digits.data;
	row.digits_n = digits.len;
	row.digits_until_us = store_wall_us() + 60000000;
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	const struct shown s = show(g, id, "portal");
	assert_int_equal(s.r, KZ_OK);
	assert_int_equal(s.n, 1);
	assert_true(s.codes[0].state.id == id && s.codes[0].state.given);
	assert_true(s.codes[0].to.digits == 77011234567);
	assert_true(s.codes[0].second.digits == 77027654321);
	assert_string_equal(s.codes[0].given, "48151623");
	assert_string_equal(s.client_ref, "ref-1");
	assert_int_equal(s.codes[0].api_key, 5);
	assert_int_equal(s.codes[0].sends_n, 1);
	assert_int_equal(show(g, id, "clinic").n, 0);
	assert_int_equal(show(g, id + 1, "portal").n, 0);
	assert_int_equal(show(g, INT64_MAX, NULL).r, KZ_OK);
	buf_fini(&second);
	buf_fini(&digits);
	wishes_end(&w);
}

static void show__sealed_for_another_code__not_opened(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	struct code_row row;
	struct buf second = {0};
	uint64_t id = show_keep(g, &w, &row);

	code_seal_second(g->keyring, id + 1, (struct msisdn){77027654321}, &second);
	row.second = second.data;
	row.second_n = second.len;
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	store_sql(g, "update message_person set sealed = sealed || '\\x00'::bytea");
	const struct shown s = show(g, id, "portal");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.codes[0].second.digits, 0);
	assert_int_equal(s.codes[0].to.digits, 0);
	assert_string_equal(s.codes[0].given, "");
	buf_fini(&second);
	wishes_end(&w);
}

static void show__sent_three_times__each_with_the_state_of_its_message(void **state)
{
	struct store_rig *g = *state;
	uint64_t id = ids_next(&show_ids, store_wall_us() / 1000);

	codes_put_clients(g);
	code_put(g, id, 5, "login", 60);
	store_sql(g, "insert into code_send select code_id, n + g, 1, message_id + g, phone, at"
	             " from code_send, generate_series(1, 2) g; update code set sends = 3, resends = 2");
	store_put_event(g, id, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 1, "kcell", "x");
	store_put_event(g, id, 2, EVENT_RECEIPT, true, MESSAGE_DELIVERED, 1, 0, "kcell", NULL);
	store_put_event(g, id + 1, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 1, "kcell", "y");
	const struct shown s = show(g, id, "portal");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.codes[0].sends_n, 3);
	assert_int_equal(s.codes[0].state.resends, 2);
	assert_int_equal(s.codes[0].sends[0].state, MESSAGE_DELIVERED);
	assert_int_equal(s.codes[0].sends[0].why, CODE_ASKED);
	assert_int_equal(s.codes[0].sends[1].state, MESSAGE_SUBMITTED);
	assert_int_equal(s.codes[0].sends[2].state, MESSAGE_ACCEPTED);
	assert_true(s.codes[0].sends[2].message_id == id + 2);
	assert_int_equal(s.codes[0].sends[2].why, CODE_RESENT);
}

static void show__pair__both_in_their_order(void **state)
{
	struct store_rig *g = *state;
	uint64_t pair = ids_next(&show_ids, store_wall_us() / 1000), ids[2];

	codes_put_clients(g);
	for (int i = 0; i < 2; i++)
		code_put(g, ids[i] = ids_next(&show_ids, store_wall_us() / 1000), 5, "login", 60);
	store_sql(g, "update code set pair = %llu", (unsigned long long)pair);
	const struct shown both = show(g, pair, "portal"), one = show(g, ids[1], "portal");
	assert_int_equal(both.n, 2);
	assert_true(both.codes[0].state.id == ids[0] && both.codes[1].state.id == ids[1]);
	assert_int_equal(one.n, 1);
	assert_true(one.codes[0].state.id == ids[1] && one.codes[0].state.pair == pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(show__code_with_all_it_may_have__read_as_kept),
	    STORE_CASE(show__sealed_for_another_code__not_opened),
	    STORE_CASE(show__sent_three_times__each_with_the_state_of_its_message),
	    STORE_CASE(show__pair__both_in_their_order),
	};
	return store_main("codes_show", tests, sizeof tests / sizeof *tests);
}

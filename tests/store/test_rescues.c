/* Codes that did not arrive or are over, as they are read in a real PostgreSQL. */
#include "store_rig.h"

#include "rules/code.h"
#include "store/rescues.h"

#define MOST 32

struct found {
	int count;
	size_t n, looked;
	uint64_t last;
	struct rescue_due all[MOST]; /* without their texts */
	char text[MOST][64];         /* purpose|carrier|link */
};

static void found_on_each(void *arg, const struct rescue_due *d)
{
	struct found *f = arg;

	assert_true(f->n < MOST);
	snprintf(f->text[f->n], sizeof f->text[0], "%s|%s|%s", d->purpose, d->carrier, d->link);
	f->all[f->n++] = *d;
}

static void found_on_done(void *arg, enum kz r, size_t looked, uint64_t last)
{
	struct found *f = arg;

	assert_int_equal(r, KZ_OK);
	f->count++;
	f->looked = looked;
	f->last = last;
}

static struct found page_of(struct store_rig *g, uint8_t slot, uint64_t after, uint64_t upto, int most)
{
	bool held[IDS_SLOTS] = {0};
	struct found f = {0};
	const struct rescues_page p = {held, after, upto, most, store_wall_us()};
	uint64_t ticket;

	held[slot] = true;
	assert_int_equal(rescues_read(g->pg, &p, found_on_each, found_on_done, &f, &ticket), KZ_OK);
	assert_int_equal(f.count, 0);
	servers_await(g->loop, &f.count, 1);
	return f;
}

static struct found page(struct store_rig *g)
{
	return page_of(g, 2, 0, INT64_MAX, MOST);
}

/* Sending n of the code: a message of its own from the second on. The code lives so many seconds from now on.
 */
static uint64_t send_put(struct store_rig *g, struct ids *ids, uint64_t code, int n, int why, int left_s)
{
	uint64_t id = code && n == 1 ? code : store_put_message(g, ids, 1, 77011234567);

	store_sql(g,
	    "insert into code_send values (%llu, %d, %d, %llu, 11, now());"
	    "update code set sends = %d, expires_at = now() + %d * interval '1 s' where id = %llu",
	    (unsigned long long)(n == 1 ? id : code), n, why, (unsigned long long)id, n, left_s,
	    (unsigned long long)code);
	return id;
}

static uint64_t code_put(struct store_rig *g, struct ids *ids, const char *second, int left_s)
{
	uint64_t id = send_put(g, ids, 0, 1, 0, left_s);

	store_sql(g,
	    "insert into code values (%llu, 1, null, 11, 7701123, 'login', 0, null, 6, 5, false, %s, null, "
	    "1, 0, 1, "
	    "now(), now() + %d * interval '1 s', 1, '')",
	    (unsigned long long)id, second, left_s);
	return id;
}

static void submission_put(struct store_rig *g, uint64_t id, int at_s, const char *carrier, const char *link)
{
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, part, parts, carrier, link, "
	    "operator_id)"
	    " values (%llu, timestamptz '2026-01-01 00:00:00Z' + %d * interval '1 s', 1, false, 1, 1, 1, "
	    "'%s', '%s', '7')",
	    (unsigned long long)id, at_s, carrier, link);
}

static void end_put(struct store_rig *g, uint64_t id, int state)
{
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, feed) values (%llu, now(), 4, "
	    "true, %d, 9)",
	    (unsigned long long)id, state);
}

static void read__open_and_not_delivered__with_what_the_newest_submission_says(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2};
	uint64_t code = code_put(g, &ids, "'sealed'", 100);

	submission_put(g, code, 3, "one", "one.a");
	submission_put(g, code, 9, "two", "two.b");
	submission_put(g, code, 6, "one", "one.b");
	const struct found f = page(g);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.looked, 1);
	assert_true(f.last == code && f.all[0].code == code && f.all[0].message_id == code);
	assert_false(f.all[0].over);
	assert_int_equal(f.all[0].n, 1);
	assert_int_equal(f.all[0].state, MESSAGE_SUBMITTED);
	assert_int_equal(f.all[0].submitted_us, INT64_C(1767225609000000));
	assert_in_range(f.all[0].sent_us, store_wall_us() - 60000000, store_wall_us() + 60000000);
	assert_true(f.all[0].second);
	assert_string_equal(f.text[0], "login|two|two.b");
}

static void read__not_submitted_or_ended_badly__with_its_state(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2};
	uint64_t code[4];

	for (int i = 0; i < 4; i++)
		code[i] = code_put(g, &ids, "null", 100);
	submission_put(g, code[1], 1, "one", "one.a");
	end_put(g, code[1], MESSAGE_UNDELIVERABLE);
	end_put(g, code[2], MESSAGE_REJECTED);
	end_put(g, code[3], MESSAGE_DELIVERED);
	const struct found f = page(g);
	assert_int_equal(f.looked, 4);
	assert_int_equal(f.n, 3);
	int states[3];
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			if (f.all[i].code == code[k])
				states[k] = (int)f.all[i].state;
	assert_int_equal(states[0], MESSAGE_ACCEPTED);
	assert_int_equal(states[1], MESSAGE_UNDELIVERABLE);
	assert_int_equal(states[2], MESSAGE_REJECTED);
	assert_int_equal(f.all[0].submitted_us * (f.all[0].code == code[0]), 0);
	assert_false(f.all[0].second);
}

static void read__ruled_or_rescued_before__not_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2};
	uint64_t ruled = code_put(g, &ids, "null", 100), rescued = code_put(g, &ids, "null", 100);

	store_sql(g, "insert into code_verdict values (%llu, now(), 1, null, 7)", (unsigned long long)ruled);
	send_put(g, &ids, rescued, 2, 2, 100);
	send_put(g, &ids, rescued, 3, 1, 100); /* asked for again since */
	const struct found f = page(g);
	assert_int_equal(f.looked, 4);
	assert_int_equal(f.n, 0);
}

static void read__sent_again__told_of_its_newest_message_alone(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2};
	uint64_t code = code_put(g, &ids, "'sealed'", 100), again;

	end_put(g, code, MESSAGE_UNDELIVERABLE);
	again = send_put(g, &ids, code, 2, 1, 100);
	store_sql(g, "update code_send set phone = 12 where n = 2"); /* it has gone there already */
	struct found f = page(g);
	assert_int_equal(f.n, 1);
	assert_true(f.all[0].message_id == again && f.all[0].n == 2);
	assert_false(f.all[0].second);
	f = page_of(g, 2, 0, code, MOST); /* the first alone: the newest comes when its own time has come */
	assert_int_equal(f.looked, 1);
	assert_int_equal(f.n, 0);
}

static void read__its_time_is_over__told_whatever_was_delivered_or_rescued(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2};
	uint64_t delivered = code_put(g, &ids, "null", -1), rescued = code_put(g, &ids, "null", -1);
	uint64_t longer = code_put(g, &ids, "null", -1);

	end_put(g, delivered, MESSAGE_DELIVERED);
	send_put(g, &ids, rescued, 2, 2, -1);
	end_put(g, longer, MESSAGE_DELIVERED);
	end_put(g, send_put(g, &ids, longer, 2, 1, 60), MESSAGE_DELIVERED); /* the newest counts */
	const struct found f = page(g);
	assert_int_equal(f.n, 2);
	for (int i = 0; i < 2; i++) {
		assert_true(f.all[i].over);
		assert_true(f.all[i].code == delivered || f.all[i].code == rescued);
	}
	assert_true(f.all[0].code != f.all[1].code);
}

static void read__bounds_and_slots__pages_of_all_those_that_are_ours_told(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2}, others = {.slot = 3};
	uint64_t n[4];

	for (int i = 0; i < 4; i++)
		n[i] = code_put(g, i % 2 ? &others : &ids, "null", 100);
	struct found f = page_of(g, 2, n[0], INT64_MAX, 2);
	assert_int_equal(f.looked, 2);
	assert_true(f.last == n[2]);
	assert_int_equal(f.n, 1);
	assert_true(f.all[0].code == n[2]);
	f = page_of(g, 3, n[0], n[2], MOST);
	assert_int_equal(f.looked, 2);
	assert_int_equal(f.n, 1);
	f = page_of(g, 2, n[3], INT64_MAX, MOST);
	assert_int_equal(f.looked, 0);
	assert_int_equal(f.last, 0);
}

static void of__messages_that_ended__their_codes_of_any_slot(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 2}, others = {.slot = 3};
	uint64_t id[4], ticket;
	struct found f = {0};

	id[0] = store_put_message(g, &ids, 1, 77011234567); /* no code's */
	id[1] = code_put(g, &ids, "null", 100);
	id[2] = code_put(g, &others, "null", 100);
	id[3] = 7;
	code_put(g, &ids, "null", 100);
	end_put(g, id[1], MESSAGE_UNDELIVERABLE);
	assert_int_equal(
	    rescues_of(g->pg, id, 4, store_wall_us(), found_on_each, found_on_done, &f, &ticket), KZ_OK);
	servers_await(g->loop, &f.count, 1);
	assert_int_equal(f.n, 2);
	assert_true((f.all[0].code == id[1] && f.all[1].code == id[2]) ||
	            (f.all[0].code == id[2] && f.all[1].code == id[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(read__open_and_not_delivered__with_what_the_newest_submission_says),
	    STORE_CASE(read__not_submitted_or_ended_badly__with_its_state),
	    STORE_CASE(read__ruled_or_rescued_before__not_told),
	    STORE_CASE(read__sent_again__told_of_its_newest_message_alone),
	    STORE_CASE(read__its_time_is_over__told_whatever_was_delivered_or_rescued),
	    STORE_CASE(read__bounds_and_slots__pages_of_all_those_that_are_ours_told),
	    STORE_CASE(of__messages_that_ended__their_codes_of_any_slot),
	};

	return store_main("rescues", tests, sizeof tests / sizeof *tests);
}

/* What is known of codes and ruled about them in a real PostgreSQL. */
#include "codes_rig.h"

struct quest {
	struct code_quest quest;
	struct asked *of;
	enum kz r;
	struct code_found found;
};

struct asked {
	struct codes *codes;
	struct ids ids;
	int done, ours, same_key, refused;
	enum code_verdict last;
	struct quest quests[1000];
};

static struct asked *asked_new(struct store_rig *g)
{
	struct asked *a = calloc(1, sizeof *a);

	a->ids.slot = 9;
	codes_put_clients(g);
	store_hold_feed_slot(g);
	a->codes = codes_new(g->loop, g->pg, g->feed, &g->limits);
	return a;
}

static void asked_free(struct asked *a)
{
	codes_free(a->codes);
	free(a);
}

static uint64_t asked_put(struct store_rig *g, struct asked *a, int api_key)
{
	uint64_t id = ids_next(&a->ids, store_wall_us() / 1000);

	code_put(g, id, api_key, "login", 60);
	return id;
}

static void asked_on_found(struct code_quest *q, enum kz r, const struct code_found *f)
{
	struct quest *o = list_entry(q, struct quest, quest);

	o->r = r;
	o->found = *f;
	o->of->done++;
}

static struct quest *asked_find(struct asked *a, int i, uint64_t id, const char *client, int64_t token)
{
	struct quest *q = &a->quests[i];

	*q = (struct quest){
	    .of = a, .quest = {.id = id, .client = client, .token = token, .done = asked_on_found}};
	codes_find(a->codes, &q->quest);
	return q;
}

static void asked_await(struct store_rig *g, struct asked *a, int n)
{
	servers_await(g->loop, &a->done, n);
	assert_int_equal(a->done, n);
	a->done = 0;
}

static void asked_on_ruled(void *arg, enum kz r, const struct code_stand *s)
{
	struct asked *a = arg;

	a->refused += r != KZ_OK;
	a->ours += s->ours;
	a->same_key += s->same_key;
	a->last = s->verdict;
	a->done++;
}

static struct code_ruling *asked_ruling(struct asked *a, uint64_t id)
{
	struct code_ruling *r = calloc(1, sizeof *r);

	*r = (struct code_ruling){
	    .id = id, .at_us = store_wall_us(), .phone = CODES_PHONE, .done = asked_on_ruled, .arg = a};
	return r;
}

static void asked_wrong(struct asked *a, uint64_t id, int64_t token)
{
	struct code_ruling *r = asked_ruling(a, id);

	r->wrong = true;
	r->token = token;
	codes_rule(a->codes, r);
}

static void asked_verdict(struct asked *a, uint64_t id, enum code_verdict v, int key)
{
	struct code_ruling *r = asked_ruling(a, id);

	r->verdict = v;
	r->has_key = key != 0;
	memset(r->key_hash, key, SECRET_HASH);
	codes_rule(a->codes, r);
}

static void find__three_ids_in_one_round__each_its_own(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t one = asked_put(g, a, 5), two = asked_put(g, a, 6);
	struct quest *q = asked_find(a, 0, two, "portal", 1), *none = asked_find(a, 1, two + 1, "portal", 1),
	             *p = asked_find(a, 2, one, "portal", 1);

	asked_await(g, a, 3);
	assert_int_equal(q->r, KZ_OK);
	assert_true(q->found.code.id == two);
	assert_int_equal(p->r, KZ_OK);
	assert_true(p->found.code.id == one && p->found.code.phone == CODES_PHONE);
	assert_string_equal(p->found.code.purpose, "login");
	assert_memory_equal(p->found.code.mac, "0123456789abcdef0123456789abcdef", SECRET_HASH);
	assert_int_equal(p->found.code.length, 6);
	assert_int_equal(p->found.code.issue, 1);
	assert_int_equal(p->found.code.verdict, CODE_OPEN);
	assert_int_equal(none->r, KZ_NOT_FOUND);
	assert_false(none->found.pair);
	asked_free(a);
}

static void find__anothers_code__not_found(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 7);
	struct quest *other = asked_find(a, 0, id, "portal", 1), *own = asked_find(a, 1, id, "clinic", 1),
	             *control = asked_find(a, 2, id, NULL, 1);

	asked_await(g, a, 3);
	assert_int_equal(other->r, KZ_NOT_FOUND);
	assert_int_equal(own->r, KZ_OK);
	assert_int_equal(control->r, KZ_OK);
	asked_free(a);
}

static void find__id_of_a_pair__said_to_its_client_alone(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t pair = ids_next(&a->ids, store_wall_us() / 1000), id = asked_put(g, a, 5);

	store_sql(g, "update code set pair = %llu", (unsigned long long)pair);
	struct quest *own = asked_find(a, 0, pair, "portal", 1), *other = asked_find(a, 1, pair, "clinic", 1),
	             *code = asked_find(a, 2, id, "portal", 1);
	asked_await(g, a, 3);
	assert_int_equal(own->r, KZ_NOT_FOUND);
	assert_true(own->found.pair);
	assert_false(other->found.pair);
	assert_true(code->found.code.pair == pair);
	asked_free(a);
}

static void find__wrong_tries__counted_for_the_code_and_the_phone(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t one = asked_put(g, a, 5), two = asked_put(g, a, 5);

	asked_wrong(a, one, 1);
	asked_wrong(a, one, 2);
	asked_wrong(a, two, 1);
	asked_await(g, a, 3);
	store_sql(g,
	    "update code_wrong set at = now() - interval '61 min' where code_id = %llu and token = 2",
	    (unsigned long long)one);
	struct quest *known = asked_find(a, 0, one, "portal", 2), *new = asked_find(a, 1, one, "portal", 3);
	asked_await(g, a, 2);
	assert_int_equal(new->found.code.wrong, 2);
	assert_int_equal(new->found.code.phone_wrong, 2);
	assert_true(known->found.known);
	assert_false(new->found.known);
	asked_free(a);
}

static void find__phone_lifted__only_the_tries_after_it_count(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	asked_wrong(a, id, 1);
	asked_wrong(a, id, 2);
	asked_await(g, a, 2);
	store_sql(g, "update code_wrong set at = now() - interval '10 min' where token = 1");
	store_sql(g,
	    "insert into guard_hold (kind, subject, shown, since, until, lifted_at) select 2, phone, 'x',"
	    " now() - interval '9 min', now(), now() - interval '5 min' from code");
	struct quest *q = asked_find(a, 0, id, "portal", 3);
	asked_await(g, a, 1);
	assert_int_equal(q->found.code.wrong, 2);
	assert_int_equal(q->found.code.phone_wrong, 1);
	assert_in_range(q->found.code.phone_wrong_us, store_wall_us() - 60000000, store_wall_us());
	store_sql(g, "delete from guard_hold");
	asked_free(a);
}

static void find__sent_again__by_the_newest_sending(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	store_sql(g, "update code set sends = 2, resends = 1, issue = 2, key = 2,"
	             " expires_at = expires_at + interval '1 min'");
	struct quest *q = asked_find(a, 0, id, "portal", 1);
	asked_await(g, a, 1);
	assert_int_equal(q->found.code.sends, 2);
	assert_int_equal(q->found.code.resends, 1);
	assert_int_equal(q->found.code.issue, 2);
	assert_int_equal(q->found.code.key, 2);
	assert_true(q->found.code.expires_us > store_wall_us() + 100000000);
	asked_free(a);
}

static void rule__the_same_wrong_try_twice__one_row(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	asked_wrong(a, id, 7);
	asked_wrong(a, id, 7);
	asked_await(g, a, 2);
	asked_wrong(a, id, 7);
	asked_await(g, a, 1);
	assert_int_equal(store_int(g, "select count(*) from code_wrong"), 1);
	assert_int_equal(a->refused, 0);
	asked_free(a);
}

static void rule__1000_approvals_at_once__one_is_its_own(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	for (int i = 0; i < 1000; i++)
		asked_verdict(a, id, CODE_APPROVED, 1 + i % 200);
	asked_await(g, a, 1000);
	assert_int_equal(a->ours, 1);
	assert_int_equal(a->same_key, 5);
	assert_int_equal(store_int(g, "select count(*) from code_verdict"), 1);
	asked_free(a);
}

static void rule__second_verdict__hears_the_first(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	asked_verdict(a, id, CODE_CANCELLED, 0);
	asked_await(g, a, 1);
	assert_int_equal(a->ours, 1);
	asked_verdict(a, id, CODE_APPROVED, 3);
	asked_await(g, a, 1);
	assert_int_equal(a->ours, 1);
	assert_int_equal(a->same_key, 0);
	assert_int_equal(a->last, CODE_CANCELLED);
	struct quest *q = asked_find(a, 0, id, "portal", 1);
	asked_await(g, a, 1);
	assert_int_equal(q->found.code.verdict, CODE_CANCELLED);
	assert_true(q->found.code.ended_us > 0);
	asked_free(a);
}

static void rule__verdict__given_digits_of_that_code_are_gone(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5), open = asked_put(g, a, 5);

	store_sql(g, "insert into code_given select id, now() + interval '1 min', 'x' from code");
	asked_wrong(a, id, 1);
	asked_await(g, a, 1);
	assert_int_equal(store_int(g, "select count(*) from code_given"), 2);
	asked_verdict(a, id, CODE_EXHAUSTED, 0);
	asked_await(g, a, 1);
	assert_int_equal(store_int(g, "select count(*) from code_given"), 1);
	assert_true((uint64_t)store_int(g, "select code_id from code_given") == open);
	asked_free(a);
}

static void rule__last_wrong_try__both_or_nothing(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);
	struct code_ruling *r = asked_ruling(a, id);

	r->wrong = true;
	r->token = 1;
	r->verdict = CODE_EXHAUSTED;
	codes_rule(a->codes, r);
	asked_await(g, a, 1);
	assert_int_equal(store_int(g, "select count(*) from code_wrong w join code_verdict v using (code_id)"
	                              " where w.xmin = v.xmin and verdict = 2"),
	    1);
	assert_int_equal(store_int(g, "select (feed >> 14) & 255 from code_verdict"), feed_slot(g->feed));
	asked_free(a);
}

static void rule__two_verdicts_on_one_code__the_one_that_stands_is_counted(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);
	double cancelled = metric_value(code_ended_metric(CODE_CANCELLED));
	double expired = metric_value(code_ended_metric(CODE_EXPIRED));

	asked_verdict(a, id, CODE_CANCELLED, 0);
	asked_await(g, a, 1);
	asked_verdict(a, id, CODE_EXPIRED, 0);
	asked_await(g, a, 1);
	assert_int_equal(a->ours, 1);
	assert_true(metric_value(code_ended_metric(CODE_CANCELLED)) - cancelled == 1);
	assert_true(metric_value(code_ended_metric(CODE_EXPIRED)) == expired);
	asked_free(a);
}

/* A try of nobody's code leaves no row, and its commit writes to the log as others do. */
static void rule__void__is_a_commit_of_its_own(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	int64_t before = store_int(g, "select pg_current_wal_insert_lsn() - '0/0'");

	codes_rule(a->codes, asked_ruling(a, 0));
	asked_await(g, a, 1);
	assert_int_equal(a->refused, 0);
	assert_true(store_int(g, "select pg_current_wal_insert_lsn() - '0/0'") > before);
	assert_int_equal(store_int(g, "select count(*) from code_wrong"), 0);
	asked_free(a);
}

static void rule__no_slot_held__verdicts_wait_and_wrong_tries_go_on(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	feed_set_slot(g->feed, -1, 0);
	codes_on_slot(a->codes);
	asked_verdict(a, id, CODE_CANCELLED, 0);
	asked_wrong(a, id, 1);
	asked_await(g, a, 1);
	assert_int_equal(codes_pending(a->codes), 1);
	assert_int_equal(code_verdict_of(g, id), CODE_OPEN);
	feed_set_slot(g->feed, 0, 0);
	codes_on_slot(a->codes);
	asked_await(g, a, 1);
	assert_int_equal(code_verdict_of(g, id), CODE_CANCELLED);
	assert_int_equal(codes_pending(a->codes), 0);
	asked_free(a);
}

static void rule__connection_lost_in_the_commit__kept_all_the_same(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = asked_put(g, a, 5);

	store_sql(g, "begin");
	store_sql(g, "insert into code_verdict values (%llu, now(), 3, null, 1)", (unsigned long long)id);
	asked_verdict(a, id, CODE_APPROVED, 1);
	while (!store_int(g, "select count(*) from pg_locks where not granted"))
		loop_turn(g->loop, 5);
	store_sql(g, "select pg_terminate_backend(pid) from pg_locks where not granted");
	store_sql(g, "rollback");
	asked_await(g, a, 1);
	assert_int_equal(a->ours, 1);
	assert_int_equal(code_verdict_of(g, id), CODE_APPROVED);
	asked_free(a);
}

static void sweep__time_is_over__gone(void **state)
{
	struct store_rig *g = *state;

	store_sql(g, "insert into code_given values (1, now() - interval '1 s', 'x'), (2, now() + interval "
	             "'1 min', 'y')");
	codes_sweep(g->pg);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 20);
	assert_int_equal(store_int(g, "select sum(code_id) from code_given"), 2);
}

/* Two daemons may have the same codes in any order. */
static void rule__several_codes__by_their_ids_so_that_nobody_waits_for_each_other(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t one = asked_put(g, a, 5), two = asked_put(g, a, 5);
	unsigned long long least = one, most = two;

	store_sql(g, "begin");
	store_sql(g, "set local lock_timeout = '500ms'");
	store_sql(g, "insert into code_verdict values (%llu, now(), 3, null, 1)", least);
	asked_verdict(a, two, CODE_APPROVED, 1);
	asked_verdict(a, one, CODE_APPROVED, 2);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "insert into code_verdict values (%llu, now(), 3, null, 2)", most);
	store_sql(g, "commit");
	asked_await(g, a, 2);
	store_sql(g, "begin");
	store_sql(g, "set local lock_timeout = '500ms'");
	store_sql(g, "insert into code_wrong values (%llu, 1, now(), 1)", least);
	asked_wrong(a, two, 1);
	asked_wrong(a, one, 1);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "insert into code_wrong values (%llu, 1, now(), 1)", most);
	store_sql(g, "commit");
	asked_await(g, a, 2);
	assert_int_equal(a->refused, 0);
	asked_free(a);
}

static void rule__expired_while_it_is_sent_again__stays_open_with_its_digits(void **state)
{
	struct store_rig *g = *state;
	struct asked *a = asked_new(g);
	uint64_t id = ids_next(&a->ids, store_wall_us() / 1000),
	         over = ids_next(&a->ids, store_wall_us() / 1000);

	code_put(g, id, 5, "login", -1);
	code_put(g, over, 5, "phone", -1);
	store_sql(g, "insert into code_given values (%llu, now() + interval '1 min', 'sealed')",
	    (unsigned long long)id);
	store_sql(g, "begin");
	store_sql(g, "select codes_begin(array[%lld], '{}')", (long long)CODES_PHONE);
	asked_verdict(a, id, CODE_EXPIRED, 0);
	asked_verdict(a, over, CODE_EXPIRED, 0);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "update code set sends = 2, expires_at = now() + interval '1 min' where id = %llu",
	    (unsigned long long)id);
	store_sql(g, "commit");
	asked_await(g, a, 2);
	assert_int_equal(code_verdict_of(g, id), CODE_OPEN);
	assert_int_equal(store_int(g, "select count(*) from code_given"), 1);
	assert_int_equal(code_verdict_of(g, over), CODE_EXPIRED);
	asked_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(find__three_ids_in_one_round__each_its_own),
	    STORE_CASE(find__anothers_code__not_found),
	    STORE_CASE(find__id_of_a_pair__said_to_its_client_alone),
	    STORE_CASE(find__wrong_tries__counted_for_the_code_and_the_phone),
	    STORE_CASE(find__phone_lifted__only_the_tries_after_it_count),
	    STORE_CASE(find__sent_again__by_the_newest_sending),
	    STORE_CASE(rule__the_same_wrong_try_twice__one_row),
	    STORE_CASE(rule__1000_approvals_at_once__one_is_its_own),
	    STORE_CASE(rule__second_verdict__hears_the_first),
	    STORE_CASE(rule__verdict__given_digits_of_that_code_are_gone),
	    STORE_CASE(rule__last_wrong_try__both_or_nothing),
	    STORE_CASE(rule__two_verdicts_on_one_code__the_one_that_stands_is_counted),
	    STORE_CASE(rule__void__is_a_commit_of_its_own),
	    STORE_CASE(rule__no_slot_held__verdicts_wait_and_wrong_tries_go_on),
	    STORE_CASE(rule__connection_lost_in_the_commit__kept_all_the_same),
	    STORE_CASE(sweep__time_is_over__gone),
	    STORE_CASE(rule__several_codes__by_their_ids_so_that_nobody_waits_for_each_other),
	    STORE_CASE(rule__expired_while_it_is_sent_again__stays_open_with_its_digits),
	};
	return store_main("codes", tests, sizeof tests / sizeof *tests);
}

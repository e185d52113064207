/* traces: a message and its events read back from a real PostgreSQL. */
#include "store_rig.h"

#include "store/trace.h"

#define MOST 4

struct seen {
	int done, n;
	enum kz r;
	uint64_t id[MOST];
	enum message_state state[MOST];
	uint64_t msisdn[MOST], code[MOST];
	enum code_why why[MOST];
	size_t events_n;         /* of the last message */
	char events[MOST][1024]; /* "kind/part/state/status " each */
	char first[256];         /* the texts of the first message and of its first event */
};

static void seen_on_each(void *arg, const struct trace *t)
{
	struct seen *s = arg;
	char *at = s->events[s->n], *end = at + sizeof *s->events;

	s->id[s->n] = t->message.id;
	s->state[s->n] = t->state;
	s->msisdn[s->n] = t->message.to.digits;
	s->code[s->n] = t->code;
	s->why[s->n] = t->why;
	s->events_n = t->events_n;
	for (size_t i = 0; i < t->events_n; i++) {
		const struct trace_event *e = &t->events[i];

		if (end - at > 32)
			at += snprintf(
			    at, (size_t)(end - at), "%d/%u/%d/%s ", e->kind, e->part, e->state, e->status);
	}
	if (!s->n && t->events_n)
		snprintf(s->first, sizeof s->first, "%s|%s|%s|%s|%s|%s|%s|%s", t->message.text,
		    t->message.sender ? t->message.sender : "-",
		    t->message.client_ref ? t->message.client_ref : "-", t->events[0].carrier,
		    t->events[0].link, t->events[0].operator_id, t->events[0].status, t->events[0].detail);
	s->n++;
}

static void seen_on_done(void *arg, enum kz r)
{
	struct seen *s = arg;

	s->done++;
	s->r = r;
}

static int by_id(struct store_rig *g, struct seen *s, uint64_t id, const char *client)
{
	*s = (struct seen){0};
	assert_int_equal(trace_by_id(g->pg, g->keyring, id, client, seen_on_each, seen_on_done, s), KZ_OK);
	assert_int_equal(s->done, 0);
	servers_await(g->loop, &s->done, 1);
	assert_int_equal(s->r, KZ_OK);
	return s->n;
}

static int by_ref(struct store_rig *g, struct seen *s, const char *ref, const char *client, int most)
{
	*s = (struct seen){0};
	assert_int_equal(
	    trace_by_ref(g->pg, g->keyring, ref, client, most, seen_on_each, seen_on_done, s), KZ_OK);
	servers_await(g->loop, &s->done, 1);
	assert_int_equal(s->r, KZ_OK);
	return s->n;
}

static void by_id__unknown__none(void **state)
{
	struct seen s;

	assert_int_equal(by_id(*state, &s, 4711, NULL), 0);
}

static void by_id__without_events__accepted(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	assert_int_equal(by_id(g, &s, id, NULL), 1);
	assert_true(s.id[0] == id);
	assert_int_equal(s.state[0], MESSAGE_ACCEPTED);
	assert_true(s.msisdn[0] == 77011234567);
	assert_string_equal(s.events[0], "");
}

static void by_id__every_text__comes_back_but_the_body(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	store_put_person(g, id, &(struct person){.to = {77011234567}, .sender = "1414", .text = "Salem"});
	store_sql(g,
	    "update message set client_ref = 'ref-1';"
	    "insert into message_event values (%llu, now(), 1, false, 1, 1, 1, 'beeline', 'beeline-1', '1f', "
	    "'ESME_ROK', 'қосымша')",
	    (unsigned long long)id);
	assert_int_equal(by_id(g, &s, id, NULL), 1);
	assert_string_equal(s.first, "|1414|ref-1|beeline|beeline-1|1f|ESME_ROK|қосымша");
}

static void by_id__events_out_of_order_and_doubled__in_order_once(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	struct ids ids = {0};
	uint64_t id = store_put_message(g, &ids, 2, 77011234567);
	uint64_t other = store_put_message(g, &ids, 2, 77011234567);

	for (int twice = 0; twice < 2; twice++) {
		store_put_event(g, id, 9, EVENT_RECEIPT, false, MESSAGE_DELIVERED, 1, 0, "beeline", "");
		store_put_event(g, id, 1, EVENT_REFUSED, false, MESSAGE_ACCEPTED, 1, 0, "beeline", "");
		store_put_event(g, id, 3, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 2, 2, "beeline", "b");
		store_put_event(g, id, 2, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 2, "beeline", "a");
	}
	store_put_event(g, other, 1, EVENT_FAILED, true, MESSAGE_FAILED, 0, 0, "", "");
	assert_int_equal(by_id(g, &s, id, NULL), 1);
	assert_string_equal(s.events[0], "2/1/0/ 1/1/1/ 1/2/1/ 4/1/6/ ");
	assert_int_equal(s.state[0], MESSAGE_SUBMITTED); /* one part's receipt ends nothing */
	assert_int_equal(by_id(g, &s, other, NULL), 1);
	assert_int_equal(s.state[0], MESSAGE_FAILED);
}

static void state__two_final_words__the_first_stands(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	store_put_event(g, id, 7, EVENT_RECEIPT, true, MESSAGE_UNDELIVERABLE, 1, 0, "beeline", "");
	store_put_event(g, id, 5, EVENT_RECEIPT, true, MESSAGE_DELIVERED, 1, 0, "beeline", "");
	store_put_event(g, id, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 1, "beeline", "a");
	assert_int_equal(by_id(g, &s, id, NULL), 1);
	assert_int_equal(s.state[0], MESSAGE_DELIVERED);
}

static void state__final_word_beyond_the_events_shown__stands(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	struct ids ids = {0};
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);
	uint64_t submitted = store_put_message(g, &ids, 1, 77011234567);

	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, part, status)"
	    " select id, timestamptz '2025-12-31' + i * interval '1 s', 2, false, 0, 1, 'ESME_RTHROTTLED'"
	    " from generate_series(1, 200) i, message m where m.id in (%llu, %llu)",
	    (unsigned long long)id, (unsigned long long)submitted);
	store_put_event(g, id, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 1, "beeline", "a");
	store_put_event(g, id, 2, EVENT_RECEIPT, true, MESSAGE_DELIVERED, 1, 0, "beeline", "");
	store_put_event(g, submitted, 1, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, 1, 1, "beeline", "b");
	assert_int_equal(by_id(g, &s, id, NULL), 1);
	assert_int_equal(s.state[0], MESSAGE_DELIVERED);
	assert_int_equal(s.events_n, 200);
	assert_int_equal(by_id(g, &s, submitted, NULL), 1);
	assert_int_equal(s.state[0], MESSAGE_SUBMITTED);
}

static void by_id__personal_fields_gone__without_a_number(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	store_sql(g, "truncate message_person");
	assert_int_equal(by_id(g, &s, id, NULL), 1);
	assert_true(s.msisdn[0] == 0);
}

static void client__given__only_messages_of_its_keys(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	struct ids ids = {0};
	uint64_t mine = store_put_message(g, &ids, 1, 77011234567);
	uint64_t theirs = store_put_message(g, &ids, 1, 77011234567);

	store_sql(g,
	    "insert into api_key (client, hash, scopes, revoked_at) values ('portal', '1', '{}', now()),"
	    " ('another', '2', '{}', null), ('portal', '3', '{}', null)");
	store_sql(g, "update message set api_key = 2 where id = %llu", (unsigned long long)theirs);
	store_sql(g, "update message set client_ref = 'ref'");
	assert_int_equal(by_id(g, &s, mine, "portal"), 1); /* by a key that was revoked since */
	assert_int_equal(by_id(g, &s, theirs, "portal"), 0);
	assert_int_equal(by_id(g, &s, theirs, "another"), 1);
	assert_int_equal(by_id(g, &s, theirs, NULL), 1);
	assert_int_equal(by_ref(g, &s, "ref", "portal", 4), 1);
	assert_true(s.id[0] == mine);
	assert_int_equal(by_ref(g, &s, "ref", "nobody", 4), 0);
}

static void by_ref__several__the_newest_first_with_their_own_events(void **state)
{
	struct store_rig *g = *state;
	struct seen s;
	struct ids ids = {0};
	uint64_t all[4];

	for (int i = 0; i < 4; i++) {
		all[i] = store_put_message(g, &ids, 1, 77011234567);
		store_put_event(g, all[i], i, EVENT_FAILED, true, MESSAGE_FAILED + i, 0, 0, "", "");
	}
	store_sql(g, "update message set client_ref = case id when %llu then 'other' else 'ref' end",
	    (unsigned long long)all[2]);
	assert_int_equal(by_ref(g, &s, "ref", NULL, 2), 2);
	assert_true(s.id[0] == all[3]);
	assert_true(s.id[1] == all[1]);
	assert_string_equal(s.events[0], "6/0/5/ ");
	assert_string_equal(s.events[1], "6/0/3/ ");
	assert_int_equal(by_ref(g, &s, "ref", NULL, 4), 3);
	assert_int_equal(by_ref(g, &s, "none", NULL, 4), 0);
}

static void trace__database_lost_meanwhile__lost_and_nothing_told(void **state)
{
	struct store_rig *g = *state;
	struct seen s = {0};
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);

	store_sql(g, "begin; lock table message_event in access exclusive mode");
	assert_int_equal(trace_by_id(g->pg, g->keyring, id, NULL, seen_on_each, seen_on_done, &s), KZ_OK);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "select pg_terminate_backend(pid) from pg_locks where not granted");
	servers_await(g->loop, &s.done, 1);
	store_sql(g, "commit");
	assert_int_equal(s.r, KZ_LOST);
	assert_int_equal(s.n, 0);
}

static void by_id__message_of_a_code__which_and_why(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	struct seen s;
	uint64_t code = store_put_message(g, &ids, 1, 77011234567),
	         again = store_put_message(g, &ids, 1, 77011234567);
	uint64_t plain = store_put_message(g, &ids, 1, 77011234567);

	store_sql(g,
	    "insert into code_send values (%llu, 1, 0, %llu, 11, now()), (%llu, 2, 2, %llu, 11, now())",
	    (unsigned long long)code, (unsigned long long)code, (unsigned long long)code,
	    (unsigned long long)again);
	assert_int_equal(by_id(g, &s, code, NULL), 1);
	assert_true(s.code[0] == code && s.why[0] == CODE_ASKED);
	assert_int_equal(by_id(g, &s, again, NULL), 1);
	assert_true(s.code[0] == code && s.why[0] == CODE_RESCUED);
	assert_string_equal(code_why_name(s.why[0]), "rescue");
	assert_int_equal(by_id(g, &s, plain, NULL), 1);
	assert_true(s.code[0] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(by_id__message_of_a_code__which_and_why),
	    STORE_CASE(by_id__unknown__none),
	    STORE_CASE(by_id__without_events__accepted),
	    STORE_CASE(by_id__every_text__comes_back_but_the_body),
	    STORE_CASE(by_id__events_out_of_order_and_doubled__in_order_once),
	    STORE_CASE(state__two_final_words__the_first_stands),
	    STORE_CASE(state__final_word_beyond_the_events_shown__stands),
	    STORE_CASE(by_id__personal_fields_gone__without_a_number),
	    STORE_CASE(client__given__only_messages_of_its_keys),
	    STORE_CASE(by_ref__several__the_newest_first_with_their_own_events),
	    STORE_CASE(trace__database_lost_meanwhile__lost_and_nothing_told),
	};

	return store_main("trace", tests, sizeof tests / sizeof *tests);
}

/* messages that were accepted and not finished, and what the hot path leaves behind. */
#include "messages_rig.h"

#include "rules/code.h"
#include "store/events.h"

struct opened {
	int done;
	enum kz r;
	size_t looked, n;
	uint64_t last;
	struct message_open all[64];
	char first[256]; /* the texts of the first */
	char last_text[64];
};

static void open_on_each(void *arg, const struct message_open *m)
{
	struct opened *o = arg;

	if (!o->n)
		snprintf(o->first, sizeof o->first, "%s|%s|%s", m->message.text ? m->message.text : "-",
		    m->message.sender ? m->message.sender : "-",
		    m->message.client_ref ? m->message.client_ref : "-");
	snprintf(o->last_text, sizeof o->last_text, "%s", m->message.text ? m->message.text : "-");
	o->all[o->n++] = *m;
}

static void open_on_done(void *arg, enum kz r, size_t looked, uint64_t last)
{
	struct opened *o = arg;

	o->done++;
	o->r = r;
	o->looked = looked;
	o->last = last;
}

static size_t open_ask(struct store_rig *g, struct opened *o, uint64_t after, int most)
{
	*o = (struct opened){0};
	assert_int_equal(
	    messages_open(g->pg, g->keyring, 3, after, INT64_MAX, most, open_on_each, open_on_done, o),
	    KZ_OK);
	assert_int_equal(o->done, 0);
	servers_await(g->loop, &o->done, 1);
	assert_int_equal(o->r, KZ_OK);
	assert_true(o->looked >= o->n);
	return o->n;
}

static void put_submitted(struct store_rig *g, uint64_t id, int part, int parts)
{
	store_put_event(g, id, part, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, parts, "beeline", "op");
}

static void open__nothing_kept__none(void **state)
{
	struct opened o;

	assert_int_equal(open_ask(*state, &o, 0, 10), 0);
}

static void open__fresh_message__comes_back_as_kept(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	struct opened o;
	const struct message *m = &o.all[0].message;

	wishes_start(&w, g, 2);
	w.rows[0].client_ref = "ref-1";
	w.rows[0].sender = "1414";
	w.rows[0].language = 1;
	w.rows[0].class = MESSAGE_CODE;
	w.rows[0].parts = 2;
	w.rows[0].alphabet = ALPHABET_UCS2;
	w.rows[0].text = "Сәлем";
	wishes_keep(&w, 0);
	wishes_keep(&w, 1);
	wishes_await(&w, 2);
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	assert_string_equal(o.first, "Сәлем|1414|ref-1");
	assert_true(m->id == w.rows[0].id);
	assert_int_equal(m->class, MESSAGE_CODE);
	assert_true(m->to.digits == 77011234567);
	assert_int_equal(m->parts, 2);
	assert_int_equal(m->alphabet, ALPHABET_UCS2);
	assert_int_equal(m->reference, 0x1234);
	assert_int_equal(m->language, 1);
	assert_true(m->expires_wall_ms == 1800000000000);
	assert_int_equal(o.all[0].done_mask, 0);
	assert_int_equal(o.all[0].attempts, 0);
	assert_int_equal(o.all[1].message.language, -1);
	assert_null(o.all[1].message.sender);
	assert_null(o.all[1].message.client_ref);
	wishes_end(&w);
}

static void open__submitted_in_part__its_mask_in_full__not_open(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t part = store_put_message(g, &ids, 3, 77011234567);
	uint64_t full = store_put_message(g, &ids, 2, 77011234567);
	uint64_t recut = store_put_message(g, &ids, 2, 77011234567); /* three for this carrier */
	uint64_t longest = store_put_message(g, &ids, 32, 77011234567);

	put_submitted(g, part, 1, 3);
	put_submitted(g, part, 3, 3);
	put_submitted(g, part, 3, 3); /* a row that was written twice */
	put_submitted(g, full, 1, 2);
	put_submitted(g, full, 2, 2);
	put_submitted(g, recut, 1, 3);
	put_submitted(g, recut, 2, 3);
	put_submitted(g, longest, 32, 32);
	assert_int_equal(open_ask(g, &o, 0, 10), 3);
	assert_true(o.all[0].message.id == part);
	assert_int_equal(o.all[0].done_mask, 5);
	assert_true(o.all[1].message.id == recut);
	assert_int_equal(o.all[1].done_mask, 3);
	assert_true(o.all[2].done_mask == 0x80000000);
	put_submitted(g, recut, 3, 3);
	for (int i = 1; i < 32; i++)
		put_submitted(g, longest, i, 32);
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
}

static void open__ended__not_open(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;

	store_put_event(g, store_put_message(g, &ids, 1, 77011234567), 1, EVENT_EXPIRED, true,
	    MESSAGE_EXPIRED, 0, 0, "", "");
	store_put_event(g, store_put_message(g, &ids, 2, 77011234567), 1, EVENT_FAILED, true, MESSAGE_FAILED,
	    0, 0, "", "");
	assert_int_equal(open_ask(g, &o, 0, 10), 0);
}

static void open__refused_before__attempts_counted_once_each(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t id = store_put_message(g, &ids, 1, 77011234567);

	store_put_event(g, id, 1, EVENT_REFUSED, false, MESSAGE_ACCEPTED, 1, 0, "beeline", "");
	store_put_event(g, id, 1, EVENT_REFUSED, false, MESSAGE_ACCEPTED, 1, 0, "beeline", "");
	store_put_event(g, id, 2, EVENT_IN_DOUBT, false, MESSAGE_ACCEPTED, 1, 0, "tele2", "");
	store_put_event(g, id, 3, EVENT_RESENT, false, MESSAGE_ACCEPTED, 1, 0, "tele2", "");
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_int_equal(o.all[0].attempts, 2); /* the first was written twice */
}

static void open__of_another_slot__not_told(void **state)
{
	struct store_rig *g = *state;
	struct ids own = {.slot = 3}, next = {.slot = 4}, last = {.slot = 255};
	struct opened o;
	uint64_t id;

	store_put_message(g, &next, 1, 77011234567);
	id = store_put_message(g, &own, 1, 77011234567);
	store_put_message(g, &last, 1, 77011234567);
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_true(o.all[0].message.id == id);
}

static void open__more_than_a_page__page_by_page_in_order(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t all[5], after = 0;
	size_t seen = 0;

	for (int i = 0; i < 5; i++) { /* over three days: the order holds across partitions */
		store_skip_us = (i / 2) * STORE_DAY_US;
		all[i] = store_put_message(g, &ids, 1, 77011234567);
		store_skip_us = 0;
	}
	while (open_ask(g, &o, after, 2)) {
		assert_in_range(o.n, 1, 2);
		for (size_t i = 0; i < o.n; i++)
			assert_true(o.all[i].message.id == all[seen++]);
		after = o.last;
	}
	assert_int_equal(seen, 5);
	assert_int_equal(o.looked, 0);
	assert_true(o.last == 0);
}

static void open__finished_between__looked_at_and_counted(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t all[5];

	for (int i = 0; i < 5; i++) {
		all[i] = store_put_message(g, &ids, 1, 77011234567);
		if (i != 4)
			put_submitted(g, all[i], 1, 1);
	}
	assert_int_equal(open_ask(g, &o, 0, 3), 0);
	assert_int_equal(o.looked, 3);
	assert_true(o.last == all[2]);
	assert_int_equal(open_ask(g, &o, o.last, 3), 1);
	assert_int_equal(o.looked, 2);
	assert_true(o.last == all[4]);
}

static void open__with_an_upper_bound__nothing_from_there_on(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o = {0};
	uint64_t first = store_put_message(g, &ids, 1, 77011234567);
	uint64_t second = store_put_message(g, &ids, 1, 77011234567);

	assert_int_equal(
	    messages_open(g->pg, g->keyring, 3, 0, second, 10, open_on_each, open_on_done, &o), KZ_OK);
	servers_await(g->loop, &o.done, 1);
	assert_int_equal(o.n, 1);
	assert_true(o.last == first);
}

static void open__in_doubt__which_parts_and_who_has_the_others(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t id = store_put_message(g, &ids, 3, 77011234567);

	store_put_event(g, id, 1, EVENT_IN_DOUBT, false, MESSAGE_ACCEPTED, 1, 0, "beeline", "");
	store_put_event(g, id, 2, EVENT_IN_DOUBT, false, MESSAGE_ACCEPTED, 2, 0, "beeline", "");
	put_submitted(g, id, 2, 3); /* its second try was answered */
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_int_equal(o.all[0].doubt_mask, 1);
	assert_int_equal(o.all[0].done_mask, 2);
	assert_int_equal(o.all[0].doubts, 2);
}

static void put_taken(struct store_rig *g, uint64_t id, int at_s, const char *carrier, int part, int parts)
{
	store_put_event(
	    g, id, at_s, EVENT_SUBMITTED, false, MESSAGE_SUBMITTED, part, parts, carrier, carrier);
}

static void put_ledger(struct store_rig *g, uint64_t id, int at_s, enum event_kind kind, int part)
{
	store_put_event(g, id, at_s, (int)kind, false, MESSAGE_ACCEPTED, part, 0, "", "");
}

static void open__doubt_ended_by_a_late_refusal__one_attempt_and_no_doubt(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t over = store_put_message(g, &ids, 2, 77011234567);
	uint64_t gone_again = store_put_message(g, &ids, 1, 77011234567);
	uint64_t earlier = store_put_message(g, &ids, 1, 77011234567);

	put_ledger(g, over, 1, EVENT_IN_DOUBT, 1);
	put_ledger(g, over, 1, EVENT_IN_DOUBT, 1); /* rows that were written twice */
	put_ledger(g, over, 2, EVENT_REFUSED, 1);
	put_ledger(g, over, 2, EVENT_REFUSED, 1);
	put_ledger(g, over, 3, EVENT_REFUSED, 2); /* says nothing of the first */
	put_ledger(g, over, 4, EVENT_RESENT, 1);
	put_ledger(g, gone_again, 1, EVENT_IN_DOUBT, 1);
	put_ledger(g, gone_again, 2, EVENT_RESENT, 1);
	put_ledger(g, gone_again, 3, EVENT_REFUSED, 1);
	put_ledger(g, earlier, 1, EVENT_REFUSED, 1);
	put_ledger(g, earlier, 2, EVENT_IN_DOUBT, 1);
	assert_int_equal(open_ask(g, &o, 0, 10), 3);
	assert_true(o.all[0].message.id == over);
	assert_int_equal(o.all[0].doubt_mask, 0);
	assert_int_equal(o.all[0].doubts, 0);
	assert_int_equal(o.all[0].attempts, 2);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(o.all[i].doubt_mask, 1);
		assert_int_equal(o.all[i].doubts, 1);
		assert_int_equal(o.all[i].attempts, 2);
	}
}

static uint32_t wire_mask(struct store_rig *g)
{
	struct opened o;

	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	return o.all[0].wire_mask;
}

static void open__kept_as_at_once__on_the_wire_until_it_has_an_outcome(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 1);
	w.rows[0].at_once = true;
	w.rows[0].parts = 3;
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	wishes_end(&w);
	assert_int_equal(wire_mask(g), 7);
	put_submitted(g, w.rows[0].id, 1, 3);
	assert_int_equal(wire_mask(g), 6);
	put_ledger(g, w.rows[0].id, 2, EVENT_REFUSED, 2);
	put_ledger(g, w.rows[0].id, 3, EVENT_IN_DOUBT, 3);
	assert_int_equal(wire_mask(g), 0);
}

static void open__not_at_once__on_the_wire_from_its_sending_on(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t id = store_put_message(g, &ids, 2, 77011234567);

	assert_int_equal(wire_mask(g), 0);
	put_ledger(g, id, 1, EVENT_SENDING, 0);
	assert_int_equal(wire_mask(g), 3);
	put_ledger(g, id, 2, EVENT_REFUSED, 1);
	assert_int_equal(wire_mask(g), 2);
	put_ledger(g, id, 3, EVENT_HELD_BACK, 0); /* its second part was never written */
	assert_int_equal(wire_mask(g), 0);
	put_ledger(g, id, 4, EVENT_SENDING, 0); /* and goes again */
	assert_int_equal(wire_mask(g), 3);
	put_ledger(g, id, 5, EVENT_INTERRUPTED, 1);
	put_ledger(g, id, 5, EVENT_INTERRUPTED, 2);
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_int_equal(o.all[0].wire_mask, 0);
	assert_int_equal(o.all[0].doubt_mask, 3); /* marked when they go again */
	assert_int_equal(o.all[0].attempts, 3);
	assert_int_equal(o.all[0].doubts, 0);
	assert_true(o.all[0].newest_us > 1767225600000000);
}

static void open__a_part_held_back__the_others_may_be_on_the_wire(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	uint64_t id = store_put_message(g, &ids, 3, 77011234567);

	put_ledger(g, id, 1, EVENT_HELD_BACK, 1);
	put_ledger(g, id, 2, EVENT_SENDING, 0);
	put_ledger(g, id, 3, EVENT_HELD_BACK, 2); /* what became of the first did not reach the database */
	assert_int_equal(wire_mask(g), 5);
}

static void open__begun_anew_by_another_carrier__only_what_that_one_has(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t id = store_put_message(g, &ids, 3, 77011234567);

	put_taken(g, id, 1, "tele2", 1, 3);
	put_taken(g, id, 2, "tele2", 2, 3);
	store_put_event(g, id, 3, EVENT_RESENT, false, MESSAGE_ACCEPTED, 2, 0, "beeline", "");
	put_taken(g, id, 4, "beeline", 2, 3);
	put_taken(g, id, 5, "beeline", 3, 3);
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_int_equal(o.all[0].done_mask, 6);
	assert_int_equal(o.all[0].doubt_mask, 1); /* the other has it: it may come twice */
	assert_int_equal(o.all[0].doubts, 0);
	put_taken(g, id, 6, "beeline", 1, 3);
	assert_int_equal(open_ask(g, &o, 0, 10), 0);
}

static void open__begun_anew_in_fewer_parts__not_open_when_all_of_them_are_taken(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t other = store_put_message(g, &ids, 3, 77011234567);
	uint64_t same = store_put_message(g, &ids, 3, 77011234567); /* its profile was changed */

	put_taken(g, other, 1, "tele2", 1, 3);
	put_taken(g, other, 2, "beeline", 1, 1);
	put_taken(g, same, 1, "tele2", 1, 3);
	put_taken(g, same, 2, "tele2", 1, 2);
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_true(o.all[0].message.id == same);
	assert_int_equal(o.all[0].message.parts, 2);
	put_taken(g, same, 3, "tele2", 2, 2);
	assert_int_equal(open_ask(g, &o, 0, 10), 0);
}

static void open__personal_fields_gone__cannot_be_sent_any_more(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;

	store_put_message(g, &ids, 1, 77011234567);
	store_sql(g, "truncate message_person");
	assert_int_equal(open_ask(g, &o, 0, 10), 0);
}

static void open__row_that_no_program_wrote__comes_without_a_text(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o = {0};

	store_put_message(g, &ids, 1, 12);
	store_put_message(g, &ids, 1, 77011234567);
	assert_int_equal(
	    messages_open(g->pg, g->keyring, 3, 0, INT64_MAX, 2, open_on_each, open_on_done, &o), KZ_OK);
	servers_await(g->loop, &o.done, 1);
	assert_int_equal(o.n, 2);
	assert_string_equal(o.first, "-|-|-");
	assert_string_equal(o.last_text, "Salem");
	assert_int_equal(o.looked, 2);
}

static void open__put_in_anothers_place_or_its_key_gone__comes_without_a_text(void **state)
{
	struct store_rig *g = *state;
	struct keyring *other =
	    store_keyring("2 6b657a656b206b657a656b206b657a656b206b657a656b206b657a656b206b65\n");
	struct ids ids = {.slot = 3};
	struct opened o = {0};
	uint64_t one = store_put_message(g, &ids, 1, 77011234567),
	         two = store_put_message(g, &ids, 1, 77021234567);

	store_sql(
	    g, "update message_person p set sealed = q.sealed from message_person q where p.id <> q.id");
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	assert_true(o.all[0].message.id == one && o.all[1].message.id == two);
	assert_null(o.all[0].message.text);
	assert_null(o.all[1].message.text);
	store_sql(
	    g, "update message_person p set sealed = q.sealed from message_person q where p.id <> q.id");
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	assert_string_equal(o.last_text, "Salem");
	o = (struct opened){0};
	assert_int_equal(
	    messages_open(g->pg, other, 3, 0, INT64_MAX, 2, open_on_each, open_on_done, &o), KZ_OK);
	servers_await(g->loop, &o.done, 1);
	assert_int_equal(o.n, 2);
	assert_null(o.all[1].message.text);
	keyring_free(other);
}

static void open__a_key_was_added__old_and_new_open(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	uint64_t old = store_put_message(g, &ids, 1, 77011234567);
	struct keyring *more =
	    store_keyring(STORE_KEY "2 6b657a656b206b657a656b206b657a656b206b657a656b206b657a656b20ffff\n");

	assert_true(keyring_renew(g->keyring, more));
	store_put_message(g, &ids, 1, 77011234567);
	assert_int_equal(store_int(g, "select count(distinct substr(sealed, 1, 2)) from message_person"), 2);
	assert_int_equal(store_int(g, "select count(distinct phone) from message_person"), 1);
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	assert_true(o.all[0].message.id == old);
	assert_string_equal(o.first, "Salem|-|-");
	assert_string_equal(o.last_text, "Salem");
}

/* All tables, as text and as the octets of text. */
static long long tables_with(struct store_rig *g, const char *word)
{
	char hex[128];

	secret_hex(word, strlen(word), hex);
	return store_int(g,
	    "with said as (select c.relname, (xpath('//w/text()', query_to_xml(format('select "
	    "string_agg(t::text, "
	    "''|'') as w from %%I t', c.relname), true, true, '')))[1]::text as w from pg_class c"
	    " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace)"
	    " select count(*) from said where w ilike '%%%s%%' or w ilike '%%%s%%'",
	    word, hex);
}

static void tables__messages_of_all_kinds__neither_number_nor_text_nor_secret(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 2);
	w.rows[0].sender = "Balabaqsha";
	w.rows[0].text = "Kody: 493817";
	w.rows[0].client_ref = "seen-everywhere";
	wishes_keep(&w, 0);
	wishes_keep(&w, 1);
	wishes_await(&w, 2);
	assert_true(tables_with(g, "seen-everywhere") > 0); /* it does look */
	assert_int_equal(tables_with(g, "77011234567"), 0);
	assert_int_equal(tables_with(g, "7011234567"), 0);
	assert_int_equal(tables_with(g, "Balabaqsha"), 0);
	assert_int_equal(tables_with(g, "493817"), 0);
	assert_int_equal(tables_with(g, "Salem"), 0);
	wishes_end(&w);
}

static void hole_put(struct store_rig *g, struct ids *ids, struct message_code code)
{
	uint64_t id = store_put_message(g, ids, 1, 77011234567);

	store_put_person(
	    g, id, &(struct person){.to = {77011234567}, .text = "Kod: \x1a, \x1a.", .code = code});
}

static void given_put(struct store_rig *g, uint64_t code_id, const char *digits)
{
	struct buf sealed = {0};
	char hex[2 * (CODE_MAX + KEYRING_OVERHEAD) + 1];

	person_seal_given(g->keyring, code_id, digits, &sealed);
	secret_hex(sealed.data, sealed.len, hex);
	store_sql(
	    g, "insert into code_given values (%llu, now(), '\\x%s')", (unsigned long long)code_id, hex);
	buf_fini(&sealed);
}

static void open__hole_for_a_code__its_digits(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;
	char digits[CODE_MAX + 1], expected[64];

	hole_put(g, &ids, (struct message_code){4711, 1, 2, 6});
	assert_int_equal(open_ask(g, &o, 0, 10), 1);
	assert_int_equal(code_derive(g->keyring, 1, 4711, 2, 6, digits), KZ_OK);
	snprintf(expected, sizeof expected, "Kod: %s, %s.|-|-", digits, digits);
	assert_string_equal(o.first, expected);
	assert_true(o.all[0].message.code.id == 4711);
	assert_int_equal(o.all[0].message.code.issue, 2);
	hole_put(g, &ids, (struct message_code){4712, 0, 1, 4});
	given_put(g, 4712, "0815");
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	assert_string_equal(o.last_text, "Kod: 0815, 0815.");
	store_sql(g, "update message_person set code = 1"); /* says nothing: what counts is sealed */
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	assert_string_equal(o.first, expected);
	assert_string_equal(o.last_text, "");
}

/* The key may come yet; the digits will not, when their own row is gone or somebody changed what is at rest.
 */
static void open__digits_of_a_key_that_is_not_there__not_opened_and_its_time_stands(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;

	hole_put(g, &ids, (struct message_code){4711, 9, 1, 6});
	hole_put(g, &ids, (struct message_code){4712, 0, 1, 6});
	given_put(g, 4712, "222222");
	store_sql(g, "update code_given set sealed = set_byte(sealed, 1, 9)"); /* its key's number */
	assert_int_equal(open_ask(g, &o, 0, 10), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_null(o.all[i].message.text);
		assert_true(o.all[i].message.expires_wall_ms > store_wall_us() / 1000);
	}
}

static void open__hole_that_nothing_fills__no_text_and_its_time_is_over(void **state)
{
	static const struct message_code codes[] = {
	    {4711, 1, 1, 11}, {4712, 0, 1, 6}, {4713, 1, 1, 0}, {4714, 1, 1, CODE_MAX + 1}, {4715, 0, 1, 6}};
	struct store_rig *g = *state;
	struct ids ids = {.slot = 3};
	struct opened o;

	for (size_t i = 0; i < 5; i++)
		hole_put(g, &ids, codes[i]);
	given_put(g, 4711, "111111");
	given_put(g, 4716, "222222");
	store_sql(g, "update code_given set code_id = 4715 where code_id = 4716"); /* another's */
	assert_int_equal(open_ask(g, &o, 0, 10), 5);
	assert_string_equal(o.first, "|-|-");
	for (size_t i = 0; i < 5; i++)
		assert_true(o.all[i].message.expires_wall_ms == 1);
	assert_string_equal(o.last_text, "");
}

#define THOUSAND 1000
#define HOT      "pg_stat_user_tables where relname ~ '^(message|idempotency)'"
#define CHURN    "select coalesce(sum(%s), 0) from " HOT

/* Two submissions, two receipts, the end. */
static void events_put(struct events *es, uint64_t id)
{
	for (unsigned part = 1; part <= 2; part++) {
		struct message_event *sent = message_event_new(
		    id, 1767225600000000, EVENT_SUBMITTED, part, "beeline", "beeline-1", "op", NULL, NULL);
		struct message_event *receipt = message_event_new(
		    id, 1767225601000000, EVENT_RECEIPT, part, "beeline", NULL, NULL, "DELIVRD", NULL);

		sent->parts = 2;
		sent->state = MESSAGE_SUBMITTED;
		receipt->may_close = true;
		receipt->state = MESSAGE_DELIVERED;
		events_add(es, sent);
		events_add(es, receipt);
	}
}

static void hot_path__1000_messages_with_events__nothing_updated_deleted_or_dead(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	store_hold_feed_slot(g);
	struct events *es = events_new(g->loop, g->pg, g->feed, &g->limits);

	for (int round = 0; round < THOUSAND / 250; round++) {
		wishes_start(&w, g, 250);
		for (int i = 0; i < 250; i++)
			wishes_keep(&w, i);
		wishes_await(&w, 250);
		for (int i = 0; i < 250; i++)
			events_put(es, w.rows[i].id);
		wishes_end(&w);
	}
	while (events_pending(es))
		loop_turn(g->loop, 50);
	events_free(es);
	pg_free(g->pg); /* an ending session hands in its statistics */
	g->pg = NULL;
	store_await_sql(g, "select sum(n_tup_ins) from " HOT, 8 * THOUSAND);
	assert_int_equal(
	    store_int(g, "select count(*) from message_event where final and state = 6"), THOUSAND);
	assert_int_equal(store_int(g, CHURN, "n_tup_upd + n_tup_del"), 0);
	assert_int_equal(store_int(g, CHURN, "n_dead_tup"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(hot_path__1000_messages_with_events__nothing_updated_deleted_or_dead),
	    STORE_CASE(open__nothing_kept__none),
	    STORE_CASE(open__fresh_message__comes_back_as_kept),
	    STORE_CASE(open__submitted_in_part__its_mask_in_full__not_open),
	    STORE_CASE(open__ended__not_open),
	    STORE_CASE(open__refused_before__attempts_counted_once_each),
	    STORE_CASE(open__of_another_slot__not_told),
	    STORE_CASE(open__more_than_a_page__page_by_page_in_order),
	    STORE_CASE(open__finished_between__looked_at_and_counted),
	    STORE_CASE(open__with_an_upper_bound__nothing_from_there_on),
	    STORE_CASE(open__in_doubt__which_parts_and_who_has_the_others),
	    STORE_CASE(open__doubt_ended_by_a_late_refusal__one_attempt_and_no_doubt),
	    STORE_CASE(open__kept_as_at_once__on_the_wire_until_it_has_an_outcome),
	    STORE_CASE(open__not_at_once__on_the_wire_from_its_sending_on),
	    STORE_CASE(open__a_part_held_back__the_others_may_be_on_the_wire),
	    STORE_CASE(open__begun_anew_by_another_carrier__only_what_that_one_has),
	    STORE_CASE(open__begun_anew_in_fewer_parts__not_open_when_all_of_them_are_taken),
	    STORE_CASE(open__personal_fields_gone__cannot_be_sent_any_more),
	    STORE_CASE(open__row_that_no_program_wrote__comes_without_a_text),
	    STORE_CASE(open__put_in_anothers_place_or_its_key_gone__comes_without_a_text),
	    STORE_CASE(open__a_key_was_added__old_and_new_open),
	    STORE_CASE(tables__messages_of_all_kinds__neither_number_nor_text_nor_secret),
	    STORE_CASE(open__hole_for_a_code__its_digits),
	    STORE_CASE(open__digits_of_a_key_that_is_not_there__not_opened_and_its_time_stands),
	    STORE_CASE(open__hole_that_nothing_fills__no_text_and_its_time_is_over),
	};

	return store_main("messages_open", tests, sizeof tests / sizeof *tests);
}

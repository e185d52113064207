/* carrier against a scripted message centre, and the submit_sm that it makes of a part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/fake_centre.h"
#include "smpp/carrier.h"
#include "smpp/submission.h"

#define RESULTS 64

/* A message of the owner: `parts` parts, each with the text "<name>/<part>". */
struct letter {
	struct shipment s;
	const char *name;
	unsigned parts;
	bool expired;
	int64_t stands_ms; /* the process is stopped so long once the turn was granted */
	int nears, turns, dones;
	int results;
	enum part_outcome outcome[RESULTS];
	enum status_class class[RESULTS];
	uint32_t status[RESULTS];
	unsigned part[RESULTS];
	char id[RESULTS][66], link[RESULTS][48];
	uint8_t text[64];
};

struct fixture {
	struct centre centre;
	struct profile *profile;
	struct carrier *carrier;
	struct shipment_part like; /* what every part has beside its text */
	int receipts, unreadables, others, ups, downs, nears;
	struct receipt receipt;
	struct deliver_ticket ticket;
	char what[64];
	int drained;
	int lates;
	size_t unreadable_len;
	uint64_t late_id;
	unsigned late_part, late_parts;
	int64_t late_doubt_us;
	struct part_result late;
};

static void on_near(void *arg, struct shipment *s)
{
	struct fixture *f = arg;
	struct letter *t = (struct letter *)(void *)s;

	assert_ptr_equal(s->carrier, f->carrier);
	assert_false(s->cleared);
	t->nears++;
	f->nears++;
}

static unsigned on_turn(void *arg, struct shipment *s, unsigned part, struct shipment_part *ret)
{
	struct fixture *f = arg;
	struct letter *t = (struct letter *)(void *)s;

	t->turns++;
	if (t->expired)
		return 0;
	fake_us += t->stands_ms * 1000;
	*ret = f->like;
	snprintf(ret->destination.text, sizeof ret->destination.text, "+77011234567");
	ret->receipt = true;
	ret->segment.number = (uint8_t)(part + 1);
	ret->segment.total = (uint8_t)t->parts;
	ret->segment.bytes = t->text;
	ret->segment.len = (size_t)snprintf((char *)t->text, sizeof t->text, "%s/%u", t->name, part + 1);
	return t->parts;
}

static void on_part(void *arg, struct shipment *s, unsigned part, const struct part_result *r)
{
	struct letter *t = (struct letter *)(void *)s;
	int n = t->results++;

	(void)arg;
	assert_true(n < RESULTS);
	t->outcome[n] = r->outcome;
	t->class[n] = r->class;
	t->status[n] = r->status;
	t->part[n] = part;
	snprintf(t->id[n], sizeof t->id[n], "%s", r->operator_id);
	snprintf(t->link[n], sizeof t->link[n], "%s", r->link);
	/* Not the owner's to take while it is being reported. */
	assert_false(carrier_withdraw(s->carrier, s));
}

static void on_done(void *arg, struct shipment *s)
{
	(void)arg;
	assert_null(s->carrier);
	((struct letter *)(void *)s)->dones++;
}

static void on_late(void *arg, struct carrier *c, uint64_t id, unsigned part, unsigned parts,
    int64_t doubt_us, const struct part_result *r)
{
	struct fixture *f = arg;

	assert_ptr_equal(c, f->carrier);
	assert_string_equal(r->operator_id, r->outcome == PART_SUBMITTED ? "late" : "");
	f->lates++;
	f->late_id = id;
	f->late_part = part;
	f->late_parts = parts;
	f->late_doubt_us = doubt_us;
	f->late = *r;
}

static void on_receipt(void *arg, struct carrier *c, const struct receipt *r, struct deliver_ticket ticket)
{
	struct fixture *f = arg;

	assert_ptr_equal(c, f->carrier);
	f->receipts++;
	f->receipt = *r;
	f->ticket = ticket;
}

static void on_unreadable(void *arg, struct carrier *c, const struct pdu_sm *m, struct deliver_ticket ticket)
{
	struct fixture *f = arg;

	assert_ptr_equal(c, f->carrier);
	assert_int_equal(m->text_len, f->unreadable_len);
	f->unreadables++;
	f->ticket = ticket;
}

static void on_other(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what)
{
	struct fixture *f = arg;

	assert_ptr_equal(c, f->carrier);
	assert_string_equal(m->source.text, "77011234567");
	f->others++;
	snprintf(f->what, sizeof f->what, "%s", what);
}

static void on_up(void *arg, struct carrier *c, bool up)
{
	struct fixture *f = arg;

	assert_int_equal(carrier_is_up(c), up);
	if (up)
		f->ups++;
	else
		f->downs++;
}

static void on_drained(void *arg)
{
	((struct fixture *)arg)->drained++;
}

static const struct carrier_events events = {
    on_near, on_turn, on_part, on_done, on_late, on_receipt, on_unreadable, NULL, on_other, on_up};

#define COMMON                                                                                               \
	"timers: {enquire: 5m, response: 10s, unbind: 4s}\n"                                                 \
	"reconnect: {min: 1s, max: 4s}\n"                                                                    \
	"sender: {default: kezek}\n"
#define ONE    COMMON "links:\n- {host: 127.0.0.1, port: %d, system_id: a, window: 4, rate: 1000}\n"
#define NARROW COMMON "links:\n- {host: 127.0.0.1, port: %d, system_id: a, window: 1, rate: 1000}\n"
#define TWO                                                                                                  \
	COMMON "links:\n- {name: a, host: 127.0.0.1, port: %d, system_id: a, window: 4, rate: 1000}\n"       \
	       "- {name: b, host: 127.0.0.1, port: %d, system_id: b, window: 4, rate: 1000}\n"

static void begin(struct fixture *f, const char *yaml)
{
	*f = (struct fixture){0};
	centre_init(&f->centre);
	f->profile = centre_profile(&f->centre, yaml);
	f->carrier = carrier_new(f->centre.loop, f->profile, &events, f);
}

static void begin_bound(struct fixture *f, const char *yaml)
{
	struct link_report rows[4];

	begin(f, yaml);
	for (size_t i = 0; i < f->profile->links_n; i++)
		centre_bind(&f->centre, i);
	for (size_t i = 0; i < f->profile->links_n; i++)
		centre_until(
		    &f->centre, carrier_report(f->carrier, rows, 4) && !strcmp(rows[i].state, "bound"));
	centre_until(&f->centre, f->ups == 1);
}

static void end(struct fixture *f)
{
	carrier_free(f->carrier);
	profile_free(f->profile);
	centre_fini(&f->centre);
}

static void post(struct fixture *f, struct letter *t, const char *name, enum lane lane, unsigned parts)
{
	static uint64_t id = 1000;

	*t = (struct letter){.name = name, .parts = parts};
	t->s.id = id++;
	t->s.lane = lane;
	t->s.queued_ms = loop_now_ms(f->centre.loop);
	t->s.cleared = true;
	carrier_submit(f->carrier, &t->s);
}

/* The next PDU of the connection is a submit_sm with this text. */
static struct pdu_header take_text(struct fixture *f, size_t i, const char *text)
{
	struct pdu_header h = centre_expect(&f->centre, i, PDU_SUBMIT_SM);
	struct pdu_sm m;

	assert_int_equal(pdu_take_sm((const uint8_t *)f->centre.frame.data, &m), KZ_OK);
	assert_int_equal(m.text_len, strlen(text));
	assert_memory_equal(m.text, text, m.text_len);
	return h;
}

static void cut(struct fixture *f, size_t i)
{
	stream_free(f->centre.seats[i].stream);
	f->centre.seats[i].stream = NULL;
}

static void post_uncleared(struct fixture *f, struct letter *t, const char *name)
{
	post(f, t, name, LANE_NOTICE, 1);
	assert_true(carrier_withdraw(f->carrier, &t->s));
	t->s.cleared = false;
	carrier_submit(f->carrier, &t->s);
}

static void carrier_submit__not_cleared__nothing_is_written_before_it_is(void **state)
{
	struct fixture f;
	struct letter t, later;

	(void)state;
	begin_bound(&f, ONE);
	post_uncleared(&f, &t, "first");
	assert_int_equal(t.nears, 0); /* never from inside */
	centre_until(&f.centre, t.nears == 1);
	post(&f, &later, "code", LANE_CODE, 1);
	take_text(&f, 0, "code/1"); /* passes by */
	centre_fence(&f.centre, 0);
	assert_int_equal(t.turns, 0);
	assert_int_equal(t.nears, 1);
	carrier_clear(f.carrier, &t.s);
	take_text(&f, 0, "first/1");
	end(&f);
}

static void carrier_submit__many_not_cleared__only_the_next_are_asked_for_in_order(void **state)
{
	enum { MANY = 300, AHEAD = 128 + 2 * 4 };
	struct letter *all = mem_array(MANY, sizeof *all);
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	for (int i = 0; i < MANY; i++)
		post_uncleared(&f, &all[i], "m");
	centre_until(&f.centre, f.nears == AHEAD);
	centre_fence(&f.centre, 0);
	assert_int_equal(f.nears, AHEAD);
	assert_int_equal(all[AHEAD - 1].nears, 1);
	assert_false(carrier_has_room(f.carrier, LANE_NOTICE, 0));
	carrier_clear(f.carrier, &all[1].s); /* not before the first */
	centre_fence(&f.centre, 0);
	assert_int_equal(all[1].turns, 0);
	carrier_clear(f.carrier, &all[0].s);
	for (int i = 0; i < 2; i++)
		centre_answer(&f.centre, 0, take_text(&f, 0, "m/1"), 0, "id");
	centre_until(&f.centre, all[1].dones == 1 && f.nears == AHEAD + 2);
	assert_int_equal(all[AHEAD + 1].nears, 1);
	end(&f);
	free(all);
}

static void carrier_has_room__as_long_as_few_are_near(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin(&f, ONE);
	assert_false(carrier_has_room(f.carrier, LANE_NOTICE, 0)); /* down */
	end(&f);
	begin_bound(&f, ONE);
	assert_true(carrier_has_room(f.carrier, LANE_NOTICE, 135));
	assert_false(carrier_has_room(f.carrier, LANE_NOTICE, 136));
	post_uncleared(&f, &t, "m");
	assert_false(
	    carrier_has_room(f.carrier, LANE_NOTICE, 0)); /* it waits for its clearance, and goes first */
	assert_true(carrier_has_room(f.carrier, LANE_CODE, 0));
	centre_until(&f.centre, t.nears == 1);
	assert_true(carrier_has_room(f.carrier, LANE_CODE, 135)); /* not behind a notice */
	assert_true(carrier_has_room(f.carrier, LANE_NOTICE, 134));
	assert_false(carrier_has_room(f.carrier, LANE_NOTICE, 135));
	end(&f);
}

static void carrier_submit__one_part__octets_and_result(void **state)
{
	static const uint8_t want[] = {0, 0, 0, 62, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2, /* header */
	    0, 5, 0, 'k', 'e', 'z', 'e', 'k', 0,                                        /* source */
	    1, 1, '7', '7', '0', '1', '1', '2', '3', '4', '5', '6', '7', 0,             /* destination */
	    0, 0, 0, 0, 0, /* esm_class, protocol, priority, schedule, validity */
	    1, 0, 0, 0, 8, /* registered, replace, data_coding, default, sm_length */
	    'h', 'e', 'l', 'l', 'o', '.', '/', '1'};
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "hello.", LANE_NOTICE, 1);
	assert_int_equal(t.turns, 0); /* never from inside the call */
	struct pdu_header h = centre_take(&f.centre, 0);
	assert_int_equal(f.centre.frame.len, sizeof want);
	assert_memory_equal(f.centre.frame.data + 4, want + 4, sizeof want - 4);
	assert_int_equal(t.s.outstanding, 1);
	assert_false(carrier_withdraw(f.carrier, &t.s));
	centre_answer(&f.centre, 0, h, 0, "abc-1");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.results, 1);
	assert_int_equal(t.outcome[0], PART_SUBMITTED);
	assert_string_equal(t.id[0], "abc-1");
	assert_string_equal(t.link[0], "test.1");
	assert_int_equal(t.s.done_mask, 1);
	assert_int_equal(carrier_waiting(f.carrier, LANE_NOTICE), 0);
	end(&f);
}

static void carrier_submit__down__waits_for_the_bind(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin(&f, ONE);
	post(&f, &t, "m", LANE_BULK, 1);
	assert_int_equal(carrier_waiting(f.carrier, LANE_BULK), 1);
	centre_advance(&f.centre, 500);
	assert_int_equal(carrier_oldest_ms(f.carrier, LANE_BULK), 500);
	assert_int_equal(carrier_oldest_ms(f.carrier, LANE_CODE), 0);
	centre_bind(&f.centre, 0);
	take_text(&f, 0, "m/1");
	assert_int_equal(f.ups, 1);
	end(&f);
}

static void carrier_turn__three_lanes__code_before_notice_before_bulk(void **state)
{
	static const char *const order[] = {"b1/1", "c1/1", "c2/1", "n1/1", "n2/1", "b2/1"};
	struct fixture f;
	struct letter t[6];

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t[0], "b1", LANE_BULK, 1);
	struct pdu_header h = take_text(&f, 0, order[0]);
	post(&f, &t[1], "b2", LANE_BULK, 1);
	post(&f, &t[2], "n1", LANE_NOTICE, 1);
	post(&f, &t[3], "c1", LANE_CODE, 1);
	post(&f, &t[4], "n2", LANE_NOTICE, 1);
	post(&f, &t[5], "c2", LANE_CODE, 1);
	for (int i = 1; i < 6; i++) {
		centre_answer(&f.centre, 0, h, 0, "i");
		h = take_text(&f, 0, order[i]);
	}
	end(&f);
}

static void carrier_turn__long_message__parts_in_order_on_one_link(void **state)
{
	struct fixture f;
	struct letter a, b;

	(void)state;
	begin_bound(&f, TWO);
	post(&f, &a, "a", LANE_NOTICE, 3);
	post(&f, &b, "b", LANE_NOTICE, 3);
	struct pdu_header h[2][3];
	for (unsigned i = 0; i < 3; i++) {
		char text[8];

		snprintf(text, sizeof text, "a/%u", i + 1);
		h[0][i] = take_text(&f, 0, text);
		snprintf(text, sizeof text, "b/%u", i + 1);
		h[1][i] = take_text(&f, 1, text);
	}
	for (unsigned i = 0; i < 3; i++) {
		centre_answer(&f.centre, 0, h[0][i], 0, "x");
		centre_answer(&f.centre, 1, h[1][i], 0, "y");
	}
	centre_until(&f.centre, a.dones == 1 && b.dones == 1);
	assert_int_equal(a.s.done_mask, 7);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(a.link[i], "test.a");
		assert_string_equal(b.link[i], "test.b");
	}
	end(&f);
}

static void carrier_turn__code_between_parts__goes_first(void **state)
{
	struct fixture f;
	struct letter a, c;

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &a, "a", LANE_BULK, 2);
	struct pdu_header h = take_text(&f, 0, "a/1");
	post(&f, &c, "c", LANE_CODE, 1);
	centre_answer(&f.centre, 0, h, 0, "1");
	h = take_text(&f, 0, "c/1");
	centre_answer(&f.centre, 0, h, 0, "2");
	take_text(&f, 0, "a/2");
	end(&f);
}

static void carrier_turn__parts_done_before__not_sent_again(void **state)
{
	struct fixture f;
	struct letter t = {.name = "t", .parts = 3};

	(void)state;
	begin_bound(&f, ONE);
	t.s.lane = LANE_NOTICE;
	t.s.done_mask = 5;
	t.s.cleared = true;
	carrier_submit(f.carrier, &t.s);
	struct pdu_header h = take_text(&f, 0, "t/2");
	centre_answer(&f.centre, 0, h, 0, "2");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.results, 1);
	assert_int_equal(t.s.done_mask, 7);
	carrier_submit(f.carrier, &t.s); /* all done: only that is told */
	centre_until(&f.centre, t.dones == 2);
	assert_int_equal(t.results, 1);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_submit__half_sent_elsewhere__before_what_is_not_begun(void **state)
{
	struct letter others[2], t = {.name = "t", .parts = 3};
	struct fixture f;

	(void)state;
	begin(&f, NARROW);
	post(&f, &others[0], "n1", LANE_NOTICE, 1);
	post(&f, &others[1], "n2", LANE_NOTICE, 1);
	t.s.lane = LANE_NOTICE;
	t.s.done_mask = 1;
	t.s.cleared = true;
	carrier_submit(f.carrier, &t.s);
	centre_bind(&f.centre, 0);
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/2"), 0, "2");
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/3"), 0, "3");
	centre_answer(&f.centre, 0, take_text(&f, 0, "n1/1"), 0, "4");
	take_text(&f, 0, "n2/1");
	end(&f);
}

static void carrier_turn__expired__out_without_a_word(void **state)
{
	struct fixture f;
	struct letter t, u;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "t", LANE_CODE, 1);
	t.expired = true;
	post(&f, &u, "u", LANE_NOTICE, 1);
	take_text(&f, 0, "u/1");
	assert_int_equal(t.turns, 1);
	assert_int_equal(t.dones + t.results, 0);
	assert_null(t.s.carrier);
	end(&f);
}

static void carrier_turn__expired_in_the_middle__answers_still_come(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, "timers: {enquire: 5m}\nlinks:\n"
	                "- {host: 127.0.0.1, port: %d, system_id: a, window: 4, rate: 10}\n");
	post(&f, &t, "t", LANE_NOTICE, 2);
	struct pdu_header h = take_text(&f, 0, "t/1");
	t.expired = true;
	centre_advance(&f.centre, 100);
	centre_fence(&f.centre, 0);
	assert_int_equal(t.turns, 2);
	assert_int_equal(t.dones, 0);
	centre_answer(&f.centre, 0, h, 0, "one");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.s.done_mask, 1);
	end(&f);
}

static void carrier_turn__one_part_refused__the_rest_is_not_sent(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t, "t", LANE_NOTICE, 3);
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/1"), 0, "1");
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/2"), 0x0A, NULL);
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.outcome[1], PART_REFUSED);
	assert_int_equal(t.class[1], STATUS_FINAL);
	assert_int_equal(t.status[1], 0x0A);
	assert_int_equal(t.s.done_mask, 1);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_answer__each_class__as_the_profile_says(void **state)
{
	static const struct {
		uint32_t status;
		enum status_class class;
	} cases[] = {{0x08, STATUS_TEMPORARY}, {0x0B, STATUS_REROUTE}, {0x55F, STATUS_FINAL},
	    {0x4A3, STATUS_TEMPORARY}, {0x02, STATUS_BUG}, {0x12345678, STATUS_TEMPORARY}};
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, "statuses: {\"0x55f\": final}\n" ONE);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		post(&f, &t, "t", LANE_NOTICE, 1);
		centre_answer(&f.centre, 0, take_text(&f, 0, "t/1"), cases[i].status, NULL);
		centre_until(&f.centre, t.dones == 1);
		assert_int_equal(t.outcome[0], PART_REFUSED);
		assert_int_equal(t.class[0], cases[i].class);
		assert_int_equal(t.status[0], cases[i].status);
	}
	end(&f);
}

static void carrier_turn__slowed__same_part_same_link_later_without_a_word(void **state)
{
	struct fixture f;
	struct letter t, u;

	(void)state;
	begin_bound(&f, TWO);
	post(&f, &t, "t", LANE_NOTICE, 1);
	struct pdu_header h = take_text(&f, 0, "t/1");
	centre_answer(&f.centre, 0, h, 0x14, NULL);
	centre_until(&f.centre, t.s.outstanding == 0);
	assert_int_equal(carrier_waiting(f.carrier, LANE_NOTICE), 1);
	post(&f, &u, "u", LANE_NOTICE, 1); /* others go on meanwhile */
	take_text(&f, 1, "u/1");
	centre_advance(&f.centre, 999);
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 1);
	h = take_text(&f, 0, "t/1");
	assert_int_equal(t.results + t.dones, 0);
	centre_answer(&f.centre, 0, h, 0, "at last");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.results, 1);
	centre_fence(&f.centre, 1);
	end(&f);
}

static void carrier_turn__queue_full_for_one_phone__held_longer_each_time_link_not_slowed(void **state)
{
	struct fixture f;
	struct letter t, u, v;
	struct link_report r;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "t", LANE_NOTICE, 1);
	for (int64_t hold = 1000; hold <= 64000; hold *= 2) {
		centre_answer(&f.centre, 0, take_text(&f, 0, "t/1"), 0x14, NULL);
		centre_until(&f.centre, t.s.outstanding == 0);
		post(&f, &u, "u", LANE_NOTICE, 1); /* others go on meanwhile */
		centre_answer(&f.centre, 0, take_text(&f, 0, "u/1"), 0, "u");
		centre_until(&f.centre, u.dones == 1);
		centre_advance(&f.centre, (hold < 32000 ? hold : 32000) - 1);
		centre_fence(&f.centre, 0);
		centre_advance(&f.centre, 1);
	}
	carrier_report(f.carrier, &r, 1);
	assert_true(r.rate_now == r.rate);
	struct pdu_header h = take_text(&f, 0, "t/1");
	centre_answer(&f.centre, 0, h, 0x14, NULL);
	centre_until(&f.centre, t.s.outstanding == 0);
	post(&f, &v, "v", LANE_NOTICE, 1);
	centre_answer(&f.centre, 0, take_text(&f, 0, "v/1"), 0x58, NULL);
	centre_until(&f.centre, v.s.outstanding == 0);
	assert_int_equal(carrier_waiting(f.carrier, LANE_NOTICE), 2);
	carrier_report(f.carrier, &r, 1);
	assert_true(r.rate_now < r.rate);
	centre_advance(&f.centre, 2); /* a token later, ahead of the one that is held */
	take_text(&f, 0, "v/1");
	centre_fence(&f.centre, 0);
	end(&f);
}

/* The operator answers the only part of t that is on the wire with a status that slows. */
static void slow(struct fixture *f, size_t i, struct pdu_header h, struct letter *t, uint32_t status)
{
	centre_answer(&f->centre, i, h, status, NULL);
	centre_until(&f->centre, t->s.outstanding == 0);
}

#define TEN COMMON "links:\n- {host: 127.0.0.1, port: %d, system_id: a, window: 9, rate: 10}\n"

static void carrier_turn__throttled_code__next_token_is_its(void **state)
{
	struct fixture f;
	struct letter c, n, b;

	(void)state;
	begin_bound(&f, TEN);
	post(&f, &c, "c", LANE_CODE, 1);
	struct pdu_header h = take_text(&f, 0, "c/1");
	post(&f, &n, "n", LANE_NOTICE, 1);
	post(&f, &b, "b", LANE_BULK, 1);
	for (int i = 0; i < 3; i++) { /* 6.7, 4.4 and 3 a second */
		static const int64_t token_ms[] = {150, 225, 338};

		slow(&f, 0, h, &c, 0x58);
		assert_int_equal(carrier_waiting(f.carrier, LANE_CODE), 1);
		centre_advance(&f.centre, token_ms[i] - 1);
		centre_fence(&f.centre, 0);
		centre_advance(&f.centre, 2);
		h = take_text(&f, 0, "c/1");
		centre_fence(&f.centre, 0);
	}
	assert_int_equal(c.results + c.dones, 0);
	centre_answer(&f.centre, 0, h, 0, "c");
	centre_until(&f.centre, c.dones == 1);
	assert_int_equal(c.results, 1);
	centre_advance(&f.centre, 400);
	take_text(&f, 0, "n/1");
	centre_advance(&f.centre, 400);
	take_text(&f, 0, "b/1");
	end(&f);
}

static void carrier_turn__window_throttled__again_in_their_order_before_new_ones(void **state)
{
	static const char *const names[] = {"0", "1", "2"}, *const texts[] = {"0/1", "1/1", "2/1", "3/1"};
	struct pdu_header h[3];
	struct fixture f;
	struct letter t[4];

	(void)state;
	begin_bound(&f, TEN);
	for (int i = 0; i < 3; i++) {
		post(&f, &t[i], names[i], LANE_NOTICE, 1);
		h[i] = take_text(&f, 0, texts[i]);
		centre_advance(&f.centre, 100);
	}
	centre_fence(&f.centre, 0);
	slow(&f, 0, h[1], &t[1], 0x58); /* answered in any order */
	slow(&f, 0, h[0], &t[0], 0x58);
	slow(&f, 0, h[2], &t[2], 0x58);
	post(&f, &t[3], "3", LANE_NOTICE, 1);
	for (int i = 0; i < 4; i++) {
		centre_advance(&f.centre, 151);
		take_text(&f, 0, texts[i]);
	}
	end(&f);
}

static void carrier_turn__throttled_part__before_the_parts_after_it_on_the_same_link(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f,
	    COMMON "links:\n"
	           "- {name: a, host: 127.0.0.1, port: %d, system_id: a, window: 1, rate: 1000}\n"
	           "- {name: b, host: 127.0.0.1, port: %d, system_id: b, window: 1, rate: 1000}\n");
	post(&f, &t, "t", LANE_NOTICE, 3);
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/1"), 0, "1");
	slow(&f, 0, take_text(&f, 0, "t/2"), &t, 0x58);
	centre_advance(&f.centre, 3);
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/2"), 0, "2");
	centre_until(&f.centre, t.s.done_mask == 3);
	centre_advance(&f.centre, 3);
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/3"), 0, "3");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.s.done_mask, 7);
	centre_fence(&f.centre, 1);
	end(&f);
}

static void carrier_turn__one_part_queue_full_another_throttled__the_hold_is_kept(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "t", LANE_NOTICE, 2);
	struct pdu_header first = take_text(&f, 0, "t/1"), second = take_text(&f, 0, "t/2");
	centre_answer(&f.centre, 0, first, 0x14, NULL);
	centre_until(&f.centre, t.s.outstanding == 1);
	slow(&f, 0, second, &t, 0x58);
	centre_advance(&f.centre, 999);
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 1);
	take_text(&f, 0, "t/1");
	centre_advance(&f.centre, 2);
	take_text(&f, 0, "t/2");
	end(&f);
}

static void carrier_withdraw__throttled__its_owners_again(void **state)
{
	struct fixture f;
	struct letter t, u;

	(void)state;
	begin_bound(&f, TEN);
	post(&f, &t, "t", LANE_CODE, 1);
	slow(&f, 0, take_text(&f, 0, "t/1"), &t, 0x58);
	post(&f, &u, "u", LANE_CODE, 1);
	assert_true(carrier_withdraw(f.carrier, &t.s));
	assert_null(t.s.carrier);
	assert_int_equal(carrier_waiting(f.carrier, LANE_CODE), 1);
	centre_advance(&f.centre, 151);
	take_text(&f, 0, "u/1");
	assert_int_equal(t.results + t.dones, 0);
	end(&f);
}

/* The answer comes while the link drains for the operator's unbind: nothing is sent over it any more. */
static void carrier_turn__throttled_by_a_link_that_leaves__the_other_takes_it(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, TWO);
	post(&f, &t, "t", LANE_CODE, 1);
	struct pdu_header h = take_text(&f, 0, "t/1");
	centre_header(&f.centre, 0, PDU_UNBIND, 0, 77);
	centre_expect(&f.centre, 0, PDU_UNBIND | PDU_RESP);
	centre_answer(&f.centre, 0, h, 0x58, NULL);
	h = take_text(&f, 1, "t/1");
	centre_answer(&f.centre, 1, h, 0, "t");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.results, 1);
	assert_string_equal(t.link[0], "test.b");
	end(&f);
}

static void carrier_turn__response_timer__in_doubt_rest_goes_on(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t, "t", LANE_NOTICE, 2);
	take_text(&f, 0, "t/1");
	centre_advance(&f.centre, 10000);
	struct pdu_header h = take_text(&f, 0, "t/2");
	assert_int_equal(t.results, 1);
	assert_int_equal(t.outcome[0], PART_IN_DOUBT);
	centre_answer(&f.centre, 0, h, 0, "2");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.s.done_mask, 2);
	end(&f);
}

static void carrier_late__answered_after_the_timer__told_by_id_and_part(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "t", LANE_NOTICE, 3);
	uint64_t id = t.s.id;
	centre_answer(&f.centre, 0, take_text(&f, 0, "t/1"), 0, "1");
	struct pdu_header second = take_text(&f, 0, "t/2"), third = take_text(&f, 0, "t/3");
	centre_until(&f.centre, t.results == 1);
	centre_advance(&f.centre, 10000);
	assert_int_equal(t.dones, 1);
	int64_t doubt_us = fake_wall();
	memset(&t, 0xAA, sizeof t); /* its owner let it go */
	centre_advance(&f.centre, 5000);
	centre_answer(&f.centre, 0, third, 0, "late");
	centre_until(&f.centre, f.lates == 1);
	assert_int_equal(f.late.outcome, PART_SUBMITTED);
	assert_true(f.late_id == id && f.late_part == 2 && f.late_parts == 3);
	assert_true(f.late_doubt_us == doubt_us);
	centre_answer(&f.centre, 0, second, 0x58, NULL); /* too late to slow a shipment */
	centre_until(&f.centre, f.lates == 2);
	assert_int_equal(f.late.outcome, PART_REFUSED);
	assert_int_equal(f.late.class, STATUS_TEMPORARY);
	assert_int_equal(f.late_part, 1);
	centre_answer(&f.centre, 0, second, 0, "late"); /* once */
	centre_fence(&f.centre, 0);
	assert_int_equal(f.lates, 2);
	end(&f);
}

static void carrier_late__told_while_another_part_is_on_the_wire__not_sent_again(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "t", LANE_NOTICE, 2);
	struct pdu_header first = take_text(&f, 0, "t/1");
	centre_advance(&f.centre, 5000);
	take_text(&f, 0, "t/2");
	centre_advance(&f.centre, 10000);
	centre_until(&f.centre, t.dones == 1);
	carrier_submit(f.carrier, &t.s); /* in doubt, both: again */
	struct pdu_header again = take_text(&f, 0, "t/1");
	take_text(&f, 0, "t/2");
	centre_answer(&f.centre, 0, first, 0, "late");
	centre_until(&f.centre, f.lates == 1);
	t.s.done_mask |= 1;
	centre_answer(&f.centre, 0, again, 0x58, NULL); /* its slowed copy is of no use any more */
	centre_fence(&f.centre, 0);
	assert_int_equal(t.s.outstanding, 1);
	centre_advance(&f.centre, 10000);
	centre_until(&f.centre, t.dones == 2);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_turn__one_of_two_links_lost__the_other_takes_over(void **state)
{
	struct fixture f;
	struct letter t, u;

	(void)state;
	begin_bound(&f, "timers: {enquire: 5m}\n"
	                "links:\n- {name: a, host: 127.0.0.1, port: %d, system_id: a, window: 1}\n"
	                "- {name: b, host: 127.0.0.1, port: %d, system_id: b, window: 1}\n");
	post(&f, &t, "t", LANE_NOTICE, 3);
	take_text(&f, 0, "t/1");
	post(&f, &u, "u", LANE_BULK, 1);
	struct pdu_header h = take_text(&f, 1, "u/1"); /* t stays on its link, u need not wait for it */
	cut(&f, 0);
	centre_until(&f.centre, t.results == 1);
	assert_int_equal(t.outcome[0], PART_IN_DOUBT);
	assert_int_equal(t.dones, 0);
	assert_int_equal(f.downs, 0);
	centre_advance(&f.centre, 200);
	centre_answer(&f.centre, 1, h, 0, "u");
	h = take_text(&f, 1, "t/2");
	centre_answer(&f.centre, 1, h, 0, "2");
	centre_until(&f.centre, t.results == 2);
	centre_advance(&f.centre, 200);
	h = take_text(&f, 1, "t/3");
	centre_answer(&f.centre, 1, h, 0, "3");
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.s.done_mask, 6);
	end(&f);
}

static void carrier_up__last_link_lost__told_and_emptied(void **state)
{
	struct fixture f;
	struct letter t[3];

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t[0], "0", LANE_NOTICE, 1);
	take_text(&f, 0, "0/1");
	post(&f, &t[1], "1", LANE_BULK, 1);
	post(&f, &t[2], "2", LANE_CODE, 1);
	cut(&f, 0);
	centre_until(&f.centre, f.downs == 1 && t[0].dones == 1);
	assert_int_equal(t[0].outcome[0], PART_IN_DOUBT);
	assert_ptr_equal(carrier_take_waiting(f.carrier), &t[2].s);
	assert_null(t[2].s.carrier);
	assert_true(carrier_withdraw(f.carrier, &t[1].s));
	assert_null(carrier_take_waiting(f.carrier));
	end(&f);
}

static void carrier_turn__process_stopped_after_it_was_granted__never_leaves_in_doubt(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, ONE);
	post(&f, &t, "t", LANE_NOTICE, 1);
	t.stands_ms = STREAM_STILL_MS;
	centre_until(&f.centre, t.dones == 1 && f.centre.seats[0].closed);
	assert_int_equal(t.outcome[0], PART_IN_DOUBT);
	assert_false(seat_has_pdu(&f.centre.seats[0]));
	end(&f);
}

static void carrier_turn__ten_a_second__paced_by_timer(void **state)
{
	struct fixture f;
	struct letter t[5];

	(void)state;
	begin_bound(&f, "timers: {enquire: 5m}\nlinks:\n"
	                "- {host: 127.0.0.1, port: %d, system_id: a, window: 100, rate: 10}\n");
	for (int i = 0; i < 5; i++)
		post(&f, &t[i], "t", LANE_NOTICE, 1);
	take_text(&f, 0, "t/1");
	for (int i = 1; i < 5; i++) {
		centre_advance(&f.centre, 99);
		centre_fence(&f.centre, 0);
		assert_int_equal(t[i].turns, 0); /* nobody is asked in vain */
		centre_advance(&f.centre, 1);
		take_text(&f, 0, "t/1");
		assert_int_equal(t[i].turns, 1);
	}
	end(&f);
}

static void carrier_turn__two_links__load_spreads(void **state)
{
	struct fixture f;
	struct letter t[8];
	struct link_report rows[2];

	(void)state;
	begin_bound(&f, TWO);
	for (int i = 0; i < 8; i++)
		post(&f, &t[i], "t", LANE_NOTICE, 1);
	for (int i = 0; i < 4; i++) {
		take_text(&f, 0, "t/1");
		take_text(&f, 1, "t/1");
	}
	assert_int_equal(carrier_report(f.carrier, rows, 2), 2);
	assert_string_equal(rows[0].name, "test.a");
	assert_int_equal(rows[1].window_used, 4);
	end(&f);
}

static void post_avoiding(struct fixture *f, struct letter *t, const char *name, const char *link)
{
	post(f, t, name, LANE_CODE, 1);
	assert_true(carrier_withdraw(f->carrier, &t->s));
	t->s.avoid = carrier_link(f->carrier, link);
	carrier_submit(f->carrier, &t->s);
}

static void carrier_link__of_its_names__their_place_from_one(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	assert_int_equal(carrier_link(f.carrier, "test.a"), 1);
	assert_int_equal(carrier_link(f.carrier, "test.b"), 2);
	assert_int_equal(carrier_link(f.carrier, "other.a"), 0);
	assert_int_equal(carrier_link(f.carrier, ""), 0);
	end(&f);
}

static void carrier_turn__link_to_avoid__the_other_takes_it_though_its_turn_is_not_next(void **state)
{
	struct fixture f;
	struct letter t[4], u;

	(void)state;
	begin_bound(&f, TWO);
	for (int i = 0; i < 4; i++) {
		post_avoiding(&f, &t[i], "t", "test.a");
		take_text(&f, 1, "t/1");
	}
	post(&f, &u, "u", LANE_CODE, 1); /* behind one that waits for the other link's window */
	post_avoiding(&f, &t[0], "next", "test.a");
	take_text(&f, 0, "u/1");
	centre_fence(&f.centre, 0);
	assert_int_equal(t[0].turns, 0);
	end(&f);
}

static void carrier_turn__link_to_avoid_and_no_other_bound__it_takes_it(void **state)
{
	struct fixture f;
	struct letter t, u;
	struct link_report rows[2];

	(void)state;
	begin_bound(&f, NARROW);
	post_avoiding(&f, &t, "t", "test.1");
	assert_int_equal(t.s.avoid, 1);
	take_text(&f, 0, "t/1");
	end(&f);
	begin_bound(&f, TWO);
	cut(&f, 1);
	centre_until(&f.centre, carrier_report(f.carrier, rows, 2) && strcmp(rows[1].state, "bound") != 0);
	post_avoiding(&f, &u, "u", "test.a");
	take_text(&f, 0, "u/1");
	end(&f);
}

static void carrier_turn__transmitter_and_receiver__submits_on_one_receipts_on_the_other(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin(&f, COMMON "links:\n- {name: tx, host: 127.0.0.1, port: %d, system_id: a, bind: transmitter}\n"
	                 "- {name: rx, host: 127.0.0.1, port: %d, system_id: a, bind: receiver}\n");
	size_t tx = 9, rx = 9;
	for (size_t i = 0; i < 2; i++) {
		centre_until(&f.centre, f.centre.count > i);
		struct pdu_header h = centre_take(&f.centre, i);
		*(h.command == PDU_BIND_TRANSMITTER ? &tx : &rx) = i;
		centre_answer(&f.centre, i, h, 0, "c");
	}
	assert_int_equal(tx + rx, 1);
	centre_until(&f.centre, f.ups == 1);
	post(&f, &t, "t", LANE_CODE, 1);
	struct pdu_header h = take_text(&f, tx, "t/1");
	centre_answer(&f.centre, tx, h, 0, "id7");
	centre_deliver(&f.centre, rx, 3, PDU_DELIVER_SM, 4, "id:id7 stat:DELIVRD err:000");
	centre_until(&f.centre, f.receipts == 1 && t.dones == 1);
	assert_string_equal(f.receipt.id, "id7");
	carrier_answer(f.carrier, f.ticket, 0);
	h = centre_expect(&f.centre, rx, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.sequence, 3);
	end(&f);
}

static void carrier_receipt__deliver_and_data_sm__answered_when_recorded(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	centre_deliver(&f.centre, 0, 5, PDU_DELIVER_SM, 4, "id:A1 stat:UNDELIV err:027");
	centre_until(&f.centre, f.receipts == 1);
	assert_string_equal(f.receipt.id, "A1");
	assert_int_equal(f.receipt.state, RECEIPT_UNDELIVERABLE);
	centre_fence(&f.centre, 0);
	carrier_answer(f.carrier, f.ticket, 0);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.length, 17);
	centre_deliver(&f.centre, 0, 6, PDU_DATA_SM, 4, "id:A2 stat:DELIVRD");
	centre_until(&f.centre, f.receipts == 2);
	carrier_answer(f.carrier, f.ticket, 0x64);
	h = centre_expect(&f.centre, 0, PDU_DATA_SM | PDU_RESP);
	assert_int_equal(h.status, 0x64);
	assert_int_equal(h.sequence, 6);
	assert_int_equal(h.length, 17);
	end(&f);
}

static void carrier_receipt__unreadable__answered_when_its_owner_kept_it(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	f.unreadable_len = 7;
	centre_deliver(&f.centre, 0, 5, PDU_DELIVER_SM, 4, "a fine ");
	centre_fence(&f.centre, 0); /* not answered yet */
	assert_int_equal(f.unreadables, 1);
	carrier_answer(f.carrier, f.ticket, 0);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.status, 0);
	assert_int_equal(h.sequence, 5);
	assert_int_equal(f.others, 0);
	end(&f);
}

static void carrier_receipt__broken_and_like_a_receipt__whole_and_unread(void **state)
{
	static const uint8_t broken[] = "\0\0\0\x26\0\0\0\x05\0\0\0\0\0\0\0\x06id:1 stat:DELIVRD xxxx";
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	f.unreadable_len = sizeof broken - 1;
	centre_raw(&f.centre, 0, broken, sizeof broken - 1);
	centre_fence(&f.centre, 0);
	assert_int_equal(f.unreadables, 1);
	assert_int_equal(f.receipts, 0);
	end(&f);
}

static void carrier_receipt__message_of_a_phone__refused_for_good(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	centre_deliver(&f.centre, 0, 5, PDU_DELIVER_SM, 0, "STOP");
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.status, 0x65);
	assert_int_equal(f.others, 1);
	assert_string_equal(f.what, "message from a phone");
	end(&f);
}

static void carrier_answer__foreign_ticket__nothing(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	carrier_answer(f.carrier, (struct deliver_ticket){99, 1, PDU_DELIVER_SM, 1}, 0);
	carrier_answer(f.carrier, (struct deliver_ticket){0, 99, PDU_DELIVER_SM, 1}, 0);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_drain__outstanding_and_waiting__one_answered_the_other_kept(void **state)
{
	struct fixture f;
	struct letter t, u;

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t, "t", LANE_NOTICE, 1);
	struct pdu_header h = take_text(&f, 0, "t/1");
	post(&f, &u, "u", LANE_NOTICE, 1);
	carrier_drain(f.carrier, on_drained, &f);
	centre_fence(&f.centre, 0);
	centre_answer(&f.centre, 0, h, 0, "1");
	h = centre_expect(&f.centre, 0, PDU_UNBIND);
	assert_int_equal(t.dones, 1);
	assert_int_equal(f.drained, 0);
	centre_answer(&f.centre, 0, h, 0, NULL);
	centre_until(&f.centre, f.drained == 1);
	assert_ptr_equal(carrier_take_waiting(f.carrier), &u.s);
	end(&f);
}

static void carrier_drain__never_bound__told_later(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	carrier_drain(f.carrier, on_drained, &f);
	assert_int_equal(f.drained, 0);
	centre_until(&f.centre, f.drained == 1);
	end(&f);
}

/* Only the answers are left of t: once they are there, it is done and the carrier has nothing of it. */
static void assert_drains(struct fixture *f, struct letter *t, uint32_t done_mask)
{
	struct pdu_header h = centre_expect(&f->centre, 0, PDU_UNBIND);

	assert_int_equal(t->dones, 1);
	assert_int_equal(t->s.done_mask, done_mask);
	assert_null(t->s.carrier);
	centre_answer(&f->centre, 0, h, 0, NULL);
	centre_until(&f->centre, f->drained == 1);
	assert_null(carrier_take_waiting(f->carrier));
	assert_int_equal(t->dones, 1);
}

static void carrier_drain__long_message_half_sent__done_without_the_rest(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t, "t", LANE_NOTICE, 3);
	struct pdu_header h = take_text(&f, 0, "t/1");
	assert_null(carrier_take_waiting(f.carrier));
	carrier_drain(f.carrier, on_drained, &f);
	centre_fence(&f.centre, 0);
	assert_int_equal(t.dones, 0);
	centre_answer(&f.centre, 0, h, 0, "1");
	assert_drains(&f, &t, 1);
	assert_int_equal(t.results, 1);
	assert_int_equal(t.outcome[0], PART_SUBMITTED);
	end(&f);
}

static void carrier_drain__slowed__temporary_not_held(void **state)
{
	static const uint32_t statuses[] = {0x58, 0x14};
	struct fixture f;
	struct letter t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin_bound(&f, NARROW);
		post(&f, &t, "t", LANE_NOTICE, 2);
		struct pdu_header h = take_text(&f, 0, "t/1");
		carrier_drain(f.carrier, on_drained, &f);
		centre_answer(&f.centre, 0, h, statuses[i], NULL);
		assert_drains(&f, &t, 0);
		assert_int_equal(t.results, 1);
		assert_int_equal(t.outcome[0], PART_REFUSED);
		assert_int_equal(t.class[0], STATUS_TEMPORARY);
		assert_int_equal(t.status[0], statuses[i]);
		end(&f);
	}
}

static void carrier_drain__one_part_slowed_another_on_the_wire__done_with_its_answer(void **state)
{
	static const uint32_t statuses[] = {0x58, 0x14};
	struct fixture f;
	struct letter t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin_bound(&f, ONE);
		post(&f, &t, "t", LANE_NOTICE, 2);
		struct pdu_header first = take_text(&f, 0, "t/1"), second = take_text(&f, 0, "t/2");
		centre_answer(&f.centre, 0, first, statuses[i], NULL);
		centre_until(&f.centre, t.s.outstanding == 1);
		carrier_drain(f.carrier, on_drained, &f);
		assert_null(carrier_take_waiting(f.carrier));
		centre_answer(&f.centre, 0, second, 0, "2");
		assert_drains(&f, &t, 2);
		assert_int_equal(t.results, 1);
		end(&f);
	}
}

static void carrier_drain__link_lost_with_parts_unsent__in_doubt_and_done(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, NARROW);
	post(&f, &t, "t", LANE_NOTICE, 3);
	take_text(&f, 0, "t/1");
	carrier_drain(f.carrier, on_drained, &f);
	cut(&f, 0);
	centre_until(&f.centre, f.drained == 1);
	assert_int_equal(t.dones, 1);
	assert_int_equal(t.results, 1);
	assert_int_equal(t.outcome[0], PART_IN_DOUBT);
	assert_null(t.s.carrier);
	assert_null(carrier_take_waiting(f.carrier));
	end(&f);
}

static void carrier_rest__until_dial__takes_messages_and_does_not_connect(void **state)
{
	struct link_report r;
	struct fixture f;
	struct letter t;

	(void)state;
	begin(&f, ONE);
	carrier_rest(f.carrier, "not yet");
	post(&f, &t, "t", LANE_NOTICE, 1);
	centre_advance(&f.centre, 60000);
	assert_int_equal(carrier_report(f.carrier, &r, 1), 1);
	assert_string_equal(r.state, "waiting");
	assert_string_equal(r.reason, "not yet");
	assert_int_equal(f.centre.count, 0);
	carrier_dial(f.carrier);
	centre_bind(&f.centre, 0);
	take_text(&f, 0, "t/1");
	assert_int_equal(f.centre.count, 1);
	end(&f);
}

static void carrier_drain__resting__told_later_and_never_connects(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, TWO);
	carrier_rest(f.carrier, "not yet");
	carrier_drain(f.carrier, on_drained, &f);
	assert_int_equal(f.drained, 0);
	centre_until(&f.centre, f.drained == 1);
	assert_int_equal(f.centre.count, 0);
	end(&f);
}

static void carrier_submit__sender_too_long__our_bug(void **state)
{
	struct fixture f;
	struct letter t;

	(void)state;
	begin_bound(&f, ONE);
	f.like.sender = "a sender that nobody could ever show";
	post(&f, &t, "t", LANE_NOTICE, 2);
	centre_until(&f.centre, t.dones == 1);
	assert_int_equal(t.results, 1);
	assert_int_equal(t.class[0], STATUS_BUG);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void submission_validity__each_form__sixteen_characters(void **state)
{
	struct profile p = {.validity = VALIDITY_RELATIVE, .validity_max_ms = 2 * 86400000LL};
	const int64_t now = 1795000000250LL; /* 2026-11-18T11:06:40.250Z */
	char text[17];

	(void)state;
	submission_validity(&p, now + 65500, now, text);
	assert_string_equal(text, "000000000105000R");
	submission_validity(&p, now + 86400000 + 3600000, now, text);
	assert_string_equal(text, "000001010000000R");
	submission_validity(&p, now + 30 * 86400000LL, now, text); /* clamped */
	assert_string_equal(text, "000002000000000R");
	submission_validity(&p, now - 5, now, text);
	assert_string_equal(text, "000000000001000R");
	submission_validity(&p, 0, now, text);
	assert_string_equal(text, "");
	p.validity = VALIDITY_ABSOLUTE;
	submission_validity(&p, now + 60000, now, text);
	assert_string_equal(text, "261118110740200+");
	p.validity = VALIDITY_NONE;
	submission_validity(&p, now + 60000, now, text);
	assert_string_equal(text, "");
}

static void submission_fill__every_field__as_the_profile_says(void **state)
{
	uint16_t reference = submission_reference(0xDEADBEEF, 1);
	const uint8_t tlvs[] = {2, 4, 0, 2, (uint8_t)(reference >> 8), (uint8_t)reference, 2, 0x0C, 0, 2,
	    0x12, 0x34, 2, 0x0E, 0, 1, 3, 2, 0x0F, 0, 1, 2};
	struct profile p = {.sender = (char *)(uintptr_t) "1414",
	    .sender_ton = -1,
	    .sender_npi = 9,
	    .dest_ton = 2,
	    .dest_npi = 8,
	    .service_type = (char *)(uintptr_t) "SVC",
	    .priority_code = 3,
	    .priority_bulk = 1,
	    .protocol_id = 64,
	    .validity = VALIDITY_NONE,
	    .user_message_reference = true,
	    .dcs_gsm = 1,
	    .dcs_ucs2 = 0x18};
	struct shipment_part part = {.destination = {.text = "+77011234567"},
	    .segment = {.number = 2,
	        .total = 3,
	        .reference = 0x1234,
	        .has_sar = true,
	        .alphabet = ALPHABET_UCS2,
	        .bytes = (const uint8_t *)"\x04\x51",
	        .len = 2}};
	struct submission s = {0xDEADBEEF, 1, LANE_CODE, 0};
	struct buf b = {0};
	struct pdu_sm m;

	(void)state;
	assert_int_equal(submission_fill(&p, &s, &part, &b, &m), KZ_OK);
	assert_string_equal(m.source.text, "1414");
	assert_int_equal(m.source.ton, 3);
	assert_int_equal(m.source.npi, 9);
	assert_string_equal(m.destination.text, "77011234567");
	assert_int_equal(m.destination.ton, 2);
	assert_int_equal(m.destination.npi, 8);
	assert_string_equal(m.service_type, "SVC");
	assert_int_equal(m.priority, 3);
	assert_int_equal(m.protocol_id, 64);
	assert_int_equal(m.esm_class, 0);
	assert_int_equal(m.registered_delivery, 0);
	assert_int_equal(m.data_coding, 0x18);
	assert_false(m.payload);
	assert_int_equal(m.tlvs.len, sizeof tlvs);
	assert_memory_equal(m.tlvs.at, tlvs, sizeof tlvs);

	part.sender = "Kezek KZ";
	part.receipt = true;
	part.segment = (struct segment){.has_udh = true, .bytes = part.segment.bytes, .len = 255};
	s.lane = LANE_BULK;
	p.user_message_reference = false;
	assert_int_equal(submission_fill(&p, &s, &part, &b, &m), KZ_OK);
	assert_int_equal(m.source.ton, 5);
	assert_int_equal(m.source.npi, 0);
	assert_int_equal(m.esm_class, 0x40);
	assert_int_equal(m.registered_delivery, 1);
	assert_int_equal(m.priority, 1);
	assert_int_equal(m.data_coding, 1);
	assert_int_equal(m.tlvs.len, 0);
	assert_true(m.payload); /* over 254 octets there is no other way */
	buf_fini(&b);
}

static void submission_reference__ids_a_millisecond_apart_and_parts__all_differ(void **state)
{
	uint16_t all[64];

	(void)state;
	for (uint64_t i = 0; i < 64; i++) {
		all[i] = submission_reference((i / 4) << 22 | 3 << 14, (unsigned)(i % 4));
		for (uint64_t k = 0; k < i; k++)
			assert_int_not_equal(all[i], all[k]);
	}
}

static void submission_sender_shape__names_codes_numbers__ton_and_npi(void **state)
{
	static const struct {
		const char *sender;
		uint8_t ton, npi;
	} cases[] = {{"", 0, 0}, {"KEZEK", 5, 0}, {"7even", 5, 0}, {"109", 3, 0}, {"123456", 3, 0},
	    {"1234567", 1, 1}, {"+77011234567", 1, 1}, {"+", 5, 0}};
	uint8_t ton, npi;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		submission_sender_shape(cases[i].sender, &ton, &npi);
		assert_int_equal(ton, cases[i].ton);
		assert_int_equal(npi, cases[i].npi);
	}
}

static void submission_weight__payload__segments_of_the_operator(void **state)
{
	struct shipment_part part = {.segment = {.len = 140}};

	(void)state;
	assert_int_equal(submission_weight(&part), 1);
	part.segment.is_payload = true;
	assert_int_equal(submission_weight(&part), 1);
	part.segment.len = 141;
	assert_int_equal(submission_weight(&part), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(carrier_submit__not_cleared__nothing_is_written_before_it_is),
	    cmocka_unit_test(carrier_submit__many_not_cleared__only_the_next_are_asked_for_in_order),
	    cmocka_unit_test(carrier_has_room__as_long_as_few_are_near),
	    cmocka_unit_test(carrier_submit__one_part__octets_and_result),
	    cmocka_unit_test(carrier_submit__down__waits_for_the_bind),
	    cmocka_unit_test(carrier_turn__three_lanes__code_before_notice_before_bulk),
	    cmocka_unit_test(carrier_turn__long_message__parts_in_order_on_one_link),
	    cmocka_unit_test(carrier_turn__code_between_parts__goes_first),
	    cmocka_unit_test(carrier_turn__parts_done_before__not_sent_again),
	    cmocka_unit_test(carrier_submit__half_sent_elsewhere__before_what_is_not_begun),
	    cmocka_unit_test(carrier_turn__expired__out_without_a_word),
	    cmocka_unit_test(carrier_turn__expired_in_the_middle__answers_still_come),
	    cmocka_unit_test(carrier_turn__one_part_refused__the_rest_is_not_sent),
	    cmocka_unit_test(carrier_answer__each_class__as_the_profile_says),
	    cmocka_unit_test(carrier_turn__slowed__same_part_same_link_later_without_a_word),
	    cmocka_unit_test(carrier_turn__queue_full_for_one_phone__held_longer_each_time_link_not_slowed),
	    cmocka_unit_test(carrier_turn__throttled_code__next_token_is_its),
	    cmocka_unit_test(carrier_turn__window_throttled__again_in_their_order_before_new_ones),
	    cmocka_unit_test(carrier_turn__throttled_part__before_the_parts_after_it_on_the_same_link),
	    cmocka_unit_test(carrier_turn__one_part_queue_full_another_throttled__the_hold_is_kept),
	    cmocka_unit_test(carrier_withdraw__throttled__its_owners_again),
	    cmocka_unit_test(carrier_turn__throttled_by_a_link_that_leaves__the_other_takes_it),
	    cmocka_unit_test(carrier_turn__response_timer__in_doubt_rest_goes_on),
	    cmocka_unit_test(carrier_late__answered_after_the_timer__told_by_id_and_part),
	    cmocka_unit_test(carrier_late__told_while_another_part_is_on_the_wire__not_sent_again),
	    cmocka_unit_test(carrier_turn__one_of_two_links_lost__the_other_takes_over),
	    cmocka_unit_test(carrier_up__last_link_lost__told_and_emptied),
	    cmocka_unit_test(carrier_turn__process_stopped_after_it_was_granted__never_leaves_in_doubt),
	    cmocka_unit_test(carrier_turn__ten_a_second__paced_by_timer),
	    cmocka_unit_test(carrier_turn__two_links__load_spreads),
	    cmocka_unit_test(carrier_link__of_its_names__their_place_from_one),
	    cmocka_unit_test(carrier_turn__link_to_avoid__the_other_takes_it_though_its_turn_is_not_next),
	    cmocka_unit_test(carrier_turn__link_to_avoid_and_no_other_bound__it_takes_it),
	    cmocka_unit_test(carrier_turn__transmitter_and_receiver__submits_on_one_receipts_on_the_other),
	    cmocka_unit_test(carrier_receipt__deliver_and_data_sm__answered_when_recorded),
	    cmocka_unit_test(carrier_receipt__unreadable__answered_when_its_owner_kept_it),
	    cmocka_unit_test(carrier_receipt__broken_and_like_a_receipt__whole_and_unread),
	    cmocka_unit_test(carrier_receipt__message_of_a_phone__refused_for_good),
	    cmocka_unit_test(carrier_answer__foreign_ticket__nothing),
	    cmocka_unit_test(carrier_drain__outstanding_and_waiting__one_answered_the_other_kept),
	    cmocka_unit_test(carrier_drain__never_bound__told_later),
	    cmocka_unit_test(carrier_drain__long_message_half_sent__done_without_the_rest),
	    cmocka_unit_test(carrier_drain__slowed__temporary_not_held),
	    cmocka_unit_test(carrier_drain__one_part_slowed_another_on_the_wire__done_with_its_answer),
	    cmocka_unit_test(carrier_drain__link_lost_with_parts_unsent__in_doubt_and_done),
	    cmocka_unit_test(carrier_rest__until_dial__takes_messages_and_does_not_connect),
	    cmocka_unit_test(carrier_drain__resting__told_later_and_never_connects),
	    cmocka_unit_test(carrier_submit__sender_too_long__our_bug),
	    cmocka_unit_test(submission_validity__each_form__sixteen_characters),
	    cmocka_unit_test(submission_fill__every_field__as_the_profile_says),
	    cmocka_unit_test(submission_reference__ids_a_millisecond_apart_and_parts__all_differ),
	    cmocka_unit_test(submission_sender_shape__names_codes_numbers__ton_and_npi),
	    cmocka_unit_test(submission_weight__payload__segments_of_the_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

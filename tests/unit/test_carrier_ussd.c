/* carrier's dialogues against a scripted message centre: what is told and answered, and which way pages go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/fake_centre.h"
#include "base/metrics.h"
#include "smpp/carrier.h"

struct fixture {
	struct centre centre;
	struct profile *profile;
	struct carrier *carrier;
	bool takes;
	int heard, drained;
	struct ussd_in in;
	struct shipment messages[8];
	uint8_t text;
};

/* What became of one page. */
struct told {
	int n;
	enum kz r;
};

static void on_page(void *arg, enum kz r)
{
	struct told *t = arg;

	t->n++;
	t->r = r;
}

static bool on_ussd(void *arg, struct carrier *c, const struct ussd_in *in)
{
	struct fixture *f = arg;

	assert_ptr_equal(c, f->carrier);
	f->heard++;
	f->in = *in;
	return f->takes;
}

static unsigned on_turn(void *arg, struct shipment *s, unsigned part, struct shipment_part *ret)
{
	struct fixture *f = arg;

	(void)s;
	(void)part;
	strcpy(ret->destination.text, "77017654321");
	f->text = 'm';
	ret->segment = (struct segment){.number = 1, .total = 1, .bytes = &f->text, .len = 1};
	return 1;
}

static void on_part(void *arg, struct shipment *s, unsigned part, const struct part_result *r)
{
	(void)arg;
	(void)s;
	(void)part;
	(void)r;
}

static void on_done(void *arg, struct shipment *s)
{
	(void)arg;
	(void)s;
}

static void on_other(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what)
{
	(void)arg;
	(void)c;
	(void)m;
	fail_msg("kept aside: %s", what);
}

static void on_up(void *arg, struct carrier *c, bool up)
{
	(void)arg;
	(void)c;
	(void)up;
}

static void on_drained(void *arg)
{
	((struct fixture *)arg)->drained++;
}

static const struct carrier_events events = {.on_turn = on_turn,
    .on_part = on_part,
    .on_done = on_done,
    .on_ussd = on_ussd,
    .on_other = on_other,
    .on_up = on_up};

#define COMMON                                                                                               \
	"timers: {enquire: 5m, response: 10s, unbind: 4s}\n"                                                 \
	"reconnect: {min: 1s, max: 4s}\n"                                                                    \
	"sender: {default: kezek}\n"
#define USSD    "ussd: {detect: tlv, codes: [\"123\"], key: msisdn}\n"
#define LINK(n) "- {name: " n ", host: 127.0.0.1, port: %d, system_id: a, window: 4, rate: 1000}\n"
#define ONE     COMMON USSD "links:\n" LINK("a")
#define TWO     COMMON USSD "links:\n" LINK("a") LINK("b")
#define SLOW    COMMON USSD "links:\n- {host: 127.0.0.1, port: %d, system_id: a, window: 9, rate: 1}\n"
#define RECEIVING                                                                                            \
	COMMON USSD "links:\n- {name: rx, bind: receiver, host: 127.0.0.1, port: %d, system_id: a}\n"        \
	            "- {name: tx, bind: transmitter, host: 127.0.0.1, port: %d, system_id: a}\n"

static bool all_bound(struct fixture *f)
{
	struct link_report rows[4];
	size_t n = carrier_report(f->carrier, rows, 4);

	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].state, "bound"))
			return false;
	return true;
}

static void begin(struct fixture *f, const char *yaml)
{
	*f = (struct fixture){.takes = true};
	centre_init(&f->centre);
	f->profile = centre_profile(&f->centre, yaml);
	f->carrier = carrier_new(f->centre.loop, f->profile, &events, f);
}

static void begin_bound(struct fixture *f, const char *yaml)
{
	begin(f, yaml);
	for (size_t i = 0; i < f->profile->links_n; i++)
		centre_bind(&f->centre, i);
	centre_until(&f->centre, all_bound(f));
}

static void end(struct fixture *f)
{
	carrier_free(f->carrier);
	profile_free(f->profile);
	centre_fini(&f->centre);
}

/* The centre brings what a phone says. */
static void say(struct fixture *f, size_t i, uint32_t command, uint8_t op, const char *text)
{
	struct buf out = {0}, tlvs = {0};
	struct pdu_sm m = {
	    .command = command,
	    .source = {1, 1, "77011234567"},
	    .destination = {0, 1, "123"},
	    .text = (const uint8_t *)text,
	    .text_len = strlen(text),
	};

	pdu_put_tlv(&tlvs, TAG_USSD_SERVICE_OP, &op, 1);
	m.tlvs = (struct pdu_tlvs){(const uint8_t *)tlvs.data, tlvs.len};
	assert_int_equal(pdu_put_sm(&out, 77, &m), KZ_OK);
	centre_raw(&f->centre, i, out.data, out.len);
	buf_fini(&out);
	buf_fini(&tlvs);
}

static void dial(struct fixture *f, size_t i)
{
	int heard = f->heard;

	say(f, i, PDU_DELIVER_SM, 1, "*123#");
	struct pdu_header h = centre_expect(&f->centre, i, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.status, 0);
	assert_int_equal(f->heard, heard + 1);
}

static void page(struct fixture *f, const char *text, int64_t within_ms, struct told *t)
{
	*t = (struct told){0};
	assert_int_equal(
	    carrier_page(f->carrier, &f->in.peer, USSD_GO_ON, text, within_ms, on_page, t), KZ_OK);
	assert_int_equal(t->n, 0);
}

static struct pdu_header take_page(struct fixture *f, size_t i, const char *text)
{
	struct pdu_header h = centre_take(&f->centre, i);
	struct pdu_sm m;

	assert_int_equal(pdu_take_sm((const uint8_t *)f->centre.frame.data, &m), KZ_OK);
	assert_int_equal(m.text_len, strlen(text));
	assert_memory_equal(m.text, text, m.text_len);
	return h;
}

static void is_told(struct fixture *f, struct told *t, enum kz r)
{
	centre_until(&f->centre, t->n == 1);
	assert_int_equal(t->r, r);
}

static void post(struct fixture *f, size_t i)
{
	f->messages[i] = (struct shipment){.id = i + 1, .lane = LANE_CODE, .cleared = true};
	carrier_submit(f->carrier, &f->messages[i]);
}

static void cut(struct fixture *f, size_t i)
{
	stream_free(f->centre.seats[i].stream);
	f->centre.seats[i].stream = NULL;
}

static void on_ussd__dialled__told_answered_and_paged(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, ONE);
	dial(&f, 0);
	assert_int_equal(f.in.said, USSD_DIALLED);
	assert_string_equal(f.in.text, "*123#");
	assert_int_equal(f.in.peer.link, 0);
	page(&f, "menu", 1000, &t);
	assert_int_equal(carrier_pages(f.carrier), 1);
	centre_answer(&f.centre, 0, take_page(&f, 0, "menu"), 0, "");
	is_told(&f, &t, KZ_OK);
	assert_int_equal(carrier_pages(f.carrier), 0);
	end(&f);
}

static void on_ussd__nobody_takes_it__refused_for_good(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	f.takes = false;
	say(&f, 0, PDU_DELIVER_SM, 1, "*123#");
	assert_int_equal(centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP).status, 0x65);
	assert_int_equal(f.heard, 1);
	end(&f);
}

static void on_ussd__not_taken_while_it_drains__put_off(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, ONE);
	dial(&f, 0);
	page(&f, "menu", 60000, &t);
	struct pdu_header h = take_page(&f, 0, "menu");
	carrier_drain(f.carrier, on_drained, &f);
	f.takes = false;
	say(&f, 0, PDU_DELIVER_SM, 18, "1");
	assert_int_equal(centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP).status, 0x64);
	centre_answer(&f.centre, 0, h, 0, "");
	is_told(&f, &t, KZ_OK);
	end(&f);
}

static void on_ussd__unreadable__refused_counted_and_not_kept(void **state)
{
	double before = metrics_total("kezek_smpp_odd_pdus_total");
	struct fixture f;

	(void)state;
	begin_bound(&f, ONE);
	say(&f, 0, PDU_DELIVER_SM, 77, "900101300123");
	assert_int_equal(centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP).status, 0x65);
	assert_int_equal(f.heard, 0);
	assert_true(metrics_total("kezek_smpp_odd_pdus_total") == before + 1);
	end(&f);
}

static void on_ussd__typed_like_a_receipt__is_what_was_typed(void **state)
{
	static const char text[] =
	    "id:1 sub:001 dlvrd:001 submit date:2611290800 done date:2611290800 stat:DELIVRD";
	struct fixture f;

	(void)state;
	begin_bound(&f, "receipts: {loose: yes}\n" ONE);
	say(&f, 0, PDU_DELIVER_SM, 18, text);
	assert_int_equal(centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP).status, 0);
	assert_int_equal(f.in.said, USSD_TYPED);
	assert_string_equal(f.in.text, text);
	end(&f);
}

static void carrier_page__data_sm__answered_as_submit_sm_is(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, COMMON "ussd: {detect: tlv, key: msisdn, data_sm: yes}\nlinks:\n" LINK("a"));
	say(&f, 0, PDU_DATA_SM, 1, "");
	centre_expect(&f.centre, 0, PDU_DATA_SM | PDU_RESP);
	page(&f, "menu", 1000, &t);
	struct pdu_header h = take_page(&f, 0, "menu");
	assert_int_equal(h.command, PDU_DATA_SM);
	centre_answer(&f.centre, 0, h, 0, "id");
	is_told(&f, &t, KZ_OK);
	page(&f, "next", 1000, &t);
	take_page(&f, 0, "next");
	cut(&f, 0);
	is_told(&f, &t, KZ_LOST);
	end(&f);
}

static void carrier_page__two_links__by_the_one_it_came_by(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, TWO);
	for (int i = 0; i < 3; i++) {
		dial(&f, 1);
		page(&f, "menu", 1000, &t);
		centre_answer(&f.centre, 1, take_page(&f, 1, "menu"), 0, "");
		is_told(&f, &t, KZ_OK);
	}
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_page__its_link_lost__by_the_other(void **state)
{
	struct fixture f;
	struct told t, waiting[8];

	(void)state;
	begin_bound(&f, TWO);
	dial(&f, 0);
	for (int i = 0; i < 8; i++) /* four fit the window */
		page(&f, "menu", 1000, &waiting[i]);
	for (int i = 0; i < 4; i++)
		take_page(&f, 0, "menu");
	centre_fence(&f.centre, 0);
	assert_true(carrier_link_stands(f.carrier, f.in.peer.link, f.in.epoch));
	cut(&f, 0);
	for (int i = 0; i < 4; i++)
		is_told(&f, &waiting[i], KZ_LOST);
	assert_false(carrier_link_stands(f.carrier, f.in.peer.link, f.in.epoch));
	page(&f, "late", 1000, &t);
	for (int i = 4; i < 8; i++) {
		centre_answer(&f.centre, 1, take_page(&f, 1, "menu"), 0, "");
		is_told(&f, &waiting[i], KZ_OK);
	}
	centre_answer(&f.centre, 1, take_page(&f, 1, "late"), 0, "");
	is_told(&f, &t, KZ_OK);
	end(&f);
}

static void carrier_page__came_by_a_receiver__by_the_transmitter(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, RECEIVING);
	size_t rx = 0;
	struct link_report rows[2];
	carrier_report(f.carrier, rows, 2);
	dial(&f, rx);
	assert_int_equal(f.in.peer.link, 0);
	page(&f, "menu", 1000, &t);
	centre_answer(&f.centre, 1, take_page(&f, 1, "menu"), 0, "");
	is_told(&f, &t, KZ_OK);
	end(&f);
}

static void carrier_page__window_full_of_messages__has_its_places(void **state)
{
	struct pdu_header messages[2];
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, ONE);
	for (size_t i = 0; i < 5; i++)
		post(&f, i);
	for (size_t i = 0; i < 2; i++) /* of four, two are kept */
		messages[i] = take_page(&f, 0, "m");
	centre_fence(&f.centre, 0);
	dial(&f, 0);
	page(&f, "menu", 1000, &t);
	centre_answer(&f.centre, 0, take_page(&f, 0, "menu"), 0, "");
	is_told(&f, &t, KZ_OK);
	centre_fence(&f.centre, 0);
	centre_answer(&f.centre, 0, messages[0], 0, "id");
	take_page(&f, 0, "m");
	end(&f);
}

static void carrier_page__rate_used_up__the_next_token_is_its(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, SLOW);
	for (size_t i = 0; i < 4; i++)
		post(&f, i);
	take_page(&f, 0, "m");
	dial(&f, 0);
	page(&f, "menu", 5000, &t);
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 1010);
	take_page(&f, 0, "menu");
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 1010);
	take_page(&f, 0, "m");
	end(&f);
}

static void carrier_page__slowed__again_within_its_time(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, ONE);
	dial(&f, 0);
	page(&f, "menu", 2000, &t);
	centre_answer(&f.centre, 0, take_page(&f, 0, "menu"), 0x58, "");
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 500);
	centre_answer(&f.centre, 0, take_page(&f, 0, "menu"), 0, "");
	is_told(&f, &t, KZ_OK);
	page(&f, "next", 2000, &t);
	struct pdu_header h = take_page(&f, 0, "next");
	centre_advance(&f.centre, 2001);
	centre_answer(&f.centre, 0, h, 0x58, "");
	is_told(&f, &t, KZ_REFUSED);
	end(&f);
}

static void carrier_page__refused__told(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, ONE);
	dial(&f, 0);
	page(&f, "menu", 1000, &t);
	centre_answer(&f.centre, 0, take_page(&f, 0, "menu"), 0x45, NULL);
	is_told(&f, &t, KZ_REFUSED);
	end(&f);
}

static void carrier_page__not_answered__lost_and_never_again(void **state)
{
	struct fixture f;
	struct told t;

	(void)state;
	begin_bound(&f, ONE);
	dial(&f, 0);
	page(&f, "menu", 60000, &t);
	take_page(&f, 0, "menu");
	centre_advance(&f.centre, 10001);
	is_told(&f, &t, KZ_LOST);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_page__no_link__waits_and_expires(void **state)
{
	struct fixture f;
	struct told early, late;

	(void)state;
	begin(&f, ONE);
	f.in.peer = (struct ussd_peer){.phone = {1, 1, "77011234567"}, .link = UINT32_MAX};
	page(&f, "early", 500, &early);
	page(&f, "late", 60000, &late);
	centre_until(&f.centre, f.centre.count == 1);
	centre_advance(&f.centre, 501);
	is_told(&f, &early, KZ_EXPIRED);
	centre_bind(&f.centre, 0);
	centre_answer(&f.centre, 0, take_page(&f, 0, "late"), 0, "");
	is_told(&f, &late, KZ_OK);
	centre_fence(&f.centre, 0);
	end(&f);
}

static void carrier_page__over_the_limit__said_at_once(void **state)
{
	struct fixture f;
	struct told t = {0};
	char text[200];

	(void)state;
	begin_bound(&f, ONE);
	memset(text, 'a', sizeof text);
	text[183] = '\0';
	dial(&f, 0);
	assert_int_equal(
	    carrier_page(f.carrier, &f.in.peer, USSD_LAST, text, 1000, on_page, &t), KZ_TOO_LONG);
	assert_int_equal(carrier_page(f.carrier, &f.in.peer, USSD_LAST, "", 1000, on_page, &t), KZ_INVALID);
	assert_int_equal(carrier_pages(f.carrier), 0);
	centre_fence(&f.centre, 0);
	assert_int_equal(t.n, 0);
	end(&f);
}

static void carrier_drain__pages__the_written_is_answered_the_waiting_over(void **state)
{
	struct told written, waiting, never = {0};
	struct fixture f;

	(void)state;
	begin_bound(&f, SLOW);
	dial(&f, 0);
	page(&f, "written", 60000, &written);
	page(&f, "waiting", 60000, &waiting);
	struct pdu_header h = take_page(&f, 0, "written");
	carrier_drain(f.carrier, on_drained, &f);
	assert_int_equal(carrier_page(f.carrier, &f.in.peer, USSD_LAST, "x", 1000, on_page, &never), KZ_LOST);
	is_told(&f, &waiting, KZ_EXPIRED);
	centre_answer(&f.centre, 0, h, 0, "");
	is_told(&f, &written, KZ_OK);
	centre_answer(&f.centre, 0, centre_expect(&f.centre, 0, PDU_UNBIND), 0, NULL);
	centre_until(&f.centre, f.drained == 1);
	assert_int_equal(never.n, 0);
	end(&f);
}

static void carrier_free__pages_on_their_way__nothing_is_told(void **state)
{
	struct told written, waiting;
	struct fixture f;

	(void)state;
	begin_bound(&f, SLOW);
	dial(&f, 0);
	page(&f, "written", 60000, &written);
	page(&f, "waiting", 60000, &waiting);
	take_page(&f, 0, "written");
	end(&f);
	assert_int_equal(written.n + waiting.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(on_ussd__dialled__told_answered_and_paged),
	    cmocka_unit_test(on_ussd__nobody_takes_it__refused_for_good),
	    cmocka_unit_test(on_ussd__not_taken_while_it_drains__put_off),
	    cmocka_unit_test(on_ussd__unreadable__refused_counted_and_not_kept),
	    cmocka_unit_test(on_ussd__typed_like_a_receipt__is_what_was_typed),
	    cmocka_unit_test(carrier_page__data_sm__answered_as_submit_sm_is),
	    cmocka_unit_test(carrier_page__two_links__by_the_one_it_came_by),
	    cmocka_unit_test(carrier_page__its_link_lost__by_the_other),
	    cmocka_unit_test(carrier_page__came_by_a_receiver__by_the_transmitter),
	    cmocka_unit_test(carrier_page__window_full_of_messages__has_its_places),
	    cmocka_unit_test(carrier_page__rate_used_up__the_next_token_is_its),
	    cmocka_unit_test(carrier_page__slowed__again_within_its_time),
	    cmocka_unit_test(carrier_page__refused__told),
	    cmocka_unit_test(carrier_page__not_answered__lost_and_never_again),
	    cmocka_unit_test(carrier_page__no_link__waits_and_expires),
	    cmocka_unit_test(carrier_page__over_the_limit__said_at_once),
	    cmocka_unit_test(carrier_drain__pages__the_written_is_answered_the_waiting_over),
	    cmocka_unit_test(carrier_free__pages_on_their_way__nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

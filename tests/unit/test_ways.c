/* ways: whose sessions are opened and closed when, against a scripted message centre. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/fake_centre.h"
#include "flow/ways.h"

struct fixture {
	struct centre centre;
	struct ways *ways;
	int changes, homeless, drained, dialled;
	struct ussd_in in;
};

static unsigned on_turn(
    void *arg, struct carrier *c, struct shipment *s, unsigned part, struct shipment_part *ret)
{
	(void)arg;
	(void)c;
	(void)s;
	*ret = (struct shipment_part){.destination = {1, 1, "77011234567"}};
	ret->segment = (struct segment){.bytes = (const uint8_t *)"text", .len = 4};
	return part + 2; /* there is always one more */
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
	assert_null(s->carrier);
}

static void on_receipt(
    void *arg, struct carrier *c, uint32_t way, const struct receipt *r, struct deliver_ticket ticket)
{
	struct fixture *f = arg;

	(void)c;
	(void)r;
	ways_answer(f->ways, way, ticket, false);
}

static bool on_ussd(void *arg, struct carrier *c, const struct ussd_in *in)
{
	struct fixture *f = arg;

	assert_ptr_equal(c, ways_named(f->ways, "test"));
	f->in = *in;
	return ++f->dialled;
}

static void on_page(void *arg, enum kz r)
{
	*(int *)arg += r == KZ_OK ? 1 : 1000;
}

static void on_other(void *arg, struct carrier *c, const struct pdu_sm *m, const char *what)
{
	(void)arg;
	(void)c;
	(void)m;
	(void)what;
}

static void on_near(void *arg, struct shipment *s)
{
	(void)arg;
	carrier_clear(s->carrier, s);
}

static void on_change(void *arg, const struct carrier *c)
{
	(void)c;
	((struct fixture *)arg)->changes++;
}

static void on_homeless(void *arg, struct shipment *s)
{
	assert_null(s->carrier);
	((struct fixture *)arg)->homeless++;
}

static void on_drained(void *arg)
{
	((struct fixture *)arg)->drained++;
}

static const struct ways_events events = {
    on_near, on_turn, on_part, on_done, NULL, on_receipt, NULL, on_ussd, on_other, on_change, on_homeless};

static void begin(struct fixture *f)
{
	*f = (struct fixture){0};
	centre_init(&f->centre);
	f->ways = ways_new(f->centre.loop, &events, f);
}

static void end(struct fixture *f)
{
	ways_free(f->ways);
	centre_fini(&f->centre);
}

/* One profile, "test", as read after a change of its rate. */
static void set(struct fixture *f, int rate)
{
	struct profile **profiles = mem_array(1, sizeof(struct profile *));
	char *yaml = mem_printf("timers: {enquire: 5m}\nsender: {default: kezek}\n"
	                        "ussd: {detect: any, key: msisdn}\n"
	                        "links:\n- {host: 127.0.0.1, port: %%d, system_id: a, window: 1, rate: %d}\n",
	    rate);

	profiles[0] = centre_profile(&f->centre, yaml);
	ways_set(f->ways, profiles, 1);
	free(yaml);
}

static void begin_bound(struct fixture *f)
{
	begin(f);
	set(f, 100);
	centre_bind(&f->centre, 0);
	centre_until(&f->centre, carrier_is_up(ways_at(f->ways, 0)));
}

/* The operator answers the unbind of connection i. */
static void let_go(struct fixture *f, size_t i)
{
	centre_answer(&f->centre, i, centre_expect(&f->centre, i, PDU_UNBIND), 0, NULL);
}

static void ways_set__profile_changed__dials_when_the_old_session_is_closed(void **state)
{
	struct carrier *route[ROUTE_MAX];
	struct fixture f;

	(void)state;
	begin_bound(&f);
	set(&f, 99);
	assert_int_equal(ways_route(f.ways, (struct msisdn){77011234567}, route), 1); /* it gathers */
	assert_false(carrier_is_up(route[0]));
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_UNBIND);
	centre_advance(&f.centre, 1000);
	centre_fence(&f.centre, 0);
	assert_int_equal(f.centre.count, 1);
	centre_answer(&f.centre, 0, h, 0, NULL);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, carrier_is_up(ways_at(f.ways, 0)));
	assert_true(f.centre.seats[0].closed);
	end(&f);
}

static void ways_set__changed_again_while_the_first_drains__only_the_last_dials(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f);
	set(&f, 99);
	set(&f, 98);
	centre_advance(&f.centre, 1000);
	assert_int_equal(f.centre.count, 1);
	let_go(&f, 0);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, carrier_is_up(ways_at(f.ways, 0)));
	assert_true(carrier_profile(ways_at(f.ways, 0))->links[0].rate == 98);
	assert_int_equal(f.centre.count, 2);
	end(&f);
}

static void ways_set__same_profile__its_session_stays(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f);
	set(&f, 100);
	centre_fence(&f.centre, 0);
	assert_true(carrier_is_up(ways_at(f.ways, 0)));
	assert_int_equal(f.centre.count, 1);
	end(&f);
}

static void ways_set__same_profile_bind_refused__dials_at_once(void **state)
{
	struct fixture f;
	struct link_report r;

	(void)state;
	begin(&f);
	set(&f, 100);
	centre_until(&f.centre, f.centre.count == 1);
	centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0x0E, NULL);
	centre_until(&f.centre, f.centre.seats[0].closed);
	centre_advance(&f.centre, 10000);
	carrier_report(ways_at(f.ways, 0), &r, 1);
	assert_string_equal(r.state, "waiting");
	struct carrier *kept = ways_at(f.ways, 0);
	set(&f, 100);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, carrier_is_up(ways_at(f.ways, 0)));
	assert_ptr_equal(ways_at(f.ways, 0), kept);
	assert_int_equal(f.centre.count, 2);
	end(&f);
}

/* Its turn comes when the old session is closed, not with a reload before that. */
static void ways_set__same_profile_that_rests__rests_on(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f);
	set(&f, 99);
	set(&f, 99);
	centre_advance(&f.centre, 1000);
	assert_int_equal(f.centre.count, 1);
	let_go(&f, 0);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, carrier_is_up(ways_at(f.ways, 0)));
	assert_int_equal(f.centre.count, 2);
	end(&f);
}

static void ways_set__half_sent_and_waiting__both_are_the_owners_again(void **state)
{
	struct shipment half = {.id = 1, .lane = LANE_NOTICE}, waits = {.id = 2, .lane = LANE_NOTICE};
	struct fixture f;

	(void)state;
	begin_bound(&f);
	carrier_submit(ways_at(f.ways, 0), &half);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_SUBMIT_SM);
	carrier_submit(ways_at(f.ways, 0), &waits);
	set(&f, 99);
	assert_int_equal(f.homeless, 1);
	centre_answer(&f.centre, 0, h, 0, "1");
	let_go(&f, 0);
	centre_bind(&f.centre, 1);
	assert_null(half.carrier);
	assert_int_equal(half.done_mask, 1);
	carrier_submit(ways_at(f.ways, 0), &half);
	centre_expect(&f.centre, 1, PDU_SUBMIT_SM);
	end(&f);
}

static void ways_drain__one_drains_and_its_heir_rests__told_once_and_nobody_dials(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f);
	set(&f, 99);
	ways_drain(f.ways, on_drained, &f);
	centre_advance(&f.centre, 1000);
	assert_int_equal(f.drained, 0);
	let_go(&f, 0);
	centre_until(&f.centre, f.drained == 1);
	assert_int_equal(f.centre.count, 1);
	end(&f);
}

static void ways_drain__nothing_configured__told_later(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	ways_drain(f.ways, on_drained, &f);
	assert_int_equal(f.drained, 0);
	centre_until(&f.centre, f.drained == 1);
	end(&f);
}

static void ways_free__before_it_was_told__not_told(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	ways_drain(f.ways, on_drained, &f);
	ways_free(f.ways);
	f.ways = NULL;
	centre_advance(&f.centre, 1000);
	assert_int_equal(f.drained, 0);
	end(&f);
}

static void ways_named__profile_changed_in_a_dialogue__its_page_goes_by_the_heir(void **state)
{
	struct fixture f;
	int told = 0;

	(void)state;
	begin_bound(&f);
	assert_null(ways_named(f.ways, "tes"));
	centre_deliver(&f.centre, 0, 9, PDU_DELIVER_SM, 0, "*123#");
	centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(f.dialled, 1);
	set(&f, 99);
	struct carrier *heir = ways_named(f.ways, "test");
	assert_int_equal(carrier_page(heir, &f.in.peer, USSD_LAST, "page", 60000, on_page, &told), KZ_OK);
	let_go(&f, 0);
	centre_bind(&f.centre, 1);
	centre_answer(&f.centre, 1, centre_expect(&f.centre, 1, PDU_SUBMIT_SM), 0, "");
	centre_until(&f.centre, told == 1);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ways_set__profile_changed__dials_when_the_old_session_is_closed),
	    cmocka_unit_test(ways_set__changed_again_while_the_first_drains__only_the_last_dials),
	    cmocka_unit_test(ways_set__same_profile__its_session_stays),
	    cmocka_unit_test(ways_set__same_profile_bind_refused__dials_at_once),
	    cmocka_unit_test(ways_set__same_profile_that_rests__rests_on),
	    cmocka_unit_test(ways_set__half_sent_and_waiting__both_are_the_owners_again),
	    cmocka_unit_test(ways_named__profile_changed_in_a_dialogue__its_page_goes_by_the_heir),
	    cmocka_unit_test(ways_drain__one_drains_and_its_heir_rests__told_once_and_nobody_dials),
	    cmocka_unit_test(ways_drain__nothing_configured__told_later),
	    cmocka_unit_test(ways_free__before_it_was_told__not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

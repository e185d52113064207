/* link against a scripted message centre: what stands on the wire, octet by octet where it matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/fake_centre.h"
#include "base/metrics.h"
#include "smpp/link_body.h"

#define ANSWERS 64

/* A link, its centre and all that was heard of it. */
struct fixture {
	struct centre centre;
	struct profile *profile;
	struct link *l;
	int changes, answers, delivers, broken;
	struct link_answer answer[ANSWERS];
	char ids[ANSWERS][66];
	uintptr_t owners[ANSWERS];
	unsigned parts[ANSWERS];
	struct deliver_ticket ticket[ANSWERS];
	char order[8];       /* 'a' an answer, 'd' a deliver: the first of them */
	uint32_t waited_for; /* a late answer to this one is known */
	int lates;
	struct link_answer late;
	char late_id[66];
};

static void note(struct fixture *f, char what)
{
	size_t n = strlen(f->order);

	if (n + 1 < sizeof f->order)
		f->order[n] = what;
}

static void on_change(void *arg, struct link *l)
{
	(void)l;
	((struct fixture *)arg)->changes++;
}

static void on_answer(void *arg, struct link *l, void *owner, unsigned part, const struct link_answer *a)
{
	struct fixture *f = arg;
	int n = f->answers++;

	(void)l;
	assert_true(n < ANSWERS);
	f->answer[n] = *a;
	snprintf(f->ids[n], sizeof f->ids[n], "%s", a->id);
	f->owners[n] = (uintptr_t)owner;
	f->parts[n] = part;
	note(f, 'a');
}

static bool on_late(void *arg, struct link *l, uint32_t sequence, const struct link_answer *a)
{
	struct fixture *f = arg;

	(void)l;
	if (sequence != f->waited_for)
		return false;
	f->lates++;
	f->late = *a;
	snprintf(f->late_id, sizeof f->late_id, "%s", a->id);
	return true;
}

static void on_deliver(void *arg, struct link *l, const struct pdu_sm *m, struct deliver_ticket t)
{
	struct fixture *f = arg;

	(void)l;
	assert_string_equal(m->source.text, "77011234567");
	if (f->delivers++ >= ANSWERS)
		return;
	f->ticket[f->delivers - 1] = t;
	note(f, 'd');
}

static void on_broken(void *arg, struct link *l, const uint8_t *octets, size_t n, struct deliver_ticket t)
{
	struct fixture *f = arg;

	(void)l;
	f->broken++;
	f->ticket[0] = t;
	assert_int_equal(n, 20);
	assert_memory_equal(octets + 16, "xxxx", 4);
}

static const struct link_events events = {on_change, on_answer, on_late, on_deliver, on_broken};

#define PLAIN                                                                                                \
	"timers: {enquire: 30s, response: 10s, bind: 5s, stall: 8s, unbind: 4s, open: 5s}\n"                 \
	"reconnect: {min: 1s, max: 4s, already_bound: 2m, refused: 15m}\n"                                   \
	"links:\n- {host: 127.0.0.1, port: %d, system_id: kezek, window: 4, rate: 1000"

static void begin(struct fixture *f, const char *yaml)
{
	*f = (struct fixture){0};
	centre_init(&f->centre);
	f->profile = centre_profile(&f->centre, yaml);
	f->l = link_new(f->centre.loop, f->profile, &f->profile->links[0], 7, &events, f);
}

static void begin_bound(struct fixture *f, const char *yaml)
{
	begin(f, yaml);
	centre_bind(&f->centre, 0);
	centre_until(&f->centre, link_can_submit(f->l));
}

static void end(struct fixture *f)
{
	link_free(f->l);
	profile_free(f->profile);
	centre_fini(&f->centre);
}

static enum kz submit(struct fixture *f, uintptr_t owner)
{
	struct pdu_sm m = {
	    .command = PDU_SUBMIT_SM,
	    .source = {5, 0, "kezek"},
	    .destination = {1, 1, "77011234567"},
	    .registered_delivery = 1,
	    .text = (const uint8_t *)"hi",
	    .text_len = 2,
	};

	return link_submit(f->l, &m, 1, (void *)owner, (unsigned)owner + 1);
}

static double odd(const char *what)
{
	char *labels = mem_printf("carrier=\"test\",link=\"1\",what=\"%s\"", what);
	double v = metric_value(metric_counter("kezek_smpp_odd_pdus_total",
	    "PDUs that do not belong where they came: broken, unknown or not waited for.", labels));

	free(labels);
	return v;
}

static double mute(void)
{
	return metrics_total("kezek_smpp_mute_total");
}

static struct link_report report(struct fixture *f)
{
	struct link_report r;

	link_report(f->l, &r);
	return r;
}

static void assert_state(struct fixture *f, const char *state, const char *reason)
{
	struct link_report r = report(f);

	assert_string_equal(r.state, state);
	if (!strstr(r.reason, reason))
		fail_msg("reason \"%s\" has no \"%s\"", r.reason, reason);
}

/* The peer's side of the socket is gone before the next one is opened. */
static void assert_lost(struct fixture *f, size_t seat, const char *reason)
{
	centre_until(&f->centre, f->centre.seats[seat].closed);
	assert_state(f, "waiting", reason);
	assert_int_equal(f->centre.count, seat + 1);
}

static void link_new__transceiver__bind_octets(void **state)
{
	static const uint8_t want[] = {0, 0, 0, 34, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 'k', 'e', 'z', 'e',
	    'k', 0, 0, 'V', 'M', 'S', 0, 0x34, 0, 0, '5', '0', '*', 0};
	struct fixture f;

	(void)state;
	begin(&f, PLAIN ", system_type: VMS, address_range: '50*'}\n");
	assert_int_equal(f.changes, 0); /* nothing before link_new returned */
	centre_until(&f.centre, f.centre.count == 1);
	centre_take(&f.centre, 0);
	assert_int_equal(f.centre.frame.len, sizeof want);
	assert_memory_equal(f.centre.frame.data, want, sizeof want);
	assert_state(&f, "binding", "");
	end(&f);
}

static void link_new__each_mode__its_command(void **state)
{
	static const struct {
		const char *yaml;
		uint32_t command;
		bool submits;
	} modes[] = {
	    {PLAIN ", bind: transmitter}\n", PDU_BIND_TRANSMITTER, true},
	    {PLAIN ", bind: transceiver}\n", PDU_BIND_TRANSCEIVER, true},
	    {PLAIN ", bind: receiver}\n"
	           "- {host: 127.0.0.1, port: 1, system_id: x}\n",
	        PDU_BIND_RECEIVER, false},
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		begin(&f, modes[i].yaml);
		centre_until(&f.centre, f.centre.count == 1);
		struct pdu_header h = centre_expect(&f.centre, 0, modes[i].command);
		centre_answer(&f.centre, 0, h, 0, "centre");
		centre_until(&f.centre, !strcmp(report(&f).state, "bound"));
		assert_int_equal(link_can_submit(f.l), modes[i].submits);
		if (!modes[i].submits)
			assert_int_equal(submit(&f, 1), KZ_LOST);
		end(&f);
	}
}

static void link_new__version_50__0x50(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN ", interface_version: 50}\n");
	centre_until(&f.centre, f.centre.count == 1);
	centre_take(&f.centre, 0);
	assert_int_equal((uint8_t)f.centre.frame.data[16 + 6 + 1 + 1], 0x50);
	end(&f);
}

/* The bind is refused; the next connection comes after least..most ms. */
static void refuse(uint32_t status, int64_t least, int64_t most, const char *reason)
{
	struct fixture f;

	begin(&f, PLAIN "}\n");
	centre_until(&f.centre, f.centre.count == 1);
	struct pdu_header h = centre_take(&f.centre, 0);
	centre_answer(&f.centre, 0, h, status, NULL);
	assert_lost(&f, 0, reason);
	centre_advance(&f.centre, least - 1);
	loop_turn(f.centre.loop, 0);
	assert_state(&f, "waiting", reason);
	centre_advance(&f.centre, most - least + 1);
	centre_until(&f.centre, f.centre.count == 2);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, link_can_submit(f.l));
	assert_state(&f, "bound", "");
	end(&f);
}

static void link_bind__wrong_password__long_wait(void **state)
{
	(void)state;
	refuse(0x0E, 15 * 60000, 23 * 60000, "check system_id, password_file");
	refuse(0x0F, 15 * 60000, 23 * 60000, "ESME_RINVSYSID");
	refuse(0x53, 15 * 60000, 23 * 60000, "ESME_RINVSYSTYP");
}

static void link_redial__refused_for_credentials__connects_at_once(void **state)
{
	static const uint32_t statuses[] = {0x0E, 0x0F, 0x53};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		begin(&f, PLAIN "}\n");
		centre_until(&f.centre, f.centre.count == 1);
		centre_answer(&f.centre, 0, centre_take(&f.centre, 0), statuses[i], NULL);
		assert_lost(&f, 0, "check system_id");
		int changes = f.changes;
		link_redial(f.l);
		link_redial(f.l);
		assert_int_equal(f.changes, changes); /* later, from the loop */
		centre_bind(&f.centre, 1);
		centre_until(&f.centre, link_can_submit(f.l));
		link_redial(f.l);
		centre_fence(&f.centre, 1);
		assert_int_equal(f.centre.count, 2);
		end(&f);
	}
}

/* The first wait after a redial that failed for another reason is the shortest again. */
static void link_redial__refused_twice__backoff_from_the_beginning(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	for (size_t i = 0; i < 3; i++) {
		centre_until(&f.centre, f.centre.count == i + 1);
		centre_answer(&f.centre, i, centre_take(&f.centre, i), 0x0E, NULL);
		assert_lost(&f, i, "check system_id");
		link_redial(f.l);
	}
	centre_until(&f.centre, f.centre.count == 4);
	centre_answer(&f.centre, 3, centre_take(&f.centre, 3), 0x0D, NULL);
	assert_lost(&f, 3, "ESME_RBINDFAIL");
	centre_advance(&f.centre, 1251);
	centre_until(&f.centre, f.centre.count == 5);
	end(&f);
}

/* A second session while the operator still sees the first would only begin its time anew. */
static void link_redial__waits_for_another_reason__goes_on_waiting(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	centre_until(&f.centre, f.centre.count == 1);
	centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0x05, NULL);
	assert_lost(&f, 0, "ESME_RALYBND");
	link_redial(f.l);
	centre_advance(&f.centre, 119999);
	loop_turn(f.centre.loop, 0);
	assert_state(&f, "waiting", "ESME_RALYBND");
	assert_int_equal(f.centre.count, 1);
	end(&f);
}

static void link_bind__already_bound__floor(void **state)
{
	(void)state;
	refuse(0x05, 120000, 181000, "ESME_RALYBND");
}

static void link_bind__other_refusal__ordinary_wait(void **state)
{
	(void)state;
	refuse(0x0D, 750, 1251, "ESME_RBINDFAIL");
	refuse(0x55F, 750, 1251, "0x0000055f");
}

static void link_bind__unanswered__lost_after_the_bind_timer(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	centre_until(&f.centre, f.centre.count == 1);
	centre_take(&f.centre, 0);
	centre_advance(&f.centre, 4999);
	assert_state(&f, "binding", "");
	centre_advance(&f.centre, 1);
	assert_lost(&f, 0, "no answer to the bind within 5.0 s");
	end(&f);
}

static void link_bind__enquired_before_the_answer__answered(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	centre_until(&f.centre, f.centre.count == 1);
	struct pdu_header h = centre_take(&f.centre, 0);
	centre_fence(&f.centre, 0);
	centre_deliver(&f.centre, 0, 5, PDU_DELIVER_SM, 4, "early");
	struct pdu_header r = centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(r.status, 100); /* to come again */
	centre_answer(&f.centre, 0, h, 0, "c");
	centre_until(&f.centre, link_can_submit(f.l));
	end(&f);
}

static void link_connect__refused__tries_again(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	listener_free(f.centre.listener);
	f.centre.listener = NULL;
	centre_until(&f.centre, !strcmp(report(&f).state, "waiting") && *report(&f).reason);
	assert_state(&f, "waiting", "refused");
	end(&f);
}

static void link_connect__certificates_gone__long_wait(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	free(f.profile->links[0].tls_ca);
	f.profile->links[0].tls_ca = mem_str("/nonexistent/ca.pem");
	f.profile->links[0].tls = true;
	centre_until(&f.centre, !strcmp(report(&f).state, "waiting") && *report(&f).reason);
	assert_state(&f, "waiting", "/nonexistent/ca.pem");
	assert_int_equal(f.centre.count, 0);
	end(&f);
}

static void link_submit__answered__id_and_owner(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	assert_int_equal(submit(&f, 11), KZ_OK);
	assert_int_equal(submit(&f, 12), KZ_OK);
	assert_int_equal(f.answers, 0);
	struct pdu_header a = centre_expect(&f.centre, 0, PDU_SUBMIT_SM);
	struct pdu_header b = centre_expect(&f.centre, 0, PDU_SUBMIT_SM);
	assert_int_equal(a.sequence, 2);
	assert_int_equal(b.sequence, 3);
	assert_int_equal(report(&f).window_used, 2);
	centre_answer(&f.centre, 0, b, 0, "id-b"); /* any order */
	centre_answer(&f.centre, 0, a, 0x55F, NULL);
	centre_until(&f.centre, f.answers == 2);
	assert_int_equal(f.owners[0], 12);
	assert_int_equal(f.parts[0], 13);
	assert_true(f.answer[0].answered);
	assert_int_equal(f.answer[0].class, STATUS_OK);
	assert_string_equal(f.ids[0], "id-b");
	assert_int_equal(f.owners[1], 11);
	assert_int_equal(f.answer[1].class, STATUS_TEMPORARY);
	assert_int_equal(f.answer[1].status, 0x55F);
	assert_int_equal(report(&f).window_used, 0);
	end(&f);
}

static void link_submit__written__scratch_has_nothing_of_it(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	assert_int_equal(submit(&f, 1), KZ_OK);
	assert_null(memmem(f.l->out.data, f.l->out.room, "77011234567", 11));
	end(&f);
}

static void link_submit__window_full__busy_until_answered(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	for (uintptr_t i = 1; i <= 4; i++)
		assert_int_equal(submit(&f, i), KZ_OK);
	assert_int_equal(link_wait_ms(f.l), -1);
	assert_int_equal(submit(&f, 5), KZ_BUSY);
	centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0, "1");
	centre_until(&f.centre, f.answers == 1);
	assert_int_equal(submit(&f, 5), KZ_OK);
	end(&f);
}

static void link_submit__no_token__says_when(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, "links:\n- {host: 127.0.0.1, port: %d, system_id: kezek, window: 100, rate: 10}\n");
	assert_int_equal(submit(&f, 1), KZ_OK);
	assert_int_equal(submit(&f, 2), KZ_BUSY);
	assert_int_equal(link_wait_ms(f.l), 100);
	centre_advance(&f.centre, 100);
	assert_int_equal(submit(&f, 2), KZ_OK);
	end(&f);
}

static void link_answer__no_response__in_doubt_and_unknown_late_one_dropped(void **state)
{
	struct fixture f;
	double before = odd("unknown_response");

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	assert_int_equal(submit(&f, 1), KZ_OK);
	struct pdu_header h = centre_take(&f.centre, 0);
	centre_advance(&f.centre, 3000);
	assert_int_equal(submit(&f, 2), KZ_OK);
	centre_take(&f.centre, 0);
	centre_advance(&f.centre, 6999);
	assert_int_equal(f.answers, 0);
	centre_advance(&f.centre, 1);
	assert_int_equal(f.answers, 1);
	assert_false(f.answer[0].answered);
	assert_int_equal(f.owners[0], 1);
	centre_advance(&f.centre, 3000); /* each request has its own timer */
	assert_int_equal(f.answers, 2);
	centre_answer(&f.centre, 0, h, 0, "late");
	centre_fence(&f.centre, 0);
	assert_int_equal(f.answers, 2);
	assert_true(odd("unknown_response") == before + 1);
	assert_true(link_can_submit(f.l));
	end(&f);
}

/* Submits one that is not answered in time; its header. */
static struct pdu_header overdue(struct fixture *f, uintptr_t owner)
{
	int answers = f->answers;

	assert_int_equal(submit(f, owner), KZ_OK);
	struct pdu_header h = centre_expect(&f->centre, 0, PDU_SUBMIT_SM);
	centre_advance(&f->centre, 10000);
	assert_int_equal(f->answers, answers + 1);
	assert_false(f->answer[answers].answered);
	assert_int_equal(f->answer[answers].sequence, h.sequence);
	f->waited_for = h.sequence;
	return h;
}

static void link_answer__late__told_by_its_sequence(void **state)
{
	struct fixture f;
	double before = odd("late_response"), unknown = odd("unknown_response");

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	uint64_t submitted = report(&f).submitted, refused = report(&f).refused;
	struct pdu_header h = overdue(&f, 1);
	centre_answer(&f.centre, 0, h, 0, "late");
	centre_until(&f.centre, f.lates == 1);
	assert_int_equal(f.late.class, STATUS_OK);
	assert_string_equal(f.late_id, "late");
	assert_int_equal(report(&f).submitted, submitted + 1);
	h = overdue(&f, 2);
	centre_answer(&f.centre, 0, h, 0x0B, NULL);
	centre_until(&f.centre, f.lates == 2);
	assert_int_equal(f.late.class, STATUS_REROUTE);
	assert_int_equal(f.late.status, 0x0B);
	assert_int_equal(report(&f).refused, refused + 1);
	h = overdue(&f, 3);
	centre_header(&f.centre, 0, PDU_GENERIC_NACK, 2, h.sequence);
	centre_until(&f.centre, f.lates == 3);
	assert_int_equal(f.late.class, STATUS_BUG);
	assert_int_equal(f.answers, 3);
	assert_true(odd("late_response") == before + 3);
	assert_true(odd("unknown_response") == unknown);
	assert_true(link_can_submit(f.l));
	end(&f);
}

static void link_answer__lost_with_the_link__no_late_answer_is_waited_for(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	centre_take(&f.centre, 0);
	stream_free(f.centre.seats[0].stream);
	f.centre.seats[0].stream = NULL;
	centre_until(&f.centre, f.answers == 1);
	assert_int_equal(f.answer[0].sequence, 0);
	end(&f);
}

/* The link gives up: it unbinds, and binds anew. */
static void expect_rebind(struct fixture *f, double mutes)
{
	struct pdu_header u = centre_expect(&f->centre, 0, PDU_UNBIND);

	assert_true(mute() == mutes + 1);
	centre_answer(&f->centre, 0, u, 0, NULL);
	assert_lost(f, 0, "unbound");
	centre_advance(&f->centre, 1251);
	centre_bind(&f->centre, 1);
	centre_until(&f->centre, link_can_submit(f->l));
}

static void link_mute__window_unanswered__binds_again(void **state)
{
	struct fixture f;
	double before = mute();

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	for (uintptr_t i = 1; i <= 4; i++) {
		assert_int_equal(submit(&f, i), KZ_OK);
		centre_expect(&f.centre, 0, PDU_SUBMIT_SM);
	}
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 10000);
	assert_int_equal(f.answers, 4);
	assert_false(link_can_submit(f.l));
	expect_rebind(&f, before);
	end(&f);
}

static void link_mute__few_unanswered__binds_again_after_two_response_timers(void **state)
{
	struct fixture f;
	double before = mute();

	(void)state;
	begin_bound(&f, "timers: {enquire: 5m, response: 10s, unbind: 4s}\nreconnect: {min: 1s, max: 4s}\n"
	                "links:\n- {host: 127.0.0.1, port: %d, system_id: kezek, window: 100, rate: 1000}\n");
	for (uintptr_t i = 1; i <= 3; i++) { /* at once: that may be one answer that is late */
		assert_int_equal(submit(&f, i), KZ_OK);
		centre_expect(&f.centre, 0, PDU_SUBMIT_SM);
	}
	centre_advance(&f.centre, 10000);
	assert_int_equal(f.answers, 3);
	assert_true(link_can_submit(f.l));
	overdue(&f, 4);
	assert_false(link_can_submit(f.l));
	expect_rebind(&f, before);
	end(&f);
}

static void link_mute__answers_between_or_late__stays_bound(void **state)
{
	struct fixture f;
	double before = mute();

	(void)state;
	begin_bound(&f, "timers: {enquire: 5m, response: 10s, unbind: 4s}\n"
	                "links:\n- {host: 127.0.0.1, port: %d, system_id: kezek, window: 1, rate: 1000}\n");
	for (int i = 0; i < 8; i++) {
		overdue(&f, 1);
		struct pdu_header h = overdue(&f, 2);
		if (i % 2) {
			centre_answer(&f.centre, 0, h, 0x08, NULL);
			centre_until(&f.centre, f.lates == (i + 1) / 2);
		} else {
			assert_int_equal(submit(&f, 3), KZ_OK);
			centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0, "i");
			centre_until(&f.centre, f.answer[f.answers - 1].answered);
		}
		centre_fence(&f.centre, 0);
	}
	assert_true(link_can_submit(f.l));
	assert_true(mute() == before);
	end(&f);
}

static void link_lost__window_in_doubt__old_socket_gone_before_the_next(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	submit(&f, 2);
	centre_take(&f.centre, 0);
	centre_take(&f.centre, 0);
	stream_free(f.centre.seats[0].stream);
	f.centre.seats[0].stream = NULL;
	centre_until(&f.centre, f.answers == 2);
	assert_false(f.answer[0].answered);
	assert_false(f.answer[1].answered);
	assert_false(link_can_submit(f.l));
	assert_int_equal(submit(&f, 3), KZ_LOST);
	centre_advance(&f.centre, 1251);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, link_can_submit(f.l));
	submit(&f, 4);
	centre_expect(&f.centre, 1, PDU_SUBMIT_SM);
	end(&f);
}

static void link_enquire__silence__asked_and_answer_keeps_it(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	centre_advance(&f.centre, 29999);
	centre_fence(&f.centre, 0); /* which is a sign of life */
	centre_advance(&f.centre, 29999);
	loop_turn(f.centre.loop, 0);
	centre_advance(&f.centre, 1);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_ENQUIRE_LINK);
	assert_int_equal(h.length, 16);
	centre_answer(&f.centre, 0, h, 0, NULL);
	centre_fence(&f.centre, 0);
	centre_advance(&f.centre, 29000);
	centre_fence(&f.centre, 0);
	assert_true(link_can_submit(f.l));
	end(&f);
}

static void link_enquire__two_missed__dead(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	centre_take(&f.centre, 0);
	centre_advance(&f.centre, 30000);
	centre_expect(&f.centre, 0, PDU_ENQUIRE_LINK);
	centre_advance(&f.centre, 10000);
	centre_expect(&f.centre, 0, PDU_ENQUIRE_LINK);
	assert_true(link_can_submit(f.l));
	centre_advance(&f.centre, 9999);
	assert_true(link_can_submit(f.l));
	centre_advance(&f.centre, 1);
	assert_lost(&f, 0, "2 enquire_link unanswered");
	end(&f);
}

static void link_enquire__answered_by_anything__not_missed(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	for (int i = 0; i < 5; i++) {
		centre_advance(&f.centre, 30000);
		centre_expect(&f.centre, 0, PDU_ENQUIRE_LINK);
		centre_fence(&f.centre, 0);
		centre_advance(&f.centre, 10000);
		assert_true(link_can_submit(f.l));
	}
	end(&f);
}

static void link_enquire__at_least__asked_in_traffic(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, "timers: {enquire: 30s, enquire_at_least: 60s}\n"
	                "links:\n- {host: 127.0.0.1, port: %d, system_id: kezek}\n");
	for (int i = 0; i < 5; i++) {
		centre_advance(&f.centre, 10000);
		centre_fence(&f.centre, 0);
	}
	centre_advance(&f.centre, 10000);
	centre_expect(&f.centre, 0, PDU_ENQUIRE_LINK);
	end(&f);
}

static void link_read__generic_nack__request_is_our_bug(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	submit(&f, 2);
	struct pdu_header h = centre_take(&f.centre, 0);
	centre_header(&f.centre, 0, PDU_GENERIC_NACK, 0x03, h.sequence);
	h = centre_take(&f.centre, 0);
	centre_header(&f.centre, 0, PDU_GENERIC_NACK, 0x58, h.sequence); /* some throttle so */
	centre_until(&f.centre, f.answers == 2);
	assert_true(f.answer[0].answered);
	assert_int_equal(f.answer[0].class, STATUS_BUG);
	assert_int_equal(f.answer[0].status, 0x03);
	assert_int_equal(f.answer[1].class, STATUS_SLOW);
	end(&f);
}

static void link_read__generic_nack_of_nothing__counted_then_bound_again(void **state)
{
	struct fixture f;
	double before = odd("generic_nack");

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	centre_header(&f.centre, 0, PDU_GENERIC_NACK, 0x02, 0);
	centre_header(&f.centre, 0, PDU_GENERIC_NACK, 0x02, 0);
	centre_fence(&f.centre, 0);
	assert_true(odd("generic_nack") == before + 2);
	assert_true(link_can_submit(f.l));
	centre_header(&f.centre, 0, PDU_GENERIC_NACK, 0x02, 0);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_UNBIND);
	centre_answer(&f.centre, 0, h, 0, NULL);
	assert_lost(&f, 0, "unbound");
	centre_advance(&f.centre, 1251);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, link_can_submit(f.l));
	end(&f);
}

static void link_read__unknown_request__nacked_with_its_number(void **state)
{
	struct fixture f;
	double before = odd("unknown_request");

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	centre_header(&f.centre, 0, 0x00010203, 0, 77);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_GENERIC_NACK);
	assert_int_equal(h.status, 0x03);
	assert_int_equal(h.sequence, 77);
	centre_header(&f.centre, 0, PDU_OUTBIND, 0, 78);
	centre_header(&f.centre, 0, 0x80010203, 0, 79);
	centre_header(&f.centre, 0, 0x80000004, 0, 80);
	centre_fence(&f.centre, 0);
	assert_true(odd("unknown_request") == before + 1);
	assert_true(link_can_submit(f.l));
	end(&f);
}

static void link_read__responses_behind_requests__responses_first(void **state)
{
	struct fixture f;
	struct buf out = {0};
	struct pdu_sm m = {.command = PDU_DELIVER_SM,
	    .source = {1, 1, "77011234567"},
	    .esm_class = 4,
	    .text = (const uint8_t *)"x",
	    .text_len = 1};

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	struct pdu_header h = centre_take(&f.centre, 0);
	assert_int_equal(pdu_put_sm(&out, 1, &m), KZ_OK);
	assert_int_equal(pdu_put_sm(&out, 2, &m), KZ_OK);
	pdu_put_resp(&out, h.command, 0, h.sequence, "i");
	centre_raw(&f.centre, 0, out.data, out.len);
	buf_fini(&out);
	centre_until(&f.centre, f.answers == 1 && f.delivers == 2);
	assert_string_equal(f.order, "add");
	end(&f);
}

static void link_answer__deliver__octets(void **state)
{
	static const uint8_t want[] = {0, 0, 0, 17, 0x80, 0, 0, 5, 0, 0, 0, 0x64, 0, 0, 0x12, 0x34, 0};
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	centre_deliver(&f.centre, 0, 0x1234, PDU_DELIVER_SM, 4, "x");
	centre_until(&f.centre, f.delivers == 1);
	assert_int_equal(f.ticket[0].link, 7);
	centre_fence(&f.centre, 0); /* not before it is recorded */
	link_answer(f.l, f.ticket[0], 0x64);
	centre_take(&f.centre, 0);
	assert_int_equal(f.centre.frame.len, sizeof want);
	assert_memory_equal(f.centre.frame.data, want, sizeof want);
	end(&f);
}

static void link_answer__ticket_of_the_session_before__nothing(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	centre_deliver(&f.centre, 0, 9, PDU_DATA_SM, 4, "x");
	centre_until(&f.centre, f.delivers == 1);
	stream_free(f.centre.seats[0].stream);
	f.centre.seats[0].stream = NULL;
	centre_until(&f.centre, !link_can_submit(f.l));
	link_answer(f.l, f.ticket[0], 0); /* while there is no session */
	centre_advance(&f.centre, 1251);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, link_can_submit(f.l));
	link_answer(f.l, f.ticket[0], 0); /* in the next one */
	centre_fence(&f.centre, 1);
	end(&f);
}

static void link_read__broken_deliver__told_as_it_came(void **state)
{
	static const uint8_t broken[] = {0, 0, 0, 20, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 'x', 'x', 'x', 'x'};
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	centre_raw(&f.centre, 0, broken, sizeof broken);
	centre_fence(&f.centre, 0);
	assert_int_equal(f.broken, 1);
	link_answer(f.l, f.ticket[0], 0);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.status, 0);
	assert_int_equal(h.sequence, 6);
	assert_true(link_can_submit(f.l));
	end(&f);
}

static void link_unbind__by_the_peer__window_drains_first(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	struct pdu_header s = centre_take(&f.centre, 0);
	centre_header(&f.centre, 0, PDU_UNBIND, 0, 44);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_UNBIND | PDU_RESP);
	assert_int_equal(h.sequence, 44);
	assert_false(link_can_submit(f.l));
	assert_int_equal(submit(&f, 2), KZ_LOST);
	assert_state(&f, "draining", "");
	centre_answer(&f.centre, 0, s, 0, "last");
	centre_until(&f.centre, f.answers == 1);
	assert_string_equal(f.ids[0], "last");
	assert_lost(&f, 0, "the operator sent unbind");
	centre_advance(&f.centre, 1251);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, link_can_submit(f.l));
	end(&f);
}

static void link_unbind__by_the_peer_that_answers_no_more__in_doubt_in_time(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	centre_take(&f.centre, 0);
	centre_header(&f.centre, 0, PDU_UNBIND, 0, 44);
	centre_expect(&f.centre, 0, PDU_UNBIND | PDU_RESP);
	centre_advance(&f.centre, 4000);
	centre_until(&f.centre, f.answers == 1);
	assert_false(f.answer[0].answered);
	assert_lost(&f, 0, "the operator sent unbind");
	end(&f);
}

static void link_drain__bound__window_unbind_close_for_good(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	struct pdu_header s = centre_take(&f.centre, 0);
	link_drain(f.l);
	assert_int_equal(submit(&f, 2), KZ_LOST);
	centre_fence(&f.centre, 0);
	centre_answer(&f.centre, 0, s, 0, "last");
	struct pdu_header u = centre_expect(&f.centre, 0, PDU_UNBIND);
	assert_int_equal(f.answers, 1);
	centre_deliver(&f.centre, 0, 5, PDU_DELIVER_SM, 4, "x"); /* still read */
	centre_until(&f.centre, f.delivers == 1);
	link_answer(f.l, f.ticket[0], 0);
	centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	centre_answer(&f.centre, 0, u, 0, NULL);
	centre_until(&f.centre, link_is_closed(f.l));
	centre_until(&f.centre, f.centre.seats[0].closed);
	centre_advance(&f.centre, 3600000);
	assert_true(link_is_closed(f.l));
	end(&f);
}

static void link_drain__unbind_resp_read_with_receipts__all_of_them_told(void **state)
{
	static const struct pdu_sm m = {.command = PDU_DELIVER_SM,
	    .source = {1, 1, "77011234567"},
	    .esm_class = 4,
	    .text = (const uint8_t *)"x",
	    .text_len = 1};
	struct fixture f;
	struct buf out = {0};

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	link_drain(f.l);
	struct pdu_header u = centre_expect(&f.centre, 0, PDU_UNBIND);
	assert_int_equal(pdu_put_sm(&out, 5, &m), KZ_OK);
	pdu_put_resp(&out, PDU_UNBIND, 0, u.sequence, NULL);
	assert_int_equal(pdu_put_sm(&out, 6, &m), KZ_OK);
	centre_raw(&f.centre, 0, out.data, out.len);
	buf_fini(&out);
	centre_until(&f.centre, link_is_closed(f.l));
	assert_int_equal(f.delivers, 2);
	end(&f);
}

static void link_drain__no_unbind_resp__closed_in_time(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	centre_take(&f.centre, 0);
	link_drain(f.l);
	centre_advance(&f.centre, 4000);
	centre_expect(&f.centre, 0, PDU_UNBIND);
	centre_advance(&f.centre, 4000);
	assert_true(link_is_closed(f.l));
	assert_int_equal(f.answers, 1);
	assert_false(f.answer[0].answered);
	end(&f);
}

static void link_drain__not_bound__closed_at_once(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, PLAIN "}\n");
	link_drain(f.l);
	assert_true(link_is_closed(f.l));
	end(&f);
}

static void link_submit__invalid_bind_status__binds_again(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0x04, NULL);
	centre_until(&f.centre, f.answers == 1);
	assert_int_equal(f.answer[0].class, STATUS_LINK);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_UNBIND);
	centre_answer(&f.centre, 0, h, 0x04, NULL);
	assert_lost(&f, 0, "unbound");
	centre_advance(&f.centre, 1251);
	centre_bind(&f.centre, 1);
	centre_until(&f.centre, link_can_submit(f.l));
	end(&f);
}

static void bad_length(const char octets[4])
{
	struct fixture f;
	struct buf out = {0};

	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	struct pdu_header s = centre_take(&f.centre, 0);
	/* What came whole before it still counts. */
	pdu_put_resp(&out, s.command, 0, s.sequence, "good");
	buf_add(&out, octets, 4);
	buf_str(&out, "some octets that never were a PDU");
	centre_raw(&f.centre, 0, out.data, out.len);
	buf_fini(&out);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_GENERIC_NACK);
	assert_int_equal(h.status, 0x02);
	assert_int_equal(h.sequence, 0);
	assert_lost(&f, 0, "impossible command_length");
	assert_int_equal(f.answers, 1);
	assert_string_equal(f.ids[0], "good");
	end(&f);
}

static void link_read__absurd_length__nacked_and_closed(void **state)
{
	(void)state;
	bad_length("\x7f\xff\xff\xff");
	bad_length("\x00\x00\x00\x0f");
	bad_length("\x00\x00\x00\x00");
}

static void link_read__header_without_body__dropped_in_time(void **state)
{
	static const uint8_t head[] = {0, 0, 0, 60, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6};
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	/* The fence comes first, so that the link has surely read the rest of the write. */
	struct buf out = {0};
	pdu_put_header(&out, PDU_ENQUIRE_LINK, 0, 1);
	buf_add(&out, head, sizeof head);
	centre_raw(&f.centre, 0, out.data, out.len);
	buf_fini(&out);
	centre_expect(&f.centre, 0, PDU_ENQUIRE_LINK | PDU_RESP);
	centre_advance(&f.centre, 5000);
	centre_raw(&f.centre, 0, "\0\0", 2); /* a trickle does not help */
	loop_turn(f.centre.loop, 1);
	loop_turn(f.centre.loop, 1);
	centre_advance(&f.centre, 2999);
	assert_true(link_can_submit(f.l));
	centre_advance(&f.centre, 1);
	assert_lost(&f, 0, "did not end within 8.0 s");
	end(&f);
}

static void link_read__octet_by_octet__one_pdu(void **state)
{
	struct fixture f;
	struct buf out = {0};

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	submit(&f, 1);
	struct pdu_header s = centre_take(&f.centre, 0);
	pdu_put_resp(&out, s.command, 0, s.sequence, "whole");
	for (size_t i = 0; i < out.len; i++) {
		assert_int_equal(f.answers, 0);
		centre_raw(&f.centre, 0, out.data + i, 1);
		loop_turn(f.centre.loop, 0);
		loop_turn(f.centre.loop, 1);
	}
	centre_until(&f.centre, f.answers == 1);
	assert_string_equal(f.ids[0], "whole");
	centre_advance(&f.centre, 9000); /* nothing is unfinished any more */
	assert_true(link_can_submit(f.l));
	buf_fini(&out);
	end(&f);
}

static void link_submit__throttled__slows_and_recovers(void **state)
{
	struct fixture f;

	(void)state;
	begin_bound(&f, "links:\n- {host: 127.0.0.1, port: %d, system_id: kezek, window: 10, rate: 100}\n");
	centre_advance(&f.centre, 100);
	for (uintptr_t i = 1; i <= 5; i++)
		assert_int_equal(submit(&f, i), KZ_OK);
	centre_advance(&f.centre, 10);
	for (int i = 0; i < 5; i++)
		centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0x58, NULL);
	centre_until(&f.centre, f.answers == 5);
	assert_int_equal(f.answer[0].class, STATUS_SLOW);
	assert_in_range((int)report(&f).rate_now, 66, 67); /* one window, one cut */
	assert_true(link_wait_ms(f.l) > 0);
	f.answers = 0;
	for (int i = 0; i < 700; i++) {
		centre_advance(&f.centre, link_wait_ms(f.l));
		assert_int_equal(submit(&f, 1), KZ_OK);
		centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0, "i");
		centre_until(&f.centre, f.answers == 1);
		f.answers = 0;
	}
	assert_true(report(&f).rate_now > 99.9);
	end(&f);
}

static void link_submit__queue_full__slows_only_when_it_is_not_one_phones(void **state)
{
	static const uint32_t answers[] = {0x14, 0, 0x14, 0x14, 0, 0x14, 0x14};
	struct fixture f;

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		centre_advance(&f.centre, 10);
		assert_int_equal(submit(&f, 1), KZ_OK);
		centre_answer(&f.centre, 0, centre_take(&f.centre, 0), answers[i], "i");
		centre_until(&f.centre, f.answers == (int)i + 1);
		assert_int_equal(f.answer[i].class, answers[i] ? STATUS_SLOW : STATUS_OK);
	}
	assert_true(report(&f).rate_now == report(&f).rate);
	centre_advance(&f.centre, 10);
	submit(&f, 1);
	centre_answer(&f.centre, 0, centre_take(&f.centre, 0), 0x14, NULL);
	centre_until(&f.centre, f.answers == 8);
	assert_true(report(&f).rate_now < report(&f).rate);
	end(&f);
}

static void link_read__receipts_nobody_records__the_operator_keeps_them(void **state)
{
	struct fixture f;
	struct buf out = {0};
	struct pdu_sm m = {.command = PDU_DELIVER_SM,
	    .source = {1, 1, "77011234567"},
	    .esm_class = 4,
	    .text = (const uint8_t *)"x",
	    .text_len = 1};

	double put_off = metrics_total("kezek_smpp_receipts_put_off_total");

	(void)state;
	begin_bound(&f, PLAIN "}\n");
	for (uint32_t i = 1; i <= 4097; i++)
		assert_int_equal(pdu_put_sm(&out, i, &m), KZ_OK);
	centre_raw(&f.centre, 0, out.data, out.len);
	buf_fini(&out);
	struct pdu_header h = centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	assert_int_equal(h.status, 100);
	assert_int_equal(h.sequence, 4097);
	assert_int_equal(f.delivers, 4096);
	assert_true(metrics_total("kezek_smpp_receipts_put_off_total") == put_off + 1);
	link_answer(f.l, f.ticket[0], 0);
	centre_expect(&f.centre, 0, PDU_DELIVER_SM | PDU_RESP);
	centre_deliver(&f.centre, 0, 5000, PDU_DELIVER_SM, 4, "x");
	centre_until(&f.centre, f.delivers == 4097);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(link_new__transceiver__bind_octets),
	    cmocka_unit_test(link_new__each_mode__its_command),
	    cmocka_unit_test(link_new__version_50__0x50),
	    cmocka_unit_test(link_bind__wrong_password__long_wait),
	    cmocka_unit_test(link_redial__refused_for_credentials__connects_at_once),
	    cmocka_unit_test(link_redial__refused_twice__backoff_from_the_beginning),
	    cmocka_unit_test(link_redial__waits_for_another_reason__goes_on_waiting),
	    cmocka_unit_test(link_bind__already_bound__floor),
	    cmocka_unit_test(link_bind__other_refusal__ordinary_wait),
	    cmocka_unit_test(link_bind__unanswered__lost_after_the_bind_timer),
	    cmocka_unit_test(link_bind__enquired_before_the_answer__answered),
	    cmocka_unit_test(link_connect__refused__tries_again),
	    cmocka_unit_test(link_connect__certificates_gone__long_wait),
	    cmocka_unit_test(link_submit__answered__id_and_owner),
	    cmocka_unit_test(link_submit__written__scratch_has_nothing_of_it),
	    cmocka_unit_test(link_submit__window_full__busy_until_answered),
	    cmocka_unit_test(link_submit__no_token__says_when),
	    cmocka_unit_test(link_answer__no_response__in_doubt_and_unknown_late_one_dropped),
	    cmocka_unit_test(link_answer__late__told_by_its_sequence),
	    cmocka_unit_test(link_answer__lost_with_the_link__no_late_answer_is_waited_for),
	    cmocka_unit_test(link_mute__window_unanswered__binds_again),
	    cmocka_unit_test(link_mute__few_unanswered__binds_again_after_two_response_timers),
	    cmocka_unit_test(link_mute__answers_between_or_late__stays_bound),
	    cmocka_unit_test(link_lost__window_in_doubt__old_socket_gone_before_the_next),
	    cmocka_unit_test(link_enquire__silence__asked_and_answer_keeps_it),
	    cmocka_unit_test(link_enquire__two_missed__dead),
	    cmocka_unit_test(link_enquire__answered_by_anything__not_missed),
	    cmocka_unit_test(link_enquire__at_least__asked_in_traffic),
	    cmocka_unit_test(link_read__generic_nack__request_is_our_bug),
	    cmocka_unit_test(link_read__generic_nack_of_nothing__counted_then_bound_again),
	    cmocka_unit_test(link_read__unknown_request__nacked_with_its_number),
	    cmocka_unit_test(link_read__responses_behind_requests__responses_first),
	    cmocka_unit_test(link_answer__deliver__octets),
	    cmocka_unit_test(link_answer__ticket_of_the_session_before__nothing),
	    cmocka_unit_test(link_read__broken_deliver__told_as_it_came),
	    cmocka_unit_test(link_unbind__by_the_peer__window_drains_first),
	    cmocka_unit_test(link_unbind__by_the_peer_that_answers_no_more__in_doubt_in_time),
	    cmocka_unit_test(link_drain__bound__window_unbind_close_for_good),
	    cmocka_unit_test(link_drain__unbind_resp_read_with_receipts__all_of_them_told),
	    cmocka_unit_test(link_drain__no_unbind_resp__closed_in_time),
	    cmocka_unit_test(link_drain__not_bound__closed_at_once),
	    cmocka_unit_test(link_submit__invalid_bind_status__binds_again),
	    cmocka_unit_test(link_read__absurd_length__nacked_and_closed),
	    cmocka_unit_test(link_read__header_without_body__dropped_in_time),
	    cmocka_unit_test(link_read__octet_by_octet__one_pdu),
	    cmocka_unit_test(link_submit__throttled__slows_and_recovers),
	    cmocka_unit_test(link_submit__queue_full__slows_only_when_it_is_not_one_phones),
	    cmocka_unit_test(link_read__receipts_nobody_records__the_operator_keeps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ussd: recorded sessions of each dialect (tests/data/ussd), and what bad octets get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "smpp/ussd.h"

#define DIALECTS KEZEK_SOURCE_DIR "/config/operators/dialects"
#define SESSIONS KEZEK_SOURCE_DIR "/tests/data/ussd"
#define FRAME    512
#define LINKS    "links:\n- {host: h, system_id: me}\n"

static const char *const said_names[] = {"dialled", "typed", "confirmed", "cancelled"};
static const char *const page_names[] = {"go_on", "last", "ask", "tell"};

static unsigned index_of(const char *const *names, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	fail_msg("%s", name);
	return n;
}

static struct profile *load(const char *path)
{
	struct faults faults = {0};
	struct profile *p = profile_load(path, &faults);

	if (!p)
		fail_msg("%s", buf_text(&faults.text));
	faults_fini(&faults);
	return p;
}

/* A profile of these lines of the key ussd. */
static struct profile *profile_of(const char *ussd)
{
	char path[] = "/tmp/kezek-ussd-XXXXXX.yaml";
	int fd = mkstemps(path, 5);
	char *text = mem_printf("ussd: {%s}\n" LINKS, ussd), *name;
	struct profile *p;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	name = mem_printf("/tmp/test-%d.yaml", (int)getpid());
	assert_int_equal(rename(path, name), 0);
	p = load(name);
	unlink(name);
	free(name);
	free(text);
	return p;
}

static size_t octets_of(const char *hex, uint8_t frame[FRAME])
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= FRAME);
	for (size_t i = 0; i < n; i++) {
		const char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};

		frame[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

/* One session: of what came in last. */
struct walk {
	const struct profile *p;
	struct ussd_in in;
	char key[USSD_KEY];
	size_t key_n;
	int ins, outs;
};

static void walk_in(struct walk *w, const char *how, const char *text, const uint8_t *frame)
{
	struct pdu_sm m;

	assert_int_equal(pdu_take_sm(frame, &m), KZ_OK);
	assert_true(ussd_is(w->p, &m));
	assert_int_equal(ussd_take(w->p, &m, &w->in), KZ_OK);
	assert_int_equal(w->in.said, index_of(said_names, 4, how));
	assert_string_equal(w->in.text, text);
	assert_int_equal(w->in.phone.digits, 77011234567);
	assert_true(w->in.peer.key_n > 0);
	if (!w->ins++) {
		w->key_n = w->in.peer.key_n;
		memcpy(w->key, w->in.peer.key, w->key_n);
	}
	assert_int_equal(w->in.peer.key_n, w->key_n);
	assert_memory_equal(w->in.peer.key, w->key, w->key_n);
}

static void walk_out(struct walk *w, const struct ussd_peer *to, const char *how, const char *text,
    const uint8_t *frame, size_t n)
{
	struct buf room = {0}, out = {0};
	struct pdu_sm m;

	assert_int_equal(
	    ussd_put(w->p, to, (enum ussd_page)index_of(page_names, 4, how), text, &room, &m), KZ_OK);
	assert_int_equal(pdu_put_sm(&out, 1, &m), KZ_OK);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.data, frame, n);
	buf_fini(&room);
	buf_fini(&out);
	w->outs++;
}

static void walk_line(struct walk *w, char *line)
{
	char *what = strsep(&line, "|"), *how = strsep(&line, "|"), *text = strsep(&line, "|");
	uint8_t frame[FRAME];
	size_t n = octets_of(strsep(&line, "|\n"), frame);
	struct ussd_peer push;

	if (!strcmp(what, "in"))
		return walk_in(w, how, text, frame);
	if (!strcmp(what, "out"))
		return walk_out(w, &w->in.peer, how, text, frame, n);
	ussd_push_to(w->p, w->in.phone, 7, &push);
	walk_out(w, &push, how, text, frame, n);
}

static void walk_session(const char *dialect)
{
	char *path = mem_printf("%s/%s.yaml", DIALECTS, dialect),
	     *file = mem_printf("%s/%s", SESSIONS, dialect);
	struct profile *p = load(path);
	FILE *f = fopen(file, "re");
	struct walk w = {.p = p};
	char line[4096];

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		walk_line(&w, line);
	assert_true(w.ins >= 2 && w.outs >= 2);
	fclose(f);
	profile_free(p);
	free(path);
	free(file);
}

#define SESSION(name, dialect)                                                                               \
	static void ussd__session_of_##name##__to_the_octet(void **state)                                    \
	{                                                                                                    \
		(void)state;                                                                                 \
		walk_session(dialect);                                                                       \
	}
SESSION(opaque, "opaque")
SESSION(reference, "reference")
SESSION(sixdee, "sixdee")
SESSION(comverse, "comverse")
SESSION(huawei, "huawei")
SESSION(bare, "bare")
SESSION(reply, "reply")
SESSION(raw, "raw")
SESSION(cbs, "cbs")

/* A deliver_sm that a test changes. */
struct heard {
	struct buf tlvs;
	struct pdu_sm m;
};

static void hear(struct heard *h, const char *text, int op, int its)
{
	const uint8_t session[] = {(uint8_t)(its >> 8), (uint8_t)its}, octet = (uint8_t)op;

	*h = (struct heard){.m = {.command = PDU_DELIVER_SM,
	                        .source = {1, 1, "77011234567"},
	                        .destination = {0, 1, "123"},
	                        .text = (const uint8_t *)text,
	                        .text_len = strlen(text)}};
	if (op >= 0)
		pdu_put_tlv(&h->tlvs, TAG_USSD_SERVICE_OP, &octet, 1);
	if (its >= 0)
		pdu_put_tlv(&h->tlvs, TAG_ITS_SESSION_INFO, session, 2);
	h->m.tlvs = (struct pdu_tlvs){(const uint8_t *)h->tlvs.data, h->tlvs.len};
}

static enum kz take(const struct profile *p, struct heard *h, struct ussd_in *ret)
{
	enum kz r = ussd_take(p, &h->m, ret);

	buf_fini(&h->tlvs);
	return r;
}

static void ussd_take__op_or_key_that_cannot_be_read__invalid(void **state)
{
	struct profile *p = profile_of("detect: any, cancelled: [\"129\", \"0x81\"]");
	struct ussd_in in;
	struct heard h;

	(void)state;
	hear(&h, "1", 17, 2); /* 0x11 is ours to send */
	assert_int_equal(take(p, &h, &in), KZ_INVALID);
	hear(&h, "1", 18, -1);
	assert_int_equal(take(p, &h, &in), KZ_INVALID);
	hear(&h, "1", 18, 2);
	h.tlvs.data[h.tlvs.len - 3] = 1; /* its_session_info of one octet */
	assert_int_equal(take(p, &h, &in), KZ_INVALID);
	hear(&h, "1", 129, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_int_equal(in.said, USSD_CANCELLED);
	profile_free(p);
}

static void ussd_take__no_op__a_code_is_dialled_and_else_typed(void **state)
{
	struct profile *p = profile_of("detect: any");
	struct ussd_in in;
	struct heard h;

	(void)state;
	hear(&h, "*123#", -1, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_int_equal(in.said, USSD_DIALLED);
	hear(&h, "*1", -1, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_int_equal(in.said, USSD_TYPED);
	profile_free(p);
}

static void ussd_take__hidden_or_foreign_number__no_phone(void **state)
{
	static const char *const sources[] = {"", "0", "anonymous", "4915112345678"};
	struct profile *p = profile_of("detect: any, key: msisdn");
	struct ussd_in in;
	struct heard h;

	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		hear(&h, "*123#", 1, -1);
		strcpy(h.m.source.text, sources[i]);
		assert_int_equal(take(p, &h, &in), KZ_OK);
		assert_int_equal(in.phone.digits, 0);
		assert_string_equal(in.peer.phone.text, sources[i]);
	}
	profile_free(p);
}

static void ussd_take__number_spelled_otherwise__the_same_key(void **state)
{
	struct profile *p = profile_of("detect: any, key: msisdn");
	struct ussd_in one, other;
	struct heard h;

	(void)state;
	hear(&h, "*123#", 1, -1);
	assert_int_equal(take(p, &h, &one), KZ_OK);
	hear(&h, "1", 18, -1);
	strcpy(h.m.source.text, "+77011234567");
	assert_int_equal(take(p, &h, &other), KZ_OK);
	assert_int_equal(one.peer.key_n, other.peer.key_n);
	assert_memory_equal(one.peer.key, other.peer.key, one.peer.key_n);
	profile_free(p);
}

static void ussd_take__odd_texts__bounded(void **state)
{
	struct profile *p = profile_of("detect: any");
	char *longest = mem_new(60001);
	struct ussd_in in;
	struct heard h;

	(void)state;
	memset(longest, 'a', 60000);
	hear(&h, longest, 18, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_int_equal(strlen(in.text), USSD_TEXT - 1);
	hear(&h, longest, 1, 2); /* dialled: no code in it */
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_true(strlen(in.text) < USSD_TEXT);
	hear(&h, "1", 18, 2);
	h.m.data_coding = 4; /* binary */
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_string_equal(in.text, "");
	hear(&h, "14", 18, 2);
	h.m.text = (const uint8_t *)"1\0\0";
	h.m.text_len = 3;
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_string_equal(in.text, "1");
	profile_free(p);
	free(longest);
}

static void dialled_as(const struct profile *p, const char *destination, const char *text, const char *as)
{
	struct ussd_in in;
	struct heard h;

	hear(&h, text, 1, 2);
	snprintf(h.m.destination.text, sizeof h.m.destination.text, "%s", destination);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_int_equal(in.said, USSD_DIALLED);
	assert_string_equal(in.text, as);
}

static void ussd_take__path_without_end__cut(void **state)
{
	struct profile *p = profile_of("detect: any");
	char text[300] = "*123*", as[80];

	(void)state;
	memset(text + 5, '1', 250);
	snprintf(as, sizeof as, "%.69s#", text);
	dialled_as(p, "gw", text, as);
	profile_free(p);
}

static void ussd_take__code_wherever_it_stands__as_dialled(void **state)
{
	struct profile *p = profile_of("detect: any, code: both");

	(void)state;
	dialled_as(p, "gw", "*123*2#", "*123*2#");
	dialled_as(p, "123", "2", "*123*2#");
	dialled_as(p, "*123#", "", "*123#");
	dialled_as(p, "*123*2*1#", "", "*123*2*1#");
	profile_free(p);
	p = profile_of("detect: any, code: destination, path: rest");
	dialled_as(p, "123", "*2#", "*123*2#");
	dialled_as(p, "123", "*123*2#", "*123*2#");
	dialled_as(p, "123", "", "*123#");
	profile_free(p);
	p = profile_of("detect: any, code: text, path: none");
	dialled_as(p, "gw", "*123*2#", "*123#");
	profile_free(p);
	p = profile_of("detect: any, code: text");
	dialled_as(p, "gw", "123", "*123#");
	dialled_as(p, "gw", "*1234#", "*1234#");
	dialled_as(p, "gw", "", "*#");
	dialled_as(p, "gw", "*123*2*абв", "*123*2*#");
	profile_free(p);
}

static void ussd_is__by_the_profile_alone(void **state)
{
	struct profile *p = profile_of("detect: none");
	struct heard h;

	(void)state;
	hear(&h, "*123#", 1, 2);
	strcpy(h.m.service_type, "USSD");
	assert_false(ussd_is(p, &h.m));
	profile_free(p);
	p = profile_of("detect: service_type");
	assert_true(ussd_is(p, &h.m));
	strcpy(h.m.service_type, "");
	assert_false(ussd_is(p, &h.m));
	profile_free(p);
	p = profile_of("detect: destination, codes: [\"777\", \"123\"]");
	assert_true(ussd_is(p, &h.m));
	strcpy(h.m.destination.text, "*123*2#");
	assert_true(ussd_is(p, &h.m));
	strcpy(h.m.destination.text, "1234");
	assert_false(ussd_is(p, &h.m));
	profile_free(p);
	p = profile_of("detect: tlv");
	assert_true(ussd_is(p, &h.m));
	h.m.tlvs.len = 0;
	assert_false(ussd_is(p, &h.m));
	profile_free(p);
	buf_fini(&h.tlvs);
}

static enum kz put_width(const struct profile *p, const char *letter, int n, struct pdu_sm *ret)
{
	struct ussd_peer to = {.op = 1};
	struct buf text = {0}, room = {0};

	for (int i = 0; i < n; i++)
		buf_str(&text, letter);
	enum kz r = ussd_put(p, &to, USSD_GO_ON, buf_text(&text), &room, ret);
	buf_fini(&text);
	buf_fini(&room);
	return r;
}

static void ussd_put__page_over_the_limit__too_long(void **state)
{
	struct profile *p = profile_of("detect: tlv, gsm: packed, dcs_gsm: 15");
	struct pdu_sm m;

	(void)state;
	assert_int_equal(put_width(p, "a", 182, &m), KZ_OK);
	assert_int_equal(m.text_len, 160);
	assert_int_equal(m.data_coding, 15);
	assert_int_equal(put_width(p, "a", 183, &m), KZ_TOO_LONG);
	assert_int_equal(put_width(p, "[", 91, &m), KZ_OK);
	assert_int_equal(put_width(p, "[", 92, &m), KZ_TOO_LONG);
	assert_int_equal(put_width(p, "Қ", 80, &m), KZ_OK);
	assert_int_equal(m.text_len, 160);
	assert_int_equal(put_width(p, "Қ", 81, &m), KZ_TOO_LONG);
	assert_int_equal(put_width(p, "", 1, &m), KZ_INVALID);
	assert_int_equal(put_width(p, "\xff", 1, &m), KZ_INVALID);
	profile_free(p);
}

static void ussd_put__its_session_info__by_echo_step_and_end_bit(void **state)
{
	static const struct {
		const char *ussd;
		enum ussd_page how;
		int came, went; /* -1: none */
	} cases[] = {
	    {"detect: tlv, echo: raw", USSD_GO_ON, 0x0101, 0x0101},
	    {"detect: tlv, echo: cleared", USSD_GO_ON, 0x0101, 0x0100},
	    {"detect: tlv, echo: cleared", USSD_LAST, 0x0101, 0x0100},
	    {"detect: tlv, end_bit_out: yes", USSD_LAST, 0x0100, 0x0101},
	    {"detect: tlv, end_bit_out: yes, step: 1", USSD_LAST, 0x0102, 0x0105},
	    {"detect: tlv, step: 1", USSD_GO_ON, 0x01fe, 0x0100},
	    {"detect: tlv, echo: none", USSD_GO_ON, 0x0101, -1},
	};
	struct buf room = {0};
	struct ussd_in in;
	struct pdu_sm m;
	struct heard h;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct profile *p = profile_of(cases[i].ussd);
		uint32_t its = 0;

		hear(&h, "1", 18, cases[i].came);
		assert_int_equal(take(p, &h, &in), KZ_OK);
		assert_int_equal(ussd_put(p, &in.peer, cases[i].how, "x", &room, &m), KZ_OK);
		assert_int_equal(pdu_tlv_uint(m.tlvs, TAG_ITS_SESSION_INFO, &its), cases[i].went >= 0);
		if (cases[i].went >= 0)
			assert_int_equal(its, cases[i].went);
		profile_free(p);
	}
	buf_fini(&room);
}

static void ussd_put__one_page_of_pssd__its_response(void **state)
{
	struct profile *p = profile_of("detect: tlv, dialled: [\"0\", \"1\"]");
	struct buf room = {0};
	struct ussd_in in;
	struct pdu_sm m;
	struct heard h;
	uint32_t op = 0;

	(void)state;
	hear(&h, "*123#", 0, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_int_equal(ussd_put(p, &in.peer, USSD_LAST, "x", &room, &m), KZ_OK);
	assert_true(pdu_tlv_uint(m.tlvs, TAG_USSD_SERVICE_OP, &op));
	assert_int_equal(op, 16);
	buf_fini(&room);
	profile_free(p);
}

static void ussd_put__addresses_not_swapped__as_they_came(void **state)
{
	struct profile *p = profile_of("detect: tlv, swap: no");
	struct ussd_peer to = {.phone = {1, 1, "77011234567"}, .code = {0, 1, "123"}};
	struct buf room = {0};
	struct pdu_sm m;

	(void)state;
	assert_int_equal(ussd_put(p, &to, USSD_LAST, "x", &room, &m), KZ_OK);
	assert_string_equal(m.source.text, "77011234567");
	assert_string_equal(m.destination.text, "123");
	buf_fini(&room);
	profile_free(p);
}

static void ussd_take__code_told_only_when_dialled__assumed_of_what_is_typed(void **state)
{
	struct profile *p = profile_of("detect: tlv, code: text, code_kept: yes, codes: [\"123\", \"124\"]");
	struct ussd_in in;
	struct heard h;

	(void)state;
	hear(&h, "*124#", 1, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_string_equal(in.peer.code.text, "124");
	assert_false(in.peer.code_assumed);
	hear(&h, "1", 18, 2);
	assert_int_equal(take(p, &h, &in), KZ_OK);
	assert_string_equal(in.peer.code.text, "123");
	assert_true(in.peer.code_assumed);
	profile_free(p);
}

static void ussd_push_to__our_number__the_answer_has_its_key(void **state)
{
	static const char *const ussd[] = {"detect: tlv, codes: [\"123\"], push: ask",
	    "detect: tlv, codes: [\"123\"], push: ask, key: umr",
	    "detect: tlv, codes: [\"123\"], push: ask, key: tlv, key_octets: 8"};
	static const uint16_t tags[] = {TAG_ITS_SESSION_INFO, TAG_USER_MESSAGE_REFERENCE, 0x1501};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct profile *p = profile_of(ussd[i]);
		struct ussd_peer to;
		struct pdu_tlv t;
		struct buf room = {0};
		struct pdu_sm m;
		struct ussd_in in;
		struct heard h;

		ussd_push_to(p, (struct msisdn){77011234567}, 0x5123, &to);
		assert_int_equal(ussd_put(p, &to, USSD_PUSH_ASK, "x", &room, &m), KZ_OK);
		assert_true(pdu_tlv_find(m.tlvs, tags[i], &t));
		hear(&h, "1", 18, -1);
		pdu_put_tlv(&h.tlvs, t.tag, t.value, t.len);
		h.m.tlvs = (struct pdu_tlvs){(const uint8_t *)h.tlvs.data, h.tlvs.len};
		assert_int_equal(take(p, &h, &in), KZ_OK);
		assert_int_equal(in.peer.key_n, to.key_n);
		assert_memory_equal(in.peer.key, to.key, to.key_n);
		buf_fini(&room);
		profile_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ussd__session_of_opaque__to_the_octet),
	    cmocka_unit_test(ussd__session_of_reference__to_the_octet),
	    cmocka_unit_test(ussd__session_of_sixdee__to_the_octet),
	    cmocka_unit_test(ussd__session_of_comverse__to_the_octet),
	    cmocka_unit_test(ussd__session_of_huawei__to_the_octet),
	    cmocka_unit_test(ussd__session_of_bare__to_the_octet),
	    cmocka_unit_test(ussd__session_of_reply__to_the_octet),
	    cmocka_unit_test(ussd__session_of_raw__to_the_octet),
	    cmocka_unit_test(ussd__session_of_cbs__to_the_octet),
	    cmocka_unit_test(ussd_take__op_or_key_that_cannot_be_read__invalid),
	    cmocka_unit_test(ussd_take__no_op__a_code_is_dialled_and_else_typed),
	    cmocka_unit_test(ussd_take__hidden_or_foreign_number__no_phone),
	    cmocka_unit_test(ussd_take__number_spelled_otherwise__the_same_key),
	    cmocka_unit_test(ussd_take__odd_texts__bounded),
	    cmocka_unit_test(ussd_take__path_without_end__cut),
	    cmocka_unit_test(ussd_take__code_told_only_when_dialled__assumed_of_what_is_typed),
	    cmocka_unit_test(ussd_take__code_wherever_it_stands__as_dialled),
	    cmocka_unit_test(ussd_is__by_the_profile_alone),
	    cmocka_unit_test(ussd_put__page_over_the_limit__too_long),
	    cmocka_unit_test(ussd_put__its_session_info__by_echo_step_and_end_bit),
	    cmocka_unit_test(ussd_put__one_page_of_pssd__its_response),
	    cmocka_unit_test(ussd_put__addresses_not_swapped__as_they_came),
	    cmocka_unit_test(ussd_push_to__our_number__the_answer_has_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* receipt: what operators write, and what must come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "smpp/receipt.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct pdu_sm sm_of(const char *text, size_t len)
{
	struct pdu_sm m = {
	    .command = PDU_DELIVER_SM,
	    .source = {1, 1, "77011234567"},
	    .destination = {5, 0, "KEZEK"},
	    .esm_class = 0x04,
	    .text = (const uint8_t *)text,
	    .text_len = len,
	};

	return m;
}

struct row {
	const char *text;
	const char *id; /* NULL: unreadable */
	enum receipt_state state;
	const char *err;
	const char *done; /* RFC 3339, NULL: none */
};

#define DONE  "2026-11-22T18:23:00+05:00"
#define DONE6 "2026-11-22T18:23:06+05:00"

static const struct row rows[] = {
    /* the standard's own, and its twins */
    {"id:0123456789 sub:001 dlvrd:001 submit date:2611221822 done date:2611221823 stat:DELIVRD err:000 "
     "text:Kod 1234",
        "0123456789", RECEIPT_DELIVERED, "000", DONE},
    {"ID:0123456789 SUB:001 DLVRD:001 SUBMIT DATE:2611221822 DONE DATE:2611221823 STAT:DELIVRD ERR:000 "
     "TEXT:x",
        "0123456789", RECEIPT_DELIVERED, "000", DONE},
    {"id:0123456789 sub:001 dlvrd:001 submit date:2611221822 done date:2611221823 stat:DELIVRD err:000 "
     "Text:x",
        "0123456789", RECEIPT_DELIVERED, "000", DONE},
    {"id:0123456789 sub:001 dlvrd:001 submit date:2611221822 done date:2611221823 stat:DELIVRD err:000",
        "0123456789", RECEIPT_DELIVERED, "000", DONE},
    /* dates */
    {"id:1 submit date:261122182206 done date:261122182306 stat:DELIVRD err:0", "1", RECEIPT_DELIVERED, "0",
        DONE6},
    {"id:1 done date:202611221823 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", DONE},
    {"id:1 done date:20261122182306 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", DONE6},
    {"id:1 done date:2026-11-22 18:23:06 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", DONE6},
    {"id:1 done date: 26/11/22 18:23 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", DONE},
    {"id:1 done_date:2611221823 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", DONE},
    {"id:1 donedate=2611221823 stat=DELIVRD", "1", RECEIPT_DELIVERED, "", DONE},
    {"id:1 done date:2602311823 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    {"id:1 done date:2613221823 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    {"id:1 done date:2611222460 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    {"id:1 done date:26112218 stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    {"id:1 done date:261122182306000+ stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    {"id:1 done date: stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    {"id:1 done date:never stat:DELIVRD", "1", RECEIPT_DELIVERED, "", NULL},
    /* ids */
    {"id:1D305B4C sub:001 stat:DELIVRD err:000", "1D305B4C", RECEIPT_DELIVERED, "000", NULL},
    {"id:0x1d305b4c stat:DELIVRD", "0x1d305b4c", RECEIPT_DELIVERED, "", NULL},
    {"id:0000000000489708364 stat:DELIVRD", "0000000000489708364", RECEIPT_DELIVERED, "", NULL},
    {"id:6f9619ff-8b86-d011-b42d-00c04fc964ff stat:DELIVRD", "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        RECEIPT_DELIVERED, "", NULL},
    {"id: 77 stat: DELIVRD err: 001", "77", RECEIPT_DELIVERED, "001", NULL},
    {"Id : 77 Stat : DELIVRD", "77", RECEIPT_DELIVERED, "", NULL},
    {"MsgId:77 Status:DELIVERED", "77", RECEIPT_DELIVERED, "", NULL},
    {"message_id=77 state=expired error_code=1f", "77", RECEIPT_EXPIRED, "1f", NULL},
    {"Message ID: 77, Status: REJECTED, Error code: 12", "77", RECEIPT_REJECTED, "12", NULL},
    {"\r\n id:77\tstat:DELIVRD\r\n", "77", RECEIPT_DELIVERED, "", NULL},
    /* any order, doubled, glued */
    {"stat:UNDELIV err:255 id:77", "77", RECEIPT_UNDELIVERABLE, "255", NULL},
    {"sub:001 dlvrd:000 id:77 err:1 done date:2611221823 stat:UNDELIV", "77", RECEIPT_UNDELIVERABLE, "1",
        DONE},
    {"text:hello id:77 stat:DELIVRD err:7", "77", RECEIPT_DELIVERED, "7", NULL},
    {"id:77 id:78 stat:DELIVRD stat:UNDELIV", "77", RECEIPT_DELIVERED, "", NULL},
    {"id:77,sub:001,dlvrd:001,stat:DELIVRD,err:000", "77", RECEIPT_DELIVERED, "000", NULL},
    {"id:77;stat:DELIVRD;err:000;", "77", RECEIPT_DELIVERED, "000", NULL},
    {"id:77 stat:DELIVRD err:000Text:glued", "77", RECEIPT_DELIVERED, "000", NULL},
    /* err */
    {"id:77 stat:DELIVRD err: text:x", "77", RECEIPT_DELIVERED, "", NULL},
    {"id:77 err: stat:EXPIRED", "77", RECEIPT_EXPIRED, "", NULL},
    {"id:77 stat:EXPIRED err:", "77", RECEIPT_EXPIRED, "", NULL},
    {"id:77 stat:UNDELIV err:0x1B text:", "77", RECEIPT_UNDELIVERABLE, "0x1B", NULL},
    {"id:77 stat:UNDELIV err:E12A text:", "77", RECEIPT_UNDELIVERABLE, "E12A", NULL},
    {"id:77 stat:UNDELIV err:-1 text:", "77", RECEIPT_UNDELIVERABLE, "-1", NULL},
    {"id:77 stat:UNDELIV err:123456789012 text:", "77", RECEIPT_UNDELIVERABLE, "12345678", NULL},
    /* stat: whole, cut, other spellings */
    {"id:77 stat:DELIVERED", "77", RECEIPT_DELIVERED, "", NULL},
    {"id:77 stat:DELI", "77", RECEIPT_DELIVERED, "", NULL},
    {"id:77 stat:DELIVR", "77", RECEIPT_DELIVERED, "", NULL},
    {"id:77 stat:dlvrd", "77", RECEIPT_DELIVERED, "", NULL},
    {"id:77 stat:DELE", "77", RECEIPT_DELETED, "", NULL},
    {"id:77 stat:DELETED", "77", RECEIPT_DELETED, "", NULL},
    {"id:77 stat:EXPIR", "77", RECEIPT_EXPIRED, "", NULL},
    {"id:77 stat:UNDE", "77", RECEIPT_UNDELIVERABLE, "", NULL},
    {"id:77 stat:UNDELIVERED", "77", RECEIPT_UNDELIVERABLE, "", NULL},
    {"id:77 stat:UNDELIVERABLE", "77", RECEIPT_UNDELIVERABLE, "", NULL},
    {"id:77 stat:FAILED", "77", RECEIPT_UNDELIVERABLE, "", NULL},
    {"id:77 stat:ACCEPTD", "77", RECEIPT_ACCEPTED, "", NULL},
    {"id:77 stat:ACCEPTED", "77", RECEIPT_ACCEPTED, "", NULL},
    {"id:77 stat:UNKNOWN", "77", RECEIPT_UNKNOWN, "", NULL},
    {"id:77 stat:UNKN", "77", RECEIPT_UNKNOWN, "", NULL},
    {"id:77 stat:REJECTD", "77", RECEIPT_REJECTED, "", NULL},
    {"id:77 stat:REJECTED", "77", RECEIPT_REJECTED, "", NULL},
    {"id:77 stat:ENROUTE", "77", RECEIPT_ENROUTE, "", NULL},
    {"id:77 stat:EN_ROUTE", "77", RECEIPT_ENROUTE, "", NULL},
    {"id:77 stat:BUFFERED", "77", RECEIPT_ENROUTE, "", NULL},
    /* what was sent is quoted, and is not believed */
    {"id:77 stat:EXPIRED err:5 text:id:666 stat:DELIVRD err:0", "77", RECEIPT_EXPIRED, "5", NULL},
    {"id:77 stat:EXPIRED text:err:9 done date:2611221823", "77", RECEIPT_EXPIRED, "", NULL},
    /* garbage */
    {"", NULL, 0, NULL, NULL},
    {"Salem, kezek!", NULL, 0, NULL, NULL},
    {"id:", NULL, 0, NULL, NULL},
    {"id:77", NULL, 0, NULL, NULL},
    {"id:77 stat:", NULL, 0, NULL, NULL},
    {"id:77 stat:DEL", NULL, 0, NULL, NULL},
    {"id:77 stat:DELIVERY", NULL, 0, NULL, NULL},
    {"id:77 stat:999", NULL, 0, NULL, NULL},
    {"stat:DELIVRD err:000", NULL, 0, NULL, NULL},
    {"id: stat:DELIVRD", NULL, 0, NULL, NULL},
    {"paid:77 thermostat:DELIVRD", NULL, 0, NULL, NULL},
    {"id 77 stat DELIVRD", NULL, 0, NULL, NULL},
    {"::::====::::id:::stat:::", NULL, 0, NULL, NULL},
    {"id:fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff stat:DELIVRD", NULL, 0, NULL,
        NULL},
};

static void receipt_parse__texts_seen__id_state_err_date(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *w = &rows[i];
		size_t len = strlen(w->text);
		char *exact = mem_new(len ? len : 1);
		struct receipt r = {.id = "untouched"};

		memcpy(exact, w->text, len);
		struct pdu_sm m = sm_of(exact, len);
		if ((receipt_parse(&m, &r) == KZ_OK) != (w->id != NULL))
			fail_msg("%s", w->text);
		assert_string_equal(r.id, w->id ? w->id : "untouched");
		if (w->id) {
			assert_int_equal(r.state, w->state);
			assert_string_equal(r.err, w->err);
			assert_int_equal(r.done_wall_ms, w->done ? clock_parse_rfc3339(w->done) / 1000 : 0);
			assert_string_equal(r.source.text, "77011234567");
			assert_int_equal(r.network_error, 0);
		}
		free(exact);
	}
}

static void receipt_parse__every_state__final_or_not(void **state)
{
	static const bool final[] = {false, false, true, true, true, true, false, false, true};

	(void)state;
	for (unsigned s = RECEIPT_ENROUTE; s <= RECEIPT_REJECTED; s++) {
		struct buf text = {0};
		struct receipt r;

		buf_printf(&text, "id:9 stat:%s", receipt_state_name((enum receipt_state)s));
		struct pdu_sm m = sm_of(text.data, text.len);
		assert_int_equal(receipt_parse(&m, &r), KZ_OK);
		assert_int_equal(r.state, s);
		assert_int_equal(r.final, final[s]);
		buf_fini(&text);
	}
}

static void receipt_parse__intermediate_notification__tells_no_end(void **state)
{
	static const char text[] = "id:1 stat:UNDELIV err:011";
	struct pdu_sm m = sm_of(text, sizeof text - 1);
	struct receipt r;

	(void)state;
	m.esm_class = 0x20;
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_int_equal(r.state, RECEIPT_UNDELIVERABLE);
	assert_false(r.final);
	m.esm_class = 0x04;
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_true(r.final);
}

static void with_tlvs(struct pdu_sm *m, struct buf *tlvs, const void *id, uint16_t id_len, int message_state)
{
	uint8_t octet = (uint8_t)message_state;

	if (id)
		pdu_put_tlv(tlvs, TAG_RECEIPTED_MESSAGE_ID, id, id_len);
	if (message_state >= 0)
		pdu_put_tlv(tlvs, TAG_MESSAGE_STATE, &octet, 1);
	m->tlvs = (struct pdu_tlvs){(const uint8_t *)tlvs->data, tlvs->len};
}

static void receipt_parse__tlvs__before_the_text(void **state)
{
	static const struct {
		const char *text;
		const char *id;
		uint16_t id_len;
		int message_state;
		const char *want_id; /* NULL: unreadable */
		enum receipt_state want;
	} cases[] = {
	    {"id:0489708364 stat:UNDELIV err:000", "1d305b4c", 9, 2, "1d305b4c", RECEIPT_DELIVERED},
	    {"id:0489708364 stat:UNDELIV err:000", "1d305b4c", 8, 2, "1d305b4c", RECEIPT_DELIVERED},
	    {"", "1d305b4c", 9, 5, "1d305b4c", RECEIPT_UNDELIVERABLE},
	    {"", " 1d305b4c  ", 11, 5, "1d305b4c", RECEIPT_UNDELIVERABLE},
	    {"Delivered, thank you", "77", 2, 2, "77", RECEIPT_DELIVERED},
	    {"id:88 stat:EXPIRED", "77", 2, -1, "77", RECEIPT_EXPIRED},
	    {"id:88 stat:EXPIRED", NULL, 0, 2, "88", RECEIPT_DELIVERED},
	    {"id:88 stat:EXPIRED", "", 0, 2, "88", RECEIPT_DELIVERED},
	    {"id:88 stat:EXPIRED", "\0\0", 2, 0, "88", RECEIPT_EXPIRED},
	    {"id:88 stat:EXPIRED", "a\x01\xff", 3, 9, "88", RECEIPT_EXPIRED},
	    {"id:88 stat:EXPIRED", "77", 2, 255, "77", RECEIPT_EXPIRED},
	    {"", "77", 2, -1, NULL, 0},
	    {"", NULL, 0, 2, NULL, 0},
	    {"", "77", 2, 0, "77", RECEIPT_ENROUTE},
	    {"", "77", 2, 9, "77", RECEIPT_UNDELIVERABLE},
	    {"", "77", 2, 10, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf tlvs = {0};
		struct pdu_sm m = sm_of(cases[i].text, strlen(cases[i].text));
		struct receipt r;

		with_tlvs(&m, &tlvs, cases[i].id, cases[i].id_len, cases[i].message_state);
		assert_int_equal(receipt_parse(&m, &r), cases[i].want_id ? KZ_OK : KZ_INVALID);
		if (cases[i].want_id) {
			assert_string_equal(r.id, cases[i].want_id);
			assert_int_equal(r.state, cases[i].want);
		}
		buf_fini(&tlvs);
	}
}

static void receipt_parse__tlv_id_over_its_bound__text_instead(void **state)
{
	char id[70];
	struct buf tlvs = {0};
	struct pdu_sm m = sm_of("id:88 stat:EXPIRED", 18);
	struct receipt r;

	(void)state;
	memset(id, 'a', sizeof id);
	with_tlvs(&m, &tlvs, id, sizeof id, -1);
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_string_equal(r.id, "88");
	buf_fini(&tlvs);
}

static void receipt_parse__user_message_reference__as_it_came(void **state)
{
	static const uint8_t reference[] = {0x02, 0x04, 0, 2, 0xBE, 0xEF}, odd[] = {0x02, 0x04, 0, 1, 0xBE};
	struct pdu_sm m = sm_of("id:1 stat:DELIVRD", 17);
	struct receipt r;

	(void)state;
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_int_equal(r.reference, -1);
	m.tlvs = (struct pdu_tlvs){reference, sizeof reference};
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_int_equal(r.reference, 0xBEEF);
	m.tlvs = (struct pdu_tlvs){odd, sizeof odd};
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_int_equal(r.reference, 0xBE);
}

static void receipt_parse__network_error_code__one_number(void **state)
{
	struct buf tlvs = {0};
	struct pdu_sm m = sm_of("id:88 stat:UNDELIV err:001", 26);
	struct receipt r;

	(void)state;
	pdu_put_tlv(&tlvs, TAG_NETWORK_ERROR_CODE, "\x03\x01\x0b", 3);
	m.tlvs = (struct pdu_tlvs){(const uint8_t *)tlvs.data, tlvs.len};
	assert_int_equal(receipt_parse(&m, &r), KZ_OK);
	assert_int_equal(r.network_error, 0x03010b);
	assert_string_equal(r.err, "001");
	buf_fini(&tlvs);
}

/* The same words in other clothes. */
static void receipt_parse__ucs2_header_and_nuls__read(void **state)
{
	static const char words[] = "id:7aF stat:DELIVRD err:001";
	char wide[2 + 2 * sizeof words];

	(void)state;
	for (unsigned variant = 0; variant < 6; variant++) {
		struct pdu_sm m = sm_of(wide, 0);
		struct receipt r;
		size_t n = 0;
		bool little = variant == 1 || variant == 3;

		if (variant == 2)
			memcpy(wide, "\xfe\xff", n = 2);
		else if (variant == 3)
			memcpy(wide, "\xff\xfe", n = 2);
		else if (variant == 4) {
			memcpy(wide, "\x01\x7f", n = 2);
			m.esm_class |= 0x40;
		}
		for (size_t i = 0; i < sizeof words - 1; i++) {
			if (variant < 4 && !little)
				wide[n++] = '\0';
			wide[n++] = words[i];
			if (variant < 4 && little)
				wide[n++] = '\0';
		}
		if (variant == 5)
			memset(wide + n, 0, 8), n += 8;
		m.text_len = n;
		assert_int_equal(receipt_parse(&m, &r), KZ_OK);
		assert_string_equal(r.id, "7aF");
		assert_int_equal(r.state, RECEIPT_DELIVERED);
		assert_string_equal(r.err, "001");
	}
}

static void receipt_parse__header_over_the_text__no_read_beyond(void **state)
{
	static const uint8_t texts[][4] = {
	    {0xff, 'i', 'd', ':'}, {3, 'i', 'd', ':'}, {4, 1, 2, 3}, {0, 0, 0, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t len = 0; len <= 4; len++) {
			uint8_t *exact = mem_new(len ? len : 1);
			memcpy(exact, texts[i], len);
			struct pdu_sm m = sm_of((char *)exact, len);
			struct receipt r;

			m.esm_class |= 0x40;
			assert_int_equal(receipt_parse(&m, &r), KZ_INVALID);
			free(exact);
		}
}

static void receipt_parse__payload_of_sixty_thousand__bounded(void **state)
{
	struct buf text = {0};
	struct receipt r;

	(void)state;
	while (text.len < 60000)
		buf_str(&text, "id: stat: err:");
	buf_str(&text, "id:7 stat:DELIVRD");
	struct pdu_sm m = sm_of(text.data, text.len);
	assert_int_equal(receipt_parse(&m, &r), KZ_INVALID);
	buf_fini(&text);
}

static void receipt_is__esm_class_and_loose__recognised(void **state)
{
	static const struct {
		uint8_t esm_class;
		const char *text;
		bool tlv, strict, loose;
	} cases[] = {
	    {0x04, "anything", false, true, true},
	    {0x44, "anything", false, true, true},
	    {0x20, "anything", false, true, true},
	    {0x24, "anything", false, true, true},
	    {0x00, "Salem", false, false, false},
	    {0x40, "Salem", false, false, false},
	    {0x08, "Salem", false, false, false},
	    {0x10, "Salem", false, false, false},
	    {0x18, "Salem", false, false, false},
	    {0x00, "Salem", true, false, true},
	    {0x00, "", true, false, true},
	    {0x00, "id:77 sub:001 dlvrd:001 stat:DELIVRD", false, false, true},
	    {0x00, " stat:DELIVRD id:77", false, false, true},
	    {0x00, "id:77", false, false, false},
	    {0x00, "my id:77 stat:DELIVRD", false, false, false},
	    {0x00, "id:77 stat:later", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf tlvs = {0};
		struct pdu_sm m = sm_of(cases[i].text, strlen(cases[i].text));

		m.esm_class = cases[i].esm_class;
		if (cases[i].tlv)
			with_tlvs(&m, &tlvs, "77", 3, 2);
		assert_int_equal(receipt_is(&m, false), cases[i].strict);
		assert_int_equal(receipt_is(&m, true), cases[i].loose);
		m.command = PDU_DATA_SM;
		assert_int_equal(receipt_is(&m, true), cases[i].loose);
		m.command = PDU_SUBMIT_SM;
		assert_false(receipt_is(&m, true));
		buf_fini(&tlvs);
	}
}

static void id_canonical__spellings__one(void **state)
{
	static const struct {
		const char *id, *want;
	} cases[] = {
	    {"1D305B4C", "1d305b4c"},
	    {"000001D305B4C", "1d305b4c"},
	    {"0x1D305B4C", "1d305b4c"},
	    {"0X0001D305B4C", "1d305b4c"},
	    {"0", "0"},
	    {"0000", "0"},
	    {"0x", "x"},
	    {"0x0", "0"},
	    {"", ""},
	    {"6F9619FF-8B86", "6f9619ff-8b86"},
	    {"a\x01\xff", "a??"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char id[RECEIPT_ID];

		receipt_id_canonical(cases[i].id, id);
		assert_string_equal(id, cases[i].want);
	}
	char longest[100], id[RECEIPT_ID];
	memset(longest, 'f', sizeof longest);
	longest[99] = '\0';
	receipt_id_canonical(longest, id);
	assert_int_equal(strlen(id), 65);
}

static void id_candidates__forms__best_first(void **state)
{
	static const struct {
		const char *id;
		enum receipt_id_form form;
		unsigned n;
		const char *want[RECEIPT_IDS];
	} cases[] = {
	    {"0489708364", RECEIPT_ID_AUTO, 3, {"489708364", "1d305b4c", "19485721444"}},
	    {"0489708364", RECEIPT_ID_SAME, 1, {"489708364"}},
	    {"0489708364", RECEIPT_ID_HEX, 1, {"1d305b4c"}},
	    {"1D305B4C", RECEIPT_ID_AUTO, 2, {"1d305b4c", "489708364"}},
	    {"1D305B4C", RECEIPT_ID_DECIMAL, 1, {"489708364"}},
	    {"1D305B4C", RECEIPT_ID_HEX, 1, {"1d305b4c"}},
	    {"0x1D", RECEIPT_ID_AUTO, 2, {"1d", "29"}},
	    {"7", RECEIPT_ID_AUTO, 1, {"7"}},
	    {"000", RECEIPT_ID_AUTO, 1, {"0"}},
	    {"uuid-7", RECEIPT_ID_AUTO, 1, {"uuid-7"}},
	    {"uuid-7", RECEIPT_ID_DECIMAL, 1, {"uuid-7"}},
	    {"18446744073709551616", RECEIPT_ID_HEX, 1, {"10000000000000000"}},
	    {"340282366920938463463374607431768211455", RECEIPT_ID_HEX, 1,
	        {"ffffffffffffffffffffffffffffffff"}},
	    {"ffffffffffffffffffffffffffffffff", RECEIPT_ID_DECIMAL, 1,
	        {"340282366920938463463374607431768211455"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char ids[RECEIPT_IDS][RECEIPT_ID];
		unsigned n = receipt_id_candidates(cases[i].id, cases[i].form, ids);

		assert_int_equal(n, cases[i].n);
		for (unsigned k = 0; k < n; k++)
			assert_string_equal(ids[k], cases[i].want[k]);
	}
}

static void id_candidates__number_too_long_for_the_other_base__as_it_came(void **state)
{
	char id[RECEIPT_ID], ids[RECEIPT_IDS][RECEIPT_ID];

	(void)state;
	memset(id, 'f', 65);
	id[65] = '\0';
	assert_int_equal(receipt_id_candidates(id, RECEIPT_ID_DECIMAL, ids), 1);
	assert_string_equal(ids[0], id);
	memset(id, '9', 65);
	assert_int_equal(receipt_id_candidates(id, RECEIPT_ID_AUTO, ids), 2);
	assert_string_equal(ids[0], id);
	assert_int_equal(strlen(ids[1]), 54);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(receipt_parse__texts_seen__id_state_err_date),
	    cmocka_unit_test(receipt_parse__every_state__final_or_not),
	    cmocka_unit_test(receipt_parse__intermediate_notification__tells_no_end),
	    cmocka_unit_test(receipt_parse__tlvs__before_the_text),
	    cmocka_unit_test(receipt_parse__tlv_id_over_its_bound__text_instead),
	    cmocka_unit_test(receipt_parse__user_message_reference__as_it_came),
	    cmocka_unit_test(receipt_parse__network_error_code__one_number),
	    cmocka_unit_test(receipt_parse__ucs2_header_and_nuls__read),
	    cmocka_unit_test(receipt_parse__header_over_the_text__no_read_beyond),
	    cmocka_unit_test(receipt_parse__payload_of_sixty_thousand__bounded),
	    cmocka_unit_test(receipt_is__esm_class_and_loose__recognised),
	    cmocka_unit_test(id_canonical__spellings__one),
	    cmocka_unit_test(id_candidates__forms__best_first),
	    cmocka_unit_test(id_candidates__number_too_long_for_the_other_base__as_it_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

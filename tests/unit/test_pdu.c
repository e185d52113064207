/* pdu: octets on the wire both ways. Frames are read from memory of exactly their size, so that the sanitizer
 * sees the first octet read too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "smpp/pdu.h"

#define BYTES(s) (s), sizeof(s) - 1

/* A submit_sm written by hand from 4.4.1. */
#define SUBMIT_HEAD "\0\0\0\x04\0\0\0\0\0\0\0\x07"
#define SUBMIT_BODY                                                                                          \
	"\0"              /* service_type */                                                                 \
	"\x05\x00KEZEK\0" /* source */                                                                       \
	"\x01\x01"                                                                                           \
	"77011234567\0"        /* destination */                                                             \
	"\x40\x00\x01"         /* esm_class, protocol_id, priority */                                        \
	"\0"                   /* schedule */                                                                \
	"000000001500000R\0"   /* validity */                                                                \
	"\x01\x00\x08\x00"     /* registered, replace, data_coding, default id */                            \
	"\x04\x04\x3A\x04\x35" /* sm_length, "ке" in UCS-2 */

static uint8_t *frame_copy(const char *bytes, size_t n)
{
	uint8_t *f = mem_new(n);

	memcpy(f, bytes, n);
	return f;
}

/* A frame around body; its length is set. */
static uint8_t *frame_new(uint32_t command, const void *body, size_t n, size_t *ret_size)
{
	struct buf b = {0};

	pdu_put_header(&b, command, 0, 1);
	buf_add(&b, body, n);
	b.data[2] = (char)(b.len >> 8);
	b.data[3] = (char)b.len;
	b.data[1] = (char)(b.len >> 16);
	uint8_t *f = frame_copy(b.data, b.len);
	if (ret_size)
		*ret_size = b.len;
	buf_fini(&b);
	return f;
}

static void frame_size__whole_short_and_absurd__ok_busy_invalid(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum kz want;
	} rows[] = {
	    {BYTES(""), KZ_BUSY},
	    {BYTES("\0\0\0"), KZ_BUSY},
	    {BYTES("\0\0\0\x10"), KZ_BUSY},
	    {BYTES("\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0"), KZ_BUSY},
	    {BYTES("\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01"), KZ_OK},
	    {BYTES("\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01\0\0"), KZ_OK},
	    {BYTES("\0\0\0\0"), KZ_INVALID},
	    {BYTES("\0\0\0\x0f"), KZ_INVALID},
	    {BYTES("\0\0\x04\x01"), KZ_INVALID},
	    {BYTES("\0\0\x04\x00"), KZ_BUSY},
	    {BYTES("\xff\xff\xff\xff"), KZ_INVALID},
	    {BYTES("\x80\0\0\x10"), KZ_INVALID},
	    {BYTES("GET / HTTP/1.1\r\n"), KZ_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t *f = frame_copy(rows[i].bytes, rows[i].len ? rows[i].len : 1);
		size_t size = 99;

		assert_int_equal(pdu_frame_size(f, rows[i].len, 1024, &size), rows[i].want);
		assert_int_equal(size, rows[i].want == KZ_OK ? 16 : 99);
		free(f);
	}
}

static void header__any_values__taken_as_they_are(void **state)
{
	struct pdu_header h =
	    pdu_take_header((const uint8_t *)"\0\0\0\x10\x80\0\0\x04\xde\xad\xbe\xef\x7f\xff\xff\xff");

	(void)state;
	assert_int_equal(h.length, 16);
	assert_int_equal(h.command, 0x80000004u);
	assert_int_equal(h.status, 0xdeadbeefu);
	assert_int_equal(h.sequence, 0x7fffffffu);
}

static struct pdu_sm sample_submit(void)
{
	struct pdu_sm m = {
	    .command = PDU_SUBMIT_SM,
	    .source = {5, 0, "KEZEK"},
	    .destination = {1, 1, "77011234567"},
	    .esm_class = 0x40,
	    .priority = 1,
	    .validity = "000000001500000R",
	    .registered_delivery = 1,
	    .data_coding = 8,
	    .text = (const uint8_t *)"\x04\x3A\x04\x35",
	    .text_len = 4,
	};

	return m;
}

static void put_submit_sm__sample__octets_of_the_standard(void **state)
{
	struct pdu_sm m = sample_submit();
	struct buf b = {0};
	static const char want[] = "\0\0\0\x45" SUBMIT_HEAD SUBMIT_BODY;

	(void)state;
	buf_str(&b, "before");
	assert_int_equal(pdu_put_sm(&b, 7, &m), KZ_OK);
	assert_int_equal(sizeof want - 1, 0x45);
	assert_int_equal(b.len, 6 + sizeof want - 1);
	assert_memory_equal(b.data, "before", 6);
	assert_memory_equal(b.data + 6, want, sizeof want - 1);
	buf_fini(&b);
}

static void put_submit_sm__unusual_numbering__goes_out_as_given(void **state)
{
	struct pdu_sm m = sample_submit(), back;
	struct buf b = {0};

	(void)state;
	strcpy(m.service_type, "USSD");
	m.source.ton = 9;
	m.source.npi = 2;
	m.destination.ton = 255;
	m.destination.npi = 17;
	assert_int_equal(pdu_put_sm(&b, 1, &m), KZ_OK);
	assert_int_equal(pdu_take_sm((uint8_t *)b.data, &back), KZ_OK);
	assert_string_equal(back.service_type, "USSD");
	assert_memory_equal(&back.source, &m.source, 2 + 6);
	assert_memory_equal(&back.destination, &m.destination, 2 + 12);
	buf_fini(&b);
}

static void put_sm__tlvs__behind_the_text(void **state)
{
	struct pdu_sm m = sample_submit();
	struct buf b = {0}, tlvs = {0};

	(void)state;
	pdu_put_tlv(&tlvs, TAG_USER_MESSAGE_REFERENCE, "\x12\x34", 2);
	pdu_put_tlv(&tlvs, TAG_SAR_TOTAL_SEGMENTS, "\x02", 1);
	m.tlvs = (struct pdu_tlvs){(uint8_t *)tlvs.data, tlvs.len};
	assert_int_equal(pdu_put_sm(&b, 7, &m), KZ_OK);
	assert_int_equal(b.len, 0x45 + 11);
	assert_memory_equal(b.data, "\0\0\0\x50", 4);
	assert_memory_equal(b.data + 0x45, "\x02\x04\0\x02\x12\x34\x02\x0e\0\x01\x02", 11);
	buf_fini(&b);
	buf_fini(&tlvs);
}

static void put_sm__payload__sm_length_is_zero_and_tlv_holds_it(void **state)
{
	static uint8_t text[65535];
	struct pdu_sm m = sample_submit(), back;
	struct buf b = {0};

	(void)state;
	memset(text, 'q', sizeof text);
	m.payload = true;
	m.text = text;
	m.text_len = sizeof text;
	assert_int_equal(pdu_put_sm(&b, 7, &m), KZ_OK);
	assert_int_equal(b.len, 0x45 - 4 + 4 + 65535);
	assert_memory_equal(b.data + 0x40, "\0\x04\x24\xff\xffqqqq", 9);
	assert_int_equal(pdu_take_sm((uint8_t *)b.data, &back), KZ_OK);
	assert_true(back.payload);
	assert_int_equal(back.text_len, 65535);
	assert_memory_equal(back.text, text, sizeof text);
	buf_fini(&b);
}

static void put_data_sm__text__is_message_payload(void **state)
{
	struct pdu_sm m = sample_submit();
	struct buf b = {0};
	static const char want[] = "\0\0\0\x32\0\0\x01\x03\0\0\0\0\0\0\0\x01"
	                           "\0"
	                           "\x05\x00KEZEK\0"
	                           "\x01\x01"
	                           "77011234567\0"
	                           "\x40\x01\x08"
	                           "\x04\x24\0\x04\x04\x3A\x04\x35";

	(void)state;
	m.command = PDU_DATA_SM;
	assert_int_equal(pdu_put_sm(&b, 1, &m), KZ_OK);
	assert_int_equal(b.len, sizeof want - 1);
	assert_memory_equal(b.data, want, sizeof want - 1);
	buf_fini(&b);
}

static void put_sm__empty_text__no_text_and_no_payload(void **state)
{
	static const uint32_t commands[] = {PDU_SUBMIT_SM, PDU_DELIVER_SM, PDU_DATA_SM};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct pdu_sm m = {.command = commands[i / 2], .payload = i % 2}, back;
		struct buf b = {0};

		assert_int_equal(pdu_put_sm(&b, 1, &m), KZ_OK);
		assert_int_equal(b.len, m.command == PDU_DATA_SM ? 26 : 33);
		assert_int_equal(pdu_take_sm((uint8_t *)b.data, &back), KZ_OK);
		assert_int_equal(back.text_len, 0);
		assert_int_equal(back.tlvs.len, 0);
		buf_fini(&b);
	}
}

static void put_sm__out_of_bounds__refused_and_nothing_written(void **state)
{
	static uint8_t text[70000];
	struct pdu_sm m;
	struct buf b = {0};

	(void)state;
#define REFUSED(change, want)                                                                                \
	do {                                                                                                 \
		m = sample_submit();                                                                         \
		change;                                                                                      \
		assert_int_equal(pdu_put_sm(&b, 1, &m), want);                                               \
		assert_int_equal(b.len, 0);                                                                  \
	} while (0)
	REFUSED((m.text = text, m.text_len = 255), KZ_TOO_LONG);
	REFUSED((m.payload = true, m.text = text, m.text_len = 65536), KZ_TOO_LONG);
	REFUSED((m.command = PDU_DATA_SM, m.text = text, m.text_len = 65536), KZ_TOO_LONG);
	REFUSED((m.text_len = SIZE_MAX), KZ_TOO_LONG);
	REFUSED((m.tlvs.at = text, m.tlvs.len = sizeof text), KZ_TOO_LONG);
	REFUSED((m.tlvs.at = text, m.tlvs.len = SIZE_MAX), KZ_TOO_LONG);
	REFUSED(memset(m.service_type, 'x', sizeof m.service_type), KZ_TOO_LONG);
	REFUSED(memset(m.source.text, 'x', sizeof m.source.text), KZ_TOO_LONG);
	REFUSED(memset(m.destination.text, '7', sizeof m.destination.text), KZ_TOO_LONG);
	REFUSED(memset(m.validity, '0', sizeof m.validity), KZ_TOO_LONG);
	REFUSED(strcpy(m.validity, "00000000150000R"), KZ_INVALID);
	REFUSED(strcpy(m.schedule, "1"), KZ_INVALID);
	REFUSED((m.command = PDU_DELIVER_SM), KZ_INVALID); /* has a validity */
#undef REFUSED
	buf_fini(&b);
}

static void put_sm__widest_fields__read_back_equal(void **state)
{
	uint8_t text[254];
	struct pdu_sm m = {
	    .command = PDU_SUBMIT_SM,
	    .service_type = "ABCDE",
	    .source = {5, 0, "abcdefghijklmnopqrst"},
	    .destination = {1, 1, "12345678901234567890"},
	    .esm_class = 255,
	    .protocol_id = 254,
	    .priority = 253,
	    .registered_delivery = 252,
	    .replace_if_present = 251,
	    .data_coding = 250,
	    .default_msg_id = 249,
	    .schedule = "261122182306120+",
	    .validity = "261122182306120+",
	    .text = text,
	    .text_len = sizeof text,
	};
	struct pdu_sm back;
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)i;
	assert_int_equal(pdu_put_sm(&b, 0x7fffffff, &m), KZ_OK);
	assert_int_equal(pdu_take_sm((uint8_t *)b.data, &back), KZ_OK);
	assert_int_equal(pdu_take_header((uint8_t *)b.data).sequence, 0x7fffffff);
	assert_int_equal(pdu_take_header((uint8_t *)b.data).length, b.len);
	assert_int_equal(back.text_len, sizeof text);
	assert_memory_equal(back.text, text, sizeof text);
	back.text = m.text;
	back.tlvs = m.tlvs;
	assert_memory_equal(&back, &m, offsetof(struct pdu_sm, text));
	buf_fini(&b);
}

static void put_sm__more_shapes_than_are_kept__each_time_its_own(void **state)
{
	static const uint32_t commands[] = {PDU_SUBMIT_SM, PDU_DELIVER_SM, PDU_DATA_SM};
	struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 240; i++) {
		struct pdu_sm m = sample_submit(), back;

		m.command = commands[i % 3];
		m.validity[0] = '\0';
		m.data_coding = (uint8_t)(i % 20);
		m.registered_delivery = (uint8_t)(i % 2);
		m.service_type[0] = i % 7 ? 'A' : '\0';
		buf_clear(&b);
		assert_int_equal(pdu_put_sm(&b, i + 1, &m), KZ_OK);
		assert_int_equal(pdu_take_header((uint8_t *)b.data).sequence, i + 1);
		assert_int_equal(pdu_take_sm((uint8_t *)b.data, &back), KZ_OK);
		assert_int_equal(back.command, m.command);
		assert_int_equal(back.data_coding, i % 20);
		assert_int_equal(back.registered_delivery, i % 2);
		assert_string_equal(back.service_type, m.service_type);
		assert_string_equal(back.destination.text, "77011234567");
		assert_memory_equal(back.text, "\x04\x3A\x04\x35", 4);
	}
	buf_fini(&b);
}

static void take_sm__every_cut_of_the_body__invalid(void **state)
{
	static const char body[] = SUBMIT_BODY;

	(void)state;
	for (size_t n = 0; n < sizeof body - 1; n++) {
		uint8_t *f = frame_new(PDU_SUBMIT_SM, body, n, NULL);
		struct pdu_sm m;

		assert_int_equal(pdu_take_sm(f, &m), KZ_INVALID);
		free(f);
	}
	uint8_t *f = frame_new(PDU_SUBMIT_SM, body, sizeof body - 1, NULL);
	struct pdu_sm m;
	assert_int_equal(pdu_take_sm(f, &m), KZ_OK);
	assert_string_equal(m.validity, "000000001500000R");
	assert_memory_equal(m.text, "\x04\x3A\x04\x35", 4);
	free(f);
}

static void take_sm__missing_nuls_and_long_fields__invalid(void **state)
{
	static const struct {
		const char *body;
		size_t len;
	} rows[] = {
	    {BYTES("ABCDEF\0\1\1KEZEK\0\1\0017701\0\0\0\0\0\0\0\0\0\0\0\0")},
	    {BYTES("\0\1\1aaaaaaaaaaaaaaaaaaaaa\0\1\0017701\0\0\0\0\0\0\0\0\0\0\0\0")},
	    {BYTES("\0\1\1KEZEK\0\1\001777777777777777777777\0\0\0\0\0\0\0\0\0\0\0\0")},
	    {BYTES("\0\1\1KEZEK\0\1\0017701\0\0\0\0"
	           "00000000150000000\0"
	           "\0\0\0\0\0\0")},
	    {BYTES("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")},
	    {BYTES("\0\1\1KEZEK\0\1\0017701\0\0\0\0\0\0\0\0\0\0\xff")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t *f = frame_new(PDU_DELIVER_SM, rows[i].body, rows[i].len, NULL);
		struct pdu_sm m;

		assert_int_equal(pdu_take_sm(f, &m), KZ_INVALID);
		free(f);
	}
}

static void take_sm__other_command__invalid(void **state)
{
	uint8_t *f = frame_new(0x21, BYTES(SUBMIT_BODY), NULL);
	struct pdu_sm m;

	(void)state;
	assert_int_equal(pdu_take_sm(f, &m), KZ_INVALID);
	free(f);
}

#define DELIVER_BODY(sm) "\0\1\00177011234567\0\5\0KEZEK\0\x04\0\0\0\0\0\0\0\0" sm

static void take_sm__payload_beside_a_text__payload_unless_empty(void **state)
{
	uint8_t *f = frame_new(PDU_DELIVER_SM, BYTES(DELIVER_BODY("\2hi") "\x04\x24\0\3abc"), NULL);
	struct pdu_sm m;

	(void)state;
	assert_int_equal(pdu_take_sm(f, &m), KZ_OK);
	assert_true(m.payload);
	assert_int_equal(m.text_len, 3);
	assert_memory_equal(m.text, "abc", 3);
	assert_true(m.text >= f && m.text < f + 60); /* in the frame, no copy */
	free(f);
	f = frame_new(PDU_DELIVER_SM, BYTES(DELIVER_BODY("\2hi") "\x04\x24\0\0"), NULL);
	assert_int_equal(pdu_take_sm(f, &m), KZ_OK);
	assert_false(m.payload);
	assert_int_equal(m.text_len, 2);
	assert_memory_equal(m.text, "hi", 2);
	free(f);
}

static void take_sm__trailing_nuls__ignored(void **state)
{
	static const char body[] = DELIVER_BODY("\2hi") "\0\0\0\0\0\0\0\0\0\0\0";

	(void)state;
	for (size_t nuls = 0; nuls <= 11; nuls++) {
		uint8_t *f = frame_new(PDU_DELIVER_SM, body, sizeof body - 1 - 11 + nuls, NULL);
		struct pdu_sm m;
		struct pdu_tlv t;

		assert_int_equal(pdu_take_sm(f, &m), KZ_OK);
		assert_memory_equal(m.text, "hi", 2);
		assert_false(pdu_tlv_next(&m.tlvs, &t));
		free(f);
	}
}

static void take_sm__ten_thousand_tlvs__all_walked(void **state)
{
	struct buf body = {0};
	struct pdu_sm m;
	struct pdu_tlv t;
	unsigned n = 0;

	(void)state;
	buf_add(&body, BYTES(DELIVER_BODY("\2hi")));
	for (unsigned i = 0; i < 10000; i++)
		pdu_put_tlv(&body, (uint16_t)(0x1400 + i % 100), "", 0);
	pdu_put_tlv(&body, TAG_MESSAGE_STATE, "\2", 1);
	uint8_t *f = frame_new(PDU_DELIVER_SM, body.data, body.len, NULL);
	assert_int_equal(pdu_take_sm(f, &m), KZ_OK);
	uint32_t v = 0;
	assert_true(pdu_tlv_uint(m.tlvs, TAG_MESSAGE_STATE, &v));
	assert_int_equal(v, 2);
	while (pdu_tlv_next(&m.tlvs, &t))
		n++;
	assert_int_equal(n, 10001);
	free(f);
	buf_fini(&body);
}

static void tlv_next__runs_over_the_frame__ends(void **state)
{
	static const char bytes[] = "\x02\x04\0\2\x12\x34\x04\x24\xff\xffzz";
	uint8_t *f = frame_copy(BYTES(bytes));
	struct pdu_tlvs rest = {f, sizeof bytes - 1};
	struct pdu_tlv t;

	(void)state;
	assert_true(pdu_tlv_next(&rest, &t));
	assert_int_equal(t.tag, TAG_USER_MESSAGE_REFERENCE);
	assert_int_equal(t.len, 2);
	assert_memory_equal(t.value, "\x12\x34", 2);
	assert_false(pdu_tlv_next(&rest, &t));
	assert_false(pdu_tlv_next(&rest, &t));
	free(f);
}

static void tlv_uint__lengths__one_to_four_octets(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool want;
		uint32_t value;
	} rows[] = {
	    {BYTES(""), false, 0},
	    {BYTES("\x04\x27\0\0"), false, 0},
	    {BYTES("\x04\x27\0\1\x08"), true, 8},
	    {BYTES("\x04\x27\0\2\x01\x02"), true, 0x102},
	    {BYTES("\x04\x27\0\3\x01\x02\x03"), true, 0x10203},
	    {BYTES("\x04\x27\0\4\xff\xff\xff\xfe"), true, 0xfffffffeu},
	    {BYTES("\x04\x27\0\5\1\1\1\1\1"), false, 0},
	    {BYTES("\x04\x28\0\1\x08"), false, 0},
	    {BYTES("\0\0\0\0\x04\x27\0\1\x08"), true, 8},
	    {BYTES("\x04\x27\0\1\x08\x04\x27\0\1\x09"), true, 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t *f = frame_copy(rows[i].bytes, rows[i].len ? rows[i].len : 1);
		uint32_t v = 0;

		assert_int_equal(
		    pdu_tlv_uint((struct pdu_tlvs){f, rows[i].len}, TAG_MESSAGE_STATE, &v), rows[i].want);
		assert_int_equal(v, rows[i].value);
		free(f);
	}
}

static void bind__long_credentials__whole_on_the_wire_and_back(void **state)
{
	struct pdu_bind b = {
	    .command = PDU_BIND_TRANSCEIVER,
	    .system_id = "a-system-id-of-32-characters-xxx",
	    .password = "a-password--of-32-characters-yyy",
	    .system_type = "kezek",
	    .interface_version = 0x50,
	    .addr_ton = 1,
	    .addr_npi = 9,
	    .address_range = "^7701",
	};
	struct pdu_bind back;
	struct buf out = {0};
	static const char want[] = "\0\0\0\x61\0\0\0\x09\0\0\0\0\0\0\0\x03"
	                           "a-system-id-of-32-characters-xxx\0"
	                           "a-password--of-32-characters-yyy\0"
	                           "kezek\0"
	                           "\x50\1\x09"
	                           "^7701\0";

	(void)state;
	assert_int_equal(pdu_put_bind(&out, 3, &b), KZ_OK);
	assert_int_equal(out.len, sizeof want - 1);
	assert_memory_equal(out.data, want, sizeof want - 1);
	assert_int_equal(pdu_take_bind((uint8_t *)out.data, &back), KZ_OK);
	assert_memory_equal(&back, &b, offsetof(struct pdu_bind, addr_npi) + 1);
	buf_fini(&out);
}

static void put_bind__field_without_nul__too_long(void **state)
{
	struct pdu_bind b = {.command = PDU_BIND_RECEIVER};
	struct buf out = {0};

	(void)state;
	memset(b.password, 'p', sizeof b.password);
	assert_int_equal(pdu_put_bind(&out, 1, &b), KZ_TOO_LONG);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static void take_bind__every_cut__invalid(void **state)
{
	static const char body[] = "id\0pw\0type\0\x34\1\1range";

	(void)state;
	for (size_t n = 0; n <= sizeof body; n++) {
		uint8_t *f = frame_new(PDU_BIND_RECEIVER, body, n, NULL);
		struct pdu_bind b;

		assert_int_equal(pdu_take_bind(f, &b), n == sizeof body ? KZ_OK : KZ_INVALID);
		free(f);
	}
}

static void resp__id_or_none__octets(void **state)
{
	struct buf b = {0};

	(void)state;
	pdu_put_resp(&b, PDU_SUBMIT_SM, 0, 5, "4F1a");
	pdu_put_resp(&b, PDU_DELIVER_SM | PDU_RESP, 0x58, 6, "");
	pdu_put_resp(&b, PDU_BIND_TRANSCEIVER, 0x55f, 7, NULL);
	pdu_put_header(&b, PDU_GENERIC_NACK, 3, 0);
	static const char want[] = "\0\0\0\x15\x80\0\0\x04\0\0\0\0\0\0\0\x05"
	                           "4F1a\0"
	                           "\0\0\0\x11\x80\0\0\x05\0\0\0\x58\0\0\0\x06\0"
	                           "\0\0\0\x10\x80\0\0\x09\0\0\x05\x5f\0\0\0\x07"
	                           "\0\0\0\x10\x80\0\0\0\0\0\0\x03\0\0\0\0";
	assert_int_equal(b.len, sizeof want - 1);
	assert_memory_equal(b.data, want, sizeof want - 1);
	buf_fini(&b);
}

static void take_resp__bodies_seen__id_and_tlvs(void **state)
{
	char id64[66], id65[67], id70[70];
	static const struct {
		const char *body;
		size_t len;
		enum kz want;
		const char *id;
	} rows[] = {
	    {BYTES(""), KZ_OK, ""},
	    {BYTES("\0"), KZ_OK, ""},
	    {BYTES("\0\0\0\0\0"), KZ_OK, ""},
	    {BYTES("42\0"), KZ_OK, "42"},
	    {BYTES("42\0\0\0"), KZ_OK, "42"},
	    {BYTES("42\0\x04\x27\0\1\2"), KZ_OK, "42"},
	    {BYTES("42"), KZ_OK, "42"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t *f = frame_new(PDU_SUBMIT_SM | PDU_RESP, rows[i].body, rows[i].len, NULL);
		struct pdu_resp r;

		assert_int_equal(pdu_take_resp(f, &r), rows[i].want);
		if (rows[i].id)
			assert_string_equal(r.id, rows[i].id);
		free(f);
	}
	memset(id64, 'f', sizeof id64);
	memset(id65, 'f', sizeof id65);
	memset(id70, 'f', sizeof id70);
	id64[64] = id65[65] = '\0';
	struct pdu_resp r;
	uint8_t *f = frame_new(PDU_SUBMIT_SM | PDU_RESP, id64, 65, NULL);
	assert_int_equal(pdu_take_resp(f, &r), KZ_OK);
	assert_string_equal(r.id, id64);
	free(f);
	f = frame_new(PDU_SUBMIT_SM | PDU_RESP, id64, 64, NULL);
	assert_int_equal(pdu_take_resp(f, &r), KZ_OK);
	assert_string_equal(r.id, id64);
	free(f);
	f = frame_new(PDU_SUBMIT_SM | PDU_RESP, id65, 66, NULL);
	assert_int_equal(pdu_take_resp(f, &r), KZ_INVALID);
	free(f);
	f = frame_new(PDU_SUBMIT_SM | PDU_RESP, id70, 70, NULL);
	assert_int_equal(pdu_take_resp(f, &r), KZ_INVALID);
	free(f);
}

static void take_resp__tlvs__reachable(void **state)
{
	uint8_t *f = frame_new(PDU_BIND_TRANSCEIVER | PDU_RESP, BYTES("smsc\0\x02\x10\0\1\x34"), NULL);
	struct pdu_resp r;
	uint32_t v = 0;

	(void)state;
	assert_int_equal(pdu_take_resp(f, &r), KZ_OK);
	assert_string_equal(r.id, "smsc");
	assert_true(pdu_tlv_uint(r.tlvs, TAG_SC_INTERFACE_VERSION, &v));
	assert_int_equal(v, 0x34);
	free(f);
}

static void command_name__known_vendor_and_orphan__text(void **state)
{
	char room[16];

	(void)state;
	assert_string_equal(pdu_command_name(PDU_SUBMIT_SM, room), "submit_sm");
	assert_string_equal(pdu_command_name(PDU_DELIVER_SM | PDU_RESP, room), "deliver_sm_resp");
	assert_string_equal(pdu_command_name(PDU_GENERIC_NACK, room), "generic_nack");
	assert_string_equal(pdu_command_name(0x00010200, room), "0x00010200");
	assert_string_equal(pdu_command_name(PDU_OUTBIND | PDU_RESP, room), "0x8000000b");
	assert_string_equal(pdu_command_name(0, room), "0x00000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frame_size__whole_short_and_absurd__ok_busy_invalid),
	    cmocka_unit_test(header__any_values__taken_as_they_are),
	    cmocka_unit_test(put_submit_sm__sample__octets_of_the_standard),
	    cmocka_unit_test(put_submit_sm__unusual_numbering__goes_out_as_given),
	    cmocka_unit_test(put_sm__tlvs__behind_the_text),
	    cmocka_unit_test(put_sm__payload__sm_length_is_zero_and_tlv_holds_it),
	    cmocka_unit_test(put_data_sm__text__is_message_payload),
	    cmocka_unit_test(put_sm__empty_text__no_text_and_no_payload),
	    cmocka_unit_test(put_sm__out_of_bounds__refused_and_nothing_written),
	    cmocka_unit_test(put_sm__widest_fields__read_back_equal),
	    cmocka_unit_test(put_sm__more_shapes_than_are_kept__each_time_its_own),
	    cmocka_unit_test(take_sm__every_cut_of_the_body__invalid),
	    cmocka_unit_test(take_sm__missing_nuls_and_long_fields__invalid),
	    cmocka_unit_test(take_sm__other_command__invalid),
	    cmocka_unit_test(take_sm__payload_beside_a_text__payload_unless_empty),
	    cmocka_unit_test(take_sm__trailing_nuls__ignored),
	    cmocka_unit_test(take_sm__ten_thousand_tlvs__all_walked),
	    cmocka_unit_test(tlv_next__runs_over_the_frame__ends),
	    cmocka_unit_test(tlv_uint__lengths__one_to_four_octets),
	    cmocka_unit_test(bind__long_credentials__whole_on_the_wire_and_back),
	    cmocka_unit_test(put_bind__field_without_nul__too_long),
	    cmocka_unit_test(take_bind__every_cut__invalid),
	    cmocka_unit_test(resp__id_or_none__octets),
	    cmocka_unit_test(take_resp__bodies_seen__id_and_tlvs),
	    cmocka_unit_test(take_resp__tlvs__reachable),
	    cmocka_unit_test(command_name__known_vendor_and_orphan__text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* pdu against libsmpp34 as a second opinion: whole PDUs packed by it are read by us and the other way round,
 * and both write the same octets where it can write at all. Only frames that do not hurt its unpacker: few
 * TLVs, known values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <smpp34.h>
#include <smpp34_structs.h>

#include <smpp34_params.h>

#include "smpp/pdu.h"

/* A small generator of our own, so that a failure is the same on every machine. */
static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static uint8_t any_of(const uint8_t *values, uint32_t n)
{
	return values[any(n)];
}

static void any_text(char *ret, uint32_t max)
{
	uint32_t n = any(max + 1);

	for (uint32_t i = 0; i < n; i++)
		ret[i] = (char)(' ' + any(94));
	ret[n] = '\0';
}

static void any_address(struct pdu_address *ret)
{
	static const uint8_t npis[] = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};

	ret->ton = (uint8_t)any(7);
	ret->npi = any_of(npis, sizeof npis);
	any_text(ret->text, 20);
}

static struct pdu_sm any_sm(uint32_t command, uint8_t text[254])
{
	struct pdu_sm m = {
	    .command = command,
	    .esm_class = (uint8_t)any(256),
	    .protocol_id = (uint8_t)any(256),
	    .priority = (uint8_t)any(256),
	    .registered_delivery = (uint8_t)any(256),
	    .replace_if_present = (uint8_t)any(256),
	    .data_coding = (uint8_t)any(256),
	    .default_msg_id = (uint8_t)any(256),
	    .text = text,
	    .text_len = any(254), /* it refuses the 254 octets that 4.4.1 allows */
	};

	any_text(m.service_type, 5);
	any_address(&m.source);
	any_address(&m.destination);
	if (command == PDU_SUBMIT_SM && any(2))
		strcpy(m.validity, "000001000000000R");
	if (command == PDU_SUBMIT_SM && any(2))
		strcpy(m.schedule, "261122182306020+");
	for (int i = 0; i < 254; i++)
		text[i] = (uint8_t)any(256);
	return m;
}

#define COPY(to, from) memcpy((to), (from), strlen(from) + 1)
#define COPY_COMMON(p, m)                                                                                    \
	do {                                                                                                 \
		COPY((p)->service_type, (m)->service_type);                                                  \
		(p)->source_addr_ton = (m)->source.ton;                                                      \
		(p)->source_addr_npi = (m)->source.npi;                                                      \
		COPY((p)->source_addr, (m)->source.text);                                                    \
		(p)->dest_addr_ton = (m)->destination.ton;                                                   \
		(p)->dest_addr_npi = (m)->destination.npi;                                                   \
		COPY((p)->destination_addr, (m)->destination.text);                                          \
		(p)->esm_class = (m)->esm_class;                                                             \
		(p)->registered_delivery = (m)->registered_delivery;                                         \
		(p)->data_coding = (m)->data_coding;                                                         \
	} while (0)
#define COPY_SHORT(p, m)                                                                                     \
	do {                                                                                                 \
		(p)->protocol_id = (m)->protocol_id;                                                         \
		(p)->priority_flag = (m)->priority;                                                          \
		(p)->replace_if_present_flag = (m)->replace_if_present;                                      \
		(p)->sm_default_msg_id = (m)->default_msg_id;                                                \
		(p)->sm_length = (uint8_t)(m)->text_len;                                                     \
		memcpy((p)->short_message, (m)->text, (m)->text_len);                                        \
	} while (0)

static tlv_t *tlv_of(uint16_t tag, const void *value, uint16_t len, tlv_t *list)
{
	tlv_t one = {.tag = tag, .length = len};

	memcpy(one.value.octet, value, len);
	assert_int_equal(build_tlv(&list, &one), 0);
	return list;
}

/* m packed by libsmpp34 alone; its size. */
static int theirs_pack(uint8_t *room, int size, uint32_t sequence, const struct pdu_sm *m)
{
	submit_sm_t submit = {.command_id = SUBMIT_SM, .sequence_number = sequence};
	deliver_sm_t deliver = {.command_id = DELIVER_SM, .sequence_number = sequence};
	data_sm_t data = {.command_id = DATA_SM, .sequence_number = sequence};
	int len = 0, r;

	if (m->command == PDU_SUBMIT_SM) {
		COPY_COMMON(&submit, m);
		COPY_SHORT(&submit, m);
		COPY(submit.schedule_delivery_time, m->schedule);
		COPY(submit.validity_period, m->validity);
		r = smpp34_pack2(room, size, &len, &submit);
	} else if (m->command == PDU_DELIVER_SM) {
		COPY_COMMON(&deliver, m);
		COPY_SHORT(&deliver, m);
		r = smpp34_pack2(room, size, &len, &deliver);
	} else {
		COPY_COMMON(&data, m);
		if (m->text_len)
			data.tlv = tlv_of(TAG_MESSAGE_PAYLOAD, m->text, (uint16_t)m->text_len, NULL);
		r = smpp34_pack2(room, size, &len, &data);
		destroy_tlv(data.tlv);
	}
	if (r)
		fail_msg("%s", smpp34_strerror);
	return len;
}

static void put_sm__thousands_of_any_values__octets_of_libsmpp34(void **state)
{
	static const uint32_t commands[] = {PDU_SUBMIT_SM, PDU_DELIVER_SM, PDU_DATA_SM};
	struct buf ours = {0};

	(void)state;
	seed = 34;
	for (uint32_t i = 0; i < 3000; i++) {
		uint8_t theirs[2048], text[254];
		struct pdu_sm m = any_sm(commands[i % 3], text);
		uint32_t sequence = 1 + any(0x7fffff);
		int len = theirs_pack(theirs, sizeof theirs, sequence, &m);

		buf_clear(&ours);
		assert_int_equal(pdu_put_sm(&ours, sequence, &m), KZ_OK);
		assert_int_equal(ours.len, len);
		assert_memory_equal(ours.data, theirs, ours.len);
	}
	buf_fini(&ours);
}

static void take_sm__packed_by_libsmpp34__every_field(void **state)
{
	static const uint32_t commands[] = {PDU_SUBMIT_SM, PDU_DELIVER_SM, PDU_DATA_SM};

	(void)state;
	seed = 4711;
	for (uint32_t i = 0; i < 3000; i++) {
		uint8_t frame[2048], text[254];
		struct pdu_sm m = any_sm(commands[i % 3], text), back;
		int len = theirs_pack(frame, sizeof frame, 1, &m);
		size_t size = 0;

		assert_int_equal(pdu_frame_size(frame, (size_t)len, PDU_MAX_DEFAULT, &size), KZ_OK);
		assert_int_equal(size, len);
		assert_int_equal(pdu_take_sm(frame, &back), KZ_OK);
		assert_string_equal(back.service_type, m.service_type);
		assert_string_equal(back.source.text, m.source.text);
		assert_string_equal(back.destination.text, m.destination.text);
		assert_string_equal(back.schedule, m.schedule);
		assert_string_equal(back.validity, m.validity);
		assert_int_equal(back.source.ton << 8 | back.source.npi, m.source.ton << 8 | m.source.npi);
		assert_int_equal(back.destination.ton << 8 | back.destination.npi,
		    m.destination.ton << 8 | m.destination.npi);
		assert_int_equal(back.esm_class, m.esm_class);
		assert_int_equal(back.registered_delivery, m.registered_delivery);
		assert_int_equal(back.data_coding, m.data_coding);
		if (m.command != PDU_DATA_SM) {
			assert_int_equal(back.protocol_id, m.protocol_id);
			assert_int_equal(back.priority, m.priority);
			assert_int_equal(back.replace_if_present, m.replace_if_present);
			assert_int_equal(back.default_msg_id, m.default_msg_id);
		}
		assert_int_equal(back.payload, m.command == PDU_DATA_SM && m.text_len);
		assert_int_equal(back.text_len, m.text_len);
		assert_memory_equal(back.text, m.text, m.text_len);
	}
}

static void put_sm__with_tlvs__unpacked_by_libsmpp34(void **state)
{
	struct pdu_sm m = {
	    .command = PDU_SUBMIT_SM,
	    .source = {5, 0, "KEZEK"},
	    .destination = {1, 1, "77011234567"},
	    .validity = "000000001500000R",
	    .registered_delivery = 1,
	    .text = (const uint8_t *)"Kod 123456",
	    .text_len = 10,
	};
	struct buf out = {0}, tlvs = {0};
	submit_sm_t t = {.tlv = NULL};

	(void)state;
	pdu_put_tlv(&tlvs, TAG_SAR_MSG_REF_NUM, "\x12\x34", 2);
	pdu_put_tlv(&tlvs, TAG_SAR_TOTAL_SEGMENTS, "\x03", 1);
	m.tlvs = (struct pdu_tlvs){(uint8_t *)tlvs.data, tlvs.len};
	assert_int_equal(pdu_put_sm(&out, 77, &m), KZ_OK);
	if (smpp34_unpack2(&t, (uint8_t *)out.data, (int)out.len))
		fail_msg("%s", smpp34_strerror);
	assert_int_equal(t.command_length, out.len);
	assert_int_equal(t.sequence_number, 77);
	assert_string_equal((char *)t.source_addr, "KEZEK");
	assert_int_equal(t.source_addr_ton, 5);
	assert_string_equal((char *)t.destination_addr, "77011234567");
	assert_int_equal(t.dest_addr_npi, 1);
	assert_string_equal((char *)t.validity_period, "000000001500000R");
	assert_int_equal(t.registered_delivery, 1);
	assert_int_equal(t.sm_length, 10);
	assert_memory_equal(t.short_message, "Kod 123456", 10);
	unsigned seen = 0;
	for (const tlv_t *v = t.tlv; v; v = v->next) {
		if (v->tag == TAG_SAR_MSG_REF_NUM && v->length == 2)
			seen |= v->value.val16 == 0x1234 ? 1 : 0;
		if (v->tag == TAG_SAR_TOTAL_SEGMENTS && v->length == 1)
			seen |= v->value.val08 == 3 ? 2 : 0;
	}
	assert_int_equal(seen, 3);
	destroy_tlv(t.tlv);
	buf_fini(&out);
	buf_fini(&tlvs);
}

static void take_sm__tlvs_packed_by_libsmpp34__found(void **state)
{
	deliver_sm_t t = {.command_id = DELIVER_SM, .sequence_number = 5, .esm_class = 4};
	uint8_t frame[2048];
	struct pdu_sm m;
	struct pdu_tlv id;
	uint32_t v = 0;
	int len = 0;

	(void)state;
	t.tlv = tlv_of(TAG_RECEIPTED_MESSAGE_ID, "1d305b4c", 9, NULL);
	tlv_t one = {.tag = TAG_MESSAGE_STATE, .length = 1, .value.val08 = 2};
	assert_int_equal(build_tlv(&t.tlv, &one), 0);
	if (smpp34_pack2(frame, sizeof frame, &len, &t))
		fail_msg("%s", smpp34_strerror);
	destroy_tlv(t.tlv);
	assert_int_equal(pdu_take_sm(frame, &m), KZ_OK);
	assert_true(pdu_tlv_find(m.tlvs, TAG_RECEIPTED_MESSAGE_ID, &id));
	assert_int_equal(id.len, 9);
	assert_memory_equal(id.value, "1d305b4c", 9);
	assert_true(pdu_tlv_uint(m.tlvs, TAG_MESSAGE_STATE, &v));
	assert_int_equal(v, 2);
}

static void same_octets(struct buf *ours, void *theirs)
{
	uint8_t room[512];
	int len = 0;

	if (smpp34_pack2(room, sizeof room, &len, theirs))
		fail_msg("%s", smpp34_strerror);
	assert_int_equal(ours->len, len);
	assert_memory_equal(ours->data, room, ours->len);
	buf_clear(ours);
}

static void put__binds_and_responses__octets_of_libsmpp34(void **state)
{
	struct pdu_bind b = {
	    .command = PDU_BIND_TRANSCEIVER,
	    .system_id = "fifteen-letters",
	    .password = "8letters",
	    .system_type = "kezek",
	    .interface_version = 0x34,
	    .addr_ton = 1,
	    .addr_npi = 1,
	    .address_range = "^77",
	};
	bind_transceiver_t bind = {.command_id = BIND_TRANSCEIVER,
	    .sequence_number = 1,
	    .interface_version = 0x34,
	    .addr_ton = 1,
	    .addr_npi = 1};
	submit_sm_resp_t submitted = {
	    .command_id = SUBMIT_SM_RESP, .sequence_number = 2}; /* with an error it leaves the id out */
	deliver_sm_resp_t delivered = {.command_id = DELIVER_SM_RESP, .sequence_number = 3};
	enquire_link_t enquire = {.command_id = ENQUIRE_LINK, .sequence_number = 4};
	generic_nack_t nack = {
	    .command_id = GENERIC_NACK, .command_status = ESME_RINVCMDID, .sequence_number = 5};
	struct buf out = {0};

	(void)state;
	COPY(bind.system_id, b.system_id);
	COPY(bind.password, b.password);
	COPY(bind.system_type, b.system_type);
	COPY(bind.address_range, b.address_range);
	COPY(submitted.message_id, "4F1a");
	assert_int_equal(pdu_put_bind(&out, 1, &b), KZ_OK);
	same_octets(&out, &bind);
	pdu_put_resp(&out, PDU_SUBMIT_SM, 0, 2, "4F1a");
	same_octets(&out, &submitted);
	pdu_put_resp(&out, PDU_DELIVER_SM, 0, 3, "");
	same_octets(&out, &delivered);
	pdu_put_header(&out, PDU_ENQUIRE_LINK, 0, 4);
	same_octets(&out, &enquire);
	pdu_put_header(&out, PDU_GENERIC_NACK, ESME_RINVCMDID, 5);
	same_octets(&out, &nack);
	buf_fini(&out);
}

static void put_bind__password__stays_out_of_the_library(void **state)
{
	struct pdu_bind b = {.command = PDU_BIND_TRANSMITTER, .system_id = "kezek", .password = "hush-hush"};
	struct buf out = {0};

	(void)state;
	assert_int_equal(pdu_put_bind(&out, 1, &b), KZ_OK);
	assert_null(memmem(smpp34_strerror, sizeof smpp34_strerror, "hush", 4));
	buf_fini(&out);
}

static void put_sm__text__stays_out_of_the_library(void **state)
{
	struct pdu_sm m = {.command = PDU_SUBMIT_SM,
	    .text = (const uint8_t *)"Kod 918273",
	    .text_len = 10,
	    .data_coding = 1};
	struct buf out = {0};

	(void)state;
	assert_int_equal(pdu_put_sm(&out, 1, &m), KZ_OK);
	assert_null(memmem(smpp34_strerror, sizeof smpp34_strerror, "918273", 6));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(put_sm__thousands_of_any_values__octets_of_libsmpp34),
	    cmocka_unit_test(take_sm__packed_by_libsmpp34__every_field),
	    cmocka_unit_test(put_sm__with_tlvs__unpacked_by_libsmpp34),
	    cmocka_unit_test(take_sm__tlvs_packed_by_libsmpp34__found),
	    cmocka_unit_test(put__binds_and_responses__octets_of_libsmpp34),
	    cmocka_unit_test(put_bind__password__stays_out_of_the_library),
	    cmocka_unit_test(put_sm__text__stays_out_of_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

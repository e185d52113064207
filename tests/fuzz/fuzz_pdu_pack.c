/* Differential: a PDU that libsmpp34 packed from any values is read by us with the same values, and we pack
 * the same octets. The input is the fields one behind the other; few and short TLVs, as more make libsmpp34
 * write over its own memory. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <smpp34.h>
#include <smpp34_structs.h>

#include <smpp34_params.h>

#include "smpp/pdu.h"

#define TEXT_MAX 253 /* libsmpp34 refuses 254 */
#define TLVS_MAX 8
#define TLV_MIN  4
#define TLV_MAX  19 /* it knows bounds of the tags we use: 5.3.2.15, 5.3.2.36 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

/* A text of at most max octets other than NUL. */
static void next_text(struct input *in, char *ret, unsigned max)
{
	unsigned n = next(in) % (max + 1);

	for (unsigned i = 0; i < n; i++) {
		uint8_t c = next(in);

		ret[i] = (char)(c ? c : 'x');
	}
	ret[n] = '\0';
}

static void next_address(struct input *in, struct pdu_address *ret)
{
	static const uint8_t npis[] = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};

	ret->ton = next(in) % 7;
	ret->npi = npis[next(in) % sizeof npis];
	next_text(in, ret->text, 20);
}

static void next_sm(struct input *in, uint32_t command, uint8_t text[TEXT_MAX], struct pdu_sm *ret)
{
	*ret = (struct pdu_sm){.command = command, .text = text};
	next_text(in, ret->service_type, 5);
	next_address(in, &ret->source);
	next_address(in, &ret->destination);
	ret->esm_class = next(in);
	ret->registered_delivery = next(in);
	ret->data_coding = next(in);
	if (command == PDU_DATA_SM)
		return;
	ret->protocol_id = next(in);
	ret->priority = next(in);
	ret->replace_if_present = next(in);
	ret->default_msg_id = next(in);
	if (command == PDU_SUBMIT_SM && next(in) % 2)
		strcpy(ret->validity, "000000001500000R");
	ret->text_len = next(in) % (TEXT_MAX + 1);
	for (size_t i = 0; i < ret->text_len; i++)
		text[i] = next(in);
}

/* The same TLVs for both: ours into out, libsmpp34's as its list. */
static tlv_t *next_tlvs(struct input *in, struct buf *out)
{
	static const uint16_t tags[] = {TLVID_callback_num, TLVID_source_subaddress, TLVID_dest_subaddress};
	tlv_t *list = NULL, all[TLVS_MAX];
	unsigned n = next(in) % (TLVS_MAX + 1);

	for (unsigned i = 0; i < n; i++) {
		all[i] = (tlv_t){.tag = tags[next(in) % 3],
		    .length = (uint16_t)(TLV_MIN + next(in) % (TLV_MAX - TLV_MIN + 1))};
		for (unsigned k = 0; k < all[i].length; k++)
			all[i].value.octet[k] = next(in);
		if (build_tlv(&list, &all[i]))
			abort();
	}
	for (const tlv_t *t = list; t; t = t->next)
		pdu_put_tlv(out, t->tag, t->value.octet, t->length);
	return list;
}

#define COPY(to, from) memcpy((to), (from), strlen(from) + 1)
#define FILL(p, m)                                                                                           \
	do {                                                                                                 \
		(p).command_id = (m)->command;                                                               \
		(p).sequence_number = 1;                                                                     \
		COPY((p).service_type, (m)->service_type);                                                   \
		(p).source_addr_ton = (m)->source.ton;                                                       \
		(p).source_addr_npi = (m)->source.npi;                                                       \
		COPY((p).source_addr, (m)->source.text);                                                     \
		(p).dest_addr_ton = (m)->destination.ton;                                                    \
		(p).dest_addr_npi = (m)->destination.npi;                                                    \
		COPY((p).destination_addr, (m)->destination.text);                                           \
		(p).esm_class = (m)->esm_class;                                                              \
		(p).registered_delivery = (m)->registered_delivery;                                          \
		(p).data_coding = (m)->data_coding;                                                          \
		(p).tlv = tlvs;                                                                              \
	} while (0)
#define FILL_SHORT(p, m)                                                                                     \
	do {                                                                                                 \
		(p).protocol_id = (m)->protocol_id;                                                          \
		(p).priority_flag = (m)->priority;                                                           \
		(p).replace_if_present_flag = (m)->replace_if_present;                                       \
		(p).sm_default_msg_id = (m)->default_msg_id;                                                 \
		(p).sm_length = (uint8_t)(m)->text_len;                                                      \
		memcpy((p).short_message, (m)->text, (m)->text_len);                                         \
	} while (0)

static size_t theirs(uint8_t *room, int size, const struct pdu_sm *m, tlv_t *tlvs)
{
	int len = 0, r;

	if (m->command == PDU_SUBMIT_SM) {
		submit_sm_t p = {.command_status = 0};
		FILL(p, m);
		FILL_SHORT(p, m);
		COPY(p.validity_period, m->validity);
		r = smpp34_pack2(room, size, &len, &p);
	} else if (m->command == PDU_DELIVER_SM) {
		deliver_sm_t p = {.command_status = 0};
		FILL(p, m);
		FILL_SHORT(p, m);
		r = smpp34_pack2(room, size, &len, &p);
	} else {
		data_sm_t p = {.command_status = 0};
		FILL(p, m);
		r = smpp34_pack2(room, size, &len, &p);
	}
	if (r)
		abort();
	return (size_t)len;
}

static bool same_address(const struct pdu_address *a, const struct pdu_address *b)
{
	return a->ton == b->ton && a->npi == b->npi && !strcmp(a->text, b->text);
}

static void compare(const uint8_t *frame, const struct pdu_sm *m)
{
	struct pdu_sm back;

	if (pdu_take_sm(frame, &back) != KZ_OK)
		abort();
	assert(!strcmp(back.service_type, m->service_type) && !strcmp(back.validity, m->validity));
	assert(same_address(&back.source, &m->source) && same_address(&back.destination, &m->destination));
	assert(back.esm_class == m->esm_class && back.registered_delivery == m->registered_delivery);
	assert(back.data_coding == m->data_coding && back.protocol_id == m->protocol_id);
	assert(back.priority == m->priority && back.replace_if_present == m->replace_if_present);
	assert(back.default_msg_id == m->default_msg_id && back.text_len == m->text_len);
	assert(!memcmp(back.text, m->text, m->text_len));
	assert(
	    back.tlvs.len == m->tlvs.len && (!m->tlvs.len || !memcmp(back.tlvs.at, m->tlvs.at, m->tlvs.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t commands[] = {PDU_SUBMIT_SM, PDU_DELIVER_SM, PDU_DATA_SM};
	struct input in = {data, size};
	struct buf tlvs = {0}, ours = {0};
	uint8_t text[TEXT_MAX], room[4096];
	struct pdu_sm m;

	next_sm(&in, commands[next(&in) % 3], text, &m);
	tlv_t *list = next_tlvs(&in, &tlvs);
	m.tlvs = (struct pdu_tlvs){(const uint8_t *)tlvs.data, tlvs.len};
	size_t len = theirs(room, sizeof room, &m, list);
	uint8_t *frame = malloc(len);
	memcpy(frame, room, len);
	compare(frame, &m);
	if (pdu_put_sm(&ours, 1, &m) != KZ_OK || ours.len != len || memcmp(ours.data, frame, len) != 0)
		abort();
	free(frame);
	destroy_tlv(list);
	buf_fini(&ours);
	buf_fini(&tlvs);
	return 0;
}

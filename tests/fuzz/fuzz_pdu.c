/* Octets of a peer: framing, every reader, and what we write of what we read must be read equal. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smpp/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned walk(struct pdu_tlvs tlvs, const uint8_t *end)
{
	struct pdu_tlv t;
	uint32_t sum = 0, v;

	assert(!tlvs.len || tlvs.at + tlvs.len == end);
	while (pdu_tlv_next(&tlvs, &t)) {
		assert(t.value + t.len <= end);
		for (unsigned i = 0; i < t.len; i++)
			sum += t.value[i];
		if (pdu_tlv_uint(tlvs, t.tag, &v))
			sum += v;
	}
	return sum;
}

static void write_and_read(const struct pdu_sm *m)
{
	struct pdu_sm copy = *m, back;
	struct buf out = {0};

	copy.tlvs = (struct pdu_tlvs){0};
	if (pdu_put_sm(&out, 1, &copy) != KZ_OK) {
		assert(!out.len);
		return;
	}
	size_t size = 0;
	if (pdu_frame_size((uint8_t *)out.data, out.len, PDU_MAX_DEFAULT, &size) != KZ_OK ||
	    size != out.len || pdu_take_sm((uint8_t *)out.data, &back) != KZ_OK)
		abort();
	assert(back.text_len == m->text_len && (!m->text_len || !memcmp(back.text, m->text, m->text_len)));
	assert(!strcmp(back.source.text, m->source.text) && back.source.ton == m->source.ton);
	assert(!strcmp(back.destination.text, m->destination.text) &&
	       back.destination.npi == m->destination.npi);
	assert(!strcmp(back.validity, m->validity) && back.esm_class == m->esm_class);
	buf_fini(&out);
}

static void read_frame(const uint8_t *frame, size_t size)
{
	struct pdu_sm m;
	struct pdu_bind b;
	struct pdu_resp r;
	struct buf out = {0};
	char room[16];

	(void)pdu_command_name(pdu_take_header(frame).command, room);
	if (pdu_take_sm(frame, &m) == KZ_OK) {
		walk(m.tlvs, frame + size);
		assert(!m.text_len || (m.text >= frame && m.text + m.text_len <= frame + size));
		write_and_read(&m);
	}
	if (pdu_take_bind(frame, &b) == KZ_OK) {
		b.command = PDU_BIND_RECEIVER;
		if (pdu_put_bind(&out, 1, &b) != KZ_OK || out.len > size)
			abort();
		assert(!memcmp(out.data + PDU_HEADER, frame + PDU_HEADER, out.len - PDU_HEADER));
	}
	if (pdu_take_resp(frame, &r) == KZ_OK) {
		assert(strlen(r.id) <= 64);
		walk(r.tlvs, frame + size);
	}
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t frame_size;

	if (pdu_frame_size(data, size, PDU_MAX_DEFAULT, &frame_size) != KZ_OK)
		return 0;
	assert(frame_size >= PDU_HEADER && frame_size <= size);
	/* memory of exactly the frame's size, so that one octet too many is seen */
	uint8_t *frame = malloc(frame_size);
	memcpy(frame, data, frame_size);
	read_frame(frame, frame_size);
	free(frame);
	return 0;
}

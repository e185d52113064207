/* Receipts: octet 0 is esm_class, octet 1 how much of the rest is TLVs, then those, then the text. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smpp/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text, size_t room)
{
	assert(strnlen(text, room) < room);
	for (; *text; text++)
		assert(*text >= ' ' && *text <= '~');
}

static void check_receipt(const struct receipt *r)
{
	char ids[RECEIPT_IDS][RECEIPT_ID];

	assert(*r->id);
	check_printable(r->id, sizeof r->id);
	check_printable(r->err, sizeof r->err);
	assert(r->state >= RECEIPT_ENROUTE && r->state <= RECEIPT_REJECTED);
	assert(*receipt_state_name(r->state) != '?');
	assert(r->done_wall_ms >= 0);
	for (int form = RECEIPT_ID_AUTO; form <= RECEIPT_ID_DECIMAL; form++) {
		unsigned n = receipt_id_candidates(r->id, (enum receipt_id_form)form, ids);

		assert(n >= 1 && n <= RECEIPT_IDS);
		for (unsigned i = 0; i < n; i++)
			check_printable(ids[i], RECEIPT_ID);
	}
}

/* Memory of exactly n octets, so that one too many is seen. */
static uint8_t *exact(const uint8_t *bytes, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	if (n)
		memcpy(p, bytes, n);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct receipt r;

	if (size < 2)
		return 0;
	size_t rest = size - 2, tlvs_len = data[1] < rest ? data[1] : rest;
	uint8_t *tlvs = exact(data + 2, tlvs_len), *text = exact(data + 2 + tlvs_len, rest - tlvs_len);
	struct pdu_sm m = {
	    .command = PDU_DELIVER_SM,
	    .esm_class = data[0],
	    .tlvs = {tlvs, tlvs_len},
	    .text = text,
	    .text_len = rest - tlvs_len,
	};

	(void)receipt_is(&m, true);
	if (receipt_parse(&m, &r) == KZ_OK)
		check_receipt(&r);
	free(tlvs);
	free(text);
	return 0;
}

/* USSD of an operator: octet 0 is the dialect, octet 1 data_coding, octet 2 how much of the rest is TLVs,
 * then those, then the text. Whatever it is, a page can be made for who sent it. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "smpp/ussd.h"
#include "text/utf8.h"

#define LINKS "links:\n- {host: h, system_id: me}\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const dialects[] = {
    "{detect: tlv, key_msisdn: no, code: destination, end_bit_in: yes, end_bit_out: yes, last: 2}",
    "{detect: tlv, codes: [\"123\"], code_kept: yes, key: umr, echo: none}",
    "{detect: any, codes: [\"123\"], code: both, end_bit_in: yes, empty_cancels: yes}",
    "{detect: tlv, key: tlv, key_octets: 0, echo: raw, gsm: packed, dcs_gsm: 15, dcs_ucs2: 72, path: rest}",
    "{detect: service_type, key: msisdn, step: 1, gsm: latin1, path: none}",
    "{detect: destination, codes: [\"123\"], key: msisdn, body: payload, tlvs: [\"0x1380=05\"]}",
};
#define DIALECTS (sizeof dialects / sizeof *dialects)

static const struct profile *dialect(size_t i)
{
	static struct profile *made[DIALECTS];
	struct faults faults = {0};

	if (!made[i]) {
		char *path = mem_printf("/tmp/fuzz-ussd-%d.yaml", (int)getpid());
		FILE *f = fopen(path, "we");

		assert(f);
		fprintf(f, "ussd: %s\n" LINKS, dialects[i]);
		fclose(f);
		made[i] = profile_load(path, &faults);
		assert(made[i]);
		unlink(path);
		free(path);
		faults_fini(&faults);
	}
	return made[i];
}

/* Memory of exactly n octets, so that one too many is seen. */
static uint8_t *exact(const uint8_t *bytes, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	if (n)
		memcpy(p, bytes, n);
	return p;
}

static void check_in(const struct ussd_in *in)
{
	size_t n = strnlen(in->text, sizeof in->text);

	assert(n < sizeof in->text && utf8_check(in->text, n) == KZ_OK);
	assert(in->said <= USSD_CANCELLED);
	assert(in->peer.key_n <= sizeof in->peer.key && in->peer.echo_n <= USSD_ECHO);
	if (in->said == USSD_DIALLED)
		assert(in->text[0] == '*' && in->text[n - 1] == '#');
}

static void check_page(const struct profile *p, const struct ussd_in *in)
{
	struct buf room = {0}, out = {0};
	struct pdu_sm m, back;

	for (int how = USSD_GO_ON; how <= USSD_PUSH_TELL; how++) {
		enum kz r = ussd_put(p, &in->peer, (enum ussd_page)how, "Кезек: 14", &room, &m);

		assert(r == KZ_OK);
		buf_clear(&out);
		r = pdu_put_sm(&out, 1, &m);
		assert(r == KZ_OK);
		r = pdu_take_sm((const uint8_t *)out.data, &back);
		assert(r == KZ_OK && back.text_len == 18);
	}
	/* What was typed, as a page: it fits or it is said that it does not. */
	(void)!ussd_put(p, &in->peer, USSD_LAST, in->text, &room, &m);
	buf_fini(&room);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ussd_in in;

	if (size < 3)
		return 0;
	const struct profile *p = dialect(data[0] % DIALECTS);
	size_t rest = size - 3, tlvs_len = data[2] < rest ? data[2] : rest;
	uint8_t *tlvs = exact(data + 3, tlvs_len), *text = exact(data + 3 + tlvs_len, rest - tlvs_len);
	struct pdu_sm m = {
	    .command = PDU_DELIVER_SM,
	    .source = {1, 1, "77011234567"},
	    .destination = {0, 1, "123"},
	    .data_coding = data[1],
	    .tlvs = {tlvs, tlvs_len},
	    .text = text,
	    .text_len = rest - tlvs_len,
	};

	if (data[0] & 0x80) /* the text is the code's place too */
		snprintf(m.destination.text, sizeof m.destination.text, "%.*s",
		    (int)(m.text_len < 20 ? m.text_len : 20), (const char *)text);
	(void)ussd_is(p, &m);
	if (ussd_take(p, &m, &in) == KZ_OK) {
		check_in(&in);
		check_page(p, &in);
	}
	free(tlvs);
	free(text);
	return 0;
}

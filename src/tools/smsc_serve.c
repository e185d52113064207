#include <string.h>

#include "base/secret.h"
#include "smsc_odd.h"
#include "smsc_session_body.h"

#define ANSWERS_MAX   10000
#define OUR_SYSTEM_ID "kezek-smsc"
#define VERSION_3_4   0x34

enum smpp_status {
	STATUS_LENGTH = 0x02,
	STATUS_COMMAND = 0x03,
	STATUS_NOT_BOUND = 0x04,
	STATUS_ALREADY_BOUND = 0x05,
	STATUS_SYSTEM = 0x08,
	STATUS_BIND_FAILED = 0x0D,
	STATUS_PASSWORD = 0x0E,
	STATUS_SYSTEM_ID = 0x0F,
	STATUS_THROTTLED = 0x58,
};

static void session_refuse(struct smsc_session *s, const struct pdu_header *h, uint32_t status)
{
	pdu_put_resp(&s->out, h->command, status, h->sequence, NULL);
}

static void session_after_submission(struct smsc_session *s)
{
	const struct smsc_options *o = s->desk->options;

	s->submissions++;
	if (o->unbind_after && s->submissions == o->unbind_after)
		smsc_session_unbind(s);
	if (o->freeze_after && s->submissions == o->freeze_after)
		smsc_session_freeze(s);
	if (o->bad_length_after && s->submissions == o->bad_length_after) {
		smsc_odd_length(&s->out, s->desk->fault.lengths++);
		s->wrong_length = true;
	}
}

static void session_on_submit(struct smsc_session *s, const uint8_t *frame, const struct pdu_header *h)
{
	const struct smsc_options *o = s->desk->options;
	struct pdu_sm m;

	if (!smsc_session_is_bound(s) || s->mode == PDU_BIND_RECEIVER) {
		session_refuse(s, h, STATUS_NOT_BOUND);
		return;
	}
	if (pdu_take_sm(frame, &m) != KZ_OK) {
		smsc_report_odd(s->desk->report, smsc_account_system_id(s->receiver.account),
		    "submission %u cannot be read", (unsigned)h->sequence);
		session_refuse(s, h, STATUS_LENGTH);
		return;
	}
	if (s->answers.count >= ANSWERS_MAX) {
		session_refuse(s, h, STATUS_THROTTLED);
		return;
	}
	struct smsc_taken t = smsc_desk_take(s->desk, s->receiver.account, &m, h->sequence, s->answers.count);
	if (!smsc_session_listens(s))
		return; /* an early receipt could not be written */
	if (o->drop_after && s->submissions + 1 == o->drop_after) {
		smsc_session_finish(s, "dropped by option");
		return;
	}
	smsc_session_answer(s, h->command, h->sequence, &t);
	session_after_submission(s);
}

static uint32_t bind_check(const struct smsc_session *s, const struct pdu_bind *b)
{
	const struct smsc_options *o = s->desk->options;

	if (*o->system_id && strcmp(o->system_id, b->system_id))
		return STATUS_SYSTEM_ID;
	if (o->password && (strlen(o->password) != strlen(b->password) ||
	                       !secret_equal(o->password, b->password, strlen(b->password))))
		return STATUS_PASSWORD;
	return 0;
}

static const char *mode_name(uint32_t command)
{
	return command == PDU_BIND_RECEIVER      ? "receiver"
	       : command == PDU_BIND_TRANSMITTER ? "transmitter"
	                                         : "transceiver";
}

/* sc_interface_version tells a 3.4 client that TLVs are welcome; a 3.3 client must not see one.
 * SMPP 3.4, 4.1.6. */
static void bind_resp_put(struct smsc_session *s, const struct pdu_header *h, uint8_t client_version)
{
	size_t start = s->out.len;
	uint8_t version = VERSION_3_4;

	pdu_put_resp(&s->out, h->command, 0, h->sequence, OUR_SYSTEM_ID);
	if (client_version < VERSION_3_4)
		return;
	pdu_put_tlv(&s->out, TAG_SC_INTERFACE_VERSION, &version, 1);
	s->out.data[start + 3] = (char)(s->out.len - start);
}

static void session_on_bind(struct smsc_session *s, const uint8_t *frame, const struct pdu_header *h)
{
	struct pdu_bind b;
	uint32_t status = s->state != SESSION_OPEN            ? STATUS_ALREADY_BOUND
	                  : pdu_take_bind(frame, &b) != KZ_OK ? STATUS_LENGTH
	                                                      : 0;

	if (status) {
		session_refuse(s, h, status);
		return;
	}
	status = bind_check(s, &b);
	if (!status && !smsc_fault_answers_bind(&s->desk->fault, s->desk->options)) {
		secret_wipe(b.password, sizeof b.password);
		return;
	}
	if (!status && smsc_post_join(s->desk->post, &s->receiver, b.system_id,
	                   h->command != PDU_BIND_TRANSMITTER) != KZ_OK)
		status = STATUS_BIND_FAILED;
	smsc_report_bind(s->desk->report, b.system_id, mode_name(h->command), stream_peer(s->stream), status);
	secret_wipe(b.password, sizeof b.password);
	if (status) {
		session_refuse(s, h, status);
		return;
	}
	s->mode = h->command;
	bind_resp_put(s, h, b.interface_version);
	smsc_session_flush(s); /* before the first receipt */
	if (s->state == SESSION_OPEN)
		smsc_session_bound(s);
}

static void session_on_unbind(struct smsc_session *s, const struct pdu_header *h)
{
	smsc_session_answer_due(s, INT64_MAX);
	session_refuse(s, h, 0);
	smsc_session_finish(s, "unbound");
}

static void session_on_unbound(struct smsc_session *s)
{
	if (s->state != SESSION_UNBINDING)
		return;
	smsc_session_answer_due(s, INT64_MAX);
	smsc_session_finish(s, "unbound by us");
}

static void session_on_acknowledged(struct smsc_session *s, const struct pdu_header *h)
{
	uint32_t status = h->command == PDU_GENERIC_NACK && !h->status ? STATUS_SYSTEM : h->status;

	if (smsc_handsets_answered(s->desk->handsets, &s->receiver, h->sequence, status) == KZ_OK)
		return;
	if (smsc_post_acknowledge(s->desk->post, &s->receiver, h->sequence, status) != KZ_OK)
		smsc_report_odd(s->desk->report, stream_peer(s->stream), "a response to nothing: sequence %u",
		    (unsigned)h->sequence);
}

static void session_on_unknown(struct smsc_session *s, const struct pdu_header *h)
{
	char name[16];

	smsc_report_odd(s->desk->report, stream_peer(s->stream), "%s is not for a message centre",
	    pdu_command_name(h->command, name));
	if (!(h->command & PDU_RESP))
		pdu_put_header(&s->out, PDU_GENERIC_NACK, STATUS_COMMAND, h->sequence);
}

void smsc_serve(struct smsc_session *s, const uint8_t *frame)
{
	struct pdu_header h = pdu_take_header(frame);

	switch (h.command) {
	case PDU_SUBMIT_SM:
	case PDU_DATA_SM:
		session_on_submit(s, frame, &h);
		break;
	case PDU_DELIVER_SM | PDU_RESP:
	case PDU_DATA_SM | PDU_RESP:
	case PDU_GENERIC_NACK:
		session_on_acknowledged(s, &h);
		break;
	case PDU_BIND_RECEIVER:
	case PDU_BIND_TRANSMITTER:
	case PDU_BIND_TRANSCEIVER:
		session_on_bind(s, frame, &h);
		break;
	case PDU_ENQUIRE_LINK:
		session_refuse(s, &h, 0);
		break;
	case PDU_ENQUIRE_LINK | PDU_RESP:
		break;
	case PDU_UNBIND:
		session_on_unbind(s, &h);
		break;
	case PDU_UNBIND | PDU_RESP:
		session_on_unbound(s);
		break;
	default:
		session_on_unknown(s, &h);
	}
}

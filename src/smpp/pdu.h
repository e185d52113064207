/* pdu: octets of SMPP 3.4 <-> our values. Reading is ours: bounded, zero-copy, never trusting a length.
 * Writing of mandatory bodies is libsmpp34's, once per shape of PDU; texts, TLVs, binds and responses are
 * written here (it limits TLVs to 1,024 octets, cuts passwords, refuses vendor statuses). The only home of
 * libsmpp34, whose unpacker never sees a peer's octets (it crashes on a deliver_sm with 100 empty TLVs). */
#ifndef SMPP_PDU_H
#define SMPP_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"

#define PDU_HEADER      16
#define PDU_MAX_DEFAULT 70000

/* SMPP 3.4, 5.1.2.1 */
enum pdu_command {
	PDU_GENERIC_NACK = 0x80000000u,
	PDU_BIND_RECEIVER = 0x00000001,
	PDU_BIND_TRANSMITTER = 0x00000002,
	PDU_SUBMIT_SM = 0x00000004,
	PDU_DELIVER_SM = 0x00000005,
	PDU_UNBIND = 0x00000006,
	PDU_BIND_TRANSCEIVER = 0x00000009,
	PDU_OUTBIND = 0x0000000B,
	PDU_ENQUIRE_LINK = 0x00000015,
	PDU_DATA_SM = 0x00000103,
};
#define PDU_RESP 0x80000000u

/* SMPP 3.4, 5.3.2: tags we read or write. */
enum pdu_tag {
	TAG_USER_MESSAGE_REFERENCE = 0x0204,
	TAG_RECEIPTED_MESSAGE_ID = 0x001E,
	TAG_SAR_MSG_REF_NUM = 0x020C,
	TAG_SAR_TOTAL_SEGMENTS = 0x020E,
	TAG_SAR_SEGMENT_SEQNUM = 0x020F,
	TAG_SC_INTERFACE_VERSION = 0x0210,
	TAG_NETWORK_ERROR_CODE = 0x0423,
	TAG_MESSAGE_PAYLOAD = 0x0424,
	TAG_MESSAGE_STATE = 0x0427,
	TAG_USSD_SERVICE_OP = 0x0501,
	TAG_ITS_SESSION_INFO = 0x1383,
};

/* length is of the whole PDU; status is any 32-bit value: vendors have their own. */
struct pdu_header {
	uint32_t length, command, status, sequence;
};

/* Whether the len octets at bytes begin with a whole PDU. KZ_OK and its size; KZ_BUSY: more octets needed;
 * KZ_INVALID: command_length under 16 or over max (answer generic_nack RINVCMDLEN with sequence 0 and close).
 */
enum kz pdu_frame_size(const uint8_t *bytes, size_t len, size_t max, size_t *ret_size) KZ_CHECK;
/* frame: a whole PDU of pdu_frame_size. */
struct pdu_header pdu_take_header(const uint8_t *frame);

/* A run of TLVs inside a frame. */
struct pdu_tlvs {
	const uint8_t *at;
	size_t len;
};
struct pdu_tlv {
	uint16_t tag, len;
	const uint8_t *value;
};
/* Walks: false at the end or at a TLV that runs over the frame. NULs behind a body (tag 0 without a value)
 * are skipped. */
bool pdu_tlv_next(struct pdu_tlvs *rest, struct pdu_tlv *ret);
/* The first TLV of that tag. */
bool pdu_tlv_find(struct pdu_tlvs tlvs, uint16_t tag, struct pdu_tlv *ret);
/* An integer TLV of 1..4 octets; absent or another length: false. */
bool pdu_tlv_uint(struct pdu_tlvs tlvs, uint16_t tag, uint32_t *ret);

/* Address; digits without '+', or an alphanumeric sender. SMPP 3.4, 5.2.5-9. */
struct pdu_address {
	uint8_t ton, npi;
	char text[21];
};

/* A bind request. Strings are NUL-terminated; a system_id or password of up to 32 characters goes out whole,
 * against the 16 and 9 of the standard, as some operators demand. */
struct pdu_bind {
	uint32_t command; /* PDU_BIND_RECEIVER, _TRANSMITTER or _TRANSCEIVER */
	char system_id[33], password[33], system_type[14], address_range[42];
	uint8_t interface_version, addr_ton, addr_npi;
};

/* submit_sm, deliver_sm and data_sm. When read, text points into the frame: short_message, or message_payload
 * when that TLV is there and not empty. When written, payload chooses between the two; over 254 octets needs
 * payload or data_sm. */
struct pdu_sm {
	uint32_t command; /* PDU_SUBMIT_SM, PDU_DELIVER_SM or PDU_DATA_SM */
	char service_type[6];
	struct pdu_address source, destination;
	uint8_t esm_class, protocol_id, priority, registered_delivery, replace_if_present, data_coding,
	    default_msg_id;
	char schedule[17], validity[17]; /* "" or 16 characters, 7.1.1 */
	const uint8_t *text;
	size_t text_len;
	bool payload;
	struct pdu_tlvs tlvs; /* read: all of them; written: appended as they are, made with pdu_put_tlv */
};

/* Reads. KZ_INVALID: a field runs over the frame or its bound; trailing NULs and octets that are no TLV are
 * ignored. *ret is unspecified then. */
enum kz pdu_take_bind(const uint8_t *frame, struct pdu_bind *ret) KZ_CHECK;
enum kz pdu_take_sm(const uint8_t *frame, struct pdu_sm *ret) KZ_CHECK;
/* message_id of submit_sm_resp, data_sm_resp; system_id of bind responses; TLVs behind it. A response without
 * a body, as errors often come, has "" and no TLVs. KZ_INVALID: no NUL within 65 octets. */
struct pdu_resp {
	char id[66];
	struct pdu_tlvs tlvs;
};
enum kz pdu_take_resp(const uint8_t *frame, struct pdu_resp *ret) KZ_CHECK;

/* Writes append a whole PDU of at most PDU_MAX_DEFAULT octets. Before anything is written: KZ_TOO_LONG when a
 * text has no NUL in its array or runs over its bound; KZ_INVALID for a time that is not "" or 16 characters,
 * any time in a deliver_sm. sequence 1..0x7FFFFFFF. */
enum kz pdu_put_bind(struct buf *out, uint32_t sequence, const struct pdu_bind *b) KZ_CHECK;
enum kz pdu_put_sm(struct buf *out, uint32_t sequence, const struct pdu_sm *m) KZ_CHECK;
/* Any response but generic_nack; id is left out (no body) when NULL. command with or without PDU_RESP. */
void pdu_put_resp(struct buf *out, uint32_t command, uint32_t status, uint32_t sequence, const char *id);
/* enquire_link, unbind, generic_nack and their responses: a header alone. */
void pdu_put_header(struct buf *out, uint32_t command, uint32_t status, uint32_t sequence);
void pdu_put_tlv(struct buf *out, uint16_t tag, const void *value, uint16_t len);

/* "submit_sm", "deliver_sm_resp", ... or "0x00010200". room has 16 octets; returns a static text or room. */
const char *pdu_command_name(uint32_t command, char room[16]);

#endif

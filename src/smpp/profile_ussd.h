/* profile_ussd: the dialect of USSD that an operator speaks, as data: which PDUs are dialogues, what tells
 * two of them apart, what the octets of ussd_service_op mean there, and what goes back with a page. */
#ifndef SMPP_PROFILE_USSD_H
#define SMPP_PROFILE_USSD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/keys.h"

struct profile;

/* What makes a deliver_sm or data_sm one of a dialogue. */
enum ussd_detect { USSD_BY_NOTHING, USSD_BY_TLV, USSD_BY_SERVICE_TYPE, USSD_BY_DESTINATION, USSD_BY_ANY };
/* What tells dialogues apart: its_session_info, user_message_reference, a TLV of the operator's, the number.
 */
enum ussd_key { USSD_KEY_ITS, USSD_KEY_UMR, USSD_KEY_TLV, USSD_KEY_MSISDN };
/* its_session_info as it goes back: with its end bit as it came, cleared, or not at all. */
enum ussd_echo { USSD_ECHO_RAW, USSD_ECHO_CLEARED, USSD_ECHO_NONE };
/* Where the code that was dialled stands. */
enum ussd_code { USSD_CODE_TEXT, USSD_CODE_DESTINATION, USSD_CODE_BOTH };
/* What is told of *123*2#: all of it, only what was dialled behind the code, or the code alone counts. */
enum ussd_path { USSD_PATH_WHOLE, USSD_PATH_REST, USSD_PATH_NONE };
enum ussd_body { USSD_BODY_AUTO, USSD_BODY_SHORT, USSD_BODY_PAYLOAD };
/* What may be pushed without having been dialled: nothing, a text (USSN), a text or a question (USSR). */
enum ussd_push { USSD_PUSH_NEVER, USSD_PUSH_TELLS, USSD_PUSH_ASKS };
/* Who gives a pushed dialogue its number. */
enum ussd_push_key { USSD_PUSH_KEY_OURS, USSD_PUSH_KEY_OPERATOR };

#define USSD_MEANS_NOTHING 0xff

struct profile_ussd {
	int detect, key, echo, code, path, body, push, push_key; /* the enums above */
	int gsm;                                                 /* enum gsm_wire */
	bool data_sm;
	char *service_type;
	struct key_list codes; /* digits of the codes that are ours: "123" */
	char *key_tag_text, *key_mask_text;
	int64_t key_octets; /* of the TLV; 0: any */
	bool key_msisdn, end_bit_in, end_bit_out, empty_cancels, swap;
	bool code_kept; /* only what is dialled tells the code that pages come from */
	int64_t step;   /* added to the 7 bits of the dialogue's sequence in its_session_info */
	struct key_list dialled, typed, confirmed, cancelled; /* ops that come in */
	int64_t go_on, last, ask, tell;                       /* ops that go out */
	int64_t dcs_gsm, dcs_ucs2;
	int64_t ucs2, gsm7; /* units of a page */
	struct key_list tlvs;
	int64_t kept; /* places of each link's window that messages leave to pages */
	int64_t deadline_ms, person_ms, repeat_ms;
	/* made of the above */
	uint16_t key_tag;
	uint32_t key_mask;
	uint8_t means[256]; /* enum ussd_said by ussd_service_op, or USSD_MEANS_NOTHING */
	struct buf extra;   /* the TLVs as octets */
};

/* Checks what the rows of the keys cannot, and makes the last four fields. */
void profile_ussd_read(struct profile *p, const struct yaml_node *root, struct faults *faults);
void profile_ussd_fini(struct profile_ussd *u);

#endif

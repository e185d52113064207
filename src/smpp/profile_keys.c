#include "smpp/profile_keys.h"

#include <string.h>

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const char *const validities[] = {"relative", "absolute", "none", NULL};
static const char *const concats[] = {"udh8", "udh16", "sar", "payload", NULL};
static const char *const gsm_wires[] = {"unpacked", "packed", "latin1", "ascii", NULL};
static const char *const id_forms[] = {"auto", "same", "hex", "decimal", NULL};
static const char *const parts[] = {"all", "first", "last", "any", NULL};
static const char *const binds[] = {"transceiver", "transmitter", "receiver", NULL};

static const char *const detects[] = {"none", "tlv", "service_type", "destination", "any", NULL};
static const char *const session_keys[] = {"its", "umr", "tlv", "msisdn", NULL};
static const char *const echoes[] = {"raw", "cleared", "none", NULL};
static const char *const codes[] = {"text", "destination", "both", NULL};
static const char *const paths[] = {"whole", "rest", "none", NULL};
static const char *const bodies[] = {"auto", "short_message", "payload", NULL};
static const char *const pushes[] = {"none", "tell", "ask", NULL};
static const char *const push_keys[] = {"ours", "operator", NULL};

#define AT(field) offsetof(struct profile, field)
#define IN(field) offsetof(struct profile_link, field)

/* One key a row. */
/* clang-format off */
const struct key profile_keys[] = {
	{"enabled", KEY_BOOL, AT(enabled), "yes", 0, 0, NULL, true, "",
	    "Whether the operator is connected to; no: the file is only checked."},
	{"prefixes", KEY_LIST, AT(prefixes), "", 0, 11, NULL, true, "",
	    "Beginnings of the numbers that this operator serves, \"7701\"; none: any number."},
	{"preference", KEY_INT, AT(preference), "100", 0, 1000, NULL, true, "",
	    "Among operators of an equally long prefix the lower goes first; the others are its fail-over."},

	{"timers.open", KEY_MS, AT(open_ms), "10s", 100, MINUTE, NULL, true, "",
	    "Name, connection and TLS together take at most so long."},
	{"timers.bind", KEY_MS, AT(bind_ms), "10s", 100, MINUTE, NULL, true, "",
	    "A bind that is not answered in time closes the connection."},
	{"timers.enquire", KEY_MS, AT(enquire_ms), "30s", 100, HOUR, NULL, true, "",
	    "After so long a silence an enquire_link is sent; two unanswered ones end the link."},
	{"timers.enquire_at_least", KEY_MS, AT(enquire_at_least_ms), "0ms", 0, HOUR, NULL, true, "",
	    "An enquire_link at least so often, even without silence, where the operator wants it; 0ms: not."},
	{"timers.response", KEY_MS, AT(response_ms), "30s", 100, 10 * MINUTE, NULL, true, "",
	    "A submit_sm that is not answered in time is in doubt."},
	{"timers.stall", KEY_MS, AT(stall_ms), "20s", 100, 10 * MINUTE, NULL, true, "",
	    "An operator that takes no octets, or leaves a PDU unfinished, for so long is dropped."},
	{"timers.unbind", KEY_MS, AT(unbind_ms), "10s", 100, MINUTE, NULL, true, "",
	    "Before an unbind the window has so long to empty; as long is waited for unbind_resp."},

	{"reconnect.min", KEY_MS, AT(reconnect_min_ms), "1s", 10, HOUR, NULL, true, "",
	    "Wait before the first new try; doubled for each further one, with jitter."},
	{"reconnect.max", KEY_MS, AT(reconnect_max_ms), "1m", 10, DAY, NULL, true, "",
	    "Longest such wait."},
	{"reconnect.already_bound", KEY_MS, AT(already_bound_ms), "2m", 10, HOUR, NULL, true, "",
	    "Least wait after ESME_RALYBND: longer than the operator keeps a dead session."},
	{"reconnect.refused", KEY_MS, AT(refused_ms), "15m", 10, DAY, NULL, true, "",
	    "Least wait after a wrong system_id, password or system_type: accounts get locked."},

	{"sender.default", KEY_TEXT, AT(sender), "", 0, 20, NULL, true, "",
	    "source_addr: a name of up to 11 characters (case matters), a short code or a number; empty: the operator's."},
	{"sender.ton", KEY_INT, AT(sender_ton), "-1", -1, 7, NULL, true, "",
	    "TON of the default sender; -1 by its shape: 5 a name, 3 a short code, 1 a number."},
	{"sender.npi", KEY_INT, AT(sender_npi), "-1", -1, 18, NULL, true, "",
	    "NPI of the default sender; -1 by its shape: 0, for a number 1."},
	{"destination.ton", KEY_INT, AT(dest_ton), "1", 0, 7, NULL, true, "",
	    "TON of the phone's number."},
	{"destination.npi", KEY_INT, AT(dest_npi), "1", 0, 18, NULL, true, "",
	    "NPI of the phone's number."},

	{"submit.service_type", KEY_TEXT, AT(service_type), "", 0, 5, NULL, true, "",
	    "service_type."},
	{"submit.priority_code", KEY_INT, AT(priority_code), "0", 0, 3, NULL, true, "",
	    "priority_flag of class code; some operators refuse all but 0."},
	{"submit.priority_notice", KEY_INT, AT(priority_notice), "0", 0, 3, NULL, true, "",
	    "priority_flag of class notice."},
	{"submit.priority_bulk", KEY_INT, AT(priority_bulk), "0", 0, 3, NULL, true, "",
	    "priority_flag of class bulk."},
	{"submit.protocol_id", KEY_INT, AT(protocol_id), "0", 0, 255, NULL, true, "",
	    "protocol_id."},
	{"submit.validity", KEY_CHOICE, AT(validity), "relative", 0, 0, validities, true, "",
	    "How validity_period says when a message expires."},
	{"submit.validity_max", KEY_MS, AT(validity_max_ms), "2d", MINUTE, 30 * DAY, NULL, true, "",
	    "Longest validity_period that the operator takes."},
	{"submit.user_message_reference", KEY_BOOL, AT(user_message_reference), "no", 0, 0, NULL, true, "",
	    "Send that TLV with a number of the part; one who echoes it in receipts ends doubts with it, some refuse it."},

	{"text.concat", KEY_CHOICE, AT(concat), "udh8", 0, 0, concats, true, "",
	    "How the parts of a long text are tied together."},
	{"text.gsm", KEY_CHOICE, AT(gsm), "unpacked", 0, 0, gsm_wires, true, "",
	    "What the operator takes text.dcs_gsm for."},
	{"text.dcs_gsm", KEY_INT, AT(dcs_gsm), "0", 0, 255, NULL, true, "",
	    "data_coding of GSM 7-bit texts."},
	{"text.dcs_ucs2", KEY_INT, AT(dcs_ucs2), "8", 0, 255, NULL, true, "",
	    "data_coding of UCS-2 texts."},

	{"receipts.loose", KEY_BOOL, AT(receipts_loose), "no", 0, 0, NULL, true, "",
	    "Take what looks like a receipt for one, although esm_class does not say so."},
	{"receipts.id", KEY_CHOICE, AT(receipt_id), "auto", 0, 0, id_forms, true, "",
	    "How submit_sm_resp spells the id against the receipt: the same, hex against decimal, decimal against hex."},
	{"receipts.parts", KEY_CHOICE, AT(receipt_parts), "all", 0, 0, parts, true, "",
	    "Which parts of a message the operator sends receipts for."},
	{"receipts.busy_status", KEY_INT, AT(receipt_busy_status), "100", 1, INT32_MAX, NULL, true, "",
	    "command_status for a receipt that cannot be recorded now: 100 (ESME_RX_T_APPN) or 88 (ESME_RTHROTTLED)."},

	{"ussd.detect", KEY_CHOICE, AT(ussd.detect), "none", 0, 0, detects, true, "",
	    "What makes a deliver_sm or data_sm one of USSD: the TLV ussd_service_op, service_type, one of ussd.codes as its destination, or any; none: the operator brings no USSD."},
	{"ussd.service_type", KEY_TEXT, AT(ussd.service_type), "USSD", 0, 5, NULL, true, "",
	    "service_type of pages, and of what comes in when that is what detects it."},
	{"ussd.codes", KEY_LIST, AT(ussd.codes), "", 0, 20, NULL, true, "",
	    "Digits of the codes that are ours, \"123\" of *123#; the first is where pushes come from."},
	{"ussd.code", KEY_CHOICE, AT(ussd.code), "text", 0, 0, codes, true, "",
	    "Where a dialled code stands: in the text, in destination_addr, or in the text and else there."},
	{"ussd.code_kept", KEY_BOOL, AT(ussd.code_kept), "no", 0, 0, NULL, true, "",
	    "Only what is dialled tells the code, destination_addr never: later pages come from the one that the call began with."},
	{"ussd.path", KEY_CHOICE, AT(ussd.path), "whole", 0, 0, paths, true, "",
	    "What the text tells of *123*2#: whole; rest: what stands behind the code; none: nothing is read behind it."},
	{"ussd.key", KEY_CHOICE, AT(ussd.key), "its", 0, 0, session_keys, true, "",
	    "What tells dialogues apart: its_session_info, user_message_reference, the TLV ussd.key_tlv, or only the phone's number."},
	{"ussd.key_tlv", KEY_TEXT, AT(ussd.key_tag_text), "0x1501", 0, 6, NULL, true, "",
	    "Tag of that TLV."},
	{"ussd.key_octets", KEY_INT, AT(ussd.key_octets), "0", 0, 8, NULL, true, "",
	    "Its length; 0: 1 to 8."},
	{"ussd.key_mask", KEY_TEXT, AT(ussd.key_mask_text), "", 0, 10, NULL, true, "",
	    "Bits of the last four octets of the key that count; empty: of its_session_info 0xfffe, all but the end bit, of others all."},
	{"ussd.key_msisdn", KEY_BOOL, AT(ussd.key_msisdn), "yes", 0, 0, NULL, true, "",
	    "Whether the phone's number is part of the key."},
	{"ussd.echo", KEY_CHOICE, AT(ussd.echo), "cleared", 0, 0, echoes, true, "",
	    "its_session_info in a page: as it came, with its end bit cleared, or not at all."},
	{"ussd.step", KEY_INT, AT(ussd.step), "0", 0, 127, NULL, true, "",
	    "Added to the 7 bits of the dialogue's sequence in its_session_info."},
	{"ussd.end_bit_in", KEY_BOOL, AT(ussd.end_bit_in), "no", 0, 0, NULL, true, "",
	    "Whether the end bit of its_session_info says that the person hung up."},
	{"ussd.end_bit_out", KEY_BOOL, AT(ussd.end_bit_out), "no", 0, 0, NULL, true, "",
	    "Whether the last page sets it."},
	{"ussd.empty_cancels", KEY_BOOL, AT(ussd.empty_cancels), "no", 0, 0, NULL, true, "",
	    "Whether an empty answer says that the person hung up."},
	{"ussd.dialled", KEY_LIST, AT(ussd.dialled), "1", 0, 4, NULL, true, "",
	    "ussd_service_op of a code that was dialled: 0 to 255 or 0x00 to 0xff; 17 is 0x11."},
	{"ussd.typed", KEY_LIST, AT(ussd.typed), "18", 0, 4, NULL, true, "",
	    "ussd_service_op of an answer to a page."},
	{"ussd.confirmed", KEY_LIST, AT(ussd.confirmed), "19", 0, 4, NULL, true, "",
	    "ussd_service_op of the word that a pushed text was shown."},
	{"ussd.cancelled", KEY_LIST, AT(ussd.cancelled), "129", 0, 4, NULL, true, "",
	    "ussd_service_op of the word that the person or the network hung up."},
	{"ussd.go_on", KEY_INT, AT(ussd.go_on), "2", 0, 255, NULL, true, "",
	    "ussd_service_op of a page that is answered."},
	{"ussd.last", KEY_INT, AT(ussd.last), "17", 0, 255, NULL, true, "",
	    "ussd_service_op of the last page; to a code that came with 0 it is 16."},
	{"ussd.push", KEY_CHOICE, AT(ussd.push), "none", 0, 0, pushes, true, "",
	    "What the operator lets us send to phones that did not dial: nothing, a text, or questions too."},
	{"ussd.ask", KEY_INT, AT(ussd.ask), "2", 0, 255, NULL, true, "",
	    "ussd_service_op of a pushed question."},
	{"ussd.tell", KEY_INT, AT(ussd.tell), "3", 0, 255, NULL, true, "",
	    "ussd_service_op of a pushed text."},
	{"ussd.push_key", KEY_CHOICE, AT(ussd.push_key), "ours", 0, 0, push_keys, true, "",
	    "Who gives a pushed dialogue its key."},
	{"ussd.data_sm", KEY_BOOL, AT(ussd.data_sm), "no", 0, 0, NULL, true, "",
	    "Pages go as data_sm."},
	{"ussd.body", KEY_CHOICE, AT(ussd.body), "auto", 0, 0, bodies, true, "",
	    "Where the text of a page stands; auto: in message_payload when it is longer than 254 octets."},
	{"ussd.swap", KEY_BOOL, AT(ussd.swap), "yes", 0, 0, NULL, true, "",
	    "Addresses change places in a page; no: they go back as they came."},
	{"ussd.gsm", KEY_CHOICE, AT(ussd.gsm), "unpacked", 0, 0, gsm_wires, true, "",
	    "What the operator takes ussd.dcs_gsm for."},
	{"ussd.dcs_gsm", KEY_INT, AT(ussd.dcs_gsm), "0", 0, 255, NULL, true, "",
	    "data_coding of pages in GSM 7-bit; 15 at many."},
	{"ussd.dcs_ucs2", KEY_INT, AT(ussd.dcs_ucs2), "8", 0, 255, NULL, true, "",
	    "data_coding of pages in UCS-2: 8, 72 (0x48) or 17 (0x11)."},
	{"ussd.gsm7", KEY_INT, AT(ussd.gsm7), "182", 20, 182, NULL, true, "septets",
	    "Longest page in GSM 7-bit."},
	{"ussd.ucs2", KEY_INT, AT(ussd.ucs2), "80", 20, 80, NULL, true, "units",
	    "Longest page in UCS-2."},
	{"ussd.tlvs", KEY_LIST, AT(ussd.tlvs), "", 0, 40, NULL, true, "",
	    "TLVs that go with every page, tag and value: \"0x1380=05\"."},
	{"ussd.kept", KEY_INT, AT(ussd.kept), "2", 0, 9000, NULL, true, "pages",
	    "Places of each link's window that messages leave to pages; messages have at least one."},
	{"ussd.deadline", KEY_MS, AT(ussd.deadline_ms), "8s", 100, MINUTE, NULL, true, "",
	    "A page is sent within so long, be it the one that says to look for an SMS; below the operator's own."},
	{"ussd.person", KEY_MS, AT(ussd.person_ms), "1m", SECOND, 10 * MINUTE, NULL, true, "",
	    "An answer that has not come for so long does not come: the call was dropped."},
	{"ussd.repeat", KEY_MS, AT(ussd.repeat_ms), "2s", 0, MINUTE, NULL, true, "",
	    "What comes again within so long, before the operator took its page, as the same PDU, or when its link went since, gets the same page again."},
};
const size_t profile_keys_n = sizeof profile_keys / sizeof *profile_keys;

const struct key profile_link_keys[] = {
	{"name", KEY_TEXT, IN(name), "", 0, 20, NULL, true, "",
	    "Name of the link; empty: its place in the list, from 1."},
	{"host", KEY_TEXT, IN(host), NULL, 0, 255, NULL, true, "",
	    "Name or address of the message centre."},
	{"port", KEY_INT, IN(port), "2775", 1, 65535, NULL, true, "",
	    "Its port."},
	{"bind", KEY_CHOICE, IN(bind), "transceiver", 0, 0, binds, true, "",
	    "Kind of the bind; a transmitter needs a receiver beside it for the receipts."},
	{"source", KEY_TEXT, IN(source), "", 0, 64, NULL, true, "",
	    "Local address to connect from; empty: any."},
	{"system_id", KEY_TEXT, IN(system_id), NULL, 0, 32, NULL, true, "",
	    "Account."},
	{"password_file", KEY_TEXT, IN(password_file), "", 0, 0, NULL, true, "",
	    "File with the password, relative to this file's folder; empty: no password."},
	{"system_type", KEY_TEXT, IN(system_type), "", 0, 12, NULL, true, "",
	    "system_type of the bind."},
	{"address_range", KEY_TEXT, IN(address_range), "", 0, 40, NULL, true, "",
	    "address_range of the bind."},
	{"interface_version", KEY_INT, IN(interface_version), "34", 33, 50, NULL, true, "",
	    "33, 34 or 50."},
	{"window", KEY_INT, IN(window), "10", 1, 9000, NULL, true, "segments",
	    "submit_sm sent and not answered at most; many accounts have 1."},
	{"rate", KEY_INT, IN(rate), "20", 1, 100000, NULL, true, "segments/s",
	    "The account's rate; kezek goes slower by itself when the operator asks for it."},
	{"tls", KEY_BOOL, IN(tls), "no", 0, 0, NULL, true, "",
	    "Connect with TLS; certificate and name are verified."},
	{"tls_ca", KEY_TEXT, IN(tls_ca), "", 0, 0, NULL, true, "",
	    "PEM file of the authorities that are believed; empty: the system's."},
	{"tls_cert", KEY_TEXT, IN(tls_cert), "", 0, 0, NULL, true, "",
	    "PEM file of our certificate; empty: none."},
	{"tls_key", KEY_TEXT, IN(tls_key), "", 0, 0, NULL, true, "",
	    "PEM file of the key that belongs to tls_cert."},
	{"tls_name", KEY_TEXT, IN(tls_name), "", 0, 255, NULL, true, "",
	    "Name to verify and to send as SNI; empty: host."},
};
const size_t profile_link_keys_n = sizeof profile_link_keys / sizeof *profile_link_keys;
/* clang-format on */

bool profile_is_word(const char *text, size_t max)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= max && text[n] == '\0';
}

const struct yaml_node *profile_at(const struct yaml_node *map, const char *group, const char *key)
{
	const struct yaml_node *in = group ? yaml_get(map, group) : map, *at = NULL;

	if (in && in->kind == YAML_MAP)
		at = yaml_get(in, key);
	return at ? at : map;
}

void profile_help(struct buf *out)
{
	keys_help(profile_keys, profile_keys_n, out);
	buf_str(out,
	    "statuses\n    What a command_status means to this operator, beside the standard's: a map of\n"
	    "    0x55f or 0x400-0x4ff to slow, temporary, reroute, final, link or bug.\n"
	    "links\n    The binds: a list, each entry with these keys:\n\n");
	keys_help(profile_link_keys, profile_link_keys_n, out);
}

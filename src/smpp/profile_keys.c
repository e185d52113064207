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

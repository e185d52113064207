/* smsc_options: what the command line asks of the simulated message centre. One table is the master of the
 * options, their ranges, their defaults and the help text. */
#ifndef TOOLS_SMSC_OPTIONS_H
#define TOOLS_SMSC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMSC_REFUSALS 32
#define SMSC_ODDS     16

enum smsc_id_form { SMSC_ID_AS_DECIMAL, SMSC_ID_AS_HEX, SMSC_ID_AS_PADDED };
enum smsc_receipt_id { SMSC_RECEIPT_ID_SAME, SMSC_RECEIPT_ID_HEX, SMSC_RECEIPT_ID_DECIMAL };
enum smsc_receipt_form { SMSC_RECEIPT_TEXT, SMSC_RECEIPT_TLV, SMSC_RECEIPT_BOTH };
enum smsc_receipt_pdu { SMSC_RECEIPT_DELIVER_SM, SMSC_RECEIPT_DATA_SM };

/* Destinations that begin with prefix are answered with status. */
struct smsc_refusal {
	uint32_t status;
	char prefix[21];
};

/* What is wrong with a receipt. UNKNOWN and GARBLED come before a good one, the others instead of it. */
enum smsc_odd {
	SMSC_ODD_NOT,
	SMSC_ODD_SPELLING,
	SMSC_ODD_UCS2,
	SMSC_ODD_BARE,
	SMSC_ODD_CUT,
	SMSC_ODD_UNKNOWN,
	SMSC_ODD_GARBLED,
};

/* 0 in a number of the faults: that fault never happens. */
struct smsc_options {
	char *listen, *system_id, *password_file;
	char *password; /* NULL: any */
	int id;         /* enum smsc_id_form */
	char *id_prefix;
	int64_t id_first; /* 0: from the wall clock, so that a restart does not repeat ids */
	int64_t receipt_delay_ms, receipt_retry_ms, receipt_window, no_receipt_every;
	int receipt_form, receipt_state, receipt_id, receipt_pdu;
	char *receipt_err; /* "": 000 when delivered, else 001 */
	bool receipt_twice, early_receipt;
	int64_t response_delay_ms, throttle, window, queue_full_every, no_answer_every, drop_after,
	    unbind_after;
	int64_t status_every, nack_every;
	uint32_t status_every_is, nack_every_is;
	int64_t mute_binds, freeze_after, read_rate, garbage_every, bad_length_after;
	enum smsc_odd odds[SMSC_ODDS]; /* of receipts, in turn */
	size_t odds_n;
	struct smsc_refusal refusals[SMSC_REFUSALS];
	size_t refusals_n;
	int ussd;                     /* place among smsc_dialect_names; 0: none */
	int ussd_push;                /* 0 none, 1 texts, 2 questions too */
	int64_t ussd_gsm7, ussd_ucs2; /* longest page */
	int64_t ussd_deadline_ms;
	char *phones; /* the control socket of the phones; "": none */
	int gsm;      /* enum gsm_wire */
	int64_t join_ms;
	bool json, quiet;
	char *log, *journal;
};

enum smsc_parsed { SMSC_PARSED_RUN, SMSC_PARSED_DONE, SMSC_PARSED_USAGE, SMSC_PARSED_FAILED };

/* Fills o, which smsc_options_fini empties whatever the answer. DONE: help or version was written to stdout;
 * USAGE and FAILED (the password file): why was written to stderr. */
enum smsc_parsed smsc_options_parse(struct smsc_options *o, int argc, char **argv);
void smsc_options_fini(struct smsc_options *o);
/* "DELIVRD", "UNDELIV", ...: o->receipt_state as Appendix B writes it. */
const char *smsc_options_state(const struct smsc_options *o);

#endif
